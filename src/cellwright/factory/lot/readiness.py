"""What must be true before a step begins: its turn, its time, its person, its room, its equipment.

The same rules judge what was done without asking: there they become nonconformances beside the observation (D7).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from cellwright.factory import people
from cellwright.factory.lot.nonconformance import Finding
from cellwright.factory.lot.procedure import state_of
from cellwright.factory.lot.state import LotState
from cellwright.factory.people import PersonState
from cellwright.factory.plant.equipment import EquipmentState
from cellwright.factory.plant.room import RoomState
from cellwright.factory.recipe.recipe import Recipe, Step
from cellwright.factory.rule import Refusal, World

HOLD_EXCEEDED = "hold-exceeded"
OUT_OF_SEQUENCE = "out-of-sequence"


def to_begin(world: World, lot: LotState, recipe: Recipe, step: Step) -> Iterator[Refusal]:
    """What stands against beginning a step now, apart from a wait that was too long, means and people."""
    yield from out_of_turn(lot, recipe, step)
    yield from _held_up(lot, recipe, step)
    yield from _unverified(lot, recipe, step)
    clock = lot.hold_before(step.id)
    if clock is not None and clock.early(world.now):
        yield Refusal(
            "hold-not-over",
            "Step {step} may not begin before {earliest}.",
            remedy="Wait until then.",
            rule="R050",
            step=step.id,
            earliest=clock.earliest,
        )
    state = state_of(lot, recipe.unit_of(step.id))
    if state not in ("Idle", "Running"):
        yield Refusal(
            "unit-procedure-not-running",
            "Unit procedure {unit} is {state}.",
            remedy="After a hold it is restarted with authority; then the step can begin.",
            rule="R099",
            unit=recipe.unit_of(step.id),
            state=state,
        )


def out_of_turn(lot: LotState, recipe: Recipe, step: Step) -> Iterator[Refusal]:
    """The law of sequence: begun once, after everything before it (R042)."""
    if step.id in lot.steps:
        yield Refusal(
            "step-done-already",
            "Step {step} of lot {lot} is {status}.",
            remedy="Each step is done once; what must be repeated is recorded as a nonconformance.",
            rule="R042",
            step=step.id,
            lot=lot.number,
            status=lot.steps[step.id].status,
        )
    elif step.id not in {ready.id for ready in recipe.ready(lot.done)}:
        missing = [before for before in step.after if before not in lot.done]
        yield Refusal(
            OUT_OF_SEQUENCE,
            "Step {step} comes after {missing}.",
            remedy="Complete those first.",
            rule="R042",
            step=step.id,
            missing=", ".join(missing),
        )


def before(recipe: Recipe, step: Step) -> frozenset[str]:
    """Every step that comes before a step, directly or not."""
    found: set[str] = set()
    ahead = list(step.after)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += recipe.step(name).after
    return frozenset(found)


def _held_up(lot: LotState, recipe: Recipe, step: Step) -> Iterator[Refusal]:
    """Nonconformances that nobody has assessed hold up what comes after them (D7)."""
    upstream = before(recipe, step) | {step.id}
    for name, found in lot.blocking.items():
        if found.step is None or found.step in upstream:
            yield Refusal(
                "nonconformance-unassessed",
                "Nonconformance {nonconformance} ({kind}) holds up step {step}.",
                remedy="Quality assurance assesses it; if making may go on, the step can begin.",
                rule="D7",
                nonconformance=name,
                kind=found.code,
                step=step.id,
            )


def _unverified(lot: LotState, recipe: Recipe, step: Step) -> Iterator[Refusal]:
    """Critical values typed by hand that nobody else has read hold up the steps that depend on them (R043)."""
    for name in sorted(before(recipe, step)):
        done = lot.steps.get(name)
        waiting = [p for p, taken in done.readings.items() if not taken.usable] if done is not None else []
        if waiting:
            yield Refusal(
                "reading-unverified",
                "Step {before} has typed critical values that nobody else has read: {parameters}.",
                remedy="A second person reads and verifies them.",
                rule="R043",
                before=name,
                parameters=", ".join(waiting),
            )


def waited_too_long(lot: LotState, step: Step, at: datetime) -> Finding | None:
    """A wait beyond its maximum that the record does not know of yet; once assessed, the step may begin (R050)."""
    clock = lot.hold_before(step.id)
    if clock is None or clock.due is None or not clock.exceeded(at):
        return None
    if any(n.code == HOLD_EXCEEDED and n.step == step.id for n in lot.nonconformances.values()):
        return None
    refusal = Refusal(
        HOLD_EXCEEDED,
        "The wait before step {step} should have ended at {due}.",
        remedy="Quality assurance assesses it; if making may go on, the step can begin.",
        rule="R050",
        step=step.id,
        due=people.stamp(clock.due),
    )
    return Finding(refusal, "major", step=step.id)


def of_means(
    world: World, lot: LotState, step: Step, performer: str, room: str | None, equipment: Iterable[str], at: datetime
) -> Iterator[Finding]:
    """What is, or at a claimed time was, wrong with person, room and equipment of a step."""
    yield from of_person(people.load(world, performer), lot, step, at)
    yield from of_room(world, lot, step, room)
    yield from of_equipment(world, lot, step, tuple(equipment), at)


def of_person(person: PersonState, lot: LotState, step: Step, at: datetime) -> Iterator[Finding]:
    """Whether somebody may perform or verify a step: role, training for this version, qualification (R034)."""
    name = person.name
    if not person.holds(step.role, at):
        refusal = Refusal(
            "role-missing",
            "{person} does not hold the role {role}.",
            remedy="Somebody who holds it does the step.",
            rule="R022",
            person=name,
            role=step.role,
        )
        yield Finding(refusal, "major", step=step.id, person=name)
    if not person.trained(lot.recipe.id, lot.recipe.version, at):
        refusal = Refusal(
            "training-missing",
            "{person} is not trained for recipe {recipe} {version}.",
            remedy="Somebody trained for this version does the step, or the training is recorded.",
            rule="R034",
            person=name,
            recipe=lot.recipe.id,
            version=lot.recipe.version,
        )
        yield Finding(refusal, "major", step=step.id, person=name)
    if step.qualification is not None and not person.qualified(step.qualification, at):
        refusal = Refusal(
            "qualification-expired",
            "{person} does not hold the qualification {qualification} at this moment.",
            remedy="Somebody whose qualification is in date does the step.",
            rule="R034",
            person=name,
            qualification=step.qualification,
        )
        yield Finding(refusal, "major", step=step.id, person=name)


def of_room(world: World, lot: LotState, step: Step, room: str | None) -> Iterator[Finding]:
    """Whether the step is in a room of its class and, where cells are open, in one that this lot holds (R047)."""
    if room is None:
        refusal = Refusal(
            "room-missing",
            "Step {step} takes place in a room of class {room_class}.",
            remedy="Say in which room.",
            rule="R047",
            step=step.id,
            room_class=step.room_class,
        )
        yield Finding(refusal, "major", step=step.id)
        return
    state = world.load(RoomState, room)
    if state.room_class != step.room_class:
        refusal = Refusal(
            "wrong-room-class",
            "Room {room} is of class {found}; step {step} needs {wanted}.",
            remedy="Choose a room of that class.",
            rule="R047",
            room=room,
            found=state.room_class or "-",
            step=step.id,
            wanted=step.room_class,
        )
        yield Finding(refusal, "major", step=step.id)
    if step.open_processing and (room not in lot.rooms or state.lot != lot.number):
        refusal = Refusal(
            "room-not-held",
            "Room {room} is not held by lot {lot}.",
            remedy="Have the room cleared, and enter it with this lot.",
            rule="R047",
            room=room,
            lot=lot.number,
        )
        yield Finding(refusal, "critical", step=step.id)


def of_equipment(
    world: World, lot: LotState, step: Step, equipment: tuple[str, ...], at: datetime
) -> Iterator[Finding]:
    """Whether the step has its equipment, and all of it is qualified, calibrated and clean (R048)."""
    states = [world.load(EquipmentState, name) for name in equipment]
    if step.equipment_class is not None and step.equipment_class not in {s.equipment_class for s in states}:
        refusal = Refusal(
            "equipment-missing",
            "Step {step} needs equipment of class {wanted}.",
            remedy="Scan the equipment.",
            rule="R048",
            step=step.id,
            wanted=step.equipment_class,
        )
        yield Finding(refusal, "major", step=step.id)
    for state in states:
        unfit = state.fit(at, lot.number)
        if unfit is not None:
            yield Finding(unfit, "major", step=step.id, equipment=state.name)
