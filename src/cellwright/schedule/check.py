"""An independent check of a plan, in plain Python: it shares the problem's data with the solver, and no line of its work."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, pairwise
from typing import NamedTuple

import msgspec

from cellwright.language import _
from cellwright.schedule.plan import JobPlan, Plan
from cellwright.schedule.problem import Job, Person, Problem, Resource, Route, Way, at, split


class Finding(msgspec.Struct, frozen=True):
    """One thing that a plan does not obey: what kind, where, and in words."""

    kind: str
    where: str
    text: str


class Use(NamedTuple):
    """A resource in use: cleaning is counted from `end` to `behind`."""

    need: str
    units: int
    begin: int
    end: int
    behind: int
    where: str
    family: str
    unit: int


def check(problem: Problem, plan: Plan) -> list[Finding]:
    """Everything in a plan that its problem forbids; an empty list is a clean plan."""
    found: list[Finding] = []
    jobs = {job.name: job for job in problem.jobs}
    if plan.problem != problem.sha256:
        found.append(Finding("problem", problem.name, _("The plan was made for another problem.")))
    named = [p.job for p in plan.jobs] + [u.job for u in plan.unplaced]
    if sorted(named) != sorted(jobs) and not plan.infeasible:
        odd = sorted(set(named) ^ set(jobs)) or sorted(n for n in set(named) if named.count(n) > 1)
        text = _("Every job is either planned or named as not placed, once: {jobs}.").format(jobs=", ".join(odd[:5]))
        found.append(Finding("jobs", problem.name, text))
    routes = {route.name: route for route in problem.routes}
    uses: list[Use] = []
    ends: list[int] = []
    total = 0
    for one in plan.jobs:
        job = jobs.get(one.job)
        if job is None or not 0 <= one.mode < len(job.modes):
            continue
        route = routes[job.modes[one.mode].route]
        if len(one.starts) != len(route.tasks):
            found.append(Finding("jobs", job.name, _("It has not one start for each task.")))
            continue
        view = _View(problem, job, route, one, plan.quantile)
        found.extend(view.findings())
        uses.extend(view.uses())
        ends.append(view.end())
        total += view.cost()
    for resource in problem.resources:
        own = [use for use in uses if split(use.need)[0] == resource.name]
        found.extend(_resource(problem, resource, own))
    found.extend(_value(problem, plan, total if problem.objective == "weighted_time" else max(ends, default=0)))
    return found


def _value(problem: Problem, plan: Plan, value: int) -> Iterator[Finding]:
    if plan.jobs and value != plan.value:
        text = _("The plan states the value {stated}; it is {value}.").format(stated=plan.value, value=value)
        yield Finding("value", problem.name, text)
    if plan.bound is not None and plan.jobs and not plan.unplaced and plan.bound > value:
        text = _("The bound {bound} lies above the value {value}.").format(bound=plan.bound, value=value)
        yield Finding("value", problem.name, text)


class _View:
    """One job of a plan."""

    def __init__(self, problem: Problem, job: Job, route: Route, plan: JobPlan, quantile: float | None) -> None:
        self.problem, self.job, self.route, self.plan, self.quantile = problem, job, route, plan, quantile
        self.number = {task.name: k for k, task in enumerate(route.tasks)}
        self.ways = [self._way(k) for k in range(len(route.tasks))]
        self.ends = [s + at(w.duration, quantile) for s, w in zip(plan.starts, self.ways, strict=True)]

    def _way(self, k: int) -> Way:
        ways = self.route.tasks[k].all_ways()
        return ways[self.plan.ways[k] if self.plan.ways else 0]

    def end(self) -> int:
        return max(self.ends)

    def fixed(self, task: str) -> int | None:
        """The start that is fixed for a task, by its having begun or by the frozen zone."""
        if task in self.job.begun:
            return self.job.begun[task]
        promised = self.job.promised.get(task)
        return promised if promised is not None and promised < self.problem.frozen_until else None

    def cost(self) -> int:
        """The job's part of the objective."""
        job, end = self.job, self.end()
        total = job.weight * (end - job.release) + job.modes[self.plan.mode].price
        if job.due is not None:
            total += job.late_weight * max(0, end - job.due)
        return total + self._moved()

    def _moved(self) -> int:
        for task in _in_order(self.route):
            promised = self.job.promised.get(task)
            if promised is None or self.fixed(task) is not None:
                continue
            if promised < self.problem.slushy_until:
                return self.problem.move_price * abs(self.plan.starts[self.number[task]] - promised)
        return 0

    def findings(self) -> Iterator[Finding]:
        yield from self._times()
        starts = self.plan.starts
        for lag in self.route.lags:
            a, b = self.number[lag.before], self.number[lag.after]
            origin = starts[a] if lag.between == "starts" else self.ends[a]
            gap, least = starts[b] - origin, at(lag.least, self.quantile)
            if gap < least or (lag.most is not None and gap > lag.most):
                text = _("{after!r} begins {gap} after {before!r}; allowed is {least} to {most}.").format(
                    after=lag.after, before=lag.before, gap=gap, least=least, most="∞" if lag.most is None else lag.most
                )
                yield Finding("lag", self.job.name, text)

    def _times(self) -> Iterator[Finding]:
        job, starts = self.job, self.plan.starts
        earliest = max(job.release, self.problem.now)
        for task, start in zip(self.route.tasks, starts, strict=True):
            fixed = self.fixed(task.name)
            if fixed is not None and start != fixed:
                text = _("{task!r} is fixed at {fixed}, planned at {start}.").format(
                    task=task.name, fixed=fixed, start=start
                )
                yield Finding("fixed", job.name, text)
            if fixed is None and start < earliest:
                text = _("{task!r} begins at {start}, before {earliest}.").format(
                    task=task.name, start=start, earliest=earliest
                )
                yield Finding("release", job.name, text)
        last = min(x for x in (job.deadline, self.problem.horizon or None, 1 << 60) if x is not None)
        if self.end() > last:
            yield Finding("deadline", job.name, _("It ends at {end}, after {last}.").format(end=self.end(), last=last))
        within = job.modes[self.plan.mode].start_within
        first = _in_order(self.route)[0]
        begin = starts[self.number[first]]
        if within is not None and self.fixed(first) is None and begin > job.release + within:
            text = _("It begins at {begin}; its material lasts until {last}.").format(
                begin=begin, last=job.release + within
            )
            yield Finding("expiry", job.name, text)

    def uses(self) -> Iterator[Use]:
        job = self.job
        for k, way in enumerate(self.ways):
            begin, end = self.plan.starts[k], self.ends[k]
            units = self.plan.units[k] if self.plan.units else {}
            for need, count in way.needs.items():
                behind = end + way.cleaning.get(need, 0)
                where = f"{job.name}/{self.route.tasks[k].name}"
                yield Use(need, count, begin, end, behind, where, job.family, units.get(split(need)[0], -1))
        for hold in self.route.holds:
            begin, end = self.plan.starts[self.number[hold.first]], self.ends[self.number[hold.last]]
            where = f"{job.name}/{hold.first}–{hold.last}"
            yield Use(hold.resource, hold.units, begin, end, end + hold.cleaning, where, job.family, -1)


