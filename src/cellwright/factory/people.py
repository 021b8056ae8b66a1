"""People: accounts, roles, qualifications, training, credentials, lock-outs, and who may sign what.

Every grant, refusal and lock-out is a fact on the person's own stream, so "who could release on date D" is answered
from history (R032). An account belongs to one person and is never reused: its claim is never released (R021). A
service account can hold roles to write observations, and can never sign, verify or approve (R037).
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, ClassVar, Literal, NamedTuple

from cellwright.factory.identity import NAMES, SELF, TAKES, Person
from cellwright.factory.record import Body, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command

CONTENT_ROLES = frozenset({
    "prescriber", "coordinator", "collection_nurse", "courier", "warehouse", "operator", "analyst",
    "quality_assurance", "authorised_person", "process_engineer", "planner", "cell_laboratory", "nurse", "physician",
})  # fmt: skip
"""Roles that touch the content of records."""
ADMINISTRATIVE_ROLES = frozenset({"security_officer", "administrator"})
"""Roles that administer the system; nobody holds one of these together with a content role (R023)."""
ROLES = CONTENT_ROLES | ADMINISTRATIVE_ROLES

MEANINGS = frozenset({
    "performed", "verified", "reviewed", "approved", "released", "rejected", "accepted", "handed_over", "received",
    "attested", "transcribed", "assessed", "prescribed", "requested",
})  # fmt: skip
"""What a signature can mean (21 CFR 11.50)."""
INDEPENDENT = (("performed", "verified"), ("transcribed", "verified"), ("handed_over", "received"))
"""Pairs of meanings that one person cannot give to the same content (D10, R041, R063)."""

FAILURES_BY_OTHERS = 50
"""Failures in a person's name from other people's sessions, after which the account is locked all the same (R029)."""
FAILURES_BEFORE_LOCK = 5
"""Consecutive failed sign-ins or signings after which the account is locked (R029; the number is a site decision)."""

Means = Literal["webauthn", "password_and_code"]
PersonName = Annotated[str, SELF("person")]


class Interval(NamedTuple):
    """A period of validity; `until` None is open. Times are ISO 8601 UTC strings, which compare as text."""

    since: str
    until: str | None

    def covers(self, at: str) -> bool:
        return self.since <= at and (self.until is None or at < self.until)

    def overlaps(self, other: "Interval") -> bool:
        """Whether there is a moment that both cover; an interval that was revoked before it began covers none."""
        began, first = max(self.since, other.since), min(self.until or ALWAYS, other.until or ALWAYS)
        return began < first


ALWAYS = "~"
"""Later than any time as text."""
STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z")


def stamp(at: datetime) -> str:
    """ISO 8601 UTC with microseconds and Z: the form of every time in the ledger."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# --- facts ---------------------------------------------------------------------------------------------------------


@event("person.enrolled")
class Enrolled(Body):
    """An account is opened for one person, or for one service."""

    person: PersonName
    account: Annotated[str, TAKES("account")]
    printed_name: str
    kind: Literal["person", "service"] = "person"


@event("person.identity_verified")
class IdentityVerified(Body):
    """The person's identity was checked and the accountability statement signed; from here on signing is enabled (R033)."""

    person: PersonName
    evidence: str


@event("person.role_granted")
class RoleGranted(Body):
    """The person holds the role from here on (R022, R032)."""

    person: PersonName
    role: str
    since: str
    until: str | None = None


@event("person.role_revoked")
class RoleRevoked(Body):
    """The person no longer holds the role."""

    person: PersonName
    role: str
    at: str


@event("person.qualified")
class Qualified(Body):
    """A qualification in force over an interval, for example `aseptic_processing` or `authorised_person`."""

    person: PersonName
    qualification: str
    since: str
    until: str | None = None


@event("person.trained")
class Trained(Body):
    """Training for one version of one recipe or procedure (R034)."""

    person: PersonName
    procedure: str
    version: str
    since: str
    until: str | None = None


@event("person.credential_registered")
class CredentialRegistered(Body):
    """A public key the person signs with. `public_key`: P-256 point of a WebAuthn credential (65 bytes) or Ed25519 key, base64url."""

    person: PersonName
    credential: Annotated[str, TAKES("credential")]
    """Never another account's, nor this one's again once it was revoked."""
    means: Means
    public_key: Annotated[str, TAKES("key")]
    simulated: bool = False
    vouched_by: str | None = None
    """The second security officer, where no means of the person's own could sign for it."""


