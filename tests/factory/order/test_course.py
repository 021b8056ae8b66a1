"""The ordinary course of an order from the prescription to its closing, and who may do which of it."""

import pytest

from cellwright.factory.order import disposition, follow_up
from cellwright.factory.order.custody import gaps, links
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import when
from cellwright.factory.rule import Refusal
from tests.factory.order.scene import HOSPITAL, Scene


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
