"""Parallel logistic curves: four or five parameters common to all preparations, displaced along the dose axis.

Ph. Eur. 5.3, section 3.4, as a least-squares fit. The displacement is the logarithm of the relative potency; its limits
come from its standard error in the common fit and Student's t with that fit's degrees of freedom. Parallelism is the
extra sum of squares of separate curves (Gottschalk and Dunn, J. Biopharm. Stat. 15, 2005); lack of fit is judged
against replicates.
"""

from typing import Final, Literal, NamedTuple

import numpy as np
from scipy import stats

from cellwright.assay.check import judged
from cellwright.assay.fit import Curve, CurveError, Fit, fit_curve, least_squares
from cellwright.assay.fit.logistic import gradient, response
from cellwright.assay.potency.anova import Model, Source, between, model
from cellwright.assay.potency.layout import Layout, LayoutError, Vector, cells
from cellwright.assay.potency.outlier import suspects
from cellwright.assay.potency.parallel_line import not_significant, significant
from cellwright.assay.potency.result import LEVEL, SIGNIFICANCE, Potency, PotencyResult
from cellwright.language import _

MODEL: Final = "parallel logistic curves"


class _Curves(NamedTuple):
    separate: tuple[Curve, ...]
    common: Fit
    size: int
    """Parameters of one curve."""


def parallel_logistic(
    layout: Layout,
    *,
    parameters: Literal[4, 5] = 4,
    level: float = LEVEL,
    significance: float = SIGNIFICANCE,
) -> PotencyResult:
    """Relative potencies by parallel logistic curves, with tests of regression, parallelism and fit.

    Blanks belong to their preparation, with dose 0. A design of blocks is not modelled and is refused.

    Raises:
        LayoutError: blocks, too few doses for a curve, or a preparation whose responses are no curve.
    """
    if layout.rows or layout.columns or min(layout.preparation) < 0:
        raise LayoutError("parallel logistic curves are for completely randomised designs")
    curves = fitted(layout, parameters)
    freedom = curves.common.degrees_of_freedom
    if freedom < 1:
        raise LayoutError("no residual degree of freedom: replicate the treatments")
    analysis = _analysis(layout, curves)
    named = {line.name: line for line in analysis}
    checks = [significant(named["regression"], significance), not_significant(named["non-parallelism"], significance)]
    notes = []
    if named["residual error"].degrees_of_freedom:
        checks.append(not_significant(named["non-linearity"], significance))
    else:
        notes.append(_("lack of fit cannot be tested without replicates"))
    settled = curves.common.converged and not any(curves.common.at_bound[:4])
    checks.append(
        judged("convergence", None, "a minimum inside the bounds", settled, _("the common curve has no minimum"))
    )
    total = named["total"].sum_of_squares
    return PotencyResult(
        model=MODEL,
        potencies=_potencies(layout, curves.common, level),
        analysis=analysis,
        slope=curves.common.parameters[2],
        correlation=float(np.sqrt(max(0.0, 1 - curves.common.residual_sum_of_squares / total))),
        residual_variance=curves.common.residual_standard_deviation**2,
        checks=tuple(checks),
        suspects=suspects(layout, cells(layout)),
        notes=tuple(notes),
    )


def fitted(layout: Layout, parameters: Literal[4, 5] = 4) -> _Curves:
    """One curve for each preparation, and the common curves. Raises LayoutError if one preparation has none."""
    separate = []
    for index, name in enumerate(layout.preparations):
        own = layout.who == index
        try:
            separate.append(fit_curve(layout.x[own], layout.y[own], parameters=parameters))
        except CurveError as fault:
            raise LayoutError(f"{name}: {fault}") from fault
    return _Curves(tuple(separate), _common(layout, separate, parameters), parameters)


def _common(layout: Layout, separate: list[Curve], parameters: int) -> Fit:
    with np.errstate(divide="ignore"):
        log_dose = np.log(layout.x)
    who, others = layout.who, len(layout.preparations) - 1
    free = 5 if parameters == 5 else 4

    def unfold(at: Vector) -> tuple[Vector, Vector]:
        shape = np.append(at[:free], np.zeros(5 - free))
        return shape, log_dose + np.append(0.0, at[free:])[who]

    def expected(at: Vector) -> Vector:
        return response(*unfold(at))

    def derivatives(at: Vector) -> Vector:
        slopes = gradient(*unfold(at))
        shifts = [np.where(who == index, -slopes[:, 3], 0.0) for index in range(1, others + 1)]
        return np.concatenate([slopes[:, :free], np.stack(shifts, axis=1)], axis=1)

    mean = np.mean([curve.fit.parameters for curve in separate], axis=0)
    mean[3] = separate[0].fit.parameters[3]
    shifts = [separate[0].fit.parameters[3] - curve.fit.parameters[3] for curve in separate[1:]]
    return least_squares(expected, layout.y, np.append(mean[:free], shifts), jacobian=derivatives)


def _analysis(layout: Layout, curves: _Curves) -> tuple[Source, ...]:
    count, size = len(layout.preparations), layout.y.size
    total = float(((layout.y - layout.y.mean()) ** 2).sum())
    full = model(cells(layout), layout.y)
    pure = Source("residual error", size - full.rank, full.residual)
    common = Model(curves.common.residual_sum_of_squares, len(curves.common.parameters))
    apart = sum(curve.fit.residual_sum_of_squares for curve in curves.separate)
    separate = Model(apart, curves.size * count)
    # Without replicates the separate curves' own residual is the only measure of error.
    error = pure if pure.degrees_of_freedom else Source("residual error", size - separate.rank, apart)
    return (
        between("regression", Model(total, 1), common, error),
        between("non-parallelism", common, separate, error),
        between("non-linearity", separate, full, pure),
        pure,
        Source("total", size - 1, total),
    )


def _potencies(layout: Layout, common: Fit, level: float) -> tuple[Potency, ...]:
    quantile = float(stats.t.ppf(0.5 + level / 2, common.degrees_of_freedom))
    first = len(common.parameters) - len(layout.preparations) + 1
    found = []
    for offset, name in enumerate(layout.preparations[1:]):
        log_ratio, half = common.parameters[first + offset], quantile * common.standard_errors[first + offset]
        ends = [float(np.exp(log_ratio + side * half)) for side in (0, -1, 1)]
        lower, upper = (ends[1], ends[2]) if np.isfinite(half) else (None, None)
        found.append(Potency(name, ends[0], lower, upper, level, common.degrees_of_freedom))
    return tuple(found)
