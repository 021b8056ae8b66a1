"""Starting a step: the right step, person, room, equipment and containers, at the right time (R042, R047-R050)."""

from typing import NamedTuple

from cellwright.factory import people
from cellwright.factory.lot import readiness, scanning, swap
from cellwright.factory.lot.access import workable
from cellwright.factory.lot.fact.life import OperatorReplaced
from cellwright.factory.lot.fact.step import StepStarted
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.nonconformance import recorded
from cellwright.factory.lot.part import StepState
from cellwright.factory.lot.procedure import begun
from cellwright.factory.lot.quantity import iso
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.scan import Scan, confirmed
from cellwright.factory.plant.equipment import EquipmentState
from cellwright.factory.recipe.recipe import Recipe, Step
from cellwright.factory.record import Body, Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


def planned(recipe: Recipe, name: str) -> Step:
    """A step of the recipe. Raises Refusal `unknown-step`."""
    try:
        return recipe.step(name)
    except KeyError:
        raise Refusal(
            "unknown-step", "Recipe {recipe} has no step {step}.", rule="R042", recipe=recipe.id, step=name
        ) from None


def under_way(lot: LotState, name: str) -> StepState:
    """A step that was started and is not completed. Raises Refusal `step-not-running`."""
    state = lot.steps.get(name)
    if state is None or state.status != "started":
        raise Refusal(
            "step-not-running",
            "Step {step} of lot {lot} is not under way.",
            remedy="Start it first.",
            rule="R042",
            step=name,
            lot=lot.number,
        )
    return state


@command("lot.start_step", "operator")
class StartStep(Command):
    """Start one step. Whoever gives the command performs it."""

    lot: str
    step: str
    room: str | None = None
    equipment: tuple[str, ...] = ()
    containers: tuple[Scan, ...] = ()

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        stop = swap.stopped(world, lot, by, self.containers, point="in_process")
        if stop is not None:
            return stop
        recipe = recipe_of(world, lot)
        step = planned(recipe, self.step)
        for refusal in readiness.to_begin(world, lot, recipe, step):
            raise refusal
        waited = readiness.waited_too_long(lot, step, world.now)
        if waited is not None:
            return Decision(facts=recorded(lot, (waited,)), stop=waited.broken)
        for finding in readiness.of_means(world, lot, step, by.person, self.room, self.equipment, world.now):
            raise finding.broken
        found = tuple(scanning.identified(scanning.container(world, lot, scan)).container for scan in self.containers)
        if "container" in step.scans and not found:
            raise Refusal(
                "container-not-scanned",
                "Step {step} begins with the scan of its container.",
                remedy="Scan the container.",
                rule="R064",
                step=step.id,
            )
        used = (world.load(EquipmentState, name).use(lot.number) for name in self.equipment)
        facts = started(lot, recipe, step, by.person, self.room, self.equipment, found)
        return Decision(
            facts=(*facts, *(fact for fact in used if fact is not None)),
            sign=confirmed(by, step.role, self.containers),
        )


class Entry(NamedTuple):
    """What is recorded after the fact: why it comes late, and the time it claims (R007)."""

    reason: str
    claimed_at: str


def started(
    lot: LotState,
    recipe: Recipe,
    step: Step,
    performer: str,
    room: str | None,
    equipment: tuple[str, ...],
    containers: tuple[str, ...],
    entry: Entry | None = None,
) -> tuple[Fact, ...]:
    """The facts of a step's beginning: the step, and its unit procedure where this is the first of it."""
    held = step.open_processing and room in lot.rooms
    body = StepStarted(
        coi=lot.coi,
        stock=lot.stock,
        step=step.id,
        title=step.title.en,
        performer=performer,
        room=room if held else None,
        place=None if held else room,
        equipment=equipment,
        containers=containers,
        duration_min=iso(step.duration.min),
        duration_max=iso(step.duration.max),
    )
    return (*begun(lot, recipe.unit_of(step.id)), late(lot, body, entry))


def late(lot: LotState, body: Body, entry: Entry | None) -> Fact:
    """A fact as it happens, or one entered afterwards with its claimed time."""
    return lot.fact(body) if entry is None else lot.fact(body, reason=entry.reason, claimed_at=entry.claimed_at)


@command("lot.take_over_step", "operator")
class TakeOverStep(Command):
    """Take over a running step at once, for example when the operator is locked out; the old one need not act (D9)."""

    lot: str
    step: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        state = under_way(lot, self.step)
        step = planned(recipe_of(world, lot), self.step)
        if state.performer == by.person:
            raise Refusal("own-step", "{person} performs this step already.", rule="D9", person=by.person)
        if not self.reason.strip():
            raise Refusal("reason-missing", "Say why the step changes hands.", rule="R004")
        for finding in readiness.of_person(people.load(world, by.person), lot, step, world.now):
            raise finding.broken
        body = OperatorReplaced(step=self.step, left=state.performer, took_over=by.person)
        need = Need(person=by.person, meaning="accepted", role=step.role)
        return Decision(facts=(lot.fact(body, reason=self.reason),), sign=(need,))