@event("person.enrolment_offered")
class EnrolmentOffered(Body):
    """A secret was handed over to the person, who shows it once when a means of signing is registered."""

    person: PersonName
    fingerprint: str
    """SHA-256 of the secret, hex; the secret itself is random, long, and written down nowhere."""
    until: str
    officer: Annotated[str, NAMES("person")]


@event("person.credential_revoked")
class CredentialRevoked(Body):
    """A lost or replaced means of signing signs nothing from here on (R031)."""

    person: PersonName
    credential: str


@event("person.signed_in")
class SignedIn(Body):
    """Both factors were shown and a session began (R032)."""

    person: PersonName
    means: str


@event("person.signed_out")
class SignedOut(Body):
    """The session ended."""

    person: PersonName
    cause: Literal["person", "idle", "ended"] = "person"


@event("person.sign_in_failed")
class SignInFailed(Body):
    """A failed sign-in or signing; the account's lock follows from their number."""

    person: PersonName
    purpose: Literal["sign_in", "signature"] = "sign_in"
    given_by: Person | None = None
    """Whose session it came from, where that is somebody else's: then the terminal stops, not the account."""


@event("person.locked")
class Locked(Body):
    """The account is locked after repeated failures; the security officer is alerted by this fact (R029)."""

    person: PersonName
    failures: int
    alerts: tuple[str, ...] = ("security_officer",)


@event("person.unlocked")
class Unlocked(Body):
    """Somebody else lifted the lock of the account (R029)."""

    person: PersonName


@event("person.deactivated")
class Deactivated(Body):
    """The account ends. It is never deleted and its name never given again (R021)."""

    person: PersonName


@event("person.refused")
class Refused(Body):
    """A command that was refused: who asked for what, and which rule stood against it (OWASP ASVS 16.3.2)."""

    person: PersonName
    command: str
    code: str
    rule: str = ""


# --- state ---------------------------------------------------------------------------------------------------------


class PersonState(State):
    """One account: what it may do, when."""

    room: ClassVar[str] = "person"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.kind: Literal["person", "service"] = "person"
        self.account = ""
        self.printed_name = ""
        self.active = False
        self.locked = False
        self.signing_enabled = False
        self.failures = 0
        self.failures_by_others = 0
        self.last_sign_in: str | None = None
        self.roles: dict[str, list[Interval]] = {}
        self.qualifications: dict[str, list[Interval]] = {}
        self.training: dict[tuple[str, str], list[Interval]] = {}
        self.credentials: dict[str, CredentialRegistered] = {}
        self.offer: EnrolmentOffered | None = None
        """The enrolment that was offered last and not used yet."""

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case Enrolled():
                self.kind, self.account, self.printed_name = body.kind, body.account, body.printed_name
                self.active = True
            case IdentityVerified():
                self.signing_enabled = True
            case RoleGranted():
                self.roles.setdefault(body.role, []).append(Interval(body.since, body.until))
            case RoleRevoked():
                self.roles[body.role] = [_cut(i, body.at) for i in self.roles.get(body.role, ())]
            case Qualified():
                self.qualifications.setdefault(body.qualification, []).append(Interval(body.since, body.until))
            case Trained():
                self.training.setdefault((body.procedure, body.version), []).append(Interval(body.since, body.until))
            case CredentialRegistered():
                self.credentials[body.credential] = body
                self.offer = None
            case EnrolmentOffered():
                self.offer = body
            case CredentialRevoked():
                self.credentials.pop(body.credential, None)
            case SignInFailed() if body.given_by is not None:
                self.failures_by_others += 1
            case SignInFailed():
                self.failures += 1
            case SignedIn():
                self.failures, self.failures_by_others, self.last_sign_in = 0, 0, seen.at
            case Locked():
                self.locked = True
            case Unlocked():
                self.locked, self.failures, self.failures_by_others = False, 0, 0
            case Deactivated():
                self.active = False
            case _:
                pass

    def holds(self, role: str, at: datetime) -> bool:
        """Whether the person holds the role at this moment."""
        return _covered(self.roles.get(role, ()), at)

    def qualified(self, qualification: str, at: datetime) -> bool:
        """Whether the qualification is in date at this moment."""
        return _covered(self.qualifications.get(qualification, ()), at)

    def trained(self, procedure: str, version: str, at: datetime) -> bool:
        """Whether training for this version is in date at this moment (R034)."""
        return _covered(self.training.get((procedure, version), ()), at)


