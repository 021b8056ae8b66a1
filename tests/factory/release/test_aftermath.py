"""After the decision: a late positive, suspension, recall of one lot and of a material, clocks of notification."""

import pytest

from cellwright.factory.lot.fact import life
from cellwright.factory.lot.fact.step import Consumed, MaterialAdded, StepStarted
from cellwright.factory.quality.investigation import ConcludeInvestigation, ConcludeLaboratoryPhase
from cellwright.factory.release import may_close, overdue, permits
from cellwright.factory.release.aftermath import LiftSuspension, Notify, Recall, RecallMaterial, Suspend
from cellwright.factory.release.decide import Complete, Reject, Release
from cellwright.factory.release.review import ReviewRecord
from tests.factory.quality.setting import product, refused
from tests.factory.quality.test_culture import read, start
from tests.factory.release.setting import Office
from tests.factory.release.test_release import ACTS, PENDING, culturing


def fresh() -> tuple[Office, str, str]:
    """A lot released on day 10 with its final sterility culture running."""
    office, lot, _interim, final = culturing(product("EU", "authorised", *PENDING))
    office.inform(lot)
    office.do(Release(lot=lot, path="pending_results"), "AP-1")
    return office, lot, final


@pytest.mark.requirement("R108")
def test_growth_after_release_stops_the_lot_and_starts_the_clocks_in_one_decision() -> None:
    office, lot, final = fresh()
    office.advance(days=2)
    before = len(office.events)
    read(office, final, growth=True)
    new = [fact.body.type for fact, _ in office.events[before:]]
    assert new == [
        "quality.result_recomputed",
        "quality.culture_read",
        "quality.investigation_opened",
        "release.suspended",
        "release.notification_due",
        "release.notification_due",
        "release.notification_due",
    ]
    release = office.release(lot)
    assert release.status == "suspended"
    assert {n.addressee: n.due for n in release.open_notifications} == {
        "physician": "2026-03-15T00:00:00.000000Z",
        "quality_assurance": "2026-03-14T04:00:00.000000Z",
        "sponsor": "2026-03-15T00:00:00.000000Z",
    }
    assert office.said("quality.investigation_opened")[0].after_release is True  # type: ignore[attr-defined]
    for act in ACTS:
        refusal = permits(office, lot, act)
        assert refusal is not None, f"a late positive stops {act}, at the bedside too (D21)"
        assert refusal.code == "lot-suspended"


@pytest.mark.requirement("R108")
def test_the_clocks_stop_when_somebody_was_told() -> None:
    office, lot, final = fresh()
    office.advance(days=2)
    read(office, final, growth=True)
    late = [n.id for n in office.release(lot).open_notifications]
    office.advance(hours=4, seconds=1)
    assert overdue(office, lot) == (late[1],)
    office.advance(days=1)
    assert set(overdue(office, lot)) >= set(late)
    for name in late:
        command = Notify(lot=lot, notification=name, reached="treating physician", how="telephone, read back")
        office.do(command, "QA-1")
        with refused("no-open-notification"):
            office.do(command, "QA-1")
    assert office.release(lot).open_notifications == ()
    closing = may_close(office, lot)
    assert closing is not None
    assert closing.code == "results-awaited"


def test_before_release_growth_opens_an_investigation_and_tells_nobody_outside() -> None:
    office, lot, _interim, final = culturing()
    read(office, final, growth=True)
    assert office.release(lot).status == "pending"
    assert office.release(lot).notifications == {}
    assert len(office.quality(lot).open_investigations) == 1


@pytest.mark.requirement("R107")
def test_a_failing_result_has_arrived_once_it_is_verified_and_the_case_can_end() -> None:
    office, lot, final = fresh()
    read(office, final, growth=True)
    assert "sterility" in office.release(lot).awaited
    office.verify(lot, office.quality(lot).cultures[final].result, by="QC-3")
    assert "sterility" not in office.release(lot).awaited
    assert office.said("release.awaited_result_arrived")[0].verdict == "fail"  # type: ignore[attr-defined]
    concluded(office, lot, cause="")
    office.do(Reject(lot=lot, cause="confirmed growth"), "AP-1")
    with refused("not-pending-results"):
        office.do(Complete(lot=lot), "AP-1")


@pytest.mark.requirement("R108")
def test_a_second_failure_of_a_suspended_lot_is_told_as_well() -> None:
    office, lot, final = fresh()
    read(office, final, growth=True)
    office.record_result(lot, "copies_per_cell", "6", "copies/cell")
    assert len(office.release(lot).open_notifications) == 6
    assert len(office.said("release.suspended")) == 1


def concluded(office: Office, lot: str, cause: str) -> None:
    (found,) = office.quality(lot).open_investigations
    office.do(
        ConcludeLaboratoryPhase(lot=lot, investigation=found.id, finding="examined", supervisor="QA-1", cause=cause),
        "QC-2",
    )
    office.do(
        ConcludeInvestigation(
            lot=lot,
            investigation=found.id,
            outcome="laboratory_error" if cause else "confirmed",
            conclusion="see report",
            follow_up="none",
        ),
        "QA-1",
    )


