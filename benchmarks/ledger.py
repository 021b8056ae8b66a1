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
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import apsw
import msgspec

from benchmarks.harness import Session
from cellwright.ledger import Draft, Event, Ledger, open_ledger, verify
from cellwright.ledger.canonical import Prepared, format_time
from cellwright.ledger.clock import system_clock
from cellwright.ledger.merkle import leaf_hash, root_of

CLIENTS: Final = 64
PATIENT_EVENTS: Final = 50
CHUNK: Final = 256
AT: Final = "2026-03-02T08:12:00.000000Z"

Row = tuple[int, str, int, str, str, bytes, bytes]
Commit = tuple[list[Draft], dict[str, int], list[Row], list[tuple[str, int]]]
"""One commit: drafts and expected versions for the ledger; rows of events and of tags for plain tables."""

RAW_SQLITE: Final = """
CREATE TABLE event(pos INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL, data BLOB NOT NULL, leaf BLOB NOT NULL, UNIQUE(stream, version)) STRICT;
CREATE TABLE tag(tag TEXT NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY(tag, pos)) STRICT, WITHOUT ROWID;
"""
RAW_POSTGRES: Final = """
CREATE TABLE event(pos bigint PRIMARY KEY, stream text COLLATE "C" NOT NULL, version bigint NOT NULL,
  id text COLLATE "C" NOT NULL UNIQUE, type text COLLATE "C" NOT NULL, data bytea NOT NULL, leaf bytea NOT NULL,
  UNIQUE(stream, version));
CREATE TABLE tag(tag text COLLATE "C" NOT NULL, pos bigint NOT NULL, PRIMARY KEY(tag, pos));
"""


