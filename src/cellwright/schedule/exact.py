"""CP-SAT as prover: small problems whole, windows of large ones, and why something cannot be placed.

Every model has a finite horizon, and on pools the energy bound that the solver does not find by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cellwright.language import _
from cellwright.schedule.plan import JobPlan, Plan
from cellwright.schedule.problem import Job, Problem, Resource, Route, ScheduleError, Way, at, split
from cellwright.schedule.rows import unit_name
from cellwright.schedule.tables import horizon_of

WORKERS: Final = 8
"""Workers of one solve: fewer prove less (measured), more need more memory."""


def cp_model() -> Any:
    """The solver's module. Raises ScheduleError where the extra `planning` is not installed."""
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise ScheduleError(_("This needs OR-Tools: install the extra `planning`.")) from None
    return cp_model


@dataclass
class Piece:
    """Variables of one job."""

    job: Job
    starts: list[list[Any]]
    """For each mode the starts of its tasks."""
    ends: list[list[Any]]
    chosen: list[list[list[Any]]]
    """For each mode, task and way its literal."""
    modes: list[Any]
    end: Any = None
    cost: Any = 0


@dataclass
class Model:
    """A problem as constraints; `assume` collects the literals that an explanation may drop."""

    problem: Problem
    quantile: float | None = None
    fixed: Mapping[str, JobPlan] = field(default_factory=dict)
    """Jobs that stay as they are: only what they leave of the resources counts."""
    explain: bool = False

    def __post_init__(self) -> None:
        self.cp = cp_model()
        self.model = self.cp.CpModel()
        self.horizon = horizon_of(self.problem, self.quantile)
        self.resources, self.routes = self.problem.by_name()
        self.pieces: list[Piece] = []
        self.where: dict[tuple[int, str], int] = {}
        """The unit of a use that stays, by its number among the uses of a need."""
        self.uses: dict[str, list[tuple[Any, int, str]]] = {}
        """For each need its intervals, units and families."""
        self.reasons: dict[int, str] = {}
        for job in self.problem.jobs:
            if job.name not in self.fixed:
                self.pieces.append(self._piece(job))
        self.taken: list[tuple[str, int, int, int, str]] = []
        """Of jobs that stay: need, begin, end, units, family."""
        known = {job.name: job for job in self.problem.jobs}
        for plan in self.fixed.values():
            self._blocked(known[plan.job], plan)
        for resource in self.problem.resources:
            self._resource(resource)
        self._objective()

    def _literal(self, reason: str) -> Any:
        """What a constraint depends on: nothing, or where an explanation is sought a literal of its own."""
        if not self.explain:
            return None
        literal = self.model.new_bool_var(reason)
        self.reasons[literal.index] = reason
        self.model.add_assumption(literal)
        return literal

    def _under(self, constraint: Any, *literals: Any) -> None:
        real = [literal for literal in literals if literal is not None]
        if real:
            constraint.only_enforce_if(real)

    def _piece(self, job: Job) -> Piece:
        alone = len(job.modes) == 1
        modes = [self.model.new_constant(1)] if alone else [self.model.new_bool_var("") for _mode in job.modes]
        if not alone:
            self.model.add_exactly_one(modes)
        piece = Piece(job, [], [], [], modes)
        piece.end = self.model.new_int_var(0, self.horizon, f"{job.name} end")
        for number, mode in enumerate(job.modes):
            present = None if alone else modes[number]
            self._tasks(piece, self.routes[mode.route], present)
            self._times(piece, number, present)
        return piece

    def _tasks(self, piece: Piece, route: Route, present: Any) -> None:
        new = self.model.new_int_var
        starts, ends, chosen = [], [], []
        for task in route.tasks:
            ways = task.all_ways()
            start, end = new(0, self.horizon, task.name), new(0, self.horizon, "")
            literals = []
            for way in ways:
                literal = present if len(ways) == 1 else self.model.new_bool_var("")
                length = at(way.duration, self.quantile)
                self._under(self.model.add(end == start + length), literal)
                self._use(way, start, length, literal, piece.job.family)
                literals.append(literal)
            if len(ways) > 1:
                if present is None:
                    self.model.add_exactly_one(literals)
                else:
                    self.model.add(sum(literals) == present)
            starts.append(start)
            ends.append(end)
            chosen.append(literals)
        piece.starts.append(starts)
        piece.ends.append(ends)
        piece.chosen.append(chosen)
        number = {t.name: k for k, t in enumerate(route.tasks)}
        for hold in route.holds:
            begin, end = starts[number[hold.first]], ends[number[hold.last]]
            size = new(0, self.horizon, "")
            self.uses.setdefault(hold.resource, []).append(
                (self._interval(begin, size, end + hold.cleaning, present), hold.units, piece.job.family)
            )

    def _interval(self, start: Any, size: Any, end: Any, present: Any) -> Any:
        if present is None:
            return self.model.new_interval_var(start, size, end, "")
        return self.model.new_optional_interval_var(start, size, end, present, "")

    def _use(self, way: Way, start: Any, length: int, literal: Any, family: str) -> None:
        for need, units in way.needs.items():
            resource = self.resources[split(need)[0]]
            span = length + way.cleaning.get(need, 0)
            if resource.consumed or resource.changeovers:
                self.uses.setdefault(need, []).append(((start, span, literal), units, family))
            elif span:
                interval = self._interval(start, span, start + span, literal)
                self.uses.setdefault(need, []).append((interval, units, family))

    def _times(self, piece: Piece, number: int, present: Any) -> None:
        """Lags, release, window, deadline, what has begun, of one mode of a job."""
        job, route = piece.job, self.routes[piece.job.modes[number].route]
        index = {t.name: k for k, t in enumerate(route.tasks)}
        starts, ends = piece.starts[number], piece.ends[number]
        why = self._literal(_("lags of {job}").format(job=job.name))
        for lag in route.lags:
            origin = starts[index[lag.before]] if lag.between == "starts" else ends[index[lag.before]]
            gap = starts[index[lag.after]] - origin
            self._under(self.model.add(gap >= at(lag.least, self.quantile)), present, why)
            if lag.most is not None:
                self._under(self.model.add(gap <= lag.most), present, why)
        earliest = max(job.release, self.problem.now)
        known = {**{t: s for t, s in job.promised.items() if s < self.problem.frozen_until}, **job.begun}
        for name, k in index.items():
            if name in known:
                self._under(self.model.add(starts[k] == known[name]), present)
            else:
                self._under(self.model.add(starts[k] >= earliest), present)
            self._under(self.model.add(piece.end >= ends[k]), present)
        if job.deadline is not None:
            until = self._literal(_("deadline of {job}").format(job=job.name))
            self._under(self.model.add(piece.end <= job.deadline), until)
        within = job.modes[number].start_within
        first = route.tasks[0].name
        if within is not None and first not in known:
            window = self._literal(_("window of {job}").format(job=job.name))
            self._under(self.model.add(starts[0] <= job.release + within), present, window)

    def _blocked(self, job: Job, plan: JobPlan) -> None:
        """A job that stays: what it takes of pools is subtracted; on units that matter it is an interval."""
        route = self.routes[job.modes[plan.mode].route]
        index = {t.name: k for k, t in enumerate(route.tasks)}
        lengths = []
        for k, task in enumerate(route.tasks):
            way = task.all_ways()[plan.ways[k] if plan.ways else 0]
            lengths.append(at(way.duration, self.quantile))
            for need, units in way.needs.items():
                span = lengths[k] + way.cleaning.get(need, 0)
                if self.resources[split(need)[0]].changeovers or self.resources[split(need)[0]].consumed:
                    self.uses.setdefault(need, []).append(((plan.starts[k], span, None), units, job.family))
                    if plan.units:
                        self.where[len(self.uses[need]) - 1, need] = plan.units[k].get(need, 0)
                else:
                    self.taken.append((need, plan.starts[k], plan.starts[k] + span, units, job.family))
        for hold in route.holds:
            begin = plan.starts[index[hold.first]]
            end = plan.starts[index[hold.last]] + lengths[index[hold.last]] + hold.cleaning
            self.taken.append((hold.resource, begin, end, hold.units, job.family))

    def _resource(self, resource: Resource) -> None:
        own = {need: uses for need, uses in self.uses.items() if split(need)[0] == resource.name}
        if not own:
            return
        why = self._literal(resource.name)
        flat = [use for uses in own.values() for use in uses]
        if resource.consumed:
            taken = sum(units * (1 if literal is None else literal) for (_s, _l, literal), units, _f in flat)
            self._under(self.model.add(taken <= resource.capacity), why)
        elif resource.changeovers:
            self._units(resource, flat, why)
        else:
            self._pool(resource, own, why)

    def _pool(self, resource: Resource, own: Mapping[str, list[tuple[Any, int, str]]], why: Any) -> None:
        """One cumulative constraint for each row of the resource, its closed time as intervals."""
        from cellwright.schedule.rows import Rows

        rows = Rows(self.problem, self.horizon)
        crossing: dict[int, list[tuple[Any, int]]] = {}
        for need, uses in own.items():
            for interval, units, family in uses:
                ((demands, _units),) = rows.demands(Way(duration=1, needs={need: units}), family)
                for row, count, _lead, _tail, _checked in demands:
                    crossing.setdefault(row, []).append((interval, count))
        for need, begin, end, units, family in self.taken:
            if split(need)[0] == resource.name:
                for row, count, _lead, _tail, _checked in rows.demands(Way(duration=1, needs={need: units}), family)[0][
                    0
                ]:
                    rows.lines[row][begin:end] -= count
        for row, uses_of in crossing.items():
            line = [max(0, units) for units in rows.lines[row].tolist()]
            most = max(line)
            intervals, counts = [i for i, _c in uses_of], [c for _i, c in uses_of]
            for begin, end, missing in _closed(line, most):
                block = self.model.new_fixed_size_interval_var(begin, end - begin, "")
                intervals.append(block)
                counts.append(missing)
            if why is None:
                self.model.add_cumulative(intervals, counts, most)
            else:
                spare = self.model.new_int_var(most, most + sum(counts), "")
                self.model.add(spare == most).only_enforce_if(why)
                self.model.add_cumulative(intervals, counts, spare)

    def _units(self, resource: Resource, uses: list[tuple[Any, int, str]], why: Any) -> None:
        """Units that matter: each use on one of them, apart by the changeovers."""
        from cellwright.schedule.rows import Rows

        takes = {(c.before, c.after): c.steps for c in resource.changeovers}
        rows = Rows(self.problem, self.horizon)
        on: list[list[Any]] = []
        for (start, span, literal), _units, family in uses:
            choice = [self.model.new_bool_var(unit_name(resource, u)) for u in range(resource.capacity)]
            self.model.add(sum(choice) == (1 if literal is None else literal))
            stays = self.where.get((len(on), resource.name))
            if stays is not None:
                self.model.add(choice[stays] == 1)
            on.append(choice)
            for unit, taken in enumerate(choice):
                row = rows.demands(Way(duration=1, needs={resource.name: 1}), family)[unit][0][0][0]
                closed = [
                    self.model.new_fixed_size_interval_var(begin, end - begin, "")
                    for begin, end, _missing in _closed(rows.lines[row].tolist(), 1)
                ]
                if closed:
                    own = self.model.new_optional_interval_var(start, span, start + span, taken, "")
                    for block in closed:
                        self.model.add_no_overlap([own, block])
        for i, ((start, span, _la), _ua, family) in enumerate(uses):
            for k in range(i):
                (other, length, _lb), _ub, kind = uses[k]
                first = self.model.new_bool_var("")
                for unit in range(resource.capacity):
                    both = [on[i][unit], on[k][unit]]
                    before = self.model.add(start + span + takes.get((family, kind), 0) <= other)
                    self._under(before, *both, first, why)
                    after = self.model.add(other + length + takes.get((kind, family), 0) <= start)
                    self._under(after, *both, ~first, why)
        self.on = {**getattr(self, "on", {}), resource.name: (uses, on)}

    def _objective(self) -> None:
        if self.explain:
            return
        if self.problem.objective == "makespan":
            self.total = self.model.new_int_var(0, self.horizon, "makespan")
            for piece in self.pieces:
                self.model.add(self.total >= piece.end)
            self._energy()
        else:
            self.total = sum(self._cost(piece) for piece in self.pieces)
        self.model.minimize(self.total)

    def _energy(self) -> None:
        """No plan is shorter than the work on a resource over its units."""
        for need, uses in self.uses.items():
            resource = self.resources[split(need)[0]]
            if resource.consumed or resource.changeovers or resource.people:
                continue
            if all(len(t.all_ways()) == 1 for r in self.routes.values() for t in r.tasks):
                work = sum(units * (i.size_expr() if callable(i.size_expr) else i.size_expr) for i, units, _f in uses)
                self.model.add(self.total * resource.capacity >= work)

    def _cost(self, piece: Piece) -> Any:
        job = piece.job
        total = job.weight * (piece.end - job.release)
        total += sum(mode.price * chosen for mode, chosen in zip(job.modes, piece.modes, strict=True) if mode.price)
        if job.due is not None and job.late_weight:
            late = self.model.new_int_var(0, self.horizon, "")
            self.model.add(late >= piece.end - job.due)
            total += job.late_weight * late
        return total

    def hint(self, plans: Iterable[JobPlan]) -> None:
        """Begin from these plans."""
        known = {plan.job: plan for plan in plans}
        for piece in self.pieces:
            plan = known.get(piece.job.name)
            if plan is None:
                continue
            for number, literal in enumerate(piece.modes):
                if len(piece.modes) > 1:
                    self.model.add_hint(literal, number == plan.mode)
            for k, start in enumerate(plan.starts):
                self.model.add_hint(piece.starts[plan.mode][k], start)
                ways = piece.chosen[plan.mode][k]
                for w, literal in enumerate(ways if len(ways) > 1 else ()):
                    self.model.add_hint(literal, w == (plan.ways[k] if plan.ways else 0))

    def solver(self, seconds: float, seed: int, workers: int = WORKERS) -> Any:
        """A solver with a budget in deterministic time, the solver's own measure of work.

        A limit of 100 wall seconds for each unit of it, at least 5, ends what that measure does not see (presolve).
        """
        solver = self.cp.CpSolver()
        solver.parameters.max_deterministic_time = seconds
        solver.parameters.max_time_in_seconds = max(5.0, 100 * seconds)
        solver.parameters.random_seed = seed
        solver.parameters.num_workers = workers
        return solver


