"""Damaged files: a clear error or sound events, never a crash, a hang, or memory out of proportion."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellwright.cytometry import Channel, FcsError, encode_fcs, read_fcs_all

RNG = np.random.default_rng(11)
NASTY = (
    "0",
    "-1",
    "1",
    "2",
    "7",
    "24",
    "99999999",
    "4294967296",
    "9" * 30,
    "1e9",
    "0x10",
    "",
    "I",
    "F",
    "D",
    "A",
    "nan",
)
KEYS = [
    "$TOT",
    "$PAR",
    "$DATATYPE",
    "$BYTEORD",
    "$MODE",
    "$NEXTDATA",
    "$BEGINDATA",
    "$ENDDATA",
    "$BEGINSTEXT",
    "$ENDSTEXT",
    "$P1B",
    "$P2B",
    "$P1R",
    "$P2R",
    "$P1E",
    "$P1G",
    "$P1N",
    "$P2N",
    "$SPILLOVER",
    "$TIMESTEP",
    "$P1DATATYPE",
    "$DFC1TO2",
    "$DATE",
    "$BTIM",
]


def _float() -> bytes:
    text = {"$SPILLOVER": "2,A,B,1,0.1,0,1", "$DATE": "01-JAN-2026", "$BTIM": "10:00:00"}
    return encode_fcs(RNG.normal(0, 1e3, (40, 3)).astype(np.float32), ["A", "B", "Time"], text=text)


def _integer() -> bytes:
    channels = [Channel("A", "", 8, 200.0), Channel("B", "", 16, 1024.0, 2.0, 4.0, 1.0), Channel("C", "", 32, 2.0**32)]
    columns = [RNG.integers(0, 200, 40), RNG.integers(0, 1024, 40), RNG.integers(0, 2**32, 40)]
    return encode_fcs(columns, channels, datatype="I", byteorder="big")


def _two() -> bytes:
    """Two data sets, the second where the first one's $NEXTDATA says."""
    first = encode_fcs(np.ones((5, 2), np.float32), ["A", "B"], text={"$NEXTDATA": "000900"})
    assert len(first) < 900
    return first.ljust(900, b"\0") + _float()


SEEDS = (_float(), _integer(), _two())


def _value(data: bytes, key: str, value: str) -> bytes:
    """The file with another value of a keyword; what follows keeps its place where the value is no longer."""
    delimiter = data[58:59]
    start = data.find(delimiter + key.encode() + delimiter)
    if start < 0:
        return data
    start += len(key) + 2
    end = data.find(delimiter, start)
    return data[:start] + value.encode().ljust(end - start)[: max(end - start, 0)] + data[end:]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(SEEDS))
    for _step in range(draw(st.integers(1, 5))):
        kind = draw(st.integers(0, 4))
        if kind == 0:
            place = 10 + 8 * draw(st.integers(0, 5))
            number = draw(st.one_of(st.integers(0, 2 * len(data)).map(str), st.sampled_from(NASTY)))
            data = data[:place] + number.encode()[:8].rjust(8) + data[place + 8 :]
        elif kind == 1:
            data = _value(data, draw(st.sampled_from(KEYS)), draw(st.sampled_from(NASTY)))
        elif kind == 2:
            data = _value(data, draw(st.sampled_from(KEYS)), str(draw(st.integers(0, 3 * len(data)))))
        elif kind == 3:
            place = draw(st.integers(0, len(data)))
            data = data[:place] + draw(st.binary(max_size=9)) + data[place + draw(st.integers(0, 9)) :]
        else:
            data = data[: draw(st.integers(0, len(data)))]
    return data


@given(damaged())
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_gives_an_error_or_sound_events(data: bytes) -> None:
    tracemalloc.start()
    try:
        files = read_fcs_all(data)
        decoded = 0
        for file in files:
            assert file.events >= 0 and len({channel.name for channel in file.channels}) == len(file.channels)
            table = file.columns(scaled=True)
            assert table.shape == (file.events, len(file.channels))
            decoded += table.nbytes
            for channel in file.channels:
                assert file.raw(channel.name).shape == (file.events,)
            assert file.acquired is None or file.acquired[0] <= file.acquired[1]
            assert [*file.text.items()] and file.sha256
        _now, peak = tracemalloc.get_traced_memory()
        # Beside three times the bytes, a part for what does not grow with a file: the objects of its keywords.
        assert peak <= 3 * (len(data) + decoded) + 300_000
    except FcsError:
        return
    finally:
        tracemalloc.stop()


