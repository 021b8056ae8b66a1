"""FCS files: what is written is read back, and what is damaged gives an error or a stated repair, never other events."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.cytometry import Channel, FcsError, encode_fcs, read_fcs, read_fcs_all, write_fcs

CHANNELS = ("FSC-A", "CD3", "CAR")


def sample(n: int = 50) -> np.ndarray:
    return np.random.default_rng(1).normal(1000, 300, (n, 3)).astype(np.float32)


def by_hand(
    text: dict[str, str], body: bytes, *, version: str = "FCS3.1", delimiter: str = "/", begin: int = 1024
) -> bytes:
    """A file laid out by hand after the standard: HEADER, TEXT from byte 58, data from `begin`."""
    end = begin + len(body) - 1
    said = {"$BEGINDATA": str(begin), "$ENDDATA": str(end), "$MODE": "L", "$NEXTDATA": "0"} | text
    segment = (delimiter + "".join(f"{k}{delimiter}{v}{delimiter}" for k, v in said.items() if v != "-")).encode(
        "latin-1"
    )
    header = f"{version}    ".encode() + b"".join(b"%8d" % n for n in (58, 58 + len(segment) - 1, begin, end, 0, 0))
    assert 58 + len(segment) <= begin
    return (header + segment).ljust(begin, b" ") + body


def described(kind: str, bits: list[int], ranges: list[int] | None = None, events: int = 1) -> dict[str, str]:
    text = {"$DATATYPE": kind, "$BYTEORD": "1,2,3,4", "$PAR": str(len(bits)), "$TOT": str(events)}
    for n, width in enumerate(bits, 1):
        top = ranges[n - 1] if ranges else 2**width
        text |= {f"$P{n}N": f"C{n}", f"$P{n}B": str(width), f"$P{n}R": str(top), f"$P{n}E": "0,0"}
    return text


FLOATS = described("F", [32, 32], [1024, 1024])
TWO = np.array([1.5, -2.0], "<f4").tobytes()


def test_a_file_reads_back_as_written() -> None:
    events = sample()
    data = encode_fcs(events, CHANNELS, text={"$SMNO": "S-1", "$CYT": "simulated"})
    file = read_fcs(data)
    assert [channel.name for channel in file.channels] == list(CHANNELS) and file.events == 50 and not file.repairs
    assert file.text["$SMNO"] == file.sample_id == "S-1" and file.cytometer == "simulated" and file.version == "3.1"
    np.testing.assert_array_equal(file.columns(), events)
    assert file.columns().flags.f_contiguous and file.column("CD3").flags.c_contiguous
    np.testing.assert_array_equal(file.column("CD3"), events[:, 1])


def test_a_path_and_its_bytes_are_the_same_file(tmp_path: Path) -> None:
    target = tmp_path / "a.fcs"
    write_fcs(target, sample(), CHANNELS)
    memory = io.BytesIO()
    write_fcs(memory, sample(), CHANNELS)
    assert target.read_bytes() == memory.getvalue() == encode_fcs(sample(), CHANNELS)
    np.testing.assert_array_equal(read_fcs(target).columns(), sample())
    assert read_fcs(target).sha256 == read_fcs(memory.getvalue()).sha256


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_every_type_reads_back(data: st.DataObject) -> None:
    datatype = data.draw(st.sampled_from(["F", "D", "I"]))
    bits = data.draw(st.lists(st.sampled_from([8, 16, 32]), min_size=1, max_size=5))
    events = data.draw(st.integers(0, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    columns: list[np.ndarray[Any, Any]] = []
    for width in bits:
        if datatype == "I":
            columns.append(rng.integers(0, 2**width, events, dtype=np.uint64).astype(f"u{width // 8}"))
        else:
            columns.append(rng.normal(0, 1e4, events).astype("f4" if datatype == "F" else "f8"))
    names = [f"P,{n}/|\x0c." if n == 1 else f"n{n}" for n in range(len(bits))]
    channels = [Channel(name, f"stain {name}", width, 2.0**width, 2.5) for name, width in zip(names, bits, strict=True)]
    version = data.draw(st.sampled_from(["2.0", "3.0", "3.1"]))
    order = data.draw(st.sampled_from(["little", "big"]))
    file = read_fcs(encode_fcs(columns, channels, version=version, datatype=datatype, byteorder=order))
    assert not file.repairs and file.events == events and file.version == version
    for channel, column, read in zip(channels, columns, file.channels, strict=True):
        assert (read.name, read.stain, read.range, read.gain) == (channel.name, channel.stain, channel.range, 2.5)
        assert file.raw(channel.name).dtype == column.dtype
        np.testing.assert_array_equal(file.raw(channel.name), column)
        np.testing.assert_array_equal(file.column(channel.name), column.astype(np.float32))


def test_an_independent_layout_is_read() -> None:
    """Header and text typed by hand after the standard's description, big-endian, with another delimiter."""
    text = FLOATS | {"$BYTEORD": "4,3,2,1"}
    data = by_hand(text, np.array([1.5, -2.0], ">f4").tobytes())
    np.testing.assert_array_equal(read_fcs(data).columns(), [[1.5, -2.0]])


