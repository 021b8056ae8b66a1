"""Shipments: packed with a running logger, handed over between two parties, compared at receipt, in temperature."""

from datetime import timedelta
from typing import Any

import pytest

from cellwright.factory.lot.fact import container as vessel
from cellwright.factory.order import acceptance, cold_chain, custody, dispatch, shipment, storage
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.shipment import ShipmentState
from cellwright.factory.people import stamp
from tests.factory.order.scene import COURIER, HASH, HOSPITAL, PLANT, Scene, refused
from tests.factory.world import ClaimError


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def order(scene: Scene) -> str:
    order = scene.approved(scene.pair("1"))
    scene.collected(order)
    return order


def of(scene: Scene, name: str = "SH-1") -> ShipmentState:
    return scene.load(ShipmentState, name)


def accept(order: str, name: str = "SH-1") -> acceptance.AcceptMaterial:
    return acceptance.AcceptMaterial(order=order, shipment=name)


# --- packing and handing over


@pytest.mark.requirement("R063")
def test_a_handover_of_one_side_blocks_what_follows(scene: Scene, order: str) -> None:
    scene.sent(1, order, courier=None)
    assert of(scene).status == "packed"
    with refused("not-dispatched"):
        scene.do(scene.receiving("SH-1"), "WH-1")
    give = shipment.HandOver(
        shipment="SH-1", role="collection_nurse", holder=COURIER, place="van", seal=Scan(text="SEAL-1"),
        condition="intact",
    )  # fmt: skip
    decision = scene.do(give, "CN-1")
    assert [(n.person, n.meaning) for n in decision.sign] == [("CN-1", "handed_over")]
    assert (of(scene).status, of(scene).holder) == ("handing_over", HOSPITAL)
    for blocked in (scene.receiving("SH-1"), give):
        with refused("handover-one-sided"):
            scene.do(blocked, "WH-1")
    take = shipment.TakeOver(shipment="SH-1", role="courier", seal=Scan(text="SEAL-1"))
    decision = scene.do(take, "CU-1")
    assert [(n.person, n.meaning) for n in decision.sign] == [("CU-1", "received")]
    assert (of(scene).status, of(scene).holder) == ("in_transit", COURIER)
    (container,) = scene.order(order).containers.values()
    assert (container.status, container.holder, container.place) == ("in_transit", COURIER, "van")
    with refused("no-handover-waits"):
        scene.do(take, "CU-1")


@pytest.mark.requirement("R063")
def test_nobody_gives_and_receives_the_same_shipment(scene: Scene, order: str) -> None:
    scene.person("BOTH", "collection_nurse", "courier", "warehouse")
    containers = list(scene.order(order).containers)
    items = (scene.packing(order, containers),)
    pack = dispatch.PackCollection(
        items=items, transport=scene.transport(1), role="collection_nurse", courier="BOTH", shipment="SH-1"
    )
    with refused("same-person-twice"):
        scene.do(pack, "BOTH")
    scene.sent(1, order, courier=None)
    give = shipment.HandOver(
        shipment="SH-1", role="collection_nurse", holder=COURIER, place="van", seal=Scan(text="SEAL-1"),
        condition="intact", receiver="BOTH",
    )  # fmt: skip
    with refused("same-person-twice"):
        scene.do(give, "BOTH")
    scene.do(give, "CN-1")
    with refused("same-person-twice"):
        scene.do(scene.receiving("SH-1", courier="BOTH"), "BOTH")


@pytest.mark.requirement("R063")
@pytest.mark.requirement("R065")
def test_two_couriers_hand_over_to_each_other_without_a_gap(scene: Scene, order: str) -> None:
    scene.sent(1, order)
    give = shipment.HandOver(
        shipment="SH-1", role="courier", holder="courier/rail", place="station", seal=Scan(text="SEAL-1"),
        condition="intact", receiver="CU-2", temperature_c="4.2",
    )  # fmt: skip
    decision = scene.do(give, "CU-1")
    assert {(n.person, n.meaning) for n in decision.sign} == {("CU-1", "handed_over"), ("CU-2", "received")}
    (moved,) = scene.said("order.moved")
    assert (moved.from_holder, moved.holder) == (COURIER, "courier/rail")  # type: ignore[attr-defined]
    other = scene.approved(scene.pair("2"))
    wrong = shipment.HandOver(
        shipment="SH-1", role="courier", holder="x", place="y", seal=Scan(text="SEAL-1"), condition="intact",
        cois=(scene.coi_scan(other),),
    )  # fmt: skip
    case = scene.stopped(wrong, "CU-2", "collection_receipt")
    assert case.found_coi == scene.coi(other)
    with refused("seal-differs"):
        scene.do(
            shipment.HandOver(
                shipment="SH-1", role="courier", holder="x", place="y", seal=Scan(text="SEAL-9"), condition="intact"
            ),
            "CU-2",
        )


