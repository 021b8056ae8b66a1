"""Product consignment, data structure 028: ``=$`` α pppp yy nnnnn cc dd, container cc of dd (ST-001 2.4.28)."""

from dataclasses import dataclass
from typing import ClassVar, Final

from cellwright.identifier.isbt128.facility import PLACES, FacilityNumber
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import DIGIT, Identifier, Layout
from cellwright.language import N_

DATA_IDENTIFIER: Final = "=$"


@dataclass(frozen=True, slots=True, order=True)
class ConsignmentContainer(Identifier):
    """One container of a consignment. Raises IdentifierError for wrong layout, or container 00, or 3 of 2."""

    LAYOUT: ClassVar[Layout] = Layout(N_("product consignment"), (*PLACES, *(DIGIT,) * 11), "R079", "αppppyynnnnnccdd")

    def __post_init__(self) -> None:
        self.LAYOUT.check(self.text)
        if not 1 <= self.container <= self.total:
            detail = f"{self.container} / {self.total}"
            raise refuse(
                Code.WRONG_VALUE, self.text, self.LAYOUT.name, "R079", position=13, detail=detail, form="cc ≤ dd"
            )

    @property
    def facility(self) -> FacilityNumber:
        """The FIN of the sender."""
        return FacilityNumber(self.text[:5])

    @property
    def consignment(self) -> str:
        """FIN, year and number of the consignment, the same on all its containers."""
        return self.text[:12]

    @property
    def container(self) -> int:
        """Which container this is, from 1."""
        return int(self.text[12:14])

    @property
    def total(self) -> int:
        """How many containers the consignment has."""
        return int(self.text[14:])

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{DATA_IDENTIFIER}{self.text}"
