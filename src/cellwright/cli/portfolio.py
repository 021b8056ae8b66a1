"""`cellwright portfolio`: companies, products, programmes and trials; what is known of them, by whom it is said."""

from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cellwright.cli.output import Exit, complain, print_document, progress, say, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.command.portfolio.keeping import Portfolio

app = typer.Typer(add_completion=False, no_args_is_help=True)

SHOWN: Final = "cellwright.portfolio/1"
STATISTICS: Final = "cellwright.portfolio-statistics/1"
IMPORTED: Final = "cellwright.portfolio-import/1"
CHANGED: Final = "cellwright.portfolio-diff/1"
CALENDAR: Final = "cellwright.portfolio-calendar/1"
ADDED: Final = ("forecast", "demand")
"""Commands of this verb that live in modules of their own, `cli/portfolio_<name>.py`, each with a function `command`."""

Folder = Annotated[
    Path | None, typer.Option("--dir", metavar="DIR", help=_("The folder of the portfolio; without it, your own."))
]
Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))]
Day = Annotated[str, typer.Option("--on", metavar="DATE", help=_("As of this day, for example 2024-06-30."))]


@app.callback()
def _portfolio() -> None:
    """Say what is known of companies, products, programmes and trials, with sources."""


def _opened(folder: Path | None, *, write: bool = False) -> "Portfolio":
    from cellwright.command.portfolio.keeping import NotThePortfolio, open_portfolio
    from cellwright.ledger import LedgerError

    try:
        return open_portfolio(folder, write=write)
    except (NotThePortfolio, LedgerError, OSError) as error:
        stop(str(error), Exit.USAGE)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        stop(_("{text} is not a day such as 2024-06-30.").format(text=text), Exit.USAGE)


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


# --- show


@app.command(help=_("Say what is known of a product, programme, company, area or trial, by any of its names."))
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("A name or alias; without one, the pipeline."))] = "",
    agency: Annotated[str, typer.Option("--agency", metavar="NAME", help=_("Only this agency: NMPA, FDA …"))] = "",
    on: Day = "",
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Say what is known of something."""
    from cellwright.cli import portfolio_text as text
    from cellwright.command.portfolio.answers import answer, pipeline_answer
    from cellwright.command.portfolio.keeping import working_calendar

    day = _day(on)
    with _opened(folder) as portfolio:
        book = portfolio.book
        if not name:
            lines = pipeline_answer(book)
            if json:
                print_document(SHOWN, {"pipeline": lines})
            else:
                text.tell_pipeline(lines)
            return
        found = book.find(name)
        if found is None:
            near = ", ".join(book.near(name))
            stop(_("Nothing in the portfolio is called {name}.").format(name=name) + (f" {near}?" if near else ""))
        told = answer(book, working_calendar(), found, on=day, today=day or _today(), agency=agency.upper())
        if json:
            print_document(SHOWN, {"name": name, "kind": found.kind, "as_of": on or None, **told})
        else:
            text.tell(found.kind, told)


# --- statistics


@app.command(help=_("Say which numbers are stated for an area, what they count, and what the ledger counts itself."))
def stats(
    area: Annotated[str, typer.Option("--area", metavar="NAME", help=_("An area or an alias of it."))],
    period: Annotated[
        str | None, typer.Option("--period", metavar="P", help=_("2024-H1, 2024-Q2, 2024, 2024-05 or a day."))
    ] = None,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Say which numbers are stated for an area."""
    from cellwright.cli import portfolio_text as text
    from cellwright.command.portfolio.numbers import statistics_answer

    with _opened(folder) as portfolio:
        found = portfolio.book.find(area)
        if found is None or found.kind != "area":
            stop(_("No area in the portfolio is called {name}.").format(name=area))
        try:
            told = statistics_answer(portfolio.book, found.thing.id, period)
        except ValueError as error:
            stop(str(error), Exit.USAGE)
    if json:
        print_document(STATISTICS, told)
    else:
        text.tell_statistics(told)
    raise typer.Exit(Exit.OK if told["statistics"] else Exit.FINDING)


# --- import


