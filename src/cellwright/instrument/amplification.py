"""Wells of a quantitative PCR from rows of a results table, whichever program wrote it, and curves by well and target."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from cellwright.instrument.grid import Line, chosen
from cellwright.instrument.reading import PcrWell
from cellwright.instrument.source import Source, written
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import half_digit, number
from cellwright.language import _

UNDETERMINED: Final = frozenset({"", "undetermined", "-"})
Curves = Mapping[tuple[str, str], Mapping[str, tuple[float, ...]]]
"""(well, target) -> name -> reading of each cycle."""
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "well": ("Well Position", "Well"), "sample": ("Sample", "Sample Name"), "target": ("Target", "Target Name"),
    "task": ("Task",), "reporter": ("Reporter",), "quencher": ("Quencher",),
}  # fmt: skip
_NUMBERS: Final[dict[str, tuple[str, ...]]] = {
    "quantity": ("Quantity",), "threshold": ("Threshold", "Ct Threshold"), "baseline_start": ("Baseline Start",),
    "baseline_end": ("Baseline End",),
}  # fmt: skip
_CYCLE: Final = ("Cq", "CT", "Ct")


def pcr_well(line: Line, curves: Curves, source: Source, *, grouped: bool) -> PcrWell:
    """One row as a well. Raises Incomplete if it names no well; Unreadable if a number is none."""
    used: set[str] = set()

    def text(names: Sequence[str]) -> str:
        column, value = chosen(line.cells, *names)
        used.add(column)
        return value

    def exact(names: Sequence[str]) -> Decimal | None:
        return number(text(names), source, f"{line.place}, {names[0]}", grouped=grouped)

    texts = {field: text(names) for field, names in _NAMES.items()}
    numbers = {field: exact(names) for field, names in _NUMBERS.items()}
    if not texts["well"]:
        raise Incomplete(_("{place}: no well").format(place=line.place))
    omitted = text(("Omit",)).upper() == "TRUE"
    called = text(_CYCLE)
    cycle = None if called.lower() in UNDETERMINED else number(called, source, f"{line.place}, Cq", grouped=grouped)
    others = {name: value for name, value in line.cells.items() if name not in used and value}
    found = curves.get((texts["well"], texts["target"])) or {}
    return PcrWell(
        well=texts["well"], sample=texts["sample"], target=texts["target"], task=texts["task"],
        reporter=texts["reporter"], quencher=texts["quencher"], cycle=cycle, omitted=omitted,
        quantity=numbers["quantity"], threshold=numbers["threshold"], baseline_start=numbers["baseline_start"],
        baseline_end=numbers["baseline_end"], curves=found, others=others,
    )  # fmt: skip


def curves_of(rows: Iterable[Sequence[Any]], places: Mapping[str, int], key: tuple[int, int | None]) -> dict[
    tuple[str, str], dict[str, list[float]]
]:  # fmt: skip
    """Readings of each cycle by well and target, in the order of the rows.

    Args:
        places: name of a curve -> its column.
        key: columns of well and target; None where the rows name no target.
    """
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: {name: [] for name in places})
    well_at, target_at = key
    for row in rows:
        well = row[well_at]
        if well == "" or well is None:
            continue
        one = found[(written(well), "" if target_at is None else written(row[target_at]))]
        for name, at in places.items():
            cell = row[at]
            if isinstance(cell, float):
                one[name].append(cell)
            elif cell not in {"", None}:
                one[name].append(_reading(str(cell)))
    return dict(found)


def _reading(text: str) -> float:
    """A reading of a curve, thousands grouped by commas. Raises Unreadable if it is none."""
    try:
        found = float(text.replace(",", ""))
    except ValueError:
        found = float("nan")
    if not isfinite(found):
        raise Unreadable(_("{place}: {text!r} is no number").format(place=_("cycle"), text=text))
    return found


def lengths_agree(curves: Mapping[tuple[str, str], Mapping[str, Sequence[float]]], source: Source) -> None:
    """Warn of wells whose curves have fewer cycles than others: as where rows were cut out."""
    lengths = {key: len(one["dRn"]) for key, one in curves.items() if one.get("dRn")}
    most = max(lengths.values(), default=0)
    short = sorted(key[0] for key, length in lengths.items() if length < most)
    if short:
        said = _("curves of {count} wells have fewer than {cycles} cycles: {wells}")
        source.warn("incomplete", "", said.format(count=len(short), cycles=most, wells=", ".join(short[:5])))


def means_agree(wells: Sequence[PcrWell], source: Source) -> None:
    """Warn where a printed mean cycle is not that of its replicates: as where a cycle was edited or a well cut out."""
    groups: dict[tuple[str, str, str], list[PcrWell]] = defaultdict(list)
    for well in wells:
        mean = chosen(dict(well.others), "Cq Mean", "Ct Mean")[1]
        if mean and well.cycle is not None and not well.omitted:
            groups[(well.sample, well.target, mean)].append(well)
    for (sample, target, written_mean), members in groups.items():
        printed = number(written_mean, source, sample)
        cycles = [well.cycle for well in members if well.cycle is not None]
        if printed is None or not cycles:
            continue
        slack = half_digit(printed) + max(map(half_digit, cycles)) + Decimal("1e-9")
        actual = sum(cycles, Decimal(0)) / len(cycles)
        if abs(actual - printed) > slack:
            said = _("mean cycle of {sample}, {target} is printed as {printed}; its {count} wells make {found:.4f}")
            source.warn("inconsistent", sample or members[0].well, said.format(
                sample=sample or "–", target=target, printed=printed, count=len(cycles), found=actual))  # fmt: skip
