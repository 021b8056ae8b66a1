"""CP-SAT beside the search: never worse bounds, the same optimum on small problems, and reasons for what cannot be."""

import msgspec
import pytest

from cellwright.schedule import Model, ScheduleError, check, solve
from cellwright.schedule.bound import lower_bound
from cellwright.schedule.exact import explain, polish, solve_exact
from cellwright.schedule.generate import plant
from cellwright.schedule.tables import laid
from tests.schedule.problems import everything


def small() -> Model:
    model = Model("small", horizon=60)
    model.resource("bench", 1, calendar=((0, 1), (10, 0)), period=24)
    model.resource("vessel", 2)
    model.route("r").task("seed", 2, bench=1).task("pick", 3, least=4, most=20, bench=1).hold("vessel", "seed", "pick")
    for n in range(3):
        model.job(f"j{n}", "r", release=n, weight=n + 1)
    return model


def test_search_and_proof_agree_on_a_small_problem() -> None:
    problem = small().data()
    exact = solve_exact(problem)
    found = solve(problem, rounds=2000)
    assert exact.proved and not check(problem, exact) and not check(problem, found)
    assert found.value >= exact.value
    assert found.bound is not None and found.bound <= exact.value
    polished = polish(problem, found, effort=0.3)
    assert polished.plan.value == exact.value and not check(problem, polished.plan)
    assert polished.proved == polished.windows == 1


def test_windows_keep_the_rest_and_never_lose() -> None:
    problem = plant(12)
    plan = solve(problem, rounds=200, restarts=1)
    polished = polish(problem, plan, size=3, windows=3)
    assert not check(problem, polished.plan)
    assert polished.plan.value <= plan.value and 0 <= polished.proved <= polished.windows == 3


def test_changeovers_people_and_modes_are_the_same_problem_to_both() -> None:
    problem = msgspec.structs.replace(everything(), jobs=everything().jobs[:3])
    exact = solve_exact(problem, effort=1.0)
    found = solve(problem, rounds=3000)
    assert exact.jobs and not check(problem, exact) and not check(problem, found)
    bound = lower_bound(laid(problem))
    assert (bound is not None and bound <= exact.value <= found.value) or not exact.proved


def test_the_reasons_of_infeasibility_are_named() -> None:
    model = Model("full", horizon=40)
    model.resource("bench", 1)
    model.route("r").task("work", 5, bench=1)
    model.job("early", "r", deadline=6)
    model.job("late", "r", deadline=6)
    model.job("other", "r")
    problem = model.data()
    plan = solve(problem, rounds=200)
    assert len(plan.unplaced) == 1 and not check(problem, plan)
    reasons = explain(problem, ["early", "late"])
    assert "bench" in reasons and any("deadline" in reason for reason in reasons)
    assert explain(problem, ["early", "other"]) == []


def test_an_engine_says_what_it_does_not_cover() -> None:
    model = Model("backwards")
    model.route("r").task("a", 1).task("b", 2).lag("b", "a", least=-9)
    model.job("j", "r")
    with pytest.raises(ScheduleError, match="backwards"):
        solve(model.data(), engine="search")
    with pytest.raises(ScheduleError, match="quantile"):
        solve(small().data(), quantile=2)
