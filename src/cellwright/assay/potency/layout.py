"""A bioassay as it was laid out: which preparation, at which dose, in which block, gave which response."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Index = NDArray[np.intp]


BLANK = -1
"""The preparation of a blank, which belongs to none."""


class LayoutError(ValueError):
    """Responses that are no bioassay: says what is missing or does not fit together."""


class Layout(msgspec.Struct, frozen=True):
    """Responses of a standard and of preparations to be examined, one entry for each response.

    Attributes:
        preparations: names; the first is the standard.
        preparation: [n] index into `preparations`.
        dose: [n] in the same unit for all, as assumed for the preparations to be examined; 0 for a blank.
        response: [n], already transformed so that the variance is homogeneous.
        rows: [n] block, or row of a Latin square; empty if completely randomised.
        columns: [n] column of a Latin square; empty otherwise.
    """

    preparations: tuple[str, ...]
    preparation: tuple[int, ...]
    dose: tuple[float, ...]
    response: tuple[float, ...]
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        size = len(self.response)
        for name, values in (("preparation", self.preparation), ("dose", self.dose), ("rows", self.rows or self.dose),
                             ("columns", self.columns or self.dose)):  # fmt: skip
            if len(values) != size:
                raise LayoutError(f"{len(values)} entries of {name} for {size} responses")
        if len(self.preparations) < 2 or len(set(self.preparations)) != len(self.preparations):
            raise LayoutError(
                "a relative potency needs a standard and at least one other preparation, named differently"
            )
        if not (np.isfinite(self.dose).all() and np.isfinite(self.response).all()):
            raise LayoutError("doses and responses must be numbers; leave out the entry of a missing response")
        if set(self.preparation) - {BLANK} != set(range(len(self.preparations))):
            raise LayoutError("each preparation needs responses")

    @property
    def x(self) -> Vector:
        return np.asarray(self.dose, float)

    @property
    def y(self) -> Vector:
        return np.asarray(self.response, float)

    @property
    def who(self) -> Index:
        return np.asarray(self.preparation, np.intp)


def indicators(labels: Sequence[int] | Index) -> Vector:
    """One 0/1 column [n] for each label that occurs."""
    found = np.asarray(labels)
    return np.stack([(found == label).astype(float) for label in np.unique(found)], axis=1)


def strata(layout: Layout) -> Vector:
    """The columns of the design's own differences: the mean, and rows and columns where there are any [n, k]."""
    parts = [np.ones((len(layout.response), 1))]
    parts += [indicators(labels) for labels in (layout.rows, layout.columns) if labels]
    return np.concatenate(parts, axis=1)


def cells(layout: Layout) -> Vector:
    """One column for each treatment, that is each preparation at each dose [n, k]."""
    pairs = list(zip(layout.preparation, layout.dose, strict=True))
    places = {pair: place for place, pair in enumerate(sorted(set(pairs)))}
    return indicators([places[pair] for pair in pairs])
