"""Time as the ledger sees it: a clock is handed in, and the writer notices when it steps (R009).

A clock is any callable that gives the present as an aware UTC `datetime`. The system clock may be set while we run; a
second clock that only counts (CLOCK_BOOTTIME) tells that from the passing of time. A simulated clock is monotone and
drives a whole site (E15).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cellwright.ledger.canonical import format_time, parse_time

Clock = Callable[[], datetime]
"""Gives the present, aware, in UTC."""
Counter = Callable[[], int]
"""Nanoseconds since some fixed moment; never set, never stops while the machine sleeps."""

STEP_LIMIT: Final = timedelta(seconds=2)
"""A clock that moved further than this against the counter has stepped, and the step is recorded."""
_MICROSECOND: Final = timedelta(microseconds=1)


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def boot_counter() -> int:
    """Nanoseconds since the machine started, sleep included where the platform counts it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) if _HAS_BOOTTIME else time.monotonic_ns()


_HAS_BOOTTIME: Final = hasattr(time, "CLOCK_BOOTTIME")


class SimulatedClock:
    """A clock that moves only when told to, and never backwards. Safe to share between threads."""

    def __init__(self, start: datetime) -> None:
        """Raises ValueError when ``start`` is not aware."""
        self._now = _utc(start)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        return self._now

    def advance(self, delta: timedelta) -> datetime:
        """Move forward and give the new time. Raises ValueError on a negative delta."""
        with self._lock:
            if delta < timedelta(0):
                raise ValueError(f"a simulated clock never moves backwards ({delta})")
            self._now += delta
            return self._now

    def set(self, moment: datetime) -> None:
        """Move to a later time. Raises ValueError when it is earlier than now, or not aware."""
        with self._lock:
            if _utc(moment) < self._now:
                raise ValueError(f"a simulated clock never moves backwards (from {self._now} to {moment})")
            self._now = _utc(moment)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone: use datetime(..., tzinfo=UTC)")
    return moment.astimezone(UTC)


class Stamp(NamedTuple):
    """The last time given out.

    Args:
        at: the time in the ledger's form; empty before the first event.
        moment: the same as a datetime.
        wall, ticks: what clock and counter showed then; None when another process wrote the last event.
    """

    at: str = ""
    moment: datetime | None = None
    wall: datetime | None = None
    ticks: int | None = None

    def followed_by(self, at: str) -> Stamp:
        """This process's readings, with the time of the ledger's last event, which another process wrote."""
        return Stamp(at, parse_time(at) if at else None, self.wall, self.ticks)


class Step(NamedTuple):
    """A step of the clock: what it should have shown, what it showed, and the difference in microseconds."""

    expected: str
    found: str
    step_us: int


class Stamper:
    """Gives each append its time: never earlier than the one before, except after a recorded step.

    With a counter (the machine's own clock) every append gets a time of its own, at least a microsecond later than
    the one before (R006), and a step of more than `STEP_LIMIT` either way is reported. Without one (a simulated
    clock) only a step backwards is.
    """

    def __init__(self, clock: Clock, counter: Counter | None) -> None:
        self._clock, self._counter = clock, counter
        self._apart = _MICROSECOND if counter else timedelta(0)

    def next(self, last: Stamp) -> tuple[Stamp, Step | None]:
        """The stamp that follows ``last``, and the step that happened between, if any. Changes nothing."""
        wall = self._clock()
        if wall.tzinfo is not UTC:
            wall = _utc(wall)
        ticks = self._counter() if self._counter else None
        expected = wall
        if last.wall is not None and last.ticks is not None and ticks is not None:
            expected = last.wall + timedelta(microseconds=(ticks - last.ticks) // 1000)
        moment = wall
        if last.moment is not None and wall < last.moment + self._apart:
            if wall < last.moment:  # a later time is already in the record
                expected = max(last.moment, expected)
            moment = last.moment + self._apart
        if -STEP_LIMIT <= wall - expected <= STEP_LIMIT:
            return Stamp(format_time(moment), moment, wall, ticks), None
        step = Step(format_time(expected), format_time(wall), (wall - expected) // _MICROSECOND)
        return Stamp(format_time(wall), wall, wall, ticks), step
