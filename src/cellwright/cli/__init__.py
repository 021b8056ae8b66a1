"""The command line: one verb per job.

Each verb is a Typer app named `app` in a module of this folder, imported only when it is called, so that
`cellwright --help` answers at once. A new verb is one module and one line in `VERBS`.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from cellwright import __version__
from cellwright.cli.frame import spoken
from cellwright.language import LANGUAGES, N_, _, activate, choose

UsageError: Final[Any] = typer.BadParameter.__base__

# verb: what it is for, in the order in which a newcomer meets them
VERBS: Final[dict[str, str]] = {
    "demo": N_("Run a simulated factory from the first order to the last dossier."),
    "site": N_("Make a site, see how it stands, back it up."),
    "serve": N_("Open the site in a browser."),
    "verify": N_("Check a site's whole record against its checkpoints."),
    "people": N_("Keep the accounts of a site: who may do what, since when."),
    "dossier": N_("Write the dossier of a lot that a stranger can verify."),
    "trial": N_("Judge whether a patient may enter a trial, and say what is still to be found out."),
    "portfolio": N_("Say what may be made for whom: companies, products, programmes, trials, with sources."),
    "flow": N_("Read, check, count, draw and convert raw FCS files."),
    "schedule": N_("Plan a problem, check a plan, draw it, measure the solver."),
    "simulate": N_("Run, compare and report simulations of a process described in a file."),
    "instrument": N_("Read the files of laboratory instruments."),
    "assay": N_("Compute release tests from raw files, with pictures."),
}


def verbs() -> list[str]:
    """The verbs whose module is present."""
    return [verb for verb in VERBS if find_spec(f"cellwright.cli.{verb}")]


def _spoken_help(get_help: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda ctx: spoken(get_help(ctx))


class Verbs(TyperGroup):
    """A group that knows its verbs by name and imports one when it is called."""

    def get_help(self, ctx: Any) -> str:
        """The help, its frame in the active language too."""
        return spoken(super().get_help(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        """Every verb, in the order of the table."""
        return verbs()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb's own app, or None when there is no such verb."""
        if cmd_name not in verbs():
            return None
        verb: typer.Typer = import_module(f"cellwright.cli.{cmd_name}").app
        verb.rich_markup_mode, verb.pretty_exceptions_enable = None, False
        command = typer.main.get_command(verb)
        command.name = cmd_name
        for part in [command, *getattr(command, "commands", {}).values()]:
            part.get_help = _spoken_help(part.get_help)
        return command

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a verb. What the library says about wrong usage is said in the active language; exit code 2."""
        try:
            code = super().main(*args, **extra | {"standalone_mode": False})
        except UsageError as error:
            said = StringIO()
            error.show(said)
            sys.stderr.write(spoken(said.getvalue()))
            code = error.exit_code
        except typer.Abort:
            code = 1
        sys.exit(code if isinstance(code, int) else 0)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of verbs in the help, from the table alone."""
        rows = [(verb, _(VERBS[verb])) for verb in verbs()]
        if rows:
            with formatter.section(_("Commands")):
                formatter.write_dl(rows)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """What the program is for."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_("Run a cell-therapy factory, and prove to a stranger what it did."))


app = typer.Typer(
    cls=Verbs,
    name="cellwright",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _speak(value: str | None) -> str | None:
    if value is None:
        return None
    if value not in LANGUAGES:
        raise typer.BadParameter(_("choose one of {names}").format(names=", ".join(LANGUAGES)))
    activate(value)
    return value


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"cellwright {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="en|zh-Hans", help="Language / 语言", callback=_speak, is_eager=True),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Version / 版本", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before the verb."""


def _language_of_surroundings() -> str:
    surroundings = (os.environ.get(name) for name in ("CELLWRIGHT_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return choose(next(filter(None, surroundings), None))


def main() -> None:
    """The `cellwright` command. Exit codes: 0 ok, 1 finding or refusal, 2 wrong usage."""
    activate(_language_of_surroundings())
    app(prog_name="cellwright")
