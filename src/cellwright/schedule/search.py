"""Many jobs that share resources: construction in milliseconds, then ruin and recreate with restarts on threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import numpy as np

from cellwright.schedule import kernels as compiled_kernels
from cellwright.schedule import layout
from cellwright.schedule.plan import JobPlan, Plan, Unplaced
from cellwright.schedule.tables import Array, Laid

CHUNK: Final = 1000
"""Rounds between two looks at the clock, the neighbours and the best so far."""
MOST: Final = 10
"""Most jobs torn out in a round."""
COLD: Final = 0.01
"""Last temperature as a share of the first."""
SHARE: Final = 0.6
"""Share of the rounds that set work before a hold late."""

REASONS: Final[dict[int, Literal["resource", "window", "lags", "fixed"]]] = {
    layout.NO_RESOURCE: "resource",
    layout.NO_WINDOW: "window",
    layout.NO_END: "lags",
}


class Progress(msgspec.Struct, frozen=True):
    """How far the search has come: rounds done of all, jobs that are not placed, the best value."""

    done: int
    total: int
    unplaced: int
    value: int


Report = Callable[[Progress], bool | None]
"""Called now and then; returning False ends the search with the best plan so far."""


@dataclass
class State:
    """One plan in the making."""

    free: Array
    low: Array
    starts: Array
    chosen: Array
    price: Array
    blocked: Array
    room: Any
    random: Any
    best: tuple[int, Array, Array, Array] | None = None


def lows(free: Array) -> Array:
    """The least of every block of steps."""
    size = 1 << layout.BLOCK
    rows, horizon = free.shape
    blocks = -(-horizon // size)
    padded = np.full((rows, blocks * size), layout.NO_LIMIT, np.int64)
    padded[:, :horizon] = free
    return np.ascontiguousarray(padded.reshape(rows, blocks, size).min(axis=2))


def fresh(laid: Laid, seed: int, kernels: Any) -> State:
    """A plan with fixed work only."""
    jobs, width = len(laid.problem.jobs), 2 * laid.width
    room = layout.Room(
        out=np.zeros(64, np.int64), key=np.zeros(64), turn=np.zeros(64, np.int64), old_chosen=np.zeros(64, np.int64),
        old_price=np.zeros(64, np.int64), old_starts=np.zeros((64, width), np.int64), spare=np.zeros(width, np.int64),
        earliest=np.zeros(width, np.int64), later=np.zeros(width, np.int64), blocking=np.zeros(2, np.int64),
    )  # fmt: skip
    free = laid.free.copy()
    state = State(
        free=free, low=lows(free), starts=np.zeros((jobs, width), np.int64),
        chosen=np.full(jobs, layout.NOT_PLACED, np.int64), price=np.full(jobs, -1, np.int64),
        blocked=np.zeros((jobs, 2), np.int64), room=room, random=np.array([seed], np.uint64),
    )  # fmt: skip
    if laid.tables.job[:, layout.PINNED].any():
        kernels.settle(laid.tables, state.free, state.low)
    return state


def orders(laid: Laid) -> list[Array]:
    """Orders of construction: work under way first, then by latest start, by room to wait, by weight."""
    job = laid.tables.job
    free = 1 - job[:, layout.PINNED]
    release, latest, weight = job[:, layout.RELEASE], job[:, layout.LATEST], job[:, layout.WEIGHT]
    keys = ((latest, free), (release, latest - release, free), (release, -weight, free))
    return [np.lexsort(key).astype(np.int64) for key in keys]


def build(laid: Laid, seed: int, kernels: Any) -> State:
    """The first plan: the first order that places all jobs, else the one that places most."""
    best, fewest = None, len(laid.problem.jobs) + 1
    for order in orders(laid):
        state = fresh(laid, seed, kernels)
        missing = kernels.construct(
            laid.tables,
            state.free,
            state.low,
            order,
            state.starts,
            state.chosen,
            state.price,
            state.blocked,
            state.room,
        )
        if missing < fewest:
            best, fewest = state, int(missing)
        if missing == 0:
            break
    assert best is not None
    return best


def rebuild(laid: Laid, old: Plan, seed: int, kernels: Any) -> State:
    """An old plan, where it can stay; the jobs that cannot are fitted in anew beside it."""
    state, tables, order = fresh(laid, seed, kernels), laid.tables, orders(laid)[0]
    known = {plan.job: plan for plan in old.jobs}
    for j, job in enumerate(laid.problem.jobs):
        plan = known.get(job.name)
        if plan is not None and plan.mode < len(job.modes):
            _recall(laid, state, j, plan)
    missing = kernels.keep(tables, state.free, state.low, order, state.starts, state.chosen, state.price)
    if missing:
        lost = order[state.chosen[order] < 0]
        kernels.construct(
            tables, state.free, state.low, lost, state.starts, state.chosen, state.price, state.blocked, state.room
        )
    return state


def _recall(laid: Laid, state: State, j: int, plan: JobPlan) -> None:
    """Write a job's old starts and ways as the tables number them."""
    mode = int(laid.tables.job[j, layout.FIRST_MODE]) + plan.mode
    order = laid.order[laid.problem.jobs[j].modes[plan.mode].route]
    if len(plan.starts) != len(order):
        return
    first = laid.tables.template[laid.tables.mode[mode, 0], 0]
    state.chosen[j] = mode
    state.starts[j, : len(order)] = (
        plan.starts if order == tuple(range(len(order))) else [plan.starts[k] for k in order]
    )
    state.starts[j, laid.width : laid.width + len(order)] = laid.tables.task[first : first + len(order), 0]
    if plan.ways or plan.units:
        for i, k in enumerate(order):
            wanted = (plan.ways[k] if plan.ways else 0, plan.units[k] if plan.units else {})
            begin, end = laid.tables.task[first + i, :2]
            for option in range(begin, end):
                if (laid.way_of[option], laid.units_of[option]) == wanted:
                    state.starts[j, laid.width + i] = option


