"""The nonlinear regression problems of NIST's Statistical Reference Datasets: their models, and their files as data."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy import arctan, cos, exp, pi, sin
from numpy.typing import NDArray

Array = NDArray[Any]
Formula = Callable[[Array, Array], Array]
"""(parameters, predictors [k, n]) -> responses [n]."""


class Problem(NamedTuple):
    """One data set with its two starts and what NIST certifies."""

    name: str
    starts: tuple[Array, Array]
    parameters: Array
    standard_errors: Array
    residual_sum_of_squares: float
    residual_standard_deviation: float
    response: Array
    predictors: Array

    def model(self) -> Callable[[Array], Array]:
        formula = MODELS[self.name]
        return lambda b: formula(b, self.predictors)


def _misra1a(b: Array, x: Array) -> Array:
    return b[0] * (1 - exp(-b[1] * x[0]))


def _chwirut(b: Array, x: Array) -> Array:
    return exp(-b[0] * x[0]) / (b[1] + b[2] * x[0])


def _lanczos(b: Array, x: Array) -> Array:
    return b[0] * exp(-b[1] * x[0]) + b[2] * exp(-b[3] * x[0]) + b[4] * exp(-b[5] * x[0])


def _gauss(b: Array, x: Array) -> Array:
    peaks = b[2] * exp(-((x[0] - b[3]) ** 2) / b[4] ** 2) + b[5] * exp(-((x[0] - b[6]) ** 2) / b[7] ** 2)
    return b[0] * exp(-b[1] * x[0]) + peaks


def _cubic_ratio(b: Array, x: Array) -> Array:
    t = x[0]
    return (b[0] + b[1] * t + b[2] * t**2 + b[3] * t**3) / (1 + b[4] * t + b[5] * t**2 + b[6] * t**3)


def _enso(b: Array, x: Array) -> Array:
    t = 2 * pi * x[0]
    year = b[1] * cos(t / 12) + b[2] * sin(t / 12)
    return b[0] + year + b[4] * cos(t / b[3]) + b[5] * sin(t / b[3]) + b[7] * cos(t / b[6]) + b[8] * sin(t / b[6])


MODELS: dict[str, Formula] = {
    "Bennett5": lambda b, x: b[0] * (b[1] + x[0]) ** (-1 / b[2]),
    "BoxBOD": _misra1a,
    "Chwirut1": _chwirut,
    "Chwirut2": _chwirut,
    "DanWood": lambda b, x: b[0] * x[0] ** b[1],
    "ENSO": _enso,
    "Eckerle4": lambda b, x: (b[0] / b[1]) * exp(-0.5 * ((x[0] - b[2]) / b[1]) ** 2),
    "Gauss1": _gauss,
    "Gauss2": _gauss,
    "Gauss3": _gauss,
    "Hahn1": _cubic_ratio,
    "Kirby2": lambda b, x: (b[0] + b[1] * x[0] + b[2] * x[0] ** 2) / (1 + b[3] * x[0] + b[4] * x[0] ** 2),
    "Lanczos1": _lanczos,
    "Lanczos2": _lanczos,
    "Lanczos3": _lanczos,
    "MGH09": lambda b, x: b[0] * (x[0] ** 2 + x[0] * b[1]) / (x[0] ** 2 + x[0] * b[2] + b[3]),
    "MGH10": lambda b, x: b[0] * exp(b[1] / (x[0] + b[2])),
    "MGH17": lambda b, x: b[0] + b[1] * exp(-x[0] * b[3]) + b[2] * exp(-x[0] * b[4]),
    "Misra1a": _misra1a,
    "Misra1b": lambda b, x: b[0] * (1 - (1 + b[1] * x[0] / 2) ** (-2)),
    "Misra1c": lambda b, x: b[0] * (1 - (1 + 2 * b[1] * x[0]) ** (-0.5)),
    "Misra1d": lambda b, x: b[0] * b[1] * x[0] / (1 + b[1] * x[0]),
    "Nelson": lambda b, x: b[0] - b[1] * x[0] * exp(-b[2] * x[1]),
    "Rat42": lambda b, x: b[0] / (1 + exp(b[1] - b[2] * x[0])),
    "Rat43": lambda b, x: b[0] / (1 + exp(b[1] - b[2] * x[0])) ** (1 / b[3]),
    "Roszman1": lambda b, x: b[0] - b[1] * x[0] - arctan(b[2] / (x[0] - b[3])) / pi,
    "Thurber": _cubic_ratio,
}

_PARAMETER = re.compile(r"^ +b\d+ = +(\S+) +(\S+) +(\S+) +(\S+) *$", re.M)


def read(path: Path) -> Problem:
    """A problem from NIST's text file."""
    text = path.read_text(encoding="latin-1")
    table = np.array([[float(cell) for cell in row] for row in _PARAMETER.findall(text)])
    body = text[text.rindex("Data:") :].splitlines()[1:]
    columns = np.array([[float(cell) for cell in line.split()] for line in body if line.strip()]).T
    return Problem(
        name=path.stem,
        starts=(table[:, 0], table[:, 1]),
        parameters=table[:, 2],
        standard_errors=table[:, 3],
        residual_sum_of_squares=_figure(text, "Residual Sum of Squares"),
        residual_standard_deviation=_figure(text, "Residual Standard Deviation"),
        response=np.log(columns[0]) if path.stem == "Nelson" else columns[0],
        predictors=columns[1:],
    )


def _figure(text: str, name: str) -> float:
    found = re.search(rf"{name}: +(\S+)", text)
    assert found
    return float(found[1])


def digits(found: Array, certified: Array) -> float:
    """The least number of agreeing digits, -log10 of the relative error, 15 at most."""
    error = np.abs(np.asarray(found) - certified) / np.abs(certified)
    return float(min(15.0, -np.log10(np.maximum(error, 1e-15)).min()))
