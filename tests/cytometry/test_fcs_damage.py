"""Damaged files: a clear error or sound events, never a crash, a hang, or memory out of proportion."""

import tracemalloc

import numpy as np
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
