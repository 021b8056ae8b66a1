"""One writer at a time: whoever has the turn commits everything that waits, and answers everyone.

An append hands itself in and tries to take the turn. With nobody else writing, it commits at once in its own thread: a
single client pays for no switch of threads. While somebody else has the turn it waits, and is committed together with
all that gathered meanwhile: many clients share one disk write. A thread of the writer's own serves futures and what is
left behind. Appends are numbered in the order in which they are handed in, whoever commits them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

from cellwright.language import _
from cellwright.ledger.errors import Closed, LedgerError, Unavailable
from cellwright.ledger.event import Event, Record
from cellwright.ledger.sequencer import Answer, Append, Sequencer

BATCH_MAX: Final = 1000
"""Appends of one transaction at most."""
WAITING_MAX: Final = 100_000
"""Appends that may wait; beyond it new ones are turned away."""


class _Ticket:
    """One append on its way, and where its answer goes."""

    __slots__ = ("_answer", "_arrived", "answered", "append")

    def __init__(self, append: Append) -> None:
        self.append = append
        self.answered = False
        self._answer: Answer = []
        self._arrived = threading.Lock()
        self._arrived.acquire()

    def answer(self, answer: Answer) -> None:
        self._answer = answer
        self.answered = True
        self._arrived.release()

    def wait(self) -> list[Record]:
        self._arrived.acquire()
        return _told(self._answer)


class _Promise:
    """One append on its way, whose answer is a future."""

    __slots__ = ("append", "future")

    def __init__(self, append: Append) -> None:
        self.append = append
        self.future: Future[list[Event]] = Future()
        self.future.set_running_or_notify_cancel()  # once submitted it can not be taken back

    def answer(self, answer: Answer) -> None:
        if isinstance(answer, LedgerError):
            self.future.set_exception(answer)
            return
        try:
            events = [record.event for record in answer]
        except Exception as error:  # noqa: BLE001 - the append stands; its bytes could not be read back
            self.future.set_exception(error)
        else:
            self.future.set_result(events)


def _told(answer: Answer) -> list[Record]:
    if isinstance(answer, LedgerError):
        raise answer
    return answer


class Writer:
    """Takes appends from any thread.

    Args:
        sequencer: judges and commits; used by one thread at a time.
    """

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._waiting: deque[_Ticket | _Promise] = deque()
        self._closed = False
        self._gate = threading.Lock()
        self._turn = threading.Lock()
        self._bell = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="ledger writer", daemon=True)
        self._thread.start()

    def append(self, append: Append) -> list[Record]:
        """Wait for the answer. Raises the refusal."""
        if not self._waiting and self._turn.acquire(blocking=False):
            try:
                if not self._waiting and not self._closed:  # nobody came before: no ticket is needed
                    return _told(self._sequencer.commit([append])[0])
            finally:
                self._pass_on()
        ticket = _Ticket(append)
        self._hand_in(ticket)
        if self._turn.acquire(blocking=False):
            try:
                while not ticket.answered:
                    self._commit_waiting()
            finally:
                self._pass_on()
        return ticket.wait()

    def submit(self, append: Append) -> Future[list[Event]]:
        """Do not wait."""
        promise = _Promise(append)
        self._hand_in(promise)
        self._bell.set()
        return promise.future

    def run(self, errand: Callable[[], None]) -> None:
        """Run something else on the writing connection (keep a checkpoint, a snapshot, a tile), between two batches."""
        with self._gate:
            if self._closed:
                raise Closed(_("Nothing was written: the ledger is closed."))
        with self._my_turn():
            errand()

    def close(self) -> None:
        """Finish what was handed in, whichever thread commits it, then stop the writer's own. May be called twice."""
        with self._gate:
            self._closed = True
        self._bell.set()
        self._thread.join()
        with self._turn:  # a client in the middle of a commit still uses the store
            return

    def _hand_in(self, item: _Ticket | _Promise) -> None:
        with self._gate:  # nothing may be handed in after the end, when nobody would answer it
            if self._closed:
                raise Closed(_("Nothing was written: the ledger is closed."))
            if len(self._waiting) >= WAITING_MAX:
                raise Unavailable(_("Nothing was written: too many appends are waiting. Retry with the same ids."))
            self._waiting.append(item)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        self._turn.acquire()
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """End the turn. Whoever handed in meanwhile could not take it, so the thread is told: nobody is forgotten."""
        self._turn.release()
        if self._waiting:
            self._bell.set()

    def _serve(self) -> None:
        while not (self._closed and not self._waiting):
            self._bell.wait()
            self._bell.clear()
            while self._waiting:
                try:
                    with self._my_turn():
                        self._commit_waiting()
                except BaseException:  # noqa: BLE001 - all were answered; the next batch must find this thread
                    continue

    def _commit_waiting(self) -> None:
        """Commit and answer what waits, `BATCH_MAX` at most. Only with the turn."""
        waiting = self._waiting
        batch: list[_Ticket | _Promise] = []
        while waiting and len(batch) < BATCH_MAX:
            batch.append(waiting.popleft())
        if not batch:
            return
        answers: list[Answer] = []
        try:
            answers = self._sequencer.commit([ticket.append for ticket in batch])
        finally:  # even an interrupt of this thread must not leave the others waiting
            if len(answers) != len(batch):
                answers = [Unavailable(_("The writer was interrupted. Retry with the same ids.")) for _ticket in batch]
            for ticket, answer in zip(batch, answers, strict=True):
                ticket.answer(answer)
