"""Reader of the given plant instances: `instances.json` beside one array file for each plant."""

from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cellwright.language import _
from cellwright.schedule.problem import Hold, Job, Lag, Mode, Problem, Resource, Route, ScheduleError, Task


def read_plant(path: Path) -> Problem:
    """A plant as a problem. Raises ScheduleError where files or arrays are missing."""
    described = path.with_name("instances.json")
    try:
        about: dict[str, Any] = msgspec.json.decode(described.read_bytes())
        with np.load(path) as found:
            arrays = {name: found[name] for name in ("rel", "late", "w", "prof")}
    except (OSError, KeyError, ValueError) as error:
        raise ScheduleError(_("{path} is no plant: {why}").format(path=path, why=error)) from None
    names = {entry["index"]: entry["name"] for entry in about["tasks"]}
    tasks = tuple(
        Task(name=e["name"], duration=e["duration"], needs=e["demand"], cleaning=e["cleaning_tail"])
        for e in about["tasks"]
    )
    lags = tuple(
        Lag(before=names[e["before"]], after=names[e["after"]], least=e["min"], most=e["max"]) for e in about["lags"]
    )
    held = about["hold"]
    hold = Hold(resource=held["resource"], first=names[held["from_start_of"]], last=names[held["to_end_of"]])
    return Problem(
        name=path.stem,
        unit=about["unit"],
        horizon=int(arrays["prof"].shape[1]),
        resources=tuple(_resource(n, line) for n, line in zip(about["resources"], arrays["prof"], strict=True)),
        routes=(Route(name="car-t", tasks=tasks, lags=lags, holds=(hold,)),),
        jobs=_jobs(arrays),
        simulated=True,
    )


def _resource(name: str, line: Any) -> Resource:
    """A profile as a calendar without a period: where it changes, and to what."""
    calendar, t = [], 0
    for units, run in groupby(line.tolist()):
        calendar.append((t, int(units)))
        t += sum(1 for _step in run)
    return Resource(name=name, capacity=max(int(line.max()), 1), calendar=tuple(calendar) if len(calendar) > 1 else ())


def _jobs(arrays: dict[str, Any]) -> tuple[Job, ...]:
    modes: dict[int, tuple[Mode, ...]] = {}
    jobs = []
    rows = zip(arrays["rel"].tolist(), arrays["late"].tolist(), arrays["w"].tolist(), strict=True)
    for number, (release, late, weight) in enumerate(rows):
        mode = modes.setdefault(int(late), (Mode(route="car-t", start_within=int(late)),))
        jobs.append(Job(name=f"P{number + 1:04d}", modes=mode, release=int(release), weight=int(weight)))
    return tuple(jobs)
