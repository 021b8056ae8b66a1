"""One-time codes: the vectors of RFC 6238, the window, and that none counts twice."""

from datetime import UTC, datetime, timedelta

import pytest

from cellwright.command import one_time_code as otp

RFC_SECRET = b"12345678901234567890"
"""RFC 6238, appendix B, SHA-1."""


@pytest.mark.parametrize(
    ("seconds", "eight"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_rfc(seconds: int, eight: str) -> None:
    """RFC 6238, appendix B prints eight digits; six digits are their last six."""
    assert otp.code(RFC_SECRET, datetime.fromtimestamp(seconds, UTC)) == eight[-6:]


def test_a_code_counts_in_its_own_period_and_its_neighbours_and_once() -> None:
    secret, now = otp.new_secret(), datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    typed = otp.code(secret, now)
    for periods in (-1, 0, 1):
        assert otp.accepted(secret, typed, now + periods * timedelta(seconds=30), -1) is not None, periods
    for periods in (-2, 2):
        assert otp.accepted(secret, typed, now + periods * timedelta(seconds=30), -1) is None, periods
    used = otp.accepted(secret, f" {typed[:3]} {typed[3:]} ", now, -1)
    assert used is not None
    assert otp.accepted(secret, typed, now, used) is None
    assert otp.accepted(secret, otp.code(secret, now - timedelta(seconds=30)), now, used) is None, (
        "an older one neither"
    )
    assert otp.accepted(secret, otp.code(secret, now + timedelta(seconds=30)), now, used) == used + 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "\0" * 6])
def test_what_is_no_code_is_not_accepted(typed: str) -> None:
    assert otp.accepted(RFC_SECRET, typed, datetime.fromtimestamp(59, UTC), -1) is None


def test_a_device_reads_the_secret_from_an_address() -> None:
    address = otp.address(RFC_SECRET, "op-1", "cells.example.org")
    assert address.startswith("otpauth://totp/cells.example.org:op-1?")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in address
