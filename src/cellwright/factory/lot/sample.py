"""Samples: drawn from a scanned container, under a number of their own that belongs to the same patient (R067, R117)."""

from decimal import Decimal

from cellwright.factory.lot import scanning, swap
from cellwright.factory.lot.access import workable
from cellwright.factory.lot.fact.container import SampleDrawn
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.part import Container
from cellwright.factory.lot.step import planned, under_way
from cellwright.factory.order.figure import positive
from cellwright.factory.order.scan import Scan, confirmed
from cellwright.factory.rule import By, Command, Decision, Refusal, World, command


@command("lot.draw_sample", "operator")
class DrawSample(Command):
    """Draw a sample the recipe asks for (`sample`), or another one with its own kind and tests."""

    lot: str
    step: str
    scan: Scan
    sample: str | None = None
    """Id of the sample in the recipe's step."""
    kind: str | None = None
    tests: tuple[str, ...] = ()
    volume_ml: str | None = None
    """Volume really drawn; the recipe's if not given."""
    tubes: int | None = None
    retained: bool = False

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        under_way(lot, self.step)
        stop = swap.stopped(world, lot, by, (self.scan,), point="in_process")
        if stop is not None:
            return stop
        found = scanning.identified(scanning.container(world, lot, self.scan))
        step = planned(recipe_of(world, lot), self.step)
        asked = next((one for one in step.samples if one.id == self.sample), None)
        if asked is None and (self.sample is not None or self.kind is None or not self.tests or not self.volume_ml):
            raise Refusal(
                "sample-not-planned",
                "Step {step} draws no sample {sample}.",
                remedy="Name a sample of the recipe, or give kind, tests and volume of another one.",
                rule="R117",
                step=self.step,
                sample=self.sample or "-",
            )
        volume = self.volume_ml or (str(asked.volume_ml) if asked is not None else "")
        _there(found, positive("volume_ml", volume))
        body = SampleDrawn(
            coi=lot.coi,
            stock=lot.stock,
            sample=world.issue("sample"),
            kind=asked.kind if asked is not None else str(self.kind),
            tests=asked.tests if asked is not None else self.tests,
            container=found.container,
            volume_ml=volume,
            performer=by.person,
            tubes=self.tubes or (asked.vessels if asked is not None else 1),
            retained=asked.retained if asked is not None else self.retained,
            step=self.step,
        )
        return Decision(facts=(lot.fact(body),), sign=confirmed(by, step.role, (self.scan,)))


def _there(found: Container, volume: Decimal) -> None:
    if volume > found.volume_ml:
        raise Refusal(
            "volume-not-there",
            "{container} holds {held} mL; {volume} mL cannot be drawn from it like this.",
            remedy="Measure the container again and record the volume, then draw.",
            rule="R117",
            container=found.container,
            held=found.volume_ml,
            volume=volume,
        )
