"""Files that are wrong, broken off, edited or oddly encoded: a clear error or a recorded warning, never a silent value."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.instrument import Incomplete, UnknownFormat, Unreadable, read
from cellwright.instrument.reading import CellCounting, CultureBottle, EndotoxinWell, PartitionWell
from cellwright.instrument.source import Source
from cellwright.instrument.written import number, time

BLU = (
    "Sample ID,Cell count,Viable cells,Total (x10^6) cells/mL,Viable (x10^6) cells/mL,Viability (%),"
    "Average diameter (µm),Analysis date/time,Analysis by,Dilution\n"
)
ROW = "CLB001,2191,2123,0.78,0.75,96.9,18.51,3/21/2022 16:56,Vi-CELL,1\n"


def kinds(data: bytes) -> list[str]:
    return [warning.kind for warning in read(data).warnings]


def count(data: bytes) -> CellCounting:
    (one,) = read(data).measurements
    assert isinstance(one, CellCounting)
    return one


@pytest.mark.requirement("R019")
@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7 ...", b"\x00\x01\x02" * 50, b"Sample,Value\n1,2\n", b"PK\x03\x04rest"]
)
def test_what_is_no_export_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


def test_the_wrong_format_is_named() -> None:
    with pytest.raises(UnknownFormat, match="vi-cell-blu"):
        read((BLU + ROW).encode(), format="qiacuity")


@pytest.mark.requirement("R019")
def test_a_table_that_breaks_off_is_refused() -> None:
    """Cut within its last row at any place, a table is refused; what is left of it is never taken for a whole."""
    whole = (BLU + ROW + ROW.replace("CLB001", "CLB002")).encode()
    for cut in range(len((BLU + ROW).encode()) + 1, len(whole) - 1):
        try:
            reading = read(whole[:cut])
        except (Unreadable, Incomplete):
            continue
        # Only the very last cell may have been cut without a trace: the dilution, which is one digit here.
        assert cut >= len(whole) - 2, (cut, reading.measurements)


def test_an_edited_viability_is_noticed() -> None:
    assert kinds((BLU + ROW).encode()) == []
    assert "inconsistent" in kinds((BLU + ROW.replace("96.9", "98.9")).encode())


def test_a_decimal_comma_is_read_and_recorded_or_refused() -> None:
    """An export opened and saved by a spreadsheet program of another language."""
    text = (
        (BLU + ROW)
        .replace(",", ";")
        .replace("96.9", "96,9")
        .replace("0.78", "0,78")
        .replace("0.75", "0,75")
        .replace("18.51", "18,51")
    )
    assert count(text.encode()).viability == Decimal("96.9")
    assert {"decimal comma", "layout"} == set(kinds(text.encode()))
    with pytest.raises(Unreadable, match="decimal comma"):
        read(text.replace("0,78", "0,780").encode())


def test_encodings() -> None:
    plain = count((BLU + ROW).encode())
    assert count((BLU + ROW).encode("utf-16")) == plain
    assert count((BLU + ROW).encode("utf-8-sig")) == plain
    assert count((BLU + ROW).encode("cp1252")).viability == plain.viability
    assert kinds((BLU + ROW).encode("cp1252")) == ["encoding"]
    mixed = BLU.encode() + ROW.replace("Vi-CELL", "Zoë").encode("cp1252")
    assert count(mixed).operator == "Zoë"
    (warning,) = read(mixed).warnings
    assert warning.kind == "encoding" and "mixed" in warning.text


def test_a_workbook_cut_short_is_refused(shared_data: Path) -> None:
    data = (shared_data / "quality/instruments/beckman_vi_cell_xr/style_fill_incorrect.xlsx").read_bytes()
    for part in (0.3, 0.7, 0.99):
        with pytest.raises(Unreadable):
            read(data[: int(len(data) * part)])


def test_a_text_export_without_results_is_refused(shared_data: Path) -> None:
    data = (shared_data / "quality/instruments/appbio_quantstudio/appbio_quantstudio_example06.txt").read_bytes()
    with pytest.raises(Incomplete, match="Results"):
        read(data[: data.index(b"[Results]")])
    with pytest.raises(Incomplete):
        read(data[: data.index(b"[Results]") + 600])


def test_an_edited_cycle_is_noticed(shared_data: Path) -> None:
    """The printed mean of replicates no longer is their mean."""
    file = shared_data / "quality/instruments/appbio_quantstudio/example_quantsudio_results_only.txt"
    assert read(file).warnings == ()
    edited = file.read_bytes().replace(b"25.485", b"24.485")
    assert [warning.kind for warning in read(edited).warnings] == ["inconsistent"]


def test_partitions_that_do_not_add_up_are_noticed(shared_data: Path) -> None:
    file = shared_data / "quality/dpcr/qiacuity_dpcr_example01.csv"
    edited = file.read_bytes().replace(b"1778", b"1878")
    assert "inconsistent" in [warning.kind for warning in read(edited).warnings]


def test_quantasoft_and_qx_manager() -> None:
    """Made up after the programs' column names; 0.85 nL droplets: -ln(1 - 1687/12765) / 0.85 nL = 166.75 copies/µL."""
    old = (
        "Well,ExptType,Experiment,Sample,TargetType,Target,Status,Concentration,Supermix,CopiesPer20uLWell,Positives,"
        "Negatives,AcceptedDroplets,Threshold\n"
        "A01,Absolute Quantification,ABS,S1,Ch1Unknown,CAR,OK,167,ddPCR,3340,1687,11078,12765,3000\n"
    )
    reading = read(old.encode())
    (one,) = reading.measurements
    assert isinstance(one, PartitionWell)
    assert (reading.format, reading.proven, one.sample, one.positive, one.negative) == (
        "quantasoft",
        False,
        "S1",
        1687,
        11078,
    )
    assert reading.warnings == ()
    assert [w.kind for w in read(old.replace(",167,", ",137,").encode()).warnings] == ["inconsistent"]
    new = (
        "Well,Sample description 1,Sample description 2,Target,Conc(copies/µL),Status,SampleType,Accepted Droplets,"
        "Positives,Negatives\nA01,S1,wk 2,CAR,No Call,CHECK,Unknown,9000,0,9000\n"
    )
    reading = read(new.encode())
    (one,) = reading.measurements
    assert isinstance(one, PartitionWell)
    assert (reading.format, one.sample, one.per_ul, one.negative) == ("qx-manager", "S1 wk 2", None, 9000)
    assert [w.kind for w in reading.warnings] == ["instrument"]


