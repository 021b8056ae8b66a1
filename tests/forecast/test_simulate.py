"""The forecast against exact answers: published rates, the Markov special case, the plain loop, dependence, sponsors."""

from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cellwright.factory.definition import ASSUMED
from cellwright.forecast import Assumptions, Programme, shipped_portfolio, shipped_priors, simulate
from cellwright.forecast.oracle import loop, markov
from cellwright.forecast.prior import STAGES
from cellwright.forecast.summary import exact, quantiles, split, when, when_approved

PRIORS = shipped_priors()
PORTFOLIO = shipped_portfolio()
DAY = date(2026, 1, 1)


def programme(name: str = "p", **more: object) -> Programme:
    return Programme(
        **{"id": name, "product": "x", "stage": "phase_1", "since": DAY, "sponsor": "s", "basis": ASSUMED} | more
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prior", "published", "places"),
    [("bio-2011-2020", 0.079, 3), ("biomedtracker-2014-2023", 0.067, 3), ("wong-2000-2015", 0.138, 3), ("china-2003-2019", 0.21, 2)],
)  # fmt: skip
def test_the_published_overall_rates_are_special_cases(prior: str, published: float, places: int) -> None:
    """7.9, 6.7, 13.8 and 21 %: BIO 2011-20, Biomedtracker 2014-23, Wong 2000-15, Wang (China) 2003-19."""
    assert round(exact(PRIORS, (programme(),), prior), places) == published
    made = Assumptions(outer=1, inner=100_000, mixture={prior: 1.0}, prior_spread=False, shock=0.0)
    chance = simulate(PRIORS, [programme()], DAY, made).tracks[0].chance
    assert chance == pytest.approx(published, abs=4 * (published / 100_000) ** 0.5 + 0.0005)


def test_a_prior_s_mean_survives_its_spread() -> None:
    """The mean of a product of independent Beta draws is the product of their means."""
    made = Assumptions(outer=40_000, inner=2, mixture={"bio-2011-2020": 1.0})
    found = simulate(PRIORS, [programme()], DAY, made).tracks[0].chance
    assert found == pytest.approx(0.0787, abs=0.004)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("horizon", [2, 8])
def test_exponential_stages_agree_with_the_markov_chain(stage: str, horizon: int) -> None:
    prior = PRIORS.get("bio-2011-2020")
    first = STAGES.index(stage)  # type: ignore[arg-type]
    expected = markov(PRIORS.chances(prior, ("all",))[first:], prior.years.values[first:], horizon)
    made = Assumptions(
        outer=1,
        inner=100_000,
        horizon=horizon,
        mixture={prior.id: 1.0},
        sojourn="exponential",
        prior_spread=False,
        shock=0.0,
    )
    runs = simulate(PRIORS, [programme(stage=stage, since=DAY - timedelta(days=400))], DAY, made)
    found = float(runs.yearly[:, horizon - 1].mean())
    assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 100_000) ** 0.5), "no memory either"


def test_the_plain_loop_says_the_same() -> None:
    prior = PRIORS.get("china-2003-2019")
    chances, years = PRIORS.chances(prior, ("all",)), prior.years.values
    slow = loop([chances] * 20, [years] * 20, 0.5, 10, 1500, seed=7)
    made = Assumptions(outer=1, inner=20_000, horizon=10, mixture={prior.id: 1.0}, prior_spread=False, shock=0.0)
    fast = simulate(PRIORS, [programme(f"p{n}") for n in range(20)], DAY, made).yearly[:, 9]
    assert fmean(slow) == pytest.approx(fast.mean(), abs=4 * fast.std() / 1500**0.5)


def test_a_programme_waits_for_the_one_it_depends_on() -> None:
    first = programme("a", stage="phase_2")
    second = programme("b", depends_on="a", stage="review")
    free = programme("b", stage="review")
    made = Assumptions(outer=200, inner=50)
    bound = simulate(PRIORS, [second, first], DAY, made)
    loose = simulate(PRIORS, [free, first], DAY, made)
    a, b = bound.tracks[1], bound.tracks[0]
    assert b.chance < a.chance < loose.tracks[0].chance
    assert a.chance == loose.tracks[1].chance, "the same luck for a in both"
    assert b.chance == pytest.approx(a.chance * loose.tracks[0].chance, rel=0.1)
    median = when_approved(b, bound), when_approved(a, bound)
    assert median[0] is not None and median[1] is not None
    assert median[0]["50%"] >= median[1]["50%"]
    assert "aT19/B-ALL" in [one.id for one in PORTFOLIO.programmes if one.depends_on == "CAR-T-19/B-ALL"]


