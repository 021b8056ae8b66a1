"""The release of a lot: every gate with what closes it, the reviews, and the signed decision of the authorised person."""

from typing import Any, Final

from django.http import HttpResponse
from django.views.decorators.http import require_GET, require_POST

from cellwright.factory.lot.state import LotState
from cellwright.factory.quality.file import QualityState
from cellwright.factory.release.assessment import Assessment, assess
from cellwright.factory.release.decide import Complete, Reject, Release
from cellwright.factory.release.review import AssessCustody, ReviewAuditTrail, ReviewRecord
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.rule import Command, Refusal
from cellwright.language import N_
from cellwright.ledger.canonical import parse_time
from cellwright.site import recipes, tested, words
from cellwright.site.access import CONTENT, Asked, page
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.refusals import missing, told
from cellwright.site.view.record import called, tests
from cellwright.site.view.signing import give

DECIDING: Final = frozenset({"quality_assurance", "authorised_person"})
GATES: Final = {
    "undecided": N_("Not decided yet"), "identity": N_("Identity intact"), "donor": N_("Donor's status decided"),
    "custody": N_("Custody and temperature assessed"), "product_gates": N_("Conditions of the product"),
    "record_complete": N_("Batch record complete"), "record_review": N_("Record reviewed"),
    "audit_review": N_("Audit trail reviewed"), "nonconformances": N_("Nonconformances"),
    "investigations": N_("Investigations"), "specification": N_("Specification of the market"),
}  # fmt: skip
"""What the gates are called; a gate without a name of its own belongs to the tests."""
TESTS: Final = N_("Tests against the specification")


@page(CONTENT)
@require_GET
def release(request: Asked, lot: str) -> HttpResponse:
    """What stands for and against the release, and the acts of whoever may take them."""
    read = Read()
    state = read.load(LotState, lot)
    if not state.exists:
        return missing(request, lot)
    decided = read.load(ReleaseState, lot)
    if decided.decided_at is not None:
        read.now = parse_time(decided.decided_at)  # judged as it was when it was decided
    found, broken = _assessed(read, lot)
    quality = read.load(QualityState, lot)
    took_part = request.person.name in state.participants or request.person.name in quality.participants
    context: dict[str, Any] = {
        "lot": state, "coi": state.coi or "", "live": f"lot/{lot}", "release": decided,
        "mark": words.RELEASES[decided.status], "gates": _gates(found, called(read, lot)) if found else [], "called": called(read, lot), "broken": broken,
        "possible": words.RELEASES.get(found.possible) if found else None, "tests": tests(read, lot),
        "took_part": took_part, "quality": "quality_assurance" in request.roles,
        "authorised": "authorised_person" in request.roles, "version": f"{state.version}/{decided.version}/{quality.version}",
        "recipe_name": recipes.said(recipes.recipe(state.recipe.id, state.recipe.version).name),
    }  # fmt: skip
    return render(request, "release.jinja", context)


def _assessed(read: Read, lot: str) -> tuple[Assessment | None, Any]:
    try:
        return assess(read, lot), None
    except Refusal as refusal:
        return None, told(refusal)


def _gates(found: Assessment, names: dict[str, str]) -> list[dict[str, Any]]:
    """Every gate in its order, open or closed, with what closes it; the tests are one gate."""
    against = [one for one in found.missing("released") if one.gate != "undecided"]
    rows: list[dict[str, Any]] = []
    for gate, name in GATES.items():
        if gate == "undecided":
            continue
        why = [tested.missing(one, names) for one in against if one.gate == gate]
        rows.append({"gate": gate, "name": name, "why": why})
    rest = [tested.missing(one, names) for one in against if one.gate not in GATES]
    return [*rows, {"gate": "tests", "name": TESTS, "why": rest}]


@page(DECIDING)
@require_POST
def decide(request: Asked, lot: str) -> HttpResponse:
    """One act on the release of a lot. Each is signed; the rules say who may."""
    command = _command(lot, request.POST.get("act", ""), {k: str(v).strip() for k, v in request.POST.items()})
    return missing(request, lot) if command is None else give(request, command, f"/lots/{lot}/release")


def _command(lot: str, act: str, given: dict[str, str]) -> Command | None:
    findings = given.get("findings", "")
    match act:
        case "custody":
            custody: Any = given.get("custody", "")
            temperature: Any = given.get("temperature", "")
            return AssessCustody(lot=lot, custody=custody, temperature=temperature, basis=given.get("basis", ""))
        case "audit":
            return ReviewAuditTrail(lot=lot, findings=findings)
        case "record":
            return ReviewRecord(lot=lot, findings=findings)
        case "release":
            return Release(lot=lot)
        case "release-pending":
            return Release(lot=lot, path="pending_results")
        case "complete":
            return Complete(lot=lot)
        case "reject":
            return Reject(lot=lot, cause=given.get("cause", ""))
        case _:
            return None
