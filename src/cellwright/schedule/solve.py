"""One verb, `solve`, and another for when something has changed, `repair`. Both propose; nothing acts on a plan."""

import os
from typing import Any, Final, Literal

import msgspec

from cellwright.language import _
from cellwright.schedule.plan import JobPlan, Plan
from cellwright.schedule.problem import Problem, ScheduleError, at
from cellwright.schedule.project import ProjectSearch, is_project
from cellwright.schedule.search import Report, Search
from cellwright.schedule.tables import laid, unsuited
from cellwright.schedule.validate import checked

Engine = Literal["auto", "search", "project", "exact"]
ENGINES: Final = ("auto", "search", "project", "exact")


def solve(
    problem: Problem, *, seed: int = 1, rounds: int = 20_000, restarts: int = 2, threads: int | None = None,
    quantile: float | None = None, engine: Engine = "auto", effort: float = 0.3, bounded: bool = True,
    report: Report | None = None, plain: bool = False,
) -> Plan:  # fmt: skip
    """A plan that obeys everything, with a lower bound; what cannot be placed is named with what stands in its way.

    Parameters:
        rounds: of each restart; the result depends on problem, seed, rounds and restarts, never on time or threads.
        quantile: plan on this quantile of uncertain numbers; on the typical ones if None.
        engine: "search" (ruin and recreate), "project" (activity lists), "exact" (CP-SAT); "auto" takes the one that
            suits: projects of least lags go to "project", lags that lead backwards, used-up resources and other
            makespans to "exact".
        effort: of "exact", in the deterministic time of CP-SAT (0.3 is about 20 CPU-seconds of its 8 workers).
        report: called now and then; returning False ends the search with the best so far.
        plain: run the kernels as plain Python, slowly, with the same result.

    Raises ScheduleError for a problem that is wrong, or that the engine does not cover.
    """
    checked(problem)
    if quantile is not None and not 0 <= quantile <= 1:
        raise ScheduleError(_("A quantile lies between 0 and 1, not at {quantile}.").format(quantile=quantile))
    if rounds < 0 or restarts < 1 or (threads is not None and threads < 1):
        raise ScheduleError(_("Rounds are 0 or more, restarts and threads 1 or more."))
    found = chosen_engine(problem) if engine == "auto" else engine
    at_once = threads or os.cpu_count() or 1
    if found == "project":
        project = ProjectSearch(
            problem, seed=seed, restarts=restarts, quantile=quantile, kernels=_kernels("projects", plain)
        )
        return project.plan(rounds=project.run(rounds, at_once, report), quantile=quantile)
    if found == "exact":
        return _exact(problem, seed=seed, rounds=rounds, quantile=quantile, effort=effort)
    arrays = laid(problem, quantile)
    search = Search(arrays, seed=seed, restarts=restarts, kernels=_kernels("kernels", plain))
    plan = valued(problem, search.plan(rounds=search.run(rounds, at_once, report), quantile=quantile))
    if bounded and problem.objective == "weighted_time":
        from cellwright.schedule.bound import lower_bound

        bound = lower_bound(arrays)
        plan = msgspec.structs.replace(plan, bound=bound, proved=bound == plan.value and not plan.unplaced)
    return plan


def chosen_engine(problem: Problem) -> Engine:
    """The engine that suits a problem."""
    if is_project(problem):
        return "project"
    return "exact" if problem.objective == "makespan" or unsuited(problem) else "search"


def valued(problem: Problem, plan: Plan) -> Plan:
    """The plan with its makespan as its value, where that is what counts."""
    if problem.objective != "makespan":
        return plan
    return msgspec.structs.replace(
        plan, value=max((end_of(problem, one, plan.quantile) for one in plan.jobs), default=0)
    )


def end_of(problem: Problem, plan: JobPlan, quantile: float | None = None) -> int:
    """The end of a planned job."""
    job = next(job for job in problem.jobs if job.name == plan.job)
    route = problem.by_name()[1][job.modes[plan.mode].route]
    ways = plan.ways or (0,) * len(plan.starts)
    lengths = (at(task.all_ways()[way].duration, quantile) for task, way in zip(route.tasks, ways, strict=True))
    return max(start + length for start, length in zip(plan.starts, lengths, strict=True))


def _exact(problem: Problem, *, seed: int, rounds: int, quantile: float | None, effort: float) -> Plan:
    """CP-SAT, begun from a plan of the search where that covers the problem."""
    from cellwright.schedule.exact import solve_exact

    first = None
    if not unsuited(problem):
        search = Search(laid(problem, quantile), seed=seed, restarts=1)
        search.run(min(rounds, 2000), 1, None)
        first = valued(problem, search.plan(quantile=quantile))
        first = None if first.unplaced else first
    return solve_exact(problem, effort=effort, seed=seed, quantile=quantile, start_from=first)


def repair(
    problem: Problem, plan: Plan, *, now: int, seed: int = 1, rounds: int = 0, move_price: int = 1,
    frozen: int = 0, slushy: int | None = None, report: Report | None = None,
) -> tuple[Problem, Plan]:  # fmt: skip
    """A plan after a change (units lost, jobs added or gone): what has begun stays, what can stay does, the rest is moved.

    Parameters:
        problem: as it is now, with the change in it.
        plan: as it was.
        now: tasks that began before are fixed; nothing new begins before.
        frozen: so many steps from now on what was promised stays too.
        slushy: so many steps from now on a step of a move costs `move_price`; everywhere if None.
        rounds: of improvement after the repair; each move is then weighed against its price.

    Returns the problem with what is fixed and promised in it, and its plan.
    """
    far = problem.horizon or 1 << 40
    changed = committed(
        msgspec.structs.replace(
            problem, now=now, frozen_until=now + frozen, slushy_until=far if slushy is None else now + slushy,
            move_price=move_price,
        ),
        plan,
    )  # fmt: skip
    search = Search(laid(checked(changed), plan.quantile), seed=seed, restarts=1, old=plan)
    done = search.run(rounds, 1, report)
    return changed, valued(changed, search.plan(rounds=done, quantile=plan.quantile))


def committed(problem: Problem, plan: Plan) -> Problem:
    """The problem in which what a plan began before now is fixed and the rest of it is promised."""
    known = {one.job: one for one in plan.jobs}
    names = {route.name: tuple(task.name for task in route.tasks) for route in problem.routes}
    now, jobs = problem.now, []
    for job in problem.jobs:
        one = known.get(job.name)
        if one is not None:
            mode = job.modes[one.mode]
            pairs = list(zip(names[mode.route], one.starts, strict=True))
            begun = {name: start for name, start in pairs if start < now}
            modes = (mode,) if begun else job.modes
            promised = dict(pairs) if begun or one.mode == 0 else {}
            job = msgspec.structs.replace(job, modes=modes, begun=begun, promised=promised)
        jobs.append(job)
    return msgspec.structs.replace(problem, jobs=tuple(jobs))


def _kernels(name: str, plain: bool) -> Any:
    from importlib import import_module

    from cellwright.compiling import plain as plain_module

    full = f"cellwright.schedule.{name}"
    return plain_module(full) if plain else import_module(full)
