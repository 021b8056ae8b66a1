"""Nonconformances: an observation of something done is always recordable; what was wrong with it stands beside it (D7)."""

from collections.abc import Iterable
from typing import NamedTuple

from cellwright.factory.lot.access import known
from cellwright.factory.lot.fact.nonconformance import (
    NonconformanceAssessed,
    NonconformanceClosed,
    NonconformanceRecorded,
    Severity,
)
from cellwright.factory.lot.part import Nonconformance
from cellwright.factory.lot.state import LotState
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


class Finding(NamedTuple):
    """A broken rule, in the words of the refusal that a request would have met, and how grave it looks at first."""

    broken: Refusal
    severity: Severity = "major"
    step: str | None = None
    equipment: str | None = None
    person: str | None = None
    container: str | None = None
    case: str | None = None


def recorded(lot: LotState, findings: Iterable[Finding], already: int = 0) -> tuple[Fact, ...]:
    """The facts that record findings on a lot, numbered on from what it has.

    `already` counts nonconformances that stand earlier in the same decision.
    """
    start = len(lot.nonconformances) + already + 1
    return tuple(lot.fact(_body(f"{lot.number}-N{n:02d}", f)) for n, f in enumerate(findings, start))


def _body(name: str, finding: Finding) -> NonconformanceRecorded:
    broken = finding.broken
    return NonconformanceRecorded(
        nonconformance=name,
        code=broken.code,
        severity=finding.severity,
        text=broken.text,
        step=finding.step,
        rule=broken.rule,
        found={key: str(value) for key, value in broken.values.items()},
        equipment=finding.equipment,
        person=finding.person,
        container=finding.container,
        case=finding.case,
    )


def _find(lot: LotState, name: str) -> Nonconformance:
    try:
        return lot.nonconformances[name]
    except KeyError:
        raise Refusal(
            "unknown-nonconformance",
            "Lot {lot} has no nonconformance {nonconformance}.",
            lot=lot.number,
            nonconformance=name,
        ) from None


@command("lot.record_nonconformance", "operator", "warehouse", "analyst", "quality_assurance", "process_engineer")
class RecordNonconformance(Command):
    """Record something that was not as it should be, at any time, after completion too (R051)."""

    lot: str
    code: str
    text: str
    severity: Severity = "major"
    step: str | None = None
    equipment: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        if not self.text.strip():
            raise Refusal("text-missing", "A nonconformance says what was found.", rule="R051")
        body = NonconformanceRecorded(
            nonconformance=f"{lot.number}-N{len(lot.nonconformances) + 1:02d}",
            code=self.code,
            severity=self.severity,
            text=self.text,
            step=self.step,
            equipment=self.equipment,
            person=by.person,
        )
        return Decision(facts=(lot.fact(body),))


@command("lot.assess_nonconformance", "quality_assurance")
class AssessNonconformance(Command):
    """Quality assurance judges a nonconformance; `proceeds` lets making go on while it is investigated."""

    lot: str
    nonconformance: str
    severity: Severity
    text: str
    proceeds: bool = True

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        found = _find(lot, self.nonconformance)
        if found.status == "closed":
            raise Refusal(
                "nonconformance-closed",
                "{nonconformance} is closed.",
                remedy="Record a new one that names it.",
                rule="R051",
                nonconformance=self.nonconformance,
            )
        if by.person in lot.participants:
            raise Refusal(
                "assessor-took-part",
                "{person} took part in making lot {lot} and cannot assess its nonconformances.",
                remedy="Somebody of quality assurance who took no part assesses it.",
                rule="D10",
                person=by.person,
                lot=lot.number,
            )
        body = NonconformanceAssessed(
            nonconformance=self.nonconformance,
            severity=self.severity,
            assessor=by.person,
            text=self.text,
            proceeds=self.proceeds,
        )
        need = Need(person=by.person, meaning="assessed", role="quality_assurance")
        return Decision(facts=(lot.fact(body),), sign=(need,))


@command("lot.close_nonconformance", "quality_assurance")
class CloseNonconformance(Command):
    """Close a nonconformance with its written conclusion (R051)."""

    lot: str
    nonconformance: str
    conclusion: str

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        found = _find(lot, self.nonconformance)
        if found.status != "assessed":
            raise Refusal(
                "not-assessed",
                "{nonconformance} is {status}: only an assessed nonconformance can be closed.",
                remedy="Assess it first.",
                rule="R051",
                nonconformance=self.nonconformance,
                status=found.status,
            )
        if not self.conclusion.strip():
            raise Refusal("text-missing", "An investigation ends with a written conclusion.", rule="R051")
        body = NonconformanceClosed(nonconformance=self.nonconformance, conclusion=self.conclusion, closer=by.person)
        need = Need(person=by.person, meaning="approved", role="quality_assurance")
        return Decision(facts=(lot.fact(body),), sign=(need,))
