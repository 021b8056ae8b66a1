"""The interpreter against closed forms: queueing systems whose answers are known.

The daily size asks for agreement within 3 standard errors at a half-width of a few per cent; the full size (`long`) at
0.5 % or less.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from cellwright.simulation import (
    Model,
    constant,
    erlang,
    exponential,
    lognormal,
    replicate,
    triangular,
    uniform,
)
from tests.simulation.models import station

SIZES = [pytest.param(1, id="daily"), pytest.param(80, id="full", marks=pytest.mark.long)]


class Case(NamedTuple):
    """A model, how long one run of the daily size is, and what each figure of it must be."""

    model: Model
    until: float
    figures: dict[str, tuple[Callable[[Any], float], float]]
    """Figure of a run, exact value."""
    widest: float = 0.05
    """Half-width of the daily size, relative."""


def wait(r: Any) -> float:
    return float(r.resource("server").wait)


def queue(r: Any) -> float:
    return float(r.resource("server").queue)


def mean_wait_of_one_server(rate: float, mean: float, square: float) -> float:
    """M/G/1: Pollaczek and Khinchine."""
    return rate * square / (2 * (1 - rate * mean))


def erlang_c(servers: int, load: float) -> float:
    """M/M/c: the probability of waiting (Erlang 1917)."""
    blocked = 1.0
    for c in range(1, servers + 1):
        blocked = load * blocked / (c + load * blocked)
    return servers * blocked / (servers - load * (1 - blocked))


def birth_and_death(births: list[float], deaths: list[float]) -> Any:
    """The stationary distribution of a chain that goes up and down by one."""
    weights = np.concatenate([[1.0], np.cumprod(np.array(births) / np.array(deaths))])
    return weights / weights.sum()


def waiting_room() -> Case:
    """M/M/4/11: whoever finds eleven inside goes away."""
    rate, servers, places = 3.4, 4, 11
    p = birth_and_death([rate] * places, [float(min(n, servers)) for n in range(1, places + 1)])
    m = Model("room")
    m.resource("place", places)
    m.resource("server", servers)
    visit = m.process("visit", arrivals=exponential(1 / rate)).acquire("place", patience=0, otherwise="away")
    visit.use("server", exponential(1)).release("place").end().label("away").count("lost")
    inside = float(np.arange(places + 1) @ p)
    return Case(
        m,
        8_000,
        {
            "lost": (lambda r: r.counter("lost") / r.process("visit").number, float(p[-1])),
            "inside": (lambda r: r.resource("place").used, inside),
        },
    )


def impatient() -> Case:
    """Erlang A: M/M/c whose customers leave after an exponential patience (Palm 1957)."""
    rate, servers, patience, most = 10.0, 9, 2.0, 200
    p = birth_and_death([rate] * most, [min(n, servers) + max(0, n - servers) / patience for n in range(1, most + 1)])
    waiting = float(np.maximum(np.arange(most + 1) - servers, 0) @ p)
    m = Model("impatient")
    m.resource("server", servers)
    call = m.process("call", arrivals=exponential(1 / rate))
    call.acquire("server", patience=exponential(patience), otherwise="away").delay(exponential(1)).release("server")
    call.end().label("away").count("lost")
    return Case(
        m,
        3_000,
        {
            "waiting": (queue, waiting),
            "lost": (lambda r: r.counter("lost") / r.process("call").number, waiting / patience / rate),
        },
        widest=0.06,
    )


def unlimited() -> Case:
    """M/G/inf: a Poisson number is there, whatever the service."""
    return Case(
        station(10_000, exponential(0.1), lognormal(3, 4)),
        4_000,
        {"there": (lambda r: r.resource("server").used, 30.0)},
    )


def two_classes(preempt: bool) -> Case:
    """M/M/1 with two priorities: Cobham 1954; preemptive resume: Conway, Maxwell and Miller 1967."""
    first, second = 0.25, 0.5
    both = first + second
    if preempt:
        stays = 1 / (1 - first), 1 / (1 - first) + both / ((1 - first) * (1 - both))
    else:
        stays = 1 + both / (1 - first), 1 + both / ((1 - first) * (1 - both))
    m = Model("classes")
    m.resource("server", 1)
    for name, rate, priority in (("first", first, 0), ("second", second, 1)):
        p = m.process(name, arrivals=exponential(1 / rate), priority=priority).acquire("server", preempt=preempt)
        p.delay(exponential(1), interruptible="server" if preempt else None).release("server")
    return Case(
        m,
        60_000,
        {
            "first": (lambda r: r.process("first").mean, stays[0]),
            "second": (lambda r: r.process("second").mean, stays[1]),
        },
    )


def closed_network() -> Case:
    """Twelve pallets among a delay of 6 and stations of 1 and 0.8: mean value analysis (Reiser and Lavenberg 1980)."""
    think, demands, pallets = 6.0, (1.0, 0.8), 12
    queues = [0.0, 0.0]
    throughput = 0.0
    for n in range(1, pallets + 1):
        stays = [d * (1 + q) for d, q in zip(demands, queues, strict=True)]
        throughput = n / (think + sum(stays))
        queues = [throughput * stay for stay in stays]
    m = Model("closed")
    for k in range(2):
        m.resource(f"s{k}", 1)
    p = m.process("pallet", arrivals=constant(0), first=pallets).label("again").delay(exponential(think))
    for k, demand in enumerate(demands):
        p.use(f"s{k}", exponential(demand))
    p.count("rounds").jump("again")
    figures: dict[str, tuple[Callable[[Any], float], float]] = {
        "throughput": (lambda r: r.counter("rounds") / r.span, throughput)
    }
    for k in range(2):
        figures[f"at {k}"] = (
            lambda r, k=k: r.resource(f"s{k}").queue + r.resource(f"s{k}").used, queues[k],
        )  # fmt: skip
    return Case(m, 20_000, figures)


def many_servers() -> Case:
    rate, servers = 7.4, 9
    late = erlang_c(servers, rate)
    return Case(
        station(servers, exponential(1 / rate), exponential(1)),
        8_000,
        {
            "late": (lambda r: r.resource("server").late / r.resource("server").served, late),
            "wait": (wait, late / (servers - rate)),
            "use": (lambda r: r.resource("server").utilisation, rate / servers),
        },
        widest=0.08,
    )


def lost(service: Any) -> Case:
    """Erlang B: the loss depends on the mean of the service only."""
    load, lines, blocked = 6.2, 8, 1.0
    for c in range(1, lines + 1):
        blocked = load * blocked / (c + load * blocked)
    m = Model("loss")
    m.resource("line", lines)
    p = m.process("call", arrivals=exponential(1 / load)).acquire("line", patience=0, otherwise="lost").delay(service)
    p.release("line").end().label("lost").count("lost")
    return Case(m, 6_000, {"lost": (lambda r: r.counter("lost") / r.process("call").number, blocked)})


def one_server(service: Any, rate: float, square: float) -> Case:
    return Case(
        station(1, exponential(1 / rate), service),
        40_000,
        {"wait": (wait, mean_wait_of_one_server(rate, service.mean(), square))},
        widest=0.06,
    )


CASES: dict[str, Callable[[], Case]] = {
    "M/M/9": many_servers,
    "Erlang B, exponential": lambda: lost(exponential(1)),
    "Erlang B, constant": lambda: lost(constant(1)),
    "Erlang B, lognormal": lambda: lost(lognormal(1, 1)),
    "Erlang A": impatient,
    "M/M/4/11": waiting_room,
    "M/D/1": lambda: one_server(constant(1), 0.8, 1.0),
    "M/E3/1": lambda: one_server(erlang(3, 1.0), 0.8, 1 + 1 / 3),
    "M/lognormal/1": lambda: one_server(lognormal(1, 0.5), 0.7, 1.25),
    "M/uniform/1": lambda: one_server(uniform(0, 2), 0.7, 4 / 3),
    "M/triangular/1": lambda: one_server(triangular(0, 1, 2), 0.7, 7 / 6),
    "priorities": lambda: two_classes(False),
    "preemptive resume": lambda: two_classes(True),
    "M/G/inf": unlimited,
    "closed network": closed_network,
}  # fmt: skip


def agree(results: list[float], exact: float, widest: float) -> None:
    """The mean of independent runs lies within 3 standard errors of the exact value, and the interval is narrow."""
    mean, error = float(np.mean(results)), float(np.std(results, ddof=1) / math.sqrt(len(results)))
    assert abs(mean - exact) <= 3 * error, (mean, exact, error)
    assert 1.96 * error <= widest * exact, (mean, error)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_a_system_with_an_exact_answer(name: str, size: int) -> None:
    case = CASES[name]()
    until = case.until * max(4, min(size, 8))
    runs = list(replicate(case.model, until, range(16 * max(1, size // 8)), threads=2, warm_up=case.until / 20))
    for figure, exact in case.figures.values():
        agree([figure(r) for r in runs], exact, case.widest / 2 if size == 1 else 0.005)


@pytest.mark.parametrize("size", SIZES)
def test_an_open_network_with_feedback(shared_data: Path, size: int) -> None:
    """Jackson 1957; the values given with the instances."""
    cases = json.loads((shared_data / "planning/queueing/exact_some.json").read_text())
    case = next(c for c in cases if c["name"] == "Jackson4")
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
    runs = list(replicate(m, 2_500 * min(size, 8), range(16 * max(1, size // 8)), threads=2, warm_up=100))
    for i in range(4):
        agree([r.resource(f"s{i}").utilisation for r in runs], exact[f"util{i}"], 0.02 if size == 1 else 0.005)
        agree([r.resource(f"s{i}").queue for r in runs], exact[f"Lq{i}"], 0.2 if size == 1 else 0.02)
    sojourn = [
        sum(r.process(f"from{k}").mean * r.process(f"from{k}").number for k in (0, 1))
        / sum(r.process(f"from{k}").number for k in (0, 1))
        for r in runs
    ]
    agree(sojourn, exact["sojourn"], 0.03 if size == 1 else 0.005)


def test_the_formulas_here_give_the_values_given_with_the_instances(shared_data: Path) -> None:
    given = {c["name"]: c for c in json.loads((shared_data / "planning/queueing/exact_some.json").read_text())}
    assert erlang_c(9, 7.4) == pytest.approx(given["MMc_9"]["exact"]["p_wait"])
    assert waiting_room().figures["lost"][1] == pytest.approx(given["MMcK_4_11"]["exact"]["p_block"])
    assert waiting_room().figures["inside"][1] == pytest.approx(given["MMcK_4_11"]["exact"]["L"])
    assert lost(constant(1)).figures["lost"][1] == pytest.approx(given["ErlangB_8"]["exact"]["p_block"])
    assert mean_wait_of_one_server(0.87, 1, 1) == pytest.approx(given["MD1"]["exact"]["Wq"])
    assert mean_wait_of_one_server(0.8, 1, 4 / 3) == pytest.approx(given["ME31"]["exact"]["Wq"])
    exact = given["MM1_prio_nonpreemptive"]["exact"]
    classes = two_classes(False).figures
    assert [classes[k][1] - 1 for k in ("first", "second")] == pytest.approx([exact["Wq1"], exact["Wq2"]])


def test_arrivals_by_calendar_come_at_the_stated_rates() -> None:
    """Twice the rate in the first half of each day, none in the last quarter: Poisson counts of those means."""
    m = Model("calendar")
    m.process("order", arrivals=exponential(1), rate=[(0, 2), (12, 1), (18, 0)], period=24).stamp("at").measure("order")
    r = m.run(until=24 * 2_000, samples=100_000)
    hours = r.samples("order")[:, 0] % 24
    for low, high, rate in ((0, 12, 2.0), (12, 18, 1.0), (18, 24, 0.0)):
        expected = rate * (high - low) * 2_000
        found = int(((hours >= low) & (hours < high)).sum())
        assert abs(found - expected) <= 4 * math.sqrt(expected)
