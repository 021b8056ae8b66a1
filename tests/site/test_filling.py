"""Final bags from the scan that begins their filling to their places in the store, all of it at the screen."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.test import Client

from cellwright.command.demo.run import open_demo
from cellwright.command.demo.stage import Stage
from cellwright.command.site import open_site
from cellwright.ledger import SimulatedClock
from cellwright.site import models
from cellwright.site.house import House, occupy
from cellwright.site.view.filling import filling, own, wanted, within_reach
from cellwright.site.view.step import bench
from tests.site.conftest import bench as made_to
from tests.site.conftest import signed_in
from tests.site.test_bench import begin, page, phase, scanned_on
from tests.site.test_step import SECOND, own_code, sign_all


class Formulated(NamedTuple):
    """A site of its own, and its one lot, which is ready to be filled: formulated cells do not wait for other tests."""

    house: House
    lot: str


@pytest.fixture
def formulated(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Formulated]:
    folder = tmp_path_factory.mktemp("filling") / "e-town"
    demo = open_demo(folder, "filling")
    demo.setting.prepare(demo.signer)
    clock = demo.site.clock
    assert isinstance(clock, SimulatedClock)
    Stage(demo.site.desk, clock, demo.signer, lambda done, total: None).run([made_to(demo, 1, "formulate")])
    demo.site.close()
    other = House(open_site(folder))
    _follow(other)
    occupy(other)
    yield Formulated(other, models.Lot.objects.get(status="in_process").lot)
    occupy(house)
    other.close()
    _follow(house)


def _follow(house: House) -> None:
    """The tables hold this house's record and nothing else."""
    house.projector.rebuild()
    while house.projector.follow():
        pass


def labelled(client: Client, lot: str) -> None:
    """The label at hand is printed, read back, put on and, on a bag, cut off from its set."""
    assert client.post(f"/lots/{lot}/label/print").status_code == 302 and phase(lot) == "read_back"
    at = bench(lot)
    assert at.step is not None
    found = filling(at.read, at.lot, at.recipe, at.step)
    assert found is not None and found.label is not None
    label = found.label
    for text in wanted(label):
        read = client.post(f"/lots/{lot}/label/scan", {"scan": text, "legend": list(label.legends)})
        assert read.status_code == 302
    assert phase(lot) == "apply"
    applied = client.post(f"/lots/{lot}/label/scan", {"scan": own(label), "second": SECOND})
    assert sign_all(client, applied)["Location"] == f"/lots/{lot}/step"
    if phase(lot) == "detach":
        assert client.post(f"/lots/{lot}/label/detach").status_code == 302


def finished(house: House, client: Client, lot: str) -> None:
    """The step under way has taken its time and is done."""
    at = bench(lot)
    assert at.step is not None
    scanned_on(client, lot)
    clock = house.site.clock
    assert isinstance(clock, SimulatedClock)
    clock.advance(at.step.duration.typical)
    answer = client.post(f"/lots/{lot}/complete", {"step": at.step.id, "second": SECOND})
    assert sign_all(client, answer)["Location"] == f"/lots/{lot}/step"


def cells_of(client: Client, lot: str) -> dict[str, str]:
    """What the page proposes for the volumes and the cells of the containers that are filled."""
    return dict(re.findall(r'name="(volume-\d+|cells)"[^>]*value="([^"]+)"', page(client, lot)))


@pytest.mark.requirement("R068")
def test_final_bags_are_filled_labelled_frozen_and_stored_at_the_screen(formulated: Formulated) -> None:
    house, lot = formulated
    visitor = signed_in(Client(HTTP_HOST="localhost"), "OP-04")
    at = bench(lot)
    assert at.step is not None and at.step.activity == "fill"
    begin(visitor, lot)
    while (use := bench(lot).use) is not None:
        assert visitor.post(f"/lots/{lot}/scan", {"scan": f"{use.code.upper().replace('_', '-')}-1"}).status_code == 302
    given = cells_of(visitor, lot) | {"scan": own_code(lot), "second": SECOND}
    assert sum(name.startswith("volume-") for name in given) == sum(output.count for output in at.step.makes)
    assert sign_all(visitor, visitor.post(f"/lots/{lot}/fill", given))["Location"] == f"/lots/{lot}/step"
    while phase(lot) == "print":
        labelled(visitor, lot)
    assert phase(lot) == "done"
    assert all(c.label and c.detached for c in bench(lot).lot.bags)
    while (ahead := bench(lot).step) is not None and ahead.activity != "store":
        if bench(lot).state is None:
            begin(visitor, lot)
        finished(house, visitor, lot)
    begin(visitor, lot)
    stored = 0
    while phase(lot) != "done":
        if phase(lot) == "print":
            labelled(visitor, lot)
        assert phase(lot) == "store" and "Scan the cassette" in page(visitor, lot)
        now = bench(lot)
        assert now.step is not None
        ask = filling(now.read, now.lot, now.recipe, now.step)
        assert ask is not None and ask.container is not None
        cassette, bag = (one["code"] for one in within_reach(now.lot, ask))
        assert visitor.post(f"/lots/{lot}/store", {"scan": cassette}).status_code == 302
        frozen = {"scan": bag, "position": ask.position, "second": SECOND}
        assert sign_all(visitor, visitor.post(f"/lots/{lot}/store", frozen))["Location"] == f"/lots/{lot}/step"
        stored += 1
    bags = bench(lot).lot.bags
    assert stored == len(bags) and len({bag.position for bag in bags}) == stored
    finished(house, visitor, lot)
    assert bench(lot).step is None
