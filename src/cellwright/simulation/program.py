"""From a model to the interpreter's tables, checked before anything runs: every error names process and step."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from cellwright.language import _
from cellwright.simulation import layout as at
from cellwright.simulation import step
from cellwright.simulation.draw import Draw, ModelError, attribute, constant
from cellwright.simulation.draw import row as draw_row
from cellwright.simulation.model import Breakdown, Found, ModelData, ProcessPlan, Resource, unknown

COMPARISONS: Final[Mapping[str, int]] = {
    "<": at.LESS, "<=": at.AT_MOST, "==": at.EQUAL, "!=": at.UNEQUAL, ">=": at.AT_LEAST, ">": at.MORE,
}  # fmt: skip
PRIORITIES: Final = 8
"""0 is breakdowns; a process's priority p is p + 1 here."""
DOWN: Final = "down/"
"""Prefix of the measure that holds the repair times of a resource."""


class Names(NamedTuple):
    """Which row of a table belongs to which name."""

    resources: Mapping[str, int]
    processes: Mapping[str, int]
    attributes: Mapping[str, int]
    measures: Mapping[str, int]
    counters: Mapping[str, int]
    batches: Mapping[str, int]
    places: tuple[tuple[str, int], ...]
    """Process and step of each instruction."""


class Compiled(NamedTuple):
    """A model ready to run."""

    data: ModelData
    program: Any
    names: Names
    capacity: Any
    """int64 [resources]: units at the beginning."""


class _Plan(NamedTuple):
    """A process that the model does not write itself."""

    name: str
    arrivals: Draw | None
    steps: tuple[step.Instruction, ...]
    priority: int
    first: int
    rate: tuple[tuple[float, float], ...] = ()
    period: float = 0.0


class _Writer:
    """Gathers tables while the steps are translated one by one."""

    def __init__(self, data: ModelData) -> None:
        self.data = data
        self.resources = _rows(_("resource"), [r.name for r in data.resources])
        self.kinds = {r.name: r for r in data.resources}
        self.processes = _rows(_("process"), [p.name for p in data.processes])
        self.kinds_of = dict(self.processes)
        self.attributes: dict[str, int] = {}
        self.measures: dict[str, int] = {}
        self.counters: dict[str, int] = {}
        self.batches: dict[str, int] = {}
        self.code: list[list[int]] = []
        self.draws: list[tuple[float, ...]] = []
        self.seen_draws: dict[tuple[float, ...], int] = {}
        self.table: list[float] = []
        self.wants: list[tuple[int, int]] = []
        self.places: list[tuple[str, int]] = []
        self.entry: dict[str, int] = {}
        self.labels: dict[tuple[str, str], int] = {}

    def draw(self, draw: Draw | None) -> int:
        if draw is None:
            return -1
        if draw.kind == "attribute":
            self.attributes.setdefault(draw.name, len(self.attributes))
        return self.number(draw_row(draw, self.table, self.attributes))

    def number(self, row: tuple[float, ...]) -> int:
        if row not in self.seen_draws:
            self.seen_draws[row] = len(self.draws)
            self.draws.append(row)
        return self.seen_draws[row]

    def attribute(self, name: str | None) -> int:
        return -1 if name is None else self.attributes.setdefault(name, len(self.attributes))

    def resource(self, name: str, where: str, *, stock: bool) -> int:
        if name not in self.resources:
            raise ModelError(f"{where}: {unknown(name, self.resources)}")
        if self.kinds[name].stock is not stock:
            rule = _("take and put use stocks, acquire and release use resources")
            raise ModelError(f"{where}: {name}: {rule}")
        return self.resources[name]

    def emit(
        self, op: int, a: int = -1, b: int = 0, c: int = 0, draw: int = -1, target: int = -1, deadline: int = -1
    ) -> None:
        self.code.append([op, a, b, c, draw, target, deadline])


