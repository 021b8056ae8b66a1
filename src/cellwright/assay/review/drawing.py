"""A trend as a picture: one SVG for screen and paper, values on lines that break where the method changes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from cellwright.assay.review.summary import TestReview

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 14, 24
DRAWN_MAX: Final = 1200
"""Points of a test drawn one by one; beyond, lowest and highest of each stretch are drawn, and every point outside limits."""
DOTTED_MAX: Final = 300
"""Points of a test up to which each is a dot; beyond, the line alone is legible."""
INK, LIMIT, OUTSIDE, SPECIFICATION = "#24527a", "#8a8a8a", "#b3261e", "#b3261e"


def trend_svg(one: TestReview, caption: str) -> str:
    """The lines of a test in order of manufacture, with control limits, acceptance limits and breaks."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif"'
    parts = [f'{head} font-size="10"><title>{escape(caption)}</title><rect width="100%" height="100%" fill="white"/>']
    charts = [line.line.chart for line in one.lines if line.line.chart is not None]
    if charts:
        scale = _Scale(one, sum(chart.points.size for chart in charts))
        parts.append(_frame(scale, one))
        start = 0
        for line in one.lines:
            if line.line.chart is None:
                continue
            if start:
                parts.append(_vertical(scale.x(start - 0.5)))
            parts.append(_series(scale, start, line.line.chart.points, line.line.chart.lower, line.line.chart.upper))
            parts.append(_label(scale.x(start) + 3, TOP - 4, line.line.version))
            start += line.line.chart.points.size
    return "".join((*parts, "</svg>"))


class _Scale:
    def __init__(self, one: TestReview, count: int) -> None:
        low, high = [], []
        for line in one.lines:
            chart = line.line.chart
            if chart is not None:
                low += [float(chart.points.min()), float(chart.lower.min())]
                high += [float(chart.points.max()), float(chart.upper.max())]
        limits = [limit for limit in (one.test.lower, one.test.upper) if limit is not None]
        span = max(high) - min(low) or 1.0
        # A limit far from all values would flatten them: it is then named beside the picture only.
        near = [limit for limit in limits if min(low) - span <= limit <= max(high) + span]
        self.low, self.high = min([*low, *near]), max([*high, *near])
        margin = (self.high - self.low or 1.0) * 0.06
        self.low, self.high = self.low - margin, self.high + margin
        self.count = max(count, 2)

    def x(self, place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / self.count

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)


def _frame(scale: _Scale, one: TestReview) -> str:
    parts = []
    for value in np.linspace(scale.low, scale.high, 5):
        y = scale.y(float(value))
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e6e6e6"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 3:.1f}" text-anchor="end" fill="#444">{value:.4g}</text>')
    for limit in (one.test.lower, one.test.upper):
        if limit is not None and scale.low <= limit <= scale.high:
            y = scale.y(limit)
            parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{SPECIFICATION}" '
                'stroke-width="1.2" stroke-dasharray="7 3"/>'
            )
    return "".join(parts)


def _series(scale: _Scale, start: int, points: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> str:
    outside = np.flatnonzero((points < lower) | (points > upper))
    drawn = _thinned(points, outside, max(60, int(DRAWN_MAX * points.size / scale.count)))
    path = "M" + "L".join(f"{scale.x(start + place):.1f} {scale.y(float(points[place])):.1f}" for place in drawn)
    parts = [f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="0.7"/>']
    ends = (scale.x(start), scale.x(start + points.size - 1))
    for value, dash in ((float(lower[0]), "4 3"), (float(upper[0]), "4 3"), (float((lower[0] + upper[0]) / 2), "")):
        y = scale.y(value)
        stroke = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<line x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LIMIT}"{stroke}/>'
        )
    if scale.count <= DOTTED_MAX:
        dots = (f"M{scale.x(start + p):.1f} {scale.y(float(points[p])):.1f}h0" for p in range(points.size))
        parts.append(f'<path d="{"".join(dots)}" stroke="{INK}" stroke-width="3.4" stroke-linecap="round"/>')
    if outside.size:
        dots = (f"M{scale.x(start + int(p)):.1f} {scale.y(float(points[p])):.1f}h0" for p in outside)
        parts.append(f'<path d="{"".join(dots)}" stroke="{OUTSIDE}" stroke-width="4" stroke-linecap="round"/>')
    return "".join(parts)


def _thinned(points: np.ndarray, keep: np.ndarray, most: int) -> Sequence[int]:
    """Places to draw: all, or lowest and highest of each of `most` / 2 stretches with what must be kept."""
    if points.size <= most:
        return range(points.size)
    edges = np.linspace(0, points.size, most // 2 + 1).astype(int)
    chosen = set(keep.tolist()) | {0, points.size - 1}
    for begin, end in pairwise(edges):
        if end > begin:
            chosen |= {begin + int(points[begin:end].argmin()), begin + int(points[begin:end].argmax())}
    return sorted(chosen)


def _vertical(x: float) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#444" stroke-dasharray="1 3"/>'


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#444">{escape(text)}</text>'
