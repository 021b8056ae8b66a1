"""ChemoMetec NC-View (NucleoCounter NC-202): a table of counts, thousands grouped by blanks."""

import re
from decimal import Decimal
from typing import Final

from cellwright.instrument.counting import counting
from cellwright.instrument.grid import header_row, lines, text_rows
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.source import Source
from cellwright.instrument.table import Unreadable
from cellwright.language import _

NEEDED: Final = ("NAME", "SAMPLE ID", "STATUS", "TOTAL (cells/ml)", "LIVE (cells/ml)", "VIABILITY (%)")
COLUMNS: Final = {
    "sample": "SAMPLE ID", "operator": "OPERATOR", "total_e6_per_ml": "TOTAL (cells/ml)",
    "viable_e6_per_ml": "LIVE (cells/ml)", "dead_e6_per_ml": "DEAD (cells/ml)", "viability": "VIABILITY (%)",
    "diameter_um": "DIAMETER (µm)", "dilution": "DILUTION FACTOR",
}  # fmt: skip
_DAY: Final = re.compile(r"(\d{4})(\d{2})(\d{2})-\d+")


def recognises(source: Source) -> bool:
    head = source.head
    return not source.is_workbook and "LIVE (cells/ml)" in head and "DEBRIS INDEX" in head


def read(source: Source) -> Outcome:
    """All counts. The time is the day in a measurement's name: the table holds no other."""
    rows = text_rows(source, usual=",")
    header = header_row(rows, NEEDED)
    if header is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what="NC-View"))
    found, serials = [], set()
    for line in lines(rows, header, source):
        status = line.cells["STATUS"]
        if status != "OK":
            source.warn("instrument", line.place, status)
        if day := _DAY.fullmatch(line.cells["NAME"]):
            line.cells["day"] = "-".join(day.groups()) + "T00:00:00"
        serials.add(line.cells.get("INSTRUMENT", "").removeprefix("S/N:").strip())
        columns = {name: column for name, column in COLUMNS.items() if column in line.cells} | {"at": "day"}
        found.append(counting(line, columns, source, per_ml=Decimal("1e-6")))
    return Outcome(tuple(found), serial_number=", ".join(sorted(serials)))
