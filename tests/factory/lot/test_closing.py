"""The end of making: nothing is missing when the record is locked, and afterwards only addenda (R058)."""

import pytest

from cellwright.factory.lot.access import unlocked
from cellwright.factory.lot.bag import DisposeContainer
from cellwright.factory.lot.closing import AddAddendum, CompleteLot, TerminateLot, incomplete
from cellwright.factory.lot.label import DestroyLabel, PrintLabel
from cellwright.factory.lot.nonconformance import AssessNonconformance, CloseNonconformance, RecordNonconformance
from cellwright.factory.lot.reading import Measured, TakeReading
from cellwright.factory.lot.room import LeaveRoom
from cellwright.factory.lot.sample import DrawSample
from cellwright.factory.lot.step import StartStep
from cellwright.factory.lot.transfer import Child
from cellwright.factory.order.case import DeclareDoubt
from cellwright.factory.order.collection import DecideRecollection
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import OrderState
from tests.factory.lot.setting import Bench, refused, usual


def complete() -> tuple[Bench, str, list[str]]:
    bench = Bench()
    lot, bags = bench.filled()
    bench.do(LeaveRoom(lot=lot, room="S1"))
    bench.do(CompleteLot(lot=lot, verifier="OP-2"))
    return bench, lot, bags


@pytest.mark.requirement("R058")
def test_a_completed_record_takes_only_addenda() -> None:
    bench, lot, bags = complete()
    before = bench.lot(lot).version
    bag = Scan(text=bench.code(lot, bags[0]))
    value = Measured(parameter="viability", value="99", unit="%")
    for change in (
        TakeReading(lot=lot, step="harvest", reading=value, reason="better"),
        StartStep(lot=lot, step="harvest", room="S1", containers=(bag,)),
        DrawSample(lot=lot, step="fill", scan=bag, kind="k", tests=("t",), volume_ml="1"),
        PrintLabel(lot=lot, container=bags[0], reason="r", approver="QA-1"),
        CompleteLot(lot=lot, verifier="OP-2"),
    ):
        with refused("record-locked"):
            bench.do(change)
    with refused("record-locked"):
        bench.do(TerminateLot(lot=lot, cause="other", reason="changed our mind"), "QA-1")
    with refused("record-locked"):
        unlocked(bench, lot)
    assert bench.lot(lot).version == before
    event = next(s.id for f, s in bench.events if f.body.type == "lot.reading_taken")
    addendum = AddAddendum(
        lot=lot, text="The counter's dilution was 10, not 5.", reason="found in review", approver="QA-1", corrects=event,
        field="viable_cells", was="1500000000", becomes="3000000000",
    )  # fmt: skip
    decision = bench.do(addendum)
    assert [(n.person, n.meaning) for n in decision.sign] == [("OP-1", "performed"), ("QA-1", "approved")]
    (kept,) = bench.lot(lot).addenda.values()
    assert (kept.corrects, kept.was, kept.becomes) == (event, "1500000000", "3000000000")
    taken = bench.lot(lot).steps["harvest"].readings["viable_cells"]
    assert taken.reading.value == "1500000000", "what was recorded stays"


@pytest.mark.requirement("R058")
def test_an_addendum_is_for_a_locked_record_has_a_reason_and_two_people() -> None:
    bench, lot, _ = complete()
    open_lot = bench.received(2, "S2")
    with refused("record-not-locked"):
        bench.do(AddAddendum(lot=open_lot, text="t", reason="r", approver="QA-1"))
    with refused("reason-missing"):
        bench.do(AddAddendum(lot=lot, text="t", reason=" ", approver="QA-1"))
    with refused("same-person-twice"):
        bench.do(AddAddendum(lot=lot, text="t", reason="r", approver="OP-1"))
    with refused("event-not-of-lot"):
        bench.do(AddAddendum(lot=lot, text="t", reason="r", approver="QA-1", corrects="id-of-nothing"))


@pytest.mark.requirement("R051")
def test_a_finished_lot_can_still_get_a_nonconformance_and_its_conclusion() -> None:
    bench, lot, _ = complete()
    bench.do(RecordNonconformance(lot=lot, code="late-finding", text="Filter lot recalled by its maker."), "QA-1")
    (name,) = bench.lot(lot).nonconformances
    with refused("not-assessed"):
        bench.do(CloseNonconformance(lot=lot, nonconformance=name, conclusion="c"), "QA-1")
    bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="critical", text="t"), "QA-1")
    with refused("text-missing"):
        bench.do(CloseNonconformance(lot=lot, nonconformance=name, conclusion=" "), "QA-1")
    bench.do(CloseNonconformance(lot=lot, nonconformance=name, conclusion="Filter not used here."), "QA-1")
    assert bench.lot(lot).nonconformances[name][:2] == ("critical", "closed")
    with refused("nonconformance-closed"):
        bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="minor", text="t"), "QA-1")


