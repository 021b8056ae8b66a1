"""Intervals against published tables, independent formulas, and what they must hold for every count."""

from decimal import Decimal
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cellwright.cytometry.interval import Beads, Interval, concentration, figure, proportion, ratio


@pytest.mark.parametrize(
    ("events", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),  # the rule 1 - 0.025^(1/10)
        (10, 10, 0.6915, 1.0),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
    ],
)
def test_known_exact_limits_of_ten(events: int, of: int, low: float, high: float) -> None:
    """Clopper-Pearson 95 % limits for n = 10, as printed in statistical tables (for example Geigy, p. 85)."""
    found = proportion(events, of)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(1, 10_000), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
@settings(max_examples=100, deadline=None)
def test_an_exact_interval_leaves_exactly_the_tails(of: int, data: st.DataObject, confidence: float) -> None:
    """At each bound the counted number, or more extreme, has the probability of one tail (the definition)."""
    events = data.draw(st.integers(0, of))
    found = proportion(events, of, confidence)
    assert found.low <= events / of <= found.high
    tail = (1 - confidence) / 2
    if events:
        assert stats.binom.sf(events - 1, of, found.low) == pytest.approx(tail, rel=1e-6)
    if events < of:
        assert stats.binom.cdf(events, of, found.high) == pytest.approx(tail, rel=1e-6)


def test_it_is_the_interval_of_scipy() -> None:
    expected = stats.binomtest(37, 20_000).proportion_ci(0.95, "exact")
    found = proportion(37, 20_000)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize(("events", "of"), [(-1, 5), (6, 5), (0, 0)])
def test_what_is_no_fraction_is_refused(events: int, of: int) -> None:
    with pytest.raises(ValueError, match="no fraction"):
        proportion(events, of)


def test_a_ratio_turns_over_with_its_counts() -> None:
    there, back = ratio(120, 60), ratio(60, 120)
    assert there.low == pytest.approx(1 / back.high)
    assert there.high == pytest.approx(1 / back.low)
    assert there.low < 2 < there.high


def test_a_ratio_to_nothing_has_no_upper_bound() -> None:
    assert ratio(5, 0).high == inf
    assert figure(Fraction(5), ratio(5, 0)).high == ""


def test_beads_give_cells_per_microlitre() -> None:
    """1,000 cells beside 5,000 of 50,000 beads in 50 uL, diluted 1:10: 1000/5000 x 50000/50 x 10 = 2,000 per uL."""
    known = Beads(added=Decimal(50_000), sample_ul=Decimal(50), dilution=Decimal(10))
    assert Fraction(1000, 5000) * known.per_event() == 2000
    found = concentration(1000, 5000, known)
    assert found.low < 2000 < found.high
    relative = (found.high - found.low) / 2 / 2000
    assert relative == pytest.approx(1.96 * (1 / 1000 + 1 / 5000) ** 0.5, rel=0.02), "Poisson errors of both counts"


def test_the_beads_own_uncertainty_widens_the_interval_as_independent_errors_do() -> None:
    plain = Beads(added=Decimal(50_000), sample_ul=Decimal(50))
    known = Beads(added=Decimal(50_000), sample_ul=Decimal(50), uncertainty_percent=Decimal(10))
    narrow, wide = concentration(400, 5000, plain), concentration(400, 5000, known)
    half = [(i.high / i.low) ** 0.5 - 1 for i in (narrow, wide)]
    assert half[1] == pytest.approx((half[0] ** 2 + 0.10**2) ** 0.5, rel=0.05)
    assert concentration(0, 5000, known).low == 0


@pytest.mark.parametrize(
    "change", [{"added": Decimal(0)}, {"dilution": Decimal("0.5")}, {"uncertainty_percent": Decimal(100)}]
)
def test_impossible_beads_are_refused(change: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match="beads"):
        Beads(**{"added": Decimal(1), "sample_ul": Decimal(1), **change})


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 4))
@settings(max_examples=100, deadline=None)
def test_print_never_claims_more_than_was_computed(events: int, more: int, decimals: int) -> None:
    of = events + more
    interval = proportion(events, of)
    shown = figure(Fraction(events, of), interval, scale=100, decimals=decimals)
    assert Fraction(shown.low) <= Fraction(interval.low) * 100
    assert Fraction(shown.high) >= Fraction(interval.high) * 100
    assert abs(Fraction(shown.value) - Fraction(100 * events, of)) <= Fraction(1, 2 * 10**decimals)


def test_half_is_rounded_to_even() -> None:
    assert figure(Fraction(125, 1000), Interval(0, 1), decimals=2).value == "0.12"
    assert figure(Fraction(135, 1000), Interval(0, 1), decimals=2).value == "0.14"
