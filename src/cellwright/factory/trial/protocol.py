"""The file of a trial protocol: criteria with the words of the source, and a rule where a machine can judge.

A rule is a tree. Leaves name what is measured, in which unit, when and how fresh it must be; branches are `all`, `any`,
`not`, `at_least` and `if`. Each rule in a file has exactly one of these forms:

    {all: [...]}  {any: [...]}  {not: {...}}  {at_least: {n: 2, of: [...]}}  {if: {...}, then: {...}, else: {...}}
    {age: {op: "<=", years: 25, at: consent}}
    {measured: {var: karnofsky, op: ">=", value: "70", unit: "%", within: P28D, before: enrolment}}
    {has: {var: diagnosis, code: B-ALL}}
    {lab: {test: HBsAg, is: positive}}
    {prior_product: {product: CAR-T-19, outcome: infused}}
    {attest: {statement: life_expectancy_weeks_ge_12, by: physician}}
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cellwright.factory.definition import Basis, Count, Definition, Entry, Flaw, Name, Path, Text, repeated

Operator = Literal["<", "<=", "==", ">=", ">"]
Moment = Literal["screening", "consent", "enrolment", "collection", "infusion"]
"""Clocks of a patient's way; a rule says which of them it is judged at."""


class Age(Entry):
    """Completed years of life on the day of a moment, in the site's zone (see `eligibility.age_on`)."""

    op: Operator
    years: Annotated[int, Meta(ge=0, le=150)]
    at: Moment


class Measured(Entry):
    """A number measured, in a unit, not older than a window before a moment."""

    var: Name
    op: Operator
    value: Decimal
    unit: str
    within: timedelta | None = None
    before: Moment | None = None


class Has(Entry):
    """Something that is so or not: a finding, or one of the codes of a variable."""

    var: Name
    code: str = ""
    within: timedelta | None = None
    before: Moment | None = None


class Lab(Entry):
    """A laboratory test with a positive or negative answer."""

    test: Name
    result: Literal["positive", "negative"] = msgspec.field(name="is")
    within: timedelta | None = None
    before: Moment | None = None


class PriorProduct(Entry):
    """A product given before, read from the chain of identity or attested with its document (D13)."""

    product: Name
    outcome: Literal["infused"] = "infused"


class Attest(Entry):
    """A judgement that a named role signs for."""

    statement: Name
    by: Name


class AtLeast(Entry):
    n: Count
    of: tuple["Rule", ...]


class Rule(Entry):
    """A condition; exactly one of the forms is set (`if` together with `then`, and `else` where it is needed)."""

    all: Annotated[tuple["Rule", ...], Meta(min_length=1)] | None = None
    any: Annotated[tuple["Rule", ...], Meta(min_length=1)] | None = None
    negated: "Rule | None" = msgspec.field(default=None, name="not")
    at_least: AtLeast | None = None
    condition: "Rule | None" = msgspec.field(default=None, name="if")
    then: "Rule | None" = None
    otherwise: "Rule | None" = msgspec.field(default=None, name="else")
    age: Age | None = None
    measured: Measured | None = None
    has: Has | None = None
    lab: Lab | None = None
    prior_product: PriorProduct | None = None
    attest: Attest | None = None


class Criterion(Entry):
    """One criterion: an inclusion must be true, an exclusion must be false; neither may stay unknown."""

    label: Name
    kind: Literal["inclusion", "exclusion"]
    evaluability: Literal["machine", "attest"]
    text: Text
    rule: Rule
    basis: Basis
    note: Text | None = None
    """What the encoding had to decide that the source leaves open."""


