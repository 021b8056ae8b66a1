"""The ledger in one SQLite file: one writing connection, any number of reading ones, all through apsw (E9).

WAL and synchronous=FULL: an answered append survives power loss. Exactly one connection in the world may write or
checkpoint, which a lock on a file beside the ledger sees to. The library must be free of the WAL-reset bug of SQLite
3.7.0 to 3.51.2, which can corrupt a file that two connections write or checkpoint.
"""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Final

import apsw

from cellwright.language import _
from cellwright.ledger.errors import Closed, LedgerError, Locked, ReadOnly, StorageFull, Tampered, Unavailable
from cellwright.ledger.event import Claim, Record, Snapshot, StoredCheckpoint
from cellwright.ledger.store import (
    EVENTS_PER_READ,
    STRAYS_MAX,
    Batch,
    ClaimRow,
    Clash,
    EventRow,
    Found,
    HeadMoved,
    HeadRow,
    Stray,
    Wanted,
)

APPLICATION_ID: Final = 0x43577772  # "CWwr"
FORMAT: Final = 1
"""Version of the tables, in the file's user_version."""
SQLITE_FIXED: Final = (3, 51, 3)
"""First SQLite without the WAL-reset bug."""
BUSY_MS: Final = 5_000
CHECKPOINT_PAGES: Final = 1_000
"""Pages in the write-ahead log before they are moved into the file."""
_ROOM_BYTES: Final = CHECKPOINT_PAGES * (4096 + 24)
_BROKEN: Final = (apsw.Error, UnicodeDecodeError)
"""What reading raises: an error of SQLite, or text in a damaged page that is none."""
_NOT_OURS: Final = ("sqlite_", "_litestream_")

_INSERT_EVENT: Final = "INSERT INTO event VALUES(?,?,?,?,?,?,?)"
_INSERT_TAG: Final = "INSERT INTO tag VALUES(?,?)"
_INSERT_CLAIM: Final = "INSERT INTO claim VALUES(?,?,?,NULL)"
_RELEASE_CLAIM: Final = "UPDATE claim SET released=? WHERE key=? AND released IS NULL"
_UPDATE_HEAD: Final = "UPDATE head SET size=?, frontier=?, root=?, at=? WHERE one=1 AND size=?"
_HEAD: Final = "SELECT size, frontier, root, at FROM head"
_SIZE_OF: Final = "SELECT coalesce(max(version)+1, 0) FROM event WHERE stream=?"
_LIVE: Final = "SELECT key, value, taken FROM claim WHERE key=? AND released IS NULL"
_STRAYS: Final = """
WITH known(size) AS (SELECT size FROM head)
SELECT 'event', stream, pos FROM event, known WHERE pos < 0 OR pos >= size UNION ALL
SELECT 'tag', tag, pos FROM tag, known WHERE pos < 0 OR pos >= size UNION ALL
SELECT 'claim', key, CASE WHEN taken < 0 OR taken >= size THEN taken ELSE released END FROM claim, known
  WHERE taken < 0 OR taken >= size OR released <= taken OR released >= size UNION ALL
SELECT 'snapshot', stream, pos FROM snapshot, known WHERE pos < 0 OR pos >= size LIMIT ?"""
_BY_ID: Final = "SELECT pos, data, leaf FROM event WHERE id=?"


@cache
def _script() -> str:
    return files("cellwright.ledger").joinpath("sqlite.sql").read_text(encoding="utf-8")


@cache
def _shipped() -> frozenset[tuple[str, str, str, str]]:
    memory = apsw.Connection(":memory:")
    memory.execute(_script())
    return _schema(memory)


def _schema(connection: apsw.Connection) -> frozenset[tuple[str, str, str, str]]:
    rows = connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema")
    return frozenset(row for row in rows if not (row[1].startswith(_NOT_OURS) and row[2].startswith(_NOT_OURS)))


