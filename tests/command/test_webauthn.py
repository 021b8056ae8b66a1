"""Registering a real person's security key: what a good answer gives, and every answer that is not good."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cellwright.command import signing, webauthn
from cellwright.command.signing import Proof
from cellwright.command.site import INSTALLATION, Settings, Site, create
from cellwright.factory import people
from cellwright.factory.approval import Approve
from cellwright.factory.credential import OFFICER, RegisterCredential
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal
from tests.command.enrolling import by_two_officers

SINCE = "2020-01-01T00:00:00.000000Z"
ORIGIN = "https://cells.example.org"


class SecurityKey:
    """A device as the standard describes one (Web Authentication Level 2, 6.3.2, 6.3.3, 6.5.4)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = b"a security key of twenty-four!"
        self.count = 0
        self.relying = "cells.example.org"
        self.origin = ORIGIN
        self.flags = 0x05
        self.format = "none"
        self.algorithm, self.curve = -7, 1
        self.kind = "webauthn.create"
        self.cross_origin = False

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin}
        return json.dumps(said).encode()

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        self.count += 1
        return sha256(self.relying.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big") + more

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        n = self.key.public_key().public_numbers()
        cose = {1: 2, 3: self.algorithm, -1: self.curve, -2: n.x.to_bytes(32, "big"), -3: n.y.to_bytes(32, "big")}
        attested = b"\x11" * 16 + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        data = self._data(self.flags | 0x40, attested)
        statement: dict[str, Any] = {} if self.format == "none" else {"alg": -7, "sig": b"x"}
        attestation = cbor2.dumps({"fmt": self.format, "attStmt": statement, "authData": data})
        client = self._client(self.kind, options["challenge"])
        return {
            "id": signing.text(self.id),
            "rawId": signing.text(self.id),
            "type": "public-key",
            "response": {"clientDataJSON": signing.text(client), "attestationObject": signing.text(attestation)},
        }

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        client, data = self._client("webauthn.get", options["challenge"]), self._data(self.flags)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "id": signing.text(self.id),
            "rawId": signing.text(self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": signing.text(client),
                "authenticatorData": signing.text(data),
                "signature": signing.text(signature),
            },
        }


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A real site: the machine's clock, no simulation."""
    settings = Settings(
        name="real", title_en="Real cells", title_zh="真实细胞", relying_id="cells.example.org", origins=(ORIGIN,)
    )
    with create(tmp_path / "site", settings) as site:
        for name, role in (("SEC-1", OFFICER), ("SEC-2", OFFICER), ("QA-1", "quality_assurance")):
            bodies = [
                people.Enrolled(person=name, account=name.lower(), printed_name=f"{name} printed"),
                people.IdentityVerified(person=name, evidence="seen"),
                people.RoleGranted(person=name, role=role, since=SINCE),
            ]
            site.desk.record([Fact(f"person/{name}", b) for b in bodies], INSTALLATION)
        yield site


class Keys:
    """The security keys of several people, as one signer."""

    def __init__(self, site: Site, *officers: str) -> None:
        self.site, self.keys = site, {name: SecurityKey() for name in officers}
        for name, key in self.keys.items():
            key.id = f"the security key of {name}".encode()
            given = registered(site, key, name)
            body = people.CredentialRegistered(
                person=name, credential=given.credential, means="webauthn", public_key=given.public_key
            )
            site.desk.record([Fact(f"person/{name}", body)], INSTALLATION)

    def sign(self, person: str, challenge: bytes) -> Proof:
        return webauthn.assertion(self.keys[person].get(webauthn.assertion_options(self.site, person, challenge)))


def registered(site: Site, key: SecurityKey, person: str = "QA-1") -> RegisterCredential:
    return webauthn.register(site, person, key.create(webauthn.registration_options(site, person)))


@pytest.mark.requirement("R025")
def test_a_registered_security_key_signs_on_a_real_site(site: Site) -> None:
    key = SecurityKey()
    command = registered(site, key)
    assert (command.means, command.simulated) == ("webauthn", False)
    by_two_officers(site.desk, command, Keys(site, "SEC-1", "SEC-2"))
    recipe = site.files.put(b"a recipe").sha256
    approve = Approve(kind="recipe", definition="r", version="1", sha256=recipe, author="PE-1")
    pending = site.desk.prepare(approve, By(person="QA-1"))
    [(person, challenge)] = pending.challenges()
    options = webauthn.assertion_options(site, person, challenge)
    assert options["userVerification"] == "required"
    assert options["allowCredentials"] == [{"type": "public-key", "id": command.credential}]
    outcome = site.desk.commit(pending, [webauthn.assertion(key.get(options))])
    assert outcome.events[-1].body["printed_name"] == "QA-1 printed"


