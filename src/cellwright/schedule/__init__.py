"""Scheduling: a plan for every job within lags, holds, windows, shifts and changeovers, or the reason why there is none.

from cellwright.schedule import Model
clinic = Model("clinic", unit="h")
clinic.resource("room", 2)
clinic.route("visit").task("see", 3, room=1).task("report", 1, most=4)
clinic.jobs("visit", 5)
clinic.solve().value

A plan is a proposal: nothing acts on it until a named person has released it.
"""

from cellwright.schedule.check import Finding, check
from cellwright.schedule.model import Model
from cellwright.schedule.plan import JobPlan, Plan, Unplaced
from cellwright.schedule.problem import (
    Campaign,
    Changeover,
    Closing,
    Hold,
    Job,
    Lag,
    Mode,
    Person,
    Problem,
    Range,
    Resource,
    Route,
    ScheduleError,
    Task,
    Way,
)
from cellwright.schedule.search import Progress
from cellwright.schedule.solve import repair, solve
from cellwright.schedule.validate import checked

__all__ = [
    "Campaign", "Changeover", "Closing", "Finding", "Hold", "Job", "JobPlan", "Lag", "Mode", "Model", "Person", "Plan",
    "Problem", "Progress", "Range", "Resource", "Route", "ScheduleError", "Task", "Unplaced", "Way", "check", "checked",
    "repair", "solve",
]  # fmt: skip
