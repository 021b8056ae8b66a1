"""What is wrong with a problem, all of it at once and before anything runs."""

from collections import Counter
from collections.abc import Iterable, Iterator

from cellwright.language import _
from cellwright.schedule.problem import Hold, Problem, Range, Resource, Route, ScheduleError, Way, at, split


def checked(problem: Problem) -> Problem:
    """The problem itself. Raises ScheduleError with every fault and its place."""
    faults = list(_faults(problem))
    if faults:
        raise ScheduleError(faults)
    return problem


def _faults(problem: Problem) -> Iterator[str]:
    yield from _twice(_("resource"), (r.name for r in problem.resources))
    yield from _twice(_("route"), (r.name for r in problem.routes))
    yield from _twice(_("job"), (j.name for j in problem.jobs))
    resources, routes = problem.by_name()
    for resource in problem.resources:
        yield from _resource(resource)
    for route in problem.routes:
        yield from _route(route, resources)
    yield from _jobs(problem, routes)


def _twice(kind: str, names: Iterable[str]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield _("{kind} {name!r} stands {times} times: names are unique.").format(kind=kind, name=name, times=times)


def _resource(resource: Resource) -> Iterator[str]:
    name = resource.name
    if ":" in name:
        yield _("resource {name!r}: a name has no colon; it separates a skill.").format(name=name)
    if resource.capacity < 1 and not resource.people:
        yield _("resource {name!r}: its capacity is {capacity}; it needs at least 1.").format(
            name=name, capacity=resource.capacity
        )
    for who, calendar, period in [
        (name, resource.calendar, resource.period), *((f"{name}/{p.name}", p.calendar, p.period) for p in resource.people)
    ]:  # fmt: skip
        yield from _calendar(who, calendar, period)
    if resource.units and len(resource.units) != resource.capacity:
        yield _("resource {name!r}: {named} units are named, the capacity is {capacity}.").format(
            name=name, named=len(resource.units), capacity=resource.capacity
        )
    if (resource.changeovers or resource.campaigns) and resource.people:
        yield _("resource {name!r}: changeovers and campaigns are for units, not for people.").format(name=name)
    if resource.consumed and (resource.people or resource.changeovers or resource.campaigns or resource.calendar):
        yield _("resource {name!r}: what is used up has a capacity and nothing else.").format(name=name)
    for change in resource.changeovers:
        if change.steps < 0:
            yield _("resource {name!r}: the changeover {before} to {after} takes {steps} steps.").format(
                name=name, before=change.before, after=change.after, steps=change.steps
            )
    spans = [(c.begin, c.end) for c in resource.closings] + [(c.begin, c.end) for c in resource.campaigns]
    for begin, end in spans:
        if not 0 <= begin < end:
            yield _("resource {name!r}: a closing or campaign from {begin} to {end} is none.").format(
                name=name, begin=begin, end=end
            )


def _calendar(name: str, calendar: tuple[tuple[int, int], ...], period: int) -> Iterator[str]:
    if not calendar:
        return
    times = [t for t, _units in calendar]
    if times != sorted(set(times)) or times[0] != 0:
        yield _("calendar of {name!r}: times rise from 0, each once.").format(name=name)
    if period and times[-1] >= period:
        yield _("calendar of {name!r}: {time} lies outside its period of {period}.").format(
            name=name, time=times[-1], period=period
        )
    if all(units <= 0 for _t, units in calendar):
        yield _("calendar of {name!r} is empty: nobody ever works.").format(name=name)
    if any(units < 0 for _t, units in calendar):
        yield _("calendar of {name!r}: units below 0.").format(name=name)


def most_units(resource: Resource, skill: str = "") -> int:
    """The most units that a resource, or the people of a skill, ever have at once."""
    if resource.people:
        return sum(1 for p in resource.people if not skill or skill in p.skills)
    return max((units for _t, units in resource.calendar), default=resource.capacity)


def _route(route: Route, resources: dict[str, Resource] | object) -> Iterator[str]:
    assert isinstance(resources, dict)
    yield from _twice(_("route {name!r}: task").format(name=route.name), (t.name for t in route.tasks))
    if not route.tasks:
        yield _("route {name!r} has no task.").format(name=route.name)
    number = {t.name: k for k, t in enumerate(route.tasks)}
    for task in route.tasks:
        where = _("route {route!r}, task {task!r}").format(route=route.name, task=task.name)
        for way in task.all_ways():
            yield from _way(where, way, resources)
    for hold in route.holds:
        where = _("route {route!r}, hold of {resource!r}").format(route=route.name, resource=hold.resource)
        yield from _need(where, hold.resource, hold.units, resources)
        missing = [name for name in (hold.first, hold.last) if name not in number]
        if missing:
            yield _("{where}: there is no task {task!r}.").format(where=where, task=missing[0])
        elif number[hold.first] > number[hold.last]:
            yield _("{where}: {first!r} stands behind {last!r}.").format(where=where, first=hold.first, last=hold.last)
        elif hold.resource in resources and (resources[hold.resource].changeovers or resources[hold.resource].consumed):
            yield _("{where}: only pools and crews can be held across tasks.").format(where=where)
    for n, hold in enumerate(route.holds):
        for other in route.holds[:n]:
            inside = {hold.first, hold.last, other.first, other.last} <= set(number)
            if inside and hold.resource == other.resource and _overlap(hold, other, number):
                where = _("route {route!r}, hold of {resource!r}").format(route=route.name, resource=hold.resource)
                yield _("{where}: it overlaps another hold of the same resource.").format(where=where)
    yield from _lags(route, number)


def _overlap(one: Hold, two: Hold, number: dict[str, int]) -> bool:
    return number[one.first] <= number[two.last] and number[two.first] <= number[one.last]


def _way(where: str, way: Way, resources: dict[str, Resource]) -> Iterator[str]:
    duration = way.duration
    if isinstance(duration, Range) and not 0 <= duration.low <= duration.typical <= duration.high:
        yield _("{where}: the range {low}, {typical}, {high} does not rise.").format(
            where=where, low=duration.low, typical=duration.typical, high=duration.high
        )
    elif at(duration) < 0:
        yield _("{where}: a duration of {duration} is none.").format(where=where, duration=at(duration))
    for need, units in way.needs.items():
        yield from _need(where, need, units, resources)
    for need in way.cleaning:
        if need not in way.needs:
            yield _("{where}: it cleans {need!r} and does not need it.").format(where=where, need=need)


def _need(where: str, need: str, units: int, resources: dict[str, Resource]) -> Iterator[str]:
    name, skill = split(need)
    if name not in resources:
        yield _("{where}: there is no resource {name!r}.").format(where=where, name=name)
        return
    have = most_units(resources[name], skill)
    if resources[name].changeovers or resources[name].campaigns:
        have = min(have, 1) if resources[name].changeovers else have
    if units < 1 or units > have:
        yield _("{where}: it asks for {units} of {need!r}, which never has more than {have}.").format(
            where=where, units=units, need=need, have=have
        )


def _lags(route: Route, number: dict[str, int]) -> Iterator[str]:
    """Lags name tasks; together they leave a plan: no cycle of positive length (Bellman-Ford over starts)."""
    arcs: list[tuple[int, int, int]] = []
    for lag in route.lags:
        where = _("route {route!r}, lag from {before!r} to {after!r}").format(
            route=route.name, before=lag.before, after=lag.after
        )
        missing = [name for name in (lag.before, lag.after) if name not in number]
        if missing:
            yield _("{where}: there is no task {task!r}.").format(where=where, task=missing[0])
            continue
        if isinstance(lag.least, Range) and not lag.least.low <= lag.least.typical <= lag.least.high:
            yield _("{where}: its range does not rise.").format(where=where)
        least, a, b = at(lag.least), number[lag.before], number[lag.after]
        if lag.most is not None and lag.most < least:
            yield _("{where}: it is at least {least} and at most {most}.").format(
                where=where, least=least, most=lag.most
            )
        shortest, longest = (0, 0) if lag.between == "starts" else _span(route, a)
        arcs.append((a, b, least + shortest))
        if lag.most is not None:
            arcs.append((b, a, -(lag.most + longest)))
    cycle = positive_cycle(len(route.tasks), arcs)
    if cycle:
        yield _("route {route!r}: its lags chase each other in a cycle: {tasks}.").format(
            route=route.name, tasks=" → ".join(route.tasks[k].name for k in cycle)
        )


def _span(route: Route, k: int) -> tuple[int, int]:
    lengths = [at(way.duration) for way in route.tasks[k].all_ways()]
    return min(lengths), max(lengths)


def positive_cycle(count: int, arcs: list[tuple[int, int, int]]) -> list[int]:
    """The nodes of a cycle whose lengths sum to more than 0, or nothing (Bellman 1958, Ford 1956)."""
    far, cause = [0] * count, [-1] * count
    changed = -1
    for _turn in range(count + 1):
        changed = -1
        for a, b, length in arcs:
            if far[a] + length > far[b]:
                far[b], cause[b], changed = far[a] + length, a, b
        if changed < 0:
            return []
    for _step in range(count):
        changed = cause[changed]
    cycle = [changed]
    while cause[cycle[-1]] != changed:
        cycle.append(cause[cycle[-1]])
    return [changed, *reversed(cycle[1:]), changed]


def _jobs(problem: Problem, routes: object) -> Iterator[str]:
    assert isinstance(routes, dict)
    names = {name: {t.name for t in route.tasks} for name, route in routes.items()}
    for job in problem.jobs:
        if not job.modes:
            yield _("job {job!r} has no mode.").format(job=job.name)
        for mode in job.modes:
            if mode.route not in names:
                yield _("job {job!r}: there is no route {route!r}.").format(job=job.name, route=mode.route)
        if job.release < 0 or job.weight < 0 or job.late_weight < 0:
            yield _("job {job!r}: release and weights are not below 0.").format(job=job.name)
        if job.deadline is not None and job.deadline < job.release:
            yield _("job {job!r}: its deadline {deadline} lies before its release {release}.").format(
                job=job.name, deadline=job.deadline, release=job.release
            )
        if job.begun or job.promised:
            known = names.get(job.modes[0].route, set()) if job.modes else set()
            for task in {**job.begun, **job.promised}:
                if task not in known:
                    yield _("job {job!r}: there is no task {task!r} in its first mode.").format(job=job.name, task=task)
