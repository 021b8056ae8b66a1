"""Downtime: work goes on by numbered paper sheets, entered afterwards by one person and verified by another (D8).

What is entered happened already, so it is always recorded (D7): what was wrong with it becomes nonconformances. The
times on the sheet are claimed times; the server's time of entry stands beside them (R007).
"""

import re
from collections.abc import Iterator

from msgspec import field
from msgspec.structs import replace

from cellwright.factory.lot import readiness
from cellwright.factory.lot.access import container, other_person, unlocked
from cellwright.factory.lot.addition import unsuitable
from cellwright.factory.lot.completion import Done, all_there, completed, found
from cellwright.factory.lot.fact.life import SheetEntered, SheetPrinted, SheetVoided
from cellwright.factory.lot.fact.step import Consumed, MaterialAdded
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.nonconformance import Finding, recorded
from cellwright.factory.lot.part import Addition, StepState
from cellwright.factory.lot.quantity import iso, moment
from cellwright.factory.lot.reading import Measured, judged
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import Entry, late, planned, started
from cellwright.factory.order.figure import past, positive
from cellwright.factory.plant.material import MaterialState
from cellwright.factory.recipe.recipe import Recipe, Step
from cellwright.factory.record import Fact, Immutable
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Added(Immutable):
    """A material as written on the sheet."""

    code: str
    material: str
    quantity: str
    unit: str
    into: str | None = None


@command("lot.print_sheet", "operator", "quality_assurance")
class PrintSheet(Command):
    """Print a numbered sheet for a step from the lot's own recipe, to be at hand when the system is not."""

    lot: str
    step: str

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        step = planned(recipe_of(world, lot), self.step)
        number = len(lot.blank_sheets) + len(lot.sheets) + len(lot.voided_sheets) + 1
        body = SheetPrinted(
            sheet=f"{lot.number}-S{number:02d}",
            step=step.id,
            recipe_sha256=lot.recipe.sha256,
            printed_by=by.person,
        )
        return Decision(facts=(lot.fact(body),))


@command("lot.void_sheet", "operator", "quality_assurance")
class VoidSheet(Command):
    """Account for a sheet that was not used, before a witness."""

    lot: str
    sheet: str
    witness: str
    reason: str
    role: str = "operator"

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        other_person(by.person, self.witness, "void sheet")
        _blank(lot, self.sheet)
        body = SheetVoided(sheet=self.sheet, witness=self.witness)
        needs = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.witness, meaning="verified", role=self.role),
        )
        return Decision(facts=(lot.fact(body, reason=self.reason),), sign=needs)


def _blank(lot: LotState, sheet: str) -> str:
    """The step of a sheet that is out. Raises Refusal `sheet-not-out`."""
    if sheet not in lot.blank_sheets:
        raise Refusal(
            "sheet-not-out",
            "Sheet {sheet} was not printed for lot {lot}, or has come back already.",
            remedy="Each numbered sheet is entered or voided once.",
            rule="D8",
            sheet=sheet,
            lot=lot.number,
        )
    return lot.blank_sheets[sheet]


