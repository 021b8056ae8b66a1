"""One working step at a tablet: the instruction, what to scan, what to measure, the second person, the signature."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from cellwright.factory.lot.addition import AddMaterial
from cellwright.factory.lot.completion import BY_QUALITY, CompleteStep
from cellwright.factory.lot.part import StepState
from cellwright.factory.lot.quantity import duration, moment
from cellwright.factory.lot.reading import Measured, TakeReading, VerifyReading
from cellwright.factory.lot.receipt import ReceiveMaterial
from cellwright.factory.lot.room import EnterRoom
from cellwright.factory.lot.sample import DrawSample
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import StartStep, TakeOverStep
from cellwright.factory.order.scan import SEPARATOR, Scan
from cellwright.factory.order.state import OrderState
from cellwright.factory.plant.equipment import EquipmentState
from cellwright.factory.plant.material import MaterialState
from cellwright.factory.plant.plant import Plant
from cellwright.factory.plant.room import RoomState
from cellwright.factory.recipe.recipe import Recipe, Step, Use
from cellwright.factory.rule import By, Refusal
from cellwright.ledger import SimulatedClock
from cellwright.site import models, recipes
from cellwright.site.access import CONTENT, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.refusals import missing, refused
from cellwright.site.view import filling
from cellwright.site.view.filling import code
from cellwright.site.view.finding import RECORDING
from cellwright.site.view.floor import PLANTS, room_names
from cellwright.site.view.record import reading
from cellwright.site.view.signing import by, give

OPERATORS = frozenset({"operator"})
SCANS = "scans"
"""Key of the session under which the container scanned at the start of a step stands."""


@dataclass
class Bench:
    """A lot at the step it is at, as one page or one act needs it."""

    read: Read
    lot: LotState
    recipe: Recipe
    step: Step | None
    state: StepState | None
    """The step as it was begun; None before."""

    @property
    def use(self) -> Use | None:
        """The material that is scanned next."""
        if self.step is None or self.state is None:
            return None
        added = {a.code for a in self.state.additions}
        return next((use for use in self.step.materials if use.code not in added), None)

    @property
    def room(self) -> str | None:
        """The room of the step's class that the lot is in."""
        step = self.step
        if step is None:
            return None
        return next((r for r in self.lot.rooms if self.read.load(RoomState, r).room_class == step.room_class), None)

    @property
    def plant(self) -> Plant:
        return self.read.definition(Plant, PLANTS[0])


def bench(name: str) -> Bench:
    """A lot at its step. Raises Refusal `unknown-lot`."""
    read = Read()
    lot = read.load(LotState, name)
    if not lot.exists:
        raise Refusal("unknown-lot", "There is no lot {lot}.", lot=name)
    recipe = recipes.recipe(lot.recipe.id, lot.recipe.version)
    running = lot.running[0] if lot.running else None
    step = None if lot.locked else recipes.next_step(recipe, lot.done, running.step if running else None)
    return Bench(read, lot, recipe, step, running)


@page(CONTENT)
@require_GET
def step(request: Asked, lot: str) -> HttpResponse:
    """The step a lot is at."""
    try:
        at = bench(lot)
    except Refusal as refusal:
        return refused(request, refusal, status=404)
    context: dict[str, Any] = {
        "lot": at.lot, "coi": at.lot.coi or "", "recipe": at.recipe, "step": at.step, "state": at.state,
        "recipe_name": recipes.said(at.recipe.name), "live": f"lot/{lot}", "around": _around(at),
        "simulated": _simulated(at), "mine": at.state is not None and at.state.performer == request.person.name,
        "operator": "operator" in request.roles, "reporter": bool(RECORDING & request.roles),
        "findings": [name for name, n in at.lot.nonconformances.items() if n.status == "open"], "to_leave": _to_leave(at),
        "seconds": [p for p in house().people("operator") if p.name != request.person.name], "filling": None,
        "cases": [name for name, doubt in at.lot.doubts.items() if doubt],
        "version": f"{at.lot.version}/{len(filling.cassette_scanned(request, lot))}",
    }  # fmt: skip
    if at.step is not None:
        context |= _to_do(at, request)
    return render(request, "step.jinja", context)


