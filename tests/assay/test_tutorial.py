"""The tutorial from raw files to release results: its commands are run in both languages, and simulated files say so."""

from pathlib import Path

import pytest

from cellwright import language
from cellwright.assay.potency import read, report
from cellwright.assay.simulated import STAMP, example_files
from tests.cli.small import cellwright
from tools.manual import SOURCES, commands, text

PAGE = "tutorial/first-assay.md"


@pytest.mark.parametrize("spoken", list(SOURCES))
def test_a_new_user_gets_from_raw_files_to_results(
    spoken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = commands(text(spoken, PAGE))
    assert len(lines) == 5
    with language.use(language.CHINESE if spoken == "zh" else language.ENGLISH):
        for line in lines:
            result = cellwright(*line.split()[1:])
            assert result.exit_code == 0, (line, result.output)
    assert {path.stem for path in Path("pictures").iterdir()} == {"bioassay-potency", "endotoxin-LOT-1"}


def test_simulated_files_say_so_and_repeat() -> None:
    files = example_files(3)
    assert files == example_files(3) != example_files(4)
    assert all(STAMP.split(",")[0] in content for content in files.values())


def test_the_simulated_bioassay_finds_its_own_potency() -> None:
    """1.2 times an assumed 100 units lies within the limits of about 19 of 20 seeds; here of at least 16 of 20."""
    found = [report(read(example_files(seed)["bioassay.txt"])).estimates[0] for seed in range(20)]
    assert sum(one.lower is not None and one.upper is not None and one.lower < 120 < one.upper for one in found) >= 16
