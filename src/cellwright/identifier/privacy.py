"""An identifier says nothing about the person: no name, no hospital number, no birth date inside it (R062).

21 CFR 1271.290(c) forbids names, social security numbers and medical record numbers in the distinct identification code,
and 1271.55(a)(1) excepts autologous donations among others. The exception is a setting of the product; a use of it is
reported, so that the reviewer sees it.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from cellwright.identifier.refusal import Code, refuse
from cellwright.language import N_

_NOT_WORD: Final = re.compile(r"[\W_]+")
#: A Latin name or a number shorter than this is in too many codes by chance to mean anything.
_SHORTEST: Final = 4
#: A Chinese name has two characters and more.
_SHORTEST_IDEOGRAPHS: Final = 2
_DATE_FORMS: Final = ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y")


class Trait(StrEnum):
    """What of a person was found in a code."""

    NAME = "name"
    NUMBER = "number"
    BIRTH_DATE = "birth_date"


@dataclass(frozen=True, slots=True)
class Person:
    """What must not appear in a code.

    Attributes:
        names: names in any script and order.
        numbers: social security, medical record, identity card and hospital numbers.
        born: the date of birth.
    """

    names: Sequence[str] = field(default=(), repr=False)
    numbers: Sequence[str] = field(default=(), repr=False)
    born: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """A use of the exception, to be shown to the reviewer; it does not repeat what was found."""

    code: str
    trait: Trait
    requirement: str = "R062"


def check_code(code: str, person: Person, *, exception: bool = False) -> tuple[Finding, ...]:
    """Look for a person in a code.

    Case, accents, spaces and punctuation do not hide it. Names and numbers of fewer than four characters are looked for
    as the whole code only; two ideographs suffice.

    Args:
        code: the distinct identification code.
        person: whose code it is.
        exception: whether the product is set to allow it (1271.55(a)(1), autologous).

    Returns:
        what was found, empty when nothing was.

    Raises:
        IdentifierError: something was found and the exception is not set (R062).
    """
    text = _plain(code)
    found = sorted({trait for trait, secret in _secrets(person) if _holds(text, secret)})
    if found and not exception:
        raise refuse(Code.PERSONAL_DATA, code, N_("a code without personal data"), "R062", detail=_NAMES[found[0]])
    return tuple(Finding(code, trait) for trait in found)


_NAMES: Final = {
    Trait.NAME: N_("a patient's name"),
    Trait.NUMBER: N_("a patient's number"),
    Trait.BIRTH_DATE: N_("a patient's birth date"),
}


def _secrets(person: Person) -> Iterator[tuple[Trait, str]]:
    for name in person.names:
        yield Trait.NAME, _plain(name)
        yield from ((Trait.NAME, _plain(part)) for part in name.split())
    yield from ((Trait.NUMBER, _plain(number)) for number in person.numbers)
    if person.born is not None:
        yield from ((Trait.BIRTH_DATE, person.born.strftime(form)) for form in _DATE_FORMS)


def _holds(text: str, secret: str) -> bool:
    shortest = _SHORTEST if secret.isascii() else _SHORTEST_IDEOGRAPHS
    return secret in text if len(secret) >= shortest else bool(secret) and secret == text


def _plain(text: str) -> str:
    """Lower case, without accents, spaces and punctuation; full-width forms become ordinary ones."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    return _NOT_WORD.sub("", "".join(char for char in parted if not unicodedata.combining(char)))
