"""What every request passes: headers that leave a browser no room, the language, and the check of authority."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from cellwright.factory import people
from cellwright.factory.people import PersonState
from cellwright.factory.rule import By, Refusal
from cellwright.language import LANGUAGES, choose, use
from cellwright.site import access, seats, words
from cellwright.site.house import house
from cellwright.site.refusals import refused

Handler = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY: Final = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
    "font-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
))  # fmt: skip
WAIT_S: Final = 3.0
"""How long a page that is opened waits until its tables hold what the record holds (E10); then it says that they do not.
A page that follows by itself waits for nothing: the next event brings it up."""
LANGUAGE_COOKIE: Final = "language"


def headers(handler: Handler) -> Handler:
    """Nothing runs that was not shipped, nothing is framed, nothing of a page stays in a cache."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Referrer-Policy"] = "same-origin"
        response["Cross-Origin-Opener-Policy"] = "same-origin"
        response["X-Content-Type-Options"] = "nosniff"
        if settings.TLS:
            response["Strict-Transport-Security"] = "max-age=31536000"
        if not request.path.startswith(settings.STATIC_URL):
            response["Cache-Control"] = "no-store"
        return response

    return handle


def speak(handler: Handler) -> Handler:
    """The language: as chosen on the page, else as the browser asks."""

    def handle(request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(LANGUAGE_COOKIE, "")
        with use(chosen if chosen in LANGUAGES else choose(request.headers.get("Accept-Language", "").split(",")[0])):
            return handler(request)

    return handle


class Authority:
    """Every page is opened by somebody who may, or by nobody (R022)."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._handler(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        permission = access.permission_of(view)
        seat = seats.current(request, touch="X-Live" not in request.headers)
        if seat is None:
            return None if permission.public else _to_sign_in(request)
        desk = house().desk
        person = desk.state(PersonState, seat.person)
        if not person.active or person.locked:
            seats.end_all(house().site, seat.person)
            return None if permission.public else _to_sign_in(request)
        roles = frozenset(role for role in people.ROLES if person.holds(role, desk.clock()))
        request.seat, request.person, request.roles = seat, person, roles  # type: ignore[attr-defined]
        if permission.allows(roles):
            live = request.method != "GET" or "X-Live" in request.headers
            request.covered = house().projector.abreast(0.0 if live else WAIT_S)  # type: ignore[attr-defined]
            return None
        body = people.Refused(
            person=person.name, command=f"page {request.resolver_match.view_name if request.resolver_match else '-'}",
            code="role-missing", rule="R022",
        )  # fmt: skip
        desk.record([person.fact(body)], By(person=person.name, source=seats.address(request)))
        refusal = Refusal(
            "page-not-yours",
            "This page is for {roles}.",
            remedy="Ask somebody who holds one of these roles, or have it granted by a security officer.",
            rule="R022",
            roles=", ".join(words.role(role) for role in sorted(permission.roles)) or "-",
        )
        return refused(request, refusal, status=403)


def pages_only(handler: Handler) -> Handler:
    """An address that only takes forms answers whoever opens it with a page, not with an empty one."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        refusal = Refusal(
            "not-a-page",
            "This address takes forms and shows nothing.",
            remedy="Nothing was recorded. Open the page again from the floor.",
            rule="R022",
        )
        return refused(request, refusal, status=HTTPStatus.METHOD_NOT_ALLOWED)

    return handle


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    where = "/sign-in?" + urlencode({"next": request.get_full_path() if request.method == "GET" else "/"})
    if "HX-Request" in request.headers:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = where
        return response
    return HttpResponseRedirect(where)
