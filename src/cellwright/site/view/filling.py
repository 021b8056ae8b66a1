"""Steps that make containers: filled, labelled one by one (printed, read back, applied, detached), stored.

What is asked for next follows from the lot's record alone, so that whoever stands at the bench, and whatever was
interrupted, the page goes on where the record is.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from cellwright.factory.lot.bag import FreezeBag
from cellwright.factory.lot.closing import CompleteLot
from cellwright.factory.lot.label import ApplyLabel, Detach, PrintLabel, VerifyLabel, current
from cellwright.factory.lot.part import Container, Label
from cellwright.factory.lot.room import LeaveRoom
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.transfer import Child, Source, TransferMaterial
from cellwright.factory.order.scan import Scan
from cellwright.factory.recipe.recipe import Recipe, Step
from cellwright.factory.rule import Refusal
from cellwright.site import recipes
from cellwright.site.access import Asked, page
from cellwright.site.house import house
from cellwright.site.reading import Read
from cellwright.site.refusals import refused
from cellwright.site.view.signing import give

OPERATORS: Final = frozenset({"operator"})
READ: Final = "read-back"
"""Key of the session under which the symbols stand that were read back from a print so far."""
CASSETTE: Final = "cassette"
"""Key of the session under which the cassette stands that was scanned before its bag."""
SMALL_ML: Final = Decimal(2)
"""Proposed volume of whatever is filled beside final bags [assumption]."""
Place = Literal["container", "cassette"]
Phase = Literal["fill", "print", "read_back", "reprint", "apply", "detach", "store", "done"]


@dataclass(frozen=True)
class Wanted:
    """A container that the step has still to fill, with a proposal on simulated sites."""

    kind: str
    name: str
    proposed: str


@dataclass(frozen=True)
class Filling:
    """Where a step that makes or stores containers stands, and the one thing to do next."""

    phase: Phase
    place: Place = "container"
    container: Container | None = None
    label: Label | None = None
    wanted: tuple[Wanted, ...] = ()
    containers: tuple[Container, ...] = ()
    position: str = ""


def filling(read: Read, lot: LotState, recipe: Recipe, step: Step) -> Filling | None:
    """What a step asks for beside scans and readings; None where it makes and stores nothing."""
    if step.makes:
        made = tuple(c for c in lot.containers.values() if c.step == step.id)
        if not made:
            return Filling("fill", wanted=_wanted(lot, recipe, step))
        return _labelled(lot, made, "container") or Filling("done", containers=made)
    if step.activity == "store":
        bags = tuple(c for c in lot.bags if c.disposition is None)
        unstored = tuple(c for c in bags if c.position is None)
        if unstored:
            return _labelled(lot, unstored[:1], "cassette", bags) or Filling(
                "store", "cassette", unstored[0], containers=bags, position=_position(read, lot, bags)
            )
        return Filling("done", "cassette", containers=bags)
    return None


def _labelled(
    lot: LotState, ahead: tuple[Container, ...], place: Place, among: tuple[Container, ...] = ()
) -> Filling | None:
    """The first container that does not bear its label yet, and what its label waits for; None when all do."""
    for one in ahead:
        if (one.label if place == "container" else one.cassette) is None:
            copy = current(lot, one.container, place)
            spoiled = copy is None and any(
                c.container == one.container and c.place == place for c in lot.labels.values()
            )
            phase: Phase = "reprint" if spoiled else "print"
            if copy is not None:
                phase = "read_back" if copy.status == "printed" else "apply"
            return Filling(phase, place, one, copy, containers=among or ahead)
        if place == "container" and not one.detached:
            return Filling("detach", place, one, containers=among or ahead)
    return None


def _wanted(lot: LotState, recipe: Recipe, step: Step) -> tuple[Wanted, ...]:
    kinds = [(output.kind, recipes.said(output.name)) for output in step.makes for _ in range(output.count)]
    volumes = _proposed(lot, recipe, [kind for kind, _ in kinds]) if house().keys is not None else [""] * len(kinds)
    return tuple(Wanted(kind, name, volume) for (kind, name), volume in zip(kinds, volumes, strict=True))


def _proposed(lot: LotState, recipe: Recipe, kinds: list[str]) -> list[str]:
    """Volumes that a simulated operator would measure: final bags share what the small ones leave."""
    total = sum((c.volume_ml for c in _held(lot)), Decimal(0))
    if len(kinds) == 1:
        bags = sum(o.count for s in recipe.steps for o in s.makes if o.kind == "final_bag")
        return [format(min(total, Decimal(200) if kinds[0] == "culture" else 15 * Decimal(bags)), "f")]
    small = SMALL_ML * sum(kind != "final_bag" for kind in kinds)
    each = ((total - small) / max(1, kinds.count("final_bag"))).quantize(Decimal("0.1"), rounding="ROUND_DOWN")
    return [format(each if kind == "final_bag" else SMALL_ML, "f") for kind in kinds]


def _held(lot: LotState) -> list[Container]:
    """What the lot's cells are in now."""
    return [c for c in lot.containers.values() if c.disposition is None and c.volume_ml > 0 and not _beside(c)]


