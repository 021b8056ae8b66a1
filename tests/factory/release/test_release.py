"""Releasing a lot: what is missing is named, who may sign, results that come later, acts that ask again."""

from typing import Any

import pytest

from cellwright.factory import people
from cellwright.factory.lot.fact import container, life
from cellwright.factory.lot.fact import nonconformance as deviation
from cellwright.factory.order.pair import DonorStatusDecided
from cellwright.factory.quality.culture import ReadCulture
from cellwright.factory.quality.specifying import AssignSpecification
from cellwright.factory.record import Fact
from cellwright.factory.release import may_close, overdue, permits
from cellwright.factory.release.decide import Complete, Reject, Release
from cellwright.factory.release.fact import Released
from cellwright.factory.release.review import AssessCustody, InformPhysician, ReviewAuditTrail, ReviewRecord
from tests.factory.quality.setting import product, refused
from tests.factory.quality.test_culture import read, start
from tests.factory.release.setting import Office

ACTS = ("pack_out", "receipt", "lymphodepletion", "thaw", "infusion")


# --- full release --------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R102")
def test_a_lot_with_everything_in_order_is_released() -> None:
    office = Office()
    lot = office.ready()
    assert office.assess(lot).possible == "released"
    assert office.missing(lot) == set()
    decision = office.do(Release(lot=lot), "AP-1")
    assert office.release(lot).status == "released"
    (need,) = decision.sign
    assert (need.meaning, need.role) == ("released", "authorised_person")
    (body,) = office.said("release.released")
    assert isinstance(body, Released)
    assert (body.market, body.specification, body.version) == ("EU", "s1", "1")
    assert {j.verdict for j in body.judgements} == {"pass"}


def test_nothing_at_all_names_everything_that_is_missing() -> None:
    office = Office()
    lot = office.patient(1)
    assert office.assess(lot).possible == "pending"
    assert office.missing(lot) == {
        "custody-not-assessed",
        "record-not-reviewed",
        "audit-trail-not-reviewed",
        "specification-missing",
        "dose-not-specified",
    }


@pytest.mark.requirement("R102")
@pytest.mark.parametrize(
    "test", ["viability", "viable_cells", "car_positive", "endotoxin", "mycoplasma", "sterility_in_process"]
)
def test_each_required_test_alone_blocks_and_is_named(test: str) -> None:
    office = Office()
    lot = office.ready(without=(test,))
    assert f"test-missing({test})" in office.missing(lot)
    with refused("not-releasable") as refusal:
        office.do(Release(lot=lot), "AP-1")
    assert test in str(refusal.values["missing"])
    assert office.release(lot).status == "pending", "and pending is no decision of anybody"


@pytest.mark.requirement("R104")
@pytest.mark.requirement("R105")
def test_dose_and_endotoxin_of_the_patient_decide() -> None:
    office = Office()
    heavy_handed = office.ready(1, weight="11")  # 6.0e7 CAR+ / 11 kg = 5.45e6 per kg, above 5e6
    assert {"test-not-passed(dose)", "investigation-open(L-1-OOS01)"} <= office.missing(heavy_handed)
    per_kg = office.ready(2, weight="12", endotoxin=("3", "EU/mL"))  # 3 x 30 / 12 = 7.5 EU/kg
    assert office.assess(per_kg).judgements["endotoxin"].verdict == "pass"
    assert "test-not-passed(endotoxin_per_kg)" in office.missing(per_kg)
    censored = office.ready(3, weight="12", endotoxin=("<3", "EU/mL"))
    assert office.assess(censored).judgements["endotoxin_per_kg"].verdict == "not_shown_to_comply"
    assert "test-not-passed(endotoxin_per_kg)" in office.missing(censored)


def test_without_a_weight_the_dose_is_unknown_and_unknown_is_not_in_range() -> None:
    office = Office()
    lot = office.patient(1, weight=None)
    office.tested(lot)
    office.reviewed(lot)
    assert office.assess(lot).judgements["dose"].verdict == "unknown"
    assert {"test-not-passed(dose)", "test-not-passed(endotoxin_per_kg)"} <= office.missing(lot)


