"""ELISA by its standards, ELISpot by its control, cytokine by the cell."""

import numpy as np
import pytest

from cellwright.assay.immunoassay import calibrate, concentration, femtograms_per_cell, spots

DOSE = np.repeat([0.04882812, 0.1953125, 0.390625, 0.78125, 1.5625, 3.125, 6.25, 12.5], 2)
DENSITY = [0.017, 0.018, 0.121, 0.124, 0.206, 0.215, 0.377, 0.374, 0.614, 0.609, 1.019, 1.001, 1.334, 1.364, 1.73, 1.71]


def test_a_real_elisa_calculates_its_standards_back() -> None:
    """R datasets::DNase, run 1. The lowest standard is not recovered, so quantification starts above it."""
    found = calibrate(DOSE, DENSITY)
    assert all(check.outcome == "pass" for check in found.checks)
    recovered = dict(found.recovered)
    inside = [level for level, percent in recovered.items() if percent is not None and abs(percent - 100) <= 20]
    assert found.highest == 12.5 and len(inside) >= 7
    assert found.lowest in {0.04882812, 0.1953125}


def test_samples_on_the_curve_and_beyond() -> None:
    plate = calibrate(DOSE, DENSITY)
    one = concentration(plate, [0.60, 0.62], dilution=50)
    assert one.censored == "" and one.lower is not None and one.upper is not None
    assert one.lower < one.value < one.upper
    assert one.value == pytest.approx(50 * 1.5, rel=0.05)
    assert one.variation == pytest.approx(2.318, abs=0.001)
    high = concentration(plate, [1.95, 1.97], dilution=10)
    assert (high.value, high.censored) == (125.0, ">")
    low = concentration(plate, [0.002], dilution=10)
    assert low.censored == "<" and low.value == pytest.approx(plate.lowest * 10) and low.variation is None


def test_a_falling_competitive_curve() -> None:
    dose = np.repeat(np.geomspace(0.1, 100, 8), 2)
    plate = calibrate(dose, 2 - 1.9 * dose / (dose + 4) + np.tile([0.005, -0.005], 8))
    assert concentration(plate, [1.99]).censored == "<"
    assert concentration(plate, [0.1]).censored == ">"
    assert concentration(plate, [2 - 1.9 * 0.5]).value == pytest.approx(4, rel=0.02)


def test_standards_out_of_their_bias_make_the_plate_invalid() -> None:
    # An edge effect that lifts two levels: one misfit more than a quarter of the standards may be.
    wrong = np.array(DENSITY)
    wrong[4:6] *= 2.2
    wrong[8:10] *= 0.5
    found = calibrate(DOSE, wrong)
    assert found.checks[0].outcome == "fail"


def test_secretion_per_cell() -> None:
    """50 pg/mL in 0.2 mL from 50,000 transduced cells: 0.2 fg each... 10 pg / 5e4 = 0.2 fg."""
    assert femtograms_per_cell(50, 0.2, 5e4) == pytest.approx(0.2)
    with pytest.raises(ValueError):
        femtograms_per_cell(50, 0.2, 0)


def test_spots_above_their_control() -> None:
    found = spots([82, 95, 90], [5, 7, 3], 2e5)
    assert all(check.outcome == "pass" for check in found.checks)
    assert found.per_million == pytest.approx((89 - 5) * 5)
    assert found.lower < found.per_million < found.upper
    assert found.stimulation_index == pytest.approx(89 / 5)
    assert found.p < 1e-6


@pytest.mark.parametrize(
    ("stimulated", "control", "failed"),
    [
        ([6, 7, 5], [5, 7, 3], ["response"]),
        ([200, 210, 190], [90, 80, 100], ["control"]),
        ([1200, 1100, 1150], [5, 7, 3], ["countable"]),
        ([0, 0, 0], [0, 0, 0], ["response"]),
    ],
)
def test_wells_that_show_no_response(stimulated: list[int], control: list[int], failed: list[str]) -> None:
    assert [check.rule for check in spots(stimulated, control, 2e5).checks if check.outcome != "pass"] == failed
