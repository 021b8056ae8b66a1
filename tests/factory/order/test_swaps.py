"""Ten thousand single swaps at random points of an order's way: every one is stopped before anything is recorded (R066)."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from cellwright.factory.order import collection, disposition, infusion, storage
from cellwright.factory.order.scan import Scan
from cellwright.factory.rule import By, Command
from tests.factory.order.scene import PLANT, Scene

SWAPS = 10_000
Swap = tuple[Scene, Command, Callable[[Command, str], Command], list[str]]
"""The world, the right command, how a wrong text gets into it, and what can be swapped in."""


def replacing(field: str) -> Callable[[Command, str], Command]:
    def swap(command: Command, text: str) -> Command:
        return msgspec.structs.replace(command, **{field: Scan(text=text)})  # type: ignore[type-var]

    return swap


def among(field: str) -> Callable[[Command, str], Command]:
    """Replace the last of several scans."""

    def swap(command: Any, text: str) -> Command:
        return msgspec.structs.replace(command, **{field: (*getattr(command, field)[:-1], Scan(text=text))})

    return swap


def in_items(field: str) -> Callable[[Command, str], Command]:
    def swap(command: Any, text: str) -> Command:
        (item,) = command.items
        new = (Scan(text=text),) if field == "containers" else Scan(text=text)
        return msgspec.structs.replace(command, items=(msgspec.structs.replace(item, **{field: new}),))

    return swap


def label_of(command: Any, text: str) -> Command:
    filled = msgspec.structs.replace(command.containers[0], label=Scan(text=text))
    return msgspec.structs.replace(command, containers=(filled,))


def at_collection() -> list[Swap]:
    scene = Scene()
    mine, other = (scene.approved(scene.pair(n)) for n in ("1", "2"))
    theirs = scene.collected(other, divisions=("A0", "B0"))
    agreed = scene.scheduled(mine)
    start = collection.StartCollection(
        order=mine, collection=agreed, day=1, wristband=Scan(text="WB-1"), coi=scene.coi_scan(mine), verifier="CN-2"
    )
    cois = [scene.coi_scan(other).text]
    record = scene.donation(mine, agreed)
    return [
        (scene, start, replacing("wristband"), ["WB-2", *theirs]),
        (scene, start, replacing("coi"), cois),
        (scene, record, replacing("coi"), cois),
        (scene, record, label_of, theirs),
    ]


def on_the_way() -> list[Swap]:
    scene = Scene()
    mine, other = (scene.approved(scene.pair(n)) for n in ("1", "2"))
    theirs = scene.collected(other, divisions=("A0", "B0"))
    own = scene.collected(mine, divisions=("A0", "B0"))
    from cellwright.factory.order.dispatch import PackCollection

    pack = PackCollection(
        items=(scene.packing(mine, own),), transport=scene.transport(1), role="collection_nurse", courier="CU-1"
    )
    after = Scene()
    order, stranger = (after.approved(after.pair(n)) for n in ("1", "2"))
    foreign = after.collected(stranger, divisions=("A0", "B0"))
    after.collected(order, divisions=("A0", "B0"))
    after.sent(1, order)
    receive = after.receiving("SH-1")
    cois = [scene.coi_scan(other).text]
    return [
        (scene, pack, in_items("containers"), theirs),
        (scene, pack, in_items("coi"), cois),
        (after, receive, among("containers"), foreign),
        (after, receive, among("cois"), [after.coi_scan(stranger).text]),
    ]


def at_the_bench() -> list[Swap]:
    scene = Scene()
    mine, other = (scene.approved(scene.pair(n)) for n in ("1", "2"))
    (own,), theirs = scene.accepted(mine, 1), scene.accepted(other, 2)
    store = storage.Store(
        order=mine, container=Scan(text=own), position=Scan(text="F1/1"), holder=PLANT, from_place="receiving",
        place="vault", role="warehouse", verifier="WH-2",
    )  # fmt: skip
    dispose = disposition.Dispose(
        order=mine, container=Scan(text=own), disposition="destroyed", reason="x", role="warehouse", verifier="WH-2",
        verifier_role="warehouse",
    )  # fmt: skip
    return [(scene, store, replacing("container"), theirs), (scene, dispose, replacing("container"), theirs)]


def at_delivery() -> list[Swap]:
    scene = Scene()
    bags = {}
    for n in ("1", "2"):
        order = scene.approved(scene.pair(n))
        scene.accepted(order, int(n))
        bags[order] = scene.made(order, f"LOT-{n}", 2)
    mine, other = bags
    theirs = [*bags[other], *(scene.code(b, "LOT-2").text for b in bags[other])]
    pack = scene.delivery(10, mine, "LOT-1", bags[mine])
    swaps: list[Swap] = [(scene, pack, in_items("containers"), theirs)]
    scene.do(scene.delivery(11, mine, "LOT-1", bags[mine][:1]), "WH-1")
    receive = scene.receiving("SH-11", "cell_laboratory", containers=(scene.code(bags[mine][0], "LOT-1"),), cois=())
    return [*swaps, (scene, receive, among("containers"), theirs)]


def at_the_bedside(stage: str) -> list[Swap]:
    scene = Scene()
    mine, (bag,) = scene.ready(1)
    other, (theirs,) = scene.ready(2)
    if stage == "infusion":
        scene.thawed(mine, bag)
    check = scene.checking(mine, bag, stage, coi=scene.coi_scan(mine))
    foreign = [theirs, scene.code(theirs, "LOT-2").text, f"{bag}|{scene.coi(other)}"]
    swaps: list[Swap] = [
        (scene, check, replacing("wristband"), ["WB-2", *foreign]),
        (scene, check, replacing("bag"), foreign),
        (scene, check, replacing("coi"), [scene.coi_scan(other).text]),
    ]
    act: Command = infusion.Thaw(order=mine, bag=Scan(text=bag)) if stage == "thaw" else scene.starting(mine, bag)
    return [*swaps, (scene, act, replacing("bag"), foreign), (scene, scene.given(mine, bag), replacing("bag"), foreign)]


@pytest.mark.requirement("R066")
@pytest.mark.requirement("R064")
def test_ten_thousand_single_swaps_are_all_stopped() -> None:
    swaps = [
        *at_collection(), *on_the_way(), *at_the_bench(), *at_delivery(), *at_the_bedside("thaw"),
        *at_the_bedside("infusion"),
    ]  # fmt: skip
    chance = Random(66)
    points: dict[str, int] = {}
    for _ in range(SWAPS):
        scene, command, swap, foreign = chance.choice(swaps)
        decision = swap(command, chance.choice(foreign)).decide(scene, By(person="OP-1"))
        assert decision.stop is not None
        assert decision.stop.code == "identity-mismatch"
        opened, *doubts = decision.facts
        assert {fact.body.type for fact in doubts} <= {"order.doubt_raised", "lot.doubt_raised"}, "nothing was used"
        points[opened.body.point] = points.get(opened.body.point, 0) + 1  # type: ignore[attr-defined]
    assert sum(points.values()) == SWAPS
    assert set(points) == {
        "collection_start", "collection_label", "pack_out", "collection_receipt", "storage", "delivery_receipt",
        "bedside",
    }  # fmt: skip