@pytest.mark.requirement("R118")
def test_a_shipper_without_a_running_logger_does_not_leave(scene: Scene, order: str) -> None:
    for lacking in ({"loggers": ()}, {"logger_started_at": None}):
        with refused("logger-not-started"):
            scene.sent(1, order, **lacking)
    with refused("in-the-future"):
        scene.sent(1, order, logger_started_at=stamp(scene.now + timedelta(minutes=1)))


def test_a_shipper_and_a_seal_in_use_are_not_used_again(scene: Scene, order: str) -> None:
    scene.sent(1, order)
    other = scene.approved(scene.pair("2"))
    scene.collected(other)
    for reused in ({"shipper": Scan(text="T-1")}, {"seal": Scan(text="SEAL-1")}):
        with pytest.raises(ClaimError):
            scene.sent(2, other, **reused)
    scene.arrived("SH-1")
    with pytest.raises(ClaimError):
        scene.sent(2, other, seal=Scan(text="SEAL-1"))
    scene.sent(2, other, shipper=Scan(text="T-1"))


@pytest.mark.requirement("R065")
def test_nothing_is_packed_twice_or_from_two_places(scene: Scene, order: str) -> None:
    (name,) = scene.order(order).containers
    with refused("custody-gap"):
        custody.follows(name, scene.order(order).containers[name], PLANT, "suite 3")
    scene.sent(1, order)
    again = dispatch.PackCollection(
        items=(scene.packing(order, [name]),), transport=scene.transport(2), role="collection_nurse", courier="CU-1"
    )
    with refused("not-packable"):
        scene.do(again, "CN-1")


@pytest.mark.requirement("R064")
@pytest.mark.requirement("R066")
def test_another_patients_container_is_stopped_at_packing(scene: Scene, order: str) -> None:
    other = scene.approved(scene.pair("2"))
    theirs = scene.collected(other)[0]
    command = dispatch.PackCollection(
        items=(scene.packing(order, [theirs]),), transport=scene.transport(1), role="collection_nurse", courier="CU-1"
    )
    case = scene.stopped(command, "CN-1", "pack_out")
    assert (case.found_coi, set(case.orders)) == (scene.coi(other), {order, other})
    assert not of(scene).exists


@pytest.mark.requirement("R064")
def test_one_identifier_is_not_enough(scene: Scene, order: str) -> None:
    (name,) = scene.order(order).containers
    packing = dispatch.Packing(order=order, containers=(Scan(text=name),))
    command = dispatch.PackCollection(items=(packing,), transport=scene.transport(1), role="collection_nurse")
    with refused("second-identifier-missing"):
        scene.do(command, "CN-1")
    scene.sent(1, order)
    with refused("second-identifier-missing"):
        scene.do(scene.receiving("SH-1", cois=()), "WH-1")
    labelled = (Scan(text=f"{name}|{scene.coi(order)}"),)
    scene.do(scene.receiving("SH-1", cois=(), containers=labelled), "WH-1")


def test_two_patients_in_one_shipper_stay_apart(scene: Scene, order: str) -> None:
    """D2: a consignment may hold many pairs, each position identified."""
    other = scene.approved(scene.pair("2"))
    scene.collected(other)
    scene.sent(1, order, other)
    scene.arrived("SH-1")
    for name in (order, other):
        scene.do(accept(name), "QA-1")
        (container,) = scene.order(name).containers
        assert scene.claims[f"container/{container}"] == scene.coi(name)
    twice = (scene.packing(order, []), scene.packing(order, []))
    with refused("consignment-unclear"):
        scene.do(dispatch.PackCollection(items=twice, transport=scene.transport(3), role="collection_nurse"), "CN-1")


# --- receipt


