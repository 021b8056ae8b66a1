"""Cuts and outlines from the density of events: the lowest place between two peaks, the end of a tail, the hill of a peak.

What is computed here is a proposal. Every function is deterministic and takes values on the scale on which a person
would look at them (for fluorescence a logicle or similar scale).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Column = NDArray[np.floating]

GRID = 512
LEAST_EVENTS = 50
"""Fewer events show no shape."""

Side = Literal["above", "below"]


class NoCut(ValueError):
    """The events do not show what was looked for: too few, one peak only, or all of one value."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A place on an axis and how clear it is.

    Attributes:
        at: value on the given scale.
        clearness: 0 to 1; for a valley one minus its depth over the lower peak's height, for a tail the share of
            events on the kept side that lie beyond the mirrored tail, for a mixture one minus the overlap.
    """

    at: float
    clearness: float


def smoothed(values: "Column", bandwidth: float = 1.0) -> tuple["Floats", "Floats"]:
    """A Gaussian kernel density on a grid: places and densities, shape (512,) each.

    The width is Silverman's (Density Estimation, 1986, eq. 3.31) times `bandwidth`, by the smaller of standard deviation and
    interquartile range over 1.34; the outer 0.05 % of the events on each side do not stretch the grid.

    Raises:
        NoCut: too few events, or all of one value.
    """
    import numpy as np

    if len(values) < LEAST_EVENTS:
        raise NoCut(f"{len(values)} events show no shape; at least {LEAST_EVENTS} are needed")
    low, high = np.quantile(values, [0.0005, 0.9995])
    if not high > low:
        raise NoCut("all events have one value")
    inside = values[(values >= low) & (values <= high)]
    quartiles = np.quantile(inside, [0.25, 0.75])
    spread = min(float(inside.std()), float(quartiles[1] - quartiles[0]) / 1.34) or float(inside.std())
    width = 0.9 * bandwidth * spread * len(inside) ** -0.2
    margin = 3 * width
    counts, edges = np.histogram(inside, bins=GRID, range=(low - margin, high + margin))
    step = edges[1] - edges[0]
    reach = max(1, int(np.ceil(4 * width / step)))
    kernel = np.exp(-((np.arange(-reach, reach + 1) * step / width) ** 2) / 2)
    density = np.convolve(counts, kernel / kernel.sum(), mode="full")[reach : reach + GRID] / (len(inside) * step)
    return (edges[:-1] + edges[1:]) / 2, density


def minimum_density(
    values: "Column", *, low: float | None = None, high: float | None = None, least: float = 0.1, bandwidth: float = 1.5
) -> Cut:
    """The lowest place between the two peaks with the deepest valley between them.

    Args:
        low, high: where the cut may lie.
        least: clearness that a valley must have; shallower ones are chance.

    Raises:
        NoCut: no valley is deep enough.
    """
    import numpy as np

    place, density = smoothed(values, bandwidth)
    rising = np.diff(density) > 0
    peaks = np.flatnonzero(np.r_[True, rising] & np.r_[~rising, True])
    best: Cut | None = None
    weight = 0.0
    allowed = np.flatnonzero(
        (place >= (-np.inf if low is None else low)) & (place <= (np.inf if high is None else high))
    )
    for left, right in pairwise(peaks):
        between = allowed[(allowed >= left) & (allowed <= right)]
        if not len(between):
            continue
        lowest = density[between].min()
        peak = min(density[: left + 1].max(), density[right:].max())
        # Where nothing lies between the peaks, the middle of the emptiness is as far from both as can be.
        valley = between[density[between] <= lowest + 1e-3 * peak]
        at = valley[len(valley) // 2]
        clear = 1 - density[at] / peak
        # A peak of a few stray events is deep too: what counts is the depth in events.
        if clear >= least and clear * peak > weight:
            best, weight = Cut(float(place[at]), float(clear)), clear * peak
    if best is None:
        raise NoCut("no valley between two peaks is deep enough")
    return best


def tail(values: "Column", *, side: Side = "above", spreads: float = 3.0) -> Cut:
    """The end of the main peak: its mode, plus so many spreads of its other side mirrored.

    The spread is taken from the side away from the tail, where no other population lies: the distance from the mode
    within which 68.27 % of that side's events lie.

    Raises:
        NoCut: too few events, or all of one value.
    """
    import numpy as np

    sign = 1.0 if side == "above" else -1.0
    turned = np.asarray(values, np.float64) * sign
    place, density = smoothed(turned)
    mode = float(place[int(np.argmax(density))])
    other = mode - turned[turned <= mode]
    if len(other) < LEAST_EVENTS // 2:
        raise NoCut("the main peak has no side away from the tail")
    cut = mode + spreads * float(np.quantile(other, 0.6827))
    beyond = int((turned > cut).sum())
    mirrored = int((turned < 2 * mode - cut).sum())
    return Cut(sign * cut, max(0.0, 1 - mirrored / beyond) if beyond else 0.0)


def between_components(values: "Column") -> Cut:
    """Where two Gaussian components have the same density, between their means.

    Raises:
        NoCut: the components do not stand apart.
    """
    import numpy as np

    from cellwright.cytometry.mixture import fit_mixture

    if len(values) < LEAST_EVENTS:
        raise NoCut(f"{len(values)} events show no shape; at least {LEAST_EVENTS} are needed")
    try:
        found = fit_mixture(np.asarray(values, np.float64)[:, None], 2)
    except ValueError as error:
        raise NoCut(str(error)) from None
    low, high = np.sort(found.means[:, 0])
    place = np.linspace(low, high, 2001)
    joint = found.log_density(place[:, None])
    lower = int(np.argmin(found.means[:, 0]))
    after = np.flatnonzero(joint[:, lower] < joint[:, 1 - lower])
    if not high > low or not len(after) or after[0] == 0:
        raise NoCut("the two components do not stand apart")
    at = place[after[0]]
    share = np.exp(joint[after[0]] - np.logaddexp.reduce(joint, axis=1).max())
    return Cut(float(at), float(1 - share.sum()))


def hill(points: "Floats", *, level: float = 0.15, smooth: float = 2.0) -> "Floats":
    """The outline of the main peak of a two-dimensional density, as the convex polygon around it.

    Args:
        points: shape (n, 2).
        level: share of the peak's height at which the hill ends.
        smooth: standard deviation of the smoothing, in cells of a 128 x 128 grid.

    Returns:
        Corners in order, shape (m, 2).

    Raises:
        NoCut: too few events, or all on a line.
    """
    import numpy as np
    from scipy import ndimage
    from scipy.spatial import ConvexHull, QhullError

    if len(points) < LEAST_EVENTS:
        raise NoCut(f"{len(points)} events show no shape; at least {LEAST_EVENTS} are needed")
    low, high = np.quantile(points, [0.001, 0.999], axis=0)
    if not (high > low).all():
        raise NoCut("all events lie on a line")
    table, x, y = np.histogram2d(points[:, 0], points[:, 1], bins=128, range=((low[0], high[0]), (low[1], high[1])))
    density = ndimage.gaussian_filter(table, smooth, mode="constant")
    top = np.unravel_index(int(np.argmax(density)), density.shape)
    areas, _ = ndimage.label(density >= level * density[top])
    rows, columns = np.nonzero(areas == areas[top])
    cells = np.column_stack((rows, columns))
    corners = np.unique(np.concatenate([cells + step for step in ((0, 0), (0, 1), (1, 0), (1, 1))]), axis=0)
    try:
        hull = corners[ConvexHull(corners).vertices]
    except QhullError:
        raise NoCut("all events lie on a line") from None
    return np.column_stack((x[hull[:, 0]], y[hull[:, 1]]))
