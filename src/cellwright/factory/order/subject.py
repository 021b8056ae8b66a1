"""A subject: a donor or a recipient, under a number that says nothing about the person.

Name, birth date and hospital number stand in sealed fields, encrypted under the subject's own key before a command is
made, so that the rules never see them and the record keeps nothing of them when the key is destroyed (D6, R075). The
wristband carries a number issued for this purpose and for nothing else; it is what a bedside scan is compared with.
"""

import re
from typing import Annotated, ClassVar

from cellwright.factory.identity import NAMES, RELEASES, SELF, TAKES, Pair, Person
from cellwright.factory.order.scan import two_people
from cellwright.factory.record import Body, Part, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command

SubjectName = Annotated[str, SELF("subject")]


class Sealed(Part):
    """A personal field under the subject's key: AES-256-GCM nonce and ciphertext, base64url."""

    enc: Annotated[str, NAMES("subject")]
    n: str
    c: str


NUMBER = re.compile(r"[A-Z]{1,4}-?[A-Z]{0,2}[0-9][0-9A-Z*-]{0,27}", re.ASCII)
"""A subject's number: nothing that can be read as somebody's name (law 9)."""


@event("subject.registered")
class Registered(Body):
    """A subject is known; everything personal is sealed."""

    subject: SubjectName
    personal: dict[str, Sealed]


@event("subject.personal_changed")
class PersonalChanged(Body):
    """A changed name or number: the new sealed fields supersede the old ones, which stay in the record (D1)."""

    subject: SubjectName
    personal: dict[str, Sealed]


@event("subject.wristband_issued")
class WristbandIssued(Body):
    """A wristband number belongs to this subject from here on; no other subject can have it."""

    subject: SubjectName
    wristband: Annotated[str, TAKES("label")]


@event("subject.wristband_voided")
class WristbandVoided(Body):
    """A lost or damaged wristband identifies nobody any more."""

    subject: SubjectName
    wristband: Annotated[str, RELEASES("label")]
    voided_by: Person
    verifier: Person


@event("subject.superseded")
class Superseded(Body):
    """This number turned out to be another subject's: what refers to it is read as the other from here on (D1)."""

    subject: SubjectName
    by: Annotated[str, NAMES("subject")]
    assessor: Person


@event("subject.key_destroyed")
class KeyDestroyed(Body):
    """The key of this subject's personal fields is destroyed for ever: at once, at every start and after every restore (D6)."""

    subject: SubjectName
    destroyed: Annotated[str, TAKES("subject")]
    """The same number: its claim keeps the list that every start reads."""
    assessor: Person
    verifier: Person
    law: str
    """Version of the retention rules it was judged by."""
    kept_until: str | None = None
    """The last day on which they kept the records; None where no rule applied."""
    grounds: tuple[str, ...] = ()
    """The rules that applied."""
    trial_ended_on: str | None = None
    document_sha256: str | None = None


@event("subject.paired")
class Paired(Body):
    """This subject is the recipient of a pair."""

    pair: Pair
    donor: Annotated[str, NAMES("subject")]


class SubjectState(State):
    """One subject."""

    room: ClassVar[str] = "subject"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.personal: dict[str, Sealed] = {}
        self.wristband: str | None = None
        self.superseded_by: str | None = None
        self.forgotten = False
        """Whether the key of the personal fields is destroyed."""
        self.pairs: dict[str, str] = {}
        """Pairs in which this subject is the recipient, by donor."""

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case Registered() | PersonalChanged():
                self.personal |= body.personal
            case WristbandIssued():
                self.wristband = body.wristband
            case WristbandVoided():
                self.wristband = None
            case Superseded():
                self.superseded_by = body.by
            case KeyDestroyed():
                self.forgotten = True
            case Paired():
                self.pairs[body.donor] = body.pair
            case _:
                pass


def known(world: World, subject: str) -> SubjectState:
    """The subject under this number.

    Raises:
        Refusal `unknown-subject`, or `subject-superseded` naming the number to be used.
    """
    state = world.load(SubjectState, subject)
    if not state.exists:
        raise Refusal(
            "unknown-subject",
            "There is no subject {subject}.",
            remedy="Register the subject first.",
            rule="R075",
            subject=subject,
        )
    if state.superseded_by is not None:
        raise Refusal(
            "subject-superseded",
            "{subject} was found to be the same person as {other}.",
            remedy="Use {other}.",
            rule="D1",
            subject=subject,
            other=state.superseded_by,
        )
    return state


