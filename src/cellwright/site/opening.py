"""Opening a site for its screens: tables brought up to date, sessions of an earlier run ended, everything begun."""

import os
from functools import partial
from pathlib import Path

import django
from django.apps import apps

from cellwright.command.site import Site, open_site


def prepare(folder: Path) -> None:
    """Make Django ready for one site, and its tables. May be called again for the same site."""
    os.environ["CELLWRIGHT_SITE"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cellwright.site.settings")
    if not apps.ready:
        django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    (folder / "site.db").chmod(0o600)


def settled(site: Site) -> None:
    """Sessions that an earlier run of the server left behind have ended with it."""
    from cellwright.site import models, seats

    for seat in models.Seat.objects.all():
        seats.end(site, seat, "ended")


def open_house(folder: Path, *, demo: int = 0) -> None:
    """Open the site and everything behind its screens.

    Args:
        demo: number of simulated patients whose story is told while the screens are up; 0 for none.
    """
    prepare(folder)
    from cellwright.site.demonstration import tell
    from cellwright.site.house import House, occupy

    site = open_site(folder, environment=os.environ)
    settled(site)
    house = House(site)
    occupy(house)
    house.open(partial(tell, patients=demo) if demo else None)
