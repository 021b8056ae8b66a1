"""Signing in and out, and the language."""

import secrets
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cellwright.command.personal_key import Components
from cellwright.factory.people import PersonState
from cellwright.factory.rule import Refusal
from cellwright.language import LANGUAGES, N_, _
from cellwright.site import seats
from cellwright.site.access import EVERYBODY, Asked, page
from cellwright.site.house import house
from cellwright.site.middleware import LANGUAGE_COOKIE
from cellwright.site.pages import render

WRONG = N_("Account, password and code do not fit together. Nobody is signed in; the attempt is recorded.")
LOCKED = N_("This account is locked after repeated failures. A security officer unlocks it.")


def where_next(request: HttpRequest) -> str:
    """Where to go on, inside this site only."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, None) else "/"


@page(public=True)
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """User name, password, one-time code; on a simulated site also its simulated people, by role."""
    why = ""
    if request.method == "POST":
        person, why = _shown(request)
        if person is not None:
            seats.begin(request, house().site, person.name, "password_and_code")
            return HttpResponseRedirect(where_next(request))
    context = {"why": _(why) if why else "", "next": where_next(request), "cast": _cast()}
    return render(request, "sign_in.jinja", context, status=403 if why else 200)


def _shown(request: HttpRequest) -> tuple[PersonState | None, str]:
    """The person who has shown both factors, or why not. Failures are counted against the account (R029)."""
    now = house()
    person = now.person_of(request.POST.get("account", "").strip().lower())
    if person is None:
        return None, WRONG
    given = Components(request.POST.get("password", ""), request.POST.get("code", ""))
    once = f"sign-in {secrets.token_hex(8)}"
    try:
        now.site.personal_keys.sign(once, person.name, secrets.token_bytes(32), given, purpose="sign_in")
    except Refusal as refusal:
        locked = refusal.code == "account-locked" or now.desk.state(PersonState, person.name).locked
        return None, LOCKED if locked else WRONG
    finally:
        now.site.personal_keys.end(session=once)
    return person, ""


def _cast() -> list[tuple[str, list[PersonState]]]:
    """The simulated people by their first role; nobody on a real site."""
    now = house()
    if not now.site.settings.simulated:
        return []
    order = ("operator", "analyst", "quality_assurance", "authorised_person", "security_officer")
    moment = now.desk.clock()

    def role(person: PersonState) -> str:
        held = [r for r in person.roles if person.holds(r, moment)]
        return held[0] if held else ""

    def rank(person: PersonState) -> tuple[int, str, str]:
        return (order.index(role(person)) if role(person) in order else len(order), role(person), person.name)

    people = sorted((p for p in now.people() if role(p) and not p.locked), key=rank)
    return [(name, list(group)) for name, group in groupby(people, key=role)]


@page(public=True)
@require_POST
def sign_in_simulated(request: HttpRequest) -> HttpResponse:
    """One tap for a simulated person; exists on simulated sites only (D12, E17)."""
    now = house()
    names = {p.name for _role, people in _cast() for p in people}
    person = request.POST.get("person", "")
    if now.keys is None or person not in names:
        return HttpResponseRedirect("/sign-in")
    now.keys.ensure(person)
    seats.begin(request, now.site, person, "simulated")
    return HttpResponseRedirect(where_next(request))


@page(EVERYBODY)
@require_POST
def sign_out(request: Asked) -> HttpResponse:
    """End the session; with `idle` because nobody was there."""
    cause: Any = "idle" if request.POST.get("cause") == "idle" else "person"
    seats.end(house().site, request.seat, cause)
    request.session.flush()
    return HttpResponseRedirect("/sign-in")


@page(public=True)
@require_GET
def language(request: HttpRequest, name: str) -> HttpResponse:
    """Choose the language of this browser."""
    response = HttpResponseRedirect(where_next(request))
    if name in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, name, max_age=365 * 86400, samesite="Lax", httponly=True)
    return response
