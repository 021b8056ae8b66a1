"""A plan: when every job's tasks start, and what could not be placed. It proposes; nothing acts on it."""

from typing import Literal

import msgspec


class JobPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The starts of a job's tasks in the order of its route, and in which way each is done."""

    job: str
    mode: int = 0
    starts: tuple[int, ...]
    ways: tuple[int, ...] = ()
    """Empty where every task is done in its first way."""
    units: tuple[dict[str, int], ...] = ()
    """For each task the units that it takes, where they matter one by one; empty where none do."""


class Unplaced(msgspec.Struct, frozen=True, kw_only=True):
    """A job that could not be placed, what stands in its way, and in which window it had to fit."""

    job: str
    resource: str
    reason: Literal["resource", "window", "lags", "fixed"]
    begin: int
    end: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when; how good; how it was found. The same problem, seed and rounds give the same plan.

    `value` is the objective over the placed jobs; `bound` is a proved lower bound of it (None where none is known, or
    where jobs are missing); `proved` says that no plan is better.
    """

    problem: str
    jobs: tuple[JobPlan, ...]
    unplaced: tuple[Unplaced, ...] = ()
    value: int = 0
    bound: int | None = None
    proved: bool = False
    infeasible: bool = False
    """Proved: no plan exists within the horizon."""
    engine: str = ""
    seed: int = 0
    rounds: int = 0
    restarts: int = 1
    quantile: float | None = None

    @property
    def gap(self) -> float | None:
        """How far the value may lie above the best possible, as a share of the bound."""
        if self.bound is None or self.unplaced or self.infeasible:
            return None
        return 0.0 if self.value == self.bound else (self.value - self.bound) / max(1, self.bound)
