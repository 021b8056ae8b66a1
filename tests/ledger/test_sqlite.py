"""What only SQLite has: one file, one writer, triggers that any program meets, a lock, a disk that fills."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from cellwright.ledger import (
    Draft,
    LedgerError,
    Locked,
    ReadOnly,
    SimulatedClock,
    StorageFull,
    StoredCheckpoint,
    Tampered,
    ledger_on,
    open_ledger,
    verify,
)
from cellwright.ledger.sqlite import SQLiteStore, check_library

Make = Callable[..., Draft]


@pytest.fixture
def path(tmp_path: Path, make: Make, clock: SimulatedClock) -> Path:
    """A ledger with four events, tags, a live claim, a released one and a checkpoint, closed."""
    where = tmp_path / "ledger.db"
    with open_ledger(where, clock=clock, create=True) as ledger:
        ledger.append(
            [
                make("lot/1", id="one", tags=("coi/A",), claims={"bag/1": "coi/A", "bag/2": "coi/A"}),
                make("lot/1", id="two", releases={"bag/2": "coi/A"}),
                make("lot/2", id="three"),
                make("lot/1", id="four"),
            ]
        )
        ledger.add_checkpoint(StoredCheckpoint(4, "note", b"signed", "2026-03-02T08:12:00.000000Z"))
    return where


FORBIDDEN = [
    "UPDATE event SET type='other' WHERE pos=1",
    "UPDATE OR REPLACE event SET id='one' WHERE pos=1",
    "UPDATE OR IGNORE event SET type='other'",
    "DELETE FROM event WHERE pos=3",
    "DELETE FROM event",
    "INSERT INTO event VALUES(9, 'lot/1', 3, 'new', 't', x'00', zeroblob(32))",
    "INSERT INTO event VALUES(4, 'lot/1', 9, 'new', 't', x'00', zeroblob(32))",
    "INSERT INTO event VALUES(4, 'lot/9', 1, 'new', 't', x'00', zeroblob(32))",
    "INSERT OR REPLACE INTO event VALUES(1, 'lot/1', 1, 'two', 't', x'00', zeroblob(32))",
    "INSERT OR REPLACE INTO event VALUES(4, 'lot/1', 3, 'two', 't', x'00', zeroblob(32))",
    "INSERT OR REPLACE INTO event VALUES(4, 'lot/1', 1, 'new', 't', x'00', zeroblob(32))",
    "REPLACE INTO event VALUES(0, 'lot/1', 0, 'one', 't', x'00', zeroblob(32))",
    "INSERT INTO event VALUES(0, 'lot/1', 0, 'one', 't', x'00', zeroblob(32)) ON CONFLICT(pos) DO UPDATE SET type='other'",
    "INSERT INTO event VALUES(4, 'lot/1', 3, 'new', 't', x'00', x'00')",
    "INSERT INTO event VALUES(4, 'lot/1', 3, 'new', 't', NULL, zeroblob(32))",
    "UPDATE head SET size=3",
    "UPDATE head SET size=9",
    "UPDATE head SET root=zeroblob(32)",
    "DELETE FROM head",
    "INSERT INTO head VALUES(2, 0, x'', zeroblob(32), '')",
    "INSERT OR REPLACE INTO head VALUES(1, 0, x'', zeroblob(32), '')",
    "UPDATE tag SET tag='coi/B'",
    "DELETE FROM tag",
    "INSERT INTO tag VALUES('coi/B', 0)",
    "INSERT OR REPLACE INTO tag VALUES('coi/A', 0)",
    "UPDATE claim SET value='coi/B' WHERE key='bag/1'",
    "UPDATE claim SET released=3 WHERE key='bag/1'",
    "UPDATE claim SET released=NULL WHERE key='bag/2'",
    "UPDATE claim SET released=9, value='coi/B' WHERE key='bag/1'",
    "UPDATE OR REPLACE claim SET key='bag/2' WHERE key='bag/1'",
    "DELETE FROM claim",
    "INSERT INTO claim VALUES('bag/1', 'coi/B', 4, NULL)",
    "INSERT INTO claim VALUES('bag/9', 'coi/B', 2, NULL)",
    "INSERT INTO claim VALUES('bag/9', 'coi/B', 4, 5)",
    "INSERT OR REPLACE INTO claim VALUES('bag/1', 'coi/B', 0, NULL)",
    "INSERT OR REPLACE INTO claim VALUES('bag/2', 'coi/B', 0, NULL)",
    "UPDATE checkpoint SET body=x'00'",
    "DELETE FROM checkpoint",
    "INSERT OR REPLACE INTO checkpoint VALUES(1, 4, 'note', x'00', '')",
]


@pytest.mark.requirement("R002")
@pytest.mark.parametrize("sql", FORBIDDEN)
def test_no_statement_of_any_program_changes_the_record(path: Path, sql: str) -> None:
    """The standard library's own SQLite, with its usual settings, meets the same triggers."""
    database = sqlite3.connect(path, isolation_level=None)
    before = list(database.iterdump())
    with pytest.raises(sqlite3.IntegrityError):
        database.execute(sql)
    assert list(database.iterdump()) == before
    database.close()
    with open_ledger(path, read_only=True) as ledger:
        assert verify(ledger).ok


