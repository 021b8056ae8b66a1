"""Runs journeys on simulated time: whatever is due at one moment is submitted together, in a fixed order.

A journey is a generator. It yields `Act` to give a command and gets the outcome back, or has the refusal raised where
it stands; it yields `until` to wait. The same seed gives the same order of everything (E16).
"""

import heapq
from collections.abc import Callable, Generator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cellwright.command.desk import Desk, Outcome
from cellwright.command.signing import Signer
from cellwright.factory.rule import By, Command, Refusal
from cellwright.ledger.clock import SimulatedClock


class Act(NamedTuple):
    """A command, given by somebody at some terminal."""

    command: Command
    by: By


class until(NamedTuple):  # noqa: N801 - reads as a word of the journey
    """Nothing happens in this journey before `moment`."""

    moment: datetime


Journey = Generator[Act | until, Outcome | None, None]

BETWEEN_ACTS = timedelta(seconds=20)
"""Simulated time that passes with every act, so that no two interactions of a person share a stamp (R006)."""


class Stage:
    """Simulated time, the desk, and the journeys on it."""

    def __init__(
        self,
        desk: Desk,
        clock: SimulatedClock,
        signer: Signer,
        progress: Callable[[int, int], None],
        day_ended: Callable[[], object] = lambda: None,
    ) -> None:
        self.desk = desk
        self.clock = clock
        self._signer = signer
        self._progress = progress
        self._day_ended = day_ended

    def run(self, journeys: Sequence[Journey]) -> None:
        """Run all journeys to their ends. A refusal that a journey does not expect ends the run with it."""
        due: list[tuple[datetime, int]] = [(self.clock(), index) for index in range(len(journeys))]
        answers: dict[int, Outcome | Refusal | None] = dict.fromkeys(range(len(journeys)))
        done = 0
        while due:
            now = max(due[0][0], self.clock())
            if now.date() > self.clock().date():
                self._day_ended()
            self.clock.set(now)
            acts: list[tuple[int, Act]] = []
            while due and due[0][0] <= now:
                _, index = heapq.heappop(due)
                step = self._next(journeys[index], answers.pop(index, None))
                if isinstance(step, until):
                    answers[index] = None
                    heapq.heappush(due, (max(step.moment, now), index))
                elif step is not None:
                    acts.append((index, step))
                else:
                    done += 1
                    self._progress(done, len(journeys))
            if acts:
                results = self.desk.round([(act.command, act.by) for _, act in acts], self._signer)
                for (index, _), result in zip(acts, results, strict=True):
                    answers[index] = result
                    heapq.heappush(due, (now + BETWEEN_ACTS, index))

    @staticmethod
    def _next(journey: Journey, answer: Outcome | Refusal | None) -> Act | until | None:
        try:
            if isinstance(answer, Refusal):
                return journey.throw(answer)
            return journey.send(answer)
        except StopIteration:
            return None
