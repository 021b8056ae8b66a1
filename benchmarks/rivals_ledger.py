"""What the benchmark of the record measures beside the ledger: the same events, and the rivals that write them."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import apsw
import msgspec

from cellwright.ledger import Draft, Ledger
from cellwright.ledger.canonical import Prepared, format_time
from cellwright.ledger.clock import system_clock
from cellwright.ledger.merkle import leaf_hash

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
        expected = {stream_of(lot): self._versions[stream_of(lot)] for lot in lots}
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
        chance, pos, stream = self._chance, self._pos, stream_of(lot)
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


def stream_of(lot: int) -> str:
    return f"lot/CW-{lot:06d}"


def commits_of(plan: Plan, size: int, count: int) -> list[Commit]:
    return [plan.commit(size) for _number in range(count)]


def clocked(work: Callable[[], object]) -> float:
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


def rows_of(commit: Commit) -> list[Row]:
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


def tags_of(commit: Commit) -> list[tuple[str, int]]:
    return [(tag, row[0]) for draft, row in zip(commit[0], commit[2], strict=True) for tag in draft.tags]


def encoding(write: Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]) -> Callable[[Commit], object]:
    return lambda commit: write(rows_of(commit), tags_of(commit))


def ready_made(write: Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]) -> Callable[[Commit], object]:
    return lambda commit: write(commit[2], commit[3])


def to_ledger(ledger: Ledger) -> Callable[[Commit], object]:
    return lambda commit: ledger.append(commit[0], commit[1])


def raw_sqlite(path: Path) -> tuple[apsw.Connection, Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]]:
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


def raw_postgres(url: str) -> tuple[Any, Callable[[Sequence[Row], Sequence[tuple[str, int]]], object]]:
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


def stored_events(commit: Commit) -> list[Any]:
    """What the library's recorder takes, its state the ledger's bytes."""
    from eventsourcing.persistence import StoredEvent

    return [StoredEvent(uuid_of(row[1]), row[2], row[4], row[5]) for row in commit[2]]


def domain_events(commit: Commit) -> list[Any]:
    """The same events as the library's applications have them."""
    kind = domain_event()
    return [
        kind(
            originator_id=uuid_of(draft.stream),
            originator_version=row[2],
            timestamp=system_clock(),
            **{name: getattr(draft, name) for name in FACTS if getattr(draft, name)},
        )
        for draft, row in zip(commit[0], commit[2], strict=True)
    ]


FACTS: Final = ("id", "actor", "zone", "schema", "body", "claims", "expects", "tags")


@cache
def domain_event() -> Any:
    """A frozen dataclass of the library's own, with what a draft says."""
    from eventsourcing.domain import DomainEvent

    fields = {"__annotations__": dict.fromkeys(FACTS, Any), "__module__": __name__, "claims": None, "expects": None}
    fields["tags"] = None
    event = type("LotStepCompleted", (DomainEvent,), {**fields, "__qualname__": "LotStepCompleted"})
    globals()["LotStepCompleted"] = event  # where the library's topics look for it
    return event


def event_store(recorder: Any) -> Callable[[Any], object]:
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


def uuid_of(stream: str) -> UUID:
    return uuid5(NAMESPACE_URL, stream)


def sqlite_recorder(path: Path) -> Any:
    from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(path)))
    recorder.create_table()
    return recorder


def postgres_recorder(url: str) -> Any:
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    datastore = PostgresDatastore(
        str(parts["dbname"]), str(parts["host"]), str(parts["port"]), str(parts["user"]), password=""
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="stored_events")
    recorder.create_table()
    return recorder
