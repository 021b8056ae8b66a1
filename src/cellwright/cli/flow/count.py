"""`cellwright flow count`: the events of every gate, or the figures of an analysis, in one file or many."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from cellwright.cli.flow import analysed
from cellwright.cli.flow.arguments import AnalysisFile, DataSets, Files, GatesFile, Json, data_sets
from cellwright.cli.flow.files import gates_of, parquet, why
from cellwright.cli.output import Exit, print_document, progress, say, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.cytometry.batch import FileCount

COUNT: Final = "cellwright.flow-count/1"
R = TypeVar("R")


def count(
    files: Files,
    gates: GatesFile = None,
    analysis: AnalysisFile = None,
    data_set: DataSets = "0",
    control: analysed.Controls = None,
    instrument_qc: analysed.InstrumentChecks = None,
    sample: analysed.Sample = "",
    acquired: analysed.Acquired = "",
    clock_offset: analysed.ClockOffset = 0,
    earlier: analysed.Earlier = None,
    reason: analysed.Reason = "",
    moved_by: analysed.MovedBy = "",
    agreed_by: analysed.AgreedBy = "",
    records: analysed.Records = None,
    table: Annotated[
        Path | None, typer.Option("--parquet", metavar="PATH", help=_("Write the counts as a Parquet table too."))
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=0, help=_("Processes for many files; 0 for all cores."))] = 1,
    dask: Annotated[
        str, typer.Option(metavar="ADDRESS", help=_("Dask scheduler to work on instead of processes."))
    ] = "",
    json: Json = False,
) -> None:
    """Count the events of every gate."""
    if (gates is None) == (analysis is None):
        stop(_("Name either --gates or --analysis."), Exit.USAGE)
    which = data_sets(data_set)
    stated = analysed.Stated(
        tuple(control or ()), tuple(instrument_qc or ()), sample, acquired, clock_offset, earlier, reason, moved_by,
        agreed_by,
    )  # fmt: skip
    if analysis is None:
        assert gates is not None
        if stated != analysed.Stated() or records is not None:
            stop(_("Controls, requests and records belong to an --analysis."), Exit.USAGE)
        _count(files, gates, which, table, lambda job, *more: _spread(job, files, more, workers, dask), json=json)
    else:
        if table is not None:
            stop(_("--parquet goes with --gates; an analysis gives --records."), Exit.USAGE)
        analysed.analysed(
            files, analysis, which, stated, records, lambda job, *more: _spread(job, files, more, workers, dask), json=json
        )  # fmt: skip


def _spread(job: Callable[..., R], files: Sequence[Path], more: tuple[Any, ...], number: int, dask: str) -> Iterator[R]:
    """The job's answer for each file, over processes or a cluster; progress on standard error."""
    from cellwright.cytometry.batch import each, workers

    paths = [str(path) for path in files]
    try:
        with (
            workers(1 if len(paths) == 1 and not dask else number, dask) as pool,
            progress(_("Counting"), len(paths)) as bar,
        ):
            for path, one in zip(paths, each(job, paths, *more, executor=pool), strict=True):
                bar.advance(note=path)
                yield one
    except ModuleNotFoundError:
        stop(_("Working on Dask needs the extra: pip install 'cellwright[distributed]'"), Exit.USAGE)
    except OSError as error:
        stop(_("{address} does not answer: {why}").format(address=dask or "–", why=why(error)))


def _count(
    files: Sequence[Path],
    gates: Path,
    which: int | None,
    table: Path | None,
    spread: Callable[..., Iterator[tuple["FileCount", ...]]],
    *,
    json: bool,
) -> None:
    from cellwright.cytometry.batch import count_sets

    found = [one for sets in spread(count_sets, gates_of(gates), which) for one in sets]
    if table is not None:
        _table(found, table, *files)
    if json:
        print_document(COUNT, {"files": [_counted(one) for one in found]})
    else:
        for one in found:
            _tell(one)
    raise typer.Exit(Exit.FINDING if any(one.error for one in found) else Exit.OK)


def _counted(one: "FileCount") -> dict[str, Any]:
    populations = [
        {
            "name": p.name,
            "parent": p.parent,
            "events": p.events,
            "percent_of_parent": _percent(p.events, p.parent_events),
        }
        for p in one.populations
    ]
    return {
        "file": one.file, "data_set": one.data_set, "error": one.error, "sha256": one.sha256, "sample": one.sample,
        "events": one.events, "repairs": one.repairs, "populations": populations,
    }  # fmt: skip


def _percent(events: int, of: int, decimals: int = 4) -> str:
    return f"{100 * events / of:.{decimals}f}" if of else ""


def _tell(one: "FileCount") -> None:
    if one.error:
        say(_("{file}: cannot be read: {why}").format(file=one.file, why=one.error))
        return
    say(_("{file}: {events} events").format(file=analysed.titled(one.file, one.data_set), events=one.events))
    depth = {"": 0}
    for p in one.populations:
        depth[p.name] = depth.get(p.parent, 0) + 1
        name = "  " * depth[p.name] + p.name
        say(f"{name:<40} {p.events:>10}  {_percent(p.events, p.parent_events, 2):>8} %")


def _table(found: Sequence["FileCount"], path: Path, *read: Path) -> None:
    rows = [
        {"file": one.file, "data_set": one.data_set, "sha256": one.sha256, "sample": one.sample, "population": p.name,
         "parent": p.parent, "events": p.events, "parent_events": p.parent_events}
        for one in found
        for p in one.populations
    ]  # fmt: skip
    names = ("file", "data_set", "sha256", "sample", "population", "parent", "events", "parent_events")
    parquet({name: [row[name] for row in rows] for name in names}, path, *read)
