"""Windows: both ends belong to them, months by the calendar, days where the patient is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.trial.evidence import ages_on
from cellwright.factory.trial.window import day_of, place, starts


@pytest.mark.parametrize(
    ("moment", "span", "first"),
    [
        (date(2026, 3, 30), "P12W", (date(2026, 1, 5),)),
        (date(2026, 3, 30), "P28D", (date(2026, 3, 2),)),
        (date(2026, 5, 28), "P3M", (date(2026, 2, 28),)),
        (date(2026, 5, 31), "P3M", (date(2026, 2, 28), date(2026, 3, 1))),
        (date(2024, 5, 31), "P3M", (date(2024, 2, 29), date(2024, 3, 1))),
        (date(2024, 2, 29), "P1Y", (date(2023, 2, 28), date(2023, 3, 1))),
        (date(2024, 2, 29), "P4Y", (date(2020, 2, 29),)),
        (date(2026, 1, 15), "P13M", (date(2024, 12, 15),)),
    ],
)
def test_the_first_day_of_a_window(moment: date, span: str, first: tuple[date, ...]) -> None:
    assert starts(moment, span) == first


def test_the_edges_of_a_window_and_its_open_days() -> None:
    moment = date(2026, 5, 31)
    answers = [place(date(2026, 2, day), moment, "P3M") for day in (27, 28)] + [place(date(2026, 3, 1), moment, "P3M")]
    assert answers == ["before", "open", "inside"]
    assert place(moment, moment, "P3M") == "inside"
    assert place(moment + timedelta(days=1), moment, "P3M") == "after"
    assert place(date(1950, 1, 1), moment, None) == "inside"


@pytest.mark.parametrize("span", ["P0D", "12W", "P1D2", "P1.5M", "PT12H"])
def test_other_notations_are_no_windows(span: str) -> None:
    with pytest.raises(ValueError, match=span.replace(".", r"\.")):
        starts(date(2026, 1, 1), span)


@settings(deadline=None, max_examples=200)
@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.integers(1, 400), st.sampled_from("DWMY"))
def test_a_longer_window_never_holds_less(moment: date, count: int, unit: str) -> None:
    if unit == "Y" and count > 60:
        count = 60
    short, long = starts(moment, f"P{count}{unit}"), starts(moment, f"P{count + 1}{unit}")
    assert max(long) <= min(short) <= moment
    assert len(short) == 1 or short[1] - short[0] == timedelta(days=1)


def test_the_day_of_consent_is_the_day_at_the_hospital() -> None:
    """Half past eleven at night in London is the next morning in Beijing: a birthday away."""
    instant = datetime(2025, 6, 14, 23, 30, tzinfo=UTC)
    born = date(2000, 6, 15)
    assert ages_on(born, day_of(instant, "UTC")) == (24,)
    assert ages_on(born, day_of(instant, "Asia/Shanghai")) == (25,)
    with pytest.raises(ValueError, match="zone"):
        day_of(datetime(2025, 6, 14, 23, 30), "UTC")  # noqa: DTZ001 - the missing zone is the point
