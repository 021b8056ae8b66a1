"""Compound message, data structure 023: ``=+`` aa bbb, then ``aa`` structures without separators (ST-001 2.4.23, 2.5.1).

``bbb`` 000 leaves the order open; another value names an order that is registered with ICCBBA and that a licensed site
plugs in. The message is used as a whole or not at all (R083).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cellwright.identifier.isbt128 import structure as table
from cellwright.identifier.isbt128.structure import Content, Structure
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import DIGIT, Layout
from cellwright.language import N_

DATA_IDENTIFIER: Final = "=+"
#: Sequence code of a message whose order is not specified.
UNSPECIFIED_ORDER: Final = "000"
_HEAD: Final = Layout(N_("compound message"), (DIGIT,) * 5, "R083", "=+aabbb")
_ORDERED: Final = N_("a registered order of codes")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One structure of a message, as text and read."""

    structure: Structure
    text: str
    content: Content


@dataclass(frozen=True, slots=True)
class CompoundMessage:
    """A message whose every structure was read.

    Attributes:
        parts: the structures in their order; no two of one kind.
        order: the sequence code, ``000`` when unspecified.
    """

    parts: tuple[Part, ...]
    order: str = UNSPECIFIED_ORDER

    def content(self, structure: Structure) -> Content | None:
        """What a structure says, ``None`` when the message lacks it."""
        return next((part.content for part in self.parts if part.structure is structure), None)

    @property
    def text(self) -> str:
        """The text of a symbol."""
        return write_compound([part.text for part in self.parts], self.order)


def write_compound(structures: Sequence[str], order: str = UNSPECIFIED_ORDER) -> str:
    """The text of a message of two to 99 structures, each given with its data identifier.

    Raises:
        IdentifierError: the message would not be read back (R083).
    """
    text = f"{DATA_IDENTIFIER}{len(structures):02d}{order}{''.join(structures)}"
    _split(text)
    return text


def read_compound(
    text: str,
    required: Sequence[Structure] = (),
    orders: Mapping[str, Sequence[str]] | None = None,
) -> CompoundMessage:
    """A message from a scan.

    Args:
        text: the scan, ``=+`` to the end.
        required: structures the use at hand needs.
        orders: registered orders by sequence code, each a list of structure numbers.

    Raises:
        IdentifierError: wrong count or order, a national or unknown structure, a structure twice, a required one
            missing (R083), or any structure that does not read.
    """
    pieces = _split(text)
    order = text[4:7]
    _check_order(text, order, [piece[0].number for piece in pieces], orders or {})
    parts = tuple(Part(row, piece, row.interpret(piece)) for row, piece in pieces)
    missing = [row.name for row in required if all(part.structure is not row for part in parts)]
    if missing:
        raise refuse(Code.MISSING_ELEMENT, table.shown(text), _HEAD.name, "R083", detail=missing[0])
    return CompoundMessage(parts, order)


def split_structures(text: str, offset: int = 0) -> list[tuple[Structure, str]]:
    """The structures of a concatenation that has no head of its own, from ``offset`` on.

    Raises:
        IdentifierError: a structure that is unknown, national, retired, cut short, or there twice (R083).
    """
    pieces: list[tuple[Structure, str]] = []
    place = offset
    while place < len(text):
        row = _structure_at(text, place)
        end = place + len(row.data_identifier) + _length(row, text, place)
        if end > len(text):
            lengths = f"{len(text)} / {end}"
            raise refuse(Code.WRONG_LENGTH, table.shown(text), row.name, "R083", position=place + 1, detail=lengths)
        if any(row is earlier for earlier, _ in pieces):
            raise refuse(
                Code.REPEATED_ELEMENT, table.shown(text), _HEAD.name, "R083", position=place + 1, detail=row.name
            )
        pieces.append((row, text[place:end]))
        place = end
    return pieces


def _split(text: str) -> list[tuple[Structure, str]]:
    if table.recognise(text) is not table.COMPOUND:
        raise table.wrong_structure(text, _HEAD.name, DATA_IDENTIFIER)
    _HEAD.check(text[2:7], table.shown(text), 2)
    pieces, stated = split_structures(text, 7), int(text[2:4])
    if len(pieces) != stated or stated < 2:
        counts = f"{len(pieces)} / {stated}"
        raise refuse(Code.WRONG_COUNT, table.shown(text), _HEAD.name, "R083", position=3, detail=counts)
    return pieces


def _structure_at(text: str, place: int) -> Structure:
    row = table.recognise(text[place:])
    if row is None or row is table.COMPOUND:
        found = text[place : place + 3]
        raise refuse(Code.UNKNOWN_ELEMENT, table.shown(text), _HEAD.name, "R083", position=place + 1, detail=found)
    if row.national:
        raise refuse(
            Code.NATIONAL_STRUCTURE, table.shown(text), _HEAD.name, "R083", position=place + 1, detail=row.name
        )
    return row


def _length(row: Structure, text: str, place: int) -> int:
    """Characters after the data identifier; the patient number states its own length in its third and fourth one."""
    if row.length is not None:
        return row.length
    stated = text[place + 4 : place + 6]
    return 4 + int(stated) if stated.isascii() and stated.isdigit() and len(stated) == 2 else 4


def _check_order(text: str, order: str, numbers: Sequence[str], orders: Mapping[str, Sequence[str]]) -> None:
    if order == UNSPECIFIED_ORDER:
        return
    if order not in orders:
        raise refuse(Code.WRONG_ORDER, table.shown(text), _ORDERED, "R083", position=5, detail=order)
    if list(numbers) != list(orders[order]):
        found, registered = " ".join(numbers), " ".join(orders[order])
        raise refuse(Code.WRONG_ORDER, table.shown(text), _ORDERED, "R083", position=5, detail=found, form=registered)
