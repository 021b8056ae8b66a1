"""Fits reach what NIST certifies and what R prints; the batch finds what single fits find."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.assay.fit import Bounds, CurveError, fit_curve, fit_many, inverse, least_squares
from cellwright.assay.fit.least_squares import complex_step
from cellwright.assay.fit.logistic import gradient, response

# R datasets::DNase, run 1: an ELISA of recombinant DNase in rat serum, concentration (ng/mL) in duplicate.
DNASE_DOSE = np.repeat([0.04882812, 0.1953125, 0.390625, 0.78125, 1.5625, 3.125, 6.25, 12.5], 2)
DNASE = [0.017, 0.018, 0.121, 0.124, 0.206, 0.215, 0.377, 0.374, 0.614, 0.609, 1.019, 1.001, 1.334, 1.364, 1.730, 1.710]
# Inderjit et al. 2002, ferulic acid (mM) on ryegrass roots (cm), as in R drc::ryegrass.
RYEGRASS_DOSE = np.repeat([0, 0.94, 1.88, 3.75, 7.5, 15, 30], [6, 3, 3, 3, 3, 3, 3])
RYEGRASS = [
    7.58, 8.0, 8.3285714, 7.25, 7.375, 7.9625, 8.3555556, 6.9142857, 7.75, 6.8714286, 6.45, 5.9222222,
    1.925, 2.8857143, 4.2333333, 1.1875, 0.8571429, 1.0571429, 0.6875, 0.525, 0.825, 0.25, 0.22, 0.44,
]  # fmt: skip


def _module(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


nist = _module("nist")


@pytest.fixture(scope="module")
def nist_files(samples: Path) -> Path:
    return samples / "lmfit" / "NIST_STRD"


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", sorted(nist.MODELS))
def test_nist_certified_values(nist_files: Path, name: str, start: int) -> None:
    problem = nist.read(nist_files / f"{name}.dat")
    fit = least_squares(problem.model(), problem.response, problem.starts[start])
    assert fit.converged
    assert nist.digits(fit.parameters, problem.parameters) >= 9
    if name == "Lanczos1":
        # Data generated to 14 digits: residuals are of the size of rounding. What does not depend on them is exact.
        scale = np.asarray(fit.standard_errors) / fit.residual_standard_deviation
        certified = problem.standard_errors / problem.residual_standard_deviation
        assert fit.residual_standard_deviation < 1e-12
        assert nist.digits(scale, certified) >= 6
    else:
        assert nist.digits(fit.standard_errors, problem.standard_errors) >= 8
        assert nist.digits(np.array([fit.residual_sum_of_squares]), problem.residual_sum_of_squares) >= 8


def test_the_elisa_of_dnase_as_r_prints_it() -> None:
    """R nls(density ~ SSfpl(log(conc), A, B, xmid, scal), DNase, subset = Run == 1)."""
    curve = fit_curve(DNASE_DOSE, DNASE)
    assert curve.zero_dose == pytest.approx(-0.00790, abs=5e-6)
    assert curve.infinite_dose == pytest.approx(2.37724, abs=5e-6)
    assert np.log(curve.centre) == pytest.approx(1.50740, abs=5e-6)
    assert 1 / curve.slope == pytest.approx(1.06258, abs=5e-6)
    assert curve.fit.standard_errors[:2] == pytest.approx((0.01720, 0.10952), abs=5e-6)
    assert curve.fit.standard_errors[3] == pytest.approx(0.10208, abs=5e-6)
    assert curve.standard_errors[2] / curve.slope**2 == pytest.approx(0.05700, abs=5e-6)
    assert curve.fit.residual_standard_deviation == pytest.approx(0.01981, abs=5e-6)
    assert curve.fit.degrees_of_freedom == 12


def test_ryegrass_as_drc_prints_it() -> None:
    curve = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    found = (curve.slope, curve.infinite_dose, curve.zero_dose, curve.centre)
    # drc stops early (a relative 1e-6): its last printed digits are its own.
    assert found == pytest.approx((2.98222, 0.48141, 7.79296, 3.05795), rel=5e-6)
    assert curve.fit.residual_standard_deviation == pytest.approx(0.519626, abs=1e-6)
    assert curve.ec50 == curve.centre
    five = fit_curve(RYEGRASS_DOSE, RYEGRASS, parameters=5)
    assert five.fit.residual_sum_of_squares < curve.fit.residual_sum_of_squares
    assert five.response([five.ec50])[0] == pytest.approx((five.zero_dose + five.infinite_dose) / 2)


def test_constraints_hold_and_count_as_known() -> None:
    curve = fit_curve(DNASE_DOSE, DNASE, hold={"zero_dose": 0.0})
    assert (curve.zero_dose, curve.standard_errors[0], curve.fit.degrees_of_freedom) == (0.0, 0.0, 13)
    bounded = least_squares(lambda b: b[0] + b[1] * np.arange(5.0), [0, 1, 2, 3, 4], [0, 0.2],
                            bounds=Bounds((0.5, 0.0), (2.0, 9.0)))  # fmt: skip
    assert bounded.at_bound == (True, False)
    assert bounded.parameters == pytest.approx((0.5, 25 / 30))


def test_a_constant_coefficient_of_variation_weighs_the_low_responses() -> None:
    dose = np.repeat(np.geomspace(0.1, 100, 8), 3)
    mean = 0.05 + 2 * dose / (dose + 5)
    noise = np.random.default_rng(7).normal(0, 0.05, dose.size)
    curve = fit_curve(dose, mean * (1 + noise), variance_power=2)
    assert curve.fit.residual_standard_deviation == pytest.approx(0.05, rel=0.4)
    fitted = curve.response(dose)
    again = fit_curve(dose, mean * (1 + noise), weights=fitted**-2.0)
    assert again.centre == pytest.approx(curve.centre, rel=1e-6)


def test_reading_the_curve_backwards() -> None:
    curve = fit_curve(DNASE_DOSE, DNASE)
    found = inverse(curve, 0.5)
    assert found is not None and found.lower is not None and found.upper is not None
    assert curve.response([found.dose])[0] == pytest.approx(0.5)
    assert found.lower < found.dose < found.upper
    assert (found.upper - found.lower) / 2 == pytest.approx(2.179 * found.standard_error, rel=0.02)
    narrower = inverse(curve, 0.5, replicates=4)
    assert narrower is not None and narrower.upper is not None and narrower.upper < found.upper
    assert inverse(curve, 3.0) is None
    near_the_top = inverse(curve, 2.3)
    assert near_the_top is not None and near_the_top.upper is None


def test_limits_of_inverse_prediction_cover_as_often_as_they_say() -> None:
    """Simulated, 400 plates: 95 % within the binomial's three standard errors (0.033)."""
    random = np.random.default_rng(3)
    dose = np.repeat(np.geomspace(0.1, 100, 8), 3)
    mean = 0.05 + 2 * dose / (dose + 5)
    covered = 0
    for _plate in range(400):
        curve = fit_curve(dose, mean + random.normal(0, 0.04, dose.size))
        found = inverse(curve, 0.05 + 2 * 3 / 8 + random.normal(0, 0.04 / np.sqrt(2)), replicates=2)
        assert found is not None and found.lower is not None and found.upper is not None
        covered += found.lower <= 3 <= found.upper
    assert abs(covered / 400 - 0.95) < 0.033