def compiled(data: ModelData) -> Compiled:
    """Translate and check. Raises ModelError with everything that is wrong, a line each."""
    writer = _Writer(data)
    errors: list[str] = []
    for one in data.resources:
        errors += _resource_errors(one)
    for broken in data.breakdowns:
        errors += _breakdown_errors(broken, writer.kinds)
    failing = [] if errors else [_breakdown(b) for b in data.breakdowns]
    plans: list[ProcessPlan | _Plan] = [*data.processes, *failing]
    for plan in plans:
        errors += _arrival_errors(plan)
        try:
            _translate(writer, plan)
        except ModelError as error:
            errors.append(str(error))
    if errors:
        raise ModelError("\n".join(errors))
    from cellwright.simulation.soundness import check

    names = Names(
        writer.resources, writer.kinds_of, writer.attributes, writer.measures, writer.counters, writer.batches,
        tuple(writer.places),
    )  # fmt: skip
    made = Compiled(
        data, _program(writer, plans, names), names, np.array([_at_first(r) for r in data.resources], np.int64)
    )
    check(made, {**writer.entry})
    return made


def _rows(what: str, names: list[str]) -> dict[str, int]:
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ModelError(_("The {what} {name!r} is there twice; names are unique.").format(what=what, name=twice[0]))
    return {name: i for i, name in enumerate(names)}


def _resource_errors(one: Resource) -> list[str]:
    said = []
    if one.capacity < 0:
        said.append(_("Resource {name}: a capacity is not negative.").format(name=one.name))
    if one.calendar:
        times = [t for t, _units in one.calendar]
        if one.period <= 0 or times[0] != 0 or sorted(set(times)) != times or times[-1] >= one.period:
            said.append(
                _(
                    "Resource {name}: a calendar begins at time 0, its times rise, and all lie before the end of its period."
                ).format(name=one.name)
            )
        if min(units for _t, units in one.calendar) < 0:
            said.append(_("Resource {name}: a capacity is not negative.").format(name=one.name))
        if not any(units > 0 for _t, units in one.calendar):
            said.append(_("Resource {name}: its calendar is empty, nobody ever works.").format(name=one.name))
    return said


def _breakdown_errors(one: Breakdown, known: Mapping[str, Resource]) -> list[str]:
    where = _("breakdown of {name}").format(name=one.resource)
    if one.resource not in known:
        return [f"{where}: {unknown(one.resource, known)}"]
    said = []
    most = _most(known[one.resource])
    if not 1 <= one.units <= most:
        said.append(
            _("{where}: {units} units fail, and there are {most}.").format(where=where, units=one.units, most=most)
        )
    if "attribute" in (one.between.kind, one.repair.kind):
        said.append(_("{where}: a machine has no attributes; state a distribution.").format(where=where))
    return said


def _arrival_errors(plan: ProcessPlan | _Plan) -> list[str]:
    said = []
    where = _("process {process}").format(process=plan.name)
    if plan.arrivals is not None and plan.arrivals.kind == "attribute":
        said.append(_("{where}: nobody has attributes before arriving; state a distribution.").format(where=where))
    if plan.arrivals is not None and plan.arrivals.mean() == 0 and plan.first < 0:
        said.append(_("{where}: arrivals without time between them never end; state how many.").format(where=where))
    if plan.rate:
        times = [t for t, _factor in plan.rate]
        if plan.period <= 0 or times[0] != 0 or sorted(set(times)) != times or times[-1] >= plan.period:
            said.append(
                _(
                    "{where}: the calendar of arrivals begins at time 0, its times rise, and all lie before the end of its period."
                ).format(where=where)
            )
        if min(f for _t, f in plan.rate) < 0 or not any(f > 0 for _t, f in plan.rate):
            said.append(
                _("{where}: the factors of the calendar of arrivals are not negative, and one is more than 0.").format(
                    where=where
                )
            )
    return said


def _most(one: Resource) -> int:
    return max([units for _t, units in one.calendar] or [one.capacity])


def _at_first(one: Resource) -> int:
    return one.calendar[0][1] if one.calendar else one.capacity


