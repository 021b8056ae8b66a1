"""Scores: worked by hand, proper, and the back-test that goes with the program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.forecast import shipped_priors
from cellwright.forecast.score import back_test, brier, crps, shipped_back_test


def test_brier_by_hand() -> None:
    assert brier(0.7, True) == pytest.approx(0.09)
    assert brier(0.7, False) == pytest.approx(0.49)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=30), st.floats(-50, 50))
def test_crps_is_its_definition(sample: list[float], observed: float) -> None:
    x = np.array(sample)
    defined = np.abs(x - observed).mean() - np.abs(x[:, None] - x[None, :]).mean() / 2
    assert crps(x, observed) == pytest.approx(defined, abs=1e-9)
    assert crps(np.array([observed]), observed) == 0


def test_crps_of_a_normal_sample_is_the_closed_form() -> None:
    """Standard normal, observed 0: (sqrt 2 - 1) / sqrt pi = 0.2337 (Gneiting and Raftery 2007, equation 5)."""
    sample = np.random.default_rng(1).standard_normal(100_000)
    assert crps(sample, 0.0) == pytest.approx((2**0.5 - 1) / np.pi**0.5, abs=0.004)


def test_the_honest_forecast_scores_best_on_average() -> None:
    happened = np.random.default_rng(2).random(20_000) < 0.3
    losses = {said: np.mean([brier(said, bool(one)) for one in happened]) for said in (0.1, 0.3, 0.5)}
    assert min(losses, key=losses.__getitem__) == 0.3


def test_the_shipped_back_test_is_scored_with_its_caution() -> None:
    test = shipped_back_test()
    scored = back_test(shipped_priors(), test.cases)
    assert len(scored) == len(test.cases) == 5
    assert all(0 < one.chance < 1 and 0 <= one.brier <= 1 and one.crps >= 0 for one in scored)
    assert "survivors" in test.caution.en
    assert scored == back_test(shipped_priors(), test.cases), "the seed repeats it"


def test_an_empty_sample_has_no_score() -> None:
    with pytest.raises(ValueError, match="sample"):
        crps(np.array([]), 0.0)
