"""`cellwright trial`: the verdict, why, what to find out, and the acts that stay shut."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cellwright.cli import app

CHILD: dict[str, Any] = {
    "zone": "Asia/Shanghai",
    "born": "2014-05-03",
    "moments": {"consent": "2026-03-01T20:00:00Z", "screening": "2026-03-02", "enrolment": "2026-03-02"},
    "findings": {"diagnosis": "B-ALL", "disease_status": "relapsed", "linked_order": "CAR-T-19"},
    "attested": {"other_criteria_met": {"holds": True, "role": "physician", "by": "MD-1"}},
}
DOCUMENT = {"document_sha256": "ab" * 32, "transcriber": "RN-1", "verifier": "RN-2"}


def checked(tmp_path: Path, patient: dict[str, Any], protocol: str, *more: str) -> tuple[int, dict[str, Any]]:
    file = tmp_path / "patient.yaml"
    file.write_text(yaml.safe_dump(patient), "utf-8")
    result = CliRunner().invoke(
        app, ["trial", "check", "--patient", str(file), "--protocol", protocol, "--json", *more]
    )
    return result.exit_code, json.loads(result.stdout) if result.stdout else {}


def test_at19_is_held_for_a_patient_without_an_infusion_of_car_t_19(tmp_path: Path) -> None:
    code, said = checked(tmp_path, CHILD, "aT19-phase-I")
    assert (code, said["verdict"]) == (1, "eligible")
    assert said["schema"] == "cellwright.trial-check/1"
    assert said["acts"]["order"]["open"] is True
    assert said["acts"]["infusion"] == {"open": None, "unmet": [], "unknown": ["prior_product_infused(CAR-T-19)"]}
    never = CHILD | {"prior": {"CAR-T-19": {"attested": {**DOCUMENT, "outcome": "not_infused"}}}}
    code, said = checked(tmp_path, never, "aT19-phase-I")
    assert code == 1
    assert said["acts"]["infusion"]["unmet"] == ["prior_product_infused(CAR-T-19)"]


def test_an_infusion_elsewhere_counts_with_its_document_and_two_people(tmp_path: Path) -> None:
    given = CHILD | {"prior": {"CAR-T-19": {"attested": DOCUMENT}}}
    assert checked(tmp_path, given, "aT19-phase-I")[0] == 0
    for spoiled in ({"verifier": "RN-1"}, {"document_sha256": "none"}, {"transcriber": ""}):
        bare = CHILD | {"prior": {"CAR-T-19": {"attested": DOCUMENT | spoiled}}}
        assert checked(tmp_path, bare, "aT19-phase-I")[1]["acts"]["infusion"]["open"] is None
    named = CHILD | {"prior": {"CAR-T-19": {"chain": "A9999"}}}
    assert checked(tmp_path, named, "aT19-phase-I")[1]["acts"]["infusion"]["open"] is None, "nobody looked it up"


def test_unknown_is_never_eligible_and_says_what_to_measure(tmp_path: Path) -> None:
    code, said = checked(tmp_path, CHILD, "NCT05270772")
    assert (code, said["verdict"]) == (1, "unknown")
    asked = {one["name"]: one for one in said["find_out"]}
    assert asked["HIV_Ab"]["why"] == "absent"
    assert asked["life_expectancy_weeks_ge_12"] == {
        "name": "life_expectancy_weeks_ge_12",
        "why": "sign",
        "by": "physician",
    }
    assert "lansky" in asked and "karnofsky" not in asked, "the child is under 16"
    criterion = next(one for one in said["criteria"] if one["label"] == "E3")
    assert len(criterion["rule_sha256"]) == 64
    assert criterion["explanation"][0] == {"depth": 0, "rule": "any", "found": "", "value": None}


@pytest.mark.parametrize(("role", "verdict"), [("physician", "eligible"), ("coordinator", "unknown")])
def test_a_judgement_counts_in_its_role_only(tmp_path: Path, role: str, verdict: str) -> None:
    signed = {"other_criteria_met": {"holds": True, "role": role, "by": "MD-1"}}
    assert checked(tmp_path, CHILD | {"attested": signed}, "aT19-phase-I")[1]["verdict"] == verdict


def test_the_clock_of_consent_is_the_hospital_s(tmp_path: Path) -> None:
    """Consent at four in the morning in Beijing is still the day before in London, the last day under 25."""
    born = CHILD | {"born": "2001-03-02"}
    ages = [
        next(
            line["found"]
            for criterion in checked(tmp_path, born | {"zone": zone}, "aT19-phase-I")[1]["criteria"]
            for line in criterion["explanation"]
            if line["rule"].startswith("age")
        )
        for zone in ("Asia/Shanghai", "UTC")
    ]
    assert ages == ["25", "24"]


@pytest.mark.parametrize(
    "change",
    [{"colour": "red"}, {"zone": "Mars/Base"}, {"moments": {"breakfast": "2026-03-01"}}, {"moments": {"consent": "soon"}},
     {"moments": {"consent": "2001-01-01"}}, {"moments": {"consent": "2026-03-01T20:00:00"}},
     {"findings": {"x": {"value": "1", "at": "noon"}}}],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    assert checked(tmp_path, CHILD | change, "aT19-phase-I")[0] == 2


def test_wrong_calls(tmp_path: Path) -> None:
    assert checked(tmp_path, CHILD, "none")[0] == 2
    assert (
        checked(tmp_path, CHILD | {"prior": {"CAR-T-19": {"chain": "A"}}}, "aT19-phase-I", "--site", str(tmp_path))[0]
        == 2
    )
    run = CliRunner().invoke(
        app, ["trial", "check", "--patient", str(tmp_path / "no.yaml"), "--protocol", "NCT05270772"]
    )
    assert run.exit_code == 2


def test_the_protocols_are_listed_with_what_machines_judge() -> None:
    run = CliRunner().invoke(app, ["trial", "list", "--json"])
    listed = {one["id"]: one for one in json.loads(run.stdout)["protocols"]}
    assert len(listed["NCT05914155"]["criteria"]["machine"]) == 17
    assert listed["NCT05914155"]["criteria"]["judgement"] == ["E11", "E12", "E14"]
    for language in ("en", "zh-Hans"):
        said = CliRunner().invoke(app, ["--language", language, "trial", "list"])
        assert said.exit_code == 0 and "NCT05914155" in said.stdout


def test_a_person_reads_why(tmp_path: Path) -> None:
    file = tmp_path / "patient.json"
    file.write_text(json.dumps(CHILD | {"born": "1990-01-01"}), "utf-8")
    run = CliRunner().invoke(app, ["trial", "check", "--patient", str(file), "--protocol", "aT19-phase-I"])
    assert run.exit_code == 1
    assert "✗ I2" in run.stdout and "infusion is held" in run.stdout
