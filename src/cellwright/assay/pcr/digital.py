"""Digital PCR: molecules from positive partitions, by Poisson, with exact limits and the wells' agreement.

With k of n partitions positive the mean number of molecules in a partition is -ln(1 - k/n), with variance
k / (n (n - k)) (Dube et al., PLoS ONE 3, 2008, PMC2483940). Exact limits are Clopper and Pearson's for k/n, transformed.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.check import Check, judged
from cellwright.language import _

QX200_DROPLET_NL: Final = 0.85
"""Volume of a droplet that the maker's software assumes."""
QIACUITY_8K5_PARTITIONS: Final = 8510
"""Partitions that the volume per well of an 8.5K plate refers to: reproduces exports to 6e-13."""


class Partitions(msgspec.Struct, frozen=True):
    """Counted partitions of one well. Raises ValueError when built with more positive than counted, or none counted."""

    positive: int
    counted: int

    def __post_init__(self) -> None:
        if not 0 <= self.positive <= self.counted or self.counted < 1:
            raise ValueError(f"{self.positive} positive of {self.counted} partitions")


class Molecules(msgspec.Struct, frozen=True):
    """The mean number of molecules in a partition.

    Attributes:
        mean: infinite if every partition is positive.
        standard_error: by Poisson and binomial counting alone; infinite with `mean`.
        lower, upper: exact limits; `upper` is None if every partition is positive.
        dispersion: variance between wells over that expected from counting; 1 for a single well.
        dispersion_p: probability of a greater one if the wells agree; 1 for a single well.
        wells: how many were pooled.
    """

    mean: float
    standard_error: float
    lower: float
    upper: float | None
    level: float
    positive: int
    counted: int
    dispersion: float
    dispersion_p: float
    wells: int

    @property
    def log_variance(self) -> float:
        """Variance of the natural logarithm of the mean, raised where wells differ more than counting explains."""
        if self.mean <= 0 or not np.isfinite(self.mean):
            return float("inf")
        return (self.standard_error / self.mean) ** 2 * max(1.0, self.dispersion)


def molecules(wells: Sequence[Partitions], *, level: float = 0.95) -> Molecules:
    """Molecules per partition of replicate wells, whose partitions are pooled.

    Raises:
        ValueError: no well.
    """
    if not wells:
        raise ValueError("no well")
    positive, counted = sum(well.positive for well in wells), sum(well.counted for well in wells)
    low = float(stats.beta.ppf(0.5 - level / 2, positive, counted - positive + 1)) if positive else 0.0
    high = float(stats.beta.ppf(0.5 + level / 2, positive + 1, counted - positive)) if positive < counted else 1.0
    full = positive == counted
    error = float("inf") if full else float(np.sqrt(positive / (counted * (counted - positive))))
    dispersion, p = _dispersion(wells, positive / counted)
    return Molecules(
        mean=float("inf") if full else float(-np.log1p(-positive / counted)),
        standard_error=error,
        lower=float(-np.log1p(-low)),
        upper=None if full else float(-np.log1p(-high)),
        level=level,
        positive=positive,
        counted=counted,
        dispersion=dispersion,
        dispersion_p=p,
        wells=len(wells),
    )


def _dispersion(wells: Sequence[Partitions], share: float) -> tuple[float, float]:
    """Chi-square of the wells' positives about the pooled share, over its degrees of freedom, with its p."""
    freedom = len(wells) - 1
    if freedom < 1 or share in {0.0, 1.0}:
        return 1.0, 1.0
    chi = sum((well.positive - share * well.counted) ** 2 / (well.counted * share * (1 - share)) for well in wells)
    return chi / freedom, float(stats.chi2.sf(chi, freedom))


def concentration(mean: float, partition_nl: float) -> float:
    """Copies per microlitre of reaction from molecules per partition and its volume in nanolitres."""
    return mean / partition_nl * 1000


def qiacuity_concentration(mean: float, well_volume_ul: float, partitions: int = QIACUITY_8K5_PARTITIONS) -> float:
    """Copies per microlitre of reaction as the instrument computes them from its calibrated volume per well."""
    return mean * partitions / well_volume_ul


def qiacuity_interval_percent(wells: Partitions) -> float:
    """The half width that the instrument prints, in percent of the concentration: normal, on the mean's own scale."""
    found = molecules([wells])
    return 100 * 1.96 * found.standard_error / found.mean


def undiluted(per_ul: float, *, dilution: float, template_ul: float, reaction_ul: float) -> float:
    """Copies per microlitre of the undiluted sample from those per microlitre of reaction."""
    return per_ul * reaction_ul / template_ul * dilution


def well_checks(
    wells: Sequence[Partitions], *, least_partitions: int, most_positive: float = 0.999, dispersion_p: float = 0.001
) -> tuple[Check, ...]:
    """Whether wells may be used: enough partitions, not saturated, and in agreement with each other.

    Parameters:
        most_positive: greatest share of positive partitions; above it the mean is too uncertain.
        dispersion_p: least p of the wells' agreement.
    """
    fewest = min(well.counted for well in wells)
    fullest = max(well.positive / well.counted for well in wells)
    p = molecules(wells).dispersion_p
    return (
        judged("partitions", fewest, f">= {least_partitions}", fewest >= least_partitions,
               _("a well has {count} partitions").format(count=fewest)),
        judged("saturation", fullest, f"<= {most_positive:g}", fullest <= most_positive,
               _("{percent:.2f} % of partitions are positive").format(percent=100 * fullest)),
        judged("agreement of wells", p, f"p >= {dispersion_p:g}", p >= dispersion_p,
               _("wells differ more than counting explains: p {p:.2g}").format(p=p)),
    )  # fmt: skip
