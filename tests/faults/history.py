"""Is a history of concurrent calls linearizable? (F5)

Each call must seem to happen at one moment between its invocation and its response, all in one order. In general that is
hard to decide. Here it is easy, because a ledger tells its order: every event has a position, so the state at any moment
is a number, the size. A call that saw something says: at my moment the size lay in [low, high]. An append says: at my
moment my events came to be. So a history is linearizable exactly when there are moments T(0) <= T(1) <= … of the events
with, for each event, T not before any call that began without it ("after") and not after any call that ended with it
("before"). The earliest such moments are the running maximum of the "after"s; they only have to be compared with the
"before"s. That takes one pass over calls and events (after Wing & Gong 1993, for a known order).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from cellwright.ledger import Event

NEVER: Final = 1 << 62


class Call(msgspec.Struct, array_like=True):
    """One call of one client.

    Args:
        kind: ``append``, ``version``, ``conflict``, ``head``, ``by_id``, ``claim``, ``taken``, ``tagged``.
        what: the ids appended; or the stream, id, key or tag asked for.
        seen: position of the first event appended; or the size, version, position or count answered; None: nothing
            there (``by_id``, ``claim``), or outcome unknown (``append``).
        begin, end: nanoseconds of one clock for all processes; ``end`` is `NEVER` without an answer.
    """

    client: int
    kind: str
    what: tuple[str, ...]
    seen: int | None
    begin: int
    end: int


def check(calls: Sequence[Call], final: Sequence[Event]) -> list[str]:
    """What in a history can not be: empty when it is linearizable and everything answered is in the final record."""
    return _History(calls, final).check()


class _History:
    def __init__(self, calls: Sequence[Call], final: Sequence[Event]) -> None:
        self._calls = calls
        self._size = len(final)
        self._ids = {event.id: event.pos for event in final}
        self._streams: dict[str, list[int]] = defaultdict(list)
        self._tags: dict[str, list[int]] = defaultdict(list)
        self._claims: dict[str, int] = {}
        for event in final:
            self._streams[event.stream].append(event.pos)
            for tag in event.tags:
                self._tags[tag].append(event.pos)
            for key in event.claims:
                self._claims[key] = event.pos
        self._after = [NEVER] * self._size
        self._before = [NEVER] * self._size
        self._edges = [0]
        self._faults: list[str] = []
        if [event.pos for event in final] != list(range(self._size)) or len(self._ids) != self._size:
            self._faults.append("the final record has gaps, or an id twice")

    def check(self) -> list[str]:
        if self._faults:
            return self._faults
        appends = [call for call in self._calls if call.kind == "append"]
        for call in appends:
            self._place(call)
        self._faults += [f"event {pos} was sent by nobody" for pos, at in enumerate(self._after) if at == NEVER]
        self._edges.sort()
        for call in self._calls:
            if call.kind != "append" and call.end != NEVER:
                self._bound(call)
        self._join(appends)
        latest = -NEVER
        for pos, (after, before) in enumerate(zip(self._after, self._before, strict=True)):
            latest = max(latest, after)
            if latest > before:
                self._faults.append(f"event {pos} was seen, or answered, {latest - before} ns before it can have been")
        return self._faults

    def _place(self, call: Call) -> None:
        """An append bounds its own events, which come to be together."""
        places = [self._ids.get(name) for name in call.what]
        first = places[0]
        if first is None or places != list(range(first, first + len(places))):
            if call.end != NEVER or any(place is not None for place in places):
                self._faults.append(f"answered or partly written, and not in the record: {call.what}")
            return
        if call.end != NEVER and call.seen != first:
            self._faults.append(f"answered position {call.seen}, in the record {first}: {call.what}")
        for pos in range(first, first + len(places)):
            # The same append sent again may have written it, or been answered, any number of times.
            self._after[pos] = min(self._after[pos], call.begin)
            self._before[pos] = min(self._before[pos], call.end)
        self._edges.append(first + len(places))

    def _bound(self, call: Call) -> None:
        """What was seen bounds the last event that must have been there, and the first that can not have been."""
        low, high = self._sizes(call)
        if low > high or low > self._size:
            self._faults.append(f"saw what never was: {call}")
            return
        edge = bisect_left(self._edges, low)
        if edge == len(self._edges) or self._edges[edge] > high:
            self._faults.append(f"saw a part of one append: {call}")
            return
        if low > 0:
            self._before[low - 1] = min(self._before[low - 1], call.end)
        if high < self._size:
            self._after[high] = max(self._after[high], call.begin)

    def _sizes(self, call: Call) -> tuple[int, int]:
        """The smallest and largest size of a ledger that gives this answer."""
        seen, what = call.seen, call.what[0]
        match call.kind:
            case "head":
                assert seen is not None
                return seen, seen
            case "version" | "conflict":
                return _between(self._streams[what], seen or 0, self._size)
            case "tagged":
                return _between(self._tags[what], seen or 0, self._size)
            case "by_id":
                return self._one(self._ids.get(what), seen)
            case "claim" | "taken":
                return self._one(self._claims.get(what), seen)
            case _:
                raise AssertionError(call.kind)

    def _one(self, place: int | None, seen: int | None) -> tuple[int, int]:
        if seen is None:
            return 0, self._size if place is None else place
        return (seen + 1, self._size) if seen == place else (1, 0)

    def _join(self, appends: Sequence[Call]) -> None:
        """Events of one append have one moment."""
        for call in appends:
            first = self._ids.get(call.what[0])
            if first is not None and len(call.what) > 1:
                own = slice(first, first + len(call.what))
                self._after[own] = [max(self._after[own])] * len(call.what)
                self._before[own] = [min(self._before[own])] * len(call.what)


def _between(places: Sequence[int], count: int, size: int) -> tuple[int, int]:
    """Sizes at which exactly ``count`` of the places are there."""
    if count > len(places):
        return 1, 0
    low = places[count - 1] + 1 if count else 0
    return low, places[count] if count < len(places) else size
