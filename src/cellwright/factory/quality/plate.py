"""Plates: a map made beforehand, then one well after the other, each compared with the map (hard stop `plate_well`)."""

from typing import ClassVar

from cellwright.factory.lot.access import known
from cellwright.factory.order.scan import Scan, confirmed
from cellwright.factory.quality import sample as tube
from cellwright.factory.quality.fact import PlannedWell, PlateMapped, WellFilled
from cellwright.factory.quality.file import load
from cellwright.factory.record import Body
from cellwright.factory.rule import By, Command, Decision, Refusal, Seen, State, World, command

WELLS_MOST = 1536
"""Wells of the largest plate format (ANSI SLAS 4)."""


class PlateState(State):
    """One plate: its map, and what is in its wells. Many pairs may share it (D2)."""

    room: ClassVar[str] = "plate"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.mapped: PlateMapped | None = None
        self.map: dict[str, PlannedWell] = {}
        self.wells: dict[str, WellFilled] = {}
        """By position, for example `B03`."""

    @property
    def participants(self) -> tuple[str, ...]:
        people = [self.mapped.analyst] if self.mapped is not None else []
        return tuple(dict.fromkeys([*people, *(w.analyst for w in self.wells.values())]))

    @property
    def empty(self) -> tuple[str, ...]:
        """Wells of the map that are not filled yet (R019)."""
        return tuple(well for well in self.map if well not in self.wells)

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case PlateMapped():
                self.mapped = body
                self.map = {well.well: well for well in body.map}
            case WellFilled():
                self.wells[body.well.partition(":")[2]] = body
            case _:
                pass


def well_name(plate: str, position: str) -> str:
    """The name under which a well is claimed."""
    return f"{plate}:{position}"


@command("plate.map", "analyst")
class MapPlate(Command):
    """Begin a plate with its map: what belongs into which well."""

    tests: tuple[str, ...]
    method: str
    method_version: str
    assay_version: str
    map: tuple[PlannedWell, ...]
    plate: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        plate = world.load(PlateState, self.plate or world.issue("plate"))
        if plate.exists:
            raise Refusal("plate-used", "Plate {plate} is in use already.", rule="R066", plate=plate.name)
        positions = [well.well for well in self.map]
        if not positions or len(positions) > WELLS_MOST or len(set(positions)) != len(positions):
            raise Refusal(
                "map-not-plausible",
                "The map of plate {plate} names no well, too many, or one twice.",
                remedy="Each well stands once in the map.",
                rule="R044",
                plate=plate.name,
            )
        for well in self.map:
            self._check(world, plate, well)
        body = PlateMapped(
            plate=plate.name,
            tests=self.tests,
            method=self.method,
            method_version=self.method_version,
            assay_version=self.assay_version,
            analyst=by.person,
            map=self.map,
        )
        return Decision(facts=(plate.fact(body),))

    def _check(self, world: World, plate: PlateState, well: PlannedWell) -> None:
        if well.role != "sample":
            if well.sample is not None or not well.content:
                raise _unplanned(plate, well.well)
            return
        if well.lot is None or well.sample is None:
            raise _unplanned(plate, well.well)
        tube.received(load(world, well.lot), well.sample)


def _unplanned(plate: PlateState, position: str) -> Refusal:
    return Refusal(
        "well-not-described",
        "Well {well} of plate {plate} lacks what belongs into it.",
        remedy="A sample well names lot and sample, any other well what it holds.",
        rule="R044",
        well=position,
        plate=plate.name,
    )


@command("plate.fill_well", "analyst")
class FillWell(Command):
    """Fill one well: the sample is scanned and compared with the map. One well, one record, when it happens (R006)."""

    plate: str
    well: str
    scan: Scan | None = None
    """The sample tube; left out for standards, controls and blanks."""
    stock: str | None = None
    """The stock a standard, control or blank is taken from, for example `qc-standard-vcn`."""

    def decide(self, world: World, by: By) -> Decision:
        plate = world.load(PlateState, self.plate)
        planned = plate.map.get(self.well)
        if planned is None or self.well in plate.wells:
            raise Refusal(
                "well-not-free",
                "Well {well} of plate {plate} is not in the map, or filled already.",
                remedy="Fill the wells of the map, each once.",
                rule="R066",
                well=self.well,
                plate=self.plate,
            )
        if planned.role != "sample":
            return self._stock(plate, planned, by)
        assert planned.lot is not None and planned.sample is not None
        if self.scan is None:
            raise Refusal(
                "scan-missing",
                "Well {well} takes sample {sample}, whose tube was not scanned.",
                remedy="Scan the tube.",
                rule="R064",
                well=self.well,
                sample=planned.sample,
            )
        lot = known(world, planned.lot)
        if tube.read(lot, self.scan) != planned.sample:
            return tube.stopped(world, by, lot, "plate_well", planned.sample, self.scan)
        body = WellFilled(
            well=well_name(self.plate, self.well),
            role="sample",
            lot=planned.lot,
            sample=planned.sample,
            analyst=by.person,
            coi=lot.coi,
            stock=lot.stock,
        )
        return Decision(facts=(plate.fact(body),), sign=confirmed(by, "analyst", (self.scan,)))

    def _stock(self, plate: PlateState, planned: PlannedWell, by: By) -> Decision:
        if self.stock is None or self.scan is not None:
            raise Refusal(
                "stock-missing",
                "Well {well} takes {content}, which is taken from a stock.",
                remedy="Name the stock, and scan no sample.",
                rule="D2",
                well=self.well,
                content=planned.content,
            )
        body = WellFilled(
            well=well_name(self.plate, self.well),
            role=planned.role,
            content=planned.content,
            stock=self.stock,
            analyst=by.person,
        )
        return Decision(facts=(plate.fact(body),))
