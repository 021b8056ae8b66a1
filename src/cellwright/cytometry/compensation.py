"""Spillover between detectors and its removal (Bagwell and Adams 1993; FCS 3.1, 3.2.21; Gating-ML 2.0, section 6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cellwright.cytometry.fault import GateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DETECTORS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Spillover:
    """How much of each fluorochrome's light each detector sees.

    Attributes:
        detectors: channel names, one per column.
        fluorochromes: one per row; for a matrix of as many dyes as detectors these may be the detectors themselves.
        matrix: row per fluorochrome, column per detector; 1 on the detector that is the fluorochrome's own.
    """

    detectors: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    fluorochromes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.fluorochromes:
            object.__setattr__(self, "fluorochromes", self.detectors)
        rows, columns = len(self.matrix), len(self.detectors)
        if not columns or any(len(row) != columns for row in self.matrix) or rows > columns or not rows:
            raise GateError(f"a spillover matrix of {rows} rows does not go with {columns} detectors")
        if len(set(self.detectors)) != columns or len(self.fluorochromes) != rows:
            raise GateError(f"{rows} rows for the fluorochromes {self.fluorochromes}, detectors {self.detectors}")
        if any(value != value or abs(value) > 1e12 for row in self.matrix for value in row):
            raise GateError("a spillover matrix holds a value that is no finite number")
        object.__setattr__(self, "matrix", tuple(tuple(map(float, row)) for row in self.matrix))

    def unmixing(self) -> NDArray[np.float64]:
        """The matrix that takes measured to compensated values, shape (fluorochromes, detectors).

        The inverse of the transposed matrix; with more detectors than fluorochromes, least squares.

        Raises:
            GateError: the matrix has no inverse.
        """
        return _unmixing(self)

    @property
    def trivial(self) -> bool:
        """Whether no light spills over."""
        return all(
            value == (row == column) for row, line in enumerate(self.matrix) for column, value in enumerate(line)
        )


@lru_cache(maxsize=64)
def _unmixing(spillover: Spillover) -> NDArray[np.float64]:
    import numpy as np

    mixing = np.array(spillover.matrix, np.float64).T
    with np.errstate(all="ignore"):
        if np.linalg.matrix_rank(mixing) < mixing.shape[1]:
            raise GateError(f"the spillover matrix of {', '.join(spillover.detectors)} cannot be inverted")
        square = mixing.shape[0] == mixing.shape[1]
        found = np.asarray(np.linalg.inv(mixing) if square else np.linalg.pinv(mixing), np.float64)
    found.flags.writeable = False
    return found


def compensate(columns: NDArray[np.floating], spillover: Spillover) -> NDArray[np.float64]:
    """Values without spillover, in double precision.

    Args:
        columns: shape (events, detectors), in the order of `spillover.detectors`.

    Returns:
        Shape (events, fluorochromes), column-major.
    """
    import numpy as np

    if columns.ndim != 2 or columns.shape[1] != len(spillover.detectors):
        raise GateError(f"{columns.shape} values for {len(spillover.detectors)} detectors")
    return weighted(spillover.unmixing(), [np.ascontiguousarray(c, np.float64) for c in columns.T]).T


def weighted(weights: NDArray[np.float64], columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Sums of columns, term by term in the order of the columns, so that every machine rounds alike.

    Returns:
        Shape (rows of weights, events).
    """
    import numpy as np

    out = np.empty((len(weights), len(columns[0])), np.float64)
    term = np.empty(len(columns[0]), np.float64)
    for total, row in zip(out, weights, strict=True):
        np.multiply(columns[0], row[0], out=total)
        for column, weight in zip(columns[1:], row[1:], strict=True):
            if weight != 0.0:
                np.multiply(column, weight, out=term)
                np.add(total, term, out=total)
    return out


def from_controls(
    controls: Mapping[str, Mapping[str, NDArray[np.floating]]],
    background: Mapping[str, NDArray[np.floating]],
    fluorochromes: Sequence[str] = (),
) -> Spillover:
    """The matrix that single-stained controls give: medians of the positive events above the background.

    Args:
        controls: detector that is the stain's own -> detector -> values of the control's positive events.
        background: detector -> values of unstained or negative events.
        fluorochromes: names of the stains, in the order of `controls`.

    Raises:
        GateError: a control is missing a detector, or is not brighter than the background in its own.
    """
    import numpy as np

    detectors = tuple(controls)
    rows = []
    for own, values in controls.items():
        try:
            above = {name: float(np.median(values[name]) - np.median(background[name])) for name in detectors}
        except KeyError as missing:
            raise GateError(f"control {own}: no values of detector {missing.args[0]}") from None
        if not above[own] > 0:
            raise GateError(f"control {own} is not brighter than the background in its own detector")
        rows.append(tuple(above[name] / above[own] for name in detectors))
    return Spillover(detectors, tuple(rows), tuple(fluorochromes))


def from_keyword(value: str) -> Spillover:
    """The matrix of a $SPILLOVER keyword: its size, its channel names, its rows (FCS 3.1, 3.2.21).

    Raises:
        GateError: the value is malformed, such as a list of names without numbers.
    """
    parts = [part.strip() for part in value.split(",")]
    if not parts[0].isdecimal() or not 1 <= int(parts[0]) <= DETECTORS_MAX:
        raise GateError(f"a spillover matrix begins with {parts[0][:20]!r}, expected its size")
    size = int(parts[0])
    names, numbers = tuple(parts[1 : size + 1]), parts[size + 1 :]
    while numbers and not numbers[-1]:
        numbers.pop()
    if len(numbers) != size * size:
        raise GateError(f"a spillover matrix of {size} channels has {len(numbers)} numbers instead of {size * size}")
    try:
        values = [float(number) for number in numbers]
    except ValueError as error:
        raise GateError(f"a spillover matrix holds something that is no number: {error}") from None
    return Spillover(names, tuple(tuple(values[n * size : (n + 1) * size]) for n in range(size)))


def from_percent_keywords(text: Mapping[str, str], channels: Sequence[str]) -> Spillover | None:
    """The matrix of $DFCiTOj keywords, percent of channel i seen in channel j (FCS 2.0), or None without any."""
    found: dict[tuple[int, int], float] = {}
    for key in text:
        match = re.fullmatch(r"\$DFC(\d{1,4})TO(\d{1,4})", key)
        if match:
            try:
                found[int(match[1]), int(match[2])] = float(text[key]) / 100
            except ValueError:
                raise GateError(f"{key} is {text[key][:20]!r}, expected a percentage") from None
    if not any(found.values()):
        return None
    numbers = sorted({n for pair in found for n in pair})
    if numbers[0] < 1 or numbers[-1] > len(channels):
        raise GateError(f"$DFC keywords speak of channels {numbers}, the file has {len(channels)}")
    rows = tuple(tuple(1.0 if i == j else found.get((i, j), 0.0) for j in numbers) for i in numbers)
    return Spillover(tuple(channels[n - 1] for n in numbers), rows)


def to_keyword(spillover: Spillover) -> str:
    """The value of a $SPILLOVER keyword. Raises GateError for a matrix that is not square."""
    size = len(spillover.detectors)
    if len(spillover.matrix) != size or any("," in name for name in spillover.detectors):
        raise GateError("only a square matrix, of channels without commas in their names, fits the keyword")
    return ",".join([str(size), *spillover.detectors, *(repr(v) for row in spillover.matrix for v in row)])
