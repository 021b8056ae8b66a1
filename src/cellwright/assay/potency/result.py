"""What every relative potency assay reports, whatever its model."""

import msgspec

from cellwright.assay.check import Check, passed
from cellwright.assay.potency.anova import Source
from cellwright.assay.potency.outlier import Suspect

LEVEL = 0.95
SIGNIFICANCE = 0.05


class Potency(msgspec.Struct, frozen=True):
    """The potency of one preparation relative to the standard.

    Attributes:
        ratio: true over assumed potency.
        lower, upper: confidence limits of the ratio; None if there is no finite interval.
        degrees_of_freedom: of the residual behind the limits.
    """

    preparation: str
    ratio: float
    lower: float | None
    upper: float | None
    level: float
    degrees_of_freedom: int


class PotencyResult(msgspec.Struct, frozen=True):
    """A relative potency assay.

    Attributes:
        model: `parallel lines`, `slope ratio` or `parallel logistic curves`.
        analysis: lines of the analysis of variance, in the order of the pharmacopoeia.
        slope: common slope against the natural logarithm of the dose (parallel lines), of the standard (slope ratio) or
            the Hill slope (logistic).
        correlation: of responses with what the model of parallel lines expects, strata included.
        checks: the validity rules; a potency is reported beside a failed one, and is then no result.
        suspects: outlying responses, flagged and kept.
        notes: what could not be tested with this design.
    """

    model: str
    potencies: tuple[Potency, ...]
    analysis: tuple[Source, ...]
    slope: float
    correlation: float
    residual_variance: float
    checks: tuple[Check, ...]
    suspects: tuple[Suspect, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether all validity rules hold."""
        return passed(self.checks)

    def source(self, name: str) -> Source:
        """A line of the analysis of variance by its name. Raises KeyError."""
        for line in self.analysis:
            if line.name == name:
                return line
        raise KeyError(name)
