"""How fast a portfolio is forecast, beside a plain Python loop of the same model, and whether it agrees with exact answers.

- cellwright: `forecast.simulate`, all runs of a programme at once, with the mixture of priors, conditioning and counts per
  year; seconds are of the processor, the memory is the most the process held while it ran.
- plain loop: `forecast.oracle.loop`, one programme in one run after the other with Python's own chance, under a single prior:
  it draws no priors and keeps no dates, so it does less. Both are timed per programme and run.
- exact: the mean of a count against the sum of products of chances, and the chance by a horizon with exponential stages
  against the matrix exponential of the Markov chain, in standard errors of the simulation.
- eligibility: verdicts of a complete protocol of twenty criteria, with explanation.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from typing import Final

from benchmarks.harness import Session
from cellwright import shipped
from cellwright.command.demo.screening import meeting
from cellwright.factory.definition import ASSUMED
from cellwright.factory.library import read_library
from cellwright.factory.trial import Protocol, judge, read_evidence
from cellwright.forecast import Assumptions, Programme, shipped_priors, simulate
from cellwright.forecast.oracle import loop, markov
from cellwright.forecast.prior import STAGES
from cellwright.forecast.summary import exact

DAY: Final = date(2026, 1, 1)
CLASSES: Final = (
    ("all",),
    ("car_t", "therapeutic_biologic"),
    ("monoclonal_antibody", "therapeutic_biologic"),
    ("chemical",),
)
LOOP_PROGRAMMES: Final = 100
LOOP_RUNS: Final = 200


def programmes(count: int) -> tuple[Programme, ...]:
    """Programmes in all stages and of several classes; every tenth hangs on the one before it."""
    return tuple(
        Programme(
            id=f"p{n}",
            product=f"x{n}",
            stage=STAGES[n % 4],
            since=date(2024, 1 + n % 12, 1),
            sponsor=f"s{n % 100}",
            classes=CLASSES[n % len(CLASSES)],
            depends_on=f"p{n - 1}" if n % 10 == 9 else "",
            basis=ASSUMED,
        )
        for n in range(count)
    )


def run(session: Session) -> None:
    """Measure and report."""
    _size(session)
    _rival(session)
    _exact(session)
    _eligibility(session)


def _size(session: Session) -> None:
    """The whole size in a process of its own, so that its memory is its own."""
    code = (
        "import resource, time; from benchmarks.portfolio import programmes, DAY; "
        "from cellwright.forecast import Assumptions, shipped_priors, simulate; "
        "priors, many = shipped_priors(), programmes(1000); begin = time.process_time(); "
        "simulate(priors, many, DAY, Assumptions(outer=1000, inner=100)); "
        "print(time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    seconds, kilobytes = map(float, subprocess.check_output([sys.executable, "-c", code], text=True).split())
    session.figure("100,000 runs of 1,000 programmes, processor time", seconds, "s", limit=30)
    session.figure("100,000 runs of 1,000 programmes, memory", kilobytes / 2**20, "GiB", limit=1)


def _rival(session: Session) -> None:
    priors = shipped_priors()
    prior = priors.get("bio-2011-2020")
    chances, years = priors.chances(prior, ("all",)), prior.years.values
    fresh = tuple(
        Programme(id=f"q{n}", product="x", stage="phase_1", since=DAY, sponsor="s", basis=ASSUMED)
        for n in range(LOOP_PROGRAMMES)
    )
    made = Assumptions(outer=200, inner=100)

    def ours() -> float:
        begin = time.process_time()
        simulate(priors, fresh, DAY, made)
        return (time.process_time() - begin) / made.runs / LOOP_PROGRAMMES * 1e6

    def slow() -> float:
        begin = time.process_time()
        loop([chances] * LOOP_PROGRAMMES, [years] * LOOP_PROGRAMMES, 0.5, 15, LOOP_RUNS, seed=1)
        return (time.process_time() - begin) / LOOP_RUNS / LOOP_PROGRAMMES * 1e6

    work = "a million times one programme in one run, from phase 1"
    session.compare("forecast", {"cellwright": ours, "plain loop": slow}, ours="cellwright", rounds=3, work=work)


def _exact(session: Session) -> None:
    priors = shipped_priors()
    prior = priors.get("bio-2011-2020")
    one = Programme(id="p", product="x", stage="phase_1", since=DAY, sponsor="s", basis=ASSUMED)
    made = Assumptions(
        outer=1, inner=400_000, horizon=8, mixture={prior.id: 1.0}, sojourn="exponential", prior_spread=False, shock=0.0
    )
    found = simulate(priors, [one], DAY, made).yearly
    for name, expected, share in (
        (
            "approved by year 8, against the Markov chain",
            markov(priors.chances(prior, ("all",)), prior.years.values, 8),
            7,
        ),
        ("approved ever, against the product of chances", exact(priors, (one,), prior.id), 8),
    ):
        simulated = float(found[:, share].mean())
        error = (expected * (1 - expected) / made.runs) ** 0.5
        session.figure(name, abs(simulated - expected) / error, "standard errors", limit=4)


def _eligibility(session: Session) -> None:
    protocol = read_library(shipped.texts()).get(Protocol, "NCT05914155")
    flat = meeting(protocol, "2026-03-02")
    count = 2000 if session.full else 300
    begin = time.process_time()
    for _number in range(count):
        judge(protocol, read_evidence(flat))
    session.figure("verdicts of twenty criteria with explanation", count / (time.process_time() - begin), "1/s")
