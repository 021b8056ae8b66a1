"""Relative potency as the European Pharmacopoeia and CombiStats print it, digit by digit."""

import math
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright import language
from cellwright.assay.check import reasons
from cellwright.assay.potency import (
    BLANK,
    AssayReport,
    Layout,
    LayoutError,
    Potency,
    combine,
    equivalent_curves,
    equivalent_slopes,
    parallel_lines,
    parallel_logistic,
    read,
    report,
    slope_ratio,
)
from cellwright.assay.potency.arithmetic import NotArithmetic, number
from cellwright.assay.potency.assay_table import AssayTable, Printed
from cellwright.assay.potency.fieller import fieller

FILES = ("AntibioticTurbidimetric", "Corticotrophin", "Erythropoietin", "FactorIX", "HepatitisB")
NAMES = {
    "preparations": "preparations", "regression": "regression", "nonparallelism": "non-parallelism",
    "nonlinearity": "non-linearity", "quadraticcurvature": "quadratic curvature",
    "lackofquadraticfit": "lack of quadratic fit", "treatments": "treatments", "blocks": "blocks",
    "residualerror": "residual error", "total": "total",
}  # fmt: skip


def same_digits(found: float, printed: str) -> bool:
    """Whether a number rounds to what is printed."""
    exact = Decimal(printed)
    unit = Decimal(1).scaleb(int(exact.as_tuple().exponent))
    return abs(Decimal(found) - exact) <= unit * Decimal("0.5000001")


def line_name(table: AssayTable, printed: Printed) -> str:
    plain = re.sub(r"[^a-z0-9]", "", printed.name.lower())
    if plain == "standard":
        return f"non-linearity of {table.layout.preparations[0]}"
    if match := re.fullmatch(r"sample(\d)", plain):
        return f"non-linearity of {table.layout.preparations[int(match[1])]}"
    return NAMES[plain]


def analysis_figures(table: AssayTable, outcome: AssayReport, printed: Printed) -> list[tuple[float, str]]:
    """Pairs of our figure and theirs for a line of an analysis of variance."""
    line = outcome.result.source(line_name(table, printed))
    if not line.degrees_of_freedom:
        # Corticotrophin: two doses leave no freedom for non-linearity; the file prints 2 and no sum of squares.
        assert all(figure is None for figure in printed.figures[1:])
        return []
    ours = [float(line.degrees_of_freedom), line.sum_of_squares, line.mean_square, line.f, line.p]
    if printed.block == "A2":
        ours = [line.p]
    return [(float(one), text) for one, text in zip(ours, printed.figures, strict=False) if text is not None]  # type: ignore[arg-type]


def potency_figures(outcome: AssayReport, printed: Printed) -> list[tuple[float, str]]:
    kind, who = re.fullmatch(r"(Potency|ReltoAss|ReltoEst)(.*)", printed.name).groups()  # type: ignore[union-attr]
    names = [one.preparation for one in outcome.estimates]
    place = int(who) - 1 if who.isdigit() else names.index(who) if who else 0
    one = outcome.estimates[place]
    ours = {"Potency": (one.lower, one.potency, one.upper), "ReltoAss": one.percent_of_assigned,
            "ReltoEst": one.percent_of_estimate}[kind]  # fmt: skip
    theirs = [text for text in printed.figures if text is not None]
    return [(float(found), text) for found, text in zip(ours, theirs, strict=bool(theirs)) if found is not None]


@pytest.mark.parametrize("name", FILES)
def test_every_printed_digit(shared_data: Path, name: str) -> None:
    table = read((shared_data / "quality" / "bioassay" / f"{name}.txt").read_text())
    outcome = report(table)
    compared = 0
    for printed in table.printed:
        if printed.block[0] in "AB":
            pairs = analysis_figures(table, outcome, printed)
        elif printed.block[0] == "P":
            pairs = potency_figures(outcome, printed)
        else:
            ours = outcome.result.slope if "slope" in printed.name.lower() else outcome.result.correlation
            pairs = [(ours, text) for text in printed.figures if text is not None]
        for found, text in pairs:
            assert same_digits(found, text), f"{printed.block}@{printed.name}: {found} against {text}"
            compared += 1
    assert compared >= 30
    assert outcome.valid is (name != "Corticotrophin")


