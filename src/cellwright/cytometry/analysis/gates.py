"""The gates of an analysis as a gating strategy, with every contradiction in the file told at once."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Final

from cellwright.cytometry.analysis.definition import Analysis, Compensation, GateEntry, Scale
from cellwright.cytometry.analysis.reading import AnalysisError, Problem, Sheet
from cellwright.cytometry.compensation import Spillover
from cellwright.cytometry.fault import GateError
from cellwright.cytometry.gate import (
    FROM_FILE,
    UNCOMPENSATED,
    Boolean,
    Dimension,
    Gate,
    GatingStrategy,
    Node,
    Operand,
    Polygon,
    Range,
    Rectangle,
)
from cellwright.cytometry.transform import Asinh, FlowJoBiex, Hyperlog, Linear, Log, Logicle, Transform

MATRIX = "analysis"
"""Name of the matrix that an analysis states itself."""

HOURS_MAX: Final = 24 * 366

ReadFile = Callable[[str], bytes]
"""Gives the bytes of a file that the analysis names."""


def transform(scale: Scale) -> Transform:
    """The scale of an analysis file. Raises GateError for parameters that make none."""
    top, width, decades, extra = (float(n) for n in (scale.top, scale.width, scale.decades, scale.extra))
    match scale.kind:
        case "linear":
            return Linear(top, extra)
        case "log":
            return Log(top, decades)
        case "asinh":
            return Asinh(top, decades, extra)
        case "logicle":
            return Logicle(top, width, decades, extra)
        case "hyperlog":
            return Hyperlog(top, width, decades, extra)
        case "flowjo_biex":
            return FlowJoBiex(extra, -width, decades, top)


class Panel:
    """Markers of an analysis: which channel sees each, on which scale, and how it is compensated."""

    def __init__(self, analysis: Analysis) -> None:
        self.scales = {name: transform(scale) for name, scale in analysis.scales.items()}
        self.channels = {detector.name: detector.channel for detector in analysis.panel}
        self.shown = {detector.name: self.scales.get(detector.scale) for detector in analysis.panel}
        self.compensation = {"none": UNCOMPENSATED, "file": FROM_FILE, "matrix": MATRIX}[analysis.compensation.source]

    def dimension(self, name: str, *, scaled: bool = False) -> Dimension:
        """The dimension of a marker; on its scale, or on that of the light. Raises KeyError for a name not in the panel."""
        return Dimension(self.channels[name], self.shown[name] if scaled else None, self.compensation)


def strategy(sheet: Sheet, read: ReadFile | None = None) -> GatingStrategy:
    """The gating strategy of an analysis.

    Args:
        read: gives the Gating-ML file that the analysis names.

    Raises:
        AnalysisError: parts that contradict each other, or a Gating-ML file that is not the one that was bound.
    """
    analysis = sheet.analysis
    problems = contradictions(sheet)
    if problems:
        raise AnalysisError(*problems)
    if analysis.gating_ml is not None:
        found = _from_gating_ml(sheet, read)
    else:
        found = inline(sheet)
    known = {"", *found.populations}
    problems = [
        sheet.problem(("outputs", n, field), f"there is no gate {name}")
        for n, output in enumerate(analysis.outputs)
        for field, name in (("count", output.count), ("of", output.of))
        if name not in known
    ]
    if problems:
        raise AnalysisError(*problems)
    return found


def _from_gating_ml(sheet: Sheet, read: ReadFile | None) -> GatingStrategy:
    from cellwright.cytometry import gating_ml

    bound = sheet.analysis.gating_ml
    assert bound is not None
    if read is None:
        raise AnalysisError(sheet.problem(("gating_ml",), f"the file {bound.file} was not given"))
    data = read(bound.file)
    if sha256(data).hexdigest() != bound.sha256:
        raise AnalysisError(sheet.problem(("gating_ml", "sha256"), f"{bound.file} is not the file that was bound"))
    try:
        return gating_ml.read(data)
    except GateError as error:
        raise AnalysisError(sheet.problem(("gating_ml",), str(error))) from None


def inline(sheet: Sheet) -> GatingStrategy:
    """The gates that stand in the analysis itself. Raises AnalysisError."""
    panel, problems = Panel(sheet.analysis), []
    nodes: dict[str, Node] = {}
    for n, entry in enumerate(sheet.analysis.gates):
        try:
            nodes[entry.gate] = Node(_gate(entry, panel), entry.parent)
        except GateError as error:
            problems.append(sheet.problem(("gates", n), str(error)))
    if problems:
        raise AnalysisError(*problems)
    try:
        return GatingStrategy(nodes, _matrices(sheet.analysis.compensation))
    except GateError as error:
        raise AnalysisError(sheet.problem(("gates",), str(error))) from None


def _matrices(compensation: Compensation) -> Mapping[str, Spillover]:
    if compensation.source != "matrix":
        return {}
    rows = tuple(tuple(float(value) for value in row) for row in compensation.matrix)
    return {MATRIX: Spillover(compensation.detectors, rows)}


def _gate(entry: GateEntry, panel: Panel) -> Gate:
    if entry.ranges:
        return Rectangle(
            tuple(
                Range(panel.dimension(name), *(None if b is None else float(b) for b in (bounds.low, bounds.high)))
                for name, bounds in entry.ranges.items()
            )
        )
    if entry.polygon is not None:
        x, y = (panel.dimension(name, scaled=True) for name in (entry.polygon.x, entry.polygon.y))
        corners = tuple((_on(x, float(a)), _on(y, float(b))) for a, b in entry.polygon.corners)
        return Polygon(x, y, corners)
    if entry.none_of:
        return Boolean("not", (Operand(entry.none_of),))
    operator, names = ("and", entry.all_of) if entry.all_of else ("or", entry.any_of)
    return Boolean("and" if operator == "and" else "or", tuple(Operand(name) for name in names))


def _on(dimension: Dimension, value: float) -> float:
    if dimension.transform is None:
        return value
    shown = float(dimension.transform.apply([value])[0])
    if not math.isfinite(shown):
        raise GateError(f"a corner at {value:g} of {dimension.channel} cannot be shown on its scale")
    return shown


def contradictions(sheet: Sheet, *, template: bool = False) -> list[Problem]:
    """Names that are used twice or not there; what must stand alone and does not."""
    analysis = sheet.analysis
    found = _twice(sheet)
    names = {detector.name for detector in analysis.panel}
    for n, detector in enumerate(analysis.panel):
        if detector.scale and detector.scale not in analysis.scales:
            found.append(sheet.problem(("panel", n, "scale"), f"there is no scale {detector.scale}"))
    for scale_name, scale in analysis.scales.items():
        try:
            transform(scale)
        except GateError as error:
            found.append(sheet.problem(("scales", scale_name), str(error)))
    if bool(analysis.gates) == (analysis.gating_ml is not None):
        found.append(sheet.problem((), "gates stand either in this file or in a Gating-ML file"))
    for n, entry in enumerate(analysis.gates):
        said = [
            bool(entry.ranges),
            entry.polygon is not None,
            bool(entry.all_of),
            bool(entry.any_of),
            bool(entry.none_of),
            entry.find is not None,
        ]
        if sum(said) != 1:
            found.append(sheet.problem(("gates", n), f"gate {entry.gate} needs exactly one way to say what is inside"))
        if entry.find is not None and not template:
            found.append(sheet.problem(("gates", n, "find"), "a template's gates are proposed first, then applied"))
        used = [
            *entry.ranges,
            *(entry.find.on if entry.find else ()),
            *((entry.polygon.x, entry.polygon.y) if entry.polygon else ()),
        ]
        found += [sheet.problem(("gates", n), f"{name} is not in the panel") for name in used if name not in names]
    return found + _about_outputs(sheet)


def _twice(sheet: Sheet) -> list[Problem]:
    analysis = sheet.analysis
    lists = (
        ("panel", [d.name for d in analysis.panel]),
        ("gates", [g.gate for g in analysis.gates]),
        ("outputs", [o.output for o in analysis.outputs]),
    )
    return [
        sheet.problem((part, n), f"{name} stands twice")
        for part, names in lists
        for n, name in enumerate(names)
        if name in names[:n]
    ]


def _about_outputs(sheet: Sheet) -> list[Problem]:
    analysis, found = sheet.analysis, []
    outputs = {output.output for output in analysis.outputs}
    for n, output in enumerate(analysis.outputs):
        if output.kind == "concentration" and analysis.beads is None:
            found.append(sheet.problem(("outputs", n), "a count by beads needs the beads' certificate under `beads`"))
        if not 0 < output.detection_events <= output.quantification_events or not 0 <= output.decimals <= 9:
            found.append(
                sheet.problem(("outputs", n), "limits of detection and quantification in order, decimals 0 to 9")
            )
        if min(output.events_min, output.small_below) < 0:
            found.append(sheet.problem(("outputs", n), "numbers of events are not negative"))
    for n, rule in enumerate(analysis.controls):
        if rule.control in ("fmo", "single_stain") and rule.marker not in {d.name for d in analysis.panel}:
            found.append(sheet.problem(("controls", n), f"a control {rule.control} names a marker of the panel"))
        if not 0 <= rule.within_hours <= HOURS_MAX:
            found.append(sheet.problem(("controls", n), f"a control lies within 0 to {HOURS_MAX} hours of the sample"))
        unknown = [name for name in (rule.output, *rule.guards) if name and name not in outputs]
        found += [sheet.problem(("controls", n), f"there is no output {name}") for name in unknown]
        if (rule.at_most is None) != (not rule.output):
            found.append(sheet.problem(("controls", n), "a limit needs its output, and an output its limit"))
    if not Decimal("0.5") <= analysis.confidence <= Decimal("0.9999"):
        found.append(sheet.problem(("confidence",), "a confidence lies between 0.5 and 0.9999"))
    return found
