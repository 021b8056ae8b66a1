"""`cellwright people`: accounts, roles, qualifications and training of a site, from its first security officer on.

Reading needs no account. Whatever changes something is done in a person's name, who shows a password and a one-time code
first; the rules are the desk's, as on every screen.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cellwright.cli.output import Exit, print_document, say, stop
from cellwright.cli.terminal import ask, at_terminal, authenticate, new_password, opened, signer
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.command.roster import Entry
    from cellwright.command.site import Site
    from cellwright.factory.rule import Command

SCHEMA: Final = "cellwright.people.v1"
DONE: Final = "cellwright.people.done.v1"

app = typer.Typer(add_completion=False, no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help=_("The site's folder."))]
Person = Annotated[str, typer.Argument(help=_("Name of the person's account in the record, for example OP-12."))]
ByWhom = Annotated[str, typer.Option("--by", help=_("Who does this: a person with a personal key."))]
Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))]
Since = Annotated[str | None, typer.Option(help=_("From when, UTC; now if left out."))]
Until = Annotated[str | None, typer.Option(help=_("Until when, UTC; open if left out."))]
Reason = Annotated[str, typer.Option(help=_("Why; it stands in the record."))]


@app.callback()
def _people() -> None:
    """Keep the accounts of a site: who may do what, since when."""


# --- reading


@app.command("list", help=_("Show every account: roles, qualifications, means of signing, last sign-in."))
def list_(folder: Folder, json: Json = False) -> None:
    """Show every account: roles, qualifications, means of signing, last sign-in."""
    _show(folder, None, None, json)


@app.command(help=_("Show who could do what at a moment, as the record stood then."))
def on(
    folder: Folder,
    moment: Annotated[str, typer.Argument(help=_("A day or a moment, UTC, for example 2026-03-02."))],
    role: Annotated[str | None, typer.Option(help=_("Only who could act in this role then."))] = None,
    json: Json = False,
) -> None:
    """Show who could do what at a moment, as the record stood then."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        stop(_("{moment} is no day and no moment.").format(moment=moment), Exit.USAGE)
    _show(folder, at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC), role, json)


def _show(folder: Path, moment: datetime | None, role: str | None, json: bool) -> None:
    from cellwright.command.roster import roster
    from cellwright.command.site import NoSite, last_moment, read_settings, record_of
    from cellwright.factory.people import ROLES
    from cellwright.factory.record import plain

    if role is not None and role not in ROLES:
        stop(_("There is no role {role}.").format(role=role), Exit.USAGE)
    try:
        settings = read_settings(folder)
        if moment is None:
            simulated = settings.simulated
            moment = last_moment(record_of(folder, os.environ)) if simulated else datetime.now(UTC)
        with record_of(folder, os.environ) as ledger:
            entries = [e for e in roster(ledger, moment) if role is None or e.could(role)]
    except NoSite as error:
        stop(str(error), Exit.USAGE)
    if json:
        people = [plain(entry) for entry in entries]
        print_document(SCHEMA, {"at": moment, "role": role, "people": people})
        return
    for entry in entries:
        say(_line(entry))
    if not entries:
        say(_("Nobody."))


def _line(entry: "Entry") -> str:
    marks = [
        _("service") if entry.kind == "service" else "",
        "" if entry.active else _("ended"),
        _("locked") if entry.locked else "",
        _("may sign") if entry.may_sign else "",
    ]
    roles, marked = ", ".join((*entry.roles, *entry.qualifications)) or "-", ", ".join(filter(None, marks)) or "-"
    seen = entry.last_sign_in or _("never signed in")
    return f"{entry.person:<12} {entry.printed_name:<28} {roles:<44} {marked:<18} {seen}"


# --- changing


