"""What only PostgreSQL can do: roles and rules in the server, several processes on one ledger, a server that goes away."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from cellwright.ledger import (
    ClaimTaken,
    Conflict,
    Draft,
    Ledger,
    LedgerError,
    SimulatedClock,
    Tampered,
    Unavailable,
    ledger_on,
    open_ledger,
    verify,
)
from cellwright.ledger.canonical import Prepared
from cellwright.ledger.merkle import Frontier, leaf_hash
from cellwright.ledger.postgres import PostgresReader, PostgresStore, _array, install
from cellwright.ledger.store import Batch, HeadMoved
from tests.postgres_server import PostgresServer, running_server

pytestmark = pytest.mark.postgres
Make = Callable[..., Draft]


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def filled(url: str, make: Make, clock: SimulatedClock) -> str:
    """A ledger with three events, two tags and a claim."""
    with open_ledger(url, clock=clock, create=True) as ledger:
        ledger.append([make("lot/1", tags=("coi/A", "lot/1"), claims={"bag/1": "coi/A"}), make("lot/1"), make("lot/2")])
    return url


def as_role(url: str, role: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url, autocommit=True)
    connection.execute(f"SET ROLE {role}")
    connection.execute("SET search_path = ledger, pg_catalog")
    return connection


FORBIDDEN = [
    "UPDATE event SET type = 'other' WHERE pos = 0",
    "DELETE FROM event WHERE pos = 2",
    "TRUNCATE event",
    "TRUNCATE event, head, tag, claim CASCADE",
    "INSERT INTO event SELECT pos + 3, stream, version + 5, id || 'x', type, data, leaf FROM event",
    "INSERT INTO event SELECT * FROM event ON CONFLICT (pos) DO UPDATE SET type = 'other'",
    "UPDATE head SET size = 1",
    "UPDATE head SET size = 99",
    "DELETE FROM head",
    "INSERT INTO head SELECT * FROM head",
    "UPDATE tag SET tag = 'coi/B'",
    "DELETE FROM tag",
    "INSERT INTO tag VALUES ('coi/B', 0)",
    "UPDATE claim SET value = 'coi/B'",
    "UPDATE claim SET released = 2",
    "DELETE FROM claim",
    "TRUNCATE claim",
    "UPDATE checkpoint SET size = 0",
    "DELETE FROM checkpoint",
    "ALTER TABLE event DISABLE TRIGGER append_only",
    "ALTER TABLE event DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only ON event",
    "DROP TABLE event",
    "DROP SCHEMA ledger CASCADE",
    "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
    "SET session_replication_role = replica",
]


@pytest.mark.requirement("R002")
@pytest.mark.parametrize("role", ["cw_writer", "cw_reader"])
@pytest.mark.parametrize("sql", FORBIDDEN)
def test_no_role_of_the_application_can_change_the_record(filled: str, role: str, sql: str) -> None:
    with psycopg.connect(filled, autocommit=True) as admin:
        # A login of its own: a superuser who changes role could change back.
        admin.execute(
            f"DO $$ BEGIN CREATE ROLE login_{role} LOGIN IN ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    with psycopg.connect(filled, user=f"login_{role}", autocommit=True) as connection:
        connection.execute("SET search_path = ledger, pg_catalog")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql)
    with open_ledger(filled, read_only=True) as ledger:
        assert verify(ledger).ok
        assert ledger.head().size == 3


@pytest.mark.requirement("R002")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE event SET type = 'other'",
        "DELETE FROM event",
        "TRUNCATE event",
        "INSERT INTO event SELECT pos + 3, stream, version + 3, id || 'x', type, data, leaf FROM event",
        "UPDATE head SET size = 2",
        "UPDATE head SET size = 5",
        "DELETE FROM head",
        "DELETE FROM tag",
        "UPDATE claim SET value = 'coi/B'",
        "UPDATE claim SET released = NULL",
        "DELETE FROM claim",
    ],
)
def test_the_rules_stop_even_the_owner(filled: str, sql: str) -> None:
    with as_role(filled, "cw_owner") as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(sql)
    assert refused.value.sqlstate in ("CW001", "23505")
    with open_ledger(filled, read_only=True) as ledger:
        assert verify(ledger).ok


def appended(url: str, **changes: Any) -> Any:
    """Call the server's `append` with one good event, some of its parameters replaced."""
    with open_ledger(url, read_only=True) as ledger:
        row = ledger.store.head()
    frontier = Frontier.from_bytes(row.frontier)
    data = Prepared(Draft(stream="lot/9", type="t", body={}, id="direct", actor="eve")).data(
        "2026-03-02T09:00:00.000000Z", row.size, 0
    )
    frontier.append(leaf_hash(data))
    values: dict[str, Any] = {
        "known": row.size, "new_size": row.size + 1, "new_frontier": frontier.to_bytes(), "new_root": frontier.root(),
        "new_at": "2026-03-02T09:00:00.000000Z", "streams": ["lot/9"], "versions": [0], "ids": ["direct"], "types": ["t"],
        "datas": [data], "leaves": [leaf_hash(data)], "tags": [], "tag_places": [], "claim_keys": [], "claim_values": [],
        "claim_places": [],
    }  # fmt: skip
    names = ", ".join(f"{name} => %({name})s" for name in values)
    with as_role(url, "cw_writer") as connection:
        row_ = connection.execute(f"SELECT append({names})", values | changes).fetchone()
        assert row_ is not None
        return row_[0]


