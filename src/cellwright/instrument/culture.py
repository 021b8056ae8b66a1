"""Automated culture: bottles of a blood-culture type system and what it says of each, day by day.

The table is this house's own exchange form: `Bottle, Sample, Loaded, Read, Day, Status, Instrument`; status is
`negative to date`, `negative final` or `positive`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast, get_args

from cellwright.instrument.table import Row, Unreadable, rows, write

PARSER: Final = "cellwright.instrument.culture"
VERSION: Final = "1"
COLUMNS: Final = ("Bottle", "Sample", "Loaded", "Read", "Day", "Status", "Instrument")
Status = Literal["negative to date", "negative final", "positive"]


@dataclass(frozen=True, slots=True)
class CultureReading:
    """What the system says of one bottle on one day; times UTC."""

    bottle: str
    sample: str
    loaded: datetime
    read: datetime
    day: int
    status: Status
    instrument: str


def read(data: bytes) -> list[CultureReading]:
    """All readings of an export. Raises Unreadable or Incomplete as `table` does."""
    return [_reading(row) for row in rows(data, COLUMNS, what="culture table")]


def _reading(row: Row) -> CultureReading:
    status = row.text("Status")
    if status not in get_args(Status):
        raise Unreadable(f"line {row.line}: Status is {status!r}, expected one of {', '.join(get_args(Status))}")
    loaded, read_at = _time(row, "Loaded"), _time(row, "Read")
    day = row.whole("Day")
    if read_at < loaded or (read_at - loaded).days != day:
        raise Unreadable(f"line {row.line}: day {day} does not fit loading {loaded} and reading {read_at}")
    return CultureReading(
        row.text("Bottle"), row.text("Sample"), loaded, read_at, day, cast(Status, status), row.text("Instrument")
    )


def _time(row: Row, column: str) -> datetime:
    try:
        moment: datetime | None = datetime.fromisoformat(row.text(column))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Unreadable(f"line {row.line}: {column} is {row.text(column)!r}, expected ISO 8601 with its offset")
    return moment


def export(readings: list[CultureReading]) -> bytes:
    """The table for these readings; what `read` gives back."""
    return write(
        COLUMNS,
        [
            (r.bottle, r.sample, r.loaded.isoformat(), r.read.isoformat(), r.day, r.status, r.instrument)
            for r in readings
        ],
    )
