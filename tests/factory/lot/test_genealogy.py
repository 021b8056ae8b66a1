"""Genealogy: the same closure from donor to dose and back, whatever was split and pooled (R061, R067)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.lot.bag import DisposeContainer
from cellwright.factory.lot.genealogy import consuming, containers, of_chain, offspring, origins, using
from cellwright.factory.lot.transfer import Child
from cellwright.factory.order.disposition import left_open
from cellwright.factory.order.state import OrderState
from tests.factory.lot.setting import Bench


@pytest.mark.requirement("R061")
@pytest.mark.requirement("R067")
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_random_splits_and_pools_trace_both_ways_and_every_container_ends(data: st.DataObject) -> None:
    bench = Bench()
    lot = bench.received(donations=data.draw(st.integers(1, 3)), containers=data.draw(st.integers(1, 2)))
    edges: set[tuple[str, str]] = set()
    volume = dict.fromkeys(bench.lot(lot).containers, 100)
    collected = set(volume)
    for _ in range(data.draw(st.integers(1, 7))):
        live = sorted(name for name, v in volume.items() if v >= 2)
        if not live:
            break
        parents = data.draw(st.lists(st.sampled_from(live), min_size=1, max_size=3, unique=True))
        drawn = {p: data.draw(st.integers(1, volume[p])) for p in parents}
        total = sum(drawn.values())
        if len(parents) > 1:
            parts, kind = [total], "pool"
        else:
            n = data.draw(st.integers(1, min(3, total)))
            parts, kind = [1] * (n - 1) + [total - n + 1], "split" if n > 1 else "transfer"
        children = [Child(kind="intermediate", volume_ml=str(v)) for v in parts]
        made = bench.make(lot, kind, {p: str(v) for p, v in drawn.items()}, children)
        for child, v in zip(made, parts, strict=True):
            bench.label(lot, child)
            volume[child] = v
            edges |= {(p, child) for p in parents}
        for p, v in drawn.items():
            volume[p] -= v
    known = containers(of_chain(bench, str(bench.lot(lot).coi)))
    assert {name: one.volume_ml for name, one in known.items()} == volume, "volumes reconcile"
    for name in known:
        up, down = origins(known, name), offspring(known, name)
        assert all(name in offspring(known, ancestor) for ancestor in up)
        assert all(name in origins(known, descendant) for descendant in down)
        assert name in collected or up & collected, "everything comes from a collection"
        assert {p for p, c in edges if c == name} <= up
    for name in known:
        bench.do(DisposeContainer(lot=lot, container=name, disposition="destroyed", verifier="OP-2", reason="test"))
    assert left_open(bench, bench.load(OrderState, "ORD-1")) == ()


def test_from_a_collected_bag_to_its_doses_and_back() -> None:
    bench = Bench()
    lot, bags = bench.filled()
    known = containers([bench.lot(lot)])
    first = "A9999-2026-001001-A0"
    assert set(bags) < offspring(known, first)
    assert all(first in origins(known, bag) for bag in bags)
    assert origins(known, first) == frozenset()
    assert offspring(known, bags[0]) == frozenset()


def test_a_recall_of_a_material_reaches_exactly_the_lots_that_hold_it() -> None:
    bench = Bench()
    holding = [bench.cultured(n, f"S{n}")[0] for n in (1, 2)]
    without = bench.received(3, "S3")
    assert consuming(bench, "V-7") == tuple(holding)
    assert without not in consuming(bench, "V-7")
    assert consuming(bench, "V-404") == ()
    assert using(bench, "INC-1") == tuple(holding)
