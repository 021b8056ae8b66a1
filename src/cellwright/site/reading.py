"""Reading the record for a page: states folded for this page alone, so that nobody else moves them meanwhile."""

from datetime import datetime
from typing import Any, TypeVar

from cellwright.command.desk import fold
from cellwright.factory.rule import State
from cellwright.ledger import Event
from cellwright.site.house import house

S = TypeVar("S", bound=State)
D = TypeVar("D")


class Read:
    """The world as one page sees it: what a rule may know, and nothing to change it with."""

    def __init__(self) -> None:
        self._desk = house().desk
        self._states: dict[str, State] = {}
        self.now: datetime = self._desk.clock()
        self.zone = self._desk.zone

    def load(self, kind: type[S], name: str) -> S:
        """A state of its own, folded from its stream."""
        stream = f"{kind.room}/{name}"
        state = self._states.get(stream)
        if not isinstance(state, kind):
            state = self._states[stream] = kind(name)
            for event in self._desk.ledger.stream(stream):
                fold(state, event)
        return state

    def definition(self, kind: type[D], name: str, version: str | None = None) -> D:
        """An approved definition, the one in force unless a version is named."""
        return self._desk.definition(kind, name, version)

    def issue(self, kind: str) -> str:
        """A page gives no identifiers."""
        raise AssertionError(f"a page does not issue a {kind}")

    def claim(self, key: str) -> str | None:
        """Whose an item is now."""
        held = self._desk.ledger.claim(key)
        return held.value if held else None

    def streams(self, tag: str, room: str) -> tuple[str, ...]:
        """Objects of a room with an event of this tag, oldest first."""
        events = self.tagged(tag)
        return tuple(dict.fromkeys(e.stream.partition("/")[2] for e in events if e.stream.startswith(f"{room}/")))

    def tagged(self, *tags: str) -> list[Event]:
        """Every event with one of the tags, by position."""
        found: dict[int, Event] = {}
        for tag in tags:
            found.update((event.pos, event) for event in self._desk.ledger.tagged(tag))
        return [found[pos] for pos in sorted(found)]


def facts(event: Event) -> list[tuple[str, str]]:
    """The plain fields of an event's body, for a line in a story; nested ones are counted."""
    shown = []
    for name, value in event.body.items():
        if isinstance(value, bool):
            shown.append((name, "✓" if value else "✕"))
        elif isinstance(value, str | int):
            shown.append((name, str(value)))
        elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            shown.append((name, ", ".join(value)))
    return shown


def plain(value: Any) -> str:
    """A value as text; nothing for what is absent."""
    return "" if value is None else str(value)
