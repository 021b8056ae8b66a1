"""Several measurements of one lot together: Hotelling's T2, which sees what no single chart shows."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from cellwright.assay.control_chart.chart import Chart, ChartError, Vector


def hotelling(
    values: Sequence[Sequence[float]] | Vector,
    reference: Sequence[Sequence[float]] | Vector | None = None,
    *,
    false_alarm: float = 0.0027,
) -> Chart:
    """T2 of individual lots [n, tests].

    Without `reference` the lots are judged by their own mean and covariance, with the beta limit (Tracy, Young and
    Mason, J. Quality Technology 24, 1992); with it, as future lots beside the reference [m, tests], with the F limit.

    Raises:
        ChartError: fewer than two tests, too few lots, or tests that depend on each other exactly.
    """
    x = np.asarray(values, float)
    known = x if reference is None else np.asarray(reference, float)
    if x.ndim != 2 or known.ndim != 2 or x.shape[1] != known.shape[1] or x.shape[1] < 2:
        raise ChartError("T2 needs at least two tests, the same for all lots")
    m, tests = known.shape
    if m <= tests + 1 or not (np.isfinite(x).all() and np.isfinite(known).all()):
        raise ChartError(f"T2 of {tests} tests needs at least {tests + 2} complete lots")
    centred = known - known.mean(axis=0)
    scale = centred.std(axis=0, ddof=1)
    if (scale == 0).any() or np.linalg.cond(np.corrcoef(known, rowvar=False)) > 1e12:
        raise ChartError("the tests depend on each other exactly, or one does not vary")
    covariance = np.cov(centred / scale, rowvar=False)
    away = (x - known.mean(axis=0)) / scale
    points = np.einsum("ij,ij->i", away, np.linalg.solve(covariance, away.T).T)
    if reference is None:
        limit = (m - 1) ** 2 / m * stats.beta.ppf(1 - false_alarm, tests / 2, (m - tests - 1) / 2)
    else:
        ratio = tests * (m + 1) * (m - 1) / (m * (m - tests))
        limit = ratio * stats.f.ppf(1 - false_alarm, tests, m - tests)
    size = len(points)
    return Chart("T2", points, float(tests), np.zeros(size), np.full(size, float(limit)), np.full(size, np.nan))
