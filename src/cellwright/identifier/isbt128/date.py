"""Dates, data structures 004 to 009: ``cyyjjj`` and ``cyyjjjhhmm`` (ST-001 2.4.4 to 2.4.9).

``c`` is the hundreds digit of the year, ``jjj`` the day of the year. A time that was not specified is 23:59 (R082). The
standard gives local time; :meth:`CodedTime.utc` needs the zone of the facility that printed the label.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import DIGIT, Layout
from cellwright.language import N_

#: The time that stands for "not specified".
UNSPECIFIED: Final = time(23, 59)
_DATE: Final = Layout(N_("date"), (DIGIT,) * 6, "R082", "cyyjjj")
_DATE_TIME: Final = Layout(N_("date and time"), (DIGIT,) * 10, "R082", "cyyjjjhhmm")


class Occasion(StrEnum):
    """What happened, or ends, on the date."""

    EXPIRY = "expiry"
    COLLECTION = "collection"
    PRODUCTION = "production"


_DATE_IDENTIFIERS: Final = {Occasion.EXPIRY: "=>", Occasion.COLLECTION: "=*", Occasion.PRODUCTION: "=}"}
_TIME_IDENTIFIERS: Final = {Occasion.EXPIRY: "&>", Occasion.COLLECTION: "&*", Occasion.PRODUCTION: "&}"}


@dataclass(frozen=True, slots=True)
class CodedDate:
    """A day, in the calendar of the facility."""

    occasion: Occasion
    day: date

    @property
    def local(self) -> datetime:
        """The end of the day, local time: a date without a time reads 23:59."""
        return datetime.combine(self.day, UNSPECIFIED)

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return _DATE_IDENTIFIERS[self.occasion] + encode_day(self.day)

    def utc(self, zone: ZoneInfo) -> datetime:
        """The end of the day in UTC."""
        return to_utc(self.local, zone)


@dataclass(frozen=True, slots=True)
class CodedTime:
    """A day and minute, in the calendar of the facility."""

    occasion: Occasion
    local: datetime

    def __post_init__(self) -> None:
        if self.local.tzinfo is not None or self.local.second or self.local.microsecond:
            text = self.local.isoformat()
            raise refuse(Code.WRONG_VALUE, text, N_("a local time in whole minutes"), "R082", detail=text)

    @property
    def specified(self) -> bool:
        """Whether the label gives a time; 23:59 says that it does not."""
        return self.local.time() != UNSPECIFIED

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{_TIME_IDENTIFIERS[self.occasion]}{encode_day(self.local.date())}{self.local:%H%M}"

    def utc(self, zone: ZoneInfo) -> datetime:
        """The minute in UTC."""
        return to_utc(self.local, zone)


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """A local time in UTC: of an hour that occurs twice the earlier one, so that nothing expires too late."""
    return min(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def encode_day(day: date) -> str:
    """A day as ``cyyjjj``; raises IdentifierError outside the years 1900 to 2899."""
    if not 1900 <= day.year <= 2899:
        raise refuse(Code.WRONG_VALUE, day.isoformat(), N_("date"), "R082", detail=str(day.year), form="1900 - 2899")
    return f"{day.year // 100 % 10}{day:%y%j}"


def decode_day(digits: str, scanned: str | None = None, offset: int = 0) -> date:
    """The day of ``cyyjjj``.

    Args:
        digits: the six digits.
        scanned: the whole text as read, for the refusal.
        offset: where the digits begin in ``scanned``.

    Raises:
        IdentifierError: not six digits, day 000, or a day the year does not have, such as 366 of 2025.
    """
    whole = digits if scanned is None else scanned
    _DATE.check(digits, whole, offset)
    century = 1900 if digits[0] == "9" else 2000 + 100 * int(digits[0])
    year, ordinal = century + int(digits[1:3]), int(digits[3:])
    day = date(year, 1, 1) + timedelta(days=ordinal - 1)
    if ordinal < 1 or day.year != year:
        detail = f"{year}-{digits[3:]}"
        raise refuse(Code.NO_SUCH_DATE, whole, _DATE.name, "R082", position=offset + 4, detail=detail, form=_DATE.shown)
    return day


def read_date(structure: str, occasion: Occasion) -> CodedDate:
    """A date from a scan, data identifier included.

    Raises:
        IdentifierError: other data identifier (R079), no such date (R082).
    """
    _expect(structure, _DATE_IDENTIFIERS[occasion], _DATE)
    return CodedDate(occasion, decode_day(structure[2:], structure, 2))


def read_date_time(structure: str, occasion: Occasion) -> CodedTime:
    """A date and time from a scan, data identifier included.

    Raises:
        IdentifierError: other data identifier (R079), no such date or time (R082).
    """
    _expect(structure, _TIME_IDENTIFIERS[occasion], _DATE_TIME)
    _DATE_TIME.check(structure[2:], structure, 2)
    day, hour, minute = decode_day(structure[2:8], structure, 2), int(structure[8:10]), int(structure[10:12])
    if hour > 23 or minute > 59:
        name, detail = _DATE_TIME.name, f"{hour:02d}:{minute:02d}"
        raise refuse(Code.NO_SUCH_DATE, structure, name, "R082", position=9, detail=detail, form=_DATE_TIME.shown)
    return CodedTime(occasion, datetime.combine(day, time(hour, minute)))


def _expect(structure: str, data_identifier: str, layout: Layout) -> None:
    if structure[:2] != data_identifier:
        raise refuse(
            Code.WRONG_DATA_IDENTIFIER, structure, layout.name, "R079", detail=structure[:2], form=data_identifier
        )
