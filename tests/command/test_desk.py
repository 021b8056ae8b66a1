"""The desk: what a command becomes, who may give it, what is signed, and what happens when two are at it at once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from cellwright.command import signing
from cellwright.command.definitions import Definitions
from cellwright.command.desk import Desk
from cellwright.command.issuing import Issuing
from cellwright.command.signing import Proof, Relying, SoftwareAuthenticator
from cellwright.factory import approval, people
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal
from cellwright.factory.signature import SignatureApplied
from cellwright.identifier.isbt128.facility import FacilityNumber
from cellwright.ledger import Ledger, SimulatedClock, Unavailable, open_ledger

SINCE = "2020-01-01T00:00:00.000000Z"
RELYING = Relying("localhost", ("https://localhost",))


def missing(sha256: str) -> bytes:
    raise AssertionError(f"no definition is read here: {sha256}")


class Place:
    """A ledger in memory, a desk, people with software authenticators."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(datetime(2026, 3, 2, tzinfo=UTC))
        self.ledger: Ledger = open_ledger("memory:", clock=self.clock, create=True)
        issuing = Issuing(self.ledger, FacilityNumber("A9999"), "Asia/Shanghai", uuid4)
        self.desk = Desk(
            self.ledger,
            clock=self.clock,
            zone="Asia/Shanghai",
            definitions=Definitions(missing),
            issuing=issuing,
            relying=RELYING,
            simulated=True,
            holds=lambda sha256: sha256 not in self.not_stored,
            new_id=uuid4,
        )
        self.not_stored: set[str] = set()
        """Hashes whose files the store lacks; it has every other."""
        self.device = SoftwareAuthenticator(RELYING)
        for name, roles in (
            ("SEC-1", ("security_officer",)),
            ("SEC-2", ("security_officer",)),
            ("QA-1", ("quality_assurance",)),
            ("QA-2", ("quality_assurance",)),
            ("PE-1", ("process_engineer",)),
        ):
            credential, key = self.device.enrol(name)
            bodies = [
                people.Enrolled(person=name, account=name.lower(), printed_name=f"{name} printed"),
                people.IdentityVerified(person=name, evidence="test"),
                *(people.RoleGranted(person=name, role=role, since=SINCE) for role in roles),
                people.CredentialRegistered(
                    person=name, credential=credential, means="webauthn", public_key=key, simulated=True
                ),
            ]
            self.desk.record([Fact(f"person/{name}", b) for b in bodies], By(person="installation"))


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.ledger.close()


def approve(version: str, author: str = "PE-1") -> approval.Approve:
    return approval.Approve(kind="recipe", definition="r", version=version, sha256="0" * 64, author=author)


QA = By(person="QA-1", source="terminal/qa")


def test_a_command_becomes_events_and_a_signature(place: Place) -> None:
    outcome = place.desk.do(approve("1"), QA, place.device)
    approved, signature = outcome.events
    assert (approved.type, signature.type) == ("definition.approved", "signature.applied")
    assert approved.actor == "person/QA-1" and approved.source == "terminal/qa"
    assert signature.body["printed_name"] == "QA-1 printed"
    assert signature.body["contents"] == [signing.content(place.ledger.event(approved.pos))]
    assert place.ledger.claim(f"nonce/{signature.body['nonce']}") is not None


@pytest.mark.requirement("R024")
@pytest.mark.requirement("R025")
def test_being_signed_in_is_not_a_signature(place: Place) -> None:
    before = place.ledger.head().size
    with pytest.raises(Refusal, match="QA-1") as refused:
        place.desk.do(approve("1"), QA)
    assert refused.value.code == "signature-needed"
    assert place.ledger.head().size == before


class Forger:
    """Signs with somebody's device, but hands the proof of something else, or another's."""

    def __init__(self, device: SoftwareAuthenticator, how: str) -> None:
        self.device, self.how = device, how

    def sign(self, person: str, challenge: bytes) -> Proof:
        match self.how:
            case "another challenge":
                return self.device.sign(person, b"\0" * 32)
            case "another person":
                return self.device.sign("QA-2", challenge)
            case "another person under this name":
                return msgspec.structs.replace(self.device.sign("QA-2", challenge), credential=f"simulated-{person}")
            case "not verified":
                proof = self.device.sign(person, challenge)
                flags = bytearray(signing.data(proof.parts["authenticator"]))
                flags[32] &= ~signing.USER_VERIFIED
                return msgspec.structs.replace(
                    proof, parts={**proof.parts, "authenticator": signing.text(bytes(flags))}
                )
            case "no proof":
                return msgspec.structs.replace(self.device.sign(person, challenge), parts={})
            case _:
                raise AssertionError(self.how)


@pytest.mark.requirement("R027")
@pytest.mark.requirement("R028")
@pytest.mark.parametrize(
    "how", ["another challenge", "another person", "another person under this name", "not verified", "no proof"]
)
def test_a_forged_signature_records_nothing_but_the_failure(place: Place, how: str) -> None:
    before = place.ledger.head().size
    with pytest.raises(Refusal) as refused:
        place.desk.do(approve("1"), QA, Forger(place.device, how))
    assert refused.value.code == "signature-invalid"
    said = [event.type for event in place.ledger.read(before)]
    assert said == ["person.sign_in_failed"]


