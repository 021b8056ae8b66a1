"""Releasing and giving what must not be, and what a stranger could not check afterwards."""

import pytest

from cellwright.factory.plant.material import MaterialRecalled, MaterialReceived
from cellwright.factory.release import permits
from cellwright.factory.release.aftermath import LiftSuspension, Suspend
from cellwright.factory.release.decide import Release
from tests.factory.order.scene import refused
from tests.factory.release.setting import Office
from tests.factory.release.test_aftermath import vector


def recalled(office: Office) -> None:
    received = MaterialReceived(stock="vector", material="V-7", code="vector", supplier_batch="B", quantity="1",
                                unit="mL", expiry="2027-01-01T00:00:00.000000Z")  # fmt: skip
    del office.claims["material/V-7"]
    office.say("material/V-7", received, MaterialRecalled(notice="N-1"))


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
