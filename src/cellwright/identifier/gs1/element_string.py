"""GS1 element strings: what a GS1 DataMatrix, GS1-128 or GS1 QR code says.

An AI whose length is not predefined ends at the separator FNC1 (transmitted as character 29). A lost separator makes one
element swallow the next, so the reader states which AIs it requires, and the string is refused when one is missing (R086).
"""

import re
from calendar import monthrange
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

from cellwright.identifier.gs1.application_identifier import TABLE, ApplicationIdentifier, Kind
from cellwright.identifier.gs1.key import Key, check_digit
from cellwright.identifier.refusal import Code, IdentifierError, refuse
from cellwright.language import N_

#: FNC1 as a scanner transmits it.
SEPARATOR: Final = "\x1d"
#: Character set 82 of the General Specifications, the characters an alphanumeric content may have.
_TEXT: Final = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+""", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_TEMPERATURE: Final = re.compile(r"[0-9]{6}-?", re.ASCII)
#: Content in the bracketed form has no bracket of its own, which could not be told from an AI.
_BRACKETED: Final = re.compile(r"\(([0-9]{2,4})\)([^()]*)", re.ASCII)
_RECIPIENT: Final = re.compile(r"(8018\)?)[0-9]+", re.ASCII)
_NAME: Final = N_("GS1 element string")
#: AIs whose day 00 means the last day of the month; a production day 00 is unknown and refused.
_LAST_DAY: Final = frozenset({"15", "17"})
_AI_LENGTHS: Final = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class ElementString:
    """Elements whose layout, check digits and dates were verified.

    Attributes:
        elements: pairs of AI and content, in the order read.
    """

    elements: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        for ai, content in self.elements:
            check_element(ai, content)
        _refuse_contradictions(self.elements)

    def get(self, ai: str) -> str | None:
        """The content of an AI, ``None`` when it is not there."""
        return next((content for known, content in self.elements if known == ai), None)

    def __getitem__(self, ai: str) -> str:
        """The content of an AI.

        Raises:
            IdentifierError: the string lacks it (R086).
        """
        content = self.get(ai)
        if content is None:
            raise _missing(shown(self.eye_readable), ai)
        return content

    def day(self, ai: str, near: date) -> date:
        """The date of an AI 11, 13, 15 or 17, of the century that brings it nearest to ``near``.

        Day 00 of an expiry or best-before date is the last day of the month (R087). A product that expires at an hour
        uses AI 7003, see :meth:`moment`.

        Raises:
            IdentifierError: the string lacks the AI, or the year has no such day.
        """
        return _day(ai, self[ai], near)

    def moment(self, ai: str, near: date) -> datetime:
        """The local date and time of AI 7003, of the century nearest to ``near``; raises IdentifierError."""
        content = self[ai]
        return datetime.combine(_day(ai, content[:6], near), time(int(content[6:8]), int(content[8:10])))

    def temperature(self, ai: str) -> Decimal:
        """The temperature of AI 4331 or 4333 in °C, to hundredths; raises IdentifierError when it is not there."""
        content = self[ai]
        sign = -1 if content.endswith("-") else 1
        return sign * Decimal(content[:6]).scaleb(-2)

    def key(self, ai: str) -> Key:
        """The key of an AI that carries one, such as the GTIN of 01; raises IdentifierError when it is not there."""
        kind = TABLE[ai].key
        assert kind is not None, f"AI {ai} carries no key"
        return kind(self[ai])

    @property
    def eye_readable(self) -> str:
        """The string for people, AIs in brackets."""
        return "".join(f"({ai}){content}" for ai, content in self.elements)

    @property
    def data(self) -> str:
        """The string as transmitted, separators where they are needed, none at the end."""
        pieces: list[str] = []
        for place, (ai, content) in enumerate(self.elements):
            last = place == len(self.elements) - 1
            pieces.append(ai + content + ("" if last or TABLE[ai].predefined else SEPARATOR))
        return "".join(pieces)


def read_element_string(data: str, required: Collection[str] = ()) -> ElementString:
    """An element string as transmitted, without the symbology identifier.

    Args:
        data: AIs and contents, separators as character 29.
        required: the AIs the use at hand needs.

    Raises:
        IdentifierError: unknown AI, wrong length, character, check digit or date (R085), contradicting elements, or a
            required AI missing, as after a lost separator (R086).
    """
    if not data:
        raise refuse(Code.EMPTY, data, _NAME, "R086")
    elements: list[tuple[str, str]] = []
    place = 0
    while place < len(data):
        row = _row_at(data, place)
        place += len(row.ai)
        end = place + row.longest if row.predefined else _separator(data, place)
        elements.append((row.ai, data[place:end]))
        check_element(row.ai, data[place:end], data, place)
        place = end + 1 if data[end : end + 1] == SEPARATOR else end
    return _complete(tuple(elements), shown(data), required)


def read_eye_readable(text: str, required: Collection[str] = ()) -> ElementString:
    """An element string written with AIs in brackets, as printed beside the symbol; raises as the other reader does."""
    elements: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        match = _BRACKETED.match(text, place)
        if match is None:
            raise refuse(
                Code.UNKNOWN_ELEMENT, shown(text), _NAME, "R086", position=place + 1, detail=text[place : place + 6]
            )
        if match[1] not in TABLE:
            raise refuse(Code.UNKNOWN_ELEMENT, shown(text), _NAME, "R086", position=place + 1, detail=match[1])
        elements.append((match[1], match[2]))
        check_element(match[1], match[2], text, match.start(2))
        place = match.end()
    return _complete(tuple(elements), shown(text), required)


def check_element(ai: str, content: str, scanned: str | None = None, offset: int = 0) -> None:
    """Refuse a content that its AI does not allow.

    Raises:
        IdentifierError: unknown AI, wrong length or character, wrong check digit (R085), no such date (R087).
    """
    whole = shown(f"({ai}){content}" if scanned is None else scanned)
    row = TABLE.get(ai)
    if row is None:
        raise refuse(Code.UNKNOWN_ELEMENT, whole, _NAME, "R086", position=offset + 1, detail=ai)
    if not row.shortest <= len(content) <= row.longest:
        form = f"({ai}) {row.shortest} - {row.longest}"
        raise refuse(
            Code.WRONG_LENGTH, whole, row.name, "R086", position=offset + 1, detail=str(len(content)), form=form
        )
    _check_characters(row, content, whole, offset)
    if row.key is not None and check_digit(content[:-1]) != content[-1]:
        raise refuse(Code.CHECK_WRONG, whole, row.name, "R085", position=offset + len(content))
    if row.kind in (Kind.DATE, Kind.DATE_TIME):
        _day(ai, content[:6], date(2000 + int(content[:2]), 1, 1))
        if row.kind is Kind.DATE_TIME and (int(content[6:8]) > 23 or int(content[8:]) > 59):
            raise refuse(
                Code.NO_SUCH_DATE, whole, row.name, "R087", position=offset + 7, detail=content, form="YYMMDDhhmm"
            )


def shown(text: str) -> str:
    """A text as a refusal may show it: the invisible separator becomes ``<FNC1>``, a patient's GSRN is left out."""
    return _RECIPIENT.sub(r"\1…", text.replace(SEPARATOR, "<FNC1>"))