def check_library(version: str) -> None:
    """Raises LedgerError for an SQLite that may corrupt a file in WAL mode."""
    if tuple(int(part) for part in version.split(".")) < SQLITE_FIXED:
        wanted = ".".join(map(str, SQLITE_FIXED))
        raise LedgerError(
            _("SQLite {found} can corrupt a file in WAL mode; {wanted} or newer is needed (update apsw).").format(
                found=version, wanted=wanted
            )
        )


class SQLiteReader:
    """The reading half, on a file that another connection or process may be writing.

    Args:
        path: the ledger's file.
        vfs: name of an apsw VFS, for tests that break disks; empty: the platform's own.

    Raises:
        LedgerError: there is no ledger at ``path``, or the SQLite library may corrupt it.
    """

    def __init__(self, path: Path, vfs: str = "") -> None:
        check_library(apsw.sqlite_lib_version())
        self.path, self.where, self._vfs = path, str(path), vfs
        self._local = threading.local()
        self._open: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._closed = False
        self._check()

    def _check(self) -> None:
        found = self._rows("SELECT application_id, user_version FROM pragma_application_id, pragma_user_version")
        if found != [(APPLICATION_ID, FORMAT)]:
            raise LedgerError(_("{path} is not a ledger of format {format}.").format(path=self.path, format=FORMAT))

    def _reader(self) -> apsw.Connection:
        """This thread's own connection."""
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with self._guard:
                if self._closed:
                    raise Closed(_("The ledger is closed."))
                connection = _connect(self.path, apsw.SQLITE_OPEN_READONLY, self._vfs)
                connection.pragma("query_only", True)
                self._open.add(connection)
            self._local.connection = connection
        return connection

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        connection = self._reader()
        try:
            return connection.execute(sql, values).fetchall()
        except _BROKEN as error:
            raise _typed(error, self.path) from error

    def head(self) -> HeadRow:
        try:
            return _read_head(self._reader())
        except _BROKEN as error:
            raise _typed(error, self.path) from error

    def size_of(self, stream: str) -> int:
        return int(self._rows(_SIZE_OF, (stream,))[0][0])

    def stream(self, name: str, start: int) -> list[bytes]:
        sql = "SELECT data FROM event WHERE stream=? AND version>=? ORDER BY version"
        return [row[0] for row in self._rows(sql, (name, start))]

    def tagged(self, tag: str, after: int) -> list[bytes]:
        sql = "SELECT data FROM tag CROSS JOIN event USING(pos) WHERE tag=? AND tag.pos>? ORDER BY tag.pos"
        return [row[0] for row in self._rows(sql, (tag, after))]

    def records(self, start: int, stop: int) -> list[Record]:
        sql = "SELECT pos, data, leaf FROM event WHERE pos>=? AND pos<? ORDER BY pos"
        return [Record(*row) for row in self._rows(sql, (start, stop))]

    def rows(self, start: int, stop: int) -> list[EventRow]:
        sql = "SELECT pos, stream, version, id, type, data, leaf FROM event WHERE pos>=? AND pos<? ORDER BY pos"
        return self._rows(sql, (start, stop))

    def leaves(self, start: int, stop: int) -> list[bytes]:
        sql = "SELECT leaf FROM event WHERE pos>=? AND pos<? ORDER BY pos"
        return [row[0] for row in self._rows(sql, (start, stop))]

    def by_id(self, event_id: str) -> Record | None:
        rows = self._rows(_BY_ID, (event_id,))
        return Record(*rows[0]) if rows else None

    def claim(self, key: str) -> Claim | None:
        rows = self._rows(_LIVE, (key,))
        return Claim(*rows[0]) if rows else None

    def claims(self, prefix: str) -> list[Claim]:
        sql = "SELECT key, value, taken FROM claim WHERE key>=? AND key<? AND released IS NULL ORDER BY key"
        return [Claim(*row) for row in self._rows(sql, (prefix, prefix + "\x7f"))]

    def claim_rows(self) -> Iterator[ClaimRow]:
        after: tuple[str, int] = ("", -1)
        sql = "SELECT key, value, taken, released FROM claim WHERE (key, taken)>(?,?) ORDER BY key, taken LIMIT ?"
        while rows := self._rows(sql, (*after, EVENTS_PER_READ)):
            yield from map(ClaimRow._make, rows)
            after = (rows[-1][0], rows[-1][2])

    def tags_between(self, start: int, stop: int) -> Iterator[tuple[str, str]]:
        # Grouped along the primary key, so positions come rising; ORDER BY inside would only sort them again.
        sql = "SELECT tag, group_concat(pos, ', ') FROM tag WHERE pos>=? AND pos<? GROUP BY tag"
        try:
            yield from self._reader().execute(sql, (start, stop))
        except _BROKEN as error:
            raise _typed(error, self.path) from error

    def position(self, stream: str, version: int) -> int | None:
        rows = self._rows("SELECT pos FROM event WHERE stream=? AND version=?", (stream, version))
        return rows[0][0] if rows else None

    def strays(self) -> list[Stray]:
        return [Stray(*row) for row in self._rows(_STRAYS, (STRAYS_MAX,))]

    def tile(self, level: int, index: int) -> bytes | None:
        rows = self._rows("SELECT hashes FROM tile WHERE level=? AND n=?", (level, index))
        return rows[0][0] if rows else None

    def checkpoints(self, kind: str | None) -> list[StoredCheckpoint]:
        sql = "SELECT size, kind, body, at FROM checkpoint WHERE kind=coalesce(?, kind) ORDER BY seq"
        return [StoredCheckpoint(*row) for row in self._rows(sql, (kind,))]

    def snapshot(self, stream: str, fold: str) -> Snapshot | None:
        sql = "SELECT stream, fold, version, pos, state FROM snapshot WHERE stream=? AND fold=?"
        rows = self._rows(sql, (stream, fold))
        return Snapshot(*rows[0]) if rows else None

    def snapshots(self) -> Iterator[Snapshot]:
        for stream, fold in self._rows("SELECT stream, fold FROM snapshot ORDER BY stream, fold"):
            snapshot = self.snapshot(stream, fold)
            if snapshot:
                yield snapshot

    def damage(self) -> list[str]:
        return [row[0] for row in self._rows("PRAGMA integrity_check(100)") if row[0] != "ok"]

    def faults(self) -> list[str]:
        try:
            found, shipped = _schema(self._reader()), _shipped()
        except UnicodeDecodeError as error:
            return [f"the schema can not be read: {error}"]
        except apsw.Error as error:
            raise _typed(error, self.path) from error
        return [
            *(f"{kind} {name} is missing or altered" for kind, name, _table, _sql in sorted(shipped - found)),
            *(f"{kind} {name} does not belong" for kind, name, _table, _sql in sorted(found - shipped)),
        ]

    def close(self) -> None:
        with self._guard:
            self._closed = True
            for connection in list(self._open):
                with suppress(apsw.Error):  # it only read; the others are still to be given back
                    connection.close()


