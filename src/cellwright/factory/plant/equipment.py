"""Equipment: registered, qualified, calibrated, cleaned, and fit for use only while all of that is in date (R048)."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec

from cellwright.factory.identity import NAMES, Lot, Person
from cellwright.factory.people import stamp
from cellwright.factory.record import Body, Fact, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command


@event("equipment.registered")
class EquipmentRegistered(Body):
    """A piece of equipment comes into use. Intervals are ISO 8601 durations; an absent one does not apply to it."""

    equipment_class: str
    place: Annotated[str, NAMES("room")]
    serial: str = ""
    qualification_every: str | None = None
    calibration_every: str | None = None
    cleaning_every: str | None = None
    clean_each_use: bool = False
    capacity: int | None = None
    """Numbered places for containers, each claimed by one owner (D2)."""


@event("equipment.qualified")
class EquipmentQualified(Body):
    """Qualification holds until a time; open where no interval applies."""

    document: str
    until: str | None = None


@event("equipment.calibrated")
class EquipmentCalibrated(Body):
    """Calibration against a traceable standard holds until a time."""

    certificate: str
    until: str | None = None


@event("equipment.cleaned")
class EquipmentCleaned(Body):
    """Cleaned and inspected; holds until a time, or until the next use where each use needs a cleaning."""

    performer: Person
    until: str | None = None


@event("equipment.used")
class EquipmentUsed(Body):
    """A lot used the equipment, which must be cleaned before another one may."""

    lot: Lot


@event("equipment.taken_out")
class EquipmentTakenOut(Body):
    """Out of service: broken, or found out of calibration."""


@event("equipment.returned")
class EquipmentReturned(Body):
    """Back in service after repair; a qualification from before no longer counts."""

    document: str


class EquipmentState(State):
    """What is known about one piece of equipment. `fit` is asked when it is allocated and again when it is used."""

    room: ClassVar[str] = "equipment"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.registered: EquipmentRegistered | None = None
        self.qualified: EquipmentQualified | None = None
        self.calibrated: EquipmentCalibrated | None = None
        self.cleaned: EquipmentCleaned | None = None
        self.used_by: str | None = None
        """The lot that used it since the last cleaning, where that matters."""
        self.out_of_service = False
        self._course: list[tuple[str, Body]] = []
        """When each fact that makes it fit to measure, or unfit, was recorded; cleaning and use are of the moment."""

    @property
    def equipment_class(self) -> str:
        return "" if self.registered is None else self.registered.equipment_class

    @property
    def place(self) -> str:
        """The room it stands in."""
        return "" if self.registered is None else self.registered.place

    def apply(self, body: Body, seen: Seen) -> None:
        if not isinstance(body, (EquipmentCleaned, EquipmentUsed)):
            self._course.append((seen.at, body))
        self._take(body)

    def _take(self, body: Body) -> None:
        match body:
            case EquipmentRegistered():
                self.registered = body
            case EquipmentQualified():
                self.qualified = body
            case EquipmentCalibrated():
                self.calibrated = body
            case EquipmentCleaned():
                self.cleaned, self.used_by = body, None
            case EquipmentUsed():
                self.used_by = body.lot
            case EquipmentTakenOut():
                self.out_of_service = True
            case EquipmentReturned():
                self.out_of_service, self.qualified, self.calibrated = False, None, None
            case _:
                pass

    def fit(self, now: datetime, lot: str | None = None) -> Refusal | None:
        """Why this equipment may not be used now (by this lot), or None. An interval ends at its last instant."""
        registered = self.registered
        if registered is None:
            return _unfit("equipment-unknown", self.name)
        if self.out_of_service:
            return _unfit("equipment-out-of-service", self.name)
        at = stamp(now)
        for kind, every, record in (
            ("qualification", registered.qualification_every, self.qualified),
            ("calibration", registered.calibration_every, self.calibrated),
            ("cleaning", registered.cleaning_every, self.cleaned),
        ):
            if every is None and not (kind == "cleaning" and registered.clean_each_use):
                continue
            if record is None:
                return _unfit(f"equipment-{kind}-missing", self.name)
            if record.until is not None and at >= record.until:
                return _unfit(f"equipment-{kind}-expired", self.name, until=record.until)
        if self.used_by is not None and self.used_by != lot:
            return _unfit("equipment-not-cleaned", self.name, lot=self.used_by)
        return None

    def measured(self, at: datetime) -> Refusal | None:
        """Why what it measured at a moment proves nothing, or None: by what was on record of it then."""
        then, until_then = EquipmentState(self.name), stamp(at)
        for recorded_at, body in self._course:
            if recorded_at <= until_then:
                then._take(body)
        if then.registered is not None:
            then.registered = msgspec.structs.replace(then.registered, cleaning_every=None, clean_each_use=False)  # type: ignore[type-var]
        return then.fit(at)

    def use(self, lot: str) -> Fact | None:
        """The fact that a lot used it, where a cleaning must follow; None where its use leaves no trace here."""
        if self.registered is None or not self.registered.clean_each_use or self.used_by == lot:
            return None
        return self.fact(EquipmentUsed(lot=lot))


def _unfit(code: str, equipment: str, *, until: str = "", lot: str = "") -> Refusal:
    match code:
        case "equipment-unknown":
            return Refusal(code, "The equipment {equipment} is not registered.", remedy="Register it in the plant.",
                           rule="R048", equipment=equipment)  # fmt: skip
        case "equipment-out-of-service":
            return Refusal(code, "The equipment {equipment} is out of service.", remedy="Use another one.",
                           rule="R048", equipment=equipment)  # fmt: skip
        case "equipment-qualification-missing":
            return Refusal(code, "The equipment {equipment} is not qualified.", remedy="Qualify it, or use another one.",
                           rule="R048", equipment=equipment)  # fmt: skip
        case "equipment-qualification-expired":
            return Refusal(code, "The qualification of {equipment} ended at {until}.", remedy="Qualify it, or use another one.",
                           rule="R048", equipment=equipment, until=until)  # fmt: skip
        case "equipment-calibration-missing":
            return Refusal(code, "The equipment {equipment} is not calibrated.", remedy="Calibrate it, or use another one.",
                           rule="R048", equipment=equipment)  # fmt: skip
        case "equipment-calibration-expired":
            return Refusal(code, "The calibration of {equipment} ended at {until}.", remedy="Calibrate it, or use another one.",
                           rule="R048", equipment=equipment, until=until)  # fmt: skip
        case "equipment-cleaning-missing":
            return Refusal(code, "The equipment {equipment} was never cleaned.", remedy="Clean it first.",
                           rule="R048", equipment=equipment)  # fmt: skip
        case "equipment-cleaning-expired":
            return Refusal(code, "The cleaning of {equipment} held until {until}.", remedy="Clean it first.",
                           rule="R048", equipment=equipment, until=until)  # fmt: skip
        case _:
            return Refusal("equipment-not-cleaned", "The equipment {equipment} was not cleaned after the lot {lot}.",
                           remedy="Clean it first.", rule="R048", equipment=equipment, lot=lot)  # fmt: skip


def until(every: str | None, now: datetime) -> str | None:
    """The end of an interval that begins now; None where there is none."""
    return None if every is None else stamp(now + msgspec.convert(every, timedelta))


def registered(world: World, name: str) -> tuple[EquipmentState, EquipmentRegistered]:
    """A registered piece of equipment. Raises Refusal `equipment-unknown`."""
    state = world.load(EquipmentState, name)
    if state.registered is None:
        raise _unfit("equipment-unknown", name)
    return state, state.registered


@command("plant.qualify_equipment", "quality_assurance")
class QualifyEquipment(Command):
    """Quality assurance accepts a qualification report for one or several pieces of equipment."""

    equipment: tuple[str, ...]
    document: str

    def decide(self, world: World, by: By) -> Decision:
        facts = []
        for name in self.equipment:
            state, piece = registered(world, name)
            body = EquipmentQualified(document=self.document, until=until(piece.qualification_every, world.now))
            facts.append(state.fact(body))
        return Decision(
            facts=tuple(facts), sign=(Need(person=by.person, meaning="approved", role="quality_assurance"),)
        )


@command("plant.calibrate_equipment", "process_engineer", "quality_assurance")
class CalibrateEquipment(Command):
    """A calibration campaign: one certificate for one or several pieces of equipment."""

    equipment: tuple[str, ...]
    certificate: str

    def decide(self, world: World, by: By) -> Decision:
        facts = []
        for name in self.equipment:
            state, piece = registered(world, name)
            body = EquipmentCalibrated(certificate=self.certificate, until=until(piece.calibration_every, world.now))
            facts.append(state.fact(body))
        return Decision(facts=tuple(facts))


@command("plant.clean_equipment", "operator", "process_engineer", "analyst")
class CleanEquipment(Command):
    """One piece of equipment was cleaned and inspected."""

    equipment: str

    def decide(self, world: World, by: By) -> Decision:
        state, piece = registered(world, self.equipment)
        body = EquipmentCleaned(performer=by.person, until=until(piece.cleaning_every, world.now))
        return Decision(facts=(state.fact(body),))


@command("plant.take_out_equipment", "operator", "analyst", "process_engineer", "quality_assurance")
class TakeOutEquipment(Command):
    """Take equipment out of service; a reason is required."""

    equipment: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state, _ = registered(world, self.equipment)
        if not self.reason.strip():
            raise Refusal("reason-missing", "A reason is needed.", remedy="Write why.", rule="R004")
        if state.out_of_service:
            raise _unfit("equipment-out-of-service", self.equipment)
        return Decision(facts=(state.fact(EquipmentTakenOut(), reason=self.reason),))


@command("plant.return_equipment", "quality_assurance")
class ReturnEquipment(Command):
    """Return equipment to service; it must be qualified and calibrated anew before it is fit."""

    equipment: str
    document: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state, _ = registered(world, self.equipment)
        if not self.reason.strip():
            raise Refusal("reason-missing", "A reason is needed.", remedy="Write why.", rule="R004")
        if not state.out_of_service:
            raise Refusal(
                "equipment-in-service",
                "The equipment {equipment} is in service.",
                rule="R048",
                equipment=self.equipment,
            )
        return Decision(facts=(state.fact(EquipmentReturned(document=self.document), reason=self.reason),))
