"""Eligibility: a protocol's criteria judged against what is known, with an explanation and what to find out next.

Eligible means: every inclusion is true and every exclusion is false. One inclusion that is false or one exclusion that
is true makes the patient not eligible, whatever else is unknown. Anything in between is unknown, and unknown never
enrols: a missing test does not pass an exclusion (Law 6). Adding a known fact never turns a verdict back to unknown.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any, Final, Literal

from cellwright.factory.record import Immutable
from cellwright.factory.trial.evidence import Evidence, Finding
from cellwright.factory.trial.kleene import Truth, choice, conjunction, disjunction, negation, threshold
from cellwright.factory.trial.protocol import Criterion, Has, Lab, Measured, Protocol, Rule

Verdict = Literal["eligible", "not_eligible", "unknown"]
Why = Literal["absent", "undated", "moment_unknown", "outside_window", "other_unit", "not_a_number", "calendar", "sign"]
"""Why a leaf is unknown: nothing recorded; no day; the moment itself has no day; too old, or after the moment; another
unit than the protocol's; not a number; two readings of the calendar; nobody has signed the judgement."""

_COMPARE: Final[dict[str, Any]] = {"<": lt, "<=": le, "==": eq, ">=": ge, ">": gt}


class Missing(Immutable):
    """What has to be found out: the name of a measurement, finding, age, product or judgement, and why it is open."""

    name: str
    why: Why
    by: str = ""
    """The role that signs, for a judgement."""


class Line(Immutable):
    """One node of an explanation: a rule in words, what was found, what follows."""

    depth: int
    rule: str
    """The rule in the field's signs, for example `karnofsky >= 70 %`; the same in both languages."""
    found: str
    truth: Truth
    missing: Missing | None = None


class CriterionResult(Immutable):
    """A criterion judged. `met` is None while it is unknown."""

    label: str
    kind: Literal["inclusion", "exclusion"]
    truth: Truth
    lines: tuple[Line, ...]

    @property
    def met(self) -> Truth:
        return self.truth if self.kind == "inclusion" else negation(self.truth)