def test_corticotrophin_is_invalid_for_want_of_parallelism(shared_data: Path) -> None:
    outcome = report(read((shared_data / "quality" / "bioassay" / "Corticotrophin.txt").read_text()))
    assert reasons(outcome.checks) == ("non-parallelism is significant: p 0.007, F 5.37",)
    assert outcome.result.notes == ("non-linearity cannot be tested with this design",)


def test_a_file_with_reversed_doses_and_no_factor_is_invalid(shared_data: Path) -> None:
    outcome = report(read((shared_data / "quality" / "bioassay" / "HepatitisB_Error.txt").read_text()))
    assert not outcome.valid
    direction, factor = reasons(outcome.checks)
    assert "reversed order" in direction and "-0.908479" in direction
    assert "no assumed potency" in factor
    assert all(one.potency is None for one in outcome.estimates)
    good = report(read((shared_data / "quality" / "bioassay" / "HepatitisB.txt").read_text()))
    turned = [one.ratio for one in outcome.result.potencies]
    assert turned == pytest.approx([1 / one.ratio for one in good.result.potencies])


def test_reasons_are_said_in_chinese_too(shared_data: Path) -> None:
    table = read((shared_data / "quality" / "bioassay" / "Corticotrophin.txt").read_text())
    with language.use(language.CHINESE):
        assert reasons(report(table).checks) == ("非平行性显著：p 0.007, F 5.37",)


HEPARIN = """Dose Sample R1 R2 Label
Dose-1.044 S 79.35 79.05 ""
Dose-1.321 S 110.65 120.8 ""
Dose-1.670 S 178.5 171.7 ""
Dose-1.000 T 78.1 78.8 ""
Dose-1.265 T 106.85 117.5 ""
Dose-1.600 T 169.8 171.0 ""
# Model "Parallel lines"
# Design "Completely randomised"
# Transformation "y' = log(y)"
# FUN "function(x) log10(x)"
# Direction "increasing"
# Description "explicit content notation"
# StandardAssPot "1044 IU/ml"
# StandardDilutions "1.044 1.321 1.670"
# Sample1AssPot "1000 IU/ml"
# Sample1Dilutions "1.000 1.265 1.600"
"""
DIPHTHERIA = """Dose Sample R1 R2 R3 R4 Label
Dose-0.05 S 0 0 1 0 ""
Dose-0.1 S 2 3 2 2 ""
Dose-0.2 S 4 4 3 4 ""
Dose-0.02 T 1 1 0 1 ""
Dose-0.04 T 2 2 2 2 ""
Dose-0.08 T 2 4 4 4 ""
# Model "Parallel lines"
# Design "Completely randomised"
# Transformation "y' = y^2"
# Direction "increasing"
# Description "explicit volume units"
# StandardAssPot "9.5 IU / dose"
# StandardDilutions "0.2 0.1 0.05"
# Sample1AssPot "9.5 IU / dose"
# Sample1Dilutions "0.08 0.04 0.02"
"""
ERYTHROMYCIN = """Block S1 S2 S3 T1 T2 T3 Label
Block-1 185 192 210 172 201 214 ""
Block-2 185 199 216 178 205 212 ""
Block-3 174 200 211 185 196 216 ""
Block-4 175 198 216 184 196 208 ""
Block-5 185 201 211 175 201 218 ""
Block-6 180 194 211 178 197 214 ""
# Model "Parallel lines"
# Design "Randomised block"
# Transformation "y' = y"
# Direction "increasing"
# FactorA "920 * ((21.3 / 20) / (26.4 / 25))"
# Sample1AssPot "1000 IU / mg"
# DilutionRatio "1.5"
"""


