"""Pictures of the portfolio as SVG, the same for the screen and for paper: the pipeline, and a programme's time line.

A half-known date is drawn as long as it is wide; what was only announced is an outline; what no source dates stands in a
column of its own. Shape and word carry the meaning, colour only repeats it.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from typing import Any, Final

from cellwright.command.portfolio.wording import EVENTS, STAGES, said
from cellwright.language import N_, _, localized

WIDTH: Final = 1000
LEFT: Final = 250
RIGHT: Final = 90
"""Pixels for labels at the left, and for what has no date at the right."""
ROW: Final = 30
TOP: Final = 34
BLUE, GREEN, AMBER, GREY = "#2f7fc9", "#1f9a6e", "#c98a1b", "#8795a1"
COLUMNS: Final = (
    ("ind_approved", ("ind_submitted", "ind_accepted", "ind_approved")),
    ("phase_1", ("phase_1", "phase_1_2")),
    ("phase_2", ("phase_2", "phase_2_3")),
    ("phase_3", ("phase_3",)),
    ("nda_accepted", ("nda_submitted", "nda_accepted")),
    ("approved", ("conditionally_approved", "approved")),
)
"""Stages that share a column of the pipeline, by the one that names it."""
HEADS: Final = {
    "ind_approved": N_("IND"), "phase_1": N_("phase I"), "phase_2": N_("phase II"), "phase_3": N_("phase III"),
    "nda_accepted": N_("application"), "approved": N_("approved"),
}  # fmt: skip
_ROMAN: Final = {"1": "I", "1/2": "I/II", "2": "II", "2/3": "II/III", "3": "III", "4": "IV"}

Answer = dict[str, Any]


def _svg(height: int, title: str, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="system-ui, Noto Sans SC, sans-serif" font-size="13">'
    )
    return head + "".join(parts) + "</svg>"


def _label(x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400, opacity: float = 1.0) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="currentColor" '
        f'fill-opacity="{opacity}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor" stroke-opacity="0.18"/>'
    )


def short(text: str, most: int) -> str:
    """A text in so many half-width columns; Chinese letters take two."""
    used = 0
    for index, letter in enumerate(text):
        used += 2 if ord(letter) > 0x2E80 else 1
        if used > most:
            return text[:index] + "…"
    return text


# --- the pipeline


def pipeline_svg(lines: Sequence[Answer]) -> str:
    """Programmes as bars up to the furthest stage reached with any agency; products without programmes by name only."""
    rows = [row for line in lines for row in _rows(line)]
    step = (WIDTH - LEFT - 10) / len(COLUMNS)
    bottom = TOP + ROW * len(rows)
    parts = []
    for number, (stage, _same) in enumerate(COLUMNS):
        parts.append(_line(LEFT + number * step, TOP - 8, LEFT + number * step, bottom))
        parts.append(_label(LEFT + (number + 0.5) * step, TOP - 14, short(_(HEADS[stage]), 22), anchor="middle"))
    for number, (label, column, word, sure) in enumerate(rows):
        y = TOP + number * ROW
        parts.append(_label(6, y + 19, short(label, 27), weight=600 if sure else 400, opacity=1.0 if sure else 0.6))
        if column:
            colour = GREEN if column == len(COLUMNS) else BLUE
            parts.append(f'<rect x="{LEFT}" y="{y + 6}" width="{column * step - 6:.1f}" height="18" rx="4" '
                         f'fill="{colour}" fill-opacity="0.85"/>')  # fmt: skip
        inside = column >= len(COLUMNS) - 1
        x = LEFT + column * step - 14 if inside else LEFT + column * step + 4
        text = f'<text x="{x:.1f}" y="{y + 20}" text-anchor="end" fill="#fff" font-size="12">{escape(word)}</text>'
        parts.append(text if inside else _label(x, y + 20, word, opacity=0.8))
    return _svg(bottom + 8, _("Pipeline"), parts)


def _rows(line: Answer) -> Iterable[tuple[str, int, str, bool]]:
    """Label, columns reached, word and whether the product may be shown as a fact."""
    sure = line["basis"]["standing"] in ("fact", "derived")
    if not line["programmes"]:
        yield line["id"], 0, _("from memory, not verified") if not sure else said(STAGES, "unknown"), sure
    for programme in line["programmes"]:
        best = max(((_column(one["stage"]), one) for one in programme["status"]), key=lambda pair: pair[0])
        column, status = best
        word = said(STAGES, status["stage"]) + (f" · {status['agency']}" if status["agency"] else "")
        yield f"{line['id']} · {localized(programme['condition'])}", column, word, sure


def _column(stage: str) -> int:
    return next((number for number, (_name, same) in enumerate(COLUMNS, 1) if stage in same), 0)


# --- a programme's time line


def timeline_svg(events: Sequence[Answer], coming: Sequence[Answer] = (), today: date | None = None) -> str:
    """Events of a programme, each as long as its date is unknown; then what is to come.

    Args:
        events: as `answers.event_answer` gives them.
        coming: as `answers.coming_answer` gives them, those that are not decided.
        today: drawn as a line, where it lies within.
    """
    still = [one for one in coming if one["what"] == "decision due" and one["state"] != "decided"]
    days = [date.fromisoformat(one["when"][end]) for one in events if one["when"] for end in ("first", "last")]
    days += [date.fromisoformat(one[end]) for one in still for end in ("first", "last")]
    if not days:
        days = [today or date(2020, 1, 1)]
    first, last = date(min(days).year, 1, 1), date(max(days).year + 1, 1, 1)
    span = (last - first).days
    room = WIDTH - LEFT - RIGHT
    bottom = TOP + ROW * (len(events) + len(still))

    def place(day: date) -> float:
        return LEFT + (day - first).days * room / span

    step = max(1, (last.year - first.year) // 10)
    parts = []
    for year in range(first.year, last.year + 1, step):
        x = place(date(year, 1, 1))
        parts += [_line(x, TOP - 8, x, bottom), _label(x, TOP - 14, str(year), anchor="middle")]
    if any(one["when"] is None for one in events):
        parts.append(_label(WIDTH - RIGHT / 2, TOP - 14, _("no date"), anchor="middle"))
    if today is not None and first <= today <= last:
        x = place(today)
        parts.append(
            f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="{AMBER}" stroke-dasharray="4 3"/>'
        )
    for number, one in enumerate(events):
        parts += _event(one, TOP + number * ROW, place)
    for number, one in enumerate(still, len(events)):
        y = TOP + number * ROW
        begin, end = (place(date.fromisoformat(one[name])) for name in ("first", "last"))
        parts.append(_label(6, y + 19, short(_("decision due") + f" ({one['clock']})", 34), opacity=0.8))
        parts.append(_mark(begin, max(end - begin, 8), y, AMBER, hollow=True))
    return _svg(bottom + 8, _("Time line"), parts)


def _event(one: Answer, y: int, place: Any) -> list[str]:
    colour = {"breakthrough_therapy": AMBER, "priority_review": AMBER, "approved": GREEN,
              "conditional_approval": GREEN, "withdrawn": GREY, "terminated": GREY}.get(one["event"], BLUE)  # fmt: skip
    hollow = one["status"] != "effective" or one["basis"]["standing"] in ("unverified", "assumption")
    word = said(EVENTS, one["event"]) + (f" · {_ROMAN[one['phase']]}" if one["phase"] else "")
    label = _label(6, y + 19, short(("▲ " if one["conflict"] else "") + word, 34), weight=600)
    if one["when"] is None:
        return [label, _mark(WIDTH - RIGHT / 2 - 8, 16, y, colour, hollow=True)]
    begin, end = (place(date.fromisoformat(one["when"][name])) for name in ("first", "last"))
    if one["when"]["precision"] == "day":
        dot = f'<circle cx="{begin:.1f}" cy="{y + 15}" r="7" fill="{"none" if hollow else colour}" stroke="{colour}" stroke-width="2"/>'
        return [label, dot]
    return [label, _mark(begin, max(end - begin, 8), y, colour, hollow=hollow)]


def _mark(x: float, width: float, y: int, colour: str, *, hollow: bool) -> str:
    fill = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="5 3"' if hollow else f'fill="{colour}"'
    return f'<rect x="{x:.1f}" y="{y + 7}" width="{width:.1f}" height="16" rx="4" {fill}/>'
