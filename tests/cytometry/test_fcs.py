"""FCS 3.1 files: what is written is read back, and what is damaged gives no events."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.cytometry import FcsError, FcsFile, Gate, GateError, count, read_fcs, write_fcs

CHANNELS = ("FSC-A", "CD3", "CAR")


def sample(n: int = 50) -> np.ndarray:
    return np.random.default_rng(1).normal(1000, 300, (n, 3)).astype(np.float32)


def test_a_file_reads_back_as_written() -> None:
    events = sample()
    file = read_fcs(write_fcs(CHANNELS, events, {"$SMNO": "S-1", "$CYT": "simulated"}))
    assert file.channels == CHANNELS
    assert file.text["$SMNO"] == "S-1"
    np.testing.assert_array_equal(file.events, events)


def test_an_independent_layout_is_read() -> None:
    """Header and text typed by hand after the standard's description, big-endian, with another delimiter."""
    text = (
        b"/$BEGINDATA/256/$ENDDATA/263/$MODE/L/$DATATYPE/F/$BYTEORD/4,3,2,1/$PAR/2/$TOT/1/$NEXTDATA/0"
        b"/$P1N/A/$P1B/32/$P2N/B/$P2B/32/"
    )
    header = b"FCS3.1    " + b"".join(b"%8d" % n for n in (58, 58 + len(text) - 1, 256, 263, 0, 0))
    data = (header + text).ljust(256, b" ") + np.array([1.5, -2.0], ">f4").tobytes()
    np.testing.assert_array_equal(read_fcs(data).events, [[1.5, -2.0]])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"FCS3.1", b"FCS2.0"),
        (b"$MODE\x0cL", b"$MODE\x0cH"),
        (b"$DATATYPE\x0cF", b"$DATATYPE\x0cI"),
        (b"$TOT\x0c50", b"$TOT\x0c51"),
        (b"$P2N", b"$P1N"),
    ],
)
def test_a_file_that_contradicts_itself_gives_no_events(old: bytes, new: bytes) -> None:
    data = write_fcs(CHANNELS, sample(), {})
    assert old in data
    with pytest.raises(FcsError):
        read_fcs(data.replace(old, new, 1))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_never_crashes(data: st.DataObject) -> None:
    raw = bytearray(write_fcs(CHANNELS, sample(5), {}))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    try:
        file = read_fcs(bytes(raw[:cut]))
    except FcsError:
        return
    assert file.events.shape[1] == len(file.channels)


def test_gates_count_inside_their_parents() -> None:
    events = np.array([[1, 0, 0], [1, 5, 0], [1, 5, 9], [0, 5, 9]], np.float32)
    file = FcsFile({}, CHANNELS, events)
    gates = [
        Gate("cells", "", {"FSC-A": (0.5, 10)}),
        Gate("CD3+", "cells", {"CD3": (1, 10)}),
        Gate("CAR+", "CD3+", {"CAR": (1, 10)}),
    ]
    assert count(file, gates) == {"cells": 3, "CD3+": 2, "CAR+": 1}
    with pytest.raises(GateError):
        count(file, gates[::-1])
    with pytest.raises(FcsError, match="no channel 'CD19'"):
        count(file, [Gate("B", "", {"CD19": (0, 1)})])
