"""A very small simulated site: four people, definitions approved under signature, files, three checkpoints."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cellwright.cli import app
from cellwright.command.demo.cast import by
from cellwright.command.signing import SoftwareAuthenticator
from cellwright.command.site import INSTALLATION, Settings, Site, create, open_site
from cellwright.factory import people
from cellwright.factory.approval import Approve
from cellwright.factory.record import Fact
from cellwright.ledger import SimulatedClock

SINCE = "2025-01-01T00:00:00.000000Z"
PEOPLE = (
    ("QA-1", "quality_assurance"),
    ("QA-2", "quality_assurance"),
    ("PE-1", "process_engineer"),
    ("OP-1", "operator"),
)
LATER = "cellwright%2Fbench"
"""Folder of the site's log in an outside place."""


def build(folder: Path, ledger: str = "ledger.db") -> None:
    settings = Settings(name="bench", title_en="Bench", title_zh="试验台", simulated=True, ledger=ledger)
    with create(folder, settings, start=datetime(2026, 3, 2, tzinfo=UTC)) as site:
        signer = SoftwareAuthenticator(site.desk.relying)
        for name, role in PEOPLE:
            credential, key = signer.enrol(name)
            registered = people.CredentialRegistered(
                person=name, credential=credential, means="webauthn", public_key=key, simulated=True
            )
            bodies = (
                people.Enrolled(person=name, account=name.lower(), printed_name=f"{name} (simulated)"),
                people.IdentityVerified(person=name, evidence="test"),
                people.RoleGranted(person=name, role=role, since=SINCE),
                registered,
            )
            site.desk.record([Fact(f"person/{name}", body) for body in bodies], INSTALLATION)
        site.publisher.publish()
        approve(site, signer, "car_t_19.yaml", "aT19.yaml")
        site.publisher.publish()
        approve(site, signer, "mil62.yaml")


def approve(site: Site, signer: SoftwareAuthenticator, *names: str) -> None:
    """Recipes approved by quality assurance, one after another."""
    for number, _ in enumerate(names):
        data = files("cellwright.shipped").joinpath("recipe", RECIPES[number]).read_bytes() + f"# {names}".encode()
        digest = site.files.put(data).sha256
        command = Approve(kind="recipe", definition=names[number], version="1", sha256=digest, author="PE-1")
        assert isinstance(site.clock, SimulatedClock)
        site.clock.advance(timedelta(minutes=5))
        site.desk.do(command, by("QA-1"), signer)


RECIPES = sorted(
    file.name for file in files("cellwright.shipped").joinpath("recipe").iterdir() if file.name[-4:] == "yaml"
)


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def with_site(folder: Path, act: Callable[[Site], Any]) -> Any:
    """Do something with the site as its own software would."""
    with open_site(folder) as site:
        return act(site)


def cellwright(*arguments: object) -> Result:
    """The command, in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