@pytest.mark.parametrize(
    ("text", "potency", "assigned", "squares"),
    [
        # CombiStats example 5, heparin sodium; means of paired readings, as the example transforms them.
        (HEPARIN, ("996.153", "1029.95", "1064.68"), ("99.6", "103.0", "106.5"), ("0.232114", "3.01665E-05")),
        # CombiStats example 1, diphtheria vaccine, intradermal challenge, squares of scores.
        (DIPHTHERIA, ("16.6014", "22.1352", "29.2553"), ("174.8", "233.0", "308.0"), ("689.063", "3.06250")),
        # CombiStats example 22, erythromycin, weighings of standard and sample in the factor.
        (ERYTHROMYCIN, ("874.648", "936.639", "1003.23"), ("87.5", "93.7", "100.3"), ("6700.04", "15.0417")),
    ],
)
def test_examples_of_combistats(
    text: str, potency: tuple[str, ...], assigned: tuple[str, ...], squares: tuple[str, str]
) -> None:
    outcome = report(read(text))
    one = outcome.estimates[0]
    assert outcome.valid, reasons(outcome.checks)
    for found, printed in zip(
        (one.lower, one.potency, one.upper, *one.percent_of_assigned), potency + assigned, strict=True
    ):
        assert found is not None and same_digits(found, printed), (found, printed)
    for name, printed in zip(("regression", "non-parallelism"), squares, strict=True):
        assert same_digits(outcome.result.source(name).sum_of_squares, printed)


AGAR = (
    # Ph. Eur. 5.3, example 5.1.2: antibiotic agar diffusion, Latin square; (preparation, dose rank, zone) by columns.
    ("S1 161", "T1 151", "T2 162", "S3 194", "S2 176", "T3 193"), ("T1 160", "T3 192", "S3 195", "S2 184", "T2 181", "S1 166"),
    ("T2 178", "S1 150", "S2 174", "T3 199", "S3 201", "T1 161"), ("S3 187", "S2 172", "S1 161", "T1 160", "T3 202", "T2 186"),
    ("S2 171", "T2 170", "T3 193", "S1 163", "T1 154", "S3 198"), ("T3 194", "S3 192", "T1 151", "T2 171", "S1 151", "S2 182"),
)  # fmt: skip


def test_a_latin_square() -> None:
    """Sums of squares by the textbook's sums over marginal totals, in exact numbers."""
    wells = [(row, column, cell.split()) for column, cells in enumerate(AGAR) for row, cell in enumerate(cells)]
    layout = Layout(
        preparations=("S", "T"),
        preparation=tuple("ST".index(cell[0][0]) for _row, _column, cell in wells),
        dose=tuple(1.5 ** int(cell[0][1]) for _row, _column, cell in wells),
        response=tuple(float(cell[1]) for _row, _column, cell in wells),
        rows=tuple(row for row, _column, _cell in wells),
        columns=tuple(column for _row, column, _cell in wells),
    )
    y = layout.y
    correction = y.sum() ** 2 / 36

    def squares(labels: tuple[object, ...]) -> float:
        return float(sum(y[[one == label for one in labels]].sum() ** 2 for label in set(labels)) / (36 / len(set(labels)))
                     - correction)  # fmt: skip

    found = parallel_lines(layout)
    treatments = tuple(zip(layout.preparation, layout.dose, strict=True))
    assert found.source("rows").sum_of_squares == pytest.approx(squares(layout.rows))
    assert found.source("columns").sum_of_squares == pytest.approx(squares(layout.columns))
    assert found.source("treatments").sum_of_squares == pytest.approx(squares(treatments))
    assert found.source("preparations").sum_of_squares == pytest.approx(squares(layout.preparation))
    high, low = (np.isclose(layout.x, dose) for dose in (1.5**3, 1.5))
    assert found.source("regression").sum_of_squares == pytest.approx((y[high].sum() - y[low].sum()) ** 2 / 24)
    residual = float(((y - y.mean()) ** 2).sum()) - sum(map(squares, (layout.rows, layout.columns, treatments)))
    assert found.source("residual error").sum_of_squares == pytest.approx(residual)
    assert found.source("residual error").degrees_of_freedom == 20
    assert found.valid


def test_missing_responses_need_no_replacement(shared_data: Path) -> None:
    text = (shared_data / "quality" / "bioassay" / "HepatitisB.txt").read_text()
    whole = report(read(text))
    fewer = report(read(text.replace("1.045", "NA   ").replace("0.624 1.068", "NA    NA   ")))
    assert fewer.result.source("residual error").degrees_of_freedom == 37
    assert fewer.estimates[0].potency == pytest.approx(whole.estimates[0].potency, rel=0.02)


def test_an_outlying_response_is_flagged_and_kept(shared_data: Path) -> None:
    text = (shared_data / "quality" / "bioassay" / "HepatitisB.txt").read_text()
    found = report(read(text.replace("0.344", "0.345").replace("0.355", "1.355"))).result
    assert [(one.preparation, one.response) for one in found.suspects] == [("T", math.log(1.355))]
    assert found.source("total").degrees_of_freedom == 59
    assert report(read(text)).result.suspects == ()


