"""Numbers and times as instruments write them, read without guessing."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Final

from cellwright.instrument.source import Source
from cellwright.instrument.table import Unreadable
from cellwright.language import _

_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_COMMA: Final = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d{1,3})?")
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPACED: Final = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONES: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "CET": 1, "CEST": 2, "JST": 9,
}  # fmt: skip
"""Hours of zones with one meaning; CST, for example, has three and gives no offset."""


def number(text: str, source: Source, place: str, *, grouped: bool = False) -> Decimal | None:
    """The exact number of a cell; None if it is blank or a dash.

    Args:
        grouped: whether this instrument groups thousands by commas (`846,041.750`).

    Raises:
        Unreadable: no number, or one with a comma that may be a decimal comma or may group thousands.
    """
    value = text.strip()
    if value in {"", "-", "–", "N/A", "NA", "NaN"}:
        return None
    if _PLAIN.fullmatch(value):
        return Decimal(value)
    if _SPACED.fullmatch(value):
        return number(re.sub(r"[ \u00a0\u202f]", "", value), source, place)
    if grouped and _GROUPED.fullmatch(value):
        return Decimal(value.replace(",", ""))
    if _COMMA.fullmatch(value):
        if _GROUPED.fullmatch(value):
            said = _("{place}: {text!r} may have a decimal comma or group thousands; export it again with a point")
            raise Unreadable(said.format(place=place, text=value))
        source.warn("decimal comma", place, _("{text!r} was read with a decimal comma").format(text=value))
        return Decimal(value.replace(",", "."))
    raise Unreadable(_("{place}: {text!r} is no number").format(place=place, text=value))


def whole(text: str, source: Source, place: str, *, grouped: bool = False) -> int | None:
    """The whole number of a cell, from 0. Raises Unreadable if it is none."""
    found = number(text, source, place, grouped=grouped)
    if found is None:
        return None
    if found != found.to_integral_value() or found < 0:
        raise Unreadable(_("{place}: {text!r} is no whole number from 0").format(place=place, text=text.strip()))
    return int(found)


def half_digit(value: Decimal) -> Decimal:
    """By how much rounding may have moved a printed number."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal(5).scaleb(exponent - 1)


def iso(
    year: int, month: int, day: int, hour: int, minute: int, second: int = 0, zone: timezone | None = None
) -> str:  # fmt: skip
    """ISO 8601. Raises ValueError for a day or hour that does not exist."""
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).isoformat()


def on_the_clock(hour: int, half: str) -> int:
    """The hour of the day; some programs write `13:07 PM`, and mean what the first number says."""
    if hour > 12 or not half:
        return hour
    return hour % 12 + (12 if half.upper() == "PM" else 0)


def time(text: str, source: Source, place: str) -> str:
    """A date and time of any form met in exports, as ISO 8601; '' if blank.

    Without a zone the result has no offset: it is the instrument's local time. Month comes before day in `3/21/2022`.

    Raises:
        Unreadable: no date and time of a known form.
    """
    value = " ".join(text.split())
    if not value:
        return ""
    for form in _FORMS:
        match = form.fullmatch(value)
        if match is None:
            continue
        part = match.groupdict(default="")
        month = part["month"]
        if not month.isdigit():
            if month.lower()[:3] not in _MONTHS:
                break
            month = str(_MONTHS.index(month.lower()[:3]) + 1)
        try:
            hour = on_the_clock(int(part.get("hour") or 0), part.get("half", ""))
            clock = (hour, int(part.get("minute") or 0), int(part.get("second") or 0))
            return iso(
                int(part["year"]), int(month), int(part["day"]), *clock, _zone(part.get("zone", ""), source, place)
            )
        except ValueError:
            break
    try:
        return datetime.fromisoformat(value).isoformat()
    except ValueError:
        raise Unreadable(_("{place}: {text!r} is no date and time").format(place=place, text=value)) from None


def _zone(name: str, source: Source, place: str) -> timezone | None:
    if not name:
        return None
    if name not in _ZONES:
        source.warn(
            "time", place, _("zone {zone} has no single meaning; the time is kept as local time").format(zone=name)
        )
        return None
    return timezone(timedelta(hours=_ZONES[name]))


_CLOCK: Final = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))? ?(?P<half>[AaPp][Mm])? ?(?P<zone>[A-Z]{1,4})?"
)
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}}) {_CLOCK}",
        rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>\d{{4}})(?: {_CLOCK})?",
        rf"(?P<day>\d{{1,2}}) (?P<month>[A-Za-z]{{3,9}}) (?P<year>\d{{4}}) {_CLOCK}",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2}) (?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})",
    )
)


@lru_cache(maxsize=4096)
def same_name(text: str) -> str:
    """A column's name without what differs between versions and encodings: case, blanks, the letter mu, brackets."""
    text = text.replace("µ", "u").replace("μ", "u").replace("\ufffd", "u").lower()
    return re.sub(r"[\s\[\]()_.\-]+", "", text)


def blank(cells: Iterable[str]) -> bool:
    """Whether nothing is written in any cell."""
    return not any(cell.strip() for cell in cells)