def test_endotoxin_exports() -> None:
    """Made up; a well that did not react has no onset time, and a censored value keeps its sign."""
    text = (
        "Well,Role,Sample,Nominal (EU/mL),Dilution,Onset Time (s),EU/mL,Recovery (%)\n"
        "A1,Standard,S1,5,1,820,,\nA2,Blank,LRW,,1,***,,\nB1,Sample,L1,,100,***,<0.5,\nB2,PPC,L1,0.5,100,1400,,96\n"
    )
    reading = read(text.encode())
    _standard, blank, sample, spiked = reading.measurements
    assert isinstance(sample, EndotoxinWell) and isinstance(blank, EndotoxinWell) and isinstance(spiked, EndotoxinWell)
    assert (reading.format, reading.proven) == ("endotoxin-plate", False)
    assert (sample.onset_s, sample.value, sample.censored, blank.role) == (
        None,
        Decimal("0.5"),
        "<",
        "negative control",
    )
    assert (spiked.role, spiked.recovery) == ("spiked sample", Decimal(96))
    with pytest.raises(Unreadable, match="no role"):
        read(text.replace("PPC", "Whatever").encode())
    cartridge = (
        "Cartridge Lot,Sample ID,Dilution,Sample Value (EU/mL),Sample Reaction Time,Spike Reaction Time,"
        "Spike Recovery (%),Operator\n7012345,L1,50,<2.50,>1800/>1800,412/420,98,AB\n"
    )
    with pytest.raises(Unreadable):
        read(cartridge.encode())
    reading = read(cartridge.replace(">1800/>1800", "none/none").encode())
    assert [one.role for one in reading.measurements if isinstance(one, EndotoxinWell)] == ["sample"] * 2 + [
        "spiked sample"
    ] * 2