def test_integers_of_mixed_widths_keep_every_bit() -> None:
    """8, 16, 24 and 32 bits in one event, little- and big-endian; values typed by hand."""
    text = described("I", [8, 16, 24, 32])
    wanted = [0xAB, 0xBEEF, 0x123456, 0xFEDCBA98]
    little = b"\xab" + b"\xef\xbe" + b"\x56\x34\x12" + b"\x98\xba\xdc\xfe"
    big = b"\xab" + b"\xbe\xef" + b"\x12\x34\x56" + b"\xfe\xdc\xba\x98"
    for body, order in ((little, "1,2,3,4"), (big, "4,3,2,1")):
        file = read_fcs(by_hand(text | {"$BYTEORD": order}, body))
        assert [int(file.raw(channel.name)[0]) for channel in file.channels] == wanted
        assert [file.raw(channel.name).dtype.itemsize for channel in file.channels] == [1, 2, 4, 4]


def test_bits_above_the_range_are_cut_off() -> None:
    """$PnR 1024 in 16 bits leaves ten bits; 1000 leaves ten bits too (FCS 3.1, 3.2.20)."""
    body = np.array([0xFC05, 0xFFFF], "<u2").tobytes()
    file = read_fcs(by_hand(described("I", [16, 16], [1024, 1000]), body))
    assert [int(file.raw(name)[0]) for name in ("C1", "C2")] == [5, 1023]


def test_gain_amplifier_and_time_step_scale_values() -> None:
    """10^(4 x / 1024) with a stated zero of 0 meaning 1; x / 8; 0.01 s per unit (Gating-ML 2.0, 5.1)."""
    text = described("I", [16, 16, 16], [1024, 1024, 1024])
    text |= {"$P1E": "4,0", "$P2G": "8", "$P3N": "Time", "$TIMESTEP": "0.01"}
    file = read_fcs(by_hand(text, np.array([512, 512, 512], "<u2").tobytes()))
    scaled = file.columns(scaled=True)[0]
    np.testing.assert_allclose(scaled, [100.0, 64.0, 5.12], rtol=1e-7)
    np.testing.assert_array_equal(file.columns(), [[512, 512, 512]])


def test_several_data_sets_are_read_each() -> None:
    first = by_hand(FLOATS, TWO)
    second = by_hand(FLOATS, np.array([7, 8], "<f4").tobytes())
    data = first.replace(b"$NEXTDATA/0/", b"$NEXTDATA/%d/" % 4000)
    shift = len(data) - len(first)
    data = (data[:58] + data[58 : 1024 + shift].rstrip(b" ").ljust(1024 - 58, b" ") + data[1024 + shift :]).ljust(4000)
    data = data.replace(
        b"%8d" % (58 + first[58:1024].rstrip(b" ").__len__() - 1),
        b"%8d" % (57 + shift + len(first[58:1024].rstrip(b" "))),
        1,
    )
    both = read_fcs_all(data + second)
    assert [file.columns().tolist() for file in both] == [[[1.5, -2.0]], [[7.0, 8.0]]]
    assert read_fcs(data + second, data_set=1).columns().tolist() == [[7.0, 8.0]]
    with pytest.raises(FcsError, match="no data set 2"):
        read_fcs(data + second, data_set=2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"$ENDDATA": "1032"}, "off-by-one"),
        ({"$BEGINDATA": "900", "$ENDDATA": "950"}, "offsets"),
        ({"$TOT": "-"}, "total"),
        ({"$P2N": "C1"}, "channel-name"),
        ({"$P2N": "-"}, "channel-name"),
        ({"$NEXTDATA": "40"}, "next-data"),
        ({"$NEXTDATA": "x"}, "next-data"),
        ({"$SPILLOVER": "6,FL2-A,FL4-A"}, "spillover"),
        ({"$SPILLOVER": "2,C1,C9,1,0,0,1"}, "spillover"),
        ({"$P1E": "4,1"}, "amplifier"),
        ({"$P1G": "none"}, "number"),
        ({"$BEGINSTEXT": "5000", "$ENDSTEXT": "6000"}, "supplement"),
        ({"NOTE": "", "ZZ": "1"}, "empty-values"),
        ({"$P1S": "", "$P9B": "32"}, "empty-values"),
        ({"NOTE": "caf\xe9"}, "not-utf-8"),
        ({"$P1B": "16"}, "bits"),
    ],
)
def test_repairs_are_recorded_and_refused_where_asked(change: dict[str, str], code: str) -> None:
    data = by_hand(FLOATS | change, TWO)
    if code == "off-by-one":
        data = data[:26] + b"%8d" % 1024 + b"%8d" % 1032 + data[42:]
    file = read_fcs(data)
    assert code in [repair.code for repair in file.repairs]
    np.testing.assert_array_equal(file.columns(), [[1.5, -2.0]])
    with pytest.raises(FcsError):
        read_fcs(data, strict=True)


