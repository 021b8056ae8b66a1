"""A subject's key is destroyed when the law allows it and nothing is open, and not before (R014, D6)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cellwright import shipped
from cellwright.factory.definition import ASSUMED, read
from cellwright.factory.destruction import DestroyKey, anchors, orders_of
from cellwright.factory.order import disposition, placing
from cellwright.factory.order.fact.placing import DoubtRaised, Enrolled
from cellwright.factory.order.pair import Form
from cellwright.factory.order.reveal import Reveal
from cellwright.factory.order.state import OrderState
from cellwright.factory.order.subject import KeyDestroyed, SubjectState, Supersede
from cellwright.factory.portfolio.product import Market
from cellwright.factory.release.fact import NotificationDue
from cellwright.factory.retention import Retention
from tests.factory.order.scene import HASH, HOSPITAL, Scene, product, refused

LAW = read(Retention, shipped.content("retention/law.yaml").decode())
MARKETS = tuple(
    Market(code=code, legal_basis=basis, specification="s1", basis=ASSUMED)  # type: ignore[arg-type]
    for code, basis in (("CN", "authorised"), ("EU", "authorised"), ("US", "trial"))
)
YEARS = timedelta(days=365 * 40)


class Places(Scene):
    """A scene whose orders are for a market of choice."""

    market = "EU"

    def placed(self, pair: str, name: str = "car", order: str | None = None, linked: str | None = None) -> str:
        order = order or f"ORD-{pair.removeprefix('PAIR-')}-{name}"
        command = placing.Place(
            product=name, market=self.market, pair=pair, hospital=HOSPITAL, linked_order=linked, order=order
        )
        self.do(command, "PR-1")
        if self.market == "US":
            self.say(f"order/{order}", Enrolled(protocol="p1", subject_number="7", enrolled_on="2026-03-01"))
        return order


@pytest.fixture
def scene() -> Places:
    made = Places(product("car", markets=MARKETS, gates=()))
    made.define("law", LAW)
    return made


def destroy(subject: str, **more: Any) -> DestroyKey:
    return DestroyKey(**{"subject": subject, "reason": "asked for", "verifier": "QA-2", **more})


def given(scene: Places) -> OrderState:
    """An order whose only bag was given, closed."""
    order, (bag,) = scene.ready(1)
    scene.infused(order, bag)
    scene.do(disposition.Close(order=order), "CO-1")
    return scene.order(order)


def withdrawn(scene: Places, n: str = "9") -> tuple[str, str]:
    """A subject who withdrew before anything was collected, and the order."""
    order = scene.approved(scene.pair(n, status=None))
    scene.do(disposition.End(order=order, why="withdrawal", on="2026-03-02"), "CO-1")
    scene.do(disposition.Close(order=order), "CO-1")
    return f"SUB-{n}", order


def last_expiry(scene: Places, order: OrderState) -> date:
    (bag,) = order.bags().values()
    assert bag.expires_at is not None
    return datetime.fromisoformat(bag.expires_at).date()


@pytest.mark.requirement("R014")
def test_at_twenty_nine_years_and_364_days_it_is_refused_and_after_thirty_it_is_not(scene: Places) -> None:
    order = given(scene)
    end = last_expiry(scene, order).replace(year=last_expiry(scene, order).year + 30)
    for day in (end - timedelta(days=1), end):
        scene.now = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
        with refused("retention-runs") as told:
            scene.do(destroy("SUB-1"), "QA-1")
        assert told.info.value.values["until"] == end.isoformat()
    scene.now += timedelta(days=1)
    decision = scene.do(destroy("SUB-1"), "QA-1")
    assert [(need.person, need.meaning) for need in decision.sign] == [("QA-1", "assessed"), ("QA-2", "verified")]
    (body,) = scene.said("subject.key_destroyed")
    assert isinstance(body, KeyDestroyed)
    assert body.kept_until == end.isoformat()
    assert {"house-traceability", "eu-traceability"} <= set(body.grounds)
    assert scene.load(SubjectState, "SUB-1").forgotten
    assert scene.claims["subject/SUB-1"] == "subject/SUB-1", "what every start reads"


@pytest.mark.requirement("R014")
def test_without_rules_in_force_nothing_is_destroyed(scene: Places) -> None:
    given(scene)
    scene.definitions.pop((Retention, "law"))
    scene.now += YEARS
    with pytest.raises(Exception, match="not approved"):
        scene.do(destroy("SUB-1"), "QA-1")


@pytest.mark.requirement("R014")
def test_a_trial_without_a_known_end_keeps_for_ever(scene: Places) -> None:
    scene.market = "US"
    given(scene)
    scene.now += YEARS
    with refused("retention-unknown") as told:
        scene.do(destroy("SUB-1"), "QA-1")
    assert told.info.value.values["unknown"] == "trial_end"
    with refused("document-missing"):
        scene.do(destroy("SUB-1", trial_ended_on="2030-01-01"), "QA-1")
    with refused("retention-runs"):
        scene.do(destroy("SUB-1", trial_ended_on="2065-01-01", document_sha256=HASH), "QA-1")
    scene.do(destroy("SUB-1", trial_ended_on="2030-01-01", document_sha256=HASH), "QA-1")


def test_what_was_withdrawn_before_the_collection_is_outside_the_duty(scene: Places) -> None:
    subject, order = withdrawn(scene)
    assert not scene.order(order).collections
    scene.do(destroy(subject, verifier="AP-1", verifier_role="authorised_person"), "QA-1")
    assert scene.load(SubjectState, subject).forgotten


def test_a_donor_is_kept_for_the_recipient(scene: Places) -> None:
    order = scene.approved(scene.pair("1", donor="2"))
    assert orders_of(scene, "SUB-2") == orders_of(scene, "SUB-1") == (scene.order(order),)
    with refused("order-open"):
        scene.do(destroy("SUB-2"), "QA-1")


def test_the_other_donor_of_one_recipient_is_not_concerned(scene: Places) -> None:
    scene.approved(scene.pair("1", donor="2"))
    scene.subject("3")
    scene.do(Form(donor="SUB-3", recipient="SUB-1", pair="PAIR-3-1"), "CO-1")
    assert orders_of(scene, "SUB-3") == ()
    scene.do(destroy("SUB-3"), "QA-1")


def test_a_number_that_was_merged_shares_the_duty(scene: Places) -> None:
    order = scene.approved(scene.pair("1"))
    scene.subject("2")
    supersede = Supersede(subject="SUB-2", by="SUB-1", reason="one person", verifier="CO-1")
    scene.do(supersede, "QA-1")
    assert orders_of(scene, "SUB-2") == (scene.order(order),)
    with refused("order-open"):
        scene.do(destroy("SUB-2"), "QA-1")


def test_an_open_recall_keeps_the_key(scene: Places) -> None:
    order = given(scene)
    scene.now += YEARS
    due = NotificationDue(
        lot=order.lots[0], coi=order.coi, notification="N-1", addressee="physician", cause="recall", text="t", due="-",
    )  # fmt: skip
    scene.say(f"release/{order.lots[0]}", due)
    with refused("recall-open"):
        scene.do(destroy("SUB-1"), "QA-1")


def test_an_identity_case_after_closing_keeps_the_key(scene: Places) -> None:
    order = given(scene)
    scene.now += YEARS
    scene.say(f"order/{order.name}", DoubtRaised(case="C-1"))
    with refused("case-open"):
        scene.do(destroy("SUB-1"), "QA-1")


def test_one_person_alone_destroys_nothing(scene: Places) -> None:
    subject, _ = withdrawn(scene)
    with refused("same-person-twice"):
        scene.do(destroy(subject, verifier="QA-1"), "QA-1")
    with refused("unknown-subject"):
        scene.do(destroy("SUB-0"), "QA-1")


def test_what_is_destroyed_is_destroyed_once_and_shown_as_such(scene: Places) -> None:
    subject, _ = withdrawn(scene)
    scene.do(destroy(subject), "QA-1")
    with refused("key-destroyed"):
        scene.do(destroy(subject), "QA-1")
    with refused("key-destroyed") as told:
        scene.do(Reveal(subject=subject, fields=("name",), purpose="label"), "CO-1")
    assert "destroyed under the retention rule" in str(told.info.value)


def test_a_lot_made_and_never_packed_is_kept_by_its_shelf_life(scene: Places) -> None:
    order = scene.approved(scene.pair("1"))
    scene.accepted(order)
    scene.made(order, "L-1")
    made = scene.now
    scene.do(disposition.End(order=order, why="progression", on="2026-03-02"), "CO-1")
    with refused("order-open"):
        scene.do(destroy("SUB-1"), "QA-1")
    body = scene.order(order)
    assert body.bags() == {}
    found = anchors(scene, body, None)
    assert found["expiry"] == (made + timedelta(days=270, hours=8)).date()
    assert found["administration"] is None