def _covered(intervals: Iterable[Interval], at: datetime) -> bool:
    moment = stamp(at)
    return any(i.covers(moment) for i in intervals)


def _cut(interval: Interval, at: str) -> Interval:
    ends = interval.until is None or interval.until > at
    return Interval(interval.since, at) if ends else interval


def load(world: World, person: str) -> PersonState:
    return world.load(PersonState, person)


# --- rules ---------------------------------------------------------------------------------------------------------


def may_act(person: PersonState, roles: frozenset[str], at: datetime) -> Refusal | None:
    """Whether the account may give a command that these roles may give; default deny (R022)."""
    if not person.exists:
        return Refusal("unknown-person", "There is no account {person}.", rule="R022", person=person.name)
    if not person.active:
        return Refusal("account-ended", "The account {person} is deactivated.", rule="R021", person=person.name)
    if person.locked:
        return Refusal(
            "account-locked",
            "The account {person} is locked after repeated failures.",
            remedy="A security officer unlocks it; a second qualified person can take over the step at once.",
            rule="R029",
            person=person.name,
        )
    if not any(person.holds(role, at) for role in roles):
        return Refusal(
            "role-missing",
            "{person} holds none of the roles that may do this: {roles}.",
            remedy="Ask somebody who holds the role, or have it granted.",
            rule="R022",
            person=person.name,
            roles=", ".join(sorted(roles)) or "-",
        )
    return None


def may_sign(person: PersonState, need: Need, at: datetime) -> Refusal | None:
    """Whether the person may give this signature (R033, R035, R037)."""
    assert need.meaning in MEANINGS, need.meaning
    if person.kind == "service":
        return Refusal(
            "service-cannot-sign", "{person} is a service account and cannot sign.", rule="R037", person=person.name
        )
    refusal = may_act(person, frozenset({need.role}), at)
    if refusal is not None:
        return refusal
    if not person.signing_enabled:
        return Refusal(
            "signing-not-enabled",
            "{person} cannot sign yet: identity verification and the accountability statement are missing.",
            remedy="A security officer records both.",
            rule="R033",
            person=person.name,
        )
    if need.meaning == "released" and not person.qualified("authorised_person", at):
        return Refusal(
            "not-authorised-person",
            "{person} is not a qualified or authorised person at this moment.",
            remedy="Only a person with the qualification in date can certify release.",
            rule="R035",
            person=person.name,
        )
    return None


def separated(needs: Iterable[Need]) -> Refusal | None:
    """Whether the signatures asked for one content are given by different people where they must be (D10)."""
    given: dict[str, set[str]] = {}
    for need in needs:
        given.setdefault(need.meaning, set()).add(need.person)
    for first, second in INDEPENDENT:
        both = given.get(first, set()) & given.get(second, set())
        if both:
            return Refusal(
                "same-person-twice",
                "{person} cannot give both signatures: {first} and {second}.",
                remedy="A second qualified person signs.",
                rule="R023",
                person=sorted(both)[0],
                first=first,
                second=second,
            )
    return None


def excluded(person: PersonState, role: str, during: Interval) -> Refusal | None:
    """Whether granting a role would give one person both administration and content at any moment (R023)."""
    others = ADMINISTRATIVE_ROLES if role in CONTENT_ROLES else CONTENT_ROLES
    held = sorted(r for r in others if any(during.overlaps(i) for i in person.roles.get(r, ())))
    if held:
        return Refusal(
            "roles-excluded",
            "{person} holds {held} and cannot also hold {role}.",
            remedy="Administration and content are kept apart: revoke the one or grant the other to somebody else.",
            rule="R023",
            person=person.name,
            held=", ".join(held),
            role=role,
        )
    return None


def interval(since: str, until: str | None) -> Interval:
    """A period of validity as it was given.

    Raises:
        Refusal `not-a-period`: a time is not written as the ledger writes times, or the end is not after the beginning.
    """
    if not all(STAMP.fullmatch(at) for at in (since, until) if at is not None) or since >= (until or ALWAYS):
        raise Refusal(
            "not-a-period",
            "From {since} until {until} is not a period.",
            remedy="Times are UTC with microseconds, like 2026-03-02T08:12:00.000000Z, and the end is after the beginning.",
            rule="R032",
            since=since,
            until=until or "-",
        )
    return Interval(since, until)


# --- commands ------------------------------------------------------------------------------------------------------


