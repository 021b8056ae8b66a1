"""Rooms, equipment and materials: what may be used when, each refusal with its own code and way out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from cellwright.factory.definition import Text
from cellwright.factory.plant import EquipmentState, MaterialState, Plant, RoomState
from cellwright.factory.plant.commissioning import Commission
from cellwright.factory.plant.equipment import (
    CalibrateEquipment,
    CleanEquipment,
    QualifyEquipment,
    ReturnEquipment,
    TakeOutEquipment,
)
from cellwright.factory.plant.material import (
    RecallMaterial,
    ReceiveMaterial,
    RejectMaterial,
    ReleaseMaterial,
    made_with,
)
from cellwright.factory.plant.plant import Equipment, EquipmentClass, Material, Room, RoomClass
from cellwright.factory.plant.room import ClearRoom
from cellwright.factory.rule import Command, Refusal
from tests.factory.world import ClaimError, FakeWorld

T = Text(en="x", zh="某")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def plant() -> Plant:
    return Plant(
        id="site", version="1", name=T, operator=T, place=T, zone="Asia/Shanghai", facility="A9999", prefix="S",
        room_classes=(RoomClass(id="suite", name=T, exclusive=True), RoomClass(id="hall", name=T)),
        rooms=(Room(id="S1", name=T, room_class="suite"), Room(id="H1", name=T, room_class="hall")),
        equipment_classes=(
            EquipmentClass(id="cytometer", name=T, qualification_every=timedelta(days=365),
                           calibration_every=timedelta(days=1)),
            EquipmentClass(id="processor", name=T, qualification_every=timedelta(days=365), clean_each_use=True),
            EquipmentClass(id="cabinet", name=T, cleaning_every=timedelta(hours=12)),
        ),
        equipment=(
            Equipment(id="FC1", equipment_class="cytometer", room="H1"),
            Equipment(id="P1", equipment_class="processor", room="S1"),
            Equipment(id="C1", equipment_class="cabinet", room="S1"),
        ),
        shifts=(), staff=(),
        materials=(
            Material(code="vector", name=T, kind="vector", unit="mL", stock="vector-cd19", storage_max_c=Decimal(-60)),
            Material(code="medium", name=T, kind="medium", unit="mL", stock="medium"),
        ),
    )  # fmt: skip


@pytest.fixture
def world() -> FakeWorld:
    made = FakeWorld(NOW)
    made.person("OP-1", "operator")
    made.person("OP-2", "operator")
    made.person("QA-1", "quality_assurance")
    made.person("PE-1", "process_engineer")
    made.person("WH-1", "warehouse")
    made.define("site", plant())
    made.do(Commission(plant="site"), "QA-1")
    return made


def refused(world: FakeWorld, command: Command, by: str) -> str:
    before = len(world.events)
    with pytest.raises(Refusal) as caught:
        world.do(command, by)
    assert str(caught.value)
    assert caught.value.rule
    assert len(world.events) == before
    return caught.value.code


# --- rooms -----------------------------------------------------------------------------------------------------------


def clear(world: FakeWorld, room: str = "S1") -> None:
    world.do(ClearRoom(room=room, verifier="OP-2"), "OP-1")


@pytest.mark.requirement("R047")
def test_a_lot_enters_only_a_cleared_room_and_the_next_one_only_after_the_next_clearance(world: FakeWorld) -> None:
    room = world.load(RoomState, "S1")
    code = lambda lot: getattr(room.may_enter(lot), "code", None)  # noqa: E731
    assert code("L-A") == "room-not-cleared"
    clear(world)
    assert code("L-A") is None
    world.record([room.enter("L-A", coi="COI-A")])
    assert (room.coi, room.lot, room.cleared, room.holder) == ("COI-A", "L-A", False, "COI-A")
    assert world.claims["room/S1"] == "COI-A"
    assert code("L-B") == "room-occupied"
    assert refused(world, ClearRoom(room="S1", verifier="OP-2"), "OP-1") == "room-in-use"
    with pytest.raises(Refusal, match="L-B is not in the room"):
        room.leave("L-B")
    world.record([room.leave("L-A")])
    assert code("L-B") == "room-not-cleared"
    assert world.claims["room/S1"] == "COI-A", "the room stays A's until it is cleared"
    clear(world)
    assert "room/S1" not in world.claims
    world.record([room.enter("L-B", stock="antibody")])
    assert room.holder == "stock/antibody"
    world.record([room.leave("L-B")])
    clear(world)


@pytest.mark.requirement("R047")
def test_the_ledger_itself_refuses_a_second_owner_of_a_room(world: FakeWorld) -> None:
    clear(world)
    room = world.load(RoomState, "S1")
    first, second = room.enter("L-A", coi="COI-A"), room.enter("L-B", coi="COI-B")
    world.record([first])
    with pytest.raises(ClaimError):
        world.record([second])


@pytest.mark.requirement("R047")
def test_one_person_alone_cannot_clear_a_room_and_a_shared_room_is_never_taken(world: FakeWorld) -> None:
    assert refused(world, ClearRoom(room="S1", verifier="OP-1"), "OP-1")
    clear(world, "H1")
    refusal = world.load(RoomState, "H1").may_enter("L-A")
    assert refusal is not None
    assert refusal.code == "room-not-exclusive"
    assert refused(world, ClearRoom(room="S9", verifier="OP-2"), "OP-1") == "room-unknown"
    with pytest.raises(Refusal):
        world.load(RoomState, "S9").enter("L-A", coi="COI-A")


# --- equipment -------------------------------------------------------------------------------------------------------


def fitness(world: FakeWorld, name: str, lot: str | None = None) -> str | None:
    refusal = world.load(EquipmentState, name).fit(world.now, lot)
    if refusal is not None:
        assert refusal.rule == "R048"
        assert refusal.remedy
        assert str(refusal)
    return getattr(refusal, "code", None)


@pytest.mark.requirement("R048")
def test_equipment_is_fit_only_while_everything_is_in_date(world: FakeWorld) -> None:
    assert fitness(world, "FC9") == "equipment-unknown"
    assert fitness(world, "FC1") == "equipment-qualification-missing"
    world.do(QualifyEquipment(equipment=("FC1", "P1"), document="OQ-1"), "QA-1")
    assert fitness(world, "FC1") == "equipment-calibration-missing"
    world.do(CalibrateEquipment(equipment=("FC1",), certificate="C-1"), "PE-1")
    assert fitness(world, "FC1") is None
    world.advance(days=1, microseconds=-1)
    assert fitness(world, "FC1") is None, "allocated in the last instant"
    world.advance(microseconds=1)
    assert fitness(world, "FC1") == "equipment-calibration-expired", "and refused at the start of the step"
    world.advance(days=364)
    assert fitness(world, "FC1") == "equipment-qualification-expired"


@pytest.mark.requirement("R048")
def test_cleaning_by_interval_and_after_each_lot(world: FakeWorld) -> None:
    assert fitness(world, "C1") == "equipment-cleaning-missing"
    world.do(CleanEquipment(equipment="C1"), "OP-1")
    assert fitness(world, "C1") is None
    assert world.load(EquipmentState, "C1").use("L-A") is None
    world.advance(hours=12)
    assert fitness(world, "C1") == "equipment-cleaning-expired"
    world.do(QualifyEquipment(equipment=("P1",), document="OQ-1"), "QA-1")
    assert fitness(world, "P1") == "equipment-cleaning-missing"
    world.do(CleanEquipment(equipment="P1"), "OP-1")
    processor = world.load(EquipmentState, "P1")
    used = processor.use("L-A")
    assert used is not None
    world.record([used])
    assert fitness(world, "P1", "L-A") is None
    assert processor.use("L-A") is None, "told once"
    assert fitness(world, "P1", "L-B") == "equipment-not-cleaned"
    world.do(CleanEquipment(equipment="P1"), "OP-1")
    assert fitness(world, "P1", "L-B") is None


@pytest.mark.requirement("R048")
def test_equipment_out_of_service_comes_back_unqualified(world: FakeWorld) -> None:
    world.do(QualifyEquipment(equipment=("FC1",), document="OQ-1"), "QA-1")
    world.do(CalibrateEquipment(equipment=("FC1",), certificate="C-1"), "PE-1")
    assert refused(world, TakeOutEquipment(equipment="FC1", reason=" "), "OP-1") == "reason-missing"
    world.do(TakeOutEquipment(equipment="FC1", reason="laser failed"), "OP-1")
    assert fitness(world, "FC1") == "equipment-out-of-service"
    assert refused(world, TakeOutEquipment(equipment="FC1", reason="again"), "OP-1") == "equipment-out-of-service"
    world.do(ReturnEquipment(equipment="FC1", document="R-1", reason="laser replaced"), "QA-1")
    assert fitness(world, "FC1") == "equipment-qualification-missing"
    assert (
        refused(world, ReturnEquipment(equipment="FC1", document="R-1", reason="x"), "QA-1") == "equipment-in-service"
    )
    assert refused(world, QualifyEquipment(equipment=("FC1", "FC9"), document="x"), "QA-1") == "equipment-unknown"


def test_a_plant_is_commissioned_once(world: FakeWorld) -> None:
    assert world.load(EquipmentState, "P1").equipment_class == "processor"
    assert world.load(EquipmentState, "P1").place == "S1"
    assert world.load(RoomState, "S1").exclusive
    assert refused(world, Commission(plant="site"), "QA-1") == "nothing-to-commission"


# --- materials -------------------------------------------------------------------------------------------------------


def receive(
    world: FakeWorld, lot: str = "V-7", code: str = "vector", expiry: str = "2026-06-01T00:00:00.000000Z"
) -> None:
    command = ReceiveMaterial(plant="site", material=lot, code=code, supplier_batch="B1", quantity="50", expiry=expiry)
    world.do(command, "WH-1")


def usable(world: FakeWorld, lot: str = "V-7", code: str | None = "vector") -> str | None:
    refusal = world.load(MaterialState, lot).usable(world.now, code)
    if refusal is not None:
        assert refusal.rule == "R049"
        assert refusal.remedy
        assert str(refusal)
    return getattr(refusal, "code", None)


@pytest.mark.requirement("R049")
def test_only_released_correct_material_in_date_is_usable_each_reason_with_its_code(world: FakeWorld) -> None:
    assert usable(world) == "material-unknown"
    receive(world)
    assert world.claims["material/V-7"] == "stock/vector-cd19"
    assert usable(world) == "material-in-quarantine"
    world.do(ReleaseMaterial(material="V-7", document="CoA-1"), "QA-1")
    assert usable(world) is None
    assert usable(world, code="medium") == "material-wrong-item"
    world.now = datetime(2026, 6, 1, tzinfo=UTC)
    assert usable(world) is None, "the last instant is in date"
    world.advance(microseconds=1)
    assert usable(world) == "material-expired"
    world.do(RecallMaterial(material="V-7", notice="N-1", reason="titre"), "QA-1")
    assert usable(world) == "material-recalled"
    assert refused(world, RecallMaterial(material="V-7", notice="N-2", reason="titre"), "QA-1") == "material-recalled"


@pytest.mark.requirement("R049")
def test_rejected_material_stays_rejected(world: FakeWorld) -> None:
    receive(world)
    assert refused(world, RejectMaterial(material="V-7", reason=""), "QA-1") == "reason-missing"
    world.do(RejectMaterial(material="V-7", reason="leak"), "QA-1")
    assert usable(world) == "material-rejected"
    for again in (ReleaseMaterial(material="V-7", document="x"), RejectMaterial(material="V-7", reason="x")):
        assert refused(world, again, "QA-1") == "material-not-in-quarantine"


@pytest.mark.requirement("R049")
def test_what_is_received_is_known_in_date_and_new(world: FakeWorld) -> None:
    receive(world)

    def delivery(**change: str) -> ReceiveMaterial:
        plain = {"plant": "site", "material": "V-8", "code": "vector", "supplier_batch": "B", "quantity": "1",
                 "expiry": "2026-06-01T00:00:00.000000Z"}  # fmt: skip
        return ReceiveMaterial(**{**plain, **change})

    assert refused(world, delivery(material="V-7"), "WH-1") == "material-exists"
    assert refused(world, delivery(code="gold"), "WH-1") == "item-unknown"
    assert refused(world, delivery(expiry="2026-03-02T00:00:00.000000Z"), "WH-1") == "material-expired"
    assert refused(world, ReleaseMaterial(material="V-9", document="x"), "QA-1") == "material-unknown"
    world.advance(days=100)
    assert refused(world, ReleaseMaterial(material="V-7", document="x"), "QA-1") == "material-expired"


def test_lots_made_with_a_material_are_found_by_its_tag(world: FakeWorld) -> None:
    receive(world)
    assert made_with(world, "V-7") == (), "its own record is no lot"
    world.tags["material/V-7"].update({"lot/L-2": None, "order/O-1": None, "lot/L-1": None})
    assert made_with(world, "V-7") == ("L-2", "L-1")
