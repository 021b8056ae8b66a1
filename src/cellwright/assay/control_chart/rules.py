"""Run rules: patterns that chance rarely makes (Nelson, J. Quality Technology 16, 1984; Western Electric, 1956).

A rule is reported at the last point of every window that fulfils it. A point exactly on the centre line is on neither
side, one exactly on a zone's edge is not beyond it, and equal neighbours neither rise nor fall.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cellwright.assay.control_chart.chart import Vector

Flags = NDArray[np.bool_]
NELSON: Final = tuple(f"nelson {number}" for number in range(1, 9))
WESTERN_ELECTRIC: Final = tuple(f"western electric {number}" for number in range(1, 5))


class Signal(msgspec.Struct, frozen=True):
    """A rule fulfilled by the window that ends at `place`."""

    rule: str
    place: int


def nelson(z: Vector) -> tuple[Signal, ...]:
    """Signals of Nelson's eight rules in a series of standardised points [n], by rule and place."""
    step = np.sign(np.diff(z))
    return _signals(NELSON, (
        np.abs(z) > 3,
        _same_side(z, 9, 9, 0.0),
        _shifted(_all(step > 0, 5) | _all(step < 0, 5), 1),
        _shifted(_all(step[1:] * step[:-1] < 0, 12), 2),
        _same_side(z, 3, 2, 2.0),
        _same_side(z, 5, 4, 1.0),
        _all(np.abs(z) < 1, 15),
        _all(np.abs(z) > 1, 8),
    ))  # fmt: skip


def western_electric(z: Vector) -> tuple[Signal, ...]:
    """Signals of the four Western Electric zone rules."""
    found = (np.abs(z) > 3, _same_side(z, 3, 2, 2.0), _same_side(z, 5, 4, 1.0), _same_side(z, 8, 8, 0.0))
    return _signals(WESTERN_ELECTRIC, found)


def _signals(names: tuple[str, ...], flags: tuple[Flags, ...]) -> tuple[Signal, ...]:
    return tuple(
        Signal(name, int(place)) for name, found in zip(names, flags, strict=True) for place in np.flatnonzero(found)
    )


def _counted(flags: Flags, window: int) -> NDArray[np.intp]:
    """How many of the last `window` points are flagged; 0 before the window is full."""
    out = np.zeros(flags.size, np.intp)
    if flags.size >= window:
        out[window - 1 :] = sliding_window_view(flags, window).sum(axis=1)
    return out


def _all(flags: Flags, window: int) -> Flags:
    return np.asarray(_counted(flags, window) == window)


def _same_side(z: Vector, window: int, least: int, beyond: float) -> Flags:
    return np.asarray((_counted(z > beyond, window) >= least) | (_counted(z < -beyond, window) >= least))


def _shifted(flags: Flags, by: int) -> Flags:
    """Flags of differences as flags of the points that end them."""
    return np.concatenate([np.zeros(by, bool), flags])
