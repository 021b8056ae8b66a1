"""`cellwright site`: make a site, see how it stands, publish, change its keys, back it up and bring it back."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cellwright.cli.output import Exit, complain, print_document, say, stop
from cellwright.cli.terminal import at_terminal, authenticate, new_password, opened, said, signer
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.command.founding import Officer
    from cellwright.command.site import Settings

MADE: Final = "cellwright.site.made/1"
STATUS: Final = "cellwright.site.status/1"
PUBLISHED: Final = "cellwright.site.checkpoint/1"
KEYS: Final = "cellwright.site.keys/1"
COPIED: Final = "cellwright.site.backup/1"
BACK: Final = "cellwright.site.restored/1"
DESTROYED: Final = "cellwright.site.destroyed/1"

app = typer.Typer(add_completion=False, no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help=_("The site's folder."))]
ByWhom = Annotated[str, typer.Option("--by", help=_("Who does this: a person with a personal key."))]
Reason = Annotated[str, typer.Option(help=_("Why; it stands in the record."))]
Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))]


class KeptTime(StrEnum):
    """Whose time a site keeps, for its life."""

    SYSTEM = "system"
    SIMULATED = "simulated"


class Part(StrEnum):
    """What is backed up."""

    RECORD = "record"
    KEYS = "keys"
    SECRETS = "secrets"


@app.callback()
def _site() -> None:
    """Make a site, see how it stands, back it up."""


# --- making


@app.command(help=_("Make a site: its first event, its keys, its first security officers, its first checkpoint."))
def create(
    folder: Folder,
    name: Annotated[str, typer.Option(help=_("Short name of the site; part of its log's name for ever."))],
    fin: Annotated[str, typer.Option(help=_("Facility identification number (ISBT 128), five characters."))],
    officer: Annotated[
        list[str] | None,
        typer.Option(metavar="PERSON=NAME", help=_("A first security officer; may be given twice.")),
    ] = None,
    evidence: Annotated[
        str, typer.Option(help=_("How the officers' identity was verified; where their statements are."))
    ] = "",
    title: Annotated[str, typer.Option(help=_("Full name, in English; the short one if left out."))] = "",
    title_zh: Annotated[str, typer.Option("--title-zh", help=_("Full name, in Chinese."))] = "",
    clock: Annotated[KeptTime, typer.Option(help=_("Whose time the site keeps, for its life."))] = KeptTime.SYSTEM,
    zone: Annotated[str, typer.Option(help=_("Time zone for display, an IANA name."))] = "Asia/Shanghai",
    ledger: Annotated[
        str, typer.Option(metavar="FILE|postgresql://…", help=_("Where the record lies; a file in the folder."))
    ] = "ledger.db",
    address: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help=_("Where browsers reach the site; security keys sign there only.")),
    ] = None,
    place: Annotated[
        list[str] | None, typer.Option(metavar="DIR", help=_("A folder for checkpoints, best on another machine."))
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(metavar="'URL KEY'", help=_("A witness that cosigns checkpoints, and its keys."))
    ] = None,
    json: Json = False,
) -> None:
    """Make a site: its first event, its keys, its first security officers, its first checkpoint."""
    from cellwright.command.site import Settings

    addresses = tuple(address or ("http://localhost:8000", "https://localhost:8443"))
    settings = Settings(
        name=name, title_en=title or name, title_zh=title_zh or title or name, facility=fin, zone=zone,
        simulated=clock is KeptTime.SIMULATED, ledger=ledger, relying_id=_host(addresses), origins=addresses,
        places=tuple(place or ("outside",)), witnesses=tuple(witness or ()),
    )  # fmt: skip
    officers = [part.partition("=") for part in officer or ()]
    _makable(settings, [(person, printed) for person, _equals, printed in officers], evidence)
    _make(folder, settings, [(person, printed) for person, _equals, printed in officers], evidence, json)


def _host(addresses: tuple[str, ...]) -> str:
    from urllib.parse import urlsplit

    for one in addresses:
        parts = urlsplit(one)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            stop(_("{address} is no address such as https://plant.example.").format(address=one), Exit.USAGE)
    hosts = {urlsplit(one).hostname or "" for one in addresses}
    if len(hosts) > 1:
        stop(
            _("All addresses of a site are on one host; these are on {hosts}.").format(hosts=", ".join(hosts)),
            Exit.USAGE,
        )
    return hosts.pop()


def _makable(settings: "Settings", officers: list[tuple[str, str]], evidence: str) -> None:
    """What is wrong with the options, said before anything is made."""
    from zoneinfo import ZoneInfo

    from cellwright.command.founding import AT_ONCE
    from cellwright.command.witnessing import named
    from cellwright.identifier.isbt128.facility import FacilityNumber
    from cellwright.identifier.refusal import IdentifierError
    from cellwright.ledger.note import NoteError

    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", settings.name):
        stop(_("The name of a site is small letters, digits and dashes, for example plant-1."), Exit.USAGE)
    try:
        FacilityNumber(settings.facility)
        ZoneInfo(settings.zone)
        for line in settings.witnesses:
            named(line)
    except (IdentifierError, NoteError, ValueError, KeyError, OSError) as error:
        stop(str(error), Exit.USAGE)
    if not settings.simulated and settings.facility == "A9999":
        stop(_("A9999 is the test number of ISBT 128; a real site has one of its own."), Exit.USAGE)
    if any(not person or not printed for person, printed in officers) or len(officers) > AT_ONCE:
        stop(_("Name one or two officers, each as PERSON=NAME, for example SO-1='Ada Example'."), Exit.USAGE)
    if officers and not evidence:
        stop(_("Say with --evidence how the officers' identity was verified."), Exit.USAGE)
    if not settings.simulated and not officers:
        stop(_("A real site begins with a security officer: add --officer and --evidence."), Exit.USAGE)


def _make(folder: Path, settings: "Settings", officers: list[tuple[str, str]], evidence: str, json: bool) -> None:
    from cellwright.command.founding import Officer, first_officers
    from cellwright.command.site import create as make
    from cellwright.factory.rule import Refusal
    from cellwright.ledger import LedgerError

    addresses: dict[str, str] = {}
    try:
        given = [Officer(person, printed, evidence, new_password(person)) for person, printed in officers]
        _strong(given)
        with make(folder, settings, environment=os.environ) as site:
            if given:
                enrolled = first_officers(site, given)
                addresses = {one.person: done.code_address for one, done in zip(given, enrolled, strict=True)}
            away = site.publish()
            keys = [str(key) for key in site.publisher.chain.current]
            events = site.ledger.head().size
    except Refusal as refusal:
        stop(said(refusal))
    except (LedgerError, OSError) as error:
        stop(str(error))
    _away(away)
    if json:
        body = {"site": str(folder), "origin": settings.origin, "events": events, "keys": keys}
        print_document(MADE, body | {"officers": addresses, "away": away, "simulated": settings.simulated})
        return
    say(_("{origin}: made in {folder}, {events} events.").format(origin=settings.origin, folder=folder, events=events))
    for key in keys:
        say(_("Key of the site, for whoever verifies it: {key}").format(key=key))
    for person, code_address in addresses.items():
        say(
            _("Read this address into the device of {person} that shows the codes; it is shown only now:").format(
                person=person
            )
        )
        say(code_address)


def _strong(officers: list["Officer"]) -> None:
    """Refuse a weak password before anything is made."""
    from cellwright.command.personal_key import strong

    for officer in officers:
        strong(officer.password, officer.person)


def _away(away: dict[str, str]) -> None:
    for why in away.values():
        complain(_("Not reached: {why}").format(why=why))


# --- looking


@app.command(help=_("Show how the site stands: events, checkpoints, places, witnesses, keys."))
def status(folder: Folder, json: Json = False) -> None:
    """Show how the site stands: events, checkpoints, places, witnesses, keys."""
    from cellwright.command.standing import standing

    with _reading():
        found = standing(folder, os.environ)
    if json:
        print_document(STATUS, found.document())
    else:
        for line in found.lines():
            say(line)
    raise typer.Exit(Exit.OK if found.ok else Exit.FINDING)


@contextmanager
def _reading() -> Iterator[None]:
    """Problems of a site that is only read end the command."""
    from cellwright.command.site import NoSite
    from cellwright.factory.rule import Refusal
    from cellwright.ledger import LedgerError

    try:
        yield
    except NoSite as error:
        stop(str(error), Exit.USAGE)
    except Refusal as refusal:
        stop(said(refusal))
    except (LedgerError, OSError) as error:
        stop(str(error))


# --- keeping


@app.command(help=_("Publish a checkpoint now, have it cosigned, and print it."))
def checkpoint(folder: Folder, json: Json = False) -> None:
    """Publish a checkpoint now, have it cosigned, and print it."""
    from cellwright.ledger.checkpoint import COSIGNATURE, NOTE

    with opened(folder) as site:
        away = site.publish()
        last = site.ledger.checkpoints(NOTE)[-1]
        cosigned = sum(row.size == last.size for row in site.ledger.checkpoints(COSIGNATURE))
    _away(away)
    note = last.body.decode()
    if json:
        print_document(PUBLISHED, {"size": last.size, "at": last.at, "note": note, "cosigned": cosigned, "away": away})
    else:
        say(note.rstrip("\n"))
    raise typer.Exit(Exit.FINDING if away else Exit.OK)


@app.command("rotate-key", help=_("Change the keys that sign checkpoints; the old ones sign the new ones."))
def rotate_key(folder: Folder, by: ByWhom, reason: Reason, json: Json = False) -> None:
    """Change the keys that sign checkpoints; the old ones sign the new ones."""
    from cellwright.command.rotation import rotate

    with opened(folder) as site:
        authenticate(site, by)
        keys = rotate(site, by, reason)
    if json:
        print_document(KEYS, {"keys": list(keys)})
        return
    for key in keys:
        say(_("Key of the site, for whoever verifies it: {key}").format(key=key))
    say(_("Back up the secrets again: the old keys sign nothing any more."))


@app.command(
    "destroy-key", help=_("Destroy a person's key where the law allows it: what was recorded about them is gone.")
)
def destroy_key(
    folder: Folder,
    subject: Annotated[str, typer.Argument(help=_("The subject's number."))],
    by: ByWhom,
    verifier: Annotated[str, typer.Option(help=_("Who signs second; somebody else of quality assurance."))],
    reason: Reason,
    verifier_role: Annotated[
        str, typer.Option(help=_("The role in which the second person signs."))
    ] = "quality_assurance",
    trial_ended: Annotated[str | None, typer.Option(help=_("The day on which the last trial ended."))] = None,
    document: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help=_("The document that says so; it is stored."))
    ] = None,
    json: Json = False,
) -> None:
    """Destroy a person's key where the law allows it: what was recorded about them is gone."""
    from cellwright.factory.destruction import DestroyKey

    with opened(folder) as site:
        command = DestroyKey(
            subject=subject, reason=reason, verifier=verifier, verifier_role=verifier_role, trial_ended_on=trial_ended,
            document_sha256=site.files.put(document.read_bytes()).sha256 if document else None,
        )  # fmt: skip
        done = site.desk.do(command, at_terminal(by), signer(site))
        body: dict[str, Any] = done.events[0].body
    if json:
        print_document(
            DESTROYED, {"subject": subject, "kept_until": body.get("kept_until"), "grounds": body.get("grounds", [])}
        )
        return
    say(_("What was recorded about {subject} is destroyed under the retention rule.").format(subject=subject))
    say(_("Destroy the backups of the keys that are older than this; a restore destroys the key again."))


