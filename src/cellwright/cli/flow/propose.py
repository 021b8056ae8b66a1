"""`cellwright flow propose`: the gates of a template, found in a sample."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cellwright.cli.flow.arguments import DataSet, Json, OneFile, Output
from cellwright.cli.flow.files import refuse, sample_of, sheet_of, unreadable, writing
from cellwright.cli.output import Exit, print_document, say
from cellwright.language import _

PROPOSED: Final = "cellwright.flow-proposal/1"


def propose(
    file: OneFile,
    output: Output,
    template: Annotated[Path, typer.Option("--template", metavar="YAML", help=_("How to find each gate of a panel."))],
    data_set: DataSet = 0,
    json: Json = False,
) -> None:
    """Find the gates of a template in a sample."""
    from cellwright.cytometry import FcsError, GateError
    from cellwright.cytometry.analysis import AnalysisError
    from cellwright.cytometry.proposal import propose as proposed

    try:
        made = proposed(sheet_of(template), sample_of(file, data_set))
    except AnalysisError as error:
        refuse(template, error)
    except (FcsError, GateError) as error:
        unreadable(file, error)
    with writing(output, file, template):
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
