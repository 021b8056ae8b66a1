"""Processor product identification code, 034: ``=/`` nnnnn pppppp qqqqq, and lot number, 035: ``&,1`` and 18 characters.

ST-001 2.4.34 and 2.4.35; the worked example of both is in the FDA's list of UDI formats (issuing agency ICCBBA).
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from cellwright.identifier.isbt128.facility import PLACES, FacilityNumber
from cellwright.identifier.text import CAPITAL, CAPITAL_OR_DIGIT, Identifier, Layout
from cellwright.language import N_

PRODUCT_DATA_IDENTIFIER: Final = "=/"
LOT_DATA_IDENTIFIER: Final = "&,1"


@dataclass(frozen=True, slots=True, order=True)
class ProcessorProductCode(Identifier):
    """FIN of the processor, its own six-character code and the product description code."""

    LAYOUT: ClassVar[Layout] = Layout(
        N_("processor product code"),
        (*PLACES, *(CAPITAL_OR_DIGIT,) * 6, CAPITAL, *(CAPITAL_OR_DIGIT,) * 4),
        "R081",
        "nnnnnppppppqqqqq",
    )

    @property
    def facility(self) -> FacilityNumber:
        """The FIN of the processor."""
        return FacilityNumber(self.text[:5])

    @property
    def own_code(self) -> str:
        """The processor's own code of the product."""
        return self.text[5:11]

    @property
    def description_code(self) -> str:
        """The product description code; see :mod:`cellwright.identifier.isbt128.product`."""
        return self.text[11:]

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{PRODUCT_DATA_IDENTIFIER}{self.text}"


@dataclass(frozen=True, slots=True, order=True)
class ProcessorLotNumber(Identifier):
    """The lot number of a processor, eighteen capitals or digits, filled with zeros from the left."""

    LAYOUT: ClassVar[Layout] = Layout(
        N_("lot number of the processor"), (CAPITAL_OR_DIGIT,) * 18, "R079", "xxxxxxxxxxxxxxxxxx"
    )

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{LOT_DATA_IDENTIFIER}{self.text}"
