"""How fast the record is: appends, clients together, verification and one patient's history, beside named rivals.

Every contender starts from what an application has, an event as an object, and a commit is durable when its call
returns: write-ahead log with synchronous=FULL, or PostgreSQL with fsync and synchronous_commit on. Rivals take turns with
the ledger in one process. What is timed:

- cellwright: `Ledger.append` on drafts: checked, judged against versions and claims, stamped, encoded, hashed into the
  Merkle tree, written with tags, claims and head, and given back as events.
- raw: what an application does that keeps the same bytes in a table of its own and trusts itself: it stamps and encodes
  each event by one pass of the same encoder, hashes it, and writes the event table with its indexes and the tag index. The
  same connection and pragmas; no checks of drafts, no triggers, head, claims, tree; nothing is given back.
- raw, bytes ready-made: the same with bytes and hashes made beforehand: what the database alone does.
- eventsourcing: that library's event store as its applications use it, mapper with JSON transcoder and recorder, on its own
  domain events with the same facts. Its SQLite keeps no time, hash or tag index. The figure "synchronous" shows how durable
  its SQLite is as it comes (2: FULL, as the ledger's).
- eventsourcing, bytes ready-made: its recorder alone, given stored events whose state is the ledger's bytes.
- one client: the same ledger with all appends from one thread.
- Merkle only: two processes read the bytes and compute the root; nothing else is compared.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import apsw

from benchmarks.harness import Session
from benchmarks.rivals_ledger import (
    Commit,
    Plan,
    clocked,
    commits_of,
    domain_events,
    encoding,
    event_store,
    postgres_recorder,
    raw_postgres,
    raw_sqlite,
    ready_made,
    sqlite_recorder,
    stored_events,
    stream_of,
    to_ledger,
)
from cellwright.ledger import Draft, Event, Ledger, open_ledger, verify
from cellwright.ledger.merkle import leaf_hash, root_of

CLIENTS: Final = 64
PATIENT_EVENTS: Final = 50
CHUNK: Final = 256


# appends


PREPARED: Final[dict[str, Callable[[Commit], Any]]] = {
    "eventsourcing": domain_events,
    "eventsourcing, bytes ready-made": stored_events,
}
"""What a contender is handed in place of a commit; made before its time is taken."""


def _appends(
    session: Session, name: str, size: int, writers: dict[str, Callable[[Any], object]], targets: dict[str, float]
) -> None:
    """One client, `size` events in each commit."""
    count = {1: 150, 10: 40}[size] * (4 if session.full else 1)
    plans = {contender: Plan(7) for contender in writers}

    def contender(who: str) -> Callable[[], float]:
        def work() -> float:
            commits: Sequence[Any] = commits_of(plans[who], size, count)
            if who in PREPARED:
                commits = [PREPARED[who](commit) for commit in commits]
            write = writers[who]

            def all_of_them() -> None:
                for commit in commits:
                    write(commit)

            return clocked(all_of_them)

        return work

    for who in writers:  # statements prepared, write-ahead logs at their length
        contender(who)()
        contender(who)()
    session.compare(
        f"{name}, {size} per commit",
        {who: contender(who) for who in writers},
        ours="cellwright",
        rounds=15 if session.full else 9,
        targets=targets,
        work=f"{count} commits of {size}",
    )


def _on_sqlite(session: Session, folder: Path) -> None:
    for size, targets in (
        (1, {"raw": 0.75, "eventsourcing": 1.3}),
        (10, {"raw": 0.9, "eventsourcing": 1.9}),
    ):
        with ExitStack() as stack:
            ledger = stack.enter_context(open_ledger(folder / f"ours-{size}.db", create=True))
            raw, ready = (raw_sqlite(folder / f"{kind}-{size}.db") for kind in ("raw", "ready"))
            store, recorder = (sqlite_recorder(folder / f"{kind}-{size}.db") for kind in ("store", "recorder"))
            for opened in (raw[0], ready[0], store.datastore, recorder.datastore):
                stack.enter_context(closing(opened))
            _appends(session, "SQLite", size, _writers(ledger, raw[1], ready[1], store, recorder), targets)
            if size == 1:
                with recorder.datastore.transaction(commit=False) as cursor:
                    cursor.execute("PRAGMA synchronous")
                    session.figure("eventsourcing on SQLite: synchronous", cursor.fetchone()[0], "(2: FULL, 1: NORMAL)")


def _on_postgres(session: Session, new_database: Callable[[], str]) -> None:
    for size, targets in (
        (1, {"raw": 0.6, "eventsourcing": 3.0}),
        (10, {"raw": 0.9, "eventsourcing": 1.7}),
    ):
        with ExitStack() as stack:
            ledger = stack.enter_context(open_ledger(new_database(), create=True))
            raw, ready = (raw_postgres(new_database()) for _kind in range(2))
            store, recorder = (postgres_recorder(new_database()) for _kind in range(2))
            for opened in (raw[0], ready[0], store.datastore, recorder.datastore):
                stack.enter_context(closing(opened))
            _appends(session, "PostgreSQL", size, _writers(ledger, raw[1], ready[1], store, recorder), targets)


def _writers(ledger: Ledger, raw: Any, ready: Any, store: Any, recorder: Any) -> dict[str, Callable[[Any], object]]:
    return {
        "cellwright": to_ledger(ledger),
        "raw": encoding(raw),
        "raw, bytes ready-made": ready_made(ready),
        "eventsourcing": event_store(store),
        "eventsourcing, bytes ready-made": recorder.insert_events,
    }


# many clients


def _clients(session: Session, name: str, where: str | Path) -> None:
    """The same appends of one event from one thread and from 64, each thread on streams of its own."""
    each = 5

    with open_ledger(where, create=True) as ledger:
        turn = iter(range(1_000_000))

        def shares(clients: int) -> list[list[Draft]]:
            run = next(turn)
            return [
                [
                    draft
                    for number in range(CLIENTS * each // clients)
                    for draft in _own_stream(f"lot/{run}-{client}", run * 10_000_000 + client * 10_000 + number)
                ]
                for client in range(clients)
            ]

        def work(clients: int) -> float:
            ready = shares(clients)
            gate = threading.Barrier(clients + 1)

            def client(drafts: list[Draft]) -> None:
                gate.wait()
                for version, draft in enumerate(drafts):
                    ledger.append([draft], {draft.stream: version})

            threads = [threading.Thread(target=client, args=(drafts,)) for drafts in ready]
            for thread in threads:
                thread.start()

            def all_of_them() -> None:
                gate.wait()
                for thread in threads:
                    thread.join()

            return clocked(all_of_them)

        work(1)
        session.compare(
            f"{name}, {CLIENTS} clients",
            {f"{CLIENTS} clients": lambda: work(CLIENTS), "one client": lambda: work(1)},
            ours=f"{CLIENTS} clients",
            rounds=15 if session.full else 7,
            targets={"one client": 3.0},
            work=f"{CLIENTS * each} appends of 1",
        )


def _own_stream(stream: str, number: int) -> Iterator[Draft]:
    draft = Plan(number, lots=1).commit(1)[0][0]
    yield Draft(
        stream=stream,
        type=draft.type,
        id=f"{number:020d}",
        actor=draft.actor,
        zone=draft.zone,
        body=draft.body,
        tags=(draft.tags[0], stream),
    )


# reading


def _fill(path: Path, events: int) -> None:
    """A ledger whose patients have 50 events each, spread over its whole length."""
    lots = events // PATIENT_EVENTS
    plan, numbers = Plan(11, lots), list(range(lots))
    with open_ledger(path, create=True) as ledger:
        for _turn in range(PATIENT_EVENTS):
            random.Random(_turn).shuffle(numbers)
            for first in range(0, lots, 100):
                ledger.append([plan._draft(lot) for lot in _advance(plan, numbers[first : first + 100])])


def _advance(plan: Plan, lots: Sequence[int]) -> Iterator[int]:
    for lot in lots:
        yield lot
        plan._versions[stream_of(lot)] += 1
        plan._pos += 1


def _evolve(state: dict[str, Any], event: Event) -> dict[str, Any]:
    """A lot's state as the factory folds it: steps, containers, people, last parameters."""
    body = event.body
    state["steps"][body["step"]] = event.at
    state["containers"].update(body["containers"])
    state["people"].add(event.actor)
    state["parameters"].update({name: found["value"] for name, found in body["parameters"].items()})
    return state


