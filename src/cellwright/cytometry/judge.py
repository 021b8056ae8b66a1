"""Blocks of events judged by a plan: quickly in single precision, and those in doubt once more in double."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cellwright.cytometry.definition import Compensated, inside, spillovers
from cellwright.cytometry.gate import GatingStrategy
from cellwright.cytometry.plan import Area, Bound, Box, Defined, Logic, Plan
from cellwright.cytometry.raster import CROSSED, INSIDE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import FcsFile

    _Bits = NDArray[np.bool_]

BLOCK: Final = 1 << 15
"""Events judged at once: their values and masks stay in a core's own cache. A multiple of 8."""
AGAIN: Final = 1 << 16
"""Events in doubt that are judged again at once."""
PRODUCT: Final = 1 << 17
"""Multiplications of one matrix product at most; linear algebra libraries take so small ones in one thread."""
SPARSE: Final = 4
"""A polygon looks at its parent's events alone where they are fewer than one in so many."""


class Chosen:
    """Values of some events, counted from `begin`."""

    def __init__(self, sample: FcsFile, begin: int, chosen: NDArray[np.integer]) -> None:
        self._sample, self._begin, self._chosen = sample, begin, chosen
        self._rows = sample.rows(begin, chosen)
        self._stored: dict[str, NDArray[Any]] = {}
        self._scaled: dict[str, NDArray[np.float64]] = {}

    def stored(self, channel: str) -> NDArray[Any]:
        """Values of a channel as the file stores them."""
        import numpy as np

        if channel not in self._stored:
            self._stored[channel] = (
                self._sample.gather(channel, self._begin, self._chosen)
                if self._rows is None
                else np.ascontiguousarray(self._rows[:, self._sample.index(channel)])
            )
        return self._stored[channel]

    def scaled(self, channel: str) -> NDArray[np.float64]:
        """Values of a channel after gain, amplifier and time step."""
        if channel not in self._scaled:
            self._scaled[channel] = self._sample.channel(channel).scale(self.stored(channel))
        return self._scaled[channel]


def _beyond(values: NDArray[Any], limit: float | np.float32, upper: bool, out: _Bits | None) -> _Bits:
    """Values below an upper limit, or from a lower one on; a limit that is not a number is one that nothing reaches."""
    import numpy as np

    found: _Bits
    if not upper:
        found = np.greater_equal(values, limit, out=out)
    elif limit != limit:
        found = np.less_equal(values, np.inf, out=out)
    else:
        found = np.less(values, limit, out=out)
    return found


