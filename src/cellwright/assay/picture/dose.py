"""A relative potency assay: responses over doses with the model's lines, and what is left of them."""

import numpy as np

from cellwright.assay.picture.canvas import BAD, COLOURS, FAINT, HEIGHT, INK, MARKS, Panel, Picture, around, assembled
from cellwright.assay.potency.layout import BLANK, Layout
from cellwright.assay.potency.result import PotencyResult
from cellwright.language import _

RESIDUALS = 190.0


def potency_picture(layout: Layout, result: PotencyResult, title: str, *, valid: bool) -> Picture:
    """Responses as analysed with parallel lines (or lines from one point), and residuals from them below.

    Args:
        valid: whether the assay is, by the analysis and by what its file states; the picture says if it is not.
    """
    ratio = result.model == "slope ratio"
    fitted = _slopes(layout) if ratio else _parallel(layout, result.slope)
    doses = [dose for dose in layout.dose if dose > 0 or ratio]
    x = around(_("dose"), doses, log=not ratio)
    y = around(_("response, as analysed"), [*layout.response, *fitted])
    upper = Panel(x, y, title=title if valid else _("{title}: NOT VALID").format(title=title))
    left = np.asarray(layout.response) - np.asarray(fitted)
    lower = Panel(x, around(_("residual"), [*left, 0.0]), top=HEIGHT - 8, height=RESIDUALS)
    lower.level(0.0, FAINT, dash="")
    for number, name in enumerate(layout.preparations):
        colour, mark = COLOURS[number % len(COLOURS)], MARKS[number % len(MARKS)]
        own = [place for place, who in enumerate(layout.preparation) if who == number]
        own.sort(key=lambda place: layout.dose[place])
        upper.line([(layout.dose[p], fitted[p]) for p in own], colour)
        upper.points([(layout.dose[p], layout.response[p]) for p in own], colour, mark)
        lower.points([(layout.dose[p], float(left[p])) for p in own], colour, mark, 2.6)
        upper.legend(name if number else _("{name} (standard)").format(name=name), colour, mark)
    blanks = [p for p, who in enumerate(layout.preparation) if who == BLANK]
    if blanks:
        upper.points([(0.0, layout.response[p]) for p in blanks], INK, "ring")
        upper.legend(_("blank"), INK, "ring")
    for suspect in result.suspects:
        place = suspect.place
        upper.points([(layout.dose[place], layout.response[place])], BAD, "cross", 6)
        upper.legend(_("outlying, kept"), BAD, "cross")
    return assembled([upper.svg(), lower.svg()], HEIGHT + RESIDUALS - 8, title)


def _parallel(layout: Layout, slope: float) -> list[float]:
    """The lines of the analysis: each preparation's own height, the common slope over ln dose."""
    x, y, who = np.log(layout.x), layout.y, layout.who
    heights = {n: float((y - slope * x)[who == n].mean()) for n in range(len(layout.preparations))}
    return [heights[int(w)] + slope * float(one) for w, one in zip(who, x, strict=True)]


def _slopes(layout: Layout) -> list[float]:
    """Lines from one point, by least squares."""
    who, x = layout.who, layout.x
    design = np.stack([np.ones(len(x)), *(np.where(who == n, x, 0.0) for n in range(len(layout.preparations)))], axis=1)
    found = np.linalg.lstsq(design, layout.y, rcond=None)[0]
    return [float(one) for one in design @ found]