def uses_of(problem: Problem, plan: Plan) -> list[Use]:
    """Every use of every resource in a plan, its cleaning included."""
    jobs, routes = {job.name: job for job in problem.jobs}, {route.name: route for route in problem.routes}
    return [
        use
        for one in plan.jobs
        for job in [jobs[one.job]]
        for use in _View(problem, job, routes[job.modes[one.mode].route], one, plan.quantile).uses()
    ]


def spans_of(problem: Problem, plan: Plan) -> list[tuple[str, str, int, int]]:
    """Every task of a plan as (job, task, begin, end)."""
    jobs, routes = {job.name: job for job in problem.jobs}, {route.name: route for route in problem.routes}
    found = []
    for one in plan.jobs:
        job = jobs[one.job]
        view = _View(problem, job, routes[job.modes[one.mode].route], one, plan.quantile)
        for task, begin, end in zip(view.route.tasks, one.starts, view.ends, strict=True):
            found.append((job.name, task.name, begin, end))
    return found


def units_at(resource: Resource, t: int) -> int:
    """How many units or people of a resource are there at a time."""
    found = _present(resource, t)
    missing, names = found[0], found[1] if resource.people else ()
    assert isinstance(missing, int) and isinstance(names, tuple)
    return max(0, len(names) - missing) if resource.people else missing


def _in_order(route: Route) -> list[str]:
    """The tasks' names, each behind those it waits for."""
    names = [task.name for task in route.tasks]
    before = {name: {lag.before for lag in route.lags if lag.after == name} for name in names}
    found: list[str] = []
    while len(found) < len(names):
        ready = [name for name in names if name not in found and before[name] <= set(found)]
        if not ready:
            return [*found, *(name for name in names if name not in found)]
        left = next(name for name in names if name not in found)
        found.extend(ready[:1] if ready[0] == left else ready)
    return found


def _resource(problem: Problem, resource: Resource, uses: list[Use]) -> Iterator[Finding]:
    if resource.consumed:
        taken = sum(use.units for use in uses)
        if taken > resource.capacity:
            text = _("{taken} are used up, there are {capacity}.").format(taken=taken, capacity=resource.capacity)
            yield Finding("resource", resource.name, text)
        return
    yield from _overloaded(resource, uses)
    if resource.changeovers:
        yield from _changeovers(resource, uses)
    yield from _campaigns(resource, uses)


