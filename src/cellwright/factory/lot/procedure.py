"""The ISA-88 states of a lot's unit procedures: commanded, completed, and Held after a crash (R093, R094, R099)."""

from cellwright.factory.lot.access import unlocked
from cellwright.factory.lot.fact.step import ProcedureTransitioned
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.state import LotState
from cellwright.factory.people import stamp
from cellwright.factory.recipe.procedure import (
    INITIAL,
    PROCEDURE,
    ProcedureCommand,
    commanded,
    completed,
    recovered,
)
from cellwright.factory.recipe.recipe import Recipe
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

INTERRUPTING = frozenset({"Hold", "Stop", "Abort", "Pause"})
"""Commands that interrupt: each needs a reason (R094)."""
PASSING = frozenset({"Pausing", "Holding", "Restarting", "Stopping", "Aborting"})
"""States that a person's own work ends as soon as the person says so."""
AUTHORISING = frozenset({"quality_assurance", "process_engineer"})
"""Roles that may authorise a restart (R099)."""


def state_of(lot: LotState, unit: str) -> str:
    return lot.procedures.get(unit, INITIAL)


def begun(lot: LotState, unit: str) -> tuple[Fact, ...]:
    """The transition to Running with the first step of a unit procedure; none if it runs already."""
    before = state_of(lot, unit)
    if before != INITIAL:
        return ()
    return (_fact(lot, unit, before, commanded(before, "Start"), "Start"),)


def ended(lot: LotState, recipe: Recipe, unit: str, done: frozenset[str]) -> tuple[Fact, ...]:
    """The transition to Complete with the last step of a unit procedure; none while steps are left or it is not Running."""
    before = state_of(lot, unit)
    if before != "Running" or not _all_done(recipe, unit, done):
        return ()
    return (_fact(lot, unit, before, completed(before), "completion"),)


def _all_done(recipe: Recipe, unit: str, done: frozenset[str]) -> bool:
    return {step.id for step in recipe.steps if recipe.unit_of(step.id) == unit} <= done


def _fact(lot: LotState, unit: str, before: str, after: str, trigger: str, *, reason: str | None = None) -> Fact:
    body = ProcedureTransitioned(unit_procedure=unit, before=before, after=after, trigger=trigger)
    return lot.fact(body, reason=reason)


@command("lot.command_procedure", "operator", "process_engineer", "quality_assurance")
class CommandProcedure(Command):
    """Give one of the eight commands to a unit procedure. Restart after a hold needs somebody who authorises it."""

    lot: str
    unit_procedure: str
    order: ProcedureCommand
    reason: str | None = None
    authoriser: str | None = None
    authoriser_role: str = "quality_assurance"

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        recipe = recipe_of(world, lot)
        if self.unit_procedure not in {unit.id for unit in recipe.unit_procedures}:
            raise Refusal(
                "unknown-unit-procedure",
                "Recipe {recipe} has no unit procedure {unit}.",
                rule="R093",
                recipe=recipe.id,
                unit=self.unit_procedure,
            )
        before = state_of(lot, self.unit_procedure)
        after = commanded(before, self.order)
        if self.order in INTERRUPTING and not (self.reason or "").strip():
            raise Refusal("reason-missing", "{order} interrupts and needs a reason.", rule="R094", order=self.order)
        facts = [_fact(lot, self.unit_procedure, before, after, self.order, reason=self.reason)]
        if after in PASSING:
            before, after = after, completed(after)
            facts.append(_fact(lot, self.unit_procedure, before, after, "completion"))
        if after == "Running" and _all_done(recipe, self.unit_procedure, lot.done):
            facts.append(_fact(lot, self.unit_procedure, after, completed(after), "completion"))
        return Decision(facts=tuple(facts), sign=self._authorised(by))

    def _authorised(self, by: By) -> tuple[Need, ...]:
        if self.order != "Restart":
            return ()
        if self.authoriser is None or self.authoriser == by.person or self.authoriser_role not in AUTHORISING:
            raise Refusal(
                "restart-not-authorised",
                "What was held is restarted only with the authority of a second person.",
                remedy="Quality assurance or a process engineer signs the restart.",
                rule="R099",
            )
        return (Need(person=self.authoriser, meaning="approved", role=self.authoriser_role),)


def recover(world: World, lot: LotState) -> tuple[Fact, ...]:
    """The facts to record when the system comes up again: what was at work is Held (R099).

    Cells did not wait: the clocks of the lot went on, and the outage is the time between its last fact and now (D8).
    """
    if lot.locked:
        return ()
    reason = f"restarted at {stamp(world.now)}"
    return tuple(
        _fact(lot, unit, before, recovered(before), "recovery", reason=reason)
        for unit, before in lot.procedures.items()
        if recovered(before) != before
    )


def possible(lot: LotState, unit: str) -> tuple[str, ...]:
    """The commands a unit procedure takes now, for the operator's screen."""
    return PROCEDURE.possible(state_of(lot, unit))
