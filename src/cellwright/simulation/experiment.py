"""Experiments: many runs of a model, and what they say together.

Scenarios that are run with the same seeds meet the same luck, so that their difference is surer than either of them
(common random numbers). Runs go to any `concurrent.futures.Executor`: threads here, Dask's over several machines.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cellwright.language import _
from cellwright.simulation.draw import ModelError
from cellwright.simulation.interval import Estimate, Risk, estimate, mser5, wilson
from cellwright.simulation.model import Model, ModelData, unknown
from cellwright.simulation.result import Result, Summary
from cellwright.simulation.store import Store

Progress = Callable[[int], Any]
"""Told how many more runs are done."""


class Plan(NamedTuple):
    """How the runs of an experiment are made."""

    until: float
    warm_up: float = 0.0
    confidence: float = 0.95
    threads: int = 2
    executor: Executor | None = None
    """Where runs go instead of threads here."""
    store: Store | None = None
    progress: Progress | None = None
    most: int = 10**9

    @property
    def options(self) -> dict[str, Any]:
        """What a result depends on besides model and seed."""
        return {"until": float(self.until), "warm_up": float(self.warm_up), "most": self.most}


class Runs:
    """The figures of many runs of a model, by name: float64 [runs] each."""

    def __init__(
        self, model: ModelData, seeds: Sequence[int], rows: Sequence[Mapping[str, float]], confidence: float
    ) -> None:
        self.model = model
        self.seeds = tuple(seeds)
        self.confidence = confidence
        self.values = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}

    def of(self, figure: str) -> Any:
        """The values of a figure, a run each."""
        if figure not in self.values:
            raise ModelError(unknown(figure, self.values))
        return self.values[figure]

    def estimate(self, figure: str) -> Estimate:
        """Mean and interval of a figure."""
        return estimate(self.of(figure), self.confidence)


def figures(result: Result) -> dict[str, float]:
    """Every figure of a run by its name: `resource/nurse/wait`, `process/visit/mean`, `measure/stay/mean`, `counter/lost`.

    Raises ModelError for a run that was stopped at its limit of steps: its figures would be of a part only.
    """
    if result.stopped:
        raise ModelError(
            _(
                "Stopped at time {now} after {steps} steps, before the end at {until}: too much happens, or it never ends."
            ).format(now=f"{result.now:g}", steps=result.options.most, until=f"{result.options.until:g}")
        )
    names, found = result.made.names, {}
    for name in names.resources:
        for key, value in result.resource(name)._asdict().items():
            found[f"resource/{name}/{key}"] = float(value)
    for group, rows, read in (
        ("process", names.processes, result.process),
        ("measure", names.measures, result.measure),
    ):
        for name in rows:
            if not name.startswith("_"):
                found |= _summary(f"{group}/{name}", read(name))
    for name in names.counters:
        found[f"counter/{name}"] = result.counter(name)
    found["events"] = float(result.events)
    return found


def _summary(name: str, summary: Summary) -> dict[str, float]:
    return {f"{name}/{key}": float(value) for key, value in summary._asdict().items()}


def _one(model: bytes, options: Mapping[str, Any], seed: int) -> dict[str, float]:
    """A run somewhere: everything it needs and gives can be sent."""
    from cellwright.simulation.run import run

    return figures(run(msgspec.json.decode(model, type=ModelData), seed=seed, **options))


def run_seeds(model: Model | ModelData, plan: Plan, seeds: Iterable[int]) -> Runs:
    """Run a model once for each seed; what the store has is not run again. The same wherever the runs are made.

    Raises ModelError for a model that cannot be run, and for a run that met its limit of steps.
    """
    from cellwright.simulation.run import prepared

    data = model.data() if isinstance(model, Model) else model
    wanted = list(seeds)
    prepared(data)  # so that a wrong model is named before anything is sent away
    key, rows = data.sha256, {}
    for seed in wanted:
        kept = plan.store.get(key, plan.options, seed) if plan.store else None
        if kept is not None:
            rows[seed] = kept
            _tell(plan, 1)
    missing = [seed for seed in wanted if seed not in rows]
    body = msgspec.json.encode(data)
    own = None if plan.executor else ThreadPoolExecutor(max(1, plan.threads))
    pool: Executor = plan.executor or own  # type: ignore[assignment]
    try:
        sent = [(seed, pool.submit(_one, body, plan.options, seed)) for seed in missing]
        for seed, coming in sent:
            rows[seed] = coming.result()
            if plan.store:
                plan.store.put(key, plan.options, seed, rows[seed])
            _tell(plan, 1)
    finally:
        if own:
            own.shutdown(cancel_futures=True)
    return Runs(data, wanted, [rows[seed] for seed in wanted], plan.confidence)


def _tell(plan: Plan, count: int) -> None:
    if plan.progress:
        plan.progress(count)


class WarmUp(NamedTuple):
    """A suggestion: leave out so much time at the beginning."""

    time: float
    by_resource: Mapping[str, float]
    enough: bool
    """Whether the runs are long enough to tell; else the time is that of the whole run."""


def warm_up(model: Model | ModelData, plan: Plan, *, runs: int = 10, intervals: int = 200) -> WarmUp:
    """A warm-up by MSER-5 of the mean over runs of each resource's use and queue; the longest of them counts."""
    from cellwright.simulation.run import replicate

    every = plan.until / intervals
    results = list(replicate(model, plan.until, range(1, runs + 1), threads=plan.threads, every=every, most=plan.most))
    found = {}
    for name in results[0].made.names.resources:
        mean = np.mean([r.series(name)[:, 1:] for r in results], axis=0)
        found[name] = max(mser5(column) for column in mean.T) * every
    longest = max(found.values(), default=0.0)
    return WarmUp(longest, found, longest < plan.until)


