"""Small portfolios to ask questions of."""

from cellwright import shipped
from cellwright.factory.definition import Basis, Text, read
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.seed import Seed
from cellwright.factory.portfolio.statement import (
    Area,
    Condition,
    Dated,
    Membership,
    Party,
    PortfolioProduct,
    Programme,
    Statement,
)

SEEN = Basis(grade="A", source="s")


def words(text: str) -> Text:
    return Text(en=text, zh=text)


def shipped_book() -> Book:
    file = "portfolio/e-town.yaml"
    return Book.of(read(Seed, shipped.content(file).decode(), file).statements())


def one_product(product: str = "P", party: str = "F", registration_class: str = "1") -> list[Statement]:
    """A product of a firm in an area within a city, for one kidney disease."""
    return [
        Area(id="city", name=words("city"), basis=SEEN),
        Area(id="park", name=words("park"), within="city", basis=SEEN),
        Party(id=party, name=words(party), basis=SEEN),
        Membership(id=f"{party}-park", party=party, area="park", by="declared", basis=SEEN),
        PortfolioProduct(id=product, name=words(product), holder=party, modality="car_t", unit="patient_lot",
                         registration_class=registration_class, basis=SEEN),
        Condition(id="kidney", name=words("kidney"), speciality="nephrology", basis=SEEN),
        Programme(id=f"{product}-1", product=product, condition="kidney", basis=SEEN),
    ]  # fmt: skip


def happened(event: str, when: str | None, name: str = "", **more: object) -> Dated:
    """An event of programme `P-1` with the Chinese agency, unless told otherwise."""
    fields = {"programme": "P-1", "agency": "NMPA", "text": words(event), "basis": SEEN} | more
    return Dated(id=name or f"{event}-{len(event)}-{when}".replace("/", "."), event=event, when=when, **fields)  # type: ignore[arg-type]
