"""Applied Biosystems QuantStudio 6/7/12 Flex and ViiA 7: tab-separated text with a head and sections in brackets."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cellwright.instrument.amplification import Curves, curves_of, lengths_agree, means_agree, pcr_well
from cellwright.instrument.grid import Line, column_names
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.reading import PcrWell
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete
from cellwright.instrument.written import time
from cellwright.language import _

_STATED: Final = re.compile(r"\*?\s*(?P<name>[^=\t]+?)\s+=\s*(?P<value>.*)")
Rows = list[tuple[int, list[str]]]


def recognises(source: Source) -> bool:
    head = source.head
    return not source.is_workbook and head.startswith("* ") and "* Quantification Cycle Method" in head


def read(source: Source) -> Outcome:
    """All wells of the section of results, with their curves."""
    header, sections = _split(source)
    if "Results" not in sections:
        raise Incomplete(_("section {name} is missing: the file breaks off").format(name="Results"))
    curves = _curves(sections, source, header.get("Passive Reference", ""))
    setup = {line.cells.get("Well", ""): line.cells for line in _setup(sections.get("Sample Setup"))}
    found: list[PcrWell] = []
    for line in _lines(sections["Results"], source):
        cells = setup.get(line.cells.get("Well", ""), {}) | {name: text for name, text in line.cells.items() if text}
        for one in _alleles(Line(line.place, line.cells | cells)):
            well = pcr_well(one, curves, source, grouped=True)
            light = curves.get((well.well, ""), {})
            own = {name: light[name] for name in (well.reporter, "passive reference", "melting") if light.get(name)}
            found.append(msgspec.structs.replace(well, curves={**well.curves, **own}))
    if not found:
        raise Incomplete(_("the file holds no measurement"))
    means_agree(found, source)
    return Outcome(tuple(found), instrument=header.get("Instrument Type", ""), software="QuantStudio",
                   serial_number=header.get("Instrument Serial Number", ""), operator=_known(header.get("User Name", "")),
                   at=time(header.get("Experiment Run End Time", ""), source, "Run End"), header=header)  # fmt: skip


def _known(text: str) -> str:
    return "" if text in {"NA", "N/A"} else text


def _split(source: Source) -> tuple[dict[str, str], dict[str, Rows]]:
    """What the head and the foot state, and the rows of each section with their line numbers."""
    header: dict[str, str] = {}
    sections: dict[str, Rows] = {}
    rows: Rows = []
    for number, line in enumerate(source.text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("[") and bare.endswith("]"):
            rows = sections.setdefault(bare[1:-1], [])
        elif line.startswith("* ") or (bare and "\t" not in bare and _STATED.fullmatch(bare)):
            if match := _STATED.fullmatch(bare):
                header[match["name"]] = match["value"].strip()
        elif bare:
            rows.append((number, [cell.strip().strip('"') for cell in line.split("\t")]))
    return header, sections


def _lines(rows: Rows, source: Source) -> list[Line]:
    if not rows:
        raise Incomplete(_("the file holds no measurement"))
    names = column_names(rows[0][1])
    needed = max((place for place, name in enumerate(names) if name in {"CT", "Allele2 Ct", "Task"}), default=0)
    found = []
    for number, cells in rows[1:]:
        place = _("line {number}").format(number=number)
        if len(cells) <= needed:
            raise Incomplete(_("{place}: the file breaks off after {found} of {columns} cells").format(
                place=place, found=len(cells), columns=len(names)))  # fmt: skip
        if len(cells) < len(names) - 1 and number == rows[-1][0] and not source.text.endswith(("\n", "\r")):
            raise Incomplete(_("{place}: the file breaks off after {found} of {columns} cells").format(
                place=place, found=len(cells), columns=len(names)))  # fmt: skip
        found.append(Line(place, dict(zip(names, [*cells, *[""] * len(names)], strict=False))))
    return found


def _setup(rows: Rows | None) -> list[Line]:
    """What was laid out on the plate; blank cells at the end of a row are not written."""
    names = column_names(rows[0][1]) if rows else []
    return [Line(str(number), dict(zip(names, [*cells, *[""] * len(names)], strict=False)))
            for number, cells in (rows or [])[1:]]  # fmt: skip


def _alleles(line: Line) -> list[Line]:
    """A genotyping row as one row for each allele; any other as it is."""
    if "SNP Assay Name" not in line.cells:
        return [line]
    found = []
    for allele in ("Allele1", "Allele2"):
        own = {name.removeprefix(f"{allele} "): text for name, text in line.cells.items() if name.startswith(allele)}
        target = f"{line.cells['SNP Assay Name']}-Allele {allele[-1]}"
        found.append(Line(line.place, line.cells | own | {"Target Name": target}))
    return found


def _curves(sections: Mapping[str, Rows], source: Source, reference: str) -> Curves:
    found: dict[tuple[str, str], dict[str, tuple[float, ...]]] = {}
    numbers = _positions(sections)
    for name, wanted, targeted in (("Amplification Data", {"Rn": "Rn", "Delta Rn": "dRn"}, True),
                                   ("Multicomponent Data", {}, False),
                                   ("Melt Curve Raw Data", {"Fluorescence": "melting"}, False)):  # fmt: skip
        rows = sections.get(name)
        if not rows:
            continue
        columns = {column: at for at, column in enumerate(rows[0][1])}
        if "Well" not in columns:
            raise Incomplete(_("section {name} names no wells").format(name=name))
        dyes = wanted or {c: c for c in columns if c not in {"Well", "Well Position", "Cycle"}}
        places = {
            ("passive reference" if new == reference else new): columns[old]
            for old, new in dyes.items()
            if old in columns
        }
        body = [_padded(cells, len(columns)) for _number, cells in rows[1:]]
        read = curves_of(body, places, (columns["Well"], columns.get("Target Name") if targeted else None))
        if targeted:
            lengths_agree(read, source)
        for (well, target), one in read.items():
            key = (numbers.get(well, well), target)
            found[key] = found.get(key, {}) | {curve: tuple(values) for curve, values in one.items()}
    return found


def _padded(cells: Sequence[str], width: int) -> Sequence[str]:
    return [*cells, *[""] * (width - len(cells))]


def _positions(sections: Mapping[str, Rows]) -> dict[str, str]:
    """Number of a well -> its position."""
    for name in ("Results", "Sample Setup"):
        rows = sections.get(name)
        if rows and {"Well", "Well Position"} <= set(rows[0][1]):
            number, position = rows[0][1].index("Well"), rows[0][1].index("Well Position")
            return {cells[number]: cells[position] for _number, cells in rows[1:] if len(cells) > position}
    return {}
