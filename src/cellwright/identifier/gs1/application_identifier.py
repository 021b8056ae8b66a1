"""The application identifiers (AIs) the factory reads, as data. The list is closed: another AI is refused.

Meaning and format follow the GS1 General Specifications. AIs that carry a patient's name, address or birth date (7250 and
following) are left out on purpose: such data have no place in an identifier (R062).
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from cellwright.identifier.gs1.key import Gln, Gsin, Gsrn, Gtin, Key, Sscc
from cellwright.language import N_


class Kind(Enum):
    """How the content is written."""

    TEXT = auto()
    NUMBER = auto()
    DATE = auto()
    DATE_TIME = auto()
    TEMPERATURE = auto()


@dataclass(frozen=True, slots=True)
class ApplicationIdentifier:
    """One AI.

    Attributes:
        ai: the two to four digits.
        name: what it says, a message of the catalogue.
        kind: how the content is written.
        shortest: fewest characters of the content.
        longest: most characters of the content.
        predefined: the length is known from the AI alone, so no separator follows.
        key: the key whose check digit the content ends with.
    """

    ai: str
    name: str
    kind: Kind
    shortest: int
    longest: int
    predefined: bool = False
    key: type[Key] | None = None


def _key(ai: str, kind: type[Key], *, predefined: bool, name: str = "") -> ApplicationIdentifier:
    length = len(kind.LAYOUT.places)
    return ApplicationIdentifier(ai, name or kind.LAYOUT.name, Kind.NUMBER, length, length, predefined, kind)


def _date(ai: str, name: str) -> ApplicationIdentifier:
    return ApplicationIdentifier(ai, name, Kind.DATE, 6, 6, predefined=True)


def _text(ai: str, name: str, longest: int) -> ApplicationIdentifier:
    return ApplicationIdentifier(ai, name, Kind.TEXT, 1, longest)


def _number(ai: str, name: str, longest: int, shortest: int = 1) -> ApplicationIdentifier:
    return ApplicationIdentifier(ai, name, Kind.NUMBER, shortest, longest)


_ROWS: Final = (
    _key("00", Sscc, predefined=True),
    _key("01", Gtin, predefined=True),
    _key("02", Gtin, predefined=True, name=N_("GTIN of the contained items")),
    _text("10", N_("batch or lot"), 20),
    _date("11", N_("production date")),
    _date("13", N_("packaging date")),
    _date("15", N_("best before date")),
    _date("17", N_("expiry date")),
    _text("21", N_("serial number"), 20),
    _number("30", N_("variable count"), 8),
    _number("37", N_("count of contained items"), 8),
    _text("240", N_("additional product identification"), 30),
    _text("241", N_("customer part number"), 30),
    _text("250", N_("secondary serial number"), 30),
    _text("400", N_("order number"), 30),
    _text("401", N_("consignment number (GINC)"), 30),
    _key("402", Gsin, predefined=False),
    _key("410", Gln, predefined=True, name=N_("GLN of the recipient")),
    _key("414", Gln, predefined=True, name=N_("GLN of a location")),
    ApplicationIdentifier("4331", N_("maximum temperature in °C"), Kind.TEMPERATURE, 6, 7),
    ApplicationIdentifier("4333", N_("minimum temperature in °C"), Kind.TEMPERATURE, 6, 7),
    ApplicationIdentifier("7003", N_("expiry date and time"), Kind.DATE_TIME, 10, 10),
    _text("7240", N_("protocol number"), 20),
    _number("7241", N_("media type"), 2, shortest=2),
    _text("7242", N_("version control number"), 25),
    _text("8004", N_("individual asset number (GIAI)"), 30),
    _key("8017", Gsrn, predefined=False, name=N_("GSRN of a provider")),
    _key("8018", Gsrn, predefined=False, name=N_("GSRN of a recipient")),
    _number("8019", N_("service relation instance"), 10),
)
#: The closed list, by AI.
TABLE: Final = {row.ai: row for row in _ROWS}