def _closed(line: list[int], most: int) -> list[tuple[int, int, int]]:
    """Where a profile lies below its highest, and by how much."""
    found: list[tuple[int, int, int]] = []
    for t, units in enumerate(line):
        missing = most - units
        if found and found[-1][1] == t and found[-1][2] == missing:
            found[-1] = (found[-1][0], t + 1, missing)
        elif missing:
            found.append((t, t + 1, missing))
    return found


def solve_exact(
    problem: Problem, *, effort: float = 0.3, seed: int = 1, quantile: float | None = None,
    start_from: Plan | None = None, report: Callable[[int, int], None] | None = None,
) -> Plan:  # fmt: skip
    """The best plan that CP-SAT finds within its effort (deterministic time), its bound, and whether either is proved.

    `report` is called with value and bound of every better plan.
    """
    made = Model(problem, quantile)
    if start_from is not None:
        made.hint(start_from.jobs)
    solver = made.solver(effort, seed)
    callback = _reporter(made.cp, report)
    status = solver.solve(made.model, callback) if callback else solver.solve(made.model)
    facts: dict[str, Any] = {"problem": problem.sha256, "engine": "CP-SAT", "seed": seed, "quantile": quantile}
    if status == made.cp.INFEASIBLE:
        return Plan(jobs=(), infeasible=True, proved=True, **facts)
    bound = max(0, round(solver.best_objective_bound))
    if status not in {made.cp.OPTIMAL, made.cp.FEASIBLE}:
        return Plan(jobs=(), bound=bound, **facts) if start_from is None else start_from
    value = round(solver.objective_value)
    proved = status == made.cp.OPTIMAL
    return Plan(
        jobs=tuple(read_out(made, solver)), value=value, bound=value if proved else bound, proved=proved, **facts
    )


