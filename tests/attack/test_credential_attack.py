"""Signing as somebody else: a key of one's own put on another's account, alone or under a stolen name."""

from datetime import timedelta

import msgspec
import pytest

from cellwright.command.enrolment import hand_over, typed
from cellwright.command.signing import Proof
from cellwright.factory import people
from cellwright.factory.credential import OFFER_HOLDS, OfferEnrolment, RegisterCredential, RevokeCredential
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal
from tests.command.enrolling import by_two_officers
from tests.command.test_desk import SINCE, Place, approve, place

__all__ = ["place"]


class Impostor:
    """An officer's own key, which he would like to call somebody else's."""

    def __init__(self, place: Place) -> None:
        self.place = place
        _, self.key = place.device.enrol("impostor")

    def sign(self, person: str, challenge: bytes) -> Proof:
        if person.startswith("SEC"):
            return self.place.device.sign(person, challenge)
        proof = self.place.device.sign("impostor", challenge)
        return msgspec.structs.replace(proof, credential="mine")

    def command(self, person: str, **more: str) -> RegisterCredential:
        return RegisterCredential(person=person, credential="mine", means="webauthn", public_key=self.key, simulated=True,
                                  **more)  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.requirement("R031")
def test_an_officer_puts_no_key_on_an_account_whose_holder_can_sign(place: Place) -> None:
    impostor = Impostor(place)
    with pytest.raises(Refusal) as found:
        place.desk.do(impostor.command("QA-1"), By(person="SEC-1"), impostor)
    assert found.value.code == "signature-invalid", "only a key of the holder that counts signs for a new one"
    assert set(place.desk.state(people.PersonState, "QA-1").credentials) == {"simulated-QA-1"}
    with pytest.raises(Refusal):
        place.desk.do(approve("1"), By(person="QA-1"), impostor)
    place.desk.do(impostor.command("QA-1"), By(person="SEC-1"), place.device)
    assert "mine" in place.desk.state(people.PersonState, "QA-1").credentials, "the holder signed for it"


@pytest.mark.requirement("R031")
def test_no_officer_resets_a_means_of_signing_alone(place: Place) -> None:
    desk, impostor = place.desk, Impostor(place)
    desk.do(RevokeCredential(person="QA-1", credential="simulated-QA-1", reason="lost"), By(person="SEC-1"))
    with pytest.raises(Refusal) as bare:
        desk.do(impostor.command("QA-1"), By(person="SEC-1"), impostor)
    assert bare.value.code == "secret-not-shown"
    handed = hand_over("QA-1")
    desk.do(handed.command, By(person="SEC-1"), impostor)
    with pytest.raises(Refusal) as same:
        desk.do(impostor.command("QA-1", secret=handed.secret), By(person="SEC-1"), impostor)
    assert same.value.code == "same-person-twice"
    with pytest.raises(Refusal) as guessed:
        desk.do(impostor.command("QA-1", secret="AAAAAA-AAAAAA-AAAAAA-AAAAAA"), By(person="SEC-2"), impostor)
    assert guessed.value.code == "secret-not-shown"
    outcome = desk.do(impostor.command("QA-1", secret=handed.secret), By(person="SEC-2"), impostor)
    assert outcome.events[0].body["vouched_by"] == "SEC-1"
    assert {e.body["person"] for e in outcome.events if e.type == "signature.applied"} == {"SEC-2"}
    desk.do(RevokeCredential(person="QA-1", credential="mine", reason="lost"), By(person="SEC-1"))
    with pytest.raises(Refusal) as twice:
        desk.do(impostor.command("QA-1", secret=handed.secret), By(person="SEC-2"), impostor)
    assert twice.value.code == "secret-not-shown", "a secret is shown once"


@pytest.mark.requirement("R031")
def test_a_secret_that_nobody_showed_in_time_opens_nothing(place: Place) -> None:
    desk, impostor = place.desk, Impostor(place)
    desk.do(RevokeCredential(person="QA-1", credential="simulated-QA-1", reason="lost"), By(person="SEC-1"))
    handed = hand_over("QA-1")
    desk.do(handed.command, By(person="SEC-1"), impostor)
    place.clock.advance(OFFER_HOLDS + timedelta(seconds=1))
    with pytest.raises(Refusal) as late:
        desk.do(impostor.command("QA-1", secret=handed.secret), By(person="SEC-2"), impostor)
    assert late.value.code == "secret-not-shown"


@pytest.mark.requirement("R031")
def test_an_officer_answers_not_for_himself_and_a_puppet_of_his_for_nobody(place: Place) -> None:
    desk, impostor = place.desk, Impostor(place)
    with pytest.raises(Refusal) as own:
        desk.do(OfferEnrolment(person="SEC-1", fingerprint="f"), By(person="SEC-1"), impostor)
    assert own.value.code == "own-credential"
    desk.do(people.Enrol(person="SEC-9", account="sec-9", printed_name="Nobody"), By(person="SEC-1"))
    desk.do(people.VerifyIdentity(person="SEC-9", evidence="none"), By(person="SEC-1"))
    now = people.stamp(place.clock())
    desk.do(people.GrantRole(person="SEC-9", role="security_officer", since=now), By(person="SEC-1"))
    handed = hand_over("SEC-9")
    desk.do(handed.command, By(person="SEC-1"), impostor)
    with pytest.raises(Refusal) as puppet:
        desk.do(impostor.command("SEC-9", secret=handed.secret), By(person="SEC-9"), impostor)
    assert puppet.value.code == "own-credential"


@pytest.mark.requirement("R031")
@pytest.mark.parametrize("same", ["credential", "key"])
def test_one_key_is_one_persons_for_ever(place: Place, same: str) -> None:
    desk = place.desk
    new = [
        Fact("person/QA-9", people.Enrolled(person="QA-9", account="qa-9", printed_name="QA-9")),
        Fact("person/QA-9", people.RoleGranted(person="QA-9", role="quality_assurance", since=SINCE)),
    ]
    desk.record(new, By(person="installation"))
    theirs = desk.state(people.PersonState, "QA-1").credentials["simulated-QA-1"]
    copied = RegisterCredential(
        person="QA-9", means="webauthn", simulated=True,
        credential=theirs.credential if same == "credential" else "another",
        public_key=theirs.public_key if same == "key" else place.device.enrol("x")[1],
    )  # fmt: skip
    desk.do(RevokeCredential(person="QA-1", credential="simulated-QA-1", reason="lost"), By(person="SEC-1"))
    with pytest.raises(Refusal) as taken:
        by_two_officers(desk, copied, place.device)
    assert taken.value.code == "already-taken"
    assert not desk.state(people.PersonState, "QA-9").credentials


@pytest.mark.requirement("R075")
def test_the_secret_stands_nowhere_in_the_record(place: Place) -> None:
    handed = hand_over("QA-1")
    assert typed(handed.secret.lower().replace("-", " ")) == handed.secret
    outcome = place.desk.do(handed.command, By(person="SEC-1"), place.device)
    assert handed.secret not in str([e.body for e in outcome.events])
    assert hand_over("QA-1").secret != handed.secret
