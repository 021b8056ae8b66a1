"""Vector copy number: integrated copies per cell and per transduced cell, with one interval for all its sources.

Copies per cell = ploidy of the reference x transgene / reference, by digital PCR or from two standard curves. Per
transduced cell it is divided by the transduced fraction that flow cytometry counted in the same sample. Relative
variances add on the logarithmic scale (delta method): counting of both targets, differences between wells, the standard
curves, and the binomial error of the fraction. Fieller's interval is given for digital PCR as well (Dorazio and Hunter,
Anal. Chem. 87, 2015).
"""

from typing import Final

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.check import Check, judged
from cellwright.assay.pcr.digital import Molecules
from cellwright.assay.pcr.standard_curve import Quantity
from cellwright.assay.potency.fieller import fieller
from cellwright.language import _

DIPLOID: Final = 2.0
"""Copies of a single-copy reference gene in a cell."""


class Fraction(msgspec.Struct, frozen=True):
    """Transduced cells counted among all cells of the gate. Raises ValueError when built with impossible counts."""

    transduced: int
    counted: int

    def __post_init__(self) -> None:
        if not 0 <= self.transduced <= self.counted or self.counted < 1:
            raise ValueError(f"{self.transduced} transduced of {self.counted} cells")

    @property
    def value(self) -> float:
        return self.transduced / self.counted

    @property
    def log_variance(self) -> float:
        """Of its natural logarithm, by the binomial; infinite without a transduced cell."""
        return (1 - self.value) / self.transduced if self.transduced else float("inf")


class CopyNumber(msgspec.Struct, frozen=True):
    """A vector copy number.

    Attributes:
        value: copies per cell, or per transduced cell; None if it cannot be computed.
        lower, upper: limits on the logarithmic scale; None without a finite interval.
        log_variance: of the natural logarithm, all sources together.
        shares: how much of `log_variance` each source brings, by name.
    """

    value: float | None
    lower: float | None
    upper: float | None
    level: float
    log_variance: float
    shares: dict[str, float]


def per_cell_digital(
    transgene: Molecules, reference: Molecules, *, ploidy: float = DIPLOID, level: float = 0.95
) -> CopyNumber:
    """Copies per cell from molecules per partition of both targets.

    A duplex reaction counts both targets in the same partitions; their counts are independent given the molecules, so
    the same sum holds. A transgene that was not seen has an upper limit only.
    """
    if reference.mean <= 0 or not np.isfinite(reference.mean) or not np.isfinite(transgene.mean):
        return _copies(None, {"transgene": transgene.log_variance, "reference": reference.log_variance}, level)
    if transgene.positive == 0:
        upper = None if transgene.upper is None else ploidy * transgene.upper / max(reference.lower, 1e-300)
        return CopyNumber(0.0, 0.0, upper, level, float("inf"), {})
    variances = {"transgene": transgene.log_variance, "reference": reference.log_variance}
    return _copies(ploidy * transgene.mean / reference.mean, variances, level)


def per_cell_fieller(
    transgene: Molecules, reference: Molecules, *, ploidy: float = DIPLOID, level: float = 0.95
) -> tuple[float | None, float | None]:
    """Fieller's limits of the copies per cell, from counting and between-well differences."""
    quantile = float(stats.norm.ppf(0.5 + level / 2))
    variances = [one.standard_error**2 * max(1.0, one.dispersion) for one in (transgene, reference)]
    found = fieller(transgene.mean, reference.mean, (variances[0], variances[1], 0.0), quantile)
    if found.lower is None or found.upper is None:
        return None, None
    return ploidy * found.lower, ploidy * found.upper


def per_cell_quantitative(
    transgene: Quantity, reference: Quantity, *, ploidy: float = DIPLOID, level: float = 0.95
) -> CopyNumber:
    """Copies per cell from the quantities that two standard curves give, in copies per reaction of equal DNA."""
    variances = {"transgene": transgene.log_variance, "reference": reference.log_variance}
    return _copies(ploidy * transgene.value / reference.value, variances, level)


def per_transduced_cell(copies: CopyNumber, fraction: Fraction, *, level: float = 0.95) -> CopyNumber:
    """Copies per transduced cell: copies per cell over the transduced fraction of the same sample."""
    if copies.value is None or not fraction.transduced:
        return _copies(None, {**copies.shares, "transduced fraction": fraction.log_variance}, level)
    if copies.value == 0:
        low = float(stats.beta.ppf(0.5 - level / 2, fraction.transduced, fraction.counted - fraction.transduced + 1))
        upper = None if copies.upper is None else copies.upper / low
        return CopyNumber(0.0, 0.0, upper, level, float("inf"), {})
    variances = {**copies.shares, "transduced fraction": fraction.log_variance}
    return _copies(copies.value / fraction.value, variances, level)


def expected_transduced_fraction(copies_per_cell: float) -> float:
    """The fraction of cells with at least one copy if integrations fall by chance (Poisson)."""
    return float(-np.expm1(-copies_per_cell))


def plausibility(copies_per_cell: float, fraction: Fraction) -> Check:
    """Whether more cells are transduced than the copies allow; fewer is usual, since not every integration expresses."""
    expected = expected_transduced_fraction(copies_per_cell)
    error = float(np.sqrt(expected * (1 - expected) / fraction.counted)) + 0.02
    holds = fraction.value <= expected + 3 * error
    reason = _("{percent:.1f} % transduced cells need more than {copies:.3g} copies per cell").format(
        percent=100 * fraction.value, copies=copies_per_cell
    )
    return judged("transduced fraction", fraction.value, f"<= {expected:.3f} by chance", holds, reason)


def _copies(value: float | None, variances: dict[str, float], level: float) -> CopyNumber:
    total = sum(variances.values())
    if value is None or not np.isfinite(total):
        return CopyNumber(value, None, None, level, total, variances)
    half = float(stats.norm.ppf(0.5 + level / 2) * np.sqrt(total))
    return CopyNumber(value, float(value * np.exp(-half)), float(value * np.exp(half)), level, total, variances)
