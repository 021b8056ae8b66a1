"""The ledger on PostgreSQL: several processes of a site append to one ledger, with no leader to elect.

The lock on the one head row makes them take turns; whoever holds it knows the whole truth about streams and claims. A
batch normally goes in one round trip, on what this process remembers, and the server refuses it when the head is not
where the process left it. Tables, rules and rights are in `postgres.sql`; this role may write events only through its
function `append`, and the server checks each leaf, each successor and, at commit, the head.

Every wait has an end: a server that does not answer gives `Unavailable`, and a retry by the same ids is safe.
"""

from __future__ import annotations

import select
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from typing import Any, Final, LiteralString

import psycopg
from psycopg import pq

from cellwright.language import _
from cellwright.ledger.errors import Closed, LedgerError, ReadOnly, StorageFull, Tampered, Unavailable
from cellwright.ledger.event import Claim, Record, Snapshot, StoredCheckpoint
from cellwright.ledger.store import (
    EVENTS_PER_READ,
    STRAYS_MAX,
    Batch,
    ClaimRow,
    Clash,
    EventRow,
    Found,
    HeadMoved,
    HeadRow,
    Stray,
    Wanted,
)

OWNER: Final = "cw_owner"
WRITER: Final = "cw_writer"
READER: Final = "cw_reader"
CONNECT_LIMIT_S: Final = 5
ANSWER_LIMIT_S: Final = 20.0
"""Seconds after which a server that does not answer is given up."""
TURN_LIMIT_MS: Final = 10_000
"""Milliseconds to wait for the turn to append."""
IDLE_LIMIT_MS: Final = 3_000
"""Milliseconds after which the server ends the turn of a client that sends nothing; nobody else can append meanwhile."""
SILENCE_LIMIT_MS: Final = 3_000
"""Milliseconds after which sent bytes that nobody acknowledges end the connection; libpq alone waits for ever."""
READERS_MAX: Final = 16
"""Reading connections kept open when nobody uses them."""

_APPEND: Final = (
    b"SELECT ledger.append($1::bigint, $2::bigint, $3::bytea, $4::bytea, $5::text, $6::text[], $7::bigint[], $8::text[], "
    b"$9::text[], $10::bytea[], $11::bytea[], $12::text[], $13::bigint[], $14::text[], $15::text[], $16::bigint[])"
)
_FIND: Final = (
    b"SELECT 's', s, (SELECT coalesce(max(version) + 1, 0) FROM ledger.event WHERE stream = s), NULL::text, NULL::bytea, "
    b"NULL::bytea FROM unnest($1::text[]) AS s UNION ALL "
    b"SELECT 'c', key, taken, value, NULL, NULL FROM ledger.claim WHERE key = ANY($2::text[]) AND released IS NULL UNION ALL "
    b"SELECT 'i', id, pos, NULL, data, leaf FROM ledger.event WHERE id = ANY($3::text[])"
)
_TURN: Final = b"BEGIN; SELECT size, frontier, root, at FROM ledger.turn()"
_STRAYS: Final = """
WITH known(size) AS (SELECT size FROM ledger.head)
SELECT 'event', stream, pos FROM ledger.event, known WHERE pos < 0 OR pos >= size UNION ALL
SELECT 'tag', tag, pos FROM ledger.tag, known WHERE pos < 0 OR pos >= size UNION ALL
SELECT 'claim', key, CASE WHEN taken < 0 OR taken >= size THEN taken ELSE released END FROM ledger.claim, known
  WHERE taken < 0 OR taken >= size OR released >= size UNION ALL
SELECT 'snapshot', stream, pos FROM ledger.snapshot, known WHERE pos < 0 OR pos >= size LIMIT %s"""
_HEAD: Final = "SELECT size, frontier, root, at FROM ledger.head"
_TEXT, _BIGINT, _BYTEA = 25, 20, 17
_length = struct.Struct("!i").pack
_bigint = struct.Struct("!q").pack
_array_head = struct.Struct("!iiiii").pack
_no_elements = struct.Struct("!iii").pack


