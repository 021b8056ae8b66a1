"""People's signatures, judged by the record they stand in: whose credential, over which statement, covering which events.

One reading of the rules for the whole ledger of a site and for the dossier of a lot (21 CFR 11.50, 11.70; R027, R028).
Standard library only, a part of the stand-alone verifier; a site lends its faster curves.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cellwright.command.dossier.finding import Problem
from cellwright.command.dossier.required import REQUIRED
from cellwright.language import N_
from cellwright.ledger.plaincrypto import ed25519_verify, p256_verify

STATEMENT_PREFIX = b"cellwright.sign.v1\x00"
STATEMENT_KIND = "cellwright.signature.v1"
STATEMENT = (
    "contents", "leaves", "meaning", "nonce", "on", "person", "printed_name", "role", "signed_at", "version", "zone",
)  # fmt: skip
"""Fields of a signature's body that the person signs."""
APPEND_MAX = 1100
"""Positions between an event and a signature recorded with it, at most: one append and its signatures."""


Hold = tuple[str, str]
"""From when until when something holds; times as stored, which compare as text."""
ALWAYS = "~"
"""Later than any time as stored."""


class Curves(NamedTuple):
    """What verifies Ed25519 (public, message, signature) and ECDSA P-256 ((x, y), message, signature in DER)."""

    ed25519: Callable[[bytes, bytes, bytes], bool]
    p256: Callable[[tuple[int, int], bytes, bytes], bool]


PLAIN = Curves(ed25519_verify, p256_verify)


