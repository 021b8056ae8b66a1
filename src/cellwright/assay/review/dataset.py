"""What an annual product review looks at: the lots of a period and the series of each test, column by column."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Outcome = Literal["released", "released out of specification", "rejected", "pending"]
Censored = Literal["", "<", ">"]


class ReviewError(ValueError):
    """Columns that do not fit together: says which."""


class ReleaseTest(msgspec.Struct, frozen=True):
    """A test with its release limits.

    Attributes:
        lower, upper: acceptance limits, both inclusive; None where the specification has none.
    """

    code: str
    name: str
    unit: str
    lower: float | None = None
    upper: float | None = None


class Series(msgspec.Struct, frozen=True):
    """The results of one test, one entry for each.

    Attributes:
        lot: [n] index into the lots.
        value: [n]; the bound where censored.
        censored: [n] of `<`, `>` or empty.
        version: [n] method and assay version, as one text.
    """

    test: ReleaseTest
    lot: NDArray[np.intp]
    value: NDArray[np.float64]
    censored: NDArray[np.str_]
    version: NDArray[np.str_]


class Lots(msgspec.Struct, frozen=True):
    """The lots of a period, one entry for each.

    Attributes:
        id: [n] lot numbers, no patient's name.
        day: [n] of manufacture, as numpy days.
        outcome: [n].
        covariates: name -> [n], what the patient brought; NaN where unknown.
    """

    id: NDArray[np.str_]
    day: NDArray[np.datetime64]
    outcome: NDArray[np.str_]
    covariates: Mapping[str, NDArray[np.float64]]


class Dataset(msgspec.Struct, frozen=True):
    """All that a review is made from. Raises ReviewError when built from columns that do not fit together."""

    product: str
    begin: date
    end: date
    lots: Lots
    series: tuple[Series, ...]
    simulated: bool = False

    def __post_init__(self) -> None:
        count = len(self.lots.id)
        columns = {"day": self.lots.day, "outcome": self.lots.outcome, **self.lots.covariates}
        for name, column in columns.items():
            if len(column) != count:
                raise ReviewError(f"{len(column)} entries of {name} for {count} lots")
        if len(np.unique(self.lots.id)) != count:
            raise ReviewError("a lot number stands twice")
        outside = (self.lots.day < np.datetime64(self.begin)) | (self.lots.day > np.datetime64(self.end))
        if outside.any():
            raise ReviewError(f"lot {self.lots.id[int(np.argmax(outside))]} was not made in the period")
        for one in self.series:
            size = len(one.lot)
            if {len(one.value), len(one.censored), len(one.version)} != {size}:
                raise ReviewError(f"{one.test.code}: columns of different length")
            if size and (one.lot.min() < 0 or one.lot.max() >= count):
                raise ReviewError(f"{one.test.code}: a result of no lot of the period")
            if not np.isfinite(one.value).all():
                raise ReviewError(f"{one.test.code}: a value that is no number")
