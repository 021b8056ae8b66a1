"""Where a programme stands, derived from its events alone."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.definition import Basis
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.statement import Dated
from cellwright.factory.portfolio.status import LADDER, Status, status
from tests.factory.portfolio.portfolios import happened, one_product, shipped_book


def standing(*events: Dated, on: date | None = None) -> Status:
    return status(Book.of([*one_product(), *events]), "P-1", "NMPA", on)


def test_mil62_in_membranous_nephropathy() -> None:
    """Breakthrough designation of June 2023, priority review of November 2025, no approval (sources in the seed)."""
    found = status(shipped_book(), "MIL62-PMN", "NMPA")
    assert found.stage == "nda_accepted"
    assert [(one.name, one.state, one.when) for one in found.designations] == [
        ("breakthrough_therapy", "effective", "2023-06"),
        ("priority_review", "effective", "2025-11-01/2025-11-07"),
    ]


def test_a_half_known_date_makes_a_half_known_status() -> None:
    event = happened("ind_approved", "2024-02")
    assert standing(event, on=date(2024, 1, 31)).possible == "unknown"
    within = standing(event, on=date(2024, 2, 10))
    assert (within.stage, within.possible) == ("unknown", "ind_approved")
    assert standing(event, on=date(2024, 2, 29)).stage == "ind_approved"


def test_an_undated_event_has_happened_by_now_and_is_only_possible_on_an_earlier_day() -> None:
    event = happened("first_patient", None, phase="2")
    assert standing(event).stage == "phase_2"
    earlier = standing(event, on=date(2020, 1, 1))
    assert (earlier.stage, earlier.possible) == ("unknown", "phase_2")


def test_an_announcement_moves_nothing() -> None:
    assert standing(happened("trial_started", "2024", phase="1", standing="announced")).stage == "unknown"


@pytest.mark.parametrize("grade", ["M", "X"])
def test_what_is_from_memory_or_assumed_moves_nothing(grade: str) -> None:
    assert standing(happened("approved", "2024", basis=Basis(grade=grade))).stage == "unknown"  # type: ignore[arg-type]


def test_a_designation_goes_from_notice_to_effect_to_its_end() -> None:
    steps = [
        happened("breakthrough_therapy", "2023-06", "a", standing="in_public_notice"),
        happened("breakthrough_therapy", "2023-06", "b", standing="effective"),
        happened("breakthrough_therapy", "2024-05-05", "c", standing="terminated"),
    ]
    states = [standing(*steps[: n + 1]).designations[0].state for n in range(3)]
    assert states == ["in_public_notice", "effective", "terminated"]
    # Two steps of one month stand in the order of the procedure, whatever the order in which they were recorded.
    assert standing(*reversed(steps[:2])).designations[0].state == "effective"


def test_conditional_approval_is_followed_by_full_approval_and_by_withdrawal() -> None:
    conditional, full = happened("conditional_approval", "2022-01-01"), happened("approved", "2024-01-01")
    withdrawn = happened("withdrawn", "2025")
    assert standing(conditional).stage == "conditionally_approved"
    assert standing(conditional, full).stage == "approved"
    assert standing(conditional, full, withdrawn).stage == "withdrawn"
    assert standing(conditional, full, withdrawn, happened("approved", "2027", "again")).stage == "approved"


def test_each_agency_decides_for_itself() -> None:
    book = Book.of([*one_product(), happened("approved", "2024", agency="FDA"), happened("ind_approved", "2023")])
    assert status(book, "P-1", "FDA").stage == "approved"
    assert status(book, "P-1", "NMPA").stage == "ind_approved"


LADDER_EVENTS = st.sampled_from(["ind_submitted", "ind_accepted", "ind_approved", "nda_accepted", "approved"])


@given(st.lists(st.tuples(LADDER_EVENTS, st.integers(2000, 2030)), min_size=1, max_size=6))
@settings(deadline=None, max_examples=80)
def test_what_is_certain_is_never_above_what_is_possible_and_both_only_rise(given_: list[tuple[str, int]]) -> None:
    events = [happened(event, str(year), f"e{n}") for n, (event, year) in enumerate(given_)]
    book = Book.of([*one_product(), *events])
    days = [date(year, month, 15) for year in range(1999, 2032) for month in (1, 7)]
    found = [status(book, "P-1", "NMPA", day) for day in days]
    for one in found:
        assert LADDER.index(one.stage) <= LADDER.index(one.possible)
    for before, after in pairwise(found):
        assert LADDER.index(before.stage) <= LADDER.index(after.stage)
