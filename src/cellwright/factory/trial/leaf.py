"""The leaves of a rule: what one asks of the evidence, what was found, and why it may still be open."""

from decimal import Decimal, localcontext
from fractions import Fraction
from operator import eq, ge, gt, le, lt
from typing import Any, Final, Literal

from cellwright.factory.record import Immutable
from cellwright.factory.trial.evidence import Evidence, Finding
from cellwright.factory.trial.kleene import Truth
from cellwright.factory.trial.protocol import Age, Attest, Event, Has, Lab, Measured, PriorProduct, Rule
from cellwright.factory.trial.unit import canonical, convert
from cellwright.factory.trial.window import place

Why = Literal[
    "absent", "undated", "moment_unknown", "outside_window", "other_moment", "other_unit", "other_method",
    "not_a_number", "calendar", "sign",
]  # fmt: skip
"""Why a leaf is unknown: nothing recorded; no day; the moment itself has no day; too old, or after the moment; found at
another visit; another unit or method than the protocol's; not a number; two readings of the calendar; nobody has signed
the judgement in the role that must."""

_COMPARE: Final[dict[str, Any]] = {"<": lt, "<=": le, "==": eq, ">=": ge, ">": gt}


class Missing(Immutable):
    """What has to be found out: the name of a measurement, finding, age, product or judgement, and why it is open."""

    name: str
    why: Why
    by: str = ""
    """The role that signs, for a judgement."""


class Node(Immutable):
    """A rule judged: in the field's signs, what was found, what follows, and the same of the rules inside it."""

    rule: str
    truth: Truth
    found: str = ""
    missing: Missing | None = None
    inner: tuple["Node", ...] = ()


def leaf(rule: Rule, evidence: Evidence) -> Node:
    """Judge a rule that has no rules inside it."""
    if rule.age is not None:
        return _age(rule.age, evidence)
    if rule.measured is not None:
        return _measured(rule.measured, evidence)
    if rule.has is not None:
        return _has(rule.has, evidence)
    if rule.event is not None:
        return _event(rule.event, evidence)
    if rule.lab is not None:
        return _lab(rule.lab, evidence)
    if rule.prior_product is not None:
        return _prior(rule.prior_product, evidence)
    assert rule.attest is not None, "a checked protocol has one form in each rule"
    return _attest(rule.attest, evidence)


def _open(words: str, name: str, why: Why, found: str = "-", by: str = "") -> Node:
    return Node(rule=words, truth=None, found=found, missing=Missing(name=name, why=why, by=by))


def _prior(rule: PriorProduct, evidence: Evidence) -> Node:
    words, was = f"{rule.product} {rule.outcome}", evidence.prior.get(rule.product)
    if was is None:
        return _open(words, f"prior.{rule.product}", "absent")
    return Node(rule=words, truth=was, found="infused" if was else "not_infused")


def _attest(rule: Attest, evidence: Evidence) -> Node:
    """A judgement counts in the role the protocol names; another role's word leaves it open."""
    words, so = f"{rule.statement} ({rule.by})", evidence.attested.get(rule.statement)
    if so is None:
        return _open(words, rule.statement, "sign", by=rule.by)
    found = ("yes" if so.holds else "no") + f" ({so.by or '-'})"
    if so.by != rule.by:
        return _open(words, rule.statement, "sign", found, rule.by)
    return Node(rule=words, truth=so.holds, found=found)


def _age(rule: Age, evidence: Evidence) -> Node:
    words = f"age at {rule.at} {rule.op} {rule.years} a"
    ages = evidence.ages.get(rule.at, ())
    found = "|".join(map(str, ages)) or "-"
    answers = {bool(_COMPARE[rule.op](age, rule.years)) for age in ages}
    if len(answers) == 1:
        return Node(rule=words, truth=answers.pop(), found=found)
    return _open(words, f"age@{rule.at}", "calendar" if ages else "absent", found)


def _clock(rule: Measured | Has | Lab) -> str:
    if rule.at is not None:
        return f" @{rule.at}"
    return "" if rule.within is None else f" [{rule.within} < {rule.before}]"


def _stale(finding: Finding, rule: Measured | Has | Lab, evidence: Evidence) -> Why | None:
    """Why a finding does not count at its clock, or None if it does."""
    if rule.at is not None:
        return _elsewhere(finding, rule.at, evidence)
    if rule.within is None or rule.before is None:
        return None
    moment = evidence.days.get(rule.before)
    if moment is None:
        return "moment_unknown"
    if finding.on is None:
        return "undated"
    where = place(finding.on, moment, rule.within)
    return {"inside": None, "open": "calendar"}.get(where, "outside_window")


