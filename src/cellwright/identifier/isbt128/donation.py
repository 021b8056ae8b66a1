"""Donation Identification Number (DIN), data structure 001: ``=`` α pppp yy nnnnnn ff (ST-001 2.4.1, Appendix A).

The flags ``ff`` say which copy of the number was read (a container of a set, a tube, the donor record) or carry the
checksum; they are no part of the identity (R076).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final

from cellwright.identifier.isbt128.check_character import ALPHABET, check_character, checksum
from cellwright.identifier.isbt128.entry import Entry, Way
from cellwright.identifier.isbt128.facility import PLACES, FacilityNumber
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import DIGIT, Identifier, Layout
from cellwright.language import N_

DATA_IDENTIFIER: Final = "="
_SPACES: Final = str.maketrans("", "", " -")
_TYPED_FORM: Final = "αppppyynnnnnnK"
_FLAG_PLACE: Final = "0-9A-HJ-NPR-Y"
_FLAGS: Final = Layout(N_("flag characters"), (_FLAG_PLACE, _FLAG_PLACE), "R076", "ff")
#: First checksum flag; a type-3 flag is 60 + checksum (ST-001 A.2).
_FIRST_CHECK_FLAG: Final = 60
#: A nominal year may be used one month before it begins and one month after it ends (ST-001 2.4.1).
_FIRST_OVERLAP_MONTH: Final = 12
_LAST_OVERLAP_MONTH: Final = 1


class FlagMeaning(StrEnum):
    """What the two flag characters say about the thing that was scanned (ST-001 Table 3)."""

    UNUSED = "unused"
    CONTAINER_OF_SET = "container_of_set"
    SECOND_LABEL = "second_demand_printed_label"
    PILOT_TUBE = "pilot_tube"
    TEST_TUBE = "test_tube"
    DONOR_RECORD = "donor_record"
    NAT_TUBE = "nucleic_acid_test_tube"
    BACTERIAL_SAMPLE = "bacterial_sample"
    MATCH_WITH_UNIT = "match_with_unit"
    PARTIAL_LABEL = "partial_label"
    ATTACHED_LABEL = "attached_label"
    LOCAL = "local"
    CHECKSUM = "checksum"
    RESERVED = "reserved"


_SINGLE_FLAGS: Final = {
    0: FlagMeaning.UNUSED,
    5: FlagMeaning.SECOND_LABEL,
    6: FlagMeaning.PILOT_TUBE,
    7: FlagMeaning.TEST_TUBE,
    8: FlagMeaning.DONOR_RECORD,
    9: FlagMeaning.NAT_TUBE,
    10: FlagMeaning.BACTERIAL_SAMPLE,
    11: FlagMeaning.MATCH_WITH_UNIT,
    12: FlagMeaning.PARTIAL_LABEL,
    13: FlagMeaning.ATTACHED_LABEL,
}


def flag_meaning(flags: str) -> FlagMeaning:
    """The meaning of two valid flag characters; letters and 14, 97 to 99 are reserved."""
    if not flags.isdigit():
        return FlagMeaning.RESERVED
    number = int(flags)
    if number in _SINGLE_FLAGS:
        return _SINGLE_FLAGS[number]
    if 1 <= number <= 4 or 15 <= number <= 19:
        return FlagMeaning.CONTAINER_OF_SET
    if 20 <= number < _FIRST_CHECK_FLAG:
        return FlagMeaning.LOCAL
    is_checksum = _FIRST_CHECK_FLAG <= number <= _FIRST_CHECK_FLAG + 36
    return FlagMeaning.CHECKSUM if is_checksum else FlagMeaning.RESERVED


@dataclass(frozen=True, slots=True, order=True)
class DonationNumber(Identifier):
    """A DIN without flags, thirteen characters such as ``A999921123456``.

    Raises IdentifierError (R076) for other text.
    """

    LAYOUT: ClassVar[Layout] = Layout(N_("donation number"), (*PLACES, *(DIGIT,) * 8), "R076", "αppppyynnnnnn")

    @property
    def facility(self) -> FacilityNumber:
        """The FIN that assigned the number."""
        return FacilityNumber(self.text[:5])

    @property
    def year(self) -> str:
        """The two digits of the nominal year."""
        return self.text[5:7]

    @property
    def sequence(self) -> str:
        """The six digits within FIN and year."""
        return self.text[7:]

    @property
    def check(self) -> str:
        """The check character K that is typed with the number and printed boxed beside it."""
        return check_character(self.text)

    @property
    def eye_readable(self) -> str:
        """The number as printed for people: ``A9999 21 123456`` and the check character."""
        return f"{self.text[:5]} {self.text[5:7]} {self.text[7:]} {self.check}"

    def data_structure(self, flags: str | None = None) -> str:
        """The text of a symbol, ``=`` to flags; the checksum flag unless others are given.

        Raises:
            IdentifierError: flags that are not two valid characters, or a wrong checksum flag.
        """
        chosen = str(_FIRST_CHECK_FLAG + checksum(self.text)) if flags is None else flags
        text = f"{DATA_IDENTIFIER}{self.text}{chosen}"
        _check_flags(self, chosen, text)
        return text

    def of_year(self, year: int) -> "ResolvedDonationNumber":
        """The number with its full year.

        Raises:
            IdentifierError: the year does not end in the number's two digits (R084).
        """
        return ResolvedDonationNumber(f"{self.facility}-{year:04d}-{self.sequence}")._of(self)

    def assigned_on(self, day: date) -> "ResolvedDonationNumber":
        """The number with the year it has when assigned on ``day``, local date of the facility (R084).

        The nominal year is that of the day, or the next one in December, or the last one in January.

        Raises:
            IdentifierError: no such year fits the two digits.
        """
        years = [day.year]
        if day.month >= _FIRST_OVERLAP_MONTH:
            years.append(day.year + 1)
        if day.month <= _LAST_OVERLAP_MONTH:
            years.append(day.year - 1)
        for year in years:
            if year % 100 == int(self.year):
                return self.of_year(year)
        expected = " / ".join(f"{year % 100:02d}" for year in years)
        raise refuse(
            Code.YEAR_NOT_POSSIBLE,
            self.text,
            N_("a year of two digits"),
            "R084",
            position=6,
            detail=day.isoformat(),
            form=expected,
        )

    def seen_on(self, day: date) -> "ResolvedDonationNumber":
        """The number with the latest year it can have when first seen on ``day``: at most 99 years back (R084)."""
        latest = day.year + 1 if day.month >= _FIRST_OVERLAP_MONTH else day.year
        return self.of_year(latest - (latest - int(self.year)) % 100)


@dataclass(frozen=True, slots=True, order=True)
class ResolvedDonationNumber(Identifier):
    """A DIN whose year is known in full: unique for ever, where the bare number repeats after 100 years (R084).

    ``str()`` is ``A9999-2021-123456``, the key under which the ledger claims it.
    """

    LAYOUT: ClassVar[Layout] = Layout(
        N_("donation number with year"), (*PLACES, "-", *(DIGIT,) * 4, "-", *(DIGIT,) * 6), "R084", "αpppp-yyyy-nnnnnn"
    )

    @property
    def number(self) -> DonationNumber:
        """The DIN as printed."""
        return DonationNumber(self.text[:5] + self.text[8:10] + self.text[11:])

    @property
    def year(self) -> int:
        """The full nominal year."""
        return int(self.text[6:10])

    def _of(self, number: DonationNumber) -> "ResolvedDonationNumber":
        if self.number != number:
            expected = f"{self.year % 100:02d}"
            name = N_("a year of two digits")
            raise refuse(
                Code.YEAR_NOT_POSSIBLE, number.text, name, "R084", position=6, detail=str(self.year), form=expected
            )
        return self


@dataclass(frozen=True, slots=True)
class DonationScan:
    """A DIN as a machine read it: the number, and what its flags say about the thing scanned."""

    number: DonationNumber
    flags: str

    @property
    def meaning(self) -> FlagMeaning:
        """What the flags say, such as a test tube or one container of a set."""
        return flag_meaning(self.flags)

    @property
    def entry(self) -> Entry[DonationNumber]:
        """The number as a usable entry."""
        return Entry(self.number, Way.SCANNED)


def read_donation(structure: str) -> DonationScan:
    """A DIN from a scan, ``=`` with fifteen characters.

    Raises:
        IdentifierError: other data identifier (R079), wrong character or length (R076), wrong checksum flag (R078).
    """
    if structure[:1] != DATA_IDENTIFIER:
        raise refuse(
            Code.WRONG_DATA_IDENTIFIER, structure, DonationNumber.LAYOUT.name, "R079", position=1, detail=structure[:2]
        )
    body = structure[1:]
    if len(body) != 15:
        name, lengths = DonationNumber.LAYOUT.name, f"{len(structure)} / 16"
        raise refuse(Code.WRONG_LENGTH, structure, name, "R076", detail=lengths, form="=αppppyynnnnnnff")
    DonationNumber.LAYOUT.check(body[:13], structure, 1)
    number = DonationNumber(body[:13])
    _check_flags(number, body[13:], structure)
    return DonationScan(number, body[13:])


def type_donation(text: str, typed_by: str | None = None) -> Entry[DonationNumber]:
    """A DIN from the keyboard: thirteen characters and the check character; spaces and hyphens are left out.

    Raises:
        IdentifierError: check character missing or wrong (R077), wrong character or length (R076).
    """
    plain = text.translate(_SPACES)
    if len(plain) == 13:
        DonationNumber.LAYOUT.check(plain)
        raise refuse(Code.CHECK_MISSING, text, DonationNumber.LAYOUT.name, "R077", form=_TYPED_FORM)
    if len(plain) != 14:
        lengths = f"{len(plain)} / 14"
        raise refuse(Code.WRONG_LENGTH, text, DonationNumber.LAYOUT.name, "R077", detail=lengths, form=_TYPED_FORM)
    DonationNumber.LAYOUT.check(plain[:13], plain)
    if plain[13] not in ALPHABET:
        raise refuse(Code.WRONG_CHARACTER, plain, N_("check character"), "R077", position=14, form="[0-9A-Z*]")
    number = DonationNumber(plain[:13])
    if plain[13] != number.check:
        raise refuse(Code.CHECK_WRONG, text, DonationNumber.LAYOUT.name, "R077", position=14)
    return Entry(number, Way.TYPED_WITH_CHECK, typed_by=typed_by)


def _check_flags(number: DonationNumber, flags: str, structure: str) -> None:
    _FLAGS.check(flags, structure, 14)
    if flag_meaning(flags) is FlagMeaning.CHECKSUM and int(flags) - _FIRST_CHECK_FLAG != checksum(number.text):
        raise refuse(Code.CHECK_WRONG, structure, DonationNumber.LAYOUT.name, "R078", position=15)
