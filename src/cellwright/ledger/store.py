"""What a backend does for the ledger, and the plain rows that pass between them.

A backend keeps; it does not judge. One sequencer at a time calls the writing half; any thread may call the reading half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final, NamedTuple, Protocol

from cellwright.ledger.event import Claim, Record, Snapshot, StoredCheckpoint

EVENTS_PER_READ = 1000
"""Rows fetched at once when many are read, so that no read holds a transaction for long."""


class HeadRow(NamedTuple):
    """The head as stored: size, frontier of the Merkle tree, its root, and the time of the last event."""

    size: int
    frontier: bytes
    root: bytes
    at: str


class EventRow(NamedTuple):
    """An event as stored. ``data`` is the record, the other columns an index of it."""

    pos: int
    stream: str
    version: int
    id: str
    type: str
    data: bytes
    leaf: bytes


class ClaimRow(NamedTuple):
    """A claim as stored, with its history: the event that took it and the one that released it (None: live)."""

    key: str
    value: str
    taken: int
    released: int | None


class Batch(NamedTuple):
    """Everything one commit writes.

    Args:
        known: the head's size before; the store refuses when it is another one.
        events: the new events, by position.
        tags: (tag, position) of each.
        claims: (key, value or None, position) in the order in which they happen; None ends the live claim.
        head: the head after.
    """

    known: int
    events: list[EventRow]
    tags: list[tuple[str, int]]
    claims: list[tuple[str, str | None, int]]
    head: HeadRow


class Wanted(NamedTuple):
    """What the sequencer must know before it can judge."""

    streams: Set[str] = frozenset()
    keys: Set[str] = frozenset()
    ids: Set[str] = frozenset()


class Found(NamedTuple):
    """Sizes of the wanted streams (left out: 0), the live claims among the keys, the records that have the ids."""

    sizes: dict[str, int]
    claims: dict[str, Claim]
    records: dict[str, Record]


class Stray(NamedTuple):
    """A row that speaks of an event which does not exist: its table, what it is about, and the position it names."""

    table: str
    name: str
    pos: int


STRAYS_MAX: Final = 1000
"""Strays that are read at most."""


class HeadMoved(Exception):
    """Another process appended meanwhile; nothing was written."""


class Clash(Exception):
    """The batch breaks a rule of the tables (an id or version that exists, a live claim); nothing was written."""


class Reader(Protocol):
    """The reading half; safe from any thread. What it gives is committed, and lies below the head's size."""

    where: str
    """What `open_ledger` opens again, for helpers in other processes."""

    def head(self) -> HeadRow: ...
    def size_of(self, stream: str) -> int: ...
    def stream(self, name: str, start: int) -> list[bytes]: ...
    def tagged(self, tag: str, after: int) -> list[bytes]: ...
    def records(self, start: int, stop: int) -> list[Record]: ...
    def rows(self, start: int, stop: int) -> Sequence[EventRow]: ...
    def leaves(self, start: int, stop: int) -> list[bytes]: ...
    def by_id(self, event_id: str) -> Record | None: ...
    def claim(self, key: str) -> Claim | None: ...
    def claims(self, prefix: str) -> list[Claim]: ...
    def claim_rows(self) -> Iterator[ClaimRow]: ...
    def tags_between(self, start: int, stop: int) -> Iterator[tuple[str, str]]:
        """Each tag with its positions in [start, stop), rising, as ``3, 17, 256``."""
        ...

    def position(self, stream: str, version: int) -> int | None:
        """Where an event of a stream is."""
        ...

    def strays(self) -> Sequence[Stray]:
        """Rows at no position of the ledger, before its first event or past its head, all seen at one moment."""
        ...

    def tile(self, level: int, index: int) -> bytes | None: ...
    def checkpoints(self, kind: str | None) -> list[StoredCheckpoint]: ...
    def snapshot(self, stream: str, fold: str) -> Snapshot | None: ...
    def snapshots(self) -> Iterator[Snapshot]: ...
    def damage(self) -> list[str]:
        """What the database itself finds broken in its pages and indexes, in words; slow."""
        ...

    def faults(self) -> list[str]:
        """What is missing or altered in tables and triggers, in words; empty when all is as shipped (R002)."""
        ...

    def close(self) -> None: ...


class Store(Reader, Protocol):
    """A backend. The writing half is called by one thread at a time."""

    shared: bool
    """Whether other processes may append too. If not, what the sequencer remembers stays true."""

    def begin(self) -> HeadRow:
        """Open a transaction in which nobody else can append, and give the head."""
        ...

    def find(self, wanted: Wanted) -> Found:
        """Look up what is committed; inside or outside of a transaction."""
        ...

    def put(self, batch: Batch) -> None:
        """Write within the transaction. Raises HeadMoved, Clash."""
        ...

    def commit(self) -> None:
        """Make it durable. Raises Unavailable when it may or may not have become so."""
        ...

    def rollback(self) -> None:
        """Give up the transaction if there is one. Never raises."""
        ...

    def put_at_once(self, batch: Batch) -> None:
        """Begin, put and commit in as few round trips as the backend can. Raises HeadMoved, Clash, Unavailable."""
        ...

    def put_checkpoint(self, checkpoint: StoredCheckpoint) -> None: ...
    def put_snapshot(self, snapshot: Snapshot) -> None: ...
    def put_tile(self, level: int, index: int, hashes: bytes) -> None: ...