def install(url: str) -> None:
    """Make roles and tables. ``url`` logs in with the right to make both (once, by the site's database administrator).

    Raises:
        LedgerError: there is a ledger already, or the rights do not suffice.
    """
    try:
        with _connect(url, autocommit=False) as connection:
            for role in (OWNER, WRITER, READER):
                connection.execute(
                    f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
                )
            connection.execute(f"GRANT {OWNER}, {WRITER}, {READER} TO CURRENT_USER")
            connection.execute(_text("postgres.sql"))
    except psycopg.Error as error:
        raise _typed(error) from error


@cache
def _text(name: str) -> LiteralString:
    return files("cellwright.ledger").joinpath(name).read_text(encoding="utf-8")


class PostgresReader:
    """The reading half. Connections are lent to whoever reads and kept for the next.

    Args:
        url: ``postgresql://user@host/database``; the user is a member of ``role``.
        role: the role to work under.

    Raises:
        Unavailable: the server can not be reached.
        LedgerError: there is no ledger in that database, or the user may not read it.
    """

    def __init__(self, url: str, role: str = READER) -> None:
        self.where = url
        self._role = role
        self._idle: list[psycopg.Connection[Any]] = []
        self._guard = threading.Lock()
        self._closed = False
        if not self._rows("SELECT to_regclass('ledger.head') IS NOT NULL")[0][0]:
            raise LedgerError(_("There is no ledger in this database. Create it first."))
        self.head()

    @contextmanager
    def _lent(self) -> Iterator[psycopg.Connection[Any]]:
        with self._guard:
            if self._closed:
                raise Closed(_("The ledger is closed."))
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = _connect(self.where, self._role, read_only=True)
        try:
            yield connection
        finally:
            with self._guard:
                keep = not self._closed and not connection.broken and len(self._idle) < READERS_MAX
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def _rows(self, sql: LiteralString, values: Sequence[Any] = ()) -> list[Any]:
        try:
            with self._lent() as connection:
                return connection.execute(sql, values or None, prepare=True, binary=True).fetchall()
        except psycopg.Error as error:
            raise _typed(error) from error

    def head(self) -> HeadRow:
        rows = self._rows(_HEAD)
        if len(rows) != 1:
            raise Tampered(_("The head of the ledger is missing."))
        return HeadRow(*rows[0])

    def size_of(self, stream: str) -> int:
        sql: LiteralString = "SELECT coalesce(max(version) + 1, 0) FROM ledger.event WHERE stream = %s"
        return int(self._rows(sql, (stream,))[0][0])

    def stream(self, name: str, start: int) -> list[bytes]:
        sql: LiteralString = "SELECT data FROM ledger.event WHERE stream = %s AND version >= %s ORDER BY version"
        return [row[0] for row in self._rows(sql, (name, start))]

    def tagged(self, tag: str, after: int) -> list[bytes]:
        sql: LiteralString = (
            "SELECT data FROM ledger.tag JOIN ledger.event USING(pos) WHERE tag = %s AND pos > %s ORDER BY pos"
        )
        return [row[0] for row in self._rows(sql, (tag, after))]

    def records(self, start: int, stop: int) -> list[Record]:
        sql: LiteralString = "SELECT pos, data, leaf FROM ledger.event WHERE pos >= %s AND pos < %s ORDER BY pos"
        return [Record(*row) for row in self._rows(sql, (start, stop))]

    def rows(self, start: int, stop: int) -> list[EventRow]:
        sql: LiteralString = "SELECT pos, stream, version, id, type, data, leaf FROM ledger.event WHERE pos >= %s AND pos < %s ORDER BY pos"
        return self._rows(sql, (start, stop))

    def leaves(self, start: int, stop: int) -> list[bytes]:
        sql: LiteralString = "SELECT leaf FROM ledger.event WHERE pos >= %s AND pos < %s ORDER BY pos"
        return [row[0] for row in self._rows(sql, (start, stop))]

    def by_id(self, event_id: str) -> Record | None:
        rows = self._rows("SELECT pos, data, leaf FROM ledger.event WHERE id = %s", (event_id,))
        return Record(*rows[0]) if rows else None

    def claim(self, key: str) -> Claim | None:
        sql: LiteralString = "SELECT key, value, taken FROM ledger.claim WHERE key = %s AND released IS NULL"
        rows = self._rows(sql, (key,))
        return Claim(*rows[0]) if rows else None

    def claims(self, prefix: str) -> list[Claim]:
        sql: LiteralString = (
            "SELECT key, value, taken FROM ledger.claim WHERE key >= %s AND key < %s AND released IS NULL ORDER BY key"
        )
        return [Claim(*row) for row in self._rows(sql, (prefix, prefix + "\x7f"))]

    def claim_rows(self) -> Iterator[ClaimRow]:
        after: tuple[str, int] = ("", -1)
        sql: LiteralString = "SELECT key, value, taken, released FROM ledger.claim WHERE (key, taken) > (%s, %s) ORDER BY key, taken LIMIT %s"
        while rows := self._rows(sql, (*after, EVENTS_PER_READ)):
            yield from (ClaimRow(*row) for row in rows)
            after = (rows[-1][0], rows[-1][2])

    def tags_between(self, start: int, stop: int) -> Iterator[tuple[str, str]]:
        sql: LiteralString = "SELECT tag, string_agg(pos::text, ', ' ORDER BY pos) FROM ledger.tag WHERE pos >= %s AND pos < %s GROUP BY tag"
        yield from self._rows(sql, (start, stop))

    def position(self, stream: str, version: int) -> int | None:
        rows = self._rows("SELECT pos FROM ledger.event WHERE stream = %s AND version = %s", (stream, version))
        return rows[0][0] if rows else None

    def strays(self) -> list[Stray]:
        return [Stray(*row) for row in self._rows(_STRAYS, (STRAYS_MAX,))]

    def tile(self, level: int, index: int) -> bytes | None:
        rows = self._rows("SELECT hashes FROM ledger.tile WHERE level = %s AND n = %s", (level, index))
        return rows[0][0] if rows else None

    def checkpoints(self, kind: str | None) -> list[StoredCheckpoint]:
        sql: LiteralString = (
            "SELECT size, kind, body, at FROM ledger.checkpoint WHERE %s::text IS NULL OR kind = %s ORDER BY seq"
        )
        return [StoredCheckpoint(*row) for row in self._rows(sql, (kind, kind))]

    def snapshot(self, stream: str, fold: str) -> Snapshot | None:
        sql: LiteralString = (
            "SELECT stream, fold, version, pos, state FROM ledger.snapshot WHERE stream = %s AND fold = %s"
        )
        rows = self._rows(sql, (stream, fold))
        return Snapshot(*rows[0]) if rows else None

    def snapshots(self) -> Iterator[Snapshot]:
        for stream, fold in self._rows("SELECT stream, fold FROM ledger.snapshot ORDER BY stream, fold"):
            snapshot = self.snapshot(stream, fold)
            if snapshot:
                yield snapshot

    def damage(self) -> list[str]:
        """Nothing: PostgreSQL checks its pages when it reads them, and its indexes by `pg_amcheck`."""
        return []

    def faults(self) -> list[str]:
        found = {row[0] for row in self._rows(_text("postgres_catalogue.sql"))}
        shipped = set(_text("postgres_catalogue.txt").splitlines())
        return [
            *(f"missing or altered: {line}" for line in sorted(shipped - found)),
            *(f"does not belong: {line}" for line in sorted(found - shipped)),
        ]

    def close(self) -> None:
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class PostgresStore(PostgresReader):
    """A ledger that this and other processes append to.

    Args:
        url: a login that is a member of ``cw_writer``; with ``create``, one that may make roles and tables.
        create: install the ledger when the database has none.

    Raises:
        Tampered: a table, trigger, function or right is missing or altered.
    """

    shared = True

    def __init__(self, url: str, *, create: bool = False) -> None:
        if create and not _installed(url):
            install(url)
        self._connection: psycopg.Connection[Any] | None = None
        super().__init__(url, WRITER)
        try:
            self._check_server()
        except BaseException:
            self.close()
            raise

    def _check_server(self) -> None:
        faults = self.faults()
        if faults:
            raise Tampered(
                _("The ledger's tables were altered: {faults}. Nothing is written to it (R002).").format(
                    faults="; ".join(faults)
                )
            )
        if self._rows("SELECT current_setting('fsync')")[0][0] != "on":
            raise LedgerError(_("This server runs with fsync off and would lose answered appends. Switch it on."))

    # writing

    def begin(self) -> HeadRow:
        pgconn = self._writer()
        pgconn.send_query(_TURN)
        results = self._answer(pgconn, expected=2)
        row = results[1]
        if row.ntuples != 1:
            raise Tampered(_("The head of the ledger is missing."))
        size, frontier, root, at = (row.get_value(0, column) for column in range(4))
        assert size is not None
        return HeadRow(int(size), _unhex(frontier), _unhex(root), (at or b"").decode())

    def find(self, wanted: Wanted) -> Found:
        pgconn = self._writer()
        names = [
            _array(_TEXT, [name.encode() for name in group]) for group in (wanted.streams, wanted.keys, wanted.ids)
        ]
        pgconn.send_query_prepared(b"find", names, [1, 1, 1], 1)
        result = self._answer(pgconn)[0]
        found = Found({}, {}, {})
        for line in range(result.ntuples):
            kind, name, number, value, data, leaf = (result.get_value(line, column) for column in range(6))
            assert name is not None
            assert number is not None
            text, place = name.decode(), int.from_bytes(number, "big", signed=True)
            if kind == b"s":
                found.sizes[text] = place
            elif kind == b"c":
                found.claims[text] = Claim(text, (value or b"").decode(), place)
            else:
                found.records[text] = Record(place, data or b"", leaf or b"")
        return found

    def put(self, batch: Batch) -> None:
        pgconn = self._writer()
        pgconn.send_query_prepared(b"append", _parameters(batch), [1] * 16, 1)
        if self._answer(pgconn)[0].get_value(0, 0) != b"\x01":
            raise HeadMoved

    put_at_once = put
    """Outside a transaction one statement is one: it is durable when the server answers."""

    def commit(self) -> None:
        pgconn = self._writer()
        pgconn.send_query(b"COMMIT")
        self._answer(pgconn)

    def rollback(self) -> None:
        connection = self._connection
        if connection is None or connection.pgconn.transaction_status == pq.TransactionStatus.IDLE:
            return
        if connection.pgconn.transaction_status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR):
            try:
                connection.pgconn.send_query(b"ROLLBACK")
                self._answer(connection.pgconn)
            except (LedgerError, Clash):
                self._drop()
        else:
            self._drop()

    def put_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        self._write(
            "INSERT INTO ledger.checkpoint(size, kind, body, at) VALUES(%s, %s, %s, %s)",
            (checkpoint.size, checkpoint.kind, checkpoint.body, checkpoint.at),
        )

    def put_snapshot(self, snapshot: Snapshot) -> None:
        self._write(
            "INSERT INTO ledger.snapshot VALUES(%s, %s, %s, %s, %s) ON CONFLICT(stream, fold) DO UPDATE "
            "SET version = excluded.version, pos = excluded.pos, state = excluded.state",
            (snapshot.stream, snapshot.fold, snapshot.version, snapshot.pos, snapshot.state),
        )

    def put_tile(self, level: int, index: int, hashes: bytes) -> None:
        self._write(
            "INSERT INTO ledger.tile VALUES(%s, %s, %s) ON CONFLICT(level, n) DO UPDATE SET hashes = excluded.hashes",
            (level, index, hashes),
        )

    def _write(self, sql: LiteralString, values: Sequence[Any]) -> None:
        self._writer()
        assert self._connection is not None
        try:
            self._connection.execute(sql, values)
        except psycopg.Error as error:
            raise _typed(error) from error

    def _writer(self) -> pq.abc.PGconn:
        """The writing connection, made again after it was lost."""
        if self._closed:
            raise Closed(_("The ledger is closed."))
        if self._connection is None or self._connection.closed:
            connection = _connect(self.where, self._role)
            try:
                for name, sql in ((b"append", _APPEND), (b"find", _FIND)):
                    result = connection.pgconn.prepare(name, sql)
                    if result.status != pq.ExecStatus.COMMAND_OK:
                        raise _refused(result)
            except BaseException:
                connection.close()
                raise
            connection.pgconn.nonblocking = 1
            self._connection = connection
        return self._connection.pgconn

    def _answer(self, pgconn: pq.abc.PGconn, expected: int = 1) -> list[pq.abc.PGresult]:
        """Results of what was sent. Raises Clash for a broken rule; drops a connection that does not answer."""
        try:
            results = list(_results(pgconn))
        except psycopg.Error as error:
            self._drop()
            raise Unavailable(
                _("The connection to the database was lost ({why}). Retry with the same ids.").format(why=error)
            ) from error
        except TimeoutError as error:
            self._drop()
            raise Unavailable(_("The database does not answer. Retry with the same ids.")) from error
        for result in results:
            if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
                if pgconn.status != pq.ConnStatus.OK:
                    self._drop()
                raise _refused(result)
        if len(results) != expected:
            self._drop()
            raise Unavailable(_("The database broke off its answer. Retry with the same ids."))
        return results

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def close(self) -> None:
        super().close()
        self._drop()


