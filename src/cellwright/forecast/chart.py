"""Pictures of a forecast: the pipeline, the timeline with intervals, fans. Our own SVG, the same on screen and in print.

The words are handed in by whoever draws, in the reader's language; names of programmes come with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

FONT = "Noto Sans, Noto Sans CJK SC, Noto Sans SC, sans-serif"
INK, FAINT, GRID = "#1b1f24", "#5c6670", "#d7dce1"
WIDE, NARROW, LINE = "#cfdcec", "#8fb0d3", "#1f4e86"
STAGE_COLOURS = ("#dbe6f1", "#b3cbe3", "#7da4cb", "#2f659f")


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK, size: int = 12, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID, width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" fill="{colour}"/>'


def _svg(width: float, height: float, title: str, body: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" font-family="{FONT}">'
        f"<title>{escape(title)}</title>"
    )
    return head + _box(0, 0, width, height, "#ffffff") + "".join(body) + "</svg>\n"


@dataclass(frozen=True)
class Row:
    """A programme in a picture: its name, the stage it is in (0 to 3), its chance, and dates if it is approved."""

    name: str
    stage: int
    chance: float
    early: date | None = None
    middle: date | None = None
    late: date | None = None
    skipped: int | None = None
    """A stage that is left out, drawn as a line instead of a bar."""


def pipeline(title: str, note: str, stages: Sequence[str], chance: str, rows: Sequence[Row]) -> str:
    """Programmes as bars that reach into their stage, with the chance of approval beside them."""
    left, top, cell, step = 230, 84, 130, 30
    width, height = left + cell * len(stages) + 110, top + step * len(rows) + 44
    body = [_text(16, 26, title, size=16, bold=True), _text(16, 46, note, colour=FAINT)]
    for index, words in enumerate(stages):
        x = left + cell * index
        body += [_line(x, top - 8, x, height - 36), _text(x + cell / 2, top - 16, words, anchor="middle", colour=FAINT)]
    right = left + cell * len(stages)
    body += [_line(right, top - 8, right, height - 36), _text(right + 96, top - 16, chance, anchor="end", colour=FAINT)]
    for index, row in enumerate(rows):
        y = top + step * index
        body.append(_text(left - 12, y + 16, row.name, anchor="end"))
        for stage in range(row.stage + 1):
            if stage == row.skipped:
                body.append(_line(left + cell * stage, y + 12, left + cell * (stage + 1), y + 12, STAGE_COLOURS[2], 2))
                continue
            body.append(
                _box(
                    left + cell * stage + 1,
                    y + 3,
                    cell - 2 if stage < row.stage else cell * 0.5,
                    18,
                    STAGE_COLOURS[stage],
                )
            )
        body.append(_text(right + 96, y + 16, f"{100 * row.chance:.0f} %", anchor="end", bold=True))
    return _svg(width, height, title, body)


def timeline(title: str, note: str, rows: Sequence[Row], start: date, years: int, never: str) -> str:
    """For each programme the dates of approval, if it is approved: from 5 to 95 % and the middle; beside it its chance."""
    left, top, step, plot = 230, 84, 30, 520
    width, height = left + plot + 110, top + step * len(rows) + 44
    body = [_text(16, 26, title, size=16, bold=True), _text(16, 46, note, colour=FAINT)]

    def place(day: date) -> float:
        return left + plot * min((day - start).days / (years * 365.25), 1.0)

    for year in range(years + 1):
        day = date(start.year + year, 1, 1)
        if day < start:
            continue
        x = place(day)
        body.append(_line(x, top - 8, x, height - 36))
        if year % 2 == 0:
            body.append(_text(x, top - 16, str(day.year), anchor="middle", colour=FAINT))
    for index, row in enumerate(rows):
        y = top + step * index
        body.append(_text(left - 12, y + 16, row.name, anchor="end"))
        if row.early and row.middle and row.late:
            x1, x2, x3 = place(row.early), place(row.middle), place(row.late)
            body += [_box(x1, y + 7, x3 - x1, 10, NARROW), _line(x2, y + 2, x2, y + 22, LINE, 3)]
            body.append(_text(left + plot + 96, y + 16, f"{100 * row.chance:.0f} %", anchor="end", bold=True))
        else:
            body.append(_text(left + plot + 96, y + 16, never, anchor="end", colour=FAINT))
    return _svg(width, height, title, body)


@dataclass(frozen=True)
class Band:
    """One place of a fan: the label below it and the 5, 25, 50, 75 and 95 % of the runs there."""

    label: str
    low: float
    lower: float
    middle: float
    upper: float
    high: float


def fan(title: str, note: str, unit: str, bands: Sequence[Band]) -> str:
    """How a number may grow: the middle as a line, half of all runs dark, nine tenths light."""
    left, top, plot, tall = 64, 76, 600, 260
    width, height = left + plot + 90, top + tall + 56
    most = max((band.high for band in bands), default=1.0) or 1.0
    step = _step(most)
    ceiling = step * (int(most / step) + 1)
    places = [left + plot * index / max(len(bands) - 1, 1) for index in range(len(bands))]

    def rise(value: float) -> float:
        return top + tall * (1 - value / ceiling)

    body = [
        _text(16, 26, title, size=16, bold=True),
        _text(16, 46, note, colour=FAINT),
        _text(16, 66, unit, colour=FAINT),
    ]
    for tick in range(int(ceiling / step) + 1):
        y = rise(tick * step)
        body += [
            _line(left, y, left + plot, y),
            _text(left - 8, y + 4, _number(tick * step), anchor="end", colour=FAINT),
        ]
    for upper, lower, colour in (("high", "low", WIDE), ("upper", "lower", NARROW)):
        over = [f"{x:.1f},{rise(getattr(band, upper)):.1f}" for x, band in zip(places, bands, strict=True)]
        under = [f"{x:.1f},{rise(getattr(band, lower)):.1f}" for x, band in zip(places, bands, strict=True)]
        body.append(f'<polygon points="{" ".join(over + under[::-1])}" fill="{colour}"/>')
    points = " ".join(f"{x:.1f},{rise(band.middle):.1f}" for x, band in zip(places, bands, strict=True))
    body.append(f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="2.5"/>')
    every = max(1, len(bands) // 12)
    for index, (x, band) in enumerate(zip(places, bands, strict=True)):
        if index % every == 0:
            body.append(_text(x, top + tall + 22, band.label, anchor="middle", colour=FAINT))
    if bands:
        last = bands[-1]
        for value, words in ((last.high, "95 %"), (last.middle, "50 %"), (last.low, "5 %")):
            body.append(_text(left + plot + 8, rise(value) + 4, f"{words}  {_number(value)}", colour=FAINT))
    return _svg(width, height, title, body)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _step(most: float) -> float:
    """A round distance between lines, so that there are four to nine of them."""
    size = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    return next((size * part for part in (0.1, 0.2, 0.25, 0.5, 1.0) if most / (size * part) <= 8), size * 2)
