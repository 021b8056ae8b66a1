"""Gates applied to a sample: which events are in each population, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cellwright.cytometry import events
from cellwright.cytometry.definition import Compensated, evaluate, spillovers
from cellwright.cytometry.fault import GateError
from cellwright.cytometry.gate import GatingStrategy
from cellwright.cytometry.judge import BLOCK, Chosen, Judge
from cellwright.cytometry.plan import prepare

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import FcsFile


class Membership:
    """Which events are in which population.

    Attributes:
        events: how many there are in the sample.
        counts: population -> number of its events, in the order of the strategy.
    """

    def __init__(self, events: int, counts: Mapping[str, int], packed: Mapping[str, NDArray[np.uint8]]) -> None:
        self.events = events
        self.counts = dict(counts)
        self._packed = packed

    def member(self, population: str) -> NDArray[np.bool_]:
        """Which events are in a population, shape (events,). Raises GateError for a name that is not there."""
        import numpy as np

        if population not in self._packed:
            raise GateError(f"no population {population!r}; there are {', '.join(self._packed)}")
        return np.unpackbits(self._packed[population], count=self.events).view(np.bool_)


def gate_sample(sample: FcsFile, strategy: GatingStrategy) -> Membership:
    """Apply gates to a sample.

    The outcome is that of the definition in double precision, for every event. Large files are shared among threads.

    Raises:
        GateError: a matrix cannot be inverted.
        FcsError: a gate looks at a channel that the file does not have.
    """
    import numpy as np

    plan = prepare(sample, strategy)
    packed = np.zeros((len(plan.names), -(-sample.events // 8)), np.uint8)
    counts = np.zeros(len(plan.names), np.int64)
    parts = sample.parts() if sample.events else []
    if len(parts) == 1:
        counts += Judge(sample, strategy, plan, packed).judge(*parts[0])
    elif parts:
        with ThreadPoolExecutor(events.WORKERS) as workers:
            counts += sum(workers.map(lambda part: Judge(sample, strategy, plan, packed).judge(*part), parts))
    numbers = {name: n for n, name in enumerate(plan.names)}
    return Membership(
        sample.events,
        {name: int(counts[numbers[name]]) for name in strategy.populations},
        {name: packed[numbers[name]] for name in strategy.populations},
    )


def gate_by_definition(sample: FcsFile, strategy: GatingStrategy) -> Membership:
    """The same by the definition alone, many times slower: what `gate_sample` is checked with. Raises as it does."""
    import numpy as np

    order, matrices = strategy.order(), spillovers(sample, strategy)
    counts = dict.fromkeys(strategy.populations, 0)
    parts: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in counts}
    for begin in range(0, max(sample.events, 1), BLOCK):
        chosen = np.arange(max(0, min(BLOCK, sample.events - begin)))
        of = Compensated(Chosen(sample, begin, chosen), matrices)
        for name, found in evaluate(order, of).items():
            counts[name] += int(np.count_nonzero(found))
            parts[name].append(np.packbits(found))
    return Membership(sample.events, counts, {name: np.concatenate(found) for name, found in parts.items()})