def penalty(laid: Laid) -> int:
    """The price of a job that is not placed: more than any one that is."""
    job = laid.tables.job
    most = int((job[:, layout.WEIGHT] + job[:, layout.LATE_WEIGHT] + job[:, layout.MOVE_WEIGHT]).max(initial=0))
    dearest = int(laid.tables.mode[:, 1].max(initial=0))
    return int((most + 1) * laid.free.shape[1] + dearest + 1)


def heat(laid: Laid) -> float:
    """The first temperature: a twentieth of what a job costs at least, on average."""
    job, paths = laid.tables.job, np.array(laid.path, np.int64)
    path = paths[laid.tables.mode[job[:, layout.FIRST_MODE], 0]]
    return max(2.0, 0.05 * float(np.mean(path * job[:, layout.WEIGHT])))


class Search:
    """Restarts of one search, advanced together chunk by chunk. The number of threads changes nothing but the time."""

    def __init__(
        self, laid: Laid, *, seed: int, restarts: int, kernels: Any = compiled_kernels, old: Plan | None = None
    ) -> None:
        self.laid, self.kernels, self.seed = laid, kernels, seed
        self.penalty: int = penalty(laid)
        self.hot: float = heat(laid)
        first = build(laid, seed, kernels) if old is None else rebuild(laid, old, seed, kernels)
        self.states = [first, *(self._copy(first, seed + 7919 * k) for k in range(1, restarts))]
        for state in self.states:
            self._keep(state)

    def _copy(self, state: State, seed: int) -> State:
        again = fresh(self.laid, seed, self.kernels)
        for name in ("free", "low", "starts", "chosen", "price", "blocked"):
            getattr(again, name)[:] = getattr(state, name)
        return again

    def _total(self, state: State) -> int:
        return int(np.where(state.price >= 0, state.price, self.penalty).sum())

    def _keep(self, state: State) -> None:
        total = self._total(state)
        if state.best is None or total < state.best[0]:
            state.best = (total, state.starts.copy(), state.chosen.copy(), state.price.copy())

    def advance(self, state: State, turn: int, of: int, rounds: int) -> None:
        """A chunk of one restart: neighbours by start, by end or by release in turn."""
        job = self.laid.tables.job
        key = (state.starts[:, 0], state.starts[:, self.laid.width // 2], job[:, layout.RELEASE])[turn % 3]
        by_time = np.argsort(key, kind="stable").astype(np.int64)
        begin, end = (self.hot * COLD ** (t / of) for t in (turn, turn + 1))
        settings = np.array([rounds, begin, end, MOST, self.penalty, SHARE])
        with np.errstate(over="ignore"):  # random numbers wrap around, which plain Python warns of
            self.kernels.improve(
                self.laid.tables, state.free, state.low, state.starts, state.chosen, state.price, by_time, state.random,
                settings, state.room,
            )  # fmt: skip
        self._keep(state)

    def run(self, rounds: int, threads: int, report: Report | None) -> int:
        """Improve for so many rounds each; returns how many were done (fewer if the report ended it)."""
        if not self.laid.problem.jobs:
            return 0
        chunks = -(-rounds // CHUNK)
        with ThreadPoolExecutor(max(1, min(threads, len(self.states)))) as pool:
            for turn in range(chunks):
                size = min(CHUNK, rounds - turn * CHUNK)
                list(pool.map(lambda s, turn=turn, size=size: self.advance(s, turn, chunks, size), self.states))
                done = turn * CHUNK + size
                if report is not None and report(self._progress(done, rounds)) is False:
                    return done
        return rounds

    def _progress(self, done: int, rounds: int) -> Progress:
        _total, _starts, chosen, price = self.best()
        return Progress(done, rounds, int((chosen < 0).sum()), int(price[price >= 0].sum()))

    def best(self) -> tuple[int, Array, Array, Array]:
        """The best over all restarts; the first of equals."""
        found = [state.best for state in self.states]
        return min((one for one in found if one is not None), key=lambda one: one[0])

    def plan(self, **facts: Any) -> Plan:
        """The best as a plan."""
        _total, starts, chosen, price = self.best()
        return Plan(
            problem=self.laid.problem.sha256,
            jobs=tuple(job_plans(self.laid, starts, chosen)),
            unplaced=tuple(self._unplaced(starts, chosen)),
            value=int(price[price >= 0].sum()),
            engine="ruin and recreate",
            seed=self.seed,
            restarts=len(self.states),
            **facts,
        )

    def _unplaced(self, starts: Array, chosen: Array) -> Sequence[Unplaced]:
        """Every job that is missing, with what stands in its way beside all that are placed."""
        missing = np.flatnonzero(chosen < 0).astype(np.int64)
        if not len(missing):
            return ()
        tables, found = self.laid.tables, []
        state = fresh(self.laid, self.seed, self.kernels)
        for j in np.flatnonzero(chosen >= 0):
            self.kernels.place(tables, state.free, state.low, j, tables.mode[chosen[j], 0], starts[j], 1)
        for j in missing:
            one = np.array([j], np.int64)
            self.kernels.construct(
                tables, state.free, state.low, one, state.starts, state.chosen, state.price, state.blocked, state.room
            )
            row, why = (int(value) for value in state.blocked[j])
            job = tables.job[j]
            begin = int(job[layout.EARLIEST])
            end = int(
                min(
                    job[layout.DEADLINE],
                    max(begin, job[layout.LATEST]) + self.laid.path[tables.mode[job[layout.FIRST_MODE], 0]],
                )
            )
            resource = self.laid.labels[row] if row >= 0 else ""
            reason = REASONS.get(why, "window")
            found.append(
                Unplaced(job=self.laid.problem.jobs[j].name, resource=resource, reason=reason, begin=begin, end=end)
            )
        return found


def job_plans(laid: Laid, starts: Array, chosen: Array) -> list[JobPlan]:
    """What the arrays say, in the order of the routes' tasks."""
    plans = []
    several, matter = len(laid.way_of) > len(laid.tables.task), any(laid.units_of)
    modes = (chosen - laid.tables.job[:, layout.FIRST_MODE]).tolist()
    lines = starts.tolist()
    for job, line, mode, number in zip(laid.problem.jobs, lines, modes, chosen.tolist(), strict=True):
        if number < 0:
            continue
        order = laid.order[job.modes[mode].route]
        at, ways, units = [0] * len(order), [0] * len(order), [dict[str, int]()] * len(order)
        for i, k in enumerate(order):
            at[k] = line[i]
            if several or matter:
                ways[k] = laid.way_of[line[laid.width + i]]
                units[k] = laid.units_of[line[laid.width + i]]
        plans.append(
            JobPlan(
                job=job.name,
                mode=mode,
                starts=tuple(at),
                ways=tuple(ways) if any(ways) else (),
                units=tuple(units) if any(units) else (),
            )
        )
    return plans
