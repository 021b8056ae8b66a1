"""Process capability: how the spread of a process fits between its limits, with confidence intervals.

Cp and Cpk use the short-term sigma of a control chart, Pp and Ppk the overall standard deviation. Intervals: chi-square
for Cp (Chou, Owen and Borrego, J. Quality Technology 22, 1990), Bissell's approximation for Cpk (Applied Statistics 39,
1990), as R's qcc prints them.
"""

from typing import NamedTuple

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.control_chart.chart import ChartError, Vector


class Index(NamedTuple):
    """A capability index with its limits."""

    value: float
    lower: float
    upper: float


class Capability(msgspec.Struct, frozen=True):
    """Capability against a specification.

    Attributes:
        two_sided: Cp (or Pp); None for a limit on one side only.
        centred: Cpk (or Ppk): of the nearer limit.
        expected_outside: share of a normal process outside the limits.
        observed_outside: share of the values outside.
        values: how many.
    """

    two_sided: Index | None
    centred: Index
    expected_outside: float
    observed_outside: float
    values: int


def capability(
    values: Vector,
    lower: float | None,
    upper: float | None,
    *,
    sigma: float | None = None,
    level: float = 0.95,
) -> Capability:
    """Capability of values against limits.

    Parameters:
        sigma: short-term standard deviation of a control chart, for Cp and Cpk; the overall one if absent (Pp, Ppk).

    Raises:
        ChartError: no limit, limits in reversed order, fewer than three values or no spread.
    """
    x = np.asarray(values, float)
    if lower is None and upper is None:
        raise ChartError("capability needs a limit")
    if lower is not None and upper is not None and lower >= upper:
        raise ChartError("the lower limit lies below the upper")
    spread = float(x.std(ddof=1)) if sigma is None and x.size > 1 else float(sigma or 0.0)
    if x.size < 3 or spread <= 0:
        raise ChartError("capability needs three values that differ")
    mean = float(x.mean())
    below = (mean - lower) / spread if lower is not None else np.inf
    above = (upper - mean) / spread if upper is not None else np.inf
    two_sided = None
    if lower is not None and upper is not None:
        value, freedom = (upper - lower) / (6 * spread), x.size - 1
        ends = np.sqrt(stats.chi2.ppf([0.5 - level / 2, 0.5 + level / 2], freedom) / freedom)
        two_sided = Index(value, float(value * ends[0]), float(value * ends[1]))
    outside = (x < (-np.inf if lower is None else lower)) | (x > (np.inf if upper is None else upper))
    expected = float(stats.norm.sf(below) + stats.norm.sf(above))
    return Capability(two_sided, _bissell(float(min(below, above)) / 3, x.size, level), expected,
                      float(outside.mean()), int(x.size))  # fmt: skip


def _bissell(value: float, size: int, level: float) -> Index:
    quantile = float(stats.norm.ppf(0.5 + level / 2))
    relative = quantile * float(np.sqrt(1 / (9 * size * value**2) + 1 / (2 * (size - 1)))) if value else np.inf
    ends = sorted((value * (1 - relative), value * (1 + relative))) if value else (-np.inf, np.inf)
    return Index(value, ends[0], ends[1])
