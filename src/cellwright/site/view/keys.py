"""One's own security keys: registered here in the browser, recorded by a security officer, used to sign (E18)."""

import json
import secrets
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from cellwright.command import signing
from cellwright.site import models
from cellwright.site.access import EVERYBODY, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render

CHALLENGE = "key-challenge"
P256_WITH_SHA256 = -7
"""COSE algorithm: the one that signatures here are checked with."""


@page(EVERYBODY)
@require_GET
def keys(request: Asked) -> HttpResponse:
    """The keys of the signed-in person, and a new one."""
    challenge = secrets.token_bytes(32)
    request.session[CHALLENGE] = challenge.hex()
    context = {
        "recorded": list(request.person.credentials.values()), "challenge": signing.text(challenge),
        "offered": list(models.OfferedKey.objects.filter(person=request.person.name)),
        "relying": house().site.settings.relying_id, "live": "",
        "seats": list(models.Seat.objects.filter(person=request.person.name).order_by("-began")),
    }  # fmt: skip
    return render(request, "keys.jinja", context)


@page(EVERYBODY)
@require_POST
def offer(request: Asked) -> HttpResponse:
    """A key the browser has just made: checked, and kept until a security officer records it."""
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.exceptions import WebAuthnException

    expected = bytes.fromhex(request.session.pop(CHALLENGE, ""))
    settings = house().site.settings
    try:
        given = told_by_key(request.body)
        found = verify_registration_response(
            credential=given,
            expected_challenge=expected,
            expected_rp_id=settings.relying_id,
            expected_origin=list(settings.origins),
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(P256_WITH_SHA256)],
        )
        public_key = _point(found.credential_public_key)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        return JsonResponse({"refused": str(error)}, status=409)
    models.OfferedKey.objects.create(
        credential=signing.text(found.credential_id), person=request.person.name, public_key=public_key,
        offered=timezone.now(),
    )  # fmt: skip
    return JsonResponse({"next": "/keys"})


def told_by_key(body: bytes) -> dict[str, Any]:
    """What a browser hands on from a key. Raises ValueError for anything but one JSON object."""
    try:
        given = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(given, dict):
        raise ValueError("not an object")
    return given


def _point(cose: bytes) -> str:
    """The uncompressed point of a P-256 COSE key, base64url: how `signing.public_key` reads it."""
    from webauthn.helpers import decode_credential_public_key
    from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey

    key = decode_credential_public_key(cose)
    if not isinstance(key, DecodedEC2PublicKey):
        raise ValueError("the key is not on P-256")
    return signing.text(b"\x04" + key.x + key.y)
