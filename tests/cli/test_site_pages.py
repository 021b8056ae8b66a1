"""The pages on making a site and backing it up: what they show is run, in both languages, one after the other."""

import shlex
from pathlib import Path

import pytest

from tests.cli.test_site import PASSWORD, Terminal
from tools.manual import SOURCES, commands, text

PAGES = ("how-to/make-a-site.md", "how-to/back-up-a-site.md")
ALONE = 1
"""Exit code where no place outside could be compared, as the page says."""


@pytest.mark.parametrize("language", list(SOURCES))
def test_what_the_pages_show_can_be_done(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    terminal = Terminal(tmp_path / "plant", capsys, monkeypatch)
    shown = [line for page in PAGES for line in commands(text(language, page))]
    assert len(shown) == 7
    for line in shown:
        program, *arguments = shlex.split(line)
        assert program == "cellwright"
        code, _, err = terminal.run(*arguments, typed=f"{PASSWORD}\n" * 4)
        assert code == (ALONE if arguments[1] == "restore" else 0), (line, err)
    assert terminal.run("verify", tmp_path / "plant-again")[0] == 0
