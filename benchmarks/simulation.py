"""How fast the simulation runs beside SimPy and cimba: the same two models, each in its own way, in CPU time.

The CAR-T line (`src/cellwright/simulation/line.yaml`, all numbers assumptions): a patient every 0.876 h on average, twelve
steps of triangular durations on seven resources, a culture of nine days in a bioreactor that is then cleaned, 5 % of the
tests repeated. SimPy and cimba run the same steps and keep what each resource did (use and waits), as ours does always:
cimba by its own statistics, SimPy by the few lines that its users write. Rivals acquire two resources one after the other
where ours acquires both at once. Our interpreter is one, with every step and every statistic compiled in (priorities,
preemption, patience, batches, splits, stocks, shifts, breakdowns, cleaning, tallies, trace and samples where asked for);
compiling is not counted for anybody. The network is three stations of several servers with feedback (Jackson 1957).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import cimba as cb
import numpy as np

from benchmarks.harness import Session
from benchmarks.rivals_simulation import CimbaLine, CimbaNetwork, SimpyLine, SimpyNetwork, network
from cellwright.simulation import ModelData, notation, replicate
from cellwright.simulation import run as simulated

YEAR = 8760.0


def line() -> ModelData:
    """The CAR-T line from its file."""
    from importlib.resources import files

    return notation.read((files("cellwright.simulation") / "line.yaml").read_text(encoding="utf-8"))


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of this process, all threads."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def cimba_run(model: type[Any], duration: float) -> Any:
    """One trial of a model of cimba, which is compiled before."""
    return cb.Experiment(model(), replications=1, window=cb.Window(duration=duration), seed=1).run(workers=1)


def _line(session: Session) -> None:
    model = line()
    years = {"cellwright": 8.0, "SimPy": 0.25, "cimba": 1.0}
    ours = simulated(model, YEAR, seed=1)
    cimba_run(CimbaLine, YEAR / 10)  # compiles
    mean = float(
        np.mean([r.measure("receipt to release").mean for r in replicate(model, 2 * YEAR, range(4), warm_up=500)])
    )
    theirs = SimpyLine(1, 2 * YEAR)
    session.figure("mean cycle, cellwright", mean, "h")
    session.figure("mean cycle, SimPy", theirs.total / theirs.done, "h")
    session.compare(
        "CAR-T line, CPU time per simulated year",
        {
            "cellwright": lambda: (
                cpu(lambda: simulated(model, years["cellwright"] * YEAR, seed=2)) / years["cellwright"]
            ),
            "SimPy": lambda: cpu(lambda: SimpyLine(2, years["SimPy"] * YEAR)) / years["SimPy"],
            "cimba": lambda: cpu(lambda: cimba_run(CimbaLine, years["cimba"] * YEAR)) / years["cimba"],
        },
        ours="cellwright",
        rounds=11 if session.full else 7,
        targets={"SimPy": 80, "cimba": 5},
        work=f"10,000 patients a year, {ours.events} events",
    )


def _network(session: Session) -> None:
    model, span = network(), {"cellwright": 60_000.0, "SimPy": 1_500.0, "cimba": 6_000.0}
    simulated(model, 10.0)
    cimba_run(CimbaNetwork, 100.0)
    session.compare(
        "Jackson network, CPU time per unit of time",
        {
            "cellwright": lambda: cpu(lambda: simulated(model, span["cellwright"], seed=2)) / span["cellwright"],
            "SimPy": lambda: cpu(lambda: SimpyNetwork(2, span["SimPy"])) / span["SimPy"],
            "cimba": lambda: cpu(lambda: cimba_run(CimbaNetwork, span["cimba"])) / span["cimba"],
        },
        ours="cellwright",
        rounds=11 if session.full else 7,
        targets={"SimPy": 80},
        work="three stations with feedback, load 0.8 each",
    )


def _alone(session: Session) -> None:
    model = line()
    spent = median(cpu(lambda: simulated(model, 5 * YEAR, seed=3)) / 5 for _ in range(5))
    session.figure("10,000 patients a year, CPU time per simulated year", 1000 * spent, "ms", limit=30)
    begin, spent = time.perf_counter(), time.process_time()
    parallel = [r.measure("receipt to release") for r in replicate(model, 2 * YEAR, range(100), threads=2)]
    wall, both = time.perf_counter() - begin, (time.process_time() - spent) / 2
    session.figure("100 replications of 2 years, CPU time of each of 2 threads", both, "s", limit=3)
    session.figure("the same by the clock of a machine that does other work too", wall, "s")
    few = range(6)
    same = [[r.measure("receipt to release") for r in replicate(model, YEAR, few, threads=n)] for n in (1, 2, 4)]
    twice = [r.measure("receipt to release") for r in replicate(model, YEAR, range(2), threads=1)]
    plain = [simulated(model, YEAR / 20, seed=1, plain=p, trace=200_000) for p in (False, True)]
    equal = same[0] == same[1] == same[2] and same[0][:2] == twice and len(parallel) == 100
    bits = all(np.array_equal(a, b) for a, b in zip(plain[0].state, plain[1].state, strict=True))
    session.figure("the same with 1, 2 and 4 threads", float(equal), "", limit=1, at_least=True)
    session.figure("the same as plain Python, bit for bit", float(bits), "", limit=1, at_least=True)


def run(session: Session) -> None:
    """Everything, the CAR-T line first."""
    _line(session)
    _network(session)
    _alone(session)