def test_the_record_must_be_complete() -> None:
    office = Office()
    lot = office.ready()
    office.lot(lot).status = "in_process"
    assert "record-not-complete" in office.missing(lot)


def test_the_donor_status_is_decided_before_anything_leaves() -> None:
    office = Office()
    lot = office.ready()
    for status, code in (("pending", "donor-status-pending"), ("ineligible", "donor-ineligible")):
        office.say("pair/PAIR-1", DonorStatusDecided(pair="PAIR-1", status=status, legends=(), assessor="QA-1"))  # type: ignore[arg-type]
        assert office.missing(lot) == {code}
    office.say("pair/PAIR-1", DonorStatusDecided(pair="PAIR-1", status="urgent_need", legends=(), assessor="QA-1"))
    assert office.assess(lot).possible == "released"


@pytest.mark.parametrize(
    ("custody", "temperature", "code"),
    [
        ("not_intact", "in_limits", "custody-broken"),
        ("intact", "not_acceptable", "temperature-not-acceptable"),
        ("intact", "excursion_accepted", None),
    ],
)
def test_custody_and_temperature_are_assessed(custody: Any, temperature: Any, code: str | None) -> None:
    office = Office()
    lot = office.ready()
    office.do(AssessCustody(lot=lot, custody=custody, temperature=temperature, basis="logger 7"), "QA-1")
    assert office.missing(lot) == ({code} if code else set())


# --- reviews -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R010")
@pytest.mark.requirement("R027")
@pytest.mark.requirement("R052")
def test_whatever_is_recorded_after_the_review_reopens_it() -> None:
    office = Office()
    lot = office.ready()
    office.say(f"lot/{lot}", life.AddendumAdded(addendum="A-1", text="x", author="OP-1", approver="QA-1"))
    reopened = {"record-review-reopened", "audit-trail-review-reopened"}
    assert office.missing(lot) == reopened
    with refused("not-releasable"):
        office.do(Release(lot=lot), "AP-1")
    office.review(lot)
    assert office.assess(lot).possible == "released"
    office.record_result(lot, "appearance", "conforms")
    assert office.missing(lot) == reopened, "the quality file is part of the record"


@pytest.mark.requirement("R027")
def test_the_signature_of_a_review_covers_every_event_of_lot_and_quality_file() -> None:
    office = Office()
    lot = office.patient(1)
    office.tested(lot)
    decision = office.do(ReviewRecord(lot=lot), "QA-2")
    (need,) = decision.sign
    streams = (f"lot/{lot}", f"quality/{lot}")
    expected = {seen.leaf.hex() for fact, seen in office.events if fact.stream in streams}
    assert set(need.leaves) == expected
    assert need.meaning == "reviewed"


@pytest.mark.requirement("R010")
def test_who_took_part_does_not_review() -> None:
    office = Office()
    office.person("QA-9", "quality_assurance", "analyst")
    lot = office.patient(1)
    office.tested(lot)
    office.record_result(lot, "appearance", "conforms", by="QA-9")
    for command in (
        ReviewRecord(lot=lot),
        ReviewAuditTrail(lot=lot),
        AssessCustody(lot=lot, custody="intact", temperature="in_limits", basis="x"),
    ):
        with refused("took-part"):
            office.do(command, "QA-9")


def test_only_a_complete_record_is_reviewed() -> None:
    office = Office()
    lot = office.patient(1)
    office.lot(lot).status = "in_process"
    with refused("record-not-complete"):
        office.do(ReviewRecord(lot=lot), "QA-2")
    with refused("basis-missing"):
        office.do(AssessCustody(lot=lot, custody="intact", temperature="in_limits", basis=" "), "QA-2")


# --- investigations and nonconformances ----------------------------------------------------------------------------