def _own_key(subject: str, personal: dict[str, Sealed]) -> None:
    foreign = sorted(name for name, field in personal.items() if field.enc != subject)
    if foreign:
        raise Refusal(
            "sealed-for-another",
            "The fields {fields} are sealed under the key of another subject than {subject}.",
            remedy="Seal them under the key of this subject.",
            rule="R075",
            fields=", ".join(foreign),
            subject=subject,
        )


@command("subject.register", "coordinator")
class Register(Command):
    """Register a donor or a recipient under a new number."""

    subject: str
    personal: dict[str, Sealed]
    wristband: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        if not NUMBER.fullmatch(self.subject):
            raise Refusal(
                "not-a-number-for-a-person",
                "This is no number of a subject: a name or a birth date never stands in an identifier.",
                remedy="Take the number the site gives: a few capitals, then figures.",
                rule="R075",
            )
        state = world.load(SubjectState, self.subject)
        if state.exists:
            raise Refusal("subject-exists", "{subject} is registered already.", rule="D1", subject=self.subject)
        _own_key(self.subject, self.personal)
        facts = [state.fact(Registered(subject=self.subject, personal=self.personal))]
        if self.wristband is not None:
            facts.append(state.fact(WristbandIssued(subject=self.subject, wristband=self.wristband)))
        return Decision(facts=tuple(facts))


@command("subject.change_personal", "coordinator")
class ChangePersonal(Command):
    """Record a changed name or hospital number; the old one is superseded, not forgotten."""

    subject: str
    personal: dict[str, Sealed]
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.subject)
        _own_key(self.subject, self.personal)
        fact = state.fact(PersonalChanged(subject=self.subject, personal=self.personal), reason=self.reason)
        return Decision(facts=(fact,), sign=(Need(person=by.person, meaning="attested", role="coordinator"),))


@command("subject.issue_wristband", "coordinator", "nurse", "collection_nurse")
class IssueWristband(Command):
    """Give the subject a wristband number; the former one must have been voided."""

    subject: str
    wristband: str

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.subject)
        if state.wristband is not None:
            raise Refusal(
                "wristband-in-use",
                "{subject} wears wristband {wristband}.",
                remedy="Void it first, with a reason and a second person.",
                rule="R064",
                subject=self.subject,
                wristband=state.wristband,
            )
        return Decision(facts=(state.fact(WristbandIssued(subject=self.subject, wristband=self.wristband)),))


@command("subject.void_wristband", "nurse", "collection_nurse", "coordinator")
class VoidWristband(Command):
    """Void a wristband: a reason and two signatures, one of them quality assurance (D3)."""

    subject: str
    reason: str
    role: str
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.subject)
        if state.wristband is None:
            raise Refusal("no-wristband", "{subject} wears no wristband.", rule="R064", subject=self.subject)
        body = WristbandVoided(
            subject=self.subject, wristband=state.wristband, voided_by=by.person, verifier=self.verifier
        )
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.verifier, meaning="verified", role="quality_assurance"),
        )
        return Decision(facts=(state.fact(body, reason=self.reason),), sign=sign)


@command("subject.supersede", "quality_assurance")
class Supersede(Command):
    """Correct a merged number: this subject is the other one. Both stay in the record (D1)."""

    subject: str
    by: str
    reason: str
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        two_people(by.person, self.verifier)
        state, other = known(world, self.subject), known(world, self.by)
        if state.name == other.name:
            raise Refusal("same-subject", "{subject} cannot supersede itself.", rule="D1", subject=self.subject)
        if state.pairs:
            raise Refusal(
                "subject-has-pairs",
                "{subject} is the recipient of {pairs}: cells may already be bound to this number.",
                remedy="Quality assurance opens an identity case for each chain of identity of these pairs first.",
                rule="D1",
                subject=self.subject,
                pairs=", ".join(state.pairs.values()),
            )
        body = Superseded(subject=self.subject, by=self.by, assessor=by.person)
        sign = (
            Need(person=by.person, meaning="assessed", role="quality_assurance"),
            Need(person=self.verifier, meaning="verified", role="coordinator"),
        )
        return Decision(facts=(state.fact(body, reason=self.reason),), sign=sign)
