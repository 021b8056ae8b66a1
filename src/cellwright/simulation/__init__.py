"""Discrete-event simulation: processes as programs, compiled once, replayed bit for bit.

from cellwright.simulation import Model, exponential
clinic = Model("clinic", unit="min")
clinic.resource("nurse", 2)
clinic.process("visit", arrivals=exponential(10)).use("nurse", exponential(15))
clinic.run(until=100_000).resource("nurse").wait
"""

from cellwright.simulation.draw import (
    Draw,
    ModelError,
    attribute,
    constant,
    empirical,
    erlang,
    exponential,
    gamma,
    lognormal,
    normal,
    pert,
    triangular,
    uniform,
    weibull,
)  # fmt: skip
from cellwright.simulation.model import Found, Model, ModelData
from cellwright.simulation.result import Options, ResourceFigures, Result, Summary
from cellwright.simulation.run import replicate, run

__all__ = [
    "Draw", "Found", "Model", "ModelData", "ModelError", "Options", "ResourceFigures", "Result", "Summary", "attribute",
    "constant", "empirical", "erlang", "exponential", "gamma", "lognormal", "normal", "pert", "replicate", "run",
    "triangular", "uniform", "weibull",
]  # fmt: skip
