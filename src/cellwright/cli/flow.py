"""`cellwright flow`: raw FCS files read, checked, counted, drawn and converted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from cellwright.cli.output import Exit, complain, print_document, progress, say, stop
from cellwright.language import _, active

if TYPE_CHECKING:
    from cellwright.cytometry import FcsFile
    from cellwright.cytometry.analysis import AnalysisRecord, Sheet
    from cellwright.cytometry.batch import FileCount, Gates

app = typer.Typer(add_completion=False, no_args_is_help=True)

INFO: Final = "cellwright.flow-info/1"
COUNT: Final = "cellwright.flow-count/1"
ANALYSIS: Final = "cellwright.flow-analyses/1"
CHECK: Final = "cellwright.flow-check/1"
WRITTEN: Final = "cellwright.flow-written/1"
PROPOSED: Final = "cellwright.flow-proposal/1"

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help=_("FCS files."))]
OneFile = Annotated[Path, typer.Argument(metavar="FILE", help=_("An FCS file."))]
Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))]
GatesFile = Annotated[
    Path | None,
    typer.Option("--gates", metavar="GATES", help=_("Gates: Gating-ML 2.0 (.xml) or a FlowJo workspace (.wsp).")),
]
AnalysisFile = Annotated[
    Path | None,
    typer.Option("--analysis", metavar="YAML", help=_("An analysis file: panel, gates, outputs, controls.")),
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help=_("Where to write."))]


@app.callback()
def _flow() -> None:
    """Read, check, count, draw and convert raw FCS files."""


# --- what a file is


@app.command(
    help=_("Say what files hold: data sets, channels, what was repaired in reading; or what is wrong with them.")
)
def info(files: Files, json: Json = False) -> None:
    """Say what files hold."""
    told = [_described(path) for path in files]
    if json:
        print_document(INFO, {"files": told})
    else:
        for one in told:
            _tell_file(one)
    raise typer.Exit(Exit.FINDING if any(one["error"] for one in told) else Exit.OK)


def _described(path: Path) -> dict[str, Any]:
    from cellwright.cytometry import FcsError, read_fcs_all

    try:
        samples = read_fcs_all(path)
    except (FcsError, OSError) as error:
        return {"file": str(path), "error": _why(error), "data_sets": []}
    return {"file": str(path), "error": "", "data_sets": [_data_set(sample) for sample in samples]}


def _why(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _data_set(sample: "FcsFile") -> dict[str, Any]:
    return {
        "version": sample.version,
        "sha256": sample.sha256,
        "sample": sample.sample_id,
        "cytometer": sample.cytometer,
        "acquired": sample.acquired[0].isoformat() if sample.acquired else "",
        "events": sample.events,
        "channels": [
            {"name": c.name, "stain": c.stain, "bits": c.bits, "range": f"{c.range:.10g}"} for c in sample.channels
        ],
        "spillover": list(sample.spillover.detectors) if sample.spillover is not None else [],
        "repairs": [str(repair) for repair in sample.repairs],
        "simulated": _is_simulated(sample),
    }


def _is_simulated(sample: "FcsFile") -> bool:
    from cellwright.cytometry.simulated import MARKER

    return MARKER in sample.text


def _tell_file(one: dict[str, Any]) -> None:
    if one["error"]:
        say(_("{file}: cannot be read: {why}").format(file=one["file"], why=one["error"]))
        return
    for number, data in enumerate(one["data_sets"]):
        if data["simulated"]:
            say(_("SIMULATED, NOT FOR HUMAN USE"))
        text = _("{file} [{number}]: FCS {version}, {events} events, {channels} channels")
        say(text.format(file=one["file"], number=number, channels=len(data["channels"]),
                        version=data["version"], events=data["events"]))  # fmt: skip
        facts = (data["sample"], data["cytometer"], data["acquired"])
        say("  " + _("sample {sample}, instrument {instrument}, acquired {acquired}").format(
            **dict(zip(("sample", "instrument", "acquired"), (fact or "–" for fact in facts), strict=True))))  # fmt: skip
        for channel in data["channels"]:
            say(f"  {channel['name']:<16} {channel['stain']:<20} {channel['bits']:>3}  {channel['range']:>10}")
        for repair in data["repairs"]:
            say("  " + _("repaired: {what}").format(what=repair))


# --- counts


@app.command(help=_("Count the events of every gate, in one file or many; or give the figures of an analysis."))
def count(
    files: Files,
    gates: GatesFile = None,
    analysis: AnalysisFile = None,
    parquet: Annotated[
        Path | None, typer.Option(metavar="PATH", help=_("Write the counts as a Parquet table too."))
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", help=_("Processes for many files; 0 for all cores."))] = 1,
    dask: Annotated[
        str, typer.Option(metavar="ADDRESS", help=_("Dask scheduler to work on instead of processes."))
    ] = "",
    json: Json = False,
) -> None:
    """Count the events of every gate."""
    if (gates is None) == (analysis is None):
        stop(_("Name either --gates or --analysis."), Exit.USAGE)
    if analysis is not None:
        _analysed(files, analysis, json=json)
    assert gates is not None
    found = list(_counts(files, gates, workers, dask))
    if parquet is not None:
        _table(found, parquet)
    if json:
        print_document(COUNT, {"files": [_counted(one) for one in found]})
    else:
        for one in found:
            _tell_counts(one)
    raise typer.Exit(Exit.FINDING if any(one.error for one in found) else Exit.OK)


def _counts(files: Sequence[Path], gates: Path, number: int, dask: str) -> Iterator["FileCount"]:
    from cellwright.cytometry.batch import count_file, each, workers

    held = _gates(gates)
    paths = [str(path) for path in files]
    try:
        with (
            workers(1 if len(paths) == 1 and not dask else number, dask) as pool,
            progress(_("Counting"), len(paths)) as bar,
        ):
            for one in each(count_file, paths, held, executor=pool):
                bar.advance(note=one.file)
                yield one
    except ModuleNotFoundError:
        stop(_("Working on Dask needs the extra: pip install 'cellwright[distributed]'"), Exit.USAGE)


def _gates(path: Path) -> "Gates":
    from cellwright.cytometry import GateError
    from cellwright.cytometry.batch import gates_of

    try:
        return gates_of(path)
    except (GateError, OSError) as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=_why(error)))


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
        "file": one.file, "error": one.error, "sha256": one.sha256, "sample": one.sample, "events": one.events,
        "repairs": one.repairs, "populations": populations,
    }  # fmt: skip


def _percent(events: int, of: int, decimals: int = 4) -> str:
    return f"{100 * events / of:.{decimals}f}" if of else ""


def _tell_counts(one: "FileCount") -> None:
    if one.error:
        say(_("{file}: cannot be read: {why}").format(file=one.file, why=one.error))
        return
    say(_("{file}: {events} events").format(file=one.file, events=one.events))
    depth = {"": 0}
    for p in one.populations:
        depth[p.name] = depth.get(p.parent, 0) + 1
        name = "  " * depth[p.name] + p.name
        say(f"{name:<40} {p.events:>10}  {_percent(p.events, p.parent_events, 2):>8} %")


def _table(found: Sequence["FileCount"], path: Path) -> None:
    rows = [
        {"file": one.file, "sha256": one.sha256, "sample": one.sample, "population": p.name, "parent": p.parent,
         "events": p.events, "parent_events": p.parent_events}
        for one in found
        for p in one.populations
    ]  # fmt: skip
    names = ("file", "sha256", "sample", "population", "parent", "events", "parent_events")
    _parquet({name: [row[name] for row in rows] for name in names}, path)


def _parquet(columns: dict[str, Any], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        stop(_("Tables need the extra: pip install 'cellwright[tables]'"), Exit.USAGE)
    pq.write_table(pa.table(columns), path)


# --- analyses


def _sheet(path: Path) -> "Sheet":
    from cellwright.cytometry.analysis import AnalysisError, read_analysis

    try:
        return read_analysis(path.read_bytes())
    except OSError as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=_why(error)), Exit.USAGE)
    except AnalysisError as error:
        _refuse(path, error)


def _refuse(path: Path, error: Any) -> NoReturn:
    for problem in error.problems:
        complain(f"{path}:{problem.line}: {problem.where}: {problem.what}")
    raise SystemExit(int(Exit.FINDING))


def _record(path: Path, sheet: "Sheet", beside: Path) -> "AnalysisRecord":
    from cellwright.cytometry import FcsError, GateError, read_fcs
    from cellwright.cytometry.analysis import AnalysisError, analyse

    try:
        return analyse(sheet, read_fcs(path), read=lambda name: (beside.parent / name).read_bytes())
    except AnalysisError as error:
        _refuse(beside, error)
    except (FcsError, GateError, OSError) as error:
        stop(_("{file}: cannot be read: {why}").format(file=path, why=_why(error)))


def _analysed(files: Sequence[Path], analysis: Path, *, json: bool) -> None:
    from cellwright.cytometry.analysis import record_sha256

    sheet = _sheet(analysis)
    records = [(path, _record(path, sheet, analysis)) for path in files]
    if json:
        import msgspec

        body = [
            {"file": str(p), "record_sha256": record_sha256(r), "record": msgspec.to_builtins(r)} for p, r in records
        ]
        print_document(ANALYSIS, {"files": body})
    else:
        for path, record in records:
            _tell_record(path, sheet, record)
    raise typer.Exit(Exit.FINDING if any(o.flaw for _path, r in records for o in r.outputs) else Exit.OK)


def _tell_record(path: Path, sheet: "Sheet", record: "AnalysisRecord") -> None:
    from cellwright.cytometry.plot.report import note_words

    say(_("{file}: {events} events").format(file=path, events=record.file.events))
    names = {one.output: one.name.zh if active() != "en" else one.name.en for one in sheet.analysis.outputs}
    for one in record.outputs:
        unit = "" if one.unit == "1" else one.unit
        between = f"({one.low} – {one.high or '∞'})" if one.low else ""
        notes = "; ".join(note_words(word) for word in (*filter(None, (one.flaw,)), *one.warnings))
        say(f"  {names[one.output]}: {one.value or '–'} {unit} {between} [{one.events} / {one.of}] {notes}".rstrip())


# --- acquisition


@app.command(help=_("Judge the course of an acquisition: flow rate, drift of the signals, margin events, doublets."))
def check(files: Files, analysis: AnalysisFile = None, json: Json = False) -> None:
    """Judge the course of an acquisition."""
    import msgspec

    from cellwright.cytometry import FcsError, read_fcs

    told: list[dict[str, Any]] = []
    sheet = _sheet(analysis) if analysis is not None else None
    for path in files:
        try:
            decision = _judged(read_fcs(path), sheet)
            told.append({"file": str(path), "error": "", "decision": msgspec.to_builtins(decision)})
        except (FcsError, OSError, ValueError) as error:
            told.append({"file": str(path), "error": _why(error), "decision": None})
    if json:
        print_document(CHECK, {"files": told})
    else:
        for one in told:
            _tell_decision(one)
    good = all(one["decision"] and one["decision"]["verdict"].startswith("accepted") for one in told)
    raise typer.Exit(Exit.OK if good else Exit.FINDING)


def _judged(sample: "FcsFile", sheet: "Sheet | None") -> Any:
    from cellwright.cytometry.acquisition import AcquisitionCheck, check_acquisition, rises

    if sheet is not None and sheet.analysis.acquisition is not None:
        wanted = sheet.analysis.acquisition
    else:
        names = [channel.name for channel in sample.channels]
        clocks = [name for name in names if rises(sample.column(name))]
        time = next((name for name in names if name.strip().lower() == "time"), clocks[0] if clocks else "")
        pair = ("FSC-A", "FSC-H") if {"FSC-A", "FSC-H"} <= set(names) else ("", "")
        signal = tuple(name for name in names if name != time and name not in clocks)
        wanted = AcquisitionCheck(time=time, signal=signal, area=pair[0], height=pair[1])
    return check_acquisition({c.name: sample.column(c.name) for c in sample.channels}, wanted)[0]


def _tell_decision(one: dict[str, Any]) -> None:
    if one["error"]:
        say(_("{file}: cannot be read: {why}").format(file=one["file"], why=one["error"]))
        return
    from cellwright.cytometry.plot.report import VERDICTS

    decision = one["decision"]
    text = _("{file}: {verdict}; {kept} of {events} events stay")
    word = VERDICTS[decision["verdict"]]
    say(text.format(file=one["file"], verdict=_(word), kept=decision["kept"], events=decision["events"]))
    for found in decision["findings"]:
        say(f"  {found['kind']:<16} {found['channel']:<16} {found['events']:>8}  {found['worst']:.3f}")


# --- pictures


@app.command(
    help=_("Draw each gate over its parent's events as SVG; with an analysis also as a report on paper (.pdf).")
)
def plot(
    file: OneFile,
    output: Output,
    gates: GatesFile = None,
    analysis: AnalysisFile = None,
    x: Annotated[str, typer.Option(metavar="CHANNEL", help=_("Without gates: the horizontal channel."))] = "",
    y: Annotated[str, typer.Option(metavar="CHANNEL", help=_("Without gates: the vertical channel."))] = "",
    dots: Annotated[bool, typer.Option("--dots", help=_("Dots instead of density."))] = False,
    json: Json = False,
) -> None:
    """Draw gates or two channels."""
    from cellwright.cytometry import FcsError, GateError

    try:
        if gates is None and analysis is None:
            written = [_two_channels(file, output, x, y, dots=dots)]
        else:
            written = _drawn(file, output, gates, analysis, dots=dots)
    except (FcsError, GateError, OSError, ValueError) as error:
        stop(_("{file}: cannot be read: {why}").format(file=file, why=_why(error)))
    _wrote(written, json=json)


def _two_channels(file: Path, output: Path, x: str, y: str, *, dots: bool) -> Path:
    from cellwright.cytometry import read_fcs
    from cellwright.cytometry.plot import density_plot, dot_plot, histogram, usual_scale
    from cellwright.cytometry.plot.axis import fitting

    if not x:
        stop(_("Name --gates, --analysis, or the channels with --x and --y."), Exit.USAGE)
    sample = read_fcs(file)
    axes, values = [], []
    for name in filter(None, (x, y)):
        channel = sample.channel(name)
        values.append(sample.column(name, scaled=True))
        label = f"{channel.stain} ({name})" if channel.stain else name
        axes.append(fitting(label, values[-1], usual_scale(channel)))
    if len(axes) == 1:
        picture = histogram(values[0], axes[0], file.name)
    else:
        picture = (dot_plot if dots else density_plot)(values[0], values[1], (axes[0], axes[1]), file.name)
    output.write_text(picture.svg, encoding="utf-8")
    return output


def _drawn(file: Path, output: Path, gates: Path | None, analysis: Path | None, *, dots: bool) -> list[Path]:
    from cellwright.cytometry import gate_sample, read_fcs
    from cellwright.cytometry.analysis import Panel, strategy
    from cellwright.cytometry.batch import gates_for
    from cellwright.cytometry.plot import View, draw_gates
    from cellwright.cytometry.plot.report import NoTypesetter, report_pdf

    sample = read_fcs(file)
    sheet = _sheet(analysis) if analysis is not None else None
    scales, names = {}, {}
    if sheet is None or analysis is None:
        assert gates is not None
        found = gates_for(str(file), _gates(gates))
    else:
        found = strategy(sheet, lambda name: (analysis.parent / name).read_bytes())
        panel = Panel(sheet.analysis)
        scales = {channel: panel.shown[marker] for marker, channel in panel.channels.items()}
        named = [(entry.gate, entry.name) for entry in sheet.analysis.gates if entry.name is not None]
        names = {gate: words.zh if active() != "en" else words.en for gate, words in named}
    members = gate_sample(sample, found)
    pictures = list(draw_gates(View(sample, found, members, scales, names, "dot" if dots else "density")))
    if output.suffix != ".pdf":
        output.mkdir(parents=True, exist_ok=True)
        paths = [output / f"{_safe(name)}.svg" for name, _picture in pictures]
        for path, (_name, picture) in zip(paths, pictures, strict=True):
            path.write_text(picture.svg, encoding="utf-8")
        return paths
    if sheet is None or analysis is None:
        stop(_("A report on paper needs an analysis."), Exit.USAGE)
    try:
        record = _record(file, sheet, analysis)
        output.write_bytes(report_pdf(sheet, record, pictures, simulated=_is_simulated(sample)))
    except NoTypesetter as error:
        stop(str(error), Exit.USAGE)
    return [output]


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_+." else "_" for letter in name).lstrip(".") or "gate"


def _wrote(paths: Sequence[Path], *, json: bool) -> None:
    if json:
        print_document(WRITTEN, {"written": [str(path) for path in paths]})
    else:
        for path in paths:
            say(_("{path} written").format(path=path))


# --- proposed gates


@app.command(help=_("Find the gates of a template in a sample; what is written is proposed, and a person approves it."))
def propose(
    file: OneFile,
    output: Output,
    template: Annotated[Path, typer.Option("--template", metavar="YAML", help=_("How to find each gate of a panel."))],
    json: Json = False,
) -> None:
    """Find the gates of a template in a sample."""
    from cellwright.cytometry import FcsError, GateError, read_fcs
    from cellwright.cytometry.analysis import AnalysisError
    from cellwright.cytometry.proposal import propose as proposed

    try:
        made = proposed(_sheet(template), read_fcs(file))
    except AnalysisError as error:
        _refuse(template, error)
    except (FcsError, GateError, OSError) as error:
        stop(_("{file}: cannot be read: {why}").format(file=file, why=_why(error)))
    output.write_text(made.yaml(), encoding="utf-8")
    if json:
        found = [
            {"gate": f.gate, "method": f.method, "clearness": f"{f.clearness:.4f}", "problem": f.problem}
            for f in made.found
        ]
        print_document(PROPOSED, {"written": str(output), "complete": made.complete, "found": found})
    else:
        for one in made.found:
            say(f"  {one.gate:<24} {one.method:<16} {one.problem or format(one.clearness, '.2f')}")
        say(_("{path} written; its gates are proposed, not approved").format(path=output))
    raise typer.Exit(Exit.OK if made.complete else Exit.FINDING)


# --- other forms


@app.command(help=_("Write the events in another form: .parquet, .csv or .fcs (3.1), on the scale of the light."))
def convert(file: OneFile, output: Output, json: Json = False) -> None:
    """Write the events in another form."""
    from cellwright.cytometry import Channel, FcsError, read_fcs, write_fcs

    try:
        sample = read_fcs(file)
    except (FcsError, OSError) as error:
        stop(_("{file}: cannot be read: {why}").format(file=file, why=_why(error)))
    names = [channel.name for channel in sample.channels]
    columns = {name: sample.column(name, scaled=True) for name in names}
    match output.suffix:
        case ".parquet":
            _parquet(columns, output)
        case ".csv":
            _csv(columns, output)
        case ".fcs":
            linear = [Channel(c.name, stain=c.stain, range=c.range) for c in sample.channels]
            kept = {key: value for key, value in sample.text.items() if key in _KEPT and value.strip()}
            write_fcs(output, [columns[name] for name in names], linear, text=kept)
        case _:
            stop(_("The form follows from the name: .parquet, .csv or .fcs."), Exit.USAGE)
    _wrote([output], json=json)


_KEPT: Final = frozenset({
    "$SMNO", "$CYT", "$CYTSN", "$DATE", "$BTIM", "$ETIM", "$SRC", "$EXP", "$OP", "$SPILLOVER", "SAMPLE ID", "TUBE NAME",
    "CELLWRIGHT SIMULATED",
})  # fmt: skip
"""Keywords that stay true of the events in another form."""


def _csv(columns: dict[str, Any], path: Path) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*([format(value, ".9g") for value in column] for column in columns.values()), strict=True))


@app.command(help=_("Write a simulated sample with its analysis and its gates, to try everything on."))
def example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("The folder to write into."))] = Path(),
    events: Annotated[int, typer.Option(metavar="N", help=_("Events of the sample."))] = 20_000,
    seed: Annotated[int, typer.Option(metavar="S", help=_("Which sample."))] = 1,
    json: Json = False,
) -> None:
    """Write a simulated sample with its analysis and its gates."""
    from datetime import UTC, datetime

    from cellwright import shipped
    from cellwright.cytometry import gating_ml
    from cellwright.cytometry.analysis import read_analysis, strategy
    from cellwright.cytometry.simulated import Cells, simulated_fcs

    if events < 2_000:
        stop(_("A sample has at least 2,000 events."), Exit.USAGE)
    share = events / 20_000
    usual = Cells()
    numbers = {name: int(getattr(usual, name) * share) for name in usual.__dataclass_fields__}
    text = shipped.content("flow/car-t-panel.yaml").decode()
    # The sample stands alone: an example asks for no controls that nobody acquired.
    text = text[: text.index("\ncontrols:")]
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("sample.fcs", "analysis.yaml", "gates.xml", "template.yaml")]
    paths[0].write_bytes(simulated_fcs(Cells(**numbers), seed, "EXAMPLE-1", at, "SIMULATED"))
    paths[1].write_text(text, encoding="utf-8")
    written = gating_ml.write(strategy(read_analysis(text)))
    paths[2].write_bytes(written.encode() if isinstance(written, str) else written)
    paths[3].write_bytes(shipped.content("flow/car-t-template.yaml"))
    _wrote(paths, json=json)
