"""How good plans are after stated CPU time, and how soon the first one is there.

Budgets are rounds, calibrated here to process CPU time. Plants and projects are the planning instances of the project's
workshop where they lie beside this clone, and the shipped generator of simulated plants otherwise. Rivals: CP-SAT through
PyJobShop with twice the CPU time on projects; CP-SAT on this library's own model, cold, on the plant of 100 patients.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks.harness import Session
from cellwright.schedule import Closing, Plan, Problem, check, repair, solve
from cellwright.schedule.bound import alone, lower_bound
from cellwright.schedule.generate import plant
from cellwright.schedule.project import ProjectSearch
from cellwright.schedule.read import read
from cellwright.schedule.search import Search
from cellwright.schedule.tables import laid

SHARED: Final = Path(os.environ.get("CELLWRIGHT_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
BEST_KNOWN: Final = {
    "J60_124": 103, "J120_59": 160, "J120_565": 179, "RG300_346": 308, "J90_284": 149, "J120_185": 103, "J120_356": 224,
    "RG300_129": 354, "RG300_404": 260,
}  # fmt: skip
SUBSET: Final = 4
"""Projects of the default run; `--full` takes all nine."""
CPU: Final = 10.0
RIVAL_CPU: Final = 20.0
LIMITS: Final = {100: 2.5, 500: 2.5, 2000: 4.5}


def cpu(work: Callable[[], object]) -> float:
    """Process CPU seconds of a call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def plants() -> dict[int, Problem]:
    """The plants to plan."""
    folder = SHARED / "data" / "planning" / "plant"
    if folder.is_dir():
        return {count: read(folder / f"plant_{count}.npz") for count in LIMITS}
    return {count: plant(count) for count in LIMITS}


def improved(problem: Problem, seconds: float) -> Search:
    """A search after so much CPU time: its rounds are calibrated by a short run."""
    arrays = laid(problem)
    trial = Search(arrays, seed=1, restarts=1)
    speed = 2000 / cpu(lambda: trial.run(2000, 1, None))
    search = Search(arrays, seed=1, restarts=1)
    search.run(int(0.9 * speed * seconds), 1, None)
    return search


def run(session: Session) -> None:
    """Plants, repair, growth, projects."""
    solve(plant(3), rounds=10)  # compiled kernels are loaded once
    given = plants()
    for count, problem in given.items():
        _plant(session, count, problem)
    _cold(session, given[100])
    _repair(session, given[2000])
    _growth(session)
    _projects(session)


def _plant(session: Session, count: int, problem: Problem) -> None:
    session.say(f"plant of {count} patients, {CPU:.0f} CPU-s")
    first = median(cpu(lambda: Search(laid(problem), seed=1, restarts=1)) for _turn in range(5))
    limit = 30.0 if count == 2000 else None
    session.figure(f"first plan for {count} patients", 1000 * first, "ms CPU", limit=limit)
    search = improved(problem, CPU)
    plan = search.plan()
    session.figure(
        f"not placed or not clean, {count} patients", len(plan.unplaced) + len(check(problem, plan)), "", limit=0
    )
    simple, best = int(alone(search.laid).cost.sum()), lower_bound(search.laid)
    session.figure(f"above the simple bound after {CPU:.0f} CPU-s, {count} patients", _above(plan, simple), "%",
                   limit=LIMITS[count])  # fmt: skip
    session.figure(f"true gap at most, {count} patients", _above(plan, best or simple), "%")


def _above(plan: Plan, bound: int) -> float:
    return 100.0 * (plan.value - bound) / bound


def _cold(session: Session, problem: Problem) -> None:
    """CP-SAT alone on the smallest plant, beside the search."""
    from cellwright.schedule.exact import Model

    made = Model(problem)
    solver = made.cp.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = RIVAL_CPU / 2
    session.say(f"CP-SAT cold on 100 patients, {RIVAL_CPU:.0f} CPU-s")
    taken = cpu(lambda: solver.solve(made.model))
    bound = int(alone(laid(problem)).cost.sum())
    found = solver.response_proto.solution
    above = 100.0 * (solver.objective_value - bound) / bound if len(found) else float("inf")
    session.figure("CP-SAT cold, 100 patients, above the simple bound", min(above, 9999.0), "%")
    session.figure("CP-SAT cold, CPU time", taken, "s")


