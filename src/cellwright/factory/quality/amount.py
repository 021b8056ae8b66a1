"""Results as they are reported, and exact arithmetic with them.

A reported result is a number, a censored number (`<0.05`, `>800`) or a word (`negative`). Arithmetic is exact
(rationals of decimals): nothing is rounded between the figure the laboratory reported and the comparison (R101).
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

Bound = Literal["", "<", ">"]
_NUMBER = re.compile(r"[-+]?(\d+(\.\d+)?|\.\d+)([eE][-+]?\d{1,2})?")
LONGEST = 40
"""Characters of a reported result; more is not a figure anybody measured."""
SHOWN_DIGITS = 6
"""Significant digits of a calculated value in print; the comparison uses the exact value."""

NEGATIVE = frozenset({"negative", "absent", "sterile", "not_detected", "no_growth"})
POSITIVE = frozenset({"positive", "present", "growth", "detected"})
CONFORMS = frozenset({"conforms"})
CONFORMS_NOT = frozenset({"does_not_conform"})
QUESTIONS = ((NEGATIVE, POSITIVE), (CONFORMS, CONFORMS_NOT))
"""Words that say the same, in pairs that answer the same question. A word in none of these proves nothing."""


class Amount(NamedTuple):
    """A number with the side on which it is only bounded: `<` means that the true value lies below."""

    value: Fraction
    bound: Bound = ""

    def __str__(self) -> str:
        return f"{self.bound}{shown(self.value)}"


def shown(value: Fraction) -> str:
    """A value in print, at most `SHOWN_DIGITS` significant digits where it is not shorter by itself."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(exact) == value and len(exact.normalize().as_tuple().digits) <= SHOWN_DIGITS:
        return f"{exact.normalize():f}"
    return f"{Decimal(f'{exact:.{SHOWN_DIGITS}g}'):f}"


def amount(text: str) -> Amount | None:
    """The number a reported result says; None for a word or for what is no figure (NaN, a decimal comma)."""
    bound: Bound = "<" if text.startswith("<") else ">" if text.startswith(">") else ""
    digits = text[len(bound) :].strip()
    if len(text) > LONGEST or not text.isascii() or _NUMBER.fullmatch(digits) is None:
        return None
    return Amount(Fraction(Decimal(digits)), bound)


def answers(word: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """The words that say the same as this one, and those that say the opposite; None for a word no rule knows."""
    for yes, no in QUESTIONS:
        if word in yes:
            return yes, no
        if word in no:
            return no, yes
    return None


def times(a: Amount, b: Amount) -> Amount | None:
    """The product of two amounts that are not negative; None where one is bounded above and the other below."""
    assert a.value >= 0 and b.value >= 0, (a, b)
    if a.bound and b.bound and a.bound != b.bound:
        return None
    return Amount(a.value * b.value, a.bound or b.bound)


def over(a: Amount, b: Amount) -> Amount | None:
    """The quotient of two amounts that are not negative; None for a zero below, or for bounds that pull both ways."""
    assert a.value >= 0 and b.value >= 0, (a, b)
    if b.value == 0:
        return None
    turned: dict[Bound, Bound] = {"": "", "<": ">", ">": "<"}
    return times(a, Amount(1 / b.value, turned[b.bound]))