# --- backups


@app.command(help=_("Copy one part of the site to a new folder; a site at work need not stop."))
def backup(
    folder: Folder,
    to: Annotated[Path, typer.Argument(metavar="TO", help=_("The new folder of the copy."))],
    part: Annotated[
        Part, typer.Option(help=_("The record; the persons' keys; or the secrets that open them."))
    ] = Part.RECORD,
    json: Json = False,
) -> None:
    """Copy one part of the site to a new folder; a site at work need not stop."""
    from cellwright.command.backup import back_up

    with _reading():
        size = back_up(folder, to, part.value)
    if json:
        print_document(COPIED, {"part": part.value, "folder": str(to), "size": size})
        return
    say(_("{part}: {size} bytes in {folder}").format(part=part.value, size=size, folder=to))
    if part is not Part.RECORD:
        say(_("Keep it apart from the record and from the other part."))


@app.command(help=_("Bring a site back from its three parts, and compare it with every checkpoint within reach."))
def restore(
    folder: Folder,
    record: Annotated[Path, typer.Option(metavar="DIR", help=_("Copy of the record."))],
    keys: Annotated[Path, typer.Option(metavar="DIR", help=_("Copy of the persons' keys."))],
    secrets: Annotated[Path, typer.Option(metavar="DIR", help=_("Copy of the secrets."))],
    json: Json = False,
) -> None:
    """Bring a site back from its three parts, and compare it with every checkpoint within reach."""
    from cellwright.command.backup import restore as bring_back

    with _reading():
        found = bring_back(folder, record, keys, secrets)
    if json:
        print_document(BACK, {"events": found.events, "compared": list(found.compared), "fault": found.fault or None})
    else:
        say(_("{events} events are back in {folder}.").format(events=found.events, folder=folder))
        if found.fault:
            say(f"✕ {found.fault}")
        elif found.compared:
            say(_("They continue the checkpoint in {places}.").format(places=", ".join(found.compared)))
        else:
            say(_("No outside place could be compared: nobody but the copy says that it is the newest."))
    raise typer.Exit(Exit.FINDING if found.fault or not found.compared else Exit.OK)
