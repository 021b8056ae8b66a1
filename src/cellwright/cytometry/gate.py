"""Gates as data, and the counts they give: each gate is a range on channels, inside a parent gate or on all events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cellwright.cytometry.fcs import FcsFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class GateError(ValueError):
    """Gates that cannot be applied: a parent that is not there before its child, or a name used twice."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A rectangular gate on the raw scale.

    Attributes:
        name: unique among the gates of an analysis.
        parent: gate whose events are looked at; empty for all events.
        ranges: channel -> (low, high); an event is inside if low <= value < high on every channel.
    """

    name: str
    parent: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def count(file: FcsFile, gates: Sequence[Gate]) -> dict[str, int]:
    """Events inside each gate, by name.

    Raises:
        GateError: a parent does not stand before its child, or a name is used twice.
        FcsError: the file has no such channel.
    """
    inside: dict[str, NDArray[np.bool_]] = {}
    counts: dict[str, int] = {}
    for gate in gates:
        if gate.name in inside or (gate.parent and gate.parent not in inside):
            raise GateError(f"gate {gate.name!r}: its name is used twice, or its parent {gate.parent!r} stands later")
        mask = _mask(file, gate)
        if gate.parent:
            mask = mask & inside[gate.parent]
        inside[gate.name] = mask
        counts[gate.name] = int(mask.sum())
    return counts


def _mask(file: FcsFile, gate: Gate) -> "NDArray[np.bool_]":
    import numpy as np

    mask = np.ones(len(file.events), dtype=np.bool_)
    for channel, (low, high) in gate.ranges.items():
        values = file.channel(channel)
        mask &= (values >= low) & (values < high)
    return mask
