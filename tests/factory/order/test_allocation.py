"""Cells go to a lot of their order, to back-up, or by signature to another order of the same pair; never elsewhere."""

from datetime import timedelta

import pytest

from cellwright.factory.lot.fact import container as vessel
from cellwright.factory.lot.state import LotState
from cellwright.factory.order import allocation, correction, disposition, storage
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.scan import Scan
from cellwright.factory.rule import Refusal
from tests.factory.order.scene import PLANT, Scene, refused


@pytest.fixture
def scene() -> Scene:
    return Scene()


def move(order: str, to: str, *containers: str) -> allocation.MoveMaterial:
    return allocation.MoveMaterial(
        order=order, to_order=to, containers=containers, role="planner", assessor="QA-1", reason="second product"
    )


def test_one_collection_feeds_two_products_of_one_pair(scene: Scene) -> None:
    """D1: CAR-T-19 and aT19 made from one collection."""
    first = scene.approved(scene.pair("1"))
    one, two = scene.accepted(first, 1, divisions=("A0", "B0"))
    second = scene.approved("PAIR-1", "follow", linked=first)
    scene.person("BOTH", "planner", "quality_assurance")
    alone = allocation.MoveMaterial(
        order=first, to_order=second, containers=(two,), role="planner", assessor="BOTH", reason="x"
    )
    with refused("same-person-twice"):
        scene.do(alone, "BOTH")
    decision = scene.do(move(first, second, two), "PL-1")
    assert {(n.person, n.meaning) for n in decision.sign} == {("PL-1", "requested"), ("QA-1", "assessed")}
    assert scene.claims[f"container/{two}"] == scene.coi(second)
    assert scene.claims[f"container/{one}"] == scene.coi(first)
    assert scene.order(first).containers[two].status == "transferred"
    moved = scene.order(second).containers[two]
    assert (moved.status, moved.din) == ("available", scene.order(first).containers[two].din)
    assert scene.claims[f"din/{moved.din}"] == scene.coi(first), "the donation number stays where it was taken"
    with refused("not-available"):
        scene.do(move(first, second, two), "PL-1")
    scene.made(second, "LOT-2")
    assert set(scene.load(LotState, "LOT-2").containers) >= {two}


@pytest.mark.requirement("R066")
def test_cells_never_go_from_one_pair_to_another(scene: Scene) -> None:
    first = scene.approved(scene.pair("1"))
    (mine,) = scene.accepted(first, 1)
    other = scene.approved(scene.pair("2"))
    scene.accepted(other, 2)
    with refused("another-pair"):
        scene.do(move(first, other, mine), "PL-1")
    with refused("another-pair"):
        scene.do(move(first, first, mine), "PL-1")
    with refused("not-of-this-order"):
        scene.do(allocation.Allocate(order=other, containers=(mine,)), "PL-1")
    third = scene.approved("PAIR-2", "follow", linked=other)
    with refused("not-of-this-order"):
        scene.do(move(other, third, mine), "PL-1")


@pytest.mark.requirement("R066")
def test_cells_go_only_to_a_lot_of_their_own_order(scene: Scene) -> None:
    first = scene.approved(scene.pair("1"))
    other = scene.approved(scene.pair("2"))
    scene.accepted(other, 2)
    scene.made(other, "LOT-2", released=False)
    (mine,) = scene.accepted(first, 1)
    with refused("record-locked"):
        scene.do(allocation.Allocate(order=first, containers=(mine,), lot="LOT-2"), "PL-1")
    from cellwright.factory.lot.fact.life import LotIssued

    issued = LotIssued(
        coi=scene.coi(other), lot="LOT-3", product="car", product_version="1", recipe="r1", recipe_version="1",
        recipe_sha256="a" * 64, issued_by="PL-1", checked_by="QA-1", pair="PAIR-2", order=other, market="CN",
    )  # fmt: skip
    scene.say("lot/LOT-3", issued)
    with refused("not-this-orders-lot"):
        scene.do(allocation.Allocate(order=first, containers=(mine,), lot="LOT-3"), "PL-1")
    with pytest.raises(Refusal):
        scene.do(allocation.Allocate(order=first, containers=(mine,), lot="LOT-9"), "PL-1")
    with refused("nothing-allocated"):
        scene.do(allocation.Allocate(order=first, containers=(mine, mine)), "PL-1")


