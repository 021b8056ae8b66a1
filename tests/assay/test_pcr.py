"""PCR against the figures that instruments and papers print."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from cellwright.assay.pcr import (
    Fraction,
    Partitions,
    Quantity,
    Rules,
    Well,
    concentration,
    curve_checks,
    detect,
    molecules,
    per_cell_digital,
    per_cell_fieller,
    per_cell_quantitative,
    per_transduced_cell,
    plausibility,
    quantification_cycle,
    quantify,
    standard_curve,
    without_baseline,
)
from cellwright.assay.pcr.digital import (
    qiacuity_concentration,
    qiacuity_interval_percent,
    undiluted,
    well_checks,
)
from cellwright.assay.pcr.nucleic_acid_test import copies_per_microgram, residual_dna_ng
from cellwright.assay.pcr.standard_curve import CurveError

WORKBOOKS = {
    "QS6Pro": "qpcr/appbio_quantstudio_designandanalysis_QS6Pro_Standard_Curve_example05.xlsx",
    "QS7": "qpcr/appbio_quantstudio_designandanalysis_QS7_Standard_Curve_example06.xlsx",
}


def _sheet(workbook: CalamineWorkbook, name: str) -> list[dict[str, Any]]:
    rows = workbook.get_sheet_by_name(name).to_python()
    head = next(place for place, row in enumerate(rows) if row[0] == "Well")
    return [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :]]


@pytest.fixture(scope="module", params=sorted(WORKBOOKS))
def workbook(request: pytest.FixtureRequest, shared_data: Path) -> CalamineWorkbook:
    return CalamineWorkbook.from_path(shared_data / "quality" / WORKBOOKS[request.param])


def test_the_standard_curve_of_a_quantstudio_workbook(workbook: CalamineWorkbook) -> None:
    """Slope and intercept are printed to four decimals, the rest in full."""
    wells = [row for row in _sheet(workbook, "Standard Curve Result") if row["Task"] == "STANDARD"]
    used = [row for row in wells if row["Omit"] == "FALSE" and row["Cq"] != "UNDETERMINED"]
    curve = standard_curve([row["Quantity"] for row in used], [row["Cq"] for row in used])
    printed = used[0]
    assert curve.slope == pytest.approx(printed["Slope"], abs=5.0001e-5)
    assert curve.intercept == pytest.approx(printed["Y-Intercept"], abs=5.0001e-5)
    assert curve.r_squared == pytest.approx(printed["R2"], rel=1e-12)
    assert curve.efficiency == pytest.approx(printed["Efficiency"], rel=1e-12)
    assert curve.slope_standard_error == pytest.approx(printed["Standard Error"], rel=1e-12)
    assert curve.residual_standard_deviation == pytest.approx(printed["Standard Deviation"], rel=1e-12)
    # One of the two real runs amplifies with 79 %: such a curve must not pass.
    poor = curve.efficiency < 90
    assert [check.outcome for check in curve_checks(curve)] == ["fail" if poor else "pass", "pass"]


def test_quantities_of_a_quantstudio_workbook(workbook: CalamineWorkbook) -> None:
    rows = _sheet(workbook, "Standard Curve Result")
    standards = [row for row in rows if row["Task"] == "STANDARD" and row["Omit"] == "FALSE"]
    curve = standard_curve([row["Quantity"] for row in standards], [row["Cq"] for row in standards])
    unknown = [row for row in rows if row["Task"] == "UNKNOWN" and isinstance(row["Quantity"], float)]
    for row in unknown:
        # The instrument computes with slope and intercept as printed, at four decimals; we do not.
        as_printed = 10 ** ((row["Cq"] - round(curve.intercept, 4)) / round(curve.slope, 4))
        assert as_printed == pytest.approx(row["Quantity"], rel=1e-12)
        assert quantify(curve, [row["Cq"]]).value == pytest.approx(row["Quantity"], rel=5e-4)


def test_cycles_of_a_run_with_four_dyes(shared_data: Path) -> None:
    name = "qpcr/appbio_quantstudio_designandanalysis_QS5_Standard_Curve_4Plex_example03.xlsx"
    _compare_cycles(CalamineWorkbook.from_path(shared_data / "quality" / name))


def test_cycles_from_the_curves_of_a_quantstudio_workbook(workbook: CalamineWorkbook) -> None:
    _compare_cycles(workbook)


def _compare_cycles(workbook: CalamineWorkbook) -> None:
    """Within 0.1 cycle of the instrument, whose curves are smoothed, and from raw signal with its own baseline."""
    signals: dict[tuple[float, str], list[tuple[float, float, float]]] = {}
    for row in _sheet(workbook, "Amplification Data"):
        if isinstance(row["dRn"], float):
            signals.setdefault((row["Well"], row["Target"]), []).append((row["Cycle Number"], row["dRn"], row["Rn"]))
    compared = 0
    for row in _sheet(workbook, "Results"):
        if not isinstance(row["Cq"], float) or (row["Well"], row["Target"]) not in signals:
            continue
        cycles, corrected, raw = np.array(sorted(signals[row["Well"], row["Target"]])).T
        found = quantification_cycle(cycles, corrected, row["Threshold"])
        assert found == pytest.approx(row["Cq"], abs=0.1)
        plain = without_baseline(cycles, raw, int(row["Baseline Start"]), int(row["Baseline End"]))
        assert quantification_cycle(cycles, plain, row["Threshold"]) == pytest.approx(row["Cq"], abs=0.1)
        compared += 1
    assert compared > 80


def test_what_is_no_amplification_has_no_cycle() -> None:
    cycles = np.arange(1, 41.0)
    assert quantification_cycle(cycles, np.zeros(40), 0.1) is None
    spike = np.zeros(40)
    spike[9] = 1.0
    assert quantification_cycle(cycles, spike, 0.1) is None
    late = np.zeros(40)
    late[39] = 0.2
    assert quantification_cycle(cycles, late, 0.1) == 39.5
    exponential = 1e-4 * 2.0 ** (cycles - 1)
    assert quantification_cycle(cycles, exponential, 0.1) == pytest.approx(1 + math.log2(1000), abs=0.05)


def test_a_curve_through_doubling_is_100_percent_and_its_limits_cover() -> None:
    amounts = np.repeat([1e1, 1e2, 1e3, 1e4], 3)
    exact = standard_curve(amounts, 38 - np.log2(amounts))
    assert exact.efficiency == pytest.approx(100)
    random, covered = np.random.default_rng(2), 0
    for _plate in range(500):
        curve = standard_curve(amounts, 38 - np.log2(amounts) + random.normal(0, 0.15, 12))
        found = quantify(curve, 38 - math.log2(500) + random.normal(0, 0.15, 3))
        assert found.lower is not None and found.upper is not None
        covered += found.lower <= 500 <= found.upper
    assert abs(covered / 500 - 0.95) < 0.03
    assert not quantify(exact, [38.0]).within_standards
    with pytest.raises(CurveError):
        standard_curve([1, 1, 1], [20, 20, 20])


def test_droplets_of_known_copy_number(shared_data: Path) -> None:
    """Dorazio and Hunter 2015, QX200, 1, 2, 5 and 14 copies of MYC a genome; figures computed with R."""
    folder = shared_data / "quality" / "dpcr"
    counts: dict[tuple[str, str], list[Partitions]] = {}
    for row in csv.DictReader((folder / "BioradCNV_half.csv").open()):
        counts.setdefault((row["exper"], row["assay"]), []).append(Partitions(int(row["k"]), int(row["n"])))
    cases = json.loads((folder / "BioradCNV_half_expected.json").read_text())["cases"]
    for name, case in cases.items():
        found = {assay: molecules(counts[name, assay]) for assay in ("MYC", "Chr4")}
        for assay, expected in case["assays"].items():
            one = found[assay]
            assert (one.positive, one.counted) == (expected["k"], expected["n"])
            assert one.mean == pytest.approx(expected["lam"], rel=1e-12)
            assert one.standard_error == pytest.approx(expected["se"], rel=1e-12)
            assert (one.lower, one.upper) == pytest.approx(expected["cp"], rel=1e-9)
            assert concentration(one.mean, 0.85) == pytest.approx(expected["copies_per_uL"], rel=1e-12)
        counting = {assay: molecules([Partitions(one.positive, one.counted)]) for assay, one in found.items()}
        copies = per_cell_digital(counting["MYC"], counting["Chr4"])
        assert copies.value == pytest.approx(case["copy_number"], rel=1e-12)
        assert (copies.lower, copies.upper) == pytest.approx(case["ci_log_delta"], rel=1e-9)
        assert per_cell_fieller(counting["MYC"], counting["Chr4"]) == pytest.approx(case["ci_fieller"], rel=1e-6)
        assert copies.value == pytest.approx(case["nominal"], rel=0.05)


def test_qiacuity_arithmetic(shared_data: Path) -> None:
    path = shared_data / "quality/instruments/qiacuity_dpcr/qiacuity_dpcr_example04.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()[1:]
    compared = 0
    for row in csv.DictReader(lines):
        well = Partitions(int(row["Partitions (Positive)"]), int(row["Partitions (Valid)"]))
        if not 0 < well.positive < well.counted:
            continue
        per_ul = qiacuity_concentration(molecules([well]).mean, float(row["Volume per well [µl]"]))
        assert per_ul * 1000 == pytest.approx(float(row["Conc. [cp/mL] (dPCR reaction)"]), rel=1e-9)
        whole = undiluted(per_ul, dilution=float(row["Concentration factor"]),
                          template_ul=float(row["Template volume [µl]"]), reaction_ul=float(row["Total volume [µl]"]))  # fmt: skip
        assert whole * 1000 == pytest.approx(float(row["Conc. [cp/mL] (undiluted sample)"]), rel=1e-9)
        printed = float(row["CI (95%) (dPCR reaction)"].rstrip("%"))
        # At a single positive partition, where no normal interval makes sense, it prints 147.5 % by a rule of its own.
        assert well.positive == 1 or qiacuity_interval_percent(well) == pytest.approx(printed, abs=0.051)
        compared += 1
    assert compared == 29


def test_exact_limits_at_the_ends() -> None:
    none = molecules([Partitions(0, 20000)])
    assert (none.mean, none.lower) == (0.0, 0.0)
    assert none.upper == pytest.approx(3.689 / 20000, rel=1e-3)
    full = molecules([Partitions(100, 100)])
    assert full.mean == math.inf and full.upper is None and full.lower > 3
    unseen = per_cell_digital(none, molecules([Partitions(5000, 20000)]))
    assert unseen.value == 0 and unseen.upper is not None and unseen.upper < 0.002
    assert per_cell_digital(none, none).value is None
    with pytest.raises(ValueError, match="positive of"):
        Partitions(5, 4)


def test_wells_that_disagree_widen_the_interval() -> None:
    agreeing = molecules([Partitions(2000, 20000), Partitions(2030, 20000)])
    apart = molecules([Partitions(2000, 20000), Partitions(2600, 20000)])
    assert agreeing.dispersion < 1 < apart.dispersion
    assert apart.dispersion_p < 1e-9
    assert apart.log_variance > agreeing.log_variance * 20
    checks = well_checks([Partitions(2000, 20000), Partitions(2600, 9000)], least_partitions=10000)
    assert [check.outcome for check in checks] == ["fail", "pass", "fail"]


@given(st.integers(1, 19_999), st.integers(1, 19_999))
@settings(deadline=None, max_examples=100)
def test_fewer_positives_are_fewer_molecules_inside_their_limits(first: int, second: int) -> None:
    one, other = molecules([Partitions(first, 20000)]), molecules([Partitions(second, 20000)])
    assert (one.mean < other.mean) == (first < second)
    assert one.upper is not None and one.lower < one.mean < one.upper


@pytest.mark.requirement("R103")
def test_copies_per_transduced_cell() -> None:
    """Requirements 3.7: 1.2e4 and 2.0e4 copies are 1.2 per cell; 40 % transduced makes 3.0, 24 % 5.0."""
    copies = per_cell_quantitative(
        Quantity(1.2e4, None, None, 0.0004, True, 3), Quantity(2e4, None, None, 0.0004, True, 3)
    )
    assert copies.value == pytest.approx(1.2)
    assert per_transduced_cell(copies, Fraction(4000, 10000)).value == pytest.approx(3.0)
    found = per_transduced_cell(copies, Fraction(2400, 10000))
    assert found.value == pytest.approx(5.0)
    assert found.shares["transduced fraction"] == pytest.approx(0.76 / 2400)
    assert found.log_variance == pytest.approx(0.0008 + 0.76 / 2400)
    assert plausibility(1.2, Fraction(2400, 10000)).outcome == "pass"
    assert plausibility(0.2, Fraction(4000, 10000)).outcome == "fail"
    assert per_transduced_cell(copies, Fraction(0, 10000)).value is None


def test_the_interval_of_copies_per_transduced_cell_covers() -> None:
    """Simulated, 2,000 samples of 1.2 copies per cell, 30 % transduced, 1,000 cells: 95 % within three errors (0.015)."""
    random = np.random.default_rng(11)
    partitions, covered = 20000, 0
    shares = [-math.expm1(-mean) for mean in (0.06, 0.1)]
    for _sample in range(2000):
        target, reference = (molecules([Partitions(int(random.binomial(partitions, p)), partitions)]) for p in shares)
        fraction = Fraction(int(random.binomial(1000, 0.3)), 1000)
        found = per_transduced_cell(per_cell_digital(target, reference), fraction)
        assert found.lower is not None and found.upper is not None
        covered += found.lower <= 4.0 <= found.upper
    assert abs(covered / 2000 - 0.95) < 0.015


RULES = Rules(last_cycle=40, positive_control=(25, 32), internal_control=(26, 33))
CONTROLS = [Well("positive control", 28), Well("no-template control", None, 29), Well("extraction control", None, 29)]


@pytest.mark.parametrize(
    ("wells", "finding"),
    [
        ([Well("sample", None, 29), Well("sample", None, 30)], "not detected"),
        ([Well("sample", 35, 29), Well("sample", 36, 30)], "detected"),
        ([Well("sample", 35, None), Well("sample", 36, None)], "detected"),
        ([Well("sample", 39, 29), Well("sample", None, 30)], "indeterminate"),
        ([Well("sample", 43, 29), Well("sample", None, 30)], "not detected"),
        ([Well("sample", None, None), Well("sample", None, 30)], "invalid"),
        ([Well("sample", None, 38), Well("sample", None, 30)], "invalid"),
        ([Well("sample", None, 29)], "invalid"),
    ],
)
def test_a_sample_beside_its_controls(wells: list[Well], finding: str) -> None:
    assert detect([*CONTROLS, *wells], RULES).finding == finding


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_control_that_fails_or_is_missing_makes_the_plate_invalid(place: int) -> None:
    sample = [Well("sample", None, 29), Well("sample", None, 30)]
    missing = [one for index, one in enumerate(CONTROLS) if index != place]
    assert detect([*missing, *sample], RULES).finding == "invalid"
    wrong = [
        Well(one.role, None if place == 0 else 30.0, 29) if index == place else one
        for index, one in enumerate(CONTROLS)
    ]
    found = detect([*wrong, *sample], RULES)
    assert found.finding == "invalid" and found.checks[place].outcome == "fail"


def test_copies_per_microgram_are_censored_where_the_method_cannot_see() -> None:
    assert copies_per_microgram(None, 200, 10) == copies_per_microgram(Quantity(9, 1, 20, 0.1, True, 3), 200, 10)
    assert copies_per_microgram(None, 200, 10).value == 50 and copies_per_microgram(None, 200, 10).censored == "<"
    assert copies_per_microgram(Quantity(12, 8, 18, 0.1, True, 3), 200, 10).value == pytest.approx(60)
    # 2 pg in 5 uL of a 1:1 extract of a 10 mL dose, half of a spike found: 0.4 ng/mL x 10 mL / 0.5.
    assert residual_dna_ng(2, dilution=1, reaction_ul=5, dose_ml=10, recovery=0.5) == pytest.approx(8)
