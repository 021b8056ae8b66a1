"""Who and which: units to uses by interval colouring, people to uses with as few hand-overs as matching finds."""

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from cellwright.schedule.check import Use, uses_of
from cellwright.schedule.plan import Plan
from cellwright.schedule.problem import Person, Problem, Resource, split


class Assigned(NamedTuple):
    """A unit or a person at work; cleaning, if any, reaches from `end` to `behind`."""

    resource: str
    unit: str
    where: str
    begin: int
    end: int
    behind: int


def assign(problem: Problem, plan: Plan) -> list[Assigned]:
    """Units and people for every use of a plan. Pools never run out: an interval graph has as many colours as it overlaps."""
    uses = uses_of(problem, plan)
    found: list[Assigned] = []
    for resource in problem.resources:
        own = [use for use in uses if split(use.need)[0] == resource.name and use.behind > use.begin]
        if resource.people:
            found.extend(_people(resource, own))
        elif not resource.consumed:
            found.extend(_units(resource, own))
    return found


def _units(resource: Resource, uses: Iterable[Use]) -> Iterable[Assigned]:
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    fresh = 0
    for use in sorted(uses, key=lambda u: (u.begin, u.behind, u.where)):
        while busy and busy[0][0] <= use.begin:
            heapq.heappush(free, heapq.heappop(busy)[1])
        for _count in range(use.units):
            if use.unit >= 0:
                unit = use.unit
            elif free:
                unit = heapq.heappop(free)
            else:
                unit, fresh = fresh, fresh + 1
            if use.unit < 0:
                heapq.heappush(busy, (use.behind, unit))
            name = resource.units[unit] if unit < len(resource.units) else f"{resource.name} {unit + 1}"
            yield Assigned(resource.name, name, use.where, use.begin, use.end, use.behind)


class _Slot(NamedTuple):
    use: Use
    number: int


def _people(resource: Resource, uses: list[Use]) -> Iterable[Assigned]:
    """Sweep over time; whoever works goes on, and who is needed is found by augmenting paths (Kuhn 1955)."""
    last = max((use.behind for use in uses), default=0)
    times = {t for use in uses for t in (use.begin, use.behind)}
    for person in resource.people:
        for turn in range(last // person.period + 1 if person.period else 1):
            times.update(turn * person.period + t for t, _on in person.calendar)
    since: dict[_Slot, tuple[int, int]] = {}
    holder: dict[int, _Slot] = {}
    active: list[_Slot] = []
    begins = sorted(uses, key=lambda u: (u.begin, u.where))
    at = 0
    for t in sorted(times):
        there = {n for n, person in enumerate(resource.people) if _there(person, t)}
        while at < len(begins) and begins[at].begin <= t:
            active.extend(_Slot(begins[at], number) for number in range(begins[at].units))
            at += 1
        ended = [slot for slot in active if slot.use.behind <= t]
        active = [slot for slot in active if slot.use.behind > t]
        before = {slot: who for who, slot in holder.items()}
        holder = {who: slot for who, slot in holder.items() if who in there and slot.use.behind > t}
        for slot in active:
            if slot not in holder.values():
                _find(resource, slot, there, holder, set())
        now = {slot: who for who, slot in holder.items()}
        for slot in [*ended, *active]:
            who = before.get(slot)
            if who is not None and now.get(slot) != who:
                yield _worked(resource, slot, since.pop(slot), t)
        for slot, who in now.items():
            since.setdefault(slot, (who, t))


def _worked(resource: Resource, slot: _Slot, since: tuple[int, int], until: int) -> Assigned:
    who, begin = since
    end = max(begin, min(until, slot.use.end))
    return Assigned(resource.name, resource.people[who].name, slot.use.where, begin, end, until)


def _find(resource: Resource, slot: _Slot, there: set[int], holder: dict[int, _Slot], seen: set[int]) -> bool:
    skill = split(slot.use.need)[1]
    able = [n for n in there if (not skill or skill in resource.people[n].skills) and n not in seen]
    for who in sorted(able, key=lambda n: (n in holder, len(resource.people[n].skills), n)):
        seen.add(who)
        other = holder.get(who)
        if other is None or _find(resource, other, there, holder, seen):
            holder[who] = slot
            return True
    return False


def _there(person: Person, t: int) -> bool:
    if not person.calendar:
        return True
    moment = t % person.period if person.period else t
    return bool([on for begin, on in person.calendar if begin <= moment][-1])
