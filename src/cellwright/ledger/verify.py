"""Verification of a whole ledger: is it what was written, and is it what others hold checkpoints of?

Everything but the bytes of the events is computed again and compared: hashes, columns, versions, times, tags, claims,
head, frontier, and the folded snapshots if their folds are given. That shows the ledger to agree with itself. Whoever
can rewrite all of it can make it agree with itself; so give it checkpoints that were kept elsewhere (R003).

The work is shared between processes, which a Merkle tree allows and a chain of hashes would not.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from cellwright.language import _
from cellwright.ledger.errors import LedgerError, Tampered
from cellwright.ledger.event import Head
from cellwright.ledger.ledger import Fold, Ledger
from cellwright.ledger.merkle import EMPTY_ROOT, node_hash
from cellwright.ledger.note import Checkpoint, Note, NoteError, VerifierKey, open_checkpoint
from cellwright.ledger.proof import TiledNodes
from cellwright.ledger.scan import CHUNK, ClaimMoves, Finding, Peak, Stretch, scan
from cellwright.ledger.share import Share
from cellwright.ledger.store import Reader

ALONE_BELOW: Final = 16_384
"""Events below which another process costs more than it helps."""


class Verification(msgspec.Struct, frozen=True):
    """The result. ``root`` is computed from the bytes, not read from the head; ``ok`` means: no findings."""

    ok: bool
    size: int
    root: bytes
    findings: list[Finding]

    @property
    def head(self) -> Head:
        """What a later verification can start from."""
        return Head(self.size, self.root)


def verify(
    ledger: Ledger,
    checkpoints: Sequence[bytes] = (),
    processes: int = 2,
    since: Head | None = None,
    *,
    keys: Iterable[VerifierKey] = (),
    folds: Sequence[Fold[Any]] = (),
    deep: bool = False,
) -> Verification:
    """Check everything, or everything since an earlier verification.

    Args:
        ledger: may be in use meanwhile; what it holds now is checked.
        checkpoints: signed notes kept elsewhere; each must be of this log as it was.
        processes: how many share the work.
        since: the head that an earlier verification vouched for; only its hashes are read again, not its events.
        keys: with them, each checkpoint must carry a good signature of every key.
        folds: rebuild the snapshots made by these.
        deep: also have the database check its own pages and indexes (slow).

    Returns:
        Findings in order of position, the first bad event first.
    """
    reader = ledger.store
    findings = [Finding("schema", None, fault) for fault in reader.faults()]
    if deep:
        findings += [Finding("index", None, fault) for fault in reader.damage()]
    findings += _strays(reader)
    head = reader.head()
    held = list(_open(checkpoints, list(keys), findings))
    tree = _Tree()
    start = 0
    if since is not None:
        start = since.size
        findings += _continues(reader, since, head.size, tree)
    cuts = sorted({checkpoint.size for checkpoint in held if start <= checkpoint.size <= head.size})
    stretches = _scan_all(reader, start, head.size, cuts, processes)
    for stretch in stretches:
        findings += stretch.findings
        for chunk in stretch.chunks:
            tree.add(chunk.start, chunk.peaks, chunk.cuts)
    findings += _streams(reader, stretches, start)
    findings += _times(stretches)
    try:
        moves = itertools.chain.from_iterable(stretch.moves for stretch in stretches)
        findings += _claims(reader, start, head.size, moves)
    except Tampered as error:
        findings.append(Finding("claim", None, str(error)))
    root = tree.root(head.size)
    if root != head.root or tree.frontier(head.size) != head.frontier:
        findings.append(Finding("head", None, _("the head is not the hash over the events")))
    if stretches and stretches[-1].last_at != head.at:
        findings.append(Finding("head", None, _("the head's time is not that of the last event")))
    findings += _compare(held, head.size, start, tree)
    for fold in folds:
        findings += _snapshots(ledger, fold, head.size)
    findings.sort(key=lambda finding: -1 if finding.pos is None else finding.pos)
    return Verification(not findings, head.size, root, findings)


def _strays(reader: Reader) -> Iterator[Finding]:
    """What lies where no event is: a tag, claim or event that every reader would meet and no hash covers."""
    try:
        for table, name, pos in reader.strays():
            if table == "event":
                yield Finding(
                    "head", pos, _("an event of {name} lies outside of what the head covers").format(name=name)
                )
            else:
                text = _("{table} of {name}: position {pos} has no event")
                yield Finding(table, pos, text.format(table=table, name=name, pos=pos))
    except Tampered as error:
        yield Finding("index", None, str(error))


class _Tree:
    """Roots at some sizes, from perfect subtrees added from left to right."""

    def __init__(self) -> None:
        self._peaks: list[Peak] = []
        self._size = 0
        self._roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self._whole = True

    def begin(self, size: int, peaks: Sequence[Peak]) -> None:
        self._size, self._peaks = size, list(peaks)
        self._roots[size] = _root(self._peaks)

    def add(self, start: int, peaks: Sequence[Peak], cuts: Mapping[int, Sequence[Peak]]) -> None:
        """Subtrees that begin at leaf ``start``; if that is not where we are, leaves are missing."""
        if start != self._size:
            self._whole = False
        for cut, below in cuts.items():
            self._roots[cut] = _root(_joined(self._peaks, below)) if self._whole else b""
        self._peaks = _joined(self._peaks, peaks)
        self._size = start + sum(1 << level for level, _hash in peaks)
        self._roots[self._size] = _root(self._peaks) if self._whole else b""

    def root(self, size: int) -> bytes:
        """The root at a size that was asked for; empty when leaves below it are missing."""
        return self._roots.get(size, b"")

    def frontier(self, size: int) -> bytes:
        """The frontier at the end, in the head's form."""
        return self._size.to_bytes(8, "big") + b"".join(peak for _level, peak in self._peaks) if size else b""


