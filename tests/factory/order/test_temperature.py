"""The excursion rule of requirements section 6.1 with every vector listed there, and its properties."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.order.temperature import Limits, Period, Run, Sample, excursions

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIVE = timedelta(minutes=5)
CRYO = Decimal(-120)
"""Kymriah storage: at or below -120 °C (requirements section 6)."""


def series(
    *celsius: str | None, logger: str = "LG-1", step: timedelta = MINUTE, start: datetime = START
) -> list[Sample]:
    return [Sample(start + i * step, None if c is None else Decimal(c), logger=logger) for i, c in enumerate(celsius)]


def found(samples: list[Sample], limit: Limits | Decimal = CRYO, tolerance: timedelta = FIVE) -> tuple[Run, ...]:
    return excursions(samples, limit, MINUTE, tolerance)


@pytest.mark.requirement("R118")
def test_a_single_spike_is_an_event_and_no_excursion() -> None:
    (run,) = found(series("-150", "-150", "-100", "-150"))
    assert (run.kind, run.blocks, run.peak_c) == ("event", False, Decimal(-100))
    assert (run.start, run.end) == (START + MINUTE, START + 3 * MINUTE), "worst case: last good to first good sample"


@pytest.mark.requirement("R118")
@pytest.mark.parametrize(("bad", "kind"), [(5, "event"), (6, "excursion")])
def test_an_excursion_is_longer_than_the_tolerance(bad: int, kind: str) -> None:
    (run,) = found(series("-150", *["-119.9"] * bad, "-150"))
    assert run.kind == kind


@pytest.mark.requirement("R118")
def test_a_gap_of_three_intervals_with_good_ends_is_unknown_and_blocks() -> None:
    samples = [Sample(START, Decimal(-150)), Sample(START + 3 * MINUTE, Decimal(-150))]
    (run,) = found(samples)
    assert (run.kind, run.blocks, run.start, run.end, run.peak_c) == ("gap", True, START, START + 3 * MINUTE, None)


@pytest.mark.requirement("R118")
def test_two_intervals_of_silence_are_no_gap() -> None:
    assert found([Sample(START, Decimal(-150)), Sample(START + 2 * MINUTE, Decimal(-150))]) == ()


@pytest.mark.requirement("R118")
@pytest.mark.parametrize("bad", [Decimal(0), Decimal("0.00"), Decimal("NaN"), Decimal("Infinity"), None], ids=str)
@pytest.mark.parametrize("limit", [CRYO, Limits(Decimal(8), Decimal(2)), Limits(Decimal(8))], ids=str)
def test_what_a_broken_sensor_says_is_unknown_and_blocks(bad: Decimal | None, limit: Limits | Decimal) -> None:
    good = Decimal(-150) if limit == CRYO else Decimal(4)
    (run,) = found([Sample(START, good), Sample(START + MINUTE, bad), Sample(START + 2 * MINUTE, good)], limit)
    assert (run.kind, run.blocks) == ("gap", True)


@pytest.mark.requirement("R118")
def test_bad_quality_is_unknown_whatever_the_value() -> None:
    samples = series("-150", "-150", "-150")
    samples[1] = samples[1]._replace(good=False)
    assert [r.kind for r in found(samples)] == ["gap"]


@pytest.mark.requirement("R118")
def test_zero_is_a_temperature_where_the_limits_say_so() -> None:
    assert found(series("1", "0", "-1"), Limits(Decimal(5), Decimal(-5))) == ()


@pytest.mark.requirement("R118")
def test_exactly_the_limit_is_in() -> None:
    assert found(series("-120", "-120.0", "-120.00")) == ()
    assert found(series("2", "8", "5"), Limits(Decimal(8), Decimal(2))) == ()
    assert found(series("-150", "-119.999999", "-150"))[0].kind == "event"


@pytest.mark.requirement("R118")
def test_below_the_lower_limit_is_out() -> None:
    (run,) = found(series("4", *["1.5"] * 7, "4"), Limits(Decimal(8), Decimal(2)))
    assert (run.kind, run.peak_c) == ("excursion", Decimal("1.5"))


@pytest.mark.requirement("R118")
def test_order_and_duplicates_change_nothing_but_the_worst_of_two_counts() -> None:
    samples = series("-150", *["-100"] * 7, "-150", "-150")
    expected = found(samples)
    assert found([*reversed(samples), *samples]) == expected
    contradicted = [*samples, samples[-1]._replace(celsius=Decimal(-90))]
    assert found(contradicted) != expected


@pytest.mark.requirement("R118")
def test_summer_time_does_not_make_a_gap() -> None:
    """Europe/Berlin goes from 02:00 to 03:00 on 2026-03-29; the samples are a minute apart all the same."""
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    samples = [Sample((before + i * MINUTE).astimezone(berlin), Decimal(-150)) for i in range(90)]
    assert found(samples) == ()


@pytest.mark.requirement("R118")
def test_two_loggers_that_disagree_and_the_worst_counts() -> None:
    cold, warm = series(*["-150"] * 10, logger="A"), series(*["-144"] * 3, *["-110"] * 7, logger="B")
    kinds = {run.kind for run in found([*cold, *warm])}
    assert kinds == {"excursion", "disagreement"}
    assert found(cold) == ()


@pytest.mark.requirement("R118")
def test_loggers_that_differ_by_five_agree() -> None:
    assert found([*series(*["-150"] * 5, logger="A"), *series(*["-145"] * 5, logger="B")]) == ()


@pytest.mark.requirement("R118")
def test_silence_at_the_ends_of_the_transport_is_a_gap() -> None:
    samples = series(*["-150"] * 10, start=START + timedelta(hours=1))
    runs = excursions(samples, CRYO, MINUTE, FIVE, Period(START, START + timedelta(hours=3)))
    assert [(r.kind, r.start, r.end) for r in runs] == [
        ("gap", START, START + timedelta(hours=1)),
        ("gap", START + timedelta(hours=1, minutes=9), START + timedelta(hours=3)),
    ]


@pytest.mark.requirement("R118")
def test_no_samples_at_all_are_one_gap() -> None:
    (run,) = excursions([], CRYO, MINUTE, FIVE, Period(START, START + MINUTE))
    assert run.blocks


def test_impossible_questions_are_refused() -> None:
    with pytest.raises(ValueError):
        excursions([], CRYO, timedelta(), FIVE)
    with pytest.raises(ValueError):
        found([Sample(datetime(2026, 3, 2), Decimal(-150))])  # noqa: DTZ001


POINT = st.tuples(
    st.integers(0, 60), st.sampled_from(["-150", "-120", "-119", "-60", "0", "NaN"]).map(Decimal), st.booleans()
)


@pytest.mark.requirement("R118")
@settings(deadline=None, max_examples=150)
@given(st.lists(POINT, min_size=1, max_size=40), st.randoms())
def test_order_does_not_matter_and_every_bad_sample_lies_in_a_run(
    points: list[tuple[int, Decimal, bool]], chance: object
) -> None:
    samples = [Sample(START + minute * MINUTE, celsius, good) for minute, celsius, good in points]
    runs = found(samples)
    shuffled = list(samples)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found(shuffled) == runs
    for sample in samples:
        bad = not sample.good or not sample.celsius.is_finite() or sample.celsius > CRYO or sample.celsius == 0  # type: ignore[union-attr]
        assert not bad or any(run.start <= sample.at <= run.end for run in runs)


@pytest.mark.requirement("R118")
@settings(deadline=None, max_examples=100)
@given(st.lists(POINT, min_size=3, max_size=40), st.integers(0, 39))
def test_a_sample_lost_never_clears_what_blocked_for_being_unknown(
    points: list[tuple[int, Decimal, bool]], place: int
) -> None:
    """Losing good samples can only make things less certain."""
    samples = [Sample(START + m * MINUTE, c, g) for m, c, g in points]
    good = [s for s in samples if s.good and s.celsius.is_finite() and s.celsius <= CRYO]  # type: ignore[union-attr]
    if not good:
        return
    fewer = [s for s in samples if s is not good[place % len(good)]]
    if not fewer:
        return
    period = Period(START, START + 60 * MINUTE)
    blocked = any(r.blocks for r in excursions(samples, CRYO, MINUTE, FIVE, period))
    assert not blocked or any(r.blocks for r in excursions(fewer, CRYO, MINUTE, FIVE, period))
