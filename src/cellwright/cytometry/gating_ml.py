"""Gating-ML 2.0 read into gates (ISAC's Gating-ML 2.0, Spidlen et al., Cytometry A 87A:683, 2015)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast

from cellwright.cytometry import markup
from cellwright.cytometry.compensation import Spillover
from cellwright.cytometry.fault import GateError
from cellwright.cytometry.gate import (
    UNCOMPENSATED,
    Boolean,
    Dimension,
    Divider,
    Ellipsoid,
    Gate,
    GatingStrategy,
    Node,
    Operand,
    Polygon,
    Quadrant,
    Range,
    Ratio,
    Rectangle,
)
from cellwright.cytometry.gating_ml_write import write
from cellwright.cytometry.markup import Element
from cellwright.cytometry.transform import Asinh, Bounded, Hyperlog, Linear, Log, Logicle, Transform

__all__ = ["read", "read_file", "write"]


@dataclass(slots=True)
class _Names:
    """What the document defines besides gates."""

    transforms: dict[str, Transform] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    matrices: dict[str, Spillover] = field(default_factory=dict)


def read(text: str | bytes) -> GatingStrategy:
    """The gates of a document.

    Raises:
        GateError: it is no Gating-ML, or speaks of something that is not there.
    """
    root = markup.parse(text)
    if markup.tag(root) != "Gating-ML":
        raise GateError(f"the document is a <{markup.tag(root)}>, expected <Gating-ML>")
    names = _Names()
    for element in root.iter():
        if markup.tag(element) == "transformation":
            _transformation(element, names)
        elif markup.tag(element) == "spectrumMatrix":
            names.matrices[markup.named(markup.needed(element, "id"))] = _matrix(element)
    gates: dict[str, Node] = {}
    for element in root.iter():
        reader = _READERS.get(markup.tag(element))
        if reader is None:
            continue
        name = markup.named(markup.needed(element, "id"))
        if name in gates:
            raise GateError(f"two gates are called {name!r}")
        try:
            gates[name] = Node(reader(element, names), markup.named(markup.said(element, "parent_id") or ""))
        except GateError as fault:
            raise GateError(f"gate {name!r}: {fault}") from None
    return GatingStrategy(gates, names.matrices)


def read_file(path: str | Path) -> GatingStrategy:
    """The gates of a file. Raises as `read`, and OSError."""
    return read(Path(path).read_bytes())


def _transformation(element: Element, names: _Names) -> None:
    name = markup.named(markup.needed(element, "id"))
    if name in names.transforms or name in names.ratios:
        raise GateError(f"two transformations are called {name!r}")
    for child in element:
        if markup.tag(child) == "fratio":
            channels = [markup.needed(one, "name") for one in markup.children(child, "fcs-dimension")]
            if len(channels) != 2:
                raise GateError(f"the ratio {name!r} is of {len(channels)} channels")
            a, b, c = (markup.figure(child, letter) for letter in "ABC")
            names.ratios[name] = Ratio(channels[0], channels[1], a, b, c)
            return
        scale = _scale(child)
        if scale is not None:
            names.transforms[name] = _bounds(element, child, scale)
            return
    raise GateError(f"the transformation {name!r} is of no kind that is read")


def _bounds(element: Element, child: Element, scale: Transform) -> Transform:
    low, high = (
        next((value for one in (child, element) if (value := markup.maybe(one, name)) is not None), None)
        for name in ("boundMin", "boundMax")
    )
    if low is None and high is None:
        return scale
    return Bounded(scale, -math.inf if low is None else low, math.inf if high is None else high)


def _scale(element: Element) -> Transform | None:
    def at(name: str) -> float:
        return markup.figure(element, name)

    match markup.tag(element):
        case "flin":
            return Linear(at("T"), at("A"))
        case "flog":
            return Log(at("T"), at("M"))
        case "fasinh":
            return Asinh(at("T"), at("M"), at("A"))
        case "logicle":
            return Logicle(at("T"), at("W"), at("M"), at("A"))
        case "hyperlog":
            return Hyperlog(at("T"), at("W"), at("M"), at("A"))
    return None


def _matrix(element: Element) -> Spillover:
    lists = [
        [markup.needed(one, "name") for one in markup.children(markup.child(element, name), "fcs-dimension")]
        for name in ("fluorochromes", "detectors")
    ]
    rows = [
        tuple(markup.figure(one, "value") for one in markup.children(spectrum, "coefficient"))
        for spectrum in markup.children(element, "spectrum")
    ]
    fluorochromes, detectors = tuple(lists[0]), tuple(lists[1])
    if not any(fluorochromes):
        # A matrix without dyes' names, which some tools write, is spoken of by its detectors.
        fluorochromes = detectors[: len(rows)]
    inverted = (markup.said(element, "matrix-inverted-already") or "false").strip().lower() in ("true", "1")
    spillover = Spillover(detectors, tuple(rows), fluorochromes)
    if not inverted:
        return spillover
    if len(rows) != len(detectors):
        raise GateError("an inverted spectrum matrix that is not square")
    return Spillover(detectors, tuple(zip(*spillover.unmixing().tolist(), strict=True)), fluorochromes)


def _dimension(element: Element, names: _Names) -> Dimension:
    scale_name = markup.said(element, "transformation-ref")
    scale_name = None if scale_name is None else markup.named(scale_name)
    if scale_name is not None and scale_name not in names.transforms:
        raise GateError(f"a transformation {scale_name!r} that is not there")
    scale = names.transforms[scale_name] if scale_name is not None else None
    compensation = markup.named(markup.said(element, "compensation-ref") or UNCOMPENSATED)
    for child in element:
        if markup.tag(child) == "fcs-dimension":
            return Dimension(markup.needed(child, "name"), scale, compensation)
        if markup.tag(child) == "new-dimension":
            ratio = markup.named(markup.needed(child, "transformation-ref"))
            if ratio not in names.ratios:
                raise GateError(f"a ratio {ratio!r} that is not there")
            return Dimension(names.ratios[ratio], scale, compensation)
    raise GateError("a dimension without a channel")


def _dimensions(element: Element, names: _Names) -> tuple[Dimension, ...]:
    return tuple(_dimension(one, names) for one in markup.children(element, "dimension"))


def _coordinates(element: Element, name: str = "coordinate") -> tuple[float, ...]:
    return tuple(markup.figure(one, "value") for one in markup.children(element, name))


def _rectangle(element: Element, names: _Names) -> Rectangle:
    return Rectangle(
        tuple(
            Range(_dimension(one, names), markup.maybe(one, "min"), markup.maybe(one, "max"))
            for one in markup.children(element, "dimension")
        )
    )


def _polygon(element: Element, names: _Names) -> Polygon:
    dimensions = _dimensions(element, names)
    vertices = [_coordinates(one) for one in markup.children(element, "vertex")]
    if len(dimensions) != 2 or any(len(vertex) != 2 for vertex in vertices):
        raise GateError("a polygon that is not in two dimensions")
    return Polygon(dimensions[0], dimensions[1], tuple((v[0], v[1]) for v in vertices))


def _ellipsoid(element: Element, names: _Names) -> Ellipsoid:
    return Ellipsoid(
        _dimensions(element, names),
        _coordinates(markup.child(element, "mean")),
        tuple(_coordinates(row, "entry") for row in markup.children(markup.child(element, "covarianceMatrix"), "row")),
        markup.figure(markup.child(element, "distanceSquare"), "value"),
    )


def _quadrant(element: Element, names: _Names) -> Quadrant:
    dividers = {
        markup.named(markup.needed(one, "id")): Divider(
            _dimension(one, names),
            tuple(markup.number(value.text, "a value of a divider") for value in markup.children(one, "value")),
        )
        for one in markup.children(element, "divider")
    }
    parts = {
        markup.named(markup.needed(one, "id")): {
            markup.named(markup.needed(place, "divider_ref")): markup.figure(place, "location")
            for place in markup.children(one, "position")
        }
        for one in markup.children(element, "Quadrant")
    }
    return Quadrant(dividers, parts)


def _boolean(element: Element, _names: _Names) -> Boolean:
    for child in element:
        operator = markup.tag(child)
        if operator in ("and", "or", "not"):
            operands = tuple(
                Operand(
                    markup.named(markup.needed(one, "ref")),
                    (markup.said(one, "use-as-complement") or "false").strip().lower() in ("true", "1"),
                )
                for one in markup.children(child, "gateReference")
            )
            return Boolean(cast(Literal["and", "or", "not"], operator), operands)
    raise GateError("a boolean gate that is no and, or, not")


_READERS: Final[dict[str, Callable[[Element, _Names], Gate]]] = {
    "RectangleGate": _rectangle,
    "PolygonGate": _polygon,
    "EllipsoidGate": _ellipsoid,
    "QuadrantGate": _quadrant,
    "BooleanGate": _boolean,
}