def _around(at: Bench) -> list[dict[str, Any]]:
    """The steps around this one: done, at hand, to come."""
    steps = at.recipe.steps
    here = next((n for n, s in enumerate(steps) if at.step is not None and s.id == at.step.id), len(steps))
    return [
        {"number": n + 1, "title": recipes.said(s.title), "done": s.id in at.lot.done, "now": n == here}
        for n, s in enumerate(steps)
        if here - 4 <= n <= here + 4
    ]


def _to_do(at: Bench, request: Asked) -> dict[str, Any]:
    """Everything that is asked of the operator in this step."""
    one = at.step
    assert one is not None
    names = room_names()
    taken = at.state.readings if at.state else {}
    seconds = [p for p in house().people(one.role) if p.name != request.person.name]
    further = [m for m in one.signatures if m not in ("performed", "verified")]
    quality = house().people("quality_assurance")
    hold = at.lot.hold_before(one.id) if at.state is None else None
    return {
        "title": recipes.said(one.title), "instruction": recipes.said(one.instruction),
        "unit": _unit(at, one), "number": [s.id for s in at.recipe.steps].index(one.id) + 1,
        "count": len(at.recipe.steps), "room": at.room, "room_names": names, "use": at.use,
        "material_name": _material(at, at.use), "added": at.state.additions if at.state else (),
        "free": _free_rooms(at, one), "open_rooms": [r.id for r in at.plant.rooms if r.room_class == one.room_class],
        "equipment": _equipment(at, one), "seconds": seconds,
        "received": bool(at.lot.containers),
        "readings": [reading(p, p.id, taken.get(p.id)) for p in one.parameters],
        "instrument": _instrument(at), "proposed": {p.id: _proposed(p.low, p.high) for p in one.parameters},
        "samples": [s for s in one.samples if s.id not in _drawn(at)],
        "filling": filling.filling(at.read, at.lot, at.recipe, one) if at.state else None,
        "read": (read := _read(at, request))[0], "symbols": read[1], "cassette": filling.cassette_scanned(request, at.lot.number), "approvers": quality,
        "needs_second": one.verified_by_second or one.mode == "Automatic",
        "further": [(m, quality if m in BY_QUALITY else seconds) for m in further],
        "hold": hold, "now": house().desk.clock(), "duration": one.duration,
        "earliest": moment(at.state.started) + duration(at.state.duration_min)
        if at.state and at.state.duration_min else None,
    }  # fmt: skip


def _read(at: Bench, request: Asked) -> tuple[list[str], int]:
    """The symbols of the label at hand that were read back in this session, and how many it has."""
    assert at.step is not None
    found = filling.filling(at.read, at.lot, at.recipe, at.step) if at.state else None
    if found is None or found.label is None:
        return [], 0
    return filling.read_so_far(request, found.label.label), len(filling.wanted(found.label))


def _unit(at: Bench, one: Step) -> str:
    unit = at.recipe.unit_of(one.id)
    return next(recipes.said(u.title) for u in at.recipe.unit_procedures if u.id == unit)


def _material(at: Bench, use: Use | None) -> str:
    if use is None:
        return ""
    return next((recipes.said(m.name) for m in at.plant.materials if m.code == use.code), use.code)


def _free_rooms(at: Bench, one: Step) -> list[str]:
    """Cleared rooms of the class, where the step opens the material to the room and the lot is in none."""
    if not one.open_processing or at.room is not None:
        return []
    rooms = [r.id for r in at.plant.rooms if r.room_class == one.room_class]
    return [r for r in rooms if (state := at.read.load(RoomState, r)).cleared and state.holder is None]


def _to_leave(at: Bench) -> list[str]:
    """Rooms the lot is in whose step is done, where the next one is elsewhere."""
    running = {state.room for state in at.lot.running}
    return [room for room in at.lot.rooms if room not in running and room != at.room]


def _equipment(at: Bench, one: Step) -> list[str]:
    """Fit equipment of the class, that in the lot's room first."""
    if one.equipment_class is None:
        return []
    pieces = [e for e in at.plant.equipment if e.equipment_class == one.equipment_class]
    fit = [e for e in pieces if at.read.load(EquipmentState, e.id).fit(at.read.now, at.lot.number) is None]
    here = [e.id for e in fit if e.room == at.room]
    return here or [e.id for e in fit]