@pytest.mark.requirement("R072")
@pytest.mark.parametrize(
    "differs",
    [
        {"seal": Scan(text="SEAL-X")},
        {"shipper": Scan(text="T-X")},
        {"waybill": "AWB-X"},
        {"loggers": ("LG-X",)},
        {"undamaged": False},
        {"place": "ward 7"},
    ],
    ids=lambda d: next(iter(d)),
)
def test_what_differs_at_receipt_is_recorded_and_keeps_it_open(
    scene: Scene, order: str, differs: dict[str, Any]
) -> None:
    scene.sent(1, order)
    scene.advance(hours=2)
    scene.do(scene.receiving("SH-1", **differs), "WH-1")
    scene.logged("SH-1")
    assert len(of(scene).deviations) == 1
    with refused("receipt-open"):
        scene.do(accept(order), "QA-1")
    assess = shipment.AssessDeviation(shipment="SH-1", usable=False, text="contents cannot be trusted")
    scene.do(assess, "QA-1")
    with refused("receipt-open"):
        scene.do(accept(order), "QA-1")
    scene.do(shipment.AssessDeviation(shipment="SH-1", usable=True, text="customs changed it, documented"), "QA-1")
    scene.do(accept(order), "QA-1")


@pytest.mark.requirement("R072")
def test_what_is_as_at_dispatch_needs_no_assessment(scene: Scene, order: str) -> None:
    scene.sent(1, order)
    scene.arrived("SH-1")
    assert of(scene).deviations == ()
    with refused("no-deviation"):
        scene.do(shipment.AssessDeviation(shipment="SH-1", usable=True, text=""), "QA-1")
    with refused("already-received"):
        scene.do(scene.receiving("SH-1"), "WH-1")


@pytest.mark.requirement("R066")
@pytest.mark.requirement("R064")
def test_a_foreign_container_at_receipt_stops_everything(scene: Scene, order: str) -> None:
    other = scene.approved(scene.pair("2"))
    theirs = scene.collected(other)[0]
    scene.sent(1, order)
    case = scene.stopped(scene.receiving("SH-1", containers=(Scan(text=theirs),)), "WH-1", "collection_receipt")
    assert case.found_coi == scene.coi(other)
    assert of(scene).status == "in_transit", "nothing was received"
    assert scene.order(other).in_doubt
    assert scene.order(order).in_doubt
    case = scene.stopped(scene.receiving("SH-1", cois=(scene.coi_scan(other),)), "WH-1", "collection_receipt")
    assert case.found_coi == scene.coi(other)


@pytest.mark.requirement("R072")
def test_a_missing_container_is_a_deviation_and_stays_in_transit(scene: Scene) -> None:
    order = scene.approved(scene.pair("7"))
    first, second = scene.collected(order, divisions=("A0", "B0"))
    scene.sent(1, order)
    scene.advance(hours=1)
    scene.do(scene.receiving("SH-1", containers=(Scan(text=first),)), "WH-1")
    assert of(scene).deviations == (f"missing:{second}",)
    assert scene.order(order).containers[second].status == "in_transit"
    assert scene.order(order).containers[first].status == "quarantined"


# --- the cold chain


@pytest.mark.requirement("R118")
@pytest.mark.requirement("R056")
@pytest.mark.parametrize(
    "odd",
    [{f"m{n}": "9" for n in range(20, 27)}, {"m30": "NaN"}, {"m30": "0"}, {"m30": "sensor fault"}],
    ids=["excursion", "nan", "zero", "noise"],
)
def test_an_excursion_or_a_gap_blocks_use_until_assessed(scene: Scene, order: str, odd: dict[str, str]) -> None:
    scene.sent(1, order)
    scene.advance(hours=2)
    scene.do(scene.receiving("SH-1"), "WH-1")
    with refused("temperature-not-read"):
        scene.do(accept(order), "QA-1")
    scene.logged("SH-1", **odd)
    with refused("temperature-to-assess"):
        scene.do(accept(order), "QA-1")
    scene.do(cold_chain.AssessTemperature(shipment="SH-1", usable=False, text="cells spoiled"), "QA-1")
    with refused("temperature-spoiled"):
        scene.do(accept(order), "QA-1")
    scene.do(cold_chain.AssessTemperature(shipment="SH-1", usable=True, text="stability data cover it"), "QA-1")
    scene.do(accept(order), "QA-1")


@pytest.mark.requirement("R118")
def test_a_logger_that_was_not_read_is_a_gap_from_end_to_end(scene: Scene, order: str) -> None:
    scene.sent(1, order, loggers=("LG-1", "LG-2"))
    scene.advance(hours=1)
    scene.do(scene.receiving("SH-1"), "WH-1")
    state = of(scene)
    minutes = tuple(
        cold_chain.LoggerReading(at=stamp(scene.now - timedelta(minutes=60 - m)), celsius="4") for m in range(61)
    )
    data = cold_chain.LoggerData(logger="LG-1", sha256=HASH, samples=minutes)
    scene.do(cold_chain.ReadLoggers(shipment="SH-1", loggers=(data,), interval_s=60), "WH-1")
    assert [(f.kind, f.logger) for f in state.findings] == [("gap", "LG-2")]
    assert state.temperature == "to_assess"


