"""What the fault campaign shares: a folder in memory, disks that break, and the counts that prove what was run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cellwright.ledger import sqlite, writer
from tests.faults.disk import Disk, new_disk
from tests.faults.simulation import ONE_THREAD

Count = Callable[[str, int], None]


@pytest.fixture
def ram(tmp_path: Path) -> Iterator[Path]:
    """A folder whose syncs cost nothing where the machine has one; the faults are in the VFS, not in the metal."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shutil.disk_usage(shared).free < 1 << 26:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=shared, prefix="cellwright-") as folder:
        yield Path(folder)


@pytest.fixture
def lean(monkeypatch: pytest.MonkeyPatch) -> None:
    """What thousands of short lives need not pay for: a thread of the writer's own, and room in the log of ledgers that are
    only opened to be judged."""
    monkeypatch.setattr(writer, "threading", ONE_THREAD)
    monkeypatch.setattr(sqlite, "_ROOM_BYTES", 0)


@pytest.fixture
def disk() -> Iterator[Disk]:
    with new_disk() as made:
        yield made


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Count:
    """State how many faults a campaign really met; shown at the end of the run."""

    def count(what: str, number: int) -> None:
        record_property("faults", f"{what}: {number}")

    return count
