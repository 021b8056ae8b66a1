"""A small simulated site for the screens: a lot that is made, two that wait at a bench, two linked orders."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

SERVED = Path(tempfile.mkdtemp(prefix="cellwright-site-")) / "e-town"
"""The folder of the one site this process serves: Django reads its settings once."""
os.environ["CELLWRIGHT_SITE"] = str(SERVED)
os.environ["DJANGO_SETTINGS_MODULE"] = "cellwright.site.settings"
django.setup()

from django.test import Client  # noqa: E402

from cellwright.command.demo.run import Demo, open_demo  # noqa: E402
from cellwright.command.demo.stage import Journey, Stage  # noqa: E402
from cellwright.command.site import open_site  # noqa: E402
from cellwright.ledger import SimulatedClock  # noqa: E402
from cellwright.site.house import House, occupy  # noqa: E402
from cellwright.site.opening import prepare  # noqa: E402


def bench(demo: Demo, number: int, last: str) -> Journey:
    """A patient whose lot is made up to a step."""
    way = demo.way(number, "CAR-T-19", "CN", weight_kg="25")
    demo.ways.append(way)
    yield from way.until_order()
    yield from way.patient.collected()
    yield from way.patient.received()
    yield from way.making.issued()
    yield from way.making.made(last)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's folder, closed: four patients, the first made to the end, the others up to the first step."""
    folder = tmp_path_factory.mktemp("site") / "e-town"
    demo = open_demo(folder, "screens")
    demo.setting.prepare(demo.signer)
    clock = demo.site.clock
    assert isinstance(clock, SimulatedClock)
    stage = Stage(demo.site.desk, clock, demo.signer, lambda done, total: None)
    stage.run([bench(demo, 1, "store")])
    stage.run([bench(demo, n, "receive") for n in (2, 3, 4)])
    demo.site.close()
    return folder


@pytest.fixture(scope="session")
def house(prepared: Path) -> Iterator[House]:
    """The site served inside this process, without threads: screens follow the record when they are asked."""
    shutil.copytree(prepared, SERVED, dirs_exist_ok=True)
    prepare(SERVED)
    made = House(open_site(SERVED))
    while made.projector.follow():
        pass
    occupy(made)
    yield made
    occupy(None)
    made.close()
    shutil.rmtree(SERVED.parent, ignore_errors=True)


@pytest.fixture
def visitor(house: House) -> Client:
    """A browser without a session."""
    return Client(HTTP_HOST="localhost")


@pytest.fixture
def operator(visitor: Client) -> Client:
    return signed_in(visitor, "OP-01")


@pytest.fixture
def quality(visitor: Client) -> Client:
    return signed_in(visitor, "QA-1")


def signed_in(client: Client, person: str) -> Client:
    """A browser in which a simulated person has signed in with one tap."""
    answer = client.post("/sign-in/simulated", {"person": person})
    assert answer.status_code == 302 and answer["Location"] == "/", answer.content
    return client
