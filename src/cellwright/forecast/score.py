"""Scores of forecasts against what came: proper scoring rules, and the back-test from frozen days.

Brier: G. W. Brier, Monthly Weather Review 78 (1950) 1. CRPS: Gneiting and Raftery, JASA 102 (2007) 359, equation 21.
Both are losses: smaller is better, and the expected loss is least for the forecaster who says what is believed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from cellwright.factory.definition import Basis, Definition, Entry, Flaw, Name, Text, Words, read
from cellwright.forecast.prior import STAGES, Priors, Stage
from cellwright.forecast.programme import YEAR_DAYS
from cellwright.forecast.simulate import Assumptions, outer_draws, stream
from cellwright.language import N_


def brier(chance: float, happened: bool) -> float:
    """The squared distance of a chance from what came."""
    return (chance - happened) ** 2


def crps(sample: NDArray[np.float64], observed: float) -> float:
    """Continuous ranked probability score of a sample, `mean |X - y| - mean |X - X'| / 2`, in n log n steps."""
    ordered = np.sort(np.asarray(sample, float))
    n = len(ordered)
    if n == 0:
        raise ValueError("a score needs a sample")
    spread = float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum()) / n**2
    return float(np.abs(ordered - observed).mean()) - spread


class Case(Entry):
    """A programme frozen on a day, and what was known later: whether and when it left its stage forward."""

    id: Words
    stage: Stage
    since: date
    frozen: date
    checked: date
    basis: Basis
    moved_on: date | None = None
    """The day it moved forward; None if it had not by `checked`."""
    classes: tuple[Name, ...] = ("all",)


class BackTest(Definition):
    """Cases and what is wrong with them as a sample."""

    cases: tuple[Case, ...]
    caution: Text

    def check(self) -> Iterator[Flaw]:
        for index, case in enumerate(self.cases):
            if not case.since <= case.frozen < case.checked:
                what = N_("The days of {name} are out of order.")
                yield Flaw(("cases", index), what, expected="since, frozen, checked in this order", name=case.id)
            if case.moved_on is not None and not case.frozen < case.moved_on <= case.checked:
                what = N_("The programme {name} moved on outside the time it was watched.")
                yield Flaw(("cases", index, "moved_on"), what, expected="between frozen and checked", name=case.id)


def shipped_back_test() -> BackTest:
    """The cases that come with the program."""
    from cellwright import shipped

    return read(BackTest, shipped.content("forecast/back-test.yaml").decode(), "forecast/back-test.yaml")


@dataclass(frozen=True)
class Scored:
    """A case with its forecast: the chance of moving on in time, and the losses of the event and of the time (years)."""

    case: Case
    chance: float
    brier: float
    crps: float


def back_test(priors: Priors, cases: Sequence[Case], assumptions: Assumptions | None = None) -> tuple[Scored, ...]:
    """Forecast every case from what was known on its frozen day and score it; times end at the day of checking."""
    made = assumptions or Assumptions(outer=500, inner=20)
    draws = outer_draws(priors, [case.classes for case in cases], made)
    scored = []
    for case in cases:
        stage = STAGES.index(case.stage)
        random = stream(made.seed, f"back-test/{case.id}")
        mean = np.repeat(draws.years[:, stage] * draws.shock, made.inner)
        chance = np.repeat(draws.chances[case.classes][:, stage], made.inner)
        moves = random.random(made.runs) < chance
        left = _left(mean, (case.frozen - case.since).days / YEAR_DAYS, float(priors.spread.value), random)
        watched = (case.checked - case.frozen).days / YEAR_DAYS
        times = np.minimum(np.where(moves, left, np.inf), watched)
        happened = case.moved_on is not None
        came = watched if case.moved_on is None else (case.moved_on - case.frozen).days / YEAR_DAYS
        in_time = float((times < watched).mean())
        scored.append(Scored(case, in_time, brier(in_time, happened), crps(times, came)))
    return tuple(scored)


def _left(mean: NDArray[np.float64], elapsed: float, spread: float, random: np.random.Generator) -> NDArray[np.float64]:
    from scipy.special import log_ndtr, ndtri_exp

    z = random.standard_normal(len(mean))
    centre = np.log(mean) - spread**2 / 2
    if elapsed <= 0:
        fresh: NDArray[np.float64] = np.exp(centre + spread * z)
        return fresh
    start = (np.log(elapsed) - centre) / spread
    tail = -ndtri_exp(log_ndtr(-start) + log_ndtr(-z))
    left: NDArray[np.float64] = np.maximum(np.exp(centre + spread * tail) - elapsed, 0)
    return left
