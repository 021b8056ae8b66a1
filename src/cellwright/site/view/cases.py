"""An identity case: what was stopped and why, and the two ways out (D4)."""

from django.http import HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from cellwright.factory.order.case import HANDLING, CaseState, DeclareDoubt, SetItemAside
from cellwright.site import words
from cellwright.site.access import CONTENT, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.refusals import missing
from cellwright.site.view.signing import give

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