@pytest.mark.requirement("R051")
@pytest.mark.parametrize(
    ("severity", "status", "blocks"),
    [
        ("minor", "open", True),
        ("minor", "assessed", False),
        ("major", "assessed", True),
        ("critical", "assessed", True),
        ("major", "closed", False),
        ("critical", "closed", False),
    ],
)
def test_open_nonconformances_block_by_their_severity(severity: Any, status: str, blocks: bool) -> None:
    """D20: minor ones may stay open with an assessment; major and critical are closed before release."""
    office = Office()
    lot = office.patient(1)
    office.tested(lot)
    bodies: list[Any] = [deviation.NonconformanceRecorded(nonconformance="N1", code="x", severity=severity, text="x")]
    if status != "open":
        bodies.append(
            deviation.NonconformanceAssessed(nonconformance="N1", severity=severity, assessor="QA-1", text="x")
        )
    if status == "closed":
        bodies.append(deviation.NonconformanceClosed(nonconformance="N1", conclusion="x", closer="QA-1"))
    office.say(f"lot/{lot}", *bodies)
    office.reviewed(lot)
    assert office.missing(lot) == ({"nonconformance-open(N1)"} if blocks else set())


def test_an_open_investigation_blocks() -> None:
    office = Office()
    lot = office.ready(viability=("68", "%"))
    assert office.missing(lot) == {"test-not-passed(viability)", "investigation-open(L-1-OOS01)"}


# --- who may sign --------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R035")
def test_only_an_authorised_person_with_the_qualification_in_date_certifies() -> None:
    office = Office()
    lot = office.ready()
    with refused("role-missing"):
        office.do(Release(lot=lot), "QA-1")
    office.person("AP-8", "authorised_person")
    with refused("not-authorised-person"):
        office.do(Release(lot=lot), "AP-8")
    until = people.stamp(office.now)
    office.record(
        [Fact("person/AP-8", people.Qualified(person="AP-8", qualification="authorised_person",
                                              since="2020-01-01T00:00:00.000000Z", until=until))]
    )  # fmt: skip
    with refused("not-authorised-person"):
        office.do(Release(lot=lot), "AP-8")
    office.do(Release(lot=lot), "AP-1")


@pytest.mark.requirement("R023")
@pytest.mark.parametrize("part", ["made", "tested"])
def test_the_releaser_took_no_part_in_making_or_testing(part: str) -> None:
    office = Office()
    office.person("AP-9", "authorised_person", "analyst", qualified=("authorised_person",))
    lot = office.patient(1)
    office.tested(lot)
    if part == "made":
        drawn = container.SampleDrawn(coi=office.lot(lot).coi, sample="L-1-S3", kind="retained", tests=(),
                                      container="L-1-CULTURE", volume_ml="1", performer="AP-9")  # fmt: skip
        office.say(f"lot/{lot}", drawn)
    else:
        office.record_result(lot, "appearance", "conforms", by="AP-9")
    office.reviewed(lot)
    with refused("took-part"):
        office.do(Release(lot=lot), "AP-9")
    with refused("took-part"):
        office.do(Reject(lot=lot, cause="x"), "AP-9")
    office.do(Release(lot=lot), "AP-1")


def test_a_decision_is_not_taken_twice() -> None:
    office = Office()
    lot = office.released()
    assert office.missing(lot) == {"decided-already"}
    with refused("not-releasable"):
        office.do(Release(lot=lot), "AP-2")
    with refused("left-already"):
        office.do(Reject(lot=lot, cause="x"), "AP-2")
    with refused("released-already"):
        office.do(AssignSpecification(lot=lot), "QA-1")


