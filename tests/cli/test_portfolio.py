"""`cellwright portfolio`: one document with `--json`, text without, exit codes as everywhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cellwright.cli import portfolio as verb
from cellwright.language import CHINESE, use
from tests.connect.register.papers import v2

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CELLWRIGHT_PORTFOLIO", str(tmp_path / "portfolio"))

    def invoke(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(verb.app, list(words))
        return result.exit_code, result.stdout

    return invoke


def document(run: Run, *words: str, code: int = 0) -> dict[str, Any]:
    ended, text = run(*words, "--json")
    assert ended == code
    read: dict[str, Any] = json.loads(text)
    assert next(iter(read)) == "schema"
    return read


def test_the_numbers_of_the_cluster(run: Run) -> None:
    told = document(run, "stats", "--area", "beijing-e-town", "--period", "2024-H1")
    stated = told["statistics"][0]
    assert (stated["count"], stated["share_pct"]) == (106, "57")
    assert stated["implied_totals"]["totals"] == [185, 186, 187]
    assert stated["standing"] == "sourced claim, definition unknown"
    assert "unit" in stated["definition"]["unknown"]
    assert stated["basis"]["sources"][0]["locator"]


def test_mil62_with_its_designation(run: Run) -> None:
    told = document(run, "show", "MIL62")["product"]
    pmn = next(one for one in told["programmes"] if one["id"] == "MIL62-PMN")
    (status,) = pmn["status"]
    breakthrough = status["designations"][0]
    assert (status["agency"], breakthrough["name"], breakthrough["state"]) == (
        "NMPA",
        "breakthrough_therapy",
        "effective",
    )
    assert (breakthrough["when"]["first"], breakthrough["when"]["last"]) == ("2023-06-01", "2023-06-30")
    assert {one["source"] for one in breakthrough["sources"]} == {"lyzz278", "flcube62"}
    assert any("MIL162" in one["text"]["en"] for one in told["conflicts"])


def test_a_status_as_of_a_day(run: Run) -> None:
    told = document(run, "show", "aT19-B-ALL", "--on", "2024-02-10")["programme"]["status"][0]
    assert (told["stage"], told["possible"]) == ("ind_submitted", "ind_approved")


def test_an_import_and_the_same_again(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(v2()), encoding="utf-8")
    assert document(run, "import", str(file))["records"] == {"new": 1, "changed": 0, "older": 0, "known": 0}
    assert document(run, "import", str(file))["records"] == {"new": 0, "changed": 0, "older": 0, "known": 1}
    assert document(run, "show", "NCT09999999")["record"]["fields"]["status"] == "unknown"
    file.write_text(json.dumps(v2(overallStatus="COMPLETED")), encoding="utf-8")
    changed = document(run, "import", str(file))["files"][0]["records"][0]
    assert {"field": "status", "before": "unknown", "after": "completed"} in changed["changes"]
    history = document(run, "diff", "NCT09999999")["changes"]
    assert [one["what"] for one in history] == ["new", "changed"]
    assert run("export", "NCT09999999")[0] == 0
    assert run("export", "NCT09999999", "--form", "usdm")[0] == 0


@pytest.mark.parametrize(
    "words",
    [("show",), ("show", "MIL162"), ("show", "永泰生物"), ("show", "E-Town"), ("show", "NCT05213637"), ("show", "pmn"),
     ("stats", "--area", "E-Town"), ("calendar", "--on", "2025-06-01"), ("diff",), ("diff", "--since", "2020-01-01")],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", CHINESE])
def test_text_for_a_person(run: Run, words: tuple[str, ...], language: str) -> None:
    with use(language):
        code, text = run(*words)
    assert code == 0
    assert text.strip()


@pytest.mark.parametrize(
    ("words", "code"),
    [(("show", "nothing-of-the-kind"), 1), (("stats", "--area", "MIL62"), 1), (("stats", "--area", "E-Town", "--period", "x"), 2),
     (("stats", "--area", "E-Town", "--period", "1999"), 1), (("show", "MIL62", "--on", "yesterday"), 2),
     (("import", "missing.json"), 2), (("export", "MIL62"), 1), (("diff", "nothing"), 1)],
)  # fmt: skip
def test_what_is_refused(run: Run, words: tuple[str, ...], code: int) -> None:
    assert run(*words)[0] == code


def test_a_broken_file_is_named_and_the_exit_code_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    assert document(run, "import", str(tmp_path / "broken.json"), code=1)["files"][0]["error"]
