"""FlowJo 10 workspaces (.wsp) read: groups, samples with their gates, and the counts that FlowJo stored.

FlowJo keeps the corners of gates on the scale of the light and draws straight lines between them on each channel's scale,
so corners are carried over. Ellipses are kept in a display of 256 by 256 bins. What is not understood is not guessed: the
population and those below it are left out and named with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from cellwright.cytometry import markup
from cellwright.cytometry.compensation import Spillover
from cellwright.cytometry.fault import GateError
from cellwright.cytometry.gate import (
    FROM_FILE,
    UNCOMPENSATED,
    Boolean,
    Dimension,
    Ellipsoid,
    Gate,
    GatingStrategy,
    Node,
    Operand,
    Polygon,
    Range,
    Rectangle,
)
from cellwright.cytometry.markup import Element
from cellwright.cytometry.transform import Asinh, FlowJoBiex, FlowJoLog, Hyperlog, Linear, Logicle, Transform

BINS: Final = 256.0
"""Bins of FlowJo's display along each axis."""
BIEX_TOP: Final = 4096.0
PREFIX: Final = "Comp-"
_LOGIC: Final[dict[str, Literal["and", "or", "not"]]] = {"AndNode": "and", "OrNode": "or", "NotNode": "not"}


@dataclass(frozen=True, slots=True)
class WorkspaceSample:
    """A sample of a workspace.

    Attributes:
        id: FlowJo's number of it.
        uri: where FlowJo read the file; empty if not stated.
        events: how many FlowJo counted, None if it did not.
        strategy: its gates; populations are called by their path, such as `Lymphocytes/CD3+`.
        counts: population -> events that FlowJo counted, where it stored them.
        custom: populations whose gate belongs to this sample alone and not to a group.
        unread: population -> why its gate is not read.
    """

    id: str
    name: str
    uri: str
    keywords: Mapping[str, str]
    events: int | None
    strategy: GatingStrategy
    counts: Mapping[str, int]
    custom: frozenset[str]
    unread: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkspaceGroup:
    """A group of samples: their numbers, and the populations of the group's own gates."""

    name: str
    samples: tuple[str, ...]
    populations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace: FlowJo's version, groups and samples in the order of the file."""

    version: str
    groups: tuple[WorkspaceGroup, ...]
    samples: tuple[WorkspaceSample, ...]

    def sample(self, name: str) -> WorkspaceSample:
        """A sample by its name or number. Raises GateError if there is none, or if several share the name."""
        found = [one for one in self.samples if name in (one.name, one.id)]
        if len(found) != 1:
            raise GateError(f"{len(found)} samples are called {name!r}: {', '.join(s.name for s in self.samples)}")
        return found[0]


def read_wsp(path: str | Path) -> Workspace:
    """A workspace from a file. Raises as `read`, and OSError."""
    return read(Path(path).read_bytes())


def read(text: str | bytes) -> Workspace:
    """A workspace from the text of a file.

    Raises:
        GateError: it is no FlowJo workspace.
    """
    root = markup.parse(text)
    if markup.tag(root) != "Workspace":
        raise GateError(f"the document is a <{markup.tag(root)}>, expected <Workspace>")
    samples = tuple(_sample(one) for listed in markup.children(root, "SampleList") for one in listed)
    groups = tuple(
        _group(one) for listed in markup.children(root, "Groups") for one in markup.children(listed, "GroupNode")
    )
    return Workspace(markup.said(root, "flowJoVersion") or "", groups, samples)


def _group(element: Element) -> WorkspaceGroup:
    references = [one for one in element.iter() if markup.tag(one) == "SampleRef"]
    return WorkspaceGroup(
        markup.needed(element, "name"),
        tuple(markup.needed(one, "sampleID") for one in references),
        tuple(path for path, _parent, _one in _populations(element)),
    )


def _populations(element: Element, parent: str = "") -> Iterator[tuple[str, str, Element]]:
    """Every population below an element: its path, its parent's path, and itself; parents first."""
    taken: set[str] = set()
    for listed in markup.children(element, "Subpopulations"):
        for one in listed:
            if markup.tag(one) != "Population" and markup.tag(one) not in _LOGIC:
                continue
            path = f"{parent}/{markup.needed(one, 'name')}" if parent else markup.needed(one, "name")
            number = 2
            while path in taken:
                path = f"{path.removesuffix(f' ({number - 1})')} ({number})"
                number += 1
            taken.add(path)
            yield path, parent, one
            yield from _populations(one, path)


