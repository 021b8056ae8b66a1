"""One writer at a time: answers after the commit, for everyone, whatever goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_all
from datetime import UTC, datetime

import pytest

from cellwright.ledger import (
    BadEvent,
    ClaimTaken,
    Closed,
    Conflict,
    Draft,
    Event,
    IdReused,
    Ledger,
    SimulatedClock,
    StorageFull,
    StoredCheckpoint,
    Unavailable,
    ledger_on,
    verify,
)
from cellwright.ledger.canonical import Prepared
from cellwright.ledger.memory import MemoryStore
from cellwright.ledger.sequencer import Append, Sequencer
from cellwright.ledger.store import Batch, Clash, Found, HeadMoved, HeadRow, Wanted
from cellwright.ledger.writer import BATCH_MAX

Make = Callable[..., Draft]
LIMIT = 30


class GatedStore(MemoryStore):
    """A store whose commits wait until the test lets them, and fail as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.failures: list[BaseException] = []
        self.at: str = "commit"
        self.commits = 0

    def begin(self) -> HeadRow:
        self._fail("begin")
        return super().begin()

    def find(self, wanted: Wanted) -> Found:
        self._fail("find")
        return super().find(wanted)

    def put(self, batch: Batch) -> None:
        self._fail("put")
        super().put(batch)

    def commit(self) -> None:
        self.reached.set()
        assert self.open.wait(LIMIT)
        self._fail("commit")
        self.commits += 1
        super().commit()

    def _fail(self, here: str) -> None:
        if self.at == here and self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def store() -> GatedStore:
    return GatedStore()


@pytest.fixture
def gated(store: GatedStore) -> Iterator[Ledger]:
    with ledger_on(store, SimulatedClock(datetime(2026, 3, 2, tzinfo=UTC))) as ledger:
        yield ledger


def test_nobody_is_answered_before_the_commit_not_even_the_refused(
    gated: Ledger, store: GatedStore, make: Make
) -> None:
    """A conflict told before the commit speaks of events that no reader can see yet: that was not linearizable."""
    store.open.clear()
    first = gated.submit([make("lot/1")], {"lot/1": 0})
    assert store.reached.wait(LIMIT)
    together: list[Future[list[Event]]] = [
        gated.submit([make("lot/1")], {"lot/1": 1}),
        gated.submit([make("lot/1")], {"lot/1": 1}),
        gated.submit([make("lot/2", claims={"bag/1": "coi/A"})]),
        gated.submit([make("lot/3", claims={"bag/1": "coi/B"})]),
    ]
    assert not any(future.done() for future in (first, *together))
    assert gated.version("lot/1") == 0
    store.reached.clear()
    store.open.set()
    first.result(LIMIT)
    wait_all(together, LIMIT)
    assert isinstance(together[1].exception(0), Conflict)
    assert isinstance(together[3].exception(0), ClaimTaken)
    assert gated.version("lot/1") == 2
    assert store.commits == 2  # what gathered during the first went together


def test_what_gathers_is_committed_together_and_in_order(gated: Ledger, store: GatedStore, make: Make) -> None:
    store.open.clear()
    first = gated.submit([make()])
    assert store.reached.wait(LIMIT)
    rest = [gated.submit([make(), make()]) for _number in range(BATCH_MAX + 5)]
    store.open.set()
    assert first.result(LIMIT)[0].pos == 0
    assert [event.pos for future in rest for event in future.result(LIMIT)] == list(range(1, 2 * BATCH_MAX + 11))
    assert store.commits == 3


@pytest.mark.parametrize("at", ["begin", "find", "put", "commit"])
@pytest.mark.parametrize(
    "error", [OSError("the disk went away"), StorageFull("full"), MemoryError(), Unavailable("gone")]
)
def test_a_failure_is_told_to_all_and_the_next_append_succeeds(
    gated: Ledger, store: GatedStore, make: Make, at: str, error: Exception
) -> None:
    gated.append([make("lot/1", claims={"bag/1": "coi/A"})])
    store.at, store.failures = at, [error]
    draft = make("lot/1", releases={"bag/1": "coi/A"}, claims={"bag/2": "coi/A"})
    with pytest.raises(Unavailable) as told:
        gated.append([draft], {"lot/1": 1})
    assert isinstance(told.value, StorageFull) == isinstance(error, StorageFull)
    assert gated.head().size == 1
    assert gated.append([draft], {"lot/1": 1})[0].pos == 1
    assert gated.claim("bag/1") is None
    assert verify(gated).ok


