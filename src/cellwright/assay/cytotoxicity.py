"""Killing of targets by effector cells: specific lysis, and how it follows the ratio of effectors to targets."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.check import Check, judged
from cellwright.assay.fit import Curve, CurveError, fit_curve
from cellwright.language import _

SPONTANEOUS_MOST: Final = 30.0
"""[K] percent of maximal release; customary."""


class Lysis(msgspec.Struct, frozen=True):
    """Specific lysis at one ratio of effectors to targets.

    Attributes:
        percent: specific lysis; may lie outside 0 to 100 by noise, and is not cut.
        standard_error: replicates of all three readings together (delta method).
    """

    ratio: float
    percent: float
    standard_error: float


class LysisCurve(msgspec.Struct, frozen=True):
    """Lysis over ratios.

    Attributes:
        curve: logistic with plateau at most; None if the readings are no curve.
        half_maximal_ratio: effectors per target for half of the plateau.
        area: under lysis over log10 ratio, divided by its width: mean percent lysis.
    """

    points: tuple[Lysis, ...]
    curve: Curve | None
    half_maximal_ratio: float | None
    area: float
    checks: tuple[Check, ...]


def specific_lysis(
    ratio: float, experimental: Sequence[float], spontaneous: Sequence[float], maximal: Sequence[float]
) -> Lysis:
    """100 (experimental - spontaneous) / (maximal - spontaneous) from replicate readings of released label.

    Raises:
        ValueError: no replicate, or maximal release not above spontaneous.
    """
    means, variances = [], []
    for readings in (experimental, spontaneous, maximal):
        values = np.asarray(readings, float)
        if values.size == 0:
            raise ValueError("each of experimental, spontaneous and maximal needs a reading")
        means.append(float(values.mean()))
        variances.append(float(values.var(ddof=1) / values.size) if values.size > 1 else 0.0)
    e, s, m = means
    if m <= s:
        raise ValueError("maximal release does not exceed spontaneous release")
    share = (e - s) / (m - s)
    variance = (variances[0] + (1 - share) ** 2 * variances[1] + share**2 * variances[2]) / (m - s) ** 2
    return Lysis(ratio, 100 * share, 100 * float(np.sqrt(variance)))


def lysis_by_survival(ratio: float, surviving: Sequence[float], alone: Sequence[float]) -> Lysis:
    """100 (1 - surviving targets / targets alone), as flow cytometry and luciferase read it.

    Raises:
        ValueError: no replicate, or no targets alone.
    """
    with_effectors, without = np.asarray(surviving, float), np.asarray(alone, float)
    if with_effectors.size == 0 or without.size == 0 or without.mean() <= 0:
        raise ValueError("survival needs readings, and targets alone that live")
    share = float(with_effectors.mean() / without.mean())
    spread = [float(v.var(ddof=1) / v.size) if v.size > 1 else 0.0 for v in (with_effectors, without)]
    error = float(np.sqrt(spread[0] + share**2 * spread[1]) / without.mean())
    return Lysis(ratio, 100 * (1 - share), 100 * error)


def difference(product: Lysis, control: Lysis, *, level: float = 0.95) -> tuple[float, float, float]:
    """Lysis by the product less that by untransduced cells at the same ratio, with normal limits.

    Raises:
        ValueError: different ratios.
    """
    if not np.isclose(product.ratio, control.ratio):
        raise ValueError("lysis is compared at the same ratio of effectors to targets")
    value = product.percent - control.percent
    half = float(stats.norm.ppf(0.5 + level / 2) * np.hypot(product.standard_error, control.standard_error))
    return value, value - half, value + half


def lysis_curve(
    points: Sequence[Lysis],
    *,
    spontaneous_percent: float | None = None,
    spontaneous_most: float = SPONTANEOUS_MOST,
) -> LysisCurve:
    """Lysis over the ratios with its curve and validity.

    Parameters:
        spontaneous_percent: spontaneous release in percent of maximal; None for assays without release.

    Raises:
        ValueError: fewer than two ratios.
    """
    if len({point.ratio for point in points}) < 2:
        raise ValueError("a curve needs at least two ratios of effectors to targets")
    ordered = tuple(sorted(points, key=lambda point: point.ratio))
    ratios = np.array([point.ratio for point in ordered])
    percents = np.array([point.percent for point in ordered])
    logs = np.log10(ratios)
    area = float(np.trapezoid(percents, logs) / (logs[-1] - logs[0]))
    try:
        curve: Curve | None = fit_curve(ratios, percents, hold={"zero_dose": 0.0})
    except CurveError:
        curve = None
    settled = curve is not None and curve.fit.converged and not any(curve.fit.at_bound[1:4])
    rising = float(stats.spearmanr(ratios, percents).statistic) if np.ptp(percents) > 0 else 0.0
    checks = [
        judged(
            "rising with the ratio", rising, "rank correlation > 0", rising > 0, _("lysis does not rise with the ratio")
        )
    ]
    if spontaneous_percent is not None:
        checks.append(judged("spontaneous release", spontaneous_percent, f"<= {spontaneous_most:g} %",
                             spontaneous_percent <= spontaneous_most,
                             _("spontaneous release is {percent:.0f} % of maximal").format(percent=spontaneous_percent)))  # fmt: skip
    half = curve.centre if settled and curve is not None else None
    return LysisCurve(ordered, curve, half, area, tuple(checks))
