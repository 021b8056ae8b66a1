"""The audit trail: searched by record, actor, time and action, sorted, exported with its metadata (R011)."""

import json
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from cellwright.factory.people import stamp
from cellwright.site import models, words
from cellwright.site.access import AUDIT, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read, facts
from cellwright.site.refusals import missing
from cellwright.site.trail_file import Heading, as_csv, as_json

ASKED: Final = ("record", "actor", "action", "since", "until", "text")
SORTS: Final = {"position": "position", "time": "at", "actor": "actor", "action": "type", "record": "stream"}
PAGE: Final = 50
DIGITS: Final = 9
"""Of the number of a page, at most."""
EXPORTED_MOST: Final = 100_000
"""Events of one export; more are asked for in parts."""


def found(asked: dict[str, str]) -> QuerySet[models.Entry]:
    """The events that fit everything that was asked for."""
    rows = models.Entry.objects.all()
    record = asked["record"].replace(" ", "")
    if record:
        rows = rows.filter(Q(stream=record) | Q(stream__endswith=f"/{record}") | Q(coi=record) |
                           Q(text__contains=f'/{record}"'))  # fmt: skip
    if asked["actor"]:
        rows = rows.filter(actor__icontains=asked["actor"])
    if asked["action"]:
        rows = rows.filter(type__istartswith=asked["action"])
    if asked["since"]:
        rows = rows.filter(at__gte=asked["since"])
    if asked["until"]:
        rows = rows.filter(at__lt=_after(asked["until"]))
    if asked["text"]:
        rows = rows.filter(text__icontains=asked["text"])
    return rows


def _after(until: str) -> str:
    """The first moment behind a day, or behind a time, that is meant to be included."""
    return until + "~"


def _asked(request: Asked) -> dict[str, str]:
    return {name: request.GET.get(name, "").strip()[:120] for name in ASKED}


def _sorted(request: Asked, rows: QuerySet[models.Entry]) -> QuerySet[models.Entry]:
    sort = request.GET.get("sort", "-position")
    column = SORTS.get(sort.lstrip("-"), "position")
    down = "-" if sort.startswith("-") else ""
    return rows.order_by(f"{down}{column}", f"{down}position")


@page(AUDIT)
@require_GET
def trail(request: Asked) -> HttpResponse:
    """A page of the audit trail."""
    asked = _asked(request)
    rows = _sorted(request, found(asked))
    count = rows.count()
    pages = max(1, -(-count // PAGE))
    wanted = request.GET.get("page", "")
    number = min(max(1, int(wanted)), pages) if wanted.isdecimal() and len(wanted) <= DIGITS else 1
    entries = [_line(entry) for entry in rows[(number - 1) * PAGE : number * PAGE]]
    sort = request.GET.get("sort", "-position")
    kept = {name: value for name, value in asked.items() if value}
    context = {
        "asked": asked, "entries": entries, "count": count, "number": number, "pages": pages,
        "sort": sort, "query": urlencode(kept), "sorted_query": urlencode({**kept, "sort": sort}),
        "types": sorted(set(models.Entry.objects.values_list("type", flat=True).distinct())),
    }  # fmt: skip
    return render(request, "trail.jinja", context)


def _line(entry: models.Entry) -> dict[str, Any]:
    said = json.loads(entry.text)
    return {"entry": entry, "title": words.title(entry.type), "said": words.sentence(entry.type),
            "reason": said.get("reason"), "mark": words.mark(entry.type)}  # fmt: skip


@page(AUDIT)
@require_GET
def event(request: Asked, position: int) -> HttpResponse:
    """One event with its whole envelope and the proof that it is in the record."""
    ledger = house().site.ledger
    head = ledger.head()
    if not 0 <= position < head.size:
        return missing(request, str(position))
    record = next(ledger.records(position, position + 1))
    one = record.event
    context = {
        "event": one, "title": words.title(one.type), "said": words.sentence(one.type), "facts": facts(one),
        "body": json.dumps(one.body, ensure_ascii=False, indent=2, sort_keys=True), "leaf": record.leaf.hex(),
        "proof": [h.hex() for h in ledger.inclusion_proof(position, head.size)], "head": head, "root": head.root.hex(),
        "coi": next((t.partition("/")[2] for t in one.tags if t.startswith("coi/")), ""), "mark": words.mark(one.type),
    }  # fmt: skip
    return render(request, "event.jinja", context)


@page(AUDIT)
@require_GET
def export(request: Asked, form: str) -> HttpResponse:
    """Everything that was found, as CSV or JSON, with its metadata."""
    if form not in ("csv", "json"):
        return missing(request, form)
    now = house()
    ledger, asked = now.site.ledger, _asked(request)
    covered = request.covered
    fit = found(asked).filter(position__lt=covered.size).order_by("position")
    positions = fit.values_list("position", flat=True)[:EXPORTED_MOST]
    records = (next(ledger.records(pos, pos + 1)) for pos in positions)
    heading = Heading(
        site=now.site.settings.name, asked={k: v for k, v in asked.items() if v},
        exported_at=stamp(Read().now), exported_by=request.person.name, size=covered.size,
        root=now.projector.root(covered).hex(), record=covered.record, simulated=now.site.settings.simulated,
    )  # fmt: skip
    if form == "json":
        response = HttpResponse(as_json(heading, records), content_type="application/json; charset=utf-8")
    else:
        response = HttpResponse(as_csv(heading, records), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-trail-{now.site.settings.name}.{form}"'
    return response
