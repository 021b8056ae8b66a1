"""Gates applied to a sample: which events are in each population, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cellwright.cytometry.definition import Compensated, evaluate, spillovers
from cellwright.cytometry.fault import GateError
from cellwright.cytometry.gate import GatingStrategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import FcsFile

BLOCK: Final = 1 << 15


class Membership:
    """Which events are in which population.

    Attributes:
        events: how many there are in the sample.
        counts: population -> number of its events.
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


class _Block:
    """Scaled values of the events from `begin` to before `end`."""

    def __init__(self, sample: FcsFile, begin: int, end: int) -> None:
        self._sample, self._begin, self._end = sample, begin, end
        self._found: dict[str, NDArray[np.float64]] = {}

    def scaled(self, channel: str) -> NDArray[np.float64]:
        if channel not in self._found:
            stored = self._sample.block(channel, self._begin, self._end)
            self._found[channel] = self._sample.channel(channel).scale(stored)
        return self._found[channel]


def gate_sample(sample: FcsFile, strategy: GatingStrategy) -> Membership:
    """Apply gates to a sample.

    Raises:
        GateError: a matrix cannot be inverted.
        FcsError: a gate looks at a channel that the file does not have.
    """
    import numpy as np

    order, matrices = strategy.order(), spillovers(sample, strategy)
    names = [channel.name for channel in sample.channels]
    counts = dict.fromkeys(strategy.populations, 0)
    parts: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in counts}
    for begin in range(0, max(sample.events, 1), BLOCK):
        of = Compensated(_Block(sample, begin, min(begin + BLOCK, sample.events)), matrices, names)
        for name, found in evaluate(order, of).items():
            counts[name] += int(np.count_nonzero(found))
            parts[name].append(np.packbits(found))
    return Membership(sample.events, counts, {name: np.concatenate(found) for name, found in parts.items()})
