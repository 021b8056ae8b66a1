"""Ledgers to test on: every backend, and drafts that differ only where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cellwright.ledger import Draft, Ledger, SimulatedClock, open_ledger

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


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: SimulatedClock) -> Iterator[Ledger]:
    """An empty ledger on each backend."""
    where = "memory:" if request.param == "memory" else str(tmp_path / "ledger.db")
    with open_ledger(where, clock=clock, create=True) as opened:
        yield opened