def test_a_failure_under_many_waiting_is_told_to_each_of_them(gated: Ledger, store: GatedStore, make: Make) -> None:
    store.open.clear()
    first = gated.submit([make()])
    assert store.reached.wait(LIMIT)
    rest = [gated.submit([make()]) for _number in range(20)]
    told: list[BaseException] = []

    def append() -> None:
        try:
            gated.append([make()])
        except Unavailable as error:
            told.append(error)

    threads = [threading.Thread(target=append) for _number in range(8)]
    for thread in threads:
        thread.start()
    while gated._writer is not None and len(gated._writer._waiting) < 28:
        threading.Event().wait(0.001)
    store.failures = [OSError("first"), OSError("second")]
    store.open.set()
    for thread in threads:
        thread.join(LIMIT)
    errors = [future.exception(LIMIT) for future in (first, *rest)]
    assert all(isinstance(error, Unavailable) for error in errors)
    assert len(told) == 8
    assert len({id(error) for error in [*errors, *told]}) == 29  # each has its own traceback
    assert gated.head().size == 0
    assert gated.append([make()])[0].pos == 0


class Interrupt(BaseException):
    """What is no Exception: a keyboard interrupt, an exit."""


def test_an_interrupt_of_the_thread_that_commits_leaves_nobody_waiting(
    gated: Ledger, store: GatedStore, make: Make
) -> None:
    store.open.clear()
    caught: list[BaseException] = []

    def leader() -> None:
        try:
            gated.append([make()])
        except BaseException as error:  # noqa: BLE001 - looked at below
            caught.append(error)

    thread = threading.Thread(target=leader)
    thread.start()
    assert store.reached.wait(LIMIT)
    waiting = gated.submit([make()])
    store.failures = [Interrupt()]
    store.open.set()
    thread.join(LIMIT)
    assert [type(error) for error in caught] == [Interrupt]
    assert waiting.result(LIMIT)[0].pos == 0
    assert gated.append([make()])[0].pos == 1


def test_an_interrupt_of_the_writers_own_thread_does_not_end_it(gated: Ledger, store: GatedStore, make: Make) -> None:
    store.failures = [Interrupt()]
    assert isinstance(gated.submit([make()]).exception(LIMIT), Unavailable)
    assert gated.submit([make()]).result(LIMIT)[0].pos == 0


def test_the_answer_lost_after_the_commit_is_found_by_id(gated: Ledger, store: GatedStore, make: Make) -> None:
    """The commit happened and its answer did not come: a retry gets the events and writes nothing."""
    whole = MemoryStore.commit

    def lost() -> None:
        whole(store)
        store.commit = type(store).commit.__get__(store)  # type: ignore[method-assign]
        raise Unavailable("the answer was lost")

    store.commit = lost  # type: ignore[method-assign]
    draft = make("lot/1", claims={"bag/1": "coi/A"})
    with pytest.raises(Unavailable):
        gated.append([draft], {"lot/1": 0})
    assert gated.version("lot/1") == 1
    assert gated.append([draft], {"lot/1": 0})[0].pos == 0
    assert gated.version("lot/1") == 1


def test_an_append_twice_in_one_batch_is_written_once(gated: Ledger, store: GatedStore, make: Make) -> None:
    draft, other = make("lot/1"), make("lot/2")
    store.open.clear()
    first = gated.submit([other])
    assert store.reached.wait(LIMIT)
    twice = [gated.submit([draft], {"lot/1": 0}) for _time in range(2)]
    reused = gated.submit([make("lot/9", id=draft.id)])
    store.open.set()
    first.result(LIMIT)
    assert twice[0].result(LIMIT) == twice[1].result(LIMIT)
    assert isinstance(reused.exception(LIMIT), IdReused)
    assert gated.head().size == 2


def test_closing_finishes_what_was_handed_in(store: GatedStore, make: Make) -> None:
    ledger = ledger_on(store)
    store.open.clear()
    futures = [ledger.submit([make()]) for _number in range(50)]
    assert store.reached.wait(LIMIT)
    closer = threading.Thread(target=ledger.close)
    closer.start()
    store.open.set()
    closer.join(LIMIT)
    assert [future.result(0)[0].pos for future in futures] == list(range(50))
    for refused in (
        lambda: ledger.submit([make()]),
        lambda: ledger.add_checkpoint(StoredCheckpoint(0, "note", b"", "")),
    ):
        with pytest.raises(Closed):
            refused()


def test_closing_waits_for_the_client_that_commits_in_its_own_thread(store: GatedStore, make: Make) -> None:
    """Closed under its commit, a store would give back its file, and the lock on it, while it is still writing."""
    ledger = ledger_on(store)
    store.open.clear()
    client = threading.Thread(target=lambda: ledger.append([make()]))
    client.start()
    assert store.reached.wait(LIMIT)
    closer = threading.Thread(target=ledger.close)
    closer.start()
    closer.join(0.1)
    assert closer.is_alive()
    store.open.set()
    client.join(LIMIT)
    closer.join(LIMIT)
    assert not closer.is_alive()
    assert store.commits == 1


