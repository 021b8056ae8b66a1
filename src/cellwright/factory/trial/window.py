"""Windows before a moment, counted by the calendar, and the day of a moment in a zone.

A window is written `P28D`, `P12W`, `P3M` or `P1Y`. Days and weeks are exact. A month or a year before a day is the same
day of the earlier month; where that month has no such day (a month before 31 March), some count from its last day and
some from the first of the next: a day between the two readings is left open, as for a birthday on 29 February.
"""

import calendar
import re
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta

Span = Annotated[str, Meta(pattern=r"^P[1-9][0-9]{0,3}[DWMY]$")]
"""The length of a window, an ISO 8601 duration of one part."""
Inside = Literal["inside", "before", "after", "open"]


def starts(day: date, span: str) -> tuple[date, ...]:
    """The first day of a window that ends on a day; two where the calendar leaves it open.

    Raises:
        ValueError: not a span of this notation.
    """
    found = re.fullmatch(r"P([1-9][0-9]{0,3})([DWMY])", span)
    if found is None:
        raise ValueError(f"{span} is no window such as P28D, P12W, P3M or P1Y")
    count, unit = int(found[1]), found[2]
    if unit in "DW":
        return (day - timedelta(days=count * (7 if unit == "W" else 1)),)
    months = day.year * 12 + day.month - 1 - count * (12 if unit == "Y" else 1)
    year, month = months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    if day.day <= last:
        return (date(year, month, day.day),)
    return (date(year, month, last), date(year, month, last) + timedelta(days=1))


def place(day: date, moment: date, span: str | None) -> Inside:
    """Where a day lies against the window before a moment; both ends belong to it."""
    if day > moment:
        return "after"
    if span is None:
        return "inside"
    answers = {day >= start for start in starts(moment, span)}
    if len(answers) == 2:
        return "open"
    return "inside" if answers.pop() else "before"


def day_of(instant: datetime, zone: str) -> date:
    """The calendar day of an instant where the patient is treated.

    Raises:
        ValueError: the instant has no zone of its own.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone: 2026-03-02T23:30:00Z")
    return instant.astimezone(ZoneInfo(zone)).date()
