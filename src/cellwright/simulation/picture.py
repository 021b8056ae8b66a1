"""Pictures as SVG: use and queue over time with bands, scenarios side by side; and a day as data for an animation."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np

from cellwright.language import _
from cellwright.simulation import layout as at
from cellwright.simulation.experiment import Comparison
from cellwright.simulation.result import Result

INK, FAINT, LINE, BAND = "#1f2933", "#9aa5b1", "#1f6feb", "#1f6feb33"
OTHER: Final = "#b54708"
WIDTH: Final = 760
KINDS: Final = {
    at.ARRIVED: "arrived", at.WAITS_FOR: "waits", at.GOT: "got", at.GAVE: "gave", at.BEGAN: "began", at.ENDED: "ended",
    at.LEFT: "left", at.GAVE_UP: "gave up", at.INTERRUPTED: "interrupted",
}  # fmt: skip


def over_time(results: Sequence[Result], resources: Sequence[str] | None = None) -> str:
    """Use and queue of each resource over time: the mean of the runs, and the band that holds 80 % of them.

    The runs need `every`. An SVG document.
    """
    names = list(resources or results[0].made.names.resources)
    rows = [(name, column) for name in names for column in (1, 2)]
    height, top = 110, 30
    parts = []
    for number, (name, column) in enumerate(rows):
        table = np.array([r.series(name)[:, column] for r in results])
        times = results[0].series(name)[:, 0]
        title = _("{name}: in use").format(name=name) if column == 1 else _("{name}: queue").format(name=name)
        parts.append(_panel(times, table, title, top + number * height, height, column == 1))
    unit = results[0].made.data.unit
    said = _("Line: mean of {n} runs; band: 10 % to 90 % of runs; time in {unit}.").format(n=len(results), unit=unit)
    return _document(top + len(rows) * height + 10, results[0].made.data.name, [_text(60, 18, said, FAINT), *parts])


def _panel(times: Any, table: Any, title: str, top: float, height: float, strong: bool) -> str:
    low, mean, high = np.quantile(table, 0.1, axis=0), table.mean(axis=0), np.quantile(table, 0.9, axis=0)
    most = _round(float(high.max())) or 1.0
    left, right, base, ceiling = 60.0, WIDTH - 20.0, top + height - 24, top + 16
    x = left + (right - left) * times / times[-1]

    def y(values: Any) -> Any:
        return base - (base - ceiling) * values / most

    band = _points(np.concatenate([x, x[::-1]]), np.concatenate([y(high), y(low)[::-1]]))
    colour = LINE if strong else OTHER
    marks = [
        f'<polygon points="{band}" fill="{colour}" fill-opacity="0.2"/>',
        f'<polyline points="{_points(x, y(mean))}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
        f'<path d="M{left} {ceiling}V{base}H{right}" fill="none" stroke="{FAINT}"/>',
        _text(left, top + 10, title, INK), _text(left - 6, ceiling + 8, f"{most:g}", FAINT, "end"),
        _text(left - 6, base, "0", FAINT, "end"), _text(right, base + 14, f"{times[-1]:g}", FAINT, "end"),
    ]  # fmt: skip
    return "".join(marks)


def scenarios(comparisons: Sequence[Comparison]) -> str:
    """Each figure with its intervals, a scenario a line; differences from the first that are sure are marked."""
    parts, y = [], 24.0
    for figure in dict.fromkeys(c.figure for c in comparisons):
        rows = [c for c in comparisons if c.figure == figure]
        parts.append(_text(20, y, figure, INK, bold=True))
        low = min(c.value.low for c in rows)
        high = max(c.value.high for c in rows)
        span = (high - low) or 1.0
        for c in rows:
            y += 24
            x = [300 + 300 * (v - low) / span for v in (c.value.low, c.value.mean, c.value.high)]
            sure = c.difference.differs
            colour = OTHER if sure else LINE
            parts.append(
                f'<line x1="{x[0]:.1f}" x2="{x[2]:.1f}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="2"/>'
            )
            parts.append(f'<circle cx="{x[1]:.1f}" cy="{y - 4}" r="4" fill="{colour}"/>')
            parts.append(_text(30, y, c.scenario, INK))
            parts.append(_text(612, y, f"{c.value.mean:.4g} ± {c.value.half_width:.2g}", INK))
            if sure:
                parts.append(_text(285, y, f"{c.difference.mean:+.3g}", OTHER, "end"))
        y += 36
    said = _("Orange: the difference from the first scenario is sure (its interval leaves out 0).")
    return _document(y + 10, _("Scenarios"), [*parts, _text(20, y, said, FAINT)])


def day(result: Result, begin: float, end: float) -> dict[str, Any]:
    """What an animation of the time from `begin` to `end` needs, as data for JSON. The run needs `trace`.

    Events in order of time: who, what (arrived, waits, got, gave, began, ended, left, gave up, interrupted), at which
    resource, in which process and step.
    """
    names = result.made.names
    resources = list(names.resources)
    events = []
    for row in result.trace():
        if not begin <= row["time"] <= end:
            continue
        process, number = names.places[int(row["instruction"])]
        resource = resources[int(row["resource"])] if row["resource"] >= 0 else None
        events.append(
            {"time": float(row["time"]), "who": str(int(row["identity"])), "what": KINDS[int(row["kind"])],
             "resource": resource, "process": process, "step": number}
        )  # fmt: skip
    return {
        "schema": "cellwright.simulation.day/1", "simulated": True, "model": result.made.data.name,
        "unit": result.made.data.unit, "begin": float(begin), "end": float(end), "lost": result.lost[0],
        "resources": [{"name": r.name, "capacity": r.capacity, "stock": r.stock} for r in result.made.data.resources],
        "events": events,
    }  # fmt: skip


def _round(value: float) -> float:
    """The next round number above a value."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * 0.999999)


def _points(x: Any, y: Any) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _document(height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" '
        f'font-family="Noto Sans, Noto Sans CJK SC, sans-serif" font-size="11"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )
