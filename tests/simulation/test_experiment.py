"""Experiments against what is known: intervals that cover, luck in common, the best found, results kept."""

import math
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellwright.simulation import Found, Model, ModelError, exponential, replicate, uniform
from cellwright.simulation.experiment import (
    Plan,
    bottlenecks,
    compare,
    rank,
    risks,
    run_seeds,
    sensitivity,
    until_precise,
    warm_up,
    with_arrivals,
    with_units,
)
from cellwright.simulation.interval import estimate, mser5, wilson
from cellwright.simulation.store import Store
from tests.simulation.models import everything, station

BUSY = station(1, exponential(1), exponential(0.8))


def test_wilson_of_a_published_example() -> None:
    """15 of 148 at 95 %: 0.0624 to 0.1605 (Newcombe 1998, table I, method 3)."""
    found = wilson(15, 148)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0624, 0.1605)
    assert wilson(0, 10).midpoint > 0 and wilson(10, 10).midpoint < 1
    with pytest.raises(ModelError):
        wilson(3, 0)


def test_a_student_interval() -> None:
    """Mean 5.98, t(0.975, 9) = 2.262: the textbook form m +- t s / sqrt(n)."""
    values = [6.2, 5.1, 7.0, 5.5, 6.4, 5.9, 6.6, 5.2, 6.1, 5.8]
    found = estimate(values)
    assert found.mean == pytest.approx(5.98)
    assert found.half_width == pytest.approx(2.262157 * np.std(values, ddof=1) / math.sqrt(10))
    assert estimate([1.0]).runs == 1 and math.isnan(estimate([]).mean)
    assert estimate([1.0, math.nan, 3.0]).runs == 2


def test_mser_finds_where_a_series_settles() -> None:
    rng = np.random.default_rng(1)
    settled = np.concatenate([np.linspace(0, 10, 60), np.full(340, 10.0)]) + rng.normal(0, 0.3, 400)
    assert 45 <= mser5(settled) <= 75
    assert mser5(np.arange(400.0)) == 400
    with pytest.raises(ModelError):
        mser5([1.0] * 10)


def test_the_warm_up_of_an_empty_start_is_found() -> None:
    m = Model("filling")
    m.resource("room", 2000)
    m.process("guest", arrivals=exponential(1)).use("room", uniform(900, 1100))
    found = warm_up(m, Plan(until=12_000))
    assert found.enough and 900 <= found.time <= 6000
    assert not warm_up(m, Plan(until=800), runs=5).enough


def test_runs_go_on_until_the_figure_is_as_sure_as_asked() -> None:
    plan = Plan(until=3000, warm_up=100)
    runs = until_precise(BUSY, plan, {"resource/server/wait": 0.05})
    found = runs.estimate("resource/server/wait")
    assert found.half_width <= 0.05 * found.mean and found.runs > 10
    assert abs(found.mean - 3.2) <= 3 * found.sd / math.sqrt(found.runs)
    assert (
        until_precise(BUSY, plan, {"resource/server/wait": 0.001}, most=12).estimate("resource/server/wait").runs == 12
    )


def test_scenarios_share_their_luck_and_the_difference_is_surer_for_it() -> None:
    slow, fast = station(1, exponential(1), exponential(0.8)), station(1, exponential(1), exponential(0.76))
    as_it_is, changed = compare({"as it is": slow, "faster": fast}, Plan(2000, 100), ["resource/server/wait"], runs=20)
    assert as_it_is.difference.mean == 0 and not as_it_is.difference.differs
    assert changed.difference.high < 0 and changed.correlation > 0.8
    assert changed.difference.half_width < changed.value.half_width


def test_the_best_of_several_is_found_and_the_others_fall_out_early() -> None:
    scenarios = {f"{c} servers": station(c, exponential(1), exponential(1.8)) for c in (2, 3, 4)}
    found = rank(scenarios, Plan(800, 100), "resource/server/wait", indifference=0.05)
    assert found.best == "4 servers" and found.decided
    assert min(found.runs.values()) < max(found.runs.values())
    assert rank(scenarios, Plan(800, 100), "resource/server/wait", indifference=1e-6, most=12).decided is False


