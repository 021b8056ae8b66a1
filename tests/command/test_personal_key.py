"""Signing with password and one-time code: both at first, the password within a period, both again after a break."""

import logging
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from cellwright.command import one_time_code, personal_key, signing
from cellwright.command.desk import Outcome
from cellwright.command.personal_key import Components, Cost, PersonalKeys
from cellwright.command.signing import Proof
from cellwright.factory import people
from cellwright.factory.credential import RevokeCredential
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal
from cellwright.factory.signature import SignatureApplied
from cellwright.ledger.key_encryption import KekRefused, KeyEncryptionKey
from tests.command.test_desk import QA, RELYING, Place, approve

PASSWORD = "seven cells in a warm bag"
CHEAP = Cost(passes=1, memory_kib=8, lanes=1)


class Office(Place):
    """A place where QA-1 signs with password and code at a terminal."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / personal_key.FILE
        self.kek = KeyEncryptionKey.create(folder / "persons.kek")
        self.keys = PersonalKeys(self.path, self.kek, self.desk, cost=CHEAP)
        self.secret = b""
        self.enrol()

    def enrol(self) -> None:
        enrolment = self.keys.enrol("QA-1", PASSWORD)
        self.secret = secret_of(enrolment.code_address)
        self.desk.do(enrolment.command, By(person="SEC-1"), self.device)

    def code(self) -> str:
        """The code of a new period, so that it was not used before."""
        self.clock.advance(timedelta(seconds=one_time_code.PERIOD_S))
        return one_time_code.code(self.secret, self.clock())

    def approve(self, version: str, password: str = PASSWORD, code: str = "", session: str = "s1") -> Outcome:
        signer = self.keys.signer(session, lambda person, code_needed: Components(password, code))
        return self.desk.do(approve(version), QA, signer)

    def refused(self, version: str, password: str = PASSWORD, code: str = "", session: str = "s1") -> str:
        with pytest.raises(Refusal) as refused:
            self.approve(version, password, code, session)
        return refused.value.code


def secret_of(address: str) -> bytes:
    import base64

    return base64.b32decode(parse_qs(urlsplit(address).query)["secret"][0])


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.keys.close()
    office.ledger.close()


@pytest.mark.requirement("R024")
def test_both_components_at_first_the_password_alone_within_the_period_and_both_after_a_break(office: Office) -> None:
    assert office.keys.code_needed("s1", "QA-1")
    assert office.refused("1") == "signature-failed", "the password alone opens no period"
    first = office.approve("1", code=office.code())
    second = office.approve("2")
    assert [o.events[-1].body["proof"]["components"] for o in (first, second)] == ["password+code", "password"]
    assert office.keys.code_needed("s2", "QA-1"), "another terminal is another session"
    office.clock.advance(timedelta(minutes=15))
    assert office.refused("3") == "signature-failed", "idle for too long"
    office.approve("3", code=office.code())
    office.keys.end(session="s1")
    assert office.refused("4") == "signature-failed", "the session was locked"
    office.approve("4", code=office.code())


@pytest.mark.requirement("R024")
def test_a_period_ends_however_busy_it_is(office: Office) -> None:
    office.approve("0", code=office.code())
    for n in range(1, 48):
        office.clock.advance(timedelta(minutes=10))
        office.approve(str(n))
    office.clock.advance(timedelta(minutes=10))
    assert office.refused("48") == "signature-failed"


@pytest.mark.requirement("R024")
@pytest.mark.requirement("R028")
def test_what_is_signed_stands_on_the_registered_public_key_alone(office: Office) -> None:
    """The dossier proves key and statement; which components were given is the site's statement beside it."""
    signature = msgspec.convert(office.approve("1", code=office.code()).events[-1].body, SignatureApplied)
    person = office.desk.state(people.PersonState, "QA-1")
    assert signature.means == "password_and_code"
    assert signing.check(signature, person, RELYING, simulated_site=False) is None
    for name in SignatureApplied.statement_fields:
        value = getattr(signature, name)
        other = value + 1 if isinstance(value, int) else (*value, "f" * 64) if isinstance(value, tuple) else value + "x"
        changed = msgspec.structs.replace(signature, **{name: other})
        assert signing.check(changed, person, RELYING, simulated_site=False) is not None, name


