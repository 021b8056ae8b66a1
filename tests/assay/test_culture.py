"""Cultures: what was read counts, growth is never forgotten, and after release somebody is told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.assay.culture import STERILITY, Bottle, Culture, CultureError, Reading, continuous, status

LOADED = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BOTTLES = (Bottle("A1", "aerobic", LOADED), Bottle("N1", "anaerobic", LOADED))


def day(number: float) -> datetime:
    return LOADED + timedelta(days=number)


def read(number: float, *, growth: str = "") -> tuple[Reading, ...]:
    return tuple(Reading(bottle.id, day(number), bottle.id == growth) for bottle in BOTTLES)


@pytest.mark.requirement("R107")
def test_negative_to_date_and_final() -> None:
    culture = Culture(BOTTLES, STERILITY, read(10) + read(14))
    assert status(culture, day(0.5)).state == "incubating"
    found = status(culture, day(10))
    assert (found.state, found.negative_days) == ("negative to date", 10)
    # Days that passed unread are not negative.
    assert status(culture, day(13.9)).negative_days == 10
    final = status(culture, day(14))
    assert (final.state, final.negative_days, final.notify) == ("negative", 14, False)


def test_a_final_reading_that_is_due_is_asked_for() -> None:
    found = status(Culture(BOTTLES, STERILITY, read(10)), day(14))
    assert found.state == "negative to date" and "due" in found.reasons[0]
    one_missing = Culture(BOTTLES, STERILITY, (*read(10), Reading("A1", day(14), False)))
    assert status(one_missing, day(15)).state == "negative to date"


@pytest.mark.requirement("R108")
def test_growth_before_and_after_release() -> None:
    grown = Culture(BOTTLES, STERILITY, read(5) + read(9, growth="N1"))
    found = status(grown, day(9))
    assert (found.state, found.notify, found.hours_to_detection) == ("positive", True, 216)
    released = Culture(BOTTLES, STERILITY, read(5) + read(9, growth="N1"), released_at=day(6))
    assert status(released, day(8)).state == "negative to date"
    assert status(released, day(9)).state == "positive after release"
    assert status(released, day(9)).positive_at == day(9)


def test_growth_stays_growth() -> None:
    later_clear = Culture(BOTTLES, STERILITY, read(9, growth="A1") + read(14))
    assert status(later_clear, day(20)).state == "positive"
    bad_controls = Culture(BOTTLES, STERILITY, read(9, growth="A1"), controls_failed="no growth promotion")
    found = status(bad_controls, day(20))
    assert found.state == "positive" and "controls" in found.reasons[-1]


def test_failed_controls_make_a_negative_invalid() -> None:
    found = status(Culture(BOTTLES, STERILITY, read(14), controls_failed="no growth promotion"), day(14))
    assert found.state == "invalid" and "growth promotion" in found.reasons[0]


def test_an_automated_system_reads_all_the_time() -> None:
    quiet = continuous(BOTTLES, [], day(7.2))
    assert status(Culture(BOTTLES, timedelta(days=7), quiet), day(7.2)).state == "negative"
    flagged = continuous(BOTTLES, [("A1", day(1.25))], day(7.2))
    found = status(Culture(BOTTLES, timedelta(days=7), flagged), day(7.2))
    assert (found.state, found.hours_to_detection) == ("positive", 30)


def test_readings_that_belong_elsewhere_are_refused() -> None:
    with pytest.raises(CultureError, match="not of this culture"):
        Culture(BOTTLES, STERILITY, (Reading("X", day(1), False),))
    with pytest.raises(CultureError, match="before it was loaded"):
        Culture(BOTTLES, STERILITY, (Reading("A1", day(-1), False),))
    with pytest.raises(CultureError, match="different ids"):
        Culture((BOTTLES[0], BOTTLES[0]), STERILITY)


@given(
    st.lists(st.tuples(st.sampled_from(["A1", "N1"]), st.integers(0, 20), st.booleans()), max_size=12),
    st.integers(0, 22),
)
@settings(deadline=None, max_examples=150)
def test_time_never_takes_growth_back(readings: list[tuple[str, int, bool]], at: int) -> None:
    culture = Culture(
        BOTTLES, STERILITY, tuple(Reading(bottle, day(when), growth) for bottle, when, growth in readings)
    )
    now, later = status(culture, day(at)), status(culture, day(at + 1))
    if now.state == "positive":
        assert later.state == "positive"
    if now.state == "negative":
        assert later.state in {"negative", "positive"}
    if now.negative_days is not None and later.negative_days is not None:
        assert now.negative_days <= later.negative_days
