"""Running a model: once, or many times on threads, with results that depend on the seed alone."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cellwright.language import _
from cellwright.simulation import layout as at
from cellwright.simulation.draw import ModelError
from cellwright.simulation.model import Model, ModelData
from cellwright.simulation.program import PRIORITIES, Compiled, compiled
from cellwright.simulation.result import Options, Result

ROOM = 256
"""Processes for which there is room at first; it doubles as needed."""


def prepared(model: Model | ModelData) -> Compiled:
    """The model translated and checked; kept, so that replications translate once. Raises ModelError."""
    data = model.data() if isinstance(model, Model) else model
    return _prepared(data.sha256, _Kept(data))


class _Kept:
    """Model data as a key that never compares: its hash stands beside it."""

    def __init__(self, data: ModelData) -> None:
        self.data = data

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept)


@lru_cache(maxsize=64)
def _prepared(_sha256: str, kept: _Kept) -> Compiled:
    return compiled(kept.data)


def run(model: Model | ModelData, until: float, **options: Any) -> Result:
    """Run a model from time 0 to `until`. Options: seed, warm_up, every, trace, samples, most, plain (see `Options`).

    Raises ModelError for a model that cannot be run, and for a horizon or a warm-up that is none.
    """
    return run_prepared(prepared(model), Options(until=until, **options))


def run_prepared(made: Compiled, chosen: Options) -> Result:
    """Run a model that is translated already."""
    if not (chosen.until > 0 and np.isfinite(chosen.until)):
        raise ModelError(_("A run ends at a time after 0, not at {until}.").format(until=chosen.until))
    if not 0 <= chosen.warm_up < chosen.until:
        raise ModelError(_("The warm-up ends before the run does, and not before 0."))
    if chosen.plain:
        from cellwright.compiling import plain

        kernel: Any = plain("cellwright.simulation.kernels")
    else:
        from cellwright.simulation import kernels as kernel
    state, now, ended = fresh(made, chosen), 0.0, at.CROWDED
    seed = np.uint64(chosen.seed & 0xFFFFFFFFFFFFFFFF)
    with np.errstate(over="ignore"):
        kernel.begin(made.program, state, seed, float(chosen.warm_up), float(chosen.every))
        while True:
            now, ended = kernel.simulate(
                made.program, state, seed, now, float(chosen.until), float(chosen.every), int(chosen.most)
            )
            if ended != at.CROWDED:
                return Result(made, state, float(now), int(ended), chosen)
            state = roomier(state)


def compiled_before() -> bool:
    """Whether the interpreter need not be compiled first: it was before, or it runs as plain Python here."""
    from cellwright.simulation import kernels

    stats = getattr(kernels.simulate, "stats", None)
    if stats is None:
        return True
    source = Path(str(kernels.__file__)).stat().st_mtime
    return any(index.stat().st_mtime >= source for index in Path(stats.cache_path).glob("kernels.simulate-*.nbi"))


def roomier(s: Any) -> Any:
    """The state with twice the room for processes and for what is to come."""
    old = len(s.entity)
    entity = np.concatenate([s.entity, np.zeros_like(s.entity)])
    entity[old:, at.NEXT] = np.append(np.arange(old + 1, 2 * old), s.m[at.FREE])
    s.m[at.FREE] = old
    first, last = s.m[at.RING_FIRST], s.m[at.RING_LAST]
    waiting = s.ring[first:last] if first <= last else np.concatenate([s.ring[first:], s.ring[:last]])
    ring = np.zeros(2 * old + 1, np.int64)
    ring[: len(waiting)] = waiting
    s.m[at.RING_FIRST], s.m[at.RING_LAST] = 0, len(waiting)
    return s._replace(
        entity=entity,
        ring=ring,
        stream=_doubled(s.stream),
        value=_doubled(s.value),
        held=_doubled(s.held),
        due=_doubled(s.due),
        what=_doubled(s.what),
    )


def _doubled(rows: Any) -> Any:
    return np.concatenate([rows, np.zeros_like(rows)])


def replicate(
    model: Model | ModelData, until: float, seeds: Iterable[int], *, threads: int = 1, **options: Any
) -> Iterator[Result]:
    """Run a model once for each seed, in that order, on threads; the same for any number of them."""
    made = prepared(model)
    chosen = [Options(until=until, **{**options, "seed": seed}) for seed in seeds]
    if threads <= 1:
        yield from (run_prepared(made, one) for one in chosen)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda one: run_prepared(made, one), chosen)


def fresh(made: Compiled, chosen: Options) -> Any:
    """The state at time 0."""
    names, p = made.names, made.program
    resources, sources = len(names.resources), p.sources.shape[0]
    entity = np.zeros((ROOM, at.ENTITY_WIDTH), np.int64)
    entity[:, at.NEXT] = np.append(np.arange(1, ROOM), -1)
    resource = np.zeros((resources, at.RESOURCE_WIDTH), np.int64)
    resource[:, at.CAPACITY] = made.capacity
    resource[:, at.HOLDERS] = -1
    batch = np.full((max(1, len(names.batches)), 3), -1, np.int64)
    batch[:, 1] = 0
    room = ROOM + 2 * (sources + resources + int(np.sum(p.due <= 0.0)))
    observations = int(chosen.until / chosen.every) if chosen.every > 0 else 0
    return at.State(
        entity=entity,
        stream=np.zeros(ROOM, np.uint64),
        value=np.zeros((ROOM, at.FIRST_VALUE + max(1, len(names.attributes)))),
        held=np.zeros((ROOM, max(1, resources)), np.int64),
        resource=resource,
        area=np.zeros((resources, at.AREA_WIDTH)),
        head=np.full((resources, PRIORITIES), -1, np.int64),
        tail=np.full((resources, PRIORITIES), -1, np.int64),
        ring=np.zeros(ROOM + 1, np.int64),
        due=np.zeros(room),
        what=np.zeros((room, 2), np.int64),
        m=np.zeros(at.COUNTERS_WIDTH, np.int64),
        source=np.zeros(max(1, sources), np.int64),
        batch=batch,
        finished=_tallies(len(names.processes)),
        tally=_tallies(len(names.measures)),
        counter=np.zeros(max(1, len(names.counters))),
        base=np.zeros((resources, at.AREA_WIDTH)),
        series=np.zeros((observations, resources, at.AREA_WIDTH)),
        trace_when=np.zeros(chosen.trace),
        trace_what=np.zeros((chosen.trace, 4), np.int64),
        sample_value=np.zeros((chosen.samples, 2)),
        sample_what=np.zeros((chosen.samples, 2), np.int64),
    )


def _tallies(count: int) -> Any:
    rows = np.zeros((max(1, count), 5))
    rows[:, 3], rows[:, 4] = np.inf, -np.inf
    return rows
