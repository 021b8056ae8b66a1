"""Polygons on a grid of cells that are wholly inside, wholly outside, or crossed by the line.

A cell is found from the upper half of an event's single-precision bits, without transforming it: the grid's lines are
placed on numbers whose lower half is zero, near where an even grid on the gate's scale would have them. Only events in
crossed cells need the polygon itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CELLS: Final = 254
"""Cells along an axis at most; with one at each end for what is not finite, the number of a cell fits 16 bits."""
SIDE: Final = CELLS + 2
FIRST, LAST = 128, 65408
"""Ranks of the lowest finite numbers and of infinity."""
OUTSIDE, INSIDE, CROSSED = 0, 1, 2
SLACK: Final = 1e-9
MARGIN: Final = 0.02

ToGate = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of the grid.

    Attributes:
        cells: upper 16 bits of a value -> its cell; 0 and the last are for what is not finite.
        low, high: of each inner cell on the gate's scale, including what an event's rounding may hide.
    """

    cells: NDArray[np.uint16]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Raster:
    """A polygon's grid: cell of x + SIDE * cell of y -> outside, inside or crossed."""

    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    state: NDArray[np.uint8]

    def look(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The state of the cell of each event; both arrays contiguous."""
        # Every index is in range; `clip` only spares the check, and is twice as fast as plain indexing.
        cell = self.x.take(_upper(x), mode="clip")
        cell += self.y.take(_upper(y), mode="clip")
        return self.state.take(cell, mode="clip")


def _upper(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    import sys

    import numpy as np

    return values.view(np.uint16)[1 if sys.byteorder == "little" else 0 :: 2]


def axis(low: float, high: float, inverse: ToGate, forward: ToGate, error: ToGate) -> Axis:
    """The axis of a polygon's box.

    Args:
        low, high: the box on the gate's scale.
        inverse: gate's scale -> stored values.
        forward: stored values -> gate's scale.
        error: how far a stored value may be from its single-precision copy.
    """
    import numpy as np

    with np.errstate(all="ignore"):
        margin = (high - low) * MARGIN
        lines = inverse(np.linspace(low - margin, high + margin, CELLS - 4)).astype(np.float32)
        ranks = _rank_of(lines[~np.isnan(lines)])
        # Beyond the margin a cell reaches to infinity; none of these touches the polygon unless the scale ends there.
        past = [FIRST, LAST] + ([ranks.min() - 1, ranks.max() + 1] if len(ranks) else [])
        ranks = np.unique(np.clip([*ranks, *past], FIRST, LAST))
        edges = _edge(ranks).astype(np.float64)
        below = forward(edges[:-1] - error(edges[:-1]))
        above = forward(edges[1:] + error(edges[1:]))
    numbers = np.zeros(65536, np.uint16)
    numbers[FIRST:LAST] = np.repeat(np.arange(1, len(ranks), dtype=np.uint16), np.diff(ranks))
    numbers[LAST:] = SIDE - 1
    return Axis(np.concatenate([numbers[32768:], numbers[:32768][::-1]]), below, above)


def _rank_of(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The upper halves of the bits in the order of the numbers, 0 to 65535."""
    import numpy as np

    upper = (np.ascontiguousarray(values).view(np.uint32) >> 16).astype(np.int64)
    return np.where(upper >= 32768, 65535 - upper, upper + 32768)


def _edge(ranks: NDArray[np.int64]) -> NDArray[np.float32]:
    """The lowest number of a rank: of negative ones that with the lower half full."""
    import numpy as np

    upper = np.where(ranks < 32768, 65535 - ranks, ranks - 32768).astype(np.uint32)
    bits = (upper << np.uint32(16)) | np.where(ranks < 32768, np.uint32(0xFFFF), np.uint32(0)).astype(np.uint32)
    return bits.view(np.float32)


def raster(vertices: Sequence[tuple[float, float]], x: Axis, y: Axis) -> Raster:
    """The grid of a polygon: rows of cells are cut with each of its sides."""
    import numpy as np

    rows = len(y.low)
    with np.errstate(invalid="ignore"):
        middle_x, middle_y = (x.low + x.high) / 2, (y.low + y.high) / 2
    winding = np.zeros((rows, len(x.low) + 1), np.int32)
    crossed = np.zeros((rows, len(x.low) + 1), np.int32)
    each = np.arange(rows)
    slack_x = SLACK * (np.ptp([v[0] for v in vertices]) + max(abs(v[0]) for v in vertices))
    slack_y = SLACK * (np.ptp([v[1] for v in vertices]) + max(abs(v[1]) for v in vertices))
    for (x1, y1), (x2, y2) in zip(vertices, (*vertices[1:], vertices[0]), strict=True):
        # Where the side passes through each row.
        bottom, top = min(y1, y2), max(y1, y2)
        touched = (y.high + slack_y >= bottom) & (y.low - slack_y <= top)
        from_y, to_y = np.clip(y.low - slack_y, bottom, top), np.clip(y.high + slack_y, bottom, top)
        along = (lambda at, x1=x1, y1=y1, x2=x2, y2=y2: x1 + (x2 - x1) * (at - y1) / (y2 - y1)) if y1 != y2 else None
        if along is None:
            left, right = np.full(rows, min(x1, x2)), np.full(rows, max(x1, x2))
        else:
            ends = along(from_y), along(to_y)
            left, right = np.minimum(*ends), np.maximum(*ends)
        first = np.searchsorted(x.high, left - slack_x, "left")
        last = np.searchsorted(x.low, right + slack_x, "right")
        some = touched & (last > first)
        np.add.at(crossed, (each[some], first[some]), 1)
        np.add.at(crossed, (each[some], last[some]), -1)
        # A ray to the right of each row's middle: sides upwards count 1, downwards -1, for all cells left of them.
        if along is not None:
            passes = (middle_y >= bottom) & (middle_y < top)
            until = np.searchsorted(middle_x, along(np.clip(middle_y, bottom, top)), "left")
            sign = 1 if y2 > y1 else -1
            np.add.at(winding[:, 0], each[passes], sign)
            np.add.at(winding, (each[passes], until[passes]), -sign)
    inside = np.cumsum(winding, axis=1)[:, :-1] != 0
    touched_cells = np.cumsum(crossed, axis=1)[:, :-1] > 0
    state = np.full((SIDE, SIDE), CROSSED, np.uint8)
    state[1 : rows + 1, 1 : len(x.low) + 1] = np.where(touched_cells, CROSSED, np.where(inside, INSIDE, OUTSIDE))
    return Raster(x.cells, y.cells * np.uint16(SIDE), state.reshape(-1))
