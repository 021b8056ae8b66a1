"""The one writer thread: takes all appends that wait, commits them together, answers everyone.

While one batch is being made durable the next one gathers, so many clients share one disk write each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
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

    __slots__ = ("_answer", "_arrived", "append")

    def __init__(self, append: Append) -> None:
        self.append = append
        self._answer: Answer = []
        self._arrived = threading.Lock()
        self._arrived.acquire()

    def answer(self, answer: Answer) -> None:
        self._answer = answer
        self._arrived.release()

    def wait(self) -> list[Record]:
        self._arrived.acquire()
        if isinstance(self._answer, LedgerError):
            raise self._answer
        return self._answer


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
        else:
            try:
                events = [record.event for record in answer]
            except Exception as error:  # noqa: BLE001 - the append stands; its bytes could not be read back
                self.future.set_exception(error)
            else:
                self.future.set_result(events)


class _Errand:
    """Something else that needs the writing connection: a checkpoint, a snapshot, a tile."""

    __slots__ = ("_run", "future")

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self.future: Future[None] = Future()
        self.future.set_running_or_notify_cancel()

    def run(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - handed to who asked for it
            self.future.set_exception(error)
        else:
            self.future.set_result(None)


class Writer:
    """Owns the thread. Appends are numbered in the order in which they are handed in.

    Args:
        sequencer: judges and commits; used by the thread only.
    """

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._waiting: SimpleQueue[_Ticket | _Promise | _Errand | None] = SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="ledger writer", daemon=True)
        self._thread.start()

    def append(self, append: Append) -> list[Record]:
        """Wait for the answer. Raises the refusal."""
        ticket = _Ticket(append)
        self._hand_in(ticket)
        return ticket.wait()

    def submit(self, append: Append) -> Future[list[Event]]:
        """Do not wait."""
        promise = _Promise(append)
        self._hand_in(promise)
        return promise.future

    def run(self, errand: Callable[[], None]) -> None:
        """Run something on the writing connection between two batches, and wait for it."""
        task = _Errand(errand)
        self._hand_in(task)
        task.future.result()

    def close(self) -> None:
        """Finish what was handed in, then stop the thread."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _hand_in(self, item: _Ticket | _Promise | _Errand) -> None:
        with self._gate:  # nothing may be handed in behind the end mark, where nobody would answer it
            if self._closed:
                raise Closed(_("Nothing was written: the ledger is closed."))
            if self._waiting.qsize() >= WAITING_MAX:
                raise Unavailable(_("Nothing was written: too many appends are waiting. Retry with the same ids."))
            self._waiting.put(item)

    def _work(self) -> None:
        waiting, ending = self._waiting, False
        while not ending:
            batch: list[_Ticket | _Promise] = []
            item = waiting.get()
            while item is not None:
                if isinstance(item, _Errand):
                    self._commit(batch)
                    batch = []
                    item.run()
                else:
                    batch.append(item)
                if waiting.empty() or len(batch) >= BATCH_MAX:
                    break
                item = waiting.get()
            ending = item is None
            self._commit(batch)

    def _commit(self, batch: list[_Ticket | _Promise]) -> None:
        if not batch:
            return
        try:
            answers = self._sequencer.commit([ticket.append for ticket in batch])
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear, and the next batch must find a thread
            answers = [
                Unavailable(_("The writer was interrupted ({why}).").format(why=repr(error))) for _ticket in batch
            ]
        for ticket, answer in zip(batch, answers, strict=True):
            ticket.answer(answer)
