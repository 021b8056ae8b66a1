"""When a sample was acquired, by the instrument's clock ($DATE, $BTIM, $ETIM; $BEGINDATETIME since FCS 3.2)."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:([.:])(\d{1,6}))?")
_DATE: Final = re.compile(r"(\d{1,2})[-/ ]([A-Za-z]{3})[A-Za-z]*[-/ ](\d{4}|\d{2})")
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


def acquired(text: Mapping[str, str]) -> tuple[datetime, datetime] | None:
    """Begin and end, or None where the file does not state them readably. An end before the begin is the next day's."""
    if text.get("$BEGINDATETIME"):
        try:
            begin = datetime.fromisoformat(text["$BEGINDATETIME"])
            end = datetime.fromisoformat(text.get("$ENDDATETIME") or text["$BEGINDATETIME"])
        except ValueError:
            return None
        return begin, end
    day, begins = _day(text.get("$DATE", "")), _time(text.get("$BTIM", ""))
    if day is None or begins is None:
        return None
    ends = _time(text.get("$ETIM", "")) or begins
    begin, end = datetime.combine(day, begins), datetime.combine(day, ends)
    return begin, end + timedelta(days=1) if end < begin else end


def _day(value: str) -> date | None:
    try:
        if match := _DATE.match(value.strip()):
            year = int(match[3]) + (0 if len(match[3]) == 4 else 1900 if int(match[3]) >= 70 else 2000)
            return date(year, MONTHS.index(match[2].lower()) + 1, int(match[1]))
        if match := _ISO.match(value.strip()):
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return None


def _time(value: str) -> time | None:
    """hh:mm:ss, with sixtieths of a second after a colon (FCS 3.0) or hundredths after a point (FCS 3.1)."""
    match = _TIME.match(value.strip())
    if match is None:
        return None
    part = 0
    if match[5]:
        part = int(match[5]) * 1_000_000 // 60 if match[4] == ":" else int(match[5].ljust(6, "0"))
    try:
        return time(int(match[1]), int(match[2]), int(match[3]), min(part, 999_999))
    except ValueError:
        return None
