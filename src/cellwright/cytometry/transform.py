"""Scales on which gates are drawn: each is increasing, has an inverse, and works in double precision.

Linear, logarithmic, inverse hyperbolic sine, logicle and hyperlog are those of Gating-ML 2.0 (section 6.2), with their
parameters: `top` is T, `width` W, `decades` M and `extra` A. The logicle scale is that of Moore and Parks, Cytometry A
81A:273 (2012); the hyperlog scale that of Bagwell, Cytometry A 64A:34 (2005); both are mirrored about zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from cellwright.cytometry.fault import GateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

LN10: Final = math.log(10.0)
TABLE: Final = 4096
NEWTON_STEPS: Final = 4


class Transform(Protocol):
    """An increasing function from the scale of the light to the scale of the gate, and back."""

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate, of the same shape."""
        ...

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light, of the same shape."""
        ...

    def __hash__(self) -> int:
        """Scales of the same kind and parameters are one."""
        ...


def _positive(name: str, value: float) -> None:
    if not (0 < value < math.inf):
        raise GateError(f"{name} of a scale is {value}, expected a number above 0")


@dataclass(frozen=True, slots=True)
class Linear:
    """(x + A) / (T + A): from -A to T."""

    top: float
    extra: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.top) and math.isfinite(self.extra) and self.top + self.extra > 0):
            raise GateError(f"a linear scale from {-self.extra} to {self.top} does not rise")

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate."""
        import numpy as np

        return (np.asarray(values, np.float64) + self.extra) / (self.top + self.extra)

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        import numpy as np

        return np.asarray(values, np.float64) * (self.top + self.extra) - self.extra


@dataclass(frozen=True, slots=True)
class Log:
    """log10(x / T) / M + 1; values of 0 and below are at minus infinity."""

    top: float
    decades: float

    def __post_init__(self) -> None:
        _positive("the top", self.top)
        _positive("the number of decades", self.decades)

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate."""
        import numpy as np

        # Of x <= 0 the standard says nothing; the lowest value there is keeps the scale increasing.
        x = np.asarray(values, np.float64)
        with np.errstate(all="ignore"):
            return np.where(x <= 0, -np.inf, np.log10(x / self.top) / self.decades + 1.0)

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        import numpy as np

        with np.errstate(all="ignore"):
            return self.top * np.power(10.0, (np.asarray(values, np.float64) - 1.0) * self.decades)


@dataclass(frozen=True, slots=True)
class FlowJoLog:
    """log10(max(x, offset) / offset) / decades, as FlowJo draws it."""

    offset: float
    decades: float

    def __post_init__(self) -> None:
        _positive("the offset", self.offset)
        _positive("the number of decades", self.decades)

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate."""
        import numpy as np

        raised = np.maximum(np.asarray(values, np.float64), self.offset)
        return (np.log10(raised) - math.log10(self.offset)) / self.decades

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        import numpy as np

        with np.errstate(all="ignore"):
            return self.offset * np.power(10.0, np.asarray(values, np.float64) * self.decades)


@dataclass(frozen=True, slots=True)
class Asinh:
    """(asinh(x sinh(M ln 10) / T) + A ln 10) / ((M + A) ln 10)."""

    top: float
    decades: float
    extra: float = 0.0

    def __post_init__(self) -> None:
        _positive("the top", self.top)
        _positive("the number of decades", self.decades)
        if not 0 <= self.extra <= self.decades:
            raise GateError(f"{self.extra} extra decades of a scale, expected 0 to {self.decades}")

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate."""
        import numpy as np

        steep = math.sinh(self.decades * LN10) / self.top
        return (np.arcsinh(np.asarray(values, np.float64) * steep) + self.extra * LN10) / self._length

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        import numpy as np

        steep = math.sinh(self.decades * LN10) / self.top
        with np.errstate(all="ignore"):
            return np.sinh(np.asarray(values, np.float64) * self._length - self.extra * LN10) / steep

    @property
    def _length(self) -> float:
        return (self.decades + self.extra) * LN10


@dataclass(frozen=True, slots=True)
class Logicle:
    """The root y of a exp(by) - c exp(-dy) - f = x."""

    top: float
    width: float
    decades: float
    extra: float = 0.0

    def __post_init__(self) -> None:
        _check_biexponential(self.top, self.width, self.decades, self.extra)

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate."""
        return _solved(_logicle(self.top, self.width, self.decades, self.extra), values)

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        return _mirrored(_logicle(self.top, self.width, self.decades, self.extra), values)


