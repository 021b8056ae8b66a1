"""The state of the record: verification, checkpoints, witnesses, places outside."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST

from cellwright.ledger.note import Note
from cellwright.site.access import EVERYBODY, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render


@page(EVERYBODY)
@require_GET
def proof(request: Asked) -> HttpResponse:
    """What was verified when, and who else holds checkpoints."""
    now = house()
    head = now.site.ledger.head()
    witnessed = now.checking.witnessed()
    notes: list[dict[str, Any]] = [{"note": n, "signatures": list(dict.fromkeys(s.name for s in Note.parse(n.body).signatures)),
              "witnesses": witnessed.get(n.size, 0)} for n in now.checking.notes()]  # fmt: skip
    status = now.checking.status()
    places = [
        {"name": str(place), "why": status.away.get(str(now.site.folder / place))} for place in now.site.settings.places
    ]
    context = {
        "head": head, "root": head.root.hex(), "notes": notes, "status": status, "places": places,
        "running": now.checking.running, "verdict": now.checking.last, "broken": now.checking.fault,
        "keys": [str(key) for key in now.site.publisher.chain.current], "live": "",
        "newest": notes[0]["note"].body.decode() if notes else "",
    }  # fmt: skip
    return render(request, "proof.jinja", context)


@page(EVERYBODY)
@require_POST
def check(request: Asked) -> HttpResponse:
    """Verify the whole record now, in the background."""
    house().checking.begin()
    return HttpResponseRedirect("/proof")
