"""Gates as data, in the terms of Gating-ML 2.0; what lies inside is computed by `gating.gate_sample`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from cellwright.cytometry.compensation import Spillover
from cellwright.cytometry.fault import GateError
from cellwright.cytometry.transform import Transform

UNCOMPENSATED: Final = "uncompensated"
FROM_FILE: Final = "FCS"
GATES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """A (x - B) / (y - C) of two channels (fratio of Gating-ML)."""

    numerator: str
    denominator: str
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0


@dataclass(frozen=True, slots=True)
class Dimension:
    """What is looked at.

    Attributes:
        channel: a channel's or a fluorochrome's name, or a ratio of two.
        transform: the scale of the gate; None for the scale of the light.
        compensation: `uncompensated`, `FCS` for the matrix of the file, or the name of a matrix of the strategy.
    """

    channel: str | Ratio
    transform: Transform | None = None
    compensation: str = UNCOMPENSATED


@dataclass(frozen=True, slots=True)
class Range:
    """Values from `minimum` to below `maximum`, on the scale of the dimension; None where there is no bound."""

    dimension: Dimension
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if any(bound is not None and math.isnan(bound) for bound in (self.minimum, self.maximum)):
            raise GateError("a bound of a range is not a number")


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Events inside every range."""

    ranges: tuple[Range, ...]
    complement: bool = False

    def __post_init__(self) -> None:
        if not self.ranges:
            raise GateError("a rectangle without a range")


