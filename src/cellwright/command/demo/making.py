"""Making a lot as its recipe says: whatever the recipe asks for is done, in its order, in rooms of the plant's file.

Nothing here knows a product. Rooms, equipment, materials, readings, containers, labels and samples follow from the
recipe and the plant; what is measured is simulated, or a published figure that `Figures` names.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from cellwright.command.demo import printer
from cellwright.command.demo.course import Acts, Patient, bodies, body, scan
from cellwright.command.demo.stage import Act, until
from cellwright.command.desk import Outcome
from cellwright.factory.lot.addition import AddMaterial
from cellwright.factory.lot.bag import FreezeBag
from cellwright.factory.lot.closing import CompleteLot
from cellwright.factory.lot.completion import CompleteStep
from cellwright.factory.lot.issue import IssueLot
from cellwright.factory.lot.label import ApplyLabel, Detach, PrintLabels, VerifyLabel
from cellwright.factory.lot.part import Label
from cellwright.factory.lot.reading import Measured, TakeReading
from cellwright.factory.lot.receipt import ReceiveMaterial
from cellwright.factory.lot.room import EnterRoom, LeaveRoom
from cellwright.factory.lot.sample import DrawSample
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import StartStep
from cellwright.factory.lot.transfer import Child, Source, TransferMaterial
from cellwright.factory.order.scan import Scan
from cellwright.factory.plant.plant import Plant
from cellwright.factory.plant.room import ClearRoom, RoomState
from cellwright.factory.portfolio.product import Product
from cellwright.factory.recipe.recipe import Parameter, Recipe, Step
from cellwright.factory.rule import Refusal
from cellwright.identifier.isbt128.compound import DATA_IDENTIFIER as COMPOUND
from cellwright.identifier.label import LabelContent, NamedPatient, draw

Doing = Generator[Act | until, Outcome | None, None]

OPERATORS = tuple(f"OP-{n:02d}" for n in range(1, 12))
"""Operators of the ordinary lots. OP-12 is locked out in the story, OP-13's qualification has expired."""
CULTURE_ML = Decimal(200)
BULK_ML_PER_BAG = Decimal(15)
"""Simulated volumes of the culture and, for each final bag, of the washed cells before cryoprotectant [assumption]."""
ROOM_RETRY = timedelta(minutes=30)


class Figures(msgspec.Struct, frozen=True):
    """What the cells do in this lot.

    Attributes:
        viable_cells: cells alive in the final bags together.
        viability: percent.
        source: where published figures come from; empty if everything is simulated.
        readings: further readings by parameter id.
    """

    viable_cells: Decimal
    viability: Decimal = Decimal("94.0")
    source: str = ""
    readings: dict[str, str] = {}


