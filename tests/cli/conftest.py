"""Fixtures of the command line's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import small
from tests.postgres_server import PostgresServer, running_server


@pytest.fixture(scope="session")
def _bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "site"
    small.build(folder)
    return folder


@pytest.fixture
def bench(_bench: Path, tmp_path: Path) -> Path:
    """A copy of the small site that a test may spoil."""
    return small.copied(_bench, tmp_path / "site")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of the tests' own."""
    with running_server() as server:
        yield server