def canonical(value: Any) -> bytes:
    """The canonical bytes of a value: JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_of(event: dict[str, Any]) -> str:
    """The digest (hex) of all that an event says but the place the ledger gave it: what a signature beside it covers."""
    said = {key: value for key, value in event.items() if key not in ("pos", "version", "at")}
    return hashlib.sha256(canonical(said)).hexdigest()


class _Account:
    """What the record says of one person."""

    def __init__(self) -> None:
        self.printed_name = ""
        self.kind = "person"
        self.may_sign = False
        self.ended = False
        self.roles: dict[str, list[Hold]] = {}
        self.authorised: list[Hold] = []
        self.credentials: dict[str, dict[str, Any]] = {}

    def take(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "person.enrolled":
            self.printed_name, self.kind = body["printed_name"], body.get("kind", "person")
        elif kind == "person.identity_verified":
            self.may_sign = True
        elif kind == "person.deactivated":
            self.ended = True
        elif kind == "person.role_granted":
            self.roles.setdefault(body["role"], []).append(_hold(body))
        elif kind == "person.role_revoked":
            held = self.roles.get(body["role"], [])
            self.roles[body["role"]] = [(since, min(until, body["at"])) for since, until in held]
        elif kind == "person.qualified" and body["qualification"] == "authorised_person":
            self.authorised.append(_hold(body))
        elif kind == "person.credential_registered":
            self.credentials[body["credential"]] = body
        elif kind == "person.credential_revoked":
            self.credentials.pop(body["credential"], None)

    def why_not(self, body: dict[str, Any]) -> str:
        """Why this person could not give this signature then, or nothing."""
        at = body["signed_at"]
        if self.kind != "person" or not self.may_sign or self.ended:
            return N_("this account could not sign")
        if body["printed_name"] != self.printed_name:
            return N_("the printed name is not that of the account")
        if not _holds(self.roles.get(body["role"], []), at):
            return N_("the person did not hold the role when signing")
        if body["meaning"] == "released" and not _holds(self.authorised, at):
            return N_("the person was not qualified to certify release")
        return ""


def _hold(body: dict[str, Any]) -> Hold:
    return body["since"], body.get("until") or ALWAYS


def _holds(intervals: list[Hold], at: str) -> bool:
    return any(since <= at < until for since, until in intervals)


class _Beside(NamedTuple):
    """An event that signatures may still come to cover."""

    pos: int
    type: str
    stream: str
    version: int


class Signatures:
    """Follows accounts and signatures through events given in order of position.

    Args:
        site: the body of the site's first event.
        curves: what verifies the two curves' signatures.
        whole: every event of the ledger is given, so that whatever a signature covers must be there.
    """

    def __init__(self, site: dict[str, Any], curves: Curves = PLAIN, *, whole: bool) -> None:
        self._site = site
        self._curves = curves
        self._whole = whole
        self._accounts: dict[str, _Account] = {}
        self._beside: dict[str, _Beside] = {}
        self._owed: dict[int, tuple[str, set[str]]] = {}
        self._leaves: set[bytes] = set()
        self._nonces: set[str] = set()
        self.count = 0
        self.elsewhere = 0

    def take(self, event: dict[str, Any], content: str, leaf: bytes) -> Iterator[tuple[int, Problem]]:
        """The next event: its position and what is wrong, for each thing that is."""
        kind, body, pos = event["type"], event["body"], event["pos"]
        yield from self._settled(pos - APPEND_MAX)
        if kind == "signature.applied":
            self.count += 1
            why = self._judged(event)
            if why:
                name = body.get("printed_name", "?")
                yield pos, Problem(N_("event {pos}: the signature of {name}: {why}"), pos=pos, name=name, why=why)
        elif kind.startswith("person."):
            self._accounts.setdefault(body["person"], _Account()).take(kind, body)
        if kind in REQUIRED:
            self._owed[pos] = (kind, set())
        if len(self._beside) > 2 * APPEND_MAX:
            self._beside = {c: one for c, one in self._beside.items() if one.pos > pos - APPEND_MAX}
        self._beside[content] = _Beside(pos, kind, event["stream"], event["version"])
        self._leaves.add(leaf)

    def ended(self) -> Iterator[tuple[int, Problem]]:
        """What is still wrong when the last event was given."""
        yield from self._settled(1 << 63)

    def _settled(self, before: int) -> Iterator[tuple[int, Problem]]:
        while self._owed:
            pos = next(iter(self._owed))
            if pos >= before:
                return
            kind, meanings = self._owed.pop(pos)
            if not any(meanings >= set(wanted.split()) for wanted in REQUIRED[kind]):
                text = N_("event {pos}: {type} lacks a signature; it must be signed as {meanings}")
                said = " / ".join(wanted.replace(" ", " + ") for wanted in REQUIRED[kind])
                yield pos, Problem(text, pos=pos, type=kind, meanings=said)

    def _judged(self, event: dict[str, Any]) -> str:
        """Why a signature does not hold, or nothing; what it covers is then credited with it."""
        body = event["body"]
        try:
            account = self._accounts.get(body["person"])
            credential = account.credentials.get(body["credential"]) if account else None
            if account is None or credential is None:
                return N_("the credential is not registered to this person, or was revoked")
            if (credential.get("simulated") or body.get("simulated")) and not self._site.get("simulated"):
                return N_("it is simulated, and the site is not")
            why = account.why_not(body) or self._covers(event) or self._statement(body, credential)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError):
            return N_("it cannot be read")
        if not why:
            for digest in body.get("contents", ()):
                covered = self._beside.get(digest)
                if covered is not None and covered.pos in self._owed:
                    self._owed[covered.pos][1].add(body["meaning"])
        return why

    def _covers(self, event: dict[str, Any]) -> str:
        body, pos = event["body"], event["pos"]
        contents, leaves = body.get("contents", ()), body.get("leaves", ())
        if not contents and not leaves:
            return N_("it covers nothing")
        if body["signed_at"] > event["at"]:
            return N_("it was given after it was recorded")
        if body["nonce"] in self._nonces:
            return N_("its nonce was used before")
        self._nonces.add(body["nonce"])
        found = [(index, self._beside.get(digest)) for index, digest in enumerate(contents)]
        here = [(index, one) for index, one in found if one is not None]
        if (self._whole and len(here) < len(contents)) or (contents and not here):
            return N_("it covers something that is not beside it in the record")
        firsts = {one.pos - index for index, one in here}
        if len(firsts) > 1 or any(not first + len(contents) <= pos <= first + APPEND_MAX for first in firsts):
            return N_("it covers something that is not beside it in the record")
        if not {bytes.fromhex(leaf) for leaf in leaves} <= self._leaves:
            return N_("it covers events that are not here")
        self.elsewhere += len(contents) - len(here)
        return ""

    def _statement(self, body: dict[str, Any], credential: dict[str, Any]) -> str:
        if body["on"] == "" or body["means"] != credential["means"]:
            return N_("it was made by other means than registered")
        statement: dict[str, Any] = {name: body.get(name, []) for name in STATEMENT}
        statement["kind"] = STATEMENT_KIND
        challenge = hashlib.sha256(STATEMENT_PREFIX + canonical(statement)).digest()
        if body["means"] == "webauthn":
            return self._assertion(body["proof"], credential["public_key"], challenge)
        good = self._curves.ed25519(
            plain_url64(credential["public_key"]), challenge, plain_url64(body["proof"]["signature"])
        )
        return "" if good else N_("the cryptographic check fails")

    def _assertion(self, proof: dict[str, str], public_key: str, challenge: bytes) -> str:
        """Why a WebAuthn assertion does not hold, or nothing (Web Authentication Level 2, 7.2)."""
        client, authenticator = plain_url64(proof["client"]), plain_url64(proof["authenticator"])
        said = json.loads(client)
        if said["type"] != "webauthn.get" or plain_url64(said["challenge"]) != challenge:
            return N_("it was given for something else")
        if said["origin"] not in self._site["origins"] or said.get("crossOrigin"):
            return N_("it comes from another site")
        if authenticator[:32] != hashlib.sha256(self._site["relying_id"].encode()).digest():
            return N_("it comes from another site")
        if authenticator[32] & 5 != 5:
            return N_("the person was not verified by the device")
        point = plain_url64(public_key)
        key = (int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big"))
        message = authenticator + hashlib.sha256(client).digest()
        sound = point[0] == 4 and len(point) == 65
        good = sound and self._curves.p256(key, message, plain_url64(proof["signature"]))
        return "" if good else N_("the cryptographic check fails")


def plain_url64(text: str) -> bytes:
    """The bytes of base64url without padding, in its one form. Raises ValueError."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("not base64url in its one form")
    return data
