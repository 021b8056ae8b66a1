"""Ways around an identity case and around the rule of two people, each of which was open once."""

import msgspec
import pytest

from cellwright.factory.lot.state import LotState
from cellwright.factory.order import infusion, storage
from cellwright.factory.order.case import Close, DeclareDoubt, Evidence, Investigate, mismatch
from cellwright.factory.order.correction import SupersedeChain
from cellwright.factory.order.scan import Scan
from cellwright.factory.people import stamp
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
        scene.do(Close(case=case, verifier="AP-1", outcome="identity_lost", reason="enough", **everything), "QA-1")  # type: ignore[arg-type]
    scene.do(Close(case=case, verifier="AP-1", outcome="identity_lost", reason="theirs is safe", freed_orders=("ORD-2-car",),
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


@pytest.mark.requirement("R074")
def test_a_superseded_chain_leaves_no_container_in_a_position_nobody_can_empty() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1"))
    (name,) = scene.accepted(order)
    held = scene.order(order).containers[name]
    store = storage.Store(order=order, container=Scan(text=name), position=Scan(text="F1/1"), holder=held.holder,
                          from_place=held.place, place="vault", role="warehouse", verifier="WH-2")  # fmt: skip
    scene.do(store, "WH-1")
    supersede = SupersedeChain(order=order, reason="wrongly issued", verifier="CO-1")
    with refused("still-stored"):
        scene.do(supersede, "QA-1")
    out = storage.TakeOut(order=order, container=Scan(text=name), position=Scan(text="F1/1"), place="bench",
                          role="warehouse", verifier="WH-2")  # fmt: skip
    scene.do(out, "WH-1")
    scene.do(supersede, "QA-1")
    assert "position/F1/1" not in scene.claims


@pytest.mark.requirement("R064")
def test_what_is_typed_at_the_thaw_is_read_by_a_second_person() -> None:
    scene = Scene()
    order, (bag,) = scene.ready(1)
    scene.checked(order, bag, "thaw")
    record = infusion.RecordThaw(order=order, bag=Scan(text=bag, how="typed"), thawed_at=stamp(scene.now), reason="down",
                                 role="cell_laboratory")  # fmt: skip
    with refused("second-person-needed"):
        scene.do(record, "CL-1")
    with refused("second-person-needed"):
        scene.do(infusion.Thaw(order=order, bag=Scan(text=bag, how="typed")), "CL-1")
    decision = scene.do(infusion.Thaw(order=order, bag=Scan(text=bag, how="typed", second="CL-2")), "CL-1")
    assert [(n.person, n.meaning, n.role) for n in decision.sign] == [("CL-2", "verified", "cell_laboratory")]


@pytest.mark.requirement("R066")
@pytest.mark.parametrize("outcome", ["identity_lost", "identity_confirmed"])
def test_nobody_ends_a_doubt_alone_nor_within_one_office(scene: Scene, outcome: str) -> None:
    case = not_shown(scene)
    for second in ("QA-1", "QA-2", "OP-1"):
        close = Close(case=case, outcome=outcome, reason="x", verifier=second)  # type: ignore[arg-type]
        with pytest.raises(Refusal) as found:
            scene.do(close, "QA-1")
        assert found.value.code in ("same-person-twice", "role-missing", "identity-not-shown")
    assert scene.load(LotState, "LOT-1").in_doubt


@pytest.mark.requirement("R072")
def test_a_dose_goes_to_the_hospital_that_it_was_ordered_for(scene: Scene) -> None:
    pack = scene.delivery(9, "ORD-1-car", "LOT-1", ("LOT-1-B1",))
    elsewhere = msgspec.structs.replace(pack.transport, destination_holder="hospital/south")
    with refused("another-hospital"):
        scene.do(msgspec.structs.replace(pack, transport=elsewhere), "WH-1")  # type: ignore[type-var]
