"""A problem being written in Python; it becomes the same data that a file holds."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from cellwright.schedule.plan import Plan
from cellwright.schedule.problem import Hold, Job, Lag, Mode, Problem, Range, Resource, Route, Task, Way


class RouteDraft:
    """A route being written; every method returns the route, so that tasks can be chained."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tasks: list[Task] = []
        self._lags: list[Lag] = []
        self._holds: list[Hold] = []

    def task(
        self, name: str, duration: int | Range = 0, *, after: str | Sequence[str] | None = None, least: int | Range = 0,
        most: int | None = None, needs: Mapping[str, int] | None = None, cleaning: Mapping[str, int] | None = None,
        ways: Sequence[Way] = (), **units: int,
    ) -> Self:  # fmt: skip
        """Add a task behind the last one, or behind those named in `after` (() for none), with the lag least to most.

        Resources are given in `needs`, or as keywords where their names are plain words.
        """
        before = [self._tasks[-1].name] if after is None and self._tasks else after or ()
        self._tasks.append(
            Task(
                name=name,
                duration=duration,
                needs={**(needs or {}), **units},
                cleaning=dict(cleaning or {}),
                ways=tuple(ways),
            )
        )
        for one in [before] if isinstance(before, str) else before:
            self.lag(one, name, least=least, most=most)
        return self

    def lag(self, before: str, after: str, *, least: int | Range = 0, most: int | None = None) -> Self:
        """Let a task begin so long after the end of another."""
        self._lags.append(Lag(before=before, after=after, least=least, most=most))
        return self

    def hold(self, resource: str, first: str, last: str, *, units: int = 1, cleaning: int = 0) -> Self:
        """Keep units from the start of one task to the end of another."""
        self._holds.append(Hold(resource=resource, first=first, last=last, units=units, cleaning=cleaning))
        return self

    def data(self) -> Route:
        """The route as data."""
        return Route(name=self.name, tasks=tuple(self._tasks), lags=tuple(self._lags), holds=tuple(self._holds))


class Model:
    """A problem being written."""

    def __init__(self, name: str, unit: str = "h", **facts: Any) -> None:
        self.name, self.unit, self._facts = name, unit, facts
        self._resources: list[Resource] = []
        self._routes: list[RouteDraft] = []
        self._jobs: list[Job] = []

    def resource(self, name: str, capacity: int = 1, **facts: Any) -> Resource:
        """A resource; `facts` are those of `Resource`: calendar, period, closings, people, changeovers, campaigns."""
        made = Resource(name=name, capacity=capacity, **facts)
        self._resources.append(made)
        return made

    def route(self, name: str) -> RouteDraft:
        """A route to add tasks to."""
        made = RouteDraft(name)
        self._routes.append(made)
        return made

    def job(self, name: str, route: str | Sequence[Mode], **facts: Any) -> Job:
        """A job that follows a route, or one of several modes; `facts` are those of `Job`: release, due, weight, …"""
        modes = (Mode(route=route),) if isinstance(route, str) else tuple(route)
        made = Job(name=name, modes=modes, **facts)
        self._jobs.append(made)
        return made

    def jobs(self, route: str, count: int, *, every: int = 0, **facts: Any) -> None:
        """So many jobs alike, released one `every` so many steps."""
        for number in range(count):
            self.job(f"{route} {len(self._jobs) + 1}", route, release=number * every, **facts)

    def data(self, objective: Literal["weighted_time", "makespan"] = "weighted_time") -> Problem:
        """The problem as data."""
        return Problem(
            name=self.name, unit=self.unit, objective=objective, resources=tuple(self._resources),
            routes=tuple(route.data() for route in self._routes), jobs=tuple(self._jobs), **self._facts,
        )  # fmt: skip

    def solve(self, **options: Any) -> Plan:
        """The plan; see `cellwright.schedule.solve`."""
        from cellwright.schedule.solve import solve

        return solve(self.data(), **options)
