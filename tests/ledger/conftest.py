"""Ledgers to test on: every backend, and drafts that differ only where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cellwright.ledger import Draft, Ledger, SimulatedClock, open_ledger
from tests.postgres_server import PostgresServer, running_server

START = datetime(2026, 3, 2, 8, 12, tzinfo=UTC)
_numbers = count()


def draft(stream: str = "lot/CW-1", **fields: Any) -> Draft:
    """A draft with a new id and a small body."""
    number = next(_numbers)
    given: dict[str, Any] = {"type": "test.happened", "body": {"n": number}, "id": f"id-{number}", "actor": "ann"}
    return Draft(stream=stream, **(given | fields))


@pytest.fixture
def make() -> Callable[..., Draft]:
    return draft


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL; tests that break it start their own."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty ledger can be created, on each backend."""
    if request.param == "memory":
        return "memory:"
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def ledger(where: str, clock: SimulatedClock) -> Iterator[Ledger]:
    """An empty ledger on each backend."""
    with open_ledger(where, clock=clock, create=True) as opened:
        yield opened
