"""One-time codes by time, RFC 6238: six digits, thirty seconds, HMAC-SHA-1, which every authenticator app speaks."""

import base64
import hmac
import secrets
import struct
from typing import Final
from urllib.parse import quote

PERIOD_S: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""Periods a phone's clock may be off, either way."""


def new_secret() -> str:
    """160 random bits, base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, counter: int, digits: int = DIGITS) -> str:
    """The code for one counter (RFC 4226, 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def accepted(secret: str, given: str, at_s: float, used: int) -> int | None:
    """The counter that a given code stands for at a time; None if it is wrong, or not newer than the last one used."""
    now = int(at_s) // PERIOD_S
    for counter in range(now - DRIFT, now + DRIFT + 1):
        if counter > used and hmac.compare_digest(code(secret, counter), given.strip()):
            return counter
    return None


def address(secret: str, account: str, site: str) -> str:
    """What an authenticator app reads from a symbol."""
    return f"otpauth://totp/{quote(site)}:{quote(account)}?secret={secret}&issuer={quote(site)}"
