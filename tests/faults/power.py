"""What a power cut can leave on a disk: the bytes that were synced, and any part of those that were not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.faults.disk import Answered, Cut, Gone, Operation, Synced, SyncFailed, Write

SECTOR: Final = 512
"""Bytes that a disk writes whole or not at all."""

DAMAGES: Final = ("lost", "prefix", "subset", "torn", "garbage")
"""What happens to writes that were not synced: none arrives; the first ones arrive; any of them arrive; any sectors of
them arrive; and sectors that did not arrive whole hold noise."""

Files = dict[str, bytearray]


class Platter:
    """Follows a disk's operations and knows what of them is certain.

    Attributes:
        durable: the files as they are after any power cut.
        pending: operations that may or may not be on the platter, in order.
        answered: appends that clients have been told of.
    """

    def __init__(self, files: Files | None = None) -> None:
        self.durable: Files = deepcopy(files) if files else {}
        self.pending: list[Operation] = []
        self.answered: set[int] = set()

    def follow(self, operations: Iterable[Operation], random: Random) -> None:
        """Take note of further operations. ``random`` decides what a failed sync drops."""
        for operation in operations:
            match operation:
                case Answered(number):
                    self.answered.add(number)
                case Synced(file):
                    if self._new(file):
                        self._settle(lambda kept: isinstance(kept, Gone))
                    self._settle(lambda kept, file=file: kept.file == file)
                    self.durable.setdefault(file, bytearray())
                case SyncFailed(file):
                    self._settle(
                        lambda kept, file=file: kept.file == file,
                        lambda kept: type(kept) is Gone or random.random() < 0.5,
                    )
                case Gone(_file, synced):
                    self.pending.append(operation)
                    if synced:
                        self._settle(lambda kept: isinstance(kept, Gone))
                case _:
                    self.pending.append(operation)

    def _new(self, file: str) -> bool:
        """Whether this is a log's or journal's first sync: with it SQLite also syncs the folder, removed names included."""
        gone = any(type(kept) is Gone and kept.file == file for kept in self.pending)
        return file != "" and (gone or file not in self.durable)

    def _settle(self, chosen: Callable[[Any], bool], reached: Callable[[Any], bool] = lambda _operation: True) -> None:
        """The chosen operations are on the platter now, except those that did not reach it."""
        for operation in self.pending:
            if chosen(operation) and reached(operation):
                _lay(self.durable, operation)
        self.pending = [kept for kept in self.pending if not chosen(kept)]

    def image(self, damage: str, random: Random) -> Files:
        """The files after a power cut now."""
        files = deepcopy(self.durable)
        pending = self.pending
        if damage == "prefix":
            pending = pending[: random.randint(0, len(pending))]
        chance = random.choice((0.1, 0.5, 0.9))
        for operation in pending:
            if damage == "prefix" or (damage in ("subset", "torn", "garbage") and random.random() < chance):
                _lay(files, operation)
            elif damage in ("torn", "garbage") and isinstance(operation, Write):
                for sector in _sectors(operation):
                    if random.random() < chance:
                        _lay(files, sector)
                    elif damage == "garbage" and random.random() < 0.5:
                        _lay(files, Write(sector.file, sector.at, random.randbytes(len(sector.data))))
        return files


def _sectors(write: Write) -> Iterable[Write]:
    at, end = write.at, write.at + len(write.data)
    while at < end:
        upto = min(end, (at // SECTOR + 1) * SECTOR)
        yield Write(write.file, at, write.data[at - write.at : upto - write.at])
        at = upto


def _lay(files: Files, operation: Operation) -> None:
    match operation:
        case Write(file, at, data):
            content = files.setdefault(file, bytearray())
            if len(content) < at:
                content.extend(bytes(at - len(content)))
            content[at : at + len(data)] = data
        case Cut(file, size):
            content = files.setdefault(file, bytearray())
            del content[size:]
            content.extend(bytes(size - len(content)))
        case Gone(file):
            files.pop(file, None)
        case _:
            raise AssertionError(operation)


def lay_down(files: Files, path: Path) -> None:
    """Write an image whose names are what follows the ledger's own path (``""``, ``-wal``, ``-journal``)."""
    for suffix in ("", "-wal", "-journal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    for suffix, content in files.items():
        Path(f"{path}{suffix}").write_bytes(content)
