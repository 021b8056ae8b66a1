"""Intervals of what is counted: fractions, ratios and concentrations, with the number of events behind each.

Fractions have exact binomial intervals (Clopper and Pearson, Biometrika 26 (1934) 404). The ratio of two counts rests
on the binomial distribution of the one given their sum (Przyborowski and Wilenski, Biometrika 31 (1940) 313); a count by
beads is such a ratio times what is known of the beads, whose own uncertainty is added on the logarithmic scale.

Figures are rounded once, for print, from exact fractions: the value half to even, the bounds outwards, so that a printed
interval never claims more than the computed one.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import exp, inf, isinf, log, sqrt

import msgspec

CONFIDENCE = 0.95
_NORMAL_975 = 1.959963984540054
"""97.5 % quantile of the normal distribution, to which a stated bead uncertainty (95 %) is scaled."""


class Interval(msgspec.Struct, frozen=True):
    """Two bounds and the probability with which they enclose the true value; `high` may be infinite."""

    low: float
    high: float
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if not self.low <= self.high or not 0 < self.confidence < 1:
            raise ValueError(f"no interval: {self.low} to {self.high} with probability {self.confidence}")


def proportion(events: int, of: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact (Clopper-Pearson) interval of a fraction.

    Args:
        events: events inside; `of`: events looked at, at least 1.

    Raises:
        ValueError: not 0 <= events <= of with of >= 1.
    """
    from scipy.special import betaincinv

    if not 0 <= events <= of or of < 1:
        raise ValueError(f"{events} of {of} events is no fraction")
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else float(betaincinv(events, of - events + 1, tail))
    high = 1.0 if events == of else float(betaincinv(events + 1, of - events, 1 - tail))
    return Interval(low, high, confidence)


def ratio(events: int, to: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact conditional interval of the ratio of two counted numbers of separate events.

    Raises:
        ValueError: a negative count, or nothing counted at all.
    """
    share = proportion(events, events + to, confidence)
    return Interval(_odds(share.low), _odds(share.high), confidence)


def _odds(share: float) -> float:
    return inf if share >= 1 else share / (1 - share)


class Beads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Counting beads added to a tube.

    Attributes:
        added: beads in the tube, as the certificate of the bead lot states.
        sample_ul: volume of sample in the tube, microlitres.
        dilution: how many times the sample had been diluted before it was put into the tube.
        uncertainty_percent: expanded uncertainty (95 %) of `added` and the pipetting together.
    """

    added: Decimal
    sample_ul: Decimal
    dilution: Decimal = Decimal(1)
    uncertainty_percent: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if min(self.added, self.sample_ul) <= 0 or self.dilution < 1 or not 0 <= self.uncertainty_percent < 100:
            raise ValueError("beads: positive numbers, a dilution of at least 1, an uncertainty of 0 to 100 %")

    def per_event(self) -> Fraction:
        """What one event per bead means, cells per microlitre of the undiluted sample."""
        return Fraction(self.added) / Fraction(self.sample_ul) * Fraction(self.dilution)


def concentration(events: int, beads: int, known: Beads, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a bead-based count, cells per microlitre of the undiluted sample.

    The counts' interval is exact; the beads' stated uncertainty is combined with each side of it as independent on the
    logarithmic scale.

    Raises:
        ValueError: no bead was counted.
    """
    if beads < 1:
        raise ValueError("no bead was counted")
    counted = ratio(events, beads, confidence)
    scale = float(known.per_event())
    relative = float(known.uncertainty_percent) / 100 * _quantile(confidence) / _NORMAL_975
    middle = events / beads
    return Interval(
        _widened(counted.low, middle, relative) * scale, _widened(counted.high, middle, relative) * scale, confidence
    )


def _widened(bound: float, middle: float, relative: float) -> float:
    if relative == 0 or bound == 0 or isinf(bound):
        return bound
    if middle == 0:
        return bound * exp(relative)
    away = sqrt(log(bound / middle) ** 2 + relative**2)
    return middle * exp(away if bound > middle else -away)


def _quantile(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


class Figure(msgspec.Struct, frozen=True):
    """A value in print with its interval; decimals as text, `high` empty where there is no upper bound."""

    value: str
    low: str
    high: str


def figure(value: Fraction, interval: Interval, *, scale: int = 1, decimals: int = 2) -> Figure:
    """A value and its interval rounded for print, both times `scale` (100 for percent)."""
    step = Decimal(1).scaleb(-decimals)
    top = "" if isinf(interval.high) else _rounded(Fraction(interval.high) * scale, step, ROUND_CEILING)
    return Figure(
        _rounded(value * scale, step, ROUND_HALF_EVEN), _rounded(Fraction(interval.low) * scale, step, ROUND_FLOOR), top
    )


def _rounded(value: Fraction, step: Decimal, way: str) -> str:
    """A fraction on a decimal grid, rounded once; no digits are lost on the way to it."""
    steps = value / Fraction(step)
    whole, rest = divmod(steps.numerator, steps.denominator)
    up = way == ROUND_CEILING and rest > 0
    if way == ROUND_HALF_EVEN:
        up = 2 * rest > steps.denominator or (2 * rest == steps.denominator and whole % 2 == 1)
    return format(Decimal(whole + up) * step, "f")
