"""What goes on a label: the template in force, the symbols a reader must report, the legends it must bear (R069, R090, R091).

Where chain of identity, donation and label carry the numbers of the standard, the label has the compound symbol of ISBT
128 (donation, product and division, expiry, chain of identity), the lot's number and its own serial. Where a site issues
other numbers, it has the house symbol: the serial and whose it is.
"""

from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cellwright.factory.lot.part import Container
from cellwright.factory.lot.quantity import moment
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.scan import SEPARATOR
from cellwright.factory.portfolio.product import Product
from cellwright.factory.rule import Refusal, World
from cellwright.identifier.house import LabelSerial, LotNumber
from cellwright.identifier.isbt128.chain_of_identity import ChainOfIdentityId
from cellwright.identifier.isbt128.compound import write_compound
from cellwright.identifier.isbt128.date import CodedTime, Occasion
from cellwright.identifier.isbt128.donation import ResolvedDonationNumber
from cellwright.identifier.isbt128.product import ProductCode
from cellwright.identifier.label.template import LabelKind, LabelTemplate, SymbolRole, TemplateRegister, first_register
from cellwright.identifier.refusal import IdentifierError
from cellwright.identifier.symbol import Symbology

REGISTER: Final[TemplateRegister] = first_register()
"""Every version of every kind of label, and which may be printed."""
INVESTIGATIONAL: Final = "investigational"
"""Legend of a product under a clinical trial."""
_COLLECTION_NOT_SAID: Final = "0"
"""Sixth character of a product code: the type of the donation is not said here."""


class Planned(NamedTuple):
    """A label as it must come out of the printer.

    Attributes:
        template: id of its template, kind and version.
        symbols: what a reader must report, AIM identifier first.
        legends: what a person must see on it.
    """

    template: str
    symbols: tuple[str, ...]
    legends: tuple[str, ...]


def planned(world: World, lot: LotState, found: Container, place: str, serial: str, asked: str | None) -> Planned:
    """The label of a container, or of the cassette around it.

    Args:
        asked: id of the template that somebody wants; the one in force if not given.

    Raises:
        Refusal `label-template-not-in-force`: another version, or another kind, was asked for (R091).
    """
    template = template_of(lot, found, place, asked)
    return Planned(template.id, symbols(world, lot, found, serial, template), legends(world, lot))


def template_of(lot: LotState, found: Container, place: str, asked: str | None = None) -> LabelTemplate:
    """The template in force for what the label is stuck to. Raises as `planned`."""
    kind = _kind(lot, found, place)
    template = REGISTER.for_print(kind)
    if asked not in (None, template.id):
        raise Refusal(
            "label-template-not-in-force",
            "The label version {asked} is not in force for this; {template} is.",
            remedy="Print from the version in force; former versions are kept to read old records.",
            rule="R091",
            asked=asked,
            template=template.id,
        )
    return template


def _kind(lot: LotState, found: Container, place: str) -> LabelKind:
    if place == "cassette":
        return LabelKind.CASSETTE
    if not lot.personal:
        return LabelKind.STOCK_CONTAINER
    return LabelKind.FINAL_PRODUCT_BAG if found.is_bag else LabelKind.IN_PROCESS_CONTAINER


def legends(world: World, lot: LotState) -> tuple[str, ...]:
    """The legends that follow from the donor's status, and from a trial (R069)."""
    if lot.pair is None:
        return ()
    product = world.definition(Product, lot.product, lot.product_version)
    market = product.market(lot.market) if lot.market is not None else None
    trial = (INVESTIGATIONAL,) if market is not None and market.legal_basis == "trial" else ()
    return (*world.load(PairState, lot.pair).legends, *trial)


def symbols(world: World, lot: LotState, found: Container, serial: str, template: LabelTemplate) -> tuple[str, ...]:
    """What the symbols of a template say about a container, in their order."""
    try:
        said = {SymbolRole.LABEL: LabelSerial(serial).text, SymbolRole.LOT: LotNumber(lot.number).text}
        if lot.coi is not None:
            said[SymbolRole.CONTAINER] = _compound(world, lot, found)
    except IdentifierError:
        return (f"{serial}{SEPARATOR}{lot.owner}",)
    return tuple(f"]{Symbology.DATA_MATRIX}{said[role]}" for role in template.symbols if role in said)


def _compound(world: World, lot: LotState, found: Container) -> str:
    """Donation, product with division, expiry of a bag, chain of identity (R083).

    Raises:
        IdentifierError: a number is none of the standard, or the product has no code for labels.
    """
    assert lot.coi is not None
    product = world.definition(Product, lot.product, lot.product_version)
    code = ProductCode(f"{product.label_code or ''}{_COLLECTION_NOT_SAID}{found.division or ''}")
    expiry = coded(Occasion.EXPIRY, moment(found.made_at) + product.shelf_life, world.zone) if found.is_bag else None
    parts = (
        ResolvedDonationNumber(found.din or "").number.data_structure(),
        code.data_structure,
        *((expiry.data_structure,) if expiry is not None else ()),
        ChainOfIdentityId(lot.coi).data_structure,
    )
    return write_compound(parts)


def coded(occasion: Occasion, at: datetime, zone: str) -> CodedTime:
    """A moment as labels carry it: local time, whole minutes (ST-001 2.4.5)."""
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)
    return CodedTime(occasion, local)
