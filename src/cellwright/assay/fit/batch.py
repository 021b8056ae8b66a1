"""Thousands of four-parameter logistic curves at once, every array operation over all of them together.

Given slope and centre, both asymptotes follow by linear regression, so only two parameters are searched (Golub and
Pereyra, SIAM J. Numer. Anal. 10, 1973; the Jacobian is Kaufman's, BIT 15, 1975). Two by two systems need no linear algebra
library. Curves that are done leave the batch; the few that do not settle are refitted alone.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cellwright.assay.fit.least_squares import Vector
from cellwright.assay.fit.logistic import SLOPE_LIMITS, SLOPES, CurveError, fit_curve

ROUNDS_MAX: Final = 200
CENTRES: Final = 9
_SETTLED: Final = 1e-9


class BatchFit(msgspec.Struct, frozen=True):
    """Four-parameter logistic curves, one value for each; the names are those of `Curve`.

    Attributes:
        converged: False where no finite curve minimises the residuals; the values are then the last tried.
        alone: how many had to be refitted one by one.
    """

    zero_dose: NDArray[np.float64]
    infinite_dose: NDArray[np.float64]
    slope: NDArray[np.float64]
    centre: NDArray[np.float64]
    residual_sum_of_squares: NDArray[np.float64]
    converged: NDArray[np.bool_]
    alone: int


def fit_many(dose: Sequence[float] | Vector, observed: Vector, weights: Vector | None = None) -> BatchFit:
    """Fit one four-parameter logistic curve to each row of `observed` [curves, n].

    Parameters:
        dose: [n], shared by all curves, 0 for a blank.
        weights: [curves, n] or [n], proportional to 1/variance.

    Raises:
        CurveError: lengths that differ, values that are not finite, fewer than four doses.
    """
    x, y = np.asarray(dose, float), np.asarray(observed, float)
    if y.ndim != 2 or x.shape != y.shape[1:]:
        raise CurveError("responses need one row for each curve and one column for each dose")
    if not (np.isfinite(y).all() and np.isfinite(x).all() and (x >= 0).all()) or np.unique(x).size < 4:
        raise CurveError("doses must be numbers from 0, four of them different, and responses numbers")
    with np.errstate(divide="ignore"):
        log_dose = np.log(x)
    w = np.ones_like(y) if weights is None else np.broadcast_to(np.asarray(weights, float), y.shape)
    search = _Search(log_dose, y, w, plain=weights is None)
    search.run()
    return _alone(search, x, y, w)


class _Search:
    """State of all curves; `at` [curves, 2] holds slope and log centre."""

    def __init__(self, log_dose: Vector, y: Vector, w: Vector, *, plain: bool) -> None:
        self.finite = np.isfinite(log_dose)
        self.blank = ~self.finite
        self.log_dose = np.where(self.finite, log_dose, 0.0)
        self.y, self.w, self.plain = y, w, plain
        self.at = self._grid()
        self.linear = np.zeros_like(self.at)
        self.cost = np.full(y.shape[0], np.inf)
        self.settled = np.zeros(y.shape[0], bool)

    def share(self, at: Vector) -> Vector:
        """The share of the zero-dose response that is left [curves, n]."""
        with np.errstate(over="ignore"):
            left = 1 / (1 + np.exp(at[:, :1] * (self.log_dose - at[:, 1:])))
        if self.blank.any():
            left[:, self.blank] = 1.0
        return np.asarray(left)

    def _grid(self) -> Vector:
        """The best slope and centre of a coarse grid, by correlation with every curve of the grid at once."""
        inside = self.log_dose[self.finite]
        centres = np.linspace(inside.min(), inside.max(), CENTRES)
        grid = np.array([(slope, centre) for slope in SLOPES for centre in centres])
        shares = self.share(grid)
        unit = shares - shares.mean(axis=1, keepdims=True)
        length = np.sqrt((unit**2).sum(axis=1, keepdims=True))
        unit = unit / np.where(length > 1e-9, length, np.inf)
        deviations = self.y - self.y.mean(axis=1, keepdims=True)
        return np.asarray(grid[np.argmax((deviations @ unit.T) ** 2, axis=1)])

    def project(self, at: Vector, who: NDArray[np.intp]) -> tuple[Vector, Vector, Vector, Vector]:
        """Asymptotes, residual and cost for the curves `who`, with the share behind them."""
        share, y, w = self.share(at), self.y[who], self.w[who]
        count = w.sum(axis=1)
        mean_share = (w * share).sum(axis=1) / count
        mean_y = (w * y).sum(axis=1) / count
        centred = share - mean_share[:, None]
        weighted = centred if self.plain else w * centred
        square = np.einsum("ij,ij->i", weighted, centred)
        with np.errstate(all="ignore"):
            gain = np.einsum("ij,ij->i", weighted, y) / square
        residual = y - mean_y[:, None] - gain[:, None] * centred
        cost = np.einsum("ij,ij->i", residual if self.plain else w * residual, residual)
        linear = np.stack([mean_y + gain * (1 - mean_share), mean_y - gain * mean_share], axis=1)
        return linear, residual, np.where(np.isfinite(cost), cost, np.inf), share

    def slopes(self, at: Vector, linear: Vector, share: Vector, who: NDArray[np.intp]) -> tuple[Vector, Vector]:
        """Derivatives of the responses by slope and log centre, without what the asymptotes can take up."""
        w = self.w[who]
        steep = (linear[:, :1] - linear[:, 1:]) * share * (1 - share)
        by_slope = -steep * (self.log_dose - at[:, 1:])
        if self.blank.any():
            by_slope[:, self.blank] = 0.0
        by_centre = steep * at[:, :1]
        count = w.sum(axis=1)[:, None]
        centred = share - (w * share).sum(axis=1)[:, None] / count
        square = (w * centred**2).sum(axis=1)[:, None]
        cleaned = []
        for column in (by_slope, by_centre):
            flat = column - (w * column).sum(axis=1)[:, None] / count
            cleaned.append(flat - centred * ((w * centred * flat).sum(axis=1)[:, None] / square))
        return cleaned[0], cleaned[1]

    def run(self) -> None:
        who = np.arange(self.y.shape[0])
        damping = np.full(who.size, 1e-3)
        linear, residual, cost, share = self.project(self.at, who)
        self.linear, self.cost = linear.copy(), cost.copy()
        for _round in range(ROUNDS_MAX):
            at = self.at[who]
            step, length = self._step(at, linear, residual, share, who, damping)
            trial = at + step
            trial[:, 0] = np.clip(trial[:, 0], *SLOPE_LIMITS)
            new_linear, new_residual, new_cost, new_share = self.project(trial, who)
            better = new_cost <= cost * (1 + 1e-15)
            self.at[who[better]] = trial[better]
            self.linear[who[better]], self.cost[who[better]] = new_linear[better], new_cost[better]
            damping = np.where(better, np.maximum(damping / 10, 1e-12), np.minimum(damping * 8, 1e9))
            done = (length < _SETTLED) & (better | (new_cost <= cost * (1 + 1e-12)))
            self.settled[who[done]] = True
            keep = ~done & (damping < 1e9)
            pick = better[:, None]
            linear = np.where(pick, new_linear, linear)[keep]
            residual = np.where(pick, new_residual, residual)[keep]
            share = np.where(pick, new_share, share)[keep]
            cost, damping, who = np.where(better, new_cost, cost)[keep], damping[keep], who[keep]
            if who.size == 0:
                break

    def _step(
        self, at: Vector, linear: Vector, residual: Vector, share: Vector, who: NDArray[np.intp], damping: Vector
    ) -> tuple[Vector, Vector]:
        """The damped Gauss-Newton step of two parameters, solved by hand, and its relative length."""
        first, second = self.slopes(at, linear, share, who)
        pull = residual if self.plain else self.w[who] * residual
        gradient = np.stack([np.einsum("ij,ij->i", pull, first), np.einsum("ij,ij->i", pull, second)], axis=1)
        left, right = (first, second) if self.plain else (self.w[who] * first, self.w[who] * second)
        one = np.einsum("ij,ij->i", left, first) * (1 + damping)
        two = np.einsum("ij,ij->i", right, second) * (1 + damping)
        both = np.einsum("ij,ij->i", left, second)
        with np.errstate(all="ignore"):
            below = one * two - both**2
            step = np.stack([two * gradient[:, 0] - both * gradient[:, 1],
                             one * gradient[:, 1] - both * gradient[:, 0]], axis=1) / below[:, None]  # fmt: skip
        step = np.where(np.isfinite(step), step, 0.0)
        step = np.clip(step, [[-3.0, -3.0]], [[3.0, 3.0]])
        return step, np.abs(step[:, 0]) / at[:, 0] + np.abs(step[:, 1])


def _alone(search: _Search, dose: Vector, y: Vector, w: Vector) -> BatchFit:
    """Refit what the batch could not settle, and collect."""
    at, linear, cost = search.at.copy(), search.linear.copy(), search.cost.copy()
    converged = search.settled & (at[:, 0] < SLOPE_LIMITS[1]) & (at[:, 0] > SLOPE_LIMITS[0])
    varied = np.ptp(y, axis=1) > 0
    converged &= varied
    left = np.flatnonzero(~converged & varied)
    for row in left:
        curve = fit_curve(dose, y[row], weights=w[row])
        if curve.fit.residual_sum_of_squares <= cost[row]:
            at[row] = curve.slope, np.log(curve.centre)
            linear[row] = curve.zero_dose, curve.infinite_dose
            cost[row] = curve.fit.residual_sum_of_squares
        converged[row] = curve.fit.converged and not any(curve.fit.at_bound[:4])
    return BatchFit(linear[:, 0], linear[:, 1], at[:, 0], np.exp(at[:, 1]), cost, converged, int(left.size))
