"""After a change: what has begun stays, what can stay does, and moves have their price."""

import msgspec

from cellwright.schedule import Closing, Job, Plan, Problem, check, repair, solve
from cellwright.schedule.generate import plant
from cellwright.schedule.picture import moved

NOW = 500


def broken(problem: Problem, name: str, units: int, begin: int, end: int) -> Problem:
    """The problem with units of a resource missing."""
    closing = (Closing(begin=begin, end=end, units=units),)
    resources = tuple(msgspec.structs.replace(r, closings=closing) if r.name == name else r for r in problem.resources)
    return msgspec.structs.replace(problem, resources=resources)


def starts(plan: Plan) -> dict[str, tuple[int, ...]]:
    return {one.job: one.starts for one in plan.jobs}


def test_nothing_moves_where_nothing_changed() -> None:
    problem = plant(20)
    plan = solve(problem, rounds=500)
    changed, again = repair(problem, plan, now=NOW)
    assert starts(again) == starts(plan) and not check(changed, again)
    assert again.value == plan.value


def test_lost_units_move_only_what_used_them_and_never_what_began() -> None:
    problem = plant(40)
    plan = solve(problem, rounds=500)
    changed, again = repair(broken(problem, "operator", 3, NOW, NOW + 60), plan, now=NOW)
    findings = [finding for finding in check(changed, again) if finding.kind != "resource"]
    assert not findings
    was, now = starts(plan), starts(again)
    assert 0 < sum(was[name] != now[name] for name in now) < len(now)
    for name, old in was.items():
        assert all(new == start for start, new in zip(old, now.get(name, old), strict=True) if start < NOW)
    svg = moved(changed, plan, again)
    assert "SIMULATED" in svg and svg.count("<rect") > 5


def test_added_jobs_are_fitted_in_beside_the_old() -> None:
    problem = plant(20)
    plan = solve(problem, rounds=500)
    urgent = Job(name="urgent", modes=problem.jobs[0].modes, release=NOW, weight=100)
    more = msgspec.structs.replace(problem, jobs=(*problem.jobs, urgent))
    changed, again = repair(more, plan, now=NOW)
    assert not check(changed, again) and "urgent" in starts(again)
    assert {name: s for name, s in starts(again).items() if name != "urgent"} == starts(plan)
    _changed, better = repair(more, plan, now=NOW, rounds=2000, move_price=0)
    assert better.value <= again.value


def test_the_frozen_zone_does_not_move() -> None:
    problem = plant(30)
    plan = solve(problem, rounds=200)
    changed, again = repair(problem, plan, now=NOW, frozen=96, rounds=1500, move_price=0)
    assert not check(changed, again)
    was, now = starts(plan), starts(again)
    assert was != now
    for name, old in was.items():
        assert all(new == start for start, new in zip(old, now[name], strict=True) if start < NOW + 96)


def test_a_price_on_moves_keeps_starts() -> None:
    problem = plant(30)
    plan = solve(problem, rounds=0)

    def distance(price: int) -> int:
        _changed, again = repair(problem, plan, now=0, rounds=2000, move_price=price)
        now = starts(again)
        return sum(abs(now[name][0] - old[0]) for name, old in starts(plan).items())

    assert distance(10_000) == 0 < distance(0)
