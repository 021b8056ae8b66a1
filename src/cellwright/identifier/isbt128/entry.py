"""How an identifier came in, and what must still happen before it may be trusted.

A scan is read by a machine. A typed donation number brings its check character (R077). A typed chain-of-identity
identifier has none (R080), so it is trusted only after a second entry or a second person. Whether a verification point
asks for more (a second person for every typed entry, R064) is the factory's rule; the way of entry is told to it here.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import Identifier
from cellwright.language import N_

T = TypeVar("T", bound=Identifier)


class Way(StrEnum):
    """How the characters came in."""

    SCANNED = "scanned"
    TYPED_WITH_CHECK = "typed_with_check"
    TYPED_ONCE = "typed_once"
    TYPED_TWICE = "typed_twice"
    TYPED_AND_CONFIRMED = "typed_and_confirmed"


class Need(StrEnum):
    """What is still needed before the entry may be used."""

    SECOND_ENTRY_OR_SECOND_PERSON = "second_entry_or_second_person"


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """An identifier with its way of entry.

    Attributes:
        value: the identifier.
        way: how it came in.
        needs: what is missing; ``None`` when the entry may be used.
        typed_by: who typed it, when somebody did.
        confirmed_by: the second person, when one was needed.
    """

    value: T
    way: Way
    needs: Need | None = None
    typed_by: str | None = None
    confirmed_by: str | None = None

    @property
    def usable(self) -> bool:
        """Whether nothing is missing."""
        return self.needs is None


def typed_again(entry: Entry[T], second: T) -> Entry[T]:
    """The entry after the same person typed it a second time, unseen.

    Raises:
        IdentifierError: the entries differ (R080); both are to be typed again.
    """
    _same(entry.value, second)
    return replace(entry, way=Way.TYPED_TWICE, needs=None)


def confirmed(entry: Entry[T], seen: T, person: str) -> Entry[T]:
    """The entry after a second person read the label and entered what it says.

    Raises:
        IdentifierError: the person is the one who typed, or unknown, or read something else (R080).
    """
    if not person or person == entry.typed_by or entry.typed_by is None:
        raise refuse(Code.SAME_PERSON, str(entry.value), N_("another person"), "R080", detail=person or "-")
    _same(entry.value, seen)
    return replace(entry, way=Way.TYPED_AND_CONFIRMED, needs=None, confirmed_by=person)


def _same(first: Identifier, second: Identifier) -> None:
    if first == second:
        return
    pairs = zip(first.text, second.text, strict=False)
    place = next((index for index, (one, other) in enumerate(pairs, 1) if one != other), None)
    raise refuse(Code.ENTRIES_DIFFER, first.text, first.LAYOUT.name, "R080", position=place, detail=second.text)