def read_out(made: Model, solver: Any) -> list[JobPlan]:
    """The jobs' plans in a solution."""
    units: dict[tuple[int, str], int] = {}
    for name, (uses, on) in getattr(made, "on", {}).items():
        for ((start, _span, _literal), _units, _family), choice in zip(uses, on, strict=True):
            for unit, taken in enumerate(choice):
                if not isinstance(start, int) and solver.value(taken):
                    units[start.index, name] = unit
    plans = []
    for piece in made.pieces:
        mode = next((n for n, literal in enumerate(piece.modes) if solver.value(literal)), 0)
        starts = tuple(int(solver.value(start)) for start in piece.starts[mode])
        ways = tuple(
            next((w for w, literal in enumerate(found) if len(found) > 1 and solver.value(literal)), 0)
            for found in piece.chosen[mode]
        )
        taken = tuple(
            {name: unit for (index, name), unit in units.items() if index == start.index}
            for start in piece.starts[mode]
        )
        plans.append(
            JobPlan(
                job=piece.job.name,
                mode=mode,
                starts=starts,
                ways=ways if any(ways) else (),
                units=taken if any(taken) else (),
            )
        )
    return plans


def _reporter(cp: Any, report: Callable[[int, int], None] | None) -> Any:
    if report is None:
        return None
    told = report

    class Reporter(cp.CpSolverSolutionCallback):  # type: ignore[misc]
        def on_solution_callback(self) -> None:
            told(round(self.objective_value), round(self.best_objective_bound))

    return Reporter()


