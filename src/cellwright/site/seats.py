"""Sessions: begun with a sign-in event, ended by the person, by idleness, or with the account; each end is an event."""

from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.utils import timezone

from cellwright.command.site import Site
from cellwright.factory.people import PersonState, SignedIn, SignedOut
from cellwright.factory.rule import By
from cellwright.site import models

Cause = Literal["person", "idle", "ended"]
PERSON = "person"
"""Key of the session under which the signed-in person stands."""


def address(request: HttpRequest) -> str:
    """Where a request comes from, as the record names it."""
    return f"browser/{request.META.get('REMOTE_ADDR', '') or 'local'}"


def begin(request: HttpRequest, site: Site, person: str, means: str) -> None:
    """Begin a session for a person who has shown both factors; the session key is a new one."""
    request.session.flush()
    request.session[PERSON] = person
    request.session.save()
    assert request.session.session_key is not None, "a saved session has its key"
    now = timezone.now()
    models.Seat.objects.create(
        session=request.session.session_key, person=person, means=means, address=address(request), began=now, seen=now
    )
    body = SignedIn(person=person, means=means)
    site.desk.record([site.desk.state(PersonState, person).fact(body)], By(person=person, source=address(request)))


def end(site: Site, seat: models.Seat, cause: Cause) -> None:
    """End one session, wherever it is."""
    SessionStore(session_key=seat.session).delete()
    site.personal_keys.end(session=seat.session)
    gone, _ = models.Seat.objects.filter(session=seat.session).delete()
    if gone:
        body = SignedOut(person=seat.person, cause=cause)
        site.desk.record(
            [site.desk.state(PersonState, seat.person).fact(body)], By(person=seat.person, source=seat.address)
        )


def end_all(site: Site, person: str) -> None:
    """End every session of a person whose account was locked or has ended."""
    for seat in models.Seat.objects.filter(person=person):
        end(site, seat, "ended")


def end_idle(site: Site, now: datetime | None = None) -> int:
    """End the sessions nobody has used for the idle limit. Returns how many those were."""
    limit = (now or timezone.now()) - timedelta(seconds=settings.IDLE_LIMIT_S)
    idle = list(models.Seat.objects.filter(seen__lt=limit))
    for seat in idle:
        end(site, seat, "idle")
    return len(idle)


def current(request: HttpRequest, *, touch: bool) -> models.Seat | None:
    """The session of a request, unless it has ended. `touch` says that a person did something, not a page by itself."""
    person = request.session.get(PERSON)
    if person is None:
        return None
    seat = models.Seat.objects.filter(session=request.session.session_key, person=person).first()
    if seat is None:
        return None
    now = timezone.now()
    if seat.seen < now - timedelta(seconds=settings.IDLE_LIMIT_S):
        return None
    if touch and now - seat.seen > timedelta(seconds=5):
        models.Seat.objects.filter(session=seat.session).update(seen=now)
    return seat
