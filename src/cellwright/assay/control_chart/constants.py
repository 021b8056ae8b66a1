"""What the spread of a small normal sample is expected to be: c4 for the deviation, d2 and d3 for the range.

c4 in closed form; d2 and d3 are the mean and standard deviation of the range of n standard normal values, by
quadrature of its distribution (Tippett, Biometrika 17, 1925).
"""

from functools import cache

import numpy as np
from scipy import integrate, special, stats


@cache
def c4(size: int) -> float:
    """Expected sample standard deviation over sigma."""
    if size < 2:
        raise ValueError("a spread needs two values")
    return float(np.sqrt(2 / (size - 1)) * np.exp(special.gammaln(size / 2) - special.gammaln((size - 1) / 2)))


@cache
def d2(size: int) -> float:
    """Expected range over sigma."""
    return _range_moments(size)[0]


@cache
def d3(size: int) -> float:
    """Standard deviation of the range over sigma."""
    return _range_moments(size)[1]


@cache
def _range_moments(size: int) -> tuple[float, float]:
    if size < 2:
        raise ValueError("a range needs two values")
    width, at = np.linspace(0, 14, 1401), np.linspace(-9, 9, 1801)
    # P(range <= w) = n * integral of pdf(x) (cdf(x + w) - cdf(x))^(n-1) dx; moments from the tail of that distribution.
    inside = stats.norm.cdf(at[None, :] + width[:, None]) - stats.norm.cdf(at)[None, :]
    beyond = 1 - size * integrate.simpson(stats.norm.pdf(at) * inside ** (size - 1), x=at, axis=1)
    mean = float(integrate.simpson(beyond, x=width))
    square = float(2 * integrate.simpson(width * beyond, x=width))
    return mean, float(np.sqrt(square - mean**2))
