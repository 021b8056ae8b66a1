"""Nonlinear least squares to the last digit the data hold: a trust region, exact derivatives, scaled parameters.

The step is that of Moré (1978, "The Levenberg-Marquardt algorithm: implementation and theory"): minimise the linear
model inside an ellipsoid whose axes follow the columns of the Jacobian. Derivatives come by complex step (Squire and
Trapp, SIAM Review 40, 1998), which has no cancellation, or from the caller. Standard errors are those of J'J.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Model = Callable[[NDArray[Any]], NDArray[Any]]
"""Parameters [p] -> expected responses [n]. Without a Jacobian it must accept complex parameters, and be analytic."""
Jacobian = Callable[[Vector], Vector]
"""Parameters [p] -> derivatives of the expected responses [n, p]."""

ITERATIONS_MAX: Final = 5000
_STEP: Final = 1e-100
"""Any step so small that its square vanishes is exact."""
_FIRST_RADIUS: Final = 1.0
_TINY: Final = np.finfo(float).tiny
_EPSILON: Final = float(np.finfo(float).eps)


class Bounds(msgspec.Struct, frozen=True):
    """Least and greatest value of each parameter; infinite where free, equal to hold one fixed."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]


class Fit(msgspec.Struct, frozen=True):
    """A fitted model.

    Attributes:
        parameters: the estimates, in the units of the model.
        standard_errors: from s2 (J'WJ)^-1; 0 for a parameter that lies on a bound, NaN where the data do not tell.
        covariance: rows of s2 (J'WJ)^-1.
        residual_sum_of_squares: weighted.
        residual_standard_deviation: sqrt(residual sum of squares / degrees of freedom); NaN without degrees of freedom.
        at_bound: which parameters were held by a bound, and so not estimated.
        converged: False if the iterations ran out or the data do not determine the parameters.
    """

    parameters: tuple[float, ...]
    standard_errors: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    residual_sum_of_squares: float
    residual_standard_deviation: float
    degrees_of_freedom: int
    at_bound: tuple[bool, ...]
    iterations: int
    converged: bool


def complex_step(model: Model, parameters: Vector) -> Vector:
    """Exact derivatives [n, p] of an analytic model by a step along the imaginary axis."""
    columns = []
    for index in range(parameters.size):
        moved = parameters.astype(complex)
        moved[index] += 1j * _STEP
        columns.append(model(moved).imag / _STEP)
    return np.stack(columns, axis=1)


def least_squares(
    model: Model,
    observed: Sequence[float] | Vector,
    start: Sequence[float] | Vector,
    *,
    weights: Sequence[float] | Vector | None = None,
    jacobian: Jacobian | None = None,
    bounds: Bounds | None = None,
) -> Fit:
    """Parameters that minimise the weighted sum of squared differences between `observed` [n] and the model.

    Parameters:
        weights: [n], proportional to 1/variance; all 1 if absent.
        start: a first guess [p], inside the bounds.

    Raises:
        ValueError: fewer observations than parameters, lengths that differ, or a model not finite at the start.
    """
    problem = _Problem(model, np.asarray(observed, float), weights, jacobian, bounds, np.asarray(start, float))
    return _search(problem)


