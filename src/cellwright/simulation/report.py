"""The STRESS-DES report: the twenty things a reader needs to judge and repeat a simulation study.

Strengthening the Reporting of Empirical Simulation Studies, discrete-event form: Monks, Currie, Onggo, Robinson, Kunc
and Taylor, Journal of Simulation 13 (2019) 55-67. What only the author knows is taken from `Study`; what is missing is said
to be missing.
"""

import platform
from html import escape
from typing import Any, Final, NamedTuple

import msgspec

from cellwright import __version__
from cellwright.language import N_, _, active
from cellwright.simulation import step
from cellwright.simulation.draw import Draw
from cellwright.simulation.experiment import Plan, Runs, bottlenecks
from cellwright.simulation.model import ModelData, ProcessPlan
from cellwright.simulation.vocabulary import written_model


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """What the author says about a study."""

    purpose: str = ""
    aims: str = ""
    scenarios: str = ""
    sources: str = ""
    preparation: str = ""
    assumptions: str = ""
    initialisation: str = ""
    sharing: str = ""


Table = tuple[tuple[str, ...], ...]


class Item(NamedTuple):
    """One of the twenty: its number, its title, a text, and a table whose first row is its head."""

    number: str
    title: str
    text: str
    table: Table = ()


MISSING: Final = N_("Not stated by the author of the study.")
GROUPS: Final = {
    "1": N_("Objectives"), "2": N_("Logic"), "3": N_("Data"), "4": N_("Experimentation"), "5": N_("Implementation"),
    "6": N_("Code access"),
}  # fmt: skip


def stress(runs: Runs, plan: Plan, study: Study | None = None) -> list[Item]:
    """The twenty items, in the active language."""
    said, data = study or Study(), runs.model
    missing = _(MISSING)
    count = len(runs.seeds)
    return [
        Item("1.1", _("Purpose of the model"), said.purpose or missing),
        Item("1.2", _("Model outputs"), _("Means of {n} runs with {level:.0%} Student intervals.").format(n=count, level=plan.confidence),
             _outputs(runs)),
        Item("1.3", _("Aims of the experiments"), said.aims or missing),
        Item("2.1", _("Diagram of the base model"), _flow(data)),
        Item("2.2", _("Logic of the base model"), _("Each process follows its steps in order; the whole program is item 3.3.")),
        Item("2.3", _("Logic of the scenarios"), said.scenarios or missing),
        Item("2.4", _("Algorithms"), _("Queues are served by priority, then in order of arrival; nobody overtakes within a priority. Several resources are acquired at once or not at all.")),
        Item("2.5", _("Components"), "", _components(data)),
        Item("3.1", _("Data sources"), said.sources or missing),
        Item("3.2", _("Preparation of data"), said.preparation or missing),
        Item("3.3", _("Input parameters"), "", _parameters(data)),
        Item("3.4", _("Assumptions"), said.assumptions or missing),
        Item("4.1", _("Initialisation"), said.initialisation or _initial(data, plan)),
        Item("4.2", _("Run length"), _("Each run lasts {until:g} {unit}.").format(until=plan.until, unit=data.unit)),
        Item("4.3", _("Estimation"), _("{n} independent runs, seeds {first} to {last}; scenarios share them.").format(n=count, first=runs.seeds[0], last=runs.seeds[-1])),
        Item("5.1", _("Software"), f"Cellwright {__version__}, Python {platform.python_version()}"),
        Item("5.2", _("Random sampling"), _("Counter-based: each draw is a hash (finaliser of SplitMix64) of seed, process, step, turn and number, so that results depend on neither threads nor the order of events.")),
        Item("5.3", _("Execution of the model"), _("Next-event time advance; simultaneous events in the order in which they were scheduled. {events:,.0f} events per run on average.").format(events=runs.of("events").mean())),
        Item("5.4", _("System"), f"{platform.system()} {platform.machine()}"),
        Item("6.1", _("Sharing of the model"), said.sharing or _("The model is its file; SHA-256 of its data {hash}.").format(hash=data.sha256)),
    ]  # fmt: skip


def _outputs(runs: Runs) -> Table:
    rows: list[tuple[str, ...]] = [
        (_("resource"), _("working"), _("blocked"), _("down"), _("starved"), _("queue"), _("wait"))
    ]
    for load in bottlenecks(runs):
        shares = [f"{e.mean:.1%}" for e in (load.working, load.blocked, load.down, load.starved)]
        rows.append((load.resource, *shares, _said(load.queue), _said(load.wait)))
    told = [name for name in runs.values if name.endswith("/mean") or name.startswith("counter/")]
    rows += [(name, _said(runs.estimate(name)), "", "", "", "", "") for name in told]
    return tuple(rows)


