"""Issue: one recipe, locked by its hash; an order or a stock; checked by a second person (R039)."""

import pytest

from cellwright.factory.lot.issue import IssueLot
from cellwright.factory.order.case import DeclareDoubt
from cellwright.factory.order.fact.giving import Ended
from tests.factory.lot.setting import Bench, product, recipe, refused, step, usual


@pytest.mark.requirement("R039")
def test_a_lot_is_locked_to_the_very_recipe_it_was_issued_from() -> None:
    bench = Bench()
    lot = bench.received()
    assert bench.lot(lot).recipe == ("r1", "1", usual().sha256)
    bench.define("r1", recipe({"u": (step("other"),)}, version="2", sha256="b" * 64))
    first = next(iter(bench.lot(lot).containers))
    bench.start(lot, "select", first)
    assert "select" in bench.lot(lot).steps, "a newer version changes nothing for the lot"
    bench.define("r1", recipe({"u": (step("select"),)}, version="1", sha256="c" * 64))
    with refused("recipe-changed"):
        bench.complete(lot, "select")


@pytest.mark.requirement("R039")
def test_the_issued_record_is_signed_by_two() -> None:
    bench = Bench()
    order = bench.patient(1)
    decision = bench.do(IssueLot(order=order, checked_by="QA-1"), "PL-1")
    assert [(n.person, n.meaning, n.role) for n in decision.sign] == [
        ("PL-1", "performed", "planner"),
        ("QA-1", "verified", "quality_assurance"),
    ]
    with refused("same-person-twice"):
        bench.do(IssueLot(order=order, checked_by="PL-1"), "PL-1")


def test_a_lot_is_personal_or_stock() -> None:
    bench = Bench()
    order = bench.patient(1)
    for both in (IssueLot(checked_by="QA-1"), IssueLot(checked_by="QA-1", order=order, stock="mil62")):
        with refused("personal-or-stock"):
            bench.do(both, "PL-1")
    with refused("wrong-kind-of-lot"):
        bench.do(IssueLot(checked_by="QA-1", stock="mil62", product="p1"), "PL-1")
    bench.define("p2", product(personal=False, name="p2"))
    bench.do(IssueLot(checked_by="QA-1", stock="mil62", product="p2", lot="M-1"), "PL-1")
    lot = bench.lot("M-1")
    assert (lot.coi, lot.owner, bench.claims["lot/M-1"]) == (None, "stock/mil62", "stock/mil62")
    with refused("lot-exists"):
        bench.do(IssueLot(checked_by="QA-1", order=order, lot="M-1"), "PL-1")


def test_nothing_is_made_for_an_order_that_ended_or_is_in_doubt() -> None:
    bench = Bench()
    ended, doubtful = bench.patient(1), bench.patient(2)
    bench.say(f"order/{ended}", Ended(why="death", on="2026-03-01", recorded_by="DR-1"))
    with refused("order-ended"):
        bench.do(IssueLot(order=ended, checked_by="QA-1"), "PL-1")
    bench.do(DeclareDoubt(why="Label torn", orders=(doubtful,)), "WH-1")
    with refused("identity-in-doubt"):
        bench.do(IssueLot(order=doubtful, checked_by="QA-1"), "PL-1")
