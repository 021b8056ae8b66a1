"""How people sign: WebAuthn assertions over a statement, and their verification.

The challenge of the assertion is SHA-256("cellwright.sign.v1" 0x00 statement), where the statement is canonical JSON
(see `factory.signature`). So re-authentication, the link to the record and the impossibility of moving a signature are
one object (21 CFR 11.70, 11.200). A `Signer` stands for whatever brings the assertion: the security key at a tablet,
or, on simulated sites only, a software authenticator (E17).
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cellwright.factory.people import CredentialRegistered, Means, PersonState
from cellwright.factory.rule import Refusal
from cellwright.factory.signature import SignatureApplied
from cellwright.ledger.canonical import encode
from cellwright.ledger.event import Draft

PREFIX = b"cellwright.sign.v1\x00"
ALWAYS = frozenset({"body", "schema"})
"""Fields of an event that its stored form always holds."""
PLACE = frozenset({"pos", "version", "at"})
"""Fields that only the ledger adds."""
USER_PRESENT, USER_VERIFIED = 0x01, 0x04


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a signer hands back: the means, the credential used, and its traces in base64url.

    With a personal key, `components` and `period_began` beside the signature are plain text: the site's own statement
    of what the person gave.
    """

    means: Means
    credential: str
    parts: dict[str, str]
    simulated: bool = False


class Signer(Protocol):
    """Somebody at a device who can be asked to sign."""

    def sign(self, person: str, challenge: bytes) -> Proof:
        """The person's proof over a 32-byte challenge. Raises Refusal `signature-failed` if they cannot give it."""
        ...


class Relying(msgspec.Struct, frozen=True):
    """The relying party of the site's WebAuthn credentials, fixed in its first event."""

    id: str
    origins: tuple[str, ...]


def content(draft: Draft) -> str:
    """Digest (hex) of everything a draft, or the event it became, says: all but position, version and time recorded."""
    said = msgspec.to_builtins(draft)
    kept = {k: v for k, v in said.items() if k in ALWAYS or (k not in PLACE and v not in (None, {}, [], ()))}
    return sha256(encode(kept)).hexdigest()


def challenge(signature: SignatureApplied) -> bytes:
    """The 32 bytes a device signs for this signature's statement."""
    return sha256(PREFIX + encode(msgspec.to_builtins(signature.statement()))).digest()


def nonce() -> str:
    """128 random bits, used once."""
    return secrets.token_hex(16)


def counter(proof: Proof) -> int:
    """How often the security key says it has been used; 0 for one that does not count, or that left no such trace."""
    try:
        return int.from_bytes(data(proof.parts["authenticator"])[33:37], "big") if proof.means == "webauthn" else 0
    except (KeyError, ValueError):
        return 0


def text(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def data(text_: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError on anything else."""
    return urlsafe_b64decode(text_ + "=" * (-len(text_) % 4))


def check(
    signature: SignatureApplied, person: PersonState, relying: Relying, *, simulated_site: bool
) -> Refusal | None:
    """Whether a signature is what it says: the person's registered credential, over exactly this statement."""
    if person.kind == "service":
        return Refusal(
            "service-cannot-sign", "{person} is a service account and cannot sign.", rule="R037", person=person.name
        )
    credential = person.credentials.get(signature.credential)
    if credential is None:
        return _forged("the credential is not registered to {person} or was revoked", signature)
    if (credential.simulated or signature.simulated) and not simulated_site:
        return _forged("a simulated credential signs on simulated sites only", signature)
    if credential.means != signature.means:
        return _forged("the credential is of another kind", signature)
    try:
        if signature.means == "webauthn":
            why = _check_assertion(signature, credential, relying)
        else:
            why = _check_personal_key(signature, credential)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        why = "its proof cannot be read"
    return _forged(why, signature) if why else None


def _forged(why: str, signature: SignatureApplied) -> Refusal:
    return Refusal(
        "signature-invalid",
        "The signature of {person} is not valid: {why}.",
        remedy="Nothing was recorded. Sign again on the registered device.",
        rule="R028",
        person=signature.person,
        why=why.format(person=signature.person),
    )


def _check_assertion(signature: SignatureApplied, credential: CredentialRegistered, relying: Relying) -> str:
    """Why a WebAuthn assertion does not hold, or nothing (Web Authentication Level 2, 7.2, steps 11 to 20)."""
    client, authenticator = data(signature.proof["client"]), data(signature.proof["authenticator"])
    said = json.loads(client)
    if said.get("type") != "webauthn.get" or said.get("challenge") != text(challenge(signature)):
        return "it was given for something else"
    if said.get("origin") not in relying.origins or said.get("crossOrigin", False):
        return "it comes from another site"
    if authenticator[:32] != sha256(relying.id.encode()).digest():
        return "it was given for another site"
    flags = authenticator[32]
    if not flags & USER_PRESENT or not flags & USER_VERIFIED:
        return "the person was not verified by the device"
    try:
        public_key(credential.public_key).verify(
            data(signature.proof["signature"]), authenticator + sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
    except InvalidSignature:
        return "the cryptographic check fails"
    return ""


def _check_personal_key(signature: SignatureApplied, credential: CredentialRegistered) -> str:
    try:
        Ed25519PublicKey.from_public_bytes(data(credential.public_key)).verify(
            data(signature.proof["signature"]), challenge(signature)
        )
    except InvalidSignature:
        return "the cryptographic check fails"
    return ""


_KEYS: dict[str, ec.EllipticCurvePublicKey] = {}


def public_key(encoded: str) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a credential, stored as an uncompressed point (65 bytes) in base64url."""
    key = _KEYS.get(encoded)
    if key is None:
        key = _KEYS[encoded] = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data(encoded))
    return key


class SoftwareAuthenticator:
    """A WebAuthn authenticator in software, for simulated people on simulated sites (E17). Never use it for real ones."""

    def __init__(self, relying: Relying) -> None:
        self._relying = relying
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._counters: dict[str, int] = {}

    def enrol(self, person: str) -> tuple[str, str]:
        """Make a credential for a person. Returns its name and its public key."""
        key = ec.generate_private_key(ec.SECP256R1())
        self._keys[person] = key
        numbers = key.public_key().public_numbers()
        point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        return f"simulated-{person}", text(point)

    def sign(self, person: str, challenge: bytes) -> Proof:
        count = self._counters[person] = self._counters.get(person, 0) + 1
        client = json.dumps(
            {
                "type": "webauthn.get",
                "challenge": text(challenge),
                "origin": self._relying.origins[0],
                "crossOrigin": False,
            },
            separators=(",", ":"),
        ).encode()
        authenticator = (
            sha256(self._relying.id.encode()).digest()
            + bytes([USER_PRESENT | USER_VERIFIED])
            + count.to_bytes(4, "big")
        )
        signature = self._keys[person].sign(authenticator + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        parts = {"authenticator": text(authenticator), "client": text(client), "signature": text(signature)}
        return Proof(means="webauthn", credential=f"simulated-{person}", parts=parts, simulated=True)
