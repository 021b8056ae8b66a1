"""The parallel-line model: response linear in the logarithm of the dose, one slope for all preparations.

Ph. Eur. 5.3, section 3.2: completely randomised, randomised block and Latin square designs. Sums of squares come from
nested linear models, so that missing responses need no replacement; for complete designs they are the pharmacopoeia's.
"""

from typing import Final, Literal, NamedTuple

import numpy as np
from scipy import stats

from cellwright.assay.check import Check, judged
from cellwright.assay.potency.anova import Model, Source, between, model, tested
from cellwright.assay.potency.fieller import fieller
from cellwright.assay.potency.layout import Layout, LayoutError, Vector, cells, indicators, strata
from cellwright.assay.potency.outlier import suspects
from cellwright.assay.potency.result import LEVEL, SIGNIFICANCE, Potency, PotencyResult
from cellwright.language import N_, _

Direction = Literal["increasing", "decreasing"]
MODEL: Final = "parallel lines"
SOURCES: Final = {
    "regression": N_("regression"),
    "non-parallelism": N_("non-parallelism"),
    "non-linearity": N_("non-linearity"),
    "blanks": N_("blanks"),
    "intersection": N_("intersection"),
}
"""Sources of variance that validity is judged by, in words."""


class _Designs(NamedTuple):
    strata: Vector
    preparations: Vector
    x: Vector
    lines: Vector
    cells: Vector

    def stack(self, *parts: Vector) -> Vector:
        return np.concatenate([self.strata, *parts], axis=1)


def parallel_lines(
    layout: Layout, *, level: float = LEVEL, significance: float = SIGNIFICANCE, direction: Direction | None = None
) -> PotencyResult:
    """Relative potencies by parallel lines with their analysis of variance and validity.

    Parameters:
        direction: how the response must change with the dose by the method; not judged if absent.

    Raises:
        LayoutError: a dose that is not positive, one dose only, or no residual degree of freedom.
    """
    if (layout.x <= 0).any() or min(layout.preparation) < 0:
        raise LayoutError("the parallel-line model has no blanks: doses must be positive")
    designs = _designs(layout)
    full = model(designs.stack(designs.cells), layout.y)
    freedom = len(layout.response) - full.rank
    if freedom < 1:
        raise LayoutError("no residual degree of freedom: replicate the treatments")
    residual = Source("residual error", freedom, full.residual)
    analysis = _analysis(layout, designs, full, residual)
    slope, potencies, lowest_g = _potencies(layout, designs, residual, level)
    explained = model(designs.stack(designs.preparations, designs.x[:, None]), layout.y).residual
    total = float(((layout.y - layout.y.mean()) ** 2).sum())
    checks, notes = _checks(analysis, significance, slope, direction, lowest_g)
    return PotencyResult(
        model=MODEL,
        potencies=potencies,
        analysis=analysis,
        slope=slope,
        correlation=float(np.sqrt(max(0.0, 1 - explained / total))) if total else float("nan"),
        residual_variance=residual.mean_square,
        checks=checks,
        suspects=suspects(layout, designs.stack(designs.cells)),
        notes=notes,
    )


def _designs(layout: Layout) -> _Designs:
    x = np.log(layout.x)
    x = x - x.mean()
    if np.ptp(x) == 0:
        raise LayoutError("one dose only: no slope")
    preparations = indicators(layout.who)
    return _Designs(strata(layout), preparations, x, preparations * x[:, None], cells(layout))


def _analysis(layout: Layout, designs: _Designs, full: Model, residual: Source) -> tuple[Source, ...]:
    y, stack = layout.y, designs.stack
    nothing = model(stack(), y)
    preparations = model(stack(designs.preparations), y)
    common = model(stack(designs.preparations, designs.x[:, None]), y)
    lines = model(stack(designs.preparations, designs.lines), y)
    found = [
        between("preparations", nothing, preparations, residual),
        between("regression", preparations, common, residual),
        between("non-parallelism", common, lines, residual),
        between("non-linearity", lines, full, residual),
    ]
    found += _curvature(layout, designs, lines, full, residual)
    found.append(between("treatments", nothing, full, residual))
    found += _strata(layout, y, residual)
    total = float(((y - y.mean()) ** 2).sum())
    return (*found, residual, Source("total", y.size - 1, total))