def test_a_suspension_is_lifted_only_when_nothing_stands_against_the_lot() -> None:
    office, lot, final = fresh()
    read(office, final, growth=True)
    lift = LiftSuspension(lot=lot, text="bottle cracked; the second bottle is sterile")
    with refused("cause-stands"):
        office.do(lift, "AP-1")
    concluded(office, lot, cause="cracked bottle")
    office.do(lift, "AP-1")
    assert office.release(lot).status == "released_pending_results"
    with refused("not-suspended"):
        office.do(lift, "AP-1")


def test_a_confirmed_positive_is_never_lifted_and_ends_in_rejection_or_recall() -> None:
    office, lot, final = fresh()
    read(office, final, growth=True)
    concluded(office, lot, cause="")
    with refused("cause-stands"):
        office.do(LiftSuspension(lot=lot, text="it will be fine"), "AP-1")
    office.do(Reject(lot=lot, cause="confirmed growth"), "AP-1")
    assert office.release(lot).status == "rejected"


def test_quality_assurance_suspends_before_and_after_release() -> None:
    office = Office()
    lot, other = office.released(1), office.ready(2)
    for number in (lot, other):
        office.do(Suspend(lot=number, cause="quality_assurance", text="complaint about the bag"), "QA-1")
        assert office.release(number).status == "suspended"
        with refused("decided-already"):
            office.do(Suspend(lot=number, cause="quality_assurance", text="again"), "QA-1")
    assert len(office.release(lot).open_notifications) == 3
    assert office.release(other).open_notifications == (), "it never left"
    office.do(LiftSuspension(lot=other, text="bag of another make"), "AP-1")
    assert office.release(other).status == "pending"
    office.say(f"lot/{lot}", life.DoubtRaised(case="CASE-1"))
    with refused("identity-in-doubt"):
        office.do(LiftSuspension(lot=lot, text="x"), "AP-1")
    with refused("reason-missing"):
        office.do(Suspend(lot=other, cause="quality_assurance", text=" "), "QA-1")


# --- recall --------------------------------------------------------------------------------------------------------


def vector(office: Office, lot: str, material: str) -> None:
    """The lot was made with this lot of vector, and is complete."""
    coi = office.lot(lot).coi
    office.claims.setdefault(f"material/{material}", "stock/vector")
    office.say(
        f"lot/{lot}",
        StepStarted(step="transduce", title="Transduce", performer="OP-1"),
        MaterialAdded(
            coi=coi, step="transduce", code="vector", performer="OP-1", witness="OP-2",
            used=Consumed(stock="vector", material=material, quantity="1", unit="mL"),
        ),
    )  # fmt: skip
    office.lot(lot).status = "complete"


@pytest.mark.requirement("R053")
def test_a_recall_by_material_takes_every_lot_made_with_it_and_no_other() -> None:
    office = Office()
    made_with = {1: "V-7", 2: "V-8", 3: "V-7", 4: "V-7", 5: "V-7"}
    for n, material in made_with.items():
        lot = office.patient(n)
        vector(office, lot, material)
        office.tested(lot)
        office.reviewed(lot)
    for n in (1, 2, 3):
        office.do(Release(lot=f"L-{n}"), "AP-1")
    office.do(Reject(lot="L-5", cause="other"), "AP-1")
    decision = office.do(RecallMaterial(material="V-7", text="replication-competent virus in V-7"), "AP-2")
    statuses = {n: office.release(f"L-{n}").status for n in made_with}
    assert statuses == {1: "recalled", 2: "released", 3: "recalled", 4: "suspended", 5: "rejected"}
    assert {f.stream for f in decision.facts} == {"release/L-1", "release/L-3", "release/L-4"}
    assert len(office.release("L-1").open_notifications) == 3
    assert office.release("L-4").open_notifications == ()
    refusal = permits(office, "L-1", "infusion")
    assert refusal is not None
    assert refusal.code == "lot-recalled"
    for material in ("V-7", "V-99"):
        with refused("nothing-to-recall"):
            office.do(RecallMaterial(material=material, text="again"), "AP-2")
    with refused("reason-missing"):
        office.do(RecallMaterial(material="V-8", text=" "), "AP-2")


def test_one_lot_is_recalled_once_and_only_if_it_left() -> None:
    office = Office()
    lot, other = office.released(1), office.ready(2)
    office.do(Recall(lot=lot, text="leaking bags"), "AP-1")
    assert office.release(lot).status == "recalled"
    for number in (lot, other):
        with refused("nothing-to-recall"):
            office.do(Recall(lot=number, text="again"), "AP-1")


# --- released records ----------------------------------------------------------------------------------------------


def test_what_is_recorded_after_release_does_not_undo_it() -> None:
    """D23: later events attach to the lot; the decision stands on the record as it was signed."""
    office = Office()
    lot = office.released()
    office.say(f"lot/{lot}", life.AddendumAdded(addendum="A-1", text="x", author="OP-1", approver="QA-1"))
    assert office.release(lot).status == "released"
    assert permits(office, lot, "infusion") is None
    office.do(ReviewRecord(lot=lot), "QA-2")


def test_a_culture_of_a_released_lot_can_still_be_started() -> None:
    office = Office()
    lot = office.released()
    read(office, start(office, "appearance", lot=lot), lot=lot)
    assert office.release(lot).status == "released"
