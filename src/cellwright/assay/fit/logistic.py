"""Logistic dose-response and calibration curves with four or five parameters.

    response(x) = infinite_dose + (zero_dose - infinite_dose) / (1 + (x / centre)^slope)^asymmetry

with slope > 0, so that the first parameter is always the response without dose, whether the curve rises or falls. Inside,
centre and asymmetry are fitted as logarithms: they are positive, and their errors are closer to normal there.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from cellwright.assay.fit.least_squares import Bounds, Fit, Vector, least_squares

Name = Literal["zero_dose", "infinite_dose", "slope", "centre", "asymmetry"]
NAMES: Final = get_args(Name)
"""The order of parameters in `Curve.fit`, where centre and asymmetry are natural logarithms."""
SLOPES: Final = (0.5, 1.0, 1.7, 3.0, 6.0)
SLOPE_LIMITS: Final = (0.01, 100.0)
ASYMMETRY_LIMITS: Final = (0.02, 50.0)
REWEIGHTINGS_MAX: Final = 50


class CurveError(ValueError):
    """Readings that no logistic curve can be fitted to: says what is missing."""


class Curve(msgspec.Struct, frozen=True):
    """A fitted logistic curve.

    Attributes:
        zero_dose: response where the dose is 0, in response units.
        infinite_dose: response to which the curve tends, in response units.
        slope: Hill slope, positive.
        centre: dose of the inflection on the log scale for asymmetry 1, in dose units.
        asymmetry: 1 for the four-parameter curve.
        standard_errors: of the five, in the order above; 0 where held.
        variance_power: the weights were 1 / fitted^power, the variance is s2 fitted^power; 0 is unweighted.
        fit: the fit in its own coordinates (see `NAMES`).
    """

    zero_dose: float
    infinite_dose: float
    slope: float
    centre: float
    asymmetry: float
    standard_errors: tuple[float, ...]
    variance_power: float
    fit: Fit

    @property
    def ec50(self) -> float:
        """The dose whose response lies halfway between both asymptotes."""
        return float(self.centre * (2 ** (1 / self.asymmetry) - 1) ** (1 / self.slope))

    def response(self, dose: Sequence[float] | Vector) -> Vector:
        """Expected responses at the doses."""
        with np.errstate(divide="ignore"):
            return np.asarray(response(np.asarray(self.fit.parameters), np.log(np.asarray(dose, float))))

    def dose(self, value: float) -> float:
        """The dose that gives a response; 0, infinity or NaN where none does."""
        share = (value - self.infinite_dose) / (self.zero_dose - self.infinite_dose)
        if share >= 1:
            return 0.0 if share == 1 else float("nan")
        if share <= 0:
            return float("inf") if share == 0 else float("nan")
        return float(self.centre * (share ** (-1 / self.asymmetry) - 1) ** (1 / self.slope))


def fit_curve(
    dose: Sequence[float] | Vector,
    observed: Sequence[float] | Vector,
    *,
    parameters: Literal[4, 5] = 4,
    weights: Sequence[float] | Vector | None = None,
    variance_power: float = 0.0,
    hold: Mapping[Name, float] | None = None,
) -> Curve:
    """Fit a four- or five-parameter logistic curve by least squares.

    Parameters:
        dose: [n], 0 for a blank, in any unit.
        observed: [n] responses.
        weights: [n], proportional to 1/variance.
        variance_power: weights 1 / fitted^power, found by iteration; 2 for a constant coefficient of variation.
        hold: parameters held at a value, such as {"zero_dose": 0}.

    Raises:
        CurveError: too few doses, a negative dose, responses not finite or not positive with `variance_power`.
    """
    x, y = np.asarray(dose, float), np.asarray(observed, float)
    held = dict(hold or {})
    if parameters == 4:
        held.setdefault("asymmetry", 1.0)
    _admissible(x, y, 5 - len(held))
    with np.errstate(divide="ignore"):
        log_dose = np.log(x)
    given = np.ones_like(y) if weights is None else np.asarray(weights, float)
    bounds = _bounds(held)
    fit = _fit(log_dose, y, given, _start(log_dose, y, given, held), bounds)
    for _turn in range(REWEIGHTINGS_MAX if variance_power else 0):
        mean = response(np.asarray(fit.parameters), log_dose)
        if not (mean > 0).all():
            raise CurveError("the fitted response is not positive everywhere: no variance proportional to its power")
        again = _fit(log_dose, y, given * mean**-variance_power, np.asarray(fit.parameters), bounds)
        change = np.max(np.abs(np.subtract(again.parameters, fit.parameters)) / (np.abs(again.parameters) + 1e-9))
        fit = again
        if change < 1e-10:
            break
    return _curve(fit, variance_power)


def response(parameters: NDArray[Any], log_dose: Vector) -> NDArray[Any]:
    """Expected responses [n] for parameters in the order of `NAMES`; -inf is the logarithm of dose 0."""
    zero, infinite, slope, log_centre, log_asymmetry = parameters
    return np.asarray(infinite + (zero - infinite) * _share(slope, log_centre, np.exp(log_asymmetry), log_dose))


def gradient(parameters: Vector, log_dose: Vector) -> Vector:
    """Derivatives [n, 5] of `response` by the parameters in the order of `NAMES`."""
    zero, infinite, slope, log_centre, log_asymmetry = parameters
    power = np.exp(log_asymmetry)
    share = _share(slope, log_centre, power, log_dose)
    distance = np.where(np.isfinite(log_dose), log_dose - log_centre, 0.0)
    exponent = np.where(np.isfinite(log_dose), slope * distance, -np.inf)
    steep = (zero - infinite) * power * share * np.exp(-np.logaddexp(0.0, -exponent))
    softened = (zero - infinite) * power * share * np.logaddexp(0.0, exponent)
    return np.stack([share, 1 - share, -steep * distance, steep * slope, -softened], axis=1)


def _share(slope: float, log_centre: float, power: float, log_dose: Vector) -> Vector:
    """How much of the zero-dose response is left, 1 to 0."""
    return np.asarray(np.exp(-power * np.logaddexp(0.0, slope * (log_dose - log_centre))))


def _admissible(dose: Vector, observed: Vector, free: int) -> None:
    if dose.shape != observed.shape or dose.ndim != 1:
        raise CurveError("doses and responses need the same length")
    if not (np.isfinite(dose).all() and np.isfinite(observed).all() and (dose >= 0).all()):
        raise CurveError("doses must be numbers from 0, responses must be numbers")
    levels = np.unique(dose).size
    if levels < free:
        raise CurveError(f"{levels} different doses cannot determine {free} parameters")
    if np.ptp(observed) == 0:
        raise CurveError("all responses are equal: there is no curve")


def _bounds(held: Mapping[Name, float]) -> Bounds:
    logs = {"centre", "asymmetry"}
    lower = [-np.inf, -np.inf, SLOPE_LIMITS[0], -np.inf, np.log(ASYMMETRY_LIMITS[0])]
    upper = [np.inf, np.inf, SLOPE_LIMITS[1], np.inf, np.log(ASYMMETRY_LIMITS[1])]
    for name, value in held.items():
        if name in logs and value <= 0:
            raise CurveError(f"{name} must be positive")
        place = NAMES.index(name)
        lower[place] = upper[place] = np.log(value) if name in logs else value
    return Bounds(tuple(map(float, lower)), tuple(map(float, upper)))


def _start(log_dose: Vector, observed: Vector, weights: Vector, held: Mapping[Name, float]) -> Vector:
    """The best of a grid of slopes and centres, each with its asymptotes by linear least squares."""
    finite = np.unique(log_dose[np.isfinite(log_dose)])
    slopes = [held["slope"]] if "slope" in held else list(SLOPES)
    centres = [np.log(held["centre"])] if "centre" in held else list(np.linspace(finite[0], finite[-1], 12))
    root = np.sqrt(weights)
    log_power = float(np.log(held.get("asymmetry", 1.0)))
    best, least = np.zeros(5), np.inf
    for slope in slopes:
        for centre in centres:
            share = _share(slope, centre, np.exp(log_power), log_dose)
            design = np.stack([share, 1 - share], axis=1) * root[:, None]
            zero, infinite = np.linalg.lstsq(design, observed * root, rcond=1e-6)[0]
            zero, infinite = held.get("zero_dose", zero), held.get("infinite_dose", infinite)
            rest = root * (observed - infinite - (zero - infinite) * share)
            cost = float(rest @ rest)
            if cost < least:
                best, least = np.array([zero, infinite, slope, centre, log_power]), cost
    return best


def _fit(log_dose: Vector, observed: Vector, weights: Vector, start: Vector, bounds: Bounds) -> Fit:
    return least_squares(
        lambda at: response(at, log_dose),
        observed,
        start,
        weights=weights,
        jacobian=lambda at: gradient(at, log_dose),
        bounds=bounds,
    )


def _curve(fit: Fit, variance_power: float) -> Curve:
    zero, infinite, slope, log_centre, log_asymmetry = fit.parameters
    centre, asymmetry = float(np.exp(log_centre)), float(np.exp(log_asymmetry))
    errors = np.asarray(fit.standard_errors) * [1, 1, 1, centre, asymmetry]
    return Curve(zero, infinite, slope, centre, asymmetry, tuple(float(error) for error in errors), variance_power, fit)