@pytest.mark.requirement("R118")
def test_loggers_are_not_read_again_until_they_please(scene: Scene, order: str) -> None:
    scene.sent(1, order)
    scene.advance(hours=2)
    scene.do(scene.receiving("SH-1"), "WH-1")
    scene.logged("SH-1", celsius="9")
    with refused("loggers-read"):
        scene.logged("SH-1", celsius="4")
    assert of(scene).temperature == "to_assess"


def test_loggers_are_those_that_travelled(scene: Scene, order: str) -> None:
    scene.sent(1, order)
    data = cold_chain.LoggerData(logger="LG-9", sha256=HASH, samples=())
    read = cold_chain.ReadLoggers(shipment="SH-1", loggers=(data,), interval_s=60)
    with refused("not-received"):
        scene.do(read, "WH-1")
    scene.advance(hours=1)
    scene.do(scene.receiving("SH-1"), "WH-1")
    with refused("another-logger"):
        scene.do(read, "WH-1")
    for seconds in (0, 7200):
        with refused("sampling-interval"):
            scene.do(cold_chain.ReadLoggers(shipment="SH-1", loggers=(), interval_s=seconds), "WH-1")
    scene.logged("SH-1")
    with refused("nothing-to-assess"):
        scene.do(cold_chain.AssessTemperature(shipment="SH-1", usable=True, text=""), "QA-1")


# --- hold times


@pytest.mark.requirement("R119")
@pytest.mark.parametrize(("seconds", "in_time"), [(-1, True), (0, True), (1, False)])
def test_collected_cells_wait_no_longer_than_the_product_allows(
    scene: Scene, order: str, seconds: int, in_time: bool
) -> None:
    """Collected at the scene's first moment; the product allows 72 hours."""
    collected = scene.now
    scene.sent(1, order)
    scene.arrived("SH-1")
    scene.now = collected + timedelta(hours=72, seconds=seconds)
    if in_time:
        scene.do(accept(order), "QA-1")
        return
    with refused("hold-exceeded"):
        scene.do(accept(order), "QA-1")


# --- delivery


@pytest.mark.requirement("R064")
def test_bags_leave_only_released_labelled_and_certain(scene: Scene) -> None:
    order = scene.approved(scene.pair("8"))
    scene.accepted(order, 8)
    (bag,) = scene.made(order, "LOT-8", released=False)
    send = scene.delivery(80, order, "LOT-8", [bag])
    with refused("not-released"):
        scene.do(send, "WH-1")
    coi = scene.coi(order)
    scene.release("LOT-8", coi)
    cassette = vessel.LabelPrinted(
        coi=coi, label="K-1", container=bag, content={}, template="t", performer="OP-1", place="cassette"
    )
    stored = vessel.BagFrozen(coi=coi, bag=bag, cassette="K-1", position="F1/1", performer="OP-1", verifier="OP-2")
    scene.say("lot/LOT-8", cassette, stored)
    with refused("not-packable"):
        scene.do(send, "WH-1")
    out = vessel.BagTakenOut(coi=coi, bag=bag, position="F1/1", purpose="pack_out", performer="OP-1", verifier="OP-2")
    scene.say("lot/LOT-8", out)
    scene.suspend("LOT-8")
    with refused("lot-suspended"):
        scene.do(send, "WH-1")


@pytest.mark.requirement("R119")
def test_a_bag_past_its_shelf_life_does_not_leave(scene: Scene) -> None:
    order = scene.approved(scene.pair("8"))
    scene.accepted(order, 8)
    (bag,) = scene.made(order, "LOT-8")
    made = scene.now
    scene.now = made + timedelta(days=270, seconds=1)
    with refused("shelf-life-over"):
        scene.do(scene.delivery(80, order, "LOT-8", [bag]), "WH-1")
    scene.now = made + timedelta(days=270)
    scene.do(scene.delivery(81, order, "LOT-8", [bag]), "WH-1")


