"""Locking a colleague out with garbage, guessing without end, and a copied key after a restart."""

from datetime import timedelta

import pytest

from cellwright.command import signing
from cellwright.command.desk import Desk
from cellwright.command.signing import Proof
from cellwright.factory import people
from cellwright.factory.order.bedside import CheckIdentity
from cellwright.factory.order.scan import Scan
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Decision, Need, Refusal, World
from cellwright.factory.terminal import FAILURES, PERIOD, TerminalState
from tests.command.test_desk import QA, SINCE, Place, approve, place

__all__ = ["place"]

STRANGER = By(person="RN-1", source="browser/10.0.0.9")
GARBAGE = Proof(
    means="webauthn", credential="simulated-QA-1", parts={"client": "", "authenticator": "", "signature": ""}
)


@pytest.fixture
def ward(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A nurse whose command a colleague, QA-1, has to sign beside her."""

    def decide(self: CheckIdentity, world: World, by: By) -> Decision:
        return Decision(facts=(), sign=(Need(person="QA-1", meaning="verified", role="quality_assurance"),))

    monkeypatch.setattr(CheckIdentity, "decide", decide)
    monkeypatch.setattr(CheckIdentity, "roles", frozenset({"nurse", "quality_assurance"}))
    facts = (
        people.Enrolled(person="RN-1", account="rn-1", printed_name="RN-1"),
        people.RoleGranted(person="RN-1", role="nurse", since=SINCE),
    )
    place.desk.record([Fact("person/RN-1", fact) for fact in facts], By(person="installation"))
    return place


def offer(ward: Place, by: By = STRANGER) -> str:
    check = CheckIdentity(order="O", stage="infusion", wristband=Scan(text="W"), bag=Scan(text="B"), role="nurse",
                          verifier="QA-1", verifier_role="quality_assurance")  # fmt: skip
    with pytest.raises(Refusal) as found:
        ward.desk.commit(ward.desk.prepare(check, by), [GARBAGE])
    return found.value.code


@pytest.mark.requirement("R029")
def test_garbage_in_a_colleagues_name_stops_the_terminal_and_locks_nobody_out(ward: Place) -> None:
    for _ in range(FAILURES):
        assert offer(ward) == "signature-invalid"
    assert offer(ward) == "terminal-stopped"
    colleague = ward.desk.state(people.PersonState, "QA-1")
    assert (colleague.locked, colleague.failures, colleague.failures_by_others) == (False, 0, FAILURES)
    ward.desk.do(approve("1"), QA, ward.device)
    last = [e for e in ward.ledger.read() if e.type == "terminal.stopped"][-1]
    assert (last.stream, last.body["given_by"]) == ("terminal/browser/10.0.0.9", "RN-1")
    ward.clock.advance(PERIOD)
    assert offer(ward) == "signature-invalid", "it goes on after a quarter of an hour"


@pytest.mark.requirement("R029")
def test_guessing_from_many_terminals_ends_with_the_account(ward: Place) -> None:
    for n in range(people.FAILURES_BY_OTHERS):
        offer(ward, By(person="RN-1", source=f"browser/{n}"))
    assert ward.desk.state(people.PersonState, "QA-1").locked


@pytest.mark.requirement("R029")
def test_failures_long_apart_do_not_stop_a_terminal(ward: Place) -> None:
    for _ in range(FAILURES + 2):
        assert offer(ward) == "signature-invalid"
        ward.clock.advance(timedelta(minutes=5))
    assert not ward.desk.state(TerminalState, "browser/10.0.0.9").until


@pytest.mark.requirement("R029")
def test_by_ones_own_hand_the_account_locks_as_ever(place: Place) -> None:
    for _ in range(people.FAILURES_BEFORE_LOCK):
        with pytest.raises(Refusal):
            place.desk.commit(place.desk.prepare(approve("1"), QA), [GARBAGE])
    assert place.desk.state(people.PersonState, "QA-1").locked


@pytest.mark.requirement("R028")
def test_a_copied_key_is_found_after_a_restart_too(place: Place) -> None:
    for n in range(3):
        place.desk.do(approve(str(n)), QA, place.device)
    old = place.desk
    again = Desk(place.ledger, clock=place.clock, zone=old.zone, definitions=old.definitions, issuing=old.issuing,
                 relying=old.relying, simulated=True, holds=lambda _: True, new_id=old._new_id)  # fmt: skip
    place.device._counters["QA-1"] = 1
    with pytest.raises(Refusal) as copied:
        again.do(approve("8"), QA, place.device)
    assert copied.value.code == "security-key-copied"
    place.device._counters["QA-1"] = 3
    again.do(approve("9"), QA, place.device)


@pytest.mark.requirement("R028")
def test_a_key_that_does_not_count_is_not_taken_for_a_copy(place: Place) -> None:
    class Still:
        """A device whose counter stays at zero, as passkeys that are synchronised do (Web Authentication, 6.1.1)."""

        def sign(self, person: str, challenge: bytes) -> Proof:
            place.device._counters[person] = -1
            return place.device.sign(person, challenge)

    for n in range(2):
        proof = place.desk.do(approve(str(n)), QA, Still()).events[-1].body
        parts = Proof(means="webauthn", credential=proof["credential"], parts=proof["proof"])
        assert signing.counter(parts) == 0