def _beside(container: Container) -> bool:
    return container.kind in ("retained", "backup", "waste")


def _position(read: Read, lot: LotState, bags: tuple[Container, ...]) -> str:
    """A free position that a simulated store offers; a real one is read from the rack."""
    if house().keys is None:
        return ""
    place = f"VT-01:{lot.number[-5:]}-{sum(c.position is not None for c in bags) + 1:02d}"
    return place if read.claim(f"position/{place}") is None else ""


def code(lot: LotState, container: Container) -> str:
    """What stands on a container: its label's code, or the donation's own number."""
    return container.container if container.label is None else lot.labels[container.label].code


def wanted(label: Label) -> tuple[str, ...]:
    """Every symbol that a reader finds on the print."""
    return label.symbols or (label.code,)


def own(label: Label) -> str:
    """The symbol among them with the copy's own number."""
    return next((text for text in wanted(label) if label.label in text), label.code)


def within_reach(lot: LotState, at: Filling | None) -> list[dict[str, str]]:
    """Labels that a simulated scanner finds at this phase, beside the containers themselves."""
    if at is None:
        return []
    if at.phase in ("read_back", "apply") and at.label is not None:
        texts = wanted(at.label) if at.phase == "read_back" else (own(at.label),)
        return [{"what": "label", "code": text} for text in texts]
    if at.phase == "store" and at.container is not None and at.container.cassette is not None:
        return [{"what": "cassette", "code": lot.labels[at.container.cassette].code},
                {"what": "own", "code": code(lot, at.container)}]  # fmt: skip
    return []


# --- acts ----------------------------------------------------------------------------------------------------------


def _here(lot: str) -> str:
    return f"/lots/{lot}/step"


def _at(lot: str) -> tuple[LotState, Recipe, Step, Filling]:
    """Raises Refusal `nothing-to-fill` where the lot's step makes and stores nothing."""
    read = Read()
    state = read.load(LotState, lot)
    running = state.running[0].step if state.exists and state.running else None
    if running is not None:
        recipe = recipes.recipe(state.recipe.id, state.recipe.version)
        step = recipe.step(running)
        found = filling(read, state, recipe, step)
        if found is not None:
            return state, recipe, step, found
    raise Refusal("nothing-to-fill", "No step of lot {lot} that fills or stores is under way.",
                  remedy="Begin the step first.", rule="R068", lot=lot)  # fmt: skip


@page(OPERATORS)
@require_POST
def fill(request: Asked, lot: str) -> HttpResponse:
    """The source is scanned, every container gets the volume that was measured; two people sign."""
    try:
        state, _recipe, step, found = _at(lot)
    except Refusal as refusal:
        return refused(request, refusal)
    volumes = [request.POST.get(f"volume-{n}", "").strip() for n in range(len(found.wanted))]
    cells = request.POST.get("cells", "").strip() or None
    children = tuple(
        Child(kind=one.kind, volume_ml=volume, viable_cells=cells if one.kind == "final_bag" else None)
        for one, volume in zip(found.wanted, volumes, strict=True)
    )  # fmt: skip
    scan = request.POST.get("scan", "").strip()
    held = next((c for c in _held(state) if code(state, c) == scan), None)
    drawn = held.volume_ml if held is not None else Decimal(0)
    total = sum((_decimal(volume) for volume in volumes), Decimal(0))
    command = TransferMaterial(
        lot=lot, transfer="split" if len(children) > 1 else "process", step=step.id, children=children,
        sources=(Source(scan=Scan(text=scan), volume_ml=format(drawn, "f"), emptied=True),),
        verifier=request.POST.get("second", ""), waste_ml=format(max(drawn - total, Decimal(0)), "f"),
    )  # fmt: skip
    return give(request, command, _here(lot))


