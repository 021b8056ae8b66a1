"""A program that fills a small disk: a ledger and a file store in one folder, until nothing more fits (F8).

``python -m tests.faults.full FOLDER``: FOLDER is the small disk. With ``--limit BYTES`` no file may grow beyond that
instead, where no small disk can be mounted. Prints what happened, as JSON, for the test to judge.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from cellwright.ledger import Draft, LedgerError, SimulatedClock, open_ledger, verify
from cellwright.ledger.files import FileRef, FolderStore, check_files
from tests.faults.story import START

BALLAST: Final = 1 << 20
"""Bytes that somebody deletes to make room."""
APPENDS_MAX: Final = 100_000
FILES_MAX: Final = 100


class Outcome(msgspec.Struct):
    """What the disk let through before it was full, while it was, and after there was room again."""

    before: int = 0
    refused: list[str] = []
    readable: bool = False
    after: int = 0
    size: int = 0
    findings: list[str] = []
    files_before: int = 0
    file_refused: str = ""
    files_readable: bool = False
    files_after: int = 0
    left: int = 0


def _draft(number: int) -> Draft:
    body = {"n": number, "text": "x" * 2000}
    return Draft(
        stream="lot/1",
        type="test.happened",
        body=body,
        id=f"id-{number}",
        actor="ann",
        claims={f"bag/{number}": "coi/1"},
    )


def fill(folder: Path, make_room: Callable[[], None]) -> Outcome:
    """Append until it is refused, look whether reading goes on, make room, and append again."""
    outcome, store = Outcome(), FolderStore(folder / "files")
    kept = [store.put(bytes([number]) * 10_000) for number in range(3)]
    with open_ledger(folder / "ledger.db", clock=SimulatedClock(START), create=True) as ledger:
        for number in range(APPENDS_MAX):
            try:
                ledger.append([_draft(number)], {"lot/1": number})
            except LedgerError as error:
                outcome.refused.append(type(error).__name__)
                break
            outcome.before += 1
        for _again in range(3):
            try:
                ledger.append([_draft(outcome.before)], {"lot/1": outcome.before})
            except LedgerError as error:
                outcome.refused.append(type(error).__name__)
        outcome.readable = (
            ledger.version("lot/1") == ledger.head().size == len(list(ledger.read())) == outcome.before
            and ledger.by_id("id-0") is not None
            and len(ledger.claims("bag/")) == outcome.before
        )
        _fill_files(store, kept, outcome)
        make_room()
        for number in range(outcome.before, outcome.before + 5):
            ledger.append([_draft(number)], {"lot/1": number})
            outcome.after += 1
        for number in range(3):
            outcome.files_after += store.exists(store.put(b"after" * 100 + bytes([number])))
        outcome.findings = [str(finding) for finding in verify(ledger, processes=1, deep=True).findings]
        outcome.size = ledger.head().size
    return outcome


def _fill_files(store: FolderStore, kept: list[FileRef], outcome: Outcome) -> None:
    size = 1 << 22
    while size > 1024 and len(kept) < FILES_MAX:
        try:
            kept.append(store.put(len(kept).to_bytes(4, "big") * (size // 4)))
        except LedgerError as error:
            outcome.file_refused = type(error).__name__
            size //= 2
    outcome.files_before = len(kept)
    outcome.files_readable = check_files(store, kept) == [] and all(len(store.get(ref)) == ref.size for ref in kept)
    outcome.left = sum(file.name.endswith(".new") for file in store.path(kept[0]).parents[2].rglob("*"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=0)
    options = parser.parse_args()
    ballast = options.folder / "ballast"
    if options.limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.limit, resource.RLIM_INFINITY))
    else:
        ballast.write_bytes(bytes(BALLAST))

    def make_room() -> None:
        if options.limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            ballast.unlink()

    sys.stdout.buffer.write(msgspec.json.encode(fill(options.folder, make_room)))


if __name__ == "__main__":
    main()
