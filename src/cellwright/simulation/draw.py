"""What is left to chance: the distributions of durations and of the time between arrivals, each with its mean.

All are in the unit of time of the model and never negative.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from cellwright.language import _
from cellwright.simulation import layout as k


class ModelError(ValueError):
    """A model that cannot be run: what is wrong with it, and where."""


class Draw(msgspec.Struct, frozen=True):
    """A distribution by its name and parameters, as the file form writes it."""

    kind: str
    parameters: tuple[float, ...]
    name: str = ""
    """Of the attribute, where the value is one."""

    def mean(self) -> float:
        """The expected value; nan for an attribute, whose value is known only in the run."""
        p = self.parameters
        match self.kind:
            case "constant" | "exponential" | "lognormal":
                return p[0]
            case "normal":
                return _truncated_mean(p[0], p[1])
            case "uniform":
                return (p[0] + p[1]) / 2
            case "triangular":
                return sum(p) / 3
            case "pert":
                return (p[0] + 4 * p[1] + p[2]) / 6
            case "weibull":
                return p[1] * math.gamma(1 + 1 / p[0])
            case "erlang":
                return p[1]
            case "gamma":
                return p[0] * p[1]
            case "empirical":
                return sum((a + b) / 2 for a, b in pairwise(p)) / (len(p) - 1)
        return math.nan


def constant(value: float) -> Draw:
    """Always the same."""
    return _checked(Draw("constant", (value,)), value >= 0, _("a duration is not negative"))


def exponential(mean: float) -> Draw:
    """Without memory, of the given mean."""
    return _checked(Draw("exponential", (mean,)), mean > 0, _("its mean is more than 0"))


def uniform(low: float, high: float) -> Draw:
    """Anywhere between two values alike."""
    return _checked(Draw("uniform", (low, high)), 0 <= low <= high, _("0 <= low <= high"))


def triangular(low: float, mode: float, high: float) -> Draw:
    """Between two values, most often at a third."""
    return _checked(
        Draw("triangular", (low, mode, high)), 0 <= low <= mode <= high > low, _("0 <= low <= mode <= high, low < high")
    )


def pert(low: float, mode: float, high: float) -> Draw:
    """Beta-PERT: between two values, mean (low + 4 mode + high) / 6 (Malcolm et al. 1959)."""
    return _checked(
        Draw("pert", (low, mode, high)), 0 <= low <= mode <= high > low, _("0 <= low <= mode <= high, low < high")
    )


def normal(mean: float, sd: float) -> Draw:
    """Normal, drawn again while negative."""
    return _checked(
        Draw("normal", (mean, sd)), mean >= 0 and sd >= 0, _("neither mean nor standard deviation is negative")
    )


def lognormal(mean: float, sd: float) -> Draw:
    """Lognormal of the given mean and standard deviation (of the value, not of its logarithm)."""
    return _checked(
        Draw("lognormal", (mean, sd)), mean > 0 and sd >= 0, _("its mean is more than 0, its deviation not negative")
    )


def weibull(shape: float, scale: float) -> Draw:
    """Weibull."""
    return _checked(Draw("weibull", (shape, scale)), shape > 0 and scale > 0, _("shape and scale are more than 0"))


def erlang(stages: int, mean: float) -> Draw:
    """The sum of so many exponential stages, of the given mean together."""
    return _checked(
        Draw("erlang", (stages, mean)),
        stages >= 1 and mean > 0 and stages == int(stages),
        _("a whole number of stages, a mean of more than 0"),
    )


def gamma(shape: float, scale: float) -> Draw:
    """Gamma of mean shape x scale."""
    return _checked(Draw("gamma", (shape, scale)), shape > 0 and scale > 0, _("shape and scale are more than 0"))


def empirical(values: Sequence[float]) -> Draw:
    """As observed: straight lines between the sorted values."""
    ordered = tuple(sorted(map(float, values)))
    return _checked(
        Draw("empirical", ordered), len(ordered) >= 2 and ordered[0] >= 0, _("two values or more, none negative")
    )


def attribute(name: str) -> Draw:
    """The value that a process carries under a name."""
    return Draw("attribute", (), name)


def _checked(draw: Draw, sound: bool, rule: str) -> Draw:
    if not sound or not all(math.isfinite(x) for x in draw.parameters):
        raise ModelError(
            _("The distribution {kind}({parameters}) has no mean that a duration can have: {rule}.").format(
                kind=draw.kind, parameters=", ".join(f"{x:g}" for x in draw.parameters), rule=rule
            )
        )
    return draw


MAKERS: Final = {
    "constant": constant, "exponential": exponential, "uniform": uniform, "triangular": triangular, "pert": pert,
    "normal": normal, "lognormal": lognormal, "weibull": weibull, "erlang": erlang, "gamma": gamma,
}  # fmt: skip
"""What a file may name, with as many numbers as the function takes; `empirical` and `attribute` besides."""

_KINDS: Final = {
    "constant": k.CONSTANT, "exponential": k.EXPONENTIAL, "uniform": k.UNIFORM, "triangular": k.TRIANGULAR,
    "normal": k.NORMAL, "lognormal": k.LOGNORMAL, "weibull": k.WEIBULL, "erlang": k.ERLANG, "gamma": k.GAMMA,
    "empirical": k.EMPIRICAL, "attribute": k.ATTRIBUTE, "pert": k.PERT,
}  # fmt: skip


def row(draw: Draw, table: list[float], attributes: dict[str, int]) -> tuple[float, ...]:
    """The draw as the interpreter reads it; values of an empirical one are put behind `table`."""
    kind, p = float(_KINDS[draw.kind]), draw.parameters
    if draw.kind == "lognormal":
        variance = math.log1p((p[1] / p[0]) ** 2)
        return (kind, math.log(p[0]) - variance / 2, math.sqrt(variance), 0.0, 0.0)
    if draw.kind == "uniform" and p[0] == p[1]:
        return (float(k.CONSTANT), p[0], 0.0, 0.0, 0.0)
    if draw.kind == "empirical":
        first = len(table)
        table.extend(p)
        return (kind, float(len(p)), 0.0, 0.0, float(first))
    if draw.kind == "attribute":
        return (kind, float(attributes[draw.name]), 0.0, 0.0, 0.0)
    return (kind, *p, *([0.0] * (4 - len(p))))


def _truncated_mean(mean: float, sd: float) -> float:
    if sd == 0:
        return mean
    z = -mean / sd
    above = 0.5 * math.erfc(z / math.sqrt(2))
    return mean + sd * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / above
