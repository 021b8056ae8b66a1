"""Signing in and out, the language, and the first setting of password and one-time code."""

import secrets
import time
from itertools import groupby
from typing import Any

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cellwright.factory.people import PersonState
from cellwright.factory.rule import By
from cellwright.language import LANGUAGES, N_, _
from cellwright.site import models, one_time_code, seats
from cellwright.site.access import EVERYBODY, Asked, page
from cellwright.site.house import house
from cellwright.site.middleware import LANGUAGE_COOKIE
from cellwright.site.pages import render

PASSWORD_LEAST = 12
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
            seats.begin(request, house().desk, person.name, "password_and_code")
            return HttpResponseRedirect(where_next(request))
    context = {"why": _(why) if why else "", "next": where_next(request), "cast": _cast()}
    return render(request, "sign_in.jinja", context, status=403 if why else 200)


def _shown(request: HttpRequest) -> tuple[PersonState | None, str]:
    """The person who has shown both factors, or why not."""
    now = house()
    person = now.person_of(request.POST.get("account", "").strip().lower())
    account = models.Account.objects.filter(person=person.name).first() if person else None
    if person is None or account is None or not account.password or not account.code_secret:
        make_password(request.POST.get("password", ""))  # as long as the check of a password that exists
        if person is not None:
            now.desk.failed_authentication(person.name, By(person=person.name, source=seats.address(request)))
        return None, WRONG
    if person.locked:
        return None, LOCKED
    right = check_password(request.POST.get("password", ""), account.password)
    counter = one_time_code.accepted(
        account.code_secret, request.POST.get("code", ""), time.time(), account.code_counter
    )
    if not right or counter is None or not person.active:
        state = now.desk.failed_authentication(person.name, By(person=person.name, source=seats.address(request)))
        return None, LOCKED if state.locked else WRONG
    models.Account.objects.filter(person=person.name).update(code_counter=counter)
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
    seats.begin(request, now.desk, person, "simulated")
    return HttpResponseRedirect(where_next(request))


@page(EVERYBODY)
@require_POST
def sign_out(request: Asked) -> HttpResponse:
    """End the session; with `idle` because nobody was there."""
    cause: Any = "idle" if request.POST.get("cause") == "idle" else "person"
    seats.end(house().desk, request.seat, cause)
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


def invite(person: str) -> str:
    """A new invitation for a person to set password and one-time code; the old ones end. Shown once."""
    token = secrets.token_urlsafe(18)
    models.Account.objects.update_or_create(person=person, defaults={"invitation": make_password(token)})
    return token


@page(public=True)
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, person: str, token: str) -> HttpResponse:
    """Set the password and take the secret of the one-time codes into an app, proven by a code."""
    account = models.Account.objects.filter(person=person).first()
    if account is None or not account.invitation or not check_password(token, account.invitation):
        return render(request, "sign_in.jinja", {"why": _("This invitation is used up or not one of ours."), "next": "/",
                                                 "cast": []}, status=403)  # fmt: skip
    if not account.code_secret or request.method == "GET":
        account.code_secret = one_time_code.new_secret()
        account.save()
    why: list[str] = []
    if request.method == "POST":
        why = _set(request, account)
        if not why:
            return HttpResponseRedirect("/sign-in")
    context = {"person": person, "secret": account.code_secret, "why": why, "least": PASSWORD_LEAST,
               "symbol": _symbol(account.code_secret, person)}  # fmt: skip
    return render(request, "invitation.jinja", context, status=403 if why else 200)


def _set(request: HttpRequest, account: models.Account) -> list[str]:
    """Keep the password if it is fit and the code is right; else say why not."""
    password, again = request.POST.get("password", ""), request.POST.get("again", "")
    if password != again:
        return [_("The two passwords differ.")]
    if len(password) < PASSWORD_LEAST:
        return [_("A password has at least {least} characters.").format(least=PASSWORD_LEAST)]
    try:
        password_validation.CommonPasswordValidator().validate(password)
    except ValidationError:
        return [_("This password is among the most common ones.")]
    counter = one_time_code.accepted(account.code_secret, request.POST.get("code", ""), time.time(), 0)
    if counter is None:
        return [_("The code is not right. Is the clock of your device right?")]
    account.password, account.code_counter, account.invitation = make_password(password), counter, ""
    account.save()
    return []


def _symbol(secret: str, account: str) -> str:
    """The secret as a symbol for an authenticator app, an SVG path."""
    import zxingcpp

    text = one_time_code.address(secret, account, house().site.settings.name)
    svg: str = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_svg()
    return svg
