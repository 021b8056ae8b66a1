"""Confidence limits of a ratio of two normal estimates with a common residual variance (Fieller, 1954)."""

from typing import NamedTuple

import numpy as np


class Ratio(NamedTuple):
    """A ratio with its limits.

    Attributes:
        lower, upper: None where the denominator is not significantly different from 0 (g >= 1): no finite interval.
        g: squared half width of the denominator's interval relative to it; below 0.1 the interval is nearly symmetric.
    """

    value: float
    lower: float | None
    upper: float | None
    g: float


def fieller(above: float, below: float, variances: tuple[float, float, float], quantile: float) -> Ratio:
    """Limits of above / below.

    Parameters:
        variances: of `above`, of `below`, and their covariance, residual variance included.
        quantile: of Student's t or the normal distribution, such as 1.96.
    """
    v_above, v_below, both = variances
    value = above / below if below else float("nan")
    g = quantile**2 * v_below / below**2 if below else float("inf")
    if g >= 1:
        return Ratio(value, None, None, g)
    spread = v_above - 2 * value * both + value**2 * v_below - g * (v_above - both**2 / v_below if v_below else 0.0)
    half = quantile / abs(below) * float(np.sqrt(max(spread, 0.0)))
    middle = value - g * both / v_below if v_below else value
    return Ratio(value, (middle - half) / (1 - g), (middle + half) / (1 - g), g)