class _Problem:
    """Residuals and derivatives in the metric of the weights, inside a box."""

    def __init__(
        self,
        model: Model,
        observed: Vector,
        weights: Sequence[float] | Vector | None,
        jacobian: Jacobian | None,
        bounds: Bounds | None,
        start: Vector,
    ) -> None:
        self.model, self.observed, self.start = model, observed, start
        self.root = np.ones_like(observed) if weights is None else np.sqrt(np.asarray(weights, float))
        self.derivatives = jacobian or (lambda parameters: complex_step(model, parameters))
        size = start.size
        self.lower = np.full(size, -np.inf) if bounds is None else np.asarray(bounds.lower, float)
        self.upper = np.full(size, np.inf) if bounds is None else np.asarray(bounds.upper, float)
        if self.root.shape != observed.shape or self.lower.shape != start.shape or self.upper.shape != start.shape:
            raise ValueError("weights need one value for each observation, bounds one for each parameter")
        free = int((self.lower < self.upper).sum())
        if observed.size < free:
            raise ValueError(f"{observed.size} observations cannot determine {free} parameters")
        self.start = np.clip(start, self.lower, self.upper)

    def residual(self, parameters: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return np.asarray(self.root * (self.observed - self.model(parameters)), float)

    def jacobian(self, parameters: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return np.asarray(self.root[:, None] * self.derivatives(parameters), float)

    def held(self, parameters: Vector, downhill: Vector) -> NDArray[np.bool_]:
        """Which parameters lie on a bound that the descent would cross."""
        fixed = self.lower == self.upper
        below = (parameters <= self.lower) & (downhill < 0)
        above = (parameters >= self.upper) & (downhill > 0)
        return np.asarray(fixed | below | above)


def _search(problem: _Problem) -> Fit:
    at = problem.start
    residual = problem.residual(at)
    cost = _square(residual)
    if not np.isfinite(cost):
        raise ValueError("the model is not finite at the starting values")
    scale = np.zeros(at.size)
    radius = 0.0
    converged = False
    turns = 0
    while turns < ITERATIONS_MAX:
        turns += 1
        jacobian = problem.jacobian(at)
        free = ~problem.held(at, jacobian.T @ residual)
        norms = np.linalg.norm(jacobian, axis=0)
        scale = np.maximum(scale, np.where(np.isfinite(norms), norms, 0))
        metric = np.where(scale > 0, scale, 1.0)[free]
        if not free.any():
            converged = True
            break
        radius = radius or _FIRST_RADIUS * (float(np.linalg.norm(metric * at[free])) or 1.0)
        axes = _Axes(jacobian[:, free] / metric, residual)
        accepted = False
        while not accepted:
            step, expected = axes.step(radius)
            trial = at.copy()
            trial[free] = np.clip(at[free] + step / metric, problem.lower[free], problem.upper[free])
            new_residual = problem.residual(trial)
            new_cost = _square(new_residual)
            gain = (cost - new_cost) / expected if expected > 0 and np.isfinite(new_cost) else -1.0
            length = float(np.linalg.norm(step))
            radius = _radius(radius, length, gain)
            accepted = gain > 1e-4
            small = length <= _EPSILON * float(np.linalg.norm(metric * at[free])) or expected <= _EPSILON**2 * cost
            if small or radius <= _TINY:
                break
        if accepted:
            at, residual, cost = trial, new_residual, new_cost
        if not accepted or small:
            converged = True
            break
    at, iterations = _polish(problem, at, cost)
    return _summary(problem, at, turns + iterations, converged)


def _square(residual: Vector) -> float:
    with np.errstate(all="ignore"):
        return float(residual @ residual)


def _radius(radius: float, length: float, gain: float) -> float:
    if gain < 0.25:
        return 0.25 * min(radius, length) if gain > -10 else 0.1 * min(radius, length)
    return max(radius, 2 * length) if gain > 0.75 else radius


class _Axes:
    """Steps of one linear model for any radius, from a single decomposition."""

    def __init__(self, scaled: Vector, residual: Vector) -> None:
        clean = np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)
        left, self.singular, self.right = np.linalg.svd(clean, full_matrices=False)
        self.along = left.T @ residual

    def step(self, radius: float) -> tuple[Vector, float]:
        """The step inside the radius, and by how much it should lower the sum of squares."""
        damping = self._damping(radius)
        filtered = _ratio(self.singular * self.along, self.singular**2 + damping)
        expected = float(np.sum(self.along**2 - (self.along - self.singular * filtered) ** 2))
        return np.asarray(self.right.T @ filtered), expected

    def _damping(self, radius: float) -> float:
        squares = self.singular**2
        pull = self.singular * self.along
        full = _ratio(pull, squares)
        if self.singular[-1] > _EPSILON * self.singular[0] and np.linalg.norm(full) <= radius:
            return 0.0
        damping = float(np.linalg.norm(pull)) / radius * 1e-3
        for _turn in range(60):
            length = float(np.linalg.norm(_ratio(pull, squares + damping)))
            if abs(length - radius) <= 0.1 * radius:
                break
            slope = float(np.sum(_ratio(pull**2, (squares + damping) ** 3)))
            change = (length - radius) / radius * length**2 / slope if slope > 0 else -damping / 2
            damping = max(damping + change, damping * 1e-3)
        return damping


def _ratio(above: Vector, below: Vector) -> Vector:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _polish(problem: _Problem, at: Vector, cost: float) -> tuple[Vector, int]:
    """Full Gauss-Newton steps while they shrink: near the minimum the cost is flat below rounding, the steps are not."""
    last = np.inf
    for turn in range(30):
        jacobian, residual = problem.jacobian(at), problem.residual(at)
        free = ~problem.held(at, jacobian.T @ residual)
        if not free.any() or not np.isfinite(jacobian).all():
            return at, turn
        metric = np.linalg.norm(jacobian[:, free], axis=0)
        if not (metric > 0).all():
            return at, turn
        step = np.linalg.lstsq(jacobian[:, free] / metric, residual, rcond=_EPSILON)[0]
        length = float(np.linalg.norm(step)) / (float(np.linalg.norm(metric * at[free])) or 1.0)
        trial = at.copy()
        trial[free] = np.clip(at[free] + step / metric, problem.lower[free], problem.upper[free])
        new = problem.residual(trial)
        if length >= last or length > 1e-2 or not _square(new) <= cost * (1 + 1e-9) + _TINY:
            return at, turn
        at, last = trial, length
        if length < 2 * _EPSILON:
            return at, turn + 1
    return at, turn + 1


def _summary(problem: _Problem, at: Vector, iterations: int, converged: bool) -> Fit:
    residual, jacobian = problem.residual(at), problem.jacobian(at)
    held = problem.held(at, jacobian.T @ residual)
    free = ~held
    cost = _square(residual)
    freedom = problem.observed.size - int(free.sum())
    deviation = float(np.sqrt(cost / freedom)) if freedom > 0 else float("nan")
    covariance = np.zeros((at.size, at.size))
    determined = True
    if free.any():
        inverse, determined = _inverse_square(jacobian[:, free])
        covariance[np.ix_(free, free)] = inverse * deviation**2
    return Fit(
        parameters=tuple(float(value) for value in at),
        standard_errors=tuple(float(value) for value in np.sqrt(np.diag(covariance))),
        covariance=tuple(tuple(float(value) for value in row) for row in covariance),
        residual_sum_of_squares=cost,
        residual_standard_deviation=deviation,
        degrees_of_freedom=freedom,
        at_bound=tuple(bool(value) for value in held),
        iterations=iterations,
        converged=converged and determined,
    )


def _inverse_square(jacobian: Vector) -> tuple[Vector, bool]:
    """(J'J)^-1 without forming J'J, and whether the columns are independent; NaN where they are not."""
    norms = np.linalg.norm(jacobian, axis=0)
    size = jacobian.shape[1]
    if not np.isfinite(norms).all() or not (norms > 0).all():
        return np.full((size, size), np.nan), False
    _left, singular, right = np.linalg.svd(jacobian / norms, full_matrices=False)
    if singular[-1] <= _EPSILON * singular[0] * max(jacobian.shape):
        return np.full((size, size), np.nan), False
    half = (right.T / singular) / norms[:, None]
    return np.asarray(half @ half.T), True
