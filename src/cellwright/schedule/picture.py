"""Pictures of plans as SVG: by job, by resource, by person; loads; what moved. The same drawing for screen and print."""

from collections.abc import Callable, Iterable
from functools import partial
from html import escape
from typing import Final, Literal, NamedTuple

from cellwright.language import _
from cellwright.schedule.assign import assign
from cellwright.schedule.check import spans_of, units_at, uses_of
from cellwright.schedule.plan import Plan
from cellwright.schedule.problem import Problem, ScheduleError, split

WIDTH: Final = 1180
LEFT: Final = 150
TOP: Final = 46
ROW: Final = 16
MOST_ROWS: Final = 400
"""Rows of one picture; further ones are named as left out."""
COLOURS: Final = (
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777", "#ee7733", "#117733", "#882255",
    "#999933", "#332288",
)  # fmt: skip
"""Paul Tol's bright and muted colours, which the colour-blind can tell apart."""
FONT: Final = 'font-family="Noto Sans, Noto Sans CJK SC, Helvetica, Arial, sans-serif"'


class Bar(NamedTuple):
    """A bar in a row; `faint` for cleaning and for what was before."""

    row: str
    begin: int
    end: int
    colour: str
    title: str
    faint: bool = False


class Scale(NamedTuple):
    """From steps to points."""

    begin: int
    end: int

    def x(self, t: float) -> float:
        """Where a time lies."""
        return LEFT + (t - self.begin) / max(1, self.end - self.begin) * (WIDTH - LEFT - 20)

    def ticks(self) -> list[int]:
        """About ten round times."""
        raw = max(1, (self.end - self.begin) / 10)
        size = next(s * 10**p for p in range(12) for s in (1, 2, 5) if s * 10**p >= raw)
        first = -(-self.begin // size) * size
        return list(range(int(first), self.end + 1, int(size)))


def gantt(problem: Problem, plan: Plan, by: Literal["job", "resource", "person"] = "job") -> str:
    """Tasks as bars: a row for each job, or for each unit of a resource, or for each person."""
    if by == "job":
        colours = _colours(task for _job, task, _begin, _end in spans_of(problem, plan))
        bars = [Bar(j, b, e, colours[t], f"{j} · {t}: {b}–{e}") for j, t, b, e in spans_of(problem, plan)]
        first: dict[str, int] = {}
        for bar in bars:
            first[bar.row] = min(first.get(bar.row, bar.begin), bar.begin)
        rows = sorted(first, key=lambda name: (first[name], name))
        return _bars(problem, _("Plan by job"), rows, bars, colours)
    crews = {r.name for r in problem.resources if r.people}
    if by == "person" and not crews:
        raise ScheduleError(_("No resource of this problem names people."))
    found = [one for one in assign(problem, plan) if (one.resource in crews) == (by == "person")]
    tasks = _colours(_task(one.where) for one in found)
    bars = []
    for one in found:
        title = f"{one.unit} · {one.where}: {one.begin}–{one.end}"
        bars.append(Bar(one.unit, one.begin, one.end, tasks[_task(one.where)], title))
        if one.behind > one.end:
            bars.append(Bar(one.unit, one.end, one.behind, "#bbbbbb", _("cleaning"), faint=True))
    rows = [p.name for r in problem.resources for p in r.people] if by == "person" else _unit_rows(problem, bars)
    return _bars(problem, _("Plan by person") if by == "person" else _("Plan by resource"), rows, bars, tasks)


def _task(where: str) -> str:
    return where.partition("/")[2]


def _unit_rows(problem: Problem, bars: list[Bar]) -> list[str]:
    used = {bar.row for bar in bars}
    rows: list[str] = []
    for resource in problem.resources:
        names = resource.units or tuple(f"{resource.name} {n + 1}" for n in range(resource.capacity))
        rows.extend(name for name in names if name in used)
    return rows


def _colours(names: Iterable[str]) -> dict[str, str]:
    return {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(dict.fromkeys(names))}


def moved(problem: Problem, old: Plan, new: Plan) -> str:
    """What moved between two plans: where each task was, faint, where it is, and its way between."""
    before = {(job, task): (b, e) for job, task, b, e in spans_of(problem, _known(problem, old))}
    bars, changed = [], dict[str, int]()
    for job, task, begin, end in spans_of(problem, new):
        was = before.get((job, task))
        if was is None:
            bars.append(Bar(job, begin, end, "#228833", _("{job} · {task}: new").format(job=job, task=task)))
            changed.setdefault(job, 0)
        elif was[0] != begin:
            colour = "#ee6677" if begin > was[0] else "#4477aa"
            bars.append(Bar(job, was[0], was[1], "#999999", f"{job} · {task}: {was[0]}", faint=True))
            bars.append(Bar(job, begin, end, colour, f"{job} · {task}: {was[0]} → {begin}"))
            changed[job] = max(changed.get(job, 0), abs(begin - was[0]))
    rows = sorted(changed, key=lambda name: -changed[name])
    legend = {_("later"): "#ee6677", _("earlier"): "#4477aa", _("new"): "#228833", _("before"): "#999999"}
    return _bars(problem, _("What moved: {count} jobs").format(count=len(rows)), rows, bars, legend)


def _known(problem: Problem, plan: Plan) -> Plan:
    import msgspec

    names = {job.name for job in problem.jobs}
    return msgspec.structs.replace(plan, jobs=tuple(one for one in plan.jobs if one.job in names))


def _bars(problem: Problem, title: str, rows: list[str], bars: list[Bar], legend: dict[str, str]) -> str:
    shown = rows[:MOST_ROWS]
    place = {name: n for n, name in enumerate(shown)}
    bars = [bar for bar in bars if bar.row in place]
    scale = Scale(min((b.begin for b in bars), default=0), max((b.end for b in bars), default=1))
    lines = _legend(legend)
    top = TOP + 16 * lines[1]
    height = top + ROW * len(shown) + 44
    parts = [*_frame(problem, title, height), lines[0], *_axis(scale, top, top + ROW * len(shown), problem.unit)]
    for name, n in place.items():
        y = top + n * ROW
        if n % 2:
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{WIDTH - LEFT - 20}" height="{ROW}" fill="#f6f6f6"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end" font-size="11">{escape(name[:22])}</text>')
    for bar in sorted(bars, key=lambda b: not b.faint):
        y, x = top + place[bar.row] * ROW + 2, scale.x(bar.begin)
        wide = max(0.8, scale.x(bar.end) - x)
        opacity = ' opacity="0.45"' if bar.faint else ""
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{ROW - 4}" fill="{bar.colour}"{opacity}>'
            f"<title>{escape(bar.title)}</title></rect>"
        )
    if len(rows) > len(shown):
        left = _("{count} more rows are left out").format(count=len(rows) - len(shown))
        parts.append(f'<text x="{LEFT}" y="{height - 6}" font-size="11" fill="#aa3377">{escape(left)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _frame(problem: Problem, title: str, height: int) -> list[str]:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="16" y="24" font-size="16" font-weight="600">{escape(title)} · {escape(problem.name)}</text>',
    ]
    if problem.simulated:
        said = escape(_("SIMULATED, NOT FOR HUMAN USE"))
        parts.append(f'<text x="{WIDTH - 20}" y="24" font-size="12" text-anchor="end" fill="#aa3377">{said}</text>')
    return parts