def test_the_server_takes_a_good_append(filled: str) -> None:
    assert appended(filled) is True
    assert appended(filled, known=3) is False


@pytest.mark.requirement("R002")
@pytest.mark.parametrize(
    "changes",
    [
        {"leaves": [bytes(32)]},
        {"versions": [1]},
        {"versions": [-1]},
        {"tags": ["coi/A"], "tag_places": [4]},
        {"tags": ["coi/A"], "tag_places": [2]},
        {"tags": ["coi/A"], "tag_places": [-1]},
        {"claim_keys": ["bag/7"], "claim_values": ["coi/B"], "claim_places": [4]},
        {"claim_keys": ["bag/1"], "claim_values": [None], "claim_places": [4]},
        {"streams": ["lot/1"], "versions": [5]},
        {"ids": ["taken-by-another"], "streams": ["lot/1"], "versions": [0]},
        {"new_size": 5},
        {"new_size": 3},
        {"claim_keys": ["bag/1"], "claim_values": ["coi/B"], "claim_places": [3]},
        {"claim_keys": ["bag/7"], "claim_values": [None], "claim_places": [3]},
    ],
)
def test_the_server_refuses_a_bad_append(filled: str, changes: dict[str, Any]) -> None:
    with pytest.raises(psycopg.Error) as refused:
        appended(filled, **changes)
    assert refused.value.sqlstate in ("CW001", "23505", "23514")
    with open_ledger(filled, read_only=True) as ledger:
        assert ledger.head().size == 3
        assert verify(ledger).ok


@pytest.mark.requirement("R002")
@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE ledger.event DISABLE TRIGGER append_only",
        "DROP TRIGGER head_covers ON ledger.head",
        "DROP INDEX ledger.claim_live",
        "ALTER TABLE ledger.event DROP CONSTRAINT event_check",
        "GRANT DELETE ON ledger.event TO cw_writer",
        "CREATE RULE quiet AS ON INSERT TO ledger.event DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION ledger.append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
        "ALTER TABLE ledger.event OWNER TO cw_writer",
        "CREATE FUNCTION ledger.own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_an_altered_schema_stops_the_start(filled: str, sql: str) -> None:
    with psycopg.connect(filled, autocommit=True) as admin:
        admin.execute(sql)
    with pytest.raises(Tampered):
        open_ledger(filled)
    with open_ledger(filled, read_only=True) as ledger:
        assert "schema" in {finding.kind for finding in verify(ledger).findings}


