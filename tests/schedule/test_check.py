"""The checker finds every kind of fault that is planted in a clean plan."""

import msgspec
import pytest

from cellwright.schedule import Plan, Problem, check, solve
from tests.schedule.problems import everything


@pytest.fixture(scope="module")
def found() -> tuple[Problem, Plan]:
    problem = everything()
    return problem, solve(problem, rounds=300)


def moved(plan: Plan, number: int, task: int, start: int) -> Plan:
    jobs = list(plan.jobs)
    starts = list(jobs[number].starts)
    starts[task] = start
    jobs[number] = msgspec.structs.replace(jobs[number], starts=tuple(starts))
    return msgspec.structs.replace(plan, jobs=tuple(jobs))


def kinds(problem: Problem, plan: Plan) -> set[str]:
    return {finding.kind for finding in check(problem, plan)}


def test_faults_in_times_are_found(found: tuple[Problem, Plan]) -> None:
    problem, plan = found
    assert not check(problem, plan)
    last = len(plan.jobs[0].starts) - 1
    assert "lag" in kinds(problem, moved(plan, 0, last, plan.jobs[0].starts[last] + 30))
    assert "release" in kinds(problem, moved(plan, 5, 0, 0))
    assert "deadline" in kinds(problem, moved(plan, 0, last, 500))
    assert "value" in kinds(problem, msgspec.structs.replace(plan, value=plan.value + 1))
    assert "value" in kinds(problem, msgspec.structs.replace(plan, bound=plan.value + 1))
    assert "jobs" in kinds(problem, msgspec.structs.replace(plan, jobs=plan.jobs[1:]))
    assert "jobs" in kinds(problem, msgspec.structs.replace(plan, jobs=(*plan.jobs, plan.jobs[0])))
    assert "problem" in kinds(problem, msgspec.structs.replace(plan, problem="another"))


def test_faults_in_resources_are_found(found: tuple[Problem, Plan]) -> None:
    problem, plan = found
    same = plan
    for number, job in enumerate(plan.jobs):
        fill = len(job.starts) - 2
        same = moved(same, number, fill, 31)
    assert {"changeover", "campaign"} & kinds(problem, same)
    test = plan
    for number, job in enumerate(plan.jobs):
        test = moved(test, number, len(job.starts) - 1, 200)
    assert "resource" in kinds(problem, test)


def test_expired_material_is_found() -> None:
    problem = everything()
    plan = solve(problem, rounds=300)
    number = next(n for n, job in enumerate(plan.jobs) if job.mode == 0)
    late = plan
    for task, start in enumerate(plan.jobs[number].starts):
        late = moved(late, number, task, start + 60)
    assert "expiry" in kinds(problem, late)
