"""At the hospital: clearance, the right bag for the right patient twice over, the thaw clock, and what was given."""

from datetime import timedelta
from typing import Any

import pytest

from cellwright.factory.order import (
    bedside,
    disposition,
    infusion,
    lymphodepletion,
    nonconformance,
    placing,
    prior_product,
    weight,
)
from cellwright.factory.order.scan import Scan
from cellwright.factory.people import stamp
from tests.factory.order.scene import HASH, Scene, refused
from tests.factory.world import ClaimError


@pytest.fixture
def scene() -> Scene:
    return Scene()


def thaw(order: str, bag: str) -> infusion.Thaw:
    return infusion.Thaw(order=order, bag=Scan(text=bag))


# --- identity at the bedside


@pytest.mark.requirement("R073")
@pytest.mark.requirement("R064")
@pytest.mark.parametrize("stage", ["thaw", "infusion"])
@pytest.mark.parametrize("wrong", ["wristband", "bag", "label_coi", "order_coi"])
def test_anything_of_another_patient_stops_before_thaw_and_before_infusion(
    scene: Scene, stage: str, wrong: str
) -> None:
    order, (bag,) = scene.ready(1)
    other, (theirs,) = scene.ready(2)
    if stage == "infusion":
        scene.thawed(order, bag)
    read: dict[str, dict[str, Any]] = {
        "wristband": {"wristband": Scan(text="WB-2")},
        "bag": {"bag": scene.code(theirs, "LOT-2")},
        "label_coi": {"bag": Scan(text=f"{bag}|{scene.coi(other)}")},
        "order_coi": {"coi": scene.coi_scan(other)},
    }
    case = scene.stopped(scene.checking(order, bag, stage, **read[wrong]), "NU-1", "bedside")
    assert scene.order(order).in_doubt
    assert "LOT-1" in case.lots
    if wrong != "wristband":
        assert case.found_coi == scene.coi(other)
        assert scene.order(other).in_doubt
    state = scene.order(order)
    assert state.containers[bag].checked is None
    assert state.containers[bag].status == ("thawed" if stage == "infusion" else "accepted")
    for command, who in ((thaw(order, bag), "CL-1"), (scene.starting(order, bag), "NU-1")):
        with refused("identity-in-doubt"):
            scene.do(command, who)


