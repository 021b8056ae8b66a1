"""An analysis carried out on one file of many: a job of paths and small data, for any executor."""

from typing import Final, get_args

import msgspec

from cellwright.cytometry.analysis.control import ControlFile, InstrumentQc, Kind
from cellwright.cytometry.analysis.reading import read_analysis
from cellwright.cytometry.analysis.record import (
    AnalysisRecord,
    Evidence,
    Request,
    Revision,
    analyse,
)
from cellwright.cytometry.fault import FcsError
from cellwright.cytometry.fcs import FcsFile, read_fcs, read_fcs_all

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class ControlPath(msgspec.Struct, frozen=True):
    """A control's own raw file by its path; the marker that an FMO lacks, or that a single stain has."""

    control: Kind
    marker: str
    path: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every file: the bytes of the analysis, of its Gating-ML file, and what stands beside a sample."""

    analysis: bytes
    gating_ml: bytes = b""
    controls: tuple[ControlPath, ...] = ()
    instrument: tuple[InstrumentQc, ...] = ()
    request: Request | None = None
    earlier: AnalysisRecord | None = None
    revision: Revision | None = None


class FileAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one data set; `error` says why there is none."""

    file: str
    data_set: int = 0
    record: AnalysisRecord | None = None
    error: str = ""


def analyse_sets(path: str, job: Job, data_set: int | None = 0) -> tuple[FileAnalysis, ...]:
    """The record of one data set of a file, or of all of them (None). What cannot be analysed stops nobody else."""
    try:
        samples = enumerate(read_fcs_all(path)) if data_set is None else [(data_set, read_fcs(path, data_set=data_set))]
    except (FcsError, OSError) as error:
        return (FileAnalysis(file=path, data_set=data_set or 0, error=_why(error)),)
    return tuple(_one(path, number, sample, job) for number, sample in samples)


def _one(path: str, number: int, sample: FcsFile, job: Job) -> FileAnalysis:
    try:
        record = analyse(read_analysis(job.analysis), sample, _evidence(job), lambda _name: job.gating_ml)
    except (ValueError, OSError) as error:
        return FileAnalysis(file=path, data_set=number, error=_why(error))
    return FileAnalysis(file=path, data_set=number, record=record)


def _evidence(job: Job) -> Evidence:
    controls = []
    for one in job.controls:
        try:
            controls.append(ControlFile(one.control, read_fcs(one.path), one.marker))
        except (FcsError, OSError) as error:
            raise ValueError(f"the control {one.path} cannot be read: {_why(error)}") from None
    return Evidence(
        request=job.request, controls=controls, instrument=job.instrument, earlier=job.earlier, revision=job.revision
    )


def _why(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