class SQLiteStore(SQLiteReader):
    """A ledger file open for writing; at most one in the world.

    Args:
        path: the file; its folder must exist.
        create: make the ledger when the file does not exist.
        vfs: name of an apsw VFS, for tests that break disks.

    Raises:
        Locked: another process has it open for writing.
        Tampered: a table or trigger is missing or altered.
    """

    shared = False

    def __init__(self, path: Path, *, create: bool = False, vfs: str = "") -> None:
        check_library(apsw.sqlite_lib_version())
        if not create and not vfs and not path.exists():
            raise LedgerError(_("There is no ledger at {path}. Create it first.").format(path=path))
        self._lock = _lock(path)
        self._writer: apsw.Connection | None = None
        self._head: HeadRow | None = None
        self._staged: HeadRow | None = None
        try:
            flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
            self._writer = _connect(path, flags, vfs)
            _prepare(self._writer, path, create)
            super().__init__(path, vfs)
            self._check_schema()
            if not vfs:
                _make_room(Path(f"{path}-wal"))
        except BaseException:
            self._release()
            raise

    def _check_schema(self) -> None:
        faults = self.faults()
        if faults:
            raise Tampered(
                _("{path}: the ledger's tables were altered: {faults}. Nothing is written to it (R002).").format(
                    path=self.path, faults="; ".join(faults)
                )
            )

    # writing

    def begin(self) -> HeadRow:
        writer = self._open_writer()
        try:
            if writer.in_transaction:  # left by a rollback that the disk refused
                writer.execute("ROLLBACK")
            writer.execute("BEGIN IMMEDIATE")
            if self._head is None:
                self._head = _read_head(writer)
        except apsw.Error as error:
            raise _typed(error, self.path) from error
        self._staged = None
        return self._head

    def find(self, wanted: Wanted) -> Found:
        execute = self._open_writer().execute
        try:
            sizes = {name: size for name in wanted.streams for (size,) in execute(_SIZE_OF, (name,))}
            claims = {key: Claim(*row) for key in wanted.keys for row in execute(_LIVE, (key,))}
            records = {name: Record(*row) for name in wanted.ids for row in execute(_BY_ID, (name,))}
        except apsw.Error as error:
            raise _typed(error, self.path) from error
        return Found(sizes, claims, records)

    def put(self, batch: Batch) -> None:
        writer = self._open_writer()
        try:
            writer.executemany(_INSERT_EVENT, batch.events)
            if batch.tags:
                writer.executemany(_INSERT_TAG, batch.tags)
            for key, value, pos in batch.claims:
                if value is None:
                    writer.execute(_RELEASE_CLAIM, (pos, key))
                else:
                    writer.execute(_INSERT_CLAIM, (key, value, pos))
            writer.execute(_UPDATE_HEAD, (*batch.head, batch.known))
            if writer.changes() != 1:
                raise HeadMoved
        except apsw.ConstraintError as error:
            raise Clash from error
        except apsw.Error as error:
            raise _typed(error, self.path) from error
        self._staged = batch.head

    def commit(self) -> None:
        try:
            self._open_writer().execute("COMMIT")
        except apsw.Error as error:
            raise _typed(error, self.path) from error
        self._head = self._staged or self._head

    def rollback(self) -> None:
        self._head = self._staged = None
        if self._writer is not None and self._writer.in_transaction:
            with suppress(apsw.Error):  # a disk that fails now is met again, and answered for, by the next begin
                self._writer.execute("ROLLBACK")

    def put_at_once(self, batch: Batch) -> None:
        self.begin()
        self.put(batch)
        self.commit()

    def put_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        self._write(
            "INSERT INTO checkpoint(size, kind, body, at) VALUES(?,?,?,?)",
            (checkpoint.size, checkpoint.kind, checkpoint.body, checkpoint.at),
        )

    def put_snapshot(self, snapshot: Snapshot) -> None:
        self._write(
            "INSERT OR REPLACE INTO snapshot VALUES(?,?,?,?,?)",
            (snapshot.stream, snapshot.fold, snapshot.version, snapshot.pos, snapshot.state),
        )

    def put_tile(self, level: int, index: int, hashes: bytes) -> None:
        self._write("INSERT OR REPLACE INTO tile VALUES(?,?,?)", (level, index, hashes))

    def _write(self, sql: str, values: tuple[Any, ...]) -> None:
        try:
            self._open_writer().execute(sql, values)
        except apsw.Error as error:
            raise _typed(error, self.path) from error

    def _open_writer(self) -> apsw.Connection:
        if self._writer is None:
            raise Closed(_("The ledger is closed."))
        return self._writer

    def close(self) -> None:
        super().close()
        self._release()

    def _release(self) -> None:
        """The writing connection last: it moves the write-ahead log into the file and removes it."""
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                with suppress(
                    apsw.Error
                ):  # nothing answered hangs on it: a log that stays is moved in by the next start
                    writer.close()
        finally:
            self._lock.close()


