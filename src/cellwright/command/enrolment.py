"""The one-time secret that a security officer hands over to somebody who has no means of signing yet (R031)."""

import secrets
from typing import Final, NamedTuple

from cellwright.factory.credential import OfferEnrolment, fingerprint

SECRET_BYTES: Final = 15
"""120 random bits; base32-like text of 24 characters, which nobody guesses from its hash."""
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without I, O, 0 and 1, which are mistaken for each other."""


class Handed(NamedTuple):
    """What follows from a new secret: the command that an officer signs, and the text shown once, to the person only."""

    command: OfferEnrolment
    secret: str


def hand_over(person: str) -> Handed:
    """A new secret for a person. The record keeps its hash, and only until it was used or three days have passed."""
    number = int.from_bytes(secrets.token_bytes(SECRET_BYTES))
    text = "".join(LETTERS[number >> 5 * place & 31] for place in range(SECRET_BYTES * 8 // 5))
    secret = "-".join(text[at : at + 6] for at in range(0, len(text), 6))
    return Handed(OfferEnrolment(person=person, fingerprint=fingerprint(secret)), secret)


def typed(secret: str) -> str:
    """A secret as a person types it: in any case, with or without the hyphens."""
    plain = "".join(c for c in secret.upper() if c in LETTERS)
    return "-".join(plain[at : at + 6] for at in range(0, len(plain), 6))
