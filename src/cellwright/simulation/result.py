"""What a run showed: figures of resources, processes, measures and counters, read from the interpreter's arrays."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellwright.simulation import layout as at
from cellwright.simulation.draw import ModelError
from cellwright.simulation.model import unknown

if TYPE_CHECKING:
    from cellwright.simulation.program import Compiled


class ResourceFigures(NamedTuple):
    """A resource between the end of the warm-up and the end of the run; times in the unit of the model."""

    utilisation: float
    """Units in use over units there, 0 to 1; repairs count as use."""
    used: float
    """Units in use, on average over time."""
    capacity: float
    queue: float
    """Processes that wait, on average over time."""
    longest_queue: int
    served: int
    """How often units were given out."""
    late: int
    """To whom not at once."""
    wait: float
    """Mean wait of everybody who was served, those who did not wait included."""
    wait_of_late: float
    longest_wait: float
    gave_up: int
    interrupted: int
    full: float
    """Share of the time in which nothing was free."""
    blocked: float
    """Units held by somebody who waits for something else, over units there."""
    down: float
    """Units under repair, over units there."""
    starved: float
    """Units neither in use nor under repair, over units there."""


class Summary(NamedTuple):
    """Number, mean, standard deviation, least and greatest of a measured time."""

    number: int
    mean: float
    sd: float
    least: float
    greatest: float


class Result:
    """One run."""

    def __init__(self, made: "Compiled", state: Any, now: float, ended: int, options: "Options") -> None:
        self.made = made
        self.state = state
        self.now = now
        self.ended = ended
        self.options = options

    @property
    def events(self) -> int:
        """Arrivals and ends of delays."""
        return int(self.state.m[at.EVENTS])

    @property
    def stopped(self) -> bool:
        """Whether the run met its limit of steps before its horizon; its figures are then of a part only."""
        return self.ended == at.STOPPED

    @property
    def span(self) -> float:
        """Time over which the figures are taken."""
        return self.now - self.options.warm_up

    def resource(self, name: str) -> ResourceFigures:
        """The figures of a resource."""
        r = _row(name, self.made.names.resources)
        area = self.state.area[r] - self.state.base[r]
        row, span = self.state.resource[r], self.span
        served, late, there = int(area[at.WAITS]), int(area[at.LATE]), area[at.AREA_CAPACITY]
        down = area[at.AREA_DOWN]
        used = area[at.AREA_USED]
        return ResourceFigures(
            utilisation=_over(used, there), used=_over(used, span), capacity=_over(there, span),
            queue=_over(area[at.AREA_QUEUED], span), longest_queue=int(row[at.MOST_QUEUED]), served=served, late=late,
            wait=_over(area[at.WAIT_SUM], served), wait_of_late=_over(area[at.WAIT_SUM], late),
            longest_wait=float(self.state.area[r, at.WAIT_MOST]), gave_up=int(row[at.RENEGED]),
            interrupted=int(row[at.PREEMPTED]), full=_over(area[at.AREA_FULL], span),
            blocked=_over(area[at.AREA_BLOCKED], there), down=_over(down, there), starved=1.0 - _over(used, there) if there > 0 else 0.0,
        )  # fmt: skip

    def process(self, name: str) -> Summary:
        """How many processes ended, and how long each took from its arrival."""
        return _summary(self.state.finished[_row(name, self.made.names.processes)])

    def measure(self, name: str) -> Summary:
        """What a `measure` step recorded."""
        return _summary(self.state.tally[_row(name, self.made.names.measures)])

    def counter(self, name: str) -> float:
        """What `count` steps added up."""
        return float(self.state.counter[_row(name, self.made.names.counters)])

    def samples(self, name: str) -> Any:
        """Every value of a measure as recorded: float64 [n, 2] of time and value. Needs `samples` on the run."""
        n = self.state.m[at.SAMPLED]
        chosen = self.state.sample_what[:n, 0] == _row(name, self.made.names.measures)
        return self.state.sample_value[:n][chosen]

    def sampled(self, name: str) -> Any:
        """Whose values `samples` gives: int64 identities, in the same order."""
        n = self.state.m[at.SAMPLED]
        chosen = self.state.sample_what[:n, 0] == _row(name, self.made.names.measures)
        return self.state.sample_what[:n, 1][chosen]

    def series(self, name: str) -> Any:
        """A resource over time: float64 [n, 3] of end of the interval, mean units in use, mean queue. Needs `every`."""
        r, n = _row(name, self.made.names.resources), int(self.state.m[at.OBSERVED])
        every = self.options.every
        areas = np.vstack([np.zeros((1, at.AREA_WIDTH)), self.state.series[:n, r]])
        mean = np.diff(areas, axis=0)[:, [at.AREA_USED, at.AREA_QUEUED]] / every
        return np.column_stack([every * np.arange(1, n + 1), mean])

    def trace(self) -> Any:
        """The trace as a structured array: time, identity, instruction, kind, resource. Needs `trace` on the run."""
        n = int(self.state.m[at.TRACED])
        rows = np.zeros(
            n, [("time", "f8"), ("identity", "i8"), ("instruction", "i8"), ("kind", "i8"), ("resource", "i8")]
        )
        rows["time"] = self.state.trace_when[:n]
        for column, name in enumerate(("identity", "instruction", "kind", "resource")):
            rows[name] = self.state.trace_what[:n, column]
        return rows

    @property
    def lost(self) -> tuple[int, int]:
        """Lines of the trace, and samples, for which no room was left."""
        return int(self.state.m[at.LOST_TRACE]), int(self.state.m[at.LOST_SAMPLE])


class Options(NamedTuple):
    """How a model is run."""

    until: float
    seed: int = 1
    warm_up: float = 0.0
    every: float = 0.0
    """Length of an interval of the series; 0 for none."""
    trace: int = 0
    """Room for so many lines of trace."""
    samples: int = 0
    """Room for so many single values of measures."""
    most: int = 10**9
    """Steps after which a run stops, whatever its horizon."""
    plain: bool = False
    """As plain Python, uncompiled."""


def _row(name: str, rows: Any) -> int:
    if name not in rows:
        raise ModelError(unknown(name, rows))
    return int(rows[name])


def _over(a: float, b: float) -> float:
    return float(a / b) if b > 0 else 0.0


def _summary(row: Any) -> Summary:
    n = int(row[0])
    if n == 0:
        return Summary(0, math.nan, math.nan, math.nan, math.nan)
    mean = row[1] / n
    spread = max(0.0, row[2] - n * mean * mean)
    sd = math.sqrt(spread / (n - 1)) if n > 1 else 0.0
    return Summary(n, float(mean), sd, float(row[3]), float(row[4]))
