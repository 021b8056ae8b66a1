"""A lot's record: steps, genealogy, materials, readings in their limits, results against the specification, signatures."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from cellwright.factory.lot.part import StepState, Taken
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
from cellwright.site import drawing, recipes, tested, words
from cellwright.site.access import CONTENT, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import answer, render
from cellwright.site.reading import Read
from cellwright.site.refusals import Told, missing, told
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
    units, results = _units(recipe, state), tests(read, lot)
    context = {
        "lot": state, "coi": state.coi or "", "mark": words.LOTS[state.status], "release": words.RELEASES[release.status],
        "recipe": recipe, "recipe_name": recipes.said(recipe.name), "live": f"lot/{lot}",
        "units": units, "exceptions": _exceptions(state, units, results),
        "left": [recipes.said(s.title) for s in recipe.steps if s.id not in state.steps],
        "quality": "quality_assurance" in request.roles,
        "family": _family(state), "additions": [(recipes.titled(recipe, s.step), a) for s in state.steps.values()
                                                 for a in s.additions],
        "findings": [_finding(name, n) for name, n in state.nonconformances.items()],
        "tests": results, "missing": _missing(read, lot) if state.status == "complete" else None,
        "signatures": _signatures([e for e in events if _own(e)]),
        "others": _signatures([e for e in events if not _own(e)]), "events": len(events),
    }  # fmt: skip
    return render(request, "record.jinja", context)


def _units(recipe: Recipe, lot: LotState) -> list[dict[str, Any]]:
    """The steps by unit procedure, each unit with what stands out in it: it is folded where nothing does."""
    units = []
    for unit in recipe.unit_procedures:
        names = {step.id for operation in unit.operations for step in operation.phases}
        steps = [_step(recipe, lot, name) for name in lot.steps if name in names]
        if steps:
            times = [s["state"].started for s in steps], [s["state"].completed for s in steps if s["state"].completed]
            units.append({
                "id": unit.id, "title": recipes.said(unit.title), "steps": steps, "count": len(names),
                "readings": sum(len(s["readings"]) for s in steps), "begun": min(times[0]),
                "ended": max(times[1]) if len(times[1]) == len(names) else None,
                "out": sum(len(s["out"]) for s in steps),
            })  # fmt: skip
    return units


def _out(state: StepState, readings: list[dict[str, Any]]) -> list[str]:
    """What stands out in a step: readings outside their limits or read by one person only, left out, entered later."""
    found = [_("{name} outside its limits: {value} {unit}").format(name=r["name"], value=r["taken"].reading.value,
             unit=r["unit"]) for r in readings if not r["taken"].reading.within]  # fmt: skip
    found += [_("{name} waits for a second reader").format(name=r["name"]) for r in readings if not r["taken"].usable]
    found += [_("{name} not taken: {why}").format(name=name, why=_(why)) for name, why in state.not_taken.items()]
    return [*found, _("entered later")] if state.late_entry else found


def _exceptions(lot: LotState, units: list[dict[str, Any]], results: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Everything that a review has to look at, gravest first; each leads to its place in the record."""
    found = [{"tone": "stop", "shape": "■", "said": _("Identity in doubt"), "link": f"/cases/{name}"}
             for name, doubt in lot.doubts.items() if doubt]  # fmt: skip
    for name, one in lot.nonconformances.items():
        tone = "stop" if one.status == "open" and one.severity != "minor" else "warn"
        said = f"{words.severity(one.severity)}: {_finding(name, one)['said']}"
        found.append({"tone": tone if one.status != "closed" else "idle", "shape": "▲" if one.status != "closed" else "✓",
                      "said": said, "link": f"#finding-{name}"})  # fmt: skip
    for test in results:
        if test["verdict"] is not None and test["verdict"].tone in ("stop", "warn"):
            mark = test["verdict"]
            found.append(
                {"tone": mark.tone, "shape": mark.shape, "said": f"{test['name']}: {mark.said}", "link": "#tests"}
            )
    for unit in units:
        found += [{"tone": "warn", "shape": "▲", "said": f"{step['title']}: {said}", "link": f"#step-{step['state'].step}"}
                  for step in unit["steps"] for said in step["out"]]  # fmt: skip
    return sorted(found, key=lambda one: ("stop", "warn", "idle").index(one["tone"]))


def _step(recipe: Recipe, lot: LotState, name: str) -> dict[str, Any]:
    state = lot.steps[name]
    try:
        parameters = {p.id: p for p in recipe.step(name).parameters}
    except KeyError:
        parameters = {}
    readings = [reading(parameters.get(key), key, taken) for key, taken in state.readings.items()]
    return {"state": state, "title": recipes.titled(recipe, name), "readings": readings,
            "out": _out(state, readings)}  # fmt: skip


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
    said = _(found.text).format_map(found.found) if found.found else words.remark(found.text)
    return {"name": name, "finding": found, "said": said, "mark": words.FINDINGS[found.status]}


def tests(read: Read, lot: str) -> list[dict[str, Any]]:
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
        return f"{signs[against.operator]}{answer(against.limit, against.unit)}"
    return _("to be reported")


def called(read: Read, lot: str) -> dict[str, str]:
    """What the tests of a lot are called in the active language, by their codes."""
    quality = read.load(QualityState, lot)
    return tested.names(_specification(read, quality) if quality.specification is not None else None)


def _missing(read: Read, lot: str) -> list[Told] | None:
    """What still stands between the lot and its release."""
    try:
        found = assess(read, lot)
    except Refusal as refusal:
        return [told(refusal)]
    if read.load(ReleaseState, lot).status != "pending":
        return None
    names = called(read, lot)
    return [tested.missing(one, names) for one in found.missing("released")]


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
