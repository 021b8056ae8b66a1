"""ELISA and ELISpot: concentrations from a calibration curve, spots above their background, cytokine per cell."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.check import Check, judged
from cellwright.assay.fit import Curve, fit_curve, inverse
from cellwright.language import _

STANDARD_BIAS: Final = 20.0
"""Percent that a back-calculated standard may deviate, 25 at the lowest (ICH M10 for ligand-binding assays)."""
LOWEST_BIAS: Final = 25.0
STANDARDS_INSIDE: Final = 0.75
"""Least share of standards within that."""


class Calibration(msgspec.Struct, frozen=True):
    """A plate's calibration curve.

    Attributes:
        lowest, highest: limits of quantification: the outermost standards that are within their bias.
        recovered: (nominal, percent of nominal) of each standard level; None where the curve gives no number.
    """

    curve: Curve
    lowest: float
    highest: float
    recovered: tuple[tuple[float, float | None], ...]
    checks: tuple[Check, ...]


class Concentration(msgspec.Struct, frozen=True):
    """A sample's concentration before dilution.

    Attributes:
        value: in units of the standards; the bound if censored.
        lower, upper: confidence limits; None if censored or without one.
        variation: coefficient of variation of the replicate responses, percent; None for one replicate.
    """

    value: float
    censored: Literal["", "<", ">"]
    lower: float | None
    upper: float | None
    variation: float | None


def calibrate(
    nominal: Sequence[float], observed: Sequence[float], *, parameters: Literal[4, 5] = 4, variance_power: float = 0.0
) -> Calibration:
    """Fit the standards and judge them by calculating each back.

    Parameters:
        nominal: concentration of each standard well; 0 for a blank, which is fitted and not judged.

    Raises:
        CurveError: standards that make no curve.
    """
    curve = fit_curve(nominal, observed, parameters=parameters, variance_power=variance_power)
    x, y = np.asarray(nominal, float), np.asarray(observed, float)
    levels = [float(level) for level in np.unique(x[x > 0])]
    recovered: list[tuple[float, float | None]] = []
    good = []
    for level in levels:
        back = curve.dose(float(y[x == level].mean()))
        percent = 100 * back / level if np.isfinite(back) else None
        recovered.append((level, percent))
        allowed = LOWEST_BIAS if level == levels[0] else STANDARD_BIAS
        if percent is not None and abs(percent - 100) <= allowed:
            good.append(level)
    share = len(good) / len(levels)
    checks = (
        judged("standards", share, f">= {STANDARDS_INSIDE:.0%} within {STANDARD_BIAS:g} %", share >= STANDARDS_INSIDE,
               _("{good} of {all} standards are within their bias").format(good=len(good), all=len(levels))),
        judged("convergence", None, "a minimum inside the bounds", curve.fit.converged, _("the curve has no minimum")),
    )  # fmt: skip
    lowest, highest = (min(good), max(good)) if good else (float("nan"), float("nan"))
    return Calibration(curve, lowest, highest, tuple(recovered), checks)


def concentration(
    calibration: Calibration, responses: Sequence[float], *, dilution: float = 1.0, level: float = 0.95
) -> Concentration:
    """A sample's concentration from its replicate responses, censored at the limits of quantification.

    Raises:
        ValueError: no response, or a dilution below 1.
    """
    if not len(responses) or dilution < 1:
        raise ValueError("a sample needs a response and a dilution of at least 1")
    values = np.asarray(responses, float)
    mean = float(values.mean())
    variation = 100 * float(values.std(ddof=1) / mean) if values.size > 1 and mean else None
    curve = calibration.curve
    bottom, top = curve.response([calibration.lowest, calibration.highest])
    rising = curve.infinite_dose > curve.zero_dose
    below, above = (mean < bottom, mean > top) if rising else (mean > bottom, mean < top)
    if below:
        return Concentration(calibration.lowest * dilution, "<", None, None, variation)
    if above:
        return Concentration(calibration.highest * dilution, ">", None, None, variation)
    found = inverse(curve, mean, replicates=values.size, level=level)
    assert found is not None, "between two standards the curve has a dose"
    ends = [None if end is None else end * dilution for end in (found.lower, found.upper)]
    return Concentration(found.dose * dilution, "", ends[0], ends[1], variation)


def femtograms_per_cell(pg_per_ml: float, volume_ml: float, cells: float) -> float:
    """Cytokine secreted per transduced effector cell, femtograms. Raises ValueError without cells."""
    if cells <= 0:
        raise ValueError("secretion per cell needs cells")
    return pg_per_ml * volume_ml * 1000 / cells


class Spots(msgspec.Struct, frozen=True):
    """An ELISpot of one stimulus beside its medium control.

    Attributes:
        per_million: net spots per million cells, with limits by the replicates' counts (Poisson, widened by scatter).
        stimulation_index: stimulated over control; None if the control has no spot.
        p: one-sided probability of so many more spots by chance.
    """

    per_million: float
    lower: float
    upper: float
    stimulation_index: float | None
    p: float
    checks: tuple[Check, ...]


def spots(
    stimulated: Sequence[int],
    control: Sequence[int],
    cells_per_well: float,
    *,
    least_net: float = 0.0,
    least_index: float = 2.0,
    most_control: float = 50.0,
    too_many: int = 1000,
    level: float = 0.95,
) -> Spots:
    """Spots above background with a method's rules for a positive response.

    Parameters:
        least_net: net spots per well that a response needs; least_index: how many times the control.
        most_control: greatest mean of the control; too_many: count from which wells are too numerous to count.

    Raises:
        ValueError: no well, or no cells.
    """
    if not len(stimulated) or not len(control) or cells_per_well <= 0:
        raise ValueError("an ELISpot needs stimulated and control wells with cells")
    one, two = np.asarray(stimulated, float), np.asarray(control, float)
    net = float(one.mean() - two.mean())
    error = float(np.sqrt(_variance(one) + _variance(two)))
    half = float(stats.norm.ppf(0.5 + level / 2)) * error
    scale = 1e6 / cells_per_well
    index = float(one.mean() / two.mean()) if two.mean() else None
    p = float(stats.norm.sf(net / error)) if error else 1.0
    fullest = float(max(one.max(), two.max()))
    enough = index is None or index >= least_index
    checks = (
        judged("response", net, f"net >= {least_net:g}, index >= {least_index:g}", net > 0 and net >= least_net and enough,
               _("no response above the control")),
        judged("control", float(two.mean()), f"<= {most_control:g} spots", float(two.mean()) <= most_control,
               _("the control has {spots:.0f} spots a well").format(spots=two.mean())),
        judged("countable", fullest, f"< {too_many} spots", fullest < too_many, _("too numerous to count")),
    )  # fmt: skip
    return Spots(net * scale, (net - half) * scale, (net + half) * scale, index, p, checks)


def _variance(wells: np.ndarray) -> float:
    """Of the mean: Poisson at least, the replicates' own if greater."""
    mean = float(wells.mean())
    own = float(wells.var(ddof=1)) if wells.size > 1 else 0.0
    return max(mean, own) / wells.size