def until_precise(
    model: Model | ModelData, plan: Plan, targets: Mapping[str, float], *, first: int = 10, most: int = 1000
) -> Runs:
    """Run until every figure's half-width is at most so large a share of its mean (Law 2015, section 9.4.1).

    After the first runs, the number needed is estimated from their spread and run, until the targets hold or `most` runs
    are made; look at the estimates to see which. Raises ModelError for a target that is not between 0 and 1.
    """
    for figure, share in targets.items():
        if not 0 < share < 1:
            raise ModelError(_("{figure}: a half-width is a share of the mean between 0 and 1.").format(figure=figure))
    n = max(2, min(first, most))
    while True:
        runs = run_seeds(model, plan, range(1, n + 1))
        needed = n
        for figure, share in targets.items():
            now = runs.estimate(figure)
            goal = share * abs(now.mean)
            if now.half_width > goal > 0:
                needed = max(needed, n + 1, math.ceil(n * (now.half_width / goal) ** 2))
        if needed == n or n >= most:
            return runs
        n = min(most, needed)


class Comparison(NamedTuple):
    """A scenario against the first: the difference of a figure in pairs of runs with the same seed."""

    scenario: str
    figure: str
    value: Estimate
    difference: Estimate
    """Of scenario minus first."""
    correlation: float
    """Between the pairs: the nearer to 1, the more the common luck helped; nan where nothing varies."""


def compare(
    scenarios: Mapping[str, Model | ModelData], plan: Plan, figures_: Sequence[str], *, runs: int = 30
) -> list[Comparison]:
    """Every scenario against the first, in pairs of runs with the same luck. Intervals are for each difference by itself."""
    if len(scenarios) < 2:
        raise ModelError(_("Compare two scenarios or more."))
    made = {name: run_seeds(model, plan, range(1, runs + 1)) for name, model in scenarios.items()}
    base = next(iter(made.values()))
    found = []
    for name, one in made.items():
        for figure in figures_:
            a, b = base.of(figure), one.of(figure)
            varies = runs > 2 and np.std(a) > 0 and np.std(b) > 0
            correlation = float(np.corrcoef(a, b)[0, 1]) if varies else math.nan
            found.append(Comparison(name, figure, one.estimate(figure), estimate(b - a, plan.confidence), correlation))
    return found


class Ranking(NamedTuple):
    """The scenario that is best, and how it was found."""

    best: str
    runs: Mapping[str, int]
    """How many runs each scenario took before it was left out or chosen."""
    means: Mapping[str, float]
    decided: bool
    """False if the limit of runs was met first; then the best is only the best so far."""


def rank(
    scenarios: Mapping[str, Model | ModelData], plan: Plan, figure: str, *, indifference: float, least: bool = True,
    first: int = 10, most: int = 2000,
) -> Ranking:  # fmt: skip
    """The best scenario with probability `confidence`, if it is better than the next by `indifference`.

    Fully sequential, with common luck, leaving out what is behind (procedure KN of Kim and Nelson 2001, c = 1).
    """
    if indifference <= 0 or len(scenarios) < 2:
        raise ModelError(_("Ranking takes two scenarios or more, and a difference of more than 0 that matters."))
    sign = -1.0 if least else 1.0
    values = {name: sign * run_seeds(m, plan, range(1, first + 1)).of(figure) for name, m in scenarios.items()}
    k = len(scenarios)
    eta = ((2 * (1 - plan.confidence) / (k - 1)) ** (-2 / (first - 1)) - 1) / 2
    h2 = 2 * eta * (first - 1)
    spread = {
        (a, b): float(np.var(values[a] - values[b], ddof=1)) for a in scenarios for b in scenarios if a != b
    }  # fmt: skip
    alive, n = list(scenarios), first
    while True:
        alive = [
            a for a in alive
            if all(
                values[a].mean() >= values[b].mean()
                - max(0.0, indifference / (2 * n) * (h2 * spread[a, b] / indifference**2 - n))
                for b in alive if a != b
            )
        ]  # fmt: skip
        if len(alive) <= 1 or n >= most:
            break
        n += 1
        for name in alive:
            more = sign * run_seeds(scenarios[name], plan, [n]).of(figure)
            values[name] = np.concatenate([values[name], more])
    best = max(alive or scenarios, key=lambda name: float(values[name].mean()))
    return Ranking(
        best, {name: len(v) for name, v in values.items()}, {name: float(sign * v.mean()) for name, v in values.items()},
        len(alive) == 1,
    )  # fmt: skip


