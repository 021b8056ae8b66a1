"""A bench for tests of lots: a small recipe, people, rooms, equipment, stock, and patients whose cells have arrived."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from cellwright.factory import people
from cellwright.factory.definition import ASSUMED, Text
from cellwright.factory.lot.addition import AddMaterial
from cellwright.factory.lot.bag import FreezeBag
from cellwright.factory.lot.completion import CompleteStep
from cellwright.factory.lot.issue import IssueLot
from cellwright.factory.lot.label import ApplyLabel, Detach, PrintLabel, VerifyLabel
from cellwright.factory.lot.reading import Measured, TakeReading, VerifyReading
from cellwright.factory.lot.receipt import ReceiveMaterial
from cellwright.factory.lot.room import EnterRoom
from cellwright.factory.lot.sample import DrawSample
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import StartStep
from cellwright.factory.lot.transfer import Child, Source, TransferMaterial
from cellwright.factory.order.fact import material, placing
from cellwright.factory.order.pair import ChainAllocated, DonorStatusDecided, Formed
from cellwright.factory.order.scan import Scan
from cellwright.factory.plant.equipment import EquipmentQualified, EquipmentRegistered
from cellwright.factory.plant.material import MaterialReceived, MaterialReleased
from cellwright.factory.plant.room import RoomCleared, RoomRegistered
from cellwright.factory.portfolio.product import Band, Doses, Market, Product, ReleasePolicy, Storage
from cellwright.factory.recipe.recipe import (
    Duration,
    Operation,
    Output,
    Parameter,
    Recipe,
    Sample,
    Step,
    UnitProcedure,
    Use,
)
from cellwright.factory.record import Body, Fact
from cellwright.factory.rule import Decision, Refusal
from tests.factory.world import ClaimError, FakeWorld

T = Text(en="Do it.", zh="执行。")
HOUR = Duration(min=timedelta(0), typical=timedelta(hours=1), max=timedelta(hours=4))
SINCE = "2020-01-01T00:00:00.000000Z"
FAR = "2030-01-01T00:00:00.000000Z"


def step(name: str, *after: str, **more: object) -> Step:
    """A step in the suite, done by an operator within four hours."""
    given: dict[str, object] = {
        "id": name,
        "activity": "wash",
        "title": T,
        "instruction": T,
        "role": "operator",
        "room_class": "suite",
        "duration": HOUR,
        "after": after,
        "open_processing": True,
        **more,
    }
    return Step(**given)  # type: ignore[arg-type]


def recipe(units: dict[str, tuple[Step, ...]], version: str = "1", sha256: str = "a" * 64) -> Recipe:
    made = tuple(
        UnitProcedure(id=name, title=T, operations=(Operation(id=f"{name}-o", title=T, phases=steps),))
        for name, steps in units.items()
    )
    return Recipe(id="r1", version=version, sha256=sha256, name=T, product="p1", unit_procedures=made, process=ASSUMED)


def usual() -> Recipe:
    """Select, culture, fill: the shortest recipe that has everything."""
    beads = Use(code="beads", quantity=Decimal(2), unit="mL")
    vector = Use(code="vector", quantity=Decimal(1), unit="mL")
    count = Parameter(id="viable_cells", name=T, unit="cells", low=Decimal("1e8"), critical=True)
    viability = Parameter(id="viability", name=T, unit="%", low=Decimal(70), high=Decimal(100), critical=True)
    glucose = Parameter(id="glucose", name=T, unit="mmol/L", low=Decimal(2), high=Decimal(20))
    bags = Output(kind="final_bag", name=T, count=2)
    quality = Sample(id="qc", kind="final_product", tests=("viability", "sterility"), volume_ml=Decimal(2), vessels=3)
    return recipe(
        {
            "prepare": (
                step("select", materials=(beads,), scans=("container",), makes=(Output(kind="culture", name=T),)),
                step("transduce", "select", materials=(vector,), scans=("container",), qualification="viral_vector"),
            ),
            "culture": (
                step(
                    "expand", "transduce", open_processing=False, room_class="hall", equipment_class="incubator",
                    parameters=(glucose,),
                    duration=Duration(min=timedelta(days=5), typical=timedelta(days=8), max=timedelta(days=12)),
                ),
            ),
            "finish": (
                step("harvest", "expand", scans=("container",), parameters=(count, viability), samples=(quality,)),
                step(
                    "fill", "harvest", scans=("container",), makes=(bags,), hold_max=timedelta(hours=2),
                    hold_min=timedelta(minutes=5), verified_by_second=True, signatures=("performed", "verified"),
                ),
            ),
        }
    )  # fmt: skip


def product(doses: int = 1, *, personal: bool = True, name: str = "p1") -> Product:
    storage = Storage(max_c=Decimal(-150), basis=ASSUMED)
    return Product(
        id=name, version="1", name=T, modality="car_t", unit="patient_lot" if personal else "stock_lot",
        autologous=True, gene_modified=True, recipe="r1", recipe_version="1",
        doses=Doses(plan=doses, bands=(Band(minimum=Decimal(1), unit="cells", basis=ASSUMED),), basis=ASSUMED),
        gates=(), markets=(Market(code="CN", legal_basis="authorised", specification="s1", basis=ASSUMED),),
        release_policy=ReleasePolicy(basis=ASSUMED), storage=storage, use_window_after_thaw=timedelta(minutes=30),
        shelf_life=timedelta(days=270), collection_hold_max=timedelta(hours=72), logistics=ASSUMED,
    )  # fmt: skip


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """The block ends in a refusal with one of these codes, or in a hard stop of the store if `claim` is among them."""
    with pytest.raises((Refusal, ClaimError)) as caught:
        yield
    code = getattr(caught.value, "code", "claim")
    assert code in codes, f"refused with {code}: {caught.value}"


class Bench(FakeWorld):
    """A world with a plant that is ready, and verbs that do the ordinary thing."""

    def __init__(self, made_by: Recipe | None = None, doses: int = 1, made: Product | None = None) -> None:
        super().__init__()
        self.recipe = made_by or usual()
        self.product = made or product(doses)
        self.define(self.recipe.id, self.recipe)
        self.define(self.product.id, self.product)
        for name in ("OP-1", "OP-2", "OP-3"):
            self.person(name, "operator", qualified=("viral_vector",))
            self.train(name)
        for name in ("QA-1", "QA-2"):
            self.person(name, "quality_assurance")
        self.person("PL-1", "planner")
        self.person("AP-1", "authorised_person", qualified=("authorised_person",))
        self.person("WH-1", "warehouse")
        self.person("WH-2", "warehouse")
        for room in ("S1", "S2", "S3"):
            self.room(room)
        self.room("H1", "hall", exclusive=False)
        self.equip("INC-1", "incubator")
        self.stock("B-1", "beads", "beads")
        self.stock("V-7", "vector", "vector-lentiviral")

    def say(self, stream: str, *bodies: Body) -> None:
        self.record(Fact(stream, body) for body in bodies)

    def train(self, person: str, version: str | None = None, until: str | None = None) -> None:
        self.say(
            f"person/{person}",
            people.Trained(
                person=person,
                procedure=self.recipe.id,
                version=version or self.recipe.version,
                since=SINCE,
                until=until,
            ),
        )

    def grant(self, person: str, roles: Iterable[str], qualifications: Iterable[str]) -> None:
        self.say(
            f"person/{person}",
            *(people.RoleGranted(person=person, role=role, since=SINCE) for role in roles),
            *(people.Qualified(person=person, qualification=name, since=SINCE) for name in qualifications),
        )

    def room(self, name: str, room_class: str = "suite", *, exclusive: bool = True) -> None:
        self.say(
            f"room/{name}",
            RoomRegistered(room_class=room_class, exclusive=exclusive),
            RoomCleared(performer="OP-1", verifier="OP-2"),
        )

    def equip(self, name: str, equipment_class: str, until: str = FAR) -> None:
        self.say(
            f"equipment/{name}",
            EquipmentRegistered(equipment_class=equipment_class, place="H1", qualification_every="P365D"),
            EquipmentQualified(document="IQ-1", until=until),
        )

    def stock(self, name: str, code: str, stock: str, expiry: str = FAR, *, released: bool = True) -> None:
        received = MaterialReceived(
            stock=stock, material=name, code=code, supplier_batch="1", quantity="100", unit="mL", expiry=expiry
        )
        self.say(f"material/{name}", received)
        if released:
            self.say(f"material/{name}", MaterialReleased(document="COA-1"))

    # --- patients
    def patient(self, n: int, *, donations: int = 1, containers: int = 1, status: str = "eligible") -> str:
        """An order with a chain of identity and collected, accepted cells; answers the order's name."""
        pair, order, coi = f"PAIR-{n}", f"ORD-{n}", self.issue("coi")
        self.say(
            f"pair/{pair}",
            Formed(pair=pair, donor=f"SUB-{n}", recipient=f"SUB-{n}"),
            DonorStatusDecided(pair=pair, status=status, legends=("autologous_use_only",), assessor="QA-1"),  # type: ignore[arg-type]
            ChainAllocated(pair=pair, coi=coi, order=order),
        )
        self.say(
            f"order/{order}",
            placing.Placed(
                pair=pair, product=self.product.id, product_version=self.product.version, market="CN", basis="authorised", prescriber="DR-1",
                hospital="H",
            ),
            placing.CoiAllocated(pair=pair, coi=coi, verifier="CO-1"),
        )  # fmt: skip
        for day in range(1, donations + 1):
            self.collect(order, coi, pair, day, f"A9999-2026-{n:03d}{day:03d}", containers)
        return order

    def collect(self, order: str, coi: str, pair: str, day: int, din: str, containers: int) -> None:
        names = [f"{din}-{letter}0" for letter in "ABCDEFGH"[:containers]]
        at = people.stamp(self.now)
        parts = tuple(
            material.Collected(container=name, division=name[-2:], volume_ml="100", nucleated_cells="5000000000")
            for name in names
        )
        self.say(
            f"order/{order}",
            material.DonationCollected(
                coi=coi, pair=pair, collection="COL-1", day=day, din=din, containers=parts, started_at=at, ended_at=at,
                holder="hospital", place="ward", performer="NU-1", verifier="NU-2",
            ),
            material.Accepted(coi=coi, containers=tuple(names), shipment="SH-1", acceptor="QA-1"),
        )  # fmt: skip

    def allocate(self, order: str, lot: str, containers: Iterable[str]) -> None:
        state = self.lot(lot)
        assert state.coi is not None and state.pair is not None
        self.say(
            f"order/{order}",
            material.Allocated(coi=state.coi, pair=state.pair, containers=tuple(containers), lot=lot, allocator="CO-1"),
        )

    # --- lots
    def lot(self, name: str) -> LotState:
        return self.load(LotState, name)

    def issued(self, order: str) -> str:
        name = f"L-{order.rpartition('-')[2]}"
        while self.lot(name).exists:
            name += "b"
        self.do(IssueLot(order=order, checked_by="QA-1", lot=name), "PL-1")
        return name

    def received(self, n: int = 1, room: str = "S1", **patient: int) -> str:
        """A lot in a room with all of its patient's cells received."""
        order = self.patient(n, **patient)  # type: ignore[arg-type]
        lot = self.issued(order)
        self.do(EnterRoom(lot=lot, room=room, verifier="OP-2"))
        from cellwright.factory.order.state import OrderState

        names = tuple(self.load(OrderState, order).containers)
        self.allocate(order, lot, names)
        for name in names:
            self.do(ReceiveMaterial(lot=lot, scan=Scan(text=name), verifier="OP-2"))
        return lot

    def start(
        self, lot: str, name: str, *containers: str, by: str = "OP-1", room: str | None = None, **more: object
    ) -> Decision:
        place = room or next(iter(self.lot(lot).rooms), None)
        scans = tuple(Scan(text=self.code(lot, c)) for c in containers)
        return self.do(StartStep(lot=lot, step=name, room=place, containers=scans, **more), by)  # type: ignore[arg-type]

    def complete(self, lot: str, name: str, *, by: str = "OP-1", **more: object) -> Decision:
        return self.do(CompleteStep(lot=lot, step=name, **more), by)  # type: ignore[arg-type]

    def add(self, lot: str, step: str, code: str, material: str, into: str | None = None) -> Decision:
        scan = None if into is None else Scan(text=self.code(lot, into))
        quantity = {"beads": "2", "vector": "1"}.get(code, "1")
        return self.do(
            AddMaterial(
                lot=lot, step=step, code=code, material=Scan(text=material), quantity=quantity, unit="mL", into=scan
            )
        )

    def read(self, lot: str, step: str, parameter: str, value: str, unit: str, *, second: str | None = "OP-2") -> None:
        self.do(TakeReading(lot=lot, step=step, reading=Measured(parameter=parameter, value=value, unit=unit)))
        if second is not None:
            self.do(VerifyReading(lot=lot, step=step, parameter=parameter, value=value), second)

    def code(self, lot: str, container: str) -> str:
        """What is on the container: its label's code, or the donation's own."""
        found = self.lot(lot).containers.get(container)
        label = found.label if found is not None else None
        return container if label is None else self.lot(lot).labels[label].code

    def make(self, lot: str, transfer: str, parents: dict[str, str], children: list[Child], *, step: str | None = None,
             waste: str = "0", emptied: bool = False) -> list[str]:  # fmt: skip
        before = set(self.lot(lot).containers)
        sources = tuple(
            Source(scan=Scan(text=self.code(lot, name)), volume_ml=volume, emptied=emptied)
            for name, volume in parents.items()
        )
        self.do(
            TransferMaterial(
                lot=lot, transfer=transfer, sources=sources, children=tuple(children), step=step, waste_ml=waste,  # type: ignore[arg-type]
                verifier="OP-2",
            )
        )  # fmt: skip
        return [name for name in self.lot(lot).containers if name not in before]

    def label(self, lot: str, container: str, place: str = "container", *, detach: bool = True) -> str:
        """Print, read back and apply a label; detach the container."""
        self.do(PrintLabel(lot=lot, container=container, place=place))  # type: ignore[arg-type]
        label = next(reversed(self.lot(lot).labels.values()))
        self.do(VerifyLabel(lot=lot, label=label.label, scan=Scan(text=label.code), legends=label.legends))
        self.do(ApplyLabel(lot=lot, container=container, scan=Scan(text=label.code), verifier="OP-2"))
        if detach and place == "container" and not self.lot(lot).containers[container].detached:
            self.do(Detach(lot=lot, containers=(container,)))
        return label.label

    def freeze(self, lot: str, bag: str, position: str) -> Decision:
        """Put a labelled bag, in its cassette if that is labelled, into a position."""
        serial = self.lot(lot).containers[bag].cassette
        cassette = None if serial is None else Scan(text=self.lot(lot).labels[serial].code)
        return self.do(
            FreezeBag(
                lot=lot,
                bag=Scan(text=self.code(lot, bag)),
                cassette=cassette,
                position=position,
                verifier="OP-2",
            )
        )

    # --- the ordinary course
    def cultured(self, n: int = 1, room: str = "S1", hours: int = 192, **patient: int) -> tuple[str, str]:
        """A lot whose cells are in culture, and the culture's container."""
        lot = self.received(n, room, **patient)
        first = next(iter(self.lot(lot).containers))
        self.start(lot, "select", first)
        self.add(lot, "select", "beads", "B-1", first)
        (culture,) = self.make(
            lot, "process", {first: "102"}, [Child(kind="culture", volume_ml="200")], step="select", emptied=True
        )
        self.label(lot, culture)
        self.complete(lot, "select")
        self.start(lot, "transduce", culture)
        self.add(lot, "transduce", "vector", "V-7", culture)
        self.complete(lot, "transduce")
        self.start(lot, "expand", room="H1", equipment=("INC-1",))
        self.advance(hours=hours)
        self.complete(lot, "expand", readings=(Measured(parameter="glucose", value="5.5", unit="mmol/L"),))
        return lot, culture

    def harvested(self, n: int = 1, room: str = "S1") -> tuple[str, str]:
        lot, culture = self.cultured(n, room)
        self.start(lot, "harvest", culture)
        self.read(lot, "harvest", "viable_cells", "1500000000", "cells")
        self.read(lot, "harvest", "viability", "98.1", "%")
        self.do(DrawSample(lot=lot, step="harvest", scan=Scan(text=self.code(lot, culture)), sample="qc"))
        self.complete(lot, "harvest")
        return lot, culture

    def filled(self, n: int = 1, room: str = "S1") -> tuple[str, list[str]]:
        """A lot with two labelled final bags."""
        lot, culture = self.harvested(n, room)
        self.advance(minutes=10)
        self.start(lot, "fill", culture)
        cells = Child(kind="final_bag", volume_ml="90", viable_cells="700000000")
        bags = self.make(lot, "split", {culture: "199"}, [cells, cells], step="fill", waste="19", emptied=True)
        for bag in bags:
            self.label(lot, bag)
        self.complete(lot, "fill", verifier="OP-2")
        return lot, bags
