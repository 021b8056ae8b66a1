"""Real files of many instruments: events as FlowIO, fcsparser and FlowCal read them, damage named, nothing else."""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellwright.cytometry import FcsError, FcsFile, read_fcs, read_fcs_all

_SPEC = find_spec("fcsparser")
assert _SPEC is not None and _SPEC.origin is not None
PARSER = Path(_SPEC.origin).parent / "tests" / "data" / "FlowCytometers"
REFUSED = {"corrupted.fcs", "sample_header.fcs"}
"""Ten bytes that are no file, and a HEADER with TEXT whose events were cut off."""
FILES = sorted(path for path in PARSER.rglob("*") if path.suffix.lower() in (".fcs", ".lmd"))
WELLS = [
    "CFP_Well_A4.fcs",
    "CFP_Well_B4.fcs",
    "HTS_BD_LSR_II_Mixed_Specimen_001_D6_D06.fcs",
    "Mixed_Well_H1.001.fcs",
    "Mixed_Well_H12.001.fcs",
    "Mixed_Well_H3.001.fcs",
    "Mixed_Well_H7.001.fcs",
    "RFP_Well_A3.fcs",
    "RFP_Well_A6.fcs",
    "RFP_Well_B3.fcs",
    "YFP_Well_A7.fcs",
    "YFP_Well_C7.fcs",
]


def _flowio(path: Path) -> Any:
    import flowio

    return flowio.read_multiple_data_sets(str(path), ignore_offset_error=True)[0].as_array(preprocess=False)


def _fcsparser(path: Path) -> Any:
    import fcsparser

    return fcsparser.parse(str(path))[1].to_numpy()


def _flowcal(path: Path) -> Any:
    import FlowCal

    return np.asarray(FlowCal.io.FCSFile(str(path)).data)


READERS: dict[str, Callable[[Path], Any]] = {"FlowIO": _flowio, "fcsparser": _fcsparser, "FlowCal": _flowcal}


def _others(path: Path) -> dict[str, Any]:
    """What each other reader makes of a file; those that cannot read it are left out."""
    read = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, reader in READERS.items():
            try:
                read[name] = np.asarray(reader(path), np.float64)
            except Exception:  # noqa: BLE001 - what it raises is the other reader's own affair
                continue
    return read


def _events(file: FcsFile) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.stack([file.raw(channel.name).astype(np.float64) for channel in file.channels], 1)


def _agrees(path: Path) -> int:
    """Compare a file with every reader that reads it; how many those are."""
    events, others = _events(read_fcs(path)), _others(path)
    for name, theirs in others.items():
        np.testing.assert_array_equal(events, theirs, err_msg=f"{path.name}: {name}")
    return len(others)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_instrument_file_is_read_as_others_read_it(path: Path) -> None:
    if path.name in REFUSED:
        with pytest.raises(FcsError):
            read_fcs(path)
    elif path.name == "fake_large_fcs.fcs":
        # Its HEADER leaves the offsets blank, as files above 100 MB do; the events are those of a file beside it.
        plain = next(one for one in FILES if one.name.startswith("FCS_3.0_Fortessa"))
        np.testing.assert_array_equal(_events(read_fcs(path)), _events(read_fcs(plain)))
    else:
        assert _agrees(path) >= 1


@pytest.mark.parametrize("name", WELLS)
def test_every_well_of_a_plate_is_read_as_others_read_it(samples: Path, name: str) -> None:
    assert _agrees(samples / "flowcytometrytools" / name) >= 2


def test_the_bar_of_files_read_and_refused() -> None:
    assert len(FILES) == 17 and {path.name for path in FILES} >= REFUSED


def test_several_data_sets_of_one_file_are_all_read() -> None:
    """A Guava Muse writes its runs into one file; FlowIO reads them all too."""
    import flowio

    (path,) = [path for path in FILES if path.name == "Guava Muse.fcs"]
    ours, theirs = read_fcs_all(path), flowio.read_multiple_data_sets(str(path), ignore_offset_error=True)
    assert [file.events for file in ours] == [108, 50_081, 111_496, 50_037]
    for file, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(_events(file), other.as_array(preprocess=False))


def _one(pattern: str) -> FcsFile:
    (path,) = [path for path in FILES if pattern in path.name]
    return read_fcs(path)


def test_what_instruments_write_wrongly_is_stated() -> None:
    """A MACSQuant's segment is one byte too long and its spillover has no numbers; a Cytek's integers have 24 bits."""
    assert {repair.code for repair in _one("3.1_Custom_Without").repairs} == {"off-by-one", "spillover"}
    assert {repair.code for repair in _one("Duplicate_Names").repairs} >= {"duplicate-keyword", "off-by-one"}
    assert {channel.bits for channel in _one("Cytek_xP5").channels} >= {24}
    assert _one("facs_diva").spillover is not None and not _one("facs_diva").repairs


def test_scaled_values_are_those_of_flowio() -> None:
    """Logarithmic amplifiers and gains, where FlowIO scales too; it works in double precision and so do we."""
    import flowio

    for pattern in ("Sample_Well_A02", "fcs1_cleaned", "facs_diva"):
        (path,) = [path for path in FILES if pattern in path.name]
        file, theirs = read_fcs(path), flowio.FlowData(str(path)).as_array(preprocess=True)
        for n, channel in enumerate(file.channels):
            np.testing.assert_allclose(channel.scale(file.raw(channel.name)), theirs[:, n], rtol=1e-12)
