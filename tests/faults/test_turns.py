"""Several programs want to write to one SQLite ledger: each opens it, appends and closes it again, as fast as it can.

At any moment one of them has it and the others are told so; whatever one of them was answered is there in the end, once.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cellwright.ledger import Draft, Locked, SimulatedClock, ledger_on, open_ledger, verify
from cellwright.ledger.sqlite import SQLiteStore
from tests.faults.conftest import Count
from tests.faults.story import START

PROGRAMS = 4
TURNS = 12
TRIES_MAX = 100_000


def program(path: Path, number: int, said: int) -> None:
    """Have the ledger for some turns, two appends in each; at times it forks, and the child ends first."""
    for turn in range(TURNS):
        for _attempt in range(TRIES_MAX):
            try:
                store = SQLiteStore(path)
                break
            except Locked:
                os.write(said, b"locked\n")
                os.sched_yield()
        else:
            os._exit(2)
        ledger = ledger_on(store, SimulatedClock(START))
        for part in range(2):
            draft = Draft(stream="lot/1", type="t", body={}, id=f"{number}.{turn}.{part}", actor="ann", tags=("coi/1",))
            event = ledger.append([draft])[0]
            os.write(said, f"{event.id} {event.pos}\n".encode())
        if turn % 3 == 2 and os.fork() == 0:  # a child holds nothing of it: its end closes no lock of ours
            os._exit(0)
        ledger.close()
    os._exit(0)


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R016")
def test_programs_take_turns_and_nothing_is_lost(ram: Path, counted: Count) -> None:
    path = ram / "ledger.db"
    open_ledger(path, clock=SimulatedClock(START), create=True).close()
    heard, said = os.pipe()
    children = []
    for number in range(PROGRAMS):
        child = os.fork()
        if child == 0:
            try:
                program(path, number, said)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        children.append(child)
    os.close(said)
    with os.fdopen(heard) as lines:
        words = [line.split() for line in lines]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * PROGRAMS
    answered = {word[0]: int(word[1]) for word in words if len(word) == 2}
    refused = sum(word == ["locked"] for word in words)
    with open_ledger(path, read_only=True) as ledger:
        assert {event.id: event.pos for event in ledger.read()} == answered
        assert len(answered) == PROGRAMS * TURNS * 2
        assert verify(ledger, processes=1, deep=True).ok
    counted("F5 turns of programs at one SQLite ledger", PROGRAMS * TURNS)
    counted("F5 openings refused because another program had it", refused)
    assert refused
