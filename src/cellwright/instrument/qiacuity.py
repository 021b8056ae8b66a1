"""QIAGEN QIAcuity: the comma-separated results of a nanoplate, in the three column sets met so far."""

from decimal import Decimal
from typing import Final

import msgspec

from cellwright.instrument.grid import Line, chosen, column_names, header_row, lines, text_rows
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.reading import PartitionWell
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import number, same_name, whole
from cellwright.language import _

NEEDED: Final = ("Sample/NTC/Control", "Partitions (valid)", "Partitions (positive)", "Threshold")


def recognises(source: Source) -> bool:
    head = same_name(source.head)
    return not source.is_workbook and "partitionspositive" in head and "sample/ntc/control" in head


def read(source: Source) -> Outcome:
    """All wells."""
    rows = text_rows(source, usual=",")
    header = header_row(rows, NEEDED)
    if header is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what="QIAcuity"))
    named = [name or "Well" for name in column_names(rows[header])]
    if not rows[header][0].strip():
        named[0] = "Well"
    found: list[PartitionWell] = []
    for line in lines([*rows[:header], named, *rows[header + 1 :]], header, source):
        found.append(_well(line, found[-1].plate if found else "", source))
    return Outcome(tuple(found))


def _well(line: Line, plate: str, source: Source) -> PartitionWell:
    cells = line.cells
    used: set[str] = set()

    def text(*names: str) -> str:
        column, value = chosen(cells, *names)
        used.add(column)
        return value

    def count(*names: str) -> int:
        found = whole(text(*names), source, f"{line.place}, {names[0]}")
        if found is None:
            raise Incomplete(_("{place}: {column} is blank").format(place=line.place, column=names[0]))
        return found

    def exact(*names: str) -> Decimal | None:
        return number(text(*names).removesuffix("%"), source, f"{line.place}, {names[0]}")

    valid, positive, negative = (count(f"Partitions ({name})") for name in ("valid", "positive", "negative"))
    if positive + negative != valid:
        said = _("{positive} positive and {negative} negative are not {valid} partitions")
        source.warn("inconsistent", line.place, said.format(positive=positive, negative=negative, valid=valid))
    one = PartitionWell(
        well=text("Well"), sample=text("Sample/NTC/Control"), target=text("Target (Name)", "Target"),
        positive=positive, negative=negative, role=text("Type"), plate=text("Plate ID") or plate,
        per_ul=exact("Conc. [cp/uL] (dPCR reaction)", "Concentration (copies/uL)", "Conc. [copies/uL]"),
        interval_percent=exact("CI (95%) (dPCR reaction)", "CI (95%)"), threshold=exact("Threshold"),
        volume_ul=exact("Volume per well [ul]"),
    )  # fmt: skip
    rest = {name: value for name, value in cells.items() if name not in used and value.strip()}
    return msgspec.structs.replace(one, others=rest)
