"""The words of the file form: what each step is called, what may stand beside it, how it is read and written."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cellwright.simulation import step
from cellwright.simulation.draw import MAKERS, Draw
from cellwright.simulation.model import Breakdown, Found, ModelData, ProcessPlan, Resource

if TYPE_CHECKING:
    import yaml

    from cellwright.simulation.notation import _Reader

Pairs = Mapping[str, Any]
NUMBER: Final = {"type": "number"}
WHOLE: Final = {"type": "integer"}
WORD: Final = {"type": "string"}
DRAW: Final = {"$ref": "#/$defs/distribution"}
UNITS: Final = {"oneOf": [WORD, {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}]}


class Word(NamedTuple):
    """A step of the file form."""

    keys: Mapping[str, Any]
    """What may stand beside the word, and the JSON schema of each."""
    make: "Callable[[_Reader, yaml.Node, Pairs], list[step.AnyStep]]"
    first: Any = WORD
    """The JSON schema of the word's own value."""


def _draw(r: "_Reader", pairs: Pairs, key: str) -> Draw | None:
    return r.draw(pairs[key]) if key in pairs else None


def _text(r: "_Reader", pairs: Pairs, key: str) -> str | None:
    return r.text(pairs[key]) if key in pairs else None


def _needed(r: "_Reader", node: Any, pairs: Pairs, key: str) -> Any:
    from cellwright.language import _

    if key not in pairs:
        raise r.wrong(node, _("Missing: {keys}.").format(keys=key))
    return pairs[key]


def _acquire(r: "_Reader", _node: Any, p: Pairs) -> list[step.AnyStep]:
    units = r.units(p["acquire"], r.whole(p["units"]) if "units" in p else 1)
    preempt = r.truth(p["preempt"]) if "preempt" in p else False
    return [
        step.Acquire(units=units, preempt=preempt, patience=_draw(r, p, "patience"), deadline=_text(r, p, "deadline"),
                     otherwise=_text(r, p, "otherwise"))
    ]  # fmt: skip


def _release(r: "_Reader", _node: Any, p: Pairs) -> list[step.AnyStep]:
    units = r.units(p["release"], r.whole(p["units"]) if "units" in p else 1)
    return [step.Release(units=units, cleaning=_draw(r, p, "cleaning"))]


def _use(r: "_Reader", node: Any, p: Pairs) -> list[step.AnyStep]:
    units = r.units(p["use"], r.whole(p["units"]) if "units" in p else 1)
    lasts = r.draw(_needed(r, node, p, "for"))
    return [
        step.Acquire(units=units),
        step.Delay(draw=lasts),
        step.Release(units=units, cleaning=_draw(r, p, "cleaning")),
    ]


def _take(r: "_Reader", _node: Any, p: Pairs) -> list[step.AnyStep]:
    return [
        step.Take(stock=r.text(p["take"]), units=r.whole(p["units"]) if "units" in p else 1, patience=_draw(r, p, "patience"),
                  deadline=_text(r, p, "deadline"), otherwise=_text(r, p, "otherwise"))
    ]  # fmt: skip


def _test(r: "_Reader", node: Any, p: Pairs) -> list[step.AnyStep]:
    right = _needed(r, node, p, "value")
    try:
        value: float | str = float(right.value)
    except (TypeError, ValueError):
        value = r.text(right)
    return [
        step.Test(attribute=r.text(p["test"]), is_=r.text(_needed(r, node, p, "is")), value=value,
                  to=r.text(_needed(r, node, p, "to")))
    ]  # fmt: skip


def _add(r: "_Reader", node: Any, p: Pairs) -> list[step.AnyStep]:
    by = _needed(r, node, p, "by")
    try:
        amount = Draw("constant", (float(by.value),))
    except (TypeError, ValueError):
        amount = r.draw(by)
    return [step.Add(attribute=r.text(p["add"]), draw=amount)]


def _priority(r: "_Reader", _node: Any, p: Pairs) -> list[step.AnyStep]:
    word = r.text(p["priority"])
    return [step.Priority(value=int(word) if word.lstrip("-").isdigit() else word)]


def _split(r: "_Reader", _node: Any, p: Pairs) -> list[step.AnyStep]:
    return [
        step.Split(to=r.text(p["split"]), copies=r.whole(p["copies"]) if "copies" in p else 1,
                   joined=r.truth(p["joined"]) if "joined" in p else True)
    ]  # fmt: skip