def test_a_chain_of_data_sets_cannot_run_in_a_circle() -> None:
    for following in ("58", "200", "000900"):
        data = _two().replace(b"000900", following.encode().rjust(6, b"0"), 1)
        assert 1 <= len(read_fcs_all(data)) <= 2


def test_a_stated_size_allocates_nothing() -> None:
    """A header that promises terabytes is compared with the file before anything is taken."""
    data = _value(_float(), "$TOT", "99")
    tracemalloc.start()
    try:
        for total in ("99999999999", "9999999999999999"):
            long = data.replace(b"$TOT" + data[58:59] + b"99", b"$TOT" + data[58:59] + total.encode(), 1)
            try:
                read_fcs_all(long)
            except FcsError:
                continue
            raise AssertionError(total)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def _by_hand(text: dict[str, str], body: bytes, place: tuple[int, int] | None = None) -> bytes:
    """A file put together from the standard alone: HEADER, TEXT, DATA."""
    keywords = {
        "$PAR": "1", "$DATATYPE": "F", "$BYTEORD": "1,2,3,4", "$MODE": "L", "$NEXTDATA": "0", "$P1N": "A", "$P1B": "32",
        "$P1E": "0,0", "$P1R": "1024",
    } | text  # fmt: skip
    segment = ("|" + "".join(f"{key}|{value}|" for key, value in keywords.items())).encode()
    begin = 58 + len(segment)
    first, last = place or (begin, begin + len(body) - 1)
    offsets = (58, begin - 1, first, last, 0, 0)
    return b"FCS3.1    " + b"".join(b"%8d" % offset for offset in offsets) + segment + body


TWO = np.array([1, 2], "<f4").tobytes()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (_by_hand({"$TOT": "2"}, TWO, (58, 65)), "reaches into the HEADER or the TEXT"),
        (_by_hand({"$TOT": "2", "$BEGINDATA": "60", "$ENDDATA": "67"}, TWO, (60, 67)), "reaches into"),
        (_by_hand({}, TWO, (60, 67)), "do not tell the number of events"),
        (_by_hand({"$TOT": "0"}, TWO), r"\$TOT is 0, but"),
        (_by_hand({"$TOT": "1000000000000000"}, TWO), "do not fit"),
        (_by_hand({"$TOT": "2", "$PAR": "100000000"}, TWO), "does not describe so many channels"),
        (_by_hand({"$TOT": "2", "$DATATYPE": "A"}, b"1 2"), "holds its values as text"),
        (_by_hand({"$TOT": "2", "$DATATYPE": "I", "$P1B": "10"}, b"\1\2\3"), "not values packed into other widths"),
        (_by_hand({"$TOT": "2", "$BYTEORD": "3,4,1,2"}, TWO), "expected ascending or descending"),
    ],
)
def test_a_contradiction_is_named_and_never_read_as_events(data: bytes, why: str) -> None:
    with pytest.raises(FcsError, match=why):
        read_fcs_all(data)


def test_a_place_that_cannot_hold_events_gives_way_to_one_that_can() -> None:
    (sample,) = read_fcs_all(_by_hand({"$TOT": "2", "$BEGINDATA": "58", "$ENDDATA": "65"}, TWO))
    assert sample.column("A").tolist() == [1, 2]
    assert [repair.code for repair in sample.repairs] == ["offsets"]


@pytest.mark.parametrize("filler", [b"|", b"||x", b"k|1|"])
def test_a_text_of_nothing_but_delimiters_is_refused_at_once(filler: bytes) -> None:
    """Escapes undone one by one take time that grows with the square of their number, and keywords memory."""
    text = b"|" + filler * (3_000_000 // len(filler))
    data = b"FCS3.1    " + b"".join(b"%8d" % n for n in (58, 57 + len(text), 0, 0, 0, 0)) + text
    tracemalloc.start()
    with pytest.raises(FcsError, match="delimiters"):
        read_fcs_all(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(data)