@pytest.mark.requirement("R003")
@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("INSERT INTO ledger.tag VALUES ('coi/A', 900)", "tag"),
        ("INSERT INTO ledger.tag VALUES ('coi/A', -1)", "tag"),
        ("INSERT INTO ledger.claim VALUES ('bag/9', 'coi/A', -1, NULL)", "claim"),
        ("INSERT INTO ledger.snapshot VALUES ('lot/1', 'lot/1', 9, 900, '')", "snapshot"),
        ("INSERT INTO ledger.event SELECT -1, stream, 900, 'new', type, data, leaf FROM ledger.event LIMIT 1", "head"),
    ],
)
def test_rows_where_no_event_is_are_found(filled: str, sql: str, kind: str) -> None:
    with psycopg.connect(filled, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(sql)
    with open_ledger(filled, read_only=True) as ledger:
        assert kind in {finding.kind for finding in verify(ledger).findings}


def test_installing_twice_is_refused(filled: str) -> None:
    with pytest.raises(LedgerError):
        install(filled)


def test_no_ledger_and_no_server_are_said(postgres: PostgresServer, filled: str) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        open_ledger(postgres.new_database())
    with pytest.raises(Unavailable):
        open_ledger("postgresql://owner@127.0.0.1:1/nowhere")


def test_a_login_without_rights_is_told_so(filled: str) -> None:
    with psycopg.connect(filled, autocommit=True) as admin:
        admin.execute("DO $$ BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    with pytest.raises(LedgerError) as refused:
        open_ledger(filled.replace("owner@", "stranger@"))
    assert not isinstance(refused.value, Unavailable)


def work(url: str, worker: int, rounds: int) -> list[tuple[str, int]]:
    """One application process: appends to shared streams with expected versions, and fights for bags."""
    won = []
    with open_ledger(url) as ledger:
        for number in range(rounds):
            stream = f"lot/{number % 3}"
            while True:
                try:
                    ledger.append(
                        [
                            Draft(
                                stream=stream,
                                type="t",
                                body={},
                                id=f"{worker}-{number}",
                                actor="a",
                                tags=(f"worker/{worker}",),
                            )
                        ],
                        {stream: ledger.version(stream)},
                    )
                    break
                except Conflict:
                    continue
            try:
                ledger.append([Draft(stream=f"own/{worker}", type="t", body={}, id=f"bag-{worker}-{number}", actor="a",
                                     claims={f"bag/{number}": f"coi/{worker}"})])  # fmt: skip
                won.append((f"bag/{number}", worker))
            except ClaimTaken:
                pass
    return won


def test_four_processes_on_one_ledger(url: str) -> None:
    """Versions, claims and positions are judged as if there were one process."""
    rounds = 25
    open_ledger(url, create=True).close()
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        won = [pair for pairs in pool.starmap(work, [(url, worker, rounds) for worker in range(4)]) for pair in pairs]
    assert sorted(bag for bag, _worker in won) == sorted(f"bag/{number}" for number in range(rounds))
    with open_ledger(url, read_only=True) as ledger:
        assert verify(ledger).ok
        assert ledger.head().size == 4 * rounds + rounds
        assert sum(ledger.version(f"lot/{number}") for number in range(3)) == 4 * rounds
        assert {(claim.key, int(claim.value.removeprefix("coi/"))) for claim in ledger.claims("bag/")} == set(won)


@pytest.fixture
def two(url: str, clock: SimulatedClock) -> Iterator[tuple[Ledger, Ledger]]:
    """One ledger opened twice, as by two processes."""
    with open_ledger(url, clock=clock, create=True) as one, open_ledger(url, clock=clock) as other:
        yield one, other


def test_what_another_process_wrote_is_never_judged_from_memory(two: tuple[Ledger, Ledger], make: Make) -> None:
    one, other = two
    one.append([make("lot/1", claims={"bag/1": "coi/A"})])
    other.append([make("lot/1", releases={"bag/1": "coi/A"})], {"lot/1": 1})
    assert one.append([make("lot/1", claims={"bag/1": "coi/B"})], {"lot/1": 2})[0].version == 2
    with pytest.raises(ClaimTaken) as taken:
        other.append([make(claims={"bag/1": "coi/C"})])
    assert taken.value.value == "coi/B"
    with pytest.raises(Conflict) as conflict:
        other.append([make("lot/1")], {"lot/1": 2})
    assert conflict.value.actual == 3


def test_a_key_taken_to_be_free_is_refused_by_the_tables(url: str, clock: SimulatedClock, make: Make) -> None:
    """A process that has never met a key takes it to be free when it is claimed; the tables know better."""
    with open_ledger(url, clock=clock, create=True) as ledger:
        ledger.append([make("lot/1", claims={"bag/1": "coi/A"})])
    with open_ledger(url, clock=clock) as ledger:
        ledger.append([make("lot/2")])  # from now on it knows the head, and tries the quick way
        with pytest.raises(ClaimTaken) as taken:
            ledger.append([make("lot/2", claims={"bag/1": "coi/B"})])
        assert taken.value.value == "coi/A"
        ledger.append([make("lot/2", releases={"bag/1": "coi/A"}, claims={"bag/2": "coi/B"})])
        ledger.append([make("lot/2", claims={"bag/1": "coi/B"})])
        assert [(claim.key, claim.value) for claim in ledger.claims("bag/")] == [("bag/1", "coi/B"), ("bag/2", "coi/B")]


def test_an_id_written_by_another_process_gets_its_answer(two: tuple[Ledger, Ledger], make: Make) -> None:
    one, other = two
    draft = make("lot/1")
    one.append([make("lot/2")])
    written = other.append([draft])
    assert one.append([draft]) == written
    assert one.append([make("lot/1")])[0].version == 1


def test_the_head_that_moved_is_refused_by_the_server(filled: str, make: Make) -> None:
    one, other = PostgresStore(filled), PostgresStore(filled)
    head = one.begin()
    one.rollback()
    with open_ledger(filled) as ledger:
        ledger.append([make()])
    with pytest.raises(HeadMoved):
        other.put_at_once(Batch(head.size, [], [], [], head._replace(size=head.size + 1)))
    one.close()
    other.close()


@pytest.mark.parametrize("elements", [[], [b"a"], [b"", None, "新".encode(), b'{},"\\']])
def test_arrays_have_the_servers_binary_form(filled: str, elements: list[bytes | None]) -> None:
    reader = PostgresReader(filled)
    with reader._lent() as connection:
        result = connection.pgconn.exec_params(b"SELECT to_json($1::text[])", [_array(25, elements)], None, [1])
        assert json.loads(result.get_value(0, 0) or b"") == [
            None if part is None else part.decode() for part in elements
        ]
    reader.close()


@pytest.fixture(scope="module")
def fragile() -> Iterator[PostgresServer]:
    """A server that these tests may kill."""
    with running_server() as server:
        yield server


@pytest.mark.requirement("R016")
@pytest.mark.parametrize("how", ["kill", "immediate", "fast"])
def test_what_was_answered_survives_the_server_and_a_retry_is_safe(
    fragile: PostgresServer, make: Make, how: str
) -> None:
    """The append under way gets Unavailable; the same ids again write once; earlier answers stand."""
    where = fragile.new_database()
    with open_ledger(where, create=True) as ledger:
        answered = ledger.append([make("lot/1", claims={"bag/1": "coi/A"})])
        draft = make("lot/1")
        if how == "kill":
            fragile.kill()
        else:
            fragile.stop(signal.SIGQUIT if how == "immediate" else signal.SIGINT)
        with pytest.raises(Unavailable):
            ledger.append([draft], {"lot/1": 1})
        with pytest.raises(Unavailable):
            ledger.version("lot/1")
        fragile.start()
        again = ledger.append([draft], {"lot/1": 1})
        assert ledger.stream("lot/1") == answered + again
        assert verify(ledger).ok


def test_an_outcome_that_stayed_unknown_is_resolved_by_its_id(
    url: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server commits and the answer is lost: the caller gets Unavailable, the retry the events, once."""
    store = PostgresStore(url, create=True)
    with ledger_on(store) as ledger:
        ledger.append([make("lot/1")])
        whole = store._answer

        def lost(*arguments: Any, **named: Any) -> Any:
            whole(*arguments, **named)
            monkeypatch.setattr(store, "_answer", whole)
            store._drop()
            raise Unavailable("the answer was lost")

        monkeypatch.setattr(store, "_answer", lost)
        draft = make("lot/1")
        with pytest.raises(Unavailable):
            ledger.append([draft], {"lot/1": 1})
        assert ledger.version("lot/1") == 2
        event = ledger.append([draft], {"lot/1": 1})[0]
        assert (event.pos, event.version) == (1, 1)
        assert ledger.version("lot/1") == 2
        assert verify(ledger).ok


def test_the_shipped_catalogue_is_that_of_a_new_ledger(filled: str) -> None:
    reader = PostgresReader(filled)
    assert reader.faults() == []
    reader.close()


def test_a_turn_that_never_comes_is_given_up(filled: str, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process hangs in the middle of its turn: the append ends with Unavailable, and can be retried."""
    monkeypatch.setattr("cellwright.ledger.postgres.TURN_LIMIT_MS", 50)
    with open_ledger(filled) as ledger, psycopg.connect(filled) as other:
        draft = make()
        other.execute("SELECT * FROM ledger.head FOR UPDATE")
        with pytest.raises(Unavailable):
            ledger.append([draft])
        other.rollback()
        assert ledger.append([draft])[0].pos == 3


def test_a_server_that_falls_silent_is_given_up(filled: str, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took the append and says nothing more: the caller is not kept waiting for ever."""
    monkeypatch.setattr("cellwright.ledger.postgres.ANSWER_LIMIT_S", 0.2)
    with open_ledger(filled) as ledger, psycopg.connect(filled) as other:
        ledger.append([make()])
        other.execute("SELECT * FROM ledger.head FOR UPDATE")
        draft = make()
        with pytest.raises(Unavailable):
            ledger.append([draft])
        other.rollback()
        assert ledger.append([draft])[0].pos == 4
