"""F4: thousands of lives on a bad machine, each from a seed that plays it again exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from cellwright.ledger import sqlite
from cellwright.ledger.merkle import Frontier
from cellwright.ledger.sequencer import Sequencer
from cellwright.ledger.store import HeadRow
from tests.faults.conftest import Count
from tests.faults.simulation import Simulation, Wrong

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("lean"),
]

ONCE_FAILED: Final[tuple[int, ...]] = ()
"""Seeds that found something once; played first for ever."""
KEPT: Final = "cellwright/failing-seeds"


@pytest.fixture(autouse=True)
def _many_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 30)


def play(
    seeds: Iterable[int], ram: Path, *, synchronous: str | None = None, sequencer: type[Sequencer] = Sequencer
) -> tuple[Counter[str], dict[int, str]]:
    """Live every seed; gives what was met, and what went wrong by seed."""
    met, wrong = Counter[str](), {}
    for seed in seeds:
        folder = ram / str(seed)
        folder.mkdir()
        life = Simulation(seed, folder, synchronous, sequencer)
        try:
            life.run()
        except Wrong as found:
            wrong[seed] = str(found)
        met.update(life.met)
        met["lives"] += 1
        for file in folder.iterdir():
            file.unlink()
    return met, wrong


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R009")
@pytest.mark.requirement("R016")
@pytest.mark.parametrize("seeds", [1_500, pytest.param(100_000, marks=pytest.mark.long)])
def test_no_life_loses_or_changes_anything(
    ram: Path, counted: Count, request: pytest.FixtureRequest, seeds: int
) -> None:
    cache = request.config.cache
    again = [*ONCE_FAILED, *(cache.get(KEPT, []) if cache else [])]
    met, wrong = play(dict.fromkeys([*again, *range(seeds)]), ram)
    if cache:
        cache.set(KEPT, sorted(wrong))
    assert wrong == {}, f"play again: Simulation({min(wrong)}, folder)"
    assert met["lives"] >= seeds
    for what, number in sorted(met.items()):
        counted(f"F4 {what}", number)
    for what in ("power cuts", "batches that failed", "batches written and not answered", "steps recorded", "refusals"):
        assert met[what] > seeds / 10, what


def test_the_harness_finds_a_setting_that_loses_data(ram: Path, counted: Count) -> None:
    _met, wrong = play(range(150), ram, synchronous="normal")
    counted("F4 lives of 150 with synchronous=NORMAL found wrong", len(wrong))
    assert len(wrong) > 30
    seed = min(wrong)
    (ram / str(seed)).rmdir()
    assert play([seed], ram, synchronous="normal")[1] == {seed: wrong[seed]}, "the same seed plays the same life"


def test_the_harness_finds_a_memory_that_survives_a_failure(ram: Path, counted: Count) -> None:
    class Stubborn(Sequencer):
        """Keeps what it believed about streams and claims when a batch could not be written."""

        def _give_up(self) -> None:
            believed = dict(self._memory.sizes), dict(self._memory.claims)
            super()._give_up()
            self._memory.sizes.update(believed[0])
            self._memory.claims.update(believed[1])

        def _adopt(self, head: HeadRow) -> Frontier:
            if self._frontier is None:
                self._frontier = Frontier.from_bytes(head.frontier)
                self._stamp = self._stamp.followed_by(head.at)
            return super()._adopt(head)

    _met, wrong = play(range(100), ram, sequencer=Stubborn)
    counted("F4 lives of 100 with a memory that survives failures found wrong", len(wrong))
    assert len(wrong) > 10
