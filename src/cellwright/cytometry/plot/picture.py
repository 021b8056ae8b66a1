"""Pictures: dots, density and histogram, drawn as SVG by hand.

The events are one raster image inside the drawing, so a million of them weigh as much as a thousand; axes, gates and
words are lines and text, so they stay sharp in print and can be read in the reader's language.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import copysign, isfinite
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from cellwright.cytometry.plot.axis import Axis, Tick
from cellwright.cytometry.plot.png import Colour, data_uri, png
from cellwright.cytometry.plot.shape import Band, Cross, Outline, Shape
from cellwright.language import _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.floating]

SIDE: Final = 320.0
"""Edge of the square in which the events lie, in points."""
LEFT, TOP, RIGHT, BOTTOM = 64.0, 44.0, 20.0, 62.0
DOT_CELLS: Final = 480
DENSITY_CELLS: Final = 240
BINS: Final = 200
FONT: Final = "'Noto Sans', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', 'Microsoft YaHei', 'PingFang SC', sans-serif"
INK, FAINT, GATE, FILL = "#1b1f24", "#8a929c", "#b3261e", "#7f9cc0"
_RAMP: Final[tuple[Colour, ...]] = (
    (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142),
    (31, 158, 137), (53, 183, 121), (110, 206, 88), (181, 222, 43), (253, 231, 37),
)  # fmt: skip
"""Ten steps of the viridis map (public domain), which survives grey print and colour blindness."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing as SVG text."""

    svg: str
    alt: str = field(default="")


def density_plot(
    x: "Values", y: "Values", axes: tuple[Axis, Axis], title: str, shapes: Sequence[Shape] = ()
) -> Picture:
    """Colours by how many events lie at a place.

    Args:
        x, y: values of the file, shape (n,) each; events outside of the axes stand on their edges.
    """
    import numpy as np
    from scipy import ndimage

    table = _table(x, y, axes, DENSITY_CELLS)
    smooth = ndimage.gaussian_filter(table, 1.2, mode="nearest")
    shown = np.sqrt(smooth / max(float(smooth.max()), 1e-12))
    pixels = np.where(smooth >= 0.02, 1 + np.round(shown * 254), 0).astype(np.uint8)
    return _plot(axes, title, [_image(pixels, _palette())], shapes, len(x))


def dot_plot(x: "Values", y: "Values", axes: tuple[Axis, Axis], title: str, shapes: Sequence[Shape] = ()) -> Picture:
    """One dot for each event."""
    import numpy as np

    pixels = (_table(x, y, axes, DOT_CELLS) > 0).astype(np.uint8)
    if len(x) < 20_000:
        pixels[:, 1:] |= pixels[:, :-1].copy()
        pixels[1:] |= pixels[:-1].copy()
    return _plot(axes, title, [_image(pixels, ((255, 255, 255), (36, 62, 99)))], shapes, len(x))


