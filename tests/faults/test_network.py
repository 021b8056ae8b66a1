"""F7: the wire to PostgreSQL is cut, or goes silent, before, within and after every message of an append."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest

from cellwright.ledger import Draft, Event, Ledger, Unavailable, open_ledger, postgres, verify
from tests.faults.conftest import Count
from tests.faults.proxy import TO_CLIENT, TO_SERVER, Break, Proxy, wire
from tests.postgres_server import PostgresServer, running_server

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres faults")]
LIMIT_S: Final = 5.0
"""Seconds after which a client must have been told."""
CLASSES: Final = ("quick", "locked")
"""The two ways of an append: one message on what is remembered; or begin, look up, write and commit behind the lock."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def url(server: PostgresServer) -> str:
    where = server.new_database()
    open_ledger(where, create=True).close()
    return where


def through(proxy: Proxy, url: str) -> str:
    host, database = url.rsplit("/", 1)
    return f"{host.rsplit(':', 1)[0]}:{proxy.port}/{database}"


def draft(name: str) -> Draft:
    return Draft(stream="lot/1", type="test.happened", body={"text": "x" * 300}, id=name, actor="ann", tags=("coi/1",))


class Wire:
    """A ledger at the end of a wire, another one beside it, and the bookkeeping of what was cut."""

    def __init__(self, proxy: Proxy, far: Ledger, near: Ledger, pool: ThreadPoolExecutor) -> None:
        self.proxy, self.far, self.near = proxy, far, near
        self.unknown_but_written = self.cuts = 0
        self._pool = pool
        self._number = 0

    def lengths(self, way: str) -> dict[str, int]:
        """Bytes of a whole append in both directions."""
        self._ready(way)
        self.proxy.set(None)
        self.far.append([self._next()])
        return dict(self.proxy.passed)

    def cut(self, way: str, planned: Break) -> None:
        """Break the wire in an append: the client hears of it in time, and its retry writes exactly once."""
        error = None
        while not planned.met:  # an append's length moves with its position; the last bytes may not come
            self._ready(way)
            wanted = self._next()
            self.proxy.set(planned)
            future: Future[list[Event]] = self._pool.submit(self.far.append, [wanted])
            error = future.exception(LIMIT_S)
            planned.after -= 0 if planned.met else 8
            assert planned.met or error is None
        assert isinstance(error, Unavailable), (planned, error)
        self.proxy.set(None)
        before = self.near.by_id(wanted.id)
        other = self._pool.submit(self.near.append, [self._next()])
        assert other.result(LIMIT_S), "others append meanwhile"
        events = self.far.append([wanted])
        assert before in (None, events[0])
        assert self.near.by_id(wanted.id) == events[0]
        self.unknown_but_written += before is not None
        self.cuts += 1

    def _ready(self, way: str) -> None:
        """Bring the far ledger to where its next append goes this way."""
        self.proxy.set(None)
        sequencer = self.far._for_writing()._sequencer
        self.far.append([self._next()])
        while sequencer._locked_turns:
            self.far.append([self._next()])
        if way == "locked":
            sequencer._locked_turns = 1

    def _next(self) -> Draft:
        self._number += 1
        return draft(f"id-{self._number:06}")


@pytest.fixture
def ends(server: PostgresServer, url: str) -> Iterator[Wire]:
    with (
        wire(server.port) as proxy,
        open_ledger(through(proxy, url)) as far,
        open_ledger(url) as near,
        ThreadPoolExecutor(1) as beside,
    ):
        yield Wire(proxy, far, near, beside)


def places(length: int, count: int) -> list[int]:
    """So many places in what is sent: before it, its first byte, evenly between, its end."""
    return sorted({0, 1, length - 1, *(length * part // count for part in range(count))})


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
@pytest.mark.parametrize("cuts", [30, pytest.param(500, marks=pytest.mark.long)])
def test_every_cut_is_told_in_time_and_resolved_by_the_id(ends: Wire, counted: Count, cuts: int) -> None:
    for way in CLASSES:
        lengths = ends.lengths(way)
        for direction in (TO_SERVER, TO_CLIENT):
            for after in places(lengths[direction], cuts):
                ends.cut(way, Break(direction, after))
    counted("F7 cuts of the wire, each resolved by id", ends.cuts)
    counted("F7 cuts after which the append was written and not answered", ends.unknown_but_written)
    assert ends.cuts > 3 * cuts
    assert ends.unknown_but_written > 5
    assert ends.unknown_but_written < ends.cuts
    ids = [event.id for event in ends.near.read()]
    assert len(set(ids)) == len(ids)
    assert verify(ends.near).ok


@pytest.mark.requirement("R016")
def test_a_silent_wire_is_given_up_and_holds_nobody_else_up(
    server: PostgresServer, counted: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server hears and says nothing more: also when this client had its turn, it and others go on."""
    monkeypatch.setattr(postgres, "ANSWER_LIMIT_S", 1.0)
    monkeypatch.setattr(postgres, "IDLE_LIMIT_MS", 150)
    monkeypatch.setattr(postgres, "TURN_LIMIT_MS", 600)
    urls = [server.new_database() for _wire in range(2 * len(CLASSES))]
    for where in urls:
        open_ledger(where, create=True).close()
    with ThreadPoolExecutor(len(urls)) as pool:
        kinds = [(way, direction) for way in CLASSES for direction in (TO_SERVER, TO_CLIENT)]
        cuts = list(pool.map(lambda where, kind: silenced(server, where, *kind), urls, kinds))
    counted("F7 wires that went silent, each given up and resolved by id", sum(cuts))
    assert sum(cuts) > 15


def silenced(server: PostgresServer, url: str, way: str, direction: str) -> int:
    """Let the wire of one ledger go silent at some places of an append; gives how often it did."""
    with (
        wire(server.port) as proxy,
        open_ledger(through(proxy, url)) as far,
        open_ledger(url) as near,
        ThreadPoolExecutor(1) as beside,
    ):
        ends = Wire(proxy, far, near, beside)
        for after in places(ends.lengths(way)[direction], 3):
            ends.cut(way, Break(direction, after, silent=True))
        assert verify(near).ok
    return ends.cuts


def test_the_harness_finds_a_client_that_retries_under_a_new_id(ends: Wire) -> None:
    """Whoever sends the append again with another id writes it twice: what the ids are for."""
    lengths = ends.lengths("quick")
    ends.proxy.set(Break(TO_CLIENT, lengths[TO_CLIENT] - 1))
    with pytest.raises(Unavailable):
        ends.far.append([draft("first try")])
    ends.proxy.set(None)
    ends.far.append([draft("second try")])
    bodies = [event.id for event in ends.near.stream("lot/1")]
    assert {"first try", "second try"} <= set(bodies)
