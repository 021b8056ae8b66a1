"""The interpreter against exact results and against itself."""

import json
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
from tests.simulation.models import everything, station

DRAWS = [
    constant(2), exponential(3), uniform(1, 2), triangular(1, 2, 4), pert(1, 2, 5), normal(3, 2), lognormal(10, 5),
    weibull(2, 3), erlang(3, 4), gamma(2, 3), gamma(0.5, 3), empirical([1, 2, 5, 9]),
]  # fmt: skip


def close(results: list[float], exact: float, *, half_width: float = 0.005) -> None:
    """The mean of independent runs lies within 3 standard errors of the exact value, and the interval is narrow."""
    mean, error = float(np.mean(results)), float(np.std(results, ddof=1) / math.sqrt(len(results)))
    assert abs(mean - exact) <= 3 * error, (mean, exact, error)
    assert 1.96 * error <= half_width * exact, (mean, error)


def test_compiled_and_plain_python_leave_the_same_trace_bit_for_bit() -> None:
    fast, slow = (
        everything().run(until=1500, seed=3, trace=100_000, samples=1_000, warm_up=100, every=100, plain=p)
        for p in (False, True)
    )
    assert fast.lost == (0, 0) and len(fast.trace()) > 3_000
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
        fast = [kernels.drawn(rows, values, 0, seed, i, 3, 1) for i in range(20_000)]
        assert fast[:500] == [slow.drawn(rows, values, 0, seed, i, 3, 1) for i in range(500)]
    error = np.std(fast, ddof=1) / math.sqrt(len(fast))
    assert abs(np.mean(fast) - one.mean()) <= 4 * error + 1e-12


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_any_number_of_threads_gives_the_same(threads: int) -> None:
    alone = [r.measure("turnaround") for r in replicate(everything(), 1000, range(6))]
    assert [r.measure("turnaround") for r in replicate(everything(), 1000, range(6), threads=threads)] == alone
    assert len(set(alone)) == 6


def test_the_steady_states_of_the_queueing_systems_given(shared_data: Path) -> None:
    cases = {c["name"]: c for c in json.loads((shared_data / "planning/queueing/exact_some.json").read_text())}
    exact = cases["MMc_9"]["exact"]
    runs = list(replicate(station(9, exponential(1 / 7.4), exponential(1)), 40_000, range(40), threads=2, warm_up=500))
    figures = [r.resource("server") for r in runs]
    close([f.queue for f in figures], exact["Lq"], half_width=0.012)
    close([f.late / f.served for f in figures], exact["p_wait"])
    close([f.utilisation for f in figures], exact["util"])
    close([r.process("customer").mean for r in runs], exact["W"])
    for name, service in (("MD1", constant(1)), ("ME31", erlang(3, 1.0))):
        rate = cases[name]["spec"]["lam"]
        runs = list(replicate(station(1, exponential(1 / rate), service), 200_000, range(30), threads=2, warm_up=2_000))
        close([r.resource("server").wait for r in runs], cases[name]["exact"]["Wq"], half_width=0.02)


def test_a_loss_system_blocks_as_erlang_says_whatever_the_service(shared_data: Path) -> None:
    cases = {c["name"]: c for c in json.loads((shared_data / "planning/queueing/exact_some.json").read_text())}
    for service in (exponential(1), constant(1), lognormal(1, 1)):
        m = Model("loss")
        m.resource("line", 8)
        m.process("call", arrivals=exponential(1 / 6.2)).acquire("line", patience=0, otherwise="lost").delay(
            service
        ).release("line").end().label("lost").count("lost")
        runs = list(replicate(m, 30_000, range(20), threads=2, warm_up=100))
        close(
            [r.counter("lost") / r.process("call").number for r in runs],
            cases["ErlangB_8"]["exact"]["p_block"],
            half_width=0.01,
        )


def test_a_queue_of_two_priorities(shared_data: Path) -> None:
    m = Model("priorities")
    m.resource("server", 1)
    m.process("first", arrivals=exponential(4), priority=0).acquire("server").measure("wait1").delay(
        exponential(1)
    ).release("server")
    m.process("second", arrivals=exponential(2), priority=1).acquire("server").measure("wait2").delay(
        exponential(1)
    ).release("server")
    runs = list(replicate(m, 200_000, range(30), threads=2, warm_up=1_000))
    close([r.measure("wait1").mean for r in runs], 1.0, half_width=0.01)
    close([r.measure("wait2").mean for r in runs], 4.0, half_width=0.03)


def test_who_is_interrupted_goes_on_where_he_was() -> None:
    """Preemptive resume M/M/1: T1 = 1/(mu - l1); T2 = (1/mu + (l1 + l2)/mu^2/(1 - r1))... (Conway, Maxwell, Miller 1967)."""
    l1, l2, mu = 0.25, 0.5, 1.0
    r1, r2 = l1 / mu, l2 / mu
    exact2 = (1 / mu) / (1 - r1) + (l1 + l2) / mu**2 / ((1 - r1) * (1 - r1 - r2))
    m = Model("preemptive")
    m.resource("server", 1)
    for name, rate, priority in (("first", l1, 0), ("second", l2, 1)):
        p = m.process(name, arrivals=exponential(1 / rate), priority=priority)
        p.acquire("server", preempt=True).delay(exponential(1 / mu), interruptible="server").release("server")
    runs = list(replicate(m, 200_000, range(30), threads=2, warm_up=1_000))
    close([r.process("first").mean for r in runs], 1 / (mu - l1), half_width=0.01)
    close([r.process("second").mean for r in runs], exact2, half_width=0.03)
    assert all(r.resource("server").interrupted > 0 for r in runs)


def test_a_network_with_feedback(shared_data: Path) -> None:
    case = next(
        c
        for c in json.loads((shared_data / "planning/queueing/exact_some.json").read_text())
        if c["name"] == "Jackson4"
    )
    spec, exact = case["spec"], case["exact"]
    m = Model("network")
    for i in range(4):
        m.resource(f"s{i}", spec["c"][i])
    for first, rate in enumerate(spec["external"]):
        if rate == 0:
            continue
        p = m.process(f"from{first}", arrivals=exponential(1 / rate)).jump(f"at{first}")
        for i in range(4):
            p.label(f"at{i}").use(f"s{i}", exponential(1 / spec["mu"][i]))
            left = 1.0
            for j, share in enumerate(spec["P"][i]):
                if share > 0:
                    p.branch(min(1.0, share / left), f"at{j}")
                    left -= share
            p.end()
    runs = list(replicate(m, 60_000, range(24), threads=2, warm_up=500))
    for i in range(4):
        close([r.resource(f"s{i}").utilisation for r in runs], exact[f"util{i}"])
        close([r.resource(f"s{i}").queue for r in runs], exact[f"Lq{i}"], half_width=0.03)
    sojourn = [
        sum(r.process(f"from{k}").mean * r.process(f"from{k}").number for k in (0, 1))
        / sum(r.process(f"from{k}").number for k in (0, 1))
        for r in runs
    ]
    close(sojourn, exact["sojourn"])


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
    for identity, at in sorted(arrived.items(), key=lambda x: x[1]):
        if identity not in ended:
            break
        work = np.sort(np.maximum(work - (at - before), 0.0))
        assert begun[identity] - at == pytest.approx(work[0], abs=1e-9)
        work[0] += ended[identity] - begun[identity]
        before = at


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
