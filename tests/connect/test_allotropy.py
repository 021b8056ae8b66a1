"""The library in its own process: one start for many files, and no file that takes the house down."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cellwright.connect.allotropy import VENDORS, Allotropy, WorkerFailed, read_any, vendor_of
from cellwright.connect.allotropy.reading import figures
from cellwright.instrument import UnknownFormat, Unreadable
from cellwright.instrument.reading import Figures
from cellwright.instrument.source import Source

PRETENDING = "tests.connect.pretending"


@pytest.fixture(scope="module")
def library() -> Iterator[Allotropy]:
    with Allotropy() as worker:
        yield worker


def test_a_dead_or_slow_process_is_a_refusal_of_one_file() -> None:
    with Allotropy(worker=PRETENDING, timeout_s=0.5) as worker:
        assert worker.read(b"one", "x") == {"said": "one"}
        with pytest.raises(Unreadable, match="no such file"):
            worker.read(b"refuse", "x")
        assert worker.started == 1
        for word in (b"die", b"sleep"):
            with pytest.raises(WorkerFailed):
                worker.read(word, "x")
        assert worker.read(b"two", "x") == {"said": "two"}
        assert worker.started == 3


def test_memory_is_limited() -> None:
    """With 200 MB the library cannot even start; that is said, and nothing hangs."""
    with Allotropy(memory_mb=200) as worker, pytest.raises(WorkerFailed):
        worker.read(b"x", "x.csv")


# One file of each reader, beside the document that the library's own repository expects.
FILES = (
    "appbio_absolute_q/Appbio_AbsoluteQ_example01.csv", "appbio_absolute_q/Appbio_AbsoluteQ_zip_test.zip",
    "bd_biosciences_facsdiva/facsdiva_example_1.xml", "cfxmaestro/example01.csv",
    "ctl_immunospot/ctl_immunospot_example1.txt", "flowjo/flowjo_example_2.wsp", "mabtech_apex/matech_apex_example.xlsx",
    "moldev_softmax_pro/spectramax340_kinetic_partial_plate.txt", "msd_workbench/msd_workbench_test_1.csv",
    "msd_workbench/methodical_test_1.txt", "novabio_flex2/SampleResults2022-06-28_142558.csv",
    "revvity_matrix/Cellaca_Example_1.csv", "revvity_matrix/revvity_matrix_1_xlsx.xlsx",
    "roche_cedex_bioht/roche_cedex_bioht_v5_example01.txt", "roche_cedex_hires/roche_cedex_hires_example_2.xlsx",
    "thermo_skanit/multi-plate_example01.xlsx",
)  # fmt: skip


@pytest.mark.requirement("R017")
@pytest.mark.parametrize("name", FILES, ids=lambda name: Path(name).stem)
def test_figures_are_those_of_the_expected_document(name: str, shared_data: Path, library: Allotropy) -> None:
    """The flat form holds every measurement of the document beside the file, figure by figure."""
    file = shared_data / "quality" / "instruments" / name
    reading = read_any(file, library)
    whole = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    aggregate = next(value for key, value in whole.items() if key.endswith("aggregate document"))
    expected = list(figures(aggregate))
    assert reading.reader == "allotropy" and reading.version
    assert len(reading.measurements) == len(expected)
    for ours, theirs in zip(reading.measurements, expected, strict=True):
        assert isinstance(ours, Figures)
        assert (ours.sample, ours.well, ours.at) == (theirs.sample, theirs.well, theirs.at)
        found = {(one.name, one.number, one.text) for one in ours.figures if one.number is not None}
        asked = {(one.name, one.number, one.text) for one in theirs.figures if one.number is not None}
        assert asked <= found, asked - found


@pytest.mark.requirement("R019")
def test_incomplete_exports_are_refused_in_the_librarys_words(shared_data: Path, library: Allotropy) -> None:
    folder = shared_data / "quality" / "instruments" / "moldev_softmax_pro"
    with pytest.raises(Unreadable, match="Missing kinetic measurement for well position A1"):
        read_any(folder / "missing_kinetic_measurement.txt", library)
    with pytest.raises(Unreadable, match="Expected 4 rows"):
        read_any(folder / "missing_measurement_table_row.txt", library)
    assert library.started <= 1


def test_a_file_is_known_by_its_content_whatever_it_is_called(
    shared_data: Path, library: Allotropy, tmp_path: Path
) -> None:
    folder = shared_data / "quality" / "instruments"
    file = tmp_path / "result.dat"
    file.write_bytes((folder / "cfxmaestro/example01.csv").read_bytes())
    assert read_any(file, library).format == "allotropy:CFXMAESTRO"
    file.write_bytes((folder / "mabtech_apex/matech_apex_example.xlsx").read_bytes())
    assert read_any(file, library).format == "allotropy:MABTECH_APEX"
    file.write_text("nothing of the kind")
    with pytest.raises(UnknownFormat):
        read_any(file, library)


def test_no_two_readers_claim_one_file(shared_data: Path) -> None:
    for path in sorted((shared_data / "quality" / "instruments").glob("*/*")):
        if path.suffix == ".json":
            continue
        source = Source(path.read_bytes())
        head = "" if source.is_binary and not source.is_workbook else source.head
        assert sum(bool(one.mark.search(head)) for one in VENDORS) <= 1, path.name
        vendor_of(source)


@pytest.mark.requirement("R019")
def test_a_value_that_is_not_there_is_never_nought() -> None:
    """The library writes minus zero where a file has no value; that is no measurement of 0."""
    document: dict[str, Any] = {
        "x document": [{"measurement aggregate document": {"measurement document": [
            {"glucose": {"value": -0.0, "unit": "g/L"}, "lactate": {"value": 0.0, "unit": "g/L"}}
        ]}}]
    }  # fmt: skip
    (one,) = figures(document)
    assert [(f.name, f.number) for f in one.figures] == [("glucose", None), ("lactate", Decimal("0.0"))]
