"""Kinetic chromogenic and turbidimetric methods: onset times, the standard curve, the spike, the valid dilution.

log10 of the onset time is linear in log10 of the concentration (Ph. Eur. 2.6.14, USP <85>): |r| at least 0.980, spike
recovery 50 to 200 %, dilution not beyond the maximum valid dilution, negative controls slower than the lowest standard.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

import msgspec
import numpy as np

from cellwright.assay.check import Check, judged, passed
from cellwright.language import _

CORRELATION: Final = 0.980
RECOVERY: Final = (50.0, 200.0)
Censored = Literal["", "<", ">"]


class CurveError(ValueError):
    """Standards that make no curve."""


class KineticCurve(msgspec.Struct, frozen=True):
    """A standard curve, of this plate or archived for a lot of cartridges.

    Attributes:
        slope, intercept: of log10 onset time (s) over log10 concentration (EU/mL).
        correlation: r, negative; of an archived curve as its certificate states it.
        lowest, highest: concentrations of the standards, EU/mL; the lowest is lambda.
        lot: of the reagent; empty if unknown.
        expires: last day of an archived curve; None for a curve of the same run.
    """

    slope: float
    intercept: float
    correlation: float
    lowest: float
    highest: float
    lot: str = ""
    expires: date | None = None

    def onset(self, concentration: float) -> float:
        """Seconds at which a concentration (EU/mL) reacts."""
        return float(10 ** (self.intercept + self.slope * np.log10(concentration)))

    def concentration(self, onset: float) -> float:
        """EU/mL behind an onset time in seconds."""
        return float(10 ** ((np.log10(onset) - self.intercept) / self.slope))


class Readings(msgspec.Struct, frozen=True):
    """Onset times of one sample, in seconds; None for a well that did not react in the time of the run.

    Attributes:
        sample: replicates of the diluted sample.
        spiked: replicates of the diluted sample with `spike` EU/mL added (positive product control).
        negative: the run's negative controls; empty for a cartridge, which has none.
        dilution: total dilution of the sample.
    """

    sample: tuple[float | None, ...]
    spiked: tuple[float | None, ...]
    negative: tuple[float | None, ...]
    spike: float
    dilution: float


class Measured(msgspec.Struct, frozen=True):
    """Endotoxin of an undiluted sample.

    Attributes:
        value: EU/mL; the bound if censored.
        censored: `<` below the lowest standard, `>` above the highest, times the dilution.
        recovery: of the spike, percent; None without a reaction.
    """

    value: float
    censored: Censored
    recovery: float | None
    checks: tuple[Check, ...]

    @property
    def valid(self) -> bool:
        """Whether all rules of the method hold."""
        return passed(self.checks)


def kinetic_curve(concentration: Sequence[float], onset: Sequence[float], *, lot: str = "") -> KineticCurve:
    """The line through the standards' wells.

    Raises:
        CurveError: fewer than three concentrations, or a value that is not positive.
    """
    x, y = np.asarray(concentration, float), np.asarray(onset, float)
    if x.shape != y.shape or np.unique(x).size < 3 or not ((x > 0).all() and (y > 0).all()):
        raise CurveError("a kinetic curve needs positive onset times at three concentrations")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise CurveError("each standard needs a concentration and an onset time")
    x, y = np.log10(x), np.log10(y)
    if np.ptp(y) == 0:
        raise CurveError("the onset time does not change with the concentration")
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    return KineticCurve(
        slope=slope,
        intercept=float(y.mean() - slope * x.mean()),
        correlation=float(dx @ dy / np.sqrt((dx @ dx) * (dy @ dy))),
        lowest=float(10 ** x.min()),
        highest=float(10 ** x.max()),
        lot=lot,
    )


def archived_curve(
    slope: float, intercept: float, correlation: float, limits: tuple[float, float], lot: str, expires: date
) -> KineticCurve:
    """The curve that a lot of cartridges was delivered with. Raises CurveError if it does not fall."""
    if slope >= 0 or not 0 < limits[0] < limits[1]:
        raise CurveError("an archived curve falls, between two positive concentrations")
    return KineticCurve(slope, intercept, correlation, limits[0], limits[1], lot, expires)


def endotoxin_limit(eu_per_kg_hour: float, ml_per_kg_hour: float) -> float:
    """EU/mL allowed from the threshold dose K and the greatest dose M of the product: K/M."""
    return eu_per_kg_hour / ml_per_kg_hour


def maximum_valid_dilution(limit_eu_per_ml: float, lowest_standard: float) -> float:
    """How far a sample may be diluted: the limit over lambda."""
    return limit_eu_per_ml / lowest_standard


def measure(
    curve: KineticCurve,
    readings: Readings,
    *,
    limit_eu_per_ml: float,
    today: date | None = None,
    most_variation: float | None = None,
) -> Measured:
    """The endotoxin of a sample with the rules of the method.

    Parameters:
        limit_eu_per_ml: from which the maximum valid dilution follows.
        today: the day of the run, where the curve is an archived one.
        most_variation: greatest coefficient of variation of the replicates' onset times, percent, if the method has one.
    """
    found = [_diluted(curve, onset) for onset in readings.sample]
    value, censored = _mean(curve, found)
    recovery = _recovery(curve, readings, value, censored)
    checks = [
        _correlation(curve),
        *_archive(curve, today),
        judged("spike recovery", recovery, f"{RECOVERY[0]:g} to {RECOVERY[1]:g} %",
               recovery is not None and RECOVERY[0] <= recovery <= RECOVERY[1],
               _("the spike did not react") if recovery is None else _("spike recovery is {percent:.0f} %").format(percent=recovery)),
        _dilution(curve, readings.dilution, limit_eu_per_ml),
        *_negative(curve, readings.negative),
        *_variation(readings, most_variation),
        judged("replicates", len(readings.sample), ">= 2 of sample and of spiked sample",
               min(len(readings.sample), len(readings.spiked)) >= 2, _("fewer than two replicates")),
    ]  # fmt: skip
    return Measured(value * readings.dilution, censored, recovery, tuple(checks))


def _diluted(curve: KineticCurve, onset: float | None) -> float:
    """EU/mL in the well; 0 if it did not react."""
    return 0.0 if onset is None else curve.concentration(onset)


def _mean(curve: KineticCurve, found: Sequence[float]) -> tuple[float, Censored]:
    """Mean of the wells, or the end of the curve that they lie beyond; extrapolation is no result."""
    mean = float(np.mean(found)) if found else 0.0
    if mean < curve.lowest or any(one == 0.0 for one in found):
        highest = max(found, default=0.0)
        # One reacting well beside silent ones must not be averaged away: the bound is what was seen, if that is more.
        return max(curve.lowest, highest), "<"
    if mean > curve.highest:
        return curve.highest, ">"
    return mean, ""


def _recovery(curve: KineticCurve, readings: Readings, value: float, censored: Censored) -> float | None:
    if not readings.spiked or any(onset is None for onset in readings.spiked):
        return None
    spiked = float(np.mean([_diluted(curve, onset) for onset in readings.spiked]))
    own = 0.0 if censored == "<" else value
    return 100 * (spiked - own) / readings.spike


def _correlation(curve: KineticCurve) -> Check:
    holds = curve.slope < 0 and abs(curve.correlation) >= CORRELATION
    return judged("correlation", curve.correlation, f"|r| >= {CORRELATION:.3f}, falling", holds,
                  _("the standard curve has r {r:.4f}").format(r=curve.correlation))  # fmt: skip


def _archive(curve: KineticCurve, today: date | None) -> list[Check]:
    if curve.expires is None:
        return []
    holds = None if today is None else today <= curve.expires
    return [judged("archived curve", None, f"until {curve.expires}", holds, _("the archived curve is out of date"))]


def _dilution(curve: KineticCurve, dilution: float, limit: float) -> Check:
    most = maximum_valid_dilution(limit, curve.lowest)
    # A dilution typed as 0.5/0.005 is 100: what rounding adds is no overstepping.
    return judged("maximum valid dilution", dilution, f"<= {most:g}", 1 <= dilution <= most * (1 + 1e-9),
                  _("diluted {dilution:g} times, at most {most:g} are valid").format(dilution=dilution, most=most))  # fmt: skip


def _negative(curve: KineticCurve, negative: Sequence[float | None]) -> list[Check]:
    if not negative:
        # A cartridge carries no negative control; its certificate and spike stand for it.
        return [] if curve.expires is not None else [
            judged("negative control", None, "slower than the lowest standard", None, _("no negative control"))
        ]  # fmt: skip
    fastest = min((onset for onset in negative if onset is not None), default=None)
    holds = fastest is None or fastest > curve.onset(curve.lowest)
    return [
        judged("negative control", fastest, "slower than the lowest standard", holds, _("the negative control reacted"))
    ]


def _variation(readings: Readings, most: float | None) -> list[Check]:
    if most is None:
        return []
    found = []
    for name, onsets in (("sample", readings.sample), ("spiked sample", readings.spiked)):
        times = [onset for onset in onsets if onset is not None]
        if len(times) < 2:
            continue
        variation = 100 * float(np.std(times, ddof=1) / np.mean(times))
        found.append(judged(f"variation of {name}", variation, f"<= {most:g} %", variation <= most,
                            _("replicates vary by {percent:.0f} %").format(percent=variation)))  # fmt: skip
    return found
