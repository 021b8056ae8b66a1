"""Global Registration Identifier for Donors (GRID), data structure 039: ``&:`` nnnn a×13 bb (ST-001 2.4.39).

``bb`` is the mod 37-2 checksum of what stands before it, as two digits 00 to 36.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from cellwright.identifier.isbt128.check_character import checksum
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import CAPITAL_OR_DIGIT, DIGIT, Identifier, Layout
from cellwright.language import N_

DATA_IDENTIFIER: Final = "&:"


@dataclass(frozen=True, slots=True, order=True)
class DonorRegistrationId(Identifier):
    """A GRID of nineteen characters. Raises IdentifierError for wrong layout or checksum."""

    LAYOUT: ClassVar[Layout] = Layout(
        N_("global registration identifier of a donor"),
        (*(DIGIT,) * 4, *(CAPITAL_OR_DIGIT,) * 13, DIGIT, DIGIT),
        "R079",
        "nnnnaaaaaaaaaaaaabb",
    )

    def __post_init__(self) -> None:
        self.LAYOUT.check(self.text)
        if int(self.text[17:]) != checksum(self.text[:17]):
            raise refuse(Code.CHECK_WRONG, self.text, self.LAYOUT.name, "R078", position=18)

    @property
    def issuing_organization(self) -> str:
        """The four digits of the issuing organization."""
        return self.text[:4]

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{DATA_IDENTIFIER}{self.text}"


def with_checksum(organization: str, donor: str) -> DonorRegistrationId:
    """The GRID of a four-digit organization and a thirteen-character donor; raises IdentifierError for other text."""
    places = DonorRegistrationId.LAYOUT.places[:17]
    body = organization + donor
    Layout(DonorRegistrationId.LAYOUT.name, places, "R079", "nnnnaaaaaaaaaaaaa").check(body)
    return DonorRegistrationId(f"{body}{checksum(body):02d}")
