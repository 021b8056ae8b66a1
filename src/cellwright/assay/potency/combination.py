"""Combination of potencies from independent assays (Ph. Eur. 5.3, section 6): weighted, semi-weighted or unweighted."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.potency.result import LEVEL, SIGNIFICANCE, Potency

Method = Literal["weighted", "semi-weighted", "unweighted"]


class Combined(msgspec.Struct, frozen=True):
    """The mean potency of several assays.

    Attributes:
        method: `weighted` where the assays agree within their own errors, else `semi-weighted`, unless asked for.
        homogeneity: chi-square with its degrees of freedom and p.
    """

    ratio: float
    lower: float
    upper: float
    level: float
    method: Method
    homogeneity: float
    degrees_of_freedom: int
    p: float


def combine(potencies: Sequence[Potency], *, method: Method | None = None, level: float = LEVEL) -> Combined:
    """The mean of independent estimates of one potency, on the scale of logarithms.

    Each estimate's variance comes from its limits: s = (ln upper - ln lower) / 2 t.

    Raises:
        ValueError: fewer than two estimates, or one without finite limits.
    """
    if len(potencies) < 2:
        raise ValueError("a combination needs at least two assays")
    logs, variances = [], []
    for one in potencies:
        if one.lower is None or one.upper is None:
            raise ValueError(f"{one.preparation} has no finite limits, and so no weight")
        t = stats.t.ppf(0.5 + one.level / 2, one.degrees_of_freedom)
        logs.append(np.log(one.ratio))
        variances.append((np.log(one.upper / one.lower) / (2 * t)) ** 2)
    m, s2 = np.array(logs), np.array(variances)
    weights = 1 / s2
    mean = float(weights @ m / weights.sum())
    chi = float(weights @ (m - mean) ** 2)
    p = float(stats.chi2.sf(chi, m.size - 1))
    chosen: Method = method or ("weighted" if p >= SIGNIFICANCE else "semi-weighted")
    mean, half = _mean(m, s2, chosen, sum(one.degrees_of_freedom for one in potencies), level)
    ends = [float(value) for value in np.exp([mean, mean - half, mean + half])]
    return Combined(ends[0], ends[1], ends[2], level, chosen, chi, m.size - 1, p)


def _mean(m: np.ndarray, s2: np.ndarray, method: Method, freedom: int, level: float) -> tuple[float, float]:
    """The mean of logarithms and the half width of its interval."""
    size = m.size
    if method == "unweighted":
        error = float(np.sqrt(m.var(ddof=1) / size))
        return float(m.mean()), error * float(stats.t.ppf(0.5 + level / 2, size - 1))
    if method == "semi-weighted":
        s2 = s2 + max(0.0, float(m.var(ddof=1) - s2.mean()))
        freedom = size - 1
    weights = 1 / s2
    quantile = float(stats.t.ppf(0.5 + level / 2, freedom))
    return float(weights @ m / weights.sum()), quantile / float(np.sqrt(weights.sum()))
