"""One verb: the plan of a problem."""

import os

from cellwright.schedule.plan import Plan
from cellwright.schedule.problem import Problem
from cellwright.schedule.search import Report, Search
from cellwright.schedule.tables import laid
from cellwright.schedule.validate import checked


def solve(
    problem: Problem, *, seed: int = 1, rounds: int = 20_000, restarts: int = 2, threads: int | None = None,
    quantile: float | None = None, report: Report | None = None, plain: bool = False,
) -> Plan:  # fmt: skip
    """A plan that obeys everything; what cannot be placed is named in it with what stands in its way."""
    kernels = _kernels(plain)
    search = Search(laid(checked(problem), quantile), seed=seed, restarts=restarts, kernels=kernels)
    done = search.run(rounds, threads or os.cpu_count() or 1, report)
    return search.plan(rounds=done, quantile=quantile)


def _kernels(plain: bool) -> object:
    if plain:
        from cellwright.compiling import plain as plain_module

        return plain_module("cellwright.schedule.kernels")
    from cellwright.schedule import kernels

    return kernels
