"""Intervals: of a mean, of a difference, of a probability; and how long a run takes to forget how it began."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cellwright.language import _
from cellwright.simulation.draw import ModelError


class Estimate(NamedTuple):
    """A mean of independent runs and the half-width of its Student interval; nan with fewer than two runs."""

    mean: float
    half_width: float
    sd: float
    runs: int

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width

    @property
    def differs(self) -> bool:
        """Whether the interval, of a difference, leaves out 0."""
        return self.low > 0 or self.high < 0


class Risk(NamedTuple):
    """A probability from `hits` of `runs`: Wilson's midpoint and interval (Wilson 1927), never 0 or 1."""

    midpoint: float
    low: float
    high: float
    hits: int
    runs: int


def estimate(values: Sequence[float] | Any, confidence: float = 0.95) -> Estimate:
    """Mean and Student interval of independent values; values that are not numbers (nothing happened) are left out."""
    from scipy.special import stdtrit

    _confidence(confidence)
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    n = len(known)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    if n == 1:
        return Estimate(float(known[0]), math.nan, math.nan, 1)
    sd = float(np.std(known, ddof=1))
    return Estimate(float(np.mean(known)), float(stdtrit(n - 1, 0.5 + confidence / 2)) * sd / math.sqrt(n), sd, n)


def wilson(hits: int, runs: int, confidence: float = 0.95) -> Risk:
    """The score interval of a probability and its midpoint."""
    from scipy.special import ndtri

    _confidence(confidence)
    if not 0 <= hits <= runs or runs == 0:
        raise ModelError(_("A share is of at least one run: {hits} of {runs}.").format(hits=hits, runs=runs))
    z2 = float(ndtri(0.5 + confidence / 2)) ** 2
    middle = (hits + z2 / 2) / (runs + z2)
    share = hits / runs
    half = math.sqrt(z2) / (runs + z2) * math.sqrt(runs * share * (1 - share) + z2 / 4)
    return Risk(middle, max(0.0, middle - half), min(1.0, middle + half), hits, runs)


def mser5(series: Sequence[float] | Any) -> int:
    """How many values at the beginning of a series to leave out (MSER-5: White, Cobb and Spratt 2000).

    Means of five values each; what is left out minimises the sum of squares of the rest over its number squared. It is
    looked for in the first half, since a late minimum is mostly noise (Hoad, Robinson and Davies 2010); one at the end of
    that half says that the series still rises or falls: it is too short, and len(series) is returned.
    """
    values = np.asarray(series, np.float64)
    batches = len(values) // 5
    if batches < 4:
        raise ModelError(_("A warm-up is found in a series of 20 values or more; this has {n}.").format(n=len(values)))
    means = values[: batches * 5].reshape(batches, 5).mean(axis=1)
    # Sums over everything from d on, for every d at once.
    left = np.arange(batches, 0, -1)
    sums, squares = np.cumsum(means[::-1])[::-1], np.cumsum(means[::-1] ** 2)[::-1]
    statistic = np.maximum(squares - sums**2 / left, 0.0) / left.astype(float) ** 2
    half = batches // 2
    best = int(np.argmin(statistic[: half + 1]))
    return len(values) if best == half else 5 * best


def _confidence(value: float) -> None:
    if not 0 < value < 1:
        raise ModelError(_("A confidence lies between 0 and 1, not at {value}.").format(value=value))
