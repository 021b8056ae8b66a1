"""A patient's whole story on one line of time: order, lots, samples and shipments, linked orders side by side."""

from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET

from cellwright.factory.lot.state import LotState
from cellwright.factory.order.state import OrderState
from cellwright.factory.recipe.recipe import Recipe
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.rule import Refusal
from cellwright.language import N_, _
from cellwright.ledger import Event
from cellwright.ledger.canonical import parse_time
from cellwright.site import drawing, models, recipes, words
from cellwright.site.access import CONTENT, NAMES, Asked, page
from cellwright.site.drawing import Bar, Chart, Dot, Row
from cellwright.site.pages import answer, day, number, render, spaced
from cellwright.site.projection import stage
from cellwright.site.reading import Read, facts
from cellwright.site.refusals import missing
from cellwright.site.view.record import called

QUIET: Final = frozenset({
    "signature.applied", "lot.label_verified", "lot.container_detached", "lot.procedure_transitioned",
    "order.linked_by", "room.taken", "room.left", "equipment.used", "pair.chain_allocated", "order.lot_linked",
    "lot.label_applied", "room.cleared", "order.container_disposed", "lot.container_disposed", "plate.well_filled", "lot.label_printed", "shipment.packed", "shipment.handed_over", "shipment.received",
})  # fmt: skip
"""Events that stand in the record and, one by one, say nothing more to a reader of the story."""
POINTS: Final = words.STOPS | words.WARNINGS | words.REACHED - {"lot.step_completed"} | {
    "order.dispatched", "order.received", "order.collected", "case.opened",
}  # fmt: skip
"""Events that are a dot on the line."""
LINES: Final = 400
"""Events of one order told on the page; the audit trail has all."""
DETAILS: Final = (
    "step", "value", "parameter", "test", "container", "sample", "room", "weight_kg", "volume_ml", "din",
    "shipment", "scanned", "why", "product", "market",
)  # fmt: skip


@page(CONTENT)
@require_GET
def by_coi(request: Asked, coi: str) -> HttpResponse:
    """The order of a chain of identity."""
    order = models.Order.objects.filter(coi=coi).first()
    return HttpResponseRedirect(f"/orders/{order.order}") if order else missing(request, coi)


@page(CONTENT)
@require_GET
def story(request: Asked, order: str) -> HttpResponse:
    """The story of an order and of those linked with it."""
    read = Read()
    orders = linked(read, order)
    if not orders:
        return missing(request, order)
    chart = Chart()
    sides = [_side(read, one, chart) for one in orders]
    drawing.place(chart, read.now)
    live = " ".join(f"coi/{o.coi}" if o.coi else f"order/{o.name}" for o in orders)
    first = orders[0]
    context = {"orders": orders, "sides": sides, "chart": chart, "live": live, "coi": first.coi or "", "order": first,
               "names": bool(request.roles & NAMES)}  # fmt: skip
    return render(request, "story.jinja", context)


def linked(read: Read, order: str) -> list[OrderState]:
    """The order with every order linked to it, the first one first."""
    found: dict[str, OrderState] = {}
    ahead = [order]
    while ahead:
        name = ahead.pop()
        state = read.load(OrderState, name)
        if state.exists and name not in found:
            found[name] = state
            ahead += [*state.linked_by, *([state.linked_order] if state.linked_order else [])]
    return sorted(found.values(), key=lambda o: (o.linked_order is not None, o.name))


def _side(read: Read, order: OrderState, chart: Chart) -> dict[str, Any]:
    """One order: its rows in the chart, its figures, its events."""
    tags = [f"order/{order.name}", *([f"coi/{order.coi}"] if order.coi else [])]
    events = [e for e in read.tagged(*tags) if not _other(e, order)]
    lots = [read.load(LotState, name) for name in order.lots]
    _chart(read, order, events, lots, chart)
    names = {code: name for lot in lots for code, name in called(read, lot.number).items()}
    told = [_line(e, lots, names) for e in events if e.type not in QUIET][-LINES:]
    days: dict[str, list[dict[str, Any]]] = {}
    for line in reversed(told):
        days.setdefault(day(line["at"]), []).append(line)
    return {
        "order": order, "mark": words.STAGES[stage(order)], "days": list(days.values()), "count": len(events),
        "lots": [{"lot": lot, "mark": words.LOTS.get(lot.status),
                  "release": words.RELEASES[read.load(ReleaseState, lot.number).status]} for lot in lots],
        "figures": _figures(order, lots, events),
    }  # fmt: skip


def _other(event: Event, order: OrderState) -> bool:
    """Whether an event bears this order's tag but tells another order's story."""
    return event.stream.startswith("order/") and event.stream != f"order/{order.name}"


def _line(event: Event, lots: list[LotState], names: dict[str, str]) -> dict[str, Any]:
    """One event; `names` are what the tests of the lots are called, by their codes."""
    mark = words.mark(event.type)
    lot = next((one for one in lots if event.stream == one.stream), None)
    details = [said for n, v in facts(event) if n in DETAILS and (said := _detail(n, v, event, lot, names))]
    return {
        "at": event.at, "mark": mark, "title": words.title(event.type), "said": words.sentence(event.type),
        "details": details, "stream": event.stream, "pos": event.pos,
        "who": event.actor.partition("/")[2], "claimed": event.claimed_at,
    }  # fmt: skip


