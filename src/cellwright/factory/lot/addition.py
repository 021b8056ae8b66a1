"""Adding materials: each addition is one interaction with one stamp, confirmed by scan (R006, R049)."""

from collections.abc import Iterator
from datetime import datetime

from cellwright.factory.lot import scanning, swap
from cellwright.factory.lot.access import workable
from cellwright.factory.lot.fact.step import Consumed, MaterialAdded
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.step import planned, under_way
from cellwright.factory.order.figure import positive
from cellwright.factory.order.scan import Scan, confirmed, item
from cellwright.factory.plant.material import MaterialState
from cellwright.factory.recipe.recipe import Step
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


@command("lot.add_material", "operator")
class AddMaterial(Command):
    """Add one scanned material in a running step; asked before it is done, so that a wrong one is refused in time."""

    lot: str
    step: str
    code: str
    material: Scan
    quantity: str
    unit: str
    into: Scan | None = None
    witness: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        under_way(lot, self.step)
        step = planned(recipe_of(world, lot), self.step)
        name = item(self.material, "material")
        material = world.load(MaterialState, name)
        scans = tuple(s for s in (None if material.exists else self.material, self.into) if s is not None)
        stop = swap.stopped(world, lot, by, scans, point="in_process", expected=f"material {self.code}")
        if stop is not None:
            return stop
        positive("quantity", self.quantity)
        for refusal in unsuitable(step, material, self.code, self.unit, world.now):
            raise refusal
        into = None if self.into is None else scanning.identified(scanning.container(world, lot, self.into)).container
        body = MaterialAdded(
            coi=lot.coi,
            stock=lot.stock,
            step=self.step,
            code=self.code,
            used=Consumed(stock=material.stock, material=name, quantity=self.quantity, unit=self.unit),
            performer=by.person,
            into=into,
            witness=self.witness,
        )
        typed = tuple(s for s in (self.material, self.into) if s is not None)
        facts = (lot.fact(body), *material.use(lot.number))
        return Decision(facts=facts, sign=(*self._needs(by, step), *confirmed(by, step.role, typed)))

    def _needs(self, by: By, step: Step) -> tuple[Need, ...]:
        if self.witness is None:
            return ()
        return (
            Need(person=by.person, meaning="performed", role=step.role),
            Need(person=self.witness, meaning="verified", role=step.role),
        )


def unsuitable(step: Step, material: MaterialState, code: str, unit: str, at: datetime) -> Iterator[Refusal]:
    """What stands against using a material lot in a step: each reason has its own code (R049)."""
    planned_use = next((use for use in step.materials if use.code == code), None)
    if planned_use is None:
        yield Refusal(
            "material-not-in-step",
            "Step {step} uses no {item}.",
            remedy="Scan the material the step asks for.",
            rule="R049",
            step=step.id,
            item=code,
        )
    elif unit != planned_use.unit:
        yield Refusal(
            "wrong-unit",
            "{item} is measured in {wanted}, not in {unit}.",
            remedy="Give the quantity in the unit of the recipe.",
            rule="R044",
            item=code,
            wanted=planned_use.unit,
            unit=unit,
        )
    refusal = material.usable(at, code)
    if refusal is not None:
        yield refusal