def _instrument(at: Bench) -> str | None:
    """A fit instrument that the simulated site reads from; real ones report by themselves."""
    if house().keys is None:
        return None
    counters = [e.id for e in at.plant.equipment if e.equipment_class == "cell_counter"]
    return next((c for c in counters if at.read.load(EquipmentState, c).fit(at.read.now) is None), None)


def _proposed(low: Decimal | None, high: Decimal | None) -> str:
    """What the simulated instrument shows: a value well inside the limits."""
    if low is not None and high is not None:
        return format(low + (high - low) * Decimal("0.7"), "f").rstrip("0").rstrip(".") or "0"
    return format((low or high or Decimal(1)) * 2, "f")


def _drawn(at: Bench) -> set[str]:
    """Samples of this step that were drawn already."""
    if at.step is None:
        return set()
    kinds = {s.kind for s in at.lot.samples.values() if s.step == at.step.id}
    return {s.id for s in at.step.samples if s.kind in kinds}


def _simulated(at: Bench) -> list[dict[str, str]]:
    """The labels within reach of a simulated scanner: this lot's, the material's, and another patient's."""
    if house().keys is None or house().telling:
        return []
    asked = filling.filling(at.read, at.lot, at.recipe, at.step) if at.step is not None and at.state else None
    within = filling.within_reach(at.lot, asked) or [
        {"what": "own", "code": code(at.lot, c)}
        for c in at.lot.containers.values()
        if c.disposition is None and c.volume_ml > 0
    ]
    if not at.lot.containers and at.lot.order is not None:
        order = at.read.load(OrderState, at.lot.order)
        within += [{"what": "own", "code": n} for n, c in order.containers.items() if c.lot == at.lot.number]
    if at.use is not None:
        lots = [c.key.partition("/")[2] for c in house().site.ledger.claims("material/")]
        usable = [n for n in lots if at.read.load(MaterialState, n).usable(at.read.now, at.use.code) is None]
        within += [{"what": "material", "code": n} for n in usable[:1]]
    for other in models.Lot.objects.filter(status="in_process").exclude(coi=at.lot.coi or "")[:3]:
        lot = at.read.load(LotState, other.lot)
        foreign = [code(lot, c) for c in lot.containers.values() if c.disposition is None and c.volume_ml > 0]
        if foreign and lot.coi:
            within.append({"what": "foreign", "code": foreign[0]})
            break
    return within


# --- acts ----------------------------------------------------------------------------------------------------------


def _here(lot: str) -> str:
    return f"/lots/{lot}/step"


def _scan(request: Asked, name: str = "scan") -> Scan:
    """What the scanner, or the keyboard with a second person, brought in."""
    text = request.POST.get(name, "")
    if request.POST.get("how") == "typed":
        return Scan(text=text, how="typed", second=request.POST.get("second") or None)
    return Scan(text=text)


@page(OPERATORS)
@require_POST
def enter(request: Asked, lot: str) -> HttpResponse:
    """The lot enters a cleared room; a second person has seen that it is clear."""
    command = EnterRoom(lot=lot, room=request.POST.get("room", ""), verifier=request.POST.get("second", ""))
    return give(request, command, _here(lot))


@page(OPERATORS)
@require_POST
def scanned(request: Asked, lot: str) -> HttpResponse:
    """A scan, taken for what is expected now: starting material, the step's container, its material, its sample."""
    try:
        at = bench(lot)
    except Refusal as refusal:
        return refused(request, refusal, status=404)
    if at.step is None:
        return missing(request, lot)
    if not at.lot.containers:
        received = ReceiveMaterial(lot=lot, scan=_scan(request), verifier=request.POST.get("second", ""))
        return give(request, received, _here(lot))
    if at.state is None:
        return _begin(request, at)
    if at.use is not None:
        return _add(request, at)
    if at.step.samples and request.POST.get("sample"):
        drawn = DrawSample(lot=lot, step=at.step.id, scan=_scan(request), sample=request.POST["sample"])
        return give(request, drawn, _here(lot))
    return _look(request, at)


