"""A disk that can be broken: an SQLite VFS over real files that writes down every call, and fails those it is told to.

What it writes down is enough to build every state in which a power cut could leave the real disk (`power.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import apsw

_names = count()


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes handed to the disk; they may be anywhere until the file is synced."""

    file: str
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file was truncated."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Gone:
    """A name was removed from its folder; ``synced``: durably."""

    file: str
    synced: bool


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything written to the file before is on the platter."""

    file: str


@dataclass(frozen=True, slots=True)
class SyncFailed:
    """The disk reported that it could not: what was written may be dropped, and no later sync brings it back."""

    file: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Not a call: here the ledger told a client that append ``number`` is durable."""

    number: int


Operation = Write | Cut | Gone | Synced | SyncFailed | Answered

EIO: Final = "EIO"
ENOSPC: Final = "ENOSPC"
SHORT: Final = "short write"
_EXTENDED: Final = {
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "size": apsw.SQLITE_IOERR_FSTAT,
    "lock": apsw.SQLITE_IOERR_LOCK,
    "delete": apsw.SQLITE_IOERR_DELETE,
    "access": apsw.SQLITE_IOERR_ACCESS,
}


class DiskFault(apsw.IOError):
    """A planted input or output error."""


@dataclass(slots=True)
class Fault:
    """What to break.

    Args:
        kind: EIO fails any call; ENOSPC and SHORT fail writes, SHORT after half of the bytes.
        at: which call of those that the kind concerns, counted from 1.
        for_good: every later one too, until the fault is taken away (ENOSPC: every write that lengthens a file).
    """

    kind: str
    at: int
    for_good: bool
    met: int = 0

    def concerns(self, call: str) -> bool:
        return self.kind == EIO or call == "write"


class Disk(apsw.VFS):
    """An SQLite VFS; stores open on it by ``vfs=disk.name``.

    Attributes:
        operations: what reached the disk, in order.
        calls: how often each call was made.
        fault: what is broken now.
        quota: bytes that all files together may have; None: no limit.
        lying: syncs are not passed on, and are said to have been done (the planted fault of a cheap drive).
    """

    def __init__(self) -> None:
        self.name = f"disk{next(_names)}"
        self.operations: list[Operation] = []
        self.calls: dict[str, int] = {}
        self.fault: Fault | None = None
        self.off = False
        self.quota: int | None = None
        self.lying = False
        self.sizes: dict[str, int] = {}
        super().__init__(self.name, "")

    @property
    def total(self) -> int:
        """Calls so far."""
        return sum(self.calls.values())

    def answered(self, number: int) -> None:
        """Mark that a client was told so now."""
        self.operations.append(Answered(number))

    def step(self, call: str, file: str, write: Write | None = None) -> int | None:
        """Count a call and fail it if told to. Gives how much of a write still goes through before it fails."""
        if self.off:
            raise _failure(EIO, call)
        self.calls[call] = self.calls.get(call, 0) + 1
        fault = self.fault
        if fault is not None and fault.concerns(call):
            fault.met += 1
            lengthens = write is not None and write.at + len(write.data) > self.sizes.get(file, 0)
            again = fault.for_good and fault.met > fault.at and (fault.kind != ENOSPC or lengthens)
            if fault.met == fault.at or again:
                if fault.kind == SHORT and write is not None:
                    return len(write.data) // 2
                raise _failure(fault.kind, call)
        if write is not None and self.quota is not None:
            more = write.at + len(write.data) - self.sizes.get(file, 0)
            if more > 0 and sum(self.sizes.values()) + more > self.quota:
                raise _failure(ENOSPC, call)
        return None

    def xOpen(self, name: Any, flags: list[int]) -> DiskFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.step("open", path or "")
        return DiskFile(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.step("delete", filename)
        super().xDelete(filename, syncdir)
        self.sizes.pop(filename, None)
        self.operations.append(Gone(filename, syncdir and not self.lying))

    def xAccess(self, pathname: str, flags: int) -> bool:
        self.step("access", pathname)
        return super().xAccess(pathname, flags)


class DiskFile(apsw.VFSFile):
    """One open file of a :class:`Disk`."""

    def __init__(self, disk: Disk, path: str | None, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk, self._path = disk, path or ""
        if self._path:
            disk.sizes[self._path] = max(disk.sizes.get(self._path, 0), super().xFileSize())

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.step("read", self._path)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        disk, path = self._disk, self._path
        write = Write(path, offset, bytes(data))
        passed = disk.step("write", path, write)
        if passed is not None:
            write = Write(path, offset, write.data[:passed])
        super().xWrite(write.data, offset)
        disk.operations.append(write)
        disk.sizes[path] = max(disk.sizes.get(path, 0), offset + len(write.data))
        if passed is not None:
            raise _failure(ENOSPC, "write")

    def xTruncate(self, newsize: int) -> None:
        self._disk.step("truncate", self._path)
        super().xTruncate(newsize)
        self._disk.operations.append(Cut(self._path, newsize))
        self._disk.sizes[self._path] = newsize

    def xSync(self, flags: int) -> None:
        try:
            self._disk.step("sync", self._path)
        except apsw.Error:
            self._disk.operations.append(SyncFailed(self._path))
            raise
        if not self._disk.lying:
            self._disk.operations.append(Synced(self._path))

    def xFileSize(self) -> int:
        self._disk.step("size", self._path)
        return super().xFileSize()

    def xLock(self, level: int) -> None:
        self._disk.step("lock", self._path)
        super().xLock(level)


def _failure(kind: str, call: str) -> apsw.Error:
    if kind == ENOSPC:
        return apsw.FullError("planted: no space left on the disk")
    if call == "open":
        return apsw.CantOpenError("planted: can not be opened")
    error = DiskFault(f"planted: input/output error at {call}")
    error.extendedresult = _EXTENDED[call]
    return error


@contextmanager
def new_disk() -> Iterator[Disk]:
    """A disk that is there while the block runs."""
    disk = Disk()
    try:
        yield disk
    finally:
        disk.unregister()


def short_names(operations: list[Operation], base: Path) -> list[Operation]:
    """The same with the ledger's own path cut off, so that ``-wal`` remains: to lay them down under another path."""
    prefix = str(base)

    def shortened(operation: Operation) -> Operation:
        if isinstance(operation, Answered):
            return operation
        changed: Callable[..., Operation] = type(operation)
        fields = {name: getattr(operation, name) for name in operation.__slots__}
        return changed(**fields | {"file": operation.file.removeprefix(prefix)})

    return [shortened(operation) for operation in operations]