@pytest.mark.requirement("R119")
def test_back_up_cells_are_kept_and_fresh_ones_grow_too_old(scene: Scene) -> None:
    order = scene.approved(scene.pair("1"))
    one, two = scene.accepted(order, 1, divisions=("A0", "B0"))
    scene.do(allocation.Allocate(order=order, containers=(two,)), "PL-1")
    assert scene.order(order).containers[two].status == "back_up"
    collected = scene.order(order).containers[one].collected_at
    assert collected
    scene.now += timedelta(days=20)
    with refused("hold-exceeded"):
        scene.do(allocation.Allocate(order=order, containers=(one,)), "PL-1")
    second = scene.approved("PAIR-1", "follow", linked=order)
    scene.do(move(order, second, two), "PL-1")
    assert scene.order(second).containers[two].status == "back_up"


def test_what_lies_in_a_store_is_taken_out_before_it_moves(scene: Scene) -> None:
    order = scene.approved(scene.pair("1"))
    (name,) = scene.accepted(order, 1)
    second = scene.approved("PAIR-1", "follow", linked=order)
    store = storage.Store(
        order=order, container=Scan(text=name), position=Scan(text="F1/1"), holder=PLANT, from_place="receiving",
        place="vault", role="warehouse", verifier="WH-2",
    )  # fmt: skip
    scene.do(store, "WH-1")
    with refused("still-stored"):
        scene.do(move(order, second, name), "PL-1")
    dispose = disposition.Dispose(
        order=order, container=Scan(text=name), disposition="destroyed", reason="x", role="warehouse",
        verifier="WH-2", verifier_role="warehouse",
    )  # fmt: skip
    with refused("not-disposable"):
        scene.do(dispose, "WH-1")


def test_a_wrongly_issued_chain_is_superseded_with_all_that_hangs_on_it(scene: Scene) -> None:
    """D1: corrected by a signed event that supersedes, never by forgetting."""
    order = scene.approved(scene.pair("1"))
    names = scene.accepted(order, 1, divisions=("A0", "B0"))
    old = scene.coi(order)
    correct = correction.SupersedeChain(order=order, reason="number of another event", verifier="CO-1")
    decision = scene.do(correct, "QA-1")
    assert {n.role for n in decision.sign} == {"quality_assurance", "coordinator"}
    new = scene.coi(order)
    assert new != old
    assert scene.claims[f"coi/{old}"] == scene.claims[f"coi/{new}"] == "pair/PAIR-1", "the old one is never given again"
    assert {scene.claims[f"container/{name}"] for name in names} == {new}
    assert {v for k, v in scene.claims.items() if k.startswith("din/")} == {new}
    assert scene.order(order).former_coi == (old,)
    assert scene.load(PairState, "PAIR-1").coi == [old, new]
    scene.made(order, "LOT-1")
    with refused("chain-in-use"):
        scene.do(correct, "QA-1")


@pytest.mark.requirement("R074")
def test_containers_of_the_lot_count_for_closing_too(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    coi = scene.coi(order)
    rest = vessel.Made(container="LOT-1-rest", kind="culture", volume_ml="3")
    transfer = vessel.MaterialTransferred(
        coi=coi, transfer="split", sources=(), made=(rest,), performer="OP-1", verifier="OP-2"
    )
    scene.say("lot/LOT-1", transfer)
    scene.infused(order, bag)
    assert disposition.left_open(scene, scene.order(order)) == ("LOT-1-rest",)
    scene.say(
        "lot/LOT-1",
        vessel.ContainerDisposed(coi=coi, container="LOT-1-rest", disposition="retained_sample", performer="OP-1"),
    )
    scene.do(disposition.Close(order=order), "CO-1")
