"""Product code, data structure 003: ``=<`` α oooo t d s (ST-001 2.4.3), and product divisions, 032: ``=,`` dddddd.

Only the structure is checked. What a code means stands in tables that ICCBBA licenses; a site that holds the licence plugs
them in as a :class:`ProductTable`. Without one a description is unknown, never guessed (R081).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import CAPITAL, CAPITAL_OR_DIGIT, Identifier, Layout
from cellwright.language import N_

DATA_IDENTIFIER: Final = "=<"
DIVISIONS_DATA_IDENTIFIER: Final = "=,"
#: Division of a product that was not divided.
UNDIVIDED: Final = "00"
#: Division that sends the reader to data structure 032.
SEE_DIVISIONS: Final = "99"
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True, order=True)
class ProductCode(Identifier):
    """An eight-character product code such as ``S12954A0``. Raises IdentifierError (R081) for other text."""

    LAYOUT: ClassVar[Layout] = Layout(
        N_("product code"),
        (CAPITAL, *(CAPITAL_OR_DIGIT,) * 4, "A-Za-z0-9", CAPITAL_OR_DIGIT, "a-z0-9"),
        "R081",
        "αooootds",
    )

    @property
    def description_code(self) -> str:
        """The five characters that the licensed table describes."""
        return self.text[:5]

    @property
    def collection_type(self) -> str:
        """The character for the type of collection."""
        return self.text[5]

    @property
    def division(self) -> str:
        """The two characters of the division; ``00`` undivided, ``99`` see data structure 032."""
        return self.text[6:]

    @property
    def is_cellular_therapy(self) -> bool:
        """Whether the first character is that of cellular therapy products."""
        return self.text[0] == "S"

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{DATA_IDENTIFIER}{self.text}"

    def divided(self, count: int) -> tuple["ProductCode", ...]:
        """The codes of ``count`` parts: ``A0, B0, …`` of an undivided product, ``Aa, Ab, …`` of the part ``A0`` (R067).

        Raises:
            IdentifierError: more than 26 parts, or a part that cannot be divided again; data structure 032 serves then.
        """
        first, second = self.text[6], self.text[7]
        if not 1 <= count <= len(_CAPITALS):
            form = f"1 - {len(_CAPITALS)}"
            raise refuse(Code.NUMBERS_EXHAUSTED, self.text, N_("number of parts"), "R067", detail=str(count), form=form)
        stem = self.text[:6]
        if self.division == UNDIVIDED:
            return tuple(ProductCode(f"{stem}{capital}0") for capital in _CAPITALS[:count])
        if first in _CAPITALS and second == "0":
            return tuple(ProductCode(f"{stem}{first}{small}") for small in _CAPITALS[:count].lower())
        raise refuse(
            Code.WRONG_VALUE, self.text, N_("undivided product or first division"), "R067", detail=self.division
        )


@dataclass(frozen=True, slots=True, order=True)
class ProductDivisions(Identifier):
    """The six characters of data structure 032. Raises IdentifierError for other text."""

    LAYOUT: ClassVar[Layout] = Layout(N_("product divisions"), (CAPITAL_OR_DIGIT,) * 6, "R081", "dddddd")

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{DIVISIONS_DATA_IDENTIFIER}{self.text}"


@dataclass(frozen=True, slots=True)
class ProductDescription:
    """What a licensed table says about a description code.

    Attributes:
        text: the description, or ``None`` when nothing is known.
        source: the table and its version, or why nothing is known.
    """

    text: str | None
    source: str


class ProductTable(Protocol):
    """A licensed table of product descriptions, loaded by the site that holds the licence."""

    @property
    def version(self) -> str:
        """Name and version, shown beside every description."""
        ...

    def lookup(self, description_code: str) -> str | None:
        """The description of a five-character code, ``None`` if the table lacks it."""
        ...


@dataclass(frozen=True)
class LoadedProductTable:
    """A table held in memory."""

    version: str
    descriptions: Mapping[str, str]

    def lookup(self, description_code: str) -> str | None:
        """The description of a five-character code, ``None`` if the table lacks it."""
        return self.descriptions.get(description_code)


def describe(code: ProductCode, table: ProductTable | None = None) -> ProductDescription:
    """What the licensed table says; unknown without a table, or where the table lacks the code (R081)."""
    if table is None:
        return ProductDescription(None, N_("no licensed product table is loaded"))
    return ProductDescription(table.lookup(code.description_code), table.version)