def test_the_options_ask_for_what_a_signature_needs(site: Site) -> None:
    options = webauthn.registration_options(site, "QA-1")
    assert options["rp"] == {"id": "cells.example.org", "name": "Real cells"}
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [p["alg"] for p in options["pubKeyCredParams"]] == [-7]
    assert options["user"]["name"] == "qa-1"
    assert len(signing.data(options["challenge"])) == 32
    json.dumps(options)


FAULTS: dict[str, Callable[[SecurityKey], None]] = {
    "another site": lambda key: setattr(key, "relying", "evil.example.org"),
    "another origin": lambda key: setattr(key, "origin", "https://evil.example.org"),
    "person not verified": lambda key: setattr(key, "flags", 0x01),
    "nobody there": lambda key: setattr(key, "flags", 0x04),
    "an attestation nobody asked for": lambda key: setattr(key, "format", "packed"),
    "another algorithm": lambda key: setattr(key, "algorithm", -257),
    "another curve": lambda key: setattr(key, "curve", 2),
    "an assertion instead": lambda key: setattr(key, "kind", "webauthn.get"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_is_not_good_registers_nothing(site: Site, fault: str) -> None:
    key = SecurityKey()
    FAULTS[fault](key)
    with pytest.raises(Refusal) as refused:
        registered(site, key)
    assert refused.value.code == "registration-invalid"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"id": 7},
        {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {"clientDataJSON": "!", "attestationObject": "!"},
        },
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {"clientDataJSON": "AA", "attestationObject": "AA"},
        },
        {"id": "A" * 20_000},
    ],
)
def test_what_is_no_answer_is_refused(site: Site, broken: dict[str, Any]) -> None:
    webauthn.registration_options(site, "QA-1")
    with pytest.raises(Refusal) as refused:
        webauthn.register(site, "QA-1", broken)
    assert refused.value.code == "registration-invalid"
    with pytest.raises(Refusal) as unreadable:
        webauthn.assertion(broken)
    assert unreadable.value.code == "signature-invalid"


def test_one_answer_for_the_one_person_asked_and_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    key = SecurityKey()
    answer = key.create(webauthn.registration_options(site, "QA-1"))
    with pytest.raises(Refusal) as other:
        webauthn.register(site, "SEC-1", answer)
    assert other.value.code == "registration-expired"
    webauthn.registration_options(site, "SEC-1")
    with pytest.raises(Refusal) as foreign:
        webauthn.register(site, "SEC-1", answer)
    assert foreign.value.code == "registration-invalid"
    webauthn.register(site, "QA-1", answer)
    with pytest.raises(Refusal) as again:
        webauthn.register(site, "QA-1", answer)
    assert again.value.code == "registration-expired"
    late = key.create(webauthn.registration_options(site, "QA-1"))
    now = site.clock()
    monkeypatch.setattr(site, "clock", lambda: now + webauthn.ANSWER_WITHIN + timedelta(seconds=1))
    with pytest.raises(Refusal) as expired:
        webauthn.register(site, "QA-1", late)
    assert expired.value.code == "registration-expired"


def test_a_registered_key_is_not_registered_twice(site: Site) -> None:
    key = SecurityKey()
    by_two_officers(site.desk, registered(site, key), Keys(site, "SEC-1", "SEC-2"))
    assert webauthn.registration_options(site, "QA-1")["excludeCredentials"][0]["id"] == signing.text(key.id)
    with pytest.raises(Refusal) as refused:
        registered(site, key)
    assert refused.value.code == "credential-exists"


@pytest.mark.requirement("R037")
def test_simulated_keys_and_services_have_no_place_at_a_real_site(site: Site) -> None:
    command = RegisterCredential(person="QA-1", credential="c", means="webauthn", public_key="AA", simulated=True)
    with pytest.raises(Refusal) as simulated:
        site.desk.do(command, By(person="SEC-1"))
    assert simulated.value.code == "simulated-credential"
    site.desk.do(people.Enrol(person="SV-1", account="sv-1", printed_name="Reader", kind="service"), By(person="SEC-1"))
    with pytest.raises(Refusal) as service:
        webauthn.registration_options(site, "SV-1")
    assert service.value.code == "service-cannot-sign"
    with pytest.raises(Refusal) as nobody:
        webauthn.registration_options(site, "ghost")
    assert nobody.value.code == "unknown-person"