def test_luck_is_common_whatever_else_is_in_the_portfolio() -> None:
    made = Assumptions(outer=50, inner=20)
    alone = simulate(PRIORS, [programme("a")], DAY, made)
    among = simulate(PRIORS, [programme("b"), programme("a"), programme("c")], DAY, made)
    assert np.array_equal(alone.tracks[0].months, among.tracks[1].months)
    again = simulate(PRIORS, [programme("a")], DAY, made)
    assert np.array_equal(again.yearly, alone.yearly), "the seed repeats a run"


def test_time_in_stage_shortens_what_is_left_but_tells_of_the_chance_only_if_failures_are_quicker() -> None:
    made = Assumptions(outer=100, inner=100)
    fresh = simulate(PRIORS, [programme()], DAY, made)
    waited = simulate(PRIORS, [programme(since=DAY - timedelta(days=900))], DAY, made)
    assert waited.tracks[0].chance == fresh.tracks[0].chance
    early, late = when_approved(waited.tracks[0], waited), when_approved(fresh.tracks[0], fresh)
    assert early is not None and late is not None
    assert early["50%"] < late["50%"]
    quick = Assumptions(outer=100, inner=100, failure_time=0.6)
    assert (
        simulate(PRIORS, [programme(since=DAY - timedelta(days=900))], DAY, quick).tracks[0].chance
        > fresh.tracks[0].chance
    )


def test_even_an_absurd_wait_gives_a_finite_answer() -> None:
    runs = simulate(PRIORS, [programme(stage="review", since=date(1990, 1, 1))], DAY, Assumptions(outer=20, inner=50))
    assert 0.8 < runs.tracks[0].chance < 1
    assert int(runs.tracks[0].months.sum()) == round(runs.tracks[0].chance * 1000)


def test_designations_change_time_and_not_the_chance() -> None:
    made = Assumptions(outer=100, inner=100)
    plain = simulate(PRIORS, [programme(stage="review")], DAY, made)
    quick = simulate(PRIORS, [programme(stage="review", designations=("priority_review",))], DAY, made)
    assert plain.tracks[0].chance == quick.tracks[0].chance
    a, b = when(plain.tracks[0], plain, 0.5), when(quick.tracks[0], quick, 0.5)
    assert a is not None and b is not None and b < a
    with pytest.raises(KeyError):
        simulate(PRIORS, [programme(designations=("blessed",))], DAY, made)


def test_a_sponsor_s_failure_strikes_all_its_programmes_together() -> None:
    calm = Assumptions(outer=100, inner=100)
    hard = Assumptions(outer=100, inner=100, sponsor_failure=0.2, rescue=0.0)
    both = [programme("a"), programme("b")]
    apart = [programme("a"), programme("b", sponsor="t")]
    quiet = simulate(PRIORS, both, DAY, calm).yearly[:, -1]
    together = simulate(PRIORS, both, DAY, hard).yearly[:, -1]
    separate = simulate(PRIORS, apart, DAY, hard).yearly[:, -1]
    assert together.mean() < quiet.mean()
    assert (together == 2).mean() > (separate == 2).mean()


def test_what_was_observed_updates_the_chance() -> None:
    seen = Assumptions(outer=200, inner=50, observed={("all", "phase_1"): (300, 0)})
    none = Assumptions(outer=200, inner=50)
    assert (
        simulate(PRIORS, [programme()], DAY, seen).tracks[0].chance
        > simulate(PRIORS, [programme()], DAY, none).tracks[0].chance
    )


def test_the_cluster_s_106_under_each_prior_and_the_mixture() -> None:
    """Expected approvals ever, as read by hand: 8.3 (7.9 %), 7.1 (6.7 %), 14.6 (13.8 %), 22 (21 %)."""
    cohort = PORTFOLIO.cohort.programmes()
    assert len(cohort) == 106
    means = {prior.id: exact(PRIORS, cohort, prior.id) for prior in PRIORS.priors}
    assert [round(means[p.id], 1) for p in PRIORS.priors] == [22.3, 8.3, 7.1, 14.6]
    mixture = sum(PRIORS.weights()[name] * mean for name, mean in means.items())
    runs = simulate(PRIORS, cohort, PORTFOLIO.cohort.as_of, Assumptions(outer=500, inner=20, horizon=40))
    parts = split(runs.yearly[:, -1], 500)
    assert parts.mean == pytest.approx(mixture, rel=0.03)
    assert parts.prior > 2 * parts.chance, "the prior dominates"
    assert parts.total == pytest.approx(float(runs.yearly[:, -1].var()), rel=0.02)
    band = quantiles(runs.yearly[:, -1])
    assert band["5%"] < parts.mean < band["95%"]


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 2**31))
def test_the_two_parts_make_the_whole(outer: int, inner: int, seed: int) -> None:
    """Sums of squares add up exactly: SST = SSB + SSW."""
    counts = np.random.default_rng(seed).integers(0, 50, outer * inner).astype(np.int32)
    parts = split(counts, outer)
    table = counts.reshape(outer, inner)
    total = ((table - table.mean()) ** 2).sum()
    between = inner * ((table.mean(axis=1) - table.mean()) ** 2).sum()
    assert parts.chance * outer * (inner - 1) + between == pytest.approx(total)
    assert parts.prior == pytest.approx(max((between / (outer - 1) - parts.chance) / inner, 0))


