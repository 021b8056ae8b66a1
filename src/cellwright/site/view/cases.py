"""An identity case: what was stopped and why, and the ways out: set aside, or investigated and closed (D4)."""

from typing import Any, Final

from django.http import HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from cellwright.factory.order.case import HANDLING, CaseState, Close, DeclareDoubt, Evidence, Investigate, SetItemAside
from cellwright.site import words
from cellwright.site.access import CONTENT, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.refusals import missing
from cellwright.site.view.signing import give

QUALITY = frozenset({"quality_assurance"})
KINDS: Final = ("physical", "biological")
"""Evidence of both kinds together shows whose an item is (D4)."""
NO_DOCUMENT: Final = b"SIMULATED, NOT FOR HUMAN USE: stands for the document behind a piece of evidence"
"""What a simulated site keeps where nothing was handed in."""
ROLES = frozenset(HANDLING)
"""Who handles items, and can therefore end a stop or declare a doubt."""


@page(CONTENT)
@require_GET
def case(request: Asked, case: str) -> HttpResponse:
    """The stop, on both sides, with the way out."""
    read = Read()
    state = read.load(CaseState, case)
    if not state.exists:
        return missing(request, case)
    then = request.GET.get("then", "/")
    seconds = [p for role in sorted(ROLES & _peers(request)) for p in house().people(role)]
    context = {
        "case": state, "mark": words.CASES[state.status], "coi": state.expected_coi or "", "live": f"case/{case}",
        "quality": "quality_assurance" in request.roles, "own": request.person.name == state.scanned_by,
        "evidence": _evidence_of(case), "approvers": house().people("authorised_person"), "version": state.version,
        "then": then if url_has_allowed_host_and_scheme(then, None) else "/", "may": bool(ROLES & request.roles),
        "seconds": [p for n, p in {p.name: p for p in seconds}.items() if n != request.person.name],
        "story": house().site.ledger.stream(f"case/{case}"),
    }  # fmt: skip
    return render(request, "case.jinja", context)


def _peers(request: Asked) -> frozenset[str]:
    """The roles from which the second person comes: one's own, and quality assurance."""
    return request.roles | {"quality_assurance"}


def _role(roles: frozenset[str]) -> str:
    found = sorted(roles & ROLES)
    return found[0] if found else ""


@page(ROLES)
@require_POST
def set_aside(request: Asked, case: str) -> HttpResponse:
    """The wrong item is put back before a second person; work goes on with the right one."""
    second = request.POST.get("second", "")
    held = next((p for p in house().people() if p.name == second), None)
    now = house().desk.clock()
    theirs = frozenset(r for r in held.roles if held.holds(r, now)) if held else frozenset()
    command = SetItemAside(
        case=case, where=request.POST.get("where", "").strip() or "red tray", role=_role(request.roles),
        verifier=second, verifier_role=_role(theirs),
    )  # fmt: skip
    return give(request, command, f"/cases/{case}")


@page(ROLES)
@require_POST
def in_doubt(request: Asked, case: str) -> HttpResponse:
    """It is not certain whose it is: quarantine, and quality assurance is called."""
    why = request.POST.get("why", "").strip() or "Declared at the screen."
    return give(request, DeclareDoubt(case=case, why=why), f"/cases/{case}")


def _evidence_of(case: str) -> list[dict[str, Any]]:
    """What the investigations found, newest last, with their conclusions."""
    events = house().site.ledger.stream(f"case/{case}")
    return [event.body for event in events if event.type == "case.investigated"]


def _document(request: Asked, name: str) -> str:
    """The hash of a document that was handed in, kept before the event names it (E12); empty where there is none."""
    given = request.FILES.get(name)
    if given is not None:
        return house().site.files.put(given.read()).sha256
    return house().site.files.put(NO_DOCUMENT).sha256 if house().site.settings.simulated else ""


@page(QUALITY)
@require_POST
def investigate(request: Asked, case: str) -> HttpResponse:
    """Physical and biological evidence with what each shows, and the conclusion; signed by quality assurance."""
    evidence = tuple(
        Evidence(
            kind=kind,
            method=request.POST.get(f"{kind}-method", "").strip(), finding=request.POST.get(f"{kind}-finding", "").strip(),
            supports=request.POST.get(f"{kind}-supports") == "yes",
            sha256=_document(request, f"{kind}-document"),
        )
        for kind in KINDS
        if request.POST.get(f"{kind}-finding", "").strip()
    )  # fmt: skip
    command = Investigate(case=case, evidence=evidence, conclusion=request.POST.get("conclusion", "").strip())
    return give(request, command, f"/cases/{case}")


@page(QUALITY)
@require_POST
def close(request: Asked, case: str) -> HttpResponse:
    """The case ends: identity confirmed, or lost; then only what is beyond doubt is freed."""
    outcome: Any = "identity_confirmed" if request.POST.get("outcome") == "confirmed" else "identity_lost"
    freed = tuple(request.POST.getlist("freed"))
    state = Read().load(CaseState, case)
    command = Close(
        case=case, outcome=outcome, reason=request.POST.get("reason", "").strip(), verifier=request.POST.get("second", ""),
        freed_lots=tuple(n for n in freed if n in state.lots), freed_orders=tuple(n for n in freed if n in state.orders),
    )  # fmt: skip
    return give(request, command, f"/cases/{case}")
