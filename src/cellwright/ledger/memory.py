"""The ledger in plain Python objects: the oracle that the other backends must agree with, and fast for tests."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator

from cellwright.ledger.errors import Tampered
from cellwright.ledger.event import Claim, Record, Snapshot, StoredCheckpoint
from cellwright.ledger.merkle import EMPTY_ROOT
from cellwright.ledger.store import Batch, ClaimRow, Clash, EventRow, Found, HeadMoved, HeadRow, Stray, Wanted


class MemoryStore:
    """Keeps a ledger for the life of the object."""

    shared = False
    where = "memory:"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._head = HeadRow(0, b"", EMPTY_ROOT, "")
        self._events: list[EventRow] = []
        self._streams: dict[str, list[int]] = defaultdict(list)
        self._ids: dict[str, int] = {}
        self._tags: dict[str, list[int]] = defaultdict(list)
        self._claims: dict[str, list[ClaimRow]] = {}
        self._checkpoints: list[StoredCheckpoint] = []
        self._snapshots: dict[tuple[str, str], Snapshot] = {}
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._staged: list[Batch] = []

    # writing

    def begin(self) -> HeadRow:
        self._staged = []
        return self._head

    def find(self, wanted: Wanted) -> Found:
        with self._lock:
            claims = {key: claim for key in wanted.keys if (claim := self.claim(key))}
            records = {id_: self._record(self._ids[id_]) for id_ in wanted.ids if id_ in self._ids}
            return Found({name: self.size_of(name) for name in wanted.streams}, claims, records)

    def put(self, batch: Batch) -> None:
        if batch.known != self._head.size:
            raise HeadMoved
        if any(row.id in self._ids for row in batch.events):
            raise Clash
        self._staged.append(batch)

    def commit(self) -> None:
        with self._lock:
            for batch in self._staged:
                self._apply(batch)
            self._staged = []

    def rollback(self) -> None:
        self._staged = []

    def put_at_once(self, batch: Batch) -> None:
        self.begin()
        self.put(batch)
        self.commit()

    def put_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        with self._lock:
            self._checkpoints.append(checkpoint)

    def put_snapshot(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._snapshots[snapshot.stream, snapshot.fold] = snapshot

    def put_tile(self, level: int, index: int, hashes: bytes) -> None:
        with self._lock:
            self._tiles[level, index] = hashes

    def _apply(self, batch: Batch) -> None:
        for row in batch.events:
            if row.pos != len(self._events) or row.version != len(self._streams[row.stream]):
                raise Tampered(f"event {row.pos} does not follow the one before")
            self._events.append(row)
            self._streams[row.stream].append(row.pos)
            self._ids[row.id] = row.pos
        for tag, pos in batch.tags:
            insort(self._tags[tag], pos)
        for key, value, pos in batch.claims:
            history = self._claims.setdefault(key, [])
            if value is None:
                history[-1] = history[-1]._replace(released=pos)
            else:
                history.append(ClaimRow(key, value, pos, None))
        self._head = batch.head

    # reading

    def head(self) -> HeadRow:
        return self._head

    def size_of(self, stream: str) -> int:
        with self._lock:
            return len(self._streams.get(stream, ()))

    def stream(self, name: str, start: int) -> list[bytes]:
        with self._lock:
            return [self._events[pos].data for pos in self._streams.get(name, [])[max(start, 0) :]]

    def tagged(self, tag: str, after: int) -> list[bytes]:
        with self._lock:
            places = self._tags.get(tag, [])
            return [self._events[pos].data for pos in places[bisect_right(places, after) :]]

    def records(self, start: int, stop: int) -> list[Record]:
        return [Record(row.pos, row.data, row.leaf) for row in self.rows(start, stop)]

    def rows(self, start: int, stop: int) -> list[EventRow]:
        with self._lock:
            return self._events[max(start, 0) : max(stop, 0)]

    def leaves(self, start: int, stop: int) -> list[bytes]:
        return [row.leaf for row in self.rows(start, stop)]

    def by_id(self, event_id: str) -> Record | None:
        with self._lock:
            pos = self._ids.get(event_id)
            return None if pos is None else self._record(pos)

    def claim(self, key: str) -> Claim | None:
        with self._lock:
            history = self._claims.get(key)
            if not history or history[-1].released is not None:
                return None
            return Claim(key, history[-1].value, history[-1].taken)

    def claims(self, prefix: str) -> list[Claim]:
        with self._lock:
            keys = sorted(key for key in self._claims if key.startswith(prefix))
            return [claim for key in keys if (claim := self.claim(key))]

    def claim_rows(self) -> Iterator[ClaimRow]:
        with self._lock:
            return iter([row for key in sorted(self._claims) for row in self._claims[key]])

    def tags_between(self, start: int, stop: int) -> Iterator[tuple[str, str]]:
        with self._lock:
            places = {tag: [pos for pos in self._tags[tag] if start <= pos < stop] for tag in self._tags}
        return iter([(tag, str(found)[1:-1]) for tag, found in places.items() if found])

    def position(self, stream: str, version: int) -> int | None:
        with self._lock:
            places = self._streams.get(stream, [])
            return places[version] if 0 <= version < len(places) else None

    def strays(self) -> list[Stray]:
        return []

    def tile(self, level: int, index: int) -> bytes | None:
        return self._tiles.get((level, index))

    def checkpoints(self, kind: str | None) -> list[StoredCheckpoint]:
        with self._lock:
            return [checkpoint for checkpoint in self._checkpoints if kind in (None, checkpoint.kind)]

    def snapshot(self, stream: str, fold: str) -> Snapshot | None:
        return self._snapshots.get((stream, fold))

    def snapshots(self) -> Iterator[Snapshot]:
        with self._lock:
            return iter(list(self._snapshots.values()))

    def damage(self) -> list[str]:
        return []

    def faults(self) -> list[str]:
        return []

    def close(self) -> None:
        """Nothing to give back."""

    def _record(self, pos: int) -> Record:
        row = self._events[pos]
        return Record(row.pos, row.data, row.leaf)
