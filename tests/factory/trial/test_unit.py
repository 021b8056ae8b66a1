"""Units: a closed table, exact conversions, nothing guessed."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.trial import Evidence
from cellwright.factory.trial.eligibility import truth
from cellwright.factory.trial.evidence import Finding
from cellwright.factory.trial.protocol import Measured, Rule
from cellwright.factory.trial.unit import UNITS, canonical, convert, known


@pytest.mark.parametrize(
    ("value", "unit", "to", "analyte", "expected"),
    [
        ("3.0", "g/dL", "g/L", "albumin", "30"),
        ("3.5", "g/g", "mg/g", "upcr", "3500"),
        ("3.5", "g/gCr", "mg/mmol", "upcr", "395.92"),
        ("395.92", "mg/mmol", "g/g", "upcr", "3.5"),
        ("2", "x10^9/L", "/mm3", "leucocytes", "2000"),
        ("500", "/mm3", "10*3/uL", "lymphocytes", "0.5"),
        ("1", "mg/dL", "umol/L", "creatinine", "88.4016973"),
        ("5.5", "mmol/L", "mg/dL", "glucose", "99.0858"),
        ("12", "weeks", "days", "", "84"),
        ("1", "years", "days", "", "365.25"),
        ("12", "months", "years", "", "1"),
    ],
)
def test_conversions(value: str, unit: str, to: str, analyte: str, expected: str) -> None:
    """Creatinine 113.12 g/mol and glucose 180.156 g/mol from their formulas; a year of UCUM is 365.25 days."""
    found = convert(Decimal(value), unit, to, analyte)
    assert found is not None
    assert float(found) == pytest.approx(float(expected), rel=1e-8)


def test_hba1c_of_both_standards_agrees_with_the_published_pair() -> None:
    """8.0 % NGSP are printed as 64 mmol/mol of the IFCC, and 48 mmol/mol as 6.5 %."""
    ifcc = convert(Decimal("8.0"), "%", "mmol/mol", "hba1c")
    ngsp = convert(Decimal("48"), "mmol/mol", "%", "hba1c")
    assert ifcc is not None and ngsp is not None
    assert round(ifcc) == 64
    assert round(ngsp, 1) == Fraction("6.5")


@pytest.mark.parametrize(
    ("unit", "to", "analyte"),
    [("mg/dL", "mmol/L", "albumin"), ("mg/dL", "furlong", "glucose"), ("g/L", "10*9/L", ""), ("mL/min", "mL/min/{1.73_m2}", "")],
)  # fmt: skip
def test_what_is_not_in_the_table_is_not_converted(unit: str, to: str, analyte: str) -> None:
    assert convert(Decimal(1), unit, to, analyte) is None


@settings(deadline=None, max_examples=200)
@given(st.decimals("0", "1e9", places=6), st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_a_conversion_goes_back_exactly_and_keeps_the_order(value: Decimal, unit: str, to: str) -> None:
    there = convert(value, unit, to)
    assert known(unit)
    if UNITS[unit].dimension != UNITS[to].dimension:
        assert there is None
        return
    assert there is not None
    assert there * UNITS[to].factor / UNITS[unit].factor == Fraction(value)
    more = convert(value + 1, unit, to)
    assert more is not None and more > there


@pytest.mark.parametrize(("value", "unit", "expected"), [
    ("30", "g/L", True), ("30.0000001", "g/L", False), ("3.0", "g/dL", True), ("3000", "mg/dL", True), ("30", "", None),
])  # fmt: skip
def test_a_limit_in_another_unit_is_met_exactly_at_its_edge(value: str, unit: str, expected: bool | None) -> None:
    rule = Rule(measured=Measured(var="albumin", op="<=", value=Decimal("3.0"), unit="g/dL"))
    assert truth(rule, Evidence(findings={"albumin": Finding(value=value, unit=unit)})) is expected


def test_spellings_lead_into_the_table() -> None:
    assert canonical("mL/min/1.73m2") == "mL/min/{1.73_m2}"
    assert known("") and known("x10^9/L") and not known("mg%")
