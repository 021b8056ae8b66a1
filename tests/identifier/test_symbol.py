"""Symbols encoded by one program and read back by another."""

import subprocess
import sys
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import IdentifierError
from cellwright.identifier.gs1.element_string import ElementString, read_eye_readable
from cellwright.identifier.scan import Payload
from cellwright.identifier.symbol import Picture, Symbol, Symbology, decode, encode, read_back

PLAIN = (Symbology.DATA_MATRIX, Symbology.CODE_128, Symbology.QR_CODE)
GS1 = (Symbology.GS1_DATA_MATRIX, Symbology.GS1_128)
COMPOUND = "=+04000=A99992112345600=<S12954A0&>0253652359&/CHA99992100012A"
ELEMENTS = read_eye_readable("(01)09501101530003(17)270630(10)2A1B2C(21)SN000123")


@pytest.mark.requirement("R090")
@pytest.mark.parametrize("symbology", PLAIN)
@pytest.mark.parametrize("text", ["=A99992112345600", "&/CHA99992100012A", COMPOUND, "LA9999260000001F", "=\\62*"])
def test_plain_text_reads_back(symbology: Symbology, text: str) -> None:
    assert read_back(encode(text, symbology)) == Payload(text, symbology.value)


@pytest.mark.requirement("R090")
@pytest.mark.parametrize("symbology", GS1)
@pytest.mark.parametrize(
    "elements",
    [
        ELEMENTS,
        read_eye_readable("(00)376130321109103420"),
        read_eye_readable("(01)09501101530003(17)270200(10)LOT1(4331)013000-(8018)376130321109103420(8019)12"),
    ],
)
def test_gs1_data_read_back_with_their_separators(symbology: Symbology, elements: ElementString) -> None:
    if symbology is Symbology.GS1_128 and len(elements.data) > 48:
        with pytest.raises(IdentifierError):  # GS1-128 holds 48 characters
            encode(elements, symbology)
        return
    assert read_back(encode(elements, symbology)) == Payload(elements.data, symbology.value)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60), st.sampled_from(PLAIN))
@settings(deadline=None, max_examples=150)
def test_any_printable_text_reads_back(text: str, symbology: Symbology) -> None:
    assert read_back(encode(text, symbology)).text == text


@pytest.mark.parametrize("text", ["", "姓名", "A\nB", "é", "A\x00"])
@pytest.mark.parametrize("symbology", PLAIN)
def test_text_that_scanners_disagree_on_is_refused(text: str, symbology: Symbology) -> None:
    with pytest.raises(IdentifierError):
        encode(text, symbology)


def test_plain_text_and_gs1_data_are_not_mixed_up() -> None:
    with pytest.raises(IdentifierError):
        encode("0109501101530003", Symbology.GS1_DATA_MATRIX)
    with pytest.raises(IdentifierError):
        encode(ELEMENTS, Symbology.DATA_MATRIX)


def test_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(IdentifierError):
        encode("A" * 4000, Symbology.DATA_MATRIX)


@pytest.mark.requirement("R090")
def test_a_symbol_that_reads_as_another_text_is_refused() -> None:
    drawn = encode("=A99992112345600", Symbology.DATA_MATRIX)
    forged = Symbol(drawn.symbology, "=A99992112345601", drawn.rows)
    with pytest.raises(IdentifierError):
        read_back(forged)


@pytest.mark.requirement("R090")
def test_a_blot_is_not_readable() -> None:
    drawn = encode("=A99992112345600", Symbology.DATA_MATRIX)
    blotted = Symbol(drawn.symbology, drawn.text, tuple(bytes([1]) * len(row) for row in drawn.rows))
    with pytest.raises(IdentifierError):
        read_back(blotted)


@pytest.mark.parametrize("symbology", PLAIN)
def test_path_and_picture_show_the_same_modules(symbology: Symbology) -> None:
    drawn = encode(COMPOUND, symbology)
    picture = drawn.picture(scale=1)
    dark = sum(pixel == 0 for pixel in picture.pixels)
    area = sum(
        int(run.split("h")[1].split("v")[0]) * int(run.split("v")[1].split("h")[0])
        for run in drawn.path.removesuffix("z").split("z")
    )
    assert (picture.width, picture.height) == (drawn.width, drawn.height)
    assert dark == area
    assert drawn.svg().startswith("<svg ")


def test_a_picture_with_several_symbols_is_read() -> None:
    one, other = (encode(text, Symbology.DATA_MATRIX).picture() for text in ("=A99992112345600", "&/CHA99992100012A"))
    side = max(one.width, other.width)
    pad = [
        [
            picture.pixels[row * picture.width : (row + 1) * picture.width].ljust(side, b"\xff")
            for row in range(picture.height)
        ]
        for picture in (one, other)
    ]
    rows = [*pad[0], *([b"\xff" * side] * 30), *pad[1]]
    found = decode(Picture(side, len(rows), b"".join(rows)))
    assert {payload.text for payload in found} == {"=A99992112345600", "&/CHA99992100012A"}


def test_png_holds_the_pixels() -> None:
    picture = encode("LA9999260000001F", Symbology.CODE_128).picture(2)
    body = picture.png.split(b"IDAT")[1].split(b"IEND")[0]
    raw = zlib.decompressobj().decompress(body)
    width = picture.width + 1
    assert b"".join(raw[start + 1 : start + width] for start in range(0, len(raw), width)) == picture.pixels


def test_reading_a_scan_loads_no_drawing_library() -> None:
    code = "import sys, cellwright.identifier, cellwright.identifier.scan, cellwright.identifier.symbol; "
    code += "sys.exit(any(name in sys.modules for name in ('zint', 'zxingcpp', 'numpy', 'resvg_py')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
