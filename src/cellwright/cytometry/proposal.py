"""Gates found in the events by a template: a proposal that a person looks at, moves if need be, and approves.

A template is an analysis file whose gates say how to find them instead of where they are. What comes out is an analysis
with status `proposed`; every figure computed with it says so. The search is deterministic, so a proposal can be repeated.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import yaml

from cellwright.cytometry.analysis.definition import Analysis, Bounds, Corners, Find, GateEntry
from cellwright.cytometry.analysis.gates import Panel, contradictions, inline
from cellwright.cytometry.analysis.reading import AnalysisError, Sheet
from cellwright.cytometry.definition import Compensated, spillovers
from cellwright.cytometry.density import Cut, NoCut, between_components, hill, minimum_density, tail
from cellwright.cytometry.gate import Dimension
from cellwright.cytometry.gating import gate_sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import FcsFile

    Mask = NDArray[np.bool_]
    Values = NDArray[np.float64]

DIGITS = 5
"""Significant digits of a proposed bound: finer ones nobody could have drawn."""
ELLIPSE_CORNERS = 48


@dataclass(frozen=True, slots=True)
class Found:
    """How one gate was found.

    Attributes:
        clearness: 0 to 1, as `density.Cut` says; 1 for an outline.
        problem: why nothing was found; the gate is then left open to a person.
    """

    gate: str
    method: str
    clearness: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed analysis, and how each gate of it was found."""

    analysis: Analysis
    found: tuple[Found, ...]

    @property
    def complete(self) -> bool:
        """Whether every gate was found."""
        return not any(one.problem for one in self.found)

    def yaml(self) -> str:
        """The analysis as a file."""
        return yaml.safe_dump(msgspec.to_builtins(self.analysis), allow_unicode=True, sort_keys=False, width=120)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a found population agrees with one drawn by hand.

    Attributes:
        precision: share of the found events that were drawn too.
        recall: share of the drawn events that were found too.
    """

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def agreement(found: "Mask", drawn: "Mask") -> Agreement:
    """How well two sets of events agree; two empty ones agree fully."""
    both, f, d = int((found & drawn).sum()), int(found.sum()), int(drawn.sum())
    if not f and not d:
        return Agreement(1.0, 1.0)
    return Agreement(both / f if f else 0.0, both / d if d else 0.0)


class _Whole:
    def __init__(self, sample: "FcsFile") -> None:
        self._sample = sample

    def scaled(self, channel: str) -> "Values":
        import numpy as np

        return self._sample.column(channel, scaled=True).astype(np.float64)


def propose(template: Sheet, sample: "FcsFile") -> Proposal:
    """Find the gates of a template in a sample.

    A gate that cannot be found (one peak where two were looked for) becomes an open range, and `found` says why.

    Raises:
        AnalysisError: the template contradicts itself, or a gate stands before its parent.
        FcsError, GateError: the file lacks a channel, or a matrix cannot be inverted.
    """
    problems = contradictions(template, template=True)
    if problems:
        raise AnalysisError(*problems)
    panel, made, found = Panel(template.analysis), list[GateEntry](), list[Found]()
    for n, entry in enumerate(template.analysis.gates):
        if entry.find is None:
            made.append(entry)
            continue
        if entry.parent and entry.parent not in {one.gate for one in made}:
            raise AnalysisError(
                template.problem(("gates", n, "parent"), "in a template a parent stands before its gates")
            )
        so_far = _with_gates(template, tuple(made))
        inside, values = _of_parent(so_far, panel, sample, entry)
        placed, how = _place(entry, entry.find, panel, [one[inside] for one in values])
        made.append(placed)
        found.append(how)
    analysis = msgspec.structs.replace(template.analysis, gates=tuple(made), status="proposed")
    return Proposal(analysis, tuple(found))


def _with_gates(template: Sheet, gates: tuple[GateEntry, ...]) -> Sheet:
    analysis = msgspec.structs.replace(template.analysis, gates=gates)
    return Sheet(analysis, template.sha256, template.lines)


def _of_parent(so_far: Sheet, panel: Panel, sample: "FcsFile", entry: GateEntry) -> tuple["Mask", list["Values"]]:
    """Which events are in the parent, and the values to look at on their scales, of all events."""
    import numpy as np

    assert entry.find is not None
    strategy = inline(so_far)
    source = Compensated(_Whole(sample), spillovers(sample, strategy))
    values = [source.of(panel.dimension(name, scaled=True)) for name in entry.find.on]
    inside = gate_sample(sample, strategy).member(entry.parent) if entry.parent else np.ones(sample.events, np.bool_)
    for one in values:
        inside = inside & np.isfinite(one)
    return inside, values


def _place(entry: GateEntry, find: Find, panel: Panel, values: list["Values"]) -> tuple[GateEntry, Found]:
    import numpy as np

    shown = [panel.dimension(name, scaled=True) for name in find.on]
    try:
        if find.method in ("hill", "ellipse"):
            points = np.column_stack(values)
            corners = hill(points, level=float(find.level)) if find.method == "hill" else _ellipse(points, find)
            return _outlined(entry, find, shown, corners), Found(entry.gate, find.method, 1.0)
        cut = _cut(find, shown[0], values[0])
    except NoCut as error:
        open_range = {find.on[0]: Bounds()}
        return _settled(entry, ranges=open_range), Found(entry.gate, find.method, 0.0, str(error))
    at = _light(shown[0], cut.at)
    bounds = Bounds(low=at) if find.keep == "above" else Bounds(high=at)
    return _settled(entry, ranges={find.on[0]: bounds}), Found(entry.gate, find.method, round(cut.clearness, 4))


def _cut(find: Find, dimension: Dimension, values: "Values") -> Cut:
    low, high = (None if bound is None else _shown(dimension, float(bound)) for bound in (find.low, find.high))
    match find.method:
        case "minimum_density":
            return minimum_density(values, low=low, high=high)
        case "tail":
            cut = tail(values, side=find.keep, spreads=float(find.spreads))
        case _:
            cut = between_components(values)
    if (low is not None and cut.at < low) or (high is not None and cut.at > high):
        raise NoCut("the cut does not lie where the template expects it")
    return cut


def _ellipse(points: "Values", find: Find) -> "Values":
    import numpy as np

    from cellwright.cytometry.mixture import fit_mixture

    try:
        fitted = fit_mixture(points, find.components)
    except ValueError as error:
        raise NoCut(str(error)) from None
    turns = np.arange(ELLIPSE_CORNERS) * (2 * np.pi / ELLIPSE_CORNERS)
    root = np.linalg.cholesky(fitted.covariances[0])
    ring = root @ np.vstack([np.cos(turns), np.sin(turns)]) * float(find.spreads)
    return np.asarray(ring.T + fitted.means[0])


def _outlined(entry: GateEntry, find: Find, shown: list[Dimension], corners: "Values") -> GateEntry:
    points = tuple((_light(shown[0], float(x)), _light(shown[1], float(y))) for x, y in corners)
    return _settled(entry, polygon=Corners(x=find.on[0], y=find.on[1], corners=points))


def _settled(entry: GateEntry, **place: object) -> GateEntry:
    return msgspec.structs.replace(entry, find=None, **place)


def _shown(dimension: Dimension, value: float) -> float:
    return value if dimension.transform is None else float(dimension.transform.apply([value])[0])


def _light(dimension: Dimension, value: float) -> Decimal:
    """A place on the scale in the file's own units, to a few digits."""
    light = value if dimension.transform is None else float(dimension.transform.inverse([value])[0])
    return Decimal(f"{Decimal(f'{light:.{DIGITS}g}'):f}")
