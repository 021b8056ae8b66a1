"""Chain of Identity (COI) Identifier, data structure 040: ``&/`` CH α pppp yy nnnnnn (ST-001 2.4.40).

It names one therapy event of one pair of donor and recipient. It carries no check character, so a typed one is trusted
only after a second entry or a second person (R080). It never replaces the donation number (R060).
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from cellwright.identifier.isbt128.entry import Entry, Need, Way
from cellwright.identifier.isbt128.facility import PLACES, FacilityNumber
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import CAPITAL_OR_DIGIT, DIGIT, Identifier, Layout
from cellwright.language import N_

DATA_IDENTIFIER: Final = "&/"
_SPACES: Final = str.maketrans("", "", " -")


@dataclass(frozen=True, slots=True, order=True)
class ChainOfIdentityId(Identifier):
    """A COI identifier, fifteen characters such as ``CHA99992100012A``.

    Raises IdentifierError (R080) for other text.
    """

    LAYOUT: ClassVar[Layout] = Layout(
        N_("chain-of-identity identifier"),
        ("C", "H", *PLACES, DIGIT, DIGIT, *(CAPITAL_OR_DIGIT,) * 6),
        "R080",
        "CHαppppyynnnnnn",
    )

    @property
    def facility(self) -> FacilityNumber:
        """The FIN of the issuer."""
        return FacilityNumber(self.text[2:7])

    @property
    def year(self) -> str:
        """The two digits of the year of issue."""
        return self.text[7:9]

    @property
    def sequence(self) -> str:
        """The six capitals or digits within FIN and year."""
        return self.text[9:]

    @property
    def eye_readable(self) -> str:
        """The identifier as printed for people, in groups."""
        return f"CH {self.text[2:7]} {self.year} {self.sequence[:3]} {self.sequence[3:]}"

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{DATA_IDENTIFIER}{self.text}"


def read_chain_of_identity(structure: str) -> Entry[ChainOfIdentityId]:
    """A COI identifier from a scan.

    Raises:
        IdentifierError: other data identifier (R079), wrong character or length (R080).
    """
    if structure[:2] != DATA_IDENTIFIER:
        expected = ChainOfIdentityId.LAYOUT.name
        raise refuse(Code.WRONG_DATA_IDENTIFIER, structure, expected, "R079", position=1, detail=structure[:2])
    ChainOfIdentityId.LAYOUT.check(structure[2:], structure, 2)
    return Entry(ChainOfIdentityId(structure[2:]), Way.SCANNED)


def type_chain_of_identity(text: str, typed_by: str | None = None) -> Entry[ChainOfIdentityId]:
    """A COI identifier from the keyboard, not usable before :func:`typed_again` or :func:`confirmed` (R080).

    Spaces and hyphens are left out.

    Raises:
        IdentifierError: wrong character or length.
    """
    plain = text.translate(_SPACES)
    ChainOfIdentityId.LAYOUT.check(plain)
    needs = Need.SECOND_ENTRY_OR_SECOND_PERSON
    return Entry(ChainOfIdentityId(plain), Way.TYPED_ONCE, needs, typed_by)
