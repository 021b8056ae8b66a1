"""A ledger's life on a bad machine, played in one thread from a seed (F4).

The real writer, sequencer and SQLite store run on a disk that fails, a clock that steps and a power supply that is cut.
Beside them runs the same ledger in memory, which nothing ever happens to; the two must never say different things. An
append whose outcome a client could not be told is resolved when the disk is read again: it is there wholly, or not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import apsw
import msgspec

from cellwright.ledger import Draft, Event, Ledger, LedgerError, StorageFull, StoredCheckpoint, Unavailable, verify
from cellwright.ledger.canonical import Prepared
from cellwright.ledger.memory import MemoryStore
from cellwright.ledger.sequencer import CLOCK_STEPPED, Answer, Append, Sequencer
from cellwright.ledger.sqlite import SQLiteStore
from cellwright.ledger.writer import Writer
from tests.faults.disk import EIO, ENOSPC, SHORT, Disk, Fault, short_names
from tests.faults.power import DAMAGES, Platter, lay_down
from tests.faults.story import START, Story

ACTIONS: Final = 24
"""Things that happen in one life."""
STEP_S: Final = 2
"""Seconds of a step of the clock that must be recorded."""


class Wrong(AssertionError):
    """The ledger did what it may not."""


class Unthreaded:
    """In place of the writer's thread: here all is done by whoever appends."""

    def __init__(self, **_named: Any) -> None:
        pass

    def start(self) -> None:
        """Not needed."""

    def join(self) -> None:
        """Nothing to wait for."""


ONE_THREAD: Final = SimpleNamespace(Lock=threading.Lock, Event=threading.Event, Thread=Unthreaded)
"""What the writer's module sees of `threading`."""


@dataclass
class Hands:
    """A clock that can be set, and a counter that only counts."""

    wall: datetime = START
    count: int = 10**9

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.count += int(seconds * 10**9)


@dataclass
class Unknown:
    """A batch that nobody could be answered: its appends and what clock and counter showed."""

    appends: list[Append]
    wall: datetime
    count: int


