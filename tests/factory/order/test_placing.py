"""Orders are placed on a legal basis, for an eligible patient who consented; the chain of identity is given once."""

import msgspec
import pytest

from cellwright.factory.definition import ASSUMED, Text
from cellwright.factory.order import collection, placing
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.subject import Sealed
from cellwright.factory.portfolio.product import Gate, Market
from cellwright.factory.rule import Refusal
from cellwright.factory.trial import protocol as trial
from tests.factory.order.scene import Scene, product, refused

SAID = Text(en="Completed years at consent at most 25.", zh="知情同意时不超过 25 岁。")


def rules() -> trial.Protocol:
    """A protocol with one inclusion: at most 25 years at consent."""
    young = trial.Criterion(
        label="I1",
        kind="inclusion",
        evaluability="machine",
        text=SAID,
        rule=trial.Rule(age=trial.Age(op="<=", years=25, at="consent")),
        basis=ASSUMED,
    )
    return trial.Protocol(
        id="t1", version="1", title=SAID, product="trial", complete=True, scope=SAID, criteria=(young,), basis=ASSUMED
    )


def on_trial() -> Scene:
    scene = Scene(
        product(
            "trial",
            markets=(Market(code="CN", legal_basis="trial", specification="s1", protocol="t1", basis=ASSUMED),),
            gates=(Gate(act="order", needs="legal_basis", basis=ASSUMED),),
        )
    )
    scene.define("t1", rules())
    return scene


@pytest.mark.requirement("R071")
def test_a_collection_waits_for_approval_consent_and_enrolment() -> None:
    """The states of R071 one after the other: each missing one alone keeps the collection from being scheduled."""
    scene = on_trial()
    order = scene.placed(scene.pair("1"), "trial")
    approve = placing.Approve(order=order, role="planner")
    schedule = collection.ScheduleCollection(order=order, site="H", days=("2026-03-02",))

    def blocked(code: str) -> None:
        with refused(code):
            scene.do(approve, "PL-1")
        with refused("not-approved"):
            scene.do(schedule, "CO-1")

    blocked("not-eligible")
    claimed = {"linked_order": "car", "prior.car": "infused"}
    scene.do(placing.JudgeEligibility(order=order, evidence=claimed), "CO-1")
    body = scene.said("order.eligibility_judged")[-1]
    assert body.evidence == {}, "what was ordered or given before is read from the record, not claimed"
    scene.do(placing.JudgeEligibility(order=order, evidence={}), "CO-1")
    assert scene.order(order).eligibility == "unknown"
    blocked("not-eligible")
    scene.do(placing.JudgeEligibility(order=order, evidence={"age@consent": "26"}), "CO-1")
    assert scene.order(order).eligibility == "not_eligible"
    blocked("not-eligible")
    scene.do(placing.JudgeEligibility(order=order, evidence={"age@consent": "25"}), "CO-1")
    blocked("consent-missing")
    enrol = placing.Enrol(order=order, protocol="t1", subject_number="017", enrolled_on="2026-03-01")
    with refused("consent-missing"):
        scene.do(enrol, "CO-1")
    scene.consented(order)
    blocked("not-enrolled")
    scene.do(enrol, "CO-1")
    scene.do(approve, "PL-1")
    with refused("no-chain-of-identity"):
        scene.do(schedule, "CO-1")
    scene.do(placing.AllocateChain(order=order, role="coordinator"), "CO-1")
    scene.do(placing.WithdrawConsent(order=order, purpose="treatment", reason="changed mind"), "CO-1")
    with refused("consent-missing"):
        scene.do(schedule, "CO-1")
    scene.consented(order)
    scene.do(schedule, "CO-1")
    assert scene.order(order).agreed["C1"].days == ("2026-03-02",)


def test_a_protocol_decides_where_there_is_one_and_a_physician_where_there_is_none() -> None:
    scene = on_trial()
    order = scene.placed(scene.pair("1"), "trial")
    attest = placing.AttestEligibility(order=order, verdict="eligible", role="physician", document_sha256="a" * 64)
    with refused("protocol-decides"):
        scene.do(attest, "DR-1")
    other = Scene()
    order = other.placed(other.pair("1"))
    with refused("no-protocol"):
        other.do(placing.JudgeEligibility(order=order, evidence={}), "CO-1")


@pytest.mark.requirement("R059")
def test_one_chain_of_identity_for_one_order() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1"))
    coi = scene.coi(order)
    assert scene.claims[f"coi/{coi}"] == "pair/PAIR-1"
    assert scene.order(order).pair == "PAIR-1"
    with refused("chain-allocated"):
        scene.do(placing.AllocateChain(order=order, role="coordinator"), "CO-1")
    other = scene.placed("PAIR-1", order="ORD-1b")
    with refused("not-approved"):
        scene.do(placing.AllocateChain(order=other, role="coordinator"), "CO-1")


