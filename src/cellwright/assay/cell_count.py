"""Cell counts, viability, doublings and growth, each with the uncertainty of counting or of the fit."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.fit import Fit, least_squares


class Interval(NamedTuple):
    """A value between its limits."""

    value: float
    lower: float
    upper: float


class Counted(msgspec.Struct, frozen=True):
    """One count. Raises ValueError when built with more viable than total cells, or no volume.

    Attributes:
        viable, total: cells seen.
        volume_ul: volume that was looked at, microlitres of the diluted sample.
        dilution: of the sample.
    """

    viable: int
    total: int
    volume_ul: float
    dilution: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.viable <= self.total or self.volume_ul <= 0 or self.dilution < 1:
            raise ValueError(f"{self.viable} viable of {self.total} cells in {self.volume_ul} uL")


def viability(counts: Sequence[Counted], *, level: float = 0.95) -> Interval:
    """Percent viable over all counts, with exact binomial limits.

    Raises:
        ValueError: no cell was counted.
    """
    viable, total = sum(one.viable for one in counts), sum(one.total for one in counts)
    if total == 0:
        raise ValueError("no cell was counted: viability is not evaluable")
    low = stats.beta.ppf(0.5 - level / 2, viable, total - viable + 1) if viable else 0.0
    high = stats.beta.ppf(0.5 + level / 2, viable + 1, total - viable) if viable < total else 1.0
    return Interval(100 * viable / total, 100 * float(low), 100 * float(high))


def viable_density(counts: Sequence[Counted], *, level: float = 0.95) -> Interval:
    """Viable cells per millilitre, with exact Poisson limits widened where replicate counts scatter more than Poisson.

    Raises:
        ValueError: no count.
    """
    if not counts:
        raise ValueError("no count")
    viable = sum(one.viable for one in counts)
    seen_ml = sum(one.volume_ul / one.dilution for one in counts) / 1000
    low = float(stats.chi2.ppf(0.5 - level / 2, 2 * viable) / 2) if viable else 0.0
    high = float(stats.chi2.ppf(0.5 + level / 2, 2 * viable + 2) / 2)
    spread = float(np.sqrt(max(1.0, count_dispersion(counts))))
    return Interval(viable / seen_ml, max(0.0, viable - (viable - low) * spread) / seen_ml,
                    (viable + (high - viable) * spread) / seen_ml)  # fmt: skip


def count_dispersion(counts: Sequence[Counted]) -> float:
    """Variance of replicate counts over that of Poisson; 1 for a single count."""
    volumes = np.array([one.volume_ul / one.dilution for one in counts])
    seen = np.array([one.viable for one in counts], float)
    if len(counts) < 2 or seen.sum() == 0:
        return 1.0
    expected = seen.sum() * volumes / volumes.sum()
    return float(((seen - expected) ** 2 / expected).sum() / (len(counts) - 1))


def population_doublings(begin: float, end: float) -> float:
    """log2 of the fold of total viable cells; negative if they became fewer. Raises ValueError without cells."""
    if begin <= 0 or end <= 0:
        raise ValueError("doublings need cells at both ends")
    return float(np.log2(end / begin))


class Growth(msgspec.Struct, frozen=True):
    """Exponential growth.

    Attributes:
        rate: per unit of time, with limits.
        doubling_time: ln 2 / rate with limits; None where the rate is not shown to be positive.
        log_start: natural logarithm of the number at time 0.
        fold_standard_deviation: residual scatter on the scale of logarithms.
    """

    rate: Interval
    doubling_time: Interval | None
    log_start: float
    fold_standard_deviation: float


def exponential_growth(time: Sequence[float], cells: Sequence[float], *, level: float = 0.95) -> Growth:
    """Fit ln cells = ln start + rate x time by least squares.

    Raises:
        ValueError: fewer than three counts, or one that is not positive.
    """
    x, y = np.asarray(time, float), np.asarray(cells, float)
    if x.shape != y.shape or x.size < 3 or np.ptp(x) == 0 or (y <= 0).any():
        raise ValueError("growth needs three positive counts at different times")
    found = stats.linregress(x, np.log(y))
    half = float(stats.t.ppf(0.5 + level / 2, x.size - 2) * found.stderr)
    rate = Interval(float(found.slope), float(found.slope) - half, float(found.slope) + half)
    doubling = (
        Interval(*(float(np.log(2) / one) for one in (rate.value, rate.upper, rate.lower))) if rate.lower > 0 else None
    )
    rest = np.log(y) - found.intercept - found.slope * x
    deviation = float(np.sqrt(rest @ rest / (x.size - 2)))
    return Growth(rate, doubling, float(found.intercept), deviation)


def saturating_growth(
    time: Sequence[float], cells: Sequence[float], course: Literal["logistic", "gompertz"] = "logistic"
) -> Fit:
    """Fit growth to a plateau.

    logistic:  plateau / (1 + exp((middle - time) / scale))              parameters (plateau, middle, scale)
    gompertz:  plateau x exp(-displacement x base^time)                  parameters (plateau, displacement, base)

    The parameters are those of R's SSlogis and SSgompertz.

    Raises:
        ValueError: fewer than four counts, or one that is not positive.
    """
    x, y = np.asarray(time, float), np.asarray(cells, float)
    if x.shape != y.shape or x.size < 4 or (y <= 0).any():
        raise ValueError("growth to a plateau needs four positive counts")
    plateau = 1.05 * y.max()
    odds = np.log(y / (plateau - y)) if course == "logistic" else np.log(np.log(plateau / y))
    slope, intercept = np.polyfit(x, odds, 1)
    if course == "logistic":
        return least_squares(
            lambda b: b[0] / (1 + np.exp((b[1] - x) / b[2])), y, [plateau, -intercept / slope, 1 / slope]
        )
    return least_squares(
        lambda b: b[0] * np.exp(-b[1] * b[2] ** x), y, [plateau, float(np.exp(intercept)), float(np.exp(slope))]
    )
