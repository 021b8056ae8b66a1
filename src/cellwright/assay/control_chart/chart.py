"""Shewhart's control charts: individuals, means with ranges or deviations, proportions and counts.

Limits are at three standard errors, estimated from the data given as in control, or from a stated standard
(Montgomery, Introduction to Statistical Quality Control; the formulas of R's qcc).
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from cellwright.assay.control_chart.constants import c4, d2, d3

Vector = NDArray[np.float64]
Kind = Literal["I", "MR", "xbar", "R", "S", "p", "np", "c", "u", "EWMA", "T2"]
WIDTH = 3.0


class ChartError(ValueError):
    """Data that make no control chart: says why."""


class Chart(msgspec.Struct, frozen=True):
    """A control chart.

    Attributes:
        points: [n] what is plotted.
        centre: centre line.
        lower, upper: [n] control limits; a lower limit that would be negative for a spread or count is 0.
        sigma: [n] standard error of each point, so that rules can speak of zones.
    """

    kind: Kind
    points: Vector
    centre: float
    lower: Vector
    upper: Vector
    sigma: Vector

    @property
    def outside(self) -> tuple[int, ...]:
        """Places of points beyond the limits."""
        return tuple(int(place) for place in np.flatnonzero((self.points > self.upper) | (self.points < self.lower)))

    @property
    def z(self) -> Vector:
        """Points in standard errors from the centre; 0 where there is no spread."""
        away = self.points - self.centre
        return np.asarray(np.divide(away, self.sigma, out=np.zeros_like(away), where=self.sigma > 0))


class Standard(msgspec.Struct, frozen=True):
    """A process known from before: its mean and the standard deviation of a single value."""

    mean: float
    sigma: float


def individuals(values: Sequence[float] | Vector, standard: Standard | None = None) -> tuple[Chart, Chart]:
    """Individuals and moving range (I-MR); sigma is the mean moving range over d2 (1.128)."""
    x = _vector(values, 2)
    ranges = np.abs(np.diff(x))
    known = standard or Standard(float(x.mean()), float(ranges.mean()) / d2(2))
    mean_range = known.sigma * d2(2)
    return (
        _chart("I", x, known.mean, np.full(x.size, known.sigma)),
        _chart("MR", ranges, mean_range, np.full(ranges.size, known.sigma * d3(2)), floor=0.0),
    )


def means_and_ranges(
    groups: Sequence[Sequence[float]] | Vector, standard: Standard | None = None
) -> tuple[Chart, Chart]:
    """xbar and R of equal subgroups [n, size]; sigma is the mean range over d2."""
    x = _groups(groups)
    ranges, size = np.ptp(x, axis=1), x.shape[1]
    known = standard or Standard(float(x.mean()), float(ranges.mean()) / d2(size))
    return (
        _chart("xbar", x.mean(axis=1), known.mean, np.full(len(x), known.sigma / np.sqrt(size))),
        _chart("R", ranges, known.sigma * d2(size), np.full(len(x), known.sigma * d3(size)), floor=0.0),
    )


def means_and_deviations(
    groups: Sequence[Sequence[float]] | Vector, standard: Standard | None = None
) -> tuple[Chart, Chart]:
    """xbar and S of equal subgroups [n, size]; sigma is the mean deviation over c4."""
    x = _groups(groups)
    deviations, size = x.std(axis=1, ddof=1), x.shape[1]
    known = standard or Standard(float(x.mean()), float(deviations.mean()) / c4(size))
    error = known.sigma * np.sqrt(1 - c4(size) ** 2)
    return (
        _chart("xbar", x.mean(axis=1), known.mean, np.full(len(x), known.sigma / np.sqrt(size))),
        _chart("S", deviations, known.sigma * c4(size), np.full(len(x), error), floor=0.0),
    )


def proportions(found: Sequence[float] | Vector, sizes: Sequence[float] | Vector) -> Chart:
    """p: share of nonconforming units in samples of differing size."""
    k, n = _counts(found, sizes)
    share = float(k.sum() / n.sum())
    return _chart("p", k / n, share, np.sqrt(share * (1 - share) / n), floor=0.0, ceiling=1.0)


def nonconforming(found: Sequence[float] | Vector, size: float) -> Chart:
    """np: number of nonconforming units in samples of one size."""
    k, n = _counts(found, np.full(len(found), size))
    share = float(k.sum() / n.sum())
    return _chart("np", k, share * size, np.sqrt(n * share * (1 - share)), floor=0.0, ceiling=size)


def counts(found: Sequence[float] | Vector) -> Chart:
    """c: number of nonconformities in equal areas of opportunity (Poisson)."""
    k = _vector(found, 2)
    return _chart("c", k, float(k.mean()), np.full(k.size, np.sqrt(k.mean())), floor=0.0)


def rates(found: Sequence[float] | Vector, sizes: Sequence[float] | Vector) -> Chart:
    """u: nonconformities per unit, in samples of differing size."""
    k, n = _vector(found, 2), _vector(sizes, 2)
    if k.shape != n.shape or (n <= 0).any():
        raise ChartError("each count needs its positive size")
    rate = float(k.sum() / n.sum())
    return _chart("u", k / n, rate, np.sqrt(rate / n), floor=0.0)


def ewma(values: Sequence[float] | Vector, standard: Standard, *, weight: float = 0.2, width: float = WIDTH) -> Chart:
    """Exponentially weighted moving average, with limits that widen to their final width.

    Parameters:
        weight: of the newest value (lambda), above 0 and up to 1.
        width: of the limits in standard errors.
    """
    if not 0 < weight <= 1:
        raise ChartError("the weight of the newest value lies above 0 and up to 1")
    x = _vector(values, 1)
    smoothed = np.empty_like(x)
    last = standard.mean
    for place, value in enumerate(x):
        last = weight * value + (1 - weight) * last
        smoothed[place] = last
    age = np.arange(1, x.size + 1)
    error = standard.sigma * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * age)))
    return _chart("EWMA", smoothed, standard.mean, error, width=width)


class Cusum(msgspec.Struct, frozen=True):
    """Cumulative sums of deviations beyond a slack, upward and downward, in standard deviations.

    Attributes:
        high, low: [n], not negative.
        limit: decision interval (h).
    """

    high: Vector
    low: Vector
    limit: float

    @property
    def signals(self) -> tuple[int, ...]:
        """Places where a sum exceeds the decision interval."""
        return tuple(int(place) for place in np.flatnonzero((self.high > self.limit) | (self.low > self.limit)))


def cusum(values: Sequence[float] | Vector, standard: Standard, *, slack: float = 0.5, limit: float = 5.0) -> Cusum:
    """Tabular CUSUM; `slack` (k) is half of the shift to be found, `limit` (h) its decision interval, both in sigma."""
    if standard.sigma <= 0:
        raise ChartError("a CUSUM needs a positive standard deviation")
    z = (_vector(values, 1) - standard.mean) / standard.sigma
    high, low = np.empty_like(z), np.empty_like(z)
    up = down = 0.0
    for place, value in enumerate(z):
        up, down = max(0.0, up + value - slack), max(0.0, down - value - slack)
        high[place], low[place] = up, down
    return Cusum(high, low, limit)


def _chart(
    kind: Kind,
    points: Vector,
    centre: float,
    error: Vector,
    *,
    width: float = WIDTH,
    floor: float = -np.inf,
    ceiling: float = np.inf,
) -> Chart:
    lower, upper = np.maximum(centre - width * error, floor), np.minimum(centre + width * error, ceiling)
    return Chart(kind, np.asarray(points, float), float(centre), lower, upper, np.asarray(error, float))


def _vector(values: Sequence[float] | Vector, least: int) -> Vector:
    x = np.asarray(values, float)
    if x.ndim != 1 or x.size < least or not np.isfinite(x).all():
        raise ChartError(f"a chart needs a series of at least {least} numbers")
    return x


def _groups(groups: Sequence[Sequence[float]] | Vector) -> Vector:
    try:
        x = np.asarray(groups, float)
    except ValueError:
        x = np.empty(0)
    if x.ndim != 2 or x.shape[0] < 2 or x.shape[1] < 2 or not np.isfinite(x).all():
        raise ChartError("subgroups need at least two rows of equal size, two or more")
    return x


def _counts(found: Sequence[float] | Vector, sizes: Sequence[float] | Vector) -> tuple[Vector, Vector]:
    k, n = _vector(found, 2), _vector(sizes, 2)
    if k.shape != n.shape or (n <= 0).any() or (k < 0).any() or (k > n).any():
        raise ChartError("each count lies between 0 and its positive sample size")
    return k, n