def _curvature(layout: Layout, designs: _Designs, lines: Model, full: Model, residual: Source) -> list[Source]:
    """Non-linearity apart: by preparation, and as a common quadratic term with what is left."""
    if full.rank == lines.rank:
        return []
    y, stack, straight = layout.y, designs.stack, (designs.preparations, designs.lines)
    found = []
    for index, name in enumerate(layout.preparations):
        own = designs.cells * (layout.who == index)[:, None]
        found.append(between(f"non-linearity of {name}", lines, model(stack(*straight, own), y), residual))
    bent = model(stack(*straight, designs.x[:, None] ** 2), y)
    found.append(between("quadratic curvature", lines, bent, residual))
    found.append(between("lack of quadratic fit", bent, full, residual))
    return found


def _strata(layout: Layout, y: Vector, residual: Source) -> list[Source]:
    mean = Model(float(((y - y.mean()) ** 2).sum()), 1)
    names = ("rows", "columns") if layout.columns else ("blocks", "")
    found, before, design = [], mean, np.ones((y.size, 1))
    for name, labels in zip(names, (layout.rows, layout.columns), strict=True):
        if labels:
            design = np.concatenate([design, indicators(labels)], axis=1)
            now = model(design, y)
            found.append(tested(name, now.rank - before.rank, before.residual - now.residual, residual))
            before = now
    return found


def _potencies(
    layout: Layout, designs: _Designs, residual: Source, level: float
) -> tuple[float, tuple[Potency, ...], float]:
    """The common slope, one potency for each preparation after the first, and Fieller's g of the slope."""
    others = designs.preparations[:, 1:]
    design = designs.stack(others, designs.x[:, None])
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    estimates = inverse @ (design.T @ layout.y)
    covariance = inverse * residual.mean_square
    quantile = float(stats.t.ppf(0.5 + level / 2, residual.degrees_of_freedom))
    slope, last = float(estimates[-1]), len(estimates) - 1
    found, g = [], 0.0
    for offset, name in enumerate(layout.preparations[1:]):
        place = last - others.shape[1] + offset
        variances = (float(covariance[place, place]), float(covariance[last, last]), float(covariance[place, last]))
        ratio = fieller(float(estimates[place]), slope, variances, quantile)
        g = ratio.g
        limits = [None if limit is None else float(np.exp(limit)) for limit in (ratio.lower, ratio.upper)]
        found.append(
            Potency(name, float(np.exp(ratio.value)), limits[0], limits[1], level, residual.degrees_of_freedom)
        )
    return slope, tuple(found), g


def _checks(
    analysis: tuple[Source, ...], significance: float, slope: float, direction: Direction | None, g: float
) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    lines = {line.name: line for line in analysis}
    notes = []
    checks = [significant(lines["regression"], significance)]
    for name in ("non-parallelism", "non-linearity"):
        if lines[name].degrees_of_freedom:
            checks.append(not_significant(lines[name], significance))
        else:
            notes.append(_("{name} cannot be tested with this design").format(name=_(SOURCES[name])))
    finite = g < 1
    checks.append(
        judged(
            "confidence limits",
            g,
            "g < 1",
            finite,
            _("the slope is too uncertain for finite limits: g {g:.3g}").format(g=g),
        )
    )
    if direction is not None:
        holds = (slope > 0) == (direction == "increasing")
        reason = _(
            "the response does not change with the dose as stated ({direction}): slope {slope:.6g}; are the doses in reversed order?"
        ).format(direction=direction, slope=slope)
        checks.append(judged("direction", slope, f"{direction} with the dose", holds, reason))
    return tuple(checks), tuple(notes)


def significant(line: Source, significance: float) -> Check:
    """A check that a source of variance is there."""
    holds = None if line.p is None else line.p < significance
    said = _("no residual variance to test it with") if line.p is None else f"p {line.p:.3f}"
    return judged(
        line.name,
        line.p,
        f"p < {significance:g}",
        holds,
        _("{name} is not significant: {said}").format(name=_(SOURCES[line.name]), said=said),
    )


def not_significant(line: Source, significance: float) -> Check:
    """A check that a source of variance is not to be seen."""
    holds = None if line.p is None else line.p >= significance
    said = _("no residual variance to test it with") if line.p is None else f"p {line.p:.3f}, F {line.f:.2f}"
    return judged(
        line.name,
        line.p,
        f"p >= {significance:g}",
        holds,
        _("{name} is significant: {said}").format(name=_(SOURCES[line.name]), said=said),
    )
