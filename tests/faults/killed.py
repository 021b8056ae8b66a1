"""A program that is made to be killed: eight clients append to one ledger as fast as it answers (F3).

It reads jobs from standard input, one JSON object a line, and does each in a child of its own, so that a new life costs
a fork and not the start of Python. On standard output it says what it does: ``born`` with the process to kill, ``open``
with the ledger's size, ``try`` before and ``done`` after each append, ``dead`` when the child is gone.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, NoReturn

import msgspec

from cellwright.ledger import ClaimTaken, Ledger, SimulatedClock, ledger_on, sqlite
from cellwright.ledger.sqlite import SQLiteStore
from cellwright.ledger.store import HeadRow
from tests.faults.story import START, Story

CLIENTS: Final = 8
CHECKPOINT_PAGES: Final = 60
APPENDS_MAX: Final = 2000


class Job(msgspec.Struct):
    """One life: the ledger's path, its number, and whether it runs on the store with the planted fault."""

    path: str
    life: int
    careless: bool = False


class Careless(SQLiteStore):
    """Answers at once and commits every tenth batch only."""

    batches = 0

    def begin(self) -> HeadRow:
        self.batches += 1
        if self._writer is not None and self._writer.in_transaction and self._head is not None:
            if self.batches % 10:
                return self._head
            super().commit()
        return super().begin()

    def commit(self) -> None:
        """Later."""
        self._head = self._staged or self._head


def say(*words: Any) -> None:
    """One line, in one write, so that a kill leaves whole lines."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def client(ledger: Ledger, life: int, number: int) -> None:
    """Append, one after the other; the ids tell life, client and append."""
    story = Story(Random(f"{life}/{number}"), prefix=f"{life}.{number}.")
    for _append in range(APPENDS_MAX):
        drafts = story.append()
        say("try", *(draft.id for draft in drafts))
        for event in ledger.append(drafts):
            say("done", event.id, event.pos, event.version)
        if story.random.random() < 0.3:
            try:
                ledger.append(
                    [msgspec.structs.replace(drafts[0], id=f"{drafts[0].id}.x", claims={"bag/of-all": "coi/1"})]
                )
            except ClaimTaken:
                continue


def live(job: Job) -> NoReturn:
    """Open the ledger as after a restart and work until killed."""
    sqlite.CHECKPOINT_PAGES = CHECKPOINT_PAGES  # type: ignore[misc]
    store = (Careless if job.careless else SQLiteStore)(Path(job.path), create=True)
    clock = SimulatedClock(START + timedelta(hours=job.life))
    ledger = ledger_on(store, clock)
    say("open", ledger.head().size)
    threads = [threading.Thread(target=client, args=(ledger, job.life, number)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(600)  # out of work: wait for the kill
    os._exit(1)


def main() -> None:
    """Do the jobs."""
    decode = msgspec.json.Decoder(Job).decode
    for line in sys.stdin:
        job = decode(line)
        child = os.fork()
        if child == 0:
            live(job)
        say("born", child)
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