@pytest.mark.requirement("R029")
def test_repeated_failed_signatures_lock_the_account(place: Place) -> None:
    for _ in range(people.FAILURES_BEFORE_LOCK):
        with pytest.raises(Refusal, match="not valid"):
            place.desk.do(approve("1"), QA, Forger(place.device, "another challenge"))
    with pytest.raises(Refusal) as refused:
        place.desk.do(approve("1"), QA, place.device)
    assert refused.value.code == "account-locked"
    assert [e.type for e in place.ledger.stream("person/QA-1")][-2:] == ["person.locked", "person.refused"]
    place.desk.do(people.Unlock(person="QA-1", reason="seen in person"), By(person="SEC-1"))
    place.desk.do(approve("1"), QA, place.device)


@pytest.mark.requirement("R022")
def test_a_refused_attempt_without_authority_is_on_record(place: Place) -> None:
    with pytest.raises(Refusal) as refused:
        place.desk.do(approve("1"), By(person="SEC-1"), place.device)
    assert refused.value.code == "role-missing"
    last = place.ledger.stream("person/SEC-1")[-1]
    assert (last.type, last.body["command"]) == ("person.refused", "definition.approve")


@pytest.mark.requirement("R027")
def test_what_was_looked_at_is_what_is_recorded(place: Place) -> None:
    """Between looking and signing somebody else changed the record: the signature is refused."""
    pending = place.desk.prepare(approve("1"), QA)
    proofs = [place.device.sign(person, challenge) for person, challenge in pending.challenges()]
    place.desk.do(approve("0"), By(person="QA-2"), place.device)
    with pytest.raises(Refusal) as refused:
        place.desk.commit(pending, proofs)
    assert refused.value.code == "record-moved"
    again = place.desk.prepare(approve("1"), QA)
    outcome = place.desk.commit(again, [place.device.sign(p, c) for p, c in again.challenges()])
    assert outcome.events[0].version == 2


@pytest.mark.requirement("R028")
def test_a_signature_cannot_be_used_a_second_time(place: Place) -> None:
    pending = place.desk.prepare(approve("1"), QA)
    proofs = [place.device.sign(person, challenge) for person, challenge in pending.challenges()]
    place.desk.commit(pending, proofs)
    moved = place.desk.prepare(approve("2"), QA)
    with pytest.raises(Refusal) as refused:
        place.desk.commit(moved, proofs)
    assert refused.value.code == "signature-invalid"


@pytest.mark.requirement("R037")
def test_a_simulated_credential_is_worth_nothing_on_a_real_site(place: Place) -> None:
    place.desk.simulated = False
    with pytest.raises(Refusal, match="simulated sites only"):
        place.desk.do(approve("1"), QA, place.device)


@pytest.mark.requirement("R028")
def test_any_change_of_a_signed_statement_is_seen(place: Place) -> None:
    outcome = place.desk.do(approve("1"), QA, place.device)
    body = outcome.events[-1].body
    signature = msgspec.convert(body, SignatureApplied)
    person = place.desk.state(people.PersonState, "QA-1")
    assert signing.check(signature, person, RELYING, simulated_site=True) is None
    for name in SignatureApplied.statement_fields:
        value = getattr(signature, name)
        other = value + 1 if isinstance(value, int) else (*value, "f" * 64) if isinstance(value, tuple) else value + "x"
        changed = msgspec.structs.replace(signature, **{name: other})
        assert signing.check(changed, person, RELYING, simulated_site=True) is not None, name


def test_commands_of_one_round_that_meet_are_judged_again(place: Place) -> None:
    outcomes = place.desk.round([(approve(str(n)), QA) for n in range(3)] + [(approve("1"), QA)], place.device)
    assert [getattr(o, "code", "recorded") for o in outcomes] == ["recorded", "recorded", "recorded", "version-exists"]
    assert place.ledger.version("definition/recipe") == 6


def test_numbers_are_issued_in_blocks_and_never_twice(place: Place) -> None:
    now = place.clock()
    first = [place.desk.issuing.next("lot", now) for _ in range(450)]
    other = Issuing(place.ledger, FacilityNumber("A9999"), "UTC", lambda: UUID(int=uuid4().int))
    second = [other.next("lot", now) for _ in range(10)]
    assert len(set(first + second)) == 460
    assert place.ledger.version("issuer/lot-2026") == 4


class Forgetful:
    """A ledger whose answer gets lost after it was written, as when a connection breaks after the commit."""

    def __init__(self, ledger: Ledger, losses: int) -> None:
        self._ledger, self.losses = ledger, losses

    def append(self, drafts: object, expected: object) -> object:
        events = self._ledger.append(drafts, expected)  # type: ignore[arg-type]
        if self.losses:
            self.losses -= 1
            raise Unavailable("the connection broke")
        return events

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)


@pytest.mark.requirement("R016")
def test_a_lost_answer_is_asked_for_again_and_nothing_is_written_twice(place: Place) -> None:
    place.desk.ledger = Forgetful(place.ledger, losses=2)  # type: ignore[assignment]
    outcome = place.desk.do(approve("1"), QA, place.device)
    assert [e.type for e in outcome.events] == ["definition.approved", "signature.applied"]
    assert place.ledger.version("definition/recipe") == 2


def test_a_store_that_stays_away_is_said_so(place: Place) -> None:
    place.desk.ledger = Forgetful(place.ledger, losses=99)  # type: ignore[assignment]
    with pytest.raises(Refusal) as refused:
        place.desk.do(approve("1"), QA, place.device)
    assert refused.value.code == "record-unavailable"


def test_a_refusal_in_a_round_is_recorded_once(place: Place) -> None:
    (refused,) = place.desk.round([(approve("1"), By(person="SEC-1"))], place.device)
    assert isinstance(refused, Refusal) and refused.code == "role-missing"
    said = [e.type for e in place.ledger.stream("person/SEC-1")]
    assert said.count("person.refused") == 1
