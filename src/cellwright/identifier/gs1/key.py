"""GS1 keys with their check digit: GTIN, SSCC, GLN, GSRN (GS1 General Specifications; R085).

Check digit: from the right, weights 3, 1, 3, …; ``(10 - sum mod 10) mod 10``.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import DIGIT, Identifier, Layout
from cellwright.language import N_

_GTIN_LENGTHS: Final = (8, 12, 13, 14)


def check_digit(digits: str) -> str:
    """The check digit of the digits before it.

    Raises:
        ValueError: a character that is no ASCII digit, an error of the calling program.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"not digits: {digits!r}")
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


@dataclass(frozen=True, slots=True, order=True)
class Key(Identifier):
    """What the keys share. Raises IdentifierError for wrong length, character or check digit (R085)."""

    def __post_init__(self) -> None:
        self.LAYOUT.check(self.text)
        if check_digit(self.text[:-1]) != self.text[-1]:
            raise refuse(Code.CHECK_WRONG, self.text, self.LAYOUT.name, "R085", position=len(self.text))


def _layout(name: str, length: int) -> Layout:
    return Layout(name, (DIGIT,) * length, "R085", f"N{length}")


@dataclass(frozen=True, slots=True, order=True)
class Gtin(Key):
    """Global Trade Item Number in its fourteen-digit form; :func:`gtin` takes the shorter ones."""

    LAYOUT: ClassVar[Layout] = _layout(N_("trade item number (GTIN)"), 14)


@dataclass(frozen=True, slots=True, order=True)
class Sscc(Key):
    """Serial Shipping Container Code, eighteen digits."""

    LAYOUT: ClassVar[Layout] = _layout(N_("shipping container code (SSCC)"), 18)


@dataclass(frozen=True, slots=True, order=True)
class Gln(Key):
    """Global Location Number, thirteen digits."""

    LAYOUT: ClassVar[Layout] = _layout(N_("location number (GLN)"), 13)


@dataclass(frozen=True, slots=True, order=True)
class Gsrn(Key):
    """Global Service Relation Number, eighteen digits: of a patient (AI 8018) or a provider (AI 8017)."""

    LAYOUT: ClassVar[Layout] = _layout(N_("service relation number (GSRN)"), 18)


@dataclass(frozen=True, slots=True, order=True)
class Gsin(Key):
    """Global Shipment Identification Number, seventeen digits."""

    LAYOUT: ClassVar[Layout] = _layout(N_("shipment number (GSIN)"), 17)


def gtin(digits: str) -> Gtin:
    """A GTIN-8, -12, -13 or -14 as the fourteen-digit form.

    Raises:
        IdentifierError: another length, a character that is no digit, or a wrong check digit (R085).
    """
    if len(digits) not in _GTIN_LENGTHS:
        lengths = " / ".join(map(str, (len(digits), *_GTIN_LENGTHS)))
        raise refuse(Code.WRONG_LENGTH, digits, Gtin.LAYOUT.name, "R085", detail=lengths)
    return Gtin(digits.rjust(14, "0"))
