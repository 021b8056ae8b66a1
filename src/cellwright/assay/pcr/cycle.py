"""Quantification cycles from amplification curves: baseline, threshold, crossing."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cellwright.assay.fit.least_squares import Vector

STAYS: Final = 2
"""Cycles that must stay above the threshold after the crossing; a single spike is no amplification."""


def without_baseline(
    cycles: Sequence[float] | Vector, signal: Sequence[float] | Vector, start: int, end: int
) -> Vector:
    """The signal less the straight line through its cycles `start` to `end`, both included.

    Raises:
        ValueError: fewer than two cycles of baseline.
    """
    x, y = np.asarray(cycles, float), np.asarray(signal, float)
    inside = (x >= start) & (x <= end)
    if inside.sum() < 2:
        raise ValueError(f"baseline from cycle {start} to {end} holds fewer than two readings")
    slope, intercept = np.polyfit(x[inside], y[inside], 1)
    return np.asarray(y - intercept - slope * x)


def quantification_cycle(
    cycles: Sequence[float] | Vector, signal: Sequence[float] | Vector, threshold: float
) -> float | None:
    """Where the baseline-corrected signal crosses the threshold for good, interpolated; None if it does not.

    Between the two cycles the crossing is the mean of a straight and an exponential course where both readings are
    positive: the truth lies between them, and instruments' smoothed curves are within 0.1 cycle.
    """
    x, y = np.asarray(cycles, float), np.asarray(signal, float)
    place = _crossing(y > threshold)
    if place is None:
        return None
    before, after = float(y[place - 1]), float(y[place])
    share = (threshold - before) / (after - before)
    if before > 0 and threshold > 0:
        share = (share + float(np.log(threshold / before) / np.log(after / before))) / 2
    return float(x[place - 1] + share * (x[place] - x[place - 1]))


def _crossing(above: NDArray[np.bool_]) -> int | None:
    """The first reading above the threshold that those after it confirm."""
    for place in np.flatnonzero(above[1:] & ~above[:-1]) + 1:
        if above[place : place + 1 + STAYS].all():
            return int(place)
    return None
