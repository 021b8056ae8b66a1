"""Readings, durations and holds: judged exactly, kept whatever they say, and watched while they run."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.factory.lot.clock import ObserveClocks
from cellwright.factory.lot.fact.step import ReadingTaken
from cellwright.factory.lot.nonconformance import AssessNonconformance
from cellwright.factory.lot.reading import Measured, TakeReading, VerifyReading
from cellwright.factory.rule import By
from tests.factory.lot.setting import Bench, refused

PLAIN = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)


def harvesting() -> tuple[Bench, str, str]:
    bench = Bench()
    lot, culture = bench.cultured()
    bench.start(lot, "harvest", culture)
    return bench, lot, culture


@pytest.mark.requirement("R043")
def test_a_typed_critical_value_holds_up_what_depends_on_it_until_read_again() -> None:
    bench, lot, culture = harvesting()
    bench.read(lot, "harvest", "viable_cells", "1500000000", "cells", second=None)
    bench.read(lot, "harvest", "viability", "98.1", "%", second=None)
    bench.complete(lot, "harvest")
    bench.advance(minutes=10)
    for name, n in list(bench.lot(lot).nonconformances.items()):
        assert n.code == "sample-not-drawn"
        bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="minor", text="Drawn later."), "QA-1")
    with refused("reading-unverified"):
        bench.start(lot, "fill", culture)
    verify = VerifyReading(lot=lot, step="harvest", parameter="viability", value="98.1")
    with refused("same-person-twice"):
        bench.do(verify, "OP-1")
    with refused("readings-differ"):
        bench.do(VerifyReading(lot=lot, step="harvest", parameter="viability", value="89.1"), "OP-2")
    bench.do(verify, "OP-2")
    with refused("reading-unverified"):
        bench.start(lot, "fill", culture)
    bench.do(VerifyReading(lot=lot, step="harvest", parameter="viable_cells", value="1500000000"), "OP-2")
    bench.start(lot, "fill", culture)


@pytest.mark.requirement("R043")
def test_a_critical_value_from_an_instrument_needs_no_second_reader() -> None:
    bench, lot, _ = harvesting()
    bench.equip("CNT-1", "cell_counter")
    value = Measured(parameter="viability", value="98", unit="%", how="instrument", instrument="CNT-1")
    bench.do(TakeReading(lot=lot, step="harvest", reading=value))
    assert bench.lot(lot).steps["harvest"].readings["viability"].usable


@pytest.mark.parametrize(
    ("value", "within"), [("69.9", False), ("70", True), ("70.0", True), ("100", True), ("100.1", False)]
)
def test_limits_are_inclusive_and_a_value_outside_is_kept_as_a_nonconformance(value: str, within: bool) -> None:
    bench, lot, _ = harvesting()
    bench.read(lot, "harvest", "viability", value, "%")
    taken = bench.lot(lot).steps["harvest"].readings["viability"].reading
    assert (taken.value, taken.within) == (value, within)
    found = [(n.code, n.severity) for n in bench.lot(lot).nonconformances.values()]
    assert found == ([] if within else [("out-of-limits", "major")])


@pytest.mark.requirement("R044")
@pytest.mark.parametrize("value", ["98,1", "NaN", "Infinity", "1e9", "", " 98", "٩٨", "0x10", "--1", "1_000"])
def test_what_is_no_plain_number_is_refused(value: str) -> None:
    bench, lot, _ = harvesting()
    reading = Measured(parameter="viability", value=value, unit="%")
    with refused("not-a-number"):
        bench.do(TakeReading(lot=lot, step="harvest", reading=reading))


@pytest.mark.requirement("R044")
@given(st.one_of(st.text(max_size=20), st.from_regex(r"-?[0-9]+[.,]?[0-9]*", fullmatch=True)))
def test_no_text_gets_in_unless_it_is_a_plain_number(text: str) -> None:
    bench, lot = _HARVEST
    reading = Measured(parameter="viability", value=text, unit="%")
    taking = TakeReading(lot=lot, step="harvest", reading=reading)
    if PLAIN.fullmatch(text):
        assert taking.decide(bench, _BY).facts
    else:
        with refused("not-a-number"):
            taking.decide(bench, _BY)


@pytest.mark.requirement("R044")
def test_unit_and_name_must_be_the_recipes() -> None:
    bench, lot, _ = harvesting()
    with refused("wrong-unit"):
        bench.do(TakeReading(lot=lot, step="harvest", reading=Measured(parameter="viability", value="98", unit="g")))
    with refused("unknown-parameter"):
        bench.do(TakeReading(lot=lot, step="harvest", reading=Measured(parameter="colour", value="98", unit="%")))


@pytest.mark.requirement("R005")
def test_a_changed_value_needs_a_reason_and_both_stay_in_the_record() -> None:
    bench, lot, _ = harvesting()
    bench.read(lot, "harvest", "viability", "89.1", "%")
    again = Measured(parameter="viability", value="98.1", unit="%")
    with refused("reason-missing"):
        bench.do(TakeReading(lot=lot, step="harvest", reading=again))
    for by, value, reason in (
        ("OP-2", "98.1", "digits swapped"),
        ("OP-1", "98.0", "rounded"),
        ("OP-3", "97", "recount"),
    ):
        bench.advance(minutes=1)
        changed = Measured(parameter="viability", value=value, unit="%")
        decision = bench.do(TakeReading(lot=lot, step="harvest", reading=changed, reason=reason), by)
        assert [n.meaning for n in decision.sign] == ["performed"]
    history = [
        (b.reading.value, b.performer, f.reason) for f, _ in bench.events if isinstance(b := f.body, ReadingTaken)
    ]
    assert history == [
        ("89.1", "OP-1", None),
        ("98.1", "OP-2", "digits swapped"),
        ("98.0", "OP-1", "rounded"),
        ("97", "OP-3", "recount"),
    ]
    times = [s.at for f, s in bench.events if isinstance(f.body, ReadingTaken)]
    assert sorted(set(times)) == times
    taken = bench.lot(lot).steps["harvest"].readings["viability"]
    assert (taken.reading.value, taken.usable) == ("97", False), "the new value has not been read twice"


def test_a_missing_value_is_named_or_becomes_a_nonconformance_with_its_reason() -> None:
    bench, lot, _ = harvesting()
    bench.read(lot, "harvest", "viability", "98.1", "%")
    with refused("reading-missing"):
        bench.complete(lot, "harvest")
    with refused("reading-missing"):
        bench.complete(lot, "harvest", not_taken={"viable_cells": " "})
    bench.complete(lot, "harvest", not_taken={"viable_cells": "counter blocked"})
    found = {n.code: n.severity for n in bench.lot(lot).nonconformances.values()}
    assert found["reading-not-taken"] == "major"


@pytest.mark.requirement("R050")
@pytest.mark.parametrize(("seconds", "fits"), [(-1, True), (0, True), (1, False)])
def test_a_hold_ends_at_its_limit(seconds: int, fits: bool) -> None:
    bench = Bench()
    lot, culture = bench.harvested()
    bench.advance(hours=2, seconds=seconds)
    decision = bench.start(lot, "fill", culture)
    found = [n.code for n in bench.lot(lot).nonconformances.values()]
    if fits:
        assert decision.stop is None
        assert found == []
        return
    assert decision.stop is not None
    assert decision.stop.code == "hold-exceeded"
    assert found == ["hold-exceeded"], "recorded at the moment it is seen"
    with refused("nonconformance-unassessed"):
        bench.start(lot, "fill", culture)
    assert len(bench.lot(lot).nonconformances) == 1, "and once"
    (name,) = bench.lot(lot).nonconformances
    bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="minor", text="Viability is 97 %."), "QA-1")
    assert bench.start(lot, "fill", culture).stop is None


@pytest.mark.requirement("R050")
@pytest.mark.parametrize(("seconds", "fits"), [(-1, False), (0, True), (1, True)])
def test_a_hold_has_a_minimum_too(seconds: int, fits: bool) -> None:
    bench = Bench()
    lot, culture = bench.harvested()
    bench.advance(minutes=5, seconds=seconds)
    if fits:
        bench.start(lot, "fill", culture)
    else:
        with refused("hold-not-over"):
            bench.start(lot, "fill", culture)


@pytest.mark.requirement("R050")
@pytest.mark.parametrize(("hours", "fits"), [(119, False), (120, True), (288, True), (289, False)])
def test_a_step_takes_as_long_as_the_recipe_says(hours: int, fits: bool) -> None:
    bench = Bench()
    lot, _ = bench.cultured(hours=hours)
    found = [n.code for n in bench.lot(lot).nonconformances.values()]
    assert found == ([] if fits else ["duration-outside-limits"])


def test_clocks_are_visible_and_an_overrun_is_recorded_once_when_looked_at() -> None:
    bench = Bench()
    lot, _ = bench.harvested()
    (clock,) = bench.lot(lot).clocks(bench.now)
    assert (clock.kind, clock.name, clock.due) == ("hold", "fill", bench.now + timedelta(hours=2))
    assert clock.early(bench.now)
    bench.do(ObserveClocks(lot=lot))
    assert not bench.lot(lot).nonconformances
    bench.advance(hours=2, microseconds=1)
    assert clock.exceeded(bench.now)
    bench.do(ObserveClocks(lot=lot))
    bench.do(ObserveClocks(lot=lot))
    assert [n.code for n in bench.lot(lot).nonconformances.values()] == ["hold-exceeded"]


def _harvest() -> tuple[Bench, str]:
    bench, lot, _ = harvesting()
    return bench, lot


_HARVEST = _harvest()
_BY = By(person="OP-1")