def _breakdown(one: Breakdown) -> _Plan:
    """A breakdown is a process too: the most urgent of all, one for each unit."""
    unit = one.resource
    steps: tuple[step.Instruction, ...] = (
        step.Label(name="again"), step.Delay(draw=one.between), step.Acquire(units={unit: 1}, preempt=one.interrupts),
        step.Stamp(attribute="_down"), step.Break(resource=unit, units=1), step.Delay(draw=one.repair),
        step.Break(resource=unit, units=-1), step.Measure(measure=DOWN + unit, since="_down"),
        step.Release(units={unit: 1}), step.Jump(to="again"),
    )  # fmt: skip
    return _Plan(f"_breakdown/{unit}", constant(0.0), steps, priority=-1, first=one.units)


def _translate(w: _Writer, plan: ProcessPlan | _Plan) -> None:
    start = len(w.code)
    w.entry[plan.name] = start
    w.kinds_of.setdefault(plan.name, len(w.kinds_of))
    labels: dict[str, int] = {}
    jumps: list[tuple[int, int, str, str]] = []
    for number, one in enumerate(plan.steps, 1):
        where = _("process {process}, step {number}").format(process=plan.name, number=number)
        if isinstance(one, step.Label):
            if one.name in labels:
                raise ModelError(_("{where}: the label {label!r} is there twice.").format(where=where, label=one.name))
            labels[one.name] = len(w.code)
            w.labels[(plan.name, one.name)] = len(w.code)
            continue
        before = len(w.code)
        column, to = _write(w, one, where)
        if to is not None:
            jumps.append((len(w.code) - 1, column, to, where))
        w.places.extend([(plan.name, number)] * (len(w.code) - before))
    w.emit(at.END)
    w.places.append((plan.name, len(plan.steps) + 1))
    for instruction, column, to, where in jumps:
        if to not in labels:
            raise ModelError(f"{where}: {unknown(to, labels)}")
        w.code[instruction][column] = labels[to]
        if w.code[instruction][at.OP] == at.SPLIT:
            w.code[instruction][at.THIRD] = w.kinds_of.setdefault(f"{plan.name}/{to}", len(w.kinds_of))


