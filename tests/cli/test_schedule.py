"""The verb `schedule`: one document, exit codes, files."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from cellwright.cli import app
from cellwright.schedule.generate import plant
from cellwright.schedule.read import write_data

RUN = CliRunner()


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schedule") / "plant.yaml"
    path.write_text(write_data(plant(6)), encoding="utf-8")
    return path


def run(*words: object, code: int = 0) -> Any:
    found = RUN.invoke(app, ["schedule", *map(str, words)])
    assert found.exit_code == code, found.output
    return found


def test_solve_check_and_draw(problem: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    told = json.loads(run("solve", problem, "--rounds", 200, "-o", plan, "--json").stdout)
    assert told["schema"] == "cellwright.schedule-plan/1" and told["clean"] and told["bound"] <= told["value"]
    assert json.loads(run("check", problem, "--plan", plan, "--json").stdout)["ok"]
    for by in ("job", "resource", "load"):
        run("gantt", problem, "--plan", plan, "--by", by, "-o", tmp_path / f"{by}.svg")
        assert (tmp_path / f"{by}.svg").read_text().startswith("<svg")
    run("gantt", problem, "--plan", plan, "--by", "moves", "--before", plan, "-o", tmp_path / "moves.svg")
    run("gantt", problem, "--plan", plan, "--by", "person", "-o", tmp_path / "person.svg", code=1)
    run("gantt", problem, "--plan", plan, "--by", "moon", "-o", tmp_path / "moon.svg", code=2)


def test_a_changed_plan_is_found(problem: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    run("solve", problem, "--rounds", 0, "-o", plan)
    data = msgspec.json.decode(plan.read_bytes())
    data["jobs"][0]["starts"][3] += 1000
    plan.write_bytes(msgspec.json.encode(data))
    assert "✕ lag" in run("check", problem, "--plan", plan, code=1).stdout


def test_bad_problems_end_with_their_faults(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: bad\nresources: [{name: room, calendar: [[0, 0]], period: 24}]\n")
    assert "empty" in run("check", path, code=1).stderr
    run("check", tmp_path / "none.yaml", code=1)


def test_bench_measures(problem: Path) -> None:
    told = json.loads(run("bench", problem, "--rounds", 100, "--json").stdout)
    assert [row["rounds"] for row in told["runs"]] == [0, 10, 100] and all(row["clean"] for row in told["runs"])
