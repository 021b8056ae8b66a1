"""Amounts and durations as they stand in commands and facts (R044)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from cellwright.factory.order.figure import decimal
from cellwright.factory.rule import Refusal


def amount(name: str, text: str) -> Decimal:
    """A figure that cannot be negative: a volume, a count. Raises Refusal `not-a-number` or `negative-amount`."""
    value = decimal(name, text)
    if value < 0:
        raise Refusal("negative-amount", "{field} cannot be negative: {value}.", rule="R044", field=name, value=text)
    return value


def plain(value: Decimal) -> str:
    """The stored form: digits without an exponent."""
    return format(value, "f")


def iso(span: timedelta | None) -> str | None:
    """The stored form of a duration, ISO 8601, for example `P9D`."""
    return None if span is None else str(msgspec.to_builtins(span))


def duration(text: str) -> timedelta:
    """A stored duration. Raises msgspec.ValidationError if `iso` did not write it."""
    return msgspec.convert(text, timedelta)


def moment(text: str) -> datetime:
    """A recorded time, ISO 8601 UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
