"""Pictures: ticks where they belong, gates where the events are, the same bytes every time, and small however many events."""

import base64
import re
import struct
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest

from cellwright import language
from cellwright.cytometry import (
    Dimension,
    GatingStrategy,
    Node,
    Polygon,
    Range,
    Rectangle,
    encode_fcs,
    gate_sample,
    read_fcs,
)
from cellwright.cytometry.plot import Axis, Band, Cross, Outline, View, density_plot, dot_plot, draw_gates, histogram
from cellwright.cytometry.plot.axis import fitting
from cellwright.cytometry.plot.png import png
from cellwright.cytometry.transform import Logicle


class Asinh:
    """arcsinh(x / 150), typed here so that the pictures are tested without the transforms of the library."""

    def apply(self, values: np.ndarray) -> np.ndarray:
        return np.arcsinh(np.asarray(values, np.float64) / 150)

    def inverse(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(np.sinh(values) * 150)


class Log:
    def apply(self, values: np.ndarray) -> np.ndarray:
        return np.log10(np.asarray(values, np.float64))

    def inverse(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(10.0**values)


def events(n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    return random.lognormal(8, 1, n).astype(np.float32), random.normal(200, 300, n).astype(np.float32)


def axes() -> tuple[Axis, Axis]:
    return Axis("CD3 (FITC-A)", -1000, 262_144, Asinh()), Axis("CAR (APC-A)", -1000, 262_144, Asinh())


def test_decades_and_zero_are_named_and_stand_where_the_scale_puts_them() -> None:
    axis = axes()[0]
    named = [(tick.text + tick.exponent, tick.at) for tick in axis.ticks() if tick.text]
    assert [name for name, _ in named] == ["-103", "0", "103", "104", "105"]
    low, high = np.arcsinh(-1000 / 150), np.arcsinh(262_144 / 150)
    assert dict(named)["104"] == pytest.approx((np.arcsinh(10_000 / 150) - low) / (high - low))


def test_words_never_touch() -> None:
    for low in (-100_000, -5000, -100, 0):
        places = [tick.at for tick in Axis("x", low, 300_000, Asinh()).ticks() if tick.text]
        assert min(np.diff(places)) >= 0.06


def test_a_linear_axis_counts_in_thousands() -> None:
    assert [tick.text for tick in Axis("FSC-A", 0, 262_144).ticks()] == ["0", "50K", "100K", "150K", "200K", "250K"]


def test_a_logarithmic_axis_begins_at_its_first_decade() -> None:
    assert [tick.exponent for tick in Axis("x", 1, 10_000, Log()).ticks() if tick.text] == ["0", "1", "2", "3", "4"]
    with pytest.raises(ValueError, match="no axis"):
        Axis("x", 0, 10_000, Log())


def test_a_fitting_axis_shows_nearly_all_and_leaves_out_what_no_scale_shows() -> None:
    values = events()[0]
    axis = fitting("x", np.append(values, -1.0), Log())
    assert ((values >= axis.low) & (values <= axis.high)).mean() > 0.997
    nothing = fitting("x", np.array([-1.0, -2.0]), Log())
    assert nothing.low < 1 < 10 < nothing.high


def test_an_image_is_a_sound_png() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3
    image = png(pixels, ((255, 255, 255), (1, 2, 3), (4, 5, 6)))
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(image):
        (length,) = struct.unpack(">I", image[at : at + 4])
        kind, body = image[at + 4 : at + 8], image[at + 8 : at + 8 + length]
        assert struct.unpack(">I", image[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (4, 3)
    assert np.array_equal(np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(3, 5)[:, 1:], pixels)


def test_every_picture_is_sound_svg_and_the_same_every_time() -> None:
    x, y = events()
    shapes = (Outline(((2, 1), (4, 1), (4, 3)), "T & B <cells>"), Cross((3,), (2,), ("a", "b", "c", "d")))
    drawn = [
        lambda: density_plot(x, y, axes(), "Density & dots", shapes),
        lambda: dot_plot(x, y, axes(), "Dots", shapes),
        lambda: histogram(x, axes()[0], "Histogram", [Band(3, float("inf"), "CD3+ 60 %")]),
    ]
    for draw in drawn:
        picture = draw()
        assert ET.fromstring(picture.svg).tag.endswith("svg")
        assert draw().svg == picture.svg
        assert picture.alt


def test_a_million_events_weigh_no_more_than_a_picture() -> None:
    x, y = events(1_000_000)
    assert len(density_plot(x, y, axes(), "Density").svg) < 120_000


def test_a_gate_stands_over_the_events_that_are_in_it() -> None:
    """One bright spot of events, and an outline around it: the spot's pixels lie inside of the outline's corners."""
    x = np.full(1000, 10_000.0)
    y = np.full(1000, 1000.0)
    at = np.arcsinh(10_000 / 150), np.arcsinh(1000 / 150)
    corners = tuple((at[0] + dx, at[1] + dy) for dx, dy in ((-0.2, -0.2), (0.2, -0.2), (0.2, 0.2), (-0.2, 0.2)))
    svg = dot_plot(x, y, axes(), "Spot", [Outline(corners)]).svg
    (points,) = re.findall(r'<polygon points="([^"]*)"', svg)
    outline = np.array([[float(n) for n in point.split(",")] for point in points.split()])
    (encoded,) = re.findall(r"base64,([^\"]*)", svg)
    image = base64.b64decode(encoded)
    data = zlib.decompress(image[image.index(b"IDAT") + 4 :][:-12])
    pixels = np.frombuffer(data, np.uint8).reshape(480, 481)[:, 1:]
    rows, columns = np.nonzero(pixels)
    across, down = 64 + 320 * columns / 480, 44 + 320 * rows / 480
    assert outline[:, 0].min() < across.min() < across.max() < outline[:, 0].max()
    assert outline[:, 1].min() < down.min() < down.max() < outline[:, 1].max()


def test_words_are_in_the_language_of_the_reader() -> None:
    x, y = events(100)
    with language.use("zh-Hans"):
        assert "events" not in density_plot(x, y, axes(), "点图").alt


@pytest.mark.parametrize(
    "values", [np.zeros((0, 2)), np.full((3, 2), np.nan), np.full((3, 2), np.inf), np.ones((1, 2))]
)
def test_a_sample_with_nothing_to_show_is_a_frame_with_nothing_in_it(values: np.ndarray) -> None:
    """No event, none that is a number, one alone: the gate is drawn, and the words say that it holds nothing."""
    nothing = read_fcs(encode_fcs(values, ["A", "B"]))
    x, y = (Dimension(name, Logicle(262_144.0, 0.5, 4.5)) for name in "AB")
    gates = GatingStrategy({
        "area": Node(Polygon(x, y, ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7)))),
        "range": Node(Rectangle((Range(x, 0.9, 0.95),))),
    })  # fmt: skip
    view = View(nothing, gates, gate_sample(nothing, gates), {}, {}, "density")
    for _name, picture in draw_gates(view):
        assert "nan" not in picture.svg.lower().replace("nano", "")
