"""Applied Biosystems QuantStudio: workbooks of Design & Analysis and of Diomni, from their Results to their curves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from cellwright.instrument.amplification import Curves, curves_of, lengths_agree, means_agree, pcr_well
from cellwright.instrument.grid import Line, column_names, lines
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.reading import PcrWell
from cellwright.instrument.source import Source, written
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import time
from cellwright.language import _

CURVES: Final = ("Amplification Data", "Multicomponent")
LEFT_OUT: Final = ("Raw Data", "Melt Curve Raw", "Replicate Group Result")
"""Sheets that hold no result of a well: light per filter before any dye is told apart, and means of replicates."""
_SETTINGS: Final = frozenset({
    "Well", "Well Position", "Cycle Number", "Stage Number", "Step Number", "Target", "Sample", "Omit"
})  # fmt: skip


def recognises(source: Source) -> bool:
    head = source.head
    return source.is_workbook and "Instrument Type\tQuantStudio" in head and "Quantification Cycle Method" in head


def read(source: Source) -> Outcome:
    """All wells with their curves."""
    names = source.sheets
    first = next((name for name in ("Results", "Primary_result") if name in names), names[0])
    header, rows, place = _sheet(source, first)
    reference = header.get("Passive Reference", "")
    curves = _curves(source, names, reference)
    more = _more(source, [name for name in names if name not in {first, *CURVES, *LEFT_OUT}])
    found = []
    for line in lines(rows, place, source):
        key = (line.cells.get("Well Position") or line.cells.get("Well", ""), line.cells.get("Target", ""))
        cells = line.cells | {name: text for name, text in more.get(key, {}).items() if not line.cells.get(name)}
        found.append(_with_dye(pcr_well(Line(line.place, cells), curves, source, grouped=False), curves))
    if not found:
        raise Incomplete(_("the file holds no measurement"))
    means_agree(found, source)
    at = next((header[name] for name in ("Run End Data/Time", "Run End Date/Time") if header.get(name)), "")
    software = (
        header.get("Software Name and Version")
        or f"{header.get('Software name', '')} {header.get('Software version', '')}"
    )
    return Outcome(tuple(found), instrument=header.get("Instrument Type", ""), operator=header.get("Operator", ""),
                   serial_number=header.get("Instrument Serial Number", ""), software=software.strip(),
                   at=time(at, source, "Run End"), header=header)  # fmt: skip


def _sheet(source: Source, name: str) -> tuple[dict[str, str], list[list[Any]], int]:
    """The head of a sheet, its rows, and where the columns are named: the first row after a blank one."""
    rows = source.sheet(name)
    header: dict[str, str] = {}
    for place, row in enumerate(rows[:80]):
        cells = [written(cell) for cell in row]
        if "Well" in cells or "Well Position" in cells:
            return header, rows, place
        if cells and cells[0]:
            header[cells[0]] = cells[1] if len(cells) > 1 else ""
    raise Unreadable(_("sheet {name} names no wells").format(name=name))


def _curves(source: Source, names: Sequence[str], reference: str) -> Curves:
    found: dict[tuple[str, str], dict[str, tuple[float, ...]]] = {}
    if "Amplification Data" in names:
        _header, rows, place = _sheet(source, "Amplification Data")
        columns = {name: at for at, name in enumerate(column_names(rows[place]))}
        places: dict[str, int] = {name: columns[name] for name in ("Rn", "dRn") if name in columns}
        well_at = columns.get("Well Position", columns.get("Well", 0))
        read = curves_of(rows[place + 1 :], places, (well_at, columns.get("Target")))
        lengths_agree(read, source)
        found |= {key: {name: tuple(values) for name, values in one.items()} for key, one in read.items()}
    if "Multicomponent" in names:
        _header, rows, place = _sheet(source, "Multicomponent")
        columns = {name: at for at, name in enumerate(column_names(rows[place]))}
        dyes = {name: at for name, at in columns.items() if name not in _SETTINGS}
        well_at = columns.get("Well Position", columns.get("Well", 0))
        for (well, _none), one in curves_of(rows[place + 1 :], dyes, (well_at, None)).items():
            renamed = {
                ("passive reference" if name == reference else name): tuple(values) for name, values in one.items()
            }
            found[(well, "")] = found.get((well, ""), {}) | renamed
    return found


def _with_dye(well: PcrWell, curves: Curves) -> PcrWell:
    """The well with its own dye's light and that of the passive reference."""
    light = curves.get((well.well, ""), {})
    own = {name: light[name] for name in (well.reporter, "passive reference") if light.get(name)}
    if not own:
        return well
    return msgspec.structs.replace(well, curves={**well.curves, **own})


def _more(source: Source, names: Sequence[str]) -> Mapping[tuple[str, str], dict[str, str]]:
    """What other sheets say of a well and target, such as the instrument's own standard curve."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        try:
            _header, rows, place = _sheet(source, name)
        except Unreadable:
            source.warn("layout", name, _("sheet {name} was not read").format(name=name))
            continue
        for line in lines(rows, place, source):
            key = (line.cells.get("Well Position") or line.cells.get("Well", ""), line.cells.get("Target", ""))
            found.setdefault(key, {}).update({column: text for column, text in line.cells.items() if text})
    return found
