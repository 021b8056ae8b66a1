"""`cellwright flow plot`: gates or two channels as pictures, an analysis as a report on paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cellwright.cli.flow.arguments import AnalysisFile, DataSet, GatesFile, Json, OneFile, Output
from cellwright.cli.flow.files import (
    gates_of,
    is_simulated,
    refuse,
    sample_of,
    sheet_of,
    unreadable,
    why,
    writing,
    wrote,
)
from cellwright.cli.output import Exit, stop
from cellwright.language import _, active

if TYPE_CHECKING:
    from cellwright.cytometry import FcsFile
    from cellwright.cytometry.analysis import AnalysisRecord, Sheet
    from cellwright.cytometry.plot import Picture


def plot(
    file: OneFile,
    output: Output,
    gates: GatesFile = None,
    analysis: AnalysisFile = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record", metavar="RECORD", help=_("The record that the report shows, as count --records wrote it.")
        ),
    ] = None,
    x: Annotated[str, typer.Option(metavar="CHANNEL", help=_("Without gates: the horizontal channel."))] = "",
    y: Annotated[str, typer.Option(metavar="CHANNEL", help=_("Without gates: the vertical channel."))] = "",
    dots: Annotated[bool, typer.Option("--dots", help=_("Dots instead of density."))] = False,
    data_set: DataSet = 0,
    json: Json = False,
) -> None:
    """Draw gates or two channels."""
    from cellwright.cytometry import FcsError, GateError

    if gates is not None and analysis is not None:
        stop(_("Name either --gates or --analysis."), Exit.USAGE)
    if record is not None and (analysis is None or output.suffix != ".pdf"):
        stop(_("A --record is shown in a report on paper, with its --analysis."), Exit.USAGE)
    if output.suffix == ".pdf" and analysis is None:
        stop(_("A report on paper needs an analysis."), Exit.USAGE)
    if gates is None and analysis is None and not x:
        stop(_("Name --gates, --analysis, or the channels with --x and --y."), Exit.USAGE)
    sample = sample_of(file, data_set)
    try:
        if gates is not None:
            written = _gates(file, sample, gates, output, dots=dots)
        elif analysis is not None:
            written = _analysis(file, sample, analysis, record, output, dots=dots)
        else:
            written = [_two_channels(file, sample, output, x, y, dots=dots)]
    except (FcsError, GateError) as error:
        unreadable(file, error)
    wrote(written, json=json)


def _two_channels(file: Path, sample: "FcsFile", output: Path, x: str, y: str, *, dots: bool) -> Path:
    from cellwright.cytometry.plot import density_plot, dot_plot, histogram, usual_scale
    from cellwright.cytometry.plot.axis import fitting

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
    with writing(output, file):
        output.write_text(picture.svg, encoding="utf-8")
    return output


def _gates(file: Path, sample: "FcsFile", gates: Path, output: Path, *, dots: bool) -> list[Path]:
    from cellwright.cytometry import gate_sample
    from cellwright.cytometry.batch import gates_for
    from cellwright.cytometry.plot import View, draw_gates

    found = gates_for(str(file), gates_of(gates))
    view = View(sample, found, gate_sample(sample, found), {}, {}, "dot" if dots else "density")
    return _pictures(list(draw_gates(view)), output, file, gates)


def _analysis(
    file: Path, sample: "FcsFile", analysis: Path, record: Path | None, output: Path, *, dots: bool
) -> list[Path]:
    from cellwright.cytometry import gate_sample
    from cellwright.cytometry.analysis import AnalysisError, Panel, strategy
    from cellwright.cytometry.plot import View, draw_gates
    from cellwright.cytometry.plot.report import NoTypesetter, report_pdf

    sheet = sheet_of(analysis)
    try:
        found = strategy(sheet, lambda name: (analysis.parent / name).read_bytes())
    except AnalysisError as error:
        refuse(analysis, error)
    except OSError as error:
        stop(_("{path} cannot be read: {why}").format(path=analysis, why=why(error)))
    panel = Panel(sheet.analysis)
    scales = {channel: panel.shown[marker] for marker, channel in panel.channels.items()}
    named = [(entry.gate, entry.name) for entry in sheet.analysis.gates if entry.name is not None]
    names = {gate: words.zh if active() != "en" else words.en for gate, words in named}
    view = View(sample, found, gate_sample(sample, found), scales, names, "dot" if dots else "density")
    pictures = list(draw_gates(view))
    if output.suffix != ".pdf":
        return _pictures(pictures, output, file, analysis)
    shown = _record(sheet, sample, analysis, record)
    try:
        paper = report_pdf(sheet, shown, pictures, simulated=is_simulated(sample))
    except NoTypesetter as error:
        stop(str(error), Exit.USAGE)
    with writing(output, file, analysis, *filter(None, (record,))):
        output.write_bytes(paper)
    return [output]


def _record(sheet: "Sheet", sample: "FcsFile", analysis: Path, record: Path | None) -> "AnalysisRecord":
    """The record that was made of this file by this analysis; without one, a new one that no controls stand beside."""
    from cellwright.cytometry.analysis import analyse, read_record

    if record is None:
        return analyse(sheet, sample, read=lambda name: (analysis.parent / name).read_bytes())
    try:
        found = read_record(record.read_bytes())
    except (OSError, ValueError) as error:
        stop(_("{path} cannot be read: {why}").format(path=record, why=why(error)))
    if (found.file.sha256, found.definition_sha256) != (sample.sha256, sheet.sha256):
        stop(_("{path} is a record of another file or another analysis.").format(path=record))
    return found


def _pictures(pictures: Sequence[tuple[str, "Picture"]], folder: Path, *read: Path) -> list[Path]:
    with writing(folder, *read):
        folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, picture in pictures:
        plain = _plain(name)
        number = sum(path.stem.casefold() == plain.casefold() for path in paths)
        paths.append(folder / (f"{plain} ({number + 1}).svg" if number else f"{plain}.svg"))
        with writing(paths[-1], *read):
            paths[-1].write_text(picture.svg, encoding="utf-8")
    return paths


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_+." else "_" for letter in name).lstrip(".") or "gate"
