"""Rooms, equipment, people and materials of a step: right, fit and released, or it does not begin."""

from datetime import timedelta

import pytest

from cellwright.factory.lot.addition import AddMaterial
from cellwright.factory.lot.completion import CompleteStep
from cellwright.factory.lot.reading import Measured
from cellwright.factory.lot.room import EnterRoom, LeaveRoom
from cellwright.factory.lot.step import StartStep
from cellwright.factory.order.scan import Scan
from cellwright.factory.people import stamp
from cellwright.factory.plant.equipment import EquipmentCalibrated
from cellwright.factory.plant.material import RecallMaterial, RejectMaterial
from cellwright.factory.plant.room import ClearRoom
from tests.factory.lot.setting import Bench, recipe, refused, step


@pytest.mark.requirement("R047")
def test_a_room_holds_one_patient_and_is_cleared_before_the_next() -> None:
    bench = Bench()
    first = bench.received(1, room="S1")
    second = bench.issued(bench.patient(2))
    enter = EnterRoom(lot=second, room="S1", verifier="OP-2")
    with refused("room-occupied"):
        bench.do(enter)
    bench.do(LeaveRoom(lot=first, room="S1"))
    assert bench.claims["room/S1"] == bench.lot(first).coi, "an empty room is not yet a cleared room"
    with refused("room-not-cleared"):
        bench.do(enter)
    bench.do(ClearRoom(room="S1", verifier="OP-2"))
    bench.do(enter)
    assert bench.claims["room/S1"] == bench.lot(second).coi
    assert bench.lot(second).rooms.keys() == {"S1"}


@pytest.mark.requirement("R047")
def test_open_cells_are_only_where_the_lot_holds_the_room() -> None:
    bench = Bench()
    lot = bench.received(1, room="S1")
    bench.received(2, room="S2")
    name = next(iter(bench.lot(lot).containers))
    with refused("room-not-held"):
        bench.start(lot, "select", name, room="S2")
    with refused("wrong-room-class"):
        bench.start(lot, "select", name, room="H1")
    with refused("room-missing"):
        bench.do(StartStep(lot=lot, step="select", containers=(Scan(text=name),)))
    bench.start(lot, "select", name)
    with refused("step-in-room"):
        bench.do(LeaveRoom(lot=lot, room="S1"))


@pytest.mark.requirement("R048")
def test_equipment_is_of_the_class_and_fit_when_the_step_begins() -> None:
    used = step("only", open_processing=False, room_class="hall", equipment_class="incubator")
    bench = Bench(recipe({"u": (used,)}))
    lot = bench.issued(bench.patient(1))
    bench.equip("OLD", "incubator", until=stamp(bench.now + timedelta(hours=1)))
    bench.equip("SCALE", "balance")
    with refused("equipment-missing"):
        bench.start(lot, "only", room="H1", equipment=("SCALE",))
    with refused("equipment-unknown"):
        bench.start(lot, "only", room="H1", equipment=("INC-1", "NONE"))
    bench.advance(hours=2)
    with refused("equipment-qualification-expired"):
        bench.start(lot, "only", room="H1", equipment=("OLD",))
    bench.start(lot, "only", room="H1", equipment=("INC-1",))
    assert bench.lot(lot).steps["only"].equipment == ("INC-1",)


def test_equipment_that_becomes_unfit_during_a_step_is_a_nonconformance_not_a_refusal() -> None:
    used = step("only", open_processing=False, room_class="hall", equipment_class="incubator")
    bench = Bench(recipe({"u": (used,)}))
    lot = bench.issued(bench.patient(1))
    bench.equip("OLD", "incubator", until=stamp(bench.now + timedelta(hours=1)))
    bench.start(lot, "only", room="H1", equipment=("OLD",))
    bench.advance(hours=2)
    bench.complete(lot, "only")
    (found,) = bench.lot(lot).nonconformances.values()
    assert (found.code, found.severity, found.blocks) == ("equipment-qualification-expired", "major", True)
    assert found.sentence.startswith("The qualification of OLD ended at 2026-03-02T01")


@pytest.mark.requirement("R034")
def test_training_for_this_version_and_qualification_are_in_date_to_begin() -> None:
    bench = Bench(
        recipe({"u": (step("only", open_processing=False, room_class="hall", qualification="viral_vector"),)})
    )
    lot = bench.issued(bench.patient(1))
    begin = StartStep(lot=lot, step="only", room="H1")
    bench.person("OP-7", "operator", qualified=("viral_vector",))
    with refused("training-missing"):
        bench.do(begin, "OP-7")
    bench.train("OP-7", version="0")
    with refused("training-missing"):
        bench.do(begin, "OP-7")
    bench.person("OP-8", "operator")
    bench.train("OP-8", until=stamp(bench.now))
    with refused("training-missing"):
        bench.do(begin, "OP-8")
    bench.train("OP-8")
    with refused("qualification-expired"):
        bench.do(begin, "OP-8")
    bench.do(begin)