class Plan:
    """Realistic events in order, the same for every contender: lots of patients, each event with two tags.

    Every tenth event takes a claim (a container), every fifth expects the lot to belong to its patient.
    """

    def __init__(self, seed: int, lots: int = 200) -> None:
        self._chance = random.Random(seed)
        self._lots = lots
        self._versions: defaultdict[str, int] = defaultdict(int)
        self._pos = 0

    def commit(self, events: int) -> Commit:
        """The next commit: its events lie on up to three streams."""
        first = self._chance.randrange(self._lots)
        lots = [(first + step) % self._lots for step in range(min(3, events))]
        expected = {_stream(lot): self._versions[_stream(lot)] for lot in lots}
        drafts, rows, tags = [], [], []
        for index in range(events):
            draft = self._draft(lots[index * len(lots) // events])
            version = self._versions[draft.stream]
            self._versions[draft.stream] += 1
            data = Prepared(draft).data(AT, self._pos, version)
            rows.append((self._pos, draft.stream, version, draft.id, draft.type, data, leaf_hash(data)))
            tags += [(tag, self._pos) for tag in draft.tags]
            drafts.append(draft)
            self._pos += 1
        return drafts, expected, rows, tags

    def _draft(self, lot: int) -> Draft:
        chance, pos, stream = self._chance, self._pos, _stream(lot)
        owner, coi = f"coi/W0001 26 {lot:06d}", f"coi/{lot:06d}"
        first = self._versions[stream] == 0
        parameters = {
            name: {"value": f"{chance.uniform(low, high):.3f}", "unit": unit, "limits": [str(low), str(high)]}
            for name, low, high, unit in (
                ("temperature", 36, 38, "Cel"),
                ("viability", 70, 100, "%"),
                ("viable_cell_density", 200000, 4000000, "/mL"),
                ("volume", 20, 1000, "mL"),
            )[: chance.randrange(1, 5)]
        }
        return Draft(
            stream=stream,
            type="lot.step_completed",
            id=f"{0x019CB0000000 + pos:012x}-7{chance.randrange(1 << 12):03x}-{chance.randrange(1 << 64):016x}",
            actor=f"person/{chance.randrange(40):04d}",
            zone="Asia/Shanghai",
            body={
                "step": f"expansion-day-{pos % 12}",
                "recipe": {"id": "car-t-19", "version": 3, "sha256": f"{chance.randrange(1 << 256):064x}"},
                "room": "B-204",
                "equipment": ["incubator/INC-07", "counter/NC-02"],
                "started": "2026-03-02T07:40:00.000000Z",
                "parameters": parameters,
                "containers": [f"C{pos:09d}"],
                "performed_by": "张伟",
            },
            claims={stream: owner} if first else {f"container/C{pos:09d}": stream} if pos % 10 == 0 else {},
            expects={} if first or pos % 5 else {stream: owner},
            tags=(coi, stream),
        )


def _stream(lot: int) -> str:
    return f"lot/CW-{lot:06d}"


def _commits(plan: Plan, size: int, count: int) -> list[Commit]:
    return [plan.commit(size) for _number in range(count)]


def _clocked(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


# contenders: each writes a commit


class RawEvent(msgspec.Struct, omit_defaults=True):
    """An event as an application may write it that has no ledger: the keys in order, what is empty left out."""

    actor: str
    at: str
    body: dict[str, Any]
    id: str
    pos: int
    schema: int
    stream: str
    type: str
    version: int
    zone: str
    claims: dict[str, str] = {}
    expects: dict[str, str] = {}
    tags: tuple[str, ...] = ()


_encode: Final = msgspec.json.Encoder(order="sorted").encode


def _rows(commit: Commit) -> list[Row]:
    """The rows of a commit, made as an application would: the ledger's bytes but for the time."""
    at, rows = format_time(system_clock()), []
    for draft, (pos, stream, version, event_id, type_, _data, _leaf) in zip(commit[0], commit[2], strict=True):
        data = _encode(
            RawEvent(
                draft.actor,
                at,
                draft.body,
                event_id,
                pos,
                draft.schema,
                stream,
                type_,
                version,
                draft.zone,
                draft.claims,
                draft.expects,
                draft.tags,
            )
        )
        rows.append((pos, stream, version, event_id, type_, data, sha256(b"\x00" + data).digest()))
    return rows


def _tags(commit: Commit) -> list[tuple[str, int]]:
    return [(tag, row[0]) for draft, row in zip(commit[0], commit[2], strict=True) for tag in draft.tags]


def _encoding(write: Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]) -> Callable[[Commit], object]:
    return lambda commit: write(_rows(commit), _tags(commit))


def _ready_made(write: Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]) -> Callable[[Commit], object]:
    return lambda commit: write(commit[2], commit[3])


def _to_ledger(ledger: Ledger) -> Callable[[Commit], object]:
    return lambda commit: ledger.append(commit[0], commit[1])


def _raw_sqlite(path: Path) -> tuple[apsw.Connection, Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]]:
    connection = apsw.Connection(str(path))
    for pragma, value in (
        ("mmap_size", 0),
        ("journal_mode", "wal"),
        ("synchronous", "full"),
        ("fullfsync", True),
        ("wal_autocheckpoint", 1000),
        ("cache_size", -65_536),
    ):
        connection.pragma(pragma, value)
    connection.execute(RAW_SQLITE)

    def write(rows: Sequence[Row], tags: Sequence[tuple[str, int]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO event VALUES(?,?,?,?,?,?,?)", rows)
        connection.executemany("INSERT INTO tag VALUES(?,?)", tags)
        connection.execute("COMMIT")

    return connection, write


def _raw_postgres(url: str) -> tuple[Any, Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]]:
    """One prepared statement in binary form for both tables: one round trip for a commit."""
    import psycopg

    connection = psycopg.connect(url, autocommit=True)
    connection.execute(RAW_POSTGRES)
    sql = (
        "WITH e AS (INSERT INTO event SELECT * FROM "
        "unnest(%b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::bytea[], %b::bytea[])) "
        "INSERT INTO tag SELECT * FROM unnest(%b::text[], %b::bigint[])"
    )

    def write(rows: Sequence[Row], tags: Sequence[tuple[str, int]]) -> None:
        columns = [list(column) for column in (*zip(*rows, strict=True), *zip(*tags, strict=True))]
        connection.execute(sql, columns, prepare=True)

    return connection, write


def _stored(commit: Commit) -> list[Any]:
    """What the library's recorder takes, its state the ledger's bytes."""
    from eventsourcing.persistence import StoredEvent

    return [StoredEvent(_uuid(row[1]), row[2], row[4], row[5]) for row in commit[2]]


def _domain(commit: Commit) -> list[Any]:
    """The same events as the library's applications have them."""
    kind = _domain_event()
    return [
        kind(
            originator_id=_uuid(draft.stream),
            originator_version=row[2],
            timestamp=system_clock(),
            **{name: getattr(draft, name) for name in FACTS if getattr(draft, name)},
        )
        for draft, row in zip(commit[0], commit[2], strict=True)
    ]


FACTS: Final = ("id", "actor", "zone", "schema", "body", "claims", "expects", "tags")


@cache
def _domain_event() -> Any:
    """A frozen dataclass of the library's own, with what a draft says."""
    from eventsourcing.domain import DomainEvent

    fields = {"__annotations__": dict.fromkeys(FACTS, Any), "__module__": __name__, "claims": None, "expects": None}
    fields["tags"] = None
    event = type("LotStepCompleted", (DomainEvent,), {**fields, "__qualname__": "LotStepCompleted"})
    globals()["LotStepCompleted"] = event  # where the library's topics look for it
    return event


def _event_store(recorder: Any) -> Callable[[Any], object]:
    from eventsourcing.persistence import (
        DatetimeAsISO,
        DecimalAsStr,
        EventStore,
        JSONTranscoder,
        Mapper,
        UUIDAsHex,
    )

    transcoder = JSONTranscoder()
    for transcoding in (UUIDAsHex(), DecimalAsStr(), DatetimeAsISO()):
        transcoder.register(transcoding)
    put: Callable[[Any], object] = EventStore(Mapper(transcoder), recorder).put
    return put


def _uuid(stream: str) -> UUID:
    return uuid5(NAMESPACE_URL, stream)


def _sqlite_recorder(path: Path) -> Any:
    from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(path)))
    recorder.create_table()
    return recorder