def _joined(peaks: Sequence[Peak], more: Sequence[Peak]) -> list[Peak]:
    joined = list(peaks)
    for peak in more:
        level, node = peak
        while joined and joined[-1][0] == level:
            node = node_hash(joined.pop()[1], node)
            level += 1
        joined.append((level, node))
    return joined


def _root(peaks: Sequence[Peak]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    node = peaks[-1][1]
    for _level, peak in reversed(peaks[:-1]):
        node = node_hash(peak, node)
    return node


def _open(notes: Sequence[bytes], keys: Sequence[VerifierKey], findings: list[Finding]) -> Iterator[Checkpoint]:
    for note in notes:
        try:
            yield open_checkpoint(note, keys) if keys else Checkpoint.parse(Note.parse(note).text)
        except NoteError as error:
            findings.append(Finding("checkpoint", None, str(error)))


def _continues(reader: Reader, since: Head, size: int, tree: _Tree) -> Iterator[Finding]:
    """Take over the peaks of the verified part; the root that was vouched for shows whether they are the right ones."""
    if since.size > size:
        yield Finding(
            "head",
            None,
            _("the ledger has {size} events and had {before}: it was cut, or is an old copy").format(
                size=size, before=since.size
            ),
        )
        return
    nodes, peaks, at = TiledNodes(reader.leaves, reader.tile), [], 0
    try:
        for level in range(since.size.bit_length() - 1, -1, -1):
            if since.size >> level & 1:
                peaks.append((level, nodes.node(level, at >> level)))
                at += 1 << level
    except (IndexError, ValueError):
        peaks = []
    if _root(peaks) != since.root:
        yield Finding("head", None, _("the first {size} events are not those verified before").format(size=since.size))
    tree.begin(since.size, peaks)


def _scan_all(reader: Reader, start: int, stop: int, cuts: Sequence[int], processes: int) -> list[Stretch]:
    shares = _shares(reader.where, start, stop, cuts, processes)
    if len(shares) < 2:
        return [scan(reader, share.start, share.stop, share.cuts) for share in shares]
    answers: list[Stretch | Exception] = [LedgerError("no answer")] * len(shares)

    def ask(index: int) -> None:
        try:
            answers[index] = _ask(shares[index])
        except Exception as error:  # noqa: BLE001 - raised by the asking thread below
            answers[index] = error

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(shares))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stretches = []
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        stretches.append(answer)
    return stretches


