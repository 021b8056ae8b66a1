"""Equivalence tests of parallelism: similar enough, rather than not shown to differ (USP <1032>, two one-sided tests).

A difference test passes noisy assays and fails precise ones; an equivalence test asks that the whole confidence interval
of a ratio lies inside margins that were set beforehand.
"""

from typing import Final, Literal

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.check import Check, judged
from cellwright.assay.potency.anova import model
from cellwright.assay.potency.fieller import fieller
from cellwright.assay.potency.layout import Layout, cells, indicators, strata
from cellwright.assay.potency.parallel_logistic import fitted
from cellwright.language import N_, _

MARGINS: Final = (0.8, 1.25)
"""[K] customary bounds of a ratio; a method sets its own from the history of its assay."""
MEASURES: Final = {"slope": N_("slope"), "range": N_("range")}
TWO_ONE_SIDED: Final = 0.90
"""A 90 % interval is two one-sided tests at 5 %."""


class Equivalence(msgspec.Struct, frozen=True):
    """A ratio of a preparation's curve to the standard's.

    Attributes:
        measure: `slope`, or `range` for the distance between the asymptotes.
        lower, upper: of the 90 % interval; None without a finite one, which is never equivalent.
    """

    preparation: str
    measure: Literal["slope", "range"]
    ratio: float
    lower: float | None
    upper: float | None
    margins: tuple[float, float]

    @property
    def check(self) -> Check:
        """Whether the whole interval lies inside the margins."""
        low, high = self.margins
        inside = self.lower is not None and self.upper is not None and low <= self.lower and self.upper <= high
        interval = _("no finite interval") if self.lower is None else f"{self.lower:.3f} to {self.upper:.3f}"
        reason = _("{measure} of {preparation} is not shown to be equivalent: {interval}").format(
            measure=_(MEASURES[self.measure]), preparation=self.preparation, interval=interval
        )
        return judged(f"equivalence of {self.measure}", self.ratio, f"{low:g} to {high:g}", inside, reason)


def equivalent_slopes(layout: Layout, margins: tuple[float, float] = MARGINS) -> tuple[Equivalence, ...]:
    """Ratios of the slopes of separate lines to the standard's, with Fieller's limits from the residual error."""
    x = np.log(layout.x)
    own = indicators(layout.who)
    frame = strata(layout)
    full = model(np.concatenate([frame, cells(layout)], axis=1), layout.y)
    freedom = layout.y.size - full.rank
    design = np.concatenate([frame, own, own * (x - x.mean())[:, None]], axis=1)
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    estimates = inverse @ (design.T @ layout.y)
    covariance = inverse * full.residual / freedom
    quantile = float(stats.t.ppf(0.5 + TWO_ONE_SIDED / 2, freedom))
    first = len(estimates) - own.shape[1]
    found = []
    for offset, name in enumerate(layout.preparations[1:], 1):
        place = first + offset
        variances = (float(covariance[place, place]), float(covariance[first, first]), float(covariance[place, first]))
        ratio = fieller(float(estimates[place]), float(estimates[first]), variances, quantile)
        found.append(Equivalence(name, "slope", ratio.value, ratio.lower, ratio.upper, margins))
    return tuple(found)


def equivalent_curves(
    layout: Layout, margins: tuple[float, float] = MARGINS, parameters: Literal[4, 5] = 4
) -> tuple[Equivalence, ...]:
    """Ratios of Hill slope and range of separate logistic curves to the standard's."""
    standard, *others = fitted(layout, parameters).separate
    found = []
    for name, curve in zip(layout.preparations[1:], others, strict=True):
        freedom = standard.fit.degrees_of_freedom + curve.fit.degrees_of_freedom
        quantile = float(stats.t.ppf(0.5 + TWO_ONE_SIDED / 2, max(freedom, 1)))
        for measure, weights in (("slope", (0.0, 0.0, 1.0)), ("range", (-1.0, 1.0, 0.0))):
            mix = np.array([*weights, 0.0, 0.0])
            above, below = (float(mix @ np.asarray(one.fit.parameters)) for one in (curve, standard))
            spread = [float(mix @ np.asarray(one.fit.covariance) @ mix) for one in (curve, standard)]
            ratio = fieller(above, below, (spread[0], spread[1], 0.0), quantile)
            found.append(
                Equivalence(name, "slope" if measure == "slope" else "range", ratio.value, ratio.lower, ratio.upper,
                            margins)
            )  # fmt: skip
    return tuple(found)
