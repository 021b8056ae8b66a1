"""Readers of problems: the file form, plants, Patterson, PSPLIB (.sm, .mm), RCPSP/max (.sch), flexible job shops (.fjs).

What a text file is follows from its content where its name does not tell.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from cellwright.language import _
from cellwright.schedule.plants import read_plant
from cellwright.schedule.problem import Job, Lag, Mode, Problem, Resource, Route, ScheduleError, Task, Way
from cellwright.schedule.validate import checked

MOST_BYTES: Final = 64 << 20
"""A file larger than this is refused."""
DATA: Final = {".yaml", ".yml", ".json"}


def read(path: Path) -> Problem:
    """The problem of a file, validated. Raises ScheduleError for what cannot be read or is wrong."""
    if path.suffix == ".npz":
        return checked(read_plant(path))
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ScheduleError(_("{path} is larger than {most} bytes.").format(path=path, most=MOST_BYTES))
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScheduleError(_("{path} cannot be read: {why}").format(path=path, why=error)) from None
    try:
        return checked(_parsed(path, text))
    except (ValueError, IndexError) as error:
        if isinstance(error, ScheduleError):
            raise ScheduleError([f"{path.name}: {fault}" for fault in error.faults]) from None
        raise ScheduleError(_("{path} is not in its format: {why}").format(path=path, why=error)) from None


def _parsed(path: Path, text: str) -> Problem:
    name, kind = path.stem, path.suffix.lower()
    if kind in DATA:
        return parse_data(text, json_form=kind == ".json")
    if "PRECEDENCE RELATIONS" in text:
        return parse_psplib(text, name)
    if kind == ".sch":
        return parse_max(text, name)
    if kind == ".fjs" or _looks_like_job_shop(text):
        return parse_job_shop(text, name)
    return parse_patterson(text, name)


def parse_data(text: str, *, json_form: bool = False) -> Problem:
    """A problem in the file form: YAML, or JSON, of the same fields as `Problem`. Values are strict: 1 is no "1"."""
    try:
        raw: Any = json.loads(text) if json_form else yaml.safe_load(text)
        return msgspec.convert(raw, Problem, strict=True)
    except (json.JSONDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ScheduleError(str(error)) from None


def write_data(problem: Problem) -> str:
    """The problem in the file form, as YAML."""
    return str(yaml.safe_dump(msgspec.to_builtins(problem), sort_keys=False, allow_unicode=True, width=120))


def _numbers(line: str) -> list[int]:
    return [int(part) for part in line.split()]


def _project(name: str, resources: tuple[Resource, ...], tasks: list[Task], lags: list[Lag]) -> Problem:
    route = Route(name="project", tasks=tuple(tasks), lags=tuple(lags))
    return Problem(
        name=name, objective="makespan", resources=resources, routes=(route,),
        jobs=(Job(name="project", modes=(Mode(route="project"),)),),
    )  # fmt: skip


def parse_patterson(text: str, name: str) -> Problem:
    """Patterson's format: counts; capacities; per activity duration, demands, number of successors, successors."""
    numbers = iter(_numbers(text))
    tasks: list[Task] = []
    lags: list[Lag] = []
    try:
        count, kinds = next(numbers), next(numbers)
        resources = tuple([Resource(name=f"R{r + 1}", capacity=next(numbers)) for r in range(kinds)])
        for k in range(count):
            duration = next(numbers)
            asked = [next(numbers) for _r in range(kinds)]
            needs = {resource.name: units for resource, units in zip(resources, asked, strict=True) if units}
            tasks.append(Task(name=str(k + 1), duration=duration, needs=needs))
            lags.extend([Lag(before=str(k + 1), after=str(next(numbers))) for _s in range(next(numbers))])
    except StopIteration:
        raise ValueError(_("it ends in the middle of an activity")) from None
    return _project(name, resources, tasks, lags)


