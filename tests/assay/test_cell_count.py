"""Counts with their limits, and growth as R fits it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.assay.cell_count import (
    Counted,
    count_dispersion,
    exponential_growth,
    population_doublings,
    saturating_growth,
    viability,
    viable_density,
)


def test_viability_of_a_real_count() -> None:
    """124 of 274 cells, which the instrument printed as 45.1 %; exact limits as R binom.test(124, 274)."""
    found = viability([Counted(124, 274, 1.0)])
    assert found.value == pytest.approx(45.26, abs=0.005)
    assert (found.lower, found.upper) == pytest.approx((39.26, 51.36), abs=0.01)
    assert viability([Counted(10, 10, 1.0)]).upper == 100
    with pytest.raises(ValueError, match="not evaluable"):
        viability([Counted(0, 0, 1.0)])
    with pytest.raises(ValueError):
        Counted(5, 4, 1.0)


def test_density_and_its_limits() -> None:
    """100 cells in 1 uL at 1:2: exact Poisson limits of 100 are 81.36 and 121.63."""
    found = viable_density([Counted(100, 120, 1.0, 2.0)])
    assert found.value == pytest.approx(200_000)
    assert (found.lower, found.upper) == pytest.approx((162_730, 243_260), rel=1e-4)
    scattered = viable_density([Counted(60, 60, 0.5, 2.0), Counted(100, 100, 0.5, 2.0), Counted(140, 140, 0.5, 2.0)])
    assert count_dispersion([Counted(60, 60, 1), Counted(100, 100, 1), Counted(140, 140, 1)]) == pytest.approx(16)
    assert scattered.upper - scattered.value > 3.5 * np.sqrt(300) * 1.9 / 0.75 * 1000 * 0.9


@given(st.integers(0, 5000), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_limits_enclose_the_density(viable: int, dilution: int) -> None:
    found = viable_density([Counted(viable, viable + 7, 2.0, float(dilution))])
    assert found.lower <= found.value < found.upper
    assert found.value == pytest.approx(viable * dilution / 0.002)


def test_doublings() -> None:
    assert population_doublings(1e6, 8e6) == 3
    assert population_doublings(8e6, 1e6) == -3
    with pytest.raises(ValueError):
        population_doublings(0, 1)


def test_exponential_growth_with_its_doubling_time() -> None:
    days = np.array([0, 1, 2, 3, 4, 6])
    exact = exponential_growth(days, 1e6 * 2 ** (days / 1.5))
    assert exact.doubling_time is not None and exact.doubling_time.value == pytest.approx(1.5)
    noisy = exponential_growth(days, 1e6 * 2 ** (days / 1.5) * np.exp([0.05, -0.04, 0.06, -0.02, 0.01, -0.05]))
    assert noisy.doubling_time is not None
    assert noisy.doubling_time.lower < 1.5 < noisy.doubling_time.upper
    flat = exponential_growth(days, 1e6 * np.exp([0.05, -0.04, 0.06, -0.02, 0.01, -0.05]))
    assert flat.doubling_time is None


def test_growth_to_a_plateau_as_r_fits_it() -> None:
    """R nls with SSlogis: Orange, tree 1, and ChickWeight, chick 1 (reference manual of package stats)."""
    age, girth = [118, 484, 664, 1004, 1231, 1372, 1582], [30, 58, 87, 115, 120, 142, 145]
    # R stops at its own tolerance here: the sum of squares is flat, and ours is not greater.
    assert saturating_growth(age, girth).parameters == pytest.approx((154.15, 627.12, 362.5), rel=3e-4)
    days = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 21]
    weight = [42, 51, 59, 64, 76, 93, 106, 125, 149, 171, 199, 205]
    fit = saturating_growth(days, weight)
    assert fit.parameters == pytest.approx((937.03, 35.223, 11.405), rel=1e-4)
    assert fit.standard_errors == pytest.approx((465.86, 8.312, 0.9052), rel=1e-4)


def test_gompertz_growth_is_found_again() -> None:
    days = np.arange(0, 20, 1.5)
    fit = saturating_growth(days, 5e8 * np.exp(-6 * 0.7**days), "gompertz")
    assert fit.parameters == pytest.approx((5e8, 6, 0.7))
