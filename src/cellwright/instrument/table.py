"""Tables with a header row, as most instruments export them, read strictly."""

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

ROWS_MAX = 100_000
"""Rows of a file at most."""


class Unreadable(ValueError):
    """The bytes are not what this instrument writes; says where and what was expected."""


class Incomplete(ValueError):
    """The file is sound as far as it goes, but a row or value that must be there is missing (R019)."""


class Row(NamedTuple):
    """One row by column name, with its line for messages."""

    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """The text of a cell. Raises Incomplete if it is blank."""
        value = self.cells[column].strip()
        if not value:
            raise Incomplete(f"line {self.line}: {column} is blank")
        return value

    def number(self, column: str) -> Decimal:
        """The exact number of a cell. Raises Unreadable if it is none."""
        value = self.text(column)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise Unreadable(f"line {self.line}: {column} is {value!r}, expected a number")
        return number

    def whole(self, column: str) -> int:
        """The whole number of a cell, from 0. Raises Unreadable if it is none."""
        value = self.text(column)
        if not value.isascii() or not value.isdigit():
            raise Unreadable(f"line {self.line}: {column} is {value!r}, expected a whole number from 0")
        return int(value)


def rows(data: bytes, columns: Sequence[str], *, what: str) -> Iterator[Row]:
    """The rows of a comma-separated file whose header holds at least these columns.

    Raises:
        Unreadable: not UTF-8, another header, a row of another length, or too many rows.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not a {what}: the text is not UTF-8 at byte {error.start}") from None
    reader = csv.reader(io.StringIO(text), strict=True)
    header = next(reader, [])
    missing = [name for name in columns if name not in header]
    if missing or len(set(header)) != len(header):
        raise Unreadable(f"not a {what}: the header lacks {', '.join(missing) or 'distinct names'}")
    for number, cells in enumerate(reader, 2):
        if number > ROWS_MAX:
            raise Unreadable(f"more than {ROWS_MAX} rows")
        if not cells:
            continue
        if len(cells) != len(header):
            raise Unreadable(f"line {number}: {len(cells)} cells, expected {len(header)}")
        yield Row(number, dict(zip(header, cells, strict=True)))


def write(columns: Sequence[str], lines: Sequence[Sequence[object]]) -> bytes:
    """A comma-separated file with this header; what `rows` reads back."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return out.getvalue().encode()
