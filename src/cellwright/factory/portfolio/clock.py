"""Working days and the statutory clocks of drug review: when is a decision due?

A clock runs in working days from the day after its start. The calendar of a country names its holidays and the weekend
days that are worked in exchange. Beyond the last year whose arrangement is published, holidays are not known: the day is
then counted as if only weekends were free, and the answer says that this is an assumption.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, Literal

from cellwright.factory.definition import Basis, Count, Definition, Entry, Flaw, Name, Text
from cellwright.factory.portfolio.product import Interval, Precision
from cellwright.factory.record import Immutable

LONGEST: Final = 2_000
"""Working days of a clock at most; a limit on the loop below."""


class Rest(Entry):
    """Free days of a holiday, both included."""

    name: Text
    first: date
    last: date


class Year(Entry):
    """The arrangement of one year as the authority published it."""

    year: Count
    rests: tuple[Rest, ...]
    worked: tuple[date, ...] = ()
    """Weekend days that are worked in exchange."""
    basis: Basis


class Clock(Entry):
    """A time limit of review."""

    id: Name
    name: Text
    starts: Literal["ind_accepted", "nda_accepted"]
    working_days: Count
    when: Literal["", "priority_review"] = ""
    """The designation under which it holds instead of the ordinary one."""
    pilot: bool = False
    """Holds only where the applicant takes part in a pilot; never assumed."""
    basis: Basis


class WorkingCalendar(Definition):
    """Working days of a country, and the clocks that run in them."""

    country: Name
    years: tuple[Year, ...]
    clocks: tuple[Clock, ...]

    def check(self) -> Iterator[Flaw]:
        for index, year in enumerate(self.years):
            path = ("years", index)
            if index and year.year != self.years[index - 1].year + 1:
                yield Flaw(path, "The years do not follow each other.", expected="one year after the other")
            for rest in year.rests:
                if not rest.first <= rest.last:
                    yield Flaw(path, "A rest ends before it begins.", expected="first <= last")
            for day in year.worked:
                if day.weekday() < 5:
                    yield Flaw(path, "{day} is no weekend day.", expected="a Saturday or a Sunday", day=day)

    @property
    def last(self) -> date:
        """The last day whose holidays are known."""
        return date(self.years[-1].year, 12, 31)

    def is_working(self, day: date) -> bool:
        """Whether a day is worked; outside the years that are known only weekends are free."""
        free = {one for year in self.years for one in _days(year)}
        worked = {one for year in self.years for one in year.worked}
        return day in worked or (day.weekday() < 5 and day not in free)

    def knows(self, day: date) -> bool:
        return date(self.years[0].year, 1, 1) <= day <= self.last


class Due(Immutable):
    """When a clock runs out."""

    clock: str
    first: date
    last: date
    """The same as `first` where the start is known to the day."""
    assumed: bool
    """Part of the way lies where holidays are not known."""


def _days(year: Year) -> Iterator[date]:
    for rest in year.rests:
        for offset in range((rest.last - rest.first).days + 1):
            yield rest.first + timedelta(days=offset)


def after(calendar: WorkingCalendar, start: date, working_days: int) -> tuple[date, bool]:
    """The day on which the last of so many working days after `start` falls, and whether holidays were assumed.

    Raises:
        ValueError: not between 1 and 2,000 working days.
    """
    if not 1 <= working_days <= LONGEST:
        raise ValueError(f"{working_days} working days are not between 1 and {LONGEST}")
    free = {one for year in calendar.years for one in _days(year)}
    worked = {one for year in calendar.years for one in year.worked}
    day, left = start, working_days
    while left:
        day += timedelta(days=1)
        left -= day in worked or (day.weekday() < 5 and day not in free)
    return day, not (calendar.knows(start) and calendar.knows(day))


def between(calendar: WorkingCalendar, start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; nought if it is not later."""
    return sum(calendar.is_working(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


def due(calendar: WorkingCalendar, clock: Clock, start: Interval) -> Due:
    """When a clock that began within an interval of days runs out: an interval too."""
    first, assumed_first = after(calendar, start.first, clock.working_days)
    last, assumed_last = after(calendar, start.last, clock.working_days)
    return Due(clock=clock.id, first=first, last=last, assumed=assumed_first or assumed_last)


def precision(one: Due) -> Precision:
    return "day" if one.first == one.last else "interval"