def _repair(session: Session, problem: Problem) -> None:
    """Day 15: a twentieth of the bioreactors down for three days, a tenth of the suites for one."""
    plan, now = solve(problem, rounds=2000, restarts=1, bounded=False), 15 * 48
    lost = {"bio": (0.05, 144), "bioreactor": (0.05, 144), "suite": (0.1, 48)}
    resources = []
    for resource in problem.resources:
        if resource.name in lost:
            share, steps = lost[resource.name]
            closing = Closing(begin=now, end=now + steps, units=max(1, int(share * resource.capacity)))
            resource = msgspec.structs.replace(resource, closings=(closing,))
        resources.append(resource)
    broken = msgspec.structs.replace(problem, resources=tuple(resources))
    taken = median(cpu(lambda: repair(broken, plan, now=now)) for _turn in range(5))
    session.figure("repair after failures, 2000 patients", 1000 * taken, "ms CPU", limit=50)
    changed, again = repair(broken, plan, now=now)
    session.figure(
        "not placed or not clean after repair", len(again.unplaced) + len(check(changed, again)), "", limit=0
    )
    old = {one.job: one.starts for one in plan.jobs}
    session.figure("jobs moved by the repair", sum(one.starts != old[one.job] for one in again.jobs), "")


def _growth(session: Session) -> None:
    """CPU time a patient from 100 to 10,000, first plan and a round of improvement for each patient."""
    per = {}
    for count in (100, 1000, 10_000):
        problem = plant(count)
        session.say(f"simulated plant of {count} patients")
        per[count] = median(cpu(lambda p=problem, n=count: _once(p, n)) for _turn in range(5)) / count  # type: ignore[misc]
        session.figure(f"CPU time a patient, {count} patients", 1e6 * per[count], "µs")
    session.figure("CPU time a patient, greatest over least", max(per.values()) / min(per.values()), "", limit=2)


def _once(problem: Problem, rounds: int) -> None:
    search = Search(laid(problem), seed=1, restarts=1)
    search.run(rounds, 1, None)


def _projects(session: Session) -> None:
    folder = SHARED / "data" / "planning" / "rcpsp"
    if not folder.is_dir():
        session.say("no project instances beside this clone")
        return
    names = list(BEST_KNOWN) if session.full else list(BEST_KNOWN)[:SUBSET]
    ours, theirs, lost = [], [], 0
    for name in names:
        problem = read(folder / f"{name}.txt")
        value, taken = _project(problem)
        rival = _rival(problem)
        session.say(
            f"{name}: {value} in {taken:.1f} CPU-s, PyJobShop with CP-SAT {rival}, best known {BEST_KNOWN[name]}"
        )
        ours.append(100.0 * (value - BEST_KNOWN[name]) / BEST_KNOWN[name])
        theirs.append(100.0 * (rival - BEST_KNOWN[name]) / BEST_KNOWN[name])
        lost += value > rival
    said = f"{len(names)} projects"
    session.figure(f"mean gap to best known, {CPU:.0f} CPU-s, {said}", sum(ours) / len(ours), "%", limit=1.7)
    session.figure(f"PyJobShop with CP-SAT, {RIVAL_CPU:.0f} CPU-s, {said}", sum(theirs) / len(theirs), "%")
    session.figure("projects on which PyJobShop is better", lost, "", limit=0)


def _project(problem: Problem) -> tuple[int, float]:
    trial = ProjectSearch(problem, seed=1, restarts=1)
    speed = 1000 / max(1e-4, cpu(lambda: trial.run(1000, 1, None)))
    search = ProjectSearch(problem, seed=1, restarts=1)
    taken = cpu(lambda: search.run(int(0.9 * speed * CPU), 1, None))
    assert not check(problem, search.plan())
    return search.best()[0], taken


def _rival(problem: Problem) -> float:
    from cellwright.schedule.export import to_pyjobshop

    found = to_pyjobshop(problem).solve(time_limit=RIVAL_CPU / 2, num_workers=2, display=False)
    return float(found.objective)
