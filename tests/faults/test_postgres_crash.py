"""F6: PostgreSQL is killed under load, a backend or all of it, or stopped at once, and started again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import psycopg
import pytest

from cellwright.ledger import Draft, Event, Ledger, ledger_on, open_ledger, verify
from cellwright.ledger.postgres import PostgresStore
from tests.faults.clients import Orders, patiently, run_clients
from tests.faults.conftest import Count
from tests.faults.history import NEVER, Call, check
from tests.postgres_server import PostgresServer, running_server

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres faults")]
CLIENTS = 6
WAIT_S = 60


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with running_server() as running:
        yield running


def kill_backend(server: PostgresServer, random: Random) -> None:
    """Kill (-9) one server process of ours; the server then ends all others and recovers by itself."""
    while True:
        try:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                rows = connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'cellwright ledger'"
                ).fetchall()
        except psycopg.OperationalError:
            continue
        if rows:
            break
    try:
        os.kill(random.choice(rows)[0], signal.SIGKILL)
    except ProcessLookupError:
        kill_backend(server, random)


def kill_server(server: PostgresServer, _random: Random) -> None:
    """Kill (-9) the whole server and start it again."""
    server.kill()
    server.start()


def stop_at_once(server: PostgresServer, _random: Random) -> None:
    """Stop without finishing anything ("immediate") and start again."""
    server.stop(signal.SIGQUIT)
    server.start()


FAULTS: tuple[Callable[[PostgresServer, Random], None], ...] = (kill_backend, kill_server, stop_at_once)


def under_load(server: PostgresServer, ledger: Ledger, faults: int) -> list[Call]:
    """Clients work while the server is struck, and each time append again before the next blow."""
    enough, random = threading.Event(), Random("F6")
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(run_clients, ledger, Orders("", 0, CLIENTS, 50, "F6"), enough)
        try:
            for number in range(faults):
                FAULTS[number % len(FAULTS)](server, random)
                blow(ledger, number)
        finally:
            enough.set()
        return work.result(WAIT_S)


def blow(ledger: Ledger, number: int) -> Event:
    """The append after a blow."""
    draft = Draft(stream="blows", type="test.struck", body={}, id=f"blow-{number}", actor="ann")
    return patiently(lambda: ledger.append([draft], {"blows": number}))[0]


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
@pytest.mark.parametrize("faults", [21, pytest.param(500, marks=pytest.mark.long)])
def test_nothing_answered_is_lost_when_the_server_dies(server: PostgresServer, counted: Count, faults: int) -> None:
    url = server.new_database()
    with open_ledger(url, create=True) as ledger:
        calls = under_load(server, ledger, faults)
        final = list(ledger.read())
        assert verify(ledger).ok
        assert ledger.version("blows") == faults
    own = [Call(CLIENTS, "append", (event.id,), event.pos, 0, NEVER) for event in final if event.stream == "blows"]
    assert check([*calls, *own], final) == []
    unknown = [call for call in calls if call.kind == "append" and call.end == NEVER]
    written = {event.id for event in final}
    retried = {call.what for call in calls if call.kind == "append" and call.end != NEVER}
    counted("F6 blows to the server", faults)
    counted("F6 appends of unknown outcome, all resolved by id", len(unknown))
    assert len({event.id for event in final}) == len(final)
    assert len(unknown) > faults
    assert {call.what for call in unknown if set(call.what) & written} <= retried


def test_the_harness_finds_a_server_that_does_not_sync(counted: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    """With synchronous_commit off a commit is answered before it is in the log on the disk; a dead server loses it."""
    monkeypatch.setattr("cellwright.ledger.postgres._weak", lambda _connection: False)
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
    lost = 0
    with running_server(settings) as server, ledger_on(PostgresStore(server.new_database(), create=True)) as ledger:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        for number in range(5):
            answered = blow(ledger, number - lost).id
            kill_server(server, Random())
            lost += patiently(lambda name=answered: ledger.by_id(name)) is None
    counted("F6 kills of 5 of a server that does not sync found to lose", lost)
    assert lost
