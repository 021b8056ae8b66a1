"""The ordinary course of a lot, from issue to filled bags, and what the record then says."""

from decimal import Decimal

import pytest

from tests.factory.lot.setting import Bench


def test_from_the_collected_bag_to_two_final_bags() -> None:
    bench = Bench()
    lot, bags = bench.filled()
    state = bench.lot(lot)
    assert state.done == {"select", "transduce", "expand", "harvest", "fill"}
    assert state.procedures == {"prepare": "Complete", "culture": "Complete", "finish": "Complete"}
    assert not state.nonconformances, state.nonconformances
    assert [b.container for b in state.bags] == bags
    assert all(b.label and b.detached and b.dose == 1 for b in state.bags)
    assert state.viable_cells == Decimal(1_400_000_000)
    assert state.volume_ml == Decimal(180)
    assert state.materials == {"B-1", "V-7"}
    assert state.participants == {"OP-1", "OP-2"}
    assert state.recipe == ("r1", "1", "a" * 64)
    assert len(state.leaves) == state.version == sum(f.stream == state.stream for f, _ in bench.events)
    (sample,) = state.samples.values()
    assert (sample.kind, sample.tests, sample.tubes) == ("final_product", ("viability", "sterility"), 3)
    assert bench.claims[f"sample/{sample.sample}"] == state.coi


@pytest.mark.requirement("R060")
def test_every_container_keeps_a_donation_number_and_a_division_of_its_own() -> None:
    bench = Bench()
    lot, _ = bench.filled()
    containers = bench.lot(lot).containers.values()
    assert {c.din for c in containers} == {"A9999-2026-001001"}
    assert len({c.container for c in containers}) == len(containers)
    assert all(c.container == f"{c.din}-{c.division}" for c in containers if c.parents)
