"""Trends over lots: one line for each version of a method, never joined across a change, and adjusted for the patient.

What a patient brings (age, counts at collection, earlier therapy) moves autologous results without the process having
changed; covariates are taken out by linear regression before the process is judged, and their effects are reported.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.control_chart.chart import Chart, ChartError, Vector, individuals
from cellwright.assay.control_chart.rules import Signal, nelson

LEAST: Final = 8
"""[K] values that a line needs before limits are drawn from it."""


class Slope(msgspec.Struct, frozen=True):
    """A change per unit, with confidence limits and p."""

    value: float
    lower: float
    upper: float
    p: float


class Line(msgspec.Struct, frozen=True):
    """Values of one method version in time order.

    Attributes:
        version: of the method, and of the assay where that is kept apart.
        places: indices into the series handed in, in time order.
        chart: individuals chart, of residuals plus mean where covariates were given; None below `LEAST` values.
        signals: of Nelson's rules; places are indices into `places`.
        slope: change per unit of time; None below `LEAST` values.
        effects: change per unit of each covariate; empty without.
    """

    version: str
    places: tuple[int, ...]
    chart: Chart | None
    signals: tuple[Signal, ...]
    slope: Slope | None
    effects: dict[str, Slope]


def trend(
    time: Sequence[float] | Vector,
    values: Sequence[float] | Vector,
    versions: Sequence[str],
    covariates: Mapping[str, Sequence[float] | Vector] | None = None,
) -> tuple[Line, ...]:
    """The lines of a series, oldest first; a version that returns continues its own line.

    Parameters:
        time: [n], in any unit, such as years.
        covariates: name -> [n]; NaN where unknown, which leaves the lot unadjusted for that covariate (its mean is taken).

    Raises:
        ChartError: lengths that differ, or values that are not numbers.
    """
    t, y = np.asarray(time, float), np.asarray(values, float)
    if t.shape != y.shape or len(versions) != y.size or not (np.isfinite(t).all() and np.isfinite(y).all()):
        raise ChartError("each value needs its time and version")
    known = {name: np.asarray(column, float) for name, column in (covariates or {}).items()}
    if any(column.shape != y.shape for column in known.values()):
        raise ChartError("each covariate needs one entry for each value, NaN where unknown")
    order = np.argsort(t, kind="stable")
    labels = np.asarray(versions, dtype=object)
    found = []
    for version in dict.fromkeys(labels[order]):
        places = order[labels[order] == version]
        found.append(_line(str(version), places, t[places], y[places], {n: c[places] for n, c in known.items()}))
    return tuple(found)


def _line(version: str, places: Vector, t: Vector, y: Vector, covariates: dict[str, Vector]) -> Line:
    where = tuple(int(place) for place in places)
    if y.size < max(LEAST, len(covariates) + 4):
        return Line(version, where, None, (), None, {})
    columns = {name: _filled(column) for name, column in covariates.items()}
    columns = {name: column for name, column in columns.items() if np.ptp(column) > 0}
    effects, adjusted = _adjust(y, columns)
    chart = individuals(adjusted)[0]
    return Line(version, where, chart, nelson(chart.z), _slope(t, adjusted), effects)


def _filled(column: Vector) -> Vector:
    there = np.isfinite(column)
    return np.where(there, column, column[there].mean() if there.any() else 0.0)


def _adjust(y: Vector, columns: dict[str, Vector]) -> tuple[dict[str, Slope], Vector]:
    """Effects of the covariates, and values without them at the covariates' means."""
    if not columns:
        return {}, y
    centred = np.stack([column - column.mean() for column in columns.values()], axis=1)
    scale = centred.std(axis=0)
    design = np.concatenate([np.ones((y.size, 1)), centred / scale], axis=1)
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    estimates = inverse @ (design.T @ y)
    rest = y - design @ estimates
    freedom = y.size - design.shape[1]
    errors = np.sqrt(np.diag(inverse) * float(rest @ rest) / freedom)
    effects = {
        name: _tested(float(estimates[place] / scale[place - 1]), float(errors[place] / scale[place - 1]), freedom)
        for place, name in enumerate(columns, 1)
    }
    return effects, estimates[0] + rest


def _slope(t: Vector, y: Vector) -> Slope | None:
    if np.ptp(t) == 0:
        return None
    away = t - t.mean()
    spread = float(away @ away)
    value = float(away @ y) / spread
    rest = y - y.mean() - value * away
    return _tested(value, float(np.sqrt(rest @ rest / (y.size - 2) / spread)), y.size - 2)


def _tested(value: float, error: float, freedom: int, level: float = 0.95) -> Slope:
    half = error * float(stats.t.ppf(0.5 + level / 2, freedom))
    p = float(2 * stats.t.sf(abs(value) / error, freedom)) if error > 0 else float(value == 0)
    return Slope(value, value - half, value + half, p)