@dataclass(frozen=True, slots=True)
class Hyperlog:
    """The root y of a exp(by) + cy - f = x."""

    top: float
    width: float
    decades: float
    extra: float = 0.0

    def __post_init__(self) -> None:
        _check_biexponential(self.top, self.width, self.decades, self.extra)
        if self.width == 0:
            raise GateError("the width of a hyperlog scale is 0, expected a number above 0")

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate."""
        return _solved(_hyperlog(self.top, self.width, self.decades, self.extra), values)

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        return _mirrored(_hyperlog(self.top, self.width, self.decades, self.extra), values)


@dataclass(frozen=True, slots=True)
class FlowJoBiex:
    """FlowJo's biexponential scale from 0 to 4096: straight lines between 4097 points (as in Bioconductor's cytolib).

    Attributes:
        negative: extra negative decades.
        width: width basis, negative as FlowJo shows it.
        positive: decades.
        top: largest value.
    """

    negative: float = 0.0
    width: float = -10.0
    positive: float = 4.418540
    top: float = 262144.000029

    def __post_init__(self) -> None:
        _positive("the top", self.top)
        _positive("the number of decades", self.positive)
        if not -1e6 <= self.width <= -1:
            raise GateError(f"the width basis of a FlowJo scale is {self.width}, expected -1 to -1000000")
        if not math.log10(-self.width) / 2 < self.positive < 20 or not abs(self.negative) < 20:
            raise GateError(f"a FlowJo scale of {self.positive} decades has no room for the width basis {self.width}")

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate, 0 to 4096."""
        import numpy as np

        light, gate = _flowjo(self.negative, self.width, self.positive, self.top)
        return np.interp(np.asarray(values, np.float64), light, gate)

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        import numpy as np

        light, gate = _flowjo(self.negative, self.width, self.positive, self.top)
        return np.interp(np.asarray(values, np.float64), gate, light)


@dataclass(frozen=True, slots=True)
class Bounded:
    """Another scale with its values kept between bounds (boundMin and boundMax of Gating-ML)."""

    scale: Transform
    minimum: float = -math.inf
    maximum: float = math.inf

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the gate."""
        import numpy as np

        return np.clip(self.scale.apply(values), self.minimum, self.maximum)

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values on the scale of the light."""
        import numpy as np

        return self.scale.inverse(np.clip(np.asarray(values, np.float64), self.minimum, self.maximum))


