"""F3 for files: the program dies at every step between the first byte of a file and the answer to the event that names it.

An event never names a file that is not there; a file without an event is harmless; and to do the same again ends with one
file and one event, wherever the first try ended.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cellwright.ledger import Draft, SimulatedClock, ledger_on, open_ledger, verify
from cellwright.ledger.files import FileRef, FolderStore, check_files
from cellwright.ledger.sqlite import SQLiteStore
from tests.faults.conftest import Count
from tests.faults.story import START

CONTENT = b"FCS3.1 " * 1000
STEPS = ("open", "write", "fsync", "mkdir")
"""Calls of the file store to the system; renaming and the ledger's own steps are added below."""


def keep(folder: Path) -> None:
    """What a command does with an instrument's file: the file first, then the event that names it."""
    with ledger_on(SQLiteStore(folder / "ledger.db", create=True), SimulatedClock(START)) as ledger:
        ref = FolderStore(folder / "files").put(CONTENT)
        body = {"file": msgspec.to_builtins(ref)}
        ledger.append([Draft(stream="sample/1", type="sample.measured", body=body, id="measured", actor="ann")])


def keep_and_die(folder: Path, at: int) -> bool:
    """Do it in a process of its own that is killed before its step number ``at``; gives whether it came to its end."""
    child = os.fork()
    if child:
        _pid, status = os.waitpid(child, 0)
        assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGKILL
        return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
    try:
        left = [at]

        def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*given, **named)

            return call

        for name in STEPS:
            setattr(os, name, mortal(getattr(os, name)))
        for kind, names in ((Path, ("replace",)), (SQLiteStore, ("begin", "put", "commit", "close"))):
            for name in names:
                setattr(kind, name, mortal(getattr(kind, name)))
        keep(folder)
        os._exit(0)
    finally:
        os._exit(1)


def references(folder: Path) -> list[FileRef]:
    with open_ledger(folder / "ledger.db", clock=SimulatedClock(START), create=True) as ledger:
        assert verify(ledger, processes=1).ok
        return [msgspec.convert(event.body["file"], FileRef) for event in ledger.read()]


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
def test_an_event_never_names_a_file_that_is_not_there(tmp_path: Path, counted: Count) -> None:
    at, orphans, written, ended = 0, 0, 0, False
    while not ended:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        ended = keep_and_die(folder, at)
        store, named = FolderStore(folder / "files"), references(folder)
        assert check_files(store, named) == []
        kept = [path for path in (folder / "files").rglob("*") if path.is_file() and len(path.name) == 64]
        orphans += bool(kept) and not named
        written += bool(named) and not ended
        keep(folder)
        assert [store.get(ref) for ref in references(folder)] == [CONTENT]
    counted("F3 kills between a file and its event", at - 1)
    counted("F3 files left without an event", orphans)
    counted("F3 events written and not answered, their file there", written)
    assert at > 12
    assert orphans
    assert written
