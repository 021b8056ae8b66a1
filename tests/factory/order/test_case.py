"""Identity cases: doubt on both sides, two ways out, and nobody who can wave a mismatch through."""

from typing import Any

import pytest

from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import (
    HANDLING,
    CaseState,
    Close,
    DeclareDoubt,
    Evidence,
    Investigate,
    Point,
    SetItemAside,
    mismatch,
    stopped_by_store,
)
from cellwright.factory.order.labelled import Stranger, of_order
from cellwright.factory.order.relabelling import ReadBackLabel, Relabel
from cellwright.factory.order.scan import Scan
from cellwright.factory.rule import By, Refusal
from tests.factory.order.scene import HASH, Scene, refused
from tests.factory.world import ClaimError

PHYSICAL = Evidence(
    kind="physical", method="seals and positions", finding="one bag, one place", supports=True, sha256=HASH
)
BIOLOGICAL = Evidence(
    kind="biological", method="short tandem repeats against the collection", finding="16 of 16", supports=True,
    sha256=HASH,
)  # fmt: skip
POINTS: tuple[Point, ...] = (
    "collection_receipt", "in_process", "final_label", "qc_tube", "plate_well", "raw_file", "bedside",
)  # fmt: skip


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def two(scene: Scene) -> tuple[str, str]:
    """Two patients with a lot each."""
    orders = []
    for n in ("1", "2"):
        orders.append(scene.approved(scene.pair(n)))
        scene.accepted(orders[-1], int(n))
        scene.made(orders[-1], f"LOT-{n}")
    return orders[0], orders[1]


def stop(scene: Scene, point: Point = "in_process", scanned: str = "LOT-2-B1", **more: Any) -> CaseState:
    given: dict[str, Any] = {
        "expected": "LOT-1-B1", "scanned": scanned, "coi": scene.coi("ORD-1-car"), "key": f"container/{scanned}",
        "lot": "LOT-1", "order": "ORD-1-car", **more,
    }  # fmt: skip
    decision = mismatch(scene, By(person="OP-1"), point=point, **given)
    assert decision.stop is not None
    assert decision.sign == (), "a stop waits for nobody"
    scene.record(decision.facts)
    return scene.case()


def doubtful(scene: Scene) -> set[str]:
    """Lots and orders that an open case touches."""
    lots = {n for n in ("LOT-1", "LOT-2") if scene.load(LotState, n).in_doubt}
    return lots | {n for n in ("ORD-1-car", "ORD-2-car") if scene.order(n).in_doubt}


@pytest.mark.requirement("R066")
@pytest.mark.parametrize("point", POINTS)
def test_a_swap_at_any_point_opens_a_case_and_flags_both_sides(
    scene: Scene, two: tuple[str, str], point: Point
) -> None:
    case = stop(scene, point)
    assert (case.point, case.expected, case.scanned) == (point, "LOT-1-B1", "LOT-2-B1")
    assert (case.expected_coi, case.found_coi) == (scene.coi(two[0]), scene.coi(two[1]))
    assert (set(case.orders), set(case.lots)) == (set(two), {"LOT-1", "LOT-2"})
    assert doubtful(scene) == {*two, "LOT-1", "LOT-2"}


def test_only_the_lots_that_hold_the_item_are_flagged(scene: Scene, two: tuple[str, str]) -> None:
    scene.made(two[1], "LOT-3", released=False)
    case = stop(scene)
    assert set(case.lots) == {"LOT-1", "LOT-2"}
    case = stop(scene, scanned="nobody knows", key=None, found=scene.coi(two[1]))
    assert set(case.lots) == {"LOT-1", "LOT-2", "LOT-3"}, "all of theirs while nobody knows which"


def test_stock_scanned_for_a_patient_touches_no_other_patient(scene: Scene, two: tuple[str, str]) -> None:
    case = stop(scene, scanned="V-7", key=None, found="stock/vector")
    assert (case.found_coi, set(case.orders)) == (None, {two[0]})


# --- set aside


def test_a_wrong_item_is_set_aside_before_a_second_person(scene: Scene, two: tuple[str, str]) -> None:
    case = stop(scene)

    def aside(**more: str) -> SetItemAside:
        given = {"case": case.name, "where": "vault F1", "role": "operator", "verifier": "OP-2",
                 "verifier_role": "operator", **more}  # fmt: skip
        return SetItemAside(**given)  # type: ignore[arg-type]

    with refused("same-person-twice"):
        scene.do(aside(verifier="OP-1"), "OP-1")
    with refused("unknown-case"):
        scene.do(aside(case="C-99"), "OP-1")
    decision = scene.do(aside(), "OP-1")
    assert {(n.person, n.meaning) for n in decision.sign} == {("OP-1", "performed"), ("OP-2", "verified")}
    assert doubtful(scene) == set()
    assert (case.status, case.open) == ("set_aside", False)
    with refused("case-not-so-far"):
        scene.do(aside(), "OP-1")


