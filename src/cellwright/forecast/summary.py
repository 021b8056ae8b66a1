"""What a forecast says: means, intervals, the split of uncertainty, and quantiles of dates that may never come."""

from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cellwright.forecast.prior import Priors
from cellwright.forecast.programme import YEAR_DAYS, Programme
from cellwright.forecast.simulate import Runs, Track

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Split:
    """Variance of a count: what the priors leave open, and what chance does with any one of them. They add up."""

    mean: float
    prior: float
    chance: float

    @property
    def total(self) -> float:
        return self.prior + self.chance


def split(counts: NDArray[np.int32], outer: int) -> Split:
    """The law of total variance, `Var N = Var E[N | theta] + E Var[N | theta]`, by one-way random effects.

    Between-draw and within-draw mean squares MSB and MSW give `(MSB - MSW) / inner` and `MSW`, unbiased for any number of
    runs per draw (Searle, Casella, McCulloch: Variance Components, 1992, chapter 3). A negative estimate is shown as zero.
    """
    table = counts.reshape(outer, -1).astype(float)
    inner = table.shape[1]
    if outer < 2 or inner < 2:
        raise ValueError("the split needs at least two draws of two runs each")
    within = float(table.var(axis=1, ddof=1).mean())
    between = inner * float(table.mean(axis=1).var(ddof=1))
    return Split(float(table.mean()), max((between - within) / inner, 0.0), within)


def quantiles(counts: NDArray[np.int32]) -> dict[str, int]:
    """Counts at 5, 25, 50, 75 and 95 % of the runs; each is a count that occurs."""
    values = np.quantile(counts, LEVELS, method="inverted_cdf")
    return {f"{level:.0%}": int(value) for level, value in zip(LEVELS, values, strict=True)}


def when(track: Track, runs: Runs, level: float) -> date | None:
    """The last day of the month by which a programme is approved in this share of all runs; None if it is not within the horizon."""
    done = np.cumsum(track.months[:-1])
    month = int(np.searchsorted(done, ceil(level * runs.assumptions.runs)))
    if month >= len(done):
        return None
    return runs.as_of + timedelta(days=(month + 1) * YEAR_DAYS / 12)


def when_approved(track: Track, runs: Runs) -> dict[str, date] | None:
    """Dates at 5, 50 and 95 % of those runs in which the programme is approved at all; None if there is none."""
    total = int(track.months.sum())
    if not total:
        return None
    done = np.cumsum(track.months)
    months = [int(np.searchsorted(done, ceil(level * total))) + 1 for level in (0.05, 0.5, 0.95)]
    dates = [runs.as_of + timedelta(days=month * YEAR_DAYS / 12) for month in months]
    return dict(zip(("5%", "50%", "95%"), dates, strict=True))


def exact(priors: Priors, programmes: tuple[Programme, ...], prior_id: str) -> float:
    """The expected approvals ever under one prior, without chance: the sum of the products of the stages' chances.

    Exact for programmes that hang on no other one and whose sponsors do not fail: the chances of stages are drawn
    independently, so the mean of their product is the product of their means.
    """
    from cellwright.forecast.prior import STAGES

    prior = priors.get(prior_id)
    total = 0.0
    for one in programmes:
        chances = priors.chances(prior, one.classes)[STAGES.index(one.stage) :]
        total += float(np.prod(chances))
    return total
