"""Monte Carlo of a portfolio: semi-Markov programmes from today's stage to approval, all runs of a programme at once.

Uncertainty has two layers. An outer draw picks one prior of the mixture, a chance for every stage and class (Beta with
the prior's mean and effective size, plus what was observed), and a shock to all durations. Each outer draw is run
`inner` times with chance alone. Between-draw and within-draw variance of the counts are then those of the law of total
variance (one-way random effects), not an approximation of it.

Every programme and every sponsor has a stream of its own (Philox, keyed by the seed and its name), so that a programme
meets the same luck whatever else is in the portfolio and whatever its chances are: differences between two portfolios
are differences of their assumptions (common random numbers).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cellwright.forecast.prior import STAGES, Priors
from cellwright.forecast.programme import Programme, ordered

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Assumptions:
    """What a forecast assumes beside its priors; all times in years.

    Raises:
        ValueError: a number outside its range, or runs that are not outer times inner.
    """

    outer: int = 1000
    inner: int = 100
    seed: int = 20260101
    horizon: int = 15
    mixture: Mapping[str, float] | None = None
    """Weight of each prior; the file's weights if nothing is said."""
    sojourn: Literal["lognormal", "exponential"] = "lognormal"
    shock: float = 0.1
    """Standard deviation of the logarithm of a factor common to all durations of an outer draw."""
    prior_spread: bool = True
    """Draw stage chances about their means; without it they are their means, for comparison with an exact answer."""
    failure_time: float = 1.0
    """Mean time to failure in a stage over mean time to success. Only if they differ does waiting tell of the chance."""
    sponsor_failure: float = 0.0
    """Failures of a sponsor per year. Published rates hold programmes lost that way already; above zero it is a stress."""
    rescue: float = 0.5
    """Share of programmes of a failed sponsor that somebody carries on without loss of time."""
    observed: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """(class, stage) to successes and failures seen since the prior, which update it."""

    def __post_init__(self) -> None:
        if min(self.outer, self.inner, self.horizon) < 1:
            raise ValueError("outer, inner and horizon are at least 1")
        if self.shock < 0 or self.sponsor_failure < 0 or not 0 <= self.rescue <= 1 or self.failure_time <= 0:
            raise ValueError("shock, sponsor_failure, rescue or failure_time is out of range")

    @property
    def runs(self) -> int:
        return self.outer * self.inner


@dataclass(frozen=True)
class Track:
    """What the runs say of one programme. `months` counts approvals by the month in which they come, the last is later."""

    programme: Programme
    chance: float
    months: NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """Raw results: per programme its approvals by month; per run the approvals by year, cumulated."""

    assumptions: Assumptions
    as_of: date
    tracks: tuple[Track, ...]
    yearly: NDArray[np.int32]
    """Shape (runs, horizon + 1): approvals by the end of year 1, 2, …, and ever. Runs of an outer draw are neighbours."""
    prior: NDArray[np.intp]
    """Which prior of the file each outer draw used."""
    times: Mapping[str, F32]
    """Years from `as_of` to approval in every run, infinite where it never comes, for the programmes that were asked for."""


def stream(seed: int, name: str) -> np.random.Generator:
    """The stream of one name: Philox keyed by the seed and the first 64 bits of the name's SHA-256."""
    tail = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.Philox(key=np.array([seed & (2**64 - 1), tail], np.uint64)))


@dataclass(frozen=True)
class Draws:
    """The outer draws: chances by class (outer x stages), mean years (outer x stages), the shock, the prior's index."""

    chances: Mapping[tuple[str, ...], F64]
    years: F64
    shock: F64
    prior: NDArray[np.intp]


def outer_draws(priors: Priors, classes: Sequence[tuple[str, ...]], assumptions: Assumptions) -> Draws:
    """Draw the priors, chances, durations and shocks of all outer draws."""
    weights = assumptions.mixture or priors.weights()
    share = np.array([weights.get(prior.id, 0.0) for prior in priors.priors])
    if share.sum() <= 0 or (share < 0).any():
        raise ValueError("the mixture gives no prior a weight")
    share = share / share.sum()
    edges = np.cumsum(share)
    # Stratified: every prior gets its share of the outer draws, so that the mixture itself adds no noise.
    place = (np.arange(assumptions.outer) + 0.5) / assumptions.outer
    order = stream(assumptions.seed, "mixture").permutation(assumptions.outer)
    prior = np.minimum(np.searchsorted(edges, place, side="right"), len(share) - 1)[order]
    years = np.array([one.years.values for one in priors.priors])[prior]
    shock = np.exp(assumptions.shock * stream(assumptions.seed, "shock").standard_normal(assumptions.outer))
    chances = {one: _chances(priors, one, prior, assumptions) for one in dict.fromkeys(classes)}
    return Draws(chances, years, shock / np.exp(assumptions.shock**2 / 2), prior)


