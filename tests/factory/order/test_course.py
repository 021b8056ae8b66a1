"""The ordinary course of an order from the prescription to its closing, and who may do which of it."""

import pytest

from cellwright.factory.order import disposition, follow_up, pair, subject
from cellwright.factory.order.case import DeclareDoubt
from cellwright.factory.order.custody import gaps, links
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import when
from cellwright.factory.rule import Refusal
from tests.factory.order.scene import HOSPITAL, Scene, refused


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.requirement("R063")
@pytest.mark.requirement("R073")
@pytest.mark.requirement("R074")
def test_from_the_prescription_to_the_closed_order(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    state = scene.order(order)
    assert state.containers[bag].status == "accepted"
    assert (state.containers[bag].holder, state.containers[bag].place) == (HOSPITAL, "cell laboratory")
    scene.infused(order, bag)
    (given,) = state.given
    assert (given.bag, str(given.given_ml), str(given.remainder_ml)) == (bag, "50", "0")
    assert scene.claims[f"bag/{bag}"] == state.coi
    scene.do(disposition.Close(order=order), "CO-1")
    assert (state.closed, state.outcome) == (True, "infused")
    finding = follow_up.RecordResponse(order=order, finding="complete remission", on="2026-03-12")
    scene.do(finding, "DR-1")
    assert state.followed_up == 1


@pytest.mark.requirement("R065")
def test_custody_of_every_container_has_no_gap_and_a_lost_event_is_found(scene: Scene) -> None:
    order, _ = scene.ready(1)
    told = [(f.body, when(s.at)) for f, s in scene.events if f.stream == f"order/{order}"]
    for container in scene.order(order).containers:
        chain = links(told, container)
        assert len(chain) == 3, "collected or packed, dispatched, received"
        assert gaps(chain) == []
        for lost in range(len(chain) - 1):
            assert gaps(chain[:lost] + chain[lost + 1 :]), f"link {lost} of {container} was lost and nobody noticed"


def test_every_refusal_of_a_role_is_a_refusal(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    for who in ("CO-1", "PL-1", "WH-1", "CU-1", "PR-1", "QA-1"):
        with pytest.raises(Refusal) as caught:
            scene.do(scene.checking(order, bag, "thaw"), who)
        assert caught.value.rule == "R022"


@pytest.mark.requirement("R074")
def test_an_open_container_keeps_the_order_open(scene: Scene) -> None:
    order, bags = scene.ready(1, bags=2)
    scene.infused(order, bags[0])
    with pytest.raises(Refusal) as caught:
        scene.do(disposition.Close(order=order), "CO-1")
    assert (caught.value.code, caught.value.values["containers"]) == ("containers-open", bags[1])
    dispose = disposition.Dispose(
        order=order, container=Scan(text=bags[1]), disposition="destroyed", reason="not needed",
        role="cell_laboratory", verifier="CL-2", verifier_role="cell_laboratory",
    )  # fmt: skip
    scene.do(dispose, "CL-1")
    scene.do(disposition.Close(order=order), "CO-1")
    assert scene.order(order).outcome == "infused"


def test_follow_up_attaches_to_what_was_given_and_leaves_the_release_alone(scene: Scene) -> None:
    """D23."""
    order, (bag,) = scene.ready(1)
    visit = follow_up.RecordFollowUp(order=order, finding="month 1, well", on="2026-03-12")
    with refused("nothing-given"):
        scene.do(visit, "DR-1")
    scene.infused(order, bag)
    releases = sum(f.stream == "release/LOT-1" for f, _ in scene.events)
    reaction = {"order": order, "finding": "cytokine release syndrome", "on": "2026-03-12"}
    for grade in (0, 6):
        with refused("not-a-grade"):
            scene.do(follow_up.RecordAdverseReaction(grade=grade, **reaction), "DR-1")
    scene.do(follow_up.RecordAdverseReaction(grade=2, **reaction), "NU-1")
    scene.do(visit, "DR-1")
    told = scene.said("order.followed_up")
    assert [(t.kind, t.grade, t.lots) for t in told] == [  # type: ignore[attr-defined]
        ("adverse_reaction", 2, ("LOT-1",)), ("follow_up", None, ("LOT-1",)),
    ]  # fmt: skip
    assert sum(f.stream == "release/LOT-1" for f, _ in scene.events) == releases


def test_an_open_case_keeps_the_order_open(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.infused(order, bag)
    scene.do(DeclareDoubt(why="label found on the floor", orders=(order,)), "NU-1")
    with refused("case-open"):
        scene.do(disposition.Close(order=order), "CO-1")


def test_what_cannot_be(scene: Scene) -> None:
    order, _ = scene.ready(1)
    for command, who, code in (
        (scene.receiving("SH-1", shipment="SH-9"), "WH-1", "unknown-shipment"),
        (scene.delivery(1, order, "LOT-1", []), "WH-1", "shipment-exists"),
        (scene.delivery(9, order, "LOT-1", []), "WH-1", "nothing-packed"),
        (subject.Register(subject="SUB-1", personal={}), "CO-1", "subject-exists"),
        (subject.Supersede(subject="SUB-1", by="SUB-1", reason="", verifier="CO-1"), "QA-1", "same-subject"),
        (
            pair.RecordDonorTests(
                pair="PAIR-1", tests=(), document_sha256="", laboratory="", role="coordinator", verifier="QA-1",
                verifier_role="quality_assurance",
            ),
            "CO-1",
            "no-tests",
        ),
    ):  # fmt: skip
        with refused(code):
            scene.do(command, who)