def _said(found: Any) -> str:
    return f"{found.mean:.4g} ± {found.half_width:.2g}"


def _flow(data: ModelData) -> str:
    return "; ".join(f"{p.name}: {' → '.join(filter(None, (_short(s) for s in p.steps)))}" for p in data.processes)


def _short(one: step.AnyStep) -> str:
    match one:
        case step.Acquire():
            return f"[{' + '.join(one.units)}"
        case step.Release():
            return f"{' + '.join(one.units)}]"
        case step.Delay():
            return _draw(one.draw)
        case step.Take():
            return f"−{one.stock}"
        case step.Put():
            return f"+{one.stock}"
        case step.Branch():
            return f"{one.probability:.0%} ↷ {one.to}"
        case step.Label():
            return f"{one.name}:"
    return ""


def _draw(draw: Draw) -> str:
    return draw.name if draw.kind == "attribute" else f"{draw.kind}({', '.join(f'{x:g}' for x in draw.parameters[:6])})"


def _components(data: ModelData) -> Table:
    activities = sum(isinstance(s, step.Delay) for p in data.processes for s in p.steps)
    return (
        (_("component"), _("which")),
        (_("entities"), ", ".join(p.name for p in data.processes)),
        (_("activities"), _("{n} delays").format(n=activities)),
        (_("resources"), ", ".join(f"{r.name} ({r.capacity})" for r in data.resources)),
        (_("queues"), _("one per resource, by priority")),
        (_("entry and exit"), ", ".join(f"{p.name}: {_arrival(p)}" for p in data.processes)),
    )


def _arrival(plan: ProcessPlan) -> str:
    if plan.arrivals is None:
        return _("given")
    calendar = _(", by calendar") if plan.rate else ""
    return _draw(plan.arrivals) + calendar


def _parameters(data: ModelData) -> Table:
    written = written_model(data)
    rows = [(_("where"), _("what"))]
    for part in ("resources", "stocks", "breakdowns"):
        rows += [(f"{part}/{name}", str(value)) for name, value in written.get(part, {}).items()]
    for name, process in written["processes"].items():
        rows += [(f"processes/{name}/{key}", str(value)) for key, value in process.items() if key != "steps"]
        rows += [(f"processes/{name}/{n}", str(one)) for n, one in enumerate(process["steps"], 1)]
    return tuple(rows)


def _initial(data: ModelData, plan: Plan) -> str:
    if plan.warm_up:
        return _("Empty at first; the first {time:g} {unit} are left out.").format(time=plan.warm_up, unit=data.unit)
    if data.found:
        return _("Begins with {n} processes that are given.").format(n=len(data.found))
    return _("Begins empty; nothing is left out.")


def markdown(items: list[Item], title: str) -> str:
    """The report as Markdown."""
    lines = [f"# {title}", "", f"**{_('Results of a simulation, not of a plant.')}**", ""]
    group = ""
    for item in items:
        if item.number[0] != group:
            group = item.number[0]
            lines += [f"## {group} {_(GROUPS[group])}", ""]
        lines += [f"### {item.number} {item.title}", ""]
        lines += [item.text, ""] if item.text else []
        if item.table:
            head, *rows = item.table
            lines += [_row(head), _row(("---",) * len(head)), *map(_row, rows), ""]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def html(items: list[Item], title: str, pictures: tuple[str, ...] = ()) -> str:
    """The report as one HTML page, pictures (SVG) within."""
    parts = [
        f"<h1>{escape(title)}</h1><p><strong>{escape(_('Results of a simulation, not of a plant.'))}</strong></p>",
        *pictures,
    ]
    group = ""
    for item in items:
        if item.number[0] != group:
            group = item.number[0]
            parts.append(f"<h2>{group} {escape(_(GROUPS[group]))}</h2>")
        parts.append(f"<h3>{item.number} {escape(item.title)}</h3>")
        parts.append(f"<p>{escape(item.text)}</p>" if item.text else "")
        if item.table:
            head, *rows = item.table
            cells = "".join(f"<th>{escape(c)}</th>" for c in head)
            body = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in rows)
            parts.append(f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>")
    style = "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.2em .6em;text-align:left}"
    return f'<!doctype html><html lang="{active()}"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style></head><body>{"".join(parts)}</body></html>\n'