def _connect(path: Path, flags: int, vfs: str) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags, vfs or None)
        connection.set_busy_timeout(BUSY_MS)
        connection.pragma("mmap_size", 0)  # a stray pointer must not reach the file
        connection.pragma("trusted_schema", False)
    except apsw.CantOpenError as error:
        raise LedgerError(_("There is no ledger at {path}, or it can not be opened.").format(path=path)) from error
    except apsw.Error as error:
        raise _typed(error, path) from error
    return connection


def _prepare(writer: apsw.Connection, path: Path, create: bool) -> None:
    """Make the tables of a new ledger, and set what the writing connection needs."""
    try:
        new = create and not writer.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0][0]
        if new:
            writer.pragma("application_id", APPLICATION_ID)
            writer.pragma("user_version", FORMAT)
        if writer.pragma("journal_mode", "wal") != "wal":
            raise LedgerError(_("{path}: this file system can not hold a write-ahead log.").format(path=path))
        writer.pragma("synchronous", "full")
        writer.pragma("fullfsync", True)
        writer.pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        writer.pragma("cache_size", -65_536)
        writer.pragma("temp_store", "memory")  # an UPDATE would open a file for its scratch
        if new:
            with writer:
                writer.execute(_script())
    except apsw.Error as error:
        raise _typed(error, path) from error


