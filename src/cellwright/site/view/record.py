"""A lot's record: steps, genealogy, materials, readings in their limits, results against the specification, signatures."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from cellwright.factory.lot.part import Taken
from cellwright.factory.lot.state import LotState
from cellwright.factory.people import PersonState
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.judge import Judgement
from cellwright.factory.quality.specification import Acceptance, Specification
from cellwright.factory.recipe.recipe import Parameter, Recipe
from cellwright.factory.release.assessment import assess
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.rule import Refusal
from cellwright.language import N_, _
from cellwright.ledger import Event
from cellwright.ledger.canonical import parse_time
from cellwright.site import drawing, recipes, words
from cellwright.site.access import CONTENT, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.refusals import missing, told
from cellwright.site.words import Mark

VERDICTS = {
    "pass": Mark("✓", "ok", N_("in specification")), "fail": Mark("✕", "stop", N_("out of specification")),
    "not_shown_to_comply": Mark("▲", "warn", N_("not shown to comply")),
    "pending": Mark("○", "idle", N_("awaited")), "not_evaluable": Mark("▲", "warn", N_("not evaluable")),
    "unknown": Mark("○", "warn", N_("unknown")),
}  # fmt: skip


@page(CONTENT)
@require_GET
def record(request: Asked, lot: str) -> HttpResponse:
    """The whole record of a lot on one page."""
    read = Read()
    release = read.load(ReleaseState, lot)
    if release.decided_at is not None:
        read.now = parse_time(release.decided_at)  # judged as it was when it was decided
    state = read.load(LotState, lot)
    if not state.exists:
        return missing(request, lot)
    events = read.tagged(f"lot/{lot}")
    recipe = recipes.recipe(state.recipe.id, state.recipe.version)
    context = {
        "lot": state, "coi": state.coi or "", "mark": words.LOTS[state.status], "release": words.RELEASES[release.status],
        "recipe": recipe, "recipe_name": recipes.said(recipe.name), "live": f"lot/{lot}",
        "steps": [_step(recipe, state, name) for name in state.steps],
        "left": [recipes.said(s.title) for s in recipe.steps if s.id not in state.steps],
        "family": _family(state), "additions": [(recipes.titled(recipe, s.step), a) for s in state.steps.values()
                                                 for a in s.additions],
        "findings": [_finding(name, n) for name, n in state.nonconformances.items()],
        "tests": _tests(read, lot), "missing": _missing(read, lot) if state.status == "complete" else None,
        "signatures": _signatures([e for e in events if _own(e)]),
        "others": _signatures([e for e in events if not _own(e)]), "events": len(events),
    }  # fmt: skip
    return render(request, "record.jinja", context)


def _step(recipe: Recipe, lot: LotState, name: str) -> dict[str, Any]:
    state = lot.steps[name]
    try:
        parameters = {p.id: p for p in recipe.step(name).parameters}
    except KeyError:
        parameters = {}
    readings = [reading(parameters.get(key), key, taken) for key, taken in state.readings.items()]
    return {"state": state, "title": recipes.titled(recipe, name), "readings": readings}


def reading(parameter: Parameter | None, key: str, taken: Taken | None) -> dict[str, Any]:
    """A parameter with its limits and, if there is one, the value that was read."""
    value = Decimal(taken.reading.value) if taken is not None else None
    low, high = (parameter.low, parameter.high) if parameter is not None else (None, None)
    return {
        "id": key, "name": recipes.said(parameter.name) if parameter is not None else key, "taken": taken,
        "unit": parameter.unit if parameter is not None else "", "limits": drawing.limits(low, high, value),
        "critical": parameter.critical if parameter is not None else False, "low": low, "high": high,
    }  # fmt: skip


def _family(lot: LotState) -> list[dict[str, Any]]:
    """The containers as a family tree, parents before children, each with its depth."""
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()

    def add(name: str, depth: int) -> None:
        if name in seen:
            return
        seen.add(name)
        rows.append({"container": lot.containers[name], "depth": depth})
        for child, one in lot.containers.items():
            if name in one.parents:
                add(child, depth + 1)

    for name, one in lot.containers.items():
        if not any(parent in lot.containers for parent in one.parents):
            add(name, 0)
    return rows


def _finding(name: str, found: Any) -> dict[str, Any]:
    said = _(found.text).format_map(found.found) if found.found else found.text
    return {"name": name, "finding": found, "said": said, "mark": words.FINDINGS[found.status]}


def _tests(read: Read, lot: str) -> list[dict[str, Any]]:
    """Every test of the specification with its limit, verdict and results; results outside it follow."""
    quality = read.load(QualityState, lot)
    if quality.specification is None:
        return []
    judged = _judged(read, lot)
    rows = []
    seen: set[str] = set()
    for criterion in _specification(read, quality).tests:
        codes = set(criterion.measured) | {criterion.code}
        results = [r for r in quality.results.values() if r.test in codes]
        cultures = [c for c in quality.cultures.values() if c.test in codes]
        seen |= {r.id for r in results}
        verdict = judged.get(criterion.code)
        rows.append({"name": recipes.said(criterion.name), "limit": limit_said(criterion), "results": results,
                     "cultures": cultures, "verdict": VERDICTS[verdict.verdict] if verdict else None,
                     "value": verdict.value if verdict else "", "unit": verdict.unit if verdict else criterion.unit})  # fmt: skip
    return rows


def _specification(read: Read, quality: QualityState) -> Specification:
    assert quality.specification is not None
    return read.definition(Specification, quality.specification.specification, quality.specification.version)


def _judged(read: Read, lot: str) -> dict[str, Judgement]:
    try:
        return assess(read, lot).judgements
    except Refusal:
        return {}


def limit_said(against: Acceptance) -> str:
    """A limit as it is written: `≥ 70 %`, `70 – 100 %`, `negative`."""
    signs = {"<=": "≤ ", ">=": "≥ ", "<": "< ", ">": "> ", "==": ""}
    if against.operator == "between":
        return f"{against.low} – {against.high} {against.unit}".strip()
    if against.operator in signs:
        return f"{signs[against.operator]}{against.limit} {against.unit}".strip()
    return against.unit or "–"


def _missing(read: Read, lot: str) -> list[Any] | None:
    """What still stands between the lot and its release."""
    try:
        found = assess(read, lot)
    except Refusal as refusal:
        return [told(refusal)]
    if read.load(ReleaseState, lot).status != "pending":
        return None
    return [told(one.why) for one in found.missing("released")]


OWN = frozenset({"lot", "quality", "release", "room"})
"""Rooms whose signatures belong to the batch record; the others are on the order, a shipment or a person."""


def _own(event: Event) -> bool:
    """Whether something was signed on the batch record itself, the rooms it went through included."""
    return event.stream.partition("/")[0] in OWN


def _signatures(events: list[Event]) -> list[dict[str, Any]]:
    """Each signature with printed name, user name, role, meaning, time and zone (R026)."""
    rows = []
    for event in events:
        if event.type == "signature.applied":
            body = event.body
            account = house().desk.state(PersonState, body["person"], fresh=False).account
            rows.append({"pos": event.pos, "account": account, **body, "simulated": body.get("simulated", False)})
    return rows
