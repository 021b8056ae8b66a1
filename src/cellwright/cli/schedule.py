"""`cellwright schedule`: plans of a problem, checked, drawn and measured. A plan is a proposal; nothing acts on it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from cellwright.cli.output import Exit, complain, print_document, progress, say, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.schedule import Finding, Plan, Problem, Progress

app = typer.Typer(add_completion=False, no_args_is_help=True)

SOLVED: Final = "cellwright.schedule-plan/1"
CHECKED: Final = "cellwright.schedule-check/1"
DRAWN: Final = "cellwright.schedule-picture/1"
EXAMPLE: Final = "cellwright.schedule-example/1"
MEASURED: Final = "cellwright.schedule-bench/1"

ProblemFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help=_("A problem: YAML or JSON, a plant (.npz), Patterson, .sm, .mm, .sch, .fjs.")),
]
Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))]
Rounds = Annotated[int | None, typer.Option("--rounds", min=0, help=_("Rounds of improvement of each restart."))]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help=_("Seed: the same problem, seed and rounds give the same plan."))
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help=_("Threads; they change nothing but the time."))]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="PLAN", help=_("A plan that `solve --output` has written."))
]

DEFAULT_ROUNDS: Final = 20_000


@app.callback()
def _schedule() -> None:
    """Plan a problem, check a plan, draw it, measure the solver."""


@app.command(
    help=_("Find a plan with its value, a lower bound and the gap between them; it is checked before it is shown.")
)
def solve(
    file: ProblemFile,
    rounds: Rounds = None,
    seed: Seed = 1,
    restarts: Annotated[int, typer.Option("--restarts", min=1, help=_("Searches begun side by side."))] = 2,
    threads: Threads = None,
    quantile: Annotated[
        float | None, typer.Option("--quantile", min=0, max=1, help=_("Plan on this quantile of uncertain durations."))
    ] = None,
    effort: Annotated[
        float,
        typer.Option("--effort", min=0.001, help=_("Effort of CP-SAT where it is used, in its deterministic time.")),
    ] = 0.3,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PLAN", help=_("Write the plan as JSON."))
    ] = None,
    json: Json = False,
) -> None:
    """Find a plan."""
    from cellwright.schedule import ScheduleError, check
    from cellwright.schedule import solve as solve_problem

    problem = _problem(file)
    total = DEFAULT_ROUNDS if rounds is None else rounds
    begin = time.process_time()
    with progress(_("Planning"), total) as bar:

        def report(now: "Progress") -> None:
            bar.advance(now.done - bar.done, str(now.value))

        try:
            plan = solve_problem(
                problem, seed=seed, rounds=total, restarts=restarts, threads=threads, quantile=quantile, effort=effort,
                report=report,
            )  # fmt: skip
        except ScheduleError as error:
            stop(str(error))
    seconds = time.process_time() - begin
    findings = check(problem, plan)
    if output is not None:
        _write(output, _encoded(plan))
    if json:
        body = _summary(problem, plan, findings) | {"cpu_seconds": f"{seconds:.3f}", "plan": _plain(plan)}
        print_document(SOLVED, {"file": str(file)} | body)
    else:
        _tell(problem, plan, findings)
    raise typer.Exit(Exit.OK if not findings and not plan.unplaced and not plan.infeasible else Exit.FINDING)


@app.command(help=_("Check a plan against its problem, independently of the solver."))
def check(file: ProblemFile, plan: PlanFile = None, json: Json = False) -> None:
    """Check a plan, or with none the problem itself."""
    from cellwright.schedule import check as check_plan

    problem = _problem(file)
    if plan is None:
        if json:
            print_document(CHECKED, {"file": str(file), "plan": None, "ok": True, "findings": []})
        else:
            say(_("{file}: the problem is sound.").format(file=file))
        return
    found = check_plan(problem, _read_plan(plan))
    if json:
        print_document(CHECKED, {"file": str(file), "plan": str(plan), "ok": not found, "findings": _findings(found)})
    else:
        for finding in found:
            say(f"✕ {finding.kind} {finding.where}: {finding.text}")
        say(_("{count} findings.").format(count=len(found)) if found else _("ok"))
    raise typer.Exit(Exit.FINDING if found else Exit.OK)


@app.command(help=_("Draw a plan as SVG: by job, resource or person, loads, or what moved since another plan."))
def gantt(
    file: ProblemFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="SVG", help=_("Where to write."))],
    by: Annotated[
        str, typer.Option("--by", metavar="job|resource|person|load|moves", help=_("What the rows of the picture are."))
    ] = "job",
    plan: PlanFile = None,
    before: Annotated[
        Path | None, typer.Option("--before", metavar="PLAN", help=_("The plan that was, for `--by moves`."))
    ] = None,
    rounds: Rounds = None,
    json: Json = False,
) -> None:
    """Draw a plan; without one the problem is planned first."""
    from cellwright.schedule import ScheduleError, picture
    from cellwright.schedule import solve as solve_problem

    if by not in {"job", "resource", "person", "load", "moves"} or (by == "moves" and before is None):
        stop(_("Choose --by job, resource, person, load, or moves together with --before."), Exit.USAGE)
    problem = _problem(file)
    try:
        drawn = (
            _read_plan(plan) if plan else solve_problem(problem, rounds=DEFAULT_ROUNDS if rounds is None else rounds)
        )
        if by == "load":
            svg = picture.load(problem, drawn)
        elif by == "moves":
            assert before is not None
            svg = picture.moved(problem, _read_plan(before), drawn)
        else:
            rows: Literal["job", "resource", "person"] = by  # type: ignore[assignment]
            svg = picture.gantt(problem, drawn, rows)
    except (ScheduleError, KeyError) as error:
        stop(str(error))
    _write(output, svg.encode())
    if json:
        print_document(DRAWN, {"file": str(file), "picture": str(output), "by": by})
    else:
        say(_("{path} is written.").format(path=output))


@app.command(help=_("Measure the solver on files: value, bound, gap and CPU time after rising numbers of rounds."))
def bench(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=_("Problems."))],
    rounds: Rounds = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Measure the solver on files."""
    from cellwright.schedule import check as check_plan
    from cellwright.schedule import solve as solve_problem

    rows = []
    clean = True
    for file in files:
        problem = _problem(file)
        most = DEFAULT_ROUNDS if rounds is None else rounds
        for number in sorted({0, most // 10, most}):
            complain(_("{file}: {rounds} rounds").format(file=file, rounds=number))
            begin = time.process_time()
            plan = solve_problem(problem, rounds=number, seed=seed, restarts=1)
            seconds = time.process_time() - begin
            findings = check_plan(problem, plan)
            clean = clean and not findings
            rows.append({"file": str(file), **_summary(problem, plan, findings), "rounds": number,
                         "cpu_seconds": f"{seconds:.3f}"})  # fmt: skip
            if plan.engine == "CP-SAT":
                break
    if json:
        print_document(MEASURED, {"runs": rows})
    else:
        for row in rows:
            values = (row["value"], row["bound"] or "–", row["gap"] or "–", row["cpu_seconds"])
            say(f"{row['file']:<40} {row['rounds']:>8} {values[0]:>10} {values[1]:>10} {values[2]:>8} {values[3]:>9} s")
    raise typer.Exit(Exit.OK if clean else Exit.FINDING)


@app.command(help=_("Write a simulated plant to try the other commands on."))
def example(
    output: Annotated[Path, typer.Argument(metavar="FILE", help=_("Where to write the problem, as YAML."))],
    patients: Annotated[int, typer.Option("--patients", min=1, help=_("Patients who arrive in 30 days."))] = 20,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Write a simulated plant."""
    from cellwright.schedule.generate import plant
    from cellwright.schedule.read import write_data

    problem = plant(patients, seed=seed)
    _write(output, write_data(problem).encode())
    if json:
        print_document(EXAMPLE, {"file": str(output), "problem": problem.sha256, "jobs": patients, "simulated": True})
    else:
        say(_("SIMULATED, NOT FOR HUMAN USE"))
        say(_("{path} is written.").format(path=output))


def _problem(file: Path) -> "Problem":
    from cellwright.schedule import ScheduleError
    from cellwright.schedule.read import read

    try:
        return read(file)
    except ScheduleError as error:
        stop(str(error))


def _read_plan(path: Path) -> "Plan":
    import msgspec

    from cellwright.schedule import Plan

    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=error.strerror), Exit.USAGE)
    except msgspec.MsgspecError as error:
        stop(_("{path} is no plan: {why}").format(path=path, why=error), Exit.USAGE)


def _encoded(plan: "Plan") -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n"


def _plain(plan: "Plan") -> Any:
    import msgspec

    return msgspec.to_builtins(plan.jobs)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        stop(_("{path} cannot be written: {why}").format(path=path, why=error.strerror), Exit.USAGE)


def _findings(found: "list[Finding]") -> list[dict[str, str]]:
    return [{"kind": one.kind, "where": one.where, "text": one.text} for one in found]


def _summary(problem: "Problem", plan: "Plan", findings: "list[Finding]") -> dict[str, Any]:
    gap = plan.gap
    return {
        "problem": problem.sha256,
        "simulated": problem.simulated,
        "jobs": len(problem.jobs),
        "engine": plan.engine,
        "seed": plan.seed,
        "rounds": plan.rounds,
        "restarts": plan.restarts,
        "value": plan.value,
        "bound": plan.bound,
        "gap": None if gap is None else f"{gap:.5f}",
        "proved": plan.proved,
        "infeasible": plan.infeasible,
        "unplaced": [
            {"job": u.job, "resource": u.resource, "reason": u.reason, "begin": u.begin, "end": u.end}
            for u in plan.unplaced
        ],
        "clean": not findings,
        "findings": _findings(findings),
    }


def _tell(problem: "Problem", plan: "Plan", findings: "list[Finding]") -> None:
    if problem.simulated:
        say(_("SIMULATED, NOT FOR HUMAN USE"))
    if plan.infeasible:
        say(_("{name}: no plan exists; this is proved.").format(name=problem.name))
        return
    placed = _("{name}: {placed} of {jobs} jobs are placed by {engine}.")
    say(placed.format(name=problem.name, placed=len(plan.jobs), jobs=len(problem.jobs), engine=plan.engine))
    gap = plan.gap
    if plan.proved:
        say(_("Value {value}, proved to be the best.").format(value=plan.value))
    elif gap is None:
        say(_("Value {value}; there is no bound.").format(value=plan.value))
    else:
        text = _("Value {value}, bound {bound}: at most {gap} % above the best possible.")
        say(text.format(value=plan.value, bound=plan.bound, gap=f"{100 * gap:.2f}"))
    for one in plan.unplaced:
        text = _("✕ {job} is not placed between {begin} and {end}: {resource} ({reason})")
        say(text.format(job=one.job, begin=one.begin, end=one.end, resource=one.resource or "–", reason=one.reason))
    for finding in findings:
        say(f"✕ {finding.kind} {finding.where}: {finding.text}")
    if not findings:
        say(_("The independent checker finds nothing against it. It is a proposal: nothing acts on it."))