@app.command("import", help=_("Read records of trial registers into the portfolio; every file is kept as it is."))
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=_("Files, or folders of files."))],
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Read records of trial registers into the portfolio."""
    from cellwright.cli import portfolio_text as text
    from cellwright.connect.register.importing import files_under, import_file
    from cellwright.connect.register.merge import groups
    from cellwright.factory.portfolio.statement import RegisterRecord

    paths = list(files_under(files))
    for path in paths:
        if not path.is_file():
            stop(_("{path} is not there.").format(path=path), Exit.USAGE)
    done = []
    with _opened(folder, write=True) as portfolio, progress(_("Importing"), len(paths)) as bar:
        for path in paths:
            done.append(import_file(portfolio, path))
            bar.advance(note=path.name)
        merged = [one for one in groups(portfolio.book.all(RegisterRecord)) if len(one.records) > 1]
        where = str(portfolio.where)
    counts = {what: sum(one.what == what for file in done for one in file.records)
              for what in ("new", "changed", "older", "known")}  # fmt: skip
    told = {
        "portfolio": where,
        "records": counts,
        "files": [_file_answer(one) for one in done],
        "merged": [
            {"records": list(one.records), "numbers": list(one.numbers),
             "evidence": [each._asdict() for each in one.evidence]}
            for one in merged
        ],
    }  # fmt: skip
    if json:
        print_document(IMPORTED, told)
    else:
        text.tell_import(told)
    raise typer.Exit(Exit.FINDING if any(one.error for one in done) else Exit.OK)


def _file_answer(file: Any) -> dict[str, Any]:
    return {
        "file": str(file.file),
        "sha256": file.sha256,
        "note": file.note,
        "error": file.error,
        "records": [
            {"id": one.record.id, "number": one.record.number, "form": one.record.form.name, "what": one.what,
             "title": one.record.fields.title, "fields_mapped": one.record.leaves - len(one.record.unmapped),
             "unmapped": list(one.record.unmapped), "quirks": list(one.record.fields.quirks),
             "changes": [{"field": change.field, "before": change.before, "after": change.after}
                         for change in one.changes]}
            for one in file.records
        ],
    }  # fmt: skip


# --- what changed


@app.command(help=_("Say what changed since a day, or what was ever said under a name."))
def diff(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("Only what concerns this."))] = "",
    since: Annotated[str, typer.Option("--since", metavar="DATE", help=_("Recorded on or after this day, UTC."))] = "",
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Say what changed."""
    from cellwright.cli import portfolio_text as text
    from cellwright.command.portfolio.difference import differences

    _day(since)
    with _opened(folder) as portfolio:
        found = portfolio.book.find(name) if name else None
        if name and found is None:
            stop(_("Nothing in the portfolio is called {name}.").format(name=name))
        told = differences(portfolio.book, since, found)
    if json:
        print_document(CHANGED, {"since": since or None, "name": name or None, "changes": told})
    else:
        text.tell_differences(told)


# --- what is to come


@app.command(help=_("Say what was announced and which decisions are due by the clocks of review."))
def calendar(on: Day = "", folder: Folder = None, json: Json = False) -> None:
    """Say what is to come."""
    from cellwright.cli import portfolio_text as text
    from cellwright.command.portfolio.answers import coming_answer, told_basis
    from cellwright.command.portfolio.keeping import working_calendar
    from cellwright.factory.portfolio.milestone_calendar import milestones

    day = _day(on) or _today()
    days = working_calendar()
    with _opened(folder) as portfolio:
        told = {
            "on": day.isoformat(),
            "holidays_known_to": days.last.isoformat(),
            "clocks": [
                {"id": one.id, "name": one.name.as_dict(), "working_days": one.working_days, "pilot": one.pilot,
                 "basis": {**told_basis(portfolio.book, one.basis),
                           "sources": [{"source": key, "locator": days.sources[key]} for key in one.basis.sources]}}
                for one in days.clocks
            ],
            "coming": [coming_answer(one) for one in milestones(portfolio.book, days, day)],
        }  # fmt: skip
    if json:
        print_document(CALENDAR, told)
    else:
        text.tell_calendar(told)


# --- for others


@app.command(help=_("Write imported records for others: FHIR R5 ResearchStudy and EvidenceVariable, or USDM 4."))
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("A register number or the name of a record."))],
    form: Annotated[str, typer.Option("--form", metavar="fhir|usdm", help=_("In which form."))] = "fhir",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", help=_("Where to write."))] = None,
    folder: Folder = None,
) -> None:
    """Write imported records for others."""
    from cellwright.connect.register.exporting import NoForm, exported

    with _opened(folder) as portfolio:
        found = portfolio.book.find(name)
        if found is None or found.kind not in ("record", "trial"):
            stop(_("No imported record is called {name}.").format(name=name))
        records = [found.thing] if found.kind == "record" else list(portfolio.book.records(found.thing))
        if not records:
            stop(_("No record of {name} was imported yet.").format(name=name))
        try:
            written, lost = exported(records[0], form)
        except NoForm as error:
            stop(str(error), Exit.USAGE)
    for one in lost:
        complain(_("Not expressed: {what}").format(what=one))
    if output is None:
        say(written)
    else:
        output.write_text(written + "\n", encoding="utf-8")
        say(_("{path} written").format(path=output))


for _name in ADDED:
    if find_spec(f"cellwright.cli.portfolio_{_name}"):
        _module = import_module(f"cellwright.cli.portfolio_{_name}")
        app.command(_name, help=_module.HELP)(_module.command)