def _detail(name: str, value: str, event: Event, lot: LotState | None, names: dict[str, str]) -> str:
    """One field as people read it: tests, steps and parameters by their names, a value with its unit."""
    if name == "value":
        return answer(value, str(event.body.get("unit") or ""))
    if name == "test":
        return names.get(value, value.replace("_", " "))
    if name == "step" and lot is not None:
        return _step(lot, value)
    if name == "parameter" and lot is not None:
        return _parameter(lot, str(event.body.get("step", "")), value)
    return words.remark(value) if name == "why" else value


def _parameter(lot: LotState, step: str, name: str) -> str:
    try:
        parameters = recipes.recipe(lot.recipe.id, lot.recipe.version).step(step).parameters
    except (Refusal, KeyError):
        return name
    return next((recipes.said(one.name) for one in parameters if one.id == name), name)


def _step(lot: LotState, name: str) -> str:
    try:
        return recipes.titled(recipes.recipe(lot.recipe.id, lot.recipe.version), name)
    except Refusal:
        return name


def _chart(read: Read, order: OrderState, events: list[Event], lots: list[LotState], chart: Chart) -> None:
    row = len(chart.rows)
    chart.rows.append(Row(order.product, spaced(order.coi or order.name)))
    _bar(chart, row, events, "order.placed", ("order.collection_started", "order.material_taken", "order.allocated"), "wait",
         _("ordered"))  # fmt: skip
    _bar(chart, row, events, "order.collection_started", ("order.dispatched",), "ok", _("collection"))
    if lots:
        _bar(chart, row, events, "order.dispatched", ("order.received",), "run", _("transport"))
    if (lots and not order.closed) or order.given:
        _bar(chart, row, events, "release.released", ("order.infusion_started",), "wait", _("waits for the infusion"))
    _bar(chart, row, events, "order.bags_packed", ("order.received",), "run", _("delivery"))
    if order.given or any(e.type == "order.infusion_started" for e in events):
        _bar(chart, row, events, "order.infusion_started", ("order.infused",), "ok", _("infusion"))
    for event in events:
        if event.type in POINTS and not event.stream.startswith("lot/"):
            mark = words.mark(event.type)
            chart.dots.append(Dot(row, parse_time(event.at), mark.tone, mark.shape, words.title(event.type)))
    for lot in lots:
        _lot_rows(read, lot, [e for e in events if e.stream.partition("/")[2] == lot.number], chart)


def _bar(
    chart: Chart, row: int, events: list[Event], begins: str, ends: tuple[str, ...], tone: str, label: str
) -> None:
    found = drawing.between(events, begins, ends)
    if found is not None:
        chart.bars.append(Bar(row, found[0], found[1], tone, label))


def _lot_rows(read: Read, lot: LotState, events: list[Event], chart: Chart) -> None:
    row = len(chart.rows)
    chart.rows.append(Row(_("making"), lot.number))
    try:
        recipe: Recipe | None = recipes.recipe(lot.recipe.id, lot.recipe.version)
    except Refusal:
        recipe = None
    for unit in recipe.unit_procedures if recipe else ():
        names = {step.id for operation in unit.operations for step in operation.phases}
        steps = [s for s in lot.steps.values() if s.step in names]
        if steps:
            begin = min(parse_time(s.started) for s in steps)
            running = any(s.completed is None for s in steps)
            end = read.now if running else max(parse_time(s.completed or s.started) for s in steps)
            chart.bars.append(Bar(row, begin, max(begin, end), "run" if running else "ok", recipes.said(unit.title)))
    for event in events:
        if event.type in POINTS:
            mark = words.mark(event.type)
            chart.dots.append(Dot(row, parse_time(event.at), mark.tone, mark.shape, words.title(event.type)))
    quality = [e for e in events if e.stream.startswith(("quality/", "release/"))]
    if quality:
        row = len(chart.rows)
        chart.rows.append(Row(_("testing"), _("laboratory and release")))
        begin, end = parse_time(quality[0].at), _decided(quality)
        chart.bars.append(Bar(row, begin, end, "run", _("testing")))
        for event in quality:
            if event.type in POINTS:
                mark = words.mark(event.type)
                chart.dots.append(Dot(row, parse_time(event.at), mark.tone, mark.shape, words.title(event.type)))


def _decided(events: list[Event]) -> datetime:
    ends = ("release.released", "release.rejected", "release.exceptionally_supplied", "release.completed")
    return parse_time(next((e for e in events if e.type in ends), events[-1]).at)


VEIN_TO_VEIN: Final = N_("vein to vein")


def _figures(order: OrderState, lots: list[LotState], events: list[Event]) -> list[tuple[str, str, str]]:
    """A few figures of the order: value, what it is, tone."""
    shown: list[tuple[str, str, str]] = []
    collected = next((e.at for e in events if e.type == "order.collected"), None)
    infused = next((e.at for e in reversed(events) if e.type == "order.infused"), None)
    if collected and infused:
        days = (parse_time(infused) - parse_time(collected)).days
        shown.append((_("{days} d").format(days=days), _(VEIN_TO_VEIN), "ok"))
    if order.weight_kg is not None:
        shown.append((f"{order.weight_kg} kg", _("weight on {day}").format(day=order.weight_on), ""))
    shown += [
        (number(lot.viable_cells), _("viable cells in {count} bags").format(count=len(lot.bags)), "")
        for lot in lots
        if lot.viable_cells is not None
    ]
    stops = sum(e.type == "case.opened" for e in events)
    if stops:
        shown.append((str(stops), _("identity stops"), "stop"))
    return shown
