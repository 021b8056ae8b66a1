"""Gaussian mixtures by expectation and maximisation, the same answer every time.

Dempster, Laird and Rubin, J. R. Stat. Soc. B 39 (1977) 1. The events are counted into a grid first, so that a million
cost no more than ten thousand, and the starting point follows from the data: no random number is drawn.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDS_MAX = 300
SETTLED = 1e-7
"""Change of the mean log-likelihood below which the search has ended."""
BINS = {1: 512, 2: 96}
"""Grid of one axis, by the number of dimensions."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A fitted mixture in d dimensions of k components, those with the most events first.

    Attributes:
        weights: shape (k,), sum 1.
        means: shape (k, d).
        covariances: shape (k, d, d).
        log_likelihood: mean per event.
        rounds: how many steps it took; `ROUNDS_MAX` if it had not settled.
    """

    weights: "Floats"
    means: "Floats"
    covariances: "Floats"
    log_likelihood: float
    rounds: int

    def log_density(self, points: "Floats") -> "Floats":
        """Logarithm of weight times density of each component, shape (n, k), at points of shape (n, d)."""
        return _log_density(points, self.weights, self.means, self.covariances)


def fit_mixture(points: "Floats", components: int) -> Mixture:
    """Fit a mixture of Gaussians with full covariances.

    Args:
        points: shape (n, d) with d 1 or 2, at least ten for each component; events outside of the central 99.8 %
            of an axis do not take part.

    Raises:
        ValueError: too few points, or all of one value on an axis.
    """
    import numpy as np

    n, d = points.shape
    if d not in BINS or components < 1 or n < 10 * components:
        raise ValueError(f"{n} points in {d} dimensions are too few for {components} components")
    place, weight, cell = _grid(points)
    weights, means, covariances = _start(place, weight, components)
    floor = np.diag((2 * cell) ** 2 / 12)
    last, rounds = -np.inf, 0
    for rounds in range(1, ROUNDS_MAX + 1):  # noqa: B007 - reported afterwards
        joint = _log_density(place, weights, means, covariances)
        total = np.logaddexp.reduce(joint, axis=1)
        likelihood = float(weight @ total)
        share = np.exp(joint - total[:, None]) * weight[:, None]
        weights = np.maximum(share.sum(axis=0), 1e-12)
        means = (share.T @ place) / weights[:, None]
        for k in range(components):
            away = place - means[k]
            covariances[k] = (share[:, k, None] * away).T @ away / weights[k] + floor
        weights = weights / weights.sum()
        if abs(likelihood - last) < SETTLED:
            break
        last = likelihood
    order = np.lexsort((means[:, 0], -weights))
    return Mixture(weights[order], means[order], covariances[order], likelihood, rounds)


def _grid(points: "Floats") -> tuple["Floats", "Floats", "Floats"]:
    """Occupied cells of a grid: their centres (m, d), their share of the events (m,), and the size of a cell (d,)."""
    import numpy as np

    d = points.shape[1]
    low, high = np.quantile(points, [0.001, 0.999], axis=0)
    if not (high > low).all():
        raise ValueError("all points have one value on an axis")
    inside = ((points >= low) & (points <= high)).all(axis=1)
    bins = BINS[d]
    table, edges = np.histogramdd(points[inside], bins=bins, range=list(zip(low, high, strict=True)))
    occupied = np.nonzero(table)
    centres = [(edge[:-1] + edge[1:]) / 2 for edge in edges]
    place = np.column_stack([centre[index] for centre, index in zip(centres, occupied, strict=True)])
    weight = table[occupied]
    return place, weight / weight.sum(), (high - low) / bins


def _start(place: "Floats", weight: "Floats", components: int) -> tuple["Floats", "Floats", "Floats"]:
    """The densest place first, then each time the place that most events are farthest from, by weight and distance."""
    import numpy as np

    middle = weight @ place
    spread = np.sqrt(weight @ (place - middle) ** 2)
    scaled = place / spread
    # A cell alone says little: its neighbourhood's events decide how dense a place is.
    near = np.array([weight[((scaled - one) ** 2).sum(axis=1) < 0.04].sum() for one in scaled])
    chosen = [int(np.argmax(near))]
    for _ in range(1, components):
        away = np.min([((scaled - scaled[c]) ** 2).sum(axis=1) for c in chosen], axis=0)
        chosen.append(int(np.argmax(near * away)))
    covariance = np.diag((spread / (2 * components)) ** 2)
    return (
        np.full(components, 1 / components),
        place[chosen].copy(),
        np.repeat(covariance[None], components, axis=0),
    )


def _log_density(points: "Floats", weights: "Floats", means: "Floats", covariances: "Floats") -> "Floats":
    import numpy as np

    d = points.shape[1]
    columns = []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        root = np.linalg.cholesky(covariance)
        away = np.linalg.solve(root, (points - mean).T)
        scale = d * np.log(2 * np.pi) / 2 + np.log(np.diag(root)).sum()
        columns.append(np.log(weight) - scale - (away**2).sum(axis=0) / 2)
    return np.column_stack(columns)