def _story(ledger: Ledger, lot: int) -> int:
    state: dict[str, Any] = {"steps": {}, "containers": set(), "people": set(), "parameters": {}}
    events = ledger.tagged(f"coi/{lot:06d}")
    for event in events:
        state = _evolve(state, event)
    return len(events)


def _stories(session: Session, paths: dict[int, Path]) -> None:
    """50 events of one patient by tag, decoded and folded; another patient each time."""
    loads = 100
    with ExitStack() as stack:
        ledgers = {size: stack.enter_context(open_ledger(path, read_only=True)) for size, path in paths.items()}
        chance = random.Random(3)

        def work(size: int) -> float:
            lots = [chance.randrange(size // PATIENT_EVENTS) for _number in range(loads)]

            def all_of_them() -> None:
                for lot in lots:
                    assert _story(ledgers[size], lot) == PATIENT_EVENTS

            return clocked(all_of_them)

        for size in paths:
            work(size)
        small, *others = paths
        for size in others:
            found = session.compare(
                f"a patient among {size:,}",
                {f"{size:,} events": lambda size=size: work(size), f"{small:,} events": lambda: work(small)},  # type: ignore[misc]
                ours=f"{size:,} events",
                rounds=11,
                targets={f"{small:,} events": 0.9},
                work=f"{loads} loads of {PATIENT_EVENTS} events by tag, folded",
            )
            for name, taken in found[0].seconds.items():
                session.figure(
                    f"a patient's {PATIENT_EVENTS} events among {name}", taken / loads * 1000, "ms", limit=1.0
                )


def merkle_share(path: str, start: int, stop: int) -> None:
    """What a process of the Merkle-only rival does: read bytes, hash, write the roots of its chunks."""
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    for at in range(start, stop, CHUNK):
        rows = connection.execute(
            "SELECT data FROM event WHERE pos>=? AND pos<? ORDER BY pos", (at, min(at + CHUNK, stop))
        )
        sys.stdout.buffer.write(root_of([leaf_hash(data) for (data,) in rows]))


def _merkle_only(path: Path, size: int) -> bytes:
    middle = size // 2 // CHUNK * CHUNK
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from benchmarks.ledger import merkle_share as s; s({str(path)!r}, {start}, {stop})",
            ],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        for start, stop in ((0, middle), (middle, size))
    ]
    hashes = b"".join(process.communicate()[0] for process in processes)
    return root_of([hashes[at : at + 32] for at in range(0, len(hashes), 32)])