def _legend(colours: dict[str, str]) -> tuple[str, int]:
    """Names beside their colours, in as many lines as they need."""
    parts, x, line = [], LEFT, 0
    for name, colour in colours.items():
        wide = 22 + 6.4 * sum(2 if ord(letter) > 0x2E80 else 1 for letter in name)
        if x + wide > WIDTH - 20:
            x, line = LEFT, line + 1
        y = TOP - 4 + 16 * line
        parts.append(f'<rect x="{x:.0f}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14:.0f}" y="{y}" font-size="11">{escape(name)}</text>')
        x = int(x + wide)
    return "".join(parts), line + 1


def _axis(scale: Scale, top: float, bottom: float, unit: str) -> list[str]:
    parts = []
    for t in scale.ticks():
        x = scale.x(t)
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" font-size="11" text-anchor="middle">{t}</text>')
    said = escape(_("time in steps of {unit}").format(unit=unit))
    parts.append(
        f'<text x="{WIDTH - 20}" y="{bottom + 30}" font-size="11" text-anchor="end" fill="#555555">{said}</text>'
    )
    return parts


def load(problem: Problem, plan: Plan, only: Iterable[str] = ()) -> str:
    """How much of each resource is in use over time, cleaning included, below what is there."""
    wanted = set(only) or {resource.name for resource in problem.resources}
    resources = [r for r in problem.resources if r.name in wanted and not r.consumed]
    unknown = wanted - {r.name for r in problem.resources}
    if unknown:
        raise ScheduleError(_("There is no resource {name!r}.").format(name=min(unknown)))
    uses = uses_of(problem, plan)
    scale = Scale(min((u.begin for u in uses), default=0), max((u.behind for u in uses), default=1))
    tall, gap = 84, 30
    height = TOP + len(resources) * (tall + gap) + 30
    parts = _frame(problem, _("Loads"), height)
    parts.extend(_axis(scale, TOP, height - 50, problem.unit))
    times = list(range(scale.begin, scale.end, max(1, (scale.end - scale.begin) // 1200)))
    for n, resource in enumerate(resources):
        changes: dict[int, int] = {}
        for use in uses:
            if split(use.need)[0] == resource.name:
                changes[use.begin] = changes.get(use.begin, 0) + use.units
                changes[use.behind] = changes.get(use.behind, 0) - use.units
        used = _levels(changes, times)
        there = [units_at(resource, t) for t in times]
        most = max(1, *there, *used)
        base = TOP + n * (tall + gap) + tall
        height_of = partial(_height, base=base, most=most, tall=tall - 8)
        parts.append(f'<path d="{_area(scale, times, used, height_of, base)}" fill="#4477aa" opacity="0.75"/>')
        parts.append(f'<path d="{_steps(scale, times, there, height_of)}" fill="none" stroke="#222222"/>')
        hours = sum(there)
        share = f"{100 * sum(used) / hours:.0f} %" if hours else "–"
        parts.append(
            f'<text x="{LEFT - 8}" y="{base - 40}" text-anchor="end" font-size="12">{escape(resource.name)}</text>'
        )
        parts.append(
            f'<text x="{LEFT - 8}" y="{base - 24}" text-anchor="end" font-size="11" fill="#555555">{share}</text>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{base - tall + 18}" text-anchor="end" font-size="10">{most}</text>')
        parts.append(f'<text x="{LEFT - 8}" y="{base}" text-anchor="end" font-size="10">0</text>')
    return "\n".join([*parts, "</svg>", ""])


def _height(units: float, *, base: float, most: int, tall: float) -> float:
    return base - units / most * tall


def _levels(changes: dict[int, int], times: list[int]) -> list[int]:
    """The level at each of the times; between two of them the highest that is reached."""
    points, at, level, found = sorted(changes), 0, 0, []
    for n, t in enumerate(times):
        until = times[n + 1] if n + 1 < len(times) else t + 1
        while at < len(points) and points[at] <= t:
            level += changes[points[at]]
            at += 1
        highest = level
        while at < len(points) and points[at] < until:
            level += changes[points[at]]
            highest = max(highest, level)
            at += 1
        found.append(highest)
    return found


def _steps(scale: Scale, times: list[int], units: list[int], height_of: Callable[[float], float]) -> str:
    parts, last = [], None
    for t, level in zip(times, units, strict=True):
        if level != last:
            y = height_of(level)
            parts.append(
                f"{'M' if last is None else 'H'}{scale.x(t):.1f}" + (f",{y:.1f}" if last is None else f"V{y:.1f}")
            )
            last = level
    return "".join(parts) + f"H{scale.x(scale.end):.1f}"


def _area(scale: Scale, times: list[int], units: list[int], height_of: Callable[[float], float], base: float) -> str:
    line = _steps(scale, times, units, height_of)
    return f"M{scale.x(scale.begin):.1f},{base}L{line[1:]}V{base}Z" if times else ""
