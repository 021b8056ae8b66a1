"""A panel with two axes on which points, lines and bands are drawn, as SVG written by hand."""

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10
from typing import Final, Literal
from xml.sax.saxutils import escape

import msgspec

WIDTH, HEIGHT = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 16.0, 40.0, 50.0
FONT: Final = "'Noto Sans', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', 'Microsoft YaHei', 'PingFang SC', sans-serif"
INK, FAINT, GRID, LIMIT, BAD = "#1b1f24", "#6b7480", "#e4e7eb", "#b3261e", "#b3261e"
COLOURS: Final = ("#24527a", "#c2571a", "#3b7d3a", "#7a3f8f", "#8a6d1a", "#2b8a93", "#8f3f56", "#555555")
"""Told apart in print by their marks as well."""
Mark = Literal["dot", "ring", "square", "cross", "triangle"]
MARKS: Final[tuple[Mark, ...]] = ("dot", "square", "triangle", "ring", "cross")


class Picture(msgspec.Struct, frozen=True):
    """A drawing as SVG text, with the words for those who cannot see it."""

    svg: str
    alt: str


class Axis(msgspec.Struct, frozen=True):
    """An axis from `low` to `high`; `log` for powers of ten. Raises ValueError for ends that make no axis."""

    label: str
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high and (self.low > 0 or not self.log)):
            raise ValueError(f"axis {self.label!r}: from {self.low} to {self.high} is no axis")

    def share(self, value: float) -> float:
        """Where a value lies, 0 to 1; beyond the ends at the ends."""
        if self.log:
            found = log10(max(value, self.low) / self.low) / log10(self.high / self.low)
        else:
            found = (value - self.low) / (self.high - self.low)
        return min(max(found, 0.0), 1.0)

    def ticks(self) -> list[tuple[float, str]]:
        """Values with their words."""
        if self.log and 0.8 <= log10(self.high / self.low) < 2.5:
            decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
            known = [nice * 10.0**d for d in decades for nice in (1, 2, 5)]
            return [(value, f"{value:.10g}") for value in known if self.low <= value <= self.high]
        if self.log and log10(self.high / self.low) >= 2.5:
            decades = range(ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9) + 1)
            every = max(1, len(decades) // 7)
            return [(10.0**d, _power(d)) for d in decades if d % every == 0]
        step = _step((self.high - self.low) / 5)
        first = ceil(self.low / step - 1e-9)
        return [(n * step, f"{n * step:.10g}") for n in range(first, floor(self.high / step + 1e-9) + 1)]


def around(label: str, values: Sequence[float], *, log: bool = False, margin: float = 0.06) -> Axis:
    """An axis that holds all finite values with a margin."""
    known = [value for value in values if isfinite(value) and (value > 0 or not log)] or [1.0]
    low, high = min(known), max(known)
    if log:
        spread = (high / low) ** margin if high > low else 2.0
        return Axis(label, low / spread, high * spread, True)
    spread = (high - low) * margin or abs(high) * margin or 1.0
    return Axis(label, low - spread, high + spread)


def _step(rough: float) -> float:
    size = 10.0 ** floor(log10(rough))
    return next(size * nice for nice in (1, 2, 2.5, 5, 10) if size * nice >= rough * 0.999)


def _power(decade: int) -> str:
    return f"{10.0**decade:g}" if -3 <= decade <= 4 else f"1e{decade}"


class Panel:
    """One panel of a picture. Everything is drawn in the order of the calls; nothing leaves the frame."""

    def __init__(self, x: Axis, y: Axis, *, top: float = 0.0, height: float = HEIGHT, title: str = "") -> None:
        self.x, self.y, self.title = x, y, title
        self._top, self._height = top, height
        self._parts: list[str] = []
        self._legend: list[tuple[str, str, Mark | Literal["line", "dash"]]] = []

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies on the paper."""
        high = self._height - TOP - BOTTOM
        return LEFT + (WIDTH - LEFT - RIGHT) * self.x.share(x), self._top + TOP + high * (1 - self.y.share(y))

    def line(
        self, points: Sequence[tuple[float, float]], colour: str = INK, *, dash: str = "", width: float = 1.3
    ) -> None:
        """A line through points; those beyond the axes lie on their edges."""
        if len(points) > 1:
            path = " ".join("{:.1f},{:.1f}".format(*self.at(x, y)) for x, y in points)
            dashed = f' stroke-dasharray="{dash}"' if dash else ""
            self._parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'
            )

    def level(self, y: float, colour: str = LIMIT, *, dash: str = "6 3", label: str = "") -> None:
        """A horizontal line at a value, if it lies on the axis, with words at its end."""
        if self.y.low <= y <= self.y.high:
            self.line([(self.x.low, y), (self.x.high, y)], colour, dash=dash, width=1.0)
            if label:
                _, down = self.at(self.x.low, y)
                self._parts.append(_text(WIDTH - RIGHT - 3, down - 3, label, colour=colour, anchor="end", size=9))

    def upright(self, x: float, colour: str = FAINT, *, dash: str = "2 3", label: str = "") -> None:
        """A vertical line at a value, with words at its top."""
        if self.x.low <= x <= self.x.high:
            self.line([(x, self.y.low), (x, self.y.high)], colour, dash=dash, width=1.0)
            if label:
                across, up = self.at(x, self.y.high)
                self._parts.append(_text(across + 3, up + 10, label, colour=colour, size=9))

    def points(self, points: Sequence[tuple[float, float]], colour: str, mark: Mark = "dot", size: float = 3.2) -> None:
        """Marks at points."""
        self._parts += [_mark(*self.at(x, y), colour, mark, size) for x, y in points]

    def bar(self, x: float, low: float, high: float, colour: str) -> None:
        """An interval: an upright stroke with feet."""
        (across, down), (_same, up) = self.at(x, low), self.at(x, high)
        self._parts.append(
            f'<path d="M{across:.1f} {down:.1f}V{up:.1f}M{across - 4:.1f} {down:.1f}h8M{across - 4:.1f} {up:.1f}h8" '
            f'stroke="{colour}" fill="none"/>'
        )

    def words(self, x: float, y: float, text: str, *, colour: str = INK, anchor: str = "start") -> None:
        """Words at a point."""
        across, down = self.at(x, y)
        self._parts.append(
            _text(across + (5 if anchor == "start" else 0), down - 5, text, colour=colour, anchor=anchor, size=9)
        )

    def legend(self, text: str, colour: str, mark: Mark | Literal["line", "dash"]) -> None:
        """What a colour and mark stand for."""
        if (text, colour, mark) not in self._legend:
            self._legend.append((text, colour, mark))

    def svg(self, names: Sequence[str] = ()) -> str:
        """The panel's parts.

        Args:
            names: words for the places 0, 1, 2 … of the horizontal axis, instead of numbers.
        """
        return "".join([self._frame(names), *self._parts, *self._keys()])

    def _frame(self, names: Sequence[str]) -> str:
        (left, bottom), (right, top) = self.at(self.x.low, self.y.low), self.at(self.x.high, self.y.high)
        parts = [_text(LEFT, self._top + 16, self.title, size=12, weight="bold")] if self.title else []
        for value, word in self.y.ticks():
            _, down = self.at(self.x.low, value)
            parts.append(f'<path d="M{left:.1f} {down:.1f}H{right:.1f}" stroke="{GRID}"/>')
            parts.append(_text(left - 6, down + 3.5, word, anchor="end", colour=FAINT))
        marks = [(float(n), name) for n, name in enumerate(names)] or self.x.ticks()
        every = max(1, ceil(len(marks) / 40)) if names else 1
        slot = (WIDTH - LEFT - RIGHT) / max(1, len(marks) // every)
        slanted = bool(names) and max(len(name) for name in names) * 5.4 > slot
        for value, word in marks[::every]:
            across, _ = self.at(value, self.y.low)
            parts.append(f'<path d="M{across:.1f} {bottom:.1f}v4" stroke="{FAINT}"/>')
            turn = f' transform="rotate(-28 {across:.1f} {bottom + 13:.1f})"' if slanted else ""
            parts.append(_text(across, bottom + 13, word, anchor="end" if slanted else "middle", colour=FAINT,
                               size=9 if names else 10, more=turn))  # fmt: skip
        parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" fill="none" stroke="{FAINT}"/>'
        )
        parts.append(_text((left + right) / 2, bottom + 32, self.x.label, anchor="middle"))
        middle = (top + bottom) / 2
        turn = f' transform="rotate(-90 14 {middle:.1f})"'
        parts.append(_text(14, middle, self.y.label, anchor="middle", more=turn))
        return "".join(parts)

    def _keys(self) -> list[str]:
        parts, across, down = [], LEFT, self._top + 31
        for text, colour, mark in self._legend[:8]:
            if mark in {"line", "dash"}:
                dash = ' stroke-dasharray="4 3"' if mark == "dash" else ""
                parts.append(f'<path d="M{across:.1f} {down - 3:.1f}h14" stroke="{colour}" stroke-width="1.4"{dash}/>')
            else:
                parts.append(_mark(across + 7, down - 3, colour, mark, 3.2))  # type: ignore[arg-type]
            parts.append(_text(across + 18, down, text, size=10))
            across += 30 + sum(10.0 if ord(letter) > 0x2E80 else 5.8 for letter in text)
        return parts


def assembled(panels: Sequence[str], height: float, alt: str) -> Picture:
    """Panels as one picture."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" height="{height:g}" '
        f'role="img" font-family="{escape(FONT)}"><title>{escape(alt)}</title><rect width="100%" height="100%" fill="white"/>'
    )
    return Picture(head + "".join(panels) + "</svg>", alt)


def _text(
    x: float, y: float, text: str, *, colour: str = INK, anchor: str = "start", size: float = 10, weight: str = "normal", more: str = ""
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" font-weight="{weight}" fill="{colour}"{more}>'
        f"{escape(text)}</text>"
    )


def _mark(x: float, y: float, colour: str, mark: Mark, size: float) -> str:
    if mark == "dot":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" fill="{colour}"/>'
    if mark == "ring":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" fill="white" stroke="{colour}" stroke-width="1.4"/>'
    if mark == "square":
        return (
            f'<rect x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size:g}" height="{2 * size:g}" fill="{colour}"/>'
        )
    if mark == "triangle":
        s = size * 1.3
        return f'<path d="M{x:.1f} {y - s:.1f}L{x + s:.1f} {y + s * 0.8:.1f}H{x - s:.1f}Z" fill="{colour}"/>'
    return (
        f'<path d="M{x - size:.1f} {y - size:.1f}L{x + size:.1f} {y + size:.1f}M{x - size:.1f} {y + size:.1f}'
        f'L{x + size:.1f} {y - size:.1f}" stroke="{colour}" stroke-width="1.6"/>'
    )
