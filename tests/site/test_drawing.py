"""Bands and lines of time: where things stand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.site.drawing import LEFT, WIDTH, Bar, Chart, Dot, Row, limits, place

figures = st.decimals(min_value=-1000, max_value=1000, allow_nan=False, allow_infinity=False, places=3)


@settings(deadline=None, max_examples=200)
@given(st.none() | figures, st.none() | figures, figures)
def test_a_value_stands_inside_its_band_exactly_when_it_is_within_its_limits(
    low: Decimal | None, high: Decimal | None, value: Decimal
) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    drawn = limits(low, high, value)
    assert drawn.at is not None and 0 <= drawn.at <= 100
    assert drawn.within == ((low is None or value >= low) and (high is None or value <= high))
    if drawn.within:
        assert drawn.low <= drawn.at + 1e-6 and drawn.at <= drawn.high + 1e-6


def test_without_a_value_there_is_no_needle() -> None:
    assert limits(Decimal(1), Decimal(2), None).at is None


@pytest.mark.parametrize("days", [0, 1, 40, 900])
def test_everything_on_a_line_of_time_is_on_the_page(days: int) -> None:
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    end = begin + timedelta(days=days)
    chart = Chart(rows=[Row("a")], bars=[Bar(0, begin, end, "run", "made")])
    chart.dots = [Dot(0, begin, "ok", "✓", "begun"), Dot(0, begin, "stop", "✕", "stopped")]
    place(chart, end)
    assert chart.bars[0].x >= LEFT and chart.bars[0].x + chart.bars[0].width <= WIDTH
    assert [dot.tone for dot in chart.dots] == ["stop"], "of two at one place the graver is drawn"
    assert len(chart.ticks) <= 12
