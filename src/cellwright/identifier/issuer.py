"""Issuers: who gives the next number.

An issuer is a pure function of the year and the next sequence number. The sequence lives in a stream of the ledger named
by :meth:`Issuer.stream`; the caller reads its version, issues, and appends with that version expected, so two stations
never get the same number. Another way of numbering (a range bought from a national body, numbers given by a hospital's
system) is another class with the same three members.
"""

from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from cellwright.identifier.house import HouseNumber, compose
from cellwright.identifier.isbt128.chain_of_identity import ChainOfIdentityId
from cellwright.identifier.isbt128.check_character import check_character
from cellwright.identifier.isbt128.donation import ResolvedDonationNumber
from cellwright.identifier.isbt128.facility import FacilityNumber
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import Identifier
from cellwright.language import N_

T_co = TypeVar("T_co", bound=Identifier, covariant=True)
H = TypeVar("H", bound=HouseNumber)

#: Digits, and capitals that are not mistaken for a digit or for one another by eye.
_CLEAR: Final = "0123456789ABCDEFGHJKMNPRSTVWXYZ"
#: COI identifiers of one pair of fillers: a leading character and three digits.
_PAGE: Final = len(_CLEAR) * 1000


class Issuer(Protocol[T_co]):
    """Gives identifiers of one type for one site."""

    @property
    def capacity(self) -> int:
        """How many numbers a year has."""
        ...

    def stream(self, year: int) -> str:
        """The ledger stream whose version is the next sequence number of that year."""
        ...

    def issue(self, year: int, sequence: int) -> T_co:
        """The identifier of a sequence number, counted from 0; distinct sequences give distinct identifiers.

        Raises:
            IdentifierError: the year's numbers are used up.
        """
        ...


@dataclass(frozen=True, slots=True)
class DonationNumberIssuer:
    """Donation numbers by counting, within the block that the FIN's owner reserved for this use."""

    facility: FacilityNumber
    first: int = 0
    last: int = 999_999

    @property
    def capacity(self) -> int:
        """Numbers in the block."""
        return self.last - self.first + 1

    def stream(self, year: int) -> str:
        """One stream per FIN and year."""
        return f"issuer/donation/{self.facility}/{year:04d}"

    def issue(self, year: int, sequence: int) -> ResolvedDonationNumber:
        """The donation number ``first + sequence`` of the year, with its full year.

        Raises:
            IdentifierError: the block is used up (R084).
        """
        _within(sequence, self.capacity, f"{self.facility} {year}")
        return ResolvedDonationNumber(f"{self.facility}-{year:04d}-{self.first + sequence:06d}")


@dataclass(frozen=True, slots=True)
class ChainOfIdentityIssuer:
    """COI identifiers that differ from each other in at least two characters.

    The standard gives the identifier no check character (R080) but leaves its six last characters to the issuer. Here
    they are a leading digit or clear capital, three digits, a filler, and a character that is the mod 37-2 check of all
    that stands before it. The filler is ``0``, or ``1`` where the check would be ``*``, which the standard forbids; when
    all leading characters are used up the next pair of fillers follows.
    A misread or mistyped character, or two neighbours exchanged, thus never gives another patient's identifier of this
    issuer. Double entry is still asked for: a foreign identifier need not be built so.
    """

    facility: FacilityNumber

    @property
    def capacity(self) -> int:
        """Therapy events of one FIN and year."""
        return len(_CLEAR) // 2 * _PAGE

    def stream(self, year: int) -> str:
        """One stream per FIN and year."""
        return f"issuer/chain-of-identity/{self.facility}/{year:04d}"

    def issue(self, year: int, sequence: int) -> ChainOfIdentityId:
        """The COI identifier of a sequence number.

        Raises:
            IdentifierError: the year's numbers are used up.
        """
        _within(sequence, self.capacity, f"{self.facility} {year}")
        page, place = divmod(sequence, _PAGE)
        leading, rest = divmod(place, 1000)
        body = f"CH{self.facility}{year % 100:02d}{_CLEAR[leading]}{rest:03d}"
        fillers = _CLEAR[2 * page : 2 * page + 2]
        filled = next(body + filler for filler in fillers if check_character(body + filler) != "*")
        return ChainOfIdentityId(filled + check_character(filled))

    def may_have_issued(self, identifier: ChainOfIdentityId) -> bool:
        """Whether FIN and inner check fit; false for a misread identifier of this issuer."""
        return identifier.facility == self.facility and check_character(identifier.text[:-1]) == identifier.text[-1]


@dataclass(frozen=True, slots=True)
class HouseNumberIssuer(Generic[H]):
    """Lot numbers, sample numbers, label serials or shipper numbers by counting."""

    kind: type[H]
    facility: FacilityNumber

    @property
    def capacity(self) -> int:
        """Numbers of one kind, site and year."""
        return 10**7

    def stream(self, year: int) -> str:
        """One stream per kind, FIN and year."""
        name = self.kind.LAYOUT.name.replace(" ", "-")
        return f"issuer/{name}/{self.facility}/{year:04d}"

    def issue(self, year: int, sequence: int) -> H:
        """The house number of a sequence number.

        Raises:
            IdentifierError: the year's numbers are used up.
        """
        return compose(self.kind, self.facility, year, sequence)


def _within(sequence: int, capacity: int, scope: str) -> None:
    if not 0 <= sequence < capacity:
        name = N_("a sequence number")
        raise refuse(Code.NUMBERS_EXHAUSTED, str(sequence), name, "R084", detail=scope, form=f"0 - {capacity - 1}")
