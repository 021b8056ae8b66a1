"""A model: resources, and processes that use them. Built in Python, read from a file, and the same data either way.

from cellwright.simulation import Model, exponential
clinic = Model("clinic")
clinic.resource("nurse", 2)
clinic.process("visit", arrivals=exponential(10)).acquire("nurse").delay(exponential(15)).release("nurse")
clinic.run(until=10_000, warm_up=1_000).resource("nurse").utilisation
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

import msgspec

from cellwright.simulation import step
from cellwright.simulation.draw import Draw, ModelError, constant

if TYPE_CHECKING:
    from cellwright.simulation.result import Result


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """Units that processes hold: rooms, people, machines; or a stock that they take from and add to."""

    name: str
    capacity: int
    calendar: tuple[tuple[float, int], ...] = ()
    """Shifts: from this time of the period on, so many units. Work begun is finished."""
    period: float = 0.0
    stock: bool = False


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """Every unit of a resource fails now and then and is repaired; time between failures runs by the clock."""

    resource: str
    between: Draw
    repair: Draw
    units: int
    interrupts: bool


class ProcessPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of process: how its instances arrive, how urgent they are, what they do."""

    name: str
    arrivals: Draw | None
    steps: tuple[step.AnyStep, ...]
    priority: int = 0
    first: int = -1
    """At most so many arrivals; -1 for no end of them."""
    rate: tuple[tuple[float, float], ...] = ()
    """Arrivals by calendar: from this time of the period on, so many times as fast; 0 for none."""
    period: float = 0.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A process that is given: one that arrives at a stated time, or that is under way when the run begins."""

    process: str
    at: float = 0.0
    label: str | None = None
    """Where it is found; its beginning if nothing is said."""
    left: float | None = None
    """What is left of the delay behind the label."""
    holds: dict[str, int] = {}
    values: dict[str, float] = {}
    priority: int | None = None


class ModelData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a model says, as data: equal models have equal hashes."""

    name: str
    unit: str
    resources: tuple[Resource, ...]
    processes: tuple[ProcessPlan, ...]
    breakdowns: tuple[Breakdown, ...] = ()
    found: tuple[Found, ...] = ()

    def found_sorted(self) -> list[Found]:
        """The given processes in the order in which they appear."""
        return sorted(self.found, key=lambda f: f.at)

    @property
    def sha256(self) -> str:
        """The hash of the canonical JSON of this data; results are kept by it and by their seed."""
        same = msgspec.json.decode(msgspec.json.encode(self), type=ModelData)  # a builder's 5 and a file's 5.0 are one
        return sha256(msgspec.json.encode(same, order="deterministic")).hexdigest()


def as_draw(value: Draw | float) -> Draw:
    """A number is a constant."""
    return value if isinstance(value, Draw) else constant(float(value))


def _units(resource: str | Mapping[str, int], units: int) -> dict[str, int]:
    return {resource: units} if isinstance(resource, str) else dict(resource)


class Process:
    """A process being written; every method adds a step and returns the process, so that steps can be chained."""

    def __init__(
        self, name: str, arrivals: Draw | None, priority: int, first: int, rate: Sequence[tuple[float, float]],
        period: float,
    ) -> None:  # fmt: skip
        self.name = name
        self.arrivals = arrivals
        self.priority_at_first = priority
        self.first = first
        self.rate = tuple((float(at), float(factor)) for at, factor in rate)
        self.period = float(period)
        self.steps: list[step.AnyStep] = []

    def add_step(self, one: step.AnyStep) -> Self:
        """Add a step that exists already."""
        self.steps.append(one)
        return self

    def label(self, name: str) -> Self:
        """Name this place."""
        return self.add_step(step.Label(name=name))

    def delay(self, draw: Draw | float, *, interruptible: str | None = None) -> Self:
        """Let time pass."""
        return self.add_step(step.Delay(draw=as_draw(draw), interruptible=interruptible))

    def acquire(
        self, resource: str | Mapping[str, int], units: int = 1, *, preempt: bool = False,
        patience: Draw | float | None = None, deadline: str | None = None, otherwise: str | None = None,
    ) -> Self:  # fmt: skip
        """Wait for units of one resource, or of several at once ({name: units})."""
        willing = None if patience is None else as_draw(patience)
        return self.add_step(
            step.Acquire(
                units=_units(resource, units), preempt=preempt, patience=willing, deadline=deadline, otherwise=otherwise
            )
        )

    def release(
        self, resource: str | Mapping[str, int], units: int = 1, *, cleaning: Draw | float | None = None
    ) -> Self:
        """Give units back, to be free after cleaning."""
        tail = None if cleaning is None else as_draw(cleaning)
        return self.add_step(step.Release(units=_units(resource, units), cleaning=tail))

    def use(
        self,
        resource: str | Mapping[str, int],
        draw: Draw | float,
        units: int = 1,
        *,
        cleaning: Draw | float | None = None,
    ) -> Self:
        """Acquire, let time pass, release."""
        return self.acquire(resource, units).delay(draw).release(resource, units, cleaning=cleaning)

    def take(
        self, stock: str, units: int = 1, *, patience: Draw | float | None = None, deadline: str | None = None,
        otherwise: str | None = None,
    ) -> Self:  # fmt: skip
        """Wait for units of a stock and use them up."""
        willing = None if patience is None else as_draw(patience)
        return self.add_step(
            step.Take(stock=stock, units=units, patience=willing, deadline=deadline, otherwise=otherwise)
        )

    def put(self, stock: str, units: int = 1) -> Self:
        """Add units to a stock."""
        return self.add_step(step.Put(stock=stock, units=units))

    def branch(self, probability: float, to: str) -> Self:
        """With this probability go on at the label."""
        return self.add_step(step.Branch(probability=probability, to=to))

    def jump(self, to: str) -> Self:
        """Go on at the label."""
        return self.add_step(step.Jump(to=to))

    def test(self, attribute: str, comparison: str, value: float | str, to: str) -> Self:
        """Go on at the label if the attribute compares so (<, <=, ==, !=, >=, >)."""
        return self.add_step(step.Test(attribute=attribute, is_=comparison, value=value, to=to))

    def set(self, attribute: str, draw: Draw | float) -> Self:
        """Give an attribute a value."""
        return self.add_step(step.Set(attribute=attribute, draw=as_draw(draw)))

    def add(self, attribute: str, draw: Draw | float) -> Self:
        """Add to an attribute."""
        amount = draw if isinstance(draw, Draw) else Draw("constant", (float(draw),))
        return self.add_step(step.Add(attribute=attribute, draw=amount))

    def stamp(self, attribute: str, plus: Draw | float | None = None) -> Self:
        """Give an attribute the present time, or a later one."""
        return self.add_step(step.Stamp(attribute=attribute, plus=None if plus is None else as_draw(plus)))

    def wait_until(self, attribute: str) -> Self:
        """Hold until the time that an attribute says."""
        return self.add_step(step.WaitUntil(attribute=attribute))

    def priority(self, value: int | str) -> Self:
        """Be so urgent from now on."""
        return self.add_step(step.Priority(value=value))

    def count(self, counter: str, by: float = 1.0) -> Self:
        """Add to a counter."""
        return self.add_step(step.Count(counter=counter, by=by))

    def measure(self, name: str, since: str | None = None) -> Self:
        """Record the time since the beginning or since a stamp."""
        return self.add_step(step.Measure(measure=name, since=since))

    def batch(self, name: str, size: int, within: Draw | float | None = None) -> Self:
        """Wait until so many are together."""
        return self.add_step(step.Batch(name=name, size=size, within=None if within is None else as_draw(within)))

    def unbatch(self) -> Self:
        """Let the members go on each for itself."""
        return self.add_step(step.Unbatch())

    def split(self, to: str, copies: int = 1, *, joined: bool = True) -> Self:
        """Start copies at a label."""
        return self.add_step(step.Split(to=to, copies=copies, joined=joined))

    def join(self) -> Self:
        """Wait for the joined copies."""
        return self.add_step(step.Join())

    def end(self) -> Self:
        """End here."""
        return self.add_step(step.End())

    def plan(self) -> ProcessPlan:
        """What was written, as data."""
        return ProcessPlan(
            name=self.name,
            arrivals=self.arrivals,
            steps=tuple(self.steps),
            priority=self.priority_at_first,
            first=self.first,
            rate=self.rate,
            period=self.period,
        )


