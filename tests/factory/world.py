"""A small world in memory for tests of the rules: applies decisions, keeps claims, refuses what the ledger would."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from cellwright.factory import people
from cellwright.factory.identity import binding
from cellwright.factory.record import Body, Fact, read, write
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, reasoned

S = TypeVar("S", bound=State)
D = TypeVar("D")


class ClaimError(Exception):
    """What the ledger would refuse: a claim taken twice, or an expectation that does not hold (a hard stop)."""


class FakeWorld:
    """A `World` whose `do` decides, binds identities, folds. Needs (signatures) are checked for permission, not signed."""

    zone = "Asia/Shanghai"

    def __init__(self, now: datetime = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)) -> None:
        self.now = now
        self.states: dict[str, State] = {}
        self.events: list[tuple[Fact, Seen]] = []
        self.claims: dict[str, str] = {}
        self.tags: dict[str, dict[str, None]] = {}
        self.definitions: dict[tuple[type, str], list[Any]] = {}
        self.counters: dict[str, int] = {}

    # --- World
    def load(self, kind: type[S], name: str) -> S:
        stream = f"{kind.room}/{name}"
        state = self.states.get(stream)
        if not isinstance(state, kind):
            state = kind(name)
            for fact, seen in self.events:
                if fact.stream == stream:
                    state.apply(fact.body, seen)
                    state.version += 1
            self.states[stream] = state
        return state

    def definition(self, kind: type[D], name: str, version: str | None = None) -> D:
        for found in reversed(self.definitions.get((kind, name), [])):
            if version is None or found.version == version:
                return found
        raise Refusal("definition-not-approved", "{name} is not approved.", name=name)

    def issue(self, kind: str) -> str:
        self.counters[kind] = n = self.counters.get(kind, 0) + 1
        match kind:
            case "coi":
                return f"CHA999926{n:06d}"
            case "din":
                return f"A999926{n:06d}"
            case _:
                return f"{kind[0].upper()}-{n:04d}"

    def claim(self, key: str) -> str | None:
        return self.claims.get(key)

    def streams(self, tag: str, room: str) -> tuple[str, ...]:
        return tuple(s.partition("/")[2] for s in self.tags.get(tag, {}) if s.startswith(f"{room}/"))

    # --- what tests do with it
    def define(self, name: str, definition: Any) -> None:
        self.definitions.setdefault((type(definition), name), []).append(definition)

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def record(self, facts: Iterable[Fact], actor: str = "person/test") -> None:
        """Append facts atomically as the ledger would: expects, then releases, then claims, fact by fact."""
        facts = tuple(facts)
        claims = dict(self.claims)
        for fact in facts:
            bound = binding(fact.stream, fact.body)
            for key, value in bound.expects.items():
                if claims.get(key) != value:
                    raise ClaimError(f"hard stop: {key} is {claims.get(key)!r}, expected {value!r}")
            for key, value in bound.releases.items():
                if claims.get(key) != value:
                    raise ClaimError(f"{key} is {claims.get(key)!r} and cannot be released by {value!r}")
                del claims[key]
            for key, value in bound.claims.items():
                if key in claims:
                    raise ClaimError(f"{key} is already claimed by {claims[key]!r}")
                claims[key] = value
        self.claims = claims
        for fact in facts:
            body: Body = read(fact.body.type, fact.body.schema, write(fact.body))
            assert body == fact.body, "the body does not survive its stored form"
            pos = len(self.events)
            state = self.states.get(fact.stream)
            version = sum(f.stream == fact.stream for f, _ in self.events) if state is None else state.version
            seen = Seen(
                pos=pos,
                version=version,
                id=f"id-{pos}",
                at=people.stamp(self.now),
                actor=actor,
                leaf=sha256(str(pos).encode()).digest(),
            )
            self.events.append((fact, seen))
            for tag in binding(fact.stream, body).tags:
                self.tags.setdefault(tag, {})[fact.stream] = None
            if state is not None:
                state.apply(body, seen)
                state.version += 1

    def do(self, command: Command, by: str = "OP-1") -> Decision:
        """Decide and record. Raises Refusal or ClaimError; on either, nothing is recorded."""
        who = people.load(self, by)
        refusal = people.may_act(who, command.roles, self.now)
        if refusal is not None:
            raise refusal
        decision = reasoned(command, command.decide(self, By(person=by, source="terminal/test")))
        refusal = people.separated(decision.sign)
        if refusal is not None:
            raise refusal
        for need in decision.sign:
            refusal = people.may_sign(people.load(self, need.person), need, self.now)
            if refusal is not None:
                raise refusal
        self.record(decision.facts, f"person/{by}")
        return decision

    def person(self, name: str, *roles: str, qualified: Iterable[str] = (), kind: str = "person") -> str:
        """Enrol somebody with roles and qualifications from long ago."""
        since = "2020-01-01T00:00:00.000000Z"
        stream = f"person/{name}"
        bodies: list[Body] = [
            people.Enrolled(person=name, account=name.lower(), printed_name=f"Person {name}", kind=kind),  # type: ignore[arg-type]
            people.IdentityVerified(person=name, evidence="test"),
            *(people.RoleGranted(person=name, role=r, since=since) for r in roles),
            *(people.Qualified(person=name, qualification=q, since=since) for q in qualified),
        ]
        self.record(Fact(stream, b) for b in bodies)
        return name

    def said(self, type_: str) -> list[Body]:
        """Bodies of all recorded facts of one event type."""
        return [f.body for f, _ in self.events if f.body.type == type_]


__all__ = ["ClaimError", "FakeWorld", "Need"]
