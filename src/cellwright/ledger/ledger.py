"""The ledger as its users see it: append events, read them, prove them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from cellwright.language import _
from cellwright.ledger import proof
from cellwright.ledger.canonical import Prepared
from cellwright.ledger.clock import Clock, Counter, boot_counter, system_clock
from cellwright.ledger.errors import BadEvent, ReadOnly
from cellwright.ledger.event import DRAFTS_MAX, Claim, Draft, Event, Head, Record, Snapshot, StoredCheckpoint, decode
from cellwright.ledger.memory import MemoryStore
from cellwright.ledger.proof import TiledNodes
from cellwright.ledger.sequencer import Append, Sequencer
from cellwright.ledger.store import EVENTS_PER_READ, Reader, Store
from cellwright.ledger.writer import Writer

SNAPSHOT_EVERY: Final = 100
"""Events of a stream after which `fold` keeps a new snapshot."""

State = TypeVar("State")


class Fold(Protocol[State]):
    """How a long-lived stream becomes a state, and the state bytes (E8).

    ``name`` carries a version of its own ("equipment/2"): when `evolve` changes, so does the name, and old snapshots
    are no longer read.
    """

    name: str

    def initial(self) -> State: ...
    def evolve(self, state: State, event: Event) -> State: ...
    def dump(self, state: State) -> bytes: ...
    def load(self, data: bytes) -> State: ...


class Ledger:
    """An append-only record of events, judged, numbered, hashed and made durable. Safe to share between threads.

    Open one with :func:`open_ledger`; close it, or use it as a context manager.
    """

    def __init__(self, reader: Reader, writer: Writer | None, store: Store | None) -> None:
        self._reader, self._writer, self._store = reader, writer, store
        self._nodes = TiledNodes(reader.leaves, reader.tile, self._save_tile if store else None)

    # writing

    def append(self, drafts: Sequence[Draft], expected: Mapping[str, int] | None = None) -> list[Event]:
        """Write all drafts as one, or nothing; return when they are durable.

        Args:
            drafts: 1 to 1000 events, on any streams, in order.
            expected: stream -> number of events it must have (0: new); may name streams that are only read.

        Returns:
            The events with position, version and time. For ids already written with the same content: those events.

        Raises:
            BadEvent: a draft is outside the profile.
            Conflict: a stream has another number of events.
            ClaimTaken: something claimed is held.
            HardStop: something expected or released is not held by the one named.
            IdReused: an id already stands for another content.
            Unavailable: the outcome is unknown; retry with the same ids.
            ReadOnly, Closed.
        """
        records = self._for_writing().append(_prepare(drafts, expected))
        return [decode(record.data) for record in records]

    def submit(self, drafts: Sequence[Draft], expected: Mapping[str, int] | None = None) -> Future[list[Event]]:
        """The same without waiting: positions follow the order of submission. BadEvent is raised at once."""
        return self._for_writing().submit(_prepare(drafts, expected))

    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a signed note, cosignature or time stamp (append-only). Returns when it is durable."""
        store = self._store
        if store is None:
            raise ReadOnly(_("The ledger is open for reading only."))
        self._for_writing().run(lambda: store.put_checkpoint(checkpoint))

    def _for_writing(self) -> Writer:
        if self._writer is None:
            raise ReadOnly(_("Nothing was written: the ledger is open for reading only."))
        return self._writer

    # reading

    def stream(self, name: str, start: int = 0) -> list[Event]:
        """The events of one stream from version ``start``."""
        return [decode(data) for data in self._reader.stream(name, start)]

    def version(self, name: str) -> int:
        """The number of events in a stream; 0 when there is none."""
        return self._reader.size_of(name)

    def tagged(self, tag: str, after: int = -1) -> list[Event]:
        """The events with a tag, by position, over all streams, behind position ``after``."""
        return [decode(data) for data in self._reader.tagged(tag, after)]

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Event]:
        """Events at positions [start, stop); to the end as it is now when ``stop`` is left out."""
        return (decode(record.data) for record in self.records(start, stop))

    def records(self, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        """The same as stored bytes."""
        size = self._reader.head().size
        stop = size if stop is None else min(stop, size)
        for first in range(max(start, 0), stop, EVENTS_PER_READ):
            yield from self._reader.records(first, min(first + EVENTS_PER_READ, stop))

    def event(self, pos: int) -> Event:
        """The event at a position. Raises IndexError when the ledger does not reach it."""
        records = self._reader.records(pos, pos + 1)
        if not records:
            raise IndexError(_("The ledger has no event {pos}.").format(pos=pos))
        return records[0].event

    def by_id(self, event_id: str) -> Event | None:
        """The event with this id."""
        record = self._reader.by_id(event_id)
        return record.event if record else None

    def head(self) -> Head:
        """How many events there are, and the Merkle root over them."""
        row = self._reader.head()
        return Head(row.size, row.root)

    def claim(self, key: str) -> Claim | None:
        """Who holds a key now."""
        return self._reader.claim(key)

    def claims(self, prefix: str) -> list[Claim]:
        """Live claims whose key begins so, by key."""
        return self._reader.claims(prefix)

    def checkpoints(self, kind: str | None = None) -> list[StoredCheckpoint]:
        """Kept checkpoints, oldest first."""
        return self._reader.checkpoints(kind)

    # proofs

    def inclusion_proof(self, pos: int, size: int | None = None) -> list[bytes]:
        """Hashes that show event ``pos`` to be in the log of ``size`` events (RFC 9162, 2.1.3)."""
        return proof.inclusion_proof(self._nodes, pos, self.head().size if size is None else size)

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """Hashes that show the log of ``new`` events to continue the one of ``old`` (RFC 9162, 2.1.4)."""
        return proof.consistency_proof(self._nodes, old, self.head().size if new is None else new)

    def _save_tile(self, level: int, index: int, hashes: bytes) -> None:
        store = self._store
        assert store is not None
        self._for_writing().run(lambda: store.put_tile(level, index, hashes))

    # snapshots

    def fold(self, stream: str, fold: Fold[State]) -> State:
        """The state of a long-lived stream: from its last snapshot and the events since; a snapshot is kept at times."""
        kept = self._reader.snapshot(stream, fold.name)
        state, version = (fold.load(kept.state), kept.version) if kept else (fold.initial(), 0)
        events = self.stream(stream, version)
        for event in events:
            state = fold.evolve(state, event)
        store = self._store
        if store is not None and len(events) >= SNAPSHOT_EVERY:
            last = events[-1]
            snapshot = Snapshot(stream, fold.name, last.version + 1, last.pos, fold.dump(state))
            self._for_writing().run(lambda: store.put_snapshot(snapshot))
        return state

    # life

    @property
    def where(self) -> str:
        """What :func:`open_ledger` opens again."""
        return self._reader.where

    @property
    def store(self) -> Reader:
        """The backend's reading half, for the verifier."""
        return self._reader

    def close(self) -> None:
        """Finish the appends that were handed in, and give the file or connections back. May be called twice."""
        if self._writer is not None:
            self._writer.close()
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _prepare(drafts: Sequence[Draft], expected: Mapping[str, int] | None) -> Append:
    if len(drafts) > DRAFTS_MAX:
        raise BadEvent(_("One append has {limit} events at most.").format(limit=DRAFTS_MAX))
    prepared = [Prepared(draft) for draft in drafts]
    if len(prepared) > 1 and len({draft.id for draft in drafts}) < len(prepared):
        raise BadEvent(_("Two events of one append have the same id."))
    return Append(prepared, dict(expected) if expected else {})


def ledger_on(store: Store, clock: Clock | None = None, counter: Counter | None = None) -> Ledger:
    """A ledger on a store made by hand: for tests that bring their own disk, server, clock or counter."""
    clock = clock or system_clock
    if clock is system_clock and counter is None:
        counter = boot_counter
    return Ledger(store, Writer(Sequencer(store, clock, counter)), store)


def open_ledger(
    where: str | Path,
    *,
    clock: Clock | None = None,
    counter: Counter | None = None,
    create: bool = False,
    read_only: bool = False,
) -> Ledger:
    """Open a ledger.

    Args:
        where: a path or ``sqlite:///path`` (SQLite file), ``postgresql://…`` (PostgreSQL), ``memory:``.
        clock: gives the site's time; the machine's own when left out.
        counter: nanoseconds that only pass, to notice steps of the clock; the machine's own for the machine's clock.
        create: make the ledger when it is not there (its folder or database must be).
        read_only: open beside a writer, in any number of processes.

    Raises:
        Locked: an SQLite ledger that another process has open for writing.
        Tampered: tables or triggers are missing or altered.
        LedgerError: no ledger there.
    """
    text = str(where)
    if text == "memory:":
        return ledger_on(MemoryStore(), clock, counter)
    if text.startswith(("postgresql://", "postgres://")):
        from cellwright.ledger.postgres import PostgresReader, PostgresStore

        if read_only:
            return Ledger(PostgresReader(text), None, None)
        return ledger_on(PostgresStore(text, create=create), clock, counter)
    from cellwright.ledger.sqlite import SQLiteReader, SQLiteStore

    path = Path(text.removeprefix("sqlite:///"))
    if read_only:
        return Ledger(SQLiteReader(path), None, None)
    return ledger_on(SQLiteStore(path, create=create), clock, counter)