def parse_psplib(text: str, name: str) -> Problem:
    """PSPLIB's format (Kolisch and Sprecher 1996), one mode or several, renewable and nonrenewable resources."""
    lines = text.splitlines()

    def behind(title: str) -> int:
        found = [i for i, line in enumerate(lines) if line.replace(" ", "").startswith(title.replace(" ", ""))]
        if not found:
            raise ValueError(_("it has no part {title}").format(title=title))
        return found[0] + 1

    lags: list[Lag] = []
    modes: dict[int, int] = {}
    i = behind("PRECEDENCE RELATIONS") + 1
    while lines[i].strip() and lines[i].strip()[0].isdigit():
        row = _numbers(lines[i])
        modes[row[0]] = row[1]
        lags.extend(Lag(before=str(row[0]), after=str(after)) for after in row[3 : 3 + row[2]])
        i += 1
    i = behind("RESOURCEAVAILABILITIES")
    kinds = re.findall(r"[RND]\s*\d+", lines[i])
    resources = tuple(
        Resource(name=kind.replace(" ", ""), capacity=units, consumed=kind.startswith("N"))
        for kind, units in zip(kinds, _numbers(lines[i + 1]), strict=True)
    )
    i = behind("REQUESTS/DURATIONS")
    while not (lines[i].strip() and lines[i].strip()[0].isdigit()):
        i += 1
    tasks = []
    for number, count in modes.items():
        ways = []
        for turn in range(count):
            row = _numbers(lines[i])
            i += 1
            row = row[1:] if turn == 0 else row
            needs = {r.name: units for r, units in zip(resources, row[2:], strict=True) if units}
            ways.append(Way(duration=row[1], needs=needs))
        if count == 1:
            tasks.append(Task(name=str(number), duration=ways[0].duration, needs=ways[0].needs))
        else:
            tasks.append(Task(name=str(number), ways=tuple(ways)))
    used = {need for task in tasks for way in task.all_ways() for need in way.needs}
    return _project(name, tuple(r for r in resources if r.capacity or r.name in used), tasks, lags)


def parse_max(text: str, name: str) -> Problem:
    """ProGen/max's format: minimum and maximum start-to-start lags in brackets (Schwindt 1995); one mode."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    count, kinds = int(rows[0][0]) + 2, int(rows[0][1])
    capacities = [int(part) for part in rows[1 + 2 * count][:kinds]]
    resources = tuple(Resource(name=f"R{r + 1}", capacity=units) for r, units in enumerate(capacities))
    tasks: list[Task] = []
    lags: list[Lag] = []
    for row, asked in zip(rows[1 : 1 + count], rows[1 + count : 1 + 2 * count], strict=True):
        number, successors = row[0], int(row[2])
        after = row[3 : 3 + successors]
        least = re.findall(r"-?\d+", " ".join(row[3 + successors :]))
        lags.extend(
            Lag(before=number, after=other, least=int(lag), between="starts")
            for other, lag in zip(after, least, strict=True)
        )
        units = [int(part) for part in asked[3 : 3 + kinds]]
        needs = {resource.name: u for resource, u in zip(resources, units, strict=True) if u}
        tasks.append(Task(name=number, duration=int(asked[2]), needs=needs))
    return _project(name, resources, tasks, lags)


def _looks_like_job_shop(text: str) -> bool:
    """Whether each line behind the first holds one job: operations, each with its machines and durations."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        head = lines[0].split()
        jobs = [_numbers(line) for line in lines[1:]]
    except (IndexError, ValueError):
        return False
    return len(head) in {2, 3} and len(jobs) == int(head[0]) and all(_operations(row) is not None for row in jobs)


def _operations(row: list[int]) -> list[list[tuple[int, int]]] | None:
    """A job's operations as (machine, duration) choices, or None where the line is not of that form."""
    found, i = [], 1
    for _operation in range(row[0]):
        if i >= len(row):
            return None
        choices = row[i]
        pairs = row[i + 1 : i + 1 + 2 * choices]
        if choices < 1 or len(pairs) != 2 * choices:
            return None
        found.append(list(zip(pairs[::2], pairs[1::2], strict=True)))
        i += 1 + 2 * choices
    return found if i == len(row) else None


def parse_job_shop(text: str, name: str) -> Problem:
    """Flexible job shop (Brandimarte 1993): a job per line, each operation with the machines that can do it."""
    lines = [line for line in text.splitlines() if line.strip()]
    machines = int(lines[0].split()[1])
    routes, jobs = [], []
    for number, line in enumerate(lines[1:], 1):
        operations = _operations(_numbers(line))
        if operations is None:
            raise ValueError(_("line {line} is not a job").format(line=number + 1))
        tasks = [
            Task(name=str(k), ways=tuple(Way(duration=d, needs={f"M{m}": 1}) for m, d in choices))
            for k, choices in enumerate(operations, 1)
        ]
        lags = [Lag(before=str(k), after=str(k + 1)) for k in range(1, len(tasks))]
        routes.append(Route(name=f"job {number}", tasks=tuple(tasks), lags=tuple(lags)))
        jobs.append(Job(name=f"job {number}", modes=(Mode(route=f"job {number}"),)))
    return Problem(
        name=name, objective="makespan", resources=tuple(Resource(name=f"M{m + 1}") for m in range(machines)),
        routes=tuple(routes), jobs=tuple(jobs),
    )  # fmt: skip