_WAIT: Final = {"patience": DRAW, "deadline": WORD, "otherwise": WORD}
STEPS: Final[Mapping[str, Word]] = {
    "label": Word({}, lambda r, _n, p: [step.Label(name=r.text(p["label"]))]),
    "delay": Word(
        {"interruptible": WORD},
        lambda r, _n, p: [step.Delay(draw=r.draw(p["delay"]), interruptible=_text(r, p, "interruptible"))],
        DRAW,
    ),
    "acquire": Word({"units": WHOLE, "preempt": {"type": "boolean"}, **_WAIT}, _acquire, UNITS),
    "release": Word({"units": WHOLE, "cleaning": DRAW}, _release, UNITS),
    "use": Word({"for": DRAW, "units": WHOLE, "cleaning": DRAW}, _use, UNITS),
    "take": Word({"units": WHOLE, **_WAIT}, _take),
    "put": Word(
        {"units": WHOLE},
        lambda r, _n, p: [step.Put(stock=r.text(p["put"]), units=r.whole(p["units"]) if "units" in p else 1)],
    ),
    "branch": Word(
        {"probability": NUMBER},
        lambda r, n, p: [step.Branch(probability=r.number(_needed(r, n, p, "probability")), to=r.text(p["branch"]))],
    ),
    "jump": Word({}, lambda r, _n, p: [step.Jump(to=r.text(p["jump"]))]),
    "test": Word({"is": WORD, "value": {"type": ["number", "string"]}, "to": WORD}, _test),
    "set": Word(
        {"to": DRAW}, lambda r, n, p: [step.Set(attribute=r.text(p["set"]), draw=r.draw(_needed(r, n, p, "to")))]
    ),
    "add": Word({"by": DRAW}, _add),
    "stamp": Word(
        {"plus": DRAW}, lambda r, _n, p: [step.Stamp(attribute=r.text(p["stamp"]), plus=_draw(r, p, "plus"))]
    ),
    "wait_until": Word({}, lambda r, _n, p: [step.WaitUntil(attribute=r.text(p["wait_until"]))]),
    "priority": Word({}, _priority, {"type": ["integer", "string"]}),
    "count": Word(
        {"by": NUMBER},
        lambda r, _n, p: [step.Count(counter=r.text(p["count"]), by=r.number(p["by"]) if "by" in p else 1.0)],
    ),
    "measure": Word(
        {"since": WORD}, lambda r, _n, p: [step.Measure(measure=r.text(p["measure"]), since=_text(r, p, "since"))]
    ),
    "batch": Word(
        {"size": WHOLE, "within": DRAW},
        lambda r, n, p: [
            step.Batch(name=r.text(p["batch"]), size=r.whole(_needed(r, n, p, "size")), within=_draw(r, p, "within"))
        ],
    ),
    "unbatch": Word({}, lambda _r, _n, _p: [step.Unbatch()], {"type": "null"}),
    "split": Word({"copies": WHOLE, "joined": {"type": "boolean"}}, _split),
    "join": Word({}, lambda _r, _n, _p: [step.Join()], {"type": "null"}),
    "end": Word({}, lambda _r, _n, _p: [step.End()], {"type": "null"}),
}


# --- writing ------------------------------------------------------------------------------------------------------------


def dump(data: ModelData) -> str:
    """The model as a file; read again it is the same data."""
    import yaml

    written: str = yaml.safe_dump(
        written_model(data), sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
    )
    return written


def written_model(data: ModelData) -> dict[str, Any]:
    """The model as plain mappings, lists and numbers, as the file form has them."""
    parts: dict[str, Any] = {"name": data.name, "unit": data.unit}
    parts["resources"] = {r.name: _written_resource(r) for r in data.resources if not r.stock}
    parts["stocks"] = {r.name: r.capacity for r in data.resources if r.stock}
    parts["processes"] = {p.name: _written_process(p) for p in data.processes}
    parts["breakdowns"] = {b.resource: _written_breakdown(b) for b in data.breakdowns}
    parts["found"] = [_written_found(f) for f in data.found]
    return {k: v for k, v in parts.items() if v or k == "processes"}


def _written_draw(draw: Draw) -> Any:
    if draw.kind == "constant":
        return draw.parameters[0]
    if draw.kind == "attribute":
        return {"attribute": draw.name}
    return {draw.kind: list(draw.parameters) if len(draw.parameters) > 1 else draw.parameters[0]}


def _some(**parts: Any) -> dict[str, Any]:
    """What is not None, not empty and not False."""
    return {k: v for k, v in parts.items() if v is not None and v is not False and v != () and v != {}}


def _written_resource(r: Resource) -> Any:
    if not r.calendar:
        return r.capacity
    return {"capacity": r.capacity, "calendar": [[t, n] for t, n in r.calendar], "period": r.period}


def _written_breakdown(b: Breakdown) -> dict[str, Any]:
    return {"between": _written_draw(b.between), "repair": _written_draw(b.repair), "units": b.units, "interrupts": b.interrupts}  # fmt: skip


