"""Reading a calibration curve backwards: the dose behind a response, with confidence limits.

The limits are those doses at which the observed mean response would just be rejected: they invert the confidence band
of the curve widened by the error of the mean (Seber and Wild, Nonlinear Regression, 1989, section 5.4). Near an
asymptote a limit may not exist; it is then None, and no number is made up. The standard error is by the delta method.
"""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from scipy import optimize, stats

from cellwright.assay.fit.least_squares import Vector
from cellwright.assay.fit.logistic import Curve, gradient, response

REACH: Final = 12.0
"""Natural-log units searched on either side of the estimate for a limit: a factor of 160,000."""
GRID: Final = 240


class Inverse(msgspec.Struct, frozen=True):
    """The dose behind a response.

    Attributes:
        dose: in the units of the curve's doses.
        standard_error: of the dose, by the delta method.
        lower, upper: confidence limits; None where the curve is too flat for one.
        level: of the limits, such as 0.95.
    """

    dose: float
    standard_error: float
    lower: float | None
    upper: float | None
    level: float


def inverse(curve: Curve, observed: float, *, replicates: int = 1, level: float = 0.95) -> Inverse | None:
    """The dose that gives the mean `observed` of `replicates` responses; None outside the asymptotes.

    Raises:
        ValueError: no replicate, or a fit without degrees of freedom.
    """
    if replicates < 1 or curve.fit.degrees_of_freedom < 1:
        raise ValueError("limits need at least one replicate and one degree of freedom")
    dose = curve.dose(observed)
    if not np.isfinite(dose) or dose <= 0:
        return None
    parameters, covariance = np.asarray(curve.fit.parameters), np.asarray(curve.fit.covariance)
    quantile = float(stats.t.ppf(0.5 + level / 2, curve.fit.degrees_of_freedom))
    reading = _reading_variance(curve, observed) / replicates

    def spread(log_dose: Vector) -> Vector:
        slopes = gradient(parameters, log_dose)
        return np.asarray(np.sqrt(reading + np.einsum("ij,jk,ik->i", slopes, covariance, slopes)))

    def excess(log_dose: Vector) -> Vector:
        return np.asarray(np.abs(observed - response(parameters, log_dose)) - quantile * spread(log_dose))

    centre = float(np.log(dose))
    steepness = gradient(parameters, np.array([centre]))[0, 3]
    error = dose * float(spread(np.array([centre]))[0]) / abs(float(steepness))
    limits = [_crossing(excess, centre, side) for side in (-1, 1)]
    return Inverse(dose, error, limits[0], limits[1], level)


def _reading_variance(curve: Curve, observed: float) -> float:
    """Variance of one response, by the variance function that the weights stood for."""
    return float(curve.fit.residual_standard_deviation**2 * abs(observed) ** curve.variance_power)


def _crossing(excess: Callable[[Vector], Vector], centre: float, side: int) -> float | None:
    places = centre + side * np.linspace(0, REACH, GRID)
    outside = np.flatnonzero(excess(places) > 0)
    if outside.size == 0:
        return None
    first = int(outside[0])
    found = optimize.brentq(
        lambda place: float(excess(np.array([place]))[0]), places[first - 1], places[first], xtol=1e-14
    )
    return float(np.exp(found))