def test_the_number_that_matters_most_comes_first() -> None:
    m = Model("line")
    m.resource("narrow", 1)
    m.resource("wide", 9)
    m.process("job", arrivals=exponential(1)).use("narrow", exponential(0.8)).use("wide", exponential(1))
    effects = sensitivity(m.data(), Plan(1000, 100), "process/job/mean", runs=10)
    assert [e.change for e in effects][-1] == "one unit more of wide"
    assert effects[0].difference.differs
    data = m.data()
    assert with_units(data, "wide", 2).resources[1].capacity == 11
    more = run_seeds(with_arrivals(data, "job", 1.2), Plan(500), [1]).of("process/job/number")
    assert more[0] > 1.1 * run_seeds(data, Plan(500), [1]).of("process/job/number")[0]


def test_the_probability_of_each_order_to_be_on_time() -> None:
    m = Model("orders")
    m.resource("bioreactor", 1)
    m.process("order").use("bioreactor", uniform(10, 20)).measure("done")
    m.given([Found(process="order", at=0), Found(process="order", at=1), Found(process="order", at=2)])
    results = replicate(m, 200, range(200), samples=10)
    found = risks(results, "done", {0: 25.0, 1: 30.0, 2: 20.0})
    assert found[0].hits == 200 and found[2].hits == 0 and 0 < found[2].midpoint < 0.02
    assert found[1].low < 0.5 < found[1].high  # the sum of two uniform times is below its mean half of the time


def test_the_bottleneck_stands_first_and_the_shares_are_whole() -> None:
    loads = bottlenecks(run_seeds(everything(), Plan(1500, 100), range(1, 6)))
    assert [load.taken for load in loads] == sorted((load.taken for load in loads), reverse=True)
    for load in loads:
        parts = (load.working, load.blocked, load.down, load.starved)
        assert sum(p.mean for p in parts) == pytest.approx(1.0) and all(p.mean >= -1e-9 for p in parts)
    assert next(load for load in loads if load.resource == "bioreactor").down.mean > 0


def test_what_was_run_is_kept_and_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(300, store=Store(tmp_path))
    first = run_seeds(everything(), plan, range(4))
    monkeypatch.setattr("cellwright.simulation.experiment._one", None)
    again = run_seeds(everything(), plan, range(4))
    for name, values in first.values.items():
        assert np.array_equal(values, again.of(name), equal_nan=True)
    with pytest.raises(TypeError):
        run_seeds(everything(), plan, range(5))
    with pytest.raises(TypeError):
        run_seeds(everything(), plan._replace(until=301), range(4))
    files = sorted(tmp_path.rglob("*.json"))
    assert len(files) == 4 and not [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".json"]
    files[0].write_bytes(b"{half")
    with pytest.raises(TypeError):
        run_seeds(everything(), plan, range(4))


def test_a_run_that_never_ends_says_so() -> None:
    with pytest.raises(ModelError, match=r"Stopped at time .* after 1000 steps"):
        run_seeds(BUSY, Plan(until=1e9, most=1000), [1])


def test_progress_counts_every_run() -> None:
    seen: list[int] = []
    run_seeds(BUSY, Plan(50, progress=seen.append), range(7))
    assert sum(seen) == 7


@pytest.mark.long
def test_intervals_cover_as_often_as_they_say() -> None:
    """95 % intervals of 20 runs around the exact wait of M/M/1 with load 0.5, started in steady state by warm-up."""
    model = station(1, exponential(1), exponential(0.5))
    covered = 0
    for k in range(300):
        found = run_seeds(model, Plan(400, 50), range(1 + 20 * k, 21 + 20 * k)).estimate("resource/server/wait")
        covered += found.low <= 0.5 <= found.high
    assert 0.91 <= covered / 300 <= 0.98


class TestElsewhere:
    """Dask through the standard Executor: two worker processes, one of which is killed while it works."""

    def test_a_worker_dies_and_the_results_are_the_same(self) -> None:
        distributed = pytest.importorskip("distributed")
        model, plan, seeds = everything(), Plan(4000, 100), range(1, 41)
        here = run_seeds(model, plan, seeds)
        settings: Any = {
            "n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None, "memory_limit": 0,
        }  # fmt: skip
        with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
            client.wait_for_workers(2)
            pids = client.run(os.getpid)
            killed: list[int] = []

            def progress(_count: int) -> None:
                if not killed:
                    killed.append(next(iter(pids.values())))
                    os.kill(killed[0], signal.SIGKILL)

            there = run_seeds(model, plan._replace(executor=client.get_executor(), progress=progress), seeds)
            assert killed
        for name, values in here.values.items():
            assert np.array_equal(values, there.of(name), equal_nan=True)
