"""Measure contenders side by side.

Machines drift while a benchmark runs, so contenders take turns: each round runs every one of them once, in an order that
rotates, and gives one ratio per pair. What is reported is the median of those ratios with their lowest and highest, never
a ratio of medians taken minutes apart.
"""

import gc
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

SCHEMA: Final = "cellwright.benchmark/1"

# A contender does a fixed piece of work; it may return the seconds it took, where set-up is not part of what is measured.
Contender = Callable[[], float | None]


@dataclass(frozen=True)
class Comparison:
    """How many times as fast one contender is as another: above 1 it is faster. `target` is the least that is asked."""

    measure: str
    ours: str
    rival: str
    ratio: float
    low: float
    high: float
    rounds: int
    target: float | None
    seconds: dict[str, float]
    work: str

    @property
    def held(self) -> bool:
        """Whether the target is met; a comparison without one is for information."""
        return self.target is None or self.ratio >= self.target

    def line(self) -> dict[str, object]:
        """The comparison as one line of JSON."""
        return {
            "kind": "comparison",
            "measure": self.measure,
            "ours": self.ours,
            "rival": self.rival,
            "ratio": round(self.ratio, 3),
            "low": round(self.low, 3),
            "high": round(self.high, 3),
            "rounds": self.rounds,
            "target": self.target,
            "held": self.held,
            "seconds": {name: round(value, 6) for name, value in self.seconds.items()},
            "work": self.work,
        }


@dataclass(frozen=True)
class Figure:
    """One number with its unit. `limit` is the most that is allowed (the least, where `at_least` is set)."""

    measure: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def held(self) -> bool:
        """Whether the limit is kept; a figure without one is for information."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> dict[str, object]:
        """The figure as one line of JSON."""
        return {
            "kind": "figure",
            "measure": self.measure,
            "value": float(f"{self.value:.6g}"),
            "unit": self.unit,
            "limit": self.limit,
            "at_least": self.at_least,
            "held": self.held,
        }


Finding = Comparison | Figure


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call, with the garbage collector out of the way."""
    gc.collect()
    gc.disable()
    try:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin
    finally:
        gc.enable()


def seconds(contender: Contender) -> float:
    """The contender's own figure where it returns one, else the wall time of its call."""
    stated: float | None = None

    def call() -> None:
        nonlocal stated
        stated = contender()

    wall = timed(call)
    return wall if stated is None else stated


def interleave(contenders: Mapping[str, Contender], rounds: int) -> list[dict[str, float]]:
    """Seconds of every contender in every round. Round k begins with contender k, so that none is always first."""
    assert rounds >= 1
    names = list(contenders)
    taken = []
    for turn in range(rounds):
        order = names[turn % len(names) :] + names[: turn % len(names)]
        taken.append({name: seconds(contenders[name]) for name in order})
    return taken


@dataclass
class Session:
    """One run of one benchmark: what it found, and whether it may take its full size."""

    name: str
    full: bool = False
    findings: list[Finding] = field(default_factory=list)
    report: Callable[[Finding], None] = lambda finding: None

    def compare(
        self,
        measure: str,
        contenders: Mapping[str, Contender],
        *,
        ours: str,
        rounds: int = 7,
        targets: Mapping[str, float] | None = None,
        work: str = "",
    ) -> list[Comparison]:
        """Interleave the contenders and report ours against each rival: rival's seconds over our seconds, per round.

        Parameters:
            measure: what is measured, in a few words; the key in the manual's table.
            contenders: name -> one round's work, the same work for each.
            targets: rival -> the least ratio that is asked.
            work: what one round does, with its size.
        """
        assert ours in contenders
        self.say(f"{measure}: {rounds} rounds of {', '.join(contenders)}")
        taken = interleave(contenders, rounds)
        middle = {name: median(turn[name] for turn in taken) for name in contenders}
        comparisons = []
        for rival in contenders:
            if rival == ours:
                continue
            ratios = [turn[rival] / turn[ours] for turn in taken]
            target = (targets or {}).get(rival)
            pair = {ours: middle[ours], rival: middle[rival]}
            comparisons.append(
                Comparison(measure, ours, rival, median(ratios), min(ratios), max(ratios), rounds, target, pair, work)
            )
        for comparison in comparisons:
            self._add(comparison)
        return comparisons

    def figure(
        self, measure: str, value: float, unit: str, *, limit: float | None = None, at_least: bool = False
    ) -> Figure:
        """Report one number that has no rival, such as a size, or a time with a stated limit."""
        found = Figure(measure, value, unit, limit, at_least)
        self._add(found)
        return found

    def say(self, text: str) -> None:
        """Progress, on standard error."""
        sys.stderr.write(f"{self.name}: {text}\n")
        sys.stderr.flush()

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.report(finding)
