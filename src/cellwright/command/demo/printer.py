"""The printer and the scanners of the demonstration: labels become pictures, and only what a reader finds there goes on.

Two programs of different make draw and read (see `identifier.symbol`). What comes back begins with the symbology the
reader saw, as a scanner sends it; no command of the demonstration is ever given a text that was not read from a picture.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from cellwright.factory.lot.labelling import REGISTER, coded
from cellwright.factory.lot.part import Label
from cellwright.factory.order import pair
from cellwright.factory.portfolio.product import Product
from cellwright.identifier.house import LabelSerial, LotNumber
from cellwright.identifier.isbt128.chain_of_identity import ChainOfIdentityId
from cellwright.identifier.isbt128.compound import write_compound
from cellwright.identifier.isbt128.date import Occasion
from cellwright.identifier.isbt128.donation import ResolvedDonationNumber
from cellwright.identifier.isbt128.product import ProductCode
from cellwright.identifier.label import (
    Bilingual,
    DonorStatus,
    LabelContent,
    Legend,
    NamedPatient,
    Recipient,
    sheet,
)
from cellwright.identifier.symbol import Symbology, decode, encode

COLLECTED: Final = "A0000"
"""Product description code of the simulated collections, from the range for local use [assumption]."""
LITRES_FROM: Final = Decimal(10_000)
"""Millilitres."""
READ_KEPT: Final = 50_000
LEGENDS: Final = {
    Legend.AUTOLOGOUS_ONLY: pair.AUTOLOGOUS_USE_ONLY,
    Legend.BIOHAZARD: pair.BIOHAZARD,
    Legend.NOT_EVALUATED: pair.NOT_EVALUATED,
    Legend.ADVISE_PATIENT: pair.ADVISE_OF_RISKS,
    Legend.INVESTIGATIONAL: "investigational",
}
"""Legend on the label -> the same legend in the record."""


class Seen(NamedTuple):
    """A print as reader and operator saw it.

    Attributes:
        serial: the symbol with the label's own number.
        others: the other symbols on the print.
        legends: the legends on it, as the record calls them.
    """

    serial: str
    others: tuple[str, ...]
    legends: tuple[str, ...]


@lru_cache(maxsize=READ_KEPT)
def read(text: str, symbology: Symbology = Symbology.DATA_MATRIX) -> str:
    """A text printed as one symbol and read back: what the scanner sends."""
    (found,) = decode(encode(text, symbology).picture(), only=True)
    return found.raw


def donation(din: str) -> str:
    """The donation number as the scanner sends it from the bag's own label."""
    return read(ResolvedDonationNumber(din).number.data_structure(), Symbology.CODE_128)


def chain(coi: str) -> str:
    """The chain of identity as the scanner sends it."""
    return read(ChainOfIdentityId(coi).data_structure)


def collected(din: str, division: str, coi: str) -> str:
    """The compound symbol of a collected bag: donation, product with division, chain of identity."""
    code = ProductCode(f"{COLLECTED}0{division}")
    number = ResolvedDonationNumber(din).number.data_structure()
    return read(write_compound((number, code.data_structure, ChainOfIdentityId(coi).data_structure)))


def seen(content: LabelContent) -> Seen:
    """A label printed, all its symbols in one picture, and read."""
    found = [payload.raw for payload in decode(sheet([symbol for _, symbol in content.symbols]))]
    own = next(raw for raw in found if raw.endswith(content.serial.text))
    legends = tuple(LEGENDS[printed.legend] for printed in content.legends if printed.legend in LEGENDS)
    return Seen(own, tuple(raw for raw in found if raw != own), legends)


def content(label: Label, product: Product, person: NamedPatient | None, made_at: datetime, zone: str) -> LabelContent:
    """What a copy in the record has to say in print, names included, which the record does not hold (D6)."""
    said = label.content
    din, owner = said.get("din"), said["owner"]
    expiry = coded(Occasion.EXPIRY, datetime.fromisoformat(said["expires"]), zone) if "expires" in said else None
    below = said.get("store_at_most_c")
    name = Bilingual(product.name.en, product.name.zh)
    common = {
        "template": REGISTER.archived(label.template), "serial": LabelSerial(label.label),
        "status": _status(label.legends) if din else None, "simulated": True,
        "investigational": "investigational" in label.legends, "lot": LotNumber(said["lot"]), "product_name": name,
        "quantity": _quantity(Decimal(said["volume_ml"])),
        "prepared": coded(Occasion.PRODUCTION, made_at, zone), "expiry": expiry,
    }  # fmt: skip
    if din is None:
        return LabelContent(**common)  # type: ignore[arg-type]
    return LabelContent(
        **common,  # type: ignore[arg-type]
        chain=ChainOfIdentityId(owner),
        donation=ResolvedDonationNumber(din).number,
        product=ProductCode(f"{product.label_code}0{said['division']}"),
        storage=Bilingual(f"at or below {below} °C", f"{below} °C 及以下") if below else None,
        maker=Bilingual("E-Town plant (simulated)", "亦庄工厂（模拟）"),
        patient=person if expiry is not None else None,
    )


def _quantity(volume_ml: Decimal) -> Bilingual:
    """A volume as a label says it: litres from ten litres on."""
    text = f"{volume_ml / 1000:f} L" if volume_ml >= LITRES_FROM else f"{volume_ml:f} mL"
    return Bilingual(text, text)


def _status(legends: Iterable[str]) -> DonorStatus:
    legends = frozenset(legends)
    evaluated = pair.NOT_EVALUATED not in legends
    return DonorStatus(
        Recipient.AUTOLOGOUS if pair.AUTOLOGOUS_USE_ONLY in legends else Recipient.ALLOGENEIC,
        screening_complete=evaluated,
        testing_complete=evaluated,
        risk=pair.BIOHAZARD in legends,
    )