# --- in doubt


def test_doubt_is_ended_by_quality_assurance_on_both_kinds_of_evidence(scene: Scene, two: tuple[str, str]) -> None:
    case = stop(scene)
    scene.do(DeclareDoubt(case=case.name, why="two bags without a label on the bench"), "OP-1")
    assert case.status == "in_doubt"
    aside = SetItemAside(case=case.name, where="x", role="operator", verifier="OP-2", verifier_role="operator")
    with refused("case-not-so-far"):
        scene.do(aside, "OP-1")
    close = Close(case=case.name, verifier="AP-1", outcome="identity_confirmed", reason="shown")
    with refused("case-not-so-far"):
        scene.do(close, "QA-1")
    for lacking in ((), (PHYSICAL,), (BIOLOGICAL,)):
        with refused("evidence-missing"):
            scene.do(Investigate(case=case.name, evidence=lacking, conclusion="sure"), "QA-1")
    found = Investigate(case=case.name, evidence=(PHYSICAL, BIOLOGICAL), conclusion="labels fell off; both told apart")
    assert [n.meaning for n in scene.do(found, "QA-1").sign] == ["assessed"]
    assert doubtful(scene) == {*two, "LOT-1", "LOT-2"}, "until the case is closed"
    scene.do(close, "QA-1")
    assert doubtful(scene) == set()
    assert (case.status, case.outcome) == ("closed", "identity_confirmed")


def test_whoever_scanned_does_not_investigate(scene: Scene, two: tuple[str, str]) -> None:
    decision = mismatch(
        scene, By(person="QA-1"), point="storage", expected="a", scanned="b", coi=scene.coi(two[0]), order=two[0]
    )
    scene.record(decision.facts)
    case = scene.case()
    scene.do(DeclareDoubt(case=case.name, why="unsure"), "QA-1")
    with refused("own-case"):
        scene.do(Investigate(case=case.name, evidence=(PHYSICAL, BIOLOGICAL), conclusion=""), "QA-1")
    scene.do(Investigate(case=case.name, evidence=(PHYSICAL, BIOLOGICAL), conclusion=""), "QA-2")


def test_an_identity_that_was_not_shown_is_never_confirmed_nor_labelled(scene: Scene, two: tuple[str, str]) -> None:
    case = stop(scene)
    scene.do(DeclareDoubt(case=case.name, why="unsure"), "OP-1")
    against = Evidence(kind="biological", method="STR", finding="another profile", supports=False, sha256=HASH)
    scene.do(Investigate(case=case.name, evidence=(PHYSICAL, against), conclusion="not theirs"), "QA-1")
    with refused("identity-not-shown"):
        scene.do(Close(case=case.name, verifier="AP-1", outcome="identity_confirmed", reason="hope"), "QA-1")
    relabel = Relabel(
        case=case.name, coi=scene.coi(two[0]), container="LOT-1-B1", label="LB-x", role="operator", supervisor="QA-1",
        reason="x",
    )  # fmt: skip
    with refused("identity-not-shown"):
        scene.do(relabel, "OP-1")
    lost = Close(
        case=case.name,
        verifier="AP-1",
        outcome="identity_lost",
        reason="to be rejected",
        freed_orders=(two[1],),
        freed_lots=("LOT-2",),
    )
    scene.do(lost, "QA-1")
    assert doubtful(scene) == {two[0], "LOT-1"}, "what is lost stays in doubt; the other patient goes on"
    assert not case.open


@pytest.mark.requirement("R066")
def test_no_role_can_end_a_doubt_but_quality_assurance(scene: Scene, two: tuple[str, str]) -> None:
    case = stop(scene)
    scene.do(DeclareDoubt(case=case.name, why="unsure"), "OP-1")
    commands = (
        Investigate(case=case.name, evidence=(PHYSICAL, BIOLOGICAL), conclusion=""),
        Close(case=case.name, verifier="AP-1", outcome="identity_confirmed", reason=""),
    )
    for role in HANDLING:
        if role == "quality_assurance":
            continue
        scene.person(f"only-{role}", role)
        for command in commands:
            with pytest.raises(Refusal) as caught:
                scene.do(command, f"only-{role}")
            assert caught.value.code == "role-missing"
    assert doubtful(scene) == {*two, "LOT-1", "LOT-2"}


# --- damaged labels


