"""The review itself: outcomes of lots, and for each test its spread, capability, signals, trends and failures."""

from collections import Counter

import msgspec
import numpy as np

from cellwright.assay.control_chart import Capability, ChartError, Line, capability, trend
from cellwright.assay.review.dataset import Dataset, Lots, ReleaseTest, Series

LISTED_MAX = 200
"""Failing lots named for a test; more are counted."""


class LineReview(msgspec.Struct, frozen=True):
    """One method version's line: when it ran, and what it showed.

    Attributes:
        signals: Nelson rule -> how often.
        capability: of the values of this version alone; None without limits or with too few values.
    """

    line: Line
    first: str
    last: str
    signals: dict[str, int]
    capability: Capability | None


class TestReview(msgspec.Struct, frozen=True):
    """One test over the period.

    Attributes:
        results, censored: how many results, and how many of them are bounds; bounds are in no mean and no line.
        not_shown: bounds that alone do not show compliance.
        failing: lots with a result outside the limits, at most `LISTED_MAX`; `failures` counts all results.
        mean, standard_deviation, quantiles: of the values that are no bounds; quantiles are 5, 50 and 95 %.
    """

    test: ReleaseTest
    results: int
    censored: int
    not_shown: int
    failures: int
    failing: tuple[str, ...]
    mean: float | None
    standard_deviation: float | None
    quantiles: tuple[float, float, float] | None
    lines: tuple[LineReview, ...]


class Review(msgspec.Struct, frozen=True):
    """An annual product review."""

    dataset: Dataset
    outcomes: dict[str, int]
    by_month: tuple[tuple[str, int], ...]
    tests: tuple[TestReview, ...]


def review(dataset: Dataset) -> Review:
    """Review a period. The work grows in proportion to the number of results."""
    lots = dataset.lots
    months = Counter(str(month) for month in lots.day.astype("datetime64[M]"))
    return Review(
        dataset=dataset,
        outcomes=dict(Counter(str(outcome) for outcome in lots.outcome)),
        by_month=tuple(sorted(months.items())),
        tests=tuple(_test(one, lots) for one in dataset.series),
    )


def _test(series: Series, lots: Lots) -> TestReview:
    exact = series.censored == ""
    low = -np.inf if series.test.lower is None else series.test.lower
    high = np.inf if series.test.upper is None else series.test.upper
    below, above = series.value < low, series.value > high
    # A bound proves a failure only on its own side: `<x` below the lower limit, `>x` above the upper.
    failed = (below & (series.censored != ">")) | (above & (series.censored != "<"))
    not_shown = ~exact & (below | above) & ~failed
    value, where = series.value[exact], series.lot[exact]
    quantiles = tuple(float(one) for one in np.quantile(value, [0.05, 0.5, 0.95])) if value.size else None
    return TestReview(
        test=series.test,
        results=len(series.value),
        censored=int((~exact).sum()),
        not_shown=int(not_shown.sum()),
        failures=int(failed.sum()),
        failing=tuple(dict.fromkeys(str(lot) for lot in lots.id[series.lot[failed]][:LISTED_MAX])),
        mean=float(value.mean()) if value.size else None,
        standard_deviation=float(value.std(ddof=1)) if value.size > 1 else None,
        quantiles=quantiles if quantiles is None else (quantiles[0], quantiles[1], quantiles[2]),
        lines=_lines(series, lots, value, where, series.version[exact]) if value.size else (),
    )


def _lines(
    series: Series, lots: Lots, value: np.ndarray, where: np.ndarray, version: np.ndarray
) -> tuple[LineReview, ...]:
    days = lots.day[where]
    years = (days - days.min()).astype("timedelta64[D]").astype(float) / 365.25
    covariates = {name: column[where] for name, column in lots.covariates.items()}
    found = []
    for line in trend(years, value, [str(one) for one in version], covariates):
        places = np.asarray(line.places)
        found.append(
            LineReview(
                line=line,
                first=str(days[places[0]]),
                last=str(days[places[-1]]),
                signals=dict(Counter(signal.rule for signal in line.signals)),
                capability=_capability(series.test, value[places]),
            )
        )
    return tuple(found)


def _capability(test: ReleaseTest, values: np.ndarray) -> Capability | None:
    try:
        return capability(values, test.lower, test.upper)
    except ChartError:
        return None