def test_rejection_is_a_signed_decision() -> None:
    office = Office()
    lot = office.ready(viability=("30", "%"))
    assert office.release(lot).status == "pending", "a failing lot is pending until a person rejects it"
    with refused("reason-missing"):
        office.do(Reject(lot=lot, cause=" "), "AP-1")
    decision = office.do(Reject(lot=lot, cause="viability 30 %"), "AP-1")
    assert [n.meaning for n in decision.sign] == ["rejected"]
    assert office.release(lot).status == "rejected"
    for act in ACTS:
        refusal = permits(office, lot, act)
        assert refusal is not None
        assert refusal.code == "lot-rejected"
    with refused("decided-already"):
        office.do(Reject(lot=lot, cause="again"), "AP-1")


# --- results that come after release (R106, R107) -------------------------------------------------------------------


PENDING = ("sterility", "copies_per_cell")


def culturing(made: Any = None) -> tuple[Office, str, str, str]:
    """A fresh lot whose cultures are negative to date on day 10, as in the CD20 process (PMC11461191)."""
    office = Office(made or product("EU", "authorised", *PENDING))
    lot = office.patient(1)
    office.tested(lot, without=("sterility_in_process", "sterility", "copies_per_cell"))
    interim, final = start(office, "sterility_in_process"), start(office, "sterility")
    office.advance(days=10)
    read(office, interim)
    read(office, final)
    office.reviewed(lot)
    return office, lot, interim, final


@pytest.mark.requirement("R106")
def test_the_same_lot_of_two_products_has_two_outcomes() -> None:
    office, lot, *_ = culturing()
    office.inform(lot)
    assert office.assess(lot).possible == "released_pending_results"
    strict, other, *_ = culturing(product("EU", "authorised"))
    assert strict.assess(other).possible == "pending"
    assert "may-not-be-pending(sterility)" in strict.missing(other, "released_pending_results")
    with refused("nothing-awaited"):
        strict.inform(other)


@pytest.mark.requirement("R106")
@pytest.mark.requirement("R107")
def test_release_with_results_pending_names_tests_and_due_times_and_needs_the_physician() -> None:
    office, lot, *_ = culturing()
    aware = "physician-not-informed(copies_per_cell, sterility, sterility_in_process)"
    assert office.missing(lot, "released_pending_results") == {aware}
    with refused("not-releasable"):
        office.do(Release(lot=lot, path="pending_results"), "AP-1")
    office.inform(lot)
    with refused("not-releasable"):
        office.do(Release(lot=lot, path="full"), "AP-1")
    office.do(Release(lot=lot, path="pending_results"), "AP-1")
    release = office.release(lot)
    assert release.status == "released_pending_results"
    assert set(release.awaited) == {"sterility", "sterility_in_process", "copies_per_cell"}
    assert release.awaited["copies_per_cell"] == "2026-03-26T00:00:00.000000Z", "14 days after the release on day 10"
    assert all(permits(office, lot, act) is None for act in ACTS)


def arrive(office: Office, lot: str, *cultures: str) -> None:
    office.advance(days=5)
    for culture in cultures:
        read(office, culture)
        office.verify(lot, office.quality(lot).cultures[culture].result, by="QC-3")


@pytest.mark.requirement("R107")
def test_the_case_stays_open_until_all_results_have_arrived() -> None:
    office, lot, interim, final = culturing()
    office.inform(lot)
    office.do(Release(lot=lot, path="pending_results"), "AP-1")
    arrive(office, lot, interim, final)
    assert set(office.release(lot).awaited) == {"copies_per_cell"}
    with refused("results-awaited"):
        office.do(Complete(lot=lot), "AP-1")
    closing = may_close(office, lot)
    assert closing is not None
    assert closing.code == "results-awaited"
    name = office.record_result(lot, "copies_per_cell", "1.2", "copies/cell")
    assert set(office.release(lot).awaited) == {"copies_per_cell"}, "not before it is verified"
    office.verify(lot, name)
    assert office.release(lot).awaited == {}
    assert may_close(office, lot) is None
    office.do(Complete(lot=lot), "AP-1")
    assert office.release(lot).status == "released"
    with refused("not-pending-results"):
        office.do(Complete(lot=lot), "AP-1")


