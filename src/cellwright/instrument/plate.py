"""Plate results: one row per well, with the sample in it, for digital PCR, endotoxin and cytokine readers.

The table is this house's own exchange form (no vendor's), for readers that have none or whose form is not read yet:
`Plate, Well, Role, Sample, Target, Value, Unit, Instrument, Operator, Time`. Role is `sample`, `positive control`,
`negative control`, `spiked sample` or `standard`. Value may be censored, as in `<0.050`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, cast, get_args

from cellwright.instrument.table import Incomplete, Row, Unreadable, rows, write

PARSER: Final = "cellwright.instrument.plate"
VERSION: Final = "1"
COLUMNS: Final = (
    "Plate", "Well", "Role", "Sample", "Target", "Value", "Unit", "Instrument", "Operator", "Time",
)  # fmt: skip
Role = Literal["sample", "positive control", "negative control", "spiked sample", "standard"]
_VALUE: Final = re.compile(r"(?P<censored>[<>]?)(?P<number>\d+(?:\.\d+)?)")
_WELL: Final = re.compile(r"[A-H](?:[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Well:
    """One well's reading.

    Attributes:
        plate, well: where, such as `W…` and `B7`.
        role: what stands in the well.
        sample: the sample's or control's own id.
        target: what was measured, such as `transgene`, `reference`, `endotoxin`.
        value: the number; with `censored` it is the bound.
        censored: `<` or `>` if only a bound is known, else empty.
        unit: of the value.
        at: when, UTC.
    """

    plate: str
    well: str
    role: Role
    sample: str
    target: str
    value: Decimal
    censored: str
    unit: str
    instrument: str
    operator: str
    at: datetime


def read(data: bytes, *, wells: int | None = None) -> list[Well]:
    """All wells of a file.

    Args:
        wells: how many the plate map has; a file with fewer or more is refused.

    Raises:
        Unreadable: not this table, a well twice, a value that is no number.
        Incomplete: wells of the plate map are missing (R019).
    """
    found = [_well(row) for row in rows(data, COLUMNS, what="plate result table")]
    places = [(w.plate, w.well, w.target) for w in found]
    if len(set(places)) != len(places):
        raise Unreadable("a well stands twice for one target")
    if wells is not None and len(found) != wells:
        raise Incomplete(f"{len(found)} readings, the plate map has {wells}")
    return found


def _well(row: Row) -> Well:
    role, well, value = row.text("Role"), row.text("Well"), _VALUE.fullmatch(row.text("Value"))
    if role not in get_args(Role):
        raise Unreadable(f"line {row.line}: Role is {role!r}, expected one of {', '.join(get_args(Role))}")
    if not _WELL.fullmatch(well):
        raise Unreadable(f"line {row.line}: Well is {well!r}, expected A1 to H12")
    if value is None:
        raise Unreadable(f"line {row.line}: Value is {row.text('Value')!r}, expected a number, or < or > and a number")
    try:
        at: datetime | None = datetime.fromisoformat(row.text("Time"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Unreadable(f"line {row.line}: Time is {row.text('Time')!r}, expected ISO 8601 with its offset")
    return Well(
        row.text("Plate"), well, cast(Role, role), row.text("Sample"), row.text("Target"), Decimal(value["number"]),
        value["censored"], row.text("Unit"), row.text("Instrument"), row.text("Operator"), at,
    )  # fmt: skip


def export(wells: list[Well]) -> bytes:
    """The table for these wells; what `read` gives back."""
    return write(
        COLUMNS,
        [
            (
                w.plate,
                w.well,
                w.role,
                w.sample,
                w.target,
                f"{w.censored}{w.value}",
                w.unit,
                w.instrument,
                w.operator,
                w.at.isoformat(),
            )
            for w in wells
        ],
    )