def _elsewhere(finding: Finding, at: str, evidence: Evidence) -> Why | None:
    """Either the visit or the day may say it; what is recorded besides never takes it back."""
    if finding.at == at:
        return None
    moment = evidence.days.get(at)
    if finding.on is None:
        return "other_moment" if finding.at else "undated"
    if moment is None:
        return "moment_unknown"
    return None if finding.on == moment else "other_moment"


def _shown(finding: Finding) -> str:
    parts = [finding.value, finding.unit, finding.method]
    when = finding.at or (finding.on.isoformat() if finding.on else "")
    return " ".join(part for part in parts if part) + (f" ({when})" if when else "")


def _measured(rule: Measured, evidence: Evidence) -> Node:
    method = f" ({rule.method})" if rule.method else ""
    words = f"{rule.var}{method} {rule.op} {rule.value} {rule.unit}".rstrip() + _clock(rule)
    finding = evidence.findings.get(rule.var)
    if finding is None:
        return _open(words, rule.var, "absent")
    why = _stale(finding, rule, evidence)
    number = finding.number
    if number is None:
        return _open(words, rule.var, why or "not_a_number", _shown(finding))
    if rule.method and finding.method != rule.method:
        return _open(words, rule.var, "other_method", _shown(finding))
    value = _in_unit(number, finding.unit, rule)
    if value is None or why is not None:
        return _open(words, rule.var, why or "other_unit", _shown(finding))
    shown = _shown(finding)
    if canonical(finding.unit) != canonical(rule.unit):
        shown += f" = {_plain(value)} {rule.unit}"
    return Node(rule=words, truth=bool(_COMPARE[rule.op](value, Fraction(rule.value))), found=shown)


def _in_unit(number: Decimal, unit: str, rule: Measured) -> Fraction | None:
    if (unit == "") != (rule.unit == ""):
        return None
    return convert(number, unit, rule.unit, rule.analyte or rule.var)


def _plain(value: Fraction) -> str:
    """A fraction for reading, to six significant digits; it is compared exactly."""
    with localcontext(prec=6):
        return format((Decimal(value.numerator) / Decimal(value.denominator)).normalize(), "f")


def _has(rule: Has, evidence: Evidence) -> Node:
    words = f"{rule.var}{' = ' + rule.code if rule.code else ''}" + _clock(rule)
    finding = evidence.findings.get(rule.var)
    if finding is None:
        return _open(words, rule.var, "absent")
    why = _stale(finding, rule, evidence)
    known = _coded(finding.value, rule.code) if rule.code else {"yes": True, "no": False}.get(finding.value)
    if why is not None or known is None:
        return _open(words, rule.var, why or "absent", _shown(finding))
    return Node(rule=words, truth=known, found=_shown(finding))


def _coded(value: str, code: str) -> bool:
    return code in [one.strip() for one in value.split(",")]


def _event(rule: Event, evidence: Evidence) -> Node:
    """Never is false; the last time inside the window is true and before it is false; after the moment says nothing."""
    words = f"{rule.var} [{rule.within or 'ever'} < {rule.before}]"
    finding = evidence.findings.get(rule.var)
    if finding is None:
        return _open(words, rule.var, "absent")
    shown = _shown(finding)
    if finding.value in ("no", "ongoing"):
        return Node(rule=words, truth=finding.value == "ongoing", found=shown)
    moment = evidence.days.get(rule.before)
    if finding.value != "yes":
        return _open(words, rule.var, "absent", shown)
    if finding.on is None:
        return _open(words, rule.var, "undated", shown)
    if moment is None:
        return _open(words, rule.var, "moment_unknown", shown)
    where = place(finding.on, moment, rule.within)
    if where in ("after", "open"):
        return _open(words, rule.var, "calendar" if where == "open" else "outside_window", shown)
    return Node(rule=words, truth=where == "inside", found=shown)


def _lab(rule: Lab, evidence: Evidence) -> Node:
    words = f"{rule.test} {rule.result}" + _clock(rule)
    finding = evidence.findings.get(rule.test)
    if finding is None:
        return _open(words, rule.test, "absent")
    why = _stale(finding, rule, evidence)
    if why is not None or finding.value not in ("positive", "negative"):
        return _open(words, rule.test, why or "absent", _shown(finding))
    return Node(rule=words, truth=finding.value == rule.result, found=_shown(finding))
