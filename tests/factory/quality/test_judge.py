"""One value against one limit: exact, without rounding, honest about what a censored result proves."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.quality.amount import Amount, amount, over, shown, times
from cellwright.factory.quality.judge import judge
from cellwright.factory.quality.specification import Acceptance


def limit(operator: str, value: str = "", unit: str = "u", **more: Decimal) -> Acceptance:
    return Acceptance(operator=operator, limit=value, unit=unit, **more)  # type: ignore[arg-type]


def verdict(value: str, against: Acceptance, unit: str = "u") -> tuple[str, str]:
    found = judge("test", value, unit, against)
    return found.verdict, found.why


@pytest.mark.requirement("R101")
@pytest.mark.parametrize(
    ("value", "operator", "bound", "expected"),
    [
        ("4.999999999999999999", "<", "5", "pass"),
        ("5", "<", "5", "fail"),
        ("5.0", "<=", "5", "pass"),
        ("5.000000000000000001", "<=", "5", "fail"),
        ("69.6", ">=", "70", "fail"),  # 70 if it were rounded to the digits of the limit: it is not
        ("69.99999999999999999999", ">=", "70", "fail"),
        ("70", ">=", "70", "pass"),
        ("70", ">", "70", "fail"),
        ("0.3", "==", "0.30", "pass"),
        ("1e2", "==", "100", "pass"),
    ],
)
def test_limits_are_exact(value: str, operator: str, bound: str, expected: str) -> None:
    assert verdict(value, limit(operator, bound))[0] == expected


def test_both_ends_of_a_range_are_inside() -> None:
    band = limit("between", low=Decimal("2e5"), high=Decimal("5e6"))
    assert [verdict(v, band)[0] for v in ("199999", "200000", "5000000", "5000001")] == ["fail", "pass", "pass", "fail"]


# D17, R104: "<x" counts as x. It proves a pass, never a fail.
@pytest.mark.requirement("R104")
@pytest.mark.parametrize(
    ("value", "operator", "bound", "expected"),
    [
        ("<0.5", "<=", "0.5", "pass"),
        ("<0.5", "<", "0.5", "not_shown_to_comply"),
        ("<3.5", "<=", "0.5", "not_shown_to_comply"),
        ("<60", ">=", "70", "not_shown_to_comply"),
        ("<90", ">=", "70", "not_shown_to_comply"),
        (">800", ">", "50", "pass"),
        (">40", ">", "50", "not_shown_to_comply"),
        (">0.1", "<=", "0.5", "not_shown_to_comply"),
        (">0.5", "<=", "0.5", "fail"),
        ("<5", "==", "5", "not_shown_to_comply"),
    ],
)
def test_censored_results(value: str, operator: str, bound: str, expected: str) -> None:
    assert verdict(value, limit(operator, bound))[0] == expected


def test_a_censored_result_is_judged_at_both_ends_of_a_range() -> None:
    band = limit("between", low=Decimal(10), high=Decimal(20))
    assert verdict("<15", band)[0] == "not_shown_to_comply"
    assert verdict(">25", band)[0] == "fail"


@pytest.mark.parametrize(
    ("value", "bound", "expected"),
    [
        ("negative", "sterile", "pass"),
        ("absent", "negative", "pass"),
        ("growth", "negative", "fail"),
        ("positive", "positive", "pass"),
        ("not_detected", "positive", "fail"),
        ("does_not_conform", "conforms", "fail"),
        ("negative", "conforms", "not_evaluable"),
        ("probably negative", "negative", "not_evaluable"),
        ("0", "negative", "not_evaluable"),
        ("negative_to_date", "negative", "not_evaluable"),
    ],
)
def test_words(value: str, bound: str, expected: str) -> None:
    assert verdict(value, limit("==", bound, unit=""), unit="")[0] == expected


@pytest.mark.parametrize("value", ["", "NaN", "inf", "1,5", "٣", "1 000", "0x10", "--1", "1e999", "<", "9" * 50, "1_0"])
def test_what_is_no_figure_proves_nothing(value: str) -> None:
    assert verdict(value, limit("<=", "5")) == ("not_evaluable", "value-not-understood")


def test_units_are_never_guessed() -> None:
    assert verdict("0.3", limit("<=", "0.5", unit="EU/mL"), unit="EU/kg") == ("not_evaluable", "unit-differs")
    assert verdict("-1", limit("<=", "5")) == ("not_evaluable", "value-negative")


def test_what_is_only_reported_must_be_a_statement() -> None:
    assert verdict("12.5", limit("report"))[0] == "pass"
    assert verdict("no idea", limit("report"))[0] == "not_evaluable"
    assert verdict("12.5", limit("report"), unit="other")[0] == "not_evaluable"


DECIMALS = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=6)


@settings(deadline=None, max_examples=200)
@given(value=DECIMALS, bound=DECIMALS, operator=st.sampled_from(["<", "<=", ">", ">="]))
def test_a_figure_passes_or_fails_as_the_decimals_compare(value: Decimal, bound: Decimal, operator: str) -> None:
    holds = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[operator]
    assert verdict(str(value), limit(operator, str(bound)))[0] == ("pass" if holds else "fail")


@settings(deadline=None, max_examples=300)
@given(x=DECIMALS, bound=DECIMALS, part=st.fractions(0, 1), operator=st.sampled_from(["<", "<=", ">", ">="]))
def test_a_censored_pass_holds_for_every_value_it_stands_for(
    x: Decimal, bound: Decimal, part: Fraction, operator: str
) -> None:
    said = verdict(f"<{x}", limit(operator, str(bound)))[0]
    assert said in ("pass", "not_shown_to_comply")
    possible = Fraction(x) * part * Fraction(999, 1000)
    if said == "pass" and possible < Fraction(x):
        compared = {"<": possible < bound, "<=": possible <= bound, ">": possible > bound, ">=": possible >= bound}
        assert compared[operator]


def test_arithmetic_keeps_the_side_of_the_bound() -> None:
    a, b = Amount(Fraction(6), "<"), Amount(Fraction(2))
    assert str(times(a, b)) == "<12"
    assert str(over(b, a)) == ">0.333333"
    assert over(a, a) is None, "below over below could be anything"
    assert times(a, Amount(Fraction(2), ">")) is None
    assert over(b, Amount(Fraction(0))) is None


@pytest.mark.parametrize(
    ("value", "printed"), [("1/3", "0.333333"), ("5", "5"), ("5000000", "5000000"), ("1749/120", "14.575"), ("0", "0")]
)
def test_print_of_a_value(value: str, printed: str) -> None:
    assert shown(Fraction(value)) == printed


def test_a_reported_number_keeps_its_value() -> None:
    assert amount("<0.05") == Amount(Fraction(1, 20), "<")
    assert amount(">8e2") == Amount(Fraction(800), ">")
