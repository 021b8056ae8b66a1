"""What gates mean, event by event in double precision: slow, plain, and what every faster way must agree with.

Sums are taken term by term in a fixed order, so the answer does not depend on a machine's linear algebra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cellwright.cytometry.compensation import Spillover, weighted
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
    Polygon,
    Ratio,
    Rectangle,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import FcsFile

ROUNDING = 1e-12
"""How far from a polygon's edge, relative to its coordinates, an event still lies on it."""


class Values(Protocol):
    """Where the scaled values of some events come from."""

    def scaled(self, channel: str) -> NDArray[np.float64]:
        """Values of a channel after gain, amplifier and time step."""
        ...


class Compensated:
    """Values of dimensions for some events, each computed once."""

    def __init__(self, values: Values, spillovers: Mapping[str, Spillover]) -> None:
        self._values = values
        self._spillovers = spillovers
        self._found: dict[tuple[str, str], NDArray[np.float64]] = {}

    def of(self, dimension: Dimension) -> NDArray[np.float64]:
        """Values on the scale of the gate, shape (events,)."""
        import numpy as np

        channel, compensation = dimension.channel, dimension.compensation
        if isinstance(channel, Ratio):
            over, under = self.light(channel.numerator, compensation), self.light(channel.denominator, compensation)
            with np.errstate(all="ignore"):
                light = channel.a * (over - channel.b) / (under - channel.c)
        else:
            light = self.light(channel, compensation)
        return light if dimension.transform is None else dimension.transform.apply(light)

    def light(self, channel: str, compensation: str) -> NDArray[np.float64]:
        """Compensated values of a channel on the scale of the light, shape (events,)."""
        key = (channel, compensation)
        if key not in self._found:
            row = row_of(channel, compensation, self._spillovers)
            if row is None:
                self._found[key] = self._values.scaled(channel)
            else:
                spillover, n = row
                columns = [self._values.scaled(detector) for detector in spillover.detectors]
                self._found[key] = weighted(spillover.unmixing()[n : n + 1], columns)[0]
        return self._found[key]


def spillovers(sample: FcsFile, strategy: GatingStrategy) -> dict[str, Spillover]:
    """The matrices that a strategy may name, with that of the file; those that change nothing are left out.

    Raises:
        GateError: a matrix that a gate uses speaks of a channel that the file does not have.
    """
    found = {name: matrix for name, matrix in strategy.matrices.items() if not matrix.trivial}
    if sample.spillover is not None and not sample.spillover.trivial:
        found[FROM_FILE] = sample.spillover
    return found


def row_of(channel: str, compensation: str, matrices: Mapping[str, Spillover]) -> tuple[Spillover, int] | None:
    """The matrix and the row that give a channel's compensated values; None where it is not compensated."""
    if compensation == UNCOMPENSATED or compensation not in matrices:
        return None
    spillover = matrices[compensation]
    for names in (spillover.fluorochromes, spillover.detectors):
        if channel in names and (names is spillover.fluorochromes or len(names) == len(spillover.matrix)):
            return spillover, names.index(channel)
    return None


def inside(gate: Gate, of: Compensated, members: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Which events are inside a gate by itself, without its parent, shape (events,)."""
    match gate:
        case Rectangle():
            result = _in_rectangle(gate, of)
        case Polygon():
            result = in_polygon(gate.vertices, of.of(gate.x), of.of(gate.y))
        case Ellipsoid():
            result = in_ellipsoid(gate, [of.of(dimension) for dimension in gate.dimensions])
        case Boolean():
            return _boolean(gate, members)
        case _:
            raise GateError("a quadrant gate is asked part by part")
    return ~result if gate.complement else result


def evaluate(order: Sequence[tuple[str, Node]], of: Compensated) -> dict[str, NDArray[np.bool_]]:
    """Members of every population, in the order in which they depend on each other."""
    members: dict[str, NDArray[np.bool_]] = {}
    for name, node in order:
        found = inside(node.gate, of, members)
        members[name] = found & members[node.parent] if node.parent else found
    return members


def _boolean(gate: Boolean, members: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    parts = [~members[o.population] if o.complement else members[o.population] for o in gate.operands]
    if gate.operator == "not":
        return ~parts[0]
    result = parts[0].copy()
    for part in parts[1:]:
        if gate.operator == "and":
            result &= part
        else:
            result |= part
    return result


def _in_rectangle(gate: Rectangle, of: Compensated) -> NDArray[np.bool_]:
    import numpy as np

    result: NDArray[np.bool_] | None = None
    for one in gate.ranges:
        values = of.of(one.dimension)
        if result is None:
            result = np.ones(len(values), np.bool_)
        if one.minimum is not None:
            result &= values >= one.minimum
        if one.maximum is not None:
            result &= values < one.maximum
    assert result is not None
    return result


def in_polygon(
    vertices: Sequence[tuple[float, float]], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether points are inside a polygon by the winding number, or on its line."""
    import numpy as np

    winding = np.zeros(len(x), np.int32)
    edge = np.zeros(len(x), np.bool_)
    with np.errstate(all="ignore"):
        for (x1, y1), (x2, y2) in zip(vertices, (*vertices[1:], vertices[0]), strict=True):
            first, second = (x2 - x1) * (y - y1), (x - x1) * (y2 - y1)
            left = first - second
            winding += (y1 <= y) & (y < y2) & (left > 0)
            winding -= (y2 <= y) & (y < y1) & (left < 0)
            between = (y >= min(y1, y2)) & (y <= max(y1, y2)) & (x >= min(x1, x2)) & (x <= max(x1, x2))
            edge |= between & (np.abs(left) <= ROUNDING * (np.abs(first) + np.abs(second)))
    return np.asarray((winding != 0) | edge, np.bool_)


def in_ellipsoid(gate: Ellipsoid, values: Sequence[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Whether points are inside an ellipsoid or on its surface."""
    import numpy as np

    shape = np.linalg.inv(np.array(gate.covariance, np.float64))
    away = [value - mean for value, mean in zip(values, gate.mean, strict=True)]
    with np.errstate(all="ignore"):
        turned = weighted(shape, away)
        distance = turned[0] * away[0]
        for one, offset in zip(turned[1:], away[1:], strict=True):
            distance += one * offset
        return np.asarray(distance <= gate.distance_square, np.bool_)