@pytest.mark.requirement("R059")
def test_every_collection_of_the_therapy_event_has_the_same_chain() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1"))
    scene.collected(order, days=3, divisions=("A0", "B0"))
    facts = scene.said("order.collected")
    assert len({f.din for f in facts}) == 3, "each donation keeps its own number"  # type: ignore[attr-defined]
    assert {f.coi for f in facts} == {scene.coi(order)}  # type: ignore[attr-defined]
    assert len(scene.order(order).containers) == 6


def test_what_cannot_be_ordered() -> None:
    own = product("own", donor_for_recipient=False)
    stock = product("stock", unit="stock_lot")
    scene = Scene(product("car"), own, stock, product("follow", linked_after="car"))
    pair, mixed = scene.pair("1"), scene.pair("2", donor="3")

    def place(**wanted: str) -> placing.Place:
        return placing.Place(**{"product": "car", "market": "CN", "pair": pair, "hospital": "H", **wanted})  # type: ignore[arg-type]

    for code, wanted in {
        "unknown-pair": {"pair": "PAIR-9"},
        "definition-not-approved": {"product": "none"},
        "no-legal-basis": {"market": "US"},
        "not-for-donor-cells": {"product": "own", "pair": mixed},
        "stock-product": {"product": "stock"},
        "unknown-order": {"linked_order": "ORD-9"},
    }.items():
        with pytest.raises(Refusal) as caught:
            scene.do(place(**wanted), "PR-1")
        assert caught.value.code == code
    first = scene.placed(pair)
    with refused("order-exists"):
        scene.do(place(order=first), "PR-1")
    with refused("linked-order-of-another"):
        scene.do(place(product="follow", pair=mixed, linked_order=first), "PR-1")
    second = scene.placed(pair, "own")
    with refused("linked-order-of-another-product"):
        scene.do(place(product="follow", linked_order=second), "PR-1")
    scene.do(place(product="follow", linked_order=first, order="F"), "PR-1")
    assert scene.order(first).linked_by == ["F"]


def test_nobody_approves_their_own_order() -> None:
    scene = Scene()
    scene.person("BOTH", "prescriber", "planner")
    pair = scene.pair("1")
    scene.do(placing.Place(product="car", market="CN", pair=pair, hospital="H", order="O"), "BOTH")
    with refused("own-order"):
        scene.do(placing.Approve(order="O", role="planner"), "BOTH")


def test_a_slot_is_promised_given_up_and_in_order() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1"))

    def slot(collect: str, make: str, deliver: str) -> placing.PromiseSlot:
        return placing.PromiseSlot(order=order, slot="S-1", collect_on=collect, make_on=make, deliver_on=deliver)

    with refused("slot-out-of-order"):
        scene.do(slot("2026-03-05", "2026-03-04", "2026-03-20"), "PL-1")
    with refused("no-slot"):
        scene.do(placing.GiveUpSlot(order=order, reason="x"), "PL-1")
    scene.do(slot("2026-03-04", "2026-03-05", "2026-03-20"), "PL-1")
    assert scene.order(order).slot is not None
    scene.do(placing.GiveUpSlot(order=order, reason="patient ill"), "PL-1")
    assert scene.order(order).slot is None


def test_a_foreign_number_is_an_alias() -> None:
    scene = Scene()
    order = scene.approved(scene.pair("1"))
    recipient = scene.load(PairState, scene.order(order).pair).recipient
    for subject, code in ((recipient, None), ("SUB-99", "sealed-for-another")):
        sealed = Sealed(enc=subject, n="bm9uY2U", c="Y2lwaGVy")
        alias = placing.RecordAlias(order=order, kind="sponsor_coi", value=sealed, issuer="sponsor")
        if code is None:
            scene.do(alias, "CO-1")
        else:
            with refused(code):
                scene.do(alias, "CO-1")
    assert scene.order(order).aliases == {"sponsor_coi": Sealed(enc=recipient, n="bm9uY2U", c="Y2lwaGVy")}


@pytest.mark.requirement("R075")
def test_a_foreign_number_is_never_plain_text() -> None:
    with pytest.raises(msgspec.ValidationError):
        placing.RecordAlias.of({"order": "ORD-1", "kind": "hospital_number", "value": "H-77", "issuer": "hospital"})


def test_today_is_the_sites_day() -> None:
    """At 20:00 UTC it is tomorrow in Shanghai, and a consent of that day is not of the future."""
    scene = Scene()
    order = scene.placed(scene.pair("1"))
    scene.advance(hours=20)
    given = {"order": order, "document_sha256": "a" * 64, "version": "1"}
    scene.do(placing.RecordConsent(given_on="2026-03-03", **given), "CO-1")
    with refused("in-the-future"):
        scene.do(placing.RecordConsent(given_on="2026-03-04", **given), "CO-1")
