"""Results that hide others, and results that say nothing of where they come from."""

from typing import Any

import pytest

from cellwright.factory.people import stamp
from cellwright.factory.plant.equipment import EquipmentCalibrated, EquipmentRegistered, EquipmentTakenOut
from cellwright.factory.quality.culture import AbandonCulture
from cellwright.factory.quality.evaluation import evaluate
from cellwright.factory.quality.fact import RawFile
from cellwright.factory.quality.result import InvalidateResult
from cellwright.factory.quality.situation import judgements
from cellwright.factory.quality.specifying import AssignSpecification
from tests.factory.quality.made import criterion, culture, evidence, result, specification
from tests.factory.quality.setting import DAY, Laboratory, refused
from tests.factory.quality.test_culture import read, start


@pytest.fixture
def lab() -> Laboratory:
    found = Laboratory()
    found.patient(1)
    found.do(AssignSpecification(lot="L-1"), "QA-1")
    found.receive("L-1")
    return found


def attested(lab: Laboratory, test: str, value: str) -> None:
    from cellwright.factory.quality.laboratory import Qualify

    lab.do(Qualify(laboratory="outside", tests=(test,), until="2026-12-31", document_sha256="0" * 64), "QA-1")
    lab.do(lab.attesting("L-1", test, value, laboratory="outside", analyst="QC-1"), "QC-1")
    lab.verify("L-1", next(reversed(lab.quality("L-1").results)), by="QC-3")


@pytest.mark.requirement("R107")
def test_a_negative_on_paper_hides_no_culture_that_still_runs(lab: Laboratory) -> None:
    name = start(lab)
    attested(lab, "sterility", "negative")
    assert judgements(lab, "L-1")["sterility"].why == "culture-running"
    lab.advance(days=3)
    read(lab, name)
    assert judgements(lab, "L-1")["sterility"].why == "negative-to-date"
    lab.advance(days=1)
    read(lab, name, growth=True)
    assert judgements(lab, "L-1")["sterility"].verdict == "fail"


@pytest.mark.requirement("R107")
def test_growth_counts_even_where_another_reading_took_its_place() -> None:
    spec = specification(criterion("sterility", "==", "negative", safety="sterility"))
    grown = result("sterility", "positive", id="R-1", status="superseded")
    again = result("sterility", "negative", id="R-2")
    found = evaluate(spec, evidence(grown, again, cultures=(culture("sterility", "positive", result="R-1"),)))
    assert found["sterility"].verdict == "fail"


@pytest.mark.requirement("R107")
def test_a_culture_is_given_up_in_the_open_and_never_once_it_grew(lab: Laboratory) -> None:
    first, second = start(lab), start(lab)
    with refused("reason-missing"):
        lab.do(AbandonCulture(lot="L-1", culture=first, cause=" "), "QA-1")
    lab.do(AbandonCulture(lot="L-1", culture=first, cause="the bottle broke"), "QA-1")
    assert judgements(lab, "L-1")["sterility"].why == "culture-running", "the other one"
    read(lab, second, growth=True)
    with refused("culture-not-running"):
        lab.do(AbandonCulture(lot="L-1", culture=second, cause="the bottle broke"), "QA-1")
    assert judgements(lab, "L-1")["sterility"].verdict == "fail"


@pytest.mark.requirement("R018")
@pytest.mark.parametrize(
    "left_out",
    [{field: " "} for field in ("document", "laboratory", "method", "method_version", "assay_version", "instrument")],
)
def test_an_attested_result_says_where_it_comes_from(lab: Laboratory, left_out: dict[str, Any]) -> None:
    with refused("origin-missing"):
        lab.do(lab.attesting("L-1", "appearance", "negative", **left_out), "QC-1")


@pytest.mark.requirement("R018")
@pytest.mark.parametrize("left_out", ["method", "method_version", "assay_version"])
def test_a_recomputed_result_says_where_it_comes_from(lab: Laboratory, left_out: str) -> None:
    with refused("origin-missing"):
        lab.do(lab.recording("L-1", "car_positive", "40", "%", **{left_out: ""}), "QC-1")


@pytest.mark.requirement("R018")
@pytest.mark.parametrize(
    ("acquired_at", "code"),
    [
        ("yesterday", "not-a-time"),
        ("", "not-a-time"),
        ("2026-03-02T08:00:00", "not-a-time"),
        ("2027-01-01T00:00:00.000000Z", "time-not-plausible"),
        ("2026-03-01T00:00:00.000000Z", "time-not-plausible"),
    ],
)
def test_an_attested_result_was_measured_after_the_draw_and_before_now(
    lab: Laboratory, acquired_at: str, code: str
) -> None:
    with refused(code):
        lab.do(lab.attesting("L-1", "appearance", "negative", acquired_at=acquired_at), "QC-1")


@pytest.mark.requirement("R018")
@pytest.mark.parametrize("analyst", ["nobody", "OP-1", "QA-1"])
def test_who_measured_is_an_analyst(lab: Laboratory, analyst: str) -> None:
    with refused("not-an-analyst"):
        lab.do(lab.attesting("L-1", "appearance", "negative", analyst=analyst), "QC-1")


@pytest.mark.requirement("R036")
def test_an_instrument_is_fit_when_it_measures_not_only_when_the_result_is_entered(lab: Laboratory) -> None:
    lab.say("equipment/INS-9", EquipmentRegistered(equipment_class="c", place="QC", calibration_every="P1D"))
    lab.advance(hours=1)
    measured = stamp(lab.now)
    lab.advance(hours=1)
    lab.say("equipment/INS-9", EquipmentCalibrated(certificate="c", until=stamp(lab.now + DAY)))

    def recorded(sha: str) -> str:
        file = RawFile(sha256=sha * 64, name="f", sample="L-1-S1", acquired_at=measured)
        return lab.record_result("L-1", "car_positive", "40", "%", instrument="INS-9", file=file, acquired_at=measured)

    before = recorded("8")
    assert lab.quality("L-1").results[before].flaw == "instrument-not-fit", "calibrated afterwards"
    measured = stamp(lab.now)
    lab.advance(hours=1)
    assert lab.quality("L-1").results[recorded("9")].flaw == ""
    lab.say("equipment/INS-9", EquipmentTakenOut())
    assert lab.quality("L-1").results[recorded("7")].flaw == "instrument-not-fit", "found broken before it was entered"


@pytest.mark.requirement("R109")
def test_a_result_is_taken_out_only_once_it_can_be_judged() -> None:
    lab = Laboratory()
    lab.patient(1)
    lab.receive("L-1")
    failing = lab.record_result("L-1", "viability", "20", "%")
    with refused("specification-not-assigned"):
        lab.do(InvalidateResult(lot="L-1", result=failing, cause="the sample stood too long"), "QA-1")
    file = RawFile(sha256=f"{lab.files:064x}", name=f"{lab.files}.fcs", sample="L-1-S1", acquired_at=stamp(lab.now))
    with refused("specification-not-assigned"):
        lab.do(lab.recording("L-1", "viability", "90", "%", file=file, stands_for=failing, second="QC-2",
                             reason="another gate"), "QC-1")  # fmt: skip
