"""What makes an assay valid, one finding for each rule, so that a failing assay is reported with its reasons."""

from collections.abc import Iterable
from typing import Literal

import msgspec

Outcome = Literal["pass", "fail", "not evaluable"]


class Check(msgspec.Struct, frozen=True):
    """One rule of an assay and how it came out.

    Attributes:
        rule: the name of the rule, stable over versions, such as `parallelism`.
        outcome: `not evaluable` where the data cannot show it; that is no pass.
        found: what was found, NaN-free; None where there is no number.
        limit: what is asked, as text in the method's own terms, such as `p >= 0.05`.
        reason: why it is not a pass; empty for a pass.
    """

    rule: str
    outcome: Outcome
    found: float | None
    limit: str
    reason: str = ""


def passed(checks: Iterable[Check]) -> bool:
    """Whether every rule is a pass; an assay without rules is not shown to be valid."""
    outcomes = [check.outcome for check in checks]
    return bool(outcomes) and all(outcome == "pass" for outcome in outcomes)


def reasons(checks: Iterable[Check]) -> tuple[str, ...]:
    """Why an assay is not valid, one sentence for each rule that is not a pass."""
    return tuple(check.reason for check in checks if check.outcome != "pass")


def judged(rule: str, found: float | None, limit: str, holds: bool | None, reason: str) -> Check:
    """A check from a comparison already made; `holds` is None where it could not be made."""
    outcome: Outcome = "not evaluable" if holds is None else "pass" if holds else "fail"
    return Check(rule, outcome, found, limit, "" if outcome == "pass" else reason)
