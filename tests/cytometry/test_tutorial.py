"""The tutorial from the raw file to the gated plot: its Python is run after its commands, in both languages."""

import contextlib
import io
import runpy
from pathlib import Path

import pytest

from cellwright.cytometry.analysis import analyse, read_analysis, record_sha256
from cellwright.cytometry.fcs import read_fcs
from tests.cli.small import cellwright
from tools.manual import SOURCES, blocks, commands, text

PAGE = "tutorial/first-gate.md"


@pytest.mark.parametrize("language", list(SOURCES))
def test_a_new_user_gets_from_a_raw_file_to_a_gated_plot(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in commands(text(language, PAGE)):
        assert cellwright(*line.split()[1:]).exit_code == 0, line
    assert (tmp_path / "pictures" / "car_positive.svg").read_text().startswith("<svg")
    (tmp_path / "tutorial.py").write_text("\n".join(blocks(text(language, PAGE), "python")), encoding="utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path("tutorial.py")
    record = analyse(read_analysis(Path("cells/analysis.yaml").read_bytes()), read_fcs("cells/sample.fcs"))
    said = printed.getvalue().splitlines()
    assert said[0] == "6600"
    assert said[2] == f"40.0 % (39.2 to 40.8), record {record_sha256(record)[:12]}"
