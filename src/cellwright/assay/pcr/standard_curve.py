"""The standard curve of a quantitative PCR: quantification cycle against the logarithm of the quantity.

Ordinary least squares on every standard well, as instruments' software does. Efficiency is 10^(-1/slope) - 1.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.check import Check, judged
from cellwright.assay.potency.fieller import fieller
from cellwright.language import _

EFFICIENCY: Final = (90.0, 110.0)
"""[K] percent; customary, a method sets its own."""
R_SQUARED: Final = 0.98
"""[K] least coefficient of determination; customary (MIQE asks to report it)."""


class CurveError(ValueError):
    """Standards that determine no line."""


class StandardCurve(msgspec.Struct, frozen=True):
    """A line of cycles over log10 quantity.

    Attributes:
        slope, intercept: in cycles per decade, and cycles at quantity 1.
        r_squared: coefficient of determination.
        efficiency: percent; 100 doubles every cycle.
        slope_standard_error, intercept_standard_error: in cycles; instruments print the first as "Standard Error".
        residual_standard_deviation: in cycles; instruments print it as "Standard Deviation".
        lowest, highest: quantities of the standards.
        wells: how many standards.
        mean_log, spread: mean of log10 quantity, and sum of squares about it.
    """

    slope: float
    intercept: float
    r_squared: float
    efficiency: float
    slope_standard_error: float
    intercept_standard_error: float
    residual_standard_deviation: float
    lowest: float
    highest: float
    wells: int
    mean_log: float
    spread: float

    @property
    def mean_cycle(self) -> float:
        return self.intercept + self.slope * self.mean_log


class Quantity(msgspec.Struct, frozen=True):
    """What a sample's wells hold, in the units of the standards.

    Attributes:
        lower, upper: confidence limits; None where the curve is too flat for one.
        log_variance: of the natural logarithm of the quantity, curve and wells together.
        within_standards: False if it lies outside the quantities of the standards: extrapolated.
    """

    value: float
    lower: float | None
    upper: float | None
    log_variance: float
    within_standards: bool
    wells: int


def standard_curve(quantity: Sequence[float], cycle: Sequence[float]) -> StandardCurve:
    """The line through standards with known quantities; wells without a cycle are left out by the caller, and said so.

    Raises:
        CurveError: fewer than three wells or two quantities, a quantity that is not positive, or a flat line.
    """
    amounts, y = np.asarray(quantity, float), np.asarray(cycle, float)
    if amounts.shape != y.shape or amounts.size < 3 or np.unique(amounts).size < 2:
        raise CurveError("a standard curve needs three wells of at least two quantities")
    if not (np.isfinite(y).all() and (amounts > 0).all() and np.isfinite(amounts).all()):
        raise CurveError("quantities must be positive, and every standard needs its cycle")
    x = np.log10(amounts)
    mean_x, mean_y = float(x.mean()), float(y.mean())
    spread = float(((x - mean_x) ** 2).sum())
    slope = float(((x - mean_x) * (y - mean_y)).sum()) / spread
    if slope == 0:
        raise CurveError("the cycle does not change with the quantity")
    residual = y - mean_y - slope * (x - mean_x)
    squares, total = float(residual @ residual), float(((y - mean_y) ** 2).sum())
    deviation = float(np.sqrt(squares / (y.size - 2)))
    return StandardCurve(
        slope=slope,
        intercept=mean_y - slope * mean_x,
        r_squared=1 - squares / total,
        efficiency=float(100 * (10 ** (-1 / slope) - 1)),
        slope_standard_error=deviation / float(np.sqrt(spread)),
        intercept_standard_error=deviation * float(np.sqrt(1 / y.size + mean_x**2 / spread)),
        residual_standard_deviation=deviation,
        lowest=float(amounts.min()),
        highest=float(amounts.max()),
        wells=int(y.size),
        mean_log=mean_x,
        spread=spread,
    )


def quantify(curve: StandardCurve, cycles: Sequence[float], *, level: float = 0.95) -> Quantity:
    """The quantity behind the mean cycle of a sample's wells, with limits by Fieller's theorem (classical calibration).

    Raises:
        CurveError: no cycle.
    """
    if not len(cycles):
        raise CurveError("no well of the sample has a cycle")
    mean = float(np.mean(cycles))
    s2, wells = curve.residual_standard_deviation**2, len(cycles)
    above, below = mean - curve.mean_cycle, curve.slope
    variances = (s2 * (1 / wells + 1 / curve.wells), s2 / curve.spread, 0.0)
    found = fieller(above, below, variances, float(stats.t.ppf(0.5 + level / 2, curve.wells - 2)))
    value = 10 ** (curve.mean_log + found.value)
    ends = [None if one is None else float(10 ** (curve.mean_log + one)) for one in (found.lower, found.upper)]
    spread = (variances[0] + found.value**2 * variances[1]) / below**2 * np.log(10) ** 2
    inside = curve.lowest * (1 - 1e-9) <= value <= curve.highest * (1 + 1e-9)
    return Quantity(float(value), ends[0], ends[1], float(spread), bool(inside), wells)


def curve_checks(
    curve: StandardCurve, *, efficiency: tuple[float, float] = EFFICIENCY, r_squared: float = R_SQUARED
) -> tuple[Check, ...]:
    """Whether a standard curve may be used."""
    low, high = efficiency
    return (
        judged("efficiency", curve.efficiency, f"{low:g} to {high:g} %", low <= curve.efficiency <= high,
               _("efficiency is {percent:.1f} %").format(percent=curve.efficiency)),
        judged("coefficient of determination", curve.r_squared, f">= {r_squared:g}", curve.r_squared >= r_squared,
               _("R2 is {value:.4f}").format(value=curve.r_squared)),
    )  # fmt: skip
