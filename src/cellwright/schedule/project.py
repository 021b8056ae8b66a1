"""One project for its shortest makespan: what the compiled search of `projects` is given, and what it gives back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cellwright.schedule import projects as compiled_kernels
from cellwright.schedule.plan import JobPlan, Plan
from cellwright.schedule.problem import Problem, at
from cellwright.schedule.search import Progress, Report
from cellwright.schedule.tables import Array, topological

CHUNK: Final = 2000
"""Rounds between two looks at the progress."""
HEATS: Final = (1.0, 0.1)
"""First and last temperature, in steps of makespan."""
MOVES: Final = 3
"""Most moves of one round."""


def is_project(problem: Problem) -> bool:
    """Whether a problem is one job of plain tasks, least lags of 0, constant pools, and its makespan is what counts."""
    if len(problem.jobs) != 1 or problem.objective != "makespan" or problem.horizon or problem.now:
        return False
    job = problem.jobs[0]
    if len(job.modes) != 1 or job.begun or job.promised or job.release or job.deadline is not None:
        return False
    if any(
        r.calendar or r.closings or r.people or r.changeovers or r.campaigns or r.consumed for r in problem.resources
    ):
        return False
    route = problem.by_name()[1][job.modes[0].route]
    plain = all(at(g.least) == 0 and g.most is None and g.between == "end-start" for g in route.lags)
    return (
        plain
        and not route.holds
        and job.modes[0].start_within is None
        and all(len(t.all_ways()) == 1 and not any(t.all_ways()[0].cleaning.values()) for t in route.tasks)
        and topological(route) is not None
    )


def project_of(problem: Problem, quantile: float | None = None) -> Any:
    """The arrays of a project."""
    route = problem.by_name()[1][problem.jobs[0].modes[0].route]
    number = {t.name: k for k, t in enumerate(route.tasks)}
    ways = [t.all_ways()[0] for t in route.tasks]
    duration = np.array([at(w.duration, quantile) for w in ways], np.int64)
    demand = np.array([[w.needs.get(r.name, 0) for r in problem.resources] for w in ways], np.int64)
    arcs = sorted({(number[g.before], number[g.after]) for g in route.lags})
    before, before_at = _lists(len(ways), [(b, a) for a, b in arcs])
    after, after_at = _lists(len(ways), arcs)
    order = topological(route)
    assert order is not None
    tail = duration.copy()
    for k in reversed(order):
        follows = after[after_at[k] : after_at[k + 1]]
        tail[k] = duration[k] + (tail[follows].max() if len(follows) else 0)
    return compiled_kernels.Project(
        duration=duration, demand=demand.reshape(len(ways), len(problem.resources)),
        capacity=np.array([r.capacity for r in problem.resources], np.int64), before=before, before_at=before_at,
        after=after, after_at=after_at, tail=tail,
    )  # fmt: skip


def _lists(count: int, pairs: list[tuple[int, int]]) -> tuple[Array, Array]:
    lists: list[list[int]] = [[] for _task in range(count)]
    for key, value in pairs:
        lists[key].append(value)
    flat = np.array([value for one in lists for value in one], np.int64)
    return flat, np.cumsum([0, *map(len, lists)]).astype(np.int64)


@dataclass
class Walker:
    """One restart: its list, its best, its random stream."""

    desk: Any
    random: Any
    settings: Any


class ProjectSearch:
    """Restarts of annealing over activity lists; what they find depends on seed, rounds and restarts alone."""

    def __init__(
        self,
        problem: Problem,
        *,
        seed: int,
        restarts: int,
        quantile: float | None = None,
        kernels: Any = compiled_kernels,
    ) -> None:
        self.problem, self.seed, self.kernels = problem, seed, kernels
        self.project = project_of(problem, quantile)
        self.bound = lower_bound(self.project)
        self.walkers = [self._walker(seed + 7919 * k) for k in range(restarts)]

    def _walker(self, seed: int) -> Walker:
        p, n = self.project, len(self.project.duration)
        horizon = int(p.duration.sum()) + 2
        desk = self.kernels.Desk(
            order=np.argsort(-p.tail, kind="stable").astype(np.int64), trial=np.zeros(n, np.int64),
            start=np.zeros(n, np.int64), kept=np.zeros(n, np.int64), best=np.zeros(n, np.int64),
            free=np.zeros((horizon, len(p.capacity)), np.int64), place=np.zeros(n, np.int64),
            bucket=np.zeros(horizon + 2, np.int64), backward=np.zeros(n, np.int64), mark=np.zeros(n, np.int64),
        )  # fmt: skip
        self.kernels.settle_order(p, desk.order, desk.mark, True)
        makespan = self.kernels.decode(p, desk.free, desk.order, desk.start, True)
        makespan = self.kernels.justified(p, desk, desk.order, desk.start, makespan)
        desk.best[:] = desk.start
        return Walker(desk, np.array([seed], np.uint64), np.array([0, 1, 1, 1, self.bound, makespan, makespan], float))

    def run(self, rounds: int, threads: int, report: Report | None, heats: tuple[float, float] = HEATS) -> int:
        """So many rounds for each restart; returns how many were done."""
        chunks = max(1, -(-rounds // CHUNK)) if rounds else 0
        with ThreadPoolExecutor(max(1, min(threads, len(self.walkers)))) as pool:
            for turn in range(chunks):
                size = min(CHUNK, rounds - turn * CHUNK)
                list(
                    pool.map(lambda w, turn=turn, size=size: self._advance(w, turn, chunks, size, heats), self.walkers)
                )
                best, done = self.best()[0], turn * CHUNK + size
                if report is not None and report(Progress(done, rounds, 0, best)) is False:
                    return done
                if best <= self.bound:
                    return rounds
        return rounds

    def _advance(self, walker: Walker, turn: int, of: int, rounds: int, heats: tuple[float, float]) -> None:
        begin, end = (heats[0] * (heats[1] / heats[0]) ** (t / of) for t in (turn, turn + 1))
        walker.settings[:4] = rounds, begin, end, MOVES
        with np.errstate(over="ignore"):
            self.kernels.anneal(self.project, walker.desk, walker.random, walker.settings)

    def best(self) -> tuple[int, Array]:
        """The best makespan and its starts; the first of equals."""
        return min(((int(w.settings[5]), w.desk.best) for w in self.walkers), key=lambda one: one[0])

    def plan(self, **facts: Any) -> Plan:
        """The best as a plan."""
        value, starts = self.best()
        return Plan(
            problem=self.problem.sha256, jobs=(JobPlan(job=self.problem.jobs[0].name, starts=tuple(starts.tolist())),),
            value=value, bound=self.bound, proved=value == self.bound, engine="activity lists", seed=self.seed,
            restarts=len(self.walkers), **facts,
        )  # fmt: skip


def lower_bound(project: Any) -> int:
    """The longest path, and on each resource head + work / capacity + tail over tasks with late heads and long tails.

    Any set of tasks that share a resource needs its least head, the time for its work, and its least tail after another.
    """
    p, n = project, len(project.duration)
    head = np.zeros(n, np.int64)
    behind = p.tail - p.duration
    order = np.argsort(-p.tail, kind="stable")
    for _turn in range(n):
        ends = head + p.duration
        new = np.array([ends[p.before[a:b]].max(initial=0) for a, b in zip(p.before_at, p.before_at[1:], strict=False)])
        if (new == head).all():
            break
        head = new
    best = int((head + p.tail).max())
    for r, capacity in enumerate(p.capacity):
        work = p.duration * p.demand[:, r]
        own = order[work[order] > 0]
        for start in np.unique(head[own]):
            late = own[head[own] >= start]
            late = late[np.argsort(-behind[late], kind="stable")]
            spans = start + -(-np.cumsum(work[late]) // capacity) + behind[late]
            best = max(best, int(spans.max(initial=0)))
    return best
