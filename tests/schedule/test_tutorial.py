"""The pages about plans: their commands and their Python are run, in both languages."""

import runpy
from pathlib import Path

import pytest

from cellwright.schedule import solve
from cellwright.schedule.read import read
from tests.cli.small import cellwright
from tools.manual import SOURCES, blocks, commands, text


@pytest.mark.parametrize("language", list(SOURCES))
def test_a_new_user_gets_from_patients_to_a_plan(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = text(language, "tutorial/first-plan.md")
    for line in commands(page):
        assert cellwright(*line.split()[1:]).exit_code == 0, line
    (tmp_path / "page.py").write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    assert runpy.run_path("page.py")["clinic"].solve().value == 32


@pytest.mark.parametrize("language", list(SOURCES))
def test_the_guide_repairs_a_plan(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cellwright("schedule", "example", "plant.yaml", "--patients", "12").exit_code == 0
    problem = read(Path("plant.yaml"))
    old_plan = solve(problem, rounds=200)
    source = "\n".join(blocks(text(language, "how-to/repair-a-plan.md"), "python"))
    (tmp_path / "guide.py").write_text(source, encoding="utf-8")
    found = runpy.run_path("guide.py", init_globals={"old_plan": old_plan})
    assert found["plan"].jobs and Path("moves.svg").read_text().startswith("<svg")
