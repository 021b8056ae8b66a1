"""Giving a command from a page: judged, shown to those who sign, signed by each on their own device, recorded.

Being signed in is never a signature (R025). Each signature is an assertion over exactly what will be recorded, given on
a registered security key; on a simulated site a simulated person's key is the server's, and the page says so.
"""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from cellwright.command import signing
from cellwright.command.desk import Outcome, Pending
from cellwright.command.personal_key import Components
from cellwright.command.signing import Proof
from cellwright.factory.people import PersonState
from cellwright.factory.rule import By, Command, Refusal
from cellwright.factory.signature import SignatureApplied
from cellwright.site import seats, words
from cellwright.site.access import CONTENT, EVERYBODY, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.refusals import refused, told
from cellwright.site.view.keys import told_by_key
from cellwright.site.waiting import Open

WAIT_S = 3.0
"""How long a page that has just written waits until the screens have it (E10)."""


def by(request: Asked) -> By:
    """Who gives a command from this page."""
    return By(person=request.person.name, source=seats.address(request))


def prepared(command: Command, who: By) -> Pending:
    """A decision ready to be signed. Simulated people get their keys before, so that nothing moves afterwards."""
    now = house()
    pending = now.desk.prepare(command, who)
    new = [
        s.person
        for s in pending.signatures
        if _simulated(s.person) and now.keys is not None and now.keys.ensure(s.person)
    ]
    if new:
        pending = now.desk.prepare(command, who)
    return pending


def _simulated(person: str) -> bool:
    """Whether the server signs for a person: a simulated one, who has no security key of their own."""
    keys = house().desk.state(PersonState, person).credentials.values()
    return house().keys is not None and not any(key.means == "webauthn" and not key.simulated for key in keys)


def give(request: Asked, command: Command, then: str, who: By | None = None) -> HttpResponse:
    """Give a command: recorded at once if nobody has to sign, else on to the page where they do.

    Args:
        then: where to go when it is recorded.
        who: in whose name, where that is not the signed-in person; then that person must be one of those who sign.
    """
    try:
        pending = prepared(command, who or by(request))
        if who is not None and who.person not in {s.person for s in pending.signatures}:
            raise Refusal("not-you", "Only {person} can do this.", rule="R025", person=who.person)
        if pending.signatures:
            waiting = house().waiting.put(request.seat.session, command, who or by(request), pending, then)
            return HttpResponseRedirect(f"/sign/{waiting.token}")
        return recorded(request, house().desk.do(command, by(request)), then)
    except Refusal as refusal:
        return refused(request, refusal)


def recorded(request: HttpRequest, outcome: Outcome, then: str) -> HttpResponse:
    """On to where it is shown, or to the stop that the record itself made."""
    if outcome.events:
        house().projector.wait(outcome.events[-1].pos + 1, WAIT_S)
    case = next((e.stream.partition("/")[2] for e in outcome.events if e.type == "case.opened"), None)
    if case is not None:
        return HttpResponseRedirect(f"/cases/{case}?then={then}")
    if outcome.stop is not None:
        return refused(request, outcome.stop)
    return HttpResponseRedirect(then)


def _open(request: Asked, token: str) -> Open:
    found = house().waiting.get(token, request.seat.session)
    if found is None:
        raise Refusal(
            "nothing-to-sign",
            "There is nothing to sign here any more.",
            remedy="Nothing was recorded. Begin again.",
            rule="R025",
        )
    return found


def _asked(waiting: Open, index: int) -> SignatureApplied:
    """The statement with this number. Raises Refusal `nothing-to-sign`."""
    if index >= len(waiting.pending.signatures):
        raise Refusal("nothing-to-sign", "There is nothing to sign here any more.", rule="R025")
    return waiting.pending.signatures[index]


