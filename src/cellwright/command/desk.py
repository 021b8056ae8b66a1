"""The desk: where a command becomes part of the record, or is refused.

    outcome = desk.do(command, by, signer)

It checks the account, judges the command against folded states, binds identities, collects signatures, and appends
events together with the versions of every stream that was read; if one of them moved meanwhile, it judges again. With
`prepare` and `commit` a person at a screen signs exactly what will be recorded; if the record moves in between, the
signature is refused and the person looks again.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from cellwright.command import signing
from cellwright.command.admissible import admissible, in_own_role
from cellwright.command.definitions import Definitions
from cellwright.command.issuing import Issuing
from cellwright.command.signing import Proof, Relying, Signer
from cellwright.factory import people
from cellwright.factory.credential import RegisterCredential
from cellwright.factory.identity import binding
from cellwright.factory.order.case import stopped_by_store
from cellwright.factory.people import PersonState
from cellwright.factory.record import Fact, read, write
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, reasoned
from cellwright.factory.signature import SignatureApplied
from cellwright.factory.terminal import TerminalState
from cellwright.ledger import ClaimTaken, Conflict, Draft, Event, HardStop, Ledger, Unavailable
from cellwright.ledger.canonical import Prepared
from cellwright.ledger.merkle import leaf_hash

S = TypeVar("S", bound=State)
D = TypeVar("D")

ATTEMPTS = 8
"""How often a command is judged again when what it read has moved."""
RETRIES = 3
"""How often the same events are offered to a store that did not answer; each offer waits for the store's own time-outs."""
STATES_KEPT = 50_000
"""Folded states kept in memory; the oldest are dropped and folded again when needed."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a command: the events recorded, and after a hard stop why nothing went on."""

    events: tuple[Event, ...]
    stop: Refusal | None = None


class Pending(msgspec.Struct, frozen=True):
    """A decision that waits for its signatures: drafts as they will be recorded, and what each person signs."""

    drafts: tuple[Draft, ...]
    expected: dict[str, int]
    signatures: tuple[SignatureApplied, ...]
    """Statements still without proof."""
    stop: Refusal | None = None
    asked: tuple[Command, By] | None = None
    """What was asked for, and by whom."""

    def challenges(self) -> list[tuple[str, bytes]]:
        """Person and challenge for each signature."""
        return [(s.person, signing.challenge(s)) for s in self.signatures]


class _Begun(NamedTuple):
    """A decision that is on its way into the record."""

    future: "Future[list[Event]]"
    drafts: list[Draft]
    expected: dict[str, int]
    stop: Refusal | None


