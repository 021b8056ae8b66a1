"""Fixtures of the whole house: where the real files lie, and the rule that nothing is skipped in continuous integration."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CELLWRIGHT_SHARED", ROOT.parent / "shared"))
NO_SHARED = "the shared reference files are not beside this clone (set CELLWRIGHT_SHARED)"


def _shared(folder: str) -> Path:
    path = SHARED / folder
    if not path.is_dir():
        pytest.skip(NO_SHARED)
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files from instruments, registers and planning instances; skips where it is absent."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """The folder of requirements, published figures and test vectors; skips where it is absent."""
    return _shared("reference")
