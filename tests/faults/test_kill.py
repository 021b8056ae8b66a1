"""F3: the program is killed (-9) in the middle of its work, again and again, on one and the same ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import msgspec
import pytest

from cellwright.ledger import SimulatedClock, open_ledger, verify
from tests.conftest import ROOT
from tests.faults.conftest import Count
from tests.faults.killed import Job
from tests.faults.story import START

APPENDS_BEFORE_KILL = 120
"""Answers after which a life ends at the latest."""


@dataclass
class Lives:
    """What all lives of the program said they did."""

    tried: list[list[str]] = field(default_factory=list)
    answered: dict[str, tuple[int, int]] = field(default_factory=dict)
    unborn: int = 0
    faults: list[str] = field(default_factory=list)

    def check(self, path: Path, *, deep: bool = False) -> int:
        """Compare the ledger with what was said of it; gives how many appends were written and not answered."""
        with open_ledger(path, read_only=True) as ledger:
            found = {event.id: (event.pos, event.version) for event in ledger.read()}
            self.faults += [str(finding) for finding in verify(ledger, processes=1, deep=deep).findings]
            if len(found) != ledger.head().size:
                self.faults.append("an id twice")
        self.faults += [f"lost: {name}" for name, place in self.answered.items() if found.get(name) != place]
        for names in self.tried:
            if len({name in found for name in names}) > 1:
                self.faults.append(f"partial: {names}")
        known = {name for names in self.tried for name in names}
        self.faults += [f"foreign: {name}" for name in found if name.removesuffix(".x") not in known]
        return sum(name not in self.answered and not name.endswith(".x") for name in found)


@contextmanager
def program() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.killed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def kill_after(process: subprocess.Popen[str], job: Job, answers: int, lives: Lives) -> None:
    """One life, ended with so many answers (0: while it opens the ledger); what it said is added to ``lives``."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(job).decode() + "\n")
    process.stdin.flush()
    before, child, opened = len(lives.answered), 0, False
    for line in process.stdout:
        match line.split():
            case ["born", number]:
                child = int(number)
            case ["open", size]:
                opened = True
                if int(size) < before:
                    lives.faults.append(f"lost: opened with {size} events after {before} were answered")
            case ["try", *names]:
                lives.tried.append(names)
            case ["done", name, pos, version]:
                lives.answered[name] = int(pos), int(version)
            case ["dead"]:
                break
        if child and len(lives.answered) - before >= answers:
            os.kill(child, signal.SIGKILL)
            child, answers = 0, 1 << 30
    lives.unborn += not opened


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
@pytest.mark.parametrize("kills", [60, pytest.param(5_000, marks=pytest.mark.long)])
def test_nothing_answered_is_lost_when_the_program_is_killed(tmp_path: Path, counted: Count, kills: int) -> None:
    lives, random, path, unanswered = Lives(), Random("F3"), tmp_path / "ledger.db", 0
    open_ledger(path, clock=SimulatedClock(START), create=True).close()
    with program() as process:
        for life in range(kills):
            answers = 0 if life % 10 == 9 else random.randint(1, APPENDS_BEFORE_KILL)
            kill_after(process, Job(str(path), life), answers, lives)
            if life % 100 < 50:
                unanswered = lives.check(path)
                assert lives.faults == [], f"life {life}"
    unanswered = lives.check(path, deep=True)
    assert lives.faults == []
    counted("F3 kills", kills)
    counted("F3 kills before the ledger was open again", lives.unborn)
    counted("F3 answered events, all there", len(lives.answered))
    counted("F3 events written and not answered", unanswered)
    assert lives.unborn
    assert len(lives.answered) > 20 * kills
    assert unanswered, "some kills fall between writing and answering"
    with open_ledger(path) as ledger:
        assert ledger.head().size == len(lives.answered) + unanswered + sum(
            event.id.endswith(".x") for event in ledger.read()
        )


def test_the_harness_finds_a_store_that_answers_before_it_commits(tmp_path: Path, counted: Count) -> None:
    found, path = 0, tmp_path / "ledger.db"
    open_ledger(path, clock=SimulatedClock(START), create=True).close()
    with program() as process:
        for life in range(10):
            lives = Lives()
            kill_after(process, Job(str(path), life, careless=True), 20, lives)
            lives.check(path)
            found += any(fault.startswith("lost") for fault in lives.faults)
    counted("F3 kills of 10 on a store that answers before it commits found", found)
    assert found