@dataclass(slots=True)
class _Setting:
    """What the gates of a sample stand on."""

    matrix: Spillover | None
    matrix_name: str
    prefix: str
    suffix: str
    scales: dict[str, Transform] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def dimension(self, name: str) -> Dimension:
        """A dimension by FlowJo's name of the parameter, which tells whether it is compensated."""
        channel, compensation = name, UNCOMPENSATED
        inner = name.removeprefix(self.prefix).removesuffix(self.suffix)
        whole = f"{self.prefix}{inner}{self.suffix}" == name
        if self.matrix is None and name.startswith(PREFIX):
            channel, compensation = name.removeprefix(PREFIX), FROM_FILE
        elif self.matrix is not None and whole and inner in self.matrix.detectors + self.matrix.fluorochromes:
            channel, compensation = inner, self.matrix_name
        for known in (name, channel):
            if known in self.unknown:
                raise GateError(f"the scale of {known} is not read: {self.unknown[known]}")
            if known in self.scales:
                return Dimension(channel, self.scales[known], compensation)
        return Dimension(channel, None, compensation)


def _sample(element: Element) -> WorkspaceSample:
    node, data_set = markup.child(element, "SampleNode"), next(markup.children(element, "DataSet"), None)
    setting = _setting(element)
    gates: dict[str, Node] = {}
    counts: dict[str, int] = {}
    unread: dict[str, str] = {}
    custom = set()
    found = list(_populations(node))
    for path, parent, one in found:
        stored = _count(one)
        if stored is not None:
            counts[path] = stored
        if not markup.said(one, "owningGroup"):
            custom.add(path)
        try:
            gates[path] = Node(_gate(one, setting, {path for path, _parent, _one in found}), parent)
        except GateError as fault:
            unread[path] = str(fault)
    _without(gates, unread)
    matrices = {setting.matrix_name: setting.matrix} if setting.matrix is not None else {}
    return WorkspaceSample(
        id=markup.needed(node, "sampleID"),
        name=markup.needed(node, "name"),
        uri=(markup.said(data_set, "uri") or "") if data_set is not None else "",
        keywords={
            markup.needed(one, "name"): markup.said(one, "value") or ""
            for listed in markup.children(element, "Keywords")
            for one in markup.children(listed, "Keyword")
        },
        events=_count(node),
        strategy=GatingStrategy(gates, matrices),
        counts=counts,
        custom=frozenset(custom),
        unread=unread,
    )


def _without(gates: dict[str, Node], unread: dict[str, str]) -> None:
    """Leave out what hangs on a population that is not read."""
    while True:
        hanging = {
            path: need
            for path, node in gates.items()
            for need in [node.parent, *(o.population for o in getattr(node.gate, "operands", ()))]
            if need and need not in gates
        }
        if not hanging:
            return
        for path, need in hanging.items():
            unread[path] = f"it needs {need}, which is not read"
            del gates[path]


def _count(element: Element) -> int | None:
    value = markup.said(element, "count") or ""
    return int(value) if value.isascii() and value.isdigit() else None


def _setting(element: Element) -> _Setting:
    found = next(markup.children(element, "spilloverMatrix"), None)
    setting = _Setting(None, "", PREFIX, "")
    if found is not None:
        setting = _Setting(
            _matrix(found),
            markup.said(found, "name") or markup.said(found, "id") or "matrix",
            markup.said(found, "prefix") or "",
            markup.said(found, "suffix") or "",
        )
        if setting.matrix_name in (UNCOMPENSATED, FROM_FILE):
            setting.matrix_name += " (workspace)"
    for listed in markup.children(element, "Transformations"):
        for one in listed:
            name = markup.needed(markup.child(one, "parameter"), "name")
            try:
                setting.scales[name] = _scale(one)
            except GateError as fault:
                setting.unknown[name] = str(fault)
    return setting


def _matrix(element: Element) -> Spillover:
    dyes = [markup.needed(one, "name") for one in markup.children(markup.child(element, "parameters"), "parameter")]
    rows = []
    detectors: list[str] = []
    for spillover in markup.children(element, "spillover"):
        coefficients = list(markup.children(spillover, "coefficient"))
        detectors = detectors or [markup.needed(one, "parameter") for one in coefficients]
        rows.append(tuple(markup.figure(one, "value") for one in coefficients))
    if markup.said(element, "spectral") == "1" and (markup.said(element, "weightOptAlgorithmType") or "OLS") != "OLS":
        raise GateError("a spectral matrix with weights; ordinary least squares is read")
    return Spillover(tuple(detectors), tuple(rows), tuple(dyes))


def _scale(element: Element) -> Transform:
    def at(name: str) -> float:
        return markup.figure(element, name)

    match markup.tag(element):
        case "linear":
            return Linear(at("maxRange"), -at("minRange"))
        case "log":
            return FlowJoLog(at("offset"), at("decades"))
        case "biex":
            if at("length") != BINS:
                raise GateError(f"a biexponential scale of length {at('length'):g}, expected {BINS:g}")
            return FlowJoBiex(at("neg"), at("width"), at("pos"), at("maxRange"))
        case "fasinh":
            return Asinh(at("T"), at("M"), at("A"))
        case "logicle":
            return Logicle(at("T"), at("W"), at("M"), at("A"))
        case "hyperlog":
            return Hyperlog(at("T"), at("W"), at("M"), at("A"))
    raise GateError(f"a scale of the kind {markup.tag(element)!r}")