def histogram(x: "Values", axis: Axis, title: str, shapes: Sequence[Shape] = ()) -> Picture:
    """How many events have which value; the vertical axis counts events."""
    import numpy as np

    place = np.minimum((axis.place(axis.transformed(x)) * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(place, minlength=BINS).astype(np.float64)
    smooth = np.convolve(np.pad(counts, 2, mode="edge"), [0.06, 0.24, 0.4, 0.24, 0.06], mode="valid")
    upright = Axis(_("Events"), 0.0, max(float(smooth.max()) * 1.2, 1.0))
    heights = upright.place(smooth)
    points = " ".join(f"{LEFT + SIDE * (n + 0.5) / BINS:.1f},{TOP + SIDE * (1 - h):.1f}" for n, h in enumerate(heights))
    floor = TOP + SIDE
    area = (
        f'<polygon points="{LEFT:g},{floor:g} {points} {LEFT + SIDE:g},{floor:g}" fill="{FILL}" fill-opacity="0.55" '
        f'stroke="#2b4f7d" stroke-width="1.1"/>'
    )
    return _plot((axis, upright), title, [area], shapes, len(x))


# --- the parts -------------------------------------------------------------------------------------------------------


def _table(x: "Values", y: "Values", axes: tuple[Axis, Axis], cells: int) -> "NDArray[np.float64]":
    """Events in each cell, shape (cells, cells), the top row first."""
    import numpy as np

    across, up = (
        np.minimum((axis.place(axis.transformed(values)) * cells).astype(np.int64), cells - 1)
        for axis, values in zip(axes, (x, y), strict=True)
    )
    counted = np.bincount(up * cells + across, minlength=cells * cells).reshape(cells, cells)
    return counted[::-1].astype(np.float64)


def _palette() -> list[Colour]:
    colours: list[Colour] = [(255, 255, 255)]
    for n in range(255):
        at = n / 254 * (len(_RAMP) - 1)
        low = min(int(at), len(_RAMP) - 2)
        share = at - low
        mixed = [round(a + (b - a) * share) for a, b in zip(_RAMP[low], _RAMP[low + 1], strict=True)]
        colours.append((mixed[0], mixed[1], mixed[2]))
    return colours


def _image(pixels: "NDArray[np.uint8]", palette: Sequence[Colour]) -> str:
    address = data_uri(png(pixels, palette))
    return f'<image x="{LEFT:g}" y="{TOP:g}" width="{SIDE:g}" height="{SIDE:g}" preserveAspectRatio="none" href="{address}"/>'


def _plot(axes: tuple[Axis, Axis], title: str, body: list[str], shapes: Sequence[Shape], events: int) -> Picture:
    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    counted = _("{events} events").format(events=f"{events:,}".replace(",", "\u2009"))
    words = [
        _text(LEFT, 20, title, size=14, weight="600"),
        _text(LEFT, 36, counted, size=10.5, fill=FAINT),
        _text(LEFT + SIDE / 2, height - 12, axes[0].label, size=12, anchor="middle"),
        f'<g transform="translate(15 {TOP + SIDE / 2:g}) rotate(-90)">{_text(0, 0, axes[1].label, size=12, anchor="middle")}</g>',
    ]
    frame = f'<rect x="{LEFT:g}" y="{TOP:g}" width="{SIDE:g}" height="{SIDE:g}" fill="none" stroke="{INK}" stroke-width="1"/>'
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    clip = f'<rect x="{LEFT:g}" y="{TOP:g}" width="{SIDE:g}" height="{SIDE:g}"/>'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<clipPath id="frame">{clip}</clipPath>',
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
        *body,
        frame,
        *(_horizontal(tick) for tick in axes[0].ticks()),
        *(_vertical(tick) for tick in axes[1].ticks()),
        *(_drawn(shape, axes) for shape in shapes),
        *words,
        "</svg>",
    ]
    return Picture("\n".join(parts) + "\n", f"{title}; {axes[0].label}; {axes[1].label}; {counted}")


def _text(
    x: float, y: float, text: str, *, size: float, anchor: str = "start", fill: str = INK, weight: str = "400"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def _number(x: float, y: float, tick: Tick, anchor: str) -> str:
    raised = f'<tspan font-size="7.5" dy="-4">{tick.exponent}</tspan>' if tick.exponent else ""
    said = tick.text.replace("-", "\u2212")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="10.5" text-anchor="{anchor}" fill="{INK}">{said}{raised}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = INK, width: float = 1.0) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'


def _horizontal(tick: Tick) -> str:
    x, floor = LEFT + SIDE * tick.at, TOP + SIDE
    mark = _line(x, floor, x, floor + (6 if tick.text else 3.5))
    return mark + (_number(x, floor + 19, tick, "middle") if tick.text else "")


def _vertical(tick: Tick) -> str:
    y = TOP + SIDE * (1 - tick.at)
    mark = _line(LEFT - (6 if tick.text else 3.5), y, LEFT, y)
    return mark + (_number(LEFT - 9, y + 3.5, tick, "end") if tick.text else "")


# --- gates -----------------------------------------------------------------------------------------------------------


def _drawn(shape: Shape, axes: tuple[Axis, Axis]) -> str:
    match shape:
        case Outline():
            return _outline(shape, axes)
        case Band():
            return _band(shape, axes[0])
        case Cross():
            return _cross(shape, axes)


def _at(axis: Axis, values: Sequence[float]) -> list[float]:
    """Where values stand, beyond 0 and 1 too; infinite ones one length outside."""
    low, high = axis.ends()
    return [
        min(max((value - low) / (high - low), -1e3), 1e3) if isfinite(value) else copysign(2, value) for value in values
    ]


def _label(x: float, y: float, text: str, anchor: str) -> str:
    """Words over events, with a white edge so that they can be read on any colour."""
    if not text:
        return ""
    said = _text(x, y, text, size=11, anchor=anchor, fill=GATE, weight="600")
    edge = said.replace("<text ", '<text stroke="#fff" stroke-width="3" stroke-linejoin="round" ', 1)
    return edge + said


def _outline(shape: Outline, axes: tuple[Axis, Axis]) -> str:
    across = _at(axes[0], [corner[0] for corner in shape.corners])
    up = _at(axes[1], [corner[1] for corner in shape.corners])
    points = [(LEFT + SIDE * x, TOP + SIDE * (1 - y)) for x, y in zip(across, up, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    highest = max(min(y for _x, y in points), TOP)
    left, right = max(min(x for x, _y in points), LEFT), min(max(x for x, _y in points), LEFT + SIDE)
    y = highest - 5 if highest > TOP + 16 else highest + 14
    line = f'<polygon points="{path}" fill="none" stroke="{GATE}" stroke-width="1.6" clip-path="url(#frame)"/>'
    return line + _label(_inward((left + right) / 2, shape.label), y, shape.label, "middle")


def _inward(x: float, text: str) -> float:
    """A place for the middle of some words that keeps them inside of the frame, by how wide letters usually are."""
    half = min(sum(11.5 if ord(letter) > 0x2E7F else 5.8 for letter in text) / 2 + 4, SIDE / 2)
    return min(max(x, LEFT + half), LEFT + SIDE - half)


def _band(shape: Band, axis: Axis) -> str:
    left, right = (LEFT + SIDE * min(max(place, 0.0), 1.0) for place in _at(axis, [shape.low, shape.high]))
    y = TOP + 30
    edges = "".join(_line(x, y - 8, x, TOP + SIDE, GATE, 1.3) for x in {left, right} if LEFT < x < LEFT + SIDE)
    return (
        edges
        + _line(left, y, right, y, GATE, 1.6)
        + _label(_inward((left + right) / 2, shape.label), y - 6, shape.label, "middle")
    )


def _cross(shape: Cross, axes: tuple[Axis, Axis]) -> str:
    across = [LEFT + SIDE * place for place in _at(axes[0], shape.at_x) if 0 <= place <= 1]
    up = [TOP + SIDE * (1 - place) for place in _at(axes[1], shape.at_y) if 0 <= place <= 1]
    lines = [_line(x, TOP, x, TOP + SIDE, GATE, 1.4) for x in across]
    lines += [_line(LEFT, y, LEFT + SIDE, y, GATE, 1.4) for y in up]
    corners = (
        (LEFT + 6, TOP + SIDE - 8, "start"),
        (LEFT + SIDE - 6, TOP + SIDE - 8, "end"),
        (LEFT + 6, TOP + 16, "start"),
        (LEFT + SIDE - 6, TOP + 16, "end"),
    )
    return "".join(lines) + "".join(
        _label(x, y, text, anchor) for (x, y, anchor), text in zip(corners, shape.labels, strict=False)
    )
