"""Out-of-specification investigations: phase I in the laboratory, phase II at production and by planned testing.

FDA, "Investigating Out-of-Specification Test Results", rev. 1, 2022 (existence and structure read; details from general
knowledge). A result is invalidated only for an assignable cause; the number of retests is fixed before the first; they
inform the conclusion and do not replace the result, which is confirmed otherwise (R109, R110).
"""

from typing import Literal

from cellwright.factory.lot.access import known
from cellwright.factory.quality.fact import (
    InvestigationConcluded,
    LaboratoryPhaseConcluded,
    ResultInvalidated,
    RetestPlanned,
    RetestStarted,
)
from cellwright.factory.quality.file import QualityState, load
from cellwright.factory.quality.part import Investigation, Outcome, Phase
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

RETESTS_MOST = 9
"""A plan with more is no plan. Site decision."""


def _in_phase(quality: QualityState, name: str, *phases: Phase) -> Investigation:
    found = quality.investigations.get(name)
    if found is None:
        raise Refusal(
            "unknown-investigation",
            "Lot {lot} has no investigation {investigation}.",
            rule="R109",
            lot=quality.lot,
            investigation=name,
        )
    if found.phase not in phases:
        raise Refusal(
            "investigation-not-so-far",
            "Investigation {investigation} is in the phase {phase}; this is possible in: {wanted}.",
            remedy="Phase I in the laboratory comes first, then production and planned retests, then the conclusion.",
            rule="R109",
            investigation=name,
            phase=found.phase,
            wanted=", ".join(phases),
        )
    return found


def _written(text: str, what: str) -> None:
    if not text.strip():
        raise Refusal("text-missing", "An investigation needs its written {what}.", rule="R051", what=what)


@command("quality.conclude_laboratory_phase", "analyst", "quality_assurance")
class ConcludeLaboratoryPhase(Command):
    """End phase I: analyst and supervisor name the assignable cause, or state that there is none."""

    lot: str
    investigation: str
    finding: str
    supervisor: str
    """Somebody of quality assurance who did not make the result."""
    cause: str = ""
    """The assignable cause in the laboratory; empty if none was found."""
    role: str = "analyst"

    def decide(self, world: World, by: By) -> Decision:
        quality = load(world, known(world, self.lot).number)
        found = _in_phase(quality, self.investigation, "laboratory")
        _written(self.finding, "finding")
        if self.supervisor == by.person or self.supervisor in found.analysts:
            raise Refusal(
                "same-person-twice",
                "{person} made the result or the finding and cannot supervise it.",
                remedy="Somebody else of quality assurance supervises phase I.",
                rule="D10",
                person=self.supervisor,
            )
        body = LaboratoryPhaseConcluded(
            lot=self.lot,
            investigation=self.investigation,
            cause=self.cause,
            finding=self.finding,
            analyst=by.person,
            supervisor=self.supervisor,
        )
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.supervisor, meaning="reviewed", role="quality_assurance"),
        )
        return Decision(facts=(quality.fact(body),), sign=sign)


@command("quality.plan_retest", "quality_assurance")
class PlanRetest(Command):
    """Fix how often and by whom it is tested again, once, before the first of them."""

    lot: str
    investigation: str
    number: int
    analyst: str
    basis: Literal["retest", "resample"] = "retest"
    reason: str = ""
    """Needed for a resample: why the original sample cannot be used."""

    def decide(self, world: World, by: By) -> Decision:
        quality = load(world, known(world, self.lot).number)
        found = _in_phase(quality, self.investigation, "production")
        if found.planned:
            raise Refusal(
                "retest-planned-already",
                "Investigation {investigation} has its plan: {number} retests. It is not changed.",
                remedy="Conclude on the results of this plan.",
                rule="R109",
                investigation=self.investigation,
                number=found.planned,
            )
        if not 1 <= self.number <= RETESTS_MOST:
            raise Refusal(
                "number-not-plausible",
                "{number} retests are no plan.",
                remedy="Plan between 1 and {most}.",
                rule="R109",
                number=self.number,
                most=RETESTS_MOST,
            )
        if self.analyst in found.analysts:
            raise Refusal(
                "second-analyst-needed",
                "{person} made the result in question; a second analyst makes the retests.",
                rule="R109",
                person=self.analyst,
            )
        if self.basis == "resample" and not self.reason.strip():
            raise Refusal(
                "reason-missing",
                "A new sample is taken only if the original one was bad.",
                remedy="State what was wrong with the original sample.",
                rule="R109",
            )
        body = RetestPlanned(
            lot=self.lot,
            investigation=self.investigation,
            number=self.number,
            analyst=self.analyst,
            basis=self.basis,
            approver=by.person,
        )
        need = Need(person=by.person, meaning="approved", role="quality_assurance")
        return Decision(facts=(quality.fact(body, reason=self.reason or None),), sign=(need,))


