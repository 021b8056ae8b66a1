"""Instrument tables: real exports read, own exports read back, and what is not whole is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cellwright.instrument import Incomplete, Unreadable, cell_counter, culture, plate

AT = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
WELLS = [
    plate.Well("W1", "A1", "sample", "S1", "endotoxin", Decimal("0.050"), "<", "EU/mL", "LAL-1", "QC-1", AT),
    plate.Well("W1", "A2", "spiked sample", "S1", "endotoxin", Decimal("0.52"), "", "EU/mL", "LAL-1", "QC-1", AT),
]
READINGS = [
    culture.CultureReading("B1", "S1", AT, AT + timedelta(days=9), 9, "negative to date", "CULT-1"),
    culture.CultureReading("B2", "S1", AT, AT + timedelta(days=3), 3, "positive", "CULT-1"),
]


def test_a_real_cell_counter_export(shared_data: Path) -> None:
    file = shared_data / "quality/instruments/beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example01.csv"
    counts = cell_counter.read(file.read_bytes())
    assert counts[0].sample == "CLB001"
    assert (counts[0].counted, counts[0].viable, counts[0].viability) == (2191, 2123, Decimal("96.9"))
    assert counts[0].at == datetime(2022, 3, 21, 16, 56)  # noqa: DTZ001 - as the instrument writes it


def test_exports_read_back() -> None:
    local = AT.replace(tzinfo=None)
    one = cell_counter.CellCount("S1", 2000, 1960, Decimal("1.0"), Decimal("0.98"), Decimal("98.0"), local, "QC-1")
    assert cell_counter.read(cell_counter.export([one])) == [one]
    assert plate.read(plate.export(WELLS), wells=2) == WELLS
    assert culture.read(culture.export(READINGS)) == READINGS


@pytest.mark.requirement("R019")
def test_a_missing_well_is_incomplete_not_accepted() -> None:
    with pytest.raises(Incomplete, match="1 readings, the plate map has 2"):
        plate.read(plate.export(WELLS[:1]), wells=2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<0.050", b"0,050"),
        (b"<0.050", b"NaN"),
        (b"<0.050", b"-1"),
        (b"A1", b"J1"),
        (b",sample,", b",unknown,"),
        (b"A2", b"A1"),
        (b"+00:00", b""),
    ],
)
def test_values_that_make_no_sense_are_refused(old: bytes, new: bytes) -> None:
    data = plate.export(WELLS)
    assert old in data
    with pytest.raises(Unreadable):
        plate.read(data.replace(old, new, 1))


def test_a_culture_day_that_does_not_fit_its_times_is_refused() -> None:
    with pytest.raises(Unreadable, match="day 8"):
        culture.read(culture.export(READINGS).replace(b",9,negative", b",8,negative"))


def test_another_table_is_named_as_such() -> None:
    with pytest.raises(Unreadable, match="not a culture table"):
        culture.read(plate.export(WELLS))
    with pytest.raises(Unreadable, match="not UTF-8"):
        culture.read(b"\xff\xfe")