@pytest.mark.requirement("R024")
def test_a_code_is_used_once_also_at_another_session_and_after_a_restart(office: Office) -> None:
    code = office.code()
    office.approve("1", code=code)
    assert office.refused("2", code=code, session="s2") == "signature-failed"
    office.keys.close()
    office.keys = PersonalKeys(office.path, office.kek, office.desk, cost=CHEAP)
    assert office.keys.code_needed("s1", "QA-1"), "after a restart both are asked for"
    assert office.refused("2", code=code) == "signature-failed"
    office.approve("2", code=office.code())


@pytest.mark.requirement("R029")
def test_wrong_passwords_and_codes_lock_the_account_and_then_not_even_the_right_ones_count(office: Office) -> None:
    before = office.ledger.head().size
    for n in range(people.FAILURES_BEFORE_LOCK):
        code = office.code()
        wrong = ("wrong password wrong", code) if n % 2 else (PASSWORD, f"{(int(code) + 1) % 10**6:06d}")
        assert office.refused("1", *wrong) == "signature-failed"
    said = [e.type for e in office.ledger.read(before)]
    assert said == ["person.sign_in_failed"] * people.FAILURES_BEFORE_LOCK + ["person.locked"]
    assert office.refused("1", code=office.code()) == "account-locked"
    office.desk.do(people.Unlock(person="QA-1", reason="seen in person"), By(person="SEC-1"))
    office.approve("1", code=office.code())


def test_a_failure_ends_the_period_and_uses_up_the_code(office: Office) -> None:
    code = office.code()
    assert office.refused("1", "wrong password wrong", code) == "signature-failed"
    assert office.refused("1", PASSWORD, code) == "signature-failed"
    office.approve("1", code=office.code())
    assert office.refused("2", "wrong password wrong") == "signature-failed"
    assert office.refused("2") == "signature-failed"
    office.approve("2", code=office.code())


@pytest.mark.requirement("R031")
def test_a_revoked_key_signs_nothing_from_that_moment(office: Office) -> None:
    office.approve("1", code=office.code())
    credential = next(c for c in office.desk.state(people.PersonState, "QA-1").credentials if c.startswith("personal"))
    with pytest.raises(Refusal) as refused:
        office.keys.enrol("QA-1", PASSWORD)
    assert refused.value.code == "personal-key-exists"
    revoke = RevokeCredential(person="QA-1", credential=credential, reason="device lost")
    office.desk.do(revoke, By(person="SEC-1"))
    assert office.refused("2") == "no-personal-key"
    office.keys.destroy("QA-1")
    assert office.refused("2", code=office.code()) == "no-personal-key"
    old = office.secret
    office.enrol()
    office.clock.advance(timedelta(seconds=30))
    assert office.refused("2", code=one_time_code.code(old, office.clock())) == "signature-failed"
    office.approve("2", code=office.code())


@pytest.mark.requirement("R031")
def test_a_changed_password_is_the_only_one_and_the_key_stays(office: Office) -> None:
    new = "another sentence of mine"
    for given in (Components("wrong password wrong", office.code()), Components(PASSWORD), Components(PASSWORD, "000")):
        with pytest.raises(Refusal) as refused:
            office.keys.change_password("QA-1", given, new)
        assert refused.value.code == "signature-failed"
    office.approve("1", code=office.code())
    office.keys.change_password("QA-1", Components(PASSWORD, office.code()), new)
    assert office.refused("2", PASSWORD, office.code()) == "signature-failed"
    again = office.approve("2", new, office.code())
    assert again.events[-1].body["credential"] == office.approve("3", new).events[-1].body["credential"]


@pytest.mark.parametrize(
    "weak", ["short", "aaaaaaaaaaaaaaaa", "abababababababab", "I am QA-1 or qa-2, who knows", "x" * 300]
)
def test_a_password_that_is_easily_guessed_is_not_taken(office: Office, weak: str) -> None:
    with pytest.raises(Refusal) as refused:
        office.keys.enrol("QA-2", weak)
    assert refused.value.code == "password-too-weak"
    with pytest.raises(Refusal) as changed:
        office.keys.change_password("QA-1", Components(PASSWORD, office.code()), weak)
    assert changed.value.code == "password-too-weak"


