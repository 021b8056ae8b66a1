"""The annual review: what is counted, what is not joined, and that page and paper hold it (simulated lots)."""

from datetime import date

import numpy as np
import pytest

from benchmarks.assay import simulated_year
from cellwright import language
from cellwright.assay.review import Dataset, Lots, ReleaseTest, ReviewError, Series, html, pdf, review


def small(values: list[float], censored: list[str], lower: float | None, upper: float | None) -> Dataset:
    count = len(values)
    lots = Lots(
        id=np.array([f"L{number}" for number in range(count)]),
        day=np.datetime64("2026-01-01") + np.arange(count),
        outcome=np.array(["released"] * (count - 1) + ["rejected"]),
        covariates={},
    )
    one = Series(ReleaseTest("viability", "Viability <>&", "%", lower, upper), np.arange(count), np.array(values),
                 np.array(censored, dtype="U1"), np.array(["1"] * count))  # fmt: skip
    return Dataset("P", date(2026, 1, 1), date(2026, 12, 31), lots, (one,), simulated=True)


def test_outcomes_failures_and_bounds() -> None:
    """A bound counts as a failure only on its own side; else it is not shown to comply."""
    found = review(small([90, 60, 70, 65, 0.5, 120], ["", "", "", "<", ">", ">"], 70, 110))
    one = found.tests[0]
    assert found.outcomes == {"released": 5, "rejected": 1}
    assert (one.results, one.censored, one.failures, one.not_shown) == (6, 3, 3, 1)
    assert one.failing == ("L1", "L3", "L5")
    assert one.mean == pytest.approx((90 + 60 + 70) / 3)


@pytest.mark.requirement("R114")
def test_lines_break_with_the_method_version() -> None:
    found = review(simulated_year(400))
    for one in found.tests:
        assert [line.line.version for line in one.lines] == ["1", "2"]
        assert one.lines[0].last <= "2026-05-31" < one.lines[1].first
        assert {"age"} <= set(one.lines[0].line.effects)
    page = html(found)
    assert page.count("<svg") == 12
    assert "SIMULATED, NOT FOR HUMAN USE" in page
    assert len(page) < 1_500_000


def test_the_page_escapes_and_speaks_both_languages() -> None:
    found = review(small([90.0 + value % 7 for value in range(40)], [""] * 40, 70, None))
    page = html(found)
    assert "Viability &lt;&gt;&amp;" in page and "Viability <>" not in page
    with language.use(language.CHINESE):
        chinese = html(found)
    assert 'lang="zh-Hans"' in chinese and "年度产品" in chinese


def test_the_paper_is_the_same_for_the_same_review() -> None:
    found = review(simulated_year(120, tests=2))
    first = pdf(found)
    assert first.startswith(b"%PDF") and first == pdf(found)


def test_a_picture_stays_small_and_keeps_what_lies_outside() -> None:
    year = simulated_year(5000, tests=1)
    values = year.series[0].value.copy()
    values[1234] = 20.0
    one = year.series[0]
    changed = Dataset(year.product, year.begin, year.end, year.lots,
                      (Series(one.test, one.lot, values, one.censored, one.version),), simulated=True)  # fmt: skip
    page = html(review(changed))
    assert len(page) < 120_000
    assert "CW-001234" in page


def test_columns_that_do_not_fit_are_refused() -> None:
    good = small([90, 60], ["", ""], 70, None)
    with pytest.raises(ReviewError, match="not made in the period"):
        Dataset("P", date(2026, 1, 2), date(2026, 12, 31), good.lots, good.series)
    bad = Series(good.series[0].test, np.array([0, 7]), np.array([1.0, 2.0]), np.array(["", ""]), np.array(["1", "1"]))
    with pytest.raises(ReviewError, match="no lot of the period"):
        Dataset("P", good.begin, good.end, good.lots, (bad,))
    twice = Lots(np.array(["A", "A"]), good.lots.day, good.lots.outcome, {})
    with pytest.raises(ReviewError, match="twice"):
        Dataset("P", good.begin, good.end, twice, ())


def test_an_empty_series_is_reviewed() -> None:
    good = small([90, 60], ["", ""], 70, None)
    empty = Series(good.series[0].test, np.array([], int), np.array([]), np.array([], "U1"), np.array([], "U1"))
    found = review(Dataset("P", good.begin, good.end, good.lots, (empty,)))
    assert found.tests[0].mean is None and "–" in html(found)
