"""Commands, refusals and the world they are judged in.

    decision = command.decide(world, by)

`decide` is a pure function of what it is handed. It reads folded states from the world (every stream it reads is
remembered, and the append is refused if any of them has moved since), and answers with facts to record and signatures
to collect, or raises `Refusal`. A request may be refused; an observation of something already done is always
recordable, if need be together with a nonconformance (domain decision D7). A hard stop is not an error: its facts are
recorded and the decision carries the refusal that explains the way out (D4).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Protocol, Self, TypeVar

import msgspec

from cellwright.factory.record import Body, Fact, Immutable


class Refusal(Exception):
    """What was refused, why, what would make it possible, and the rule behind it.

    Attributes:
        code: stable name in kebab case, for example `room-not-cleared`; the catalogues and tests know it by this.
        text: English sentence with named placeholders `{lot}`; it is the message identifier in the catalogues.
        remedy: English sentence, what would make it possible.
        rule: requirement or decision identifiers, for example `R047`.
        values: what fills the placeholders.
    """

    def __init__(self, code: str, text: str, *, remedy: str = "", rule: str = "", **values: object) -> None:
        super().__init__(code)
        self.code, self.text, self.remedy, self.rule = code, text, remedy, rule
        self.values: dict[str, object] = values

    def __str__(self) -> str:
        sentence = self.text.format(**self.values)
        return f"{sentence} {self.remedy.format(**self.values)}".strip() + (f" [{self.rule}]" if self.rule else "")


class State:
    """The fold of one stream. Subclasses say which room they belong to and how each fact changes them.

    States are changed only by `apply`, and only by the fold; rules read them and never write.
    """

    room: ClassVar[str] = ""
    """First part of the stream's name: `lot` for `lot/L-0017`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.version = 0
        """Number of events folded: what `expected` of an append compares."""

    @property
    def stream(self) -> str:
        return f"{self.room}/{self.name}"

    @property
    def exists(self) -> bool:
        return self.version > 0

    def apply(self, body: Body, seen: "Seen") -> None:
        """Take one fact in. `seen` says when, where and by whom it was recorded."""
        raise AssertionError(f"{type(self).__name__} does not fold")

    def fact(self, body: Body, *, reason: str | None = None, claimed_at: str | None = None) -> Fact:
        """A fact about this object."""
        return Fact(self.stream, body, reason, claimed_at)


class Seen(Immutable):
    """The envelope of a recorded event, as far as a fold may need it."""

    pos: int
    version: int
    id: str
    at: str
    actor: str
    leaf: bytes


S = TypeVar("S", bound=State)
D = TypeVar("D")


class World(Protocol):
    """What a rule may know: the time, folded states, and approved definitions."""

    @property
    def now(self) -> datetime:
        """The site's time, UTC."""
        ...

    @property
    def zone(self) -> str:
        """IANA name of the site's time zone."""
        ...

    def load(self, kind: type[S], name: str) -> S:
        """The state of the stream `<kind.room>/<name>`; an empty state (`exists` false) if nothing was recorded."""
        ...

    def definition(self, kind: type[D], name: str, version: str | None = None) -> D:
        """An approved product, recipe, specification, plant or protocol; the effective version unless one is named.

        Raises Refusal `definition-not-approved` if there is none.
        """
        ...

    def issue(self, kind: str) -> str:
        """The next identifier of a kind (`coi`, `din`, `lot`, `order`, `sample`, `label`, …), unique at this site."""
        ...

    def claim(self, key: str) -> str | None:
        """The value of a live claim: the COI of `container/X`, `stock/<name>` or `person/OP-12`; None if nobody holds it.

        It is asked to explain a stop; the store itself keeps the law.
        """
        ...

    def streams(self, tag: str, room: str) -> tuple[str, ...]:
        """Names of the objects of a room that have an event with this tag, oldest first: the lots with `material/V-7`."""
        ...


class By(Immutable):
    """Who gives a command and from where."""

    person: str
    """Name of the person's stream, for example `OP-12`; `service/<name>` for a service account."""
    source: str | None = None
    """Terminal, scanner or instrument the input came from."""


class Need(Immutable):
    """A signature a decision needs before it can be recorded."""

    person: str
    meaning: str
    """Why the person signs, one of `people.MEANINGS`, for example `performed`, `verified`, `released`."""
    role: str
    """The role the person signs in."""
    leaves: tuple[str, ...] = ()
    """Leaf hashes (hex) of earlier events this signature also covers, for example the reviewed record."""


class Decision(Immutable):
    """What a rule decided: facts, the signatures they need, and, after a hard stop, why nothing went on."""

    facts: tuple[Fact, ...]
    sign: tuple[Need, ...] = ()
    stop: Refusal | None = None


class Command(Immutable):
    """A request or an observation. `roles` are those that may give it; without one of them it is refused (R022)."""

    name: ClassVar[str] = ""
    roles: ClassVar[frozenset[str]] = frozenset()

    def decide(self, world: World, by: By) -> Decision:
        raise AssertionError(f"{type(self).__name__} does not decide")

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        return msgspec.convert(plain, cls)


@cache
def _asks_for_reason(kind: Any) -> bool:
    return any(field.name == "reason" and field.required for field in msgspec.structs.fields(kind))


def reasoned(command: Command, decision: Decision) -> Decision:
    """The decision, unless its command asks for a reason and a blank one is given (D3, R004).

    A hard stop stands whatever was said. Raises Refusal `reason-missing`.
    """
    kind: Any = type(command)
    if _asks_for_reason(kind) and decision.stop is None and not str(getattr(command, "reason", "")).strip():
        raise Refusal(
            "reason-missing",
            "This is done only with its reason, and none is given.",
            remedy="Say why.",
            rule="R004",
        )
    return decision


COMMANDS: dict[str, type[Command]] = {}

C = TypeVar("C", bound=Command)


def command(name: str, *roles: str) -> Callable[[type[C]], type[C]]:
    """Register a command under `room.verb` with the roles that may give it; no role means nobody may."""

    def register(kind: type[C]) -> type[C]:
        assert name not in COMMANDS, f"command {name} is registered twice"
        kind.name = name
        kind.roles = frozenset(roles)
        COMMANDS[name] = kind
        return kind

    return register
