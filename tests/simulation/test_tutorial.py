"""The pages about simulation: their commands and their Python are run, in both languages."""

import contextlib
import io
import runpy
from pathlib import Path

import pytest

from tests.cli.small import cellwright
from tools.manual import SOURCES, blocks, commands, text


@pytest.mark.parametrize("language", list(SOURCES))
@pytest.mark.parametrize(
    ("page", "said"),
    [("tutorial/first-simulation.md", ["20.4", "True"]), ("how-to/simulate.md", ["4"])],
    ids=["tutorial", "how-to"],
)
def test_a_page_does_what_it_says(
    language: str, page: str, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in commands(text(language, page)):
        assert cellwright(*line.split()[1:]).exit_code == 0, line
    (tmp_path / "page.py").write_text("\n".join(blocks(text(language, page), "python")), encoding="utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path("page.py")
    assert printed.getvalue().split() == said
