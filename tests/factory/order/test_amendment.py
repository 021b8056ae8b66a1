"""An amended protocol judges the open orders again, and only those."""

import msgspec

from cellwright.factory.approval import Approve
from cellwright.factory.order.amendment import ApplyAmendment
from cellwright.factory.order.placing import JudgeEligibility
from cellwright.factory.trial import protocol as trial
from tests.factory.order.scene import Scene, refused
from tests.factory.order.test_placing import on_trial, rules

HIV = trial.Rule(lab=trial.Lab(test="HIV_Ab", result="positive"))


def amended(version: str, years: int, *, hiv: bool = False) -> trial.Protocol:
    before = rules()
    young = msgspec.structs.replace(
        before.criteria[0], rule=trial.Rule(age=trial.Age(op="<=", years=years, at="consent"))
    )
    excluded = msgspec.structs.replace(before.criteria[0], label="E1", kind="exclusion", rule=HIV)
    criteria = (young, excluded) if hiv else (young,)
    return msgspec.structs.replace(before, version=version, criteria=criteria)


def judged(scene: Scene, age: str, person: str) -> str:
    order = scene.placed(scene.pair(person), "trial")
    scene.do(JudgeEligibility(order=order, evidence={"age@consent": age}), "CO-1")
    return order


def test_the_rules_of_a_trial_are_signed_by_two() -> None:
    scene = on_trial()
    scene.person("PE-1", "process_engineer")
    approve = Approve(kind="trial", definition="t1", version="2", sha256="0" * 64, author="PE-1")
    with refused("encoding-unsigned"):
        scene.do(approve, "QA-1")
    decision = scene.do(msgspec.structs.replace(approve, author_role="process_engineer"), "QA-1")
    assert [(need.person, need.meaning) for need in decision.sign] == [("PE-1", "transcribed"), ("QA-1", "approved")]


def test_an_amendment_judges_open_orders_again_from_what_was_recorded() -> None:
    scene = on_trial()
    young, old = judged(scene, "20", "1"), judged(scene, "30", "2")
    unjudged = scene.placed(scene.pair("3"), "trial")
    assert [scene.order(o).eligibility for o in (young, old)] == ["eligible", "not_eligible"]
    with refused("nothing-to-judge-again"):
        scene.do(ApplyAmendment(protocol="t1"), "CO-1")
    scene.define("t1", amended("2", 35))
    scene.do(ApplyAmendment(protocol="t1"), "CO-1")
    assert [scene.order(o).eligibility for o in (young, old, unjudged)] == ["eligible", "eligible", None]
    assert scene.order(old).protocol_version == "2"
    with refused("nothing-to-judge-again"):
        scene.do(ApplyAmendment(protocol="t1"), "CO-1")
    scene.define("t1", amended("3", 35, hiv=True))
    scene.do(ApplyAmendment(protocol="t1"), "CO-1")
    assert scene.order(young).eligibility == "unknown", "the new exclusion was never tested, so nobody passes it"
    assert scene.said("order.eligibility_judged")[-1].unknown == ("E1",)
