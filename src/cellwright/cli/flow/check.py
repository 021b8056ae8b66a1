"""`cellwright flow check`: the course of an acquisition."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from cellwright.cli.flow.analysed import titled
from cellwright.cli.flow.arguments import AnalysisFile, DataSets, Files, Json, data_sets
from cellwright.cli.flow.files import sheet_of, why
from cellwright.cli.output import Exit, print_document, say
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.cytometry import FcsFile
    from cellwright.cytometry.acquisition import AcquisitionCheck, AcquisitionDecision
    from cellwright.cytometry.analysis import Sheet

CHECK: Final = "cellwright.flow-check/1"


def check(files: Files, analysis: AnalysisFile = None, data_set: DataSets = "0", json: Json = False) -> None:
    """Judge the course of an acquisition."""
    which = data_sets(data_set)
    sheet = sheet_of(analysis) if analysis is not None else None
    told = [one for path in files for one in _decisions(path, which, sheet)]
    if json:
        print_document(CHECK, {"files": told})
    else:
        for one in told:
            _tell(one)
    good = all(one["decision"] and one["decision"]["verdict"].startswith("accepted") for one in told)
    raise typer.Exit(Exit.OK if good else Exit.FINDING)


def _decisions(path: Path, which: int | None, sheet: "Sheet | None") -> Iterator[dict[str, Any]]:
    import msgspec

    from cellwright.cytometry import FcsError, read_fcs, read_fcs_all

    try:
        samples = read_fcs_all(path) if which is None else (read_fcs(path, data_set=which),)
    except (FcsError, OSError) as error:
        yield {"file": str(path), "data_set": which or 0, "error": why(error), "decision": None}
        return
    for number, sample in enumerate(samples, which or 0):
        said = {"file": str(path), "data_set": number}
        try:
            yield said | {"error": "", "decision": msgspec.to_builtins(_judged(sample, sheet))}
        except ValueError as error:
            yield said | {"error": str(error), "decision": None}


def _judged(sample: "FcsFile", sheet: "Sheet | None") -> "AcquisitionDecision":
    from cellwright.cytometry.acquisition import check_acquisition

    stated = sheet.analysis.acquisition if sheet is not None else None
    wanted = stated if stated is not None else _usual(sample)
    return check_acquisition({c.name: sample.column(c.name) for c in sample.channels}, wanted)[0]


def _usual(sample: "FcsFile") -> "AcquisitionCheck":
    """A check of everything that is no clock, where no analysis says what to watch."""
    from cellwright.cytometry.acquisition import AcquisitionCheck, rises

    names = [channel.name for channel in sample.channels]
    clocks = [name for name in names if rises(sample.column(name))]
    time = next((name for name in names if name.strip().lower() == "time"), clocks[0] if clocks else "")
    pair = ("FSC-A", "FSC-H") if {"FSC-A", "FSC-H"} <= set(names) else ("", "")
    signal = tuple(name for name in names if name != time and name not in clocks)
    return AcquisitionCheck(time=time, signal=signal, area=pair[0], height=pair[1])


def _tell(one: dict[str, Any]) -> None:
    if one["error"]:
        say(_("{file}: cannot be read: {why}").format(file=one["file"], why=one["error"]))
        return
    from cellwright.cytometry.plot.report import VERDICTS

    decision = one["decision"]
    text = _("{file}: {verdict}; {kept} of {events} events stay")
    file, word = titled(one["file"], one["data_set"]), _(VERDICTS[decision["verdict"]])
    say(text.format(file=file, verdict=word, kept=decision["kept"], events=decision["events"]))
    for found in decision["findings"]:
        say(f"  {found['kind']:<16} {found['channel']:<16} {found['events']:>8}  {found['worst']:.3f}")
