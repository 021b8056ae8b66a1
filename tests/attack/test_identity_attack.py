"""Ways around an identity case and around the rule of two people, each of which was open once."""

import pytest

from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import Close, DeclareDoubt, Evidence, Investigate, mismatch
from cellwright.factory.rule import By, Refusal
from tests.factory.order.scene import Scene, refused

HASH = "a" * 64


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    for n in ("1", "2"):
        order = scene.approved(scene.pair(n))
        scene.accepted(order, int(n))
        scene.made(order, f"LOT-{n}")
    return scene


def not_shown(scene: Scene) -> str:
    """A case about two patients whose investigation could not show whose the bag is."""
    stop = mismatch(scene, By(person="OP-1"), point="in_process", expected="LOT-1-B1", scanned="LOT-2-B1",
                    coi=scene.coi("ORD-1-car"), key="container/LOT-2-B1", lot="LOT-1", order="ORD-1-car")  # fmt: skip
    scene.record(stop.facts)
    case = scene.case().name
    scene.do(DeclareDoubt(case=case, why="both bags on one bench"), "OP-1")
    evidence = tuple(
        Evidence(kind=kind, method="m", finding="f", supports=False, sha256=HASH)  # type: ignore[arg-type]
        for kind in ("physical", "biological")
    )
    scene.do(Investigate(case=case, evidence=evidence, conclusion="nobody can tell"), "QA-1")
    return case


@pytest.mark.requirement("R066")
def test_a_lost_identity_frees_not_everything_it_touches(scene: Scene) -> None:
    case = not_shown(scene)
    everything = {"freed_orders": ("ORD-1-car", "ORD-2-car"), "freed_lots": ("LOT-2", "LOT-1")}
    with refused("nothing-lost"):
        scene.do(Close(case=case, outcome="identity_lost", reason="enough", **everything), "QA-1")  # type: ignore[arg-type]
    scene.do(Close(case=case, outcome="identity_lost", reason="theirs is safe", freed_orders=("ORD-2-car",),
                   freed_lots=("LOT-2",)), "QA-1")  # fmt: skip
    assert scene.load(LotState, "LOT-1").in_doubt
    assert not scene.load(LotState, "LOT-2").in_doubt


@pytest.mark.requirement("R066")
@pytest.mark.parametrize("named", [{"lots": ("LOT-99",)}, {"orders": ("ORD-99",)}, {"lots": ("",)}])
def test_doubt_begins_no_record_of_a_number_nobody_gave(scene: Scene, named: dict[str, tuple[str, ...]]) -> None:
    before = len(scene.events)
    with pytest.raises(Refusal) as found:
        scene.do(DeclareDoubt(why="w", **named), "OP-1")  # type: ignore[arg-type]
    assert found.value.code in ("unknown-lot", "unknown-order")
    assert len(scene.events) == before