def _verification(session: Session, path: Path, size: int) -> None:
    with open_ledger(path, read_only=True) as ledger:
        root = ledger.head().root

        def ours() -> None:
            assert verify(ledger, processes=2).ok

        def rival() -> None:
            assert _merkle_only(path, size) == root

        found = session.compare(
            "verification",
            {"everything compared": ours, "Merkle only": rival},
            ours="everything compared",
            rounds=5,
            targets={"Merkle only": 0.6},
            work=f"{size:,} events on SQLite, 2 processes each",
        )
    session.figure("verification with everything compared", size / found[0].seconds["everything compared"], "events/s")


def run(session: Session) -> None:
    """Every comparison of the record; some minutes, most of them for `--full`'s ten million events."""
    running_server = import_module("tests.postgres_server").running_server

    with tempfile.TemporaryDirectory(prefix="cellwright-benchmark-") as name:
        folder = Path(name)
        _on_sqlite(session, folder)
        _clients(session, "SQLite", folder / "clients.db")
        with running_server() as server:
            _on_postgres(session, server.new_database)
            _clients(session, "PostgreSQL", server.new_database())
        paths = {size: folder / f"{size}.db" for size in (10_000, 200_000, *([10_000_000] if session.full else []))}
        for size, path in paths.items():
            session.say(f"writing {size:,} events")
            _fill(path, size)
        _verification(session, paths[200_000], 200_000)
        _stories(session, paths)