@pytest.mark.requirement("R073")
@pytest.mark.requirement("R119")
def test_the_thaw_clock_starts_only_after_the_identity_was_checked(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    with refused("identity-not-checked"):
        scene.do(thaw(order, bag), "CL-1")
    assert scene.order(order).containers[bag].use_before is None
    scene.checked(order, bag, "thaw")
    scene.do(thaw(order, bag), "CL-1")
    state = scene.order(order).containers[bag]
    assert state.use_before == stamp(scene.now + timedelta(minutes=30))
    with refused("identity-not-checked"):
        scene.do(scene.starting(order, bag), "NU-1")
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")


@pytest.mark.requirement("R073")
@pytest.mark.parametrize(("late", "code"), [(0, None), (1, "identity-not-checked")])
def test_a_check_holds_for_its_act_and_not_for_ever(scene: Scene, late: int, code: str | None) -> None:
    order, (bag,) = scene.ready(1)
    scene.checked(order, bag, "thaw")
    scene.now += bedside.CHECK_VALID + timedelta(seconds=late)
    if code is None:
        scene.do(thaw(order, bag), "CL-1")
        return
    with refused(code):
        scene.do(thaw(order, bag), "CL-1")


@pytest.mark.requirement("R064")
def test_a_typed_identifier_needs_a_second_person(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    with refused("second-person-needed"):
        scene.do(scene.checking(order, bag, "thaw", wristband=Scan(text="WB-1", how="typed")), "NU-1")
    typed = Scan(text="WB-1", how="typed", second="NU-2")
    decision = scene.do(scene.checking(order, bag, "thaw", wristband=typed), "NU-1")
    assert ("NU-2", "verified") in {(n.person, n.meaning) for n in decision.sign}
    with refused("second-identifier-missing"):
        scene.do(scene.checking(order, bag, "thaw", bag=Scan(text=bag)), "NU-1")


def test_performer_and_verifier_at_the_bedside_are_two(scene: Scene) -> None:
    scene.person("BOTH", "nurse", "physician")
    order, (bag,) = scene.ready(1)
    with refused("same-person-twice"):
        scene.do(scene.checking(order, bag, "thaw", verifier="BOTH"), "BOTH")


# --- release asked again


def test_a_late_positive_stops_the_bedside_scan(scene: Scene) -> None:
    """D21: release is asked again at each act."""
    order, (bag,) = scene.ready(1)
    scene.checked(order, bag, "thaw")
    scene.suspend("LOT-1")
    with refused("lot-suspended"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")
    with refused("lot-suspended"):
        scene.do(thaw(order, bag), "CL-1")


def test_a_late_positive_after_thaw_stops_the_infusion(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    scene.checked(order, bag, "infusion")
    scene.suspend("LOT-1")
    with refused("lot-suspended"):
        scene.do(scene.starting(order, bag), "NU-1")


# --- use windows


@pytest.mark.requirement("R119")
@pytest.mark.parametrize(("seconds", "in_time"), [(-1, True), (0, True), (1, False)])
def test_a_thawed_bag_is_given_within_its_window(scene: Scene, seconds: int, in_time: bool) -> None:
    """30 minutes after thaw (Kymriah; requirements section 6)."""
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    thawed = scene.now
    scene.advance(minutes=20)
    scene.checked(order, bag, "infusion")
    scene.now = thawed + timedelta(minutes=30, seconds=seconds)
    if in_time:
        scene.do(scene.starting(order, bag), "NU-1")
        return
    with refused("use-window-over"):
        scene.do(scene.starting(order, bag), "NU-1")
    with refused("use-window-over"):
        scene.do(scene.checking(order, bag, "infusion"), "NU-1")


@pytest.mark.requirement("R119")
def test_an_infusion_that_ended_after_the_window_is_recorded_with_its_nonconformance(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    scene.advance(minutes=25)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    scene.advance(minutes=10)
    scene.do(scene.given(order, bag), "NU-1")
    assert [n.code for n in scene.said("order.nonconformance_raised")] == ["use-window-exceeded"]  # type: ignore[attr-defined]
    assert len(scene.order(order).given) == 1


@pytest.mark.requirement("R119")
def test_a_bag_past_its_shelf_life_is_not_thawed(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.advance(days=271)
    with refused("shelf-life-over"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")


def test_a_fresh_product_has_no_thaw(scene: Scene) -> None:
    order, (bag,) = scene.ready(1, name="many")
    with refused("fresh-product"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")
    scene.infused(order, bag)
    assert len(scene.order(order).given) == 1


def test_a_frozen_bag_is_not_infused_unthawed(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    with refused("bag-not-ready"):
        scene.do(scene.checking(order, bag, "infusion"), "NU-1")


# --- lymphodepletion


def clear(order: str, lot: str = "LOT-1", exception: str | None = None) -> lymphodepletion.ClearLymphodepletion:
    return lymphodepletion.ClearLymphodepletion(order=order, lots=(lot,), exception=exception)


def test_the_patient_is_prepared_only_for_a_product_that_is_here_and_released(scene: Scene) -> None:
    order = scene.approved(scene.pair("1"))
    scene.accepted(order, 1)
    bags = scene.made(order, "LOT-1", released=False)
    with refused("not-this-orders-lot"):
        scene.do(clear(order, "LOT-9"), "DR-1")
    with refused("not-released"):
        scene.do(clear(order), "DR-1")
    scene.release("LOT-1", scene.coi(order))
    with refused("not-received-at-hospital"):
        scene.do(clear(order), "DR-1")
    scene.delivered(2, order, "LOT-1", bags)
    decision = scene.do(clear(order), "DR-1")
    assert [n.meaning for n in decision.sign] == ["approved"]
    (cleared,) = scene.said("order.lymphodepletion_cleared")
    assert cleared.exception is None  # type: ignore[attr-defined]


def test_a_physician_answers_by_name_for_an_exception(scene: Scene) -> None:
    order = scene.approved(scene.pair("1"))
    scene.accepted(order, 1)
    scene.made(order, "LOT-1", released=False)
    decision = scene.do(clear(order, exception="relapse with rising blasts; product expected in 3 days"), "DR-2")
    assert [(n.person, n.meaning, n.role) for n in decision.sign] == [("DR-2", "attested", "physician")]
    (cleared,) = scene.said("order.lymphodepletion_cleared")
    assert (cleared.physician, bool(cleared.exception)) == ("DR-2", True)  # type: ignore[attr-defined]
    assert scene.order(order).lymphodepletion_cleared
    with refused("not-released"):
        scene.do(scene.delivery(2, order, "LOT-1", ["LOT-1-B1"]), "WH-1")


# --- a dose is not a bag


def test_several_bags_over_several_days_up_to_the_plan(scene: Scene) -> None:
    """D15, EAL: up to twenty doses; here two, of two bags each, and no third."""
    from tests.factory.order.scene import fresh

    scene = Scene(fresh("two", 2))
    order, bags = scene.ready(1, bags=5, name="two", doses=3)
    doses = {bag: scene.order(order).containers[bag].dose for bag in bags}
    assert sorted(doses.values()) == [1, 1, 2, 2, 3]
    for dose in (1, 2):
        for bag in (b for b in bags if doses[b] == dose):
            scene.infused(order, bag)
        scene.advance(hours=12)
    (left,) = (b for b in bags if doses[b] == 3)
    scene.checked(order, left, "infusion")
    with refused("doses-given"):
        scene.do(scene.starting(order, left), "NU-1")
    assert len(scene.order(order).given) == 4


def test_stopped_midway_the_rest_is_measured_and_disposed_of(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    scene.do(scene.given(order, bag, "30", "20", why="reaction"), "NU-1")
    (given,) = scene.order(order).given
    assert (str(given.given_ml), str(given.remainder_ml)) == ("30", "20")
    assert scene.order(order).containers[bag].status == "remainder"
    with refused("containers-open"):
        scene.do(disposition.Close(order=order), "CO-1")
    with refused("research-consent-missing"):
        scene.do(_dispose(order, bag, "research"), "CL-1")
    scene.do(_dispose(order, bag, "destroyed"), "CL-1")
    scene.do(disposition.Close(order=order), "CO-1")
    with refused("order-closed"):
        scene.do(_dispose(order, bag, "destroyed"), "CL-1")


def _dispose(order: str, bag: str, how: str) -> disposition.Dispose:
    return disposition.Dispose(
        order=order, container=Scan(text=bag), disposition=how, reason="remainder", role="cell_laboratory",  # type: ignore[arg-type]
        verifier="NU-2", verifier_role="nurse",
    )  # fmt: skip


def test_given_and_left_must_agree_with_what_the_bag_held(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.thawed(order, bag)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    scene.do(scene.given(order, bag, "30", "5"), "NU-1")
    assert [n.code for n in scene.said("order.nonconformance_raised")] == ["volume-does-not-reconcile"]  # type: ignore[attr-defined]
    with refused("infusion-recorded"):
        scene.do(scene.given(order, bag), "NU-1")
    scene.do(_dispose(order, bag, "destroyed"), "CL-1")
    with refused("nonconformance-open"):
        scene.do(disposition.Close(order=order), "CO-1")


@pytest.mark.parametrize(("given", "left"), [("-1", "0"), ("0", "-1"), ("NaN", "0"), ("1", "1e1")])
def test_volumes_given_are_read_strictly(scene: Scene, given: str, left: str) -> None:
    order, (bag,) = scene.ready(1)
    with refused("negative-volume" if "-" in given + left else "not-a-number"):
        scene.do(scene.given(order, bag, given, left), "NU-1")


def test_a_bag_is_given_once(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.infused(order, bag)
    with refused("bag-not-ready"):
        scene.do(scene.checking(order, bag, "infusion"), "NU-1")
    from cellwright.factory.order.fact.giving import InfusionStarted

    again = InfusionStarted(
        coi=scene.coi(order), pair="PAIR-1", bag=bag, container=bag, lot="LOT-1", dose=1, started_at=stamp(scene.now),
        performer="NU-1", verifier="NU-2",
    )  # fmt: skip
    with pytest.raises(ClaimError):
        scene.say(f"order/{order}", again)


def test_what_was_given_without_being_started_is_recorded_with_what_was_broken(scene: Scene) -> None:
    """D7: a system that refuses facts makes people falsify."""
    order, (bag,) = scene.ready(1)
    scene.suspend("LOT-1")
    scene.do(scene.given(order, bag), "NU-1")
    codes = [n.code for n in scene.said("order.nonconformance_raised")]  # type: ignore[attr-defined]
    assert {"given-without-start", "given-although-lot-suspended", "given-although-bag-not-ready"} <= set(codes)
    assert scene.claims[f"bag/{bag}"] == scene.coi(order)
    assert nonconformance.unassessed(scene.order(order)) is not None


def test_a_thaw_recorded_afterwards_runs_from_the_claimed_time(scene: Scene) -> None:
    """D8: cells and thaw clocks do not wait for a server."""
    order, (bag,) = scene.ready(1)
    at = stamp(scene.now)
    scene.advance(minutes=12)
    record = infusion.RecordThaw(
        order=order, bag=Scan(text=bag), thawed_at=at, reason="server down", role="cell_laboratory"
    )
    scene.do(record, "CL-1")
    state = scene.order(order).containers[bag]
    assert state.use_before == stamp(scene.now + timedelta(minutes=18))
    codes = {n.code for n in scene.said("order.nonconformance_raised")}  # type: ignore[attr-defined]
    assert codes == {"thawed-before-recorded", "thawed-without-identity-check"}
    with refused("bag-not-ready"):
        scene.do(record, "CL-1")


@pytest.mark.requirement("R066")
def test_another_patients_bag_is_never_recorded_as_given_to_this_one(scene: Scene) -> None:
    order, _ = scene.ready(1)
    other, (theirs,) = scene.ready(2)
    case = scene.stopped(scene.given(order, theirs, "12.5", "37.5"), "NU-1", "bedside")
    assert case.given_already == "12.5 mL infused"
    assert (case.found_coi, set(case.lots)) == (scene.coi(other), {"LOT-1", "LOT-2"})
    assert scene.order(order).infusions == ()
    assert f"bag/{theirs}" not in scene.claims
    from cellwright.factory.order.case import SetItemAside

    aside = SetItemAside(case=case.name, where="fridge", role="nurse", verifier="NU-2", verifier_role="nurse")
    with refused("already-given"):
        scene.do(aside, "NU-1")
    case = scene.stopped(
        infusion.RecordThaw(order=order, bag=Scan(text=theirs), thawed_at=stamp(scene.now), reason="", role="nurse"),
        "NU-1",
        "bedside",
    )
    assert case.given_already is not None


def test_an_administration_begun_and_not_given_is_voided_by_two(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    void = infusion.VoidAdministration(order=order, bag=bag, reason="line blocked", role="nurse", assessor="QA-1")
    with refused("nothing-to-void"):
        scene.do(void, "NU-1")
    scene.thawed(order, bag)
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    decision = scene.do(void, "NU-1")
    assert ("QA-1", "quality_assurance") in {(n.person, n.role) for n in decision.sign}
    assert f"bag/{bag}" not in scene.claims
    assert scene.order(order).given == ()
    scene.checked(order, bag, "infusion")
    scene.do(scene.starting(order, bag), "NU-1")
    scene.do(scene.given(order, bag), "NU-1")
    with refused("nothing-to-void"):
        scene.do(void, "NU-1")


# --- one product after another


def test_a_product_waits_for_the_infusion_of_the_one_before_it(scene: Scene) -> None:
    """D13: aT19 is ordered and made before, and given only after CAR-T-19."""
    first, (first_bag,) = scene.ready(1)
    second = scene.approved("PAIR-1", "follow", linked=first)
    bags = scene.made(second, "LOT-9")
    scene.delivered(9, second, "LOT-9", bags)
    with refused("gate-closed"):
        scene.do(scene.checking(second, bags[0], "thaw"), "NU-1")
    scene.infused(first, first_bag)
    assert scene.order(second).prior_infusion == "recorded"
    scene.infused(second, bags[0])
    assert len(scene.order(second).given) == 1


def test_an_infusion_elsewhere_counts_when_attested_by_document_and_two_people(scene: Scene) -> None:
    order, (bag,) = scene.ready(1, name="follow")
    with refused("gate-unknown"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")

    def attest(**more: str) -> prior_product.AttestPriorInfusion:
        given = {
            "order": order, "product": "car", "hospital": "hospital/south", "infused_on": "2026-03-01",
            "document_sha256": HASH, "role": "coordinator", "verifier": "DR-1", "verifier_role": "physician", **more,
        }  # fmt: skip
        return prior_product.AttestPriorInfusion(**given)  # type: ignore[arg-type]

    for more, code in (
        ({"product": "many"}, "not-the-prior-product"),
        ({"document_sha256": ""}, "document-missing"),
        ({"infused_on": "2027-03-01"}, "in-the-future"),
        ({"verifier": "CO-1", "verifier_role": "coordinator"}, "same-person-twice"),
    ):
        with refused(code):
            scene.do(attest(**more), "CO-1")
    scene.do(attest(), "CO-1")
    assert scene.order(order).prior_infusion == "attested"
    scene.checked(order, bag, "thaw")


def test_nothing_given_is_no_infusion_to_wait_for(scene: Scene) -> None:
    first, (bag,) = scene.ready(1)
    second = scene.approved("PAIR-1", "follow", linked=first)
    scene.infused(first, bag, "0", "50")
    assert scene.order(second).prior_infusion is None
    assert scene.order(first).given == ()
    bags = scene.made(second, "LOT-9")
    scene.delivered(9, second, "LOT-9", bags)
    with refused("gate-closed"):
        scene.do(scene.checking(second, bags[0], "thaw"), "NU-1")


# --- weight


def test_a_changed_weight_waits_for_dose_and_endotoxin_to_be_judged_again(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.weighed(order, "25")
    assert scene.order(order).rejudge == set()
    scene.weighed(order, "25.0", "2026-03-02")
    assert scene.order(order).rejudge == set(), "25.0 kg is 25 kg"
    scene.weighed(order, "21.5", "2026-03-03")
    assert scene.order(order).rejudge == {"LOT-1"}
    with refused("dose-to-be-judged-again"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")
    decision = scene.do(weight.JudgeDose(order=order, lot="LOT-1", role="quality_assurance"), "QA-1")
    assert [n.meaning for n in decision.sign] == ["assessed"]
    (judged,) = scene.said("order.dose_judged")
    assert (judged.weight_kg, judged.within) == ("21.5", True)  # type: ignore[attr-defined]
    scene.checked(order, bag, "thaw")


def test_a_dose_outside_its_limits_is_not_given(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    order, (bag,) = scene.ready(1)
    scene.weighed(order, "25")
    scene.weighed(order, "12", "2026-03-02")
    monkeypatch.setattr(weight, "_within", lambda world, lot: False)
    scene.do(weight.JudgeDose(order=order, lot="LOT-1", role="quality_assurance", text="14.6 EU/kg"), "QA-1")
    with refused("dose-outside-limits"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")


@pytest.mark.parametrize(
    ("kg", "on", "code"),
    [
        ("0", "2026-03-01", "not-positive"),
        ("700", "2026-03-01", "not-a-weight"),
        ("70", "2027-03-01", "in-the-future"),
        ("70", "2026-02-01", "older-weight"),
        ("7O", "2026-03-01", "not-a-number"),
    ],
)
def test_weights_are_read_strictly(scene: Scene, kg: str, on: str, code: str) -> None:
    order, _ = scene.ready(1)
    scene.weighed(order, "25")
    with refused(code):
        scene.weighed(order, kg, on)
    with refused("nothing-to-judge"):
        scene.do(weight.JudgeDose(order=order, lot="LOT-7", role="quality_assurance"), "QA-1")


# --- made but not given


@pytest.mark.parametrize("why", ["death", "progression", "withdrawal"])
def test_made_and_not_given_is_an_outcome(scene: Scene, why: str) -> None:
    """D22."""
    order, (bag,) = scene.ready(1)
    with refused("order-goes-on"):
        scene.do(disposition.Close(order=order), "CO-1")
    scene.do(disposition.End(order=order, why=why, on="2026-03-10"), "DR-1")  # type: ignore[arg-type]
    with refused("order-ended-already"):
        scene.do(disposition.End(order=order, why="other", on="2026-03-10"), "DR-1")
    with refused("order-ended"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")
    with refused("research-consent-missing"):
        scene.do(_dispose(order, bag, "research"), "CL-1")
    scene.consented(order, "research")
    scene.do(_dispose(order, bag, "research"), "CL-1")
    scene.do(disposition.Close(order=order), "CO-1")
    assert (scene.order(order).outcome, scene.order(order).withdrawn) == ("made_not_given", why)


def test_an_order_that_ends_before_anything_was_made(scene: Scene) -> None:
    order = scene.approved(scene.pair("1"))
    scene.do(disposition.End(order=order, why="physician_decision", on="2026-03-01", text="donor match"), "DR-1")
    scene.do(disposition.Close(order=order), "CO-1")
    assert scene.order(order).outcome == "not_made"
    with refused("order-closed"):
        scene.do(placing.Approve(order=order, role="planner"), "PL-1")


def test_without_consent_nothing_is_thawed(scene: Scene) -> None:
    order, (bag,) = scene.ready(1)
    scene.do(placing.WithdrawConsent(order=order, purpose="treatment", reason="asked to"), "DR-1")
    with refused("consent-missing"):
        scene.do(scene.checking(order, bag, "thaw"), "NU-1")
    with refused("consent-missing"):
        scene.do(clear(order), "DR-1")
