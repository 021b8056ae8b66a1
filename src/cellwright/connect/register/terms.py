"""The words of registers in one form: dates as precisely as they are given, ages, phases, states, criteria.

What cannot be read stays as it is written; nothing is guessed.
"""

import re
import unicodedata
from typing import Final, NamedTuple

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
         "december"), 1)
}  # fmt: skip
_ISO: Final = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?(?:[T ].*)?")
_WORDS: Final = re.compile(r"([A-Za-z]+)\s+(?:(\d{1,2}),\s*)?(\d{4})")
_SLASHES: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_CHINESE: Final = re.compile(r"(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?")


def when(text: str) -> str:
    """A date as precisely as it is given: `2024-02-15`, `2024-02`, `2024`; empty where it cannot be read.

    With slashes the day stands first, as the registers of Europe and the WHO write it.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        return _date(*match.groups())
    if match := _WORDS.fullmatch(text):
        month = _MONTHS.get(match[1].lower())
        return _date(match[3], month, match[2]) if month else ""
    if match := _SLASHES.fullmatch(text):
        return _date(match[3], match[2], match[1])
    if match := _CHINESE.fullmatch(text):
        return _date(*match.groups())
    return text if re.fullmatch(r"\d{4}", text) else ""


def _date(year: str, month: str | int, day: str | None = None) -> str:
    if not 1 <= int(month) <= 12 or not 1 <= int(day or 1) <= 31:
        return ""
    return f"{year}-{int(month):02}" + (f"-{int(day):02}" if day else "")


class Age(NamedTuple):
    """An age limit as the register gives it; `value` is empty where there is none."""

    value: str
    unit: str
    text: str


_UNITS: Final = {
    "minute": "minutes", "hour": "hours", "day": "days", "week": "weeks", "month": "months", "year": "years",
    "分": "minutes", "时": "hours", "小时": "hours", "天": "days", "日": "days", "周": "weeks", "月": "months",
    "岁": "years",
}  # fmt: skip
_AGE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+|[分时天日周月岁]|小时)?.*")


def age(text: str) -> Age:
    """An age with its unit, which is minutes as well as years; a number without a unit has none."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        return Age("", "", text)
    unit = (match[2] or "").lower().rstrip("s")
    return Age(match[1], _UNITS.get(unit, ""), text)


_TOKEN: Final = re.compile(r"(?<![A-Z0-9])(IV|III|II|I|[0-4])[AB]?(?![A-Z0-9])")
_ROMAN: Final = {"I": "1", "II": "2", "III": "3", "IV": "4"}


def phase(text: str) -> str:
    """A phase as `1`, `1/2` … `4`, `early 1`, `not applicable`; empty where none is stated."""
    wide = unicodedata.normalize("NFKC", text).upper().replace("_", " ")
    if wide.strip() in ("NA", "N/A", "NOT APPLICABLE", "不适用"):
        return "not applicable"
    tokens = _TOKEN.findall(re.sub(r"PHASES?(?=\S)", "PHASE ", wide))
    found = sorted({_ROMAN.get(one, one) for one in tokens})
    if "EARLY" in wide and found == ["1"]:
        return "early 1"
    return "/".join(found)


_STATES: Final = (
    ("not_yet_recruiting", ("not yet recruiting", "not recruiting yet", "尚未招募", "pending", "not started")),
    ("enrolling_by_invitation", ("enrolling by invitation",)),
    ("active_not_recruiting", ("active, not recruiting", "active not recruiting", "招募完成", "no longer recruiting",
                               "recruitment ended")),
    ("no_longer_available", ("no longer available",)),
    ("available", ("available",)),
    ("withdrawn", ("withdrawn", "撤回")),
    ("terminated", ("terminated", "prematurely ended", "主动终止", "终止")),
    ("suspended", ("suspended", "halted", "主动暂停", "被叫停", "暂停")),
    ("completed", ("completed", "ended", "已完成")),
    ("recruiting", ("recruiting", "招募中")),
    ("ongoing", ("ongoing", "进行中", "authorised")),
    ("unknown", ("unknown",)),
)  # fmt: skip
"""State and what registers call it; the longer words come before those that they contain."""


def state(text: str) -> str:
    """A state of a trial in one word; `not_stated` where the text is none of those known."""
    wide = unicodedata.normalize("NFKC", text).lower().replace("_", " ")
    return next((name for name, words in _STATES if any(word in wide for word in words)), "not_stated")


_ESCAPED: Final = re.compile(r"\\([<>\[\]*_~#])")
_INCLUSION: Final = re.compile(r"^\W*(?:key\s+|main\s+|general\s+)?(inclusion|入选|纳入)[^\n]*$", re.I | re.M)
_EXCLUSION: Final = re.compile(r"^\W*(?:key\s+|main\s+|general\s+)?(exclusion|排除)[^\n]*$", re.I | re.M)
_BULLET: Final = re.compile(r"^\s*(?:[*•●·‐–-]|\(?\d{1,2}[.)、](?!\d))\s*")


class Criteria(NamedTuple):
    """Criteria as the register gives them, and as a list; a text without the headings is all inclusion."""

    text: str
    inclusion: tuple[str, ...]
    exclusion: tuple[str, ...]
    escaped: bool
    """Comparators were written with a backslash, as in `\\<`."""
    headed: bool
    """An exclusion heading was found; without one exclusions may stand among the inclusions."""


def criteria(text: str) -> Criteria:
    """Undo the backslashes before comparators and part inclusion from exclusion at their headings."""
    clean = _ESCAPED.sub(r"\1", text)
    exclusion = _EXCLUSION.search(clean)
    before = clean[: exclusion.start()] if exclusion else clean
    behind = clean[exclusion.end() :] if exclusion else ""
    inclusion = _INCLUSION.search(before)
    included = before[inclusion.end() :] if inclusion else before
    return Criteria(clean, items(included), items(behind), clean != text, exclusion is not None)


def items(text: str) -> tuple[str, ...]:
    """The points of a list. A line that is indented further or carries no bullet continues the point before it."""
    found: list[str] = []
    for line in text.split("\n"):
        point = line.strip()
        if not point:
            continue
        if _BULLET.match(line) and _BULLET.sub("", line).strip():
            found.append(_BULLET.sub("", line).strip())
        elif found and not _BULLET.match(line) and line[:1].isspace():
            found[-1] += " " + point
        else:
            found.append(point)
    return tuple(found)


_NUMBERS: Final = (
    ("ctgov", re.compile(r"\bNCT\d{8}\b")),
    ("isrctn", re.compile(r"\bISRCTN\s?\d{8}\b")),
    ("cde", re.compile(r"\bCTR20\d{6}\b")),
    ("chictr", re.compile(r"\bChiCTR[-A-Za-z]*\d{8,10}\b")),
    ("jrct", re.compile(r"\bjRCTs?\d{9,10}\b")),
    ("who", re.compile(r"\bU1111-\d{4}-\d{4}\b")),
    ("ctis", re.compile(r"(?<![\d-])20\d\d-5\d{5}-\d\d-\d\d(?![\d-])")),
    ("euctr", re.compile(r"(?<![\d-])(?:19|20)\d\d-\d{6}-\d\d(?![\d-])")),
)


def numbers(text: str) -> tuple[tuple[str, str], ...]:
    """The numbers of trial registers in a text, as register and number."""
    return tuple((name, match.replace(" ", "")) for name, form in _NUMBERS for match in form.findall(text))