class Judge:
    """One thread's share of the events, block after block, with buffers of its own."""

    def __init__(self, sample: FcsFile, strategy: GatingStrategy, plan: Plan, packed: NDArray[np.uint8]) -> None:
        import numpy as np

        self._sample, self._plan, self._packed = sample, plan, packed
        self._order, self._matrices = strategy.order(), spillovers(sample, strategy)
        size = min(BLOCK, max(sample.events, 1))
        self._stored = np.empty((len(plan.stored), size), np.float32)
        self._input = np.empty((len(plan.mix.channels) if plan.mix else 0, size), np.float32)
        self._mixed = np.empty((len(plan.mix.weights) if plan.mix else 0, size), np.float32)
        self._members = np.empty((len(plan.names), size), np.bool_)
        self._least = np.empty(size, np.bool_)
        self._sure = np.empty(size, np.bool_)
        self._place = {channel: n for n, channel in enumerate(plan.stored)}

    def judge(self, begin: int, end: int) -> NDArray[np.int64]:
        """Write the members among the events from `begin` to before `end`, and count them, shape (populations,)."""
        import numpy as np

        counts = np.zeros(len(self._plan.names), np.int64)
        doubtful = []
        for first in range(begin, end, BLOCK):
            size = min(BLOCK, end - first)
            members, doubt = self._block(first, size)
            for n, found in enumerate(members):
                counts[n] += np.count_nonzero(found)
            self._packed[:, first // 8 : -(-(first + size) // 8)] = np.packbits(members, axis=1)
            doubtful.append(np.flatnonzero(doubt) + (first - begin))
        chosen = np.concatenate(doubtful) if doubtful else np.zeros(0, np.int64)
        for start in range(0, len(chosen), AGAIN):
            self._again(begin, chosen[start : start + AGAIN], counts)
        return counts

    def _block(self, first: int, size: int) -> tuple[_Bits, _Bits]:
        """Members of each population, shape (populations, events), and which events are in doubt."""
        import numpy as np

        plan, stored = self._plan, self._stored[:, :size]
        self._sample.fill(plan.stored, first, stored)
        doubt = np.zeros(size, np.bool_)
        lights = self._lights(stored, doubt)
        members = self._members[:, :size]
        for n, (step, parent) in enumerate(zip(plan.steps, plan.parents, strict=True)):
            among = members[parent] if parent >= 0 else None
            match step:
                case Box():
                    self._box(step, lights, members[n], among, doubt)
                case Area():
                    self._area(step, lights, members[n], among, doubt)
                case Logic():
                    self._logic(step, members, n, among)
                case Defined():
                    self._defined(n, first, members[n], among)
        return members, doubt

    def _lights(self, stored: NDArray[np.float32], doubt: _Bits) -> list[NDArray[np.float32]]:
        """Values that gates look at; all events are in doubt where a value is too large for the errors that hold."""
        plan = self._plan
        if plan.mix is not None:
            self._mix(stored, doubt)
        size = stored.shape[1]
        return [
            stored[self._place[light.channel]] if light.row is None else self._mixed[light.row, :size]
            for light in plan.lights
        ]

    def _mix(self, stored: NDArray[np.float32], doubt: _Bits) -> None:
        import numpy as np

        mix, size = self._plan.mix, stored.shape[1]
        assert mix is not None
        values = self._input[:, :size]
        for row, number in zip(values, mix.channels, strict=True):
            channel = self._sample.channels[number]
            column = stored[self._place[number]]
            row[:] = column if channel.linear else channel.scale(column)
        with np.errstate(all="ignore"):
            usual = (values.max(axis=1) <= mix.limit) & (values.min(axis=1) >= -mix.limit)
            if not usual.all():
                doubt[:] = True
            step = max(64, PRODUCT // (mix.weights.size or 1))
            for begin in range(0, size, step):
                np.matmul(
                    mix.weights, values[:, begin : begin + step], out=self._mixed[:, begin : min(begin + step, size)]
                )

    def _box(self, box: Box, lights: list[NDArray[np.float32]], out: _Bits, among: _Bits | None, doubt: _Bits) -> None:
        import numpy as np

        unsure: _Bits | None = None
        if among is None:
            out[:] = True
        else:
            out[:] = among
        inner = np.ones(len(out), np.bool_) if box.complement else out
        for bound in box.bounds:
            hidden = self._compare(bound, lights[bound.light], inner)
            if hidden is not None:
                unsure = hidden.copy() if unsure is None else np.logical_or(unsure, hidden, out=unsure)
        if box.complement:
            out &= ~inner
        if unsure is not None:
            if among is not None:
                unsure &= among
            doubt |= unsure

    def _compare(self, bound: Bound, values: NDArray[np.float32], inner: _Bits) -> _Bits | None:
        """Take the events beyond a bound out of `inner`; give those that may be on either side."""
        import numpy as np

        size = len(values)
        sure = _beyond(values, bound.sure, bound.upper, self._sure[:size])
        np.logical_and(inner, sure, out=inner)
        if bound.least == bound.sure or bound.least != bound.least:
            return None
        least = _beyond(values, bound.least, bound.upper, self._least[:size])
        return np.not_equal(least, sure, out=least)

    def _area(
        self, area: Area, lights: list[NDArray[np.float32]], out: _Bits, among: _Bits | None, doubt: _Bits
    ) -> None:
        import numpy as np

        x, y = lights[area.x], lights[area.y]
        if among is not None and np.count_nonzero(among) * SPARSE < len(among):
            chosen = np.flatnonzero(among)
            state = area.raster.look(x[chosen], y[chosen])
            out[:] = False
            out[chosen] = (state != INSIDE) if area.complement else (state == INSIDE)
            doubt[chosen[state == CROSSED]] = True
            return
        state = area.raster.look(x, y)
        (np.not_equal if area.complement else np.equal)(state, INSIDE, out=out)
        crossed = np.equal(state, CROSSED, out=self._least[: len(x)])
        if among is not None:
            out &= among
            crossed &= among
        doubt |= crossed

    def _logic(self, logic: Logic, members: _Bits, n: int, among: _Bits | None) -> None:
        import numpy as np

        parts = [~members[number] if complement else members[number] for number, complement in logic.operands]
        if logic.operator == "not":
            np.logical_not(parts[0], out=members[n])
        else:
            whole = np.logical_and if logic.operator == "and" else np.logical_or
            members[n] = parts[0]
            for part in parts[1:]:
                whole(members[n], part, out=members[n])
        if among is not None:
            members[n] &= among

    def _defined(self, n: int, first: int, out: _Bits, among: _Bits | None) -> None:
        import numpy as np

        chosen = np.arange(len(out)) if among is None else np.flatnonzero(among)
        of = Compensated(Chosen(self._sample, first, chosen), self._matrices)
        out[:] = False
        out[chosen] = inside(self._order[n][1].gate, of, {})

    def _again(self, begin: int, chosen: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Judge events in double precision, and put right what single precision had otherwise."""
        import numpy as np

        values = Chosen(self._sample, begin, chosen)
        of = Compensated(values, self._matrices)
        members = np.empty((len(self._plan.names), len(chosen)), np.bool_)
        where = chosen + begin
        byte, bit = where >> 3, (7 - (where & 7)).astype(np.uint8)
        for n, (step, parent) in enumerate(zip(self._plan.steps, self._plan.parents, strict=True)):
            among = members[parent] if parent >= 0 else None
            if isinstance(step, Logic):
                self._logic(step, members, n, among)
            else:
                found = self._exactly(n, step, values, of, begin, chosen)
                members[n] = found if among is None else found & among
            said = (self._packed[n, byte] >> bit) & 1
            other = np.flatnonzero(said != members[n])
            if len(other):
                np.bitwise_xor.at(self._packed[n], byte[other], np.uint8(1) << bit[other])
                counts[n] += np.count_nonzero(members[n]) - np.count_nonzero(said)

    def _exactly(
        self, n: int, step: Box | Area | Defined, values: Chosen, of: Compensated, begin: int, chosen: NDArray[np.int64]
    ) -> _Bits:
        import numpy as np

        lights = self._plan.lights
        match step:
            case Box():
                found: _Bits = np.ones(len(chosen), np.bool_)
                near = np.zeros(len(chosen), np.bool_)
                for bound in step.bounds:
                    light = of.light(lights[bound.light].name, lights[bound.light].compensation)
                    sure, least = (_beyond(light, limit, bound.upper, None) for limit in (bound.high, bound.low))
                    found &= sure
                    near |= sure != least
                if step.complement:
                    np.logical_not(found, out=found)
                self._defined_few(n, np.flatnonzero(near), found, begin, chosen)
                return found
            case Area():
                state = step.raster.look(*(self._as_in_raster(light, values, of) for light in (step.x, step.y)))
                found = np.not_equal(state, INSIDE) if step.complement else np.equal(state, INSIDE)
                self._defined_few(n, np.flatnonzero(state == CROSSED), found, begin, chosen)
                return found
            case Defined():
                return inside(self._order[n][1].gate, of, {})

    def _defined_few(
        self, n: int, few: NDArray[np.integer], found: _Bits, begin: int, chosen: NDArray[np.int64]
    ) -> None:
        """Let the definition decide on some of the events in doubt."""
        if len(few):
            of = Compensated(Chosen(self._sample, begin, chosen[few]), self._matrices)
            found[few] = inside(self._order[n][1].gate, of, {})

    def _as_in_raster(self, number: int, values: Chosen, of: Compensated) -> NDArray[np.float32]:
        import numpy as np

        light = self._plan.lights[number]
        exact = values.stored(light.name) if light.row is None else of.light(light.name, light.compensation)
        with np.errstate(all="ignore"):
            return np.ascontiguousarray(exact, np.float32)
