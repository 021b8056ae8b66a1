"""A PNG with a palette (ISO/IEC 15948), small enough to stand inside an SVG."""

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Colour = tuple[int, int, int]


def png(pixels: "NDArray[np.uint8]", palette: Sequence[Colour]) -> bytes:
    """The bytes of an image; index 0 of the palette is transparent.

    Args:
        pixels: shape (height, width), indices into the palette.
        palette: at most 256 colours.
    """
    import numpy as np

    assert pixels.ndim == 2
    assert 0 < len(palette) <= 256
    assert int(pixels.max(initial=0)) < len(palette)
    height, width = pixels.shape
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = pixels
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(bytes(colour) for colour in palette)),
            _chunk(b"tRNS", b"\x00"),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def data_uri(image: bytes) -> str:
    """A PNG as an address that an SVG can hold."""
    return "data:image/png;base64," + base64.b64encode(image).decode()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