@app.command(help=_("Enrol the first security officer; once there is one, only a security officer enrols people."))
def first(
    folder: Folder,
    person: Person,
    name: Annotated[str, typer.Option(help=_("The name as it is printed."))],
    evidence: Annotated[str, typer.Option(help=_("How identity was verified; where the accountability statement is."))],
    json: Json = False,
) -> None:
    """Enrol the first security officer; once there is one, only a security officer enrols people."""
    from cellwright.command.founding import first_officer

    with opened(folder) as site:
        enrolment = first_officer(site, person, name, evidence, new_password(person))
        _done(site, person, json, code_address=enrolment.code_address)


@app.command(help=_("Open an account for one person, or for one service."))
def enrol(
    folder: Folder,
    person: Person,
    name: Annotated[str, typer.Option(help=_("The name as it is printed."))],
    by: ByWhom,
    account: Annotated[str | None, typer.Option(help=_("Name to sign in with; from the person's if left out."))] = None,
    service: Annotated[bool, typer.Option("--service", help=_("A service: it never signs."))] = False,
    json: Json = False,
) -> None:
    """Open an account for one person, or for one service."""
    from cellwright.factory.people import Enrol

    kind: Any = "service" if service else "person"
    _give(folder, by, Enrol(person=person, account=account or person.lower(), printed_name=name, kind=kind), json)


@app.command(help=_("Record that identity was verified and accountability declared; from then on the person may sign."))
def verify(
    folder: Folder,
    person: Person,
    evidence: Annotated[str, typer.Option(help=_("How identity was verified; where the accountability statement is."))],
    by: ByWhom,
    json: Json = False,
) -> None:
    """Record that identity was verified and accountability declared; from then on the person may sign."""
    from cellwright.factory.people import VerifyIdentity

    _give(folder, by, VerifyIdentity(person=person, evidence=evidence), json)


@app.command(
    help=_("Hand a one-time secret to a person without means of signing; another officer registers when it is shown.")
)
def offer(folder: Folder, person: Person, by: ByWhom, json: Json = False) -> None:
    """Hand a one-time secret to a person without means of signing; another officer registers when it is shown."""
    from cellwright.command.enrolment import hand_over

    with opened(folder) as site:
        authenticate(site, by)
        handed = hand_over(person)
        site.desk.do(handed.command, at_terminal(by), signer(site))
        _done(site, person, json, one_time_secret=handed.secret)


@app.command(
    help=_("Give a person a personal signing key: the person types a new password and reads the secret into a device.")
)
def key(folder: Folder, person: Person, by: ByWhom, json: Json = False) -> None:
    """Give a person a personal signing key: the person types a new password and reads the secret into a device."""
    with opened(folder) as site:
        authenticate(site, by)
        secret = _shown(site, person)
        enrolment = site.personal_keys.enrol(person, new_password(person), secret)
        site.desk.do(enrolment.command, at_terminal(by), signer(site))
        _done(site, person, json, code_address=enrolment.code_address)


