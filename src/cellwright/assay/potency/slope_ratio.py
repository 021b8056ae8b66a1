"""The slope-ratio model: response linear in the dose, lines of all preparations meeting at dose 0.

Ph. Eur. 5.3, section 3.3, with blanks or without. Validity: regression, linearity, intersection, and blanks on the
common intercept.
"""

from typing import Final

import numpy as np
from scipy import stats

from cellwright.assay.check import judged
from cellwright.assay.potency.anova import Model, Source, between, model
from cellwright.assay.potency.fieller import fieller
from cellwright.assay.potency.layout import BLANK, Layout, LayoutError, Vector, cells, indicators, strata
from cellwright.assay.potency.outlier import suspects
from cellwright.assay.potency.parallel_line import SOURCES, not_significant, significant
from cellwright.assay.potency.result import LEVEL, SIGNIFICANCE, Potency, PotencyResult
from cellwright.language import _

MODEL: Final = "slope ratio"


def slope_ratio(layout: Layout, *, level: float = LEVEL, significance: float = SIGNIFICANCE) -> PotencyResult:
    """Relative potencies by ratios of slopes, with analysis of variance and validity.

    Blanks have dose 0 and preparation `BLANK`; there may be none.

    Raises:
        LayoutError: a blank that belongs to a preparation, one dose only, or no residual degree of freedom.
    """
    blank = layout.x == 0
    if (layout.x < 0).any() or (blank != (layout.who == BLANK)).any():
        raise LayoutError("a blank has dose 0 and no preparation; all other doses are positive")
    own = indicators(layout.who)[:, int(blank.any()) :]
    slopes = own * layout.x[:, None]
    frame, treatments = strata(layout), cells(layout)

    def stack(*parts: Vector) -> Vector:
        return np.concatenate([frame, *parts], axis=1)

    full = model(stack(treatments), layout.y)
    freedom = len(layout.response) - full.rank
    if freedom < 1:
        raise LayoutError("no residual degree of freedom: replicate the treatments")
    residual = Source("residual error", freedom, full.residual)
    with_blank = blank.astype(float)[:, None]
    nothing, common = model(stack(), layout.y), model(stack(slopes), layout.y)
    freed = model(stack(slopes, with_blank), layout.y) if blank.any() else common
    lines = model(stack(slopes, with_blank, own), layout.y)
    analysis = _analysis(layout, (nothing, common, freed, lines, full), residual, blanks=bool(blank.any()))
    potencies, slope, g = _potencies(layout, stack(slopes), slopes.shape[1], residual, level)
    named = {line.name: line for line in analysis}
    checks = [significant(named["regression"], significance)]
    rest = [name for name in ("blanks", "intersection", "non-linearity") if name in named]
    checks += [not_significant(named[name], significance) for name in rest if named[name].degrees_of_freedom]
    checks.append(
        judged(
            "confidence limits",
            g,
            "g < 1",
            g < 1,
            _("the slope is too uncertain for finite limits: g {g:.3g}").format(g=g),
        )
    )
    total = analysis[-1].sum_of_squares
    return PotencyResult(
        model=MODEL,
        potencies=potencies,
        analysis=analysis,
        slope=slope,
        correlation=float(np.sqrt(max(0.0, 1 - common.residual / total))) if total else float("nan"),
        residual_variance=residual.mean_square,
        checks=tuple(checks),
        suspects=suspects(layout, stack(treatments)),
        notes=tuple(
            _("{name} cannot be tested with this design").format(name=_(SOURCES[name]))
            for name in rest
            if not named[name].degrees_of_freedom
        ),
    )


def _analysis(
    layout: Layout, models: tuple[Model, Model, Model, Model, Model], residual: Source, *, blanks: bool
) -> tuple[Source, ...]:
    nothing, common, freed, lines, full = models
    total = float(((layout.y - layout.y.mean()) ** 2).sum())
    found = [between("regression", nothing, common, residual)]
    found += [between("blanks", common, freed, residual)] if blanks else []
    found += [
        between("intersection", freed, lines, residual),
        between("non-linearity", lines, full, residual),
        between("treatments", nothing, full, residual),
        residual,
        Source("total", layout.y.size - 1, total),
    ]
    return tuple(found)


def _potencies(
    layout: Layout, design: Vector, count: int, residual: Source, level: float
) -> tuple[tuple[Potency, ...], float, float]:
    """Ratios of the slopes to that of the standard, that slope, and its g."""
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    estimates = inverse @ (design.T @ layout.y)
    covariance = inverse * residual.mean_square
    quantile = float(stats.t.ppf(0.5 + level / 2, residual.degrees_of_freedom))
    first = len(estimates) - count
    found, g = [], 0.0
    for offset, name in enumerate(layout.preparations[1:], 1):
        place = first + offset
        variances = (covariance[place, place], covariance[first, first], covariance[place, first])
        ratio = fieller(float(estimates[place]), float(estimates[first]), tuple(map(float, variances)), quantile)  # type: ignore[arg-type]
        g = ratio.g
        found.append(Potency(name, ratio.value, ratio.lower, ratio.upper, level, residual.degrees_of_freedom))
    return tuple(found), float(estimates[first]), g