def _overloaded(resource: Resource, uses: list[Use]) -> Iterator[Finding]:
    """The first time at which more is in use than there is."""
    uses = [use for use in uses if use.behind > use.begin]
    last = max((use.behind for use in uses), default=0)
    points = sorted({t for use in uses for t in (use.begin, use.behind)} | set(_changes(resource, last)))
    begins: dict[int, list[Use]] = {}
    ends: dict[int, list[Use]] = {}
    for use in uses:
        begins.setdefault(use.begin, []).append(use)
        ends.setdefault(use.behind, []).append(use)
    busy: dict[str, int] = {}
    active: set[Use] = set()
    known: dict[tuple[object, ...], str] = {}
    for t in points:
        for use in ends.get(t, ()):
            busy[use.need] -= use.units
            active.discard(use)
        for use in begins.get(t, ()):
            busy[use.need] = busy.get(use.need, 0) + use.units
            active.add(use)
        present = _present(resource, t)
        key = (present, tuple(sorted(busy.items())))
        if key not in known:
            known[key] = _short(resource, present, busy)
        if known[key]:
            jobs = ", ".join(sorted(use.where for use in active)[:4])
            yield Finding(
                "resource", resource.name, _("at {t}: {what} ({jobs})").format(t=t, what=known[key], jobs=jobs)
            )
            return


def _changes(resource: Resource, last: int) -> Iterator[int]:
    """Every time at which the number of units may change."""
    calendars = [(resource.calendar, resource.period), *((p.calendar, p.period) for p in resource.people)]
    for calendar, period in calendars:
        for turn in range(last // period + 1 if period else 1):
            yield from (turn * period + t for t, _units in calendar)
    for closing in resource.closings:
        yield closing.begin
        yield closing.end


def _on(calendar: tuple[tuple[int, int], ...], period: int, t: int, always: int) -> int:
    if not calendar:
        return always
    moment = t % period if period else t
    return [units for begin, units in calendar if begin <= moment][-1]


def _present(resource: Resource, t: int) -> tuple[object, ...]:
    """Who or how many are there at a time: (units missing, people) or (units,)."""
    missing = sum(c.units for c in resource.closings if c.begin <= t < c.end)
    if not resource.people:
        return (max(0, _on(resource.calendar, resource.period, t, resource.capacity) - missing),)
    there = tuple(p.name for p in resource.people if _on(p.calendar, p.period, t, 1))
    return (missing, there)


def _short(resource: Resource, present: tuple[object, ...], busy: Mapping[str, int]) -> str:
    """What is lacking, or nothing."""
    wanted = {need: units for need, units in busy.items() if units}
    if not resource.people:
        have, want = present[0], sum(wanted.values())
        assert isinstance(have, int)
        return "" if want <= have else _("{want} in use, {have} there").format(want=want, have=have)
    missing, names = present
    assert isinstance(missing, int) and isinstance(names, tuple)
    there = [p for p in resource.people if p.name in names]
    return "" if _staffed(there, missing, wanted) else _("no people for {needs}").format(needs=wanted)


def _staffed(there: Iterable[Person], missing: int, wanted: Mapping[str, int]) -> bool:
    """Whether there are people for every need: no set of skills is asked more than there are (Hall 1935)."""
    people = list(there)
    if sum(wanted.values()) > len(people) - missing:
        return False
    skilled = {split(need)[1]: units for need, units in wanted.items() if split(need)[1]}
    for size in range(1, len(skilled) + 1):
        for chosen in combinations(skilled, size):
            able = sum(1 for p in people if set(chosen) & set(p.skills))
            if sum(skilled[skill] for skill in chosen) > max(0, able - missing):
                return False
    return True


def _changeovers(resource: Resource, uses: list[Use]) -> Iterator[Finding]:
    takes = {(c.before, c.after): c.steps for c in resource.changeovers}
    for unit in sorted({use.unit for use in uses}):
        own = sorted((use for use in uses if use.unit == unit), key=lambda use: use.begin)
        if not 0 <= unit < resource.capacity:
            yield Finding("unit", resource.name, _("{where} names no unit of it.").format(where=own[0].where))
            continue
        for use in own:
            if unit >= min(_capacity_in(resource, use.begin, use.behind)):
                yield Finding("unit", resource.name, _("{where}: its unit is closed.").format(where=use.where))
        for one, two in pairwise(own):
            needed = takes.get((one.family, two.family), 0)
            if two.begin < one.behind + needed:
                text = _("{two} begins at {begin}; after {one} changing takes until {ready}.").format(
                    two=two.where, begin=two.begin, one=one.where, ready=one.behind + needed
                )
                yield Finding("changeover", resource.name, text)


def _capacity_in(resource: Resource, begin: int, end: int) -> list[int]:
    times = [begin, *(t for t in _changes(resource, end) if begin < t < end)]
    found = []
    for t in times:
        units = _present(resource, t)[0]
        assert isinstance(units, int)
        found.append(units)
    return found


def _campaigns(resource: Resource, uses: list[Use]) -> Iterator[Finding]:
    for campaign in resource.campaigns:
        for use in uses:
            if use.begin < campaign.end and use.behind > campaign.begin and use.family != campaign.family:
                text = _("{where} falls into the campaign of {family!r}.").format(
                    where=use.where, family=campaign.family
                )
                yield Finding("campaign", resource.name, text)
