"""Every recipe that is shipped can be made, from receipt to the locked record, with nothing but what it says."""

from collections.abc import Iterable
from decimal import Decimal
from importlib.resources import files

import pytest

from cellwright.factory.definition import read
from cellwright.factory.lot.addition import AddMaterial
from cellwright.factory.lot.bag import DisposeContainer
from cellwright.factory.lot.closing import CompleteLot
from cellwright.factory.lot.completion import CompleteStep
from cellwright.factory.lot.issue import IssueLot
from cellwright.factory.lot.reading import Measured, TakeReading
from cellwright.factory.lot.receipt import ReceiveMaterial
from cellwright.factory.lot.room import EnterRoom, LeaveRoom
from cellwright.factory.lot.sample import DrawSample
from cellwright.factory.lot.step import StartStep
from cellwright.factory.lot.transfer import Child
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import OrderState
from cellwright.factory.portfolio.product import Product
from cellwright.factory.recipe.recipe import Parameter, Recipe, Step
from tests.factory.lot.setting import Bench

SHIPPED = files("cellwright") / "shipped"
PRODUCTS = sorted(f.name for f in (SHIPPED / "product").iterdir() if f.name.endswith(".yaml"))


RECIPES = {
    recipe.id: recipe
    for f in (SHIPPED / "recipe").iterdir()
    if f.name.endswith(".yaml")
    for recipe in (read(Recipe, f.read_text(encoding="utf-8"), f.name),)
}


def shipped(name: str) -> tuple[Product, Recipe]:
    product = read(Product, (SHIPPED / "product" / name).read_text(encoding="utf-8"), name)
    return product, RECIPES[product.recipe]


class Maker:
    """Does what a recipe says, step by step."""

    def __init__(self, bench: Bench, lot: str) -> None:
        self.bench, self.lot, self.current = bench, lot, [*bench.lot(lot).containers]
        self.rooms: set[str] = set()

    def step(self, step: Step) -> None:
        bench, lot = self.bench, self.lot
        room = f"R-{step.room_class}" if step.open_processing else f"H-{step.room_class}"
        if step.open_processing and room not in bench.lot(lot).rooms:
            bench.do(EnterRoom(lot=lot, room=room, verifier="OP-2"))
        if step.hold_min is not None:
            bench.now += step.hold_min
        equipment = (f"E-{step.equipment_class}",) if step.equipment_class is not None else ()
        scans = tuple(Scan(text=bench.code(lot, c)) for c in self.current) if "container" in step.scans else ()
        begin = StartStep(lot=lot, step=step.id, room=room, equipment=equipment, containers=scans)
        decision = bench.do(begin)
        assert decision.stop is None, decision.stop
        for use in step.materials:
            bench.do(
                AddMaterial(
                    lot=lot, step=step.id, code=use.code, material=Scan(text=f"M-{use.code}"),
                    quantity=format(use.quantity, "f"), unit=use.unit,
                )
            )  # fmt: skip
        bench.now += step.duration.typical
        if step.makes:
            self.fill(step)
        for sample in step.samples:
            assert self.current, "a sample is drawn from something"
            bench.do(
                DrawSample(lot=lot, step=step.id, scan=Scan(text=bench.code(lot, self.current[0])), sample=sample.id)
            )
        for parameter in step.parameters:
            bench.do(TakeReading(lot=lot, step=step.id, reading=_inside(parameter)))
        bench.do(CompleteStep(lot=lot, step=step.id, verifier="OP-2", signers=dict.fromkeys(step.signatures, "OP-3")))

    def fill(self, step: Step) -> None:
        kinds = [output.kind for output in step.makes for _ in range(output.count)]
        bags = iter(range(1, kinds.count("final_bag") + 1))
        held = {name: str(self.bench.lot(self.lot).containers[name].volume_ml) for name in self.current}
        volume = "40" if "final_bag" in kinds else "1000"
        children = [
            Child(
                kind=kind,
                volume_ml=volume,
                dose=next(bags) if kind == "final_bag" and self.bench.product.doses.plan > 1 else None,
            )
            for kind in kinds
        ]
        made = self.bench.make(self.lot, "process", held, children, step=step.id, emptied=bool(held))
        for name in made:
            self.bench.label(self.lot, name)
        containers = self.bench.lot(self.lot).containers
        self.current = [n for n in made if containers[n].kind == "final_bag"] or made

    def end(self) -> None:
        bench, lot = self.bench, self.lot
        for room in list(bench.lot(lot).rooms):
            bench.do(LeaveRoom(lot=lot, room=room))
        for name, one in bench.lot(lot).containers.items():
            if one.disposition is None and one.kind not in ("final_bag", "bulk", "retained", "backup"):
                bench.do(
                    DisposeContainer(lot=lot, container=name, disposition="destroyed", verifier="OP-2", reason="left")
                )
        bench.do(CompleteLot(lot=lot, verifier="OP-2"))


def _inside(parameter: Parameter) -> Measured:
    low, high = parameter.low, parameter.high
    value = (low + high) / 2 if low is not None and high is not None else low or high or Decimal(1)
    return Measured(
        parameter=parameter.id, value=format(value, "f"), unit=parameter.unit, how="instrument", instrument="E-test"
    )


def plant(bench: Bench, steps: Iterable[Step]) -> None:
    bench.equip("E-test", "test")
    for name in sorted({s.room_class for s in steps}):
        bench.room(f"R-{name}", name)
        bench.room(f"H-{name}", name, exclusive=False)
    for name in sorted({s.equipment_class for s in steps if s.equipment_class is not None}):
        bench.equip(f"E-{name}", name)
    for code in sorted({use.code for s in steps for use in s.materials}):
        bench.stock(f"M-{code}", code, f"stock-{code}")
    for person in ("OP-1", "OP-2", "OP-3"):
        roles = tuple(sorted({s.role for s in steps} - {"operator"}))
        bench.grant(person, roles, {s.qualification for s in steps if s.qualification is not None})


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_shipped_recipe_can_be_made_as_it_is_written(name: str) -> None:
    product, recipe = shipped(name)
    bench = Bench(recipe, made=product)
    plant(bench, recipe.steps)
    if product.personal:
        order = bench.patient(1)
        lot = bench.issued(order)
        (container,) = bench.load(OrderState, order).containers
        bench.allocate(order, lot, [container])
        bench.do(ReceiveMaterial(lot=lot, scan=Scan(text=container), verifier="OP-2"))
    else:
        lot = "M-1"
        bench.do(IssueLot(checked_by="QA-1", stock=product.id, product=product.id, lot=lot), "PL-1")
    maker = Maker(bench, lot)
    while ready := recipe.ready(bench.lot(lot).done):
        maker.step(ready[0])
    maker.end()
    state = bench.lot(lot)
    assert state.status == "complete"
    assert not state.nonconformances, {n.sentence for n in state.nonconformances.values()}
    assert set(state.procedures.values()) == {"Complete"}
    assert len(state.bags) == sum(o.count for s in recipe.steps for o in s.makes if o.kind == "final_bag")
    assert len(state.samples) == sum(len(s.samples) for s in recipe.steps)
