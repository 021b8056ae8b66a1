"""`cellwright dossier`: from a site's folder to files that a stranger verifies with the program beside them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cellwright.cli.dossier import VERIFIER
from cellwright.command.dossier.standalone import shipped
from cellwright.command.site import open_site
from tests.cli.small import cellwright
from tests.command.dossier import scene


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A site with two released lots."""
    folder = tmp_path_factory.mktemp("factory") / "site"
    return folder, scene.build(folder)


def verified(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-X", "utf8", folder / VERIFIER, folder / name]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.requirement("R017")
def test_every_released_lot_gets_a_dossier_that_the_program_beside_it_accepts(
    factory: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, lots = factory
    done = cellwright("dossier", "--all", "-o", tmp_path / "out", "--dir", folder, "--json")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert said["schema"] == "cellwright.dossiers/1"
    assert [(one["lot"], one["status"]) for one in said["written"]] == [(lot, "released") for lot in lots]
    for one in said["written"]:
        assert Path(one["file"]).stat().st_size == one["size"]
        answer = verified(tmp_path / "out", Path(one["file"]).name)
        assert answer.returncode == 0, answer.stdout
        assert one["lot"] in answer.stdout


def test_one_lot_for_the_hospital_with_the_checkpoint_it_holds(factory: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, lots = factory
    note = folder / "outside" / "cellwright%2Fe-town-demo" / "checkpoint"
    arguments = ("-o", tmp_path / "one.zip", "--dir", folder, "--for", "hospital", "--checkpoint", note)
    done = cellwright("dossier", lots[0], *arguments)
    assert done.exit_code == 0
    assert f"Lot {lots[0]}, released: " in done.stdout
    assert b"opened/" in (tmp_path / "one.zip").read_bytes()


def test_a_site_at_work_gives_dossiers_too(factory: tuple[Path, list[str]], tmp_path: Path) -> None:
    """Another process has it open; what is published already is enough."""
    folder, lots = factory
    cellwright("dossier", lots[0], "-o", tmp_path / "before.zip", "--dir", folder)
    with open_site(folder):
        done = cellwright("dossier", lots[0], "-o", tmp_path / "beside.zip", "--dir", folder)
    assert done.exit_code == 0
    assert (tmp_path / "beside.zip").stat().st_size == (tmp_path / "before.zip").stat().st_size


def test_the_verifier_alone_is_written_as_shipped(tmp_path: Path) -> None:
    assert cellwright("dossier", "--verifier", "-o", tmp_path / "v.py").exit_code == 0
    assert (tmp_path / "v.py").read_text(encoding="utf-8") == shipped()


def test_a_lot_that_is_not_there_ends_with_1_and_wrong_use_with_2(bench: Path, tmp_path: Path) -> None:
    done = cellwright("dossier", "L-0", "-o", tmp_path / "x.zip", "--dir", bench)
    assert done.exit_code == 1
    assert "There is no lot L-0." in done.stderr
    for arguments in (
        ("L-0",), ("-o", "x.zip"), ("L-0", "--all", "-o", "x"), ("--all", "--verifier", "-o", "x"),
        ("L-0", "-o", "x.zip", "--dir", tmp_path / "none"), ("L-0", "-o", "x", "--checkpoint", tmp_path / "none"),
    ):  # fmt: skip
        assert cellwright("dossier", *arguments).exit_code == 2, arguments
