"""Endotoxin: the rules of the kinetic method, and the verdict over all bags (simulated readings)."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.assay.endotoxin import (
    Bag,
    Limits,
    Readings,
    Weight,
    archived_curve,
    judge,
    kinetic_curve,
    maximum_valid_dilution,
    measure,
)
from cellwright.assay.endotoxin.kinetic import CurveError, KineticCurve, endotoxin_limit

STANDARDS = np.repeat([0.005, 0.05, 0.5, 5.0], 2)
DAY = date(2026, 3, 2)


def curve(noise: float = 0.0) -> KineticCurve:
    """log10 onset = 2.8 - 0.25 log10 concentration."""
    errors = np.random.default_rng(1).normal(0, noise, STANDARDS.size)
    return kinetic_curve(STANDARDS, 10 ** (2.8 - 0.25 * np.log10(STANDARDS) + errors))


def readings(sample: float | None, spiked: float | None, dilution: float = 10.0) -> Readings:
    """Wells that hold these concentrations (EU/mL), beside silent negative controls."""
    line = curve()
    one = None if sample is None else line.onset(sample)
    two = None if spiked is None else line.onset(spiked)
    return Readings((one, one), (two, two), (None, None), 0.5, dilution)


def failed(found: object) -> list[str]:
    return [check.rule for check in found.checks if check.outcome != "pass"]  # type: ignore[attr-defined]


def test_the_curve_and_a_sample_on_it() -> None:
    line = curve()
    assert (line.slope, line.intercept, line.correlation) == pytest.approx((-0.25, 2.8, -1.0))
    assert (line.lowest, line.highest) == pytest.approx((0.005, 5.0))
    found = measure(line, readings(0.04, 0.54), limit_eu_per_ml=5)
    assert found.valid and (found.value, found.censored) == (pytest.approx(0.4), "")
    assert found.recovery == pytest.approx(100)


@pytest.mark.parametrize(
    ("sample", "spiked", "dilution", "rules"),
    [
        (0.04, 0.54, 10, []),
        (0.04, 0.04 + 0.25 * 1.001, 10, []),
        (0.04, 0.04 + 0.25 * 0.99, 10, ["spike recovery"]),
        (0.04, 0.04 + 1.01, 10, ["spike recovery"]),
        (0.04, None, 10, ["spike recovery"]),
        (0.04, 0.54, 1000, []),
        (0.04, 0.54, 1001, ["maximum valid dilution"]),
    ],
)
def test_spike_and_dilution(sample: float, spiked: float | None, dilution: float, rules: list[str]) -> None:
    assert failed(measure(curve(), readings(sample, spiked, dilution), limit_eu_per_ml=5)) == rules


def test_a_poor_curve_and_a_reacting_negative_control_are_invalid() -> None:
    assert failed(measure(curve(0.15), readings(0.04, 0.54), limit_eu_per_ml=5))[0] == "correlation"
    line = curve()
    fast = Readings((line.onset(0.04),) * 2, (line.onset(0.54),) * 2, (line.onset(0.006),), 0.5, 10)
    assert failed(measure(line, fast, limit_eu_per_ml=5)) == ["negative control"]
    none = Readings(fast.sample, fast.spiked, (), 0.5, 10)
    assert failed(measure(line, none, limit_eu_per_ml=5)) == ["negative control"]
    single = Readings(fast.sample[:1], fast.spiked, (None,), 0.5, 10)
    assert failed(measure(line, single, limit_eu_per_ml=5)) == ["replicates"]
    apart = Readings((line.onset(0.02), line.onset(2.0)), fast.spiked, (None,), 0.5, 10)
    assert "variation of sample" in failed(measure(line, apart, limit_eu_per_ml=5, most_variation=25))


def test_beyond_the_standards_there_is_a_bound() -> None:
    low = measure(curve(), readings(0.001, 0.5), limit_eu_per_ml=5)
    assert (low.value, low.censored) == (pytest.approx(0.05), "<")
    silent = measure(curve(), readings(None, 0.5), limit_eu_per_ml=5)
    assert (silent.value, silent.censored) == (pytest.approx(0.05), "<")
    high = measure(curve(), readings(50.0, 50.5), limit_eu_per_ml=5)
    assert (high.value, high.censored) == (pytest.approx(50.0), ">")


def test_a_cartridge_with_its_archived_curve() -> None:
    archived = archived_curve(-0.25, 2.8, -0.999, (0.005, 0.5), "C1234", DAY)
    wells = Readings((archived.onset(0.04),) * 2, (archived.onset(0.10),) * 2, (), 0.06, 10)
    assert measure(archived, wells, limit_eu_per_ml=5, today=DAY).valid
    late = measure(archived, wells, limit_eu_per_ml=5, today=DAY + timedelta(days=1))
    assert failed(late) == ["archived curve"]
    assert failed(measure(archived, wells, limit_eu_per_ml=5)) == ["archived curve"]
    with pytest.raises(CurveError):
        archived_curve(0.25, 2.8, 0.999, (0.005, 0.5), "C1234", DAY)


def test_limit_and_dilution_of_the_pharmacopoeia() -> None:
    """USP <85>: K/M, and limit over lambda: 5 EU/kg/h given 10 mL/kg/h is 0.5 EU/mL; with lambda 0.005, 1 in 100."""
    assert endotoxin_limit(5, 10) == 0.5
    assert maximum_valid_dilution(0.5, 0.005) == pytest.approx(100)


def bag(volume: str, endotoxin: str, censored: str = "", start: str = "0", lasts: str = "0") -> Bag:
    return Bag("B1", Decimal(volume), Decimal(endotoxin), censored, Decimal(start), Decimal(lasts))  # type: ignore[arg-type]


def weighing(kg: str, days: int = 0) -> Weight:
    return Weight(Decimal(kg), DAY - timedelta(days=days))


@pytest.mark.requirement("R104")
def test_worked_examples_of_the_requirements() -> None:
    """Requirements 3.7: 0.5 EU/mL x 68 mL / 70 kg passes; <3.5 EU/mL x 50 mL / 12 kg is 14.6 EU/kg."""
    limits = Limits(per_ml=Decimal("3.5"))
    adult = judge([bag("68", "0.5")], weighing("70"), limits, DAY)
    assert adult.outcome == "complies" and adult.per_kg_hour == pytest.approx(Decimal("0.4857"), abs=Decimal("0.0001"))
    child = judge([bag("50", "3.5", "<")], weighing("12"), limits, DAY)
    assert child.per_ml_outcome == "complies"
    assert child.per_kg_hour == pytest.approx(Decimal("14.58"), abs=Decimal("0.01"))
    # A bound never proves a failure (D17): insufficient sensitivity, to be repeated, and it blocks.
    assert child.outcome == "not shown to comply"
    assert judge([bag("50", "3.5")], weighing("12"), limits, DAY).outcome == "does not comply"


def test_bounds_of_one_bag_do_not_hide_what_another_surely_holds() -> None:
    limits = Limits(per_ml=None)
    sure = judge([bag("50", "2"), bag("50", "1", "<")], weighing("12"), limits, DAY)
    assert sure.outcome == "does not comply"
    unsure = judge([bag("50", "1"), bag("50", "1", "<")], weighing("12"), limits, DAY)
    assert unsure.outcome == "not shown to comply"
    above = judge([bag("10", "1", ">")], weighing("70"), limits, DAY)
    assert above.outcome == "not shown to comply"
    assert judge([bag("10", "40", ">")], weighing("70"), limits, DAY).outcome == "does not comply"


def test_the_worst_hour_decides_over_all_bags() -> None:
    limits, weight = Limits(per_ml=None), weighing("10")
    together = [bag("25", "1.2"), bag("25", "1.2", start="0.5")]
    assert judge(together, weight, limits, DAY).outcome == "does not comply"
    apart = [bag("25", "1.2"), bag("25", "1.2", start="1.5")]
    assert judge(apart, weight, limits, DAY).outcome == "complies"
    slowly = [bag("50", "1.2", lasts="2")]
    found = judge(slowly, weight, limits, DAY)
    assert (found.outcome, found.per_kg_hour) == ("complies", Decimal(3))


def test_a_weight_has_a_date() -> None:
    limits = Limits(per_ml=Decimal("3.5"))
    assert judge([bag("50", "0.1")], weighing("12", 31), limits, DAY).outcome == "not evaluable"
    assert judge([bag("50", "0.1")], weighing("12", -1), limits, DAY).outcome == "not evaluable"
    assert judge([bag("50", "0.1")], None, limits, DAY).per_kg_hour is None
    assert judge([bag("50", "0.1")], weighing("12", 30), limits, DAY).outcome == "complies"


def test_at_the_limit() -> None:
    exactly = [bag("1", "50")]
    assert judge(exactly, weighing("10"), Limits(per_ml=None), DAY).outcome == "complies"
    assert judge(exactly, weighing("10"), Limits(per_ml=None, inclusive=False), DAY).outcome == "does not comply"
    with pytest.raises(ValueError):
        judge([], None, Limits(per_ml=None), DAY)


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 9)), min_size=1, max_size=5),
    st.integers(0, 40),
)
@settings(deadline=None, max_examples=80)
def test_no_hour_holds_more_than_the_worst(bags: list[tuple[int, int, int]], begin: int) -> None:
    made = [bag(str(amount), "1", start=str(Decimal(start) / 4), lasts=str(Decimal(lasts) / 4))
            for start, lasts, amount in bags]  # fmt: skip
    worst = judge(made, weighing("1"), Limits(per_ml=None), DAY).per_kg_hour
    hour = (Decimal(begin) / 10, Decimal(begin) / 10 + 1)
    inside = Decimal(0)
    for one in made:
        end = one.starts_h + one.lasts_h
        if one.lasts_h == 0:
            inside += one.volume_ml if hour[0] <= one.starts_h <= hour[1] else 0
        else:
            inside += one.volume_ml * max(Decimal(0), min(end, hour[1]) - max(one.starts_h, hour[0])) / one.lasts_h
    assert worst is not None and inside <= worst + Decimal("1e-20")