def test_a_qualification_that_expires_during_a_step_is_recorded_and_blocks_until_assessed() -> None:
    bench = Bench()
    bench.person("OP-8", "operator")
    bench.train("OP-8", until=stamp(bench.now + timedelta(hours=1)))
    lot = bench.received()
    first = next(iter(bench.lot(lot).containers))
    bench.start(lot, "select", first, by="OP-8")
    bench.advance(hours=2)
    bench.do(CompleteStep(lot=lot, step="select"), "OP-8")
    codes = {n.code for n in bench.lot(lot).nonconformances.values()}
    assert "training-missing" in codes
    assert "select" in bench.lot(lot).done, "what was done is recorded"
    with refused("nonconformance-unassessed"):
        bench.start(lot, "transduce", first)


def _begun() -> tuple[Bench, str, str]:
    bench = Bench()
    lot = bench.received()
    first = next(iter(bench.lot(lot).containers))
    bench.start(lot, "select", first)
    return bench, lot, first


@pytest.mark.requirement("R049")
def test_each_unusable_material_is_refused_with_a_code_of_its_own() -> None:
    bench, lot, _ = _begun()
    bench.stock("B-Q", "beads", "beads", released=False)
    bench.stock("B-X", "beads", "beads", expiry=stamp(bench.now - timedelta(seconds=1)))
    bench.stock("B-R", "beads", "beads")
    bench.do(RecallMaterial(material="B-R", notice="FSN-1", reason="particles"), "QA-1")
    bench.stock("B-J", "beads", "beads", released=False)
    bench.do(RejectMaterial(material="B-J", reason="broken seal"), "QA-1")
    for material, code in (
        ("B-Q", "material-in-quarantine"),
        ("B-X", "material-expired"),
        ("B-R", "material-recalled"),
        ("B-J", "material-rejected"),
        ("V-7", "material-wrong-item"),
        ("B-404", "material-unknown"),
    ):
        with refused(code):
            bench.add(lot, "select", "beads", material)
    with refused("material-not-in-step"):
        bench.add(lot, "select", "vector", "V-7")
    assert not bench.lot(lot).materials
    bench.add(lot, "select", "beads", "B-1")
    assert bench.lot(lot).materials == {"B-1"}


@pytest.mark.requirement("R049")
def test_a_typed_material_needs_a_second_person() -> None:
    bench, lot, _ = _begun()
    typed = AddMaterial(
        lot=lot, step="select", code="beads", material=Scan(text="B-1", how="typed"), quantity="2", unit="mL"
    )
    with refused("second-person-needed"):
        bench.do(typed)


@pytest.mark.requirement("R006")
def test_four_additions_have_four_stamps() -> None:
    bench, lot, first = _begun()
    bench.stock("B-2", "beads", "beads")
    for material in ("B-1", "B-2", "B-1", "B-2"):
        bench.advance(seconds=20)
        bench.add(lot, "select", "beads", material, first)
    additions = bench.lot(lot).steps["select"].additions
    assert len(additions) == 4
    assert len({a.at for a in additions}) == 4
    assert "materials" not in CompleteStep.__struct_fields__, "additions cannot come in one late commit"


@pytest.mark.requirement("R006")
def test_several_critical_values_in_one_command_are_refused() -> None:
    bench = Bench()
    lot, culture = bench.cultured()
    bench.start(lot, "harvest", culture)
    both = (
        Measured(parameter="viable_cells", value="1500000000", unit="cells"),
        Measured(parameter="viability", value="98", unit="%"),
    )
    with refused("several-critical-interactions"):
        bench.complete(lot, "harvest", readings=both)


@pytest.mark.requirement("R036")
def test_a_value_from_an_unknown_or_unfit_instrument_is_rejected() -> None:
    bench = Bench()
    lot, culture = bench.cultured()
    bench.start(lot, "harvest", culture)
    bench.equip("CNT-1", "cell_counter", until=stamp(bench.now))

    def read(instrument: str | None) -> None:
        value = Measured(parameter="viability", value="98", unit="%", how="instrument", instrument=instrument)
        bench.complete(lot, "harvest", readings=(value,), not_taken={"viable_cells": "counter blocked"})

    with refused("instrument-missing"):
        read(None)
    with refused("equipment-unknown"):
        read("CNT-9")
    with refused("equipment-qualification-expired"):
        read("CNT-1")
    bench.equip("CNT-2", "cell_counter")
    bench.say("equipment/CNT-2", EquipmentCalibrated(certificate="C-1"))
    read("CNT-2")
    assert bench.lot(lot).steps["harvest"].readings["viability"].reading.instrument == "CNT-2"
