"""One stretch of a ledger read and checked: what every process of a verification does with its share.

For each event: the leaf hash over its bytes, and every column of its row against what the bytes say. For the stretch:
positions without a gap, versions of each stream without a gap, times in order, the tag index. What only the whole can
tell (the root, streams and claims across stretches) is handed back in small.

The loops run over whole columns at a time, which Python does several times faster than event by event; only a stretch
that has a fault is gone through singly, to name it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from operator import le
from typing import Final

import msgspec

from cellwright.language import _
from cellwright.ledger.canonical import CLOCK_STREAM
from cellwright.ledger.errors import Tampered
from cellwright.ledger.event import UNREADABLE
from cellwright.ledger.merkle import Frontier, root_of
from cellwright.ledger.sequencer import CLOCK_STEPPED
from cellwright.ledger.store import EventRow, Reader

CHUNK_LEVEL: Final = 8
CHUNK: Final = 1 << CHUNK_LEVEL
"""Events read and hashed at a time: a perfect subtree, and small enough for the processor's cache."""
FINDINGS_MAX: Final = 1000
"""Findings after which a stretch is not described further."""

Peak = tuple[int, bytes]
"""A perfect subtree of 2**level leaves: its level and root."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was written.

    Args:
        kind: ``bytes``, ``column``, ``leaf``, ``gap``, ``version``, ``time``, ``tag``, ``claim``, ``head``, ``schema``,
            ``snapshot``, ``checkpoint``, ``index``.
        pos: the event, or None where it concerns the whole.
        text: what was found, for a person.
    """

    kind: str
    pos: int | None
    text: str


class Indexed(msgspec.Struct, gc=False):
    """What the bytes of an event say about its row and the indexes."""

    pos: int
    stream: str
    version: int
    id: str
    type: str
    at: str
    claims: dict[str, str] | None = None
    releases: dict[str, str] | None = None
    expects: dict[str, str] | None = None
    tags: tuple[str, ...] = ()


