"""Fixtures of the dossier's tests: one site a session, its dossiers, and the shipped verifier."""

from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tests.command.dossier import scene


class Made(NamedTuple):
    """A site's folder, its lots, and the dossier of each."""

    folder: Path
    lots: list[str]
    dossiers: dict[str, bytes]

    @property
    def one(self) -> bytes:
        """The dossier of the first lot."""
        return self.dossiers[self.lots[0]]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("factory") / "site"
    lots = scene.build(folder)
    return Made(folder, lots, {lot: scene.made(folder, lot) for lot in lots})


@pytest.fixture(scope="session")
def verifier() -> ModuleType:
    """The stand-alone verifier, from the shipped file."""
    return scene.standalone()
