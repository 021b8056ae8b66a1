"""What the fault campaign shares: a folder in memory, disks that break, and the counts that prove what was run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.disk import Disk, new_disk

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
def disk() -> Iterator[Disk]:
    with new_disk() as made:
        yield made


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Count:
    """State how many faults a campaign really met; shown at the end of the run."""

    def count(what: str, number: int) -> None:
        record_property("faults", f"{what}: {number}")

    return count