def test_a_damaged_label_takes_the_same_path_and_ends_under_supervision(scene: Scene) -> None:
    order = scene.approved(scene.pair("1"))
    (container,) = scene.collected(order)
    with refused("nothing-in-doubt"):
        scene.do(DeclareDoubt(why="unreadable"), "CN-1")
    scene.do(DeclareDoubt(why="label torn", orders=(order,), item=container, point="collection_label"), "CN-1")
    case = scene.case()
    assert scene.order(order).in_doubt

    def relabel(**more: str) -> Relabel:
        given = {"case": case.name, "coi": scene.coi(order), "container": container, "label": "LB-1",
                 "role": "warehouse", "supervisor": "QA-1", "reason": "torn", **more}  # fmt: skip
        return Relabel(**given)  # type: ignore[arg-type]

    with refused("case-not-so-far"):
        scene.do(relabel(), "WH-1")
    scene.do(Investigate(case=case.name, evidence=(PHYSICAL, BIOLOGICAL), conclusion="theirs"), "QA-1")
    with refused("coi-not-in-case"):
        scene.do(relabel(coi="CHA999926ZZZZZZ"), "WH-1")
    with refused("container-not-in-case"):
        scene.do(relabel(container="ORD-2-X"), "WH-1")
    decision = scene.do(relabel(), "WH-1")
    assert {(n.person, n.role) for n in decision.sign} == {("WH-1", "warehouse"), ("QA-1", "quality_assurance")}
    scene.do(relabel(label="LB-2", supersedes="LB-1"), "WH-1")
    assert (scene.claims.get("label/LB-1"), scene.claims["label/LB-2"]) == (None, scene.coi(order))
    with pytest.raises(ClaimError):
        scene.do(relabel(label="LB-2"), "WH-1")
    close = Close(case=case.name, verifier="AP-1", outcome="identity_confirmed", reason="labelled anew")
    with refused("label-not-read-back"):
        scene.do(close, "QA-1")

    def read_back(text: str, container: str = container) -> ReadBackLabel:
        return ReadBackLabel(
            case=case.name, coi=scene.coi(order), container=container, scan=Scan(text=text), role="warehouse"
        )

    for wrong in (read_back("LB-1"), read_back("LB-2|CHA999926ZZZZZZ"), read_back("LB-2", "X")):
        with refused("label-not-the-new-one"):
            scene.do(wrong, "WH-2")
    with refused("same-person-twice"):
        scene.do(read_back("LB-2"), "WH-1")
    scene.do(read_back(f"LB-2|{scene.coi(order)}"), "WH-2")
    scene.do(close, "QA-1")
    assert not scene.order(order).in_doubt
    assert of_order(scene, scene.order(order), Scan(text=f"LB-2|{scene.coi(order)}")).container == container
    with refused("superseded-label"):
        of_order(scene, scene.order(order), Scan(text=container))
    with pytest.raises(Stranger):
        of_order(scene, scene.order(order), Scan(text="LB-1"))


def test_more_may_come_into_doubt(scene: Scene, two: tuple[str, str]) -> None:
    scene.made(two[0], "LOT-3", released=False)
    case = stop(scene)
    scene.do(DeclareDoubt(case=case.name, why="same bench", lots=("LOT-3",)), "OP-1")
    assert scene.load(LotState, "LOT-3").in_doubt
    assert set(case.lots) == {"LOT-1", "LOT-2", "LOT-3"}


# --- what the store stops


@pytest.mark.requirement("R066")
@pytest.mark.parametrize(
    ("command", "point"), [("lot.transfer_material", "in_process"), ("quality.receive_sample", "qc_tube"),
                           ("shipment.receive", "collection_receipt"), ("order.dispose", "record")],
)  # fmt: skip
def test_a_stop_by_the_store_becomes_the_same_case(
    scene: Scene, two: tuple[str, str], command: str, point: str
) -> None:
    mine, theirs = scene.coi(two[0]), scene.coi(two[1])
    decision = stopped_by_store(
        scene, By(person="OP-1"), command=command, key="container/LOT-2-B1", held=theirs, wanted=mine
    )
    scene.record(decision.facts)
    case = scene.case()
    assert (case.point, case.found_coi, case.expected_coi) == (point, theirs, mine)
    assert doubtful(scene) == {*two, "LOT-1", "LOT-2"}


def test_an_occupied_place_is_no_matter_of_identity(scene: Scene) -> None:
    for key in ("position/F1/1", "room/S1", "shipper/T-1", "account/op", "nonce/x"):
        with refused("already-taken"):
            stopped_by_store(scene, By(person="OP-1"), command="x", key=key, held="CH", wanted="")


def test_a_case_without_any_known_owner_still_stops(scene: Scene) -> None:
    decision = stopped_by_store(scene, By(person="OP-1"), command="lot.x", key="label/L", held=None, wanted="")
    scene.record(decision.facts)
    assert (scene.case().orders, scene.case().lots) == ((), ())
