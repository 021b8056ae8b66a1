"""One reported value against one acceptance criterion.

The one rounding rule (R101): there is none. A result is compared as it was reported, a calculated value exactly.

Censored results (D17): `<x` counts as x (R104). It may prove a pass; where x itself does not comply, compliance is not
shown, which is no failure: the measurement was not sensitive enough and is repeated at a suitable dilution. The same
holds of `>x`, with one difference that follows from its meaning: above an upper limit there is no way back.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from operator import eq, ge, gt, le, lt
from typing import Literal

import msgspec

from cellwright.factory.quality.amount import Amount, amount, answers
from cellwright.factory.quality.specification import Acceptance

Verdict = Literal["pass", "fail", "not_shown_to_comply", "pending", "not_evaluable", "unknown"]
"""pending: awaited. not_evaluable: there is a result and it proves nothing. unknown: what it takes is not known.
None of the last four is in range (law 6)."""

BETTER_FIRST: tuple[Verdict, ...] = ("pass", "pending", "unknown", "not_evaluable", "not_shown_to_comply", "fail")

COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq}


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a value is worth against a limit, and why it is not a pass."""

    code: str
    verdict: Verdict
    value: str = ""
    unit: str = ""
    why: str = ""
    """Stable word in kebab case for what stands in the way, for example `sensitivity-insufficient`."""
    results: tuple[str, ...] = ()
    """Identifiers of the results that it rests on."""


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """The one furthest from a pass; the first of equals."""
    return max(judgements, key=lambda j: BETTER_FIRST.index(j.verdict))


def best(judgements: Iterable[Judgement]) -> Judgement:
    """The one nearest to a pass; the first of equals."""
    return min(judgements, key=lambda j: BETTER_FIRST.index(j.verdict))


def judge(code: str, value: str, unit: str, against: Acceptance, results: tuple[str, ...] = ()) -> Judgement:
    """A value as reported, in its unit, against a plain limit (not `any_of`, `by_weight`)."""

    def say(verdict: Verdict, why: str = "") -> Judgement:
        return Judgement(code=code, verdict=verdict, value=value, unit=unit, why=why, results=results)

    found = amount(value)
    if against.operator == "report":
        stated = found is not None or answers(value) is not None
        if stated and against.unit not in ("", unit):
            return say("not_evaluable", "unit-differs")
        return say("pass") if stated else say("not_evaluable", "value-not-understood")
    wanted = amount(against.limit) if against.operator != "between" else None
    if against.operator == "==" and wanted is None:
        return say(*_word(value, against.limit))
    if found is None:
        return say("not_evaluable", "value-not-understood")
    if unit != against.unit:
        return say("not_evaluable", "unit-differs")
    if found.value < 0:
        return say("not_evaluable", "value-negative")
    return say(*compare(found, against))


def _word(value: str, limit: str) -> tuple[Verdict, str]:
    meant = answers(limit)
    if meant is None:
        return ("pass", "") if value == limit else ("not_evaluable", "value-not-understood")
    same, opposite = meant
    if value in same:
        return "pass", ""
    return ("fail", "out-of-specification") if value in opposite else ("not_evaluable", "value-not-understood")


def compare(found: Amount, against: Acceptance) -> tuple[Verdict, str]:
    """An exact amount against a numeric limit, both in the same unit."""
    if against.operator == "between":
        assert against.low is not None and against.high is not None
        low = _one_sided(found, ">=", Fraction(against.low))
        high = _one_sided(found, "<=", Fraction(against.high))
        return max((low, high), key=lambda v: BETTER_FIRST.index(v[0]))
    limit = amount(against.limit)
    assert limit is not None and not limit.bound, f"limit {against.limit!r} was checked when the file was read"
    return _one_sided(found, against.operator, limit.value)


def _one_sided(found: Amount, operator: str, limit: Fraction) -> tuple[Verdict, str]:
    complies = COMPARE[operator](found.value, limit)
    if not found.bound:
        return ("pass", "") if complies else ("fail", "out-of-specification")
    upper = operator in ("<", "<=")
    towards_limit = (found.bound == ">") == upper
    if complies and not towards_limit and operator != "==":
        return "pass", ""
    if found.bound == ">" and upper and found.value >= limit:
        return "fail", "out-of-specification"
    return "not_shown_to_comply", "sensitivity-insufficient"
