"""F1: power is cut at any moment, and any part of what was not yet synced is lost, torn or noise.

Whatever was answered is there afterwards, an append is there wholly or not at all, and the ledger can be written again.
The same harness must find fault with a setting and a drive that are known to lose data, or it would prove nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from cellwright.ledger import Draft, SimulatedClock, ledger_on, sqlite
from cellwright.ledger.sqlite import SQLiteStore
from tests.faults.conftest import Count
from tests.faults.disk import Operation, Synced, Write, new_disk, short_names
from tests.faults.power import DAMAGES, Platter, lay_down
from tests.faults.story import START, Story, judge

pytestmark = pytest.mark.usefixtures("lean")
APPENDS = 40
IMAGES_PER_RUN = 100
CHECKPOINT_PAGES = 30
"""Pages after which the log is moved into the file: few, so that cuts fall into many such moves."""
ROOM = 1 << 18
"""Bytes that the write-ahead log is lengthened by in some runs, as a busy store does."""


@dataclass(frozen=True)
class Run:
    """One run of a store: what reached the disk, what was asked, and what was answered (by number of append)."""

    operations: list[Operation]
    tried: list[list[Draft]]
    answers: dict[int, dict[str, bytes]]


@dataclass(frozen=True)
class Cut:
    """One power cut: whether writes to the log or to the file itself were not yet synced, and what was wrong after it."""

    log: bool
    file: bool
    faults: list[str]


def record(path: Path, seed: int, *, synchronous: str | None = None, lying: bool = False) -> Run:
    """Create a ledger and append to it, with a reader that holds an old state at times."""
    random = Random(seed)
    story, tried, answers = Story(random), [], {}
    with new_disk() as disk:
        disk.lying = lying
        store = SQLiteStore(path, create=True, vfs=disk.name)
        if synchronous:
            store._open_writer().pragma("synchronous", synchronous)
        with ledger_on(store, SimulatedClock(START)) as ledger:
            room_at = random.choice((None, 5, 20))
            for number in range(APPENDS):
                tried.append(story.append())
                events = ledger.append(tried[-1])
                disk.answered(number)
                answers[number] = {
                    event.id: record.data
                    for event, record in zip(events, ledger.records(events[0].pos, events[-1].pos + 1), strict=True)
                }
                if number == room_at:
                    log = f"{path}-wal"
                    disk.operations += [Write(log, disk.sizes[log], bytes(ROOM)), Synced(log)]
                if random.random() < 0.1:
                    ledger.version("lot/0")
        operations = short_names(disk.operations, path)
    return Run(operations, tried, answers)


def cut(run: Run, folder: Path, images: int, random: Random) -> list[Cut]:
    """Cut the power ``images`` times at random moments of a run."""
    platter, done, found = Platter(), 0, []
    damages = cycle(DAMAGES)
    path = folder / "image.db"
    for moment in sorted(random.randrange(len(run.operations) + 1) for _image in range(images)):
        platter.follow(run.operations[done:moment], random)
        done = moment
        lay_down(platter.image(next(damages), random), path)
        answers = {name: data for number in platter.answered for name, data in run.answers[number].items()}
        unsynced = {operation.file for operation in platter.pending if isinstance(operation, Write)}
        found.append(Cut("-wal" in unsynced, "" in unsynced, judge(path, run.tried, answers)))
    return found


def campaign(folder: Path, images: int, seed: str, *, synchronous: str | None = None, lying: bool = False) -> list[Cut]:
    """Runs of a store, each cut a hundred times, until there are ``images`` cuts."""
    found: list[Cut] = []
    while len(found) < images:
        number = len(found)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sqlite, "CHECKPOINT_PAGES", CHECKPOINT_PAGES)
            place = folder / f"run{number}"
            place.mkdir()
            run = record(place / "ledger.db", hash_of(seed, number), synchronous=synchronous, lying=lying)
        found += cut(run, place, min(IMAGES_PER_RUN, images - number), Random(f"{seed}/{number}"))
        for file in place.iterdir():
            file.unlink()
    return found


def hash_of(seed: str, number: int) -> int:
    return Random(f"{seed}:{number}").getrandbits(48)


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
@pytest.mark.parametrize("images", [1_500, pytest.param(200_000, marks=pytest.mark.long)])
def test_nothing_answered_is_lost_when_power_fails(ram: Path, counted: Count, images: int) -> None:
    found = campaign(ram, images, "F1")
    assert [made.faults for made in found if made.faults] == []
    assert len(found) == images
    counted("F1 power cuts", len(found))
    counted("F1 cuts with unsynced writes in the log", sum(made.log for made in found))
    counted("F1 cuts while the log was moved into the file", sum(made.file for made in found))
    assert sum(made.log for made in found) > images / 2
    assert sum(made.file for made in found) > images / 20


def test_the_harness_finds_a_setting_that_loses_data(ram: Path, counted: Count) -> None:
    """F1c: with synchronous=NORMAL a commit is answered before it is on the disk."""
    found = campaign(ram, 300, "F1c", synchronous="normal")
    bad = sum(any(fault.startswith("lost") for fault in made.faults) for made in found)
    counted("F1c cuts of 300 with synchronous=NORMAL found to lose answered appends", bad)
    assert len(found) == 300
    assert bad > 0.3 * len(found)


def test_the_harness_finds_a_drive_that_lies(ram: Path, counted: Count) -> None:
    """A drive that says it has synced and has not leaves not only gaps but ledgers that are broken or unreadable."""
    found = campaign(ram, 100, "lying", lying=True)
    kinds = Counter(fault.split(":")[0] for made in found for fault in made.faults)
    counted("F1 cuts of 100 on a lying drive found to do harm", sum(bool(made.faults) for made in found))
    assert len(found) == 100
    assert sum(bool(made.faults) for made in found) > 30
    assert kinds["lost"]
    assert kinds["corrupt"] or kinds["unreadable"]
