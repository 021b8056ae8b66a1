"""Out of specification: phase I, phase II, a fixed number of retests, and a result that stays (R109, R110)."""

from typing import Any

import pytest

from cellwright.factory.quality.investigation import (
    ConcludeInvestigation,
    ConcludeLaboratoryPhase,
    PlanRetest,
    StartRetest,
)
from cellwright.factory.quality.result import InvalidateResult
from cellwright.factory.quality.situation import judgements
from cellwright.factory.quality.specifying import AssignSpecification
from tests.factory.quality.setting import Laboratory, refused

OOS = "L-1-OOS01"


@pytest.fixture
def lab() -> Laboratory:
    """Viability 68 % against at least 70 %, made by QC-1."""
    found = Laboratory()
    found.patient(1)
    found.do(AssignSpecification(lot="L-1"), "QA-1")
    found.receive("L-1")
    found.record_result("L-1", "viability", "68", "%")
    return found


def phase_one(lab: Laboratory, cause: str = "") -> None:
    command = ConcludeLaboratoryPhase(
        lot="L-1", investigation=OOS, finding="preparations kept and examined", supervisor="QA-1", cause=cause
    )
    lab.do(command, "QC-1")


def plan(number: int = 2, **more: Any) -> PlanRetest:
    return PlanRetest(lot="L-1", investigation=OOS, number=number, **{"analyst": "QC-2", **more})


def conclude(outcome: Any = "confirmed", **more: Any) -> ConcludeInvestigation:
    given = {"conclusion": "The result stands.", "follow_up": "None.", **more}
    return ConcludeInvestigation(lot="L-1", investigation=OOS, outcome=outcome, **given)


def retest(lab: Laboratory, value: str, n: int) -> str:
    lab.do(StartRetest(lot="L-1", investigation=OOS), "QC-2")
    return lab.record_result("L-1", "viability", value, "%", by="QC-2", investigation=OOS, retest=f"{OOS}-T{n}")


def test_a_failing_result_opens_its_investigation_in_the_same_decision(lab: Laboratory) -> None:
    (found,) = lab.quality("L-1").open_investigations
    assert (found.id, found.test, found.phase, found.analysts) == (OOS, "viability", "laboratory", ("QC-1",))
    lab.record_result("L-1", "viability", "60", "%")
    assert len(lab.quality("L-1").investigations) == 1, "the same test is under investigation already"


def test_results_that_were_there_before_the_specification_are_judged_when_it_is_assigned() -> None:
    lab = Laboratory()
    lab.patient(1)
    lab.receive("L-1")
    lab.record_result("L-1", "viability", "68", "%")
    assert lab.quality("L-1").investigations == {}
    lab.do(AssignSpecification(lot="L-1"), "QA-1")
    assert [i.test for i in lab.quality("L-1").open_investigations] == ["viability"]


@pytest.mark.requirement("R109")
def test_an_out_of_specification_result_leaves_only_through_its_investigation(lab: Laboratory) -> None:
    with refused("investigation-needed"):
        lab.do(InvalidateResult(lot="L-1", result="L-1-R01", cause="I do not like it"), "QA-1")
    with refused("investigation-needed"):
        lab.record_result("L-1", "viability", "92", "%", stands_for="L-1-R01")


@pytest.mark.requirement("R109")
def test_the_phases_follow_each_other(lab: Laboratory) -> None:
    for command, by in ((plan(), "QA-1"), (StartRetest(lot="L-1", investigation=OOS), "QC-2"), (conclude(), "QA-1")):
        with refused("investigation-not-so-far"):
            lab.do(command, by)
    phase_one(lab)
    with refused("investigation-not-so-far"):
        phase_one(lab)
    lab.do(conclude(), "QA-1")
    for command, by in ((plan(), "QA-1"), (conclude(), "QA-1")):
        with refused("investigation-not-so-far"):
            lab.do(command, by)
    with refused("unknown-investigation"):
        lab.do(ConcludeLaboratoryPhase(lot="L-1", investigation="X", finding="x", supervisor="QA-1"), "QC-1")


def test_phase_one_has_two_people_and_a_written_finding(lab: Laboratory) -> None:
    lab.person("QC-8", "analyst", "quality_assurance")
    for supervisor, by, code in (("QC-1", "QC-3", "same-person-twice"), ("QC-8", "QC-8", "same-person-twice")):
        with refused(code):
            lab.do(ConcludeLaboratoryPhase(lot="L-1", investigation=OOS, finding="x", supervisor=supervisor), by)
    with refused("text-missing"):
        lab.do(ConcludeLaboratoryPhase(lot="L-1", investigation=OOS, finding=" ", supervisor="QA-1"), "QC-1")


