"""Control charts: points in their order with centre, control limits, specification, and what the rules found."""

from collections.abc import Sequence

import numpy as np

from cellwright.assay.control_chart import Chart, Signal
from cellwright.assay.picture.canvas import BAD, COLOURS, FAINT, HEIGHT, LIMIT, Axis, Panel, Picture, around, assembled
from cellwright.language import _

DRAWN_MAX = 1500
"""Points drawn one by one; of more, each outside its limits and an even choice of the others."""


def control_picture(
    charts: Sequence[Chart],
    title: str,
    *,
    signals: Sequence[Signal] = (),
    specification: tuple[float | None, float | None] = (None, None),
) -> Picture:
    """One panel below the other, such as individuals and moving range. Signals and specification are of the first."""
    parts, height = [], HEIGHT - 20
    for number, chart in enumerate(charts):
        limits = [limit for limit in specification if limit is not None] if number == 0 else []
        y = around(chart.kind, [*chart.points, *chart.lower, *chart.upper, *limits])
        panel = Panel(Axis(_("number"), 0.5, charts[0].points.size + 0.5), y, top=number * height, height=height,
                      title=title if number == 0 else "")  # fmt: skip
        _draw(panel, chart, signals if number == 0 else ())
        for limit in limits:
            panel.level(limit, LIMIT, dash="8 3", label=_("specification"))
        parts.append(panel.svg())
    return assembled(parts, len(charts) * height, title)


def _draw(panel: Panel, chart: Chart, signals: Sequence[Signal]) -> None:
    # A moving range belongs to the second of its two points.
    first = 2 if chart.kind == "MR" else 1
    places = [float(place) for place in range(first, chart.points.size + first)]
    panel.level(chart.centre, COLOURS[2], dash="")
    for limits in (chart.lower, chart.upper):
        panel.line(list(zip(places, map(float, limits), strict=True)), FAINT, dash="5 3")
    chosen = _chosen(chart)
    found = [(places[p], float(chart.points[p])) for p in chosen]
    panel.line(found, COLOURS[0], width=0.8)
    if chart.points.size <= 300:
        panel.points(found, COLOURS[0], "dot", 2.4)
    panel.legend(_("centre"), COLOURS[2], "line")
    panel.legend(_("control limits"), FAINT, "dash")
    if chart.outside:
        panel.points([(places[p], float(chart.points[p])) for p in chart.outside], BAD, "square", 3.4)
        panel.legend(_("outside the limits"), BAD, "square")
    patterns = sorted({s.place for s in signals} - set(chart.outside))
    if patterns:
        panel.points([(places[p], float(chart.points[p])) for p in patterns[:DRAWN_MAX]], COLOURS[1], "ring", 4.2)
        panel.legend(_("run rule"), COLOURS[1], "ring")


def _chosen(chart: Chart) -> list[int]:
    size = chart.points.size
    if size <= DRAWN_MAX:
        return list(range(size))
    even = np.linspace(0, size - 1, DRAWN_MAX).astype(int).tolist()
    return sorted({*even, *chart.outside})
