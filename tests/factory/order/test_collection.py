"""Collections: started before the right wristband, recorded donation by donation, repeated only by decision."""

from typing import Any

import msgspec
import pytest

from cellwright.factory.lot.fact import life
from cellwright.factory.order import collection, nonconformance, pair
from cellwright.factory.order.scan import Scan
from tests.factory.order.scene import Scene, refused
from tests.factory.world import ClaimError


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def order(scene: Scene) -> str:
    return scene.approved(scene.pair("1"))


@pytest.mark.requirement("R064")
@pytest.mark.requirement("R066")
def test_a_wrong_wristband_or_chain_stops_the_collection_and_nothing_is_recorded(scene: Scene, order: str) -> None:
    other = scene.approved(scene.pair("2"))
    agreed = scene.scheduled(order)

    def start(**read: Scan) -> collection.StartCollection:
        given: dict[str, Any] = {"wristband": Scan(text="WB-1"), "coi": scene.coi_scan(order), **read}
        return collection.StartCollection(order=order, collection=agreed, day=1, verifier="CN-2", **given)

    case = scene.stopped(start(wristband=Scan(text="WB-2")), "CN-1", "collection_start")
    assert (case.expected, case.scanned) == ("WB-1", "WB-2")
    with refused("identity-in-doubt"):
        scene.do(start(), "CN-1")
    scene.aside(case)
    case = scene.stopped(start(coi=scene.coi_scan(other)), "CN-1", "collection_start")
    assert case.found_coi == scene.coi(other)
    assert set(case.orders) == {order, other}, "both sides are told"
    assert scene.order(order).agreed[agreed].started == {}


def test_a_collection_is_one_to_four_days_in_order(scene: Scene, order: str) -> None:
    for days in ((), ("2026-03-03", "2026-03-02"), ("2026-03-02",) * 2, tuple(f"2026-03-0{n}" for n in range(1, 6))):
        with refused("collection-days"):
            scene.do(collection.ScheduleCollection(order=order, site="H", days=days), "CO-1")
    with refused("not-a-day"):
        scene.do(collection.ScheduleCollection(order=order, site="H", days=("tomorrow",)), "CO-1")


def test_only_a_scheduled_day_is_started_and_only_once(scene: Scene, order: str) -> None:
    agreed = scene.scheduled(order)
    for name, day in (("C9", 1), (agreed, 2), (agreed, 0)):
        with refused("collection-not-scheduled"):
            scene.started(order, name, day)
    scene.started(order, agreed)
    with refused("collection-started"):
        scene.started(order, agreed)


@pytest.mark.requirement("R060")
def test_a_container_without_a_donation_number_is_refused(scene: Scene, order: str) -> None:
    agreed = scene.scheduled(order)
    scene.started(order, agreed)
    for text in ("", scene.coi(order), f"&/{scene.coi(order)}"):
        with refused("scan-not-understood"):
            scene.do(_with_din(scene, order, agreed, text), "CN-1")
    with refused("no-container"):
        scene.do(scene.donation(order, agreed, containers=()), "CN-1")


def _with_din(scene: Scene, order: str, agreed: str, text: str) -> collection.RecordCollection:
    return msgspec.structs.replace(scene.donation(order, agreed), din=Scan(text=text))  # type: ignore[type-var]


@pytest.mark.requirement("R060")
@pytest.mark.requirement("R067")
def test_each_container_of_a_donation_has_its_own_division(scene: Scene, order: str) -> None:
    agreed = scene.scheduled(order)
    scene.started(order, agreed)
    for divisions, code in (
        (("A0", "A0"), "division-twice"),
        (("00", "A0"), "division-twice"),
        (("a0",), "not-a-division"),
    ):
        with refused(code):
            scene.do(scene.donation(order, agreed, divisions=divisions), "CN-1")
    scene.do(scene.donation(order, agreed, divisions=("A0", "B0")), "CN-1")
    names = list(scene.order(order).containers)
    assert [name[-2:] for name in names] == ["A0", "B0"]
    assert {scene.claims[f"container/{name}"] for name in names} == {scene.coi(order)}


@pytest.mark.requirement("R064")
def test_a_label_that_reads_back_wrong_is_a_hard_stop(scene: Scene, order: str) -> None:
    other = scene.approved(scene.pair("2"))
    theirs = scene.collected(other)[0]
    agreed = scene.scheduled(order)
    scene.started(order, agreed)
    filled = collection.Filled(division="00", volume_ml="100", label=Scan(text=theirs))
    case = scene.stopped(scene.donation(order, agreed, containers=(filled,)), "CN-1", "collection_label")
    assert case.found_coi == scene.coi(other), "the table of claims says whose the label is"
    assert scene.order(order).containers == {}


