"""People: who may do what, keys that wait to be recorded, locks. For the security officer."""

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST

from cellwright.command.enrolment import hand_over, typed
from cellwright.factory.credential import RegisterCredential, RevokeCredential
from cellwright.factory.people import Deactivate, PersonState, Unlock
from cellwright.site import models
from cellwright.site.access import Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.view.signing import give

SECURITY = frozenset({"security_officer"})


@page(SECURITY)
@require_GET
def people(request: Asked) -> HttpResponse:
    """Everybody with an account."""
    now = house()
    moment = now.desk.clock()
    names = sorted({claim.value.partition("/")[2] for claim in now.site.ledger.claims("account/")})
    rows = []
    for name in names:
        person = now.desk.state(PersonState, name)
        rows.append({
            "person": person, "roles": [r for r in person.roles if person.holds(r, moment)],
            "offered": list(models.OfferedKey.objects.filter(person=name)),
            "seats": models.Seat.objects.filter(person=name).count(),
            "secret": _secret(request, person),
            "keys": [k for k in person.credentials.values() if not k.simulated],
        })  # fmt: skip
    return render(request, "people.jinja", {"rows": rows, "live": ""})


def _secret(request: Asked, person: PersonState) -> str:
    """The secret this session has just offered to a person; it is shown this once."""
    offer = person.offer
    return house().handed.take(request.seat.session, person.name, offer.fingerprint) if offer is not None else ""


@page(SECURITY)
@require_POST
def act(request: Asked, person: str) -> HttpResponse:
    """One act on one account; each is an event."""
    what, reason = request.POST.get("act", ""), request.POST.get("reason", "").strip() or "-"
    if what == "unlock":
        return give(request, Unlock(person=person, reason=reason), "/people")
    if what == "deactivate":
        return give(request, Deactivate(person=person, reason=reason), "/people")
    if what == "revoke":
        command = RevokeCredential(person=person, credential=request.POST.get("credential", ""), reason=reason)
        return give(request, command, "/people")
    if what == "offer":
        handed = hand_over(person)
        house().handed.put(request.seat.session, person, handed.command.fingerprint, handed.secret)
        return give(request, handed.command, f"/people#person-{person}")
    if what == "record":
        return _record(request, person)
    return HttpResponseRedirect("/people")


def _record(request: Asked, person: str) -> HttpResponse:
    """Record a key its owner has registered in the browser: from here on it signs."""
    offered = models.OfferedKey.objects.filter(person=person, credential=request.POST.get("credential", "")).first()
    if offered is None:
        return HttpResponseRedirect("/people")
    command = RegisterCredential(
        person=person,
        credential=offered.credential,
        means="webauthn",
        public_key=offered.public_key,
        secret=typed(request.POST.get("secret", "")),
    )
    response = give(request, command, "/people")
    if response.status_code == 302:
        offered.delete()
    return response
