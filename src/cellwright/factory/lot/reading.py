"""Readings: measured, judged against the recipe, and read twice where they are critical and typed (R036, R043, R044)."""

from cellwright.factory.lot.access import unlocked
from cellwright.factory.lot.fact.step import How, Reading, ReadingTaken, ReadingVerified
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.nonconformance import Finding, recorded
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import planned
from cellwright.factory.order.figure import decimal
from cellwright.factory.plant.equipment import EquipmentState
from cellwright.factory.recipe.recipe import Parameter, Step
from cellwright.factory.record import Immutable
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


class Measured(Immutable):
    """A value as it is entered: by an instrument, by a scanner, or by hand."""

    parameter: str
    value: str
    unit: str
    how: How = "typed"
    instrument: str | None = None


def judged(world: World, step: Step, measured: Measured) -> Reading:
    """A reading with the verdict of the recipe's limits. The value is kept, whatever the verdict.

    Raises:
        Refusal: `unknown-parameter`, `wrong-unit`, `not-a-number`, `instrument-missing`, or why the instrument is unfit.
    """
    parameter = parameter_of(step, measured.parameter)
    if measured.unit != parameter.unit:
        raise Refusal(
            "wrong-unit",
            "{item} is measured in {wanted}, not in {unit}.",
            remedy="Give the value in the unit of the recipe.",
            rule="R044",
            item=parameter.id,
            wanted=parameter.unit,
            unit=measured.unit,
        )
    value = decimal(parameter.id, measured.value)
    _source(world, measured)
    low, high = parameter.low, parameter.high
    return Reading(
        parameter=parameter.id,
        value=measured.value,
        unit=measured.unit,
        how=measured.how,
        within=(low is None or value >= low) and (high is None or value <= high),
        critical=parameter.critical,
        instrument=measured.instrument,
    )


def parameter_of(step: Step, name: str) -> Parameter:
    for parameter in step.parameters:
        if parameter.id == name:
            return parameter
    raise Refusal("unknown-parameter", "Step {step} records no {parameter}.", rule="R044", step=step.id, parameter=name)


def _source(world: World, measured: Measured) -> None:
    """An instrument that sends a value is known and fit (R036)."""
    if measured.how != "instrument":
        return
    if measured.instrument is None:
        raise Refusal(
            "instrument-missing",
            "{parameter} came from an instrument that is not named.",
            rule="R036",
            parameter=measured.parameter,
        )
    unfit = world.load(EquipmentState, measured.instrument).fit(world.now)
    if unfit is not None:
        raise unfit


def outside(step: Step, reading: Reading) -> Finding | None:
    """The nonconformance of a reading outside its limits; major where the parameter is critical."""
    if reading.within:
        return None
    parameter = parameter_of(step, reading.parameter)
    refusal = Refusal(
        "out-of-limits",
        "{parameter} is {value} {unit}; the limits are {low} to {high}.",
        remedy="The value stands; quality assurance assesses it.",
        rule="R050",
        parameter=reading.parameter,
        value=reading.value,
        unit=reading.unit,
        low="-" if parameter.low is None else parameter.low,
        high="-" if parameter.high is None else parameter.high,
    )
    return Finding(refusal, "major" if parameter.critical else "minor", step=step.id)


@command("lot.take_reading", "operator")
class TakeReading(Command):
    """Record one value in a step. Changing a value that stands needs a reason; both stay readable (R004, R005)."""

    lot: str
    step: str
    reading: Measured
    reason: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        step = planned(recipe_of(world, lot), self.step)
        state = lot.steps.get(self.step)
        if state is None:
            raise Refusal(
                "step-not-running",
                "Step {step} of lot {lot} is not under way.",
                remedy="Start it first.",
                rule="R042",
                step=self.step,
                lot=lot.number,
            )
        changes = self.reading.parameter in state.readings or state.status == "completed"
        if changes and not (self.reason or "").strip():
            raise Refusal(
                "reason-missing",
                "{parameter} is recorded already; changing it needs a reason.",
                remedy="Say why the value changes; the former value stays readable.",
                rule="R004",
                parameter=self.reading.parameter,
            )
        reading = judged(world, step, self.reading)
        body = ReadingTaken(step=self.step, reading=reading, performer=by.person)
        finding = outside(step, reading)
        facts = (lot.fact(body, reason=self.reason), *recorded(lot, () if finding is None else (finding,)))
        needs = (Need(person=by.person, meaning="performed", role=step.role),) if changes else ()
        return Decision(facts=facts, sign=needs)


@command("lot.verify_reading", "operator", "quality_assurance")
class VerifyReading(Command):
    """Read the same value a second time, independently, and enter what is read (R043)."""

    lot: str
    step: str
    parameter: str
    value: str
    role: str = "operator"

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        taken = lot.steps[self.step].readings.get(self.parameter) if self.step in lot.steps else None
        if taken is None:
            raise _nothing(lot, self.step, self.parameter)
        if taken.by == by.person:
            raise Refusal(
                "same-person-twice",
                "{person} cannot both do and verify: {what}.",
                remedy="A second qualified person verifies.",
                rule="R041",
                person=by.person,
                what=self.parameter,
            )
        if decimal(self.parameter, self.value) != decimal(self.parameter, taken.reading.value):
            raise Refusal(
                "readings-differ",
                "{parameter} was recorded as {first} and is now read as {second}.",
                remedy="Both read again; if the first value was wrong, it is changed with a reason.",
                rule="R043",
                parameter=self.parameter,
                first=taken.reading.value,
                second=self.value,
            )
        body = ReadingVerified(step=self.step, parameter=self.parameter, verifier=by.person)
        need = Need(person=by.person, meaning="verified", role=self.role)
        return Decision(facts=(lot.fact(body),), sign=(need,))


def _nothing(lot: LotState, step: str, parameter: str) -> Refusal:
    return Refusal(
        "nothing-to-verify",
        "Step {step} of lot {lot} has no value of {parameter}.",
        rule="R043",
        step=step,
        lot=lot.number,
        parameter=parameter,
    )
