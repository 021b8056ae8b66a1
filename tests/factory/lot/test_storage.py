"""Receipt of the cells, bags in positions, and where every container ends."""

import pytest

from cellwright.factory.lot.bag import DisposeContainer, FreezeBag, MoveBag, TakeOutBag
from cellwright.factory.lot.nonconformance import AssessNonconformance
from cellwright.factory.lot.receipt import ReceiveMaterial
from cellwright.factory.order.case import DeclareDoubt
from cellwright.factory.order.fact.material import Allocated
from cellwright.factory.order.pair import DonorStatusDecided
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import OrderState
from tests.factory.lot.setting import Bench, refused
from tests.factory.world import ClaimError

BAG = "A9999-2026-001001-A0"


def arrived(status: str = "eligible") -> tuple[Bench, str, ReceiveMaterial]:
    bench = Bench()
    lot = bench.issued(bench.patient(1, status=status))
    return bench, lot, ReceiveMaterial(lot=lot, scan=Scan(text=BAG), verifier="OP-2")


@pytest.mark.requirement("R070")
def test_only_allocated_material_of_a_donor_whose_status_is_known_is_received() -> None:
    bench, lot, receive = arrived("pending")
    with refused("not-allocated"):
        bench.do(receive)
    bench.allocate("ORD-1", lot, [BAG])
    with refused("donor-status-pending"):
        bench.do(receive)
    for status in ("ineligible", "urgent_need"):
        decided = DonorStatusDecided(pair="PAIR-1", status=status, legends=("biohazard",), assessor="QA-1")  # type: ignore[arg-type]
        bench.say("pair/PAIR-1", decided)
        if status == "ineligible":
            with refused("donor-ineligible"):
                bench.do(receive)
    bench.do(receive)
    assert bench.said("lot.starting_material_received")[0].legends == ("biohazard",)  # type: ignore[attr-defined]
    with refused("received-already"):
        bench.do(receive)


def test_typed_or_witnessed_by_oneself_is_refused_at_receipt() -> None:
    bench, lot, _ = arrived()
    bench.allocate("ORD-1", lot, [BAG])
    with refused("same-person-twice"):
        bench.do(ReceiveMaterial(lot=lot, scan=Scan(text=BAG), verifier="OP-1"))
    with refused("second-person-needed"):
        bench.do(ReceiveMaterial(lot=lot, scan=Scan(text=BAG, how="typed"), verifier="OP-2"))


@pytest.mark.requirement("R119")
@pytest.mark.parametrize(("seconds", "fits"), [(-1, True), (0, True), (1, False)])
def test_collected_cells_are_received_within_their_holding_time(seconds: int, fits: bool) -> None:
    bench, lot, receive = arrived()
    bench.allocate("ORD-1", lot, [BAG])
    bench.advance(hours=72, seconds=seconds)
    decision = bench.do(receive)
    assert (decision.stop is None) == fits
    if fits:
        return
    (name,) = bench.lot(lot).nonconformances
    assert bench.do(receive).stop is not None
    assert len(bench.lot(lot).nonconformances) == 1
    bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="minor", text="Viability 95 %."), "QA-1")
    assert bench.do(receive).stop is None


@pytest.mark.requirement("R119")
def test_frozen_back_up_cells_do_not_grow_too_old() -> None:
    bench, lot, receive = arrived()
    coi = str(bench.lot(lot).coi)
    kept = Allocated(coi=coi, pair="PAIR-1", containers=(BAG,), allocator="CO-1")
    bench.say("order/ORD-1", kept)
    bench.advance(days=90)
    bench.allocate("ORD-1", lot, [BAG])
    assert bench.do(receive).stop is None
    assert not bench.lot(lot).clocks(bench.now)


def frozen() -> tuple[Bench, str, list[str]]:
    bench = Bench()
    lot, bags = bench.filled()
    for bag in bags:
        bench.label(lot, bag, "cassette")
    bench.freeze(lot, bags[0], "LN2-1/A/1")
    return bench, lot, bags


def test_a_position_holds_one_bag_and_a_bag_goes_into_its_own_cassette() -> None:
    bench, lot, bags = frozen()
    state = bench.lot(lot)
    assert state.containers[bags[0]].position == "LN2-1/A/1"
    assert bench.claims["position/LN2-1/A/1"] == state.coi
    with pytest.raises(ClaimError, match="already claimed"):
        bench.freeze(lot, bags[1], "LN2-1/A/1")
    cassette = state.labels[str(state.containers[bags[0]].cassette)].code
    with refused("bag-not-cassette"):
        bench.do(
            FreezeBag(
                lot=lot, bag=Scan(text=bench.code(lot, bags[1])), cassette=Scan(text=cassette), position="P-2",
                verifier="OP-2",
            )
        )  # fmt: skip
    with refused("in-position-already"):
        bench.freeze(lot, bags[0], "P-3")


def test_a_bag_is_moved_and_taken_out_and_its_old_position_is_free() -> None:
    bench, lot, bags = frozen()
    scan = Scan(text=bench.code(lot, bags[0]))
    bench.do(MoveBag(lot=lot, bag=scan, position="LN2-2/B/7", verifier="WH-2"), "WH-1")
    assert "position/LN2-1/A/1" not in bench.claims
    bench.freeze(lot, bags[1], "LN2-1/A/1")
    bench.do(TakeOutBag(lot=lot, bag=scan, purpose="pack_out", verifier="WH-2"), "WH-1")
    assert "position/LN2-2/B/7" not in bench.claims
    assert bench.lot(lot).containers[bags[0]].position is None
    with refused("not-in-position"):
        bench.do(MoveBag(lot=lot, bag=scan, position="P-3", verifier="WH-2"), "WH-1")


def test_in_doubt_a_bag_leaves_its_position_only_for_the_investigation() -> None:
    bench, lot, bags = frozen()
    scan = Scan(text=bench.code(lot, bags[0]))
    bench.do(DeclareDoubt(why="Label torn", lots=(lot,)))
    with refused("identity-in-doubt"):
        bench.do(TakeOutBag(lot=lot, bag=scan, purpose="pack_out", verifier="WH-2"), "WH-1")
    bench.do(TakeOutBag(lot=lot, bag=scan, purpose="investigation", verifier="WH-2"), "WH-1")


@pytest.mark.requirement("R074")
def test_a_container_ends_once_and_not_while_it_lies_somewhere() -> None:
    bench, lot, bags = frozen()
    ended = DisposeContainer(lot=lot, container=bags[0], disposition="destroyed", verifier="OP-2", reason="expired")
    with refused("still-in-position"):
        bench.do(ended)
    scan = Scan(text=bench.code(lot, bags[0]))
    bench.do(TakeOutBag(lot=lot, bag=scan, purpose="destruction", verifier="WH-2"), "WH-1")
    bench.do(ended)
    with refused("container-gone"):
        bench.do(ended)


@pytest.mark.requirement("R074")
def test_cells_that_were_used_up_are_used_in_manufacture_for_the_order() -> None:
    bench = Bench()
    bench.cultured()
    container = bench.load(OrderState, "ORD-1").containers[BAG]
    assert (container.status, container.disposition) == ("disposed", "used_in_manufacture")