def test_a_donation_number_is_taken_once_for_ever(scene: Scene, order: str) -> None:
    other = scene.approved(scene.pair("2"))
    for name in (order, other):
        scene.started(name, scene.scheduled(name))
    scene.do(scene.donation(order, "C1", din="A999926000007"), "CN-1")
    with pytest.raises(ClaimError):
        scene.do(scene.donation(other, "C1", din="A999926000007"), "CN-1")


def test_what_was_collected_is_recorded_whatever_rule_was_broken(scene: Scene, order: str) -> None:
    """D7: an observation is always recordable; the broken rule stands beside it and waits for assessment."""
    scene.do(scene.donation(order, "unplanned"), "CN-1")
    raised = scene.said("order.nonconformance_raised")
    assert {n.code for n in raised} == {"collected-without-schedule", "collected-without-identity-check"}  # type: ignore[attr-defined]
    state = scene.order(order)
    assert len(state.containers) == 1
    assert nonconformance.unassessed(state) is not None
    for name in list(state.nonconformances):
        command = nonconformance.AssessNonconformance(
            order=order, nonconformance=name, severity="major", text="ward was told"
        )
        scene.do(command, "QA-1")
    assert nonconformance.unassessed(state) is None
    with refused("unknown-nonconformance"):
        scene.do(
            nonconformance.AssessNonconformance(order=order, nonconformance="N-9", severity="minor", text=""), "QA-1"
        )


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ended_at": "2026-03-01T00:00:00Z"}, "ends-before-it-begins"),
        ({"ended_at": "2026-03-09T00:00:00Z"}, "in-the-future"),
        ({"started_at": "yesterday"}, "not-a-time"),
        ({"started_at": "2026-03-02T00:00:00"}, "not-a-time"),
    ],
)
def test_times_are_read_strictly(scene: Scene, order: str, more: dict[str, str], code: str) -> None:
    agreed = scene.scheduled(order)
    with refused(code):
        scene.do(scene.donation(order, agreed, **more), "CN-1")


@pytest.mark.parametrize("volume", ["", "0", "-5", "1,5", "1e3", "NaN", "٣"])
def test_volumes_are_read_strictly(scene: Scene, order: str, volume: str) -> None:
    agreed = scene.scheduled(order)
    command = scene.donation(order, agreed)
    filled = collection.Filled(division="00", volume_ml=volume, label=command.containers[0].label)
    with refused("not-positive" if volume in ("0", "-5") else "not-a-number"):
        scene.do(scene.donation(order, agreed, din="A999926000001", containers=(filled,)), "CN-1")


def test_cells_are_collected_again_only_after_a_failed_lot_by_decision(scene: Scene, order: str) -> None:
    scene.accepted(order)
    again = collection.ScheduleCollection(order=order, site="H", days=("2026-03-20",))
    with refused("already-collected"):
        scene.do(again, "CO-1")
    decide = collection.DecideRecollection(order=order, lot="LOT-1", assessor="QA-1", reason="poor growth")
    with refused("lot-not-failed"):
        scene.do(decide, "DR-1")
    scene.made(order, "LOT-1", released=False)
    with refused("lot-not-failed"):
        scene.do(decide, "DR-1")
    scene.say("lot/LOT-1", life.LotTerminated(cause="growth_failed", assessor="QA-1"))
    decision = scene.do(decide, "DR-1")
    assert {(n.person, n.meaning) for n in decision.sign} == {("DR-1", "requested"), ("QA-1", "assessed")}
    scene.do(again, "CO-1")
    (first, second) = scene.said("order.collection_scheduled")
    assert (first.recollection, second.recollection) == (False, True)  # type: ignore[attr-defined]
    assert first.coi == second.coi  # type: ignore[attr-defined]
    with refused("already-collected"):
        scene.do(again, "CO-1")


def test_the_donors_history_goes_with_the_cells(scene: Scene, order: str) -> None:
    """D13: cells collected after a CAR-T infusion may contain CAR-T."""
    agreed = scene.scheduled(order)
    scene.started(order, agreed)
    scene.do(scene.donation(order, agreed, history=("car_t_infusion:elsewhere",)), "CN-1")
    (container,) = scene.order(order).containers.values()
    assert container.history == ("car_t_infusion:elsewhere",)


def test_a_donor_who_withdraws_is_not_collected_from(scene: Scene) -> None:
    order = scene.approved(scene.pair("4", donor="5"))
    agreed = scene.scheduled(order)
    scene.do(pair.WithdrawDonorConsent(pair="PAIR-4", reason="asked to"), "CO-1")
    with refused("donor-consent-missing"):
        scene.started(order, agreed)
