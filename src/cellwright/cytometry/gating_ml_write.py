"""Gates written as Gating-ML 2.0, so that they are read back as they were."""

from __future__ import annotations

import math
from xml.etree import ElementTree

from cellwright.cytometry.compensation import Spillover
from cellwright.cytometry.fault import GateError
from cellwright.cytometry.gate import (
    Boolean,
    Dimension,
    Ellipsoid,
    Gate,
    GatingStrategy,
    Node,
    Operand,
    Polygon,
    Quadrant,
    Ratio,
    Rectangle,
    dimensions,
)
from cellwright.cytometry.markup import Element, identifier
from cellwright.cytometry.transform import Asinh, Bounded, FlowJoLog, Hyperlog, Linear, Log, Logicle, Transform

SPACE = "http://www.isac-net.org/std/Gating-ML/v2.0/"


def write(strategy: GatingStrategy) -> str:
    """The document of a strategy.

    A gate of the events outside a shape, which Gating-ML does not have, becomes the shape, called `… (inside)`, and a
    boolean gate.

    Raises:
        GateError: a scale that Gating-ML does not have.
    """
    root = ElementTree.Element(
        "gating:Gating-ML",
        {
            "xmlns:gating": SPACE + "gating",
            "xmlns:transforms": SPACE + "transformations",
            "xmlns:data-type": SPACE + "datatypes",
        },
    )
    names = _named(strategy)
    for what, name in names.items():
        _transformation(root, name, what)
    for name, matrix in strategy.matrices.items():
        _matrix(root, name, matrix)
    for name, node in strategy.gates.items():
        _gate(root, name, node, names, set(strategy.populations))
    ElementTree.indent(root, "  ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _named(strategy: GatingStrategy) -> dict[Transform | Ratio, str]:
    """A name for every scale and every ratio that the gates use, in the order of their use."""
    names: dict[Transform | Ratio, str] = {}
    taken = {*strategy.gates, *strategy.populations, *strategy.matrices}
    for node in strategy.gates.values():
        for dimension in dimensions(node.gate):
            for what in (dimension.transform, dimension.channel):
                if what is not None and not isinstance(what, str) and what not in names:
                    number = len(names) + 1
                    while f"{type(what).__name__}_{number}" in taken:
                        number += 1
                    names[what] = f"{type(what).__name__}_{number}"
                    taken.add(names[what])
    return names


def _number(value: float) -> str:
    return repr(float(value))


def _add(parent: Element, tag: str, **attributes: float | str) -> Element:
    """A child whose attributes are in the namespace of its tag, unless they name another with two underscores."""
    space = tag.partition(":")[0]
    said = {f"{space}:{key}": value if isinstance(value, str) else _number(value) for key, value in attributes.items()}
    return ElementTree.SubElement(parent, tag, said)


def _channel(parent: Element, name: str) -> None:
    _add(parent, "data-type:fcs-dimension", name=name)


def _transformation(root: Element, name: str, what: Transform | Ratio) -> None:
    element = _add(root, "transforms:transformation", id=name)
    if isinstance(what, Ratio):
        ratio = _add(element, "transforms:fratio", A=what.a, B=what.b, C=what.c)
        _channel(ratio, what.numerator)
        _channel(ratio, what.denominator)
        return
    bounds: dict[str, float | str] = {}
    if isinstance(what, FlowJoLog):
        what = Bounded(Log(what.offset * 10**what.decades, what.decades), 0.0)
    if isinstance(what, Bounded):
        bounds = {k: v for k, v in (("boundMin", what.minimum), ("boundMax", what.maximum)) if math.isfinite(v)}
        what = what.scale
    match what:
        case Linear():
            _add(element, "transforms:flin", T=what.top, A=what.extra, **bounds)
        case Log():
            _add(element, "transforms:flog", T=what.top, M=what.decades, **bounds)
        case Asinh():
            _add(element, "transforms:fasinh", T=what.top, M=what.decades, A=what.extra, **bounds)
        case Logicle() | Hyperlog():
            tag = "logicle" if isinstance(what, Logicle) else "hyperlog"
            _add(element, f"transforms:{tag}", T=what.top, W=what.width, M=what.decades, A=what.extra, **bounds)
        case _:
            raise GateError(f"Gating-ML has no scale for {what}")


def _matrix(root: Element, name: str, matrix: Spillover) -> None:
    element = _add(root, "transforms:spectrumMatrix", id=identifier(name))
    for tag, channels in (("fluorochromes", matrix.fluorochromes), ("detectors", matrix.detectors)):
        listed = _add(element, f"transforms:{tag}")
        for channel in channels:
            _channel(listed, channel)
    for row in matrix.matrix:
        spectrum = _add(element, "transforms:spectrum")
        for value in row:
            _add(spectrum, "transforms:coefficient", value=value)


def _gate(root: Element, name: str, node: Node, names: dict[Transform | Ratio, str], taken: set[str]) -> None:
    gate = node.gate
    if not isinstance(gate, (Rectangle, Polygon, Ellipsoid)) or not gate.complement:
        _shape(root, name, node.parent, gate, names)
        return
    inner = f"{name} (inside)"
    if inner in taken:
        raise GateError(f"a population is called {inner!r} already")
    _shape(root, inner, "", gate, names)
    _shape(root, name, node.parent, Boolean("not", (Operand(inner),)), names)


def _shape(root: Element, name: str, parent: str, gate: Gate, names: dict[Transform | Ratio, str]) -> None:
    element = _add(root, f"gating:{type(gate).__name__}Gate", id=identifier(name))
    if parent:
        element.set("gating:parent_id", identifier(parent))
    match gate:
        case Rectangle():
            for one in gate.ranges:
                dimension = _dimension(element, "dimension", one.dimension, names)
                for key, bound in (("min", one.minimum), ("max", one.maximum)):
                    if bound is not None and math.isfinite(bound):
                        dimension.set(f"gating:{key}", _number(bound))
        case Polygon():
            for each in (gate.x, gate.y):
                _dimension(element, "dimension", each, names)
            for vertex in gate.vertices:
                _values(_add(element, "gating:vertex"), "coordinate", vertex)
        case Ellipsoid():
            for each in gate.dimensions:
                _dimension(element, "dimension", each, names)
            _values(_add(element, "gating:mean"), "coordinate", gate.mean)
            covariance = _add(element, "gating:covarianceMatrix")
            for row in gate.covariance:
                _values(_add(covariance, "gating:row"), "entry", row)
            ElementTree.SubElement(element, "gating:distanceSquare", {"data-type:value": _number(gate.distance_square)})
        case Quadrant():
            _quadrant(element, gate, names)
        case Boolean():
            operator = _add(element, f"gating:{gate.operator}")
            for operand in gate.operands:
                reference = _add(operator, "gating:gateReference", ref=identifier(operand.population))
                if operand.complement:
                    reference.set("gating:use-as-complement", "true")


def _quadrant(element: Element, gate: Quadrant, names: dict[Transform | Ratio, str]) -> None:
    for name, divider in gate.dividers.items():
        one = _dimension(element, "divider", divider.dimension, names)
        one.set("gating:id", identifier(name))
        for value in divider.values:
            ElementTree.SubElement(one, "gating:value").text = _number(value)
    for name, places in gate.parts.items():
        part = _add(element, "gating:Quadrant", id=identifier(name))
        for divider_name, location in places.items():
            _add(part, "gating:position", divider_ref=identifier(divider_name), location=location)


def _dimension(element: Element, tag: str, dimension: Dimension, names: dict[Transform | Ratio, str]) -> Element:
    one = ElementTree.SubElement(
        element, f"gating:{tag}", {"gating:compensation-ref": identifier(dimension.compensation)}
    )
    if dimension.transform is not None:
        one.set("gating:transformation-ref", names[dimension.transform])
    if isinstance(dimension.channel, Ratio):
        ElementTree.SubElement(
            one, "data-type:new-dimension", {"data-type:transformation-ref": names[dimension.channel]}
        )
    else:
        _channel(one, dimension.channel)
    return one


def _values(element: Element, tag: str, values: tuple[float, ...]) -> None:
    for value in values:
        ElementTree.SubElement(element, f"gating:{tag}", {"data-type:value": _number(value)})