class _Curve(NamedTuple):
    """a exp(by) - c exp(-dy) + gy - f, rising and convex from `zero` on, where it is 0."""

    a: float
    b: float
    c: float
    d: float
    g: float
    f: float
    zero: float
    top: float

    def value(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        with np.errstate(all="ignore"):
            curved = self.a * np.exp(self.b * y) - self.f
            if self.c:
                curved -= self.c * np.exp(-self.d * y)
            return curved + self.g * y if self.g else curved

    def slope(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        with np.errstate(all="ignore"):
            rising = self.a * self.b * np.exp(self.b * y)
            if self.c:
                rising += self.c * self.d * np.exp(-self.d * y)
            return rising + self.g if self.g else rising


def _check_biexponential(top: float, width: float, decades: float, extra: float) -> None:
    _positive("the top", top)
    _positive("the number of decades", decades)
    if not 0 <= width <= decades / 2 or not -width <= extra <= decades - 2 * width:
        raise GateError(f"a scale with T={top}, W={width}, M={decades}, A={extra}: W or A is out of its range")
    if not decades + max(extra, 0.0) < 100:
        raise GateError(f"a scale of {decades + extra} decades")


def _root(b: float, w: float) -> float:
    """The d that solves 2 ln(d / b) + w (b + d) = 0, to the last bit (Moore and Parks 2012, equation 2)."""
    low, high = 0.0, b
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return high
        if 2 * math.log(middle / b) + w * (b + middle) < 0:
            low = middle
        else:
            high = middle


@lru_cache(maxsize=256)
def _logicle(top: float, width: float, decades: float, extra: float) -> _Curve:
    total = decades + extra
    w, x2, b = width / total, extra / total, total * LN10
    x1, x0 = x2 + w, x2 + 2 * w
    d = _root(b, w)
    c_a = math.exp(x0 * (b + d))
    f_a = math.exp(b * x1) - c_a * math.exp(-d * x1)
    a = top / (math.exp(b) - f_a - c_a * math.exp(-d))
    return _Curve(a, b, c_a * a, d, 0.0, f_a * a, x1, top)


@lru_cache(maxsize=256)
def _hyperlog(top: float, width: float, decades: float, extra: float) -> _Curve:
    total = decades + extra
    w, x2, b = width / total, extra / total, total * LN10
    x1, x0 = x2 + w, x2 + 2 * w
    g_a = math.exp(b * x0) / w
    f_a = math.exp(b * x1) + g_a * x1
    a = top / (math.exp(b) + g_a - f_a)
    return _Curve(a, b, 0.0, 0.0, g_a * a, f_a * a, x1, top)


@lru_cache(maxsize=64)
def _table(curve: _Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    y = np.linspace(curve.zero, 1.0, TABLE)
    x = curve.value(y)
    x[0] = 0.0
    return np.maximum.accumulate(x), y


def _mirrored(curve: _Curve, values: ArrayLike) -> NDArray[np.float64]:
    import numpy as np

    y = np.asarray(values, np.float64)
    above = curve.value(curve.zero + np.abs(y - curve.zero))
    return np.where(y == curve.zero, 0.0, np.copysign(above, y - curve.zero))


def _solved(curve: _Curve, values: ArrayLike) -> NDArray[np.float64]:
    """Newton's method from a table; past the top of the scale from the logarithm, which is close there."""
    import numpy as np

    x = np.asarray(values, np.float64)
    size = np.abs(x)
    light, gate = _table(curve)
    with np.errstate(all="ignore"):
        far = np.log((size + curve.f) / curve.a) / curve.b
        y = np.where(size < curve.top, np.interp(size, light, gate), far)
        for _step in range(NEWTON_STEPS):
            y = y - (curve.value(y) - size) / curve.slope(y)
        y = np.where(np.isfinite(y), np.maximum(y, curve.zero), np.where(np.isnan(size), np.nan, np.inf))
    return np.where(x == 0, curve.zero, np.where(x < 0, 2 * curve.zero - y, y))


@lru_cache(maxsize=64)
def _flowjo(
    negative: float, width: float, positive: float, top: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    channels = 4096
    half = math.log10(-width) / 2
    decades, extra = positive - half, max(negative, 0.0) + half
    zero = min(int(extra * channels / (extra + decades)), channels // 2)
    if zero > 0:
        decades = extra * channels / zero
    w, rise = half / decades, LN10 * decades
    fall = _root(rise, w)
    gate = np.arange(channels + 1, dtype=np.float64)
    grown = np.exp(gate / (channels + 1) * rise)
    sunk = np.exp(gate / (channels + 1) * -fall) * math.exp((rise + fall) * (w + extra / decades))
    light = grown - sunk
    light = (light - light[zero]) * (top / math.exp(rise))
    light[:zero] = -light[2 * zero : zero : -1]
    return light, gate
