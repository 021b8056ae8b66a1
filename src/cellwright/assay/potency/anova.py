"""Analysis of variance by nested linear models: what each further term takes off the residual sum of squares."""

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.potency.layout import Vector


class Source(msgspec.Struct, frozen=True):
    """One line of an analysis of variance.

    Attributes:
        name: such as `regression`.
        degrees_of_freedom, sum_of_squares: of the line.
        f: mean square over residual mean square; None for the residual itself, for totals and without freedom.
        p: probability of a greater F.
    """

    name: str
    degrees_of_freedom: int
    sum_of_squares: float
    f: float | None = None
    p: float | None = None

    @property
    def mean_square(self) -> float:
        """NaN without degrees of freedom."""
        return self.sum_of_squares / self.degrees_of_freedom if self.degrees_of_freedom else float("nan")


class Model(msgspec.Struct, frozen=True):
    """A linear model's residual sum of squares and rank."""

    residual: float
    rank: int


def model(design: Vector, response: Vector) -> Model:
    """Fit by least squares; the design may have dependent columns."""
    norms = np.linalg.norm(design, axis=0)
    kept = design[:, norms > 0] / norms[norms > 0]
    left, singular, _right = np.linalg.svd(kept, full_matrices=False)
    rank = int((singular > 1e-10 * singular[0]).sum())
    basis = left[:, :rank]
    rest = response - basis @ (basis.T @ response)
    rest -= basis @ (basis.T @ rest)
    return Model(float(rest @ rest), rank)


def between(name: str, smaller: Model, larger: Model, residual: Source) -> Source:
    """The line for what the larger model explains beyond the smaller."""
    freedom = larger.rank - smaller.rank
    # Sums below the rounding of the responses are 0: a sum of squares is never negative.
    return tested(name, freedom, max(smaller.residual - larger.residual, 0.0), residual)


def tested(name: str, freedom: int, squares: float, residual: Source) -> Source:
    """A line with its F test against the residual."""
    if not freedom or not residual.degrees_of_freedom or residual.sum_of_squares <= 0:
        return Source(name, freedom, squares)
    f = squares / freedom / residual.mean_square
    return Source(name, freedom, squares, f, float(stats.f.sf(f, freedom, residual.degrees_of_freedom)))
