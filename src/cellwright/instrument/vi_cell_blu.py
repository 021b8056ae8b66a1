"""Beckman Coulter Vi-CELL BLU: its comma-separated results table, in UTF-8 or UTF-16."""

from typing import Final

from cellwright.instrument.counting import counting
from cellwright.instrument.grid import column_names, header_row, lines, text_rows
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.source import Source
from cellwright.instrument.table import Unreadable
from cellwright.instrument.written import same_name
from cellwright.language import _

NEEDED: Final = ("Sample ID", "Cell count", "Viable cells", "Viable (x10^6) cells/mL", "Viability (%)", "Analysis by")
COLUMNS: Final = {
    "sample": "Sample ID", "counted": "Cell count", "viable": "Viable cells",
    "total_e6_per_ml": "Total (x10^6) cells/mL", "viable_e6_per_ml": "Viable (x10^6) cells/mL",
    "viability": "Viability (%)", "diameter_um": "Average diameter (um)",
    "viable_diameter_um": "Average viable diameter (um)", "circularity": "Average circularity",
    "dilution": "Dilution", "cell_type": "Cell type", "at": "Analysis date/time", "operator": "Analysis by",
}  # fmt: skip


def recognises(source: Source) -> bool:
    head = same_name(source.head)
    return not source.is_workbook and "viablex10^6cells/ml" in head and "analysisdate/time" in head


def read(source: Source) -> Outcome:
    """All counts. A row of which the instrument says ERROR has no count; it becomes a warning."""
    rows = text_rows(source, usual=",")
    header = header_row(rows, NEEDED)
    if header is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what="Vi-CELL BLU"))
    known = {same_name(name): name for name in column_names(rows[header])}
    columns = {field: known[same_name(name)] for field, name in COLUMNS.items() if same_name(name) in known}
    found = []
    for line in lines(rows, header, source):
        if line.cells[columns["counted"]].upper() == "ERROR":
            said = _("the instrument reports an error for sample {sample}")
            source.warn("instrument", line.place, said.format(sample=line.cells[columns["sample"]]))
            continue
        found.append(counting(line, columns, source))
    return Outcome(tuple(found))
