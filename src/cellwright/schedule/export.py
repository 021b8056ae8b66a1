"""A problem as a model of PyJobShop, for comparison: what that library can say of it."""

from typing import Any

from cellwright.language import _
from cellwright.schedule.problem import Problem, ScheduleError, at, split
from cellwright.schedule.tables import horizon_of


def to_pyjobshop(problem: Problem) -> Any:
    """A `pyjobshop.Model` with the same optimum. Raises ScheduleError for what it cannot say.

    It has no resource that is held across tasks, no cleaning, no changeovers of families, no people with skills, no
    choice of routes; calendars become breaks only where a resource closes whole.
    """
    try:
        from importlib import import_module

        library: Any = import_module("pyjobshop")
    except ImportError:
        raise ScheduleError(_("This needs PyJobShop, which is installed with the benchmarks.")) from None
    reason = _beyond(problem)
    if reason:
        raise ScheduleError(_("PyJobShop cannot say this: {reason}.").format(reason=reason))
    model = library.Model()
    horizon = horizon_of(problem)
    resources: dict[str, Any] = {}
    for resource in problem.resources:
        if resource.consumed:
            resources[resource.name] = model.add_consumable(capacity=resource.capacity, name=resource.name)
        else:
            breaks = _breaks(resource.calendar, resource.period, horizon)
            resources[resource.name] = model.add_renewable(resource.capacity, breaks=breaks, name=resource.name)
    routes = problem.by_name()[1]
    for job in problem.jobs:
        facts: dict[str, Any] = {"weight": job.weight, "release_date": job.release, "name": job.name}
        if job.deadline is not None:
            facts["deadline"] = job.deadline
        made = model.add_job(**facts)
        route = routes[job.modes[0].route]
        tasks = {task.name: model.add_task(job=made, name=task.name) for task in route.tasks}
        for task in route.tasks:
            for way in task.all_ways():
                needed = [resources[split(need)[0]] for need in way.needs]
                model.add_mode(tasks[task.name], needed, at(way.duration), list(way.needs.values()))
        for lag in route.lags:
            one, two, least = tasks[lag.before], tasks[lag.after], at(lag.least)
            if lag.between == "starts":
                model.add_start_before_start(one, two, delay=least)
            else:
                model.add_end_before_start(one, two, delay=least)
            if lag.most is not None and lag.between == "starts":
                model.add_start_before_start(two, one, delay=-lag.most)
            elif lag.most is not None:
                model.add_start_before_end(two, one, delay=-lag.most)
    if problem.objective == "makespan":
        model.set_objective(weight_makespan=1)
    else:
        model.set_objective(weight_total_flow_time=1)
    return model


def _beyond(problem: Problem) -> str:
    for resource in problem.resources:
        if resource.people or resource.changeovers or resource.campaigns or resource.closings:
            return _("resource {name!r} has people, changeovers, campaigns or closings").format(name=resource.name)
        if any(0 < units < resource.capacity for _t, units in resource.calendar):
            return _("resource {name!r} works with fewer units at times").format(name=resource.name)
    for route in problem.routes:
        if route.holds:
            return _("route {name!r} holds a resource across tasks").format(name=route.name)
        if any(any(way.cleaning.values()) for task in route.tasks for way in task.all_ways()):
            return _("route {name!r} cleans after tasks").format(name=route.name)
    if any(len(job.modes) > 1 or job.modes[0].start_within is not None or job.begun for job in problem.jobs):
        return _("jobs have several modes, windows of material or work under way")
    return ""


def _breaks(calendar: tuple[tuple[int, int], ...], period: int, horizon: int) -> list[tuple[int, int]]:
    if not calendar:
        return []
    found: list[tuple[int, int]] = []
    for base in range(0, horizon, period or horizon):
        ends = [*(t for t, _units in calendar[1:]), period or horizon]
        found.extend((base + t, base + end) for (t, units), end in zip(calendar, ends, strict=True) if units == 0)
    return found
