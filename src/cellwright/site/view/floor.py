"""The floor at a glance: rooms, lots in process, what is due, what needs a decision."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from cellwright.factory.people import stamp
from cellwright.factory.plant.plant import Plant
from cellwright.factory.rule import Refusal
from cellwright.language import localized
from cellwright.ledger.canonical import parse_time
from cellwright.site import models, words
from cellwright.site.access import EVERYBODY, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.recipes import step_title

SHOWN = 12
"""Lines of each list on the page; the rest is counted."""
PLANTS = ("e-town",)


@page(EVERYBODY)
@require_GET
def floor(request: Asked) -> HttpResponse:
    """Everything on one screen."""
    now = house().desk.clock()
    lots = models.Lot.objects.filter(status__in=("created", "in_process"))
    doubtful = {
        lot
        for case in models.Case.objects.filter(status__in=("stopped", "in_doubt"))
        for lot in case.lots.split(",")
        if lot
    }
    decisions = _decisions()
    counts = {
        "patients": models.Order.objects.exclude(stage__in=("closed", "ended")).values("pair").distinct().count(),
        "lots": lots.filter(status="in_process").count(),
        "due": lots.exclude(due="").filter(due__lt=stamp(now + timedelta(hours=1))).count(),
        "decisions": len(decisions),
        "released": models.Lot.objects.filter(release__startswith="released").count(),
    }
    context = {
        "counts": counts, "rooms": [_room(room, doubtful) for room in _rooms()],
        "lots": [_lot(lot) for lot in lots.order_by("-running", "-moved")[:SHOWN]],
        "due": [_lot(lot) for lot in lots.exclude(due="").order_by("due")[:SHOWN]],
        "orders": models.Order.objects.order_by("-moved")[:SHOWN],
        "more_orders": max(0, models.Order.objects.count() - SHOWN),
        "decisions": decisions[:SHOWN], "more": max(0, len(decisions) - SHOWN), "when": now,
    }  # fmt: skip
    return render(request, "floor.jinja", context)


def _rooms() -> list[models.Room]:
    """Rooms that hold one lot at a time, in the order of their names."""
    return list(models.Room.objects.filter(exclusive=True).order_by("room"))


def room_names() -> dict[str, str]:
    """What the rooms are called in the active language, where the plant's file says so."""
    try:
        return {r.id: localized({"en": r.name.en, "zh": r.name.zh}) for r in Read().definition(Plant, PLANTS[0]).rooms}
    except Refusal:
        return {}


def _room(room: models.Room, doubtful: set[str]) -> dict[str, Any]:
    lot = models.Lot.objects.filter(lot=room.lot).first() if room.lot else None
    if lot is not None and (lot.lot in doubtful or lot.doubt):
        mark = words.ROOM_STOPPED
    elif room.lot:
        mark = words.ROOM_TAKEN
    else:
        mark = words.ROOM_FREE if room.cleared else words.ROOM_TO_CLEAR
    return {"room": room, "lot": lot, "mark": mark, "step": step_title(lot) if lot else ""}


def _lot(lot: models.Lot) -> dict[str, Any]:
    now = house().desk.clock()
    left = (parse_time(lot.due) - now).total_seconds() if lot.due else None
    mark = words.ROOM_STOPPED if lot.doubt else words.LOTS[lot.status]
    return {"lot": lot, "step": step_title(lot), "left": left, "mark": mark}


def _decisions() -> list[dict[str, Any]]:
    """What waits for a person: identity cases, findings nobody assessed, release."""
    cases = models.Case.objects.filter(status__in=("stopped", "in_doubt", "investigated")).order_by("opened")
    findings = models.Lot.objects.filter(Q(open_findings__gt=0) & ~Q(status="terminated")).order_by("moved")
    made = models.Lot.objects.filter(status="complete", release="pending").order_by("moved")
    return [
        *({"mark": words.CASES[c.status], "what": "case", "name": c.case, "link": f"/cases/{c.case}", "coi": c.coi,
           "since": c.opened} for c in cases),
        *({"mark": words.FINDINGS["open"], "what": "finding", "name": lot.lot, "link": f"/lots/{lot.lot}",
           "coi": lot.coi, "since": lot.moved, "count": lot.open_findings} for lot in findings),
        *({"mark": words.RELEASES["pending"], "what": "release", "name": lot.lot, "link": f"/lots/{lot.lot}/release",
           "coi": lot.coi, "since": lot.moved} for lot in made),
    ]  # fmt: skip
