"""The ISBT 128 check character: ISO/IEC 7064, mod 37-2, the pure system (ST-001 Appendix A).

The character ``n`` places from the right weighs ``2**n``. Every single substitution and every adjacent transposition of
different characters changes the checksum, because 37 is prime and 2 generates its multiplicative group.
"""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}


def checksum(text: str) -> int:
    """The checksum 0 to 36 of capitals and digits; ``(38 - sum mod 37) mod 37``.

    Raises:
        KeyError: a character outside the alphabet, an error of the calling program.
    """
    total = 0
    for character in text:
        total = (total + _VALUE[character]) * 2 % 37
    return (38 - total) % 37


def check_character(text: str) -> str:
    """The checksum as one character of ``0-9A-Z*``."""
    return ALPHABET[checksum(text)]
