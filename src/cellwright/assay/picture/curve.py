"""Standard curves of PCR and of endotoxin, amplification, and the results of digital PCR."""

from collections.abc import Mapping, Sequence

import numpy as np

from cellwright.assay.endotoxin import KineticCurve
from cellwright.assay.pcr.standard_curve import StandardCurve
from cellwright.assay.picture.canvas import BAD, COLOURS, FAINT, HEIGHT, LIMIT, Axis, Panel, Picture, around, assembled
from cellwright.language import _

RESIDUALS = 190.0
Points = Sequence[tuple[float, float]]


def standard_curve_picture(
    curve: StandardCurve, standards: Points, samples: Points, blanks: Sequence[float], title: str
) -> Picture:
    """Cycles over quantities: standards with their line, samples on it, blanks that amplified, and residuals below.

    Args:
        standards, samples: (quantity, cycle).
        blanks: cycles of no-template controls; empty if none amplified.
    """
    quantities = [q for q, _cycle in (*standards, *samples)]
    x = around(_("quantity"), quantities, log=True)
    cycles = [c for _q, c in (*standards, *samples)]
    y = around(_("quantification cycle"), [*cycles, *blanks])
    upper = Panel(x, y, title=title)
    upper.line([(q, curve.intercept + curve.slope * float(np.log10(q))) for q in (x.low, x.high)], COLOURS[0])
    for end in (curve.lowest, curve.highest):
        upper.upright(end)
    upper.points(samples, COLOURS[1], "ring", 2.6)
    upper.points(standards, COLOURS[0])
    upper.legend(_("standards"), COLOURS[0], "dot")
    if samples:
        upper.legend(_("samples, read off the line"), COLOURS[1], "ring")
    for cycle in blanks:
        upper.level(cycle, BAD, label=_("blank control"))
    words = _("slope {slope:.4f}  intercept {intercept:.3f}  R² {r2:.4f}  efficiency {percent:.1f} %").format(
        slope=curve.slope, intercept=curve.intercept, r2=curve.r_squared, percent=curve.efficiency)  # fmt: skip
    upper.words(x.low, y.low, words)
    left = [(q, c - curve.intercept - curve.slope * float(np.log10(q))) for q, c in standards]
    lower = Panel(x, around(_("residual, cycles"), [*(r for _q, r in left), 0.0]), top=HEIGHT - 8, height=RESIDUALS)
    lower.level(0.0, FAINT, dash="")
    lower.points(left, COLOURS[0], "dot", 2.6)
    return assembled([upper.svg(), lower.svg()], HEIGHT + RESIDUALS - 8, title)


def amplification_picture(
    curves: Mapping[str, Sequence[Sequence[float]]], threshold: float | None, title: str
) -> Picture | None:
    """Baseline-corrected signal of each cycle by role of the well; None where there is nothing to draw.

    Args:
        curves: role -> one series for each well.
    """
    longest = max((len(one) for group in curves.values() for one in group), default=0)
    highest = max((max(one) for group in curves.values() for one in group if len(one)), default=0.0)
    if longest < 2 or highest <= 0:
        return None
    floor = min(threshold / 10 if threshold else highest / 1000, highest / 50)
    panel = Panel(
        Axis(_("cycle"), 0.0, float(longest)), Axis(_("signal over baseline"), floor, highest * 1.6, True), title=title
    )
    for number, (role, group) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        for one in group:
            panel.line([(place, max(value, floor)) for place, value in enumerate(one, 1)], colour, width=0.6)
        panel.legend(role, colour, "line")
    if threshold:
        panel.level(threshold, label=_("threshold"))
    return assembled([panel.svg()], HEIGHT, title)


def partition_picture(
    rows: Sequence[tuple[str, float, float, float | None]], unit: str, title: str, expected: Sequence[float] = ()
) -> Picture:
    """Values with their intervals, one for each name.

    Args:
        rows: name, value, lower, upper; upper None where there is none.
        expected: nominal values, drawn beside.
    """
    highs = [high if high is not None else value for _n, value, _l, high in rows]
    lows = [low for _n, _v, low, _h in rows if low > 0]
    spread = bool(lows) and max(highs) / min(lows) > 50
    values = [v for v in (*highs, *lows, *expected) if v > 0] or [1.0]
    y = around(unit, values, log=True) if spread else around(unit, [*values, 0.0])
    panel = Panel(Axis("", -0.6, len(rows) - 0.4), y, title=title)
    for place, (_name, value, low, high) in enumerate(rows):
        panel.bar(place, max(low, y.low), high if high is not None else y.high, COLOURS[0])
        panel.points([(place, max(value, y.low))], COLOURS[0])
    for place, value in enumerate(expected):
        panel.points([(place + 0.18, value)], COLOURS[1], "triangle")
    panel.legend(_("found, with 95 % limits"), COLOURS[0], "dot")
    if expected:
        panel.legend(_("nominal"), COLOURS[1], "triangle")
    return assembled([panel.svg([name for name, *_rest in rows])], HEIGHT, title)


def endotoxin_picture(
    curve: KineticCurve, standards: Points, samples: Mapping[str, Points], limit: float | None, title: str
) -> Picture:
    """Onset times over concentrations with the curve, samples and spikes upon it, and residuals below.

    Args:
        standards: (EU/mL, seconds); samples: kind -> the same as read off the curve, in the well.
        limit: EU/mL in the well that the limit of the product makes, if there is one.
    """
    all_points = [*standards, *(point for group in samples.values() for point in group)]
    x = around(_("endotoxin in the well, EU/mL"), [curve.lowest, curve.highest, *(q for q, _s in all_points)], log=True)
    y = around(_("onset time, s"), [*(s for _q, s in all_points), curve.onset(x.low), curve.onset(x.high)], log=True)
    upper = Panel(x, y, title=title)
    upper.line([(q, curve.onset(q)) for q in np.geomspace(x.low, x.high, 30)], COLOURS[0])
    for end in (curve.lowest, curve.highest):
        upper.upright(end)
    if limit is not None:
        upper.upright(limit, LIMIT, dash="6 3", label=_("limit"))
    upper.points(standards, COLOURS[0])
    upper.legend(_("standards"), COLOURS[0], "dot")
    for number, (kind, group) in enumerate(samples.items(), 1):
        upper.points(group, COLOURS[number], "square" if number == 1 else "triangle")
        upper.legend(kind, COLOURS[number], "square" if number == 1 else "triangle")
    left = [(q, 100 * (s / curve.onset(q) - 1)) for q, s in standards]
    lower = Panel(x, around(_("residual, %"), [*(r for _q, r in left), 0.0]), top=HEIGHT - 8, height=RESIDUALS)
    lower.level(0.0, FAINT, dash="")
    lower.points(left, COLOURS[0], "dot", 2.6)
    return assembled([upper.svg(), lower.svg()], HEIGHT + RESIDUALS - 8, title)