class Snapshot:
    """The world as one command sees it: remembers which streams were read, at which version."""

    def __init__(self, desk: "Desk", *, fresh: bool) -> None:
        self._desk = desk
        self._fresh = fresh
        self.now: datetime = desk.clock()
        self.zone = desk.zone
        self.read: dict[str, int] = {}

    def load(self, kind: type[S], name: str) -> S:
        state = self._desk.state(kind, name, fresh=self._fresh)
        self.read[state.stream] = state.version
        return state

    def definition(self, kind: type[D], name: str, version: str | None = None) -> D:
        return self._desk.definitions.get(self, kind, name, version)

    def issue(self, kind: str) -> str:
        return self._desk.issuing.next(kind, self.now)

    def claim(self, key: str) -> str | None:
        """Whose an item is now; asked only to explain a stop, the store itself keeps the law."""
        held = self._desk.ledger.claim(key)
        return held.value if held else None

    def streams(self, tag: str, room: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for event in self._desk.ledger.tagged(tag):
            if event.stream.startswith(f"{room}/"):
                found[event.stream.partition("/")[2]] = None
        return tuple(found)


class Desk:
    """Load, decide, append, for one site."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        zone: str,
        definitions: Definitions,
        issuing: Issuing,
        relying: Relying,
        simulated: bool,
        holds: Callable[[str], bool],
        new_id: Callable[[], UUID],
        new_nonce: Callable[[], str] = signing.nonce,
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.zone = zone
        self.definitions = definitions
        self.issuing = issuing
        self.relying = relying
        self.simulated = simulated
        self._holds = holds
        """Whether the file store holds a file of this hash."""
        self._new_id = new_id
        self._new_nonce = new_nonce
        self._states: dict[str, State] = {}
        self._counters: dict[str, int] = {}
        """Highest use count seen of each security key: a copy of a key falls behind it. Before its first use in this
        process it is read from the record."""
        self.heard: Callable[[Event], None] = lambda event: None
        """What else has to be done once an event stands in the record; set by the site."""
        self._lock = threading.RLock()

    # --- states

    def state(self, kind: type[S], name: str, *, fresh: bool = True) -> S:
        """The folded state of an object. With `fresh` false a state kept from an earlier read may be older than the
        ledger; the append finds out."""
        with self._lock:
            stream = f"{kind.room}/{name}"
            state = self._states.get(stream)
            if not isinstance(state, kind):
                state = kind(name)
                if len(self._states) >= STATES_KEPT:
                    self._states.pop(next(iter(self._states)))
                self._states[stream] = state
                fresh = True
            if fresh:
                for event in self.ledger.stream(stream, state.version):
                    fold(state, event)
            return state

    def definition(self, kind: type[D], name: str, version: str | None = None) -> D:
        """An approved definition, the one in force now unless a version is named. Raises as `World.definition`."""
        return Snapshot(self, fresh=False).definition(kind, name, version)

    def _take_in(self, events: Iterable[Event]) -> None:
        with self._lock:
            for event in events:
                state = self._states.get(event.stream)
                if state is not None and state.version == event.version:
                    fold(state, event)
                self.heard(event)

    # --- commands

    def do(self, command: Command, by: By, signer: Signer | None = None) -> Outcome:
        """Judge a command and record what follows.

        Raises:
            Refusal: the command is refused; nothing of it was recorded (a refusal for lack of authority is itself
                recorded on the person's stream).
        """
        for attempt in range(ATTEMPTS):
            pending = self.prepare(command, by, fresh=attempt > 0)
            try:
                return self._finish(pending, self._sign(pending, signer))
            except Conflict:
                continue
            except (HardStop, ClaimTaken) as found:
                return self._stop(command, by, found)
        raise Refusal(
            "record-busy",
            "The record kept moving while this was being judged.",
            remedy="Nothing was recorded. Try again.",
            rule="R001",
        )

    def round(self, commands: Sequence[tuple[Command, By]], signer: Signer | None = None) -> list[Outcome | Refusal]:
        """Judge several commands due at one moment, in their order, and record them in one commit where they allow.

        Each is judged against the record as it stood before the round; one that turns out to depend on another of the
        round is judged again after it.
        """
        begun = [self._begin(command, by, signer) for command, by in commands]
        recorded = [one if isinstance(one, Refusal) else self._answer(one) for one in begun]
        for index, (command, by) in enumerate(commands):
            if recorded[index] is None:
                try:
                    recorded[index] = self.do(command, by, signer)
                except Refusal as refusal:
                    recorded[index] = refusal
        return [outcome for outcome in recorded if outcome is not None]

    def _begin(self, command: Command, by: By, signer: Signer | None) -> "_Begun | Refusal | None":
        """Submit what follows from a command on the record as it stood; None where it has to be judged afresh."""
        try:
            with self._lock:
                pending = self._judge(command, by, fresh=False)
        except Refusal:
            return None
        try:
            drafts = self._signed(pending, self._sign(pending, signer))
        except Refusal as refusal:
            return refusal
        return _Begun(self.ledger.submit(drafts, pending.expected), drafts, pending.expected, pending.stop)

    def _answer(self, begun: "_Begun | None") -> Outcome | Refusal | None:
        if begun is None:
            return None
        try:
            try:
                events = begun.future.result()
            except Unavailable:
                events = self._append(begun.drafts, begun.expected)
        except (Conflict, HardStop, ClaimTaken):
            return None
        except Refusal as refusal:
            return refusal
        self._take_in(events)
        return Outcome(tuple(events), begun.stop)

    def prepare(self, command: Command, by: By, *, fresh: bool = True) -> Pending:
        """Judge a command without recording it: what would be recorded, and what has to be signed for it."""
        with self._lock:
            try:
                return self._judge(command, by, fresh=fresh)
            except Refusal as refusal:
                if not fresh:
                    return self.prepare(command, by, fresh=True)
                self._record_refusal(command, by, refusal)
                raise

    def commit(self, pending: Pending, proofs: Sequence[Proof]) -> Outcome:
        """Record a prepared decision with its signatures.

        Raises:
            Refusal `record-moved`: something it rests on has changed since; look at it and sign again.
            Refusal `signature-invalid`: a proof does not hold; the failure is counted against the account.
            Refusal: time alone has closed what was open when it was prepared: a use window, a role, a qualification.
        """
        self._still_allowed(pending)
        try:
            return self._finish(pending, proofs)
        except (HardStop, ClaimTaken) as found:
            assert pending.asked is not None, "a decision prepared for signing knows what was asked"
            return self._stop(*pending.asked, found)
        except Conflict as moved:
            raise Refusal(
                "record-moved",
                "The record has changed since you looked: {stream} has {actual} events, not {expected}.",
                remedy="Nothing was recorded. Look at it again and sign again.",
                rule="R027",
                stream=moved.stream,
                actual=moved.actual,
                expected=moved.expected,
            ) from None

    def record(self, facts: Iterable[Fact], by: By, *, expected: dict[str, int] | None = None) -> tuple[Event, ...]:
        """Record facts that are no command's: the site's first events, sign-ins, what a device reports."""
        drafts = self._drafts(facts, by)
        events = tuple(self.ledger.append(drafts, expected or {}))
        self._take_in(events)
        return events

    def failed_authentication(self, person: str, by: By, purpose: Any = "sign_in") -> PersonState:
        """Count a failed sign-in or signing: by one's own hand against the account, else against the terminal (R029)."""
        with self._lock:
            state = self.state(PersonState, person)
            if state.exists:
                own = by.person == person
                facts = [state.fact(body) for body in people.failed(state, purpose, None if own else by.person)]
                if not own:
                    facts += self._terminal(by).refused(person, by.person, self.clock())
                self.record(facts, by)
            return state

    def may_offer(self, person: str, by: By) -> None:
        """Whether a proof in this person's name is looked at. Raises Refusal `terminal-stopped` (R029)."""
        refusal = None if by.person == person else self._terminal(by).stopped(self.clock())
        if refusal is not None:
            raise refusal

    def _terminal(self, by: By) -> TerminalState:
        return self.state(TerminalState, by.source or f"person/{by.person}")

    # --- inside

    def _still_allowed(self, pending: Pending) -> None:
        """Ask again at the moment of recording. What moved in the record meanwhile is the append's to find."""
        if pending.asked is None:
            return
        with self._lock:
            try:
                self._judge(*pending.asked, fresh=True)
            except Refusal as refusal:
                if all(self.ledger.version(stream) == seen for stream, seen in pending.expected.items()):
                    self._record_refusal(*pending.asked, refusal)
                    raise

    def _judge(self, command: Command, by: By, *, fresh: bool) -> Pending:
        world = Snapshot(self, fresh=fresh)
        admissible(command, self._holds)
        refusal = people.may_act(people.load(world, by.person), command.roles, world.now)
        if refusal is not None:
            raise refusal
        if isinstance(command, RegisterCredential) and command.simulated and not self.simulated:
            raise Refusal(
                "simulated-credential",
                "A simulated means of signing is not registered at a site where real people work.",
                remedy="Register the security key that {person} holds.",
                rule="R037",
                person=command.person,
            )
        decision = reasoned(command, command.decide(world, by))
        refusal = people.separated(decision.sign) or (in_own_role(command) if decision.sign else None)
        if refusal is not None:
            raise refusal
        for need in decision.sign:
            refusal = people.may_sign(people.load(world, need.person), need, world.now)
            if refusal is not None:
                raise refusal
        return msgspec.structs.replace(self._pending(decision, by, world), asked=(command, by))

    def _pending(self, decision: Decision, by: By, world: Snapshot) -> Pending:
        drafts = self._drafts(decision.facts, by)
        contents = tuple(signing.content(draft) for draft in drafts)
        on = drafts[0].stream if drafts else ""
        signatures = tuple(self._unsigned(need, on, contents, world) for need in decision.sign)
        return Pending(tuple(drafts), dict(world.read), signatures, decision.stop)

    def _unsigned(self, need: Need, on: str, contents: tuple[str, ...], world: Snapshot) -> SignatureApplied:
        person = people.load(world, need.person)
        return SignatureApplied(
            person=need.person,
            nonce=self._new_nonce(),
            printed_name=person.printed_name,
            role=need.role,
            meaning=need.meaning,
            signed_at=people.stamp(world.now),
            zone=world.zone,
            on=on,
            version=world.read.get(on, 0),
            contents=contents,
            leaves=need.leaves,
            means="",
            credential="",
            proof={},
        )

    def _sign(self, pending: Pending, signer: Signer | None) -> list[Proof]:
        if not pending.signatures:
            return []
        if signer is None:
            raise Refusal(
                "signature-needed",
                "This needs the signature of {people}.",
                remedy="Each signs on a registered device.",
                rule="R024",
                people=", ".join(s.person for s in pending.signatures),
            )
        return [signer.sign(person, challenge) for person, challenge in pending.challenges()]

    def _signed(self, pending: Pending, proofs: Sequence[Proof]) -> list[Draft]:
        """The drafts of a decision followed by its signatures, each checked before anything is recorded."""
        drafts = list(pending.drafts)
        tags = tuple(dict.fromkeys(tag for draft in drafts for tag in draft.tags))
        if len(proofs) != len(pending.signatures):
            raise Refusal("signature-needed", "A signature is missing.", rule="R024")
        for unsigned, proof in zip(pending.signatures, proofs, strict=True):
            signature = msgspec.structs.replace(
                unsigned,  # type: ignore[type-var]
                means=proof.means,
                credential=proof.credential,
                proof=proof.parts,
                simulated=proof.simulated,
            )
            giver = pending.asked[1] if pending.asked is not None else By(person=signature.person)
            self.may_offer(signature.person, giver)
            person = self.state(PersonState, signature.person, fresh=False)
            refusal = signing.check(signature, person, self.relying, simulated_site=self.simulated)
            refusal = refusal or self._copied(signature.person, proof)
            if refusal is not None:
                self.failed_authentication(signature.person, giver, "signature")
                raise refusal
            signed_by = f"person/{signature.person}"
            drafts += self._drafts([Fact(signature.on, signature)], By(person=signature.person), (*tags, signed_by))
        return drafts

    def _recorded_count(self, person: str, credential: str) -> int:
        """The highest use count of a security key in its signatures in the record, also from before a restart."""
        counts = (
            signing.counter(Proof(means=body["means"], credential=credential, parts=body["proof"]))
            for body in (event.body for event in self.ledger.tagged(f"person/{person}"))
            if body.get("credential") == credential and "proof" in body
        )
        return max(counts, default=0)

    def _copied(self, person: str, proof: Proof) -> Refusal | None:
        """Whether a security key's use count stands still or went back, as a copy's does (Web Authentication, 7.2.21)."""
        count = signing.counter(proof)
        with self._lock:
            known = self._counters.get(proof.credential)
            if known is None:
                known = self._recorded_count(person, proof.credential) if count else 0
            if count == 0 and known == 0:
                return None
            if count > known:
                self._counters[proof.credential] = count
                return None
        return Refusal(
            "security-key-copied",
            "The security key {credential} has counted {count} uses, and {known} were seen before: it may have been copied.",
            remedy="Sign once more; if it happens again, a security officer revokes the key at once.",
            rule="R028",
            credential=proof.credential,
            count=count,
            known=known,
        )

    def _finish(self, pending: Pending, proofs: Sequence[Proof]) -> Outcome:
        events = self._append(self._signed(pending, proofs), pending.expected)
        self._take_in(events)
        return Outcome(tuple(events), pending.stop)

    def _append(self, drafts: list[Draft], expected: dict[str, int]) -> list[Event]:
        """Append, and where the store went away in the middle ask again by the same ids: never lost, never twice.

        Raises Refusal `record-unavailable` when the store stays away; what became of it is then not known yet.
        """
        for _ in range(RETRIES):
            try:
                return self.ledger.append(drafts, expected)
            except Unavailable:
                continue
        raise Refusal(
            "record-unavailable",
            "The record cannot be reached; whether this was recorded is not known yet.",
            remedy="Look at the record when it is back before you do it again. Until then work on numbered step sheets.",
            rule="D8",
        )

    def _stop(self, command: Command, by: By, found: HardStop | ClaimTaken) -> Outcome:
        """The store itself found that an item is somebody else's: record the hard stop, with its way out (R066, D4)."""
        with self._lock:
            world = Snapshot(self, fresh=True)
            held = found.found if isinstance(found, HardStop) else found.value
            wanted = found.expected if isinstance(found, HardStop) else ""
            decision = stopped_by_store(world, by, command=command.name, key=found.key, held=held, wanted=wanted)
            return self._finish(self._pending(decision, by, world), [])

    def _record_refusal(self, command: Command, by: By, refusal: Refusal) -> None:
        if refusal.code not in RECORDED_REFUSALS:
            return
        state = self.state(PersonState, by.person)
        if state.exists:
            body = people.Refused(person=by.person, command=command.name, code=refusal.code, rule=refusal.rule)
            self.record([state.fact(body)], by)

    def _drafts(self, facts: Iterable[Fact], by: By, tags: tuple[str, ...] = ()) -> list[Draft]:
        return [self._draft(fact, by, tags) for fact in facts]

    def _draft(self, fact: Fact, by: By, tags: tuple[str, ...]) -> Draft:
        bound = binding(fact.stream, fact.body)
        return Draft(
            stream=fact.stream,
            type=fact.body.type,
            schema=fact.body.schema,
            body=write(fact.body),
            id=str(self._new_id()),
            actor=f"person/{by.person}",
            zone=self.zone,
            claimed_at=fact.claimed_at,
            source=by.source,
            reason=fact.reason,
            claims=bound.claims,
            expects=bound.expects,
            releases=bound.releases,
            tags=tuple(dict.fromkeys((*bound.tags, *tags))),
        )


RECORDED_REFUSALS = frozenset({
    "role-missing", "account-locked", "account-ended", "service-cannot-sign", "signing-not-enabled",
    "not-authorised-person", "same-person-twice", "roles-excluded", "own-role", "own-lock", "own-qualification",
    "role-not-for-this",
})  # fmt: skip
"""Refusals for lack of authority: attempts to pass them are part of the record (R022, R037)."""


def fold(state: State, event: Event) -> None:
    """Take one recorded event into a state."""
    body = read(event.type, event.schema, event.body)
    leaf = leaf_hash(Prepared(event).data(event.at, event.pos, event.version))
    seen = Seen(pos=event.pos, version=event.version, id=event.id, at=event.at, actor=event.actor, leaf=leaf)
    state.apply(body, seen)
    state.version += 1
