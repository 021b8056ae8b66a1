"""Cell counter export: the comma-separated table of the Beckman Coulter Vi-CELL BLU."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from cellwright.instrument.table import Row, Unreadable, rows, write

PARSER: Final = "cellwright.instrument.cell_counter"
VERSION: Final = "1"
COLUMNS: Final = (
    "Sample ID", "Cell count", "Viable cells", "Total (x10^6) cells/mL", "Viable (x10^6) cells/mL", "Viability (%)",
    "Analysis date/time", "Analysis by", "Dilution",
)  # fmt: skip
TIME: Final = "%m/%d/%Y %H:%M"


@dataclass(frozen=True, slots=True)
class CellCount:
    """One count.

    Attributes:
        sample: the sample's own id as the instrument holds it.
        counted, viable: cells counted and cells seen alive.
        total_e6_per_ml, viable_e6_per_ml: concentrations in 1e6 cells per millilitre, undiluted.
        viability: percent, as printed.
        at: local time of the analysis, without zone, to the minute.
        operator: who is named as having analysed.
    """

    sample: str
    counted: int
    viable: int
    total_e6_per_ml: Decimal
    viable_e6_per_ml: Decimal
    viability: Decimal
    at: datetime
    operator: str


def read(data: bytes) -> list[CellCount]:
    """All counts of an export. Rows on which the instrument itself reports an error are left out.

    Raises:
        Unreadable, Incomplete: not this table, or a value is missing or makes no sense.
    """
    return [_count(row) for row in rows(data, COLUMNS, what="Vi-CELL BLU export") if row.cells["Cell count"] != "ERROR"]


def _count(row: Row) -> CellCount:
    try:
        at = datetime.strptime(row.text("Analysis date/time"), TIME)  # noqa: DTZ007 - the instrument writes no zone
    except ValueError:
        raise Unreadable(f"line {row.line}: Analysis date/time, expected month/day/year hour:minute") from None
    counted, viable = row.whole("Cell count"), row.whole("Viable cells")
    if viable > counted:
        raise Unreadable(f"line {row.line}: {viable} viable of {counted} cells")
    return CellCount(
        row.text("Sample ID"), counted, viable, row.number("Total (x10^6) cells/mL"),
        row.number("Viable (x10^6) cells/mL"), row.number("Viability (%)"), at, row.text("Analysis by"),
    )  # fmt: skip


def export(counts: list[CellCount]) -> bytes:
    """The table the instrument would write for these counts, undiluted."""
    return write(
        COLUMNS,
        [
            (
                c.sample,
                c.counted,
                c.viable,
                c.total_e6_per_ml,
                c.viable_e6_per_ml,
                c.viability,
                c.at.strftime(TIME),
                c.operator,
                1,
            )
            for c in counts
        ],
    )