@command("lot.enter_sheet", "operator", "quality_assurance")
class EnterSheet(Command):
    """Enter a step from its sheet. The transcriber gives the command; the verifier compares with the sheet."""

    lot: str
    sheet: str
    scan_sha256: FileHash
    """Hash of the scan of the sheet, which is in the file store."""
    outage: str
    """What was down, from when to when."""
    verifier: str
    performer: str
    started: str
    completed: str
    performer_verifier: str | None = None
    """Who verified the step itself, on the sheet."""
    room: str | None = None
    equipment: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    materials: tuple[Added, ...] = ()
    readings: tuple[Measured, ...] = ()
    not_taken: dict[str, str] = field(default_factory=dict)
    role: str = "operator"

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        other_person(by.person, self.verifier, "transcription")
        recipe = recipe_of(world, lot)
        step = planned(recipe, _blank(lot, self.sheet))
        self._legible(world, lot, step)
        done = Done(
            performer=self.performer,
            verifier=self.performer_verifier,
            readings=tuple(judged(world, step, measured) for measured in self.readings),
            not_taken=self.not_taken,
            at=moment(self.completed),
        )
        state = self._as_done(world, lot, step)
        all_there(step, state, done)
        findings = (*self._wrong_at_start(world, lot, recipe, step), *found(world, lot, step, state, done))
        facts = (
            lot.fact(self._entered(step, by), reason=self.outage, claimed_at=self.started),
            *self._started(lot, recipe, step),
            *(late(lot, self._addition(world, lot, step, one), self._entry(self.started)) for one in self.materials),
            *self._used(world, lot),
            *completed(lot, recipe, step, done, self._entry(self.completed)),
            *recorded(lot, findings),
        )
        needs = (
            Need(person=by.person, meaning="transcribed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.role),
        )
        return Decision(facts=facts, sign=needs)

    def _legible(self, world: World, lot: LotState, step: Step) -> None:
        """What cannot be so is refused: it was read or typed wrongly, which says nothing of what was done."""
        if past("completed", self.completed, world.now) < past("started", self.started, world.now):
            raise Refusal("ends-before-it-begins", "The step ends before it begins.", rule="R044")
        if _SHA256.fullmatch(self.scan_sha256) is None:
            raise Refusal("scan-missing", "The scan of the sheet is named by its SHA-256.", rule="D8")
        if not self.outage.strip():
            raise Refusal("reason-missing", "A late entry says why it is late.", rule="R007")
        if step.id in lot.done:
            raise Refusal(
                "step-done-already",
                "Step {step} of lot {lot} is {status}.",
                remedy="Each step is done once; what must be repeated is recorded as a nonconformance.",
                rule="R042",
                step=step.id,
                lot=lot.number,
                status="completed",
            )
        for name in (*self.containers, *(one.into for one in self.materials if one.into is not None)):
            container(lot, name)
        for one in self.materials:
            positive("quantity", one.quantity)
            if not world.load(MaterialState, one.material).exists:
                raise Refusal(
                    "material-unknown",
                    "The material lot {material} was never received here.",
                    remedy="Read the sheet again, or receive the material lot.",
                    rule="R049",
                    material=one.material,
                )

    def _entry(self, claimed_at: str) -> Entry:
        return Entry(self.outage, claimed_at)

    def _entered(self, step: Step, by: By) -> SheetEntered:
        return SheetEntered(
            sheet=self.sheet,
            step=step.id,
            sha256=self.scan_sha256,
            transcriber=by.person,
            verifier=self.verifier,
            started=self.started,
            completed=self.completed,
            outage=self.outage,
        )

    def _started(self, lot: LotState, recipe: Recipe, step: Step) -> tuple[Fact, ...]:
        """The beginning too, unless the step was under way when the system went down."""
        if step.id in lot.steps:
            return ()
        entry = self._entry(self.started)
        return started(lot, recipe, step, self.performer, self.room, self.equipment, self.containers, entry)

    def _as_done(self, world: World, lot: LotState, step: Step) -> StepState:
        """The step as the sheet tells it, for judging: what the record has, or else what the sheet claims."""
        known = lot.steps.get(step.id)
        additions = tuple(
            Addition(step=step.id, code=a.code, used=_consumed(world, a), by=self.performer, at=self.started)
            for a in self.materials
        )
        if known is not None:
            return replace(known, additions=(*known.additions, *additions))
        return StepState(
            step=step.id,
            title=step.title.en,
            status="started",
            performer=self.performer,
            started=self.started,
            room=self.room,
            equipment=self.equipment,
            containers=self.containers,
            additions=additions,
            duration_min=iso(step.duration.min),
            duration_max=iso(step.duration.max),
        )

    def _addition(self, world: World, lot: LotState, step: Step, one: Added) -> MaterialAdded:
        return MaterialAdded(
            coi=lot.coi,
            stock=lot.stock,
            step=step.id,
            code=one.code,
            used=_consumed(world, one),
            performer=self.performer,
            into=one.into,
        )

    def _used(self, world: World, lot: LotState) -> Iterator[Fact]:
        for name in dict.fromkeys(one.material for one in self.materials):
            yield from world.load(MaterialState, name).use(lot.number)

    def _wrong_at_start(self, world: World, lot: LotState, recipe: Recipe, step: Step) -> Iterator[Finding]:
        """What would have refused the start, judged at the claimed time (D7)."""
        at = moment(self.started)
        if step.id not in lot.steps:
            for refusal in readiness.out_of_turn(lot, recipe, step):
                yield Finding(refusal, "critical", step=step.id)
            waited = readiness.waited_too_long(lot, step, at)
            if waited is not None:
                yield waited
            yield from readiness.of_room(world, lot, step, self.room)
        for one in self.materials:
            material = world.load(MaterialState, one.material)
            for refusal in unsuitable(step, material, one.code, one.unit, at):
                yield Finding(refusal, "major", step=step.id)
        if step.verified_by_second and self.performer_verifier in (None, self.performer):
            refusal = Refusal(
                "verifier-missing",
                "Step {step} is verified by a second person.",
                remedy="Name the person who verified it.",
                rule="R041",
                step=step.id,
            )
            yield Finding(refusal, "major", step=step.id)


def _consumed(world: World, one: Added) -> Consumed:
    stock = world.load(MaterialState, one.material).stock
    return Consumed(stock=stock, material=one.material, quantity=one.quantity, unit=one.unit)