def _postgres_recorder(url: str) -> Any:
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    datastore = PostgresDatastore(
        str(parts["dbname"]), str(parts["host"]), str(parts["port"]), str(parts["user"]), password=""
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="stored_events")
    recorder.create_table()
    return recorder


# appends


PREPARED: Final[dict[str, Callable[[Commit], Any]]] = {
    "eventsourcing": _domain,
    "eventsourcing, bytes ready-made": _stored,
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
            commits: Sequence[Any] = _commits(plans[who], size, count)
            if who in PREPARED:
                commits = [PREPARED[who](commit) for commit in commits]
            write = writers[who]

            def all_of_them() -> None:
                for commit in commits:
                    write(commit)

            return _clocked(all_of_them)

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
            raw, ready = (_raw_sqlite(folder / f"{kind}-{size}.db") for kind in ("raw", "ready"))
            store, recorder = (_sqlite_recorder(folder / f"{kind}-{size}.db") for kind in ("store", "recorder"))
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
            raw, ready = (_raw_postgres(new_database()) for _kind in range(2))
            store, recorder = (_postgres_recorder(new_database()) for _kind in range(2))
            for opened in (raw[0], ready[0], store.datastore, recorder.datastore):
                stack.enter_context(closing(opened))
            _appends(session, "PostgreSQL", size, _writers(ledger, raw[1], ready[1], store, recorder), targets)


def _writers(ledger: Ledger, raw: Any, ready: Any, store: Any, recorder: Any) -> dict[str, Callable[[Any], object]]:
    return {
        "cellwright": _to_ledger(ledger),
        "raw": _encoding(raw),
        "raw, bytes ready-made": _ready_made(ready),
        "eventsourcing": _event_store(store),
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

            return _clocked(all_of_them)

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
        plan._versions[_stream(lot)] += 1
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

            return _clocked(all_of_them)

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