@dataclass(frozen=True)
class Polished:
    """A plan after windows were solved exactly, and how many of them were proved to be the best beside all the rest."""

    plan: Plan
    windows: int
    proved: int


def polish(
    problem: Problem, plan: Plan, *, size: int = 8, windows: int = 10, effort: float = 0.02, seed: int = 1
) -> Polished:
    """Free so many neighbouring jobs at a time, keep the rest, and take the best plan of them that CP-SAT finds.

    Windows lie evenly over the plan. A window that is proved certifies that no change of its jobs alone is better.
    """
    import msgspec

    count = len(plan.jobs)
    order = sorted(range(count), key=lambda n: plan.jobs[n].starts[0])
    jobs, proved, gained, number = list(plan.jobs), 0, 0, max(1, min(windows, -(-count // max(1, size))))
    for turn in range(number if count else 0):
        first = (count - min(size, count)) * turn // max(1, number - 1)
        free = order[first : first + size]
        names = {jobs[n].job for n in free}
        made = Model(problem, plan.quantile, fixed={one.job: one for one in jobs if one.job not in names})
        old = [jobs[n] for n in free]
        made.hint(old)
        before = sum(job_cost(problem, one, plan.quantile) for one in old)
        solver = made.solver(effort, seed)
        status = solver.solve(made.model)
        proved += status == made.cp.OPTIMAL
        if status in {made.cp.OPTIMAL, made.cp.FEASIBLE} and round(solver.objective_value) < before:
            gained += before - round(solver.objective_value)
            found = {one.job: one for one in read_out(made, solver)}
            for n in free:
                jobs[n] = found[jobs[n].job]
    better = msgspec.structs.replace(plan, jobs=tuple(jobs), value=plan.value - gained)
    return Polished(better, number if count else 0, proved)


def job_cost(problem: Problem, plan: JobPlan, quantile: float | None) -> int:
    """A job's part of the sum of weighted times, moves left out."""
    job = next(job for job in problem.jobs if job.name == plan.job)
    route = problem.by_name()[1][job.modes[plan.mode].route]
    ways = plan.ways or (0,) * len(plan.starts)
    end = max(
        start + at(task.all_ways()[way].duration, quantile)
        for start, way, task in zip(plan.starts, ways, route.tasks, strict=True)
    )
    late = 0 if job.due is None else job.late_weight * max(0, end - job.due)
    return job.weight * (end - job.release) + late + job.modes[plan.mode].price


def explain(problem: Problem, jobs: Iterable[str], *, fixed: Iterable[JobPlan] = (), effort: float = 2.0) -> list[str]:
    """Which of the jobs' lags, windows and deadlines, and which resources, cannot all hold beside the fixed jobs.

    A small set of them that already contradicts itself; empty where a plan exists, or where the effort did not tell.
    """
    wanted, kept = set(jobs), {plan.job: plan for plan in fixed}
    some = [job for job in problem.jobs if job.name in wanted or job.name in kept]
    import msgspec

    made = Model(msgspec.structs.replace(problem, jobs=tuple(some)), fixed=kept, explain=True)
    solver = made.solver(effort, 1, workers=1)
    if solver.solve(made.model) != made.cp.INFEASIBLE:
        return []
    return [made.reasons[index] for index in solver.sufficient_assumptions_for_infeasibility() if index in made.reasons]
