"""The symbols of a label as one picture, as a camera above the print sees them: what scan-back reads (R090)."""

from collections.abc import Sequence
from typing import Final

from cellwright.identifier.symbol import WHITE, Picture, Symbol

#: Light modules between two symbols, beside the quiet zones they bring.
_APART: Final = 2


def sheet(symbols: Sequence[Symbol], scale: int = 3) -> Picture:
    """The symbols one below the other.

    Args:
        symbols: at least one.
        scale: pixels to a module; a printer of 200 dots per inch sets a module of 0.4 mm in three.
    """
    pictures = [symbol.picture(scale) for symbol in symbols]
    width = max(picture.width for picture in pictures)
    apart = bytes([WHITE]) * (width * _APART * scale)
    pixels = apart.join(_widened(picture, width) for picture in pictures)
    return Picture(width, len(pixels) // width, pixels)


def _widened(picture: Picture, width: int) -> bytes:
    """The rows of a picture, light to the right of it."""
    missing = bytes([WHITE]) * (width - picture.width)
    rows = (picture.pixels[at : at + picture.width] for at in range(0, len(picture.pixels), picture.width))
    return b"".join(row + missing for row in rows)
