"""What is wrong with a file: refused with an error, or repaired and said so."""

from dataclasses import dataclass


class FcsError(ValueError):
    """A file that gives no events: what is wrong with it, and what was expected."""


class GateError(ValueError):
    """Gates that cannot be applied: which one, and what is missing or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Something in a file that contradicts the standard and was read nevertheless.

    Attributes:
        code: a word that stays, such as `off-by-one`; programs compare it.
        text: what stood there and how it was understood, in English.
    """

    code: str
    text: str