@pytest.mark.requirement("R109")
def test_without_an_assignable_cause_nothing_is_invalidated(lab: Laboratory) -> None:
    phase_one(lab)
    with refused("no-assignable-cause"):
        lab.do(conclude("laboratory_error"), "QA-1")
    lab.do(conclude(), "QA-1")
    assert lab.quality("L-1").results["L-1-R01"].valid
    assert judgements(lab, "L-1")["viability"].verdict == "fail"
    assert lab.quality("L-1").open_investigations == ()


@pytest.mark.requirement("R015")
@pytest.mark.requirement("R109")
def test_with_an_assignable_cause_the_result_is_invalidated_and_stays_visible(lab: Laboratory) -> None:
    phase_one(lab, cause="the sample stood at 37 degC for six hours before staining")
    lab.do(plan(1), "QA-1")
    name = retest(lab, "92", 1)
    lab.verify("L-1", name, by="QC-3")
    lab.do(conclude("laboratory_error", conclusion="Sample handling error."), "QA-1")
    old = lab.quality("L-1").results["L-1-R01"]
    assert (old.status, old.value) == ("invalidated", "68")
    assert "37 degC" in old.reason
    assert judgements(lab, "L-1")["viability"].why == "", judgements(lab, "L-1")["viability"]
    assert judgements(lab, "L-1")["viability"].verdict == "pass"


@pytest.mark.requirement("R109")
def test_retests_follow_a_plan_with_a_fixed_number(lab: Laboratory) -> None:
    """Testing into compliance: the third of two planned retests is refused, begun or not."""
    phase_one(lab)
    for number in (0, 10):
        with refused("number-not-plausible"):
            lab.do(plan(number), "QA-1")
    with refused("second-analyst-needed"):
        lab.do(plan(analyst="QC-1"), "QA-1")
    with refused("reason-missing"):
        lab.do(plan(basis="resample"), "QA-1")
    lab.do(plan(2), "QA-1")
    with refused("retest-planned-already"):
        lab.do(plan(3), "QA-1")
    with refused("second-analyst-needed"):
        lab.do(StartRetest(lot="L-1", investigation=OOS), "QC-3")
    retest(lab, "71", 1)
    with refused("retests-outstanding"):
        lab.do(conclude(), "QA-1")
    for name in (f"{OOS}-T1", f"{OOS}-T2", f"{OOS}-T3"):
        with refused("retest-not-planned"):
            lab.record_result("L-1", "viability", "71", "%", by="QC-2", investigation=OOS, retest=name)
    retest(lab, "72", 2)
    with refused("retest-not-planned"):
        lab.do(StartRetest(lot="L-1", investigation=OOS), "QC-2")
    lab.do(conclude(), "QA-1")


@pytest.mark.requirement("R110")
def test_passing_retests_do_not_replace_or_average_away_the_result(lab: Laboratory) -> None:
    phase_one(lab)
    lab.do(plan(2), "QA-1")
    lab.verify("L-1", retest(lab, "76", 1), retest(lab, "78", 2), by="QC-3")
    lab.do(conclude(), "QA-1")
    found = judgements(lab, "L-1")["viability"]
    assert (found.verdict, found.value) == ("fail", "68")
    assert [r.value for r in lab.quality("L-1").results.values()] == ["68", "76", "78"]


def test_who_made_the_results_does_not_conclude(lab: Laboratory) -> None:
    lab.person("QC-8", "analyst", "quality_assurance")
    phase_one(lab)
    lab.do(plan(1, analyst="QC-8"), "QA-1")
    lab.do(StartRetest(lot="L-1", investigation=OOS), "QC-8")
    lab.record_result("L-1", "viability", "71", "%", by="QC-8", investigation=OOS, retest=f"{OOS}-T1")
    with refused("same-person-twice"):
        lab.do(conclude(), "QC-8")
    for empty in ({"conclusion": ""}, {"follow_up": " "}):
        with refused("text-missing"):
            lab.do(conclude(**empty), "QA-1")


def test_of_a_calculated_value_the_spoiled_result_is_named() -> None:
    """Dose of a child: 5e6 per mL x 40 % x 30 mL / 11 kg is above 5e6 per kg; the count was read wrongly."""
    lab = Laboratory()
    lab.patient(1, weight="11")
    lab.do(AssignSpecification(lot="L-1"), "QA-1")
    lab.receive("L-1")
    lab.record_result("L-1", "viable_cells", "5e6", "cells/mL")
    lab.record_result("L-1", "car_positive", "40", "%")
    (found,) = lab.quality("L-1").open_investigations
    assert (found.test, set(found.results)) == ("dose", {"L-1-R01", "L-1-R02"})
    phase_one(lab, cause="dilution factor entered twice")
    with refused("spoiled-results-not-named"):
        lab.do(conclude("laboratory_error"), "QA-1")
    with refused("spoiled-results-not-named"):
        lab.do(conclude("laboratory_error", spoiled=("L-1-R09",)), "QA-1")
    lab.do(conclude("laboratory_error", spoiled=("L-1-R01",)), "QA-1")
    assert [r.status for r in lab.quality("L-1").results.values()] == ["invalidated", "recorded"]