@command("quality.start_retest", "analyst")
class StartRetest(Command):
    """Begin the next of the planned retests; its number is returned in the fact and goes with the result."""

    lot: str
    investigation: str

    def decide(self, world: World, by: By) -> Decision:
        quality = load(world, known(world, self.lot).number)
        found = _in_phase(quality, self.investigation, "production")
        if len(found.authorised) >= found.planned:
            raise Refusal(
                "retest-not-planned",
                "All {number} planned retests of {investigation} were begun; there is none beyond them.",
                remedy="Conclude the investigation. Testing until it complies is not testing.",
                rule="R109",
                number=found.planned,
                investigation=self.investigation,
            )
        if by.person != found.retest_analyst:
            raise Refusal(
                "second-analyst-needed",
                "The retests of {investigation} are made by {analyst}.",
                rule="R109",
                investigation=self.investigation,
                analyst=found.retest_analyst,
            )
        name = f"{self.investigation}-T{len(found.authorised) + 1}"
        body = RetestStarted(lot=self.lot, investigation=self.investigation, retest=name, analyst=by.person)
        return Decision(facts=(quality.fact(body),))


@command("quality.conclude_investigation", "quality_assurance")
class ConcludeInvestigation(Command):
    """The quality unit's conclusion: an error of the laboratory with its cause, or confirmed (R051, R109)."""

    lot: str
    investigation: str
    outcome: Outcome
    conclusion: str
    follow_up: str
    spoiled: tuple[str, ...] = ()
    """Results the laboratory's error spoiled; needed where the value in question rests on several."""
    other_lots: tuple[str, ...] = ()
    """Lots the investigation was extended to: shared material, equipment, operator or room (R053)."""

    def decide(self, world: World, by: By) -> Decision:
        quality = load(world, known(world, self.lot).number)
        found = _in_phase(quality, self.investigation, "production")
        _written(self.conclusion, "conclusion")
        _written(self.follow_up, "follow-up")
        self._check(quality, found, by)
        body = InvestigationConcluded(
            lot=self.lot,
            investigation=self.investigation,
            outcome=self.outcome,
            conclusion=self.conclusion,
            follow_up=self.follow_up,
            other_lots=self.other_lots,
            concluded_by=by.person,
        )
        facts = [quality.fact(body)]
        if self.outcome == "laboratory_error":
            facts += [
                quality.fact(
                    ResultInvalidated(
                        lot=self.lot,
                        result=result,
                        cause=found.cause,
                        invalidated_by=by.person,
                        investigation=self.investigation,
                    ),
                    reason=self.conclusion,
                )
                for result in self.spoiled or found.results
                if quality.results[result].valid
            ]
        need = Need(person=by.person, meaning="approved", role="quality_assurance")
        return Decision(facts=tuple(facts), sign=(need,))

    def _check(self, quality: QualityState, found: Investigation, by: By) -> None:
        if self.outcome == "laboratory_error" and not found.cause:
            raise Refusal(
                "no-assignable-cause",
                "Phase I of {investigation} found no assignable cause: the result stands.",
                remedy="Conclude it as confirmed; an outlier test or an average does not invalidate a result.",
                rule="R109",
                investigation=self.investigation,
            )
        if self.outcome == "laboratory_error" and not self._names_spoiled(found):
            raise Refusal(
                "spoiled-results-not-named",
                "The value in question rests on {results}; it is not said which of them the cause spoiled.",
                remedy="Name at least one of these results, and no others.",
                rule="R109",
                results=", ".join(found.results),
            )
        if len(found.reported) < found.planned:
            raise Refusal(
                "retests-outstanding",
                "{done} of {planned} planned retests of {investigation} are reported.",
                remedy="Report all of them: the plan is neither cut short nor extended.",
                rule="R109",
                done=len(found.reported),
                planned=found.planned,
                investigation=self.investigation,
            )
        if by.person in found.analysts or by.person == found.retest_analyst:
            raise Refusal(
                "same-person-twice",
                "{person} made results of {investigation} and cannot conclude it.",
                rule="D10",
                person=by.person,
                investigation=self.investigation,
            )

    def _names_spoiled(self, found: Investigation) -> bool:
        if not self.spoiled:
            return len(found.results) == 1
        return set(self.spoiled) <= set(found.results)