def _chances(priors: Priors, classes: tuple[str, ...], prior: NDArray[np.intp], assumptions: Assumptions) -> F64:
    mean = np.array([priors.chances(one, classes) for one in priors.priors])[prior]
    size = np.array([one.effective_n for one in priors.priors], float)[prior][:, None]
    seen = np.array([assumptions.observed.get((classes[0], stage), (0, 0)) for stage in STAGES], float)
    success, failure = mean * size + seen[:, 0], (1 - mean) * size + seen[:, 1]
    if not assumptions.prior_spread:
        posterior: F64 = success / (success + failure)
        return posterior
    random = stream(assumptions.seed, "chances/" + ",".join(classes))
    drawn: F64 = random.beta(np.maximum(success, 1e-12), np.maximum(failure, 1e-12))
    return np.where(failure <= 0, 1.0, drawn)


def simulate(
    priors: Priors,
    programmes: Sequence[Programme],
    as_of: date,
    assumptions: Assumptions | None = None,
    keep: frozenset[str] = frozenset(),
) -> Runs:
    """Run a portfolio.

    Args:
        keep: programmes whose time of approval is kept for every run (four bytes each).

    Raises:
        ValueError: programmes that wait for each other in a ring, or a mixture without weight.
        KeyError: a designation that the priors do not know.
    """
    made = assumptions or Assumptions()
    order = ordered(tuple(programmes))
    if None in order:
        raise ValueError("programmes wait for each other in a ring")
    whole = [one for one in order if one is not None]
    draws = outer_draws(priors, [one.classes for one in whole], made)
    awaited = {one.depends_on for one in whole if one.depends_on} | keep
    sponsors: dict[str, F32] = {}
    times: dict[str, F32] = {}
    yearly = np.zeros((made.runs, made.horizon + 1), np.int32)
    tracks: dict[str, Track] = {}
    for one in whole:
        index, when = _approvals(one, priors, draws, made, as_of)
        index, when = _survivors(one, index, when, made, sponsors)
        if one.depends_on in times:
            first = times[one.depends_on][index]
            kept = np.isfinite(first)
            index, when = index[kept], np.maximum(when[kept], first[kept])
        if one.id in awaited:
            times[one.id] = np.full(made.runs, np.inf, np.float32)
            times[one.id][index] = when
        # A programme appears at most once in each run, so no two increments meet.
        yearly[index, np.minimum(when.astype(np.intp), made.horizon)] += 1
        month = np.minimum((when * 12).astype(np.intp), made.horizon * 12)
        tracks[one.id] = Track(one, len(index) / made.runs, np.bincount(month, minlength=made.horizon * 12 + 1))
    np.cumsum(yearly, axis=1, out=yearly)
    kept_times = {name: found for name, found in times.items() if name in keep}
    return Runs(made, as_of, tuple(tracks[one.id] for one in programmes), yearly, draws.prior, kept_times)


def _approvals(
    one: Programme, priors: Priors, draws: Draws, made: Assumptions, as_of: date
) -> tuple[NDArray[np.intp], F32]:
    """The runs in which a programme's own trials and review succeed, and after how many years from `as_of`."""
    random = stream(made.seed, f"programme/{one.id}")
    first, elapsed = STAGES.index(one.stage), one.elapsed(as_of)
    chances = draws.chances[one.classes]
    factor = np.array(priors.times(one.designations)) * draws.years * draws.shock[:, None]
    spread = float(priors.spread.value)
    here = _conditioned(chances[:, first], factor[:, first], elapsed, spread, made)
    chance = (here * chances[:, first + 1 :].prod(axis=1)).astype(np.float32)
    luck = random.random((made.outer, made.inner), dtype=np.float32)
    index = np.flatnonzero(luck < chance[:, None])
    draw = index // made.inner
    when = np.zeros(len(index), np.float32)
    for stage in range(first, len(STAGES)):
        # All runs draw their luck, whether they need it or not: changed chances leave the rest as it was.
        z = _luck(random, made)[index]
        if stage == 2 and one.pivotal_phase_2 and first < 2:
            continue
        mean = factor[draw, stage].astype(np.float32)
        when += (
            _left(z, mean, elapsed, spread, made) if stage == first and elapsed > 0 else _whole(z, mean, spread, made)
        )
    return index, when


