"""What pages draw: a value inside its limits, and a story on a line of time. Positions only; the template makes the SVG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from cellwright.ledger import Event
from cellwright.ledger.canonical import parse_time

WIDTH: Final = 1180
LEFT: Final = 150
"""Pixels of the chart, and where its time begins."""
BAR: Final = 26
ROW: Final = 38
DAY_STEPS: Final = (1, 2, 5, 7, 14, 28, 56, 112)


class Limits(NamedTuple):
    """A value in its band: everything in percent of the width, from the left."""

    low: float
    """Where the allowed band begins; 0 if it is open below."""
    high: float
    """Where it ends; 100 if it is open above."""
    at: float | None
    """Where the value stands; None if there is none."""
    low_said: str
    high_said: str
    within: bool


def limits(low: Decimal | None, high: Decimal | None, value: Decimal | None) -> Limits:
    """The band of a parameter with its value; a value far outside stands at the edge."""
    lowest, highest = _scale(low, high, value)
    width = highest - lowest or Decimal(1)

    def place(figure: Decimal) -> float:
        return float(max(Decimal(1), min(Decimal(99), (figure - lowest) * 100 / width)))

    within = value is None or ((low is None or value >= low) and (high is None or value <= high))
    return Limits(
        0.0 if low is None else place(low), 100.0 if high is None else place(high),
        None if value is None else place(value), "" if low is None else str(low), "" if high is None else str(high),
        within,
    )  # fmt: skip


def _scale(low: Decimal | None, high: Decimal | None, value: Decimal | None) -> tuple[Decimal, Decimal]:
    if low is not None and high is not None:
        margin = (high - low) / 5 or Decimal(1)
        return low - margin, high + margin
    if low is not None:
        reach = max(abs(low), ((value or low) - low) * Decimal("1.25")) or Decimal(1)
        return low - reach / 4, low + reach
    if high is not None:
        reach = max(abs(high), (high - (value or high)) * Decimal("1.25")) or Decimal(1)
        return high - reach, high + reach / 4
    figure = value or Decimal(0)
    return figure - 1, figure + 1


@dataclass
class Bar:
    """A stretch of time in a row of the chart."""

    row: int
    begin: datetime
    end: datetime
    tone: str
    label: str
    x: float = 0.0
    width: float = 0.0


@dataclass
class Dot:
    """A moment in a row of the chart."""

    row: int
    at: datetime
    tone: str
    shape: str
    label: str
    x: float = 0.0


@dataclass
class Row:
    """A line of the chart with its name."""

    name: str
    detail: str = ""


@dataclass
class Tick:
    """A day under the chart."""

    at: datetime
    x: float


@dataclass
class Chart:
    """A whole chart, placed."""

    rows: list[Row] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    now: float | None = None
    width: int = WIDTH
    left: int = LEFT
    row: int = ROW
    bar: int = BAR

    @property
    def height(self) -> int:
        return len(self.rows) * ROW + 34


def place(chart: Chart, now: datetime) -> Chart:
    """Give every bar and dot its place between the first and the last moment of the chart."""
    moments = [m for bar in chart.bars for m in (bar.begin, bar.end)] + [dot.at for dot in chart.dots]
    if not moments:
        return chart
    first, last = min(moments), max(moments)
    last = max(last, first + timedelta(hours=12))
    room = WIDTH - LEFT - 14

    def x(moment: datetime) -> float:
        return round(LEFT + room * ((moment - first) / (last - first)), 1)

    for bar in chart.bars:
        bar.x = x(bar.begin)
        bar.width = max(4.0, round(x(bar.end) - bar.x, 1))
    for dot in chart.dots:
        dot.x = x(dot.at)
    chart.dots = _apart(chart.dots)
    chart.ticks = [Tick(at, x(at)) for at in _days(first, last)]
    chart.now = x(now) if first <= now <= last else None
    return chart


def _apart(dots: Sequence[Dot]) -> list[Dot]:
    """Dots that would lie on one another: the graver one is drawn, the other is in the list below."""
    grave = {"stop": 0, "warn": 1, "ok": 2, "run": 3}
    kept: list[Dot] = []
    for dot in sorted(dots, key=lambda d: (grave[d.tone], d.x)):
        if all(other.row != dot.row or abs(other.x - dot.x) >= 17 for other in kept):
            kept.append(dot)
    return sorted(kept, key=lambda d: d.x)


def _days(first: datetime, last: datetime) -> Iterable[datetime]:
    span = (last - first).days + 1
    step = next((s for s in DAY_STEPS if span / s <= 8), 365)
    day = datetime(first.year, first.month, first.day, tzinfo=UTC)
    while day <= last:
        if day >= first:
            yield day
        day += timedelta(days=step)


def between(events: Sequence[Event], begins: str, ends: Sequence[str]) -> tuple[datetime, datetime, bool] | None:
    """From the first event of one type to the first of others behind it; whether it has ended."""
    start = next((e for e in events if e.type == begins), None)
    if start is None:
        return None
    end = next((e for e in events if e.type in ends and e.pos > start.pos), None)
    return parse_time(start.at), parse_time((end or events[-1]).at), end is not None
