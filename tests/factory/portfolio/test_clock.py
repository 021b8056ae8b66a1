"""Working days of China, and when the clocks of review run out."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright import shipped
from cellwright.factory.definition import read
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.clock import WorkingCalendar, after, between, due
from cellwright.factory.portfolio.milestone_calendar import milestones
from cellwright.factory.portfolio.product import interval
from tests.factory.portfolio.portfolios import happened, one_product, shipped_book

FILE = "portfolio/calendar-cn.yaml"
CALENDAR = read(WorkingCalendar, shipped.content(FILE).decode(), FILE)
CLOCKS = {one.id: one for one in CALENDAR.clocks}


@pytest.mark.parametrize(
    ("day", "worked"),
    [("2024-02-09", True), ("2024-02-10", False), ("2024-02-16", False), ("2024-02-18", True), ("2024-02-17", False),
     ("2026-02-23", False), ("2026-02-28", True), ("2025-10-08", False), ("2025-10-09", True), ("2025-10-11", True),
     ("2022-12-31", False), ("2024-05-11", True), ("2024-05-12", False)],
)  # fmt: skip
def test_days_of_the_published_arrangements(day: str, worked: bool) -> None:
    assert CALENDAR.is_working(date.fromisoformat(day)) is worked


@pytest.mark.parametrize(("year", "days"), [(2023, 249), (2024, 251), (2025, 248), (2026, 248)])
def test_the_working_days_of_a_year(year: int, days: int) -> None:
    """Weekdays of the year less the weekdays that are free, plus the weekend days that are worked."""
    assert between(CALENDAR, date(year - 1, 12, 31), date(year, 12, 31)) == days


def test_the_notice_of_nmosd_and_the_clock_of_priority_review() -> None:
    """130 working days of priority review instead of 200, from an acceptance in May 2025."""
    window = due(CALENDAR, CLOCKS["nda-130"], interval("2025-05"))
    ordinary = due(CALENDAR, CLOCKS["nda-200"], interval("2025-05"))
    assert window.first < window.last < ordinary.last
    assert not window.assumed
    assert between(CALENDAR, date(2025, 5, 1), window.first) == 130


def test_beyond_the_last_arrangement_the_answer_says_that_it_assumes() -> None:
    assert due(CALENDAR, CLOCKS["nda-200"], interval("2026-11-02")).assumed
    assert not due(CALENDAR, CLOCKS["ind-30"], interval("2026-02-02")).assumed


@given(st.dates(date(2023, 1, 1), date(2026, 12, 1)), st.integers(1, 260))
@settings(deadline=None, max_examples=60)
def test_counting_forward_and_between_agree(start: date, days: int) -> None:
    end, _assumed = after(CALENDAR, start, days)
    assert between(CALENDAR, start, end) == days
    assert CALENDAR.is_working(end)
    assert between(CALENDAR, start, end - timedelta(days=1)) == days - 1


@pytest.mark.parametrize("days", [0, -1, 2001])
def test_a_clock_without_end_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="working days"):
        after(CALENDAR, date(2024, 1, 1), days)


def test_the_decision_on_nmosd_is_due_and_its_clock_may_have_been_stopped() -> None:
    found = milestones(shipped_book(), CALENDAR, date(2026, 1, 5))
    (nmosd,) = [one for one in found if one.programme == "MIL62-NMOSD"]
    assert (nmosd.what, nmosd.clock, nmosd.paused) == ("decision due", "nda-130", True)
    assert nmosd.state in ("window open", "past, nothing recorded")


def test_an_announcement_that_nothing_fulfilled_is_said_to_be_past() -> None:
    found = {one.event: one.state for one in milestones(shipped_book(), CALENDAR, date(2025, 6, 1))}
    assert found["at19-start-expected"] == "past, nothing recorded"
    assert found["car-t-19-read-out"] == "ahead"
    assert found["car-t-19-ind-accepted"] == "decided"


def test_a_pilot_is_shown_beside_the_ordinary_clock_and_never_instead() -> None:
    book = Book.of([*one_product(), happened("ind_accepted", "2024-03-01")])
    found = milestones(book, CALENDAR, date(2024, 3, 5))
    assert [one.clock for one in found] == ["ind-30", "ind-60"]
    decided = Book.of([*one_product(), happened("ind_accepted", "2024-03-01"), happened("ind_approved", "2024-05")])
    assert {one.state for one in milestones(decided, CALENDAR, date(2024, 6, 5))} == {"decided"}
