"""A stock lot (an antibody, a vector) is tested and released like any other, for nobody in particular."""

from decimal import Decimal
from typing import Any

import msgspec

from cellwright.factory.lot.fact import container, life
from cellwright.factory.quality.specifying import AssignSpecification
from cellwright.factory.release.decide import Release
from tests.factory.quality.made import criterion, specification
from tests.factory.quality.setting import product, refused
from tests.factory.release.setting import Office


def stock_office() -> Office:
    antibody: Any = product("CN")
    antibody = msgspec.structs.replace(antibody, unit="stock_lot", autologous=False, use_window_after_thaw=None, fresh=True)  # fmt: skip
    spec = specification(
        criterion("purity", ">=", "97", "%"), criterion("sterility", "==", "negative", safety="sterility"), id="s1"
    )
    office = Office(antibody, spec)
    made = container.Made(container="BULK", kind="final_bag", volume_ml=str(Decimal(500)))
    office.say(
        "lot/L-1",
        life.LotIssued(stock="mil62", lot="L-1", product="p1", product_version="1", recipe="r1", recipe_version="1",
                       recipe_sha256="a" * 64, issued_by="PL-1", checked_by="QA-2"),
        container.MaterialTransferred(stock="mil62", transfer="process", sources=(), made=(made,), performer="OP-1",
                                      verifier="OP-2"),
        container.SampleDrawn(stock="mil62", sample="L-1-S1", kind="bulk", tests=(), container="BULK", volume_ml="1",
                              performer="OP-1"),
        life.LotCompleted(labels_issued=1, labels_applied=1, labels_destroyed=0, bags_filled=1, performer="OP-1",
                          verifier="OP-2"),
    )  # fmt: skip
    return office


def test_a_stock_lot_has_no_patient_to_ask_for() -> None:
    office = stock_office()
    with refused("no-market"):
        office.do(AssignSpecification(lot="L-1"), "QA-1")
    office.do(AssignSpecification(lot="L-1", market="CN"), "QA-1")
    office.receive("L-1", "L-1-S1", scan="L-1-S1|stock/mil62")
    names = [office.record_result("L-1", "purity", "99.1", "%"), office.record_result("L-1", "sterility", "negative")]
    office.verify("L-1", *names)
    office.reviewed("L-1")
    assert office.assess("L-1").possible == "released"
    office.do(Release(lot="L-1"), "AP-1")
    assert office.claims["sample/L-1-S1"] == "stock/mil62"
    assert office.release("L-1").status == "released"
