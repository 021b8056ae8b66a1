"""One more bad fact never improves what a lot can become: over real facts, not only over gates."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.lot.fact import life
from cellwright.factory.lot.fact import nonconformance as deviation
from cellwright.factory.order.fact import placing
from cellwright.factory.order.pair import DonorStatusDecided
from cellwright.factory.release.formula import BEST_FIRST
from cellwright.factory.release.review import AssessCustody
from tests.factory.release.setting import EU, Office

LOT = "L-1"


def figure(test: str, value: str, unit: str = "") -> Callable[[Office], Any]:
    return lambda office: office.record_result(LOT, test, value, unit)


def donor(office: Office) -> None:
    office.say("pair/PAIR-1", DonorStatusDecided(pair="PAIR-1", status="ineligible", legends=(), assessor="QA-1"))


def broken(office: Office) -> None:
    office.do(AssessCustody(lot=LOT, custody="not_intact", temperature="in_limits", basis="seal 7"), "QA-1")


def deviation_found(office: Office) -> None:
    found = deviation.NonconformanceRecorded(nonconformance="N1", code="x", severity="critical", text="x")
    office.say(f"lot/{LOT}", found)


BAD: tuple[Callable[[Office], Any], ...] = (
    figure("viability", "40", "%"),
    figure("mycoplasma", "present"),
    figure("endotoxin", "<900", "EU/mL"),
    figure("sterility", "positive"),
    figure("car_positive", "1", "%"),
    lambda office: office.weigh(LOT, "5"),
    lambda office: office.say(f"lot/{LOT}", life.DoubtRaised(case="CASE-1")),
    lambda office: office.say("order/ORD-1", placing.DoubtRaised(case="CASE-2")),
    donor,
    broken,
    deviation_found,
)


@settings(deadline=None, max_examples=40)
@given(order=st.permutations(range(len(BAD))))
def test_a_failing_fact_never_improves_the_decision(order: list[int]) -> None:
    office = Office()
    office.ready()
    for item in EU:
        office.item(LOT, item)
    ranks = [BEST_FIRST.index(office.assess(LOT).possible)]
    for index in order:
        BAD[index](office)
        ranks.append(BEST_FIRST.index(office.assess(LOT).possible))
    assert ranks == sorted(ranks), ranks
    assert ranks[0] == 0, "a lot with everything in order is releasable"
    assert BEST_FIRST[ranks[-1]] == "pending"