class Protocol(Definition):
    """A protocol version as far as it is public. `complete` says whether its criteria are all here."""

    title: Text
    product: Name
    registration: str = ""
    """Number in a public register; empty if none was found."""
    register: str = ""
    phase: str = ""
    planned: Count | None = None
    complete: bool
    scope: Text
    """What this file covers and what it does not; shown with every verdict."""
    criteria: Annotated[tuple[Criterion, ...], Meta(min_length=1)]
    assumptions: tuple[Text, ...] = ()
    basis: Basis

    def check(self) -> Iterator[Flaw]:
        for index, name in repeated(criterion.label for criterion in self.criteria):
            path = ("criteria", index, "label")
            yield Flaw(path, "The criterion {name} stands here again.", expected="each label once", name=name)
        for index, criterion in enumerate(self.criteria):
            yield from _form(criterion.rule, ("criteria", index, "rule"))
        if not self.complete and not any(criterion.rule.attest for criterion in self.criteria):
            yield Flaw(
                ("complete",),
                "The protocol is not complete here, and nobody attests the rest of it.",
                expected="a criterion with an `attest` rule for the criteria that are not public",
            )


FORMS = ("all", "any", "not", "at_least", "if", "age", "measured", "has", "lab", "prior_product", "attest")


def form(rule: Rule) -> str:
    """The name of the form a rule has, as it is written in the file."""
    return next(name for name, value in _parts(rule) if value is not None)


def _parts(rule: Rule) -> tuple[tuple[str, object], ...]:
    return (
        ("all", rule.all),
        ("any", rule.any),
        ("not", rule.negated),
        ("at_least", rule.at_least),
        ("if", rule.condition),
        ("age", rule.age),
        ("measured", rule.measured),
        ("has", rule.has),
        ("lab", rule.lab),
        ("prior_product", rule.prior_product),
        ("attest", rule.attest),
    )


def branches(rule: Rule, path: Path = ()) -> Iterator[tuple[Path, Rule]]:
    """The rules directly inside a rule, with their paths in the file."""
    for name, many in (("all", rule.all), ("any", rule.any)):
        yield from (((*path, name, index), inner) for index, inner in enumerate(many or ()))
    if rule.at_least is not None:
        yield from (((*path, "at_least", "of", index), inner) for index, inner in enumerate(rule.at_least.of))
    for name, one in (("not", rule.negated), ("if", rule.condition), ("then", rule.then), ("else", rule.otherwise)):
        if one is not None:
            yield (*path, name), one


def attested(protocol: Protocol) -> Iterator[tuple[Path, Attest]]:
    """Every judgement that somebody signs for, with its path in the file."""
    ahead: list[tuple[Path, Rule]] = [(("criteria", n, "rule"), c.rule) for n, c in enumerate(protocol.criteria)]
    while ahead:
        path, rule = ahead.pop(0)
        if rule.attest is not None:
            yield (*path, "attest"), rule.attest
        ahead += branches(rule, path)


def _form(rule: Rule, path: Path) -> Iterator[Flaw]:
    set_ = [name for name, value in _parts(rule) if value is not None]
    if len(set_) != 1:
        yield Flaw(
            path,
            "The rule has the forms {found}.",
            expected="exactly one of: {known}",
            found=", ".join(set_) or "none",
            known=", ".join(FORMS),
        )
    if (rule.condition is None) != (rule.then is None) or (rule.otherwise is not None and rule.condition is None):
        yield Flaw(
            path, "`if`, `then` and `else` do not belong together here.", expected="if, then and, if needed, else"
        )
    if rule.at_least is not None and rule.at_least.n > len(rule.at_least.of):
        what = "{n} of {of} rules cannot hold."
        n, of = rule.at_least.n, len(rule.at_least.of)
        yield Flaw((*path, "at_least", "n"), what, expected="n up to the number of rules", n=n, of=of)
    for leaf, value in (("measured", rule.measured), ("has", rule.has), ("lab", rule.lab)):
        if value is not None and (value.within is None) != (value.before is None):
            yield Flaw((*path, leaf), "A window needs both ends.", expected="both `within` and `before`, or neither")
    for inner_path, inner in branches(rule, path):
        yield from _form(inner, inner_path)
