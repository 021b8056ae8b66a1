"""A scheduling problem as data: resources, routes of tasks, jobs that follow them. The file form is the same data.

Times are whole steps of `unit` from a common zero. A job follows one route of its modes as a whole: its tasks keep their
lags and holds, and share resources with the tasks of all other jobs.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal

import msgspec

OBJECTIVES: Final = ("weighted_time", "makespan")


class ScheduleError(ValueError):
    """A problem or a plan that cannot be worked with; one line for each fault, naming its place."""

    def __init__(self, faults: str | list[str]) -> None:
        self.faults = [faults] if isinstance(faults, str) else faults
        super().__init__("\n".join(self.faults))


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the structs of a problem have in common."""


class Range(Data, frozen=True):
    """A whole number that is uncertain: triangular between low and high, most often typical."""

    low: int
    typical: int
    high: int

    def at(self, quantile: float | None) -> int:
        """The typical number, or the quantile of the triangular distribution, rounded up."""
        if quantile is None or self.low == self.high:
            return self.typical
        span, left = self.high - self.low, self.typical - self.low
        if quantile * span <= left:
            value = self.low + (quantile * span * left) ** 0.5
        else:
            value = self.high - ((1 - quantile) * span * (self.high - self.typical)) ** 0.5
        return -int(-value // 1)


class Person(Data, frozen=True):
    """Somebody of a crew: skills, and shifts as (from step, 1 or 0) that repeat every `period`."""

    name: str
    skills: tuple[str, ...] = ()
    calendar: tuple[tuple[int, int], ...] = ()
    period: int = 0


class Changeover(Data, frozen=True):
    """Steps between two uses of one unit, the first for family `before`, the second for family `after`."""

    before: str
    after: str
    steps: int


class Campaign(Data, frozen=True):
    """A time in which a resource serves one family only."""

    begin: int
    end: int
    family: str


class Closing(Data, frozen=True):
    """Units that are missing for a time: maintenance, breakdown, a holiday."""

    begin: int
    end: int
    units: int


class Resource(Data, frozen=True):
    """Units that tasks take: a pool of like ones, a crew of people, or units with changeovers that matter one by one.

    `calendar` says from which step how many units there are, repeated every `period` (0: never); without one there are
    `capacity` always.
    """

    name: str
    capacity: int = 1
    calendar: tuple[tuple[int, int], ...] = ()
    period: int = 0
    closings: tuple[Closing, ...] = ()
    units: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    changeovers: tuple[Changeover, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    consumed: bool = False
    """Units are used up, not given back (a nonrenewable resource)."""


class Way(Data, frozen=True):
    """One way to do a task: how long, with what, and what has to be cleaned for how long after it."""

    duration: int | Range
    needs: dict[str, int] = {}
    cleaning: dict[str, int] = {}


class Task(Data, frozen=True):
    """A step of a route. `needs` names resources; `crew:skill` asks for people who have the skill.

    It cannot be interrupted. `ways` are alternatives; without them the task's own duration, needs and cleaning count.
    """

    name: str
    duration: int | Range = 0
    needs: dict[str, int] = {}
    cleaning: dict[str, int] = {}
    ways: tuple[Way, ...] = ()

    def all_ways(self) -> tuple[Way, ...]:
        """The ways to do it, at least one."""
        return self.ways or (Way(duration=self.duration, needs=self.needs, cleaning=self.cleaning),)


class Lag(Data, frozen=True):
    """Least and greatest time from the end of one task to the start of another; an expiry window is a greatest lag.

    With `between` "starts" it counts from start to start. A branch (the day of harvest) is a least lag that is a range.
    """

    before: str
    after: str
    least: int | Range = 0
    most: int | None = None
    between: Literal["end-start", "starts"] = "end-start"


class Hold(Data, frozen=True):
    """Units kept from the start of one task to the end of another, and while they are cleaned."""

    resource: str
    first: str
    last: str
    units: int = 1
    cleaning: int = 0


class Route(Data, frozen=True):
    """Tasks, in an order in which each stands behind those it waits for."""

    name: str
    tasks: tuple[Task, ...]
    lags: tuple[Lag, ...] = ()
    holds: tuple[Hold, ...] = ()


class Mode(Data, frozen=True):
    """A route that a job may follow: at this price, begun at most so many steps after the release (fresh material)."""

    route: str
    price: int = 0
    start_within: int | None = None


class Job(Data, frozen=True):
    """A patient, a batch, a project. `begun` fixes starts of tasks that have started; `promised` is the start that was told.

    `family` is what changeovers and campaigns distinguish.
    """

    name: str
    modes: tuple[Mode, ...]
    release: int = 0
    due: int | None = None
    deadline: int | None = None
    weight: int = 1
    late_weight: int = 0
    family: str = ""
    begun: dict[str, int] = {}
    promised: dict[str, int] = {}


class Problem(Data, frozen=True):
    """Everything that a plan must obey, and what it is judged by.

    `weighted_time` sums weight x (end - release) + late_weight x lateness + mode's price + price of moves; `makespan` is
    the last end. `now` is the present; the frozen zone reaches to `frozen_until`: what was promised there is kept; in the
    slushy zone, to `slushy_until`, each step of a move away from what was promised costs `move_price`.
    """

    name: str
    unit: str = "step"
    horizon: int = 0
    objective: Literal["weighted_time", "makespan"] = "weighted_time"
    resources: tuple[Resource, ...] = ()
    routes: tuple[Route, ...] = ()
    jobs: tuple[Job, ...] = ()
    now: int = 0
    frozen_until: int = 0
    slushy_until: int = 0
    move_price: int = 0
    simulated: bool = False

    @property
    def sha256(self) -> str:
        """The hash of the canonical JSON of this data; plans are kept by it, the seed and the number of rounds."""
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    def by_name(self) -> tuple[Mapping[str, Resource], Mapping[str, Route]]:
        """Resources and routes by their names."""
        return {r.name: r for r in self.resources}, {r.name: r for r in self.routes}


def at(value: int | Range, quantile: float | None = None) -> int:
    """A number as planned: itself, or a range's typical number or quantile."""
    return value if isinstance(value, int) else value.at(quantile)


def split(need: str) -> tuple[str, str]:
    """A need as (resource, skill); the skill is empty where none is asked."""
    resource, _, skill = need.partition(":")
    return resource, skill
