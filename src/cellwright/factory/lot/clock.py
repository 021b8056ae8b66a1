"""Clocks in the material: looked at, and whatever ran over is recorded at that moment (R050, D8)."""

from collections.abc import Iterator
from datetime import datetime

from cellwright.factory.lot.access import unlocked
from cellwright.factory.lot.fact.nonconformance import Severity
from cellwright.factory.lot.nonconformance import Finding, recorded
from cellwright.factory.lot.part import Clock
from cellwright.factory.lot.readiness import HOLD_EXCEEDED
from cellwright.factory.lot.receipt import TOO_OLD
from cellwright.factory.lot.state import LotState
from cellwright.factory.people import stamp
from cellwright.factory.rule import By, Command, Decision, Refusal, World, command

DURATION_EXCEEDED = "duration-exceeded"


def overrun(lot: LotState, now: datetime) -> Iterator[Finding]:
    """The clocks that have run over and that the record does not know of yet."""
    for clock in lot.clocks(now):
        if clock.exceeded(now):
            finding = _finding(clock)
            if not _known(lot, finding):
                yield finding


def _finding(clock: Clock) -> Finding:
    due = stamp(clock.due) if clock.due is not None else "-"
    severity: Severity = "minor" if clock.kind == "duration" else "major"
    match clock.kind:
        case "hold":
            refusal = Refusal(
                HOLD_EXCEEDED,
                "The wait before step {step} should have ended at {due}.",
                remedy="Quality assurance assesses it; if making may go on, the step can begin.",
                rule="R050",
                step=clock.name,
                due=due,
            )
        case "duration":
            refusal = Refusal(
                DURATION_EXCEEDED,
                "Step {step} should have been over at {due}.",
                remedy="Complete it; quality assurance assesses the excess.",
                rule="R050",
                step=clock.name,
                due=due,
            )
        case "age":
            refusal = Refusal(
                TOO_OLD,
                "Container {container} should have been used by {due}.",
                remedy="Quality assurance assesses it; if making may go on, use it then.",
                rule="R119",
                container=clock.name,
                due=due,
            )
    if clock.kind == "age":
        return Finding(refusal, severity, container=clock.name)
    return Finding(refusal, severity, step=clock.name)


def _known(lot: LotState, finding: Finding) -> bool:
    return any(
        n.code == finding.broken.code and n.step == finding.step and n.container == finding.container
        for n in lot.nonconformances.values()
    )


@command("lot.observe_clocks", "operator", "planner", "quality_assurance")
class ObserveClocks(Command):
    """Look at the clocks of a lot and record what ran over; a service looks for everybody, often."""

    lot: str

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        return Decision(facts=recorded(lot, overrun(lot, world.now)))
