"""The drawing of a label: SVG for screen and printer, PNG through resvg for printers that take pictures.

Layout: linear symbols across the top, two-dimensional ones in a column at the left, the fields beside them, the legends
boxed at the foot. Text shrinks until it fits; text that would become unreadable is refused.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

from cellwright.identifier.label.biohazard import biohazard
from cellwright.identifier.label.content import LabelContent
from cellwright.identifier.label.legend import Legend
from cellwright.identifier.label.template import CAPTIONS, Field, TemplateRegister
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.symbol import LINEAR_HEIGHT, Symbol, read_back
from cellwright.language import N_

FONTS: Final = "Noto Sans SC, Source Han Sans SC, WenQuanYi Micro Hei, Microsoft YaHei, PingFang SC, sans-serif"
_MARGIN: Final = 2.0
_GAP: Final = 1.5
#: Text below this size, in millimetres of the em square, is not readable at arm's length.
_SMALLEST: Final = 1.3
_LARGEST: Final = 3.4
_LEGEND_LARGEST: Final = 3.6
_LEGEND_SMALLEST: Final = 1.8
#: Part of the label's height that the legends may take while they stay larger than the smallest.
_LEGEND_SHARE: Final = 0.35
#: Widths of characters in parts of the em square, on the wide side for the fonts above.
_WIDE: Final = 1.0
_CAPITAL: Final = 0.72
_SMALL: Final = 0.58
_LINE: Final = 1.35
_CAPTION_SHARE: Final = 0.34
_BETWEEN_LANGUAGES: Final = " / "
#: Legends printed white on black.
_INVERSE: Final = frozenset({Legend.SIMULATED})
#: Characters that a font must tell apart before it may draw labels.
_PROBE: Final = "仅供自体使用患者Ag"
_PROBE_SIZE: Final = 24
_PROBE_DOTS_PER_INCH: Final = 96


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """A label ready for the printer, its symbols already read back from the drawing.

    Attributes:
        content: what it is meant to say.
        svg: the drawing, in millimetres.
    """

    content: LabelContent
    svg: str


def print_label(content: LabelContent, register: TemplateRegister) -> PrintedLabel:
    """Draw a label whose template is in force, and read back every symbol.

    Raises:
        IdentifierError: the template is obsolete (R091), a symbol does not read as intended (R090), or text does not fit.
    """
    register.for_print(content.template.kind, content.template.version)
    for _, symbol in content.symbols:
        read_back(symbol)
    return PrintedLabel(content, draw(content))


def draw(content: LabelContent) -> str:
    """The label as an SVG document.

    Raises:
        IdentifierError: text or symbols do not fit in readable size.
    """
    template = content.template
    strips = [symbol for _, symbol in content.symbols if symbol.height == LINEAR_HEIGHT and len(symbol.rows) == 1]
    matrices = [symbol for _, symbol in content.symbols if len(symbol.rows) > 1]
    top, pieces = _draw_strips(strips, template.module, template.width)
    foot, legends = _draw_legends(content, template.width, template.height)
    side, column = _draw_column(matrices, template.module, top, foot)
    lines = _draw_fields(content, side, top, foot)
    size = f'width="{template.width:g}mm" height="{template.height:g}mm"'
    box = f'viewBox="0 0 {template.width:g} {template.height:g}"'
    ground = f'<path fill="#fff" d="M0 0h{template.width:g}v{template.height:g}H0z"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} font-family="{FONTS}">'
    return "".join((head, ground, *pieces, *column, *lines, *legends, "</svg>"))


def render_png(svg: str, dots_per_inch: int = 300, font_files: Sequence[str] = ()) -> bytes:
    """The drawing as a PNG file.

    Args:
        svg: a drawing of :func:`draw`.
        dots_per_inch: the printer's resolution.
        font_files: fonts to use instead of those of the system.

    Raises:
        IdentifierError: the fonts cannot draw Chinese, or the library for pictures is not installed (R090).
    """
    if not _fonts_draw(tuple(font_files)):
        form = ", ".join(font_files) or FONTS
        detail = N_("the fonts lack characters of the label")
        raise refuse(
            Code.SYMBOL_UNREADABLE, "PNG", N_("a font with Latin and Chinese"), "R090", detail=detail, form=form
        )
    return _rasterise(svg, dots_per_inch, tuple(font_files))


def _rasterise(svg: str, dots_per_inch: int, font_files: tuple[str, ...]) -> bytes:
    try:
        import resvg_py
    except ModuleNotFoundError as error:
        detail = N_("no library for pictures is installed")
        raise refuse(Code.SYMBOL_UNREADABLE, "PNG", "cellwright[labels]", "R090", detail=detail) from error
    fonts = list(font_files) or None
    own = bool(font_files)
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=dots_per_inch, font_files=fonts, skip_system_fonts=own))


@cache
def _fonts_draw(font_files: tuple[str, ...]) -> bool:
    """Whether each probe character is drawn, and differently from the others: a missing one is a blank or a box."""
    blank = _probe("", font_files)
    drawn = [_probe(character, font_files) for character in _PROBE]
    return blank not in drawn and len(set(drawn)) == len(drawn)


def _probe(character: str, font_files: tuple[str, ...]) -> bytes:
    text = f'<text x="2" y="20" font-size="20" font-family="{FONTS}">{character}</text>'
    box = f'width="{_PROBE_SIZE}" height="{_PROBE_SIZE}" viewBox="0 0 {_PROBE_SIZE} {_PROBE_SIZE}"'
    return _rasterise(f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{text}</svg>', _PROBE_DOTS_PER_INCH, font_files)


def _width(text: str, size: float) -> float:
    """Millimetres a text takes at a size, on the wide side."""
    return size * sum(
        _WIDE
        if unicodedata.east_asian_width(char) in "WF"
        else _CAPITAL
        if char.isupper() or char.isdigit()
        else _SMALL
        for char in text
    )


def _fit(text: str, size: float, width: float, what: str) -> float:
    """The size at which a text fits into a width."""
    fitting = min(size, width / _width(text, 1.0)) if text else size
    if fitting < _SMALLEST:
        detail = f"{what}: {fitting:.1f} mm"
        raise refuse(Code.DOES_NOT_FIT, text, N_("readable text"), "R091", detail=detail, form=f"≥ {_SMALLEST} mm")
    return fitting


def _place(symbol: Symbol, module: float, x: float, y: float) -> str:
    place = f'transform="translate({x:.2f} {y:.2f}) scale({module:g})"'
    return f'<path {place} shape-rendering="crispEdges" d="{symbol.path}"/>'


def _draw_strips(symbols: Sequence[Symbol], module: float, width: float) -> tuple[float, list[str]]:
    """Linear symbols one below the other; returns where the next thing may begin."""
    y, pieces = _MARGIN, []
    for symbol in symbols:
        fine = min(module, (width - 2 * _MARGIN) / symbol.width)
        pieces.append(_place(symbol, fine, _MARGIN, y))
        y += symbol.height * fine + _GAP
    return y, pieces


def _draw_legends(content: LabelContent, width: float, height: float) -> tuple[float, list[str]]:
    """Legends at the foot, the most important on top; returns where they begin."""
    share = height * _LEGEND_SHARE / (max(1, len(content.legends)) * 1.6)
    size = min(_LEGEND_LARGEST, max(_LEGEND_SMALLEST, min(share, height / 22)))
    inner = width - 2 * _MARGIN
    foot = height - _MARGIN - len(content.legends) * size * 1.6
    pieces: list[str] = []
    for row, printed in enumerate(content.legends):
        text = str(printed.text)
        tall = size * 1.5
        y = foot + row * size * 1.6
        indent = tall if printed.legend is Legend.BIOHAZARD else 0.0
        fitting = _fit(text, size, inner - 2 - indent, printed.legend.value)
        ink, paper = ("#fff", "#000") if printed.legend in _INVERSE else ("#000", "#fff")
        pieces.append(
            f'<rect x="{_MARGIN}" y="{y:.2f}" width="{inner:g}" height="{tall:.2f}" fill="{paper}" stroke="#000" '
            f'stroke-width="0.2"/><text x="{_MARGIN + 1 + indent:.2f}" y="{y + size * 1.1:.2f}" '
            f'font-size="{fitting:.2f}" font-weight="bold" fill="{ink}">{escape(text)}</text>'
        )
        if indent:
            pieces.append(biohazard(_MARGIN + 0.5, y, tall))
    return foot - _GAP / 2, pieces


def _draw_column(symbols: Sequence[Symbol], module: float, top: float, foot: float) -> tuple[float, list[str]]:
    """Two-dimensional symbols in columns from the left; returns where the text may begin."""
    x, y, widest, pieces = _MARGIN, top, 0.0, []
    for symbol in symbols:
        side = symbol.width * module
        if y + side > foot and y > top:
            x, y, widest = x + widest, top, 0.0
        if y + side > foot:
            detail = f"{side:.1f} mm / {foot - y:.1f} mm"
            raise refuse(Code.DOES_NOT_FIT, symbol.text, N_("room for the symbol"), "R091", detail=detail)
        pieces.append(_place(symbol, module, x, y))
        y, widest = y + side, max(widest, side)
    return x + widest, pieces


def _draw_fields(content: LabelContent, left: float, top: float, foot: float) -> list[str]:
    """The fields: caption in both languages, then the value, in two lines where one would be too small."""
    width = content.template.width - _MARGIN - left
    values = [(name, _lines(value, width * (1 - _CAPTION_SHARE))) for name, value in content.values.items()]
    rows = sum(len(lines) for _, lines in values)
    size = min(_LARGEST, (foot - top) / (rows * _LINE))
    if size < _SMALLEST:
        detail = f"{rows}: {size:.1f} mm"
        raise refuse(Code.DOES_NOT_FIT, content.template.id, N_("readable text"), "R091", detail=detail)
    pieces: list[str] = []
    row = 0
    for name, lines in values:
        for number, line in enumerate(lines):
            row += 1
            y = top + row * size * _LINE - size * 0.3
            pieces += _draw_field(name, line, (left, y), width, size, captioned=number == 0)
    return pieces


def _lines(value: str, width: float) -> list[str]:
    """A value in one line, or each language in its own where one line would be too small to read."""
    return [value] if _width(value, _SMALLEST) <= width else value.split(_BETWEEN_LANGUAGES)


def _draw_field(
    name: Field, value: str, place: tuple[float, float], width: float, size: float, *, captioned: bool
) -> list[str]:
    x, y = place
    caption = str(CAPTIONS[name]) if captioned else ""
    share = width * _CAPTION_SHARE
    small = _fit(caption, max(size * 0.75, _SMALLEST), share - 0.5, name.value)
    fitting = _fit(value, size, width - share, name.value)
    return [
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{small:.2f}">{escape(caption)}</text>',
        f'<text x="{x + share:.2f}" y="{y:.2f}" font-size="{fitting:.2f}" font-weight="bold">{escape(value)}</text>',
    ]
