"""Numbers this house gives to what no standard numbers: lots, samples, printed labels, shippers.

Layout: kind letter, FIN of the site, two-digit year, seven digits, check character (mod 37-2 over all that stands before
it). The FIN is the site prefix, so numbers of two sites never meet. The first character is a capital, so no such text can
be taken for an ISBT 128 structure, which begins with ``=`` or ``&``.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from cellwright.identifier.isbt128.check_character import ALPHABET, check_character
from cellwright.identifier.isbt128.entry import Entry, Way
from cellwright.identifier.isbt128.facility import PLACES, FacilityNumber
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import DIGIT, Identifier, Layout
from cellwright.language import N_

_CHECK_PLACE: Final = ALPHABET.replace("*", r"\*")
#: Numbers of one kind, site and year.
CAPACITY: Final = 10**7


def _layout(name: str, kind: str) -> Layout:
    return Layout(name, (kind, *PLACES, *(DIGIT,) * 9, _CHECK_PLACE), "R064", f"{kind}αppppyynnnnnnnK")


@dataclass(frozen=True, slots=True, order=True)
class HouseNumber(Identifier):
    """What the house's own numbers share. Raises IdentifierError for wrong layout or check character."""

    KIND: ClassVar[str]

    def __post_init__(self) -> None:
        self.LAYOUT.check(self.text)
        if check_character(self.text[:-1]) != self.text[-1]:
            raise refuse(Code.CHECK_WRONG, self.text, self.LAYOUT.name, "R064", position=len(self.text))

    @property
    def facility(self) -> FacilityNumber:
        """The FIN of the site that gave the number."""
        return FacilityNumber(self.text[1:6])

    @property
    def year(self) -> str:
        """The two digits of the year."""
        return self.text[6:8]

    @property
    def sequence(self) -> int:
        """The number within kind, site and year."""
        return int(self.text[8:15])

    @property
    def eye_readable(self) -> str:
        """The number in groups, as printed for people."""
        return f"{self.text[0]} {self.text[1:6]} {self.year} {self.text[8:15]} {self.text[15]}"


@dataclass(frozen=True, slots=True, order=True)
class LotNumber(HouseNumber):
    """The number of a lot (batch), such as ``LA9999260000001E``; fits GS1 AI 10."""

    KIND: ClassVar[str] = "L"
    LAYOUT: ClassVar[Layout] = _layout(N_("lot number"), "L")


@dataclass(frozen=True, slots=True, order=True)
class SampleNumber(HouseNumber):
    """The number of a sample or aliquot sent to a test."""

    KIND: ClassVar[str] = "S"
    LAYOUT: ClassVar[Layout] = _layout(N_("sample number"), "S")


@dataclass(frozen=True, slots=True, order=True)
class LabelSerial(HouseNumber):
    """The number of one printed label; a reprint gets another one (R090)."""

    KIND: ClassVar[str] = "P"
    LAYOUT: ClassVar[Layout] = _layout(N_("label serial"), "P")


@dataclass(frozen=True, slots=True, order=True)
class ShipperNumber(HouseNumber):
    """The number of one use of a transport container (shipper)."""

    KIND: ClassVar[str] = "T"
    LAYOUT: ClassVar[Layout] = _layout(N_("shipper number"), "T")


H = TypeVar("H", bound=HouseNumber)


def compose(kind: type[H], facility: FacilityNumber, year: int, sequence: int) -> H:
    """The house number of a kind, site, year and sequence 0 to 9,999,999.

    Raises:
        IdentifierError: the sequence is outside the capacity.
    """
    if not 0 <= sequence < CAPACITY:
        detail = f"{kind.KIND} {facility} {year}"
        raise refuse(
            Code.NUMBERS_EXHAUSTED,
            str(sequence),
            N_("a sequence number"),
            "R084",
            detail=detail,
            form=f"0 - {CAPACITY - 1}",
        )
    body = f"{kind.KIND}{facility}{year % 100:02d}{sequence:07d}"
    return kind(body + check_character(body))


def type_house_number(kind: type[H], text: str, typed_by: str | None = None) -> Entry[H]:
    """A house number from the keyboard; spaces and hyphens are left out, the check character is part of it.

    Raises:
        IdentifierError: wrong layout or check character.
    """
    return Entry(kind(text.replace(" ", "").replace("-", "")), Way.TYPED_WITH_CHECK, typed_by=typed_by)