class Making:
    """One lot in the making."""

    def __init__(self, patient: Patient, plant: Plant, figures: Figures) -> None:
        self.patient = patient
        self.plant = plant
        self.figures = figures
        self.desk = patient.site.desk
        self.room = ""
        self.used: set[str] = set()
        self.current: tuple[str, ...] = ()
        self.operator, self.second = patient.two(OPERATORS)
        self.before: dict[str, Callable[[], Acts]] = {}
        """What happens in the story just before a step starts, by step."""
        self.during: dict[str, Callable[[], Acts]] = {}
        """What happens in the story while a step runs, by step."""
        self.instead: dict[str, Callable[[], Acts]] = {}
        """What happens in the story in place of a step, by step."""
        self.at_label: Callable[[str], Acts] | None = None
        """What happens in the story when the next final label is to be read back; given the label's serial."""

    @property
    def lot(self) -> LotState:
        return self.desk.state(LotState, self.patient.lot, fresh=False)

    def recipe(self) -> Recipe:
        name, version, _ = self.lot.recipe
        return self.desk.definition(Recipe, name, version)

    # --- the whole way

    def issued(self) -> Acts:
        """The lot's record is issued from the recipe in force and checked by quality assurance."""
        outcome = yield from self.patient.do(IssueLot(order=self.patient.order, checked_by="QA-2"), "PL-1")
        self.patient.lot = body(outcome, "lot.issued")["lot"]

    def made(self, last: str | None = None) -> Doing:
        """Every step of the recipe, up to the step named or to the end, and the record locked."""
        yield from self.begun()
        for step in self.recipe().steps:
            if step.id in self.instead:
                yield from self.into_room(step)
                yield from self.instead[step.id]()
            elif step.id not in self.lot.done:
                yield from self.step(step)
            if step.id == last:
                return
        yield from self.left()
        yield from self.patient.do(CompleteLot(lot=self.patient.lot, verifier=self.second), self.operator)

    def begun(self) -> Doing:
        """The starting material comes in, every container scanned."""
        if self.lot.containers:
            return
        yield from self.patient.allocated()
        for name in self.patient.starting:
            received = ReceiveMaterial(lot=self.patient.lot, scan=self.on(name), verifier=self.second)
            yield from self.patient.do(received, self.operator)
        self.current = tuple(self.lot.containers)

    def step(self, step: Step) -> Doing:
        """One step from start to end."""
        yield from self.into_room(step)
        if step.hold_min is not None:
            yield from self.patient.wait(seconds=step.hold_min.total_seconds())
        if step.id in self.before:
            yield from self.before[step.id]()
        equipment = self.equipment(step)
        start = StartStep(
            lot=self.patient.lot, step=step.id, room=self.room or self.open_room(step), equipment=equipment,
            containers=self.scans(self.current) if "container" in step.scans else (),
        )  # fmt: skip
        yield from self.patient.do(start, self.operator)
        self.used.update(equipment)
        if step.id in self.during:
            yield from self.during[step.id]()
        yield from self.additions(step)
        yield from self.patient.wait(seconds=step.duration.typical.total_seconds())
        yield from self.outputs(step)
        yield from self.samples(step)
        if step.activity == "store":
            yield from self.stored()
        yield from self.completed(step)

    def completed(self, step: Step) -> Doing:
        """Critical readings one by one as they are read, the others with the completion."""
        readings = [self.reading(p) for p in step.parameters]
        critical = [r for r, p in zip(readings, step.parameters, strict=True) if p.critical]
        for reading in critical[:-1]:
            yield from self.patient.do(TakeReading(lot=self.patient.lot, step=step.id, reading=reading), self.operator)
        rest = tuple(r for r in readings if r not in critical[:-1])
        done = CompleteStep(
            lot=self.patient.lot, step=step.id, readings=rest,
            verifier=self.second if step.verified_by_second or step.mode == "Automatic" else None,
        )  # fmt: skip
        yield from self.patient.do(done, self.operator)

    # --- rooms and equipment

    def into_room(self, step: Step) -> Doing:
        """Exclusive rooms are entered when free and cleared; whoever must wait tries again."""
        exclusive = self.plant.room_class(step.room_class).exclusive
        if self.room and (not exclusive or not self._is(self.room, step.room_class)):
            yield from self.left()
        while exclusive and not self.room:
            free = [r.id for r in self.plant.rooms if r.room_class == step.room_class and self._free(r.id)]
            if free:
                room = free[self.patient.number % len(free)]
                try:
                    entered = EnterRoom(lot=self.patient.lot, room=room, verifier=self.second)
                    yield from self.patient.do(entered, self.operator)
                except Refusal:
                    pass  # somebody else of the same moment was first
                else:
                    self.room = room
                    return
            yield from self.patient.wait(seconds=ROOM_RETRY.total_seconds())

    def _is(self, room: str, room_class: str) -> bool:
        return any(r.id == room and r.room_class == room_class for r in self.plant.rooms)

    def _free(self, room: str) -> bool:
        state = self.desk.state(RoomState, room, fresh=False)
        return state.cleared and state.holder is None

    def open_room(self, step: Step) -> str:
        rooms = [r.id for r in self.plant.rooms if r.room_class == step.room_class]
        return rooms[self.patient.number % len(rooms)]

    def equipment(self, step: Step) -> tuple[str, ...]:
        """The piece of equipment of the class asked for: the one in this room, or one of the hall."""
        if step.equipment_class is None:
            return ()
        pieces = [e for e in self.plant.equipment if e.equipment_class == step.equipment_class]
        here = [e for e in pieces if e.room == self.room] or pieces
        return (here[self.patient.number % len(here)].id,)

    def left(self) -> Doing:
        """The room is left, its equipment cleaned, the room cleared by two people."""
        if not self.room:
            return
        room, self.room = self.room, ""
        yield from self.patient.do(LeaveRoom(lot=self.patient.lot, room=room), self.operator)
        yield from self.cleaned()
        yield from self.patient.do(ClearRoom(room=room, verifier=self.second, second_role="operator"), self.operator)

    def cleaned(self) -> Doing:
        from cellwright.factory.plant.equipment import CleanEquipment

        for name in sorted(self.used):
            piece = next(e for e in self.plant.equipment if e.id == name)
            if self.plant.equipment_class(piece.equipment_class).clean_each_use:
                yield from self.patient.do(CleanEquipment(equipment=name), self.operator)
        self.used.clear()

    # --- what goes in, comes out, is measured

    def on(self, container: str) -> Scan:
        """What a scanner reads on a container: the compound symbol of its own label, or of the collection's."""
        return self.patient.on(container)

    def scans(self, containers: Iterable[str]) -> tuple[Scan, ...]:
        return tuple(self.on(name) for name in containers)

    def additions(self, step: Step) -> Doing:
        """Each material by its own scan, at its own moment (R006)."""
        for use in step.materials:
            material = self.patient.materials[use.code]
            add = AddMaterial(
                lot=self.patient.lot, step=step.id, code=use.code, material=scan(material),
                quantity=format(use.quantity, "f"), unit=use.unit, into=self.on(self.current[0]) if self.current else None,
            )  # fmt: skip
            yield from self.patient.do(add, self.operator)

    def reading(self, parameter: Parameter) -> Measured:
        """A value inside its limits, unless the lot's figures say another one; critical ones come from an instrument."""
        value = self.figures.readings.get(parameter.id) or self._usual(parameter)
        how = "instrument" if parameter.critical else "typed"
        return Measured(
            parameter=parameter.id, value=value, unit=parameter.unit, how=how,  # type: ignore[arg-type]
            instrument=self.counter if parameter.critical else None,
        )  # fmt: skip

    @property
    def counter(self) -> str:
        counters = [e.id for e in self.plant.equipment if e.equipment_class == "cell_counter"]
        return counters[self.patient.number % len(counters)]

    def _usual(self, parameter: Parameter) -> str:
        low, high = parameter.low, parameter.high
        if parameter.id == "viability":
            return str(self.figures.viability)
        if parameter.id == "viable_cells":
            return f"{self.figures.viable_cells:.0f}"
        if high is None:
            return f"{(low or Decimal(1)) * Decimal(self.patient.random.randrange(150, 300)) / 100:.0f}"
        middle = ((low or Decimal(0)) + high) / 2
        return format(middle.quantize(Decimal("0.1")), "f")

    def outputs(self, step: Step) -> Doing:
        """Containers are filled, labelled, read back and detached; what was in the old ones is in the new ones."""
        if not step.makes:
            return
        kinds = [output.kind for output in step.makes for _ in range(output.count)]
        bags = kinds.count("final_bag")
        held = [(name, self.lot.containers[name].volume_ml) for name in self.current]
        total = sum((volume for _, volume in held), Decimal(0))
        volumes = self.volumes(kinds, total)
        children = tuple(
            Child(
                kind=kind, volume_ml=format(volume, "f"),
                viable_cells=f"{self.figures.viable_cells / bags:.0f}" if kind == "final_bag" else None,
            )
            for kind, volume in zip(kinds, volumes, strict=True)
        )  # fmt: skip
        waste = total - sum(volumes, Decimal(0))
        transfer = TransferMaterial(
            lot=self.patient.lot, transfer="split" if len(kinds) > 1 else "process",
            sources=tuple(
                Source(scan=self.on(name), volume_ml=format(volume, "f"), emptied=True) for name, volume in held
            ),
            children=children, verifier=self.second, waste_ml=format(max(waste, Decimal(0)), "f"), step=step.id,
        )  # fmt: skip
        before = set(self.lot.containers)
        yield from self.patient.do(transfer, self.operator)
        made = [name for name in self.lot.containers if name not in before]
        yield from self.labelled(made)
        kept = ("final_bag",) if bags else ("culture", "bulk", "intermediate")
        self.current = tuple(n for n in made if self.lot.containers[n].kind in kept) or tuple(made)

    def volumes(self, kinds: Sequence[str], total: Decimal) -> list[Decimal]:
        """What goes into each new container of what there is."""
        if len(kinds) == 1:
            bags = sum(o.count for step in self.recipe().steps for o in step.makes if o.kind == "final_bag")
            wanted = CULTURE_ML if kinds[0] == "culture" else BULK_ML_PER_BAG * bags
            return [min(total, wanted)]
        small = Decimal(2)
        shared = total - small * sum(kind != "final_bag" for kind in kinds)
        each = (shared / max(kinds.count("final_bag"), 1)).quantize(Decimal("0.1"), rounding="ROUND_DOWN")
        return [each if kind == "final_bag" else small for kind in kinds]

    def labelled(self, containers: Sequence[str], place: str = "container") -> Doing:
        """Printed together; each read back from its picture and applied by two people; detached from the set."""
        names = tuple(containers)
        printed = yield from self.patient.do(
            PrintLabels(lot=self.patient.lot, containers=names, place=place),  # type: ignore[arg-type]
            self.operator,
        )
        for made in bodies(printed, "lot.label_printed"):
            yield from self.label(made["label"], made["container"])
        if place == "container":
            yield from self.patient.do(Detach(lot=self.patient.lot, containers=names), self.operator)

    def label(self, serial: str, container: str) -> Doing:
        """One print: read back, symbol by symbol, and put where it belongs."""
        found = self.lot.containers[container]
        if self.at_label is not None and found.is_bag:
            happening, self.at_label = self.at_label, None
            yield from happening(serial)
        label = self.lot.labels[serial]
        content = self.printed(label)
        seen = printer.seen(content)
        own = Scan(text=seen.serial)
        verify = VerifyLabel(
            lot=self.patient.lot, label=serial, scan=own, symbols=tuple(Scan(text=text) for text in seen.others),
            legends=seen.legends, picture_sha256=self.kept(content) if found.is_bag else None,
        )  # fmt: skip
        yield from self.patient.do(verify, self.operator)
        applied = ApplyLabel(lot=self.patient.lot, container=container, scan=own, verifier=self.second)
        yield from self.patient.do(applied, self.operator)
        self.patient.codes[serial] = seen.serial
        if label.place == "container":
            self.patient.codes[container] = next((text for text in seen.others if COMPOUND in text), seen.serial)

    def printed(self, label: Label) -> LabelContent:
        """What is sent to the printer for a copy in the record."""
        product = self.desk.definition(Product, self.lot.product, self.lot.product_version)
        made_at = datetime.fromisoformat(self.lot.containers[label.container].made_at)
        return printer.content(label, product, self.person, made_at, self.desk.zone)

    @property
    def person(self) -> NamedPatient | None:
        """Whose name stands on bag and cassette."""
        return self.patient.named.get(self.patient.subject)

    def kept(self, content: LabelContent) -> str:
        """The print as a drawing, kept under the key of the person it names; its address."""
        return self.patient.site.files.put(draw(content).encode(), self.patient.subject or None).sha256

    def samples(self, step: Step) -> Doing:
        for sample in step.samples:
            drawn = DrawSample(lot=self.patient.lot, step=step.id, scan=self.on(self.current[0]), sample=sample.id)
            yield from self.patient.do(drawn, self.operator)

    def stored(self) -> Doing:
        """Each bag into its own cassette, each cassette into its own position."""
        tanks = [e.id for e in self.plant.equipment if e.equipment_class == "vapour_tank"]
        tank = tanks[self.patient.number % len(tanks)]
        yield from self.labelled(self.current, "cassette")
        for number, bag in enumerate(self.current, 1):
            cassette = self.lot.containers[bag].cassette
            assert cassette is not None
            freeze = FreezeBag(
                lot=self.patient.lot, bag=self.on(bag), cassette=self.on(cassette),
                position=f"{tank}:{self.patient.number:04d}-{number:02d}", verifier=self.second,
            )  # fmt: skip
            yield from self.patient.do(freeze, self.operator)
