"""The pair of donor and recipient: consent, testing, status, legends, and subjects without a trace of the person."""

import pytest

from cellwright.factory.order import acceptance, allocation, collection, subject
from cellwright.factory.order import pair as pairs
from cellwright.factory.order.pair import DonorTest, PairState, legends
from cellwright.factory.order.subject import SubjectState
from tests.factory.order.scene import HASH, Scene, refused
from tests.factory.world import ClaimError

NEGATIVE = (DonorTest(test="HIV", finding="negative"),)
REACTIVE = (*NEGATIVE, DonorTest(test="HBV", finding="reactive"))
PARTLY = (*NEGATIVE, DonorTest(test="HCV", finding="not_done"))


@pytest.mark.requirement("R069")
@pytest.mark.parametrize(
    ("autologous", "status", "tests", "expected"),
    [
        (True, "pending", (), {"autologous_use_only", "not_evaluated_for_infectious_substances"}),
        (True, "eligible", NEGATIVE, {"autologous_use_only"}),
        (True, "eligible", REACTIVE, {"autologous_use_only", "biohazard", "reactive_test_results:HBV"}),
        (True, "urgent_need", PARTLY, {
            "autologous_use_only", "not_evaluated_for_infectious_substances", "biohazard",
            "advise_patient_of_communicable_disease_risks",
        }),
        (False, "eligible", NEGATIVE, set()),
        (False, "pending", NEGATIVE, {"not_evaluated_for_infectious_substances"}),
        (False, "ineligible", REACTIVE, {
            "biohazard", "reactive_test_results:HBV", "advise_patient_of_communicable_disease_risks",
        }),
        (False, "urgent_need", (), {
            "not_evaluated_for_infectious_substances", "biohazard", "advise_patient_of_communicable_disease_risks",
        }),
    ],
)  # fmt: skip
def test_legends_follow_from_the_donors_status(
    autologous: bool, status: pairs.DonorStatus, tests: tuple[DonorTest, ...], expected: set[str]
) -> None:
    assert set(legends(autologous, status, tests)) == expected


@pytest.mark.requirement("R070")
def test_material_of_an_untested_donor_is_in_quarantine_and_cannot_be_allocated() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1", status=None))
    containers = scene.collected(order)
    shipped = scene.sent(1, order)
    scene.arrived(shipped)
    assert {c.status for c in scene.order(order).containers.values()} == {"quarantined"}
    accept = acceptance.AcceptMaterial(order=order, shipment=shipped)
    with refused("donor-status-pending"):
        scene.do(accept, "QA-1")
    with refused("donor-status-pending"):
        scene.do(allocation.Allocate(order=order, containers=tuple(containers)), "PL-1")
    with refused("donor-tests-missing"):
        scene.do(pairs.DecideDonorStatus(pair="PAIR-1", status="eligible"), "QA-1")
    scene.tested("PAIR-1")
    scene.do(pairs.DecideDonorStatus(pair="PAIR-1", status="eligible"), "QA-1")
    with refused("not-available"):
        scene.do(allocation.Allocate(order=order, containers=tuple(containers)), "PL-1")
    scene.do(accept, "QA-1")
    scene.do(allocation.Allocate(order=order, containers=tuple(containers)), "PL-1")


@pytest.mark.requirement("R070")
def test_urgent_need_is_documented_by_a_physician_and_carries_its_legend() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1", status=None))
    scene.collected(order)
    shipped = scene.sent(1, order)
    scene.arrived(shipped)
    for lacking in ({"physician": "DR-1"}, {"reason": "relapse"}):
        with refused("urgent-need-undocumented"):
            scene.do(pairs.DecideDonorStatus(pair="PAIR-1", status="urgent_need", **lacking), "QA-1")
    urgent = pairs.DecideDonorStatus(pair="PAIR-1", status="urgent_need", physician="DR-1", reason="relapse")
    decision = scene.do(urgent, "QA-1")
    assert {(n.person, n.meaning) for n in decision.sign} == {("QA-1", "assessed"), ("DR-1", "requested")}
    scene.do(acceptance.AcceptMaterial(order=order, shipment=shipped), "QA-1")
    (accepted,) = scene.said("order.accepted")
    assert accepted.donor_status == "urgent_need"  # type: ignore[attr-defined]
    assert "not_evaluated_for_infectious_substances" in accepted.legends  # type: ignore[attr-defined]


@pytest.mark.requirement("R070")
def test_a_reactive_donor_is_ineligible_for_somebody_else_and_not_for_themselves() -> None:
    scene = Scene()
    scene.pair("1", status=None)
    scene.pair("2", donor="3", status=None)
    for pair in ("PAIR-1", "PAIR-2"):
        scene.tested(pair, HBV="reactive")
    scene.do(pairs.DecideDonorStatus(pair="PAIR-1", status="eligible"), "QA-1")
    assert "biohazard" in scene.load(PairState, "PAIR-1").legends
    with refused("donor-tests-reactive"):
        scene.do(pairs.DecideDonorStatus(pair="PAIR-2", status="eligible"), "QA-1")
    scene.do(pairs.DecideDonorStatus(pair="PAIR-2", status="ineligible"), "QA-1")
    refusal = pairs.processable(scene.load(PairState, "PAIR-2"))
    assert refusal is not None
    assert refusal.code == "donor-ineligible"