def _connect(
    url: str, role: str | None = None, *, read_only: bool = False, autocommit: bool = True
) -> psycopg.Connection[Any]:
    """A connection whose every wait has an end. Raises Unavailable, LedgerError."""
    try:
        connection = psycopg.connect(
            url,
            autocommit=autocommit,
            connect_timeout=CONNECT_LIMIT_S,
            tcp_user_timeout=SILENCE_LIMIT_MS,
            keepalives_idle=2,
            keepalives_interval=1,
            keepalives_count=3,
            application_name="cellwright ledger",
            prepare_threshold=5,
        )
    except psycopg.Error as error:
        raise Unavailable(_("The database can not be reached: {why}.").format(why=error)) from error
    try:
        if role:
            connection.execute(f"SET ROLE {role}")
            connection.execute(f"SET lock_timeout = {TURN_LIMIT_MS}")
            connection.execute("SET enable_seqscan = off")  # a plan made on small tables must not be kept for big ones
            connection.execute("SET jit = off")
            if _weak(connection):
                connection.execute("SET synchronous_commit = on")
        if read_only:
            connection.execute("SET default_transaction_read_only = on")
        elif role:
            connection.execute(_limits(connection.info.server_version))
    except psycopg.errors.InvalidParameterValue as error:
        connection.close()
        raise LedgerError(_("There is no ledger in this database. Create it first.")) from error
    except psycopg.Error as error:
        connection.close()
        raise _typed(error) from error
    return connection


