"""Events out of the bytes of a file: one channel at its own width, or many side by side in single precision."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from cellwright.cytometry.layout import Buffer, Field, Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

BLOCK_BYTES: Final = 1 << 19
"""Bytes of the file that are turned at once: with what comes out of them they stay in a core's own cache."""
THREADS_FROM: Final = 1 << 23
"""Bytes of a file from which on threads share the work."""
PART: Final = 1 << 16
"""Events of a thread's part, in whole multiples; a multiple of 8, so that parts of packed bits meet at a byte."""
WORKERS: Final = min(os.cpu_count() or 1, 8)


def raw(data: Buffer, layout: Layout, n: int, begin: int = 0, end: int | None = None) -> NDArray[Any]:
    """Stored values of channel `n` of the events from `begin` to before `end`, in the processor's byte order."""
    import numpy as np

    field = layout.fields[n]
    count = (layout.events if end is None else min(end, layout.events)) - begin
    if count <= 0:
        return np.empty(0, native(field))
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
        values = np.ndarray((count,), stored, data, start, (layout.stride,)).astype(native(field))
    if field.mask:
        values &= values.dtype.type(field.mask)
    return values


def native(field: Field) -> np.dtype[Any]:
    """The type of a stored value in memory."""
    import numpy as np

    width = 4 if field.width == 3 else field.width
    return np.dtype(f"{'u' if field.kind == 'I' else 'f'}{width}")


def gather(data: Buffer, layout: Layout, n: int, begin: int, chosen: NDArray[np.integer]) -> NDArray[Any]:
    """Stored values of channel `n` of some events, counted from the event `begin`, as `raw` gives them."""
    import numpy as np

    field = layout.fields[n]
    if field.width == 3 or not len(chosen):
        found: NDArray[Any] = raw(data, layout, n, begin, begin + (int(chosen.max()) + 1 if len(chosen) else 0))
        return np.asarray(found[chosen])
    values: NDArray[Any] = _view(data, layout, n)[begin:][chosen].astype(native(field))
    if field.mask:
        values &= values.dtype.type(field.mask)
    return values


def rows(data: Buffer, layout: Layout, begin: int, chosen: NDArray[np.integer]) -> NDArray[Any] | None:
    """Stored values of some events of all channels, shape (events, channels), if all are stored alike."""
    table = _table(data, layout, range(len(layout.fields)))
    if table is None:
        return None
    found: NDArray[Any] = table[begin:][chosen]
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def _view(data: Buffer, layout: Layout, n: int) -> NDArray[Any]:
    import numpy as np

    field = layout.fields[n]
    stored = np.dtype(f"{layout.order}{'u' if field.kind == 'I' else 'f'}{field.width}")
    start = layout.begin + field.offset
    return np.ndarray((layout.events,), stored, data, start, (layout.stride,))


def columns(data: Buffer, layout: Layout, wanted: Sequence[int]) -> NDArray[np.float32]:
    """Values of channels in single precision, column-major, shape (events, channels)."""
    import numpy as np

    out = np.empty((len(wanted), layout.events), np.float32)
    parts = split(layout.events, layout.stride)
    if len(parts) == 1:
        fill(data, layout, wanted, 0, out)
        return out.T
    with ThreadPoolExecutor(WORKERS) as workers:
        list(workers.map(lambda part: fill(data, layout, wanted, part[0], out[:, part[0] : part[1]]), parts))
    return out.T


def split(events: int, stride: int) -> list[tuple[int, int]]:
    """Parts of a file for threads; each but the last holds whole blocks. One part where threads would not pay."""
    if events * stride < THREADS_FROM or WORKERS < 2:
        return [(0, events)]
    step = max(PART, -(-events // (4 * WORKERS)) // PART * PART)
    return [(begin, min(begin + step, events)) for begin in range(0, events, step)]


def fill(data: Buffer, layout: Layout, wanted: Sequence[int], begin: int, out: NDArray[np.float32]) -> None:
    """Write the values of the events from `begin` on into `out`, shape (channels, events)."""
    import numpy as np

    step = max(1024, BLOCK_BYTES // layout.stride)
    table = _table(data, layout, wanted)
    # A double beyond single precision becomes an infinity; who judges by these values looks at such an event again.
    with np.errstate(over="ignore"):
        for first in range(0, out.shape[1], step):
            last = min(first + step, out.shape[1])
            if table is not None:
                out[:, first:last] = table[begin + first : begin + last].T
                continue
            for row, n in zip(out, wanted, strict=True):
                row[first:last] = raw(data, layout, n, begin + first, begin + last)


def _table(data: Buffer, layout: Layout, wanted: Sequence[int]) -> NDArray[Any] | None:
    """A view of neighbouring channels that are all stored alike, shape (events, channels); None where they are not."""
    import numpy as np

    if not wanted or not layout.events:
        return None
    fields = [layout.fields[n] for n in wanted]
    first = fields[0]
    alike = all((f.kind, f.width, f.mask) == (first.kind, first.width, 0) for f in fields) and first.width != 3
    if not alike or list(wanted) != list(range(wanted[0], wanted[0] + len(wanted))):
        return None
    stored = np.dtype(f"{layout.order}{'u' if first.kind == 'I' else 'f'}{first.width}")
    start, strides = layout.begin + first.offset, (layout.stride, first.width)
    return np.ndarray((layout.events, len(fields)), stored, data, start, strides)