class ClaimMoves(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one event does to claims."""

    pos: int
    expects: dict[str, str]
    releases: dict[str, str]
    claims: dict[str, str]


class Chunk(msgspec.Struct):
    """The hashes of one chunk: perfect subtrees from left to right, and the same for the part below each cut."""

    start: int
    peaks: list[Peak]
    cuts: dict[int, list[Peak]] = {}


class Stretch(msgspec.Struct):
    """What a stretch [start, stop) hands back.

    Args:
        streams: stream -> (version of its first event here, of its last, position of the first).
        first_at, last_at: times at its ends; ``first_stepped``: the first event is a clock step.
        moves: events that touch claims, by position.
    """

    start: int
    stop: int
    chunks: list[Chunk] = []
    findings: list[Finding] = []
    streams: dict[str, tuple[int, int, int]] = {}
    first_at: str = ""
    last_at: str = ""
    first_stepped: bool = False
    moves: list[ClaimMoves] = []


_NO_LEAF: Final = bytes(32)
"""Stands for the hash of what can not be hashed."""
_decode: Final = msgspec.json.Decoder(Indexed).decode


def scan(reader: Reader, start: int, stop: int, cuts: Sequence[int] = ()) -> Stretch:
    """Check [start, stop). ``cuts`` are sizes for which the root will be asked."""
    found = _Scan(reader, start, stop)
    at = start
    while at < stop:
        upto = min(stop, (at // CHUNK + 1) * CHUNK)
        found.chunk(at, upto, [cut for cut in cuts if at < cut < upto])
        at = upto
    return found.finish()


class _Scan:
    def __init__(self, reader: Reader, start: int, stop: int) -> None:
        self._reader = reader
        self.result = Stretch(start, stop)
        self._tags: defaultdict[str, list[int]] = defaultdict(list)
        self._versions: dict[str, int] = {}

    def chunk(self, start: int, stop: int, cuts: list[int]) -> None:
        try:
            rows = self._reader.rows(start, stop)
        except Tampered:
            rows = self._rows_that_can_be_read(start, stop)
        try:
            leaves = [sha256(b"\x00" + row[5]).digest() for row in rows]
        except TypeError:  # a damaged page can hold what the table's types forbid
            leaves = [sha256(b"\x00" + row[5]).digest() if type(row[5]) is bytes else _NO_LEAF for row in rows]
        if len(rows) == stop - start:
            self.result.chunks.append(
                Chunk(start, _peaks(start, leaves), {cut: _peaks(start, leaves[: cut - start]) for cut in cuts})
            )
        events = _agreeing(rows, leaves, start, stop)
        if events is None:
            rows, events = self._singly(rows, leaves, start, stop)
        if rows:
            self._order([row[0] for row in rows], events)

    def _rows_that_can_be_read(self, start: int, stop: int) -> list[EventRow]:
        rows: list[EventRow] = []
        for pos in range(start, stop):
            try:
                rows += self._reader.rows(pos, pos + 1)
            except Tampered as error:
                self._report("column", pos, str(error))
        return rows

    def finish(self) -> Stretch:
        """Compare the tags of the stretch with their index."""
        try:
            self._compare_tags()
        except Tampered as error:
            self.result.findings.append(Finding("tag", None, str(error)))
        for stream, version in self._versions.items():
            first, _last, pos = self.result.streams[stream]
            self.result.streams[stream] = (first, version, pos)
        self.result.findings.sort(key=lambda finding: -1 if finding.pos is None else finding.pos)
        return self.result

    def _compare_tags(self) -> None:
        tags = self._tags
        for tag, places in self._reader.tags_between(self.result.start, self.result.stop):
            found = tags.pop(tag, [])
            if str(found)[1:-1] != places:
                self._tag_differs(tag, set(found), {int(place) for place in places.split(", ")})
        for tag in sorted(tags):
            self._tag_differs(tag, set(tags[tag]), set())

    def _report(self, kind: str, pos: int, text: str) -> None:
        if len(self.result.findings) < FINDINGS_MAX:
            self.result.findings.append(Finding(kind, pos, text))

    def _order(self, places: Sequence[int], events: Sequence[Indexed]) -> None:
        """Versions of each stream follow each other; times do not run back but for a recorded step. Gathers the rest."""
        result, versions, tags, moves = self.result, self._versions, self._tags, self.result.moves
        for pos, event in zip(places, events, strict=True):
            stream, version = event.stream, event.version
            before = versions.get(stream)
            if before is None or before + 1 != version:
                self._begins(stream, version, pos)
            versions[stream] = version
            for tag in event.tags:
                tags[tag].append(pos)
            if event.claims or event.releases or event.expects:
                moves.append(ClaimMoves(pos, event.expects or {}, event.releases or {}, event.claims or {}))
        times = [event.at for event in events]
        if not result.first_at:
            result.first_at, result.first_stepped = times[0], _stepped(events[0])
            result.last_at = times[0]
        if result.last_at > times[0] or not all(map(le, times, times[1:])):
            before_at = result.last_at
            for pos, event in zip(places, events, strict=True):
                if event.at < before_at and not _stepped(event):
                    self._report("time", pos, _("recorded at {at}, before the event before it").format(at=event.at))
                before_at = event.at
        result.last_at = times[-1]

    def _begins(self, stream: str, version: int, pos: int) -> None:
        """A version that does not follow: the stream's first in this stretch, or a fault."""
        before = self._versions.get(stream)
        if before is None:
            self.result.streams[stream] = (version, version, pos)
        else:
            text = _("{stream} goes from version {before} to {version}")
            self._report("version", pos, text.format(stream=stream, before=before, version=version))

    def _singly(
        self, rows: Sequence[EventRow], leaves: Sequence[bytes], start: int, stop: int
    ) -> tuple[list[EventRow], list[Indexed]]:
        """Name what is wrong in a chunk, and give what of it can be read."""
        present = {row[0] for row in rows}
        for pos in range(start, stop):
            if pos not in present:
                self._report("gap", pos, _("the event is missing"))
        readable: list[tuple[EventRow, Indexed]] = []
        for row, leaf in zip(rows, leaves, strict=True):
            pos, stream, version, event_id, type_, data, stored = row
            if leaf != stored:
                self._report("leaf", pos, _("the stored hash is not the hash of the bytes"))
            try:
                event = _decode(data)
            except UNREADABLE as error:
                self._report("bytes", pos, _("the bytes are no event: {why}").format(why=error))
                continue
            readable.append((row, event))
            said = (event.pos, event.stream, event.version, event.id, event.type)
            columns = ("pos", "stream", "version", "id", "type")
            for column, kept, true in zip(columns, (pos, stream, version, event_id, type_), said, strict=True):
                if kept != true:
                    self._report(
                        "column",
                        pos,
                        _("column {column} is {kept!r}, the bytes say {true!r}").format(
                            column=column, kept=kept, true=true
                        ),
                    )
        return [row for row, _event in readable], [event for _row, event in readable]

    def _tag_differs(self, tag: str, said: set[int], indexed: set[int]) -> None:
        for pos in sorted(said - indexed):
            self._report("tag", pos, _("tag {tag} is missing in the index").format(tag=tag))
        for pos in sorted(indexed - said):
            self._report("tag", pos, _("tag {tag} is in the index and not in the event").format(tag=tag))


def _agreeing(rows: Sequence[EventRow], leaves: list[bytes], start: int, stop: int) -> list[Indexed] | None:
    """The events of a chunk when all is as it must be, else None."""
    if len(rows) != stop - start:
        return None
    places, streams, versions, ids, types, datas, stored = zip(*rows, strict=True)
    if places != tuple(range(start, stop)) or stored != tuple(leaves):
        return None
    try:
        events = list(map(_decode, datas))
    except UNREADABLE:
        return None
    agree = (
        places == tuple([event.pos for event in events])
        and streams == tuple([event.stream for event in events])
        and versions == tuple([event.version for event in events])
        and ids == tuple([event.id for event in events])
        and types == tuple([event.type for event in events])
    )
    return events if agree else None


def _peaks(start: int, leaves: Sequence[bytes]) -> list[Peak]:
    """Leaves [start, …) as perfect subtrees; single leaves where ``start`` is not at the edge of a chunk."""
    if start % CHUNK:
        return [(0, leaf) for leaf in leaves]
    if len(leaves) == CHUNK:
        return [(CHUNK_LEVEL, root_of(leaves))]
    frontier = Frontier()
    frontier.extend(leaves)
    size = frontier.size
    levels = [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
    return list(zip(levels, frontier.peaks(), strict=True))


def _stepped(event: Indexed) -> bool:
    return event.type == CLOCK_STEPPED and event.stream == CLOCK_STREAM