@pytest.mark.requirement("R002")
@pytest.mark.parametrize(
    "sql",
    [
        "DROP TRIGGER event_update",
        "DROP TRIGGER event_delete; CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN SELECT 1; END",
        "CREATE TRIGGER quiet BEFORE INSERT ON event BEGIN SELECT RAISE(IGNORE); END",
        "DROP TABLE claim",
        "ALTER TABLE event ADD COLUMN more TEXT",
        "CREATE INDEX extra ON event(type)",
        "CREATE TABLE other(x)",
        "CREATE VIEW event_view AS SELECT * FROM event",
    ],
)
def test_a_file_whose_schema_was_altered_is_not_written(path: Path, sql: str) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(sql)
    database.close()
    with pytest.raises(Tampered):
        open_ledger(path)
    with open_ledger(path, read_only=True) as ledger:
        assert "schema" in {finding.kind for finding in verify(ledger).findings} if sql != "DROP TABLE claim" else True


def test_there_is_no_second_writer(path: Path) -> None:
    with open_ledger(path):
        with pytest.raises(Locked):
            open_ledger(path)
        code = f"from cellwright.ledger import Locked, open_ledger\ntry: open_ledger({str(path)!r})\nexcept Locked: print('locked')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "locked\n"
    open_ledger(path).close()


def test_another_name_of_the_file_is_no_way_around_the_lock(path: Path, make: Make) -> None:
    """A link leads to the same lock; a hard link would have a write-ahead log of its own, and is refused."""
    link, hard = path.with_name("link.db"), path.with_name("hard.db")
    link.symlink_to(path)
    with open_ledger(path), pytest.raises(Locked):
        open_ledger(link)
    hard.hardlink_to(path)
    for name in (path, hard):
        with pytest.raises(LedgerError, match="second name"):
            open_ledger(name)
    hard.unlink()
    with open_ledger(link) as ledger:
        assert ledger.append([make()])[0].pos == 4


def test_a_lock_file_that_somebody_removed_does_not_make_two_histories(path: Path, make: Make) -> None:
    """Two writers are then possible; each sees that the head moved and goes on from there: one history, nothing lost."""
    with open_ledger(path) as first:
        first.append([make()])
        Path(f"{path}.lock").unlink()
        with open_ledger(path) as second:
            for ledger in (second, first, second, first):
                ledger.append([make("lot/both")])
            assert [event.version for event in first.stream("lot/both")] == [0, 1, 2, 3]
            assert verify(second).ok
            assert second.head() == first.head()


def test_the_lock_dies_with_its_process(path: Path, make: Make) -> None:
    code = f"import os\nfrom cellwright.ledger import open_ledger\nopen_ledger({str(path)!r})\nos._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    with open_ledger(path) as ledger:
        assert ledger.append([make()])[0].pos == 4


def reader(path: str) -> tuple[int, bool]:
    with open_ledger(path, read_only=True) as ledger:
        return ledger.head().size, verify(ledger).ok


def test_other_processes_read_beside_the_writer(path: Path, make: Make) -> None:
    with open_ledger(path) as ledger, multiprocessing.get_context("spawn").Pool(1) as pool:
        ledger.append([make()])
        assert pool.apply(reader, (str(path),)) == (5, True)
        ledger.append([make()])
        assert pool.apply(reader, (str(path),)) == (6, True)


def test_read_only_writes_nothing(path: Path, make: Make) -> None:
    before = path.read_bytes()
    with open_ledger(path, read_only=True) as ledger:
        for write in (
            lambda: ledger.append([make()]),
            lambda: ledger.submit([make()]),
            lambda: ledger.add_checkpoint(StoredCheckpoint(0, "note", b"", "")),
        ):
            with pytest.raises(ReadOnly):
                write()
    assert path.read_bytes() == before