def test_a_bad_draft_never_reaches_the_queue(gated: Ledger, make: Make) -> None:
    with pytest.raises(BadEvent):
        gated.submit([make(body={"v": 0.5})])
    with pytest.raises(BadEvent):
        gated.append([make() for _number in range(1001)])
    assert gated.append([]) == []
    assert gated.head().size == 0


def test_an_append_without_drafts_only_asks(gated: Ledger, make: Make) -> None:
    gated.append([make("lot/1")])
    assert gated.append([], {"lot/1": 1}) == []
    with pytest.raises(Conflict):
        gated.append([], {"lot/1": 0})


class SharedStore(GatedStore):
    """A store that pretends other processes append too."""

    shared = True

    def __init__(self) -> None:
        super().__init__()
        self.at_once: list[BaseException | None] = []
        self.tried = 0

    def put_at_once(self, batch: Batch) -> None:
        self.tried += 1
        error = self.at_once.pop(0) if self.at_once else None
        if error is not None:
            raise error
        super().put_at_once(batch)


@pytest.fixture
def shared() -> SharedStore:
    return SharedStore()


@pytest.fixture
def many(shared: SharedStore) -> Iterator[Ledger]:
    with ledger_on(shared, SimulatedClock(datetime(2026, 3, 2, tzinfo=UTC))) as ledger:
        yield ledger


@pytest.mark.parametrize("error", [HeadMoved(), Clash()])
def test_what_the_quick_way_can_not_do_is_judged_behind_the_lock(
    many: Ledger, shared: SharedStore, make: Make, error: Exception
) -> None:
    many.append([make("lot/1")])
    shared.at_once = [error]
    assert many.append([make("lot/1", claims={"bag/1": "coi/A"})], {"lot/1": 1})[0].pos == 1
    assert verify(many).ok


def test_a_moved_head_makes_the_next_batches_take_the_lock_at_once(
    many: Ledger, shared: SharedStore, make: Make
) -> None:
    many.append([make("lot/1")])
    shared.at_once = [HeadMoved()]
    for _number in range(20):
        many.append([make("lot/1")])
    assert 1 < shared.tried < 20
    assert many.version("lot/1") == 21


def test_a_refusal_is_never_told_from_memory(many: Ledger, shared: SharedStore, make: Make) -> None:
    """Another process released the bag: the quick way would still refuse it."""
    many.append([make("lot/1", claims={"bag/1": "coi/A"})])
    other = Sequencer(shared, SimulatedClock(datetime(2026, 3, 2, tzinfo=UTC)), None)
    assert isinstance(other.commit([Append([Prepared(make("lot/1", releases={"bag/1": "coi/A"}))], {})])[0], list)
    assert many.append([make("lot/1", claims={"bag/1": "coi/B"})])[0].pos == 2


def test_a_stream_believed_new_that_is_not_is_a_conflict(many: Ledger, shared: SharedStore, make: Make) -> None:
    many.append([make("lot/1")])
    other = Sequencer(shared, SimulatedClock(datetime(2026, 3, 2, tzinfo=UTC)), None)
    other.commit([Append([Prepared(make("lot/2"))], {})])
    with pytest.raises(Conflict) as refused:
        many.append([make("lot/2")], {"lot/2": 0})
    assert refused.value.actual == 1


def test_a_belief_that_led_to_a_refusal_is_not_kept(ledger: Ledger, make: Make) -> None:
    ledger.append([make("lot/1", claims={"bag/1": "coi/A"})])
    ledger.append([make("lot/2")])
    with pytest.raises((Conflict, ClaimTaken)):
        ledger.append([make("lot/2", claims={"bag/1": "coi/B"})], {"lot/2": 0})
    with pytest.raises(Conflict) as refused:
        ledger.append([make("lot/2")], {"lot/2": 5})
    assert refused.value.actual == 1
    assert ledger.append([make("lot/2")], {"lot/2": 1})[0].version == 1


def test_memory_that_is_full_is_built_again(ledger: Ledger, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellwright.ledger.sequencer.REMEMBERED_MAX", 10)
    for number in range(60):
        ledger.append(
            [make(f"lot/{number % 20}", claims={f"bag/{number}": "coi/A"})], {f"lot/{number % 20}": number // 20}
        )
    assert verify(ledger).ok
    with pytest.raises(ClaimTaken):
        ledger.append([make(claims={"bag/3": "coi/B"})])
