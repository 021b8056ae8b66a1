"""People at the terminal: a site opened for a change, passwords and codes typed unseen, refusals said in full."""

import getpass
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellwright.cli.output import Exit, complain, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.command.personal_key import Components
    from cellwright.command.signing import Signer
    from cellwright.command.site import Site
    from cellwright.factory.rule import Refusal


@contextmanager
def opened(folder: Path) -> "Iterator[Site]":
    """The site, for a change; refusals end the command with their reason and their way out."""
    from cellwright.command.site import NoSite, open_site
    from cellwright.factory.rule import Refusal
    from cellwright.ledger import LedgerError

    try:
        with open_site(folder, environment=os.environ) as site:
            yield site
    except NoSite as error:
        stop(str(error), Exit.USAGE)
    except Refusal as refusal:
        stop(said(refusal))
    except LedgerError as error:
        stop(str(error))


def said(refusal: "Refusal") -> str:
    sentence = _(refusal.text).format(**refusal.values)
    remedy = _(refusal.remedy).format(**refusal.values) if refusal.remedy else ""
    return f"{sentence} {remedy}".strip() + (f" [{refusal.rule}]" if refusal.rule else "")


def authenticate(site: "Site", person: str) -> None:
    """Have the person show password and code; a failure is counted against the account."""
    from cellwright.command.personal_key import MEANS, Components
    from cellwright.factory.people import PersonState, SignedIn

    given = Components(ask(_("Password of {person}: "), person), ask(_("One-time code of {person}: "), person))
    site.personal_keys.sign(f"cli-{os.getpid()}", person, secrets.token_bytes(32), given, purpose="sign_in")
    state = site.desk.state(PersonState, person)
    site.desk.record([state.fact(SignedIn(person=person, means=MEANS))], at_terminal(person))


def new_password(person: str) -> str:
    password = ask(_("New password of {person}: "), person)
    if ask(_("The same again, {person}: "), person) != password:
        stop(_("The two are not the same; nothing was changed."))
    return password


def ask(prompt: str, person: str) -> str:
    """What a person types, unseen; a line of standard input where there is no terminal."""
    text = prompt.format(person=person)
    if sys.stdin.isatty():
        return getpass.getpass(text)
    complain(text)
    return sys.stdin.readline().rstrip("\n")


def at_terminal(person: str) -> Any:
    from cellwright.factory.rule import By

    return By(person=person, source="terminal/command-line")


def signer(site: "Site") -> "Signer":
    """Whoever is asked types password and code here, in turn."""

    def give(person: str, code_needed: bool) -> "Components":
        from cellwright.command.personal_key import Components

        password = ask(_("Password of {person}: "), person)
        return Components(password, ask(_("One-time code of {person}: "), person) if code_needed else "")

    return site.personal_keys.signer(f"cli-{os.getpid()}", give)
