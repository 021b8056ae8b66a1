"""Simulated plants of any size, to measure and to try: a CAR-T line at a stated load.

The process is the one of the shared planning instances (16 tasks in steps of 30 min, a bioreactor held from activation to
the end of harvest). All of it is simulated.
"""

import random
from typing import Final

from cellwright.schedule.problem import Hold, Job, Lag, Mode, Problem, Resource, Route, Task

DAY: Final = 48
"""Steps of half an hour."""
ARRIVAL_DAYS: Final = 30
FRESH_WITHIN: Final = 2 * DAY

TASKS: Final[tuple[Task, ...]] = (
    Task(name="receipt", duration=2, needs={"operator": 1}),
    Task(name="select", duration=10, needs={"suite": 1, "operator": 2}),
    Task(name="activate", duration=3, needs={"suite": 1, "operator": 1}, cleaning={"suite": 2}),
    Task(name="transduce", duration=4, needs={"suite": 1, "operator": 1}, cleaning={"suite": 2}),
    Task(name="feed", duration=2, needs={"operator": 1}),
    Task(name="sample", duration=1, needs={"operator": 1}),
    Task(name="in-process flow", duration=3, needs={"cytometer": 1}),
    Task(name="harvest", duration=8, needs={"suite": 1, "operator": 2}),
    Task(name="fill", duration=4, needs={"suite": 1, "operator": 2}, cleaning={"suite": 2}),
    Task(name="freeze", duration=4, needs={"freezer": 1, "operator": 1}, cleaning={"freezer": 1}),
    Task(name="copy number", duration=6, needs={"qPCR": 1}),
    Task(name="flow", duration=3, needs={"cytometer": 1}),
    Task(name="endotoxin", duration=2, needs={"endotoxin reader": 1}),
    Task(name="sterility", duration=240, needs={"sterility incubator": 1}),
    Task(name="potency", duration=48, needs={"potency bench": 1}),
    Task(name="release", duration=6, needs={"QA": 1}),
)
LAGS: Final[tuple[Lag, ...]] = (
    Lag(before="receipt", after="select", most=8),
    Lag(before="select", after="activate", most=4),
    Lag(before="activate", after="transduce", least=40, most=60),
    Lag(before="transduce", after="feed", least=96, most=144),
    Lag(before="feed", after="sample", most=48),
    Lag(before="sample", after="in-process flow", most=8),
    Lag(before="in-process flow", after="harvest"),
    Lag(before="feed", after="harvest", least=144, most=240),
    Lag(before="harvest", after="fill", most=2),
    Lag(before="fill", after="freeze", most=1),
    Lag(before="fill", after="copy number", most=96),
    Lag(before="fill", after="flow", most=48),
    Lag(before="fill", after="endotoxin", most=96),
    Lag(before="fill", after="sterility", most=48),
    Lag(before="fill", after="potency", most=48),
    *(Lag(before=t, after="release") for t in ("freeze", "copy number", "flow", "endotoxin", "sterility", "potency")),
)
HOLD: Final = Hold(resource="bioreactor", first="activate", last="harvest")
HELD: Final = 325
"""Steps that a bioreactor is typically held."""


def plant(patients: int, *, seed: int = 1, load: float = 0.9, fresh: float = 0.4) -> Problem:
    """A simulated plant for so many patients who arrive in 30 days, with bioreactors for the stated load.

    `fresh` is the share of patients whose material must be taken in hand within 48 h; weights are 1, 3 and 10.
    """
    chance = random.Random(seed)
    span = ARRIVAL_DAYS * DAY
    days = span + 2 * HELD
    work: dict[str, float] = {}
    for task in TASKS:
        for need, units in task.needs.items():
            work[need] = work.get(need, 0) + units * (at_most(task) + task.cleaning.get(need, 0)) * patients
    resources = [Resource(name="bioreactor", capacity=max(1, round(patients * HELD / (span * load))))]
    for name, total in work.items():
        units = max(2, round(total / (days * 0.5)) + 1)
        if name == "QA":
            shifts = ((0, 0), (16, max(2, 3 * units)), (36, 0))
            resources.append(Resource(name=name, capacity=3 * units, calendar=shifts, period=DAY))
        elif name == "operator":
            shifts = ((0, max(2, units // 2)), (14, 2 * units), (40, max(2, units // 2)))
            resources.append(Resource(name=name, capacity=2 * units, calendar=shifts, period=DAY))
        else:
            resources.append(Resource(name=name, capacity=units))
    jobs = []
    for number in range(patients):
        release = chance.randrange(span)
        within = FRESH_WITHIN if chance.random() < fresh else 7 * DAY
        weight = chance.choices((1, 3, 10), (6, 3, 1))[0]
        mode = Mode(route="car-t", start_within=within)
        jobs.append(Job(name=f"P{number + 1:05d}", modes=(mode,), release=release, weight=weight))
    return Problem(
        name=f"simulated plant, {patients} patients",
        unit="30 min",
        horizon=span + 60 * DAY,
        resources=tuple(resources),
        routes=(Route(name="car-t", tasks=TASKS, lags=LAGS, holds=(HOLD,)),),
        jobs=tuple(jobs),
        simulated=True,
    )


def at_most(task: Task) -> int:
    """The duration of a task whose duration is certain."""
    assert isinstance(task.duration, int)
    return task.duration