def _write(w: _Writer, one: step.Instruction, where: str) -> tuple[int, str | None]:
    """Emit a step's instructions; returns which column of the last one is to lead to which label."""
    match one:
        case step.Delay():
            held = -1 if one.interruptible is None else w.resource(one.interruptible, where, stock=False)
            w.emit(at.DELAY, held, draw=w.draw(one.draw))
        case step.Acquire():
            return _acquire(w, one, where)
        case step.Release():
            for name, units in one.units.items():
                w.emit(
                    at.RELEASE, w.resource(name, where, stock=False), _whole(units, where), draw=w.draw(one.cleaning)
                )
        case step.Take():
            w.emit(at.TAKE, w.resource(one.stock, where, stock=True), _whole(one.units, where), draw=w.draw(one.patience),
                   deadline=w.attribute(one.deadline))  # fmt: skip
            return at.TARGET, _otherwise(one, where)
        case step.Put():
            w.emit(at.PUT, w.resource(one.stock, where, stock=True), _whole(one.units, where))
        case step.Branch():
            if not 0 <= one.probability <= 1:
                raise ModelError(
                    _("{where}: a probability lies between 0 and 1, not at {value}.").format(
                        where=where, value=one.probability
                    )
                )
            w.emit(at.BRANCH, draw=w.number((float(at.CONSTANT), one.probability, 0.0, 0.0, 0.0)))
            return at.ONE_OF, one.to
        case step.Jump():
            w.emit(at.JUMP)
            return at.ONE_OF, one.to
        case step.Test():
            if one.is_ not in COMPARISONS:
                raise ModelError(f"{where}: {unknown(one.is_, COMPARISONS)}")
            right = (
                w.draw(attribute(one.value))
                if isinstance(one.value, str)
                else w.number((float(at.CONSTANT), float(one.value), 0.0, 0.0, 0.0))
            )
            w.emit(at.TEST, w.attribute(one.attribute), COMPARISONS[one.is_], draw=right)
            return at.TARGET, one.to
        case step.Set():
            w.emit(at.SET, w.attribute(one.attribute), at.SET_TO, draw=w.draw(one.draw))
        case step.Add():
            w.emit(at.SET, w.attribute(one.attribute), at.ADD, draw=w.draw(one.draw))
        case step.Stamp():
            how = at.SET_NOW if one.plus is None else at.SET_FROM_NOW
            w.emit(at.SET, w.attribute(one.attribute), how, draw=w.draw(one.plus))
        case step.WaitUntil():
            w.emit(at.WAIT_UNTIL, w.attribute(one.attribute))
        case step.Priority():
            if isinstance(one.value, str):
                w.emit(at.PRIORITY, w.attribute(one.value))
            else:
                w.emit(at.PRIORITY, -1, _priority(one.value, where))
        case step.Count():
            row = w.number((float(at.CONSTANT), one.by, 0.0, 0.0, 0.0))
            w.emit(at.COUNT, w.counters.setdefault(one.counter, len(w.counters)), draw=row)
        case step.Measure():
            w.emit(at.MEASURE, w.measures.setdefault(one.measure, len(w.measures)), w.attribute(one.since))
        case step.Batch():
            w.emit(
                at.BATCH,
                w.batches.setdefault(f"{where}/{one.name}", len(w.batches)),
                _whole(one.size, where),
                draw=w.draw(one.within),
            )
        case step.Unbatch():
            w.emit(at.UNBATCH)
        case step.Split():
            w.emit(at.SPLIT, -1, _whole(one.copies, where), target=-1 if one.joined else 1)
            return at.ONE_OF, one.to
        case step.Join():
            w.emit(at.JOIN)
        case step.Break():
            w.emit(at.BREAK, w.resource(one.resource, where, stock=False), one.units)
        case _:
            w.emit(at.END)
    return 0, None


def _acquire(w: _Writer, one: step.Acquire, where: str) -> tuple[int, str | None]:
    rows = [(w.resource(name, where, stock=False), _whole(units, where)) for name, units in one.units.items()]
    for (name, units), (_row, _n) in zip(one.units.items(), rows, strict=True):
        most = _most(w.kinds[name])
        if units > most:
            raise ModelError(
                _("{where}: asks for {units} of {name}, which never has more than {most}.").format(
                    where=where, units=units, name=name, most=most
                )
            )
    willing, deadline = w.draw(one.patience), w.attribute(one.deadline)
    if len(rows) == 1:
        w.emit(at.ACQUIRE, rows[0][0], rows[0][1], int(one.preempt), willing, deadline=deadline)
    elif not rows or one.preempt:
        raise ModelError(
            _("{where}: acquire one resource or several; only one can be taken from others.").format(where=where)
        )
    else:
        first = len(w.wants)
        w.wants.extend(rows)
        w.emit(at.ACQUIRE_ALL, first, len(rows), 0, willing, deadline=deadline)
    return at.TARGET, _otherwise(one, where)


def _otherwise(one: step.Acquire | step.Take, where: str) -> str | None:
    if (one.patience is not None or one.deadline is not None) is (one.otherwise is None):
        raise ModelError(
            _("{where}: whoever gives up needs a label to go on at (otherwise), and a patience or a deadline.").format(
                where=where
            )
        )
    return one.otherwise


def _whole(units: int, where: str) -> int:
    if units < 1:
        raise ModelError(_("{where}: a number of units is 1 or more, not {units}.").format(where=where, units=units))
    return units


def _priority(value: int, where: str) -> int:
    if not -1 <= value < PRIORITIES - 1:
        raise ModelError(
            _("{where}: priorities are 0 (most urgent) to {last}.").format(where=where, last=PRIORITIES - 2)
        )
    return value + 1


