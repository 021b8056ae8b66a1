"""Figures and times as they stand in commands and facts, read strictly (R044)."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from cellwright.factory.rule import Refusal, World

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z", re.ASCII)


def decimal(name: str, text: str) -> Decimal:
    """An exact figure. Raises Refusal `not-a-number` for anything but digits with a point: no comma, exponent or NaN."""
    if not _DECIMAL.fullmatch(text):
        raise Refusal(
            "not-a-number",
            "{field} is {value}, which is not a plain decimal number.",
            remedy="Write digits with a decimal point.",
            rule="R044",
            field=name,
            value=text[:40],
        )
    return Decimal(text)


def positive(name: str, text: str) -> Decimal:
    """A figure above zero. Raises Refusal `not-a-number` or `not-positive`."""
    value = decimal(name, text)
    if value <= 0:
        raise Refusal("not-positive", "{field} is {value}; it must be above zero.", rule="R044", field=name, value=text)
    return value


def moment(name: str, text: str) -> datetime:
    """A time of the record: ISO 8601, UTC, with Z. Raises Refusal `not-a-time`."""
    try:
        if not _STAMP.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(
            "not-a-time",
            "{field} is {value}, which is not a time in UTC such as 2026-03-02T08:12:00Z.",
            rule="R008",
            field=name,
            value=text[:40],
        ) from None


def past(name: str, text: str, now: datetime) -> datetime:
    """A time that has come. Raises Refusal `not-a-time` or `in-the-future`."""
    at = moment(name, text)
    if at > now:
        raise Refusal(
            "in-the-future", "{field} is {value}, which has not come yet.", rule="R044", field=name, value=text
        )
    return at


ENTERED_LATE = timedelta(days=1)
"""How much later than it was done something may stand in the record; what differs by more is a typing error. Assumed here."""


def out_of_order(earlier: str, first: datetime, later: str, second: datetime) -> bool:
    """Whether what comes second is said to have been first, which a late entry can cause and an assessment settles (D7).

    Raises Refusal `times-not-in-order` where they differ by more than a late entry explains.
    """
    if second < first - ENTERED_LATE:
        raise Refusal(
            "times-not-in-order",
            "{later} is before {earlier}; one of the two times is wrong.",
            remedy="Look at the clock and the paper again, and state both as they were.",
            rule="R008",
            earlier=earlier,
            later=later,
        )
    return second < first


def day(name: str, text: str) -> date:
    """A calendar day, written as days compare as text. Raises Refusal `not-a-day`."""
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(
            "not-a-day", "{field} is {value}, which is not a day.", rule="R044", field=name, value=text[:40]
        ) from None


def today(world: World) -> date:
    """The day it is at the site: near midnight not the day in UTC."""
    return world.now.astimezone(ZoneInfo(world.zone)).date()


def past_day(name: str, text: str, world: World) -> date:
    """A day that has begun at the site. Raises Refusal `not-a-day` or `in-the-future`."""
    on = day(name, text)
    if on > today(world):
        raise Refusal(
            "in-the-future", "{field} is {value}, which has not come yet.", rule="R044", field=name, value=text
        )
    return on


def spelled(span: timedelta) -> str:
    """A duration as ISO 8601 text, for a fact: `PT1800S`."""
    return f"PT{span // timedelta(seconds=1)}S"