@app.command(help=_("Grant a role, from now or later on."))
def grant(
    folder: Folder,
    person: Person,
    role: Annotated[str, typer.Argument(help=_("A role, for example operator."))],
    by: ByWhom,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Grant a role, from now or later on."""
    from cellwright.factory.people import GrantRole

    with opened(folder) as site:
        authenticate(site, by)
        begins = _moment(since) or _now(site)
        site.desk.do(GrantRole(person=person, role=role, since=begins, until=_moment(until)), at_terminal(by))
        _done(site, person, json)


@app.command(help=_("End a role at once."))
def revoke(
    folder: Folder,
    person: Person,
    role: Annotated[str, typer.Argument(help=_("A role, for example operator."))],
    by: ByWhom,
    reason: Reason,
    json: Json = False,
) -> None:
    """End a role at once."""
    from cellwright.factory.people import RevokeRole

    _give(folder, by, RevokeRole(person=person, role=role, reason=reason), json)


@app.command(help=_("Record a qualification and how long it holds."))
def qualify(
    folder: Folder,
    person: Person,
    qualification: Annotated[str, typer.Argument(help=_("A qualification, for example aseptic_processing."))],
    by: ByWhom,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Record a qualification and how long it holds."""
    from cellwright.factory.people import Qualify

    with opened(folder) as site:
        authenticate(site, by)
        begins = _moment(since) or _now(site)
        command = Qualify(person=person, qualification=qualification, since=begins, until=_moment(until))
        site.desk.do(command, at_terminal(by))
        _done(site, person, json)


@app.command(help=_("Record training for one version of one procedure."))
def train(
    folder: Folder,
    person: Person,
    procedure: Annotated[str, typer.Argument(help=_("A recipe or procedure."))],
    version: Annotated[str, typer.Argument(help=_("Its version."))],
    by: ByWhom,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Record training for one version of one procedure."""
    from cellwright.factory.people import Train

    with opened(folder) as site:
        authenticate(site, by)
        begins = _moment(since) or _now(site)
        command = Train(person=person, procedure=procedure, version=version, since=begins, until=_moment(until))
        site.desk.do(command, at_terminal(by))
        _done(site, person, json)


@app.command(help=_("Revoke a lost means of signing at once."))
def lost(
    folder: Folder,
    person: Person,
    credential: Annotated[str, typer.Argument(help=_("The means of signing, as `list --json` names it."))],
    by: ByWhom,
    reason: Reason,
    json: Json = False,
) -> None:
    """Revoke a lost means of signing at once."""
    from cellwright.factory.credential import RevokeCredential

    with opened(folder) as site:
        authenticate(site, by)
        site.desk.do(RevokeCredential(person=person, credential=credential, reason=reason), at_terminal(by))
        if credential.startswith("personal-"):
            site.personal_keys.destroy(person)
        _done(site, person, json)


@app.command(help=_("Unlock an account that repeated failures have locked; nobody unlocks their own."))
def unlock(folder: Folder, person: Person, by: ByWhom, reason: Reason, json: Json = False) -> None:
    """Unlock an account that repeated failures have locked; nobody unlocks their own."""
    from cellwright.factory.people import Unlock

    _give(folder, by, Unlock(person=person, reason=reason), json)


@app.command(help=_("End an account. It stays in the record and its name is never given again."))
def deactivate(folder: Folder, person: Person, by: ByWhom, reason: Reason, json: Json = False) -> None:
    """End an account. It stays in the record and its name is never given again."""
    from cellwright.factory.people import Deactivate

    _give(folder, by, Deactivate(person=person, reason=reason), json)


# --- inside


def _give(folder: Path, by: str, command: "Command", json: bool) -> None:
    with opened(folder) as site:
        authenticate(site, by)
        site.desk.do(command, at_terminal(by))
        _done(site, str(getattr(command, "person", by)), json)


def _shown(site: "Site", person: str) -> str:
    """The secret that another officer handed over, where no means of the person's own can sign for a new one."""
    from cellwright.command.enrolment import typed
    from cellwright.factory.people import PersonState

    if site.desk.state(PersonState, person).credentials:
        return ""
    return typed(ask(_("One-time secret that was handed to {person}: "), person))


def _now(site: "Site") -> str:
    from cellwright.factory.people import stamp

    return stamp(site.clock())


def _moment(text: str | None) -> str | None:
    """A day or moment as the ledger writes times."""
    from cellwright.factory.people import stamp

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        stop(_("{moment} is no day and no moment.").format(moment=text), Exit.USAGE)
    return stamp(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def _done(site: "Site", person: str, json: bool, **once: str) -> None:
    from cellwright.command.roster import entry
    from cellwright.factory.people import PersonState
    from cellwright.factory.record import plain

    found = entry(site.desk.state(PersonState, person), site.clock())
    if json:
        print_document(DONE, {"person": plain(found)} | once)
        return
    say(_line(found))
    if "code_address" in once:
        say(_("Read this address into the device that shows the codes; it is shown only now:"))
        say(once["code_address"])
    if "one_time_secret" in once:
        say(
            _("Hand this secret to {person} alone; it is shown only now and holds for three days:").format(
                person=person
            )
        )
        say(once["one_time_secret"])
