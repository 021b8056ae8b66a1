"""What is to come in a portfolio and by when: announced milestones, and decisions whose statutory clock runs."""

from datetime import date
from typing import Literal

from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.clock import Clock, WorkingCalendar, due
from cellwright.factory.portfolio.product import interval
from cellwright.factory.portfolio.statement import Dated, Programme
from cellwright.factory.record import Immutable


class Coming(Immutable):
    """A milestone to come, or one that should have come."""

    programme: str
    what: Literal["announced", "decision due"]
    event: str
    """The statement that it follows from."""
    clock: str = ""
    first: date
    last: date
    state: Literal["ahead", "window open", "past, nothing recorded", "decided"]
    assumed: bool = False
    """Part of the clock runs where holidays are not known."""
    paused: bool = False
    """The clock may have been stopped by the agency's questions; nothing public says so."""


_DECIDES = {"ind_accepted": ("ind_approved",), "nda_accepted": ("approved", "conditional_approval")}
_FULFILS = {"trial_started": ("first_patient", "enrolment_status", "enrolment_complete", "read_out")}


def milestones(book: Book, calendar: WorkingCalendar, on: date) -> tuple[Coming, ...]:
    """Everything announced or due, over all programmes, by its first possible day."""
    found = []
    for programme in book.all(Programme):
        events = book.events(programme.id)
        found += [_announced(one, events, on) for one in events if one.standing == "announced" and one.when]
        found += [
            _decision(one, clock, calendar, events, on)
            for one in events
            for clock in running(calendar, one, events)
            if one.when is not None
        ]
    return tuple(sorted(found, key=lambda one: (one.first, one.programme, one.clock)))


def running(calendar: WorkingCalendar, event: Dated, events: tuple[Dated, ...]) -> tuple[Clock, ...]:
    """The clocks that an event starts: the ordinary one or the one of a designation, and pilots beside it."""
    if event.standing != "effective" or event.agency != "NMPA":
        return ()
    clocks = [one for one in calendar.clocks if one.starts == event.event]
    held = {one.event for one in events if one.standing == "effective"}
    special = [one for one in clocks if one.when and one.when in held]
    ordinary = [one for one in clocks if not one.when and not one.pilot]
    return tuple((special or ordinary) + [one for one in clocks if one.pilot])


def _decision(event: Dated, clock: Clock, calendar: WorkingCalendar, events: tuple[Dated, ...], on: date) -> Coming:
    start = event.interval
    assert start is not None
    window = due(calendar, clock, start)
    decided = any(one.event in _DECIDES[clock.starts] and one.standing == "effective" for one in events)
    return Coming(
        programme=event.programme,
        what="decision due",
        event=event.id,
        clock=clock.id,
        first=window.first,
        last=window.last,
        state="decided" if decided else _state(window.first, window.last, on),
        assumed=window.assumed,
        paused=not decided,
    )


def _announced(event: Dated, events: tuple[Dated, ...], on: date) -> Coming:
    assert event.when is not None
    window = interval(event.when)
    shows = (event.event, *_FULFILS.get(event.event, ()))
    done = any(one.event in shows and one.standing == "effective" and one.phase == event.phase for one in events)
    return Coming(
        programme=event.programme,
        what="announced",
        event=event.id,
        first=window.first,
        last=window.last,
        state="decided" if done else _state(window.first, window.last, on),
    )


def _state(first: date, last: date, on: date) -> Literal["ahead", "window open", "past, nothing recorded"]:
    if on < first:
        return "ahead"
    return "window open" if on <= last else "past, nothing recorded"
