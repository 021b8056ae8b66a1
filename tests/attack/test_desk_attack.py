"""Attacks on the desk: roles signed as one pleases, decisions kept until they are stale, texts nothing can hold."""

from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import pytest

from cellwright.command import signing
from cellwright.command.signing import Proof
from cellwright.factory import people
from cellwright.factory.order import subject
from cellwright.factory.order.bedside import CheckIdentity
from cellwright.factory.order.scan import Scan
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World
from tests.command.test_desk import RELYING, SINCE, Place, approve, place
from tests.factory.order.scene import Scene, refused

__all__ = ["place"]

NOON = "2026-03-02T12:00:00.000000Z"
QA = By(person="QA-1")


@pytest.mark.requirement("R022")
@pytest.mark.requirement("R073")
def test_nobody_verifies_at_the_bedside_in_a_role_of_elsewhere(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(self: CheckIdentity, world: World, by: By) -> Decision:
        """As it decides once everything agrees."""
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
        )
        return Decision(facts=(), sign=sign)

    monkeypatch.setattr(CheckIdentity, "decide", decide)
    nurse = people.RoleGranted(person="RN-1", role="nurse", since=SINCE)
    verified = people.IdentityVerified(person="RN-1", evidence="test")
    enrolled = people.Enrolled(person="RN-1", account="rn-1", printed_name="RN-1")
    place.desk.record([Fact("person/RN-1", one) for one in (enrolled, verified, nurse)], By(person="installation"))
    check = CheckIdentity(order="O", stage="infusion", wristband=Scan(text="W"), bag=Scan(text="B"), role="nurse",
                          verifier="SEC-1", verifier_role="security_officer")  # fmt: skip
    with pytest.raises(Refusal) as found:
        place.desk.prepare(check, By(person="RN-1"))
    assert found.value.code == "role-not-for-this"


@pytest.mark.requirement("R035")
@pytest.mark.parametrize(
    "command",
    [
        people.Qualify(person="QA-1", qualification="authorised_person", since=SINCE),
        people.Train(person="QA-1", procedure="r", version="1", since=SINCE),
    ],
)
def test_nobody_qualifies_or_trains_themselves(place: Place, command: Command) -> None:
    with pytest.raises(Refusal) as found:
        place.desk.do(command, QA, place.device)
    assert found.value.code == "own-qualification"
    assert place.ledger.stream("person/QA-1")[-1].type == "person.refused"
    place.desk.do(command, By(person="QA-2"), place.device)


@pytest.mark.requirement("R032")
def test_a_decision_kept_until_the_role_has_ended_is_not_recorded(place: Place) -> None:
    place.desk.record(
        [
            Fact("person/QA-3", people.Enrolled(person="QA-3", account="qa-3", printed_name="QA-3")),
            Fact("person/QA-3", people.IdentityVerified(person="QA-3", evidence="test")),
            Fact("person/QA-3", people.RoleGranted(person="QA-3", role="quality_assurance", since=SINCE, until=NOON)),
        ],
        By(person="installation"),
    )
    name, key = place.device.enrol("QA-3")
    credential = people.CredentialRegistered(
        person="QA-3", credential=name, means="webauthn", public_key=key, simulated=True
    )
    place.desk.record([Fact("person/QA-3", credential)], By(person="installation"))
    pending = place.desk.prepare(approve("1"), By(person="QA-3"))
    proofs = [place.device.sign(person, challenge) for person, challenge in pending.challenges()]
    place.clock.set(datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC))
    with pytest.raises(Refusal) as found:
        place.desk.commit(pending, proofs)
    assert found.value.code == "role-missing"
    assert not place.ledger.stream("definition/recipe")


@pytest.mark.requirement("R044")
def test_half_a_character_is_refused_and_nothing_is_recorded(place: Place) -> None:
    before = place.ledger.head().size
    with pytest.raises(Refusal) as found:
        place.desk.do(people.VerifyIdentity(person="\ud800", evidence="e"), By(person="SEC-1"))
    assert (found.value.code, place.ledger.head().size) == ("text-not-readable", before)


@pytest.mark.requirement("R018")
@pytest.mark.parametrize("named", ["", "a" * 63, "A" * 64, "../../site.toml", "g" * 64])
def test_a_document_is_named_by_its_hash_or_not_at_all(place: Place, named: str) -> None:
    before = place.ledger.head().size
    with pytest.raises(Refusal) as found:
        place.desk.do(msgspec.structs.replace(approve("1"), sha256=named), QA, place.device)
    assert (found.value.code, place.ledger.head().size) == ("not-a-hash", before)


@pytest.mark.requirement("R017")
def test_a_document_is_in_the_store_before_a_command_names_it(place: Place) -> None:
    before = place.ledger.head().size
    place.not_stored.add("0" * 64)
    with pytest.raises(Refusal) as found:
        place.desk.do(approve("1"), QA, place.device)
    assert (found.value.code, place.ledger.head().size) == ("file-not-stored", before)
    place.not_stored.clear()
    pending = place.desk.prepare(approve("1"), QA)
    proofs = [place.device.sign(person, challenge) for person, challenge in pending.challenges()]
    place.not_stored.add("0" * 64)
    with pytest.raises(Refusal) as gone:
        place.desk.commit(pending, proofs)
    assert (gone.value.code, place.ledger.head().size) == ("file-not-stored", before), (
        "it went while it was being signed"
    )


@pytest.mark.requirement("R075")
@pytest.mark.parametrize("name", ["Zhang San", "ZHANG-19800101", "张三", "Zhang San 1980-01-01", "a@b.cn", ""])
def test_a_person_is_registered_under_a_number_never_a_name(name: str) -> None:
    scene = Scene()
    with refused("not-a-number-for-a-person"):
        scene.do(subject.Register(subject=name, personal={}), "CO-1")


@pytest.mark.requirement("R028")
@pytest.mark.parametrize("client", [b"[]", b"null", b"7", b"[" * 100_000, b"\xff"])
@pytest.mark.parametrize("authenticator", [b"", sha256(RELYING.id.encode()).digest()])
def test_a_proof_that_is_no_assertion_is_refused_and_counted(place: Place, client: bytes, authenticator: bytes) -> None:
    pending = place.desk.prepare(approve("1"), QA)
    parts = {name: signing.text(value) for name, value in
             (("client", client), ("authenticator", authenticator), ("signature", b""))}  # fmt: skip
    with pytest.raises(Refusal) as found:
        place.desk.commit(pending, [Proof(means="webauthn", credential="simulated-QA-1", parts=parts)])
    assert found.value.code == "signature-invalid"
    assert place.ledger.stream("person/QA-1")[-1].type == "person.sign_in_failed"
    assert not place.ledger.stream("definition/recipe")
