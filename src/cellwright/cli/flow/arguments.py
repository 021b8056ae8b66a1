"""Arguments and options that several verbs of `cellwright flow` share."""

from pathlib import Path
from typing import Annotated

import typer

from cellwright.cli.output import Exit, stop
from cellwright.language import _

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
DataSets = Annotated[
    str, typer.Option("--data-set", metavar="N|all", help=_("Which data set of a file, from 0; or all of them."))
]
DataSet = Annotated[int, typer.Option("--data-set", metavar="N", min=0, help=_("Which data set of a file, from 0."))]


def data_sets(word: str) -> int | None:
    """Which data sets are meant: one of them, or None for all. Ends the command on anything else."""
    if word != "all" and not (word.isascii() and word.isdigit()):
        stop(_("--data-set takes a number from 0, or the word all."), Exit.USAGE)
    return None if word == "all" else int(word)
