"""Symbols: text to modules to picture, and a picture back to text.

Zint encodes, zxing-cpp reads back: two programs by different people, so that an error of one is seen by the other (R090).
Both are loaded when first used.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from cellwright.identifier.gs1.element_string import ElementString
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.scan import Payload
from cellwright.language import N_

WHITE: Final = 255
#: Bytes of a row in zint's packed module array.
_ROW_BYTES: Final = 144
#: A square DataMatrix, which finds a place on any label.
_SQUARE: Final = 100
_NAME: Final = N_("a readable symbol")


class Symbology(StrEnum):
    """The symbols in use, named as they are drawn; the value is the AIM identifier a reader reports."""

    DATA_MATRIX = "d1"
    GS1_DATA_MATRIX = "d2"
    CODE_128 = "C0"
    GS1_128 = "C1"
    QR_CODE = "Q1"


#: Light modules around each symbol that the symbology asks for.
QUIET_ZONE: Final = {
    Symbology.DATA_MATRIX: 2,
    Symbology.GS1_DATA_MATRIX: 2,
    Symbology.CODE_128: 10,
    Symbology.GS1_128: 10,
    Symbology.QR_CODE: 4,
}
_LINEAR: Final = frozenset({Symbology.CODE_128, Symbology.GS1_128})
_GS1: Final = frozenset({Symbology.GS1_DATA_MATRIX, Symbology.GS1_128})
#: Height of a linear symbol in modules.
LINEAR_HEIGHT: Final = 36


@dataclass(frozen=True)
class Picture:
    """A grey picture.

    Attributes:
        width: pixels of a row.
        height: rows.
        pixels: ``width * height`` bytes, row by row, 0 black to 255 white.
    """

    width: int
    height: int
    pixels: bytes

    def __post_init__(self) -> None:
        assert len(self.pixels) == self.width * self.height, "one byte for each pixel"

    @property
    def png(self) -> bytes:
        """The picture as a PNG file, eight bits grey."""
        rows = (self.pixels[start : start + self.width] for start in range(0, len(self.pixels), self.width))
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 0, 0, 0, 0)
        body = zlib.compress(b"".join(b"\x00" + row for row in rows), 6)
        chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


@dataclass(frozen=True)
class Symbol:
    """An encoded text.

    Attributes:
        symbology: how it is drawn.
        text: what a reader reports, separators of GS1 data as character 29.
        rows: the modules, a byte each, 1 dark; one row for a linear symbol.
    """

    symbology: Symbology
    text: str
    rows: tuple[bytes, ...]

    @property
    def width(self) -> int:
        """Modules across, quiet zone included."""
        return len(self.rows[0]) + 2 * QUIET_ZONE[self.symbology]

    @property
    def height(self) -> int:
        """Modules down, quiet zone included; a linear symbol has none above and below."""
        return LINEAR_HEIGHT if self._linear else len(self.rows) + 2 * QUIET_ZONE[self.symbology]

    @cached_property
    def path(self) -> str:
        """The dark modules as an SVG path of unit squares, runs of a row joined."""
        quiet = QUIET_ZONE[self.symbology]
        tall, top = (LINEAR_HEIGHT, 0) if self._linear else (1, quiet)
        pieces: list[str] = []
        for y, row in enumerate(self.rows, top):
            for start, length in _runs(row):
                pieces.append(f"M{start + quiet} {y}h{length}v{tall}h-{length}z")
        return "".join(pieces)

    def svg(self, module: float = 1.0) -> str:
        """The symbol as an SVG document, ``module`` millimetres to a module."""
        size = f'width="{self.width * module:g}mm" height="{self.height * module:g}mm"'
        box = f'viewBox="0 0 {self.width} {self.height}"'
        drawing = f'<path fill="#fff" d="M0 0h{self.width}v{self.height}H0z"/><path d="{self.path}"/>'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} shape-rendering="crispEdges">{drawing}</svg>'

    def picture(self, scale: int = 3) -> Picture:
        """The symbol as a picture, ``scale`` pixels to a module."""
        side = bytes([WHITE]) * (QUIET_ZONE[self.symbology] * scale)
        ink = {0: bytes([WHITE]) * scale, 1: bytes(scale)}
        lines = [side + b"".join(ink[module] for module in row) + side for row in self.rows]
        if self._linear:
            pixels = lines[0] * (LINEAR_HEIGHT * scale)
        else:
            blank = bytes([WHITE]) * (self.width * scale * QUIET_ZONE[self.symbology] * scale)
            pixels = blank + b"".join(line * scale for line in lines) + blank
        return Picture(self.width * scale, self.height * scale, pixels)

    @property
    def _linear(self) -> bool:
        return self.symbology in _LINEAR


def encode(content: str | ElementString, symbology: Symbology) -> Symbol:
    """The symbol of a text, or of an element string where the symbology is one of GS1.

    Raises:
        IdentifierError: text that is not printable ASCII, or GS1 and plain mixed up, or too long for the symbology.
    """
    if isinstance(content, ElementString) != (symbology in _GS1):
        raise refuse(Code.WRONG_SYMBOLOGY, as_text(content), _NAME, "R090", detail=symbology.name)
    text = as_text(content)
    if not text.replace("\x1d", "").isascii() or not text.replace("\x1d", "").isprintable() or not text:
        raise refuse(Code.SYMBOL_UNREADABLE, text, _NAME, "R090", detail=symbology.name)
    return Symbol(symbology, text, _modules(content, symbology))


def decode(picture: Picture, *, only: bool = False) -> list[Payload]:
    """The symbols in a picture, in the order they are found.

    Args:
        picture: any grey picture, such as a scanned label.
        only: the picture holds nothing but one upright symbol, which is read faster.
    """
    import zxingcpp

    pixels = memoryview(picture.pixels).cast("B", (picture.height, picture.width))
    formats = (
        zxingcpp.BarcodeFormat.DataMatrix,
        zxingcpp.BarcodeFormat.Code128,
        zxingcpp.BarcodeFormat.QRCode,
    )
    found = zxingcpp.read_barcodes(pixels, formats=zxingcpp.BarcodeFormats(formats), is_pure=only)
    return [Payload(code.bytes.decode("latin-1"), code.symbology_identifier[1:]) for code in found]


def read_back(symbol: Symbol) -> Payload:
    """The text of a symbol as an independent reader sees it.

    Raises:
        IdentifierError: it is not readable, or reads as something else (R090).
    """
    found = decode(symbol.picture(), only=True)
    if len(found) != 1:
        raise refuse(Code.SYMBOL_UNREADABLE, symbol.text, _NAME, "R090", detail=f"{len(found)}")
    if found[0] != Payload(symbol.text, symbol.symbology.value):
        detail, form = symbol.symbology.name, symbol.text
        raise refuse(Code.CONTENT_DIFFERS, found[0].text, _NAME, "R090", detail=detail, form=form)
    return found[0]


def as_text(content: str | ElementString) -> str:
    """What a reader reports of a content, separators of GS1 data as character 29."""
    return content.data if isinstance(content, ElementString) else content


def _modules(content: str | ElementString, symbology: Symbology) -> tuple[bytes, ...]:
    import zint

    symbol = zint.Symbol()
    kinds = {
        Symbology.DATA_MATRIX: zint.Symbology.DATAMATRIX,
        Symbology.GS1_DATA_MATRIX: zint.Symbology.DATAMATRIX,
        Symbology.CODE_128: zint.Symbology.CODE128,
        Symbology.GS1_128: zint.Symbology.GS1_128,
        Symbology.QR_CODE: zint.Symbology.QRCODE,
    }
    symbol.symbology = kinds[symbology]
    symbol.show_text = False
    if symbology in (Symbology.DATA_MATRIX, Symbology.GS1_DATA_MATRIX):
        symbol.option_3 = _SQUARE
    symbol.warn_level = zint.WarningLevel.FAIL_ALL
    data = as_text(content)
    if isinstance(content, ElementString):
        symbol.input_mode = zint.InputMode.GS1
        data = "".join(f"[{ai}]{value}" for ai, value in content.elements)
    try:
        symbol.encode(data)
    except (RuntimeError, ValueError) as error:
        raise refuse(Code.SYMBOL_UNREADABLE, as_text(content), _NAME, "R090", detail=str(error)) from error
    packed = bytes(symbol.encoded_data.tobytes())
    return tuple(_unpack(packed, row, symbol.width) for row in range(symbol.rows))


def _unpack(packed: bytes, row: int, width: int) -> bytes:
    start = row * _ROW_BYTES
    bits = int.from_bytes(packed[start : start + _ROW_BYTES], "little")
    return bytes(bits >> place & 1 for place in range(width))


def _runs(row: bytes) -> Sequence[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    runs: list[tuple[int, int]] = []
    start = row.find(1)
    while start >= 0:
        end = row.find(0, start)
        end = len(row) if end < 0 else end
        runs.append((start, end - start))
        start = row.find(1, end)
    return runs


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