def test_a_donor_has_an_own_consent_and_may_withdraw_it() -> None:
    """D1: donor and recipient are two people after a transplant."""
    scene = Scene()
    pair = scene.pair("1", donor="2")
    order = scene.approved(pair)
    scene.do(pairs.WithdrawDonorConsent(pair=pair, reason="asked to"), "CO-1")
    schedule = collection.ScheduleCollection(order=order, site="H", days=("2026-03-02",))
    with refused("donor-consent-missing"):
        scene.do(schedule, "CO-1")
    with refused("donor-consent-missing"):
        scene.do(pairs.DecideDonorStatus(pair=pair, status="eligible"), "QA-1")


def test_the_donors_wristband_is_read_at_collection_and_the_recipients_at_the_bedside() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1", donor="2"))
    agreed = scene.scheduled(order)
    wrong = collection.StartCollection(
        order=order, collection=agreed, day=1, wristband=scene.wristband("SUB-1"), coi=scene.coi_scan(order),
        verifier="CN-2",
    )  # fmt: skip
    scene.stopped(wrong, "CN-1", "collection_start")


def test_expected_chimerism_stands_with_the_pair() -> None:
    """D5: biology is compared with the collection; after a transplant the blood is the donor's."""
    scene = Scene()
    pair = scene.pair("1", donor="2")
    given = {"pair": pair, "method": "STR", "measured_on": "2026-02-20", "document_sha256": HASH}
    scene.do(pairs.RecordChimerism(donor_percent="98.5", **given), "DR-1")
    assert scene.load(PairState, pair).chimerism.donor_percent == "98.5"  # type: ignore[union-attr]
    for wrong, code in {"101": "not-a-percentage", "98,5": "not-a-number", "NaN": "not-a-number"}.items():
        with refused(code):
            scene.do(pairs.RecordChimerism(donor_percent=wrong, **given), "DR-1")


def test_one_pair_for_one_donor_and_recipient() -> None:
    scene = Scene()
    scene.pair("1")
    with refused("pair-exists"):
        scene.do(pairs.Form(donor="SUB-1", recipient="SUB-1"), "CO-1")
    scene.subject("2")
    with refused("pair-number-used"):
        scene.do(pairs.Form(donor="SUB-2", recipient="SUB-1", pair="PAIR-1"), "CO-1")
    with refused("unknown-subject"):
        scene.do(pairs.Form(donor="SUB-9", recipient="SUB-1"), "CO-1")


@pytest.mark.requirement("R062")
def test_nothing_personal_stands_open_in_any_fact_of_a_subject() -> None:
    scene = Scene()
    scene.subject("1")
    (registered,) = scene.said("subject.registered")
    assert set(registered.personal) == {"name"}  # type: ignore[attr-defined]
    with refused("sealed-for-another"):
        sealed = subject.Sealed(enc="SUB-1", n="", c="")
        scene.do(subject.Register(subject="SUB-2", personal={"name": sealed}), "CO-1")


def test_a_wristband_is_one_subjects_and_voided_with_a_reason_and_quality_assurance() -> None:
    scene = Scene()
    scene.subject("1")
    scene.subject("2")
    with refused("wristband-in-use"):
        scene.do(subject.IssueWristband(subject="SUB-1", wristband="WB-9"), "NU-1")
    void = subject.VoidWristband(subject="SUB-1", reason="torn", role="nurse", verifier="QA-1")
    decision = scene.do(void, "NU-1")
    assert ("QA-1", "quality_assurance") in {(n.person, n.role) for n in decision.sign}
    with refused("no-wristband"):
        scene.do(void, "NU-1")
    with pytest.raises(ClaimError):
        scene.do(subject.IssueWristband(subject="SUB-1", wristband="WB-2"), "NU-1")
    scene.do(subject.IssueWristband(subject="SUB-1", wristband="WB-1b"), "NU-1")
    assert scene.load(SubjectState, "SUB-1").wristband == "WB-1b"


def test_a_merged_number_is_superseded_and_never_forgotten() -> None:
    scene = Scene()
    scene.pair("1")
    scene.subject("2")
    merge = subject.Supersede(subject="SUB-2", by="SUB-1", reason="same person", verifier="CO-1")
    scene.do(merge, "QA-1")
    with refused("subject-superseded"):
        scene.do(pairs.Form(donor="SUB-2", recipient="SUB-2"), "CO-1")
    scene.subject("3")
    with refused("subject-has-pairs"):
        scene.do(subject.Supersede(subject="SUB-1", by="SUB-3", reason="x", verifier="CO-1"), "QA-1")
    sealed = subject.Sealed(enc="SUB-1", n="bg", c="Yg")
    scene.do(subject.ChangePersonal(subject="SUB-1", personal={"name": sealed}, reason="married"), "CO-1")
    assert scene.load(SubjectState, "SUB-1").personal["name"].n == "bg"
