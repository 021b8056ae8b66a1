"""Judges appends one after the other and commits them together.

This is the heart of the ledger and has no thread of its own: give it tickets, it gives answers. Every append is judged
against everything before it, those of the same batch included; one transaction makes all of them durable; only then is
there an answer to anyone, refusals included. (A refusal told before the commit speaks of events that may never be.)

When other processes may append too, a batch is first tried on what this process remembers, in one round trip; the store
refuses it if the head has moved. Anything out of the ordinary then (a moved head, an id that exists, a refusal) is
judged again behind the lock of the head, where what is looked up stays true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from cellwright.language import _
from cellwright.ledger.canonical import CLOCK_STREAM, Prepared
from cellwright.ledger.clock import Clock, Counter, Stamp, Stamper, Step
from cellwright.ledger.errors import (
    ClaimTaken,
    Closed,
    Conflict,
    HardStop,
    IdReused,
    LedgerError,
    Locked,
    ReadOnly,
    Tampered,
    Unavailable,
)
from cellwright.ledger.event import Claim, Draft, Record
from cellwright.ledger.merkle import Frontier
from cellwright.ledger.store import Batch, Clash, EventRow, HeadMoved, HeadRow, Store, Wanted

REMEMBERED_MAX: Final = 200_000
"""Stream sizes and claims kept in memory at most; above it they are looked up again."""
LOCKED_TURNS: Final = 8
"""Batches judged behind the lock after the head was found moved, before the quick way is tried again."""
CLOCK_STEPPED: Final = "ledger.clock_stepped"

Answer = list[Record] | LedgerError
"""The records of one append, or why there are none."""


class Append(NamedTuple):
    """One append, checked and encoded: all its events are written, or none."""

    drafts: Sequence[Prepared]
    expected: Mapping[str, int]


class _Doubt(Exception):
    """The quick way can not answer this; judge it behind the lock."""


@dataclass(slots=True)
class _Memory:
    """What is known to be true at the head: sizes of streams, and claims (None: not live)."""

    sizes: dict[str, int] = field(default_factory=dict)
    claims: dict[str, Claim | None] = field(default_factory=dict)

    def clear(self) -> None:
        self.sizes.clear()
        self.claims.clear()

    @property
    def full(self) -> bool:
        return len(self.sizes) + len(self.claims) > REMEMBERED_MAX


class _Draftsman:
    """A batch in the making. ``sure``: a refusal may be told; else what was judged from may be out of date."""

    __slots__ = ("claims", "events", "known", "records", "stamp", "sure", "tags")

    def __init__(self, known: int, stamp: Stamp, sure: bool, records: dict[str, Record]) -> None:
        self.known, self.stamp, self.sure, self.records = known, stamp, sure, records
        self.events: list[EventRow] = []
        self.tags: list[tuple[str, int]] = []
        self.claims: list[tuple[str, str | None, int]] = []

    @property
    def size(self) -> int:
        return self.known + len(self.events)


class Sequencer:
    """Numbers, stamps, judges and commits. One thread at a time.

    Args:
        store: where it goes.
        clock: the time of the site.
        counter: tells a step of the clock from the passing of time; None for a simulated clock.
    """

    def __init__(self, store: Store, clock: Clock, counter: Counter | None) -> None:
        self._store = store
        self._stamper = Stamper(clock, counter)
        self._stamp = Stamp()
        self._frontier: Frontier | None = None
        self._memory = _Memory()
        self._locked_turns = 0

    def commit(self, appends: Sequence[Append]) -> list[Answer]:
        """Judge and write all of them in one transaction. Never raises an Exception: each append gets its answer."""
        try:
            return self._commit(appends)
        except Exception as error:  # noqa: BLE001 - whatever it was: nothing is known to be written, all are told so
            self._give_up()
            return [_failure(error) for _append in appends]
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        self._frontier = None
        self._memory.clear()
        self._store.rollback()

    def _commit(self, appends: Sequence[Append]) -> list[Answer]:
        if self._memory.full:
            self._memory.clear()
        if self._store.shared and self._frontier is not None:
            if self._locked_turns == 0:
                try:
                    return self._try(appends)
                except HeadMoved:
                    self._give_up()
                    self._locked_turns = LOCKED_TURNS
                except (Clash, _Doubt):
                    self._give_up()
            else:
                self._locked_turns -= 1
        return self._commit_locked(appends)

    def _try(self, appends: Sequence[Append]) -> list[Answer]:
        """The quick way: on what is remembered, in one round trip."""
        assert self._frontier is not None
        self._learn(appends, ids=False, believe=True)
        work = _Draftsman(self._frontier.size, self._stamp, False, {})
        answers: list[Answer] = [self._judge(append, work) for append in appends]
        if not work.events:
            raise _Doubt
        self._store.put_at_once(self._batch(work, self._frontier))
        self._stamp = work.stamp
        return answers

    def _commit_locked(self, appends: Sequence[Append]) -> list[Answer]:
        """Behind the lock. Ids are looked up beforehand where that costs nothing extra, else only when they matter:
        before a refusal is told, and after the store found one that exists."""
        try:
            return self._judge_and_put(appends, ids=self._store.shared)
        except (HeadMoved, Clash):
            self._give_up()
        try:
            return self._judge_and_put(appends, ids=True)
        except (HeadMoved, Clash) as error:
            raise Tampered(
                _("The store refused a batch that follows from what it holds: something else wrote to it. Verify it.")
            ) from error

    def _judge_and_put(self, appends: Sequence[Append], *, ids: bool) -> list[Answer]:
        frontier = self._adopt(self._store.begin())
        records = self._learn(appends, ids=ids, believe=False)
        work = _Draftsman(frontier.size, self._stamp, True, records)
        answers: list[Answer] = []
        for append in appends:
            try:
                answers.append(self._judge(append, work))
            except LedgerError as refusal:
                answers.append(refusal if ids else self._refuse(append, refusal, work.records))
        if work.events:
            self._store.put(self._batch(work, frontier))
        self._store.commit()
        self._stamp = work.stamp
        return answers

    def _refuse(self, append: Append, refusal: LedgerError, records: dict[str, Record]) -> Answer:
        """A refusal, unless the append was written before: then it has its answer."""
        records |= self._store.find(Wanted(ids={prepared.draft.id for prepared in append.drafts})).records
        try:
            return _earlier(append, records) or refusal
        except IdReused as reused:
            return reused

    def _adopt(self, head: HeadRow) -> Frontier:
        """Take over the head as stored, unless it is the one we left."""
        if self._frontier is None or self._frontier.size != head.size:
            self._memory.clear()
            self._frontier = Frontier.from_bytes(head.frontier)
            if self._frontier.size != head.size:
                raise Tampered(_("The head's size and frontier disagree. Verify the ledger."))
            self._stamp = self._stamp.followed_by(head.at)
        return self._frontier

    def _learn(self, appends: Sequence[Append], *, ids: bool, believe: bool) -> dict[str, Record]:
        """Look up at once what judging will ask for; gives the records that already have one of the ids.

        ``believe``: take the caller's word that a stream it writes to is new, and a key it claims free. Were they not,
        (stream, version) or the live claim would clash.
        """
        sizes, claims = self._memory.sizes, self._memory.claims
        streams: set[str] = set()
        keys: set[str] = set()
        for append in appends:
            for stream, size in append.expected.items():
                if stream not in sizes:
                    if believe and size == 0 and _written(append, stream):
                        sizes[stream] = 0
                    else:
                        streams.add(stream)
            for prepared in append.drafts:
                draft = prepared.draft
                if draft.stream not in sizes:
                    streams.add(draft.stream)
                if draft.claims or draft.releases or draft.expects:
                    for named in (draft.releases, draft.expects):
                        keys.update(key for key in named if key not in claims)
                    for key in draft.claims:
                        if key not in claims and key not in keys:
                            if believe:
                                claims[key] = None
                            else:
                                keys.add(key)
        written = {prepared.draft.id for append in appends for prepared in append.drafts} if ids else set()
        if not (streams or keys or written):
            return {}
        wanted = Wanted(streams, keys, written)
        found = self._store.find(wanted)
        for stream in wanted.streams:
            sizes[stream] = found.sizes.get(stream, 0)
        for key in wanted.keys:
            claims[key] = found.claims.get(key)
        return found.records

    def _judge(self, append: Append, work: _Draftsman) -> list[Record]:
        """Add one append to the batch. Raises the refusal, and leaves batch and memory as they were."""
        earlier = _earlier(append, work.records)
        if earlier:
            return earlier
        try:
            return self._accept(append, work)
        except LedgerError:
            if not work.sure:
                raise _Doubt from None
            raise

    def _accept(self, append: Append, work: _Draftsman) -> list[Record]:
        sizes = self._memory.sizes
        for stream, expected in append.expected.items():
            if sizes[stream] != expected:
                raise Conflict(stream, expected, sizes[stream])
        if not append.drafts:
            return []
        stamp, step = self._stamper.next(work.stamp)
        first = work.size + (step is not None)
        changes = self._changes(append.drafts, first)
        if step:
            self._number([Prepared(_clock_stepped(step, work.size), own=True)], stamp, work)
        if changes:
            self._memory.claims.update(changes.live)
            work.claims += changes.ordered
        return self._number(append.drafts, stamp, work)

    def _number(self, drafts: Iterable[Prepared], stamp: Stamp, work: _Draftsman) -> list[Record]:
        """Give time, position and version to drafts that are accepted."""
        sizes, pos, records = self._memory.sizes, work.size, []
        for prepared in drafts:
            draft = prepared.draft
            version = sizes[draft.stream] if draft.stream in sizes else self._size_of(draft.stream)
            data = prepared.data(stamp.at, pos, version)
            leaf = sha256(b"\x00" + data).digest()
            record = Record(pos, data, leaf)
            work.events.append(EventRow(pos, draft.stream, version, draft.id, draft.type, data, leaf))
            for tag in draft.tags:
                work.tags.append((tag, pos))
            work.records[draft.id] = record
            records.append(record)
            sizes[draft.stream] = version + 1
            pos += 1
        work.stamp = stamp
        return records

    def _size_of(self, stream: str) -> int:
        return self._store.find(Wanted(streams={stream})).sizes.get(stream, 0)

    def _changes(self, drafts: Sequence[Prepared], first: int) -> _Changes | None:
        """What the drafts do to the claims, judged in order: expects, releases, claims of each."""
        changes: _Changes | None = None
        for pos, prepared in enumerate(drafts, first):
            draft = prepared.draft
            if draft.expects or draft.releases or draft.claims:
                changes = changes or _Changes(self._memory.claims)
                changes.add(draft, pos)
        return changes

    def _batch(self, work: _Draftsman, frontier: Frontier) -> Batch:
        frontier.extend([row.leaf for row in work.events])
        head = HeadRow(frontier.size, frontier.to_bytes(), frontier.root(), work.stamp.at)
        return Batch(work.known, work.events, work.tags, work.claims, head)


class _Changes:
    """The claims as one append leaves them, over what is known of them."""

    __slots__ = ("_known", "live", "ordered")

    def __init__(self, known: Mapping[str, Claim | None]) -> None:
        self._known = known
        self.live: dict[str, Claim | None] = {}
        self.ordered: list[tuple[str, str | None, int]] = []

    def add(self, draft: Draft, pos: int) -> None:
        """Raises HardStop, ClaimTaken."""
        for key, value in draft.expects.items():
            self._must_be(key, value)
        for key, value in draft.releases.items():
            self._must_be(key, value)
            self.live[key] = None
            self.ordered.append((key, None, pos))
        for key, value in draft.claims.items():
            holder = self._holder(key)
            if holder:
                raise ClaimTaken(key, holder.value, holder.pos)
            self.live[key] = Claim(key, value, pos)
            self.ordered.append((key, value, pos))

    def _holder(self, key: str) -> Claim | None:
        return self.live[key] if key in self.live else self._known[key]

    def _must_be(self, key: str, value: str) -> None:
        holder = self._holder(key)
        if holder is None or holder.value != value:
            raise HardStop(key, value, holder.value if holder else None)


def _written(append: Append, stream: str) -> bool:
    return any(prepared.draft.stream == stream for prepared in append.drafts)


def _earlier(append: Append, records: Mapping[str, Record]) -> list[Record]:
    """The answer an append already got; empty when it is new. Raises IdReused when its ids stand for something else."""
    if not records:
        return []
    found = [records.get(prepared.draft.id) for prepared in append.drafts]
    earlier = [record for record in found if record]
    if not earlier:
        return []
    for prepared, record in zip(append.drafts, found, strict=True):
        if record:
            event = record.event
            if record.data != prepared.data(event.at, event.pos, event.version):
                raise IdReused(event.id)
    if len(earlier) < len(found):  # a part of another append is not this append
        raise IdReused(earlier[0].event.id)
    return earlier


def _clock_stepped(step: Step, pos: int) -> Draft:
    return Draft(
        stream=CLOCK_STREAM,
        type=CLOCK_STEPPED,
        id=f"{CLOCK_STREAM}/{pos}",
        actor="system",
        body={"expected": step.expected, "found": step.found, "step_us": step.step_us},
        reason="the clock was set, or drifted beyond the limit",
    )


def _failure(error: Exception) -> LedgerError:
    """One answer per caller: an exception raised in several threads would gather all their tracebacks."""
    if isinstance(error, Unavailable | Tampered | Locked | ReadOnly | Closed):
        answer: LedgerError = type(error)(*error.args)
    else:
        answer = Unavailable(
            _("The append failed and was rolled back ({why}). Retry with the same ids.").format(why=repr(error))
        )
    answer.__cause__ = error
    return answer
