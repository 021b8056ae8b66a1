"""One-time codes of an authenticator application (TOTP, RFC 6238): six digits, thirty seconds, SHA-1, each used once.

SHA-1 is what the applications of the trade compute; inside HMAC it is not weakened by collisions (RFC 6238, 1.2; RFC
2104). A code counts for its own period and the one before and after it, so a clock may be up to 30 s wrong, and a code is
good for 90 s at most. Whoever keeps the counter of the last code used, and asks for a later one, accepts none twice.
"""

import hmac
import secrets
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES: Final = 20
"""160 bits, the length that RFC 4226 (section 4, R6) recommends."""
DIGITS: Final = 6
PERIOD_S: Final = 30
WINDOW: Final = 1
"""Periods before and after the present one whose code is accepted."""


def new_secret() -> bytes:
    """A secret to be shared with one person's device."""
    return secrets.token_bytes(SECRET_BYTES)


def code(secret: bytes, at: datetime) -> str:
    """The code that the device of this secret shows at a moment."""
    return _generator(secret).generate(int(at.timestamp())).decode()


def accepted(secret: bytes, given: str, at: datetime, after: int) -> int | None:
    """The counter of a code that counts now, or None.

    Args:
        secret: what was shared with the device.
        given: what the person typed; spaces do not count.
        at: now.
        after: counter of the last code used; this one and all earlier ones count no more.
    """
    typed = "".join(given.split()).encode()
    now = int(at.timestamp()) // PERIOD_S
    found = None
    for counter in range(now - WINDOW, now + WINDOW + 1):
        same = hmac.compare_digest(_generator(secret).generate(counter * PERIOD_S), typed)
        if same and counter > after:
            found = counter
    return found


def address(secret: bytes, account: str, site: str) -> str:
    """The `otpauth://` address that a device reads as a QR code. Show it once; it is the secret."""
    return _generator(secret).get_provisioning_uri(account, site)


def _generator(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), PERIOD_S)
