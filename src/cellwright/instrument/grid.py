"""Rows under a header, of text or of a sheet, with a clear word for what breaks off or does not fit."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from cellwright.instrument.source import Source, written
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import blank, same_name
from cellwright.language import _

DELIMITERS: Final = (",", ";", "\t")


class Line(NamedTuple):
    """One row: its place for messages, its cells by column name; `short` if it ends before the header does."""

    place: str
    cells: dict[str, str]
    short: bool = False


def text_rows(source: Source, *, usual: str) -> list[list[str]]:
    """The cells of every line, split by the delimiter that the first lines use; a warning if it is not the usual one.

    Raises:
        Unreadable: quotes that are never closed.
    """
    head = source.text[:8000].splitlines()[:40]
    count = {mark: max((line.count(mark) for line in head), default=0) for mark in DELIMITERS}
    mark = max((usual, *DELIMITERS), key=lambda one: count[one])
    if mark != usual:
        source.warn("layout", "", _("columns are separated by {mark!r}, not by {usual!r} as the instrument writes").format(
            mark=mark, usual=usual))  # fmt: skip
    try:
        return list(csv.reader(io.StringIO(source.text), delimiter=mark, strict=True))
    except csv.Error:
        raise Unreadable(_("a quotation mark is never closed: the file breaks off or was edited")) from None


def lines(rows: Sequence[Sequence[Any]], header: int, source: Source) -> Iterator[Line]:
    """The rows below the header, blank ones left out.

    Columns without a name, or with a name that stands twice, get their number after the name. A last line that ends
    early means that the file breaks off; extra cells must be blank.

    Raises:
        Incomplete: the last row ends before the header does, and the header's columns before it are filled in others.
        Unreadable: a row has more cells than columns.
    """
    names = column_names(rows[header])
    last = max(
        (place for place in range(header + 1, len(rows)) if not blank(written(c) for c in rows[place])), default=0
    )
    for place in range(header + 1, last + 1):
        cells = [written(cell) for cell in rows[place]]
        if blank(cells):
            continue
        where = _("row {number}").format(number=place + 1)
        if len(cells) > len(names) and not blank(cells[len(names) :]):
            raise Unreadable(_("{place}: {found} cells under {columns} columns").format(
                place=where, found=len(cells), columns=len(names)))  # fmt: skip
        short = len(cells) < len(names)
        if short and place == last and not source.is_workbook and not source.text.endswith(("\n", "\r")):
            raise Incomplete(_("{place}: the file breaks off after {found} of {columns} cells").format(
                place=where, found=len(cells), columns=len(names)))  # fmt: skip
        yield Line(where, dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False)), short)


def column_names(header: Sequence[Any]) -> list[str]:
    """Names of the columns, each once."""
    names: list[str] = []
    for cell in header:
        name = written(cell)
        names.append(f"{name}.{sum(1 for one in names if one.split('.')[0] == name)}" if name in names else name)
    while names and not names[-1]:
        names.pop()
    return [name or f"column {place}" for place, name in enumerate(names, 1)]


def header_row(rows: Sequence[Sequence[Any]], needed: Sequence[str], *, within: int = 80) -> int | None:
    """The first row that holds all these names, however they are spaced and whatever their mu; None if there is none."""
    wanted = {same_name(name) for name in needed}
    for place, row in enumerate(rows[:within]):
        if wanted <= {same_name(written(cell)) for cell in row}:
            return place
    return None


def chosen(cells: dict[str, str], *names: str) -> tuple[str, str]:
    """The column that is there of several spellings, with its cell; ('', '') if none is."""
    known = {same_name(name): name for name in reversed(cells)}
    for name in names:
        if (found := known.get(same_name(name))) is not None:
            return found, cells[found].strip()
    return "", ""
