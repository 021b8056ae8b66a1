"""Security keys of real people: registering one in the browser, and taking over what it signs (Web Authentication Level 2).

    options = registration_options(site, "OP-12")              # to navigator.credentials.create()
    command = register(site, "OP-12", response)                # a security officer gives this command at the desk
    proof = assertion(response)                                # of navigator.credentials.get(), to Desk.commit

The device always has to verify its person (PIN, fingerprint); where it comes from is not asked (attestation `none`). The
relying party and its origins are those of the site's first event. Options to sign are `assertion_options`: their challenge
is the digest of the statement itself, so nothing about them has to be remembered.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cellwright.command.signing import Proof, data, public_key, text
from cellwright.factory.credential import RegisterCredential
from cellwright.factory.people import PersonState
from cellwright.factory.rule import Refusal

if TYPE_CHECKING:
    from cellwright.command.site import Site

ANSWER_WITHIN: Final = timedelta(minutes=5)
"""From asking for a registration to its answer."""
RESPONSE_LONGEST: Final = 16_384
"""Bytes of an answer as JSON; a longer one is not read."""
HANDLE_BYTES: Final = 32


class Asked(NamedTuple):
    """A registration that was asked for and not answered yet."""

    challenge: bytes
    until: datetime


def registration_options(site: "Site", person: str) -> dict[str, Any]:
    """What `navigator.credentials.create()` takes, as JSON with base64url; holds for five minutes and one answer.

    Raises:
        Refusal `unknown-person`, `account-ended`, `service-cannot-sign`.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.structs import (
        AttestationConveyancePreference,
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    state = _person(site, person)
    challenge = secrets.token_bytes(32)
    site.registering[person] = Asked(challenge, site.clock() + ANSWER_WITHIN)
    options = generate_registration_options(
        rp_id=site.desk.relying.id,
        rp_name=site.settings.title_en,
        user_id=secrets.token_bytes(HANDLE_BYTES),
        user_name=state.account,
        user_display_name=state.printed_name,
        challenge=challenge,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.REQUIRED,
            resident_key=ResidentKeyRequirement.DISCOURAGED,
        ),
        supported_pub_key_algs=[COSEAlgorithmIdentifier.ECDSA_SHA_256],
        exclude_credentials=[PublicKeyCredentialDescriptor(id=id_) for id_ in _ids(state)],
    )
    document: dict[str, Any] = json.loads(options_to_json(options))
    return document


def register(site: "Site", person: str, response: Mapping[str, Any], secret: str = "") -> RegisterCredential:
    """The command that registers the security key which answered; it counts once a security officer has given it.

    Args:
        response: the `PublicKeyCredential` of `navigator.credentials.create()` as JSON with base64url (`toJSON()`).
        secret: what an officer handed over to the person, where no means of theirs counts (`factory.credential`).

    Raises:
        Refusal `registration-expired`: nothing was asked, or too long ago, or it was answered already.
        Refusal `registration-invalid`: the answer is not that of a fresh P-256 key that verified its person, for this
            site. As `registration_options`.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.exceptions import WebAuthnException
    from webauthn.helpers.structs import AttestationFormat

    state = _person(site, person)
    asked = site.registering.pop(person, None)
    if asked is None or site.clock() > asked.until:
        raise Refusal(
            "registration-expired",
            "No registration of a security key is open for {person}.",
            remedy="Begin again; the key has to answer within five minutes.",
            rule="R031",
            person=person,
        )
    try:
        verified = verify_registration_response(
            credential=_bounded(response),
            expected_challenge=asked.challenge,
            expected_rp_id=site.desk.relying.id,
            expected_origin=list(site.desk.relying.origins),
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier.ECDSA_SHA_256],
        )
        if verified.fmt != AttestationFormat.NONE:
            raise ValueError("it carries an attestation that was not asked for")
        point = _point(verified.credential_public_key)
    except (WebAuthnException, ValueError, KeyError, TypeError, IndexError, EOFError) as why:
        raise Refusal(
            "registration-invalid",
            "The security key of {person} could not be registered: {why}",
            remedy="Use a key with a PIN or fingerprint, at this site's own address, and begin again.",
            rule="R031",
            person=person,
            why=str(why),
        ) from None
    credential = text(verified.credential_id)
    if credential in state.credentials:
        raise Refusal(
            "credential-exists",
            "This security key is registered to {person} already.",
            rule="R031",
            person=person,
        )
    return RegisterCredential(person=person, credential=credential, means="webauthn", public_key=point, secret=secret)


def assertion_options(site: "Site", person: str, challenge: bytes) -> dict[str, Any]:
    """What `navigator.credentials.get()` takes, for one signature's challenge (`Pending.challenges`)."""
    return {
        "challenge": text(challenge),
        "rpId": site.desk.relying.id,
        "timeout": 60_000,
        "userVerification": "required",
        "allowCredentials": [
            {"type": "public-key", "id": credential}
            for credential, registered in _person(site, person).credentials.items()
            if registered.means == "webauthn"
        ],
    }


def assertion(response: Mapping[str, Any]) -> Proof:
    """What a security key answered, as the desk takes it; the desk verifies it against the registered key.

    Raises:
        Refusal `signature-invalid`: it is not such an answer.
    """
    try:
        given = _bounded(response)
        answer, credential = given["response"], given["id"]
        parts = {
            "authenticator": answer["authenticatorData"],
            "client": answer["clientDataJSON"],
            "signature": answer["signature"],
        }
        if not all(isinstance(value, str) for value in (credential, *parts.values())):
            raise ValueError("text was expected")
    except (KeyError, TypeError, ValueError):
        raise Refusal(
            "signature-invalid",
            "What the security key answered cannot be read.",
            remedy="Nothing was recorded. Sign again on the registered device.",
            rule="R028",
        ) from None
    return Proof(means="webauthn", credential=credential, parts=parts)


def _person(site: "Site", person: str) -> PersonState:
    state = site.desk.state(PersonState, person)
    if not state.exists:
        raise Refusal("unknown-person", "There is no account {person}.", rule="R022", person=person)
    if not state.active:
        raise Refusal("account-ended", "The account {person} is deactivated.", rule="R021", person=person)
    if state.kind == "service":
        raise Refusal(
            "service-cannot-sign", "{person} is a service account and cannot sign.", rule="R037", person=person
        )
    return state


def _ids(state: PersonState) -> Sequence[bytes]:
    return [
        data(c)
        for c, registered in state.credentials.items()
        if registered.means == "webauthn" and not registered.simulated
    ]


def _bounded(response: Mapping[str, Any]) -> dict[str, Any]:
    if len(json.dumps(response)) > RESPONSE_LONGEST:
        raise ValueError("the answer is too long")
    return dict(response)


def _point(cose: bytes) -> str:
    """The P-256 point of a COSE key (RFC 9053, 7.1.1), uncompressed, base64url: the form of `signing.public_key`.

    Raises:
        ValueError: it is a key of another kind, or not on the curve.
    """
    from webauthn.helpers import decode_credential_public_key
    from webauthn.helpers.cose import COSECRV
    from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey

    key = decode_credential_public_key(cose)
    if not isinstance(key, DecodedEC2PublicKey) or key.crv != COSECRV.P256 or (len(key.x), len(key.y)) != (32, 32):
        raise ValueError("its key is not on the curve P-256")
    encoded = text(b"\x04" + key.x + key.y)
    public_key(encoded)
    return encoded
