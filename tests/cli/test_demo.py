"""`cellwright demo`: what it proposes can be pasted, and a full disk ends it with one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellwright.cli.demo import program

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from cellwright.cli import main
main()
"""


@pytest.mark.parametrize("kilobytes", [1, 100, 700])
def test_a_disk_without_room_ends_it_with_one_sentence(tmp_path: Path, kilobytes: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(kilobytes * 1024), "demo", "--patients", "1", "--json", "--dir", "site"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("The demonstration in site did not end: ")


def test_the_program_is_named_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a folder" / "bin"
    folder.mkdir(parents=True)
    started = folder / "cellwright"
    started.touch(0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(started)])
    assert program() == "'a folder/bin/cellwright'"
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["./cellwright"])
    assert program() == "./cellwright"
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(sys, "argv", [str(started)])
    assert program() == "cellwright"
    monkeypatch.setattr(sys, "argv", ["-m"])
    assert program() == "cellwright"