class Judgement(Immutable):
    """The verdict of a protocol version, with everything it rests on."""

    verdict: Verdict
    protocol: str
    protocol_version: str
    protocol_sha256: str
    criteria: tuple[CriterionResult, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Labels of the criteria that speak against the patient."""
        return tuple(one.label for one in self.criteria if one.met is False)

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(one.label for one in self.criteria if one.met is None)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What to find out next: what still matters, each once, in the order of the protocol."""
        found = (line.missing for one in self.criteria if one.met is None for line in one.lines)
        return tuple(dict.fromkeys(missing for missing in found if missing is not None))


def judge(protocol: Protocol, evidence: Evidence) -> Judgement:
    """Judge a patient by a protocol."""
    results = tuple(_criterion(criterion, evidence) for criterion in protocol.criteria)
    met = conjunction(result.met for result in results)
    verdict: Verdict = "unknown" if met is None else "eligible" if met else "not_eligible"
    return Judgement(
        verdict=verdict,
        protocol=protocol.id,
        protocol_version=protocol.version,
        protocol_sha256=protocol.sha256,
        criteria=results,
    )


def _criterion(criterion: Criterion, evidence: Evidence) -> CriterionResult:
    tree = _tree(criterion.rule, evidence)
    return CriterionResult(label=criterion.label, kind=criterion.kind, truth=tree.truth, lines=tuple(_lines(tree, 0)))


class _Node(Immutable):
    rule: str
    truth: Truth
    found: str = ""
    missing: Missing | None = None
    inner: tuple["_Node", ...] = ()


def _lines(node: _Node, depth: int, *, matters: bool = True) -> Iterator[Line]:
    """The tree as lines. What is unknown below a node that is known does not matter any more, and is not asked for."""
    matters = matters and node.truth is None
    missing = node.missing if matters else None
    yield Line(depth=depth, rule=node.rule, found=node.found, truth=node.truth, missing=missing)
    for inner in node.inner:
        yield from _lines(inner, depth + 1, matters=matters)


def truth(rule: Rule, evidence: Evidence) -> Truth:
    """The truth of one rule."""
    return _tree(rule, evidence).truth


def _tree(rule: Rule, evidence: Evidence) -> _Node:
    if rule.all is not None:
        inner = tuple(_tree(one, evidence) for one in rule.all)
        return _Node(rule="all", truth=conjunction(one.truth for one in inner), inner=inner)
    if rule.any is not None:
        inner = tuple(_tree(one, evidence) for one in rule.any)
        return _Node(rule="any", truth=disjunction(one.truth for one in inner), inner=inner)
    if rule.negated is not None:
        one = _tree(rule.negated, evidence)
        return _Node(rule="not", truth=negation(one.truth), inner=(one,))
    if rule.at_least is not None:
        inner = tuple(_tree(one, evidence) for one in rule.at_least.of)
        n = rule.at_least.n
        return _Node(rule=f"at least {n}", truth=threshold(n, (one.truth for one in inner)), inner=inner)
    if rule.condition is not None and rule.then is not None:
        return _choice(rule.condition, rule.then, rule.otherwise, evidence)
    return _leaf(rule, evidence)


def _choice(condition: Rule, then: Rule, otherwise: Rule | None, evidence: Evidence) -> _Node:
    asked, yes = _tree(condition, evidence), _tree(then, evidence)
    no = _Node(rule="else", truth=True) if otherwise is None else _tree(otherwise, evidence)
    inner = (asked, yes, no) if asked.truth is None else (asked, yes if asked.truth else no)
    return _Node(rule="if", truth=choice(asked.truth, yes.truth, no.truth), inner=inner)


def _leaf(rule: Rule, evidence: Evidence) -> _Node:
    if rule.age is not None:
        return _age(rule, evidence)
    if rule.measured is not None:
        return _measured(rule.measured, evidence)
    if rule.has is not None:
        return _has(rule.has, evidence)
    if rule.lab is not None:
        return _lab(rule.lab, evidence)
    if rule.prior_product is not None:
        wanted = rule.prior_product
        was = evidence.prior.get(wanted.product)
        missing = Missing(name=f"prior.{wanted.product}", why="absent") if was is None else None
        found = {True: "infused", False: "not_infused", None: "-"}[was]
        return _Node(rule=f"{wanted.product} {wanted.outcome}", truth=was, found=found, missing=missing)
    assert rule.attest is not None, "a checked protocol has one form in each rule"
    so = evidence.attested.get(rule.attest.statement)
    missing = Missing(name=rule.attest.statement, why="sign", by=rule.attest.by) if so is None else None
    found = {True: "yes", False: "no", None: "-"}[so]
    return _Node(rule=f"{rule.attest.statement} ({rule.attest.by})", truth=so, found=found, missing=missing)


def _age(rule: Rule, evidence: Evidence) -> _Node:
    assert rule.age is not None
    op, years, at = rule.age.op, rule.age.years, rule.age.at
    words = f"age at {at} {op} {years} a"
    ages = evidence.ages.get(at, ())
    answers = {bool(_COMPARE[op](age, years)) for age in ages}
    if len(answers) == 1:
        return _Node(rule=words, truth=answers.pop(), found="|".join(map(str, ages)))
    missing = Missing(name=f"age@{at}", why="calendar" if ages else "absent")
    return _Node(rule=words, truth=None, found="|".join(map(str, ages)) or "-", missing=missing)


def _window(within: timedelta | None, before: str | None) -> str:
    return "" if within is None else f" [{within.days} d, {before}]"


def _stale(finding: Finding, within: timedelta | None, before: str | None, evidence: Evidence) -> Why | None:
    """Why a finding does not count for its window, or None if it does."""
    if within is None or before is None:
        return None
    moment = evidence.days.get(before)
    if moment is None:
        return "moment_unknown"
    if finding.on is None:
        return "undated"
    return None if timedelta() <= moment - finding.on <= within else "outside_window"


def _shown(finding: Finding) -> str:
    day = f" ({finding.on})" if finding.on else ""
    return f"{finding.value} {finding.unit}".rstrip() + day


def _measured(rule: Measured, evidence: Evidence) -> _Node:
    words = f"{rule.var} {rule.op} {rule.value} {rule.unit}".rstrip() + _window(rule.within, rule.before)
    finding = evidence.findings.get(rule.var)
    if finding is None:
        return _Node(rule=words, truth=None, found="-", missing=Missing(name=rule.var, why="absent"))
    why: Why | None = _stale(finding, rule.within, rule.before, evidence)
    number: Decimal | None = finding.number
    if finding.unit != rule.unit:
        why = "other_unit"
    elif number is None:
        why = "not_a_number"
    if why is not None or number is None:
        missing = Missing(name=rule.var, why=why or "not_a_number")
        return _Node(rule=words, truth=None, found=_shown(finding), missing=missing)
    return _Node(rule=words, truth=bool(_COMPARE[rule.op](number, rule.value)), found=_shown(finding))


def _has(rule: Has, evidence: Evidence) -> _Node:
    words = f"{rule.var}{' = ' + rule.code if rule.code else ''}" + _window(rule.within, rule.before)
    finding = evidence.findings.get(rule.var)
    if finding is None:
        return _Node(rule=words, truth=None, found="-", missing=Missing(name=rule.var, why="absent"))
    why = _stale(finding, rule.within, rule.before, evidence)
    known = _coded(finding.value, rule.code) if rule.code else {"yes": True, "no": False}.get(finding.value)
    if why is not None or known is None:
        missing = Missing(name=rule.var, why=why or "absent")
        return _Node(rule=words, truth=None, found=_shown(finding), missing=missing)
    return _Node(rule=words, truth=known, found=_shown(finding))


def _coded(value: str, code: str) -> bool:
    return code in [one.strip() for one in value.split(",")]


def _lab(rule: Lab, evidence: Evidence) -> _Node:
    words = f"{rule.test} {rule.result}" + _window(rule.within, rule.before)
    finding = evidence.findings.get(rule.test)
    if finding is None:
        return _Node(rule=words, truth=None, found="-", missing=Missing(name=rule.test, why="absent"))
    why = _stale(finding, rule.within, rule.before, evidence)
    if why is not None or finding.value not in ("positive", "negative"):
        missing = Missing(name=rule.test, why=why or "absent")
        return _Node(rule=words, truth=None, found=_shown(finding), missing=missing)
    return _Node(rule=words, truth=finding.value == rule.result, found=_shown(finding))
