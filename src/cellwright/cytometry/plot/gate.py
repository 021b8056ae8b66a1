"""Gates drawn over the events of their parents: what a person looks at before signing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import cos, inf, isfinite, pi, sin
from typing import TYPE_CHECKING, Final, Literal

from cellwright.cytometry.definition import Compensated, spillovers
from cellwright.cytometry.gate import (
    Boolean,
    Dimension,
    Ellipsoid,
    Gate,
    GatingStrategy,
    Polygon,
    Quadrant,
    Range,
    Ratio,
    Rectangle,
)
from cellwright.cytometry.plot.axis import Axis, Scale, fitting
from cellwright.cytometry.plot.picture import Picture, density_plot, dot_plot, histogram
from cellwright.cytometry.plot.shape import Band, Cross, Outline, Shape
from cellwright.cytometry.transform import Log, Logicle, Transform
from cellwright.language import _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import Channel, FcsFile
    from cellwright.cytometry.gating import Membership

    Values = NDArray[np.float64]

OnAxis = Callable[[int, list[float]], list[float]]
"""Values on the scale of the gate's n-th dimension -> on the scale of its axis."""
Style = Literal["density", "dot"]
CORNERS: Final = 72
"""Points by which an ellipse is drawn."""


@dataclass(frozen=True)
class View:
    """A sample with its gates and members, ready to be drawn.

    Attributes:
        scales: channel -> the scale to show it on, where the gates name none; None for a linear one.
        names: population -> what to call it.
    """

    sample: "FcsFile"
    strategy: GatingStrategy
    members: "Membership"
    scales: Mapping[str, Scale | None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    style: Style = "density"


class _Whole:
    """Scaled values of all events."""

    def __init__(self, sample: "FcsFile") -> None:
        self._sample = sample

    def scaled(self, channel: str) -> "Values":
        import numpy as np

        return self._sample.column(channel, scaled=True).astype(np.float64)


def draw_gates(view: View) -> Iterator[tuple[str, Picture]]:
    """A picture for each gate, by its name, in the order of the strategy; what is put together from others has none."""
    source = Compensated(_Whole(view.sample), spillovers(view.sample, view.strategy))
    for name, node in view.strategy.gates.items():
        seen = _seen(node.gate)
        if seen:
            yield name, _drawn(view, source, name, node.parent, node.gate, seen)


def _seen(gate: Gate) -> tuple[Dimension, ...]:
    """The one or two dimensions on which a gate is shown."""
    match gate:
        case Rectangle():
            return tuple(one.dimension for one in gate.ranges)[:2]
        case Polygon():
            return gate.x, gate.y
        case Ellipsoid():
            return gate.dimensions[:2]
        case Quadrant():
            return tuple(divider.dimension for divider in gate.dividers.values())[:2]
        case Boolean():
            return ()


def _drawn(view: View, source: Compensated, name: str, parent: str, gate: Gate, seen: tuple[Dimension, ...]) -> Picture:
    light = [source.of(Dimension(one.channel, None, one.compensation)) for one in seen]
    axes = [
        fitting(_title(view.sample, one), values, _scale(view, one)) for one, values in zip(seen, light, strict=True)
    ]
    if parent:
        inside = view.members.member(parent)
        light = [values[inside] for values in light]
    among = len(light[0])
    shape = _shape(view, name, gate, seen, among, axes)
    title = _("{gate} of {parent}").format(
        gate=_called(view, name), parent=_called(view, parent) if parent else _("all events")
    )
    if len(axes) == 1:
        return histogram(light[0], axes[0], title, [shape])
    draw = density_plot if view.style == "density" else dot_plot
    return draw(light[0], light[1], (axes[0], axes[1]), title, [shape])


def _called(view: View, name: str) -> str:
    return view.names.get(name, name)


def _title(sample: "FcsFile", dimension: Dimension) -> str:
    if isinstance(dimension.channel, Ratio):
        return f"{dimension.channel.numerator} / {dimension.channel.denominator}"
    known = {channel.name: channel for channel in sample.channels}
    stain = known[dimension.channel].stain if dimension.channel in known else ""
    return f"{stain} ({dimension.channel})" if stain and stain != dimension.channel else dimension.channel


def _scale(view: View, dimension: Dimension) -> Scale | None:
    if dimension.transform is not None:
        return dimension.transform
    if isinstance(dimension.channel, Ratio):
        return None
    if dimension.channel in view.scales:
        return view.scales[dimension.channel]
    known = {channel.name: channel for channel in view.sample.channels}
    return usual_scale(known[dimension.channel]) if dimension.channel in known else None


def usual_scale(channel: "Channel") -> Scale | None:
    """The scale on which people show a channel if nobody said: linear for scatter and time, else as it was recorded."""
    name = channel.name.upper()
    if name.startswith(("FSC", "SSC", "FS ", "SS ", "TIME")) or name in {"FS", "SS", "WIDTH"}:
        return None
    if channel.decades:
        return Log(10**channel.decades * channel.log_zero, channel.decades)
    return Logicle(channel.range, 0.5, 4.5, 0.0) if channel.range > 4096 else None


def _share(view: View, name: str, among: int) -> str:
    percent = 100 * view.members.counts[name] / among if among else 0.0
    shown = f"{percent:.3f}" if 0 < percent < 1 else f"{percent:.1f}"
    return f"{_called(view, name)} {shown} %"


def _shape(view: View, name: str, gate: Gate, seen: tuple[Dimension, ...], among: int, axes: list[Axis]) -> Shape:
    def on(n: int, values: list[float]) -> list[float]:
        return _on_axis(seen[n].transform, axes[n], values)

    match gate:
        case Quadrant():
            return _cross(view, gate, among, on)
        case Rectangle():
            bounds = [_bounds(one) for one in gate.ranges[:2]]
            if len(bounds) == 1:
                low, high = on(0, bounds[0])
                return Band(low, high, _share(view, name, among))
            (left, right), (low, high) = on(0, bounds[0]), on(1, bounds[1])
            corners = [(left, low), (right, low), (right, high), (left, high)]
        case Polygon():
            across, up = on(0, [v[0] for v in gate.vertices]), on(1, [v[1] for v in gate.vertices])
            corners = list(zip(across, up, strict=True))
        case Ellipsoid():
            ring = _ring(gate)
            if len(gate.dimensions) == 1:
                low, high = on(0, [min(x for x, _y in ring), max(x for x, _y in ring)])
                return Band(low, high, _share(view, name, among))
            corners = list(zip(on(0, [x for x, _y in ring]), on(1, [y for _x, y in ring]), strict=True))
        case Boolean():
            raise AssertionError("a boolean gate has no place on an axis")
    return Outline(tuple(corners), _share(view, name, among))


def _bounds(one: Range) -> list[float]:
    return [-inf if one.minimum is None else one.minimum, inf if one.maximum is None else one.maximum]


def _on_axis(transform: Transform | None, axis: Axis, values: list[float]) -> list[float]:
    """Values on the gate's scale, as values on the axis's scale; what is infinite stays so."""
    import numpy as np

    if transform is axis.scale:
        return values
    finite = [value if isfinite(value) else 0.0 for value in values]
    light = np.array(finite) if transform is None else transform.inverse(np.array(finite))
    shown = axis.transformed(light)
    return [float(place) if isfinite(value) else value for place, value in zip(shown, values, strict=True)]


def _ring(gate: Ellipsoid) -> list[tuple[float, float]]:
    """Points of the ellipse in the first two dimensions, or the ends of an interval."""
    import numpy as np

    reach = gate.distance_square**0.5
    if len(gate.dimensions) == 1:
        half = reach * gate.covariance[0][0] ** 0.5
        return [(gate.mean[0] - half, 0.0), (gate.mean[0] + half, 0.0)]
    root = np.linalg.cholesky(np.array(gate.covariance)[:2, :2])
    turns = [2 * pi * n / CORNERS for n in range(CORNERS)]
    points = root @ np.array([[cos(t) for t in turns], [sin(t) for t in turns]]) * reach
    return [(float(x) + gate.mean[0], float(y) + gate.mean[1]) for x, y in points.T]


def _cross(view: View, gate: Quadrant, among: int, on: OnAxis) -> Shape:
    """The dividers, and each part's share in its corner."""
    names = list(gate.dividers)[:2]
    places = [on(n, list(gate.dividers[name].values)) for n, name in enumerate(names)]
    labels: dict[int, str] = {}
    for part, at in gate.parts.items():
        corner = 0
        for n, name in enumerate(names):
            if name in at and at[name] >= gate.dividers[name].values[0]:
                corner += 1 << n
        labels[corner] = _share(view, part, among)
    return Cross(
        tuple(places[0]), tuple(places[1]) if len(places) > 1 else (), tuple(labels.get(n, "") for n in range(4))
    )
