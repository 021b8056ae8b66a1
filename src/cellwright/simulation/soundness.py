"""What a program does wrong on some way through it, found before it runs.

Every instruction is visited with what a process may hold there. Two ways that meet must hold the same; an end holds
nothing; a release gives back what is held. So a model that keeps a resource for ever is named, not simulated.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from cellwright.language import _
from cellwright.simulation import layout as at
from cellwright.simulation.draw import ModelError

if TYPE_CHECKING:
    from cellwright.simulation.program import Compiled


class _Here(NamedTuple):
    """What a process holds on arriving at an instruction."""

    held: tuple[int, ...]
    together: bool
    """In a batch."""


def check(made: "Compiled", entries: Mapping[str, int]) -> None:
    """Walk every program. Raises ModelError with each fault, its process and step."""
    walk = _Walk(made)
    nothing = _Here((0,) * len(made.names.resources), False)
    todo = [(pc, nothing) for pc in entries.values()]
    for found, pc in zip(made.data.found_sorted(), made.program.given[:, 0], strict=True):
        held = tuple(found.holds.get(name, 0) for name in made.names.resources)
        todo.append((int(pc), _Here(held, False)))
    walk.run(todo)
    if walk.errors:
        raise ModelError("\n".join(dict.fromkeys(walk.errors)))


class _Walk:
    def __init__(self, made: "Compiled") -> None:
        self.code = made.program.code.tolist()
        self.wants = made.program.wants.tolist()
        self.places = made.names.places
        self.resources = list(made.names.resources)
        self.seen: dict[int, _Here] = {}
        self.errors: list[str] = []

    def where(self, pc: int) -> str:
        process, number = self.places[pc]
        return _("process {process}, step {number}").format(process=process, number=number)

    def run(self, todo: list[tuple[int, _Here]]) -> None:
        while todo:
            pc, here = todo.pop()
            before = self.seen.get(pc)
            if before is not None:
                if before.held != here.held or before.together != here.together:
                    self.errors.append(
                        _("{where} is reached holding {one} and holding {other}: release on one of the ways.").format(
                            where=self.where(pc), one=self.said(before), other=self.said(here)
                        )
                    )
                continue
            self.seen[pc] = here
            todo.extend(self.onward(pc, here))
        self.loops()
        self.orphans()

    def said(self, here: _Here) -> str:
        held = [f"{n} {name}" for name, n in zip(self.resources, here.held, strict=True) if n]
        return ", ".join(held) or _("nothing")

    def onward(self, pc: int, here: _Here) -> list[tuple[int, _Here]]:
        op, a, b, _third, _draw, target, _deadline = self.code[pc]
        match op:
            case at.END:
                if any(here.held):
                    self.errors.append(
                        _("{where}: the process ends and still holds {held}: release it first.").format(
                            where=self.where(pc), held=self.said(here)
                        )
                    )
                return []
            case at.ACQUIRE | at.ACQUIRE_ALL:
                got = self.with_units(here, [(a, b)] if op == at.ACQUIRE else self.wants[a : a + b])
                return [(pc + 1, got), *([(target, here)] if target >= 0 else [])]
            case at.TAKE:
                return [(pc + 1, here), *([(target, here)] if target >= 0 else [])]
            case at.RELEASE:
                if here.held[a] < b:
                    self.errors.append(
                        _("{where}: gives back {units} of {name} and holds {held}.").format(
                            where=self.where(pc), units=b, name=self.resources[a], held=here.held[a]
                        )
                    )
                    return []
                return [(pc + 1, self.with_units(here, [(a, -b)]))]
            case at.DELAY if a >= 0 and here.held[a] == 0:
                self.errors.append(
                    _("{where}: the delay can be interrupted on {name}, which is not held.").format(
                        where=self.where(pc), name=self.resources[a]
                    )
                )
                return []
            case at.BRANCH:
                return [(a, here), (pc + 1, here)]
            case at.JUMP:
                return [(a, here)]
            case at.TEST:
                return [(target, here), (pc + 1, here)]
            case at.BATCH:
                if here.together or any(here.held):
                    self.errors.append(
                        _("{where}: who joins a batch is in no other and holds nothing.").format(where=self.where(pc))
                    )
                    return []
                return [(pc + 1, here._replace(together=True))]
            case at.UNBATCH:
                if any(here.held):
                    self.errors.append(
                        _("{where}: release what the batch holds before it is undone.").format(where=self.where(pc))
                    )
                    return []
                return [(pc + 1, here._replace(together=False))]
            case at.SPLIT:
                return [(a, _Here((0,) * len(here.held), False)), (pc + 1, here)]
        return [(pc + 1, here)]

    def with_units(self, here: _Here, units: list[tuple[int, int]]) -> _Here:
        held = list(here.held)
        for r, n in units:
            held[r] += n
        return here._replace(held=tuple(held))

    def loops(self) -> None:
        """A way back on which no time can pass would turn for ever."""
        instant = {pc: self.ways(pc) for pc in self.seen}
        state: dict[int, int] = {}
        for start in sorted(instant):
            stack = [(start, iter(instant[start]))] if state.get(start, 0) == 0 else []
            if stack:
                state[start] = 1
            while stack:
                pc, ways = stack[-1]
                to = next(ways, None)
                if to is None:
                    state[pc] = 2
                    stack.pop()
                elif state.get(to, 0) == 1:
                    self.errors.append(
                        _("{where}: leads back without any time passing; put a delay on the way.").format(
                            where=self.where(pc)
                        )
                    )
                elif state.get(to, 0) == 0 and to in instant:
                    state[to] = 1
                    stack.append((to, iter(instant[to])))

    def orphans(self) -> None:
        """Whoever starts joined copies waits for them before the end, on every way."""
        for split in sorted(
            pc for pc in self.seen if self.code[pc][at.OP] == at.SPLIT and self.code[pc][at.TARGET] < 0
        ):
            todo, passed = [split + 1], set()
            while todo:
                pc = todo.pop()
                if pc in passed or self.code[pc][at.OP] == at.JOIN:
                    continue
                passed.add(pc)
                if self.code[pc][at.OP] == at.END:
                    self.errors.append(
                        _("{where}: ends without waiting for its copies: join them, or split without joining.").format(
                            where=self.where(pc)
                        )
                    )
                todo.extend(to for to, _here in self.onward(pc, self.seen[pc]) if to != self.code[pc][at.ONE_OF]
                            or self.code[pc][at.OP] != at.SPLIT)  # fmt: skip

    def ways(self, pc: int) -> list[int]:
        """Where an instruction leads in no time for certain: nothing is waited for, and it is no matter of chance."""
        op, a, _b, _third, _draw, _target, _deadline = self.code[pc]
        if op in (
            at.END,
            at.DELAY,
            at.WAIT_UNTIL,
            at.BATCH,
            at.JOIN,
            at.ACQUIRE,
            at.ACQUIRE_ALL,
            at.TAKE,
            at.BRANCH,
            at.TEST,
        ):
            return []
        return [a] if op == at.JUMP else [pc + 1]
