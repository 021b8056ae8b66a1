"""Which totals make a count and its printed share agree?

A source that says "106, which is 57 %" has said the total too, up to rounding. All whole totals for which the share,
rounded to the printed decimals, is the printed one are found in exact arithmetic.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

MOST = 1_000_000
"""Totals that are listed at most; a share of next to nothing allows more."""


class Totals(NamedTuple):
    """The feasible totals, all whole numbers from `first` to `last`; none where `first > last`."""

    first: int
    last: int

    @property
    def none(self) -> bool:
        return self.first > self.last

    @property
    def exact(self) -> int | None:
        """The total, where there is only one."""
        return self.first if self.first == self.last else None

    def numbers(self) -> tuple[int, ...]:
        return tuple(range(self.first, min(self.last, self.first + MOST) + 1))


def totals(count: int, share: Decimal) -> Totals:
    """The whole totals N with 100 count / N within half a unit of the last printed decimal of `share` (per cent).

    Both ends are included: a share that lies in the middle of two may have been rounded either way.

    Raises:
        ValueError: the share is not between 0 (exclusive) and 100, or the count is negative or nought.
    """
    if count <= 0 or not 0 < share <= 100:
        raise ValueError(f"no total follows from {count} being {share} %")
    exponent = share.as_tuple().exponent
    assert isinstance(exponent, int)
    half = Fraction(1, 2) * Fraction(10) ** min(exponent, 0)
    most, least = Fraction(share) + half, Fraction(share) - half
    if least <= 0:
        raise ValueError(f"{share} % may be rounded from next to nothing; no largest total follows")
    return Totals(max(count, ceil(100 * count / most)), floor(100 * count / least))


def common(each: Iterable[Totals]) -> Totals:
    """The totals that fit several statements about the same whole; none where they contradict each other."""
    listed = list(each)
    return Totals(max(one.first for one in listed), min(one.last for one in listed))