def _make_room(log: Path) -> None:
    """Lengthen the write-ahead log with zeros to the size it is used up to.

    Syncing a file that grows also syncs the file system's journal, which costs as much again as the commit. SQLite
    takes zeros for the end of the log: no frame has their check sum. They reach the disk with the first commit.
    """
    with suppress(OSError), log.open("r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        missing = max(0, _ROOM_BYTES - size)
        written = 0
        try:
            written = file.write(bytes(missing)) or 0
        finally:
            if written < missing:  # no room: the log grows as it would have, and what is left belongs to all
                file.truncate(size)


def _read_head(connection: apsw.Connection) -> HeadRow:
    rows: list[Any] = connection.execute(_HEAD).fetchall()
    if len(rows) != 1:
        raise Tampered(_("The head of the ledger is missing."))
    return HeadRow(*rows[0])


def _lock(path: Path) -> IO[str]:
    """Hold the lock file beside the ledger until it is closed; the system frees it when the process dies.

    It lies beside the file itself, not beside a link that leads there. A second name of the file is refused: under it
    SQLite would keep a second write-ahead log.
    """
    try:
        path = path.resolve()
        if path.exists() and path.stat().st_nlink > 1:
            raise LedgerError(
                _("{path} has a second name (a hard link): remove one, or the ledger can be destroyed.").format(
                    path=path
                )
            )
        lock = Path(f"{path}.lock").open("a")  # noqa: SIM115 - held for the life of the store
    except OSError as error:
        raise LedgerError(_("{path} can not be opened for writing: {why}.").format(path=path, why=error)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Locked(
            _("{path} is open for writing elsewhere. Open it read-only, or reach it through that process.").format(
                path=path
            )
        ) from error
    return lock


def _typed(error: apsw.Error | UnicodeDecodeError, path: Path) -> LedgerError:
    """What an error of SQLite means to a caller."""
    if isinstance(error, apsw.FullError):
        return StorageFull(_("{path}: the disk is full; nothing was written.").format(path=path))
    if isinstance(error, apsw.CorruptError | apsw.NotADBError | UnicodeDecodeError):
        return Tampered(_("{path} is damaged or no ledger: {why}. Restore it.").format(path=path, why=error))
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return Locked(_("{path} is being written by something else: {why}.").format(path=path, why=error))
    if isinstance(error, apsw.ReadOnlyError):
        return ReadOnly(_("{path} can not be written: {why}.").format(path=path, why=error))
    if isinstance(error, apsw.ConnectionClosedError):
        return Closed(_("The ledger is closed."))
    return Unavailable(_("{path}: {why}. Retry with the same ids.").format(path=path, why=error))