def test_blood_culture_exports() -> None:
    """Made up; a state that is not known is refused, and growth without a time is noticed."""
    text = (
        "Accession Number,Bottle ID,Bottle Type,Status,Start Date/Time,Last Read,TTD (h),Instrument\n"
        "L1,4491,aerobic,Ongoing,3/1/2026 08:00,3/11/2026 08:00,,FX40\n"
        "L1,4492,anaerobic,Positive,3/1/2026 08:00,3/3/2026 10:00,38.5,FX40\n"
    )
    reading = read(text.encode())
    first, second = reading.measurements
    assert isinstance(first, CultureBottle) and isinstance(second, CultureBottle)
    assert (reading.proven, first.status, second.status, second.detected_h) == (
        False,
        "negative to date",
        "positive",
        Decimal("38.5"),
    )
    assert reading.warnings == ()
    assert [w.kind for w in read(text.replace("38.5", "").encode()).warnings] == ["inconsistent"]
    with pytest.raises(Unreadable, match="no known state"):
        read(text.replace("Ongoing", "Perhaps").encode())


@settings(deadline=None, max_examples=200)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_number_is_read_as_written(value: Decimal) -> None:
    assert number(str(value), Source(b"x"), "here") == value
    assert number(f"{value:,}", Source(b"x"), "here", grouped=True) == value


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_reading_or_a_refusal(data: bytes) -> None:
    for begin in (b"", BLU.encode(), b"sep=,\n", b"* Quantification Cycle Method = Ct\n[Results]\n"):
        with pytest.raises((Unreadable, Incomplete)):
            raise_if_read(begin + data)


def raise_if_read(data: bytes) -> None:
    """Read, and end as a refusal would: only another error fails the test."""
    read(data)
    raise Unreadable("it was read")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-06-01 12:54:47 AM EDT", "2018-06-01T00:54:47-04:00"),
        ("2024-10-01 13:07:52 PM EST", "2024-10-01T13:07:52-05:00"),
        ("31 Aug 2021  4:31:23 PM", "2021-08-31T16:31:23"),
        ("3/21/2022 16:56", "2022-03-21T16:56:00"),
        ("20231120 163016", "2023-11-20T16:30:16"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02 03:04 CST", "2026-01-02T03:04:00"),
    ],
)
def test_times(text: str, expected: str) -> None:
    source = Source(b"x")
    assert time(text, source, "here") == expected
    assert [warning.kind for warning in source.warnings] == (["time"] if "CST" in text else [])
    with pytest.raises(Unreadable):
        time("31/31/2022 16:56", source, "here")


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes cut, with some of them changed, or with a line taken out, doubled, or its separators exchanged."""
    kind = random.random()
    if kind < 0.3:
        return data[: random.randrange(len(data))]
    if kind < 0.7:
        changed = bytearray(data)
        for _time in range(random.choice((1, 3, 20))):
            changed[random.randrange(len(data))] = random.choice((random.randrange(256), *b',;\t\n"0. '))
        return bytes(changed)
    lines = data.split(b"\n")
    place = random.randrange(len(lines))
    line = lines.pop(place)
    if kind >= 0.8:
        lines.insert(place, line.replace(b",", b"\t").replace(b".", b",") if kind >= 0.9 else line + b"\n" + line)
    return b"\n".join(lines)


@pytest.mark.requirement("R019")
def test_damaged_real_files_are_read_or_refused(shared_data: Path) -> None:
    """No damage raises anything but a refusal, not even where the library of workbooks panics."""
    random = Random(20261122)
    folder = shared_data / "quality" / "instruments"
    files = [path for path in sorted(folder.glob("*/*")) if path.suffix != ".json" and path.stat().st_size < 70_000]
    known = [path.read_bytes() for path in files]
    for _time in range(1200):
        with pytest.raises((Unreadable, Incomplete)):
            raise_if_read(damaged(random.choice(known), random))


def test_a_curve_that_is_no_number_is_refused(shared_data: Path) -> None:
    """Found by damaging files: a reading of a curve was turned into a number without a refusal."""
    data = (shared_data / "quality/instruments/appbio_quantstudio/appbio_quantstudio_example06.txt").read_bytes()
    with pytest.raises(Unreadable, match="no number"):
        read(data.replace(b"1.220\t0.002", b"1..220\t0.002"))
    with pytest.raises(Incomplete, match="names no wells"):
        read(data.replace(b"Well\tCycle", b"Wll\tCycle"))


def test_a_workbook_that_makes_the_library_panic_is_refused(shared_data: Path) -> None:
    """Found by damaging files: an old workbook cut short makes the library panic, which is no ordinary exception."""
    data = (
        shared_data / "quality/instruments/beckman_vi_cell_xr/Beckman_Vi-Cell-XR_example02_instrumentOutput_error.xls"
    ).read_bytes()
    for size in (513, 600, 50_581, 61_511):
        with pytest.raises(Unreadable):
            read(data[:size])