@dataclass(frozen=True, slots=True)
class Polygon:
    """Events inside a closed line of vertices or on it; where the line crosses itself, by the winding number."""

    x: Dimension
    y: Dimension
    vertices: tuple[tuple[float, float], ...]
    complement: bool = False

    def __post_init__(self) -> None:
        if len(self.vertices) < 3:
            raise GateError(f"a polygon of {len(self.vertices)} vertices, expected three or more")
        if not all(math.isfinite(value) for vertex in self.vertices for value in vertex):
            raise GateError("a vertex of a polygon is not finite")


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Events whose squared Mahalanobis distance from the mean is at most `distance_square`."""

    dimensions: tuple[Dimension, ...]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    distance_square: float
    complement: bool = False

    def __post_init__(self) -> None:
        import numpy as np

        n = len(self.dimensions)
        if n < 1 or len(self.mean) != n or len(self.covariance) != n or any(len(row) != n for row in self.covariance):
            raise GateError(f"an ellipsoid of {n} dimensions with a mean or covariance of another size")
        matrix = np.array(self.covariance, np.float64)
        if not np.isfinite(matrix).all() or not all(map(math.isfinite, self.mean)):
            raise GateError("an ellipsoid with a value that is not finite")
        if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix)[0] <= 0 or not self.distance_square >= 0:
            raise GateError("the covariance of an ellipsoid is not positive definite, or its distance is negative")


@dataclass(frozen=True, slots=True)
class Divider:
    """Values at which a dimension is divided; n of them make n + 1 parts."""

    dimension: Dimension
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or not all(map(math.isfinite, self.values)):
            raise GateError("a divider without a value, or with one that is not finite")


@dataclass(frozen=True, slots=True)
class Quadrant:
    """Parts of a space that dividers cut; each part is a population of its own name.

    Attributes:
        dividers: by name.
        parts: population -> divider -> a value within the part's interval.
    """

    dividers: Mapping[str, Divider]
    parts: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        for name, places in self.parts.items():
            for divider in places:
                if divider not in self.dividers:
                    raise GateError(f"quadrant {name!r} speaks of a divider {divider!r} that is not there")

    def rectangle(self, part: str) -> Rectangle:
        """The ranges of one part."""
        ranges = []
        for name, place in self.parts[part].items():
            divider = self.dividers[name]
            ordered = sorted(divider.values)
            below = [value for value in ordered if value <= place]
            above = [value for value in ordered if value > place]
            ranges.append(Range(divider.dimension, below[-1] if below else None, above[0] if above else None))
        return Rectangle(tuple(ranges))


@dataclass(frozen=True, slots=True)
class Operand:
    """Another population, or what is not in it."""

    population: str
    complement: bool = False


@dataclass(frozen=True, slots=True)
class Boolean:
    """Events in all, in any, or not in the one population."""

    operator: Literal["and", "or", "not"]
    operands: tuple[Operand, ...]

    def __post_init__(self) -> None:
        if not self.operands or (self.operator == "not" and len(self.operands) != 1):
            raise GateError(f"a boolean {self.operator!r} of {len(self.operands)} populations")


Gate: TypeAlias = Rectangle | Polygon | Ellipsoid | Quadrant | Boolean


@dataclass(frozen=True, slots=True)
class Node:
    """A gate in the hierarchy: only events of its parent population are inside; an empty parent means all events."""

    gate: Gate
    parent: str = ""


@dataclass(frozen=True, slots=True)
class GatingStrategy:
    """All gates of an analysis.

    Attributes:
        gates: name -> gate with its parent; in any order.
        matrices: name -> spillover, for dimensions that name it.

    Raises:
        GateError: a population that is spoken of is not there, two have one name, or they wait for each other.
    """

    gates: Mapping[str, Node]
    matrices: Mapping[str, Spillover] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.gates) > GATES_MAX:
            raise GateError(f"{len(self.gates)} gates, at most {GATES_MAX} are applied")
        names = [name for name, _node in self._named()]
        if len(set(names)) != len(names):
            raise GateError(f"two populations are called {next(n for n in names if names.count(n) > 1)!r}")
        self.order()
        for name, node in self.gates.items():
            for dimension in dimensions(node.gate):
                if dimension.compensation not in (UNCOMPENSATED, FROM_FILE, *self.matrices):
                    raise GateError(f"gate {name!r} speaks of a matrix {dimension.compensation!r} that is not there")

    @property
    def populations(self) -> tuple[str, ...]:
        """Every population by name: gates, and the parts of quadrants, in the order of the strategy."""
        return tuple(name for name, _node in self._named())

    def parent(self, population: str) -> str:
        """The parent population, empty for all events. Raises GateError for a name that is not there."""
        for name, node in self._named():
            if name == population:
                return node.parent
        raise GateError(f"no population {population!r}; there are {', '.join(self.populations)}")

    def order(self) -> tuple[tuple[str, Node], ...]:
        """Populations, each after its parent and after those it is made of; a part of a quadrant as a rectangle.

        Raises:
            GateError: a population that is spoken of is not there, or they wait for each other.
        """
        waiting = dict(self._named())
        done: dict[str, Node] = {}
        stack = list(reversed(waiting))
        path: set[str] = set()
        while stack:
            name = stack[-1]
            if name in done:
                stack.pop()
                continue
            needs = [need for need in _needs(waiting[name]) if need not in done]
            if not needs:
                done[name] = waiting[name]
                path.discard(name)
                stack.pop()
                continue
            path.add(name)
            for need in needs:
                if need not in waiting:
                    raise GateError(f"gate {name!r} speaks of a population {need!r} that is not there")
                if need in path:
                    raise GateError(f"populations {name!r} and {need!r} wait for each other")
            stack += needs
        return tuple(done.items())

    def _named(self) -> Iterator[tuple[str, Node]]:
        for name, node in self.gates.items():
            if isinstance(node.gate, Quadrant):
                for part in node.gate.parts:
                    yield part, Node(node.gate.rectangle(part), node.parent)
            else:
                yield name, node


def _needs(node: Node) -> list[str]:
    needs = [node.parent] if node.parent else []
    if isinstance(node.gate, Boolean):
        needs += [operand.population for operand in node.gate.operands]
    return needs


def dimensions(gate: Gate) -> tuple[Dimension, ...]:
    """What a gate looks at."""
    match gate:
        case Rectangle():
            return tuple(one.dimension for one in gate.ranges)
        case Polygon():
            return gate.x, gate.y
        case Ellipsoid():
            return gate.dimensions
        case Quadrant():
            return tuple(divider.dimension for divider in gate.dividers.values())
        case Boolean():
            return ()
