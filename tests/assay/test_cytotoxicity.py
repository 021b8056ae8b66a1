"""Specific lysis with its error, and its curve over ratios of effectors to targets."""

import numpy as np
import pytest

from cellwright.assay.cytotoxicity import Lysis, difference, lysis_by_survival, lysis_curve, specific_lysis


def test_specific_lysis() -> None:
    """(1500 - 500) / (2500 - 500) = 50 %."""
    found = specific_lysis(10, [1450, 1550], [480, 520], [2400, 2600])
    assert found.percent == pytest.approx(50)
    # Means' variances 2500, 400 and 10000, weighted 1, 0.25 and 0.25, over 2000 squared.
    assert found.standard_error == pytest.approx(100 * np.sqrt(2500 + 100 + 2500) / 2000)
    with pytest.raises(ValueError, match="does not exceed"):
        specific_lysis(10, [1], [5], [4])


def test_surviving_fraction() -> None:
    """ARI-0001's rule at 1:1 asks for a surviving fraction below 70 %, that is lysis above 30 %."""
    found = lysis_by_survival(1, [0.6, 0.7], [1.0, 1.0])
    assert found.percent == pytest.approx(35)
    assert lysis_by_survival(1, [1.2], [1.0]).percent == pytest.approx(-20)


def test_the_error_of_lysis_is_that_of_repeated_experiments() -> None:
    """Simulated, 4,000 plates in triplicate."""
    random = np.random.default_rng(4)
    found = [specific_lysis(1, random.normal(1500, 60, 3), random.normal(500, 30, 3), random.normal(2500, 90, 3))
             for _plate in range(4000)]  # fmt: skip
    spread = float(np.std([one.percent for one in found]))
    assert np.sqrt(np.mean([one.standard_error**2 for one in found])) == pytest.approx(spread, rel=0.05)


def test_a_curve_over_ratios() -> None:
    ratios = [0.1, 0.3, 1, 3, 10, 30]
    points = [Lysis(ratio, 80 * ratio / (ratio + 2) + wobble, 2.0)
              for ratio, wobble in zip(ratios, (0.5, -0.4, 0.3, -0.6, 0.4, 0.1), strict=True)]  # fmt: skip
    found = lysis_curve(points, spontaneous_percent=12)
    assert found.half_maximal_ratio == pytest.approx(2, rel=0.1)
    assert all(check.outcome == "pass" for check in found.checks)
    assert 0 < found.area < 80
    leaking = lysis_curve(points, spontaneous_percent=45)
    assert [check.outcome for check in leaking.checks] == ["pass", "fail"]


def test_lysis_that_does_not_rise_is_said_so() -> None:
    flat = lysis_curve([Lysis(1, 20, 1), Lysis(3, 12, 1), Lysis(10, 5, 1)])
    assert flat.checks[0].outcome == "fail"
    assert flat.half_maximal_ratio is None


def test_the_difference_from_untransduced_cells() -> None:
    value, low, high = difference(Lysis(4, 70, 3), Lysis(4, 10, 4))
    assert (value, low, high) == pytest.approx((60, 60 - 9.8, 60 + 9.8), abs=0.01)
    with pytest.raises(ValueError, match="same ratio"):
        difference(Lysis(4, 70, 3), Lysis(1, 10, 4))
