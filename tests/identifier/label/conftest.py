"""A small PNG reader, so that a whole printed label can be given to the symbol reader."""

import struct
import zlib
from collections.abc import Callable

import pytest

from cellwright.identifier.symbol import Picture

_CHANNELS = 4


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    distances = (abs(guess - left), abs(guess - above), abs(guess - corner))
    return (left, above, corner)[distances.index(min(distances))]


def _grey(png: bytes) -> Picture:
    """A red-green-blue-alpha PNG of eight bits as a grey picture (PNG specification, section 9 on filters)."""
    place, body, width, height = 8, b"", 0, 0
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[:10])
            assert (depth, colour) == (8, 6)
        body += data if kind == b"IDAT" else b""
        place += 12 + length
    raw, stride = zlib.decompress(body), width * _CHANNELS
    above, pixels = bytearray(stride), bytearray()
    for start in range(0, len(raw), stride + 1):
        how, row = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for index in range(stride):
            left = row[index - _CHANNELS] if index >= _CHANNELS else 0
            corner = above[index - _CHANNELS] if index >= _CHANNELS else 0
            add = (0, left, above[index], (left + above[index]) // 2, 0)[how]
            if how == 4:
                add = _paeth(left, above[index], corner)
            row[index] = (row[index] + add) & 255
        pixels += row[::_CHANNELS]
        above = row
    return Picture(width, height, bytes(pixels))


@pytest.fixture
def read_png() -> Callable[[bytes], Picture]:
    """Reads a PNG file into a grey picture."""
    return _grey
