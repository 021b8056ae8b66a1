"""The file of a trial protocol: criteria with the words of the source, and a rule where a machine can judge.

A rule is a tree. Leaves name what is measured, in which unit, when and how fresh it must be; branches are `all`, `any`,
`not`, `at_least` and `if`. Each rule in a file has exactly one of these forms:

    {all: [...]}  {any: [...]}  {not: {...}}  {at_least: {n: 2, of: [...]}}  {if: {...}, then: {...}, else: {...}}
    {age: {op: "<=", years: 25, at: consent}}
    {measured: {var: karnofsky, op: ">=", value: "70", unit: "%", within: P28D, before: enrolment}}
    {measured: {var: egfr, method: CKD-EPIcr, op: "<", value: "30", unit: "mL/min/{1.73_m2}", at: screening}}
    {has: {var: diagnosis, code: B-ALL}}
    {event: {var: immunosuppressant, within: P12W, before: consent}}
    {lab: {test: HBsAg, is: positive}}
    {prior_product: {product: CAR-T-19, outcome: infused}}
    {attest: {statement: life_expectancy_weeks_ge_12, by: physician}}
"""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cellwright.factory.definition import Basis, Count, Definition, Entry, Flaw, Name, Path, Text, repeated
from cellwright.factory.trial import unit
from cellwright.factory.trial.window import Span
from cellwright.language import N_

Operator = Literal["<", "<=", "==", ">=", ">"]
Moment = Literal["screening", "consent", "enrolment", "collection", "infusion"]
"""Clocks of a patient's way; a rule says which of them it is judged at."""


class Age(Entry):
    """Completed years of life on the day of a moment, in the site's zone (see `eligibility.age_on`)."""

    op: Operator
    years: Annotated[int, Meta(ge=0, le=150)]
    at: Moment


class Measured(Entry):
    """A number measured, in a unit, by a method, at a moment or not older than a window before one."""

    var: Name
    op: Operator
    value: Decimal
    unit: str
    analyte: Name = ""
    """What the number is of, where a conversion needs its molar mass; the variable itself if nothing is said."""
    method: Name = ""
    """The method or formula that alone counts, for example `CKD-EPIcr`; any if nothing is said."""
    at: Moment | None = None
    within: Span | None = None
    before: Moment | None = None


class Has(Entry):
    """Something that is so or not: a finding, or one of the codes of a variable."""

    var: Name
    code: str = ""
    at: Moment | None = None
    within: Span | None = None
    before: Moment | None = None


class Event(Entry):
    """Something that happened to the patient before a moment, within a window or ever. The last time counts."""

    var: Name
    before: Moment
    within: Span | None = None


class Lab(Entry):
    """A laboratory test with a positive or negative answer."""

    test: Name
    result: Literal["positive", "negative"] = msgspec.field(name="is")
    at: Moment | None = None
    within: Span | None = None
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
    event: Event | None = None
    lab: Lab | None = None
    prior_product: PriorProduct | None = None
    attest: Attest | None = None


class Criterion(Entry):
    """One criterion: an inclusion must be true, an exclusion must be false; neither may stay unknown."""

    label: Name
    kind: Literal["inclusion", "exclusion"]
    evaluability: Literal["machine", "attest"]
    text: Text
    """The criterion in short words; the register's own text is found by `item`."""
    rule: Rule
    basis: Basis
    item: str = ""
    """Where the criterion stands in the register's text, for example `Inclusion 3`."""
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
            path = ("criteria", index, "rule")
            yield from _form(criterion.rule, path)
            if criterion.evaluability == "attest" and not any(_attests(criterion.rule)):
                what, expected = (
                    N_("The criterion {name} is named a judgement, and nobody attests it."),
                    N_("an `attest` rule"),
                )
                yield Flaw(path, what, expected=expected, name=criterion.label)
        if not self.complete and not any(criterion.rule.attest for criterion in self.criteria):
            yield Flaw(
                ("complete",),
                "The protocol is not complete here, and nobody attests the rest of it.",
                expected="a criterion with an `attest` rule for the criteria that are not public",
            )


def rule_sha256(rule: Rule) -> str:
    """The hash of a rule's meaning: SHA-256 (hex) of its canonical form, whatever the file's spacing and order."""
    return sha256(msgspec.json.encode(rule, order="sorted")).hexdigest()


def _attests(rule: Rule) -> Iterator[bool]:
    yield rule.attest is not None
    for _path, inner in branches(rule):
        yield from _attests(inner)


FORMS = ("all", "any", "not", "at_least", "if", "age", "measured", "has", "event", "lab", "prior_product", "attest")


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
        ("event", rule.event),
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


def prior_products(protocol: Protocol) -> tuple[str, ...]:
    """The products whose infusion the protocol asks about, each once."""
    found: dict[str, None] = {}
    ahead = [criterion.rule for criterion in protocol.criteria]
    while ahead:
        rule = ahead.pop(0)
        if rule.prior_product is not None:
            found[rule.prior_product.product] = None
        ahead += [inner for _path, inner in branches(rule)]
    return tuple(found)


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
        what = N_("{n} of {of} rules cannot hold.")
        n, of = rule.at_least.n, len(rule.at_least.of)
        yield Flaw((*path, "at_least", "n"), what, expected="n up to the number of rules", n=n, of=of)
    for leaf, value in (("measured", rule.measured), ("has", rule.has), ("lab", rule.lab)):
        if value is not None and (value.within is None) != (value.before is None):
            yield Flaw((*path, leaf), "A window needs both ends.", expected="both `within` and `before`, or neither")
        if value is not None and value.at is not None and value.within is not None:
            yield Flaw((*path, leaf), "A finding is asked for at a moment and in a window.", expected="one of the two")
    if rule.measured is not None and not unit.known(rule.measured.unit):
        what, expected = N_("The unit {unit} is not in the table."), N_("a UCUM code of the table, for example g/L")
        yield Flaw((*path, "measured", "unit"), what, expected=expected, unit=rule.measured.unit)
    for inner_path, inner in branches(rule, path):
        yield from _form(inner, inner_path)
