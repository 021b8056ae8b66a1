"""The verifier as a stranger has it: one file, Python, nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cellwright.command.dossier import standalone
from cellwright.command.dossier.check import verify_dossier
from cellwright.language import CHINESE, translate
from tests.command.dossier.conftest import Made

VERIFIER = Path(str(standalone.files("cellwright.shipped").joinpath("verify_dossier.py")))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The verifier in a Python without site packages, environment or current folder."""
    command = [sys.executable, "-I", "-S", "-X", "utf8", VERIFIER, *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def archive(site: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dossier") / "one.zip"
    path.write_bytes(site.one)
    return path


def test_the_shipped_file_is_what_its_parts_compose() -> None:
    assert standalone.shipped() == standalone.compose(), "run: python -m cellwright.command.dossier.standalone"


def test_it_needs_nothing_but_the_standard_library() -> None:
    text = standalone.shipped()
    assert "\nfrom cellwright" not in text
    assert "import cellwright" not in text
    modules = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert modules <= set(sys.stdlib_module_names)


def test_every_sentence_it_can_say_has_its_chinese() -> None:
    messages = [m for _, name in standalone.PARTS for m in standalone.messages_of(_, name)]
    assert len(messages) > 150
    assert [m for m in messages if translate(m, CHINESE) in ("", m)] == []


@pytest.mark.requirement("R003")
def test_a_stranger_with_python_alone_verifies_and_reads_it(archive: Path) -> None:
    done = run(archive)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SIMULATED, NOT FOR HUMAN USE\n\nEverything holds.\n")
    assert "checked with: plain Python" in done.stdout
    chinese = run(archive, "--language", "zh")
    assert chinese.returncode == 0
    assert chinese.stdout.startswith("模拟数据，不得用于人体\n\n全部核实通过。\n")


def test_it_says_simulated_first_also_of_a_forgery_and_ends_with_1(site: Made, tmp_path: Path) -> None:
    forged = tmp_path / "forged.zip"
    forged.write_bytes(site.one[:-1000] + bytes(1) + site.one[-999:])
    done = run(forged)
    assert done.returncode == 1
    assert "SOMETHING DOES NOT HOLD:" in done.stdout
    assert done.stdout.count("✕") == 1
    json_ = json.loads(run(forged, "--json").stdout)
    assert json_["ok"] is False
    assert len(json_["problems"]) == 1


def test_its_json_names_its_schema_and_what_was_checked(archive: Path) -> None:
    said = json.loads(run(archive, "--json").stdout)
    assert (said["schema"], said["ok"], said["simulated"]) == ("cellwright.dossier-report/1", True, True)
    assert said["events"] > 400
    assert said["post_quantum"] == "plain Python"


@pytest.mark.parametrize(
    "arguments", [[], ["--no-such-option", "x"], ["no-such-file.zip"], ["x", "--language", "fr"], ["a.zip", "b.zip"]]
)
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert not done.stdout


def test_anything_that_is_no_dossier_is_a_finding(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"PK", b"%PDF-1.7", b"PK\x05\x06" + bytes(18), b"\x00" * 1000)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        assert run(path).returncode == 1


def test_keys_and_checkpoints_are_taken_from_the_command_line(site: Made, archive: Path, tmp_path: Path) -> None:
    key = verify_dossier(site.one).keys[0]
    assert "The site's keys are the ones you know." in run(archive, "--key", key).stdout
    assert run(archive, "--key", key.replace("demo", "dome")).returncode == 1
    note = tmp_path / "held.note"
    note.write_bytes((site.folder / "outside" / "cellwright%2Fe-town-demo" / "checkpoint").read_bytes())
    done = run(archive, "--checkpoint", note)
    assert "continues the checkpoints you hold: 1" in done.stdout, done.stdout
