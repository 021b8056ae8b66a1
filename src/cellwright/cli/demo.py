"""`cellwright demo`: a simulated factory from the first order to the last dossier."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cellwright.cli.output import Exit, complain, print_document, progress, say, stop
from cellwright.language import _

app = typer.Typer(add_completion=False)


@app.command()
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
    from cellwright.command.demo import report
    from cellwright.command.demo.run import open_demo
    from cellwright.factory.rule import Refusal

    where = folder or Path(tempfile.mkdtemp(prefix="cellwright-demo-")) / "site"
    try:
        running = open_demo(where, seed)
    except Refusal as refusal:
        stop(_(refusal.text).format(**refusal.values) + " " + _(refusal.remedy), Exit.USAGE)
    complain(_("SIMULATED, NOT FOR HUMAN USE"))
    with running.site, progress(_("patients"), patients) as bar:
        running.run(patients, lambda done, total: bar.advance())
        if json:
            print_document(report.SCHEMA, report.document(running, seed))
        else:
            _tell(running, where)


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
    say(f"  cellwright verify {where}")
    say(f"  cellwright dossier {lot} --dir {where} -o {lot}.zip")
    say(f"  cellwright serve {where}")
