"""Releasing and giving what must not be, and what a stranger could not check afterwards."""

import pytest

from cellwright.factory.lot.fact.life import LotIssued
from cellwright.factory.lot.fact.step import Consumed, MaterialAdded, StepStarted
from cellwright.factory.plant.material import MaterialRecalled, MaterialReceived, MaterialReleased, MaterialState
from cellwright.factory.release import permits
from cellwright.factory.release.aftermath import LiftSuspension, RecallMaterial, Suspend
from cellwright.factory.release.decide import Release
from tests.factory.order.scene import refused
from tests.factory.release.setting import Office
from tests.factory.release.test_aftermath import vector


@pytest.fixture
def office() -> Office:
    return Office()


def recalled(office: Office) -> None:
    received = MaterialReceived(stock="vector", material="V-7", code="vector", supplier_batch="B", quantity="1",
                                unit="mL", expiry="2027-01-01T00:00:00.000000Z")  # fmt: skip
    del office.claims["material/V-7"]
    office.say("material/V-7", received, MaterialRecalled(notice="N-1"))


def on_stock(office: Office, material: str, stock: str = "vector", **more: str) -> None:
    """A material lot, received and released."""
    received = MaterialReceived(stock=stock, material=material, code=stock, supplier_batch="B", quantity="1",
                                unit="mL", expiry="2027-01-01T00:00:00.000000Z", **more)  # type: ignore[arg-type]  # fmt: skip
    office.say(f"material/{material}", received, MaterialReleased(document="CoA"))


@pytest.mark.requirement("R053")
def test_a_recall_takes_the_material_too_in_the_same_append(office: Office) -> None:
    on_stock(office, "V-7")
    vector(office, office.patient(1), "V-7")
    decision = office.do(RecallMaterial(material="V-7", text="N-1"), "AP-1")
    assert {f.stream for f in decision.facts} == {"material/V-7", "release/L-1"}
    unusable = office.load(MaterialState, "V-7").usable(office.now)
    assert unusable is not None
    assert unusable.code == "material-recalled"


@pytest.mark.requirement("R053")
def test_the_first_use_of_a_material_moves_its_record_so_that_a_recall_meanwhile_looks_again(office: Office) -> None:
    on_stock(office, "V-7")
    state = office.load(MaterialState, "V-7")
    seen = state.version
    office.record(state.use("L-1"))
    assert (state.version, state.lots, state.use("L-1")) == (seen + 1, ("L-1",), ())


@pytest.mark.requirement("R053")
def test_a_recall_goes_on_through_a_stock_lot_that_became_a_material(office: Office) -> None:
    on_stock(office, "PLASMID-1", "plasmid")
    office.say(
        "lot/LV-1",
        LotIssued(stock="vector", lot="LV-1", product="p1", product_version="1", recipe="r1", recipe_version="1",
                  recipe_sha256="a" * 64, issued_by="PL-1", checked_by="QA-2"),
        StepStarted(step="grow", title="Grow", performer="OP-1"),
        MaterialAdded(stock="vector", step="grow", code="plasmid", performer="OP-1",
                      used=Consumed(stock="plasmid", material="PLASMID-1", quantity="1", unit="mL")),
    )  # fmt: skip
    on_stock(office, "V-7", made_as="LV-1")
    lot = office.patient(1)
    vector(office, lot, "V-7")
    decision = office.do(RecallMaterial(material="PLASMID-1", text="wrong sequence"), "AP-1")
    assert {f.stream for f in decision.facts} == {"material/PLASMID-1", "material/V-7", "release/LV-1", "release/L-1"}
    assert office.release(lot).status == "suspended"


@pytest.mark.requirement("R053")
def test_what_was_assessed_for_one_recall_is_not_assessed_for_the_next(office: Office) -> None:
    lot = office.patient(1)
    on_stock(office, "V-7")
    vector(office, lot, "V-7")
    office.tested(lot)
    office.reviewed(lot)
    office.do(Release(lot=lot), "AP-1")
    office.do(Suspend(lot=lot, cause="quality_assurance", text="complaint about the bag"), "QA-2")
    office.do(LiftSuspension(lot=lot, text="bag of another make"), "AP-2")
    office.say("material/V-7", MaterialRecalled(notice="N-1"))
    stands = permits(office, lot, "infusion")
    assert stands is not None
    assert stands.code == "made-with-recalled-material"


@pytest.mark.requirement("R053")
def test_a_lot_made_with_recalled_material_is_neither_released_nor_given_before_somebody_assessed_it() -> None:
    office = Office()
    left, here = office.patient(1), office.patient(2)
    for lot in (left, here):
        vector(office, lot, "V-7")
        office.tested(lot)
        office.reviewed(lot)
    office.do(Release(lot=left), "AP-1")
    assert permits(office, left, "infusion") is None
    recalled(office)
    stands = permits(office, left, "infusion")
    assert stands is not None
    assert stands.code == "made-with-recalled-material"
    with refused("not-releasable"):
        office.do(Release(lot=here), "AP-1")
    for lot in (left, here):
        office.do(Suspend(lot=lot, cause="recall", text="N-1"), "QA-2")
        office.do(LiftSuspension(lot=lot, text="only the label of the carton was wrong"), "AP-2")
    assert permits(office, left, "infusion") is None
    office.do(Release(lot=here), "AP-1")