@pytest.mark.requirement("R037")
def test_a_service_has_no_personal_key(office: Office) -> None:
    body = people.Enrolled(person="SV-1", account="sv-1", printed_name="Reader", kind="service")
    office.desk.record([Fact("person/SV-1", body)], By(person="installation"))
    with pytest.raises(Refusal) as refused:
        office.keys.enrol("SV-1", PASSWORD)
    assert refused.value.code == "service-cannot-sign"


def test_the_key_of_one_person_opens_for_no_other(office: Office) -> None:
    """Even somebody who can write the file cannot make one person's key sign for another."""
    office.desk.do(office.keys.enrol("QA-2", "yet another sentence").command, By(person="SEC-1"), office.device)
    db = office.keys._db
    mine = db.execute("SELECT wrapped FROM personal WHERE person='QA-1'").fetchone()
    db.execute("UPDATE personal SET wrapped=? WHERE person='QA-2'", mine)
    with pytest.raises(Exception, match="altered, or belongs"):
        office.keys.sign("s1", "QA-2", b"\0" * 32, Components(PASSWORD, office.code()))


def test_nothing_secret_is_on_the_disk_in_a_log_or_in_the_record(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    office.approve("1", code=office.code())
    office.refused("2", "a wrong password typed", office.code())
    assert stat.S_IMODE(office.path.stat().st_mode) == 0o600
    row = office.keys._row("QA-1")
    assert row is not None
    stored = office.path.read_bytes()
    for secret in (PASSWORD.encode(), office.secret, row.kept.half, row.kept.sealed):
        assert secret not in stored
    said = caplog.text + "".join(str(e) for e in office.ledger.read())
    for word in (PASSWORD, "a wrong password typed", office.secret.hex(), signing.text(office.secret)):
        assert word not in said


def test_a_renewed_key_encryption_key_takes_the_personal_keys_along(office: Office, tmp_path: Path) -> None:
    new = KeyEncryptionKey.create(tmp_path / "new.kek")
    office.keys.renew(new)
    office.approve("1", code=office.code())
    office.keys.close()
    office.keys = PersonalKeys(office.path, office.kek, office.desk, cost=CHEAP)
    with pytest.raises(KekRefused):
        office.approve("2", code=office.code())
    office.keys.close()
    office.keys = PersonalKeys(office.path, new, office.desk, cost=CHEAP)
    office.approve("2", code=office.code())


@pytest.mark.requirement("R037")
def test_a_service_cannot_sign_even_where_an_event_gave_it_a_credential(office: Office) -> None:
    """The check where the record is written refuses by the kind of account, whatever else the record claims."""
    credential, key = office.device.enrol("SV-1")
    bodies = [
        people.Enrolled(person="SV-1", account="sv-1", printed_name="Reader", kind="service"),
        people.IdentityVerified(person="SV-1", evidence="forged"),
        people.RoleGranted(person="SV-1", role="quality_assurance", since="2020-01-01T00:00:00.000000Z"),
        people.CredentialRegistered(
            person="SV-1", credential=credential, means="webauthn", public_key=key, simulated=True
        ),
    ]
    office.desk.record([Fact("person/SV-1", b) for b in bodies], By(person="installation"))
    with pytest.raises(Refusal) as refused:
        office.desk.do(approve("1"), By(person="SV-1"), office.device)
    assert refused.value.code == "service-cannot-sign"
    pending = office.desk.prepare(approve("1"), QA)
    forged = msgspec.structs.replace(pending.signatures[0], person="SV-1", printed_name="Reader")
    stolen = msgspec.structs.replace(pending, signatures=(forged,))
    with pytest.raises(Refusal) as at_the_store:
        office.desk.commit(stolen, [office.device.sign(p, c) for p, c in stolen.challenges()])
    assert at_the_store.value.code == "service-cannot-sign"


@pytest.mark.requirement("R028")
def test_a_security_key_whose_count_goes_back_is_taken_for_a_copy(office: Office) -> None:
    class Copy:
        """Another authenticator with the same private keys, and with a count of its own."""

        def sign(self, person: str, challenge: bytes) -> Proof:
            office.device._counters[person] = 0
            return office.device.sign(person, challenge)

    for n in range(3):
        office.desk.do(approve(str(n)), QA, office.device)
    with pytest.raises(Refusal) as refused:
        office.desk.do(approve("9"), QA, Copy())
    assert refused.value.code == "security-key-copied"
    assert office.ledger.stream("person/QA-1")[-1].type == "person.sign_in_failed"