def _check_characters(row: ApplicationIdentifier, content: str, whole: str, offset: int) -> None:
    pattern = {Kind.TEXT: _TEXT, Kind.TEMPERATURE: _TEMPERATURE}.get(row.kind, _DIGITS)
    match = pattern.match(content)
    reached = match.end() if match else 0
    if reached != len(content):
        form = f"({row.ai})"
        raise refuse(Code.WRONG_CHARACTER, whole, row.name, "R086", position=offset + reached + 1, form=form)


def _row_at(data: str, place: int) -> ApplicationIdentifier:
    for length in _AI_LENGTHS:
        row = TABLE.get(data[place : place + length])
        if row is not None:
            return row
    found = data[place : place + 4].replace(SEPARATOR, "<FNC1>")
    raise refuse(Code.UNKNOWN_ELEMENT, shown(data), _NAME, "R086", position=place + 1, detail=found)


def _separator(data: str, place: int) -> int:
    end = data.find(SEPARATOR, place)
    return len(data) if end < 0 else end


def _complete(elements: tuple[tuple[str, str], ...], scanned: str, required: Collection[str]) -> ElementString:
    if not elements:
        raise refuse(Code.EMPTY, scanned, _NAME, "R086")
    _refuse_contradictions(elements)
    present = {ai for ai, _ in elements}
    for ai in required:
        if ai not in present:
            raise _missing(scanned, ai)
    return ElementString(tuple(dict.fromkeys(elements)))


def _missing(scanned: str, ai: str) -> IdentifierError:
    row = TABLE.get(ai)
    form = f"({ai}) {row.name}" if row else f"({ai})"
    return refuse(Code.MISSING_ELEMENT, scanned, _NAME, "R086", detail=form, form=f"({ai})")


def _refuse_contradictions(elements: Sequence[tuple[str, str]]) -> None:
    known: dict[str, str] = {}
    for ai, content in elements:
        if known.setdefault(ai, content) != content:
            whole = shown("".join(f"({one}){other}" for one, other in elements))
            raise refuse(Code.REPEATED_ELEMENT, whole, _NAME, "R086", detail=f"({ai})")


def _day(ai: str, digits: str, near: date) -> date:
    year, month, day = _century(int(digits[:2]), near.year), int(digits[2:4]), int(digits[4:6])
    if 1 <= month <= 12:
        last = monthrange(year, month)[1]
        if day == 0 and ai in _LAST_DAY:
            return date(year, month, last)
        if 1 <= day <= last:
            return date(year, month, day)
    raise refuse(Code.NO_SUCH_DATE, f"({ai}){digits}", TABLE[ai].name, "R087", detail=f"{year}", form="YYMMDD")


def _century(yy: int, year: int) -> int:
    """The year that ends in ``yy``, from 49 years before ``year`` to 50 years after it (General Specifications 7.12)."""
    start = year - 49
    return start + (yy - start) % 100
