"""A process that works with a site until it is killed: run as `python -m tests.command.working FOLDER`."""

import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from cellwright.command.site import INSTALLATION, Settings, Site, create
from cellwright.factory import definition, people
from cellwright.factory.approval import DefinitionApproved
from cellwright.factory.lot.fact.life import LotIssued
from cellwright.factory.lot.fact.step import ProcedureTransitioned, StepStarted
from cellwright.factory.order.subject import Registered, Sealed
from cellwright.factory.recipe.recipe import Recipe
from cellwright.factory.record import Body, Fact
from cellwright.ledger import SimulatedClock

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SINCE = "2020-01-01T00:00:00.000000Z"
PROCEDURES = {
    "L-1": ("Running", "Complete"),
    "L-2": ("Running", "Holding"),
    "L-3": ("Running", "Held", "Restarting"),
    "L-4": ("Running", "Stopping"),
    "L-5": ("Running",),
}
"""The lots of the site and the states that the first unit procedure of each went through; L-1 runs its second."""


def recipe_bytes() -> bytes:
    return files("cellwright.shipped").joinpath("recipe", "eal.yaml").read_bytes()


def say(site: Site, stream: str, *bodies: Body) -> None:
    site.desk.record([Fact(stream, body) for body in bodies], INSTALLATION)


def work(folder: Path) -> Site:
    """A simulated site with lots in several states."""
    settings = Settings(name="bench", title_en="Bench", title_zh="试验台", simulated=True)
    site = create(folder, settings, start=BEGAN)
    for name, role in (("OP-1", "operator"), ("QA-1", "quality_assurance"), ("SEC-1", "security_officer")):
        say(
            site,
            f"person/{name}",
            people.Enrolled(person=name, account=name.lower(), printed_name=name),
            people.IdentityVerified(person=name, evidence="test"),
            people.RoleGranted(person=name, role=role, since=SINCE),
        )
    recipe = definition.read(Recipe, recipe_bytes().decode())
    sha256 = site.files.put(recipe_bytes()).sha256
    approved = DefinitionApproved(
        kind="recipe", definition=recipe.id, version=recipe.version, sha256=sha256, author="PE-1", effective_from=SINCE
    )
    say(site, "definition/recipe", approved)
    units = [unit.id for unit in recipe.unit_procedures]
    for lot, states in PROCEDURES.items():
        issued = LotIssued(
            lot=lot, stock="cells", product="p", product_version="1", recipe=recipe.id, recipe_version=recipe.version,
            recipe_sha256=sha256, issued_by="QA-1", checked_by="QA-1",
        )  # fmt: skip
        started = StepStarted(
            stock="cells",
            step=recipe.steps[0].id,
            title="t",
            performer="OP-1",
            duration_min="PT1H",
            duration_max="PT4H",
        )
        say(site, f"lot/{lot}", issued, started)
        before = "Idle"
        for after in states:
            say(
                site,
                f"lot/{lot}",
                ProcedureTransitioned(unit_procedure=units[0], before=before, after=after, trigger="t"),
            )
            before = after
    say(
        site, "lot/L-1", ProcedureTransitioned(unit_procedure=units[1], before="Idle", after="Running", trigger="Start")
    )
    sealed = site.keys.encrypt_field("S-1", "Somebody", "name")
    say(
        site,
        "subject/S-1",
        Registered(subject="S-1", personal={"name": Sealed(enc="S-1", n=sealed["n"], c=sealed["c"])}),
    )
    assert isinstance(site.clock, SimulatedClock)
    site.clock.advance(timedelta(hours=1))
    return site


if __name__ == "__main__":
    work(Path(sys.argv[1]))
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    sys.stdin.read()
