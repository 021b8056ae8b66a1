"""The verb `simulate`."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from cellwright import language
from cellwright.cli import simulate
from cellwright.cli.simulate import app

RUN = ["--until", "600", "--runs", "3"]


@pytest.fixture
def line(tmp_path: Path) -> str:
    assert CliRunner().invoke(app, ["example", str(tmp_path)]).exit_code == 0
    return str(tmp_path / "line.yaml")


def test_run_tells_what_resources_and_processes_did(line: str) -> None:
    done = CliRunner().invoke(app, ["run", line, *RUN])
    assert done.exit_code == 0, done.output
    assert (
        "not of a plant" in done.stdout
        and "bioreactor" in done.stdout
        and "measure/receipt to release/mean" in done.stdout
    )


def test_run_as_one_document_with_pictures_and_kept_results(line: str, tmp_path: Path) -> None:
    picture, day, kept = tmp_path / "time.svg", tmp_path / "day.json", tmp_path / "kept"
    more = ["--picture", str(picture), "--day", str(day), "--keep", str(kept), "--json"]
    first, again = (CliRunner().invoke(app, ["run", line, *RUN, *more]) for _ in range(2))
    assert first.exit_code == 0, first.output
    body = json.loads(first.stdout)
    assert body["schema"] == "cellwright.simulation.run/1" and body["simulated"] is True
    assert body["figures"]["process/patient/number"]["runs"] == 3
    assert json.loads(again.stdout) == body and len(list(kept.rglob("*.json"))) == 3
    assert picture.read_text().startswith("<svg")
    assert json.loads(day.read_text())["events"][0]["what"] == "arrived"


def test_precision_runs_on(line: str) -> None:
    arguments = ["run", line, "--until", "300", "--runs", "2", "--precision", "resource/operator/used=0.05", "--json"]
    body = json.loads(CliRunner().invoke(app, arguments).stdout)
    found = body["figures"]["resource/operator/used"]
    assert found["half_width"] <= 0.05 * found["mean"]
    assert CliRunner().invoke(app, ["run", line, "--precision", "wait"]).exit_code == 2


def test_compare_with_more_units(line: str, tmp_path: Path) -> None:
    picture = tmp_path / "scenarios.svg"
    arguments = ["compare", line, "--more", "analyst=20", *RUN, "--figure", "resource/analyst/utilisation"]
    done = CliRunner().invoke(app, [*arguments, "--picture", str(picture)])
    assert done.exit_code == 0, done.output
    assert "analyst +20" in done.stdout and "sure" in done.stdout and picture.read_text().startswith("<svg")
    body = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert body["comparisons"][1]["sure"] is True and body["comparisons"][1]["difference"]["mean"] < 0
    assert CliRunner().invoke(app, ["compare", line, *RUN]).exit_code == 2
    assert CliRunner().invoke(app, ["compare", line, *RUN, "--more", "cellar=1"]).exit_code == 1


@pytest.mark.parametrize("spoken", ["en", "zh-Hans"])
def test_the_report_has_the_twenty_items_in_both_languages(line: str, tmp_path: Path, spoken: str) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("purpose: How many analysts are needed.\nassumptions: All numbers are assumptions.\n")
    with language.use(spoken):
        items = json.loads(CliRunner().invoke(app, ["report", line, "--study", str(study), *RUN, "--json"]).stdout)[
            "items"
        ]
        page, text = tmp_path / "report.html", tmp_path / "report.md"
        for path in (page, text):
            assert CliRunner().invoke(app, ["report", line, *RUN, "-o", str(path)]).exit_code == 0
    assert len(items) == 20 and items[0]["text"] == "How many analysts are needed."
    titles = {"en": "Random sampling", "zh-Hans": "随机抽样"}
    assert titles[spoken] in page.read_text() and titles[spoken] in text.read_text()
    assert "<svg" in page.read_text()


def test_a_wrong_file_is_told_with_its_lines_before_anything_runs(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "name: x\nresources: {room: 1}\nprocesses:\n  p:\n    arrivals: 1\n    steps:\n      - acquire: room\n"
    )
    done = CliRunner().invoke(app, ["run", str(wrong)])
    assert done.exit_code == 1 and "wrong.yaml:" in done.stderr and "still holds 1 room" in done.stderr
    assert CliRunner().invoke(app, ["run", str(tmp_path / "none.yaml")]).exit_code == 2


def test_a_run_that_would_never_end_is_stopped_and_says_so(line: str) -> None:
    done = CliRunner().invoke(app, ["run", line, "--most", "2000"])
    assert done.exit_code == 1 and "after 2000 steps" in done.stderr


def test_a_warm_up_that_cannot_be_found_is_refused(line: str) -> None:
    assert CliRunner().invoke(app, ["run", line, "--until", "200", "--warm-up", "auto"]).exit_code == 1
    assert CliRunner().invoke(app, ["run", line, "--warm-up", "soon"]).exit_code == 2


def test_the_schema_is_printed() -> None:
    body = json.loads(CliRunner().invoke(app, ["schema"]).stdout)
    assert body["title"] == "Cellwright simulation model"
    assert msgspec.json.encode(body) and simulate.app is app