def _program(w: _Writer, plans: Sequence[ProcessPlan | _Plan], names: Names) -> Any:
    sources = [
        (w.entry[p.name], _priority(p.priority, p.name), w.draw(p.arrivals), p.first, names.processes[p.name])
        for p in plans if p.arrivals is not None
    ]  # fmt: skip
    calendar: list[tuple[float, int]] = []
    calendars: list[tuple[int, int]] = []
    periods: list[float] = []
    for one in w.data.resources:
        calendars.append((len(calendar), len(one.calendar)))
        calendar.extend(one.calendar)
        periods.append(one.period)
    rates: list[tuple[float, float]] = []
    rated: list[tuple[int, int]] = []
    rate_periods: list[float] = []
    for plan in plans:
        if plan.arrivals is not None:
            rated.append((len(rates), len(plan.rate)))
            rates.extend(plan.rate)
            rate_periods.append(plan.period)
    found = w.data.found_sorted()
    _check_found(w, found)
    given = [_given(w, names, f, number) for number, f in enumerate(found)]
    for f in found:
        for name in f.values:
            w.attribute(name)
    attributes, resources = max(1, len(w.attributes)), max(1, len(w.resources))
    values, held = np.zeros((len(found), attributes)), np.zeros((len(found), resources), np.int64)
    for i, f in enumerate(found):
        for name, value in f.values.items():
            values[i, w.attributes[name]] = value
        for name, units in f.holds.items():
            held[i, w.resource(name, f.process, stock=False)] = units
    return at.Program(
        _whole_numbers(w.code, 7), _numbers(w.draws, 5), np.array([*w.table, 0.0]), _whole_numbers(w.wants, 2),
        _whole_numbers(sources, 5), _numbers(calendar, 2), _whole_numbers(calendars, 2), np.array(periods, np.float64),
        _numbers(rates, 2), _whole_numbers(rated, 2), np.array(rate_periods, np.float64),
        np.array([f.at for f in found], np.float64), _whole_numbers(given, 4),
        np.array([-1.0 if f.left is None else f.left for f in found], np.float64), values, held,
    )  # fmt: skip


def _check_found(w: _Writer, found: Sequence[Found]) -> None:
    held: dict[str, int] = {}
    for one in found:
        if one.process not in w.processes:
            raise ModelError(unknown(one.process, w.processes))
        if one.at < 0 or (one.left is not None and one.left < 0):
            raise ModelError(
                _("{process}: who is found has a time and a rest that are not negative.").format(process=one.process)
            )
        for name, units in one.holds.items():
            w.resource(name, one.process, stock=False)
            held[name] = held.get(name, 0) + _whole(units, one.process)
            if one.at == 0 and held[name] > _most(w.kinds[name]):
                raise ModelError(
                    _("{process}: {held} of {name} are held at the beginning, and there are {most}.").format(
                        process=one.process, held=held[name], name=name, most=_most(w.kinds[name])
                    )
                )


def _given(w: _Writer, names: Names, found: Found, number: int) -> tuple[int, int, int, int]:
    if found.label is not None and (found.process, found.label) not in w.labels:
        raise ModelError(unknown(found.label, [label for process, label in w.labels if process == found.process]))
    pc = w.entry[found.process] if found.label is None else w.labels[(found.process, found.label)]
    if found.left is not None and w.code[pc][at.OP] != at.DELAY:
        raise ModelError(
            _("{process}: what is left of a delay needs a label in front of a delay.").format(process=found.process)
        )
    plan = w.data.processes[w.processes[found.process]]
    priority = plan.priority if found.priority is None else found.priority
    return pc, _priority(priority, found.process), names.processes[found.process], number


def _whole_numbers(rows: list[Any], width: int) -> Any:
    return np.array(rows, np.int64).reshape(len(rows), width)


def _numbers(rows: list[Any], width: int) -> Any:
    return np.array(rows, np.float64).reshape(len(rows), width)
