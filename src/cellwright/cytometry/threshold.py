"""Bounds of gates carried once from the scale of the gate to the values in the file, so that no event is transformed.

Scales increase, so `apply(x) >= bound` holds from one floating-point number on; that number is searched, not computed, and
the comparison of events with it is the gate itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cellwright.cytometry.transform import Transform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import Channel

_NEAR: Final = 1 << 12
"""Steps of double precision around the inverse in which the search begins."""


def on_light(transform: Transform | None, bounds: tuple[float, ...]) -> tuple[float, ...]:
    """For each bound the smallest value x, on the scale of the light, with transform(x) >= bound.

    Minus infinity where every value is; not a number where none is.
    """
    return bounds if transform is None else _on_light(transform, bounds)


@lru_cache(maxsize=1024)
def _on_light(transform: Transform, bounds: tuple[float, ...]) -> tuple[float, ...]:
    import numpy as np

    wanted = np.array(bounds, np.float64)
    with np.errstate(all="ignore"):
        guess = transform.inverse(wanted)
        return tuple(_smallest(lambda x: transform.apply(x) >= wanted, guess).tolist())


@lru_cache(maxsize=1024)
def on_file(channel: Channel, light: tuple[float, ...]) -> tuple[float, ...]:
    """For each value on the scale of the light the smallest stored value, of any fraction, that is scaled to it or above."""
    import numpy as np

    if channel.linear:
        return light
    wanted = np.array(light, np.float64)
    with np.errstate(all="ignore"):
        found = _smallest(lambda x: channel.scale(x) >= wanted, np.zeros_like(wanted))
    return tuple(np.where(np.isnan(wanted), np.nan, found).tolist())


def single(value: float) -> np.float32:
    """The smallest number of single precision that is not below a value."""
    import numpy as np

    with np.errstate(over="ignore"):
        near = np.float32(value)
        return np.nextafter(near, np.float32(np.inf)) if near < value else near


def _smallest(
    holds: Callable[[NDArray[np.float64]], NDArray[np.bool_]], guess: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The smallest numbers from which on a condition holds, by halving between a number where it does not and one where it does."""
    import numpy as np

    lowest, highest = _rank(np.full_like(guess, -np.inf)), _rank(np.full_like(guess, np.inf))
    always, never = holds(_number(lowest)), ~holds(_number(highest))
    centre = np.where(np.isnan(guess), 0, _rank(guess))
    low, high = np.maximum(centre - _NEAR, lowest), np.minimum(centre + _NEAR, highest)
    low = np.where(holds(_number(low)), lowest, low)
    high = np.where(holds(_number(high)), high, highest)
    # Ranks reach so far on both sides that their differences and sums may not fit; halves do.
    while np.any(low < high - 1):
        middle = (low >> 1) + (high >> 1) + (low & high & 1)
        reached = holds(_number(middle))
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    return np.where(always, -np.inf, np.where(never, np.nan, _number(high)))


def _rank(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers in the order of the floating-point numbers."""
    import numpy as np

    bits = np.ascontiguousarray(values, np.float64).view(np.int64)
    return np.where(bits < 0, -(bits & np.int64(0x7FFF_FFFF_FFFF_FFFF)), bits)


def _number(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    import numpy as np

    sign = np.where(ranks < 0, np.int64(-0x8000_0000_0000_0000), np.int64(0))
    return (np.abs(ranks) | sign).view(np.float64)
