"""What uncertain durations do to a plan: every use waits for the one before it on its unit, and starts are kept or later."""

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from cellwright.schedule.assign import assign
from cellwright.schedule.plan import Plan
from cellwright.schedule.problem import Problem, Range, at


class JobRisk(msgspec.Struct, frozen=True):
    """A job under uncertainty: the share of runs in which it ends by its due time, and in which a greatest lag is broken."""

    job: str
    planned_end: int
    end_90: int
    on_time: float
    expired: float


def robustness(problem: Problem, plan: Plan, *, draws: int = 500, seed: int = 1) -> list[JobRisk]:
    """Replay a plan with drawn durations and branches (triangular over their ranges), the order on every unit kept.

    Tasks begin when planned or later, when their predecessors and units are free. Calendars are not waited for again:
    work that runs late runs over. Shares are of `draws` runs; with 500 their standard error is at most 2.3 %.
    """
    random = np.random.default_rng(seed)
    jobs, routes = {job.name: job for job in problem.jobs}, {route.name: route for route in problem.routes}
    planned = {one.job: one for one in plan.jobs}
    order: list[tuple[int, str, int]] = []
    for one in plan.jobs:
        order.extend((start, one.job, k) for k, start in enumerate(one.starts))
    follows = _chains(problem, plan)
    begin: dict[tuple[str, int], Any] = {}
    end: dict[tuple[str, int], Any] = {}
    broken: dict[str, Any] = {one.job: np.zeros(draws, bool) for one in plan.jobs}
    for start, name, k in sorted(order, key=lambda entry: (entry[0], entry[1], entry[2])):
        job, one = jobs[name], planned[name]
        route = routes[job.modes[one.mode].route]
        number = {task.name: i for i, task in enumerate(route.tasks)}
        way = route.tasks[k].all_ways()[one.ways[k] if one.ways else 0]
        when = np.full(draws, float(start))
        for before, tail in follows.get((name, k), ()):
            if before in end:
                when = np.maximum(when, end[before] + tail)
        lags = [lag for lag in route.lags if lag.after == route.tasks[k].name and (name, number[lag.before]) in end]
        for lag in lags:
            origin = (begin if lag.between == "starts" else end)[name, number[lag.before]]
            when = np.maximum(when, origin + _drawn(lag.least, random, draws))
        for lag in lags:
            origin = (begin if lag.between == "starts" else end)[name, number[lag.before]]
            if lag.most is not None:
                broken[name] |= when - origin > lag.most
        begin[name, k] = when
        end[name, k] = when + _drawn(way.duration, random, draws)
    found = []
    for one in plan.jobs:
        job, route = jobs[one.job], routes[jobs[one.job].modes[one.mode].route]
        last = np.max([end[one.job, k] for k in range(len(one.starts))], axis=0)
        lengths = [
            at(t.all_ways()[one.ways[k] if one.ways else 0].duration, plan.quantile) for k, t in enumerate(route.tasks)
        ]
        stated = max(s + d for s, d in zip(one.starts, lengths, strict=True))
        limits = [limit for limit in (job.due, job.deadline) if limit is not None]
        on_time = float(np.mean(last <= min(limits))) if limits else float(np.mean(last <= stated))
        risk = JobRisk(
            one.job,
            stated,
            int(np.ceil(np.quantile(last, 0.9))),
            round(on_time, 4),
            round(float(broken[one.job].mean()), 4),
        )
        found.append(risk)
    return found


def _drawn(value: int | Range, random: np.random.Generator, draws: int) -> Any:
    if isinstance(value, int) or value.low == value.high:
        return np.full(draws, float(at(value)))
    return random.triangular(value.low, value.typical, value.high, draws)


def _chains(problem: Problem, plan: Plan) -> dict[tuple[str, int], list[tuple[tuple[str, int], int]]]:
    """For each task the tasks whose unit it takes over, with the cleaning between."""
    jobs, routes = {job.name: job for job in problem.jobs}, {route.name: route for route in problem.routes}
    numbers = {
        f"{one.job}/{task.name}": (one.job, k)
        for one in plan.jobs
        for k, task in enumerate(routes[jobs[one.job].modes[one.mode].route].tasks)
    }
    lines: dict[tuple[str, str], list[tuple[int, int, str, str]]] = {}
    for use in assign(problem, plan):
        first, _dash, last = use.where.partition("–")
        job = use.where.partition("/")[0]
        ends = f"{job}/{last}" if last else first
        lines.setdefault((use.resource, use.unit), []).append((use.begin, use.behind - use.end, first, ends))
    found: dict[tuple[str, int], list[tuple[tuple[str, int], int]]] = {}
    for line in lines.values():
        line.sort()
        for one, two in pairwise(line):
            if one[3] in numbers and two[2] in numbers:
                found.setdefault(numbers[two[2]], []).append((numbers[one[3]], one[1]))
    return found