@pytest.mark.parametrize(
    "wrong", [{"outer": 0}, {"shock": -1.0}, {"rescue": 2.0}, {"failure_time": 0.0}, {"sponsor_failure": -0.1}]
)
def test_assumptions_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"range|least"):
        Assumptions(**wrong)  # type: ignore[arg-type]


def test_rings_and_empty_mixtures_are_refused() -> None:
    with pytest.raises(ValueError, match="ring"):
        simulate(PRIORS, [programme("a", depends_on="b"), programme("b", depends_on="a")], DAY)
    with pytest.raises(ValueError, match="weight"):
        simulate(PRIORS, [programme()], DAY, Assumptions(outer=2, inner=2, mixture={"nobody": 1.0}))


def test_what_is_remembered_is_marked() -> None:
    bio = PRIORS.get("bio-2011-2020")
    assert bio.stages_basis is not None
    assert (bio.stages_basis.standing, bio.years_basis.standing) == ("unverified", "unverified")
    assert PRIORS.weights_basis.standing == PRIORS.spread.basis.standing == "assumption"
    assert PORTFOLIO.cohort.basis.standing == "assumption"
    flawed = replace(PRIORS, priors=(replace(bio, shape_of="bio-2011-2020"), replace(bio, weight=Decimal(2))))
    assert len(list(flawed.check())) >= 3


@pytest.mark.parametrize("years", [0.5, 1.2, 3.0])
def test_a_stage_under_way_is_the_lognormal_given_that_it_lasts(years: float) -> None:
    """P(done within a year | lasted t) = p (F(t + 1) - F(t)) / (1 - F(t)), with F the lognormal of mean 1.3 and spread 0.5."""
    from scipy.stats import lognorm

    made = Assumptions(outer=1, inner=200_000, horizon=1, mixture={"bio-2011-2020": 1.0}, prior_spread=False, shock=0.0)
    since = DAY - timedelta(days=round(years * 365.25))
    one = programme(stage="review", since=since)
    spent = one.elapsed(DAY)
    law = lognorm(0.5, scale=1.3 * np.exp(-0.125))
    expected = 0.906 * (law.cdf(spent + 1) - law.cdf(spent)) / law.sf(spent)
    found = float(simulate(PRIORS, [one], DAY, made).yearly[:, 0].mean())
    assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 200_000) ** 0.5)


def test_an_observation_moves_the_mean_as_bayes_says() -> None:
    """Beta(0.906 x 150 + 30, 0.094 x 150 + 10) has the mean (135.9 + 30) / 190."""
    made = Assumptions(
        outer=1, inner=200_000, mixture={"bio-2011-2020": 1.0}, prior_spread=False, shock=0.0,
        observed={("all", "review"): (30, 10)},
    )  # fmt: skip
    found = simulate(PRIORS, [programme(stage="review")], DAY, made).tracks[0].chance
    assert found == pytest.approx((0.906 * 150 + 30) / 190, abs=0.004)


def test_waiting_updates_the_chance_as_bayes_says() -> None:
    """With exponential stages of mean m to success and f m to failure: p e^(-t/m) / (p e^(-t/m) + (1-p) e^(-t/(f m)))."""
    made = Assumptions(
        outer=1, inner=200_000, mixture={"bio-2011-2020": 1.0}, sojourn="exponential", prior_spread=False, shock=0.0,
        failure_time=0.5,
    )  # fmt: skip
    one = programme(stage="review", since=DAY - timedelta(days=365))
    lasted = one.elapsed(DAY)
    success, failure = 0.906 * np.exp(-lasted / 1.3), 0.094 * np.exp(-lasted / 0.65)
    found = simulate(PRIORS, [one], DAY, made).tracks[0].chance
    assert found == pytest.approx(success / (success + failure), abs=0.003)