@pytest.mark.requirement("R107")
def test_an_overdue_result_is_alerted() -> None:
    office, lot, *_ = culturing()
    office.inform(lot)
    office.do(Release(lot=lot, path="pending_results"), "AP-1")
    assert overdue(office, lot) == ()
    office.advance(days=14)
    assert overdue(office, lot) == ()
    office.advance(seconds=1)
    assert set(overdue(office, lot)) == {"sterility", "sterility_in_process", "copies_per_cell"}


def test_a_result_that_is_there_but_not_verified_is_not_awaited() -> None:
    office, lot, *_ = culturing()
    office.record_result(lot, "copies_per_cell", "1.2", "copies/cell")
    office.review(lot)
    assert "may-not-be-pending(copies_per_cell)" in office.missing(lot, "released_pending_results")


def test_without_the_interim_result_sterility_may_not_be_awaited() -> None:
    office = Office(product("EU", "authorised", *PENDING))
    lot = office.ready(without=("sterility_in_process", "sterility", "copies_per_cell"))
    missing = office.missing(lot, "released_pending_results")
    assert {"test-missing(sterility_in_process)", "may-not-be-pending(sterility)"} <= missing
    assert "may-not-be-pending(copies_per_cell)" not in missing, "it has no interim result and needs none"


def test_what_has_arrived_in_full_is_not_released_with_results_pending() -> None:
    office = Office(product("EU", "authorised", *PENDING))
    lot = office.ready()
    with refused("nothing-awaited"):
        office.do(Release(lot=lot, path="pending_results"), "AP-1")


# --- asked again at each act (D21) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
def test_nothing_goes_on_before_the_release(act: str) -> None:
    office = Office()
    lot = office.ready()
    refusal = permits(office, lot, act)
    assert refusal is not None
    assert refusal.code == "not-released"
    office.do(Release(lot=lot), "AP-1")
    assert permits(office, lot, act) is None


@pytest.mark.requirement("R104")
@pytest.mark.requirement("R105")
def test_a_changed_weight_is_judged_again_at_the_act() -> None:
    office = Office()
    lot = office.released()
    office.weigh(lot, "11")
    refusal = permits(office, lot, "thaw")
    assert refusal is not None
    assert (refusal.code, refusal.values["test"]) == ("no-longer-in-specification", "dose")
    office.weigh(lot, "24")
    assert permits(office, lot, "thaw") is None


def test_doubt_about_the_identity_stops_every_act() -> None:
    office = Office()
    lot = office.released()
    office.say(f"lot/{lot}", life.DoubtRaised(case="CASE-1"))
    for act in ACTS:
        refusal = permits(office, lot, act)
        assert refusal is not None
        assert refusal.code == "identity-in-doubt"


def test_a_bag_that_is_lost_is_not_in_the_dose() -> None:
    office = Office()
    lot = office.released()
    coi = office.lot(lot).coi
    office.say(
        f"lot/{lot}",
        container.ContainerDisposed(coi=coi, container=f"{lot}-BAG", disposition="destroyed", performer="OP-1"),
    )
    refusal = permits(office, lot, "thaw")
    assert refusal is not None
    assert refusal.values["verdict"] == "pending"


# --- purity --------------------------------------------------------------------------------------------------------


def test_assessing_is_pure() -> None:
    """The same record and clock give the same answer, and asking changes nothing."""
    office = Office()
    lot = office.ready()
    before = len(office.events)
    first, second = office.assess(lot), office.assess(lot)
    assert first._replace(findings=()) == second._replace(findings=())
    assert [str(f.why) for f in first.findings] == [str(f.why) for f in second.findings]
    assert len(office.events) == before
    assert not office.release(lot).exists or office.release(lot).status == "pending"


def test_the_register_of_commands_names_who_may_decide() -> None:
    assert Release.roles == {"authorised_person"} == Reject.roles == Complete.roles
    assert InformPhysician.roles >= {"quality_assurance"}
    assert ReadCulture.roles == {"analyst"}