@command("person.enrol", "security_officer")
class Enrol(Command):
    """Open an account."""

    person: Annotated[str, NAMES("person")]
    account: str
    printed_name: str
    kind: Literal["person", "service"] = "person"

    def decide(self, world: World, by: By) -> Decision:
        state = load(world, self.person)
        if state.exists:
            raise Refusal("person-exists", "{person} is enrolled already.", rule="R021", person=self.person)
        body = Enrolled(person=self.person, account=self.account, printed_name=self.printed_name, kind=self.kind)
        return Decision(facts=(state.fact(body),))


def existing(world: World, name: str) -> PersonState:
    state = load(world, name)
    if not state.exists or not state.active:
        raise Refusal("unknown-person", "There is no active account {person}.", rule="R021", person=name)
    return state


@command("person.verify_identity", "security_officer")
class VerifyIdentity(Command):
    """Record that identity was verified and the accountability statement signed."""

    person: str
    evidence: str

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        if state.kind == "service":
            raise Refusal(
                "service-cannot-sign", "{person} is a service account and cannot sign.", rule="R037", person=self.person
            )
        return Decision(facts=(state.fact(IdentityVerified(person=self.person, evidence=self.evidence)),))


@command("person.grant_role", "security_officer")
class GrantRole(Command):
    person: str
    role: str
    since: str
    until: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        if self.role not in ROLES:
            raise Refusal("unknown-role", "There is no role {role}.", rule="R022", role=self.role)
        if by.person == self.person:
            raise Refusal("own-role", "{person} cannot grant a role to themselves.", rule="R023", person=self.person)
        during = interval(self.since, self.until)
        refusal = excluded(state, self.role, during)
        if refusal is not None:
            raise refusal
        if self.since < stamp(world.now):
            raise Refusal(
                "backdated",
                "A role cannot be granted from {since}, which is over.",
                remedy="Grant it from now on: who could do what on a day is answered from what was on record then.",
                rule="R032",
                since=self.since,
            )
        body = RoleGranted(person=self.person, role=self.role, since=self.since, until=self.until)
        return Decision(facts=(state.fact(body),))


@command("person.revoke_role", "security_officer")
class RevokeRole(Command):
    person: str
    role: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        body = RoleRevoked(person=self.person, role=self.role, at=stamp(world.now))
        return Decision(facts=(state.fact(body, reason=self.reason),))


def _by_another(by: By, person: str) -> None:
    """Raises Refusal `own-qualification`: nobody says of themselves that they are fit (R023, R035)."""
    if by.person == person:
        raise Refusal(
            "own-qualification",
            "{person} cannot record their own qualification or training.",
            remedy="A second person records it.",
            rule="R035",
            person=person,
        )


@command("person.qualify", "quality_assurance", "security_officer")
class Qualify(Command):
    person: str
    qualification: str
    since: str
    until: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        _by_another(by, self.person)
        interval(self.since, self.until)
        body = Qualified(person=self.person, qualification=self.qualification, since=self.since, until=self.until)
        return Decision(facts=(state.fact(body),))


@command("person.train", "quality_assurance", "process_engineer")
class Train(Command):
    person: str
    procedure: str
    version: str
    since: str
    until: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        _by_another(by, self.person)
        interval(self.since, self.until)
        body = Trained(
            person=self.person, procedure=self.procedure, version=self.version, since=self.since, until=self.until
        )
        return Decision(facts=(state.fact(body),))


@command("person.unlock", "security_officer")
class Unlock(Command):
    """A second person unlocks an account; nobody unlocks their own."""

    person: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        if by.person == self.person:
            raise Refusal("own-lock", "{person} cannot unlock their own account.", rule="R029", person=self.person)
        return Decision(facts=(state.fact(Unlocked(person=self.person), reason=self.reason),))


@command("person.deactivate", "security_officer")
class Deactivate(Command):
    person: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        return Decision(facts=(state.fact(Deactivated(person=self.person), reason=self.reason),))


def failed(person: PersonState, purpose: Literal["sign_in", "signature"], given_by: str | None = None) -> list[Body]:
    """The facts of a failed authentication: the failure, and the lock once there are too many.

    Args:
        given_by: whose session it came from, where that is somebody else's.
    """
    facts: list[Body] = [SignInFailed(person=person.name, purpose=purpose, given_by=given_by)]
    own, others = person.failures + (given_by is None), person.failures_by_others + (given_by is not None)
    if (own >= FAILURES_BEFORE_LOCK or others >= FAILURES_BY_OTHERS) and not person.locked:
        facts.append(Locked(person=person.name, failures=own + others))
    return facts