def _gate(element: Element, setting: _Setting, paths: set[str]) -> Gate:
    operator = _LOGIC.get(markup.tag(element))
    if operator is not None:
        named = [
            markup.needed(one, "name").strip("/")
            for listed in markup.children(element, "Dependents")
            for one in markup.children(listed, "Dependent")
        ]
        missing = [name for name in named if name not in paths]
        if missing:
            raise GateError(f"it is made of {', '.join(missing)}, which is not there")
        return Boolean(operator, tuple(Operand(name) for name in named))
    shapes = list(markup.child(element, "Gate"))
    if len(shapes) != 1:
        raise GateError(f"a gate of {len(shapes)} shapes")
    shape = shapes[0]
    complement = (markup.said(shape, "eventsInside") or "1") == "0"
    match markup.tag(shape):
        case "RectangleGate":
            return _rectangle(shape, setting, complement)
        case "PolygonGate":
            return _polygon(shape, setting, complement)
        case "EllipsoidGate":
            return _ellipse(shape, setting, complement)
    raise GateError(f"a gate of the kind {markup.tag(shape)!r}")


def _dimension(element: Element, setting: _Setting) -> Dimension:
    return setting.dimension(markup.needed(markup.child(element, "fcs-dimension"), "name"))


def _carried(dimension: Dimension, value: float | None) -> float | None:
    """A corner from the scale of the light to that of the gate."""
    if value is None or dimension.transform is None:
        return value
    return float(dimension.transform.apply([value])[0])


def _rectangle(element: Element, setting: _Setting, complement: bool) -> Rectangle:
    ranges = []
    for one in markup.children(element, "dimension"):
        dimension = _dimension(one, setting)
        low, high = (_carried(dimension, markup.maybe(one, name)) for name in ("min", "max"))
        ranges.append(Range(dimension, low, high))
    return Rectangle(tuple(ranges), complement)


def _points(element: Element) -> list[tuple[float, float]]:
    points = []
    for vertex in markup.children(element, "vertex"):
        values = [markup.figure(one, "value") for one in markup.children(vertex, "coordinate")]
        if len(values) != 2:
            raise GateError(f"a corner with {len(values)} coordinates")
        points.append((values[0], values[1]))
    return points


def _two(element: Element, setting: _Setting) -> tuple[Dimension, Dimension]:
    dimensions = [_dimension(one, setting) for one in markup.children(element, "dimension")]
    if len(dimensions) != 2:
        raise GateError(f"a shape in {len(dimensions)} dimensions")
    return dimensions[0], dimensions[1]


def _polygon(element: Element, setting: _Setting, complement: bool) -> Polygon:
    x, y = _two(element, setting)
    corners = [(_carried(x, a), _carried(y, b)) for a, b in _points(element)]
    return Polygon(x, y, tuple((a or 0.0, b or 0.0) for a, b in corners), complement)


def _ellipse(element: Element, setting: _Setting, complement: bool) -> Ellipsoid:
    """Foci and the ends of the axes, in bins of the display: an ellipse with half-axes a and sqrt(a^2 - c^2)."""
    x, y = _two(element, setting)
    foci, edge = _points(markup.child(element, "foci")), _points(markup.child(element, "edge"))
    if len(foci) != 2 or len(edge) < 2:
        raise GateError(f"an ellipse with {len(foci)} foci and {len(edge)} ends of its axes")
    half_focal = math.dist(*foci) / 2
    middle = (foci[0][0] + foci[1][0]) / 2, (foci[0][1] + foci[1][1]) / 2
    long = max(math.dist(middle, point) for point in edge)
    short_square = long**2 - half_focal**2
    if not short_square > 0:
        raise GateError("an ellipse whose foci lie beyond its axis")
    if half_focal:
        cos, sin = (foci[1][0] - foci[0][0]) / (2 * half_focal), (foci[1][1] - foci[0][1]) / (2 * half_focal)
    else:
        cos, sin = 1.0, 0.0
    bin_x, bin_y = (_bin(one) for one in (x, y))
    covariance = (
        (long**2 * cos**2 + short_square * sin**2) * bin_x**2,
        (long**2 - short_square) * cos * sin * bin_x * bin_y,
        (long**2 * sin**2 + short_square * cos**2) * bin_y**2,
    )
    return Ellipsoid(
        (x, y),
        (middle[0] * bin_x, middle[1] * bin_y),
        ((covariance[0], covariance[1]), (covariance[1], covariance[2])),
        1.0,
        complement,
    )


def _bin(dimension: Dimension) -> float:
    """The width of a bin of the display on the scale of the gate."""
    if dimension.transform is None:
        raise GateError(f"an ellipse on {dimension.channel}, whose scale is not stated")
    return (BIEX_TOP if isinstance(dimension.transform, FlowJoBiex) else 1.0) / BINS
