"""Gates prepared for one sample: what is computed per event, which numbers it is compared with, and what remains in doubt.

Events are judged in single precision, which is what files hold. Where single precision may hide the answer (compensated
values near a bound, cells that a polygon's line crosses) an event is in doubt, and is judged again by the double-precision
definition; so the outcome is the definition's, whatever the machine's linear algebra rounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from cellwright.cytometry.compensation import Spillover
from cellwright.cytometry.definition import row_of, spillovers
from cellwright.cytometry.gate import (
    Boolean,
    Dimension,
    Ellipsoid,
    GatingStrategy,
    Polygon,
    Ratio,
    Rectangle,
    dimensions,
)
from cellwright.cytometry.raster import Raster, axis, raster
from cellwright.cytometry.threshold import on_file, on_light, single

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import FcsFile

    _Scale: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SINGLE: Final = 2.0**-24
"""The largest relative rounding of single precision."""
WAVER: Final = 1e-13
"""How far, relative to a bound, a scale's value may be off by rounding."""
RANGE_LEAST: Final = 262_144.0
"""Values of a channel are expected up to this, or up to its stated range; blocks with larger ones are in doubt."""


@dataclass(frozen=True, slots=True)
class Light:
    """A column of values in single precision.

    Attributes:
        name, compensation: what a dimension calls it.
        channel: index of the stored channel, where `row` is None.
        row: of the compensation of the sample, else.
        error: how far a value in single precision may be from its definition, absolute.
        relative: the same, as a part of the value.
    """

    name: str
    compensation: str
    channel: int
    row: int | None
    error: float
    relative: float

    @property
    def exact(self) -> bool:
        """Whether nothing is lost in single precision."""
        return not self.error and not self.relative


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison: at `sure` and above a value reaches the bound; below `least` it does not; between it is in doubt.

    Attributes:
        low, high: the same two on the scale of the light, in double precision; not a number where nothing reaches it.
        upper: whether the events below the bound are inside.
    """

    light: int
    low: float
    high: float
    least: np.float32
    sure: np.float32
    upper: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: all of its bounds."""

    bounds: tuple[Bound, ...]
    complement: bool


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon with its grid."""

    x: int
    y: int
    raster: Raster
    complement: bool


@dataclass(frozen=True, slots=True)
class Logic:
    """A boolean of other populations, by their numbers, each as it is or complemented."""

    operator: str
    operands: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True)
class Defined:
    """A gate judged by the definition for every event of its parent."""


Step: TypeAlias = Box | Area | Logic | Defined


@dataclass(frozen=True, slots=True)
class Mix:
    """Compensation in one go.

    Attributes:
        channels: stored channels that go in.
        weights: single precision, shape (rows, channels).
        limit: largest size of each input for which the errors of the lights hold, shape (channels,).
    """

    channels: tuple[int, ...]
    weights: NDArray[np.float32]
    limit: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything needed to judge blocks of events.

    Attributes:
        names: populations in the order of their dependence.
        parents: number of each population's parent, -1 for all events.
        stored: stored channels that are read.
        lights: values that gates look at.
        mix: compensation, None if no gate looks at compensated values.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    steps: tuple[Step, ...]
    stored: tuple[int, ...]
    lights: tuple[Light, ...]
    mix: Mix | None


def prepare(sample: FcsFile, strategy: GatingStrategy) -> Plan:
    """The plan of a strategy for a sample.

    Raises:
        GateError: a matrix cannot be inverted.
        FcsError: a gate looks at a channel that the file does not have.
    """
    return _Preparation(sample, strategy).plan()


class _Preparation:
    def __init__(self, sample: FcsFile, strategy: GatingStrategy) -> None:
        self._sample = sample
        self._order = strategy.order()
        self._matrices = spillovers(sample, strategy)
        self._lights: dict[tuple[str, str], int] = {}
        self._found: list[Light] = []
        self._rows: list[tuple[Spillover, int]] = []

    def plan(self) -> Plan:
        numbers = {name: n for n, (name, _node) in enumerate(self._order)}
        for _name, node in self._order:
            for dimension in dimensions(node.gate):
                self._look(dimension)
        mix = self._mix()
        steps = tuple(self._step(node.gate, numbers) for _name, node in self._order)
        wanted = {light.channel for light in self._found if light.row is None} | set(mix.channels if mix else ())
        return Plan(
            names=tuple(numbers),
            parents=tuple(numbers[node.parent] if node.parent else -1 for _name, node in self._order),
            steps=steps,
            stored=tuple(sorted(wanted)),
            lights=tuple(self._found),
            mix=mix,
        )

    def _look(self, dimension: Dimension) -> None:
        """Note which values a dimension needs; of a ratio only that its channels are there."""
        if isinstance(dimension.channel, Ratio):
            for one in (dimension.channel.numerator, dimension.channel.denominator):
                if row_of(one, dimension.compensation, self._matrices) is None:
                    self._sample.index(one)
            return
        key = (dimension.channel, dimension.compensation)
        if key in self._lights:
            return
        row = row_of(dimension.channel, dimension.compensation, self._matrices)
        self._lights[key] = len(self._found)
        if row is None:
            number = self._sample.index(dimension.channel)
            channel = self._sample.channels[number]
            wide = self._sample.kind(dimension.channel) not in ("float32", "uint8", "uint16")
            exact = not wide or (channel.bits <= 24)
            self._found.append(Light(*key, number, None, 0.0, 0.0 if exact else 2 * SINGLE))
        else:
            self._found.append(Light(*key, -1, len(self._rows), 0.0, 0.0))
            self._rows.append(row)

    def _mix(self) -> Mix | None:
        """The rows that are looked at, as one matrix over all channels that go in, and what rounding can hide."""
        import numpy as np

        if not self._rows:
            return None
        names = list(dict.fromkeys(name for spillover, _row in self._rows for name in spillover.detectors))
        channels = [self._sample.index(name) for name in names]
        weights = np.zeros((len(self._rows), len(names)))
        for out, (spillover, row) in zip(weights, self._rows, strict=True):
            out[[names.index(name) for name in spillover.detectors]] = spillover.unmixing()[row]
        limit = np.array([max(self._sample.channel(name).range, RANGE_LEAST) for name in names])
        limit = np.minimum(limit, 1e9)
        errors = np.abs(weights) @ limit * SINGLE * (len(names) + 4)
        self._found = [
            light if light.row is None else replace(light, error=float(errors[light.row])) for light in self._found
        ]
        return Mix(tuple(channels), weights.astype(np.float32), limit.astype(np.float32))

    def _step(self, gate: object, numbers: Mapping[str, int]) -> Step:
        match gate:
            case Rectangle() if all(isinstance(one.dimension.channel, str) for one in gate.ranges):
                bounds = [
                    self._bound(one.dimension, value, upper)
                    for one in gate.ranges
                    for value, upper in ((one.minimum, False), (one.maximum, True))
                    if value is not None
                ]
                return Box(tuple(bounds), gate.complement)
            case Polygon() if isinstance(gate.x.channel, str) and isinstance(gate.y.channel, str):
                return self._area(gate)
            case Boolean():
                return Logic(gate.operator, tuple((numbers[o.population], o.complement) for o in gate.operands))
            case Rectangle() | Polygon() | Ellipsoid():
                return Defined()
        raise AssertionError(gate)

    def _light(self, dimension: Dimension) -> tuple[int, Light]:
        assert isinstance(dimension.channel, str)
        number = self._lights[dimension.channel, dimension.compensation]
        return number, self._found[number]

    def _bound(self, dimension: Dimension, value: float, upper: bool) -> Bound:
        number, light = self._light(dimension)
        # Around its bound a scale may waver in the last bits; there the definition decides.
        waver = 0.0 if dimension.transform is None or math.isinf(value) else WAVER * max(1.0, abs(value))
        low, high = on_light(dimension.transform, (value - waver, value + waver))
        stored: tuple[float, ...] = (low, high)
        if light.row is None:
            stored = on_file(self._sample.channels[light.channel], stored)
        error = [light.error + light.relative * abs(one) if math.isfinite(one) else 0.0 for one in stored]
        return Bound(number, low, high, single(stored[0] - error[0]), single(stored[1] + error[1]), upper)

    def _area(self, gate: Polygon) -> Area:
        axes = []
        for dimension, values in ((gate.x, [v[0] for v in gate.vertices]), (gate.y, [v[1] for v in gate.vertices])):
            _number, light = self._light(dimension)
            axes.append(axis(min(values), max(values), *self._scales(dimension, light)))
        x, y = self._light(gate.x)[0], self._light(gate.y)[0]
        return Area(x, y, raster(gate.vertices, axes[0], axes[1]), gate.complement)

    def _scales(self, dimension: Dimension, light: Light) -> tuple[_Scale, _Scale, _Scale]:
        import numpy as np

        scale = dimension.transform
        channel = self._sample.channels[light.channel] if light.row is None else None

        def inverse(values: NDArray[np.float64]) -> NDArray[np.float64]:
            lit = values if scale is None else scale.inverse(values)
            return lit if channel is None or channel.linear else np.array(on_file(channel, tuple(lit.tolist())))

        def forward(values: NDArray[np.float64]) -> NDArray[np.float64]:
            lit = values if channel is None or channel.linear else channel.scale(values)
            return lit if scale is None else scale.apply(lit)

        def error(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return light.error + light.relative * np.where(np.isfinite(values), np.abs(values), 0.0)

        return inverse, forward, error