def _decimal(text: str) -> Decimal:
    """A volume as it was typed; what is no number counts as nothing here and is refused by the rule."""
    return Decimal(text) if text.replace(".", "", 1).isdecimal() else Decimal(0)


@page(OPERATORS)
@require_POST
def print_label(request: Asked, lot: str) -> HttpResponse:
    """One copy; where one was rejected, with its reason and quality assurance."""
    try:
        state, _recipe, _step, found = _at(lot)
    except Refusal as refusal:
        return refused(request, refusal)
    if found.container is None:
        return HttpResponseRedirect(_here(lot))
    command = PrintLabel(
        lot=state.number, container=found.container.container, place=found.place,
        reason=request.POST.get("reason") or None, approver=request.POST.get("approver") or None,
    )  # fmt: skip
    return give(request, command, _here(lot))


@page(OPERATORS)
@require_POST
def scan_label(request: Asked, lot: str) -> HttpResponse:
    """The printed label is read back; scanned a second time on its container, it is applied before a second person."""
    try:
        _state, _recipe, _step, found = _at(lot)
    except Refusal as refusal:
        return refused(request, refusal)
    scan = Scan(text=request.POST.get("scan", ""))
    if found.container is None or found.label is None:
        return HttpResponseRedirect(_here(lot))
    if found.phase == "read_back":
        return _read_back(request, lot, found.label, scan)
    applied = ApplyLabel(
        lot=lot, container=found.container.container, scan=scan, verifier=request.POST.get("second", "")
    )
    return give(request, applied, _here(lot))


def _read_back(request: Asked, lot: str, label: Label, scan: Scan) -> HttpResponse:
    """Symbol by symbol until every one of the print was read; one that is not among them is judged at once."""
    read = [*read_so_far(request, label.label), scan.text.strip()]
    if scan.text.strip() in wanted(label) and set(read) < set(wanted(label)):
        request.session[READ] = {label.label: list(dict.fromkeys(read))}
        return HttpResponseRedirect(_here(lot))
    request.session[READ] = {}
    first = own(label) if own(label) in read and scan.text.strip() in wanted(label) else scan.text
    others = tuple(Scan(text=text) for text in dict.fromkeys(read) if text != first)
    verify = VerifyLabel(
        lot=lot, label=label.label, scan=Scan(text=first), symbols=others, legends=tuple(request.POST.getlist("legend"))
    )
    return give(request, verify, _here(lot))


def read_so_far(request: Asked, label: str) -> list[str]:
    """The symbols of a print that were read back in this session."""
    return list(request.session.get(READ, {}).get(label, []))


@page(OPERATORS)
@require_POST
def detach(request: Asked, lot: str) -> HttpResponse:
    """The labelled container is separated from its set."""
    try:
        _state, _recipe, _step, found = _at(lot)
    except Refusal as refusal:
        return refused(request, refusal)
    if found.container is None:
        return HttpResponseRedirect(_here(lot))
    return give(request, Detach(lot=lot, containers=(found.container.container,)), _here(lot))


@page(OPERATORS)
@require_POST
def store(request: Asked, lot: str) -> HttpResponse:
    """First the cassette is scanned, then its bag; both go into the position together."""
    scan = request.POST.get("scan", "").strip()
    kept = request.session.get(CASSETTE, {})
    if lot not in kept:
        request.session[CASSETTE] = {lot: scan}
        return HttpResponseRedirect(_here(lot))
    request.session[CASSETTE] = {}
    freeze = FreezeBag(
        lot=lot, bag=Scan(text=scan), cassette=Scan(text=kept[lot]), position=request.POST.get("position", "").strip(),
        verifier=request.POST.get("second", ""),
    )  # fmt: skip
    return give(request, freeze, _here(lot))


@page(OPERATORS)
@require_POST
def leave(request: Asked, lot: str) -> HttpResponse:
    """The lot leaves a room; the room stays its own until it is cleared."""
    return give(request, LeaveRoom(lot=lot, room=request.POST.get("room", "")), _here(lot))


@page(OPERATORS)
@require_POST
def close(request: Asked, lot: str) -> HttpResponse:
    """Every step is done: the batch record is locked before a second person."""
    return give(request, CompleteLot(lot=lot, verifier=request.POST.get("second", "")), f"/lots/{lot}")


def cassette_scanned(request: Asked, lot: str) -> str:
    """The cassette that was scanned in this session and waits for its bag; empty before."""
    return str(request.session.get(CASSETTE, {}).get(lot, ""))