def _luck(random: np.random.Generator, made: Assumptions) -> F32:
    if made.sojourn == "exponential":
        return random.standard_exponential(made.runs, dtype=np.float32)
    return random.standard_normal(made.runs, dtype=np.float32)


def _whole(z: F32, mean: F32, spread: float, made: Assumptions) -> F32:
    """The whole duration of a stage with this mean: lognormal `mean exp(s z - s^2 / 2)`, or exponential."""
    if made.sojourn == "exponential":
        return z * mean
    lasting: F32 = mean * np.exp(np.float32(spread) * z - np.float32(spread**2 / 2))
    return lasting


def _left(z: F32, mean: F32, elapsed: float, spread: float, made: Assumptions) -> F32:
    """What is left of a stage that has lasted `elapsed` years: the duration given that it is longer, less that time."""
    if made.sojourn == "exponential":
        return z * mean
    from scipy.special import log_ndtr, ndtri_exp

    centre = np.log(mean.astype(float)) - spread**2 / 2
    start = (np.log(elapsed) - centre) / spread
    # Upper tail in logarithms: P(Z > x) = P(Z > start) P(Z > z), exact where the tail is far smaller than one.
    tail = -ndtri_exp(log_ndtr(-start) + log_ndtr(-z.astype(float)))
    left: F32 = np.maximum(np.exp(centre + spread * tail) - elapsed, 0).astype(np.float32)
    return left


def _conditioned(chance: F64, mean: F64, elapsed: float, spread: float, made: Assumptions) -> F64:
    """The chance of the present stage given that it has neither succeeded nor failed by now (Bayes)."""
    if elapsed <= 0 or made.failure_time == 1:
        return chance
    success, failure = (_lasts(elapsed, mean * scale, spread, made) for scale in (1.0, made.failure_time))
    updated: F64 = chance * success / np.maximum(chance * success + (1 - chance) * failure, 1e-300)
    return updated


def _lasts(elapsed: float, mean: F64, spread: float, made: Assumptions) -> F64:
    from scipy.special import ndtr

    if made.sojourn == "exponential":
        return np.exp(-elapsed / mean)
    survival: F64 = ndtr(-(np.log(elapsed / mean) + spread**2 / 2) / spread)
    return survival


def _survivors(
    one: Programme, index: NDArray[np.intp], when: F32, made: Assumptions, sponsors: dict[str, F32]
) -> tuple[NDArray[np.intp], F32]:
    """Leave out runs in which the sponsor fails before approval and nobody carries the programme on."""
    if made.sponsor_failure <= 0:
        return index, when
    if one.sponsor not in sponsors:
        lasting = stream(made.seed, f"sponsor/{one.sponsor}").standard_exponential(made.runs, dtype=np.float32)
        sponsors[one.sponsor] = lasting / np.float32(made.sponsor_failure)
    rescued = stream(made.seed, f"rescue/{one.id}").random(made.runs, dtype=np.float32) < made.rescue
    kept = (when < sponsors[one.sponsor][index]) | rescued[index]
    return index[kept], when[kept]


def plain(runs: Runs) -> dict[str, Any]:
    """The settings of a run, for a record that lets anybody repeat it."""
    made = runs.assumptions
    return {
        "runs": made.runs, "outer": made.outer, "inner": made.inner, "seed": made.seed, "generator": "Philox",
        "horizon_years": made.horizon, "sojourn": made.sojourn, "shock": made.shock,
        "failure_time": made.failure_time, "sponsor_failure_per_year": made.sponsor_failure, "rescue": made.rescue,
        "as_of": runs.as_of.isoformat(),
    }  # fmt: skip