@given(st.tuples(st.floats(-2, 2), st.floats(3, 9), st.floats(0.3, 5), st.floats(-2, 2), st.floats(-1, 1)))
@settings(deadline=None, max_examples=60)
def test_the_written_derivatives_are_those_of_the_curve(parameters: tuple[float, ...]) -> None:
    dose = np.log(np.geomspace(0.05, 50, 9))

    def plain(at: np.ndarray) -> np.ndarray:
        zero, infinite, slope, centre, asymmetry = at
        return infinite + (zero - infinite) * (1 + np.exp(slope * (dose - centre))) ** -np.exp(asymmetry)

    at = np.array(parameters)
    assert response(at, dose) == pytest.approx(plain(at))
    assert np.allclose(gradient(at, dose), complex_step(plain, at), rtol=1e-9, atol=1e-12)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_the_batch_finds_the_minima_of_single_fits(seed: int) -> None:
    random = np.random.default_rng(seed)
    dose = np.repeat([0, *np.geomspace(0.1, 100, 7)], 3)
    centre, slope = np.exp(random.uniform(0, 2.5, (5, 1))), random.uniform(0.7, 2.5, (5, 1))
    observed = 2 - 1.9 / (1 + (dose / centre) ** slope) + random.normal(0, 0.03, (5, dose.size))
    weights = random.uniform(0.5, 2, observed.shape) if seed % 2 else None
    many = fit_many(dose, observed, weights)
    assert many.converged.all()
    for row in range(5):
        one = fit_curve(dose, observed[row], weights=None if weights is None else weights[row])
        assert many.residual_sum_of_squares[row] == pytest.approx(one.fit.residual_sum_of_squares, rel=1e-12)
        assert many.centre[row] == pytest.approx(one.centre, rel=1e-5)


def test_curves_in_the_batch_that_are_none_are_said_to_be_none() -> None:
    dose = np.repeat(np.geomspace(0.1, 100, 8), 3)
    good = 2 - 1.9 / (1 + dose / 3)
    many = fit_many(dose, np.array([good, np.ones(24)]))
    assert many.converged.tolist() == [True, False]


@pytest.mark.parametrize(
    ("dose", "observed", "why"),
    [
        ([1, 2, 3], [1, 2, 3], "3 different doses"),
        ([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], "equal"),
        ([-1, 2, 3, 4, 5], [1, 2, 3, 4, 5], "from 0"),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4], "same length"),
    ],
)
def test_what_no_curve_can_be_fitted_to_is_refused(dose: list[float], observed: list[float], why: str) -> None:
    with pytest.raises(CurveError, match=why):
        fit_curve(dose, observed)


def test_fewer_observations_than_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot determine"):
        least_squares(lambda b: b[0] + b[1] * np.arange(1.0), [1.0], [0, 0])