def _limits(server: int) -> LiteralString:
    """Settings by which the server takes the turn back from a client that went silent while it had it."""
    limits: dict[LiteralString, int] = {
        "idle_in_transaction_session_timeout": IDLE_LIMIT_MS,
        "tcp_user_timeout": SILENCE_LIMIT_MS,
        "tcp_keepalives_idle": 2,
        "tcp_keepalives_interval": 1,
        "tcp_keepalives_count": 3,
    }
    if server >= 170_000:
        limits["transaction_timeout"] = TURN_LIMIT_MS + 2 * IDLE_LIMIT_MS
    return ";".join(f"SET {name} = {value}" for name, value in limits.items())


def _weak(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server's own setting would answer before an append is durable."""
    row = connection.execute("SELECT current_setting('synchronous_commit') IN ('off', 'local')").fetchone()
    return bool(row and row[0])


def _installed(url: str) -> bool:
    with _connect(url) as connection:
        row = connection.execute("SELECT to_regnamespace('ledger') IS NOT NULL").fetchone()
        return bool(row and row[0])


def _results(pgconn: pq.abc.PGconn) -> Iterator[pq.abc.PGresult]:
    """All results of what was sent, waiting at most `ANSWER_LIMIT_S`. Raises psycopg.Error, TimeoutError."""
    limit = time.monotonic() + ANSWER_LIMIT_S
    socket = pgconn.socket
    poll = select.poll()
    while pgconn.flush():
        poll.register(socket, select.POLLIN | select.POLLOUT)
        _wait(poll, limit)
        pgconn.consume_input()
    poll.register(socket, select.POLLIN)
    while True:
        while pgconn.is_busy():
            _wait(poll, limit)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return
        yield result


def _wait(poll: select.poll, limit: float) -> None:
    if not poll.poll(max(0.0, limit - time.monotonic()) * 1000):
        raise TimeoutError


def _parameters(batch: Batch) -> list[bytes]:
    """The parameters of `append` in PostgreSQL's binary form."""
    events, head, claims = batch.events, batch.head, batch.claims
    return [
        _bigint(batch.known),
        _bigint(head.size),
        head.frontier,
        head.root,
        head.at.encode(),
        _array(_TEXT, [row.stream.encode() for row in events]),
        _array(_BIGINT, [_bigint(row.version) for row in events]),
        _array(_TEXT, [row.id.encode() for row in events]),
        _array(_TEXT, [row.type.encode() for row in events]),
        _array(_BYTEA, [row.data for row in events]),
        _array(_BYTEA, [row.leaf for row in events]),
        _array(_TEXT, [tag.encode() for tag, _pos in batch.tags]),
        _array(_BIGINT, [_bigint(pos) for _tag, pos in batch.tags]),
        _array(_TEXT, [key.encode() for key, _value, _pos in claims]),
        _array(_TEXT, [None if value is None else value.encode() for _key, value, _pos in claims]),
        _array(_BIGINT, [_bigint(pos) for _key, _value, pos in claims]),
    ]


def _array(kind: int, elements: Sequence[bytes | None]) -> bytes:
    """A one-dimensional array: dimensions, whether it has nulls, type of elements, count, lower bound, elements."""
    if not elements:
        return _no_elements(0, 0, kind)
    parts = [_array_head(1, int(None in elements), kind, len(elements), 1)]
    for element in elements:
        if element is None:
            parts.append(_length(-1))
        else:
            parts.append(_length(len(element)))
            parts.append(element)
    return b"".join(parts)


def _unhex(value: bytes | None) -> bytes:
    """A bytea in text form (``\\x…``)."""
    return bytes.fromhex((value or b"\\x")[2:].decode())


def _refused(result: pq.abc.PGresult) -> Exception:
    """What an error of the server means between store and sequencer."""
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    text = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message or b"").decode(
        errors="replace"
    )
    if state.startswith("23") or state == "CW001":
        return Clash(text)
    return _meaning(state, text)


def _typed(error: psycopg.Error) -> LedgerError:
    return _meaning(error.sqlstate or "", str(error))


def _meaning(state: str, text: str) -> LedgerError:
    """What an error of PostgreSQL means to a caller."""
    if state == "53100":
        return StorageFull(_("The database's disk is full; nothing was written."))
    if state == "25006":
        return ReadOnly(_("This database only reads now (a standby, perhaps): {why}.").format(why=text))
    if state == "55P03":
        return Unavailable(
            _("Nothing was written: another process keeps the turn to append ({why}). Retry.").format(why=text)
        )
    if state in ("42501", "28000", "28P01"):
        return LedgerError(
            _("The login may not do this: {why}. Give it the role {role}.").format(why=text, role=WRITER)
        )
    if state in ("XX001", "XX002"):
        return Tampered(_("The database is damaged: {why}. Restore it.").format(why=text))
    return Unavailable(_("The database could not do it ({why}). Retry with the same ids.").format(why=text))