@dataclass
class Simulation:
    """One life.

    Args:
        seed: decides everything.
        folder: where the real files lie.
        synchronous: a weaker setting, as planted fault.
        sequencer: another class, as planted fault.
    """

    seed: int
    folder: Path
    synchronous: str | None = None
    sequencer: type[Sequencer] = Sequencer
    met: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._story = Story(self._random)
        self._hands = Hands()
        self._oracle_hands = Hands()
        self._oracle_store = MemoryStore()
        self._tried: list[list[Draft]] = []
        self._unknown: Unknown | None = None
        self._stepped_s = 0.0
        self._lives = 0
        self._platter = Platter()
        self._start_files()

    # the machine

    def _start_files(self) -> None:
        self._lives += 1
        self._path = self.folder / f"{self._lives}.db"
        lay_down(self._platter.durable, self._path)
        self._platter = Platter(self._platter.durable)
        self._disk = Disk()
        self._open()

    def _open(self) -> None:
        """Start the program; a disk that refuses is repaired and tried again."""
        try:
            self._store = SQLiteStore(self._path, create=True, vfs=self._disk.name)
        except LedgerError as error:
            if self._disk.fault is None:
                raise Wrong(f"can not be opened: {error!r}") from error
            self._count("refused starts")
            self._disk.fault = None
            self._store = SQLiteStore(self._path, create=True, vfs=self._disk.name)
        if self.synchronous:
            self._store._open_writer().pragma("synchronous", self.synchronous)
        self._real = self.sequencer(self._store, lambda: self._hands.wall, lambda: self._hands.count)
        self._writer = Writer(self._real)
        self._ledger = Ledger(self._store, self._writer, self._store)
        self._resolve()  # what the life before left open, by the clock readings it had
        self._oracle = Sequencer(self._oracle_store, lambda: self._oracle_hands.wall, lambda: self._oracle_hands.count)
        self._fresh = True

    def _cut_power(self) -> None:
        """What was not synced is lost, torn or noise; the program starts again on what is left."""
        self._count("power cuts")
        self._platter.follow(short_names(self._disk.operations, self._path), self._random)
        self._disk.operations.clear()
        files = self._platter.image(self._random.choice(DAMAGES), self._random)
        self._disk.off = True
        self._close()
        self._platter = Platter(files)
        self._start_files()

    def _restart(self) -> None:
        """The program ends properly and starts again on the same disk."""
        self._count("restarts")
        with suppress(apsw.Error):
            self._ledger.close()
        self._disk.fault = None if self._random.random() < 0.8 else self._disk.fault
        self._open()

    def _close(self) -> None:
        self._ledger.close()
        self._disk.unregister()

    # what happens

    def run(self) -> None:
        """Live. Raises Wrong at the first thing that is."""
        actions: Sequence[tuple[int, Callable[[], None]]] = (
            (10, self._append),
            (3, self._retry),
            (3, self._set_clock),
            (4, self._break_disk),
            (2, self._repair_disk),
            (3, self._cut_power),
            (1, self._restart),
            (1, self._keep_checkpoint),
            (2, self._compare),
        )
        for _action in range(ACTIONS):
            self._hands.pass_by(self._random.choice((0.000001, 0.5, 40.0)))
            self._random.choices([action for _weight, action in actions], [weight for weight, _action in actions])[0]()
        self._repair_disk()
        self._retry()
        self._compare()
        found = verify(self._ledger, processes=1, deep=True)
        if not found.ok:
            raise Wrong(f"verification: {found.findings}")
        self._close()

    def _append(self) -> None:
        """One to five clients append at once: most of them rightly."""
        self._send([self._some_append() for _client in range(self._random.choice((1, 1, 2, 5)))])

    def _some_append(self) -> Append:
        random, kind = self._random, self._random.random()
        if kind < 0.75 or not self._tried:
            drafts = self._story.append()
            self._tried.append(drafts)
            expected = {}
            if random.random() < 0.5:
                stream = drafts[0].stream
                expected = {stream: self._oracle_store.size_of(stream) + random.choice((0, 0, 0, 1))}
            return _append_of(drafts, expected)
        earlier = random.choice(random.choice(self._tried))
        number = random.randrange(1 << 30)
        if kind < 0.8:
            return _append_of([msgspec.structs.replace(earlier, body={"other": number})])
        fields: dict[str, Any] = random.choice(
            (
                {"claims": {f"bag/{number % 9}": "coi/1"}},
                {"releases": {f"bag/{number % 9}": "coi/1"}},
                {"expects": {f"bag/{number % 9}": "coi/1"}},
                {"expects": {f"bag/{number % 9}": "coi/2"}},
            )
        )
        draft = Draft(stream="bags", type="bag.moved", body={}, id=f"bag-{number}", actor="bo", **fields)
        self._tried.append([draft])
        return _append_of([draft])

    def _retry(self) -> None:
        """Clients send again what they sent before, with the same ids."""
        if self._tried:
            self._send([_append_of(self._random.choice(self._tried[-6:])) for _again in range(3)])

    def _set_clock(self) -> None:
        seconds = self._random.choice((-400 * 86_400, 400 * 86_400, -3_600, 3_600, -3, 3, -1, 1, -0.5))
        self._count("steps of the clock")
        self._hands.wall += timedelta(seconds=seconds)
        self._stepped_s += seconds

    def _break_disk(self) -> None:
        kind = self._random.choice((EIO, ENOSPC, SHORT))
        self._disk.fault = Fault(kind, self._random.randint(1, 40), for_good=self._random.random() < 0.3)

    def _repair_disk(self) -> None:
        self._disk.fault = None
        self._resolve()

    def _keep_checkpoint(self) -> None:
        with suppress(Unavailable):
            self._ledger.add_checkpoint(StoredCheckpoint(self._oracle_store.head().size, "note", b"note", "now"))

    # what must come of it

    def _send(self, appends: list[Append]) -> None:
        """Hand in a batch; compare every answer with that of the ledger in memory."""
        self._resolve()
        if self._unknown is not None:  # the disk can not even be read: nobody knows where we are
            self._disk.fault = None
            self._resolve()
        wall, count = self._hands.wall, self._hands.count
        futures = [self._writer.submit(append) for append in appends[:-1]]
        answers: list[list[Event] | LedgerError] = []
        try:
            last: list[Event] | LedgerError = [record.event for record in self._writer.append(appends[-1])]
        except LedgerError as error:
            last = error
        for future in futures:
            error = future.exception(0)
            if error is not None and not isinstance(error, LedgerError):
                raise Wrong(f"an answer of no type of ours: {error!r}")
            answers.append(error or future.result(0))
        answers.append(last)
        unknown = [type(answer) in (Unavailable, StorageFull) for answer in answers]
        if all(unknown):
            self._count("batches that failed")
            self._unknown = Unknown(appends, wall, count)
        elif any(unknown):
            raise Wrong(f"one transaction, answered in two ways: {answers}")
        else:
            self._count("batches")
            before = self._oracle_store.head().size
            self._compare_answers(answers, self._play(appends, wall, count))
            self._see_clock(before)

    def _play(self, appends: list[Append], wall: datetime, count: int) -> list[Answer]:
        self._oracle_hands = Hands(wall, count)
        return self._oracle.commit(appends)

    def _compare_answers(self, answers: Sequence[list[Event] | LedgerError], right: Sequence[Answer]) -> None:
        for answer, wanted in zip(answers, right, strict=True):
            if isinstance(wanted, LedgerError):
                self._count("refusals")
                if type(answer) is not type(wanted) or str(answer) != str(wanted):
                    raise Wrong(f"answered {answer!r}, right is {wanted!r}")
            elif answer != [record.event for record in wanted]:
                raise Wrong(f"answered {answer!r}, right is {wanted!r}")

    def _see_clock(self, before: int) -> None:
        """A step of more than two seconds is the first event after it."""
        records = self._oracle_store.records(before, before + 1)
        if not records:
            return
        stepped = records[0].event.type == CLOCK_STEPPED
        if not self._fresh and stepped != (abs(self._stepped_s) > STEP_S):
            raise Wrong(f"the clock moved {self._stepped_s} s, recorded: {stepped}")
        self._count("steps recorded", stepped)
        self._stepped_s, self._fresh = 0.0, False

    def _resolve(self) -> None:
        """Read whether the batch of unknown outcome is there; if it is, wholly and as the ledger in memory writes it."""
        try:
            size = self._ledger.head().size
        except Unavailable:
            return
        known = self._oracle_store.head().size
        if self._unknown is None:
            if size != known:
                raise Wrong(f"{size} events, answered were {known}")
            return
        unknown, self._unknown = self._unknown, None
        if size == known:
            return
        self._count("batches written and not answered")
        stamp = self._oracle._stamp
        self._play(unknown.appends, unknown.wall, unknown.count)
        self._oracle._stamp = stamp.followed_by(self._oracle._stamp.at)
        self._fresh = True
        if size != self._oracle_store.head().size:
            raise Wrong(f"{size} events after an unknown outcome, {known} before, a part of the batch only")

    def _compare(self) -> None:
        """Everything that can be read is what the ledger in memory has."""
        self._resolve()
        if self._unknown is not None:
            return
        try:
            records, claims = list(self._ledger.records()), self._ledger.claims("")
            tagged = self._ledger.tagged("coi/1")
        except Unavailable:
            return
        self._count("comparisons")
        oracle = self._oracle_store
        if records != oracle.records(0, oracle.head().size):
            raise Wrong("other events than in memory")
        if claims != oracle.claims("") or tagged != [event.event for event in records if "coi/1" in event.event.tags]:
            raise Wrong("other claims or tags than in memory")

    def _count(self, what: str, number: int = 1) -> None:
        self.met[what] = self.met.get(what, 0) + number


def _append_of(drafts: list[Draft], expected: dict[str, int] | None = None) -> Append:
    return Append([Prepared(draft) for draft in drafts], expected or {})