def test_the_combination_of_six_assays() -> None:
    """Ph. Eur. 5.3, section 6.4, table 6.4.-I: 18,187 (17,946 to 18,431), homogeneity 4.42 with 5 degrees of freedom."""
    assays = [(18367, 17755, 19002), (18003, 17415, 18610), (18064, 17319, 18838), (17832, 17253, 18429),
              (18635, 17959, 19339), (18269, 17722, 18834)]  # fmt: skip
    found = combine([Potency("T", *assay, 0.95, 20) for assay in assays])
    assert (round(found.ratio), round(found.lower), round(found.upper)) == (18187, 17946, 18431)
    assert found.homogeneity == pytest.approx(4.42, abs=0.005)
    assert found.method == "weighted"
    spread = combine([Potency("T", 1.0, 0.95, 1.05, 0.95, 20), Potency("T", 1.4, 1.33, 1.47, 0.95, 20)])
    assert spread.method == "semi-weighted"
    assert spread.upper - spread.lower > 0.5
    with pytest.raises(ValueError, match="no finite limits"):
        combine([Potency("T", 1.0, None, None, 0.95, 20)] * 2)


def _slope_layout(ratio: float, blank: float, noise: float, seed: int) -> Layout:
    random = np.random.default_rng(seed)
    who = (BLANK, BLANK, *(0,) * 6, *(1,) * 6)
    dose = (0.0, 0.0, *np.repeat([1.0, 2.0, 3.0], 2), *np.repeat([1.0, 2.0, 3.0], 2))
    mean = np.array([blank, blank, *(0.1 + 0.2 * np.array(dose[2:8])), *(0.1 + 0.2 * ratio * np.array(dose[8:]))])
    return Layout(("S", "T"), who, tuple(map(float, dose)), tuple(mean + random.normal(0, noise, mean.size)))


def test_slope_ratio() -> None:
    found = slope_ratio(_slope_layout(0.8, 0.1, 0.004, 1))
    one = found.potencies[0]
    assert found.valid, reasons(found.checks)
    assert one.lower is not None and one.upper is not None and one.lower < 0.8 < one.upper
    assert [line.degrees_of_freedom for line in found.analysis] == [2, 1, 1, 2, 6, 7, 13]
    bad = slope_ratio(_slope_layout(0.8, 0.4, 0.004, 1))
    assert any(reason.startswith("blanks is significant") for reason in reasons(bad.checks))


SLOPES = """Dose Sample R1 R2
Dose-0 Blank 0.101 0.099
Dose-1 S 0.302 0.298
Dose-2 S 0.499 0.502
Dose-3 S 0.703 0.699
Dose-1 T 0.261 0.258
Dose-2 T 0.421 0.418
Dose-3 T 0.579 0.582
# Model "Slope ratio"
# Design "Completely randomised"
# Transformation "y' = y"
# Direction "increasing"
# Factor "10"
# StandardDilutions "1 2 3"
# Sample1Dilutions "1 2 3"
"""


def test_a_slope_ratio_file_with_blanks() -> None:
    """Made up: slopes 0.2 and 0.16 on a blank of 0.1, assumed potency 10."""
    outcome = report(read(SLOPES))
    assert outcome.valid, reasons(outcome.checks)
    assert outcome.estimates[0].potency == pytest.approx(8, rel=0.01)
    with pytest.raises(LayoutError, match="needs its doses"):
        read(SLOPES.replace("StandardDilutions", "Elsewhere"))


