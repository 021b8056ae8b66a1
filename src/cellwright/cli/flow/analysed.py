"""The figures of an analysis: its controls, its request, an earlier record, and the records that come out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cellwright.cli.flow.files import refuse, sheet_of, why, writing
from cellwright.cli.output import Exit, print_document, say, stop
from cellwright.language import _, active

if TYPE_CHECKING:
    from cellwright.cytometry.analysis import AnalysisRecord, InstrumentQc, Revision, Sheet
    from cellwright.cytometry.analysis.job import ControlPath, FileAnalysis, Job

ANALYSES: Final = "cellwright.flow-analyses/1"

Controls = Annotated[
    list[str] | None,
    typer.Option(
        "--control", metavar="KIND[:MARKER]=FILE", help=_("A control's own file, such as fmo:CAR=fmo.fcs; repeatable.")
    ),
]
InstrumentChecks = Annotated[
    list[Path] | None,
    typer.Option(
        "--instrument-qc",
        metavar="JSON",
        help=_("The instrument's own check: cytometer, performed, valid_until, passed; repeatable."),
    ),
]
Sample = Annotated[
    str, typer.Option("--sample", metavar="ID", help=_("The sample that was asked for; a file of another one stops."))
]
Acquired = Annotated[
    str,
    typer.Option(
        "--acquired", metavar="TIME", help=_("When it was to be acquired, with its zone; a file of another time stops.")
    ),
]
ClockOffset = Annotated[
    int,
    typer.Option(
        "--clock-offset", metavar="MINUTES", help=_("The instrument's clock ahead of UTC, if it states none.")
    ),
]
Earlier = Annotated[
    Path | None, typer.Option("--earlier", metavar="RECORD", help=_("The record that was seen before these gates."))
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why gates moved after a result was seen."))]
MovedBy = Annotated[str, typer.Option("--moved-by", metavar="NAME", help=_("Who moved them."))]
AgreedBy = Annotated[str, typer.Option("--agreed-by", metavar="NAME", help=_("The second person, who agreed."))]
Records = Annotated[
    Path | None, typer.Option("--records", metavar="DIR", help=_("Write each record's bytes into this folder."))
]


@dataclass(frozen=True, slots=True)
class Stated:
    """What the command line says beside the files and the analysis."""

    controls: tuple[str, ...] = ()
    instrument: tuple[Path, ...] = ()
    sample: str = ""
    acquired: str = ""
    clock_offset: int = 0
    earlier: Path | None = None
    reason: str = ""
    moved_by: str = ""
    agreed_by: str = ""


def analysed(
    files: Sequence[Path],
    analysis: Path,
    which: int | None,
    stated: Stated,
    records: Path | None,
    spread: Callable[..., Iterator[tuple["FileAnalysis", ...]]],
    *,
    json: bool,
) -> None:
    """Carry an analysis out on every file, say its figures, and end the command."""
    from cellwright.cytometry.analysis.job import analyse_sets

    if stated.sample and len(files) > 1:
        stop(_("--sample asks for one sample: name one file."), Exit.USAGE)
    if stated.acquired and not stated.sample:
        stop(_("--acquired goes with --sample."), Exit.USAGE)
    sheet = sheet_of(analysis)
    job = _job(analysis, sheet, stated)
    found = [one for sets in spread(analyse_sets, job, which) for one in sets]
    if records is not None:
        _keep(found, records, *files)
    if json:
        print_document(ANALYSES, {"files": [_told(one) for one in found]})
    else:
        for one in found:
            _tell(one, sheet)
    sound = all(one.record is not None and not any(o.flaw for o in one.record.outputs) for one in found)
    raise typer.Exit(Exit.OK if sound else Exit.FINDING)


def _job(path: Path, sheet: "Sheet", stated: Stated) -> "Job":
    from cellwright.cytometry.analysis import AnalysisError, Request, strategy
    from cellwright.cytometry.analysis.job import Job

    bound = sheet.analysis.gating_ml
    try:
        gating = (path.parent / bound.file).read_bytes() if bound is not None else b""
        strategy(sheet, lambda _name: gating)
    except AnalysisError as error:
        refuse(path, error)
    except OSError as error:
        assert bound is not None
        stop(_("{path} cannot be read: {why}").format(path=path.parent / bound.file, why=why(error)))
    request = Request(
        sample=stated.sample, acquired_at=stated.acquired, instrument_offset_minutes=stated.clock_offset
    ) if stated.sample else None  # fmt: skip
    earlier, revision = _before(stated)
    return Job(
        analysis=path.read_bytes(), gating_ml=gating, controls=tuple(map(_control, stated.controls)),
        instrument=tuple(map(_check, stated.instrument)), request=request, earlier=earlier, revision=revision,
    )  # fmt: skip


def _control(text: str) -> "ControlPath":
    from cellwright.cytometry.analysis.job import KINDS, ControlPath

    title, _equals, file = text.partition("=")
    word, _colon, marker = title.partition(":")
    kind = next((one for one in KINDS if one == word), None)
    if kind is None or not file:
        stop(_("--control takes KIND[:MARKER]=FILE; kinds are {kinds}.").format(kinds=", ".join(KINDS)), Exit.USAGE)
    return ControlPath(kind, marker, file)


def _check(path: Path) -> "InstrumentQc":
    import msgspec

    from cellwright.cytometry.analysis import InstrumentQc

    try:
        data = path.read_bytes()
        said = msgspec.json.decode(data, type=dict[str, Any])
        return msgspec.convert(said | {"sha256": sha256(data).hexdigest()}, InstrumentQc)
    except (OSError, ValueError) as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=why(error)), Exit.USAGE)


def _before(stated: Stated) -> tuple["AnalysisRecord | None", "Revision | None"]:
    from cellwright.cytometry.analysis import Revision, read_record

    if stated.earlier is None:
        if stated.reason or stated.moved_by or stated.agreed_by:
            stop(_("A reason and its persons go with the --earlier record."), Exit.USAGE)
        return None, None
    try:
        data = stated.earlier.read_bytes()
        record = read_record(data)
    except (OSError, ValueError) as error:
        stop(_("{path} cannot be read: {why}").format(path=stated.earlier, why=why(error)), Exit.USAGE)
    stands_for = sha256(data).hexdigest()
    return record, Revision(
        stands_for=stands_for, reason=stated.reason, moved_by=stated.moved_by, agreed_by=stated.agreed_by
    )


def _keep(found: Sequence["FileAnalysis"], folder: Path, *read: Path) -> None:
    from cellwright.cytometry.analysis import record_bytes

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    taken: set[Path] = set()
    for one in found:
        if one.record is None:
            continue
        name = Path(one.file).name + (f".{one.data_set}" if one.data_set else "")
        path = next(p for n in range(1, len(found) + 2) if (p := folder / _numbered(name, n)) not in taken)
        taken.add(path)
        with writing(path, *read):
            path.write_bytes(record_bytes(one.record))


def _numbered(name: str, n: int) -> str:
    return f"{name}.record.json" if n == 1 else f"{name}-{n}.record.json"


def _told(one: "FileAnalysis") -> dict[str, Any]:
    import msgspec

    from cellwright.cytometry.analysis import record_sha256

    said = {"file": one.file, "data_set": one.data_set, "error": one.error}
    if one.record is None:
        return said | {"record_sha256": "", "record": None}
    return said | {"record_sha256": record_sha256(one.record), "record": msgspec.to_builtins(one.record)}


def titled(file: str, data_set: int) -> str:
    """A file, and its data set where it is not the first."""
    return f"{file} [{data_set}]" if data_set else file


def _tell(one: "FileAnalysis", sheet: "Sheet") -> None:
    from cellwright.cytometry.plot.report import STATUS, note_words

    if one.record is None:
        say(_("{file}: no figures: {why}").format(file=titled(one.file, one.data_set), why=one.error))
        return
    record = one.record
    say(_("{file}: {events} events").format(file=titled(one.file, one.data_set), events=record.file.events))
    names = {o.output: o.name.zh if active() != "en" else o.name.en for o in sheet.analysis.outputs}
    for o in record.outputs:
        unit = "" if o.unit == "1" else o.unit
        between = f"({o.low} – {o.high or '∞'})" if o.low else ""
        notes = "; ".join(note_words(word) for word in (*filter(None, (o.flaw,)), *o.warnings))
        say(f"  {names[o.output]}: {o.value or '–'} {unit} {between} [{o.events} / {o.of}] {notes}".rstrip())
    for c in record.controls:
        limit = f"{c.value} (≤ {c.limit})" if c.limit and c.value else ""
        say(f"  {c.control}: {_(STATUS[c.status])} {limit}".rstrip())
