"""An axis on a transformed scale, with the ticks that people at a cytometer know: decades, zero, and the steps between."""

from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.floating]
    Floats = NDArray[np.float64]

LABEL_GAP = 0.06
"""Labels nearer than this share of the axis would touch."""
TICK_GAP = 0.004
"""Ticks nearer than this share of the axis would be one line."""


class Scale(Protocol):
    """A monotone scale, such as every transform of `cellwright.cytometry.transform`."""

    def apply(self, values: "Values", /) -> "Values": ...
    def inverse(self, values: "Values", /) -> "Values": ...


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where it is from 0 to 1, and what is written at it.

    Attributes:
        text: empty for a mark without a word.
        exponent: written above the text, for powers of ten.
    """

    at: float
    text: str = ""
    exponent: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        label: what stands beside it, for example `CD3 (FITC-A)`.
        low, high: ends, as values of the file.
        scale: None for a linear axis.
    """

    label: str
    low: float
    high: float
    scale: Scale | None = None

    def __post_init__(self) -> None:
        ends = self.ends()
        if not (isfinite(ends[0]) and isfinite(ends[1]) and ends[0] < ends[1]):
            raise ValueError(f"axis {self.label!r}: from {self.low} to {self.high} is no axis on this scale")

    def ends(self) -> tuple[float, float]:
        """Both ends on the transformed scale."""
        import numpy as np

        low, high = self.transformed(np.array([self.low, self.high]))
        return float(low), float(high)

    def transformed(self, values: "Values") -> "Floats":
        """Values of the file on the transformed scale."""
        import numpy as np

        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = values if self.scale is None else self.scale.apply(np.asarray(values))
        return np.asarray(scaled, np.float64)

    def place(self, transformed: "Values") -> "Floats":
        """Where transformed values stand on the axis, 0 to 1; what lies outside stands on the edge."""
        import numpy as np

        low, high = self.ends()
        spread = (np.asarray(transformed, np.float64) - low) / (high - low)
        return np.clip(np.nan_to_num(spread, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)

    def ticks(self) -> tuple[Tick, ...]:
        """The marks, in order; decades where the scale is not linear."""
        return _linear(self) if self.scale is None or _is_affine(self) else _decades(self)


def fitting(label: str, values: "Values", scale: Scale | None = None, *, margin: float = 0.03) -> Axis:
    """An axis that shows all but the outermost 0.1 % of the values on each side, with a margin on its own scale.

    Where there are none, or none that the scale can show, it goes from 0 to 1 on its own scale: a frame with nothing in it.
    """
    import numpy as np

    whole = Axis.__new__(Axis)
    object.__setattr__(whole, "scale", scale)
    shown = whole.transformed(np.asarray(values))
    finite = shown[np.isfinite(shown)]
    low, high = np.quantile(finite, [0.001, 0.999]) if len(finite) else (0.0, 1.0)
    room = (high - low) * margin or 0.5
    ends = np.array([low - room, high + room])
    begin, end = ends if scale is None else np.asarray(scale.inverse(ends), np.float64)
    return Axis(label, float(begin), float(end), scale)


def _is_affine(axis: Axis) -> bool:
    import numpy as np

    quarter = (axis.high - axis.low) / 4
    shown = axis.transformed(np.array([axis.low + n * quarter for n in range(5)]))
    steps = np.diff(shown)
    return bool(np.isfinite(steps).all() and np.allclose(steps, steps[0], rtol=1e-4))


def _linear(axis: Axis) -> tuple[Tick, ...]:
    import numpy as np

    span = axis.high - axis.low
    rough = span / 6
    power = 10.0 ** floor(log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough)
    first, last = ceil(axis.low / step - 1e-9), floor(axis.high / step + 1e-9)
    values = [n * step for n in range(first, last + 1)]
    places = axis.place(axis.transformed(np.array(values)))
    return tuple(Tick(float(at), _thousands(value)) for at, value in zip(places, values, strict=True))


def _thousands(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}".replace("-0", "0") if value == 0 else f"{value:g}"


def _decades(axis: Axis) -> tuple[Tick, ...]:
    """Zero and the powers of ten with words, their multiples without; decades crowded around zero give way."""
    import numpy as np

    top = ceil(log10(max(abs(axis.low), abs(axis.high), 10.0)))
    lowest = floor(log10(axis.low)) if axis.low > 0 else 1
    marks = [(sign * m * 10.0**p, m, p, sign) for sign in (-1, 1) for p in range(lowest, top + 1) for m in range(1, 10)]
    marks = [mark for mark in marks if axis.low <= mark[0] <= axis.high]
    places = axis.place(axis.transformed(np.array([mark[0] for mark in marks], np.float64)))
    named, bare = [], []
    if axis.low <= 0 <= axis.high:
        named.append(Tick(float(axis.place(axis.transformed(np.array([0.0])))[0]), "0"))
    for at, (_, multiple, power, sign) in sorted(zip(places, marks, strict=True), key=lambda one: -abs(one[1][0])):
        if multiple == 1 and all(abs(at - other.at) >= LABEL_GAP for other in named):
            named.append(Tick(float(at), "-10" if sign < 0 else "10", str(power)))
        else:
            bare.append(float(at))
    taken = [tick.at for tick in named]
    kept: list[Tick] = []
    for at in sorted(bare):
        if all(abs(at - other) >= TICK_GAP for other in taken):
            taken.append(at)
            kept.append(Tick(at))
    return tuple(sorted((*named, *kept), key=lambda tick: tick.at))