def test_the_old_copy_of_a_label_is_not_read_any_more(scene: Scene) -> None:
    order = scene.approved(scene.pair("8"))
    scene.accepted(order, 8)
    (bag,) = scene.made(order, "LOT-8")
    old = scene.code(bag, "LOT-8")
    scene.labelled("LOT-8", scene.coi(order), bag, "LB-new", supersedes=f"LB-{bag}")
    packing = dispatch.Packing(order=order, containers=(old,))
    with refused("superseded-label"):
        scene.do(scene.delivery(80, order, "LOT-8", [], items=(packing,)), "WH-1")


@pytest.mark.requirement("R066")
def test_another_patients_bag_is_stopped_at_delivery(scene: Scene) -> None:
    bags = {}
    for n in ("8", "9"):
        order = scene.approved(scene.pair(n))
        scene.accepted(order, int(n))
        bags[order] = scene.made(order, f"LOT-{n}")
    (mine, theirs) = bags
    scene.do(scene.delivery(80, mine, "LOT-8", bags[mine]), "WH-1")
    foreign = (scene.code(bags[theirs][0], "LOT-9"),)
    case = scene.stopped(
        scene.receiving("SH-80", "cell_laboratory", containers=foreign, cois=()), "CL-1", "delivery_receipt"
    )
    assert case.found_coi == scene.coi(theirs)
    assert set(case.lots) == {"LOT-8", "LOT-9"}


@pytest.mark.requirement("R118")
def test_bags_are_accepted_only_in_temperature_and_still_released(scene: Scene) -> None:
    order = scene.approved(scene.pair("8"))
    scene.accepted(order, 8)
    bags = scene.made(order, "LOT-8")
    with refused("temperature-to-assess"):
        scene.delivered(80, order, "LOT-8", bags, celsius="-119")
    scene.do(cold_chain.AssessTemperature(shipment="SH-80", usable=True, text="minutes only"), "QA-1")
    scene.suspend("LOT-8")
    with refused("lot-suspended"):
        scene.do(acceptance.AcceptBags(order=order, shipment="SH-80"), "CL-1")


# --- stores


@pytest.mark.requirement("R066")
def test_a_store_position_holds_one_container_and_gives_back_that_one(scene: Scene) -> None:
    order, other = (scene.approved(scene.pair(n)) for n in ("8", "9"))
    (mine,), (theirs,) = scene.accepted(order, 8), scene.accepted(other, 9)

    def store(name: str, container: str, position: str = "F1/1", **more: Any) -> storage.Store:
        given: dict[str, Any] = {
            "order": name, "container": Scan(text=container), "position": Scan(text=position), "holder": PLANT,
            "from_place": "receiving", "place": "vault", "role": "warehouse", "verifier": "WH-2", **more,
        }  # fmt: skip
        return storage.Store(**given)

    with refused("custody-gap"):
        scene.do(store(order, mine, from_place="suite 3"), "WH-1")
    scene.do(store(order, mine), "WH-1")
    with pytest.raises(ClaimError):
        scene.do(store(other, theirs), "WH-1")
    with refused("not-storable"):
        scene.do(store(order, mine, "F1/2", from_place="vault"), "WH-1")
    scene.do(store(other, theirs, "F1/2"), "WH-1")

    def take(container: str, position: str) -> storage.TakeOut:
        return storage.TakeOut(
            order=order, container=Scan(text=container), position=Scan(text=position), place="bench", role="warehouse",
            verifier="WH-2",
        )  # fmt: skip

    with refused("position-not-held"):
        scene.do(take(mine, "F1/2"), "WH-1")
    case = scene.stopped(take(theirs, "F1/1"), "WH-1", "storage")
    assert case.found_coi == scene.coi(other)
    assert scene.order(order).containers[mine].position == "F1/1"
    scene.do(take(mine, "F1/1"), "WH-1")
    assert "position/F1/1" not in scene.claims


def test_quarantined_again_needs_acceptance_again(scene: Scene, order: str) -> None:
    scene.sent(1, order)
    scene.arrived("SH-1")
    scene.do(accept(order), "QA-1")
    (name,) = scene.order(order).containers
    apart = acceptance.Quarantine(order=order, containers=(name,), reason="alarm in the store")
    scene.do(apart, "WH-1")
    assert scene.order(order).containers[name].status == "quarantined"
    with refused("not-to-quarantine"):
        scene.do(apart, "WH-1")
    assert scene.load(PairState, "PAIR-1").donor_status == "eligible"
    scene.do(accept(order), "QA-1")
    with refused("nothing-to-accept"):
        scene.do(accept(order), "QA-1")