def _shares(where: str, start: int, stop: int, cuts: Sequence[int], processes: int) -> list[Share]:
    """Equal stretches with edges at chunks; one if they are few, or lie in this process's memory."""
    if stop <= start:
        return []
    if where == "memory:" or stop - start < ALONE_BELOW:
        processes = 1
    width = -(-(stop - start) // processes)
    edges = [start, *((start + width * part) // CHUNK * CHUNK for part in range(1, processes)), stop]
    return [
        Share(where, first, end, [cut for cut in cuts if first < cut < end])
        for first, end in itertools.pairwise(edges)
        if first < end
    ]


def _ask(share: Share) -> Stretch:
    """Have another process scan. It is told where through its standard input, which no other user can read."""
    command = [sys.executable, "-c", "from cellwright.ledger.share import answer; answer()"]
    done = subprocess.run(command, input=msgspec.json.encode(share), capture_output=True, check=False, env=os.environ)
    if done.returncode != 0:
        raise LedgerError(
            _("A process of the verification failed: {why}").format(why=done.stderr.decode(errors="replace"))
        )
    return msgspec.msgpack.decode(done.stdout, type=Stretch)


def _streams(reader: Reader, stretches: Sequence[Stretch], start: int) -> Iterator[Finding]:
    """Streams go on from stretch to stretch without a gap."""
    versions: dict[str, int] = {}
    for stretch in stretches:
        for stream, (first, last, pos) in stretch.streams.items():
            before = versions.get(stream)
            if before is None:
                before = -1
                if start and first:  # the part verified before has the version before
                    place = reader.position(stream, first - 1)
                    before = first - 1 if place is not None and place < start else -1
            if first != before + 1:
                yield Finding(
                    "version",
                    pos,
                    _("{stream} goes from version {before} to {version}").format(
                        stream=stream, before=before, version=first
                    ),
                )
            versions[stream] = last


def _times(stretches: Sequence[Stretch]) -> Iterator[Finding]:
    for left, right in itertools.pairwise(stretches):
        if right.first_at < left.last_at and not right.first_stepped:
            yield Finding(
                "time", right.start, _("recorded at {at}, before the event before it").format(at=right.first_at)
            )


def _claims(reader: Reader, start: int, size: int, moves: Iterable[ClaimMoves]) -> list[Finding]:
    """Replay what events did to claims: at most one live holder at every position, and the table says the same."""
    live: dict[str, tuple[str, int]] = {}
    rows: dict[tuple[str, int], tuple[str, int | None]] = {}
    stored: dict[tuple[str, int], tuple[str, int | None]] = {}
    for key, value, taken, released in reader.claim_rows():
        if taken >= size:  # of an event that is being appended, or of none: then it is found beyond the head
            continue
        if released is not None and released >= size:
            released = None
        stored[key, taken] = (value, released)
        if taken < start:
            if released is None or released >= start:
                live[key] = value, taken
                released = None
            rows[key, taken] = (value, released)
    findings: list[Finding] = []
    for move in moves:
        _replay(move, live, rows, findings)
    if rows != stored:
        text = _("the claim table does not say what the events say of {key}")
        findings += [
            Finding("claim", place[1], text.format(key=place[0]))
            for place in sorted(rows.keys() | stored.keys())
            if rows.get(place) != stored.get(place)
        ]
    return findings


def _replay(
    move: ClaimMoves,
    live: dict[str, tuple[str, int]],
    rows: dict[tuple[str, int], tuple[str, int | None]],
    findings: list[Finding],
) -> None:
    pos = move.pos
    for named in (move.expects, move.releases):
        for key, value in named.items():
            if key not in live or live[key][0] != value:
                text = _("{key} does not belong to {value} at this point")
                findings.append(Finding("claim", pos, text.format(key=key, value=value)))
    for key in move.releases:
        holder = live.pop(key, None)
        if holder:
            rows[key, holder[1]] = (holder[0], pos)
    for key, value in move.claims.items():
        if key in live:
            findings.append(Finding("claim", pos, _("{key} has a second holder").format(key=key)))
        live[key] = (value, pos)
        rows[key, pos] = (value, None)


def _compare(held: Sequence[Checkpoint], size: int, start: int, tree: _Tree) -> Iterator[Finding]:
    for checkpoint in held:
        if checkpoint.size > size:
            text = _("a checkpoint of {origin} has {held} events, this ledger {size}: it was cut, or is an old copy")
            yield Finding("checkpoint", size, text.format(origin=checkpoint.origin, held=checkpoint.size, size=size))
        elif checkpoint.size >= start and tree.root(checkpoint.size) != checkpoint.root:
            text = _("a checkpoint of {origin} at {held} events has another root: an event before it was changed")
            yield Finding("checkpoint", None, text.format(origin=checkpoint.origin, held=checkpoint.size))


def _snapshots(ledger: Ledger, fold: Fold[Any], size: int) -> Iterator[Finding]:
    for kept in ledger.store.snapshots():
        if kept.fold != fold.name or kept.pos >= size:
            continue
        events = ledger.stream(kept.stream)[: kept.version]
        state = fold.initial()
        for event in events:
            state = fold.evolve(state, event)
        if len(events) != kept.version or events[-1].pos != kept.pos or fold.dump(state) != kept.state:
            yield Finding(
                "snapshot",
                kept.pos,
                _("the snapshot of {stream} is not what its events give").format(stream=kept.stream),
            )
