"""Into the ledger and out again: nothing twice, changes shown, one trial of several registers brought together."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cellwright.command.portfolio import Portfolio, open_portfolio
from cellwright.connect.register.exporting import NoForm, exported
from cellwright.connect.register.importing import files_under, import_file
from cellwright.connect.register.merge import groups
from cellwright.factory.portfolio.statement import RegisterRecord
from cellwright.ledger.files import FileRef
from tests.connect.register.papers import CDE, ICTRP, v2


@pytest.fixture
def portfolio(tmp_path: Path) -> Any:
    with open_portfolio(tmp_path / "portfolio", write=True) as opened:
        yield opened


def written(folder: Path, name: str, content: str | dict[str, object]) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def record(portfolio: Portfolio, name: str) -> RegisterRecord:
    return portfolio.book.get(RegisterRecord, name)


def test_every_real_file_goes_in_and_a_second_import_changes_nothing(portfolio: Portfolio, shared_data: Path) -> None:
    paths = list(files_under([shared_data / "portfolio"]))
    first = [import_file(portfolio, path) for path in paths]
    assert not any(one.error for one in first)
    size = portfolio.ledger.head().size
    second = [import_file(portfolio, path) for path in paths]
    assert {one.what for file in second for one in file.records} == {"known"}
    assert portfolio.ledger.head().size == size
    assert portfolio.files is not None
    for path, file in zip(paths, first, strict=True):
        assert portfolio.files.path(FileRef(file.sha256, 0)).read_bytes() == path.read_bytes()
    assert len(portfolio.book.all(RegisterRecord)) == 241


def test_a_changed_record_shows_what_changed(portfolio: Portfolio, tmp_path: Path) -> None:
    import_file(portfolio, written(tmp_path, "a.json", v2()))
    newer = written(tmp_path, "b.json", v2(overallStatus="COMPLETED", whyStopped="", resultsWaivedText="none"))
    (imported,) = import_file(portfolio, newer).records
    assert imported.what == "changed"
    assert [tuple(one) for one in imported.changes] == [
        ("status", "unknown", "completed"),
        ("status_text", "UNKNOWN", "COMPLETED"),
        ("protocolSection.statusModule.resultsWaivedText", None, ["none"]),
    ]
    # The older file once more is old news, not a change back.
    (again,) = import_file(portfolio, tmp_path / "a.json").records
    assert again.what == "known"
    assert record(portfolio, "ctgov-v2-NCT09999999").content["status"] == "completed"


def test_an_old_file_read_late_is_kept_and_changes_nothing(portfolio: Portfolio, tmp_path: Path) -> None:
    newer = v2(overallStatus="COMPLETED", lastUpdateSubmitDate="2024-05-01")
    older = v2(overallStatus="RECRUITING", lastUpdateSubmitDate="2023-05-01")
    import_file(portfolio, written(tmp_path, "a.json", newer))
    (imported,) = import_file(portfolio, written(tmp_path, "b.json", older)).records
    assert (imported.what, imported.changes) == ("older", ())
    assert record(portfolio, "ctgov-v2-NCT09999999").content["status"] == "completed"
    assert len(portfolio.book.history["record", "ctgov-v2-NCT09999999"]) == 2


def test_a_download_time_is_no_change(portfolio: Portfolio, tmp_path: Path) -> None:
    import_file(portfolio, written(tmp_path, "a.json", v2() | {"record_last_import": "2024-01-01"}))
    (again,) = import_file(portfolio, written(tmp_path, "b.json", v2() | {"record_last_import": "2025-01-01"})).records
    assert again.what == "known"


def test_a_broken_file_is_kept_and_changes_nothing_else(portfolio: Portfolio, tmp_path: Path) -> None:
    size = portfolio.ledger.head().size
    file = import_file(portfolio, written(tmp_path, "broken.json", "{"))
    assert file.error and not file.records
    assert portfolio.ledger.head().size == size


def test_records_of_one_trial_are_brought_together_with_evidence(portfolio: Portfolio, tmp_path: Path) -> None:
    for name, content in (("a.json", v2()), ("b.xml", ICTRP), ("c.html", CDE), ("d.json", v2("NCT08888888"))):
        import_file(portfolio, written(tmp_path, name, content))
    euctr = {
        "a2_eudract_number": "2020-001234-56",
        "a1_member_state_concerned": "Spain - AEMPS",
        "x5_trial_status": "Ongoing",
    }
    import_file(portfolio, written(tmp_path, "e.json", euctr))
    found = {one.records: one for one in groups(portfolio.book.all(RegisterRecord))}
    # Both records of ClinicalTrials.gov state the same EudraCT number, so they and the portal's record are one trial.
    together = found[
        "ctgov-v2-NCT09999999", "ictrp-ChiCTR2100099999", "ctgov-v2-NCT08888888", "euctr-2020-001234-56-Spain"
    ]
    assert ("ictrp-ChiCTR2100099999", "NCT09999999", "Secondary_ID") in together.evidence
    assert ("cde-CTR20219999",) in found


def test_a_number_that_is_only_mentioned_merges_nothing(portfolio: Portfolio, tmp_path: Path) -> None:
    page = CDE.replace("<table><tr><th>首次", "<table><tr><th>相关登记号</th><td>CTR20218888</td></tr><tr><th>首次")
    import_file(portfolio, written(tmp_path, "a.html", page))
    import_file(portfolio, written(tmp_path, "b.html", CDE.replace("CTR20219999", "CTR20218888")))
    found = groups(portfolio.book.all(RegisterRecord))
    assert [len(one.records) for one in found] == [1, 1]
    assert [one.number for one in found[0].mentions] == ["CTR20218888"]


# --- for others


def test_fhir_is_valid_and_says_what_it_does_not_express(portfolio: Portfolio, tmp_path: Path) -> None:
    import_file(portfolio, written(tmp_path, "a.json", v2()))
    text, lost = exported(record(portfolio, "ctgov-v2-NCT09999999"), "fhir")
    study, variable = (entry["resource"] for entry in json.loads(text)["entry"])
    assert study["identifier"][0] == {"system": "https://clinicaltrials.gov", "value": "NCT09999999"}
    assert study["period"] == {"start": "2021-02", "end": "2024-12-31"}
    assert study["recruitment"]["eligibility"]["reference"] == f"EvidenceVariable/{variable['id']}"
    age, *criteria = variable["characteristic"]
    assert age["definitionByTypeAndValue"]["valueRange"]["low"]["code"] == "min"
    assert [(one["description"], one["exclude"]) for one in criteria] == [
        ("ALT < 3 x ULN", False), ("age >= 18", False), ("None", True),
    ]  # fmt: skip
    assert "sex" in lost
    assert any(one.startswith("unmapped: ") for one in lost)


def test_usdm_follows_the_published_interface_and_is_read_back(
    portfolio: Portfolio, tmp_path: Path, shared_data: Path
) -> None:
    import_file(portfolio, shared_data / "portfolio/ctgov_v2/NCT05914155_rituximab_membranous_nephropathy.json")
    before = record(portfolio, "ctgov-v2-NCT05914155")
    text, lost = exported(before, "usdm")
    interface = json.loads((shared_data / "portfolio/usdm/USDM_API.json").read_text(encoding="utf-8"))
    schema = {"$ref": "#/components/schemas/Wrapper-Input", "components": interface["components"]}
    jsonschema.validate(json.loads(text), schema)
    import_file(portfolio, written(tmp_path, "usdm.json", text))
    after = record(portfolio, "usdm-NCT05914155")
    for name in ("title", "official_title", "phase", "inclusion", "exclusion", "enrolment", "conditions", "sponsor"):
        assert after.content.get(name) == before.content.get(name), name
    assert "dates" in lost


def test_the_real_study_definition_is_read_with_its_criteria(portfolio: Portfolio, shared_data: Path) -> None:
    import_file(portfolio, shared_data / "portfolio/usdm/EliLilly_NCT03421379_Diabetes.json")
    content = record(portfolio, "usdm-NCT03421379").content
    assert (content["phase"], len(content["inclusion"]), len(content["exclusion"])) == ("3", 10, 26)


def test_every_real_record_can_be_written_as_fhir(portfolio: Portfolio, shared_data: Path) -> None:
    for path in files_under([shared_data / "portfolio/ctrdata_registers", shared_data / "portfolio/ctgov_classic_xml"]):
        import_file(portfolio, path)
    for one in portfolio.book.all(RegisterRecord):
        exported(one, "fhir")
        exported(one, "usdm")


def test_an_unknown_form_is_refused(portfolio: Portfolio, tmp_path: Path) -> None:
    import_file(portfolio, written(tmp_path, "a.json", v2()))
    with pytest.raises(NoForm, match="fhir or usdm"):
        exported(record(portfolio, "ctgov-v2-NCT09999999"), "word")
