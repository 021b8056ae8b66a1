"""What all cell counters have in common: the same figures under different columns, and figures that must agree."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from cellwright.instrument.grid import Line
from cellwright.instrument.reading import CellCounting
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete
from cellwright.instrument.written import half_digit, number, time
from cellwright.language import _

TOLERANCE: Final = Decimal("0.3")
"""Percentage points by which printed viability may differ from counts: instruments round counts they do not print."""
NUMBERS: Final = (
    "counted", "viable", "total_e6_per_ml", "viable_e6_per_ml", "dead_e6_per_ml", "viability", "diameter_um",
    "viable_diameter_um", "circularity", "dilution",
)  # fmt: skip
TEXTS: Final = ("sample", "operator", "cell_type")


def counting(line: Line, columns: Mapping[str, str], source: Source, *, per_ml: Decimal = Decimal(1)) -> CellCounting:
    """One row as a count.

    Args:
        columns: field -> column.
        per_ml: what one unit of the density columns is, in 1e6 cells per millilitre.

    Raises:
        Incomplete: no sample, or neither viability nor a density.
        Unreadable: a cell is no number.
    """
    cells = line.cells
    fields: dict[str, str | Decimal | None] = {}
    for field, column in columns.items():
        text = cells.get(column, "")
        if field in TEXTS:
            fields[field] = text
        elif field == "at":
            fields[field] = time(text, source, line.place)
        else:
            found = number(text, source, f"{line.place}, {column}")
            fields[field] = found * per_ml if found is not None and field.endswith("e6_per_ml") else found
    if not fields.get("sample"):
        raise Incomplete(_("{place}: no sample").format(place=line.place))
    if fields.get("viability") is None and fields.get("viable_e6_per_ml") is None:
        raise Incomplete(_("{place}: neither viability nor viable cells").format(place=line.place))
    used = set(columns.values())
    others = {name: text for name, text in cells.items() if name not in used and text.strip()}
    one = CellCounting(**fields, others=others)  # type: ignore[arg-type]
    agree(one, line.place, source)
    return one


def agree(one: CellCounting, place: str, source: Source) -> None:
    """Warn where printed figures contradict each other by more than their rounding: as after an edit."""
    _viability(one, place, source)
    total, viable, dead = one.total_e6_per_ml, one.viable_e6_per_ml, one.dead_e6_per_ml
    if total is not None and viable is not None and dead is not None:
        slack = 2 * sum(map(half_digit, (total, viable, dead))) + total / 100
        if abs(viable + dead - total) > slack:
            said = _("live {live} and dead {dead} do not add up to {total}")
            source.warn("inconsistent", place, said.format(live=viable, dead=dead, total=total))
    if None not in (one.counted, one.viable) and one.viable > one.counted:  # type: ignore[operator]
        said = _("{viable} viable of {counted} cells")
        source.warn("inconsistent", place, said.format(viable=one.viable, counted=one.counted))


def _viability(one: CellCounting, place: str, source: Source) -> None:
    if one.viability is None:
        return
    for alive, all_of, slack in (
        (one.viable, one.counted, Decimal(0)),
        (one.viable_e6_per_ml, one.total_e6_per_ml, None),
    ):
        if alive is None or not all_of:
            continue
        share = 100 * alive / all_of
        if slack is None:
            # What three printed digits of both densities allow.
            slack = share * (half_digit(alive) / alive + half_digit(all_of) / all_of) if alive else Decimal(1)
        if abs(share - one.viability) > TOLERANCE + slack + half_digit(one.viability):
            said = _("viability is printed as {printed} %, the counts make {found:.2f} %")
            source.warn("inconsistent", place, said.format(printed=one.viability, found=share))
