"""Identifiers as text with a fixed layout: checked once when the value is made, one character class per place."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

from cellwright.identifier.refusal import Code, refuse

DIGIT: Final = "0-9"
CAPITAL: Final = "A-Z"
CAPITAL_OR_DIGIT: Final = "A-Z0-9"


@dataclass(frozen=True)
class Layout:
    """The characters a text may have, place by place.

    Attributes:
        name: what the text is, as the refusal names it; a message of the catalogue.
        places: one regular-expression character class body per place, such as ``"0-9"``.
        requirement: the rule that fixes the layout.
        shown: the pattern as the standard writes it.
    """

    name: str
    places: tuple[str, ...]
    requirement: str
    shown: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The whole layout as one compiled pattern, ASCII only."""
        return re.compile("".join(f"[{place}]" for place in self.places), re.ASCII)

    def check(self, text: str, scanned: str | None = None, offset: int = 0) -> None:
        """Refuse a text that does not fit.

        Args:
            text: the characters to be checked.
            scanned: the whole text as read, for the refusal; ``text`` itself when absent.
            offset: where ``text`` begins in ``scanned``, counted from 0.

        Raises:
            IdentifierError: wrong length, or the first wrong character with its place.
        """
        if self.pattern.fullmatch(text):
            return
        whole = text if scanned is None else scanned
        if not text:
            raise refuse(Code.EMPTY, whole, self.name, self.requirement, form=self.shown)
        for index, (place, character) in enumerate(zip(self.places, text, strict=False), offset + 1):
            if not re.fullmatch(f"[{place}]", character, re.ASCII):
                form = f"{self.shown} [{place}]"
                raise refuse(Code.WRONG_CHARACTER, whole, self.name, self.requirement, position=index, form=form)
        lengths = f"{len(text)} / {len(self.places)}"
        raise refuse(Code.WRONG_LENGTH, whole, self.name, self.requirement, detail=lengths, form=self.shown)


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """A text that is valid because the value exists; ``str()`` is its canonical form.

    Two identifiers are equal when type and text are equal; a donation number never equals a sample number.

    Raises:
        IdentifierError: the text is not one of this type.
    """

    LAYOUT: ClassVar[Layout]

    text: str

    def __post_init__(self) -> None:
        self.LAYOUT.check(self.text)

    def __str__(self) -> str:
        return self.text
