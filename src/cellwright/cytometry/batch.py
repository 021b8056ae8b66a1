"""Many files at once: one job per file, over processes or over any other executor of the standard kind (Dask has one).

A job takes paths and small data and gives small data, so that nothing but figures travels between processes.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cellwright.cytometry import events, gating_ml
from cellwright.cytometry.fault import FcsError, GateError
from cellwright.cytometry.fcs import FcsFile, read_fcs, read_fcs_all
from cellwright.cytometry.gate import GatingStrategy
from cellwright.cytometry.workspace import Workspace, read_wsp

R = TypeVar("R")


class PopulationCount(msgspec.Struct, frozen=True):
    """Events of one population, and of what they are a part."""

    name: str
    parent: str
    events: int
    parent_events: int


class FileCount(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one file; `error` where it could not be read or gated."""

    file: str
    data_set: int = 0
    sha256: str = ""
    sample: str = ""
    events: int = 0
    repairs: tuple[str, ...] = ()
    populations: tuple[PopulationCount, ...] = ()
    error: str = ""


Gates = GatingStrategy | Workspace
"""The same gates for every file, or those that a workspace holds for each."""


def gates_of(path: Path) -> Gates:
    """The gates of a Gating-ML file, or of a FlowJo workspace (`.wsp`). Raises GateError or OSError."""
    if path.suffix.lower() == ".wsp":
        return read_wsp(path)
    return gating_ml.read_file(path)


def gates_for(file: str, gates: Gates) -> GatingStrategy:
    """The gates for one file. Raises GateError if a workspace has no sample of its name."""
    return gates.sample(Path(file).name).strategy if isinstance(gates, Workspace) else gates


def counted(sample: FcsFile, file: str, strategy: GatingStrategy, data_set: int = 0) -> FileCount:
    """The counts of a sample, which is the data set of that number in its file. Raises GateError or FcsError."""
    from cellwright.cytometry.gating import gate_sample

    counts = gate_sample(sample, strategy).counts
    rows = []
    for name in strategy.populations:
        parent = strategy.parent(name)
        rows.append(PopulationCount(name, parent, counts[name], counts[parent] if parent else sample.events))
    return FileCount(
        file=file, data_set=data_set, sha256=sample.sha256, sample=sample.sample_id, events=sample.events,
        repairs=tuple(str(repair) for repair in sample.repairs), populations=tuple(rows),
    )  # fmt: skip


def count_sets(path: str, gates: Gates, data_set: int | None = 0) -> tuple[FileCount, ...]:
    """The counts of one data set of a file, or of all of them (None); what cannot be read or gated stops nobody else."""
    try:
        strategy = gates_for(path, gates)
        samples = enumerate(read_fcs_all(path)) if data_set is None else [(data_set, read_fcs(path, data_set=data_set))]
        return tuple(counted(sample, path, strategy, number) for number, sample in samples)
    except OSError as error:
        return (FileCount(file=path, data_set=data_set or 0, error=error.strerror or str(error)),)
    except (FcsError, GateError) as error:
        return (FileCount(file=path, data_set=data_set or 0, error=str(error)),)


def count_file(path: str, gates: Gates) -> FileCount:
    """The counts of the first data set of a file; a file that cannot be read or gated says why and stops nobody else."""
    return count_sets(path, gates)[0]


@contextmanager
def workers(number: int = 0, dask: str = "") -> Iterator[Executor | None]:
    """An executor over processes, or over a Dask cluster; None for one process.

    Args:
        number: processes; 0 for as many as this process may use.
        dask: address of a scheduler, for example `tcp://10.0.0.5:8786`; needs the extra `distributed`.

    Raises:
        ModuleNotFoundError: the extra is not installed.
    """
    if dask:
        from distributed import Client

        connect: Callable[[str], Any] = Client
        with connect(dask) as client:
            yield client.get_executor()
        return
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    number = number or usable
    if number == 1:
        yield None
        return
    # Fresh processes: a fork of one that holds threads of a numerical library may never wake up.
    with ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=single_threaded) as pool:
        yield pool


def single_threaded() -> None:
    """Let this process read and gate in one thread: its neighbours have the other cores."""
    events.WORKERS = 1  # type: ignore[misc]


def each(job: Callable[..., R], paths: Sequence[str], *more: Any, executor: Executor | None = None) -> Iterable[R]:
    """The job's answer for each path, in the order of the paths."""
    if executor is None:
        return (job(path, *more) for path in paths)
    waiting = [executor.submit(job, path, *more) for path in paths]
    return (one.result() for one in waiting)