@given(st.floats(0.5, 2), st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_a_slope_ratio_is_that_of_the_normal_equations(ratio: float, seed: int) -> None:
    layout = _slope_layout(ratio, 0.1, 0.01, seed)
    design = np.stack([np.ones(14), (layout.who == 0) * layout.x, (layout.who == 1) * layout.x], axis=1)
    _mean, standard, test = np.linalg.solve(design.T @ design, design.T @ layout.y)
    assert slope_ratio(layout).potencies[0].ratio == pytest.approx(test / standard)


def _curves(ratio: float, seed: int, upper: float = 2.0, slope: float = 1.2) -> Layout:
    random = np.random.default_rng(seed)
    dose = np.tile(np.repeat(np.geomspace(0.1, 100, 8), 3), 2)
    who = np.repeat([0, 1], 24)
    top, steep = np.where(who == 1, upper, 2.0), np.where(who == 1, slope, 1.2)
    mean = top + (0.1 - top) / (1 + (dose * np.where(who == 1, ratio, 1.0) / 4) ** steep)
    return Layout(("S", "T"), tuple(map(int, who)), tuple(map(float, dose)), tuple(mean + random.normal(0, 0.03, 48)))


def test_parallel_logistic_curves() -> None:
    found = parallel_logistic(_curves(0.7, 5))
    one = found.potencies[0]
    assert found.valid, reasons(found.checks)
    assert one.lower is not None and one.upper is not None and one.lower < 0.7 < one.upper
    assert one.degrees_of_freedom == 43
    assert all(equal.check.outcome == "pass" for equal in equivalent_curves(_curves(0.7, 5)))
    lower_top = _curves(0.7, 5, upper=1.4)
    assert reasons(parallel_logistic(lower_top).checks)[0].startswith("non-parallelism is significant")
    assert [equal.check.outcome for equal in equivalent_curves(lower_top)] == ["pass", "fail"]


def test_limits_of_the_logistic_potency_cover_as_often_as_they_say() -> None:
    """Simulated, 120 assays: 95 % within the binomial's three standard errors (0.06)."""
    covered = 0
    for seed in range(120):
        one = parallel_logistic(_curves(0.7, seed)).potencies[0]
        assert one.lower is not None and one.upper is not None
        covered += one.lower <= 0.7 <= one.upper
    assert abs(covered / 120 - 0.95) < 0.06


@given(st.floats(0.3, 3), st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_swapping_standard_and_sample_inverts_the_potency(ratio: float, seed: int) -> None:
    layout = _curves(ratio, seed)
    turned = Layout(layout.preparations, tuple(1 - who for who in layout.preparation), layout.dose, layout.response)
    one, other = parallel_logistic(layout).potencies[0], parallel_logistic(turned).potencies[0]
    assert one.ratio * other.ratio == pytest.approx(1, rel=1e-6)
    assert one.lower is not None and other.upper is not None
    assert one.lower * other.upper == pytest.approx(1, rel=1e-6)


def test_equivalence_of_slopes(shared_data: Path) -> None:
    hepatitis = read((shared_data / "quality" / "bioassay" / "HepatitisB.txt").read_text()).layout
    assert all(one.check.outcome == "pass" for one in equivalent_slopes(hepatitis))
    # A difference test that passes does not make a noisy assay equivalent.
    mice = read((shared_data / "quality" / "bioassay" / "Erythropoietin.txt").read_text()).layout
    assert [one.check.outcome for one in equivalent_slopes(mice)] == ["fail"]


def test_fieller_has_no_limits_when_the_denominator_may_be_nothing() -> None:
    assert fieller(1.0, 0.1, (0.01, 0.01, 0.0), 1.96).lower is None
    ratio = fieller(2.0, 1.0, (1e-10, 1e-10, 0.0), 1.96)
    assert ratio.lower == pytest.approx(2 - 1.96e-5 * math.sqrt(5)) and ratio.g < 1e-9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no table"),
        ("Block S1 T1\nB 1 2\n", "model"),
        (ERYTHROMYCIN.replace("y' = y", "y' = sin(y)"), "sin"),
        (ERYTHROMYCIN.replace("Randomised block", "Latin square"), "design"),
        (ERYTHROMYCIN.replace('"1.5"', '"__import__(1)"'), "no number"),
        (ERYTHROMYCIN.replace("T3 Label", "Third Label"), "rank of dose"),
        (DIPHTHERIA.replace("y^2", "log(y)"), "no logarithm"),
    ],
)
def test_a_file_that_is_no_bioassay_is_refused(text: str, why: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(why)):
        read(text)


def test_only_arithmetic_is_evaluated() -> None:
    assert number("sqrt(sqrt(1.67 * 1.6 / 1.044))") == pytest.approx(1.2648, abs=1e-4)
    assert number("-(2 + 3) * 4 - 1") == -21
    for text in ("1/0", "x", "().__class__", "9**9", "True", "1e400", "(" * 300):
        with pytest.raises(NotArithmetic):
            number(text)
