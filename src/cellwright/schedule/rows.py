"""What resources become for the compiled core: rows of units over time.

A pool is one row. A crew is one row for all and one for every set of skills that is asked for: by Hall's theorem (1935)
people can be found for a step exactly when no set of skills is asked more people than have one of them. A unit with
changeovers is a row for each family: a use of one family closes the rows of the others for as long as changing takes.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, Final

import numpy as np

from cellwright.language import _
from cellwright.schedule.problem import Closing, Problem, Resource, ScheduleError, Way, split

MOST_SKILLS: Final = 6
"""Skills of one crew that tasks may ask for; there are 2 to this power rows."""

Profile = np.ndarray[Any, np.dtype[np.int64]]
Demand = tuple[int, int, int, int, int]


def profile(capacity: int, calendar: Iterable[tuple[int, int]], period: int, horizon: int) -> Profile:
    """Units in every step of [0, horizon)."""
    steps = list(calendar)
    if not steps:
        return np.full(horizon, capacity, np.int64)
    span = period or horizon
    one = np.zeros(span, np.int64)
    for begin, units in steps:
        one[begin:] = units
    return np.resize(one, horizon) if period else one


def closed(line: Profile, closings: Iterable[Closing]) -> Profile:
    """The profile without the units that are missing."""
    for closing in closings:
        line[closing.begin : closing.end] -= closing.units
    return np.maximum(line, 0)


class Rows:
    """The rows of a problem, made as they are asked for."""

    def __init__(self, problem: Problem, horizon: int) -> None:
        self.horizon = horizon
        self.resources: Mapping[str, Resource] = {r.name: r for r in problem.resources}
        self.lines: list[Profile] = []
        self.labels: list[str] = []
        self._known: dict[tuple[str, ...], int] = {}
        self._families = sorted({j.family for j in problem.jobs})
        self._skills = _skills_asked(problem)
        for resource in problem.resources:
            if not resource.changeovers:
                self._row((resource.name,), resource.name, self._line(resource))

    def _row(self, key: tuple[str, ...], label: str, line: Profile) -> int:
        if key not in self._known:
            self._known[key] = len(self.lines)
            self.lines.append(line)
            self.labels.append(label)
        return self._known[key]

    def _line(self, resource: Resource) -> Profile:
        if resource.people:
            return self._people(resource, ())
        return closed(profile(resource.capacity, resource.calendar, resource.period, self.horizon), resource.closings)

    def _people(self, resource: Resource, skills: tuple[str, ...]) -> Profile:
        line = np.zeros(self.horizon, np.int64)
        for person in resource.people:
            if not skills or set(skills) & set(person.skills):
                line += profile(1, person.calendar, person.period, self.horizon)
        return closed(line, resource.closings)

    def matters(self, routes_need: Iterable[str]) -> bool:
        """Whether the family of a job makes a difference to what it needs."""
        found = (self.resources[split(need)[0]] for need in routes_need)
        return any(resource.changeovers or resource.campaigns for resource in found)

    def pool(self, need: str) -> int:
        """The row of a resource that is a pool or a crew."""
        return self._known[(split(need)[0],)]

    def demands(self, way: Way, family: str) -> list[tuple[list[Demand], dict[str, int]]]:
        """What a way asks of the rows: demands for each choice of the units that matter, with that choice."""
        choices: list[tuple[list[Demand], dict[str, int]]] = [([], {})]
        crews: dict[str, dict[str, tuple[int, int]]] = {}
        for need, units in way.needs.items():
            name, skill = split(need)
            resource, tail = self.resources[name], way.cleaning.get(need, 0)
            if resource.people:
                crews.setdefault(name, {})[skill] = (units, tail)
            elif resource.changeovers:
                asked = [self._unit(resource, u, family, tail) for u in range(resource.capacity)]
                choices = [
                    ([*before, *more], {**taken, name: unit})
                    for before, taken in choices
                    for unit, more in enumerate(asked)
                ]
            else:
                more = [(self.pool(name), units, 0, tail, 1)]
                if resource.campaigns:
                    more.append((self._campaign(resource, family), units, 0, tail, 1))
                choices = [([*before, *more], taken) for before, taken in choices]
        staff = [demand for name, asked_of in crews.items() for demand in self._crew(self.resources[name], asked_of)]
        return [(_merged([*choice, *staff]), taken) for choice, taken in choices]

    def _campaign(self, resource: Resource, family: str) -> int:
        line = self._line(resource)
        for campaign in resource.campaigns:
            if campaign.family != family:
                line[campaign.begin : campaign.end] = 0
        return self._row((resource.name, "campaign", family), f"{resource.name} ({family})", line)

    def _unit(self, resource: Resource, unit: int, family: str, tail: int) -> list[Demand]:
        takes = {(c.before, c.after): c.steps for c in resource.changeovers}
        own = self._unit_row(resource, unit, family)
        asked: list[Demand] = [(own, 1, 0, tail + takes.get((family, family), 0), 1)]
        for other in self._families:
            if other != family:
                lead, behind = takes.get((other, family), 0), tail + takes.get((family, other), 0)
                asked.append((self._unit_row(resource, unit, other), 1, lead, behind, 0))
        return asked

    def _unit_row(self, resource: Resource, unit: int, family: str) -> int:
        key = (resource.name, "unit", str(unit), family)
        if key in self._known:
            return self._known[key]
        line = (self._line(resource) > unit).astype(np.int64)
        for campaign in resource.campaigns:
            if campaign.family != family:
                line[campaign.begin : campaign.end] = 0
        return self._row(key, f"{resource.name}/{unit_name(resource, unit)}", line)

    def _crew(self, resource: Resource, asked: Mapping[str, tuple[int, int]]) -> list[Demand]:
        everybody = sum(units for units, _tail in asked.values())
        tail = max(behind for _units, behind in asked.values())
        made: list[Demand] = [(self.pool(resource.name), everybody, 0, tail, 1)]
        skills = self._skills[resource.name]
        if len(skills) > MOST_SKILLS:
            raise ScheduleError(
                _("resource {name!r}: tasks ask for {count} skills; at most {most} can be told apart.").format(
                    name=resource.name, count=len(skills), most=MOST_SKILLS
                )
            )
        for size in range(1, len(skills) + 1):
            for chosen in combinations(skills, size):
                units = sum(asked[skill][0] for skill in chosen if skill in asked)
                if units:
                    behind = max(asked[skill][1] for skill in chosen if skill in asked)
                    label = f"{resource.name}:{'+'.join(chosen)}"
                    row = self._row((resource.name, "skills", *chosen), label, self._people(resource, chosen))
                    made.append((row, units, 0, behind, 1))
        return made


def unit_name(resource: Resource, unit: int) -> str:
    """The name of one unit."""
    return resource.units[unit] if resource.units else str(unit + 1)


def _skills_asked(problem: Problem) -> dict[str, list[str]]:
    asked: dict[str, set[str]] = {r.name: set() for r in problem.resources}
    for route in problem.routes:
        needs = [need for task in route.tasks for way in task.all_ways() for need in way.needs]
        for need in [*needs, *(hold.resource for hold in route.holds)]:
            name, skill = split(need)
            if skill:
                asked[name].add(skill)
    return {name: sorted(skills) for name, skills in asked.items()}


def _merged(demands: list[Demand]) -> list[Demand]:
    """Demands on one row become one: their units together, for the longest of their times."""
    found: dict[tuple[int, int], Demand] = {}
    for row, units, lead, tail, checked in demands:
        before = found.get((row, checked), (row, 0, 0, 0, checked))
        found[row, checked] = (row, before[1] + units, max(before[2], lead), max(before[3], tail), checked)
    return list(found.values())
