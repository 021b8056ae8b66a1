"""Beckman Coulter Vi-CELL XR: workbooks of software 2.04 and 2.06, as a table of runs or as the report of one run."""

import re
from collections.abc import Sequence
from typing import Any, Final

from cellwright.instrument.counting import counting
from cellwright.instrument.grid import Line, column_names, lines
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.source import Source, written
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import blank
from cellwright.language import _

# A column's name and the unit below it, in the words of the table; then those of the report.
COLUMNS: Final = {
    "sample": ("Sample ID",), "cell_type": ("Cell type",), "dilution": ("Dilution factor", "Dilution factor"),
    "at": ("Sample date/time", "Sample date"), "counted": ("Total cells",), "viable": ("Viable cells",),
    "viability": ("Viability (%)",), "total_e6_per_ml": ("Total cells /ml (x10^6)", "Total cells / ml (x10^6)"),
    "viable_e6_per_ml": ("Viable cells /ml (x10^6)", "Viable cells / ml (x10^6)"),
    "diameter_um": ("Avg. diam. (microns)", "Average diameter (microns)"),
    "circularity": ("Avg. circ.", "Average circularity"),
}  # fmt: skip
_SERIAL: Final = re.compile(r"Unit S/N:\s*(\S+)")


def recognises(source: Source) -> bool:
    return source.is_workbook and source.head.find("Vi-CELL XR") in range(200)


def read(source: Source) -> Outcome:
    """All runs of the first sheet."""
    rows = source.sheet(source.sheets[0])
    head = [written(cell) for row in rows[:4] for cell in row]
    serial = next((match[1] for text in head if (match := _SERIAL.match(text))), "")
    place = next((at for at, row in enumerate(rows[:10]) if row and written(row[0]) == "Sample ID"), None)
    if place is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what="Vi-CELL XR"))
    table = [_report(rows, place)] if len([c for c in rows[place] if written(c)]) == 2 else _table(rows, place, source)
    found = []
    for line in table:
        columns = {field: name for field, names in COLUMNS.items() for name in names if name in line.cells}
        if "viability" not in columns:
            source.warn("layout", "", _("column {name} is absent").format(name="Viability (%)"))
        found.append(counting(line, columns, source))
    if not found:
        raise Incomplete(_("the file holds no measurement"))
    return Outcome(tuple(found), serial_number=serial, software=head[0].strip())


def _table(rows: Sequence[Sequence[Any]], place: int, source: Source) -> list[Line]:
    """Rows below a header of two lines, the second with units; a hidden row of column numbers is no run."""
    units = [written(cell) for cell in rows[place + 1]]
    names = [f"{written(name)} {unit}".strip() for name, unit in zip(rows[place], units, strict=True)]
    body = [row for row in rows[place + 2 :] if not _is_numbering(row)]
    if len(body) < len(rows) - place - 2:
        source.warn("layout", "", _("a hidden row of column numbers was left out"))
    return list(lines([names, *body], 0, source))


def _is_numbering(row: Sequence[Any]) -> bool:
    return (
        len(row) > 3 and all(isinstance(cell, float) and cell.is_integer() for cell in row) and list(row) == sorted(row)
    )


def _report(rows: Sequence[Sequence[Any]], place: int) -> Line:
    """Pairs of name and value, results on the left and settings on the right, up to the plot data."""
    cells: dict[str, str] = {}
    for row in rows[place:]:
        texts = [written(cell) for cell in row]
        if "Plot Data" in texts[0]:
            break
        if blank(texts):
            continue
        pair = [text for text in texts if text]
        cells |= dict(zip(pair[::2], pair[1::2], strict=False))
    cells.pop("Results", None)
    names = column_names(list(cells))
    return Line(_("row {number}").format(number=place + 1), dict(zip(names, cells.values(), strict=True)))