def _begin(request: Asked, at: Bench) -> HttpResponse:
    assert at.step is not None
    equipment = request.POST.get("equipment", "")
    scan = _scan(request)
    room = request.POST.get("room") or at.room
    start = StartStep(
        lot=at.lot.number, step=at.step.id, room=room, equipment=(equipment,) if equipment else (), containers=(scan,)
    )
    kept = request.session.get(SCANS, {})
    request.session[SCANS] = {**kept, f"{at.lot.number}/{at.step.id}": scan.text}
    return give(request, start, _here(at.lot.number))


def _add(request: Asked, at: Bench) -> HttpResponse:
    """Add the next material into the container that was scanned when the step began."""
    assert at.step is not None and at.use is not None
    into = request.session.get(SCANS, {}).get(f"{at.lot.number}/{at.step.id}")
    add = AddMaterial(
        lot=at.lot.number, step=at.step.id, code=at.use.code, material=_scan(request),
        quantity=format(at.use.quantity, "f"), unit=at.use.unit, into=Scan(text=into) if into else None,
    )  # fmt: skip
    return give(request, add, _here(at.lot.number))


def _look(request: Asked, at: Bench) -> HttpResponse:
    """Nothing is asked for: a foreign item still stops, and one's own changes nothing."""
    text = _scan(request).text
    if _own(at.lot, text.strip().partition(SEPARATOR)[0]):
        return HttpResponseRedirect(_here(at.lot.number))
    look = DrawSample(lot=at.lot.number, step=at.step.id if at.step else "", scan=Scan(text=text))
    return give(request, look, _here(at.lot.number))


def _own(lot: LotState, name: str) -> bool:
    """Whether a label, a container, a sample or the lot itself is called so."""
    return name == lot.number or name in lot.labels or name in lot.containers or name in lot.samples


@page(OPERATORS)
@require_POST
def measured(request: Asked, lot: str) -> HttpResponse:
    """One value, when it is read (R006)."""
    instrument = request.POST.get("instrument") or None
    one = Measured(
        parameter=request.POST.get("parameter", ""), value=request.POST.get("value", "").strip(),
        unit=request.POST.get("unit", ""), how="instrument" if instrument else "typed", instrument=instrument,
    )  # fmt: skip
    take = TakeReading(
        lot=lot, step=request.POST.get("step", ""), reading=one, reason=request.POST.get("reason") or None
    )
    return give(request, take, _here(lot))


@page(OPERATORS)
@require_POST
def read_again(request: Asked, lot: str) -> HttpResponse:
    """A second person reads a critical value that was typed, enters what they read, and signs (R043)."""
    verify = VerifyReading(
        lot=lot, step=request.POST.get("step", ""), parameter=request.POST.get("parameter", ""),
        value=request.POST.get("value", "").strip(),
    )  # fmt: skip
    second = By(person=request.POST.get("second", ""), source=by(request).source)
    return give(request, verify, _here(lot), second)


@page(OPERATORS)
@require_POST
def take_over(request: Asked, lot: str) -> HttpResponse:
    """Take over a running step (D9)."""
    command = TakeOverStep(lot=lot, step=request.POST.get("step", ""), reason=request.POST.get("reason", ""))
    return give(request, command, _here(lot))


@page(OPERATORS)
@require_POST
def complete(request: Asked, lot: str) -> HttpResponse:
    """The step is done: its performer signs, and its second person where there is one."""
    missed = {key.partition("-")[2]: str(why) for key, why in request.POST.items() if key.startswith("missed-") and why}
    signers = {key.partition("-")[2]: str(who) for key, who in request.POST.items() if key.startswith("signer-")}
    command = CompleteStep(
        lot=lot, step=request.POST.get("step", ""), not_taken=missed, verifier=request.POST.get("second") or None,
        signers=signers,
    )  # fmt: skip
    return give(request, command, _here(lot))


@page(CONTENT)
@require_POST
def let_pass(request: Asked) -> HttpResponse:
    """Let time pass on a simulated site that tells no story at the moment."""
    clock = house().site.clock
    minutes = request.POST.get("minutes", "")
    if isinstance(clock, SimulatedClock) and not house().telling and minutes in ("10", "60", "1440"):
        clock.advance(timedelta(minutes=int(minutes)))
    then = request.POST.get("then", "/")
    return HttpResponseRedirect(then if url_has_allowed_host_and_scheme(then, None) else "/")
