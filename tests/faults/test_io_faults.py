"""F2: every single call to the disk fails once, and from then on for good: an error, no space, half a write.

An error reaches the client as one; nothing answered is lost; and when the disk works again the same open ledger takes
the same appends, each of them once.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from cellwright.ledger import Draft, Ledger, LedgerError, SimulatedClock, Unavailable, ledger_on, sqlite
from cellwright.ledger.sqlite import SQLiteStore
from tests.faults.conftest import Count
from tests.faults.disk import EIO, ENOSPC, SHORT, Disk, Fault, new_disk
from tests.faults.story import START, Story, judge

# A connection given up on a broken disk can not unlock its file; apsw says so where nobody can catch it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("lean"),
]

PATIENCE = 3
"""Appends refused in a row after which somebody repairs the disk."""


@dataclass
class Script:
    """What is appended, and what came of it on one disk."""

    disk: Disk
    path: Path
    appends: list[list[Draft]]
    store: type[SQLiteStore] = SQLiteStore
    answers: dict[str, bytes] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Open, append everything, repair the disk when it stays broken, and append again what was not answered.

        At the end the disk breaks once more, so that the ledger is closed on a broken one.
        """
        with self._open() as ledger:
            waiting = []
            for drafts in self.appends:
                waiting.append(drafts)
                waiting = self._send(ledger, waiting)
                if len(waiting) == PATIENCE:
                    self.disk.fault = None
            self.disk.fault = None
            if self._send(ledger, waiting):
                self.faults.append("stuck: the disk works again and the ledger does not")
            self.disk.fault = Fault(EIO, 1, for_good=True)
        self.disk.fault = None
        self.faults += judge(self.path, self.appends, self.answers)
        if len(self.answers) != sum(map(len, self.appends)):
            self.faults.append("stuck: not everything was answered in the end")

    def _open(self) -> Ledger:
        for _attempt in range(2):
            try:
                return ledger_on(self.store(self.path, create=True, vfs=self.disk.name), SimulatedClock(START))
            except LedgerError as error:
                self._told(error)
                self.disk.fault = None
        raise AssertionError("the disk works again and the ledger can not be made")

    def _send(self, ledger: Ledger, waiting: list[list[Draft]]) -> list[list[Draft]]:
        """Append in order until one is refused; gives those that are left."""
        for number, drafts in enumerate(waiting):
            try:
                events = ledger.append(drafts)
            except LedgerError as error:
                self._told(error)
                return waiting[number:]
            try:
                records = list(ledger.records(events[0].pos, events[-1].pos + 1))
            except LedgerError as error:
                self._told(error)
                records = [record for draft in drafts if (record := self._again(ledger, draft.id))]
            self.answers |= {record.event.id: record.data for record in records}
            if [record.event for record in records] != events:
                self.faults.append(f"corrupt: answered {events}, read {records}")
        return []

    def _again(self, ledger: Ledger, event_id: str) -> object:
        fault, self.disk.fault = self.disk.fault, None
        record = ledger.store.by_id(event_id)
        self.disk.fault = fault
        return record

    def _told(self, error: LedgerError) -> None:
        self.errors.append(type(error).__name__)


def script(appends: int) -> list[list[Draft]]:
    story = Story(Random("F2"))
    return [story.append() for _number in range(appends)]


def campaign(folder: Path, kind: str, appends: list[list[Draft]], *, for_good: bool) -> list[Script]:
    """Run the script once for every call that the kind of fault concerns."""
    with new_disk() as disk:
        Script(disk, folder / "whole.db", appends).run()
        calls = disk.total if kind == EIO else disk.calls["write"]
    done = []
    for number in range(1, calls + 1):
        with new_disk() as disk:
            fault = disk.fault = Fault(kind, number, for_good)
            script = Script(disk, folder / f"{number}.db", appends)
            script.run()
        if fault.met < number:  # the calls of a run vary a little: its last ones may not come
            break
        done.append(script)
        for file in folder.glob(f"{number}.db*"):
            file.unlink()
    assert len(done) > calls - 10
    return done


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
@pytest.mark.parametrize("appends", [25, pytest.param(250, marks=pytest.mark.long)])
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("kind", [EIO, ENOSPC, SHORT])
def test_every_call_may_fail(
    ram: Path, counted: Count, monkeypatch: pytest.MonkeyPatch, kind: str, for_good: bool, appends: int
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 30)
    done = campaign(ram, kind, script(appends), for_good=for_good)
    errors = Counter(error for made in done for error in made.errors)
    counted(f"F2 {kind} {'for good' if for_good else 'once'} at every call, runs", len(done))
    assert [made.faults for made in done if made.faults] == []
    assert len(done) > appends * (25 if kind == EIO else 12)
    told = sum(bool(made.errors) for made in done)
    assert told > 0.9 * len(done), "nearly every fault is one that a client must hear of"
    expected = {"Unavailable", "LedgerError"} if kind == EIO else {"StorageFull"}
    assert set(errors) <= expected


def test_the_harness_finds_a_store_that_hides_errors(ram: Path, counted: Count) -> None:
    """The same script on a store that says a commit was done when it failed."""

    class Careless(SQLiteStore):
        def commit(self) -> None:
            with suppress(Unavailable):
                super().commit()
            self._head = None

    found = 0
    for number in range(150, 350, 10):
        with new_disk() as disk:
            disk.fault = Fault(EIO, number, for_good=False)
            made = Script(disk, ram / f"{number}.db", script(25), Careless)
            made.run()
            found += bool(made.faults)
    counted("F2 runs of 20 on a store that hides errors found", found)
    assert found
