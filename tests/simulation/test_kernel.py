"""The interpreter against exact results and against itself."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.compiling import plain
from cellwright.simulation import (
    Model,
    ModelError,
    constant,
    empirical,
    erlang,
    exponential,
    gamma,
    kernels,
    lognormal,
    normal,
    pert,
    replicate,
    run,
    triangular,
    uniform,
    weibull,
)  # fmt: skip
from cellwright.simulation import draw as draws
from cellwright.simulation import layout as at
from cellwright.simulation.run import compiled_before
from tests.simulation.models import everything, station

DRAWS = [
    constant(2), exponential(3), uniform(1, 2), triangular(1, 2, 4), pert(1, 2, 5), normal(3, 2), lognormal(10, 5),
    weibull(2, 3), erlang(3, 4), gamma(2, 3), gamma(0.5, 3), empirical([1, 2, 5, 9]),
]  # fmt: skip


def test_compiled_and_plain_python_leave_the_same_trace_bit_for_bit() -> None:
    fast, slow = (
        everything().run(until=700, seed=3, trace=100_000, samples=1_000, warm_up=100, every=100, plain=p)
        for p in (False, True)
    )
    assert fast.lost == (0, 0) and len(fast.trace()) > 1_500
    assert (fast.trace() == slow.trace()).all()
    for one, other in zip(fast.state, slow.state, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("one", DRAWS, ids=lambda d: d.kind)
def test_every_distribution_has_its_mean_and_is_the_same_compiled_and_plain(one: Any) -> None:
    table: list[float] = []
    rows = np.array([draws.row(one, table, {})])
    values, seed = np.array([*table, 0.0]), np.uint64(5)
    with np.errstate(over="ignore"):
        slow = plain("cellwright.simulation.kernels")
        fast = [kernels.drawn(rows, values, 0, slow.stream(seed, i), 3, 1) for i in range(20_000)]
        assert fast[:500] == [slow.drawn(rows, values, 0, slow.stream(seed, i), 3, 1) for i in range(500)]
    error = np.std(fast, ddof=1) / math.sqrt(len(fast))
    assert abs(np.mean(fast) - one.mean()) <= 4 * error + 1e-12


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_any_number_of_threads_gives_the_same(threads: int) -> None:
    alone = [r.measure("turnaround") for r in replicate(everything(), 1000, range(6))]
    assert [r.measure("turnaround") for r in replicate(everything(), 1000, range(6), threads=threads)] == alone
    assert len(set(alone)) == 6


@settings(deadline=None, max_examples=25)
@given(servers=st.integers(1, 5), seed=st.integers(0, 2**32), load=st.floats(0.3, 1.3))
def test_every_wait_of_a_station_follows_kiefer_and_wolfowitz(servers: int, seed: int, load: float) -> None:
    """G/G/c path by path: the vector of remaining work of the servers (Kiefer and Wolfowitz 1955)."""
    m = Model("path")
    m.resource("server", servers)
    p = m.process("customer", arrivals=gamma(0.7, 1 / 0.7)).acquire("server").measure("wait")
    p.delay(lognormal(load * servers, load)).release("server").measure("stay")
    r = m.run(until=400, seed=seed, trace=50_000, samples=5_000)
    trace = r.trace()
    arrived = {int(t["identity"]): float(t["time"]) for t in trace if t["kind"] == 0}
    begun = {int(t["identity"]): float(t["time"]) for t in trace if t["kind"] == 4}
    ended = {int(t["identity"]): float(t["time"]) for t in trace if t["kind"] == 5}
    work, before = np.zeros(servers), 0.0
    for identity, when in sorted(arrived.items(), key=lambda x: x[1]):
        if identity not in ended:
            break
        work = np.sort(np.maximum(work - (when - before), 0.0))
        assert begun[identity] - when == pytest.approx(work[0], abs=1e-9)
        work[0] += ended[identity] - begun[identity]
        before = when


def test_little_holds_on_every_run() -> None:
    r = station(3, exponential(1), gamma(0.5, 5.0)).run(until=20_000, seed=8)
    f = r.resource("server")
    assert f.queue * r.span == pytest.approx(f.wait * f.served, rel=0.01)


def test_what_is_lived_through_again_with_the_same_seed_is_the_same_and_scenarios_meet_the_same_luck() -> None:
    few, many = (station(c, exponential(1), lognormal(1.8, 1)).run(until=500, seed=4, trace=10_000) for c in (2, 3))
    times = [r.trace()[r.trace()["kind"] == 0][["time", "identity"]] for r in (few, many)]
    assert np.array_equal(*times)


def test_a_model_that_would_never_end_is_stopped_and_says_so() -> None:
    m = Model("flood")
    m.resource("server", 1)
    m.process("customer", arrivals=exponential(1e-6)).use("server", 1.0)
    r = m.run(until=1e9, most=100_000)
    assert r.stopped and r.now < 1e9


def test_begins_in_the_given_state() -> None:
    from cellwright.simulation import Found

    m = Model("live")
    m.resource("bioreactor", 1)
    m.process("lot").acquire("bioreactor").label("culture").delay(240).release("bioreactor").measure("done")
    m.given([Found(process="lot", label="culture", left=30, holds={"bioreactor": 1}), Found(process="lot", at=10)])
    r = m.run(until=1000, samples=10)
    assert r.samples("done")[:, 0].tolist() == [30.0, 270.0]
    assert r.resource("bioreactor").wait == 20.0


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda p: p.acquire("room").delay(1), "still holds 1 room"),
        (lambda p: p.acquire("room", 3).release("room", 3), "never has more than 2"),
        (lambda p: p.release("room"), "gives back 1 of room and holds 0"),
        (lambda p: p.jump("nowhere"), "nowhere"),
        (lambda p: p.label("a").count("x").jump("a"), "without any time passing"),
        (lambda p: p.branch(0.5, "b").acquire("room").label("b").delay(1).release("room"), "is reached holding"),
        (lambda p: p.acquire("cellar").release("cellar"), "cellar"),
        (lambda p: p.acquire("room", patience=3).release("room"), "otherwise"),
        (lambda p: p.delay(1, interruptible="room"), "not held"),
    ],
)
def test_a_wrong_program_is_named_before_it_runs(write: Any, says: str) -> None:
    m = Model("wrong")
    m.resource("room", 2)
    write(m.process("lot", arrivals=exponential(1)))
    with pytest.raises(ModelError, match=says):
        m.run(until=10)


def test_a_wrong_distribution_calendar_or_horizon_is_named() -> None:
    for make in (lambda: exponential(0), lambda: uniform(3, 1), lambda: exponential(math.inf), lambda: empirical([1])):
        with pytest.raises(ModelError, match="no mean"):
            make()
    m = Model("closed")
    m.resource("room", 2, calendar=[(0, 0), (8, 0)], period=24)
    m.process("lot", arrivals=1.0)
    with pytest.raises(ModelError, match="nobody ever works"):
        m.run(until=10)
    with pytest.raises(ModelError, match="after 0"):
        run(station(1, 1.0, 1.0), 0)


def whole(state: Any) -> None:
    """What must be true of any state: chains and counts agree, and every unit in use is held, cleaned or repaired."""
    entity, resource = state.entity, state.resource
    free, alive = set(), np.ones(len(entity), bool)
    e = int(state.m[at.FREE])
    while e >= 0:
        assert e not in free
        free.add(e)
        e = int(entity[e, at.NEXT])
    alive[list(free)] = False
    assert alive.sum() == state.m[at.ALIVE]
    cleaned = np.zeros(len(resource), int)
    for row in range(int(state.m[at.HOLE]), int(state.m[at.HEAP])):
        what = int(state.what[row, 1])
        if what & 7 == at.GIVE_BACK:
            cleaned[(what >> 3) & at.MOST_RESOURCES] += what >> 32
    assert (resource[:, at.USED] == state.held[alive].sum(axis=0) + cleaned).all()
    due = state.due[int(state.m[at.HOLE]) : int(state.m[at.HEAP])]
    assert np.isfinite(due).all()
    for r in range(len(resource)):
        waiting = 0
        for priority in range(state.head.shape[1]):
            before, e = -1, int(state.head[r, priority])
            while e >= 0:
                assert alive[e] and entity[e, at.QUEUE] == r and entity[e, at.PRIO] == priority
                assert entity[e, at.PREV] == before
                waiting, before, e = waiting + 1, e, int(entity[e, at.NEXT])
            assert state.tail[r, priority] == before
        assert waiting == resource[r, at.QUEUED]
        e, holders = int(resource[r, at.HOLDERS]), set()
        while e >= 0:
            assert alive[e] and entity[e, at.VICTIM] == r and state.held[e, r] > 0 and e not in holders
            holders.add(e)
            e = int(entity[e, at.NEXT])
        assert holders == {int(i) for i in np.flatnonzero(alive & (entity[:, at.VICTIM] == r))}
        blocked = alive & (entity[:, at.QUEUE] >= 0)
        assert resource[r, at.BLOCKED] == state.held[blocked, r].sum()
    assert resource[:, at.DOWN].min() >= 0 and (resource[:, at.DOWN] <= resource[:, at.USED]).all()


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32), until=st.floats(1, 3000), stopped=st.booleans())
def test_chains_counts_and_units_agree_wherever_a_run_is_looked_at(seed: int, until: float, stopped: bool) -> None:
    result = everything().run(until=until, seed=seed, most=5_000 if stopped else 10**7)
    if not result.stopped:
        whole(result.state)
    assert (result.state.resource[:, at.QUEUED] >= 0).all()


def test_it_is_known_whether_the_interpreter_has_to_be_compiled_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything().run(until=1)
    assert compiled_before()
    monkeypatch.setattr(kernels.simulate._cache, "_cache_path", str(tmp_path))
    assert not compiled_before()