def test_no_ledger_there(tmp_path: Path) -> None:
    for options in ({}, {"read_only": True}):
        with pytest.raises(LedgerError):
            open_ledger(tmp_path / "none.db", **options)
    with pytest.raises(LedgerError):
        open_ledger(tmp_path / "no" / "folder" / "x.db", create=True)
    (tmp_path / "text.db").write_text("no database at all, and long enough to be read as one" * 100)
    with pytest.raises(LedgerError):
        open_ledger(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t(x)").connection.close()
    for options in ({}, {"create": True}, {"read_only": True}):
        with pytest.raises(LedgerError):
            open_ledger(tmp_path / "other.db", **options)
    assert sqlite3.connect(tmp_path / "other.db").execute("SELECT name FROM sqlite_schema").fetchall() == [("t",)]


def test_creating_over_a_ledger_opens_it(path: Path) -> None:
    with open_ledger(f"sqlite:///{path}", create=True) as ledger:
        assert ledger.head().size == 4


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.50.4", "3.51.2"])
def test_a_library_that_may_corrupt_the_file_is_refused(version: str) -> None:
    with pytest.raises(LedgerError):
        check_library(version)


def test_the_library_at_hand_is_sound() -> None:
    check_library("3.51.3")
    check_library("3.100.0")
    check_library(apsw.sqlite_lib_version())


def test_settings_of_the_connections(path: Path) -> None:
    store = SQLiteStore(path)
    writer = store._open_writer()
    assert writer.pragma("journal_mode") == "wal"
    assert writer.pragma("synchronous") == 2  # FULL: an answered append survives power loss
    assert writer.pragma("mmap_size") == 0
    assert store._reader().pragma("query_only") == 1
    assert store._reader().readonly("main")
    with pytest.raises(apsw.ReadOnlyError):
        store._reader().execute("CREATE TABLE t(x)")
    store.close()


def test_a_kill_leaves_what_was_answered(path: Path) -> None:
    """The log with its reserved room is read back after a process that never closed it."""
    code = (
        f"import os\nfrom cellwright.ledger import Draft, open_ledger\nledger = open_ledger({str(path)!r})\n"
        "for n in range(40): ledger.append([Draft(stream='lot/1', type='t', id=f'k{n}', actor='a', body={})])\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert Path(f"{path}-wal").stat().st_size > 1_000_000
    with open_ledger(path, read_only=True) as ledger:
        assert ledger.head().size == 44
        assert verify(ledger).ok
    with open_ledger(path) as ledger:
        assert ledger.version("lot/1") == 43
        assert verify(ledger, deep=True).ok
    assert not Path(f"{path}-wal").exists()


class FullDisk(apsw.VFS):
    """A disk of which the test says when it is full."""

    def __init__(self) -> None:
        self.full = False
        super().__init__("full-disk", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FullFile:  # type: ignore[override]
        return FullFile(self, name, flags)


class FullFile(apsw.VFSFile):
    def __init__(self, disk: FullDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.full:
            raise apsw.FullError("no room")
        super().xWrite(data, offset)


def test_a_full_disk_is_said_and_writing_resumes(tmp_path: Path, make: Make) -> None:
    disk = FullDisk()
    with ledger_on(SQLiteStore(tmp_path / "ledger.db", create=True, vfs="full-disk")) as ledger:
        ledger.append([make("lot/1", claims={"bag/1": "coi/A"})])
        disk.full = True
        draft = make("lot/1", releases={"bag/1": "coi/A"})
        for _time in range(3):
            with pytest.raises(StorageFull):
                ledger.append([draft], {"lot/1": 1})
            assert ledger.stream("lot/1")[0].pos == 0
            assert ledger.head().size == 1
        disk.full = False
        assert ledger.append([draft], {"lot/1": 1})[0].pos == 1
        assert verify(ledger).ok
    disk.unregister()


def test_many_short_readers_leave_no_connections_behind(path: Path) -> None:
    import threading

    with open_ledger(path, read_only=True) as ledger:
        for _number in range(60):
            thread = threading.Thread(target=ledger.head)
            thread.start()
            thread.join()
        assert len(ledger.store._open) < 10  # type: ignore[attr-defined]


def test_another_program_in_the_middle_of_writing_is_said(path: Path, make: Make) -> None:
    """One that ignores the lock file meets the database's own lock, or we meet its."""
    store = SQLiteStore(path)
    store._open_writer().set_busy_timeout(10)
    with ledger_on(store) as ledger:
        ledger.append([make("lot/7")])
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        draft = make("lot/7")
        with pytest.raises(Locked):
            ledger.append([draft])
        other.execute("ROLLBACK")
        other.close()
        assert ledger.append([draft])[0].version == 1


def test_a_program_that_appended_lawfully_beside_us_is_not_built_upon(path: Path, make: Make) -> None:
    """Restored or written behind our back, the file is not what the writer remembers: it says so, and reads it again."""
    store = SQLiteStore(path)
    with ledger_on(store) as ledger:
        ledger.append([make("lot/7")])
        other = apsw.Connection(str(path))
        data, leaf = next(iter(other.execute("SELECT data, leaf FROM event WHERE pos=4")))
        other.execute("INSERT INTO event VALUES(5, 'lot/7', 1, 'beside', 't', ?, ?)", (data, leaf))
        other.execute("UPDATE head SET size=6")
        other.close()
        with pytest.raises(Tampered):
            ledger.append([make("lot/7")])
        assert ledger.version("lot/7") == 2


def test_permissions_of_the_folder_are_said(tmp_path: Path, path: Path) -> None:
    if os.geteuid() == 0:  # root may write anywhere; the message is the same for a folder that is none
        with pytest.raises(LedgerError):
            open_ledger(path / "below-a-file.db", create=True)
        return
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(LedgerError):
            open_ledger(tmp_path / "new.db", create=True)
    finally:
        tmp_path.chmod(0o700)


def test_proofs_survive_a_reopening_with_their_tiles(path: Path, make: Make, clock: SimulatedClock) -> None:
    with open_ledger(path, clock=clock) as ledger:
        for _batch in range(70):
            ledger.append([make() for _number in range(1000)])
        first = ledger.inclusion_proof(5)
        assert ledger.store.tile(1, 0) is not None
    with open_ledger(path, read_only=True) as ledger:
        assert ledger.inclusion_proof(5) == first
