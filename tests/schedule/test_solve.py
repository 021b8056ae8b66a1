"""Plans: clean by the independent checker, the same again, the same in plain Python, on real and on random problems."""

from itertools import product
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from cellwright.schedule import Model, Problem, check, solve
from cellwright.schedule.generate import plant
from cellwright.schedule.plants import read_plant
from tests.schedule.problems import everything, problems


def test_a_plan_of_everything_is_clean_and_uses_it() -> None:
    problem = everything()
    plan = solve(problem, rounds=1500)
    assert not check(problem, plan)
    assert not plan.unplaced
    assert any(unit for job in plan.jobs for unit in job.units)


def test_compiled_and_plain_python_make_the_same_plan() -> None:
    for problem, rounds in ((everything(), 25), (plant(4), 10)):
        assert solve(problem, rounds=rounds) == solve(problem, rounds=rounds, plain=True)


def test_threads_change_nothing() -> None:
    problem = plant(30)
    plans = [solve(problem, rounds=1200, restarts=4, threads=threads, seed=5) for threads in (1, 2, 4)]
    assert plans[0] == plans[1] == plans[2]
    assert plans[0] != solve(problem, rounds=1200, restarts=4, seed=6)


@settings(deadline=None, max_examples=60)
@given(problems())
def test_whatever_is_placed_is_clean_and_the_rest_is_named(problem: Problem) -> None:
    plan = solve(problem, rounds=40, restarts=1)
    assert not check(problem, plan)
    assert len(plan.jobs) + len(plan.unplaced) == len(problem.jobs)
    assert all(one.resource or one.reason != "resource" for one in plan.unplaced)


def test_two_jobs_on_one_machine_go_shortest_weighted_first() -> None:
    """Smith's rule (1956): the sum of weighted ends is least in the order of weight over duration."""
    model = Model("smith")
    model.resource("machine")
    lengths, weights = (3, 1, 4, 2), (1, 2, 7, 3)
    for number, (length, weight) in enumerate(zip(lengths, weights, strict=True)):
        model.route(f"r{number}").task("work", length, machine=1)
        model.job(f"j{number}", f"r{number}", weight=weight)
    order = sorted(range(4), key=lambda n: -weights[n] / lengths[n])
    end, best = 0, 0
    for n in order:
        end += lengths[n]
        best += weights[n] * end
    assert model.solve(rounds=500).value == best


def test_the_search_finds_the_best_of_all_orders() -> None:
    """Six jobs of two tasks with a greatest lag, against every order of starting them on a single line."""
    model = Model("line", horizon=60)
    model.resource("a")
    model.resource("b")
    for n, (first, second) in enumerate([(2, 3), (1, 4), (3, 1)]):
        model.route(f"r{n}").task("x", first, a=1).task("y", second, b=1, most=1)
        model.job(f"j{n}", f"r{n}", weight=n + 1)
    problem = model.data()
    best = None
    spans = [(route.tasks[0].duration, route.tasks[1].duration) for route in problem.routes]
    for starts in product(range(9), repeat=3):
        for gaps in product(range(2), repeat=3):
            rows = [(s, s + int(f), s + int(f) + g, s + int(f) + g + int(d))  # type: ignore[arg-type]
                    for s, g, (f, d) in zip(starts, gaps, spans, strict=True)]  # fmt: skip
            if any((one[0] < two[1] and two[0] < one[1]) or (one[2] < two[3] and two[2] < one[3])
                   for i, one in enumerate(rows) for two in rows[:i]):  # fmt: skip
                continue
            value = sum((n + 1) * row[3] for n, row in enumerate(rows))
            best = value if best is None else min(best, value)
    assert solve(problem, rounds=500).value == best


@pytest.mark.parametrize("name", ["plant_100", "plant_500", "plant_2000"])
def test_given_plants_are_planned_whole_and_clean(shared_data: Path, name: str) -> None:
    folder = shared_data / "planning" / "plant"
    problem = read_plant(folder / f"{name}.npz")
    listed = {one["name"]: one for one in msgspec.json.decode((folder / "instances.json").read_bytes())["instances"]}
    plan = solve(problem, rounds=5000, restarts=1)
    assert not plan.unplaced and not check(problem, plan)
    assert listed[name]["lower_bound"] < plan.value < listed[name]["deadline_order"]


def test_a_report_sees_progress_and_may_end_the_search() -> None:
    seen = []

    def report(progress: object) -> bool:
        seen.append(progress)
        return False

    plan = solve(plant(5), rounds=5000, report=report)  # type: ignore[arg-type]
    assert len(seen) == 1 and plan.rounds == 1000