def test_a_record_with_something_missing_is_not_completable_and_all_of_it_is_named() -> None:
    bench = Bench()
    lot, culture = bench.harvested()
    bench.advance(minutes=10)
    bench.start(lot, "fill", culture)
    left = bench.make(lot, "split", {culture: "100"}, [Child(kind="waste", volume_ml="50")] * 2, step="fill")
    bench.label(lot, left[0])
    bench.do(PrintLabel(lot=lot, container=left[1]))
    codes = [refusal.code for refusal in incomplete(bench.lot(lot), usual())]
    assert codes == ["steps-left", "labels-unreconciled", "containers-open", "containers-unlabelled", "rooms-held"]
    with refused("steps-left"):
        bench.do(CompleteLot(lot=lot, verifier="OP-2"))


def test_each_significant_step_answers_the_thirteen_questions() -> None:
    """21 CFR 211.188(b)(1)-(13), item by item, from the folded record."""
    bench, lot, bags = complete()
    state = bench.lot(lot)
    for step in state.steps.values():
        assert step.started, "(1) dates"
        assert step.completed, "(1) dates"
        assert step.performer, "(11) persons performing"
        assert step.room, "(6) area"
    assert state.steps["expand"].equipment == ("INC-1",), "(2) major equipment"
    used = [a.used.material for s in state.steps.values() for a in s.additions]
    assert used == ["B-1", "V-7"], "(3) each batch of component"
    assert [(a.used.quantity, a.used.unit) for s in state.steps.values() for a in s.additions] == [
        ("2", "mL"),
        ("1", "mL"),
    ], "(4) weights and measures"
    assert state.steps["harvest"].readings["viability"].reading.value == "98.1", "(5) in-process results"
    entered = next(f.body for f, _ in bench.events if f.body.type == "lot.room_entered")
    assert entered.verifier == "OP-2", "(6) inspection of the area before and after"  # type: ignore[attr-defined]
    assert state.viable_cells, "(7) yield"
    assert all(label.content["lot"] == lot for label in state.labels.values()), "(8) labelling"
    assert all(bag.kind == "final_bag" for bag in state.bags), "(9) containers and closures"
    assert [s.kind for s in state.samples.values()] == ["final_product"], "(10) sampling"
    assert state.steps["fill"].verifier == "OP-2", "(11) persons checking"
    assert state.nonconformances == {}, "(12) investigations"
    assert all(bag.label in state.labels for bag in state.bags), "(13) results of label examinations"
    assert len(bags) == 2


@pytest.mark.requirement("R046")
def test_labels_must_reconcile_before_the_lock() -> None:
    bench = Bench()
    lot, bags = bench.filled()
    bench.do(LeaveRoom(lot=lot, room="S1"))
    bench.do(PrintLabel(lot=lot, container=bags[0], reason="smudged", approver="QA-1"))
    spare = next(reversed(bench.lot(lot).labels))
    with refused("labels-unreconciled"):
        bench.do(CompleteLot(lot=lot, verifier="OP-2"))
    bench.do(DestroyLabel(lot=lot, label=spare, witness="OP-2", reason="not needed"))
    with refused("containers-unlabelled"):
        bench.do(CompleteLot(lot=lot, verifier="OP-2"))
    bench.label(lot, bags[0])
    bench.do(CompleteLot(lot=lot, verifier="OP-2"))
    (done,) = bench.said("lot.completed")
    assert (done.labels_issued, done.labels_applied, done.labels_destroyed) == (5, 4, 1)  # type: ignore[attr-defined]


def test_a_lot_in_doubt_is_not_completed() -> None:
    bench = Bench()
    lot, _ = bench.filled()
    bench.do(LeaveRoom(lot=lot, room="S1"))
    bench.do(DeclareDoubt(why="Label torn", lots=(lot,)))
    with refused("identity-in-doubt"):
        bench.do(CompleteLot(lot=lot, verifier="OP-2"))


def test_cells_that_do_not_grow_end_the_lot_and_are_collected_again_on_the_same_chain() -> None:
    bench = Bench()
    lot, culture = bench.cultured()
    bench.person("DR-1", "physician")
    with refused("reason-missing"):
        bench.do(TerminateLot(lot=lot, cause="growth_failed", reason=""), "QA-1")
    bench.do(TerminateLot(lot=lot, cause="growth_failed", reason="No doubling in 8 days", recollect=True), "QA-1")
    state = bench.lot(lot)
    assert state.status == "terminated"
    assert state.termination is not None
    assert state.termination.cause == "growth_failed"
    with refused("record-locked"):
        bench.start(lot, "harvest", culture)
    bench.do(LeaveRoom(lot=lot, room="S1"))
    bench.do(DisposeContainer(lot=lot, container=culture, disposition="destroyed", verifier="OP-2", reason="failed"))
    assert bench.lot(lot).containers[culture].disposition == "destroyed"
    bench.do(DecideRecollection(order="ORD-1", lot=lot, assessor="QA-1", reason="Growth failed"), "DR-1")
    assert bench.load(OrderState, "ORD-1").coi == state.coi
    again = bench.issued("ORD-1")
    assert bench.lot(again).coi == state.coi
    assert bench.load(OrderState, "ORD-1").lots == (lot, again)