def _written_found(f: Found) -> dict[str, Any]:
    return _some(process=f.process, at=f.at, label=f.label, left=f.left, holds=f.holds, values=f.values, priority=f.priority)  # fmt: skip


def _written_process(p: ProcessPlan) -> dict[str, Any]:
    parts = _some(
        arrivals=None if p.arrivals is None else _written_draw(p.arrivals), priority=p.priority or None,
        first=None if p.first < 0 else p.first, rate=[[t, f] for t, f in p.rate] or None, period=p.period or None,
    )  # fmt: skip
    return {**parts, "steps": [_written_step(one) for one in p.steps]}


def _maybe(draw: Draw | None) -> Any:
    return None if draw is None else _written_draw(draw)


def _written_step(one: step.AnyStep) -> dict[str, Any]:
    match one:
        case step.Label():
            return {"label": one.name}
        case step.Delay():
            return _some(delay=_written_draw(one.draw), interruptible=one.interruptible)
        case step.Acquire():
            wait = _some(
                preempt=one.preempt, patience=_maybe(one.patience), deadline=one.deadline, otherwise=one.otherwise
            )
            return {"acquire": one.units, **wait}
        case step.Release():
            return {"release": one.units, **_some(cleaning=_maybe(one.cleaning))}
        case step.Take():
            wait = _some(patience=_maybe(one.patience), deadline=one.deadline, otherwise=one.otherwise)
            return {"take": one.stock, "units": one.units, **wait}
        case step.Put():
            return {"put": one.stock, "units": one.units}
        case step.Branch():
            return {"branch": one.to, "probability": one.probability}
        case step.Jump():
            return {"jump": one.to}
        case step.Test():
            return {"test": one.attribute, "is": one.is_, "value": one.value, "to": one.to}
        case step.Set():
            return {"set": one.attribute, "to": _written_draw(one.draw)}
        case step.Add():
            return {"add": one.attribute, "by": _written_draw(one.draw)}
        case step.Stamp():
            return {"stamp": one.attribute, **_some(plus=_maybe(one.plus))}
        case step.WaitUntil():
            return {"wait_until": one.attribute}
        case step.Priority():
            return {"priority": one.value}
        case step.Count():
            return {"count": one.counter, "by": one.by}
        case step.Measure():
            return {"measure": one.measure, **_some(since=one.since)}
        case step.Batch():
            return {"batch": one.name, "size": one.size, **_some(within=_maybe(one.within))}
        case step.Split():
            return {"split": one.to, "copies": one.copies, "joined": one.joined}
        case step.Unbatch():
            return {"unbatch": None}
        case step.Join():
            return {"join": None}
    return {"end": None}


# --- the schema ---------------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of the file form, for editors."""
    table = {"type": "array", "items": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}}
    numbers = {"oneOf": [NUMBER, {"type": "array", "items": NUMBER}]}
    draws = [
        {"type": "object", "properties": {name: numbers}, "required": [name], "additionalProperties": False}
        for name in (*MAKERS, "empirical")
    ]
    named = {
        "type": "object",
        "properties": {"attribute": WORD},
        "required": ["attribute"],
        "additionalProperties": False,
    }
    steps: list[dict[str, Any]] = [
        {
            "type": "object",
            "properties": {word: one.first, **one.keys},
            "required": [word],
            "additionalProperties": False,
        }
        for word, one in STEPS.items()
    ]
    steps.append({"enum": ["unbatch", "join", "end"]})
    resource = _object({"capacity": WHOLE, "calendar": table, "period": NUMBER}, "capacity")
    process = _object(
        {"arrivals": DRAW, "priority": WHOLE, "first": WHOLE, "rate": table, "period": NUMBER,
         "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}}}, "steps")  # fmt: skip
    broken = _object(
        {"between": DRAW, "repair": DRAW, "units": WHOLE, "interrupts": {"type": "boolean"}}, "between", "repair"
    )
    found = _object(
        {"process": WORD, "at": NUMBER, "label": WORD, "left": NUMBER, "holds": _each(WHOLE), "values": _each(NUMBER),
         "priority": WHOLE}, "process")  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cellwright simulation model",
        **_object(
            {"name": WORD, "unit": WORD, "resources": _each({"oneOf": [WHOLE, resource]}), "stocks": _each(WHOLE),
             "processes": _each(process), "breakdowns": _each(broken), "found": {"type": "array", "items": found}},
            "name", "processes"),
        "$defs": {"distribution": {"oneOf": [NUMBER, *draws, named]}, "step": {"oneOf": steps}},
    }  # fmt: skip


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


def _each(value: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}
