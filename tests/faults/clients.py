"""Clients that append to and read from one ledger at once, and write down every call with its times (F5, F6).

As a program (``python -m tests.faults.clients``) it is one application process of several on one PostgreSQL: it reads its
orders as JSON from standard input and writes its history as MessagePack to standard output.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Final, TypeVar

import msgspec

from cellwright.ledger import ClaimTaken, Conflict, Draft, Ledger, Unavailable, open_ledger
from tests.faults.history import NEVER, Call

STREAMS: Final = 12
BAGS_PER_CALL: Final = 50
"""One bag for so many calls: most are fought for."""

PAUSE_S: Final = 0.01
"""Seconds that a client leaves a store alone which was not available."""
TRIES_MAX: Final = 3_000
"""Tries after which a client gives a store up."""
Answer = TypeVar("Answer")


def patiently(ask: Callable[[], Answer]) -> Answer:
    """Ask as a client does that does not give up."""
    for _attempt in range(TRIES_MAX):
        try:
            return ask()
        except Unavailable:
            time.sleep(PAUSE_S)
    raise AssertionError("the ledger does not come back")


class Orders(msgspec.Struct):
    """What one process does: where the ledger is, its first client's number, how many, calls of each, the seed."""

    where: str
    first: int
    clients: int
    calls: int
    seed: str


class Client:
    """One client: calls one after the other, and remembers what it last knew of each stream.

    Args:
        ledger: the ledger, or whatever behaves like one.
        number: tells it from the others.
        seed: decides what it calls.
        bags: how many bags all clients fight for.
    """

    def __init__(self, ledger: Ledger, number: int, seed: str, bags: int) -> None:
        self.calls: list[Call] = []
        self._ledger, self._number, self._bags = ledger, number, bags
        self._random = Random(f"{seed}/{number}")
        self._known = dict.fromkeys((f"lot/{stream}" for stream in range(STREAMS)), 0)
        self._last = "none"

    def run(self, calls: int, enough: threading.Event | None = None) -> None:
        """Make so many calls, and more until it is ``enough``."""
        kinds: tuple[tuple[int, Callable[[], None]], ...] = (
            (40, self.append),
            (5, self._take_bag),
            (20, self._version),
            (10, self._head),
            (10, self._by_id),
            (10, self._claim),
            (5, self._tagged),
        )
        weights = [weight for weight, _kind in kinds]
        made = 0
        while made < calls or (enough is not None and not enough.is_set()):
            self._random.choices([kind for _weight, kind in kinds], weights)[0]()
            made += 1

    def append(self) -> None:
        """One to three events on a lot, half of the time on what this client last knew of it."""
        stream = f"lot/{self._random.randrange(STREAMS)}"
        expected = {stream: self._known[stream]} if self._random.random() < 0.5 else {}
        self._send(
            [self._draft(stream, number) for number in range(self._random.choice((1, 1, 1, 3)))], stream, expected
        )

    def _take_bag(self) -> None:
        key = f"bag/{self._random.randrange(self._bags)}"
        self._send([self._draft(f"bag-of/{self._number}", 0, {key: f"coi/{self._number}"})], "", {})

    def _send(self, drafts: list[Draft], stream: str, expected: dict[str, int]) -> None:
        """Append; with an unknown outcome again by the same ids, until the outcome is known."""
        ids = tuple(draft.id for draft in drafts)
        for _try in range(TRIES_MAX):
            begin = time.monotonic_ns()
            try:
                events = self._ledger.append(drafts, expected)
            except Unavailable:
                self._note("append", ids, None, begin, unknown=True)
                time.sleep(PAUSE_S)
            except Conflict as refused:
                self._note("conflict", (refused.stream,), refused.actual, begin)
                self._known[refused.stream] = refused.actual
                return
            except ClaimTaken as refused:
                self._note("taken", (refused.key,), refused.pos, begin)
                return
            else:
                self._note("append", ids, events[0].pos, begin)
                self._last = ids[-1]
                if stream:
                    self._known[stream] = events[-1].version + 1
                return
        raise AssertionError("the ledger does not come back")

    def _version(self) -> None:
        stream = self._random.choice(sorted(self._known))
        self._read("version", stream, lambda: self._ledger.version(stream))
        self._known[stream] = self.calls[-1].seen or 0

    def _head(self) -> None:
        self._read("head", "", lambda: self._ledger.head().size)

    def _by_id(self) -> None:
        name = self._random.choice((self._last, f"{self._number}.{len(self.calls) + 1}.0"))

        def ask() -> int | None:
            event = self._ledger.by_id(name)
            return event.pos if event else None

        self._read("by_id", name, ask)

    def _claim(self) -> None:
        key = f"bag/{self._random.randrange(self._bags)}"

        def ask() -> int | None:
            claim = self._ledger.claim(key)
            return claim.pos if claim else None

        self._read("claim", key, ask)

    def _tagged(self) -> None:
        tag = f"client/{self._random.randrange(16)}"
        self._read("tagged", tag, lambda: len(self._ledger.tagged(tag)))

    def _read(self, kind: str, what: str, ask: Callable[[], int | None]) -> None:
        for _try in range(TRIES_MAX):
            begin = time.monotonic_ns()
            try:
                seen = ask()
            except Unavailable:
                time.sleep(PAUSE_S)
                continue
            self._note(kind, (what,), seen, begin)
            return
        raise AssertionError("the ledger does not come back")

    def _draft(self, stream: str, part: int, claims: dict[str, str] | None = None) -> Draft:
        number = len(self.calls)
        return Draft(
            stream=stream,
            type="lot.step_done",
            body={"n": number},
            id=f"{self._number}.{number}.{part}",
            actor="ann",
            tags=(f"client/{self._number}",) if number % 8 == 0 else (),
            claims=claims or {},
        )

    def _note(self, kind: str, what: tuple[str, ...], seen: int | None, begin: int, *, unknown: bool = False) -> None:
        end = NEVER if unknown else time.monotonic_ns()
        self.calls.append(Call(self._number, kind, what, seen, begin, end))


def run_clients(ledger: Ledger, orders: Orders, enough: threading.Event | None = None) -> list[Call]:
    """Run the clients in threads of their own, until it is ``enough`` if that is given; gives all their calls."""
    bags = max(1, orders.clients * orders.calls // BAGS_PER_CALL)
    clients = [
        Client(ledger, number, orders.seed, bags) for number in range(orders.first, orders.first + orders.clients)
    ]
    with ThreadPoolExecutor(orders.clients) as pool:
        for done in [pool.submit(client.run, orders.calls, enough) for client in clients]:
            done.result()
    return [call for client in clients for call in client.calls]


def main() -> None:
    """Follow the orders on standard input."""
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    with open_ledger(orders.where) as ledger:
        sys.stdout.buffer.write(msgspec.msgpack.encode(run_clients(ledger, orders)))


if __name__ == "__main__":
    main()