class Model:
    """A model being built."""

    def __init__(self, name: str, unit: str = "h") -> None:
        self.name = name
        self.unit = unit
        self._resources: list[Resource] = []
        self._processes: list[Process] = []
        self._breakdowns: list[Breakdown] = []
        self._found: list[Found] = []

    def resource(
        self, name: str, capacity: int, *, calendar: Sequence[tuple[float, int]] = (), period: float = 0.0
    ) -> Resource:
        """A resource of so many units; with a calendar, of as many as the running shift has."""
        shifts = tuple((float(at), int(units)) for at, units in calendar)
        made = Resource(name=name, capacity=capacity, calendar=shifts, period=float(period))
        self._resources.append(made)
        return made

    def stock(self, name: str, units: int = 0) -> Resource:
        """A stock that processes take from and add to."""
        made = Resource(name=name, capacity=units, stock=True)
        self._resources.append(made)
        return made

    def process(
        self, name: str, arrivals: Draw | float | None = None, *, priority: int = 0, first: int = -1,
        rate: Sequence[tuple[float, float]] = (), period: float = 0.0,
    ) -> Process:  # fmt: skip
        """A kind of process. `arrivals` is the time between two of them; None if all are given or split off.

        With a `rate`, arrivals follow a calendar of factors: (0, 2), (12, 0) with period 24 brings twice as many in the
        first half of each day and nobody in the second.
        """
        made = Process(name, None if arrivals is None else as_draw(arrivals), priority, first, rate, period)
        self._processes.append(made)
        return made

    def breakdown(
        self,
        resource: str,
        between: Draw | float,
        repair: Draw | float,
        *,
        units: int | None = None,
        interrupts: bool = True,
    ) -> None:
        """Let every unit of a resource fail; `interrupts` if a failure stops interruptible work, else it waits for its end."""
        known = {r.name: r for r in self._resources}
        if resource not in known:
            raise ModelError(unknown(resource, known))
        count = known[resource].capacity if units is None else units
        self._breakdowns.append(
            Breakdown(
                resource=resource, between=as_draw(between), repair=as_draw(repair), units=count, interrupts=interrupts
            )
        )

    def given(self, processes: Iterable[Found]) -> None:
        """Processes that arrive at stated times, or that are under way at the beginning."""
        self._found.extend(processes)

    def data(self) -> ModelData:
        """The model as data."""
        return ModelData(
            name=self.name, unit=self.unit, resources=tuple(self._resources),
            processes=tuple(p.plan() for p in self._processes), breakdowns=tuple(self._breakdowns), found=tuple(self._found),
        )  # fmt: skip

    def run(self, until: float, **options: Any) -> "Result":
        """Run it once; see `cellwright.simulation.run`."""
        from cellwright.simulation.run import run

        return run(self.data(), until, **options)


def unknown(name: str, known: Iterable[str]) -> str:
    """The sentence for a name that nothing has."""
    from cellwright.language import _

    return _("Nothing is named {name!r}; known are {known}.").format(name=name, known=", ".join(sorted(known)) or "-")
