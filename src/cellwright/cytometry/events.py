"""Events out of the bytes of a file: one channel at its own width, or many side by side in single precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cellwright.cytometry.layout import Buffer, Field, Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

BLOCK_BYTES: Final = 1 << 19
"""Bytes of the file that are turned at once: with what comes out of them they stay in a core's own cache."""


def matrix(data: Buffer, layout: Layout) -> NDArray[Any]:
    """A view of the stored values of a file whose channels are all alike, shape (events, channels)."""
    import numpy as np

    assert layout.uniform
    field, channels = layout.fields[0], len(layout.fields)
    dtype = np.dtype(f"{layout.order}{'u' if field.kind == 'I' else 'f'}{field.width}")
    return np.frombuffer(data, dtype, layout.events * channels, layout.begin).reshape(layout.events, channels)


def raw(data: Buffer, layout: Layout, n: int, begin: int = 0, end: int | None = None) -> NDArray[Any]:
    """Stored values of channel `n` of the events from `begin` to before `end`, in the processor's byte order."""
    import numpy as np

    field = layout.fields[n]
    count = (layout.events if end is None else min(end, layout.events)) - begin
    if count <= 0:
        return np.empty(0, _native(field))
    start = layout.begin + begin * layout.stride + field.offset
    if field.width == 3:
        parts = np.ndarray((count, 3), np.uint8, data, start, (layout.stride, 1))
        low, high = (0, 2) if layout.order == "<" else (2, 0)
        values = parts[:, high].astype(np.uint32)
        for place in (1, low):
            values <<= 8
            values |= parts[:, place]
    else:
        stored = np.dtype(f"{layout.order}{'u' if field.kind == 'I' else 'f'}{field.width}")
        values = np.ndarray((count,), stored, data, start, (layout.stride,)).astype(_native(field))
    if field.mask:
        values &= values.dtype.type(field.mask)
    return values


def _native(field: Field) -> np.dtype[Any]:
    import numpy as np

    width = 4 if field.width == 3 else field.width
    return np.dtype(f"{'u' if field.kind == 'I' else 'f'}{width}")


def columns(data: Buffer, layout: Layout, wanted: Sequence[int]) -> NDArray[np.float32]:
    """Values of channels in single precision, column-major, shape (events, channels)."""
    import numpy as np

    out = np.empty((len(wanted), layout.events), np.float32)
    fill(data, layout, wanted, 0, out)
    return out.T


def fill(data: Buffer, layout: Layout, wanted: Sequence[int], begin: int, out: NDArray[np.float32]) -> None:
    """Write the values of the events from `begin` on into `out`, shape (channels, events)."""
    step = max(1, BLOCK_BYTES // layout.stride)
    for first in range(0, out.shape[1], step):
        last = min(first + step, out.shape[1])
        for row, n in zip(out, wanted, strict=True):
            row[first:last] = raw(data, layout, n, begin + first, begin + last)
