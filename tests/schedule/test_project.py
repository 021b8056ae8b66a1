"""Projects: optimal where that can be enumerated, never above what is published, the same compiled and plain."""

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.schedule import Problem, check, solve
from cellwright.schedule.project import is_project, lower_bound, project_of
from cellwright.schedule.read import parse_patterson, read

BEST_KNOWN = {"J60_124": 103, "J90_284": 149, "J120_185": 103, "J120_59": 160}
"""From the table beside the instances."""


@st.composite
def patterson(draw: st.DrawFn) -> Problem:
    """Small random projects in Patterson's format."""
    count = draw(st.integers(1, 5))
    rows = [f"{count} 1 2"]
    for k in range(count):
        after = [n + 1 for n in range(k + 1, count) if draw(st.booleans())]
        rows.append(f"{draw(st.integers(0, 4))} {draw(st.integers(0, 2))} {len(after)} {' '.join(map(str, after))}")
    return parse_patterson("\n".join(rows), "random")


def shortest(problem: Problem) -> int:
    """The best of all active schedules, by setting tasks in every order (Kelley 1963: one of them is optimal)."""
    route = problem.routes[0]
    before = {t.name: [lag.before for lag in route.lags if lag.after == t.name] for t in route.tasks}
    best = 10**9
    for order in permutations(route.tasks):
        place = {task.name: n for n, task in enumerate(order)}
        if any(place[b] > place[name] for name, all_before in before.items() for b in all_before):
            continue
        end: dict[str, int] = {}
        left = [2] * 60
        for task in order:
            assert isinstance(task.duration, int)
            t, need = max((end[b] for b in before[task.name]), default=0), task.needs.get("R1", 0)
            while any(left[s] < need for s in range(t, t + task.duration)):
                t += 1
            for s in range(t, t + task.duration):
                left[s] -= need
            end[task.name] = t + task.duration
        best = min(best, max(end.values()))
    return best


@settings(deadline=None, max_examples=60)
@given(patterson())
def test_small_projects_are_solved_to_the_optimum(problem: Problem) -> None:
    assert is_project(problem)
    plan = solve(problem, rounds=150)
    assert not check(problem, plan)
    assert plan.value == shortest(problem)
    assert lower_bound(project_of(problem)) <= plan.value


@pytest.mark.parametrize("name", sorted(BEST_KNOWN))
def test_given_projects_come_close_to_the_best_known(shared_data: Path, name: str) -> None:
    problem = read(shared_data / "planning" / "rcpsp" / f"{name}.txt")
    plan = solve(problem, rounds=4000, restarts=1)
    assert not check(problem, plan)
    assert plan.bound is not None
    assert plan.bound <= BEST_KNOWN[name] <= plan.value <= 1.08 * BEST_KNOWN[name]


def test_compiled_and_plain_python_agree(shared_data: Path) -> None:
    problem = read(shared_data / "planning" / "rcpsp" / "J60_124.txt")
    assert solve(problem, rounds=30) == solve(problem, rounds=30, plain=True)


def test_threads_change_nothing(shared_data: Path) -> None:
    problem = read(shared_data / "planning" / "rcpsp" / "J120_59.txt")
    plans = [solve(problem, rounds=2500, restarts=3, threads=threads) for threads in (1, 3)]
    assert plans[0] == plans[1]
