"""`cellwright simulate`: run a model described in a file, compare scenarios, report a study."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellwright.cli.output import Exit, complain, document, print_document, progress, say, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.simulation.experiment import Plan, Runs
    from cellwright.simulation.interval import Estimate
    from cellwright.simulation.model import ModelData

app = typer.Typer(add_completion=False, no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A model as YAML. / YAML 模型文件。")]
Until = Annotated[float, typer.Option(help="When each run ends. / 每次运行的结束时间。")]
WarmUp = Annotated[
    str, typer.Option(metavar="TIME|auto", help="What is left out at the beginning. / 开头不计入的时间。")
]
RunCount = Annotated[int, typer.Option("--runs", min=2, max=100_000, help="How many runs. / 运行次数。")]
Threads = Annotated[int, typer.Option(min=1, max=256, help="Threads. / 线程数。")]
Keep = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Keep results, use those kept. / 保存并复用结果的文件夹。")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write. / 输出文件。")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document. / 输出 JSON。")]
Most = Annotated[int, typer.Option(min=1000, help="Steps after which a run is stopped. / 单次运行的步数上限。")]


@app.command()
def example(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder. / 新文件夹。")]) -> None:
    """Write a simulated cell-therapy line as a file to try on."""
    from importlib.resources import files

    folder.mkdir(parents=True, exist_ok=True)
    text = (files("cellwright.simulation") / "line.yaml").read_text(encoding="utf-8")
    (folder / "line.yaml").write_text(text, encoding="utf-8")
    say(_("Wrote {path}").format(path=folder / "line.yaml"))


@app.command()
def schema() -> None:
    """Print the JSON schema of the file form, for editors."""
    import json

    from cellwright.simulation.vocabulary import schema as made

    say(json.dumps(made(), indent=2))


@app.command("run")
def run_(
    file: File,
    until: Until = 8760.0,
    warm_up: WarmUp = "0",
    runs: RunCount = 10,
    precision: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE=SHARE", help="Run until the half-width is so small. / 运行到所需精度。"),
    ] = None,
    threads: Threads = 2,
    keep: Keep = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="SVG", help="Use and queues over time. / 利用率与队列图。")
    ] = None,
    day: Annotated[
        Path | None, typer.Option(metavar="JSON", help="Events of one run, to animate. / 动画数据。")
    ] = None,
    most: Most = 10**9,
    json: Json = False,
) -> None:
    """Run a model many times and tell what its resources and processes did."""
    from cellwright.simulation.experiment import run_seeds, until_precise

    data = _read(file)
    plan = _plan(data, until, warm_up, threads, keep, most)
    with progress(_("Simulating"), runs) as bar:
        plan = plan._replace(progress=bar.advance)
        targets = _targets(precision)
        made = _told(
            lambda: (
                until_precise(data, plan, targets, first=runs) if targets else run_seeds(data, plan, range(1, runs + 1))
            )
        )
    if picture:
        _draw(picture, data, plan, runs)
    if day:
        _animate(day, data, plan)
    if json:
        print_document("cellwright.simulation.run/1", _document(made, plan))
    else:
        _tell(made, plan)
    raise typer.Exit(Exit.OK)


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Models; the first is the base. / 模型。")],
    figure: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Which figure, e.g. resource/nurse/wait. / 指标。")
    ] = None,
    more: Annotated[
        list[str] | None, typer.Option(metavar="RESOURCE=N", help="A scenario with N units more. / 增加 N 个单位。")
    ] = None,
    until: Until = 8760.0,
    warm_up: WarmUp = "0",
    runs: RunCount = 30,
    threads: Threads = 2,
    keep: Keep = None,
    picture: Annotated[Path | None, typer.Option(metavar="SVG", help="Scenarios side by side. / 方案对比图。")] = None,
    most: Most = 10**9,
    json: Json = False,
) -> None:
    """Compare scenarios in pairs of runs with the same luck."""
    from cellwright.simulation.experiment import Comparison
    from cellwright.simulation.experiment import compare as compared
    from cellwright.simulation.picture import scenarios as drawn

    base, *others = [_read(file) for file in files]
    scenarios: dict[str, Any] = {files[0].stem: base}
    scenarios |= {path.stem: data for path, data in zip(files[1:], others, strict=True)}
    scenarios |= _more(base, more or ())
    if len(scenarios) < 2:
        stop(_("Compare needs a second file, or --more RESOURCE=N."), Exit.USAGE)
    plan = _plan(base, until, warm_up, threads, keep, most)
    chosen = figure or [f"process/{p.name}/mean" for p in base.processes]
    with progress(_("Simulating"), runs * len(scenarios)) as bar:
        plan = plan._replace(progress=bar.advance)
        found: list[Comparison] = _told(lambda: compared(scenarios, plan, chosen, runs=runs))
    if picture:
        picture.write_text(drawn(found), encoding="utf-8")
    if json:
        rows = [
            {"scenario": c.scenario, "figure": c.figure, "value": _numbers(c.value), "difference": _numbers(c.difference),
             "sure": c.difference.differs} for c in found
        ]  # fmt: skip
        print_document("cellwright.simulation.comparison/1", {"simulated": True, "runs": runs, "comparisons": rows})
        return
    say(_("Results of a simulation, not of a plant."))
    for c in found:
        sure = _("sure") if c.difference.differs else _("not sure")
        difference = "" if c.scenario == files[0].stem else f"{_short(c.difference):>22}  {sure}"
        say(f"{c.figure:40} {c.scenario:24} {_short(c.value):>20} {difference}".rstrip())


@app.command()
def report(
    file: File,
    study: Annotated[
        Path | None, typer.Option(metavar="YAML", help="Purpose, aims, sources, assumptions. / 研究说明。")
    ] = None,
    until: Until = 8760.0,
    warm_up: WarmUp = "0",
    runs: RunCount = 10,
    threads: Threads = 2,
    keep: Keep = None,
    output: Output = None,
    most: Most = 10**9,
    json: Json = False,
) -> None:
    """Write the twenty points of a STRESS-DES report, as Markdown, or as HTML where the output ends in .html."""
    from cellwright.simulation.experiment import run_seeds
    from cellwright.simulation.report import html, markdown, stress

    data = _read(file)
    plan = _plan(data, until, warm_up, threads, keep, most)
    with progress(_("Simulating"), runs) as bar:
        plan = plan._replace(progress=bar.advance)
        made = _told(lambda: run_seeds(data, plan, range(1, runs + 1)))
    items = stress(made, plan, _study(study))
    if json:
        rows = [{"number": i.number, "title": i.title, "text": i.text, "table": i.table} for i in items]
        print_document("cellwright.simulation.report/1", {"simulated": True, "model": data.name, "items": rows})
    elif output is None:
        say(markdown(items, data.name))
    else:
        is_page = output.suffix.lower() in (".html", ".htm")
        text = html(items, data.name, (_timeline(data, plan, runs),)) if is_page else markdown(items, data.name)
        output.write_text(text, encoding="utf-8")
        say(_("Wrote {path}").format(path=output))


# --- reading ------------------------------------------------------------------------------------------------------------


def _read(file: Path) -> "ModelData":
    from cellwright.simulation.draw import ModelError
    from cellwright.simulation.notation import load

    try:
        return load(file)
    except ModelError as error:
        stop(str(error))
    except (OSError, UnicodeDecodeError) as error:
        stop(_("{path} cannot be read: {why}").format(path=file, why=error), Exit.USAGE)


def _plan(data: "ModelData", until: float, warm_up: str, threads: int, keep: Path | None, most: int) -> "Plan":
    from cellwright.simulation.experiment import Plan
    from cellwright.simulation.experiment import warm_up as suggested
    from cellwright.simulation.store import Store

    plan = Plan(until=until, threads=threads, store=Store(keep) if keep else None, most=most)
    if warm_up != "auto":
        try:
            return plan._replace(warm_up=float(warm_up))
        except ValueError:
            stop(_("--warm-up is a time, or auto."), Exit.USAGE)
    found = _told(lambda: suggested(data, plan, runs=5))
    if not found.enough:
        stop(_("The runs are too short to tell when they settle; make --until longer, or state --warm-up."))
    return plan._replace(warm_up=found.time)


def _told(work: Any) -> Any:
    from cellwright.simulation.draw import ModelError
    from cellwright.simulation.run import compiled_before

    if not compiled_before():
        complain(_("Compiling the interpreter, once on this machine; this takes about half a minute."))
    try:
        return work()
    except ModelError as error:
        stop(str(error))


def _targets(said: Sequence[str] | None) -> dict[str, float]:
    try:
        return {name: float(share) for name, share in (one.rsplit("=", 1) for one in said or ())}
    except ValueError:
        stop(_("--precision is a figure and a share: resource/nurse/wait=0.05"), Exit.USAGE)


def _more(base: "ModelData", said: Sequence[str]) -> dict[str, "ModelData"]:
    from cellwright.simulation.experiment import with_units

    found = {}
    for one in said:
        name, _equals, count = one.rpartition("=")
        if not name or not count.lstrip("-").isdigit():
            stop(_("--more is a resource and a number: bioreactor=10"), Exit.USAGE)
        found[f"{name} {int(count):+d}"] = _told(lambda name=name, count=count: with_units(base, name, int(count)))
    return found


def _study(path: Path | None) -> Any:
    import msgspec

    from cellwright.simulation.report import Study

    if path is None:
        return None
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Study)
    except (OSError, msgspec.ValidationError, msgspec.DecodeError) as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=error), Exit.USAGE)


# --- telling ------------------------------------------------------------------------------------------------------------


def _results(data: "ModelData", plan: "Plan", runs: int) -> Any:
    from cellwright.simulation.run import replicate

    every = plan.until / 200
    return list(
        replicate(data, plan.until, range(1, min(runs, 20) + 1), threads=plan.threads, every=every, most=plan.most)
    )


def _timeline(data: "ModelData", plan: "Plan", runs: int) -> str:
    from cellwright.simulation.picture import over_time

    return over_time(_results(data, plan, runs))


def _draw(path: Path, data: "ModelData", plan: "Plan", runs: int) -> None:
    path.write_text(_timeline(data, plan, runs), encoding="utf-8")


def _animate(path: Path, data: "ModelData", plan: "Plan") -> None:
    from cellwright.simulation.picture import day
    from cellwright.simulation.run import run

    result = run(data, plan.until, seed=1, trace=1_000_000, most=plan.most)
    body = day(result, plan.warm_up, plan.until)
    path.write_text(document(str(body.pop("schema")), body) + "\n", encoding="utf-8")


def _numbers(found: "Estimate") -> dict[str, Any]:
    def some(value: float) -> float | None:
        return value if value == value else None

    return {"mean": some(found.mean), "half_width": some(found.half_width), "runs": found.runs}


def _short(found: "Estimate") -> str:
    return f"{found.mean:.5g} ± {found.half_width:.2g}"


def _document(made: "Runs", plan: "Plan") -> dict[str, Any]:
    return {
        "simulated": True,
        "model": made.model.name,
        "sha256": made.model.sha256,
        "unit": made.model.unit,
        "until": plan.until,
        "warm_up": plan.warm_up,
        "confidence": plan.confidence,
        "seeds": list(made.seeds),
        "figures": {name: _numbers(made.estimate(name)) for name in made.values},
    }


def _tell(made: "Runs", plan: "Plan") -> None:
    from cellwright.simulation.experiment import bottlenecks

    say(_("Results of a simulation, not of a plant."))
    text = _("{model}: {n} runs until {until:g} {unit}, the first {warm_up:g} left out; {level:.0%} intervals")
    say(
        text.format(
            model=made.model.name, n=len(made.seeds), until=plan.until, unit=made.model.unit, warm_up=plan.warm_up,
            level=plan.confidence,
        )
    )  # fmt: skip
    say()
    say(f"  {_('resource'):22}{_('working'):>10}{_('blocked'):>10}{_('down'):>10}{_('starved'):>10}  {_('wait')}")
    for load in bottlenecks(made):
        shares = "".join(f"{e.mean:>10.1%}" for e in (load.working, load.blocked, load.down, load.starved))
        say(f"  {load.resource:22}{shares}  {_short(load.wait)}")
    say()
    for name in made.values:
        if name.endswith("/mean") or name.startswith("counter/"):
            say(f"  {name:46}{_short(made.estimate(name))}")