@page(EVERYBODY)
@require_GET
def sign(request: Asked, token: str) -> HttpResponse:
    """What is signed, by whom, in which meaning, and the way each signs."""
    try:
        waiting = _open(request, token)
    except Refusal as refusal:
        return refused(request, refusal, status=404)
    rows = []
    for index, unsigned in enumerate(waiting.pending.signatures):
        keys = house().desk.state(PersonState, unsigned.person).credentials
        rows.append({
            "index": index, "signature": unsigned, "signed": index in waiting.proofs,
            "simulated": _simulated(unsigned.person),
            "challenge": signing.text(signing.challenge(unsigned)),
            "password": any(k.means == "password_and_code" for k in keys.values()),
            "code": house().site.personal_keys.code_needed(request.seat.session, unsigned.person),
            "keys": [name for name, key in keys.items() if not key.simulated and key.means == "webauthn"],
        })  # fmt: skip
    events = [{"title": words.title(d.type), "said": words.sentence(d.type), "stream": d.stream,
               "body": _shown(d.body)} for d in waiting.pending.drafts]  # fmt: skip
    coi = next((t.partition("/")[2] for d in waiting.pending.drafts for t in d.tags if t.startswith("coi/")), "")
    context = {"waiting": waiting, "rows": rows, "events": events, "coi": coi,
               "relying": house().site.settings.relying_id}  # fmt: skip
    return render(request, "sign.jinja", context)


def _shown(body: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields of a fact, flat, as they will be recorded."""
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in body.items() if value not in (None, "", [], {})]  # fmt: skip


@page(EVERYBODY)
@require_POST
def sign_simulated(request: Asked, token: str, index: int) -> HttpResponse:
    """A simulated person signs with the server's simulated key."""
    now = house()
    try:
        waiting = _open(request, token)
        unsigned = _asked(waiting, index)
        if now.keys is None or not _simulated(unsigned.person):
            raise Refusal("not-simulated", "{person} signs on their own device.", rule="R025", person=unsigned.person)
        waiting.proofs[index] = now.keys.sign(unsigned.person, signing.challenge(unsigned))
        return _finished(request, waiting)
    except Refusal as refusal:
        return refused(request, refusal)


@page(EVERYBODY)
@require_POST
def sign_key(request: Asked, token: str, index: int) -> HttpResponse:
    """The assertion of a person's security key arrives from the browser."""
    try:
        waiting = _open(request, token)
        _asked(waiting, index)
        given = told_by_key(request.body)
        parts = {name: str(given[name]) for name in ("authenticator", "client", "signature")}
        waiting.proofs[index] = Proof(means="webauthn", credential=str(given["credential"]), parts=parts)
        answer = _finished(request, waiting)
    except Refusal as refusal:
        said = told(refusal)
        return JsonResponse({"refused": said.text, "remedy": said.remedy}, status=409)
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"refused": "bad request", "remedy": ""}, status=400)
    return JsonResponse({"next": answer.headers.get("Location", f"/sign/{token}")})


@page(EVERYBODY)
@require_POST
def sign_password(request: Asked, token: str, index: int) -> HttpResponse:
    """A person signs with password and one-time code; within a continuous period with the password alone (R024)."""
    now = house()
    try:
        waiting = _open(request, token)
        unsigned = _asked(waiting, index)
        given = Components(request.POST.get("password", ""), request.POST.get("code", ""))
        waiting.proofs[index] = now.site.personal_keys.sign(
            request.seat.session, unsigned.person, signing.challenge(unsigned), given, by=by(request)
        )
        return _finished(request, waiting)
    except Refusal as refusal:
        return refused(request, refusal)


def _finished(request: Asked, waiting: Open) -> HttpResponse:
    """Record it when all have signed; else back to the page where the next one signs."""
    if not waiting.complete:
        return HttpResponseRedirect(f"/sign/{waiting.token}")
    house().waiting.drop(waiting.token)
    return recorded(request, house().desk.commit(waiting.pending, waiting.in_order()), waiting.then)


@page(CONTENT)
@require_POST
def withdraw(request: Asked, token: str) -> HttpResponse:
    """Take a decision back before it is signed; nothing was recorded."""
    try:
        waiting = _open(request, token)
    except Refusal as refusal:
        return refused(request, refusal, status=404)
    house().waiting.drop(token)
    return HttpResponseRedirect(waiting.then)
