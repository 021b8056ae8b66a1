"""Eligibility in three-valued logic: what is not known is not passed, and what is known stays known."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cellwright.factory.definition import ASSUMED, Broken, Text, read
from cellwright.factory.rule import Refusal
from cellwright.factory.trial import Evidence, Protocol, ages_on, judge, read_evidence, write_evidence
from cellwright.factory.trial.eligibility import Missing, truth
from cellwright.factory.trial.evidence import Finding, Signed
from cellwright.factory.trial.kleene import Truth, choice, conjunction, disjunction, negation, threshold
from cellwright.factory.trial.protocol import (
    Age,
    AtLeast,
    Attest,
    Criterion,
    Event,
    Has,
    Lab,
    Measured,
    PriorProduct,
    Rule,
)

T = Text(en="x", zh="某")
TRUTHS: tuple[Truth, ...] = (True, False, None)


def worlds(values: tuple[Truth, ...]) -> list[tuple[bool, ...]]:
    """Every way the unknown values may turn out."""
    return list(product(*[(True, False) if v is None else (v,) for v in values]))


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_kleene_says_only_what_no_outcome_of_the_unknown_contradicts(size: int) -> None:
    for values in product(TRUTHS, repeat=size):
        for answer, classical in (
            (conjunction(values), {all(w) for w in worlds(values)}),
            (disjunction(values), {any(w) for w in worlds(values)}),
            *((threshold(n, values), {sum(w) >= n for w in worlds(values)}) for n in range(1, size + 1)),
        ):
            assert answer == (classical.pop() if len(classical) == 1 else None)


def test_negation_and_choice() -> None:
    assert [negation(v) for v in TRUTHS] == [False, True, None]
    for condition, then, otherwise in product(TRUTHS, repeat=3):
        got = choice(condition, then, otherwise)
        assert got == (then if condition else otherwise if condition is False else then if then == otherwise else None)


# --- age -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "day", "ages"),
    [
        (date(2000, 6, 15), date(2025, 6, 14), (24,)),
        (date(2000, 6, 15), date(2025, 6, 15), (25,)),
        (date(2000, 6, 15), date(2026, 6, 14), (25,)),
        (date(2000, 6, 15), date(2026, 6, 15), (26,)),
        (date(2000, 2, 29), date(2025, 2, 27), (24,)),
        (date(2000, 2, 29), date(2025, 2, 28), (24, 25)),
        (date(2000, 2, 29), date(2025, 3, 1), (25,)),
        (date(2000, 2, 29), date(2024, 2, 28), (23,)),
        (date(2000, 2, 29), date(2024, 2, 29), (24,)),
        (date(1896, 2, 29), date(1900, 2, 28), (3, 4)),
        (date(2000, 6, 15), date(2000, 6, 15), (0,)),
    ],
)
def test_completed_years(born: date, day: date, ages: tuple[int, ...]) -> None:
    assert ages_on(born, day) == ages


def test_nobody_has_an_age_before_birth() -> None:
    with pytest.raises(ValueError):
        ages_on(date(2000, 1, 2), date(2000, 1, 1))


@pytest.mark.parametrize(
    ("day", "under_25", "up_to_25"),
    [
        (date(2025, 6, 14), True, True),
        (date(2025, 6, 15), False, True),
        (date(2026, 6, 14), False, True),
        (date(2026, 6, 15), False, False),
    ],
)
def test_the_two_readings_of_25_differ_for_one_year(day: date, under_25: bool, up_to_25: bool) -> None:
    evidence = Evidence(ages={"consent": ages_on(date(2000, 6, 15), day)})
    assert truth(Rule(age=Age(op="<", years=25, at="consent")), evidence) is under_25
    assert truth(Rule(age=Age(op="<=", years=25, at="consent")), evidence) is up_to_25


def test_a_leap_day_birthday_is_unknown_only_where_it_matters() -> None:
    evidence = Evidence(ages={"consent": ages_on(date(2000, 2, 29), date(2025, 2, 28))})
    assert truth(Rule(age=Age(op="<", years=25, at="consent")), evidence) is None
    assert truth(Rule(age=Age(op="<=", years=25, at="consent")), evidence) is True
    assert truth(Rule(age=Age(op="<", years=18, at="consent")), evidence) is False


# --- leaves ----------------------------------------------------------------------------------------------------------

CONSENT = date(2026, 3, 2)


def finding(value: str, on: date | None = None, unit: str = "", **days: date) -> Evidence:
    return Evidence(findings={"x": Finding(value=value, unit=unit, on=on)}, days=days)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (CONSENT - timedelta(days=28), True),
        (CONSENT - timedelta(days=29), None),
        (CONSENT, True),
        (CONSENT + timedelta(days=1), None),
        (None, None),
    ],
)
def test_a_finding_counts_inside_its_window_only(on: date | None, expected: Truth) -> None:
    for rule, value in (
        (Rule(lab=Lab(test="x", result="negative", within="P28D", before="enrolment")), "negative"),
        (Rule(has=Has(var="x", within="P28D", before="enrolment")), "yes"),
        (Rule(measured=Measured(var="x", op=">", value=Decimal(1), unit="", within="P28D",
                                before="enrolment")), "2"),
    ):  # fmt: skip
        assert truth(rule, finding(value, on, enrolment=CONSENT)) is expected
        assert truth(rule, finding(value, on)) is None, "the moment has no day yet"


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        (">=", "70", True),
        (">", "70", False),
        ("<=", "70.0", True),
        ("<", "69.9", True),
        ("==", "70", True),
        ("<", "70", False),
    ],
)
def test_numbers_are_compared_exactly(op: str, value: str, expected: bool) -> None:
    rule = Rule(measured=Measured(var="x", op=op, value=Decimal("70"), unit="%"))  # type: ignore[arg-type]
    assert truth(rule, finding(value, unit="%")) is expected
    assert truth(rule, finding(value, unit="mg")) is None, "another unit proves nothing"
    assert truth(rule, finding("about 70", unit="%")) is None


def test_findings_have_codes_and_laboratory_tests_have_two_answers() -> None:
    status = Rule(has=Has(var="x", code="relapsed"))
    assert truth(status, finding("refractory, relapsed")) is True
    assert truth(status, finding("refractory")) is False
    assert truth(Rule(has=Has(var="x")), finding("perhaps")) is None
    lab = Rule(lab=Lab(test="x", result="positive"))
    assert [truth(lab, finding(v)) for v in ("positive", "negative", "borderline")] == [True, False, None]


def test_a_prior_product_and_a_judgement() -> None:
    prior = Rule(prior_product=PriorProduct(product="CAR-T-19"))
    assert [truth(prior, Evidence(prior=p)) for p in ({"CAR-T-19": True}, {"CAR-T-19": False}, {"EAL": True})] == [
        True, False, None,
    ]  # fmt: skip
    signed = Rule(attest=Attest(statement="fit", by="physician"))
    assert [truth(signed, Evidence(attested=a)) for a in (
        {"fit": Signed(holds=True, by="physician")}, {"fit": Signed(holds=False, by="physician")}, {},
        {"fit": Signed(holds=True)}, {"fit": Signed(holds=True, by="coordinator")},
    )] == [True, False, None, None, None]  # fmt: skip


# --- verdicts --------------------------------------------------------------------------------------------------------


def protocol(*criteria: tuple[str, Rule]) -> Protocol:
    made = tuple(
        Criterion(label=f"{kind[0].upper()}{n}", kind=kind, evaluability="machine", text=T, rule=rule, basis=ASSUMED)  # type: ignore[arg-type]
        for n, (kind, rule) in enumerate(criteria, 1)
    )
    return Protocol(id="p", version="1", title=T, product="x", complete=True, scope=T, criteria=made, basis=ASSUMED)


HIV = Rule(lab=Lab(test="HIV_Ab", result="positive"))


def test_a_missing_exclusion_test_never_passes() -> None:
    judged = judge(protocol(("exclusion", HIV)), Evidence())
    assert judged.verdict == "unknown"
    assert judged.unknown == ("E1",)
    assert judged.missing == (Missing(name="HIV_Ab", why="absent"),)
    negative = Evidence(findings={"HIV_Ab": Finding(value="negative")})
    assert judge(protocol(("exclusion", HIV)), negative).verdict == "eligible"
    positive = Evidence(findings={"HIV_Ab": Finding(value="positive")})
    assert judge(protocol(("exclusion", HIV)), positive).failed == ("E1",)


def test_one_failure_decides_although_others_are_unknown() -> None:
    asked = protocol(("inclusion", Rule(has=Has(var="dx", code="B-ALL"))), ("exclusion", HIV))
    judged = judge(asked, Evidence(findings={"dx": Finding(value="AML")}))
    assert judged.verdict == "not_eligible"
    assert (judged.failed, judged.unknown) == (("I1",), ("E2",))


def test_only_what_still_matters_is_asked_for() -> None:
    either = Rule(any=(Rule(has=Has(var="a")), Rule(has=Has(var="b"))))
    both = Rule(all=(either, Rule(attest=Attest(statement="fit", by="physician"))))
    judged = judge(protocol(("inclusion", both)), Evidence(findings={"a": Finding(value="yes")}))
    assert [m.name for m in judged.missing] == ["fit"], "b cannot change anything any more"
    assert judged.missing[0].by == "physician"
    lines = judged.criteria[0].lines
    assert [(line.depth, line.rule, line.truth) for line in lines] == [
        (0, "all", None), (1, "any", True), (2, "a", True), (2, "b", None), (1, "fit (physician)", None),
    ]  # fmt: skip
    assert lines[2].found == "yes"


def test_a_choice_asks_for_its_condition_first() -> None:
    rule = Rule(
        condition=Rule(age=Age(op=">=", years=16, at="consent")),
        then=Rule(measured=Measured(var="karnofsky", op=">=", value=Decimal(70), unit="%")),
        otherwise=Rule(measured=Measured(var="lansky", op=">=", value=Decimal(50), unit="%")),
    )
    asked = protocol(("inclusion", rule))
    assert [m.name for m in judge(asked, Evidence()).missing] == ["age@consent", "karnofsky", "lansky"]
    child = Evidence(ages={"consent": (12,)})
    assert [m.name for m in judge(asked, child).missing] == ["lansky"]
    fit = replace(child, findings={"lansky": Finding(value="80", unit="%")})
    assert judge(asked, fit).verdict == "eligible"
    without = Rule(condition=rule.condition, then=rule.then)
    assert truth(without, child) is True, "nothing is asked of a child"


@pytest.mark.parametrize(("known", "verdict"), [(1, "unknown"), (2, "eligible")])
def test_at_least(known: int, verdict: str) -> None:
    rule = Rule(at_least=AtLeast(n=2, of=tuple(Rule(has=Has(var=v)) for v in "abc")))
    evidence = Evidence(findings={v: Finding(value="yes") for v in "abc"[:known]})
    assert judge(protocol(("inclusion", rule)), evidence).verdict == verdict


# --- properties ------------------------------------------------------------------------------------------------------

LEAVES = st.one_of(
    st.builds(lambda v: Rule(has=Has(var=v)), st.sampled_from("abc")),
    st.builds(
        lambda v, r: Rule(lab=Lab(test=v, result=r)), st.sampled_from("de"), st.sampled_from(("positive", "negative"))
    ),
    st.builds(lambda op: Rule(age=Age(op=op, years=25, at="consent")), st.sampled_from(("<", "<=", ">=", ">", "=="))),
    st.just(Rule(prior_product=PriorProduct(product="P"))),
    st.just(Rule(attest=Attest(statement="s", by="physician"))),
    st.just(Rule(has=Has(var="f", within="P7D", before="enrolment"))),
    st.builds(
        lambda op, unit, at, method: Rule(
            measured=Measured(var="m", op=op, value=Decimal(3), unit=unit, at=at, method=method)
        ),
        st.sampled_from(("<=", ">", "==")),
        st.sampled_from(("g/dL", "g/L")),
        st.sampled_from((None, "screening")),
        st.sampled_from(("", "BCG")),
    ),
    st.builds(
        lambda span: Rule(event=Event(var="g", within=span, before="screening")), st.sampled_from((None, "P3M", "P12W"))
    ),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda many: Rule(all=tuple(many)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda many: Rule(any=tuple(many)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one: Rule(negated=one), inner),
        st.builds(lambda many: Rule(at_least=AtLeast(n=(len(many) + 1) // 2, of=tuple(many))),
                  st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda a, b, c: Rule(condition=a, then=b, otherwise=c), inner, inner, st.none() | inner),
    ),
    max_leaves=8,
)  # fmt: skip
WHOLE = {
    **{v: st.sampled_from(("yes", "no")) for v in "abc"},
    **{v: st.sampled_from(("positive", "negative")) for v in "de"},
    "f": st.sampled_from(("yes", "no")),
    "f.on": st.sampled_from(("2026-03-01", "2026-02-20")),
    "on.enrolment": st.just("2026-03-02"),
    "age@consent": st.sampled_from(("24", "25", "26")),
    "prior.P": st.sampled_from(("infused", "not_infused")),
    "attest.s": st.sampled_from(("yes", "no")),
    "attest.s.by": st.just("physician"),
    "m": st.sampled_from(("2.9", "30", "31")),
    "m.unit": st.sampled_from(("g/dL", "g/L", "mmol/L")),
    "m.at": st.sampled_from(("screening", "consent")),
    "m.method": st.sampled_from(("BCG", "BCP")),
    "g": st.sampled_from(("yes", "no", "ongoing")),
    "g.on": st.sampled_from(("2026-02-28", "2025-11-30", "2025-12-01", "2026-03-09")),
    "on.screening": st.just("2026-02-28"),
}
FACETS = {"f.on": "f", "attest.s.by": "attest.s", "m.unit": "m", "m.at": "m", "m.method": "m", "g.on": "g"}
"""What belongs to a fact and is not understood without it."""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("inclusion", "exclusion")), RULES), min_size=1, max_size=4),
       st.fixed_dictionaries(WHOLE), st.permutations(sorted(WHOLE)))  # fmt: skip
def test_adding_a_known_fact_never_turns_a_verdict_back(
    criteria: list[tuple[str, Rule]], whole: dict[str, str], order: list[str]
) -> None:
    asked = protocol(*criteria)
    known: dict[str, str] = {}
    before = judge(asked, Evidence())
    for key in sorted(order, key=lambda k: (k in FACETS, order.index(k))):
        known[key] = whole[key]
        after = judge(asked, read_evidence(known))
        for old, new in zip(before.criteria, after.criteria, strict=True):
            assert old.truth is None or old.truth == new.truth
        assert before.verdict == "unknown" or before.verdict == after.verdict
        before = after


@settings(max_examples=200, deadline=None)
@given(RULES, st.fixed_dictionaries(WHOLE), st.sets(st.sampled_from(sorted(WHOLE))))
def test_a_verdict_agrees_with_every_way_the_unknown_may_turn_out(
    rule: Rule, whole: dict[str, str], hidden: set[str]
) -> None:
    hidden |= {facet for facet, fact in FACETS.items() if fact in hidden}
    known = truth(rule, read_evidence({k: v for k, v in whole.items() if k not in hidden}))
    assert known is None or known == truth(rule, read_evidence(whole))


@given(st.fixed_dictionaries({}, optional=WHOLE))
def test_evidence_survives_its_flat_form(flat: dict[str, str]) -> None:
    flat = {key: value for key, value in flat.items() if FACETS.get(key, key) in flat}
    assert write_evidence(read_evidence(flat)) == dict(sorted(flat.items()))


def test_the_flat_form_keeps_units_days_and_open_birthdays() -> None:
    evidence = Evidence(ages={"consent": (24, 25)}, findings={"x": Finding(value="80", unit="%", on=CONSENT)})
    assert read_evidence(write_evidence(evidence)) == evidence


@pytest.mark.parametrize(
    "flat",
    [
        {"age@consent": "twelve"}, {"age@birth": "12"}, {"age@consent": "-1"}, {"on.enrolment": "2026-02-30"},
        {"on.breakfast": "2026-02-03"}, {"prior.P": "maybe"}, {"attest.s": "true"}, {"x.unit": "%"}, {"x": " "},
        {"x": "1", "x.on": "yesterday"}, {"x": "1", "x.colour": "red"},
    ],
)  # fmt: skip
def test_evidence_that_is_not_understood_is_refused(flat: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        read_evidence(flat)
    assert caught.value.code == "evidence-not-understood"
    assert str(caught.value)


# --- files -----------------------------------------------------------------------------------------------------------

HEAD = """\
id: p
version: "1"
title: {en: T, zh: 题}
product: x
complete: true
scope: {en: All., zh: 全部。}
basis: {grade: X}
criteria:
"""
ROW = "  - {{label: {label}, kind: inclusion, evaluability: machine, text: {{en: a, zh: 甲}}, basis: {{grade: X}}, rule: {rule}}}\n"


def test_rules_are_written_as_the_manual_says() -> None:
    rules = [
        "{all: [{has: {var: dx, code: B-ALL}}, {not: {lab: {test: HIV, is: positive}}}]}",
        '{if: {age: {op: ">=", years: 16, at: consent}}, then: {has: {var: a}}, else: {has: {var: b}}}',
        "{at_least: {n: 1, of: [{attest: {statement: fit, by: physician}}]}}",
        '{measured: {var: x, op: ">=", value: "70", unit: "%", within: P28D, before: enrolment}}',
        "{prior_product: {product: CAR-T-19}}",
    ]
    got = read(Protocol, HEAD + "".join(ROW.format(label=f"I{n}", rule=r) for n, r in enumerate(rules)))
    assert len(got.criteria) == 5
    assert got.criteria[0].rule.all is not None
    assert judge(got, Evidence()).verdict == "unknown"


def test_every_mistake_in_the_rules_is_told_with_its_line() -> None:
    rules = [
        "{}",
        "{has: {var: a}, lab: {test: b, is: positive}}",
        "{if: {has: {var: a}}}",
        "{then: {has: {var: a}}}",
        "{at_least: {n: 3, of: [{has: {var: a}}, {}]}}",
        "{lab: {test: a, is: maybe}}",
        "{lab: {test: a, is: positive, within: P9D}}",
        "{any: []}",
        "{not: {all: [{or: []}]}}",
    ]
    text = HEAD + "".join(ROW.format(label="I1" if n < 2 else f"I{n}", rule=r) for n, r in enumerate(rules))
    with pytest.raises(Broken) as caught:
        read(Protocol, text, "p.yaml")
    lines = [p.line for p in caught.value.problems]
    assert sorted(set(lines)) == [*range(9, 18)]
    assert [p.where for p in caught.value.problems if p.line == 10] == ["criteria[1].label", "criteria[1].rule"]


def test_a_protocol_that_is_not_all_public_needs_somebody_who_attests_the_rest() -> None:
    text = (HEAD + ROW.format(label="I1", rule="{has: {var: a}}")).replace("complete: true", "complete: false")
    with pytest.raises(Broken) as caught:
        read(Protocol, text)
    assert [p.line for p in caught.value.problems] == [5]
    read(Protocol, text + ROW.format(label="I2", rule="{attest: {statement: rest, by: physician}}"))
