"""`cellwright demo`: a simulated factory from the first order to the last dossier."""

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from cellwright.cli.output import Exit, complain, print_document, progress, say, stop
from cellwright.language import _

app = typer.Typer(add_completion=False)


@app.command(help=_("Run a simulated factory from the first order to the last dossier."))
def demo(
    patients: Annotated[
        int, typer.Option(min=1, max=5000, help=_("How many patients; 24 or more show the whole story."))
    ] = 24,
    seed: Annotated[str, typer.Option(help=_("The same seed tells the same story."))] = "1",
    folder: Annotated[
        Path | None, typer.Option("--dir", help=_("A new folder for the site; left out, a temporary one."))
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))] = False,
) -> None:
    """Run a simulated factory from the first order to the last dossier."""
    from cellwright.factory.rule import Refusal
    from cellwright.ledger import LedgerError

    where = folder or Path(tempfile.mkdtemp(prefix="cellwright-demo-")) / "site"
    try:
        document = _run(where, patients, seed, json)
    except Refusal as refusal:
        stop(_(refusal.text).format(**refusal.values) + " " + _(refusal.remedy), Exit.USAGE)
    except (LedgerError, OSError, _database_error()) as error:
        stop(_("The demonstration in {folder} did not end: {why}").format(folder=where, why=error))
    if json:
        print_document(*document)


def _run(where: Path, patients: int, seed: str, json: bool) -> tuple[str, dict[str, Any]]:
    """The whole run, its site closed again; for a person it is told at once, as JSON it is given back to be printed."""
    from cellwright.command.demo import report
    from cellwright.command.demo.run import open_demo

    running = open_demo(where, seed)
    complain(_("SIMULATED, NOT FOR HUMAN USE"))
    with running.site, progress(_("patients"), patients) as bar:
        running.run(patients, lambda done, total: bar.advance())
        if not json:
            _tell(running, where)
        return report.SCHEMA, report.document(running, seed) if json else {}


def _database_error() -> type[Exception]:
    """What the database's library raises where the ledger has no word of its own for it, such as a failing disk."""
    import apsw

    return apsw.Error


def program() -> str:
    """The program as it was started, so that a proposed command can be pasted into the same shell."""
    name = Path(sys.argv[0]).name
    if name != "cellwright" or shutil.which(name) == sys.argv[0] or os.sep not in sys.argv[0]:
        return "cellwright"
    started = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    path = started.relative_to(here) if started.is_relative_to(here) else started
    return shlex.quote(str(path) if len(path.parts) > 1 else f".{os.sep}{path}")


def _tell(running: "object", where: Path) -> None:
    from cellwright.command.demo import report
    from cellwright.command.demo.run import Demo

    assert isinstance(running, Demo)
    say(_("SIMULATED, NOT FOR HUMAN USE"))
    say()
    for number, product, lot, happened in report.rows(running):
        say(f"{number:>4}  {product:<10} {lot:<17} {happened}")
    counts = report.counts(running)
    missing = report.left_out(running)
    if missing:
        say()
        say(
            _(
                "With {patients} patients these scenes of the story are left out: {scenes}. It has all of them from 24 on."
            ).format(patients=counts["patients"], scenes=_("; ").join(_(report.CODES[code]) for code in missing))
        )
    say()
    say(
        _("{patients} patients, {lots} lots, {released} released; {share} % of the lots.").format(
            patients=counts["patients"],
            lots=counts["lots"],
            released=counts["lots_released"],
            share=f"{100 * counts['lots_released'] / max(counts['lots'], 1):.0f}",
        )
    )
    say(
        _(
            "{events} events, {signatures} signatures, {checks} identity checks by the store, {swaps} swaps stopped."
        ).format(
            events=counts["events"],
            signatures=counts["signatures"],
            checks=counts["identity_checks"],
            swaps=counts["swaps_stopped"],
        )
    )
    say()
    say(_("What to look at next:"))
    lot = running.ways[0].patient.lot
    start, site = program(), shlex.quote(str(where))
    say(f"  {start} verify {site}")
    say(f"  {start} dossier {shlex.quote(lot)} --dir {site} -o {shlex.quote(f'{lot}.zip')}")
    say(f"  {start} serve {site}")
