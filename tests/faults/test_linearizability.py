"""F5: sixteen clients at once see one ledger, in one order, at every moment."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from cellwright.ledger import Event, Ledger, ledger_on, open_ledger, verify
from cellwright.ledger.sqlite import SQLiteStore
from tests.conftest import ROOT
from tests.faults.clients import Orders, run_clients
from tests.faults.conftest import Count
from tests.faults.history import NEVER, Call, check
from tests.faults.killed import Careless
from tests.postgres_server import PostgresServer, running_server

CLIENTS = 16
PLANTS = 40
SIZES = [30_000, pytest.param(2_000_000, marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


def report(calls: Sequence[Call], where: str, counted: Count) -> None:
    counted(f"F5 calls on {where}", len(calls))
    kinds = Counter(call.kind for call in calls)
    for kind in ("append", "conflict", "taken"):
        counted(f"F5 {kind} on {where}", kinds[kind])
    assert kinds["append"] > len(calls) / 6
    assert min(kinds.values()) > len(calls) / 500, kinds


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Call], list[Event]]:
    """A history on SQLite that is right, to plant faults in."""
    with open_ledger(tmp_path_factory.mktemp("history") / "ledger.db", create=True) as ledger:
        calls = run_clients(ledger, Orders("", 0, CLIENTS, 250, "recorded"))
        return calls, list(ledger.read())


@pytest.mark.requirement("R001")
@pytest.mark.parametrize("size", SIZES)
def test_threads_on_sqlite(tmp_path: Path, counted: Count, size: int) -> None:
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        calls = run_clients(ledger, Orders("", 0, CLIENTS, size // CLIENTS, "F5"))
        final = list(ledger.read())
        assert verify(ledger, processes=1).ok
    assert check(calls, final) == []
    assert len(calls) >= size // CLIENTS * CLIENTS
    report(calls, "SQLite", counted)


@pytest.mark.postgres
@pytest.mark.requirement("R001")
@pytest.mark.parametrize("size", SIZES)
def test_four_processes_on_one_postgresql(postgres: PostgresServer, counted: Count, size: int) -> None:
    url = postgres.new_database()
    open_ledger(url, create=True).close()
    calls = processes(url, size)
    with open_ledger(url, read_only=True) as ledger:
        final = list(ledger.read())
        assert verify(ledger, processes=1).ok
    assert check(calls, final) == []
    assert len(calls) >= size // CLIENTS * CLIENTS
    report(calls, "PostgreSQL from four processes", counted)


def processes(url: str, size: int) -> list[Call]:
    """Four application processes with four clients each."""
    started = []
    for number in range(4):
        orders = Orders(url, 4 * number, 4, size // CLIENTS, "F5")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.clients"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(orders))
        process.stdin.close()
        started.append(process)
    calls: list[Call] = []
    for process in started:
        assert process.stdout is not None
        calls += msgspec.msgpack.decode(process.stdout.read(), type=list[Call])
        assert process.wait() == 0
    return calls


Planted = tuple[list[Call], list[Event]]


def changed(calls: list[Call], number: int, **fields: object) -> list[Call]:
    return [*calls[:number], msgspec.structs.replace(calls[number], **fields), *calls[number + 1 :]]


def stale_read(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    """A client is told a version that was already over when it asked."""
    answered = {name: call.end for call in calls if call.kind == "append" for name in call.what}
    last = {(event.stream, event.version): answered[event.id] for event in final}
    stale = [
        number
        for number, call in enumerate(calls)
        if call.kind == "version" and call.seen and last[call.what[0], call.seen - 1] < call.begin
    ]
    number = random.choice(stale)
    return changed(calls, number, seen=(calls[number].seen or 0) - 1), final


def read_of_the_future(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    """A client is told of an event that nobody had sent yet."""
    begun = {name: call.begin for call in calls if call.kind == "append" for name in call.what}
    heads = [
        (number, event.pos + 1)
        for number, call in enumerate(calls)
        if call.kind == "head" and call.seen is not None
        for event in final[call.seen + 20 : call.seen + 60 : 10]
        if begun[event.id] > call.end
    ]
    number, seen = random.choice(heads)
    return changed(calls, number, seen=seen), final


def lost_answer(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    """An answered event is not there; those behind it moved up, in the record and in what was answered."""
    gone = random.choice(final[:-1])
    moved = [
        msgspec.structs.replace(event, pos=event.pos - (event.pos > gone.pos)) for event in final if event is not gone
    ]
    kept = []
    for call in calls:
        if call.kind == "append" and call.seen is not None and call.seen > gone.pos:
            call = msgspec.structs.replace(call, seen=call.seen - 1)
        kept.append(call)
    return kept, moved


def lost_tail(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    return calls, final[: -random.randint(1, 20)]


def written_twice(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    event = random.choice(final)
    return calls, [*final, msgspec.structs.replace(event, pos=len(final))]


def out_of_order(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    """Two appends changed places, though one was answered before the other began."""
    single = [(number, call) for number, call in enumerate(calls) if call.kind == "append" and len(call.what) == 1]
    while True:
        (one, early), (two, late) = random.sample(single, 2)
        if early.end < late.begin and early.seen is not None and late.seen is not None:
            break
    final, calls = list(final), list(calls)
    first, second = final[early.seen], final[late.seen]
    final[early.seen] = msgspec.structs.replace(second, pos=early.seen)
    final[late.seen] = msgspec.structs.replace(first, pos=late.seen)
    calls = changed(changed(calls, one, seen=late.seen), two, seen=early.seen)
    return calls, final


def half_an_append(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    """A client sees the first of three events that were appended as one, without the others."""
    triples = [call for call in calls if call.kind == "append" and len(call.what) == 3 and call.seen is not None]
    triple = random.choice(triples)
    assert triple.seen is not None
    seen = Call(99, "head", ("",), triple.seen + 1, triple.begin, triple.end)
    return [*calls, seen], final


def early_refusal(random: Random, calls: list[Call], final: list[Event]) -> Planted:
    """A conflict is told of events that are not committed: the next read does not see them."""
    conflicts = [number for number, call in enumerate(calls) if call.kind == "conflict" and call.seen]
    number = random.choice(conflicts)
    call = calls[number]
    assert call.seen is not None
    later = Call(call.client, "version", call.what, call.seen - 1, call.end + 1, call.end + 2)
    return [*calls, later], final


@pytest.mark.parametrize(
    "plant",
    [
        stale_read,
        read_of_the_future,
        lost_answer,
        lost_tail,
        written_twice,
        out_of_order,
        half_an_append,
        early_refusal,
    ],
)
def test_every_planted_fault_is_found(
    recorded: tuple[list[Call], list[Event]],
    counted: Count,
    plant: Callable[[Random, list[Call], list[Event]], Planted],
) -> None:
    calls, final = recorded
    assert check(calls, final) == []
    random = Random(plant.__name__)
    found = sum(bool(check(*plant(random, calls, final))) for _plant in range(PLANTS))
    counted(f"F5 planted faults of {PLANTS} found, {plant.__name__.replace('_', ' ')}", found)
    assert found == PLANTS


def test_an_append_sent_again_is_one(recorded: tuple[list[Call], list[Event]]) -> None:
    """A first try without an answer, and the same ids again with one, are no fault."""
    calls, final = recorded
    number = next(number for number, call in enumerate(calls) if call.kind == "append")
    unknown = msgspec.structs.replace(calls[number], end=NEVER, seen=None, begin=calls[number].begin - 10)
    assert check([unknown, *calls], final) == []
    never_written = Call(1, "append", ("nowhere",), None, 0, NEVER)
    assert check([never_written, *calls], final) == []


class Forgetful(SQLiteStore):
    """Gives the size of a stream from a memory that is renewed at every 50th question only."""

    def __init__(self, path: Path) -> None:
        self._remembered: dict[str, int] = {}
        self._asked = 0
        super().__init__(path, create=True)

    def size_of(self, stream: str) -> int:
        self._asked += 1
        if self._asked % 50 == 0:
            self._remembered.clear()
        return self._remembered.setdefault(stream, super().size_of(stream))


@pytest.mark.parametrize("kind", [Forgetful, Careless])
def test_a_store_with_a_planted_fault_is_found(tmp_path: Path, counted: Count, kind: type[SQLiteStore]) -> None:
    """Stale reads from a cache, and answers before the commit, in the running system."""
    path = tmp_path / "ledger.db"
    store = Forgetful(path) if kind is Forgetful else Careless(path, create=True)
    with ledger_on(store) as ledger:
        calls = run_clients(ledger, Orders("", 0, 4, 100, "planted"))
        final = list(whole(ledger, store))
    faults = check(calls, final)
    counted(f"F5 faults found in a store that is {kind.__name__.lower()}", len(faults))
    assert faults


def whole(ledger: Ledger, store: SQLiteStore) -> Iterator[Event]:
    if store._open_writer().in_transaction:
        SQLiteStore.commit(store)
    return ledger.read()
