"""What a stranger found: times that cannot be, reasons that are none, numbers that nobody gives, hands forgotten."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import cellwright.factory
from cellwright.command.issuing import LETTERS
from cellwright.factory.order import infusion, subject
from cellwright.factory.order.prior_product import AttestPriorInfusion
from cellwright.factory.order.scan import Scan
from cellwright.factory.people import stamp
from cellwright.factory.quality import fact as quality
from cellwright.factory.quality.file import QualityState
from cellwright.factory.rule import COMMANDS, Seen
from tests.factory.order.scene import Scene, refused

ISSUED_BY_TYPE = {"coi", "din", "lot", "sample", "label", "shipper"}


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.requirement("R059")
def test_every_kind_of_number_that_a_rule_asks_for_is_given() -> None:
    files = Path(cellwright.factory.__file__).parent.rglob("*.py")
    asked = {kind for file in files for kind in re.findall(r'issue\("([a-z_]+)"', file.read_text("utf-8"))}
    assert {"nonconformance", "case", "order"} <= asked
    assert asked <= ISSUED_BY_TYPE | set(LETTERS)
    assert len(set(LETTERS.values())) == len(LETTERS), "two kinds of number begin alike"


@pytest.mark.requirement("R119")
def test_an_infusion_does_not_end_before_it_began(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    thawed = scene.now
    scene.advance(minutes=5)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    scene.advance(minutes=5)
    lie = msgspec.structs.replace(_any(scene.given(order, bag)), ended_at=stamp(thawed - timedelta(days=2)))
    with refused("times-not-in-order"):
        scene.do(lie, "NU-1")
    scene.do(scene.given(order, bag), "NU-1")


@pytest.mark.requirement("R044")
def test_a_start_that_was_entered_late_does_not_keep_the_true_end_out_of_the_record(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    scene.advance(minutes=5)
    ended = stamp(scene.now)
    scene.advance(minutes=2)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    scene.do(msgspec.structs.replace(_any(scene.given(order, bag)), ended_at=ended), "NU-1")
    assert len(scene.order(order).given) == 1
    assert "ended-before-its-start" in {_any(n).code for n in scene.said("order.nonconformance_raised")}


@pytest.mark.parametrize("began", ["banana", "2099-01-01T00:00:00.000000Z"])
def test_a_start_that_is_no_time_is_not_recorded(scene: Scene, began: str) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    with pytest.raises(Exception, match=r"R008|R044"):
        scene.do(scene.given(order, bag, started_at=began), "NU-1")
    assert scene.order(order).infusions == ()


@pytest.mark.requirement("R119")
def test_a_late_infusion_does_not_pass_by_claiming_an_early_end(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    scene.advance(minutes=5)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    early = stamp(scene.now + timedelta(minutes=5))
    scene.advance(minutes=300)
    scene.do(msgspec.structs.replace(_any(scene.given(order, bag)), ended_at=early), "NU-1")
    codes = {_any(n).code for n in scene.said("order.nonconformance_raised")}
    assert "use-window-by-claimed-time" in codes


def test_a_bag_is_not_thawed_before_it_came(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    record = infusion.RecordThaw(
        order=order, bag=Scan(text=bag), thawed_at="2020-01-01T00:00:00.000000Z", reason="down", role="cell_laboratory"
    )
    with refused("times-not-in-order"):
        scene.do(record, "CL-1")


@pytest.mark.requirement("R004")
def test_a_blank_reason_is_none(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    for blank in ("", "  "):
        with refused("reason-missing"):
            scene.do(
                infusion.VoidAdministration(order=order, bag=bag, reason=blank, role="nurse", assessor="QA-1"), "NU-1"
            )
        with refused("reason-missing"):
            scene.do(subject.VoidWristband(subject="SUB-1", reason=blank, role="nurse", verifier="QA-1"), "NU-1")
    kinds = [
        k for k in COMMANDS.values() if "reason" in {f.name for f in msgspec.structs.fields(_any(k)) if f.required}
    ]
    assert len(kinds) > 10, "the rule stands before all of them"


@pytest.mark.requirement("R023")
def test_who_decided_about_a_test_took_part_in_it() -> None:
    lot = QualityState("L")
    seen = Seen(pos=0, version=0, id="e", at="2026-03-02T00:00:00.000000Z", actor="QC-9", leaf=b"")
    case: dict[str, Any] = {"lot": "L", "investigation": "I"}
    for body in (
        quality.InvestigationOpened(**case, test="t", results=(), value="1", unit=""),
        quality.LaboratoryPhaseConcluded(**case, cause="", finding="none", analyst="QC-1", supervisor="QC-2"),
        quality.RetestPlanned(**case, number=1, analyst="QC-3", basis="retest", approver="QA-1"),
        quality.InvestigationConcluded(
            **case, outcome="confirmed", conclusion="stands", follow_up="none", other_lots=(), concluded_by="QA-2"
        ),
    ):
        lot.apply(body, seen)
    assert lot.participants == {"QC-1", "QC-2", "QC-3", "QA-1", "QA-2"}


@pytest.mark.requirement("R071")
@pytest.mark.parametrize(("hospital", "day"), [("", "2026-02-01"), ("Elsewhere", "1900-01-01")])
def test_an_attested_infusion_names_where_and_a_day_that_can_be(scene: Scene, hospital: str, day: str) -> None:
    first = scene.approved(scene.pair("1"))
    order = scene.approved("PAIR-1", "follow", linked=first)
    attest = AttestPriorInfusion(
        order=order, product="car", hospital=hospital, infused_on=day, document_sha256="0" * 64, role="coordinator",
        verifier="DR-1", verifier_role="physician",
    )  # fmt: skip
    with refused("attestation-not-plausible"):
        scene.do(attest, "CO-1")


def _any(value: Any) -> Any:
    return value
