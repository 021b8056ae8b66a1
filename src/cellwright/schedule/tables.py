"""A problem laid out for the compiled core."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.language import _
from cellwright.schedule import layout
from cellwright.schedule.problem import Job, Problem, Route, ScheduleError, at
from cellwright.schedule.rows import Rows

Array = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Laid:
    """A problem as arrays, with the way back."""

    problem: Problem
    tables: Any
    free: Array
    """[rows, horizon]: units before any job is placed."""
    labels: tuple[str, ...]
    """What each row is called."""
    order: dict[str, tuple[int, ...]]
    """For each route the numbers of its tasks in the order of the tables."""
    way_of: tuple[int, ...]
    """For each option the way that it belongs to."""
    units_of: tuple[dict[str, int], ...]
    """For each option the units that it takes, where units matter one by one."""
    path: tuple[int, ...]
    """For each template the length of its critical path."""
    width: int


def unsuited(problem: Problem) -> str:
    """Why the compiled core cannot take this problem; empty if it can."""
    if any(r.consumed for r in problem.resources):
        return _("a resource is used up")
    for route in problem.routes:
        number = {t.name: k for k, t in enumerate(route.tasks)}
        lengths = [{at(w.duration) for w in t.all_ways()} for t in route.tasks]
        if topological(route) is None:
            return _("lags of route {route!r} lead backwards").format(route=route.name)
        for lag in route.lags:
            if lag.between == "starts" and len(lengths[number[lag.before]]) > 1:
                return _("lags of route {route!r} count from starts of tasks with several ways").format(
                    route=route.name
                )
    return ""


def topological(route: Route) -> tuple[int, ...] | None:
    """The tasks in an order in which each stands behind those it waits for, or None if lags lead backwards (Kahn 1962)."""
    number = {t.name: k for k, t in enumerate(route.tasks)}
    before = [set[int]() for _task in route.tasks]
    for lag in route.lags:
        before[number[lag.after]].add(number[lag.before])
    found: list[int] = []
    left = list(range(len(route.tasks)))
    while left:
        ready = [k for k in left if before[k] <= set(found)]
        if not ready:
            return None
        if ready[0] == left[0]:
            ready = ready[:1]
        found.extend(ready)
        left = [k for k in left if k not in set(ready)]
    return tuple(found)


class _Templates:
    """Templates, tasks, options, demands, arcs and holds, as they are asked for."""

    def __init__(self, problem: Problem, rows: Rows, quantile: float | None) -> None:
        self.rows, self.quantile = rows, quantile
        self.routes = {r.name: r for r in problem.routes}
        self.template: list[tuple[int, ...]] = []
        self.task: list[tuple[int, ...]] = []
        self.option: list[tuple[int, ...]] = []
        self.demand: list[tuple[int, ...]] = []
        self.arc: list[tuple[int, ...]] = []
        self.hold: list[tuple[int, ...]] = []
        self.way_of: list[int] = []
        self.units_of: list[dict[str, int]] = []
        self.path: list[int] = []
        self.order: dict[str, tuple[int, ...]] = {}
        self._known: dict[tuple[str, str], int] = {}
        self._matters: dict[str, bool] = {}

    def number(self, name: str, family: str) -> int:
        """The template of a route for a family of jobs."""
        if name not in self._matters:
            route = self.routes[name]
            self._matters[name] = self.rows.matters(n for t in route.tasks for w in t.all_ways() for n in w.needs)
        key = (name, family if self._matters[name] else "")
        if key not in self._known:
            self._known[key] = self._add(self.routes[name], family)
        return self._known[key]

    def _add(self, route: Route, family: str) -> int:
        order = topological(route)
        assert order is not None
        self.order[route.name] = order
        place = {route.tasks[k].name: i for i, k in enumerate(order)}
        first, first_hold = len(self.task), len(self.hold)
        for i, k in enumerate(order):
            self._add_task(route, i, k, family, place)
        for hold in route.holds:
            row = self.rows.pool(hold.resource)
            self.hold.append((row, hold.units, place[hold.first], place[hold.last], hold.cleaning))
        self.path.append(self._path(first))
        own = int(self._clashes(first, first_hold))
        self.template.append((first, len(order), first_hold, len(self.hold), own))
        return len(self.template) - 1

    def _add_task(self, route: Route, i: int, k: int, family: str, place: dict[str, int]) -> None:
        task, first_option, first_arc = route.tasks[k], len(self.option), len(self.arc)
        for number, way in enumerate(task.all_ways()):
            for demands, units in self.rows.demands(way, family):
                begin = len(self.demand)
                self.demand.extend(demands)
                self.option.append((at(way.duration, self.quantile), begin, len(self.demand)))
                self.way_of.append(number)
                self.units_of.append(units)
        for lag in route.lags:
            if lag.after == task.name:
                shift = 0
                if lag.between == "starts":
                    tasks = {t.name: t for t in route.tasks}
                    shift = at(tasks[lag.before].all_ways()[0].duration, self.quantile)
                most = layout.NO_LIMIT if lag.most is None else lag.most - shift
                self.arc.append((place[lag.before], at(lag.least, self.quantile) - shift, most))
        self.task.append((first_option, len(self.option), first_arc, len(self.arc)))

    def _shortest(self, task: tuple[int, ...]) -> int:
        return min(self.option[o][0] for o in range(task[0], task[1]))

    def _path(self, first: int) -> int:
        ends: list[int] = []
        for task in self.task[first:]:
            begin = max((ends[b] + least for b, least, _most in self.arc[task[2] : task[3]]), default=0)
            ends.append(max(0, begin) + self._shortest(task))
        return max(ends)

    def _clashes(self, first: int, first_hold: int) -> bool:
        """Whether two tasks of one job can meet on a row, or a task and a hold."""
        tasks = self.task[first:]
        apart = self._apart(tasks)
        reach: list[dict[int, int]] = []
        held = {h[0] for h in self.hold[first_hold:]}
        for task in tasks:
            rows: dict[int, int] = {}
            for o in range(task[0], task[1]):
                for row, _units, _lead, tail, _checked in self.demand[self.option[o][1] : self.option[o][2]]:
                    rows[row] = max(rows.get(row, 0), tail)
            if held & set(rows):
                return True
            reach.append(rows)
        for a in range(len(tasks)):
            for b in range(a):
                gap = apart[b].get(a)
                shared = set(reach[a]) & set(reach[b])
                if any(gap is None or gap < reach[b][row] for row in shared):
                    return True
        return False

    def _apart(self, tasks: list[tuple[int, ...]]) -> list[dict[int, int]]:
        """For each task the least time from its end to the start of each task behind it."""
        apart: list[dict[int, int]] = [{} for _task in tasks]
        for b, task in enumerate(tasks):
            for a, least, _most in self.arc[task[2] : task[3]]:
                apart[a][b] = max(apart[a].get(b, -layout.NO_LIMIT), least)
                through = least + self._shortest(tasks[a])
                for far in apart[:a]:
                    if a in far:
                        far[b] = max(far.get(b, -layout.NO_LIMIT), far[a] + through)
        return apart


def horizon_of(problem: Problem, quantile: float | None = None) -> int:
    """The last step of a plan: as stated, or far enough for all work one job after another."""
    if problem.horizon:
        return problem.horizon
    longest = {r.name: _length(r, quantile) for r in problem.routes}
    total = sum(max((longest[m.route] for m in job.modes), default=0) for job in problem.jobs)
    slowest = max((r.period for r in problem.resources), default=0)
    last = max((job.release for job in problem.jobs), default=0)
    return int(max(last, problem.now) + total + 2 * slowest + 1)


def _length(route: Route, quantile: float | None) -> int:
    tasks = sum(max(at(w.duration, quantile) for w in t.all_ways()) for t in route.tasks)
    gaps = sum(max(0, at(lag.least, quantile)) for lag in route.lags)
    tails = sum(max(max(w.cleaning.values(), default=0) for w in t.all_ways()) for t in route.tasks)
    return tasks + gaps + tails


def laid(problem: Problem, quantile: float | None = None) -> Laid:
    """The problem as arrays. Raises ScheduleError where the core does not cover it."""
    reason = unsuited(problem)
    if reason:
        raise ScheduleError(_("The compiled core does not take this problem: {reason}.").format(reason=reason))
    horizon = horizon_of(problem, quantile)
    rows = Rows(problem, horizon)
    made = _Templates(problem, rows, quantile)
    mode: list[tuple[int, int, int]] = []
    known: dict[Any, int] = {}
    jobs = []
    for job in problem.jobs:
        key = (job.modes, job.family)
        if key not in known:
            known[key] = len(mode)
            for one in job.modes:
                within = layout.NO_LIMIT if one.start_within is None else one.start_within
                mode.append((made.number(one.route, job.family), one.price, within))
        jobs.append(_job(problem, job, known[key], horizon))
    width = max((t[1] for t in made.template), default=1)
    tables = layout.Tables(
        template=_array(made.template, 5), task=_array(made.task, 4), option=_array(made.option, 3),
        demand=_array(made.demand, 5), arc=_array(made.arc, 3), hold=_array(made.hold, 5), mode=_array(mode, 3),
        job=_array(jobs, layout.JOB_WIDTH), pin=np.full((len(jobs), 2 * width), -1, np.int64),
    )  # fmt: skip
    _latest(tables, made.path)
    for j, job in enumerate(problem.jobs):
        if job.begun or job.promised:
            _pin(problem, job, tables, j, made)
    return Laid(problem, tables, np.array(rows.lines, np.int64).reshape(len(rows.lines), horizon), tuple(rows.labels),
                made.order, tuple(made.way_of), tuple(made.units_of), tuple(made.path), width)  # fmt: skip


def _array(rows: list[Any], width: int) -> Array:
    return np.array(rows, np.int64).reshape(len(rows), width)


def _job(problem: Problem, job: Job, first_mode: int, horizon: int) -> tuple[int, ...]:
    deadline = horizon if job.deadline is None else min(horizon, job.deadline)
    due = layout.NO_LIMIT if job.due is None else job.due
    begin = max(job.release, problem.now)
    return (job.release, deadline, due, job.weight, job.late_weight, first_mode, len(job.modes), 0, problem.now, -1, 0, 0,
            0, begin)  # fmt: skip


def _latest(tables: Any, path: list[int]) -> None:
    """The latest sensible first start of every job: its window, or what its deadline leaves."""
    job, mode = tables.job, tables.mode
    paths = np.array(path, np.int64)
    first = job[:, layout.FIRST_MODE]
    window = job[:, layout.RELEASE] + np.minimum(mode[first, 2], layout.NO_LIMIT // 2)
    job[:, layout.LATEST] = np.minimum(window, job[:, layout.DEADLINE] - paths[mode[first, 0]])


def _pin(problem: Problem, job: Job, tables: Any, j: int, made: _Templates) -> None:
    """Fix what has begun and what the frozen zone holds; note what the slushy zone holds."""
    route = job.modes[0].route
    first = int(tables.template[tables.mode[tables.job[j, layout.FIRST_MODE], 0], 0])
    width = tables.pin.shape[1] // 2
    names = made.routes[route].tasks
    if not job.begun and min(job.promised.values()) >= problem.frozen_until:
        order = made.order[route][:1] if len(job.promised) == len(names) else made.order[route]
    else:
        order = made.order[route]
    for i, k in enumerate(order):
        name = names[k].name
        promised = job.promised.get(name)
        start = job.begun.get(name)
        if start is None and promised is not None and promised < problem.frozen_until:
            start = promised
        if start is not None:
            tables.pin[j, i] = start
            tables.pin[j, width + i] = tables.task[first + i, 0]
            tables.job[j, layout.PINNED] = 1
            tables.job[j, layout.MODES] = 1
        elif promised is not None and tables.job[j, layout.WISH] < 0 and promised < problem.slushy_until:
            tables.job[j, layout.WISH], tables.job[j, layout.WISH_TASK] = promised, i
            tables.job[j, layout.MOVE_WEIGHT] = problem.move_price