@pytest.mark.parametrize(
    "change",
    [
        {"$MODE": "H"},
        {"$DATATYPE": "A"},
        {"$TOT": "2"},
        {"$TOT": "many"},
        {"$TOT": "99999999999999"},
        {"$PAR": "3"},
        {"$PAR": "0"},
        {"$PAR": "-"},
        {"$DATATYPE": "-"},
        {"$DATATYPE": "I", "$P1B": "12"},
        {"$BYTEORD": "3,4,1,2"},
        {"$BEGINDATA": "1016", "$ENDDATA": "1023"},
    ],
)
def test_a_file_that_contradicts_itself_gives_no_events(change: dict[str, str]) -> None:
    with pytest.raises(FcsError):
        read_fcs(by_hand(FLOATS | change, TWO))


def test_a_doubled_delimiter_is_one_in_a_value() -> None:
    file = read_fcs(by_hand(FLOATS | {"$P1S": "CD4//CD8", "NOTE": "x//"}, TWO))
    assert file.channels[0].stain == "CD4/CD8" and file.text["NOTE"] == "x/" and not file.repairs


def test_keywords_are_found_in_any_case() -> None:
    file = read_fcs(by_hand(FLOATS | {"My Key": "v"}, TWO))
    assert file.text["MY KEY"] == file.text["my key"] == "v" and file.text.original("MY KEY") == "My Key"


def test_a_supplement_adds_keywords() -> None:
    data = by_hand(FLOATS | {"$BEGINSTEXT": "1032", "$ENDSTEXT": "1048"}, TWO) + b"/NOTE/something/ "
    file = read_fcs(data)
    assert file.text["NOTE"] == "something" and not file.repairs


@pytest.mark.parametrize("data", [b"", b"FCS3.1", b"oi21j0 not FCS", b"FCS3.1    " + b" " * 60, b"FCS9.9" + b" " * 99])
def test_what_is_no_file_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(FcsError):
        read_fcs(data)
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FcsError):
        read_fcs(tmp_path / "x")


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_never_crashes(data: st.DataObject) -> None:
    raw = bytearray(encode_fcs(sample(5), CHANNELS))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    try:
        files = read_fcs_all(bytes(raw[:cut]))
    except FcsError:
        return
    for file in files:
        table = file.columns(scaled=True)
        assert table.shape == (file.events, len(file.channels)) and table.nbytes <= 4 * len(raw)


def test_the_text_of_a_file_that_was_read_can_be_given_to_another() -> None:
    """Keywords that say how the events lie are the writer's own, whatever the text says."""
    before = encode_fcs([np.arange(6), np.arange(6)], ["A", "B"], datatype="D", text={"$SMNO": "S-1"})
    sample = read_fcs(before)
    after = read_fcs(encode_fcs([np.arange(3)], ["C"], text=sample.text, byteorder="big"), strict=True)
    assert (after.events, after.sample_id, [c.name for c in after.channels]) == (3, "S-1", ["C"])
    assert after.column("C").tolist() == [0, 1, 2]


def test_a_value_too_large_for_single_precision_is_not_written_as_infinity() -> None:
    with pytest.raises(FcsError, match="datatype D"):
        encode_fcs([np.array([1e39])], ["A"])
    assert np.isinf(read_fcs(encode_fcs([np.array([np.inf])], ["A"])).column("A")[0])
