"""F8: the disk is full. Nothing is lost, reading goes on, and writing too as soon as there is room."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import psycopg
import pytest

from cellwright.ledger import (
    Draft,
    Ledger,
    LedgerError,
    SimulatedClock,
    StorageFull,
    Unavailable,
    ledger_on,
    open_ledger,
    sqlite,
    verify,
)
from cellwright.ledger.sqlite import SQLiteStore
from tests.conftest import ROOT
from tests.faults.clients import patiently
from tests.faults.conftest import Count
from tests.faults.disk import Disk
from tests.faults.full import Outcome
from tests.faults.story import START, Story, judge
from tests.postgres_server import PostgresServer, _as_unprivileged, running_server

PROGRAM: Final = f"{sys.executable} -m tests.faults.full"
SMALL_DISK: Final = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
"""A name space of our own, where a disk in memory of any size can be mounted without being root."""


def run(arguments: list[str]) -> Outcome:
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return msgspec.json.decode(done.stdout, type=Outcome)


def can_mount(folder: Path) -> bool:
    if not shutil.which("unshare"):
        return False
    done = subprocess.run([*SMALL_DISK, f"mount -t tmpfs tmpfs {folder}"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
def test_a_real_disk_that_is_full(tmp_path: Path, counted: Count) -> None:
    """A ledger and its files on a disk of 14 MB; where none can be mounted, files that may not grow beyond 2 MB."""
    if can_mount(tmp_path):
        mounted = f"mount -t tmpfs -o size=14m tmpfs {tmp_path} && {PROGRAM} {tmp_path}"
        outcome, expected = run([*SMALL_DISK, mounted]), "StorageFull"
    else:
        outcome, expected = run([*PROGRAM.split(), str(tmp_path), "--limit", str(1 << 21)]), "Unavailable"
    counted(f"F8 appends until a real disk was full ({expected})", outcome.before)
    assert outcome.before > 50
    assert outcome.refused == [expected] * 4
    assert outcome.readable
    assert outcome.files_before >= 3
    assert outcome.file_refused == expected
    assert outcome.files_readable
    assert outcome.left == 0, "half-written files are taken away"
    assert outcome.after == 5
    assert outcome.files_after == 3
    assert outcome.size == outcome.before + 5
    assert outcome.findings == []


@pytest.mark.requirement("R016")
def test_room_for_the_log_is_never_the_last_of_the_disk(tmp_path: Path) -> None:
    """Opening a ledger on a disk with less room than the log may use takes none of it."""
    log = tmp_path / "log"
    log.write_bytes(b"frames")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        sqlite._make_room(log)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert log.read_bytes() == b"frames"
    sqlite._make_room(log)
    assert log.stat().st_size > 1 << 20
    assert log.read_bytes().rstrip(b"\x00") == b"frames"


@pytest.mark.requirement("R016")
def test_every_quota_of_a_disk(ram: Path, counted: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full at any size: the appends that fitted are there, the others go through once there is room."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 30)
    refused = 0
    for kilobytes in range(100, 300, 4):
        disk, path = Disk(), ram / f"{kilobytes}.db"
        story = Story(Random("F8"))
        appends = [story.append() for _number in range(30)]
        with ledger_on(SQLiteStore(path, create=True, vfs=disk.name), SimulatedClock(START)) as ledger:
            disk.quota = kilobytes << 10
            waiting, answers = list(appends), dict[str, bytes]()
            while waiting:
                try:
                    events = ledger.append(waiting[0])
                except StorageFull:
                    refused += 1
                    # SQLite passes over a move of the log that fails after the commit; a VFS in Python is heard of it.
                    assert ledger.head().size in (len(answers), len(answers) + len(waiting[0]))
                    disk.quota = None
                else:
                    answers |= {record.event.id: record.data for record in ledger.records(events[0].pos)}
                    waiting.pop(0)
        disk.unregister()
        assert judge(path, appends, answers) == []
    counted("F8 quotas of 50 that were met", refused)
    assert refused > 25


class Limited:
    """A PostgreSQL whose files may not grow beyond a size: what a full disk is to it, without being root.

    The kernel refuses with "file too large" and not "no space", at the same calls.
    """

    def __init__(self, server: PostgresServer) -> None:
        self.server = server

    def limit(self, size: int) -> None:
        assert self.server._process is not None
        postmaster = self.server._process.pid
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True, check=True
        )
        soft = "unlimited" if size == resource.RLIM_INFINITY else size
        for pid in (str(postmaster), *found.stdout.split()):
            subprocess.run(
                ["prlimit", "--pid", pid, f"--fsize={soft}:unlimited"],
                check=False,
                capture_output=True,
                **_as_unprivileged(),
            )


@pytest.fixture
def limited() -> Iterator[Limited]:
    with running_server() as server:
        yield Limited(server)


def big(number: int) -> Draft:
    """An event of 40 kB that does not compress."""
    text = Random(number).randbytes(20_000).hex()
    return Draft(stream="lot/1", type="test.happened", body={"text": text}, id=f"id-{number}", actor="ann")


def append_until_refused(ledger: Ledger, first: int) -> tuple[int, LedgerError]:
    for number in range(first, first + 2_000):
        try:
            ledger.append([big(number)], {"lot/1": number})
        except LedgerError as error:
            return number, error
    raise AssertionError("never full")


@pytest.mark.postgres
@pytest.mark.xdist_group("postgres faults")
@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
def test_postgresql_without_room_for_its_tables(limited: Limited, counted: Count) -> None:
    """The table can not grow: an error, reading goes on, and with room writing too, without a restart."""
    url = limited.server.new_database()
    with psycopg.connect(limited.server.url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET wal_recycle = off")
    with open_ledger(url, create=True) as ledger:
        ledger.append([big(0)], {"lot/1": 0})
        limited.limit((16 << 20) + 8192 * 3)  # a segment of the log fits, the table may not be larger
        stopped, error = append_until_refused(ledger, 1)
        assert isinstance(error, Unavailable)
        assert ledger.version("lot/1") == ledger.head().size == stopped
        assert ledger.event(stopped - 1) == ledger.by_id(f"id-{stopped - 1}")
        limited.limit(resource.RLIM_INFINITY)
        assert ledger.append([big(stopped)], {"lot/1": stopped})[0].pos == stopped
        assert verify(ledger).ok
    counted("F8 appends until PostgreSQL had no room for its tables", stopped)
    assert stopped > 100


@pytest.mark.postgres
@pytest.mark.xdist_group("postgres faults")
@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
def test_postgresql_without_room_for_its_log(limited: Limited, counted: Count) -> None:
    """The log can not be written: the server gives up all by itself; with room it starts, and nothing answered is lost."""
    server = limited.server
    url = server.new_database()
    with open_ledger(url, create=True) as ledger:
        answered = ledger.append([big(0)], {"lot/1": 0})
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET restart_after_crash = off")
            connection.execute("SELECT pg_reload_conf()")
        limited.limit(1 << 20)  # the next segment of the log is 16 MB
        stopped, error = append_until_refused(ledger, 1)
        assert isinstance(error, Unavailable)
        assert server._process is not None
        assert server._process.wait(30) != 0
        server.start()
        again = patiently(lambda: ledger.append([big(stopped)], {"lot/1": stopped}))
        assert again[0].pos == stopped
        assert patiently(lambda: ledger.stream("lot/1"))[0] == answered[0]
        assert ledger.head().size == stopped + 1
        assert verify(ledger).ok
    counted("F8 PostgreSQL without room for its log: fell, and started again with all that was answered", 1)