def risks(
    results: Iterable[Result], measure: str, due: Mapping[int, float], confidence: float = 0.95
) -> dict[int, Risk]:
    """For each given process, by its number in order of appearance, the probability that it is measured by its due time.

    Whoever is not measured before the end of a run is late in that run. The runs need `samples`.
    """
    hits, runs = dict.fromkeys(due, 0), 0
    for result in results:
        runs += 1
        when = dict(zip(result.sampled(measure).tolist(), result.samples(measure)[:, 0].tolist(), strict=True))
        for number, limit in due.items():
            hits[number] += when.get(number, math.inf) <= limit
    return {number: wilson(count, runs, confidence) for number, count in hits.items()}


class Load(NamedTuple):
    """A resource in the bottleneck report: shares of its units' time, together 1."""

    resource: str
    working: Estimate
    blocked: Estimate
    """Held by somebody who waits for something else."""
    down: Estimate
    starved: Estimate
    """Nobody there who wants it."""
    queue: Estimate
    wait: Estimate

    @property
    def taken(self) -> float:
        """Mean share that is not starved."""
        return 1.0 - self.starved.mean


def bottlenecks(runs: Runs) -> list[Load]:
    """Every resource, the most taken first."""
    loads = []
    for one in runs.model.resources:
        if one.stock:
            continue
        at = f"resource/{one.name}/"
        used, blocked, down = (runs.of(at + key) for key in ("utilisation", "blocked", "down"))
        working, held, repaired, starved = (
            estimate(part, runs.confidence) for part in (used - blocked - down, blocked, down, 1.0 - used)
        )
        loads.append(
            Load(one.name, working, held, repaired, starved, runs.estimate(at + "queue"), runs.estimate(at + "wait"))
        )
    return sorted(loads, key=lambda load: -load.taken)


class Effect(NamedTuple):
    """What a change of one number of the model does to a figure."""

    change: str
    difference: Estimate
    relative: float
    """Mean difference over the mean of the unchanged model."""


def sensitivity(data: ModelData, plan: Plan, figure: str, *, runs: int = 20, share: float = 0.1) -> list[Effect]:
    """One number changed at a time, with the same luck: a unit more of each resource, each arrival so much more often.

    The greatest effect comes first.
    """
    changes: dict[str, Model | ModelData] = {_("as it is"): data}
    for one in data.resources:
        if not one.stock:
            changes[_("one unit more of {name}").format(name=one.name)] = with_units(data, one.name, 1)
    for plan_ in data.processes:
        if plan_.arrivals is not None and plan_.first < 0:
            said = _("{share:.0%} more of {name}").format(share=share, name=plan_.name)
            changes[said] = with_arrivals(data, plan_.name, 1 + share)
    found = compare(changes, plan, [figure], runs=runs)
    base = found[0].value.mean
    effects = [Effect(c.scenario, c.difference, c.difference.mean / base if base else math.nan) for c in found[1:]]
    return sorted(effects, key=lambda e: -abs(e.difference.mean))


def with_units(data: ModelData, name: str, more: int) -> ModelData:
    """The model with so many more units of a resource, in each of its shifts that has any."""
    if name not in {r.name for r in data.resources}:
        raise ModelError(unknown(name, [r.name for r in data.resources]))
    changed = tuple(
        msgspec.structs.replace(
            r, capacity=r.capacity + more, calendar=tuple((t, n + more if n else 0) for t, n in r.calendar)
        )
        if r.name == name else r
        for r in data.resources
    )  # fmt: skip
    return msgspec.structs.replace(data, resources=changed)


def with_arrivals(data: ModelData, name: str, factor: float) -> ModelData:
    """The model with a process that arrives so many times as often, by its calendar of arrivals."""
    if name not in {p.name for p in data.processes}:
        raise ModelError(unknown(name, [p.name for p in data.processes]))
    changed = tuple(
        msgspec.structs.replace(
            p, rate=tuple((t, f * factor) for t, f in p.rate or ((0.0, 1.0),)), period=p.period or 1e12
        )
        if p.name == name else p
        for p in data.processes
    )  # fmt: skip
    return msgspec.structs.replace(data, processes=changed)
