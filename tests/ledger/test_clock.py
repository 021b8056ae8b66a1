"""Times come from the ledger's clock, never run back unnoticed, and a step of the clock is itself an event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from cellwright.ledger import (
    Draft,
    Event,
    Ledger,
    SimulatedClock,
    Unavailable,
    ledger_on,
    open_ledger,
    system_clock,
    verify,
)
from cellwright.ledger.canonical import CLOCK_STREAM, parse_time
from cellwright.ledger.clock import boot_counter
from cellwright.ledger.memory import MemoryStore

Make = Callable[..., Draft]
START = datetime(2026, 3, 2, 8, 12, tzinfo=UTC)


class Machine:
    """A machine whose clock can be set while its counter goes on."""

    def __init__(self) -> None:
        self.wall = START
        self.passed = timedelta(0)

    def clock(self) -> datetime:
        return self.wall

    def counter(self) -> int:
        return self.passed // timedelta(microseconds=1) * 1000

    def pass_time(self, delta: timedelta) -> None:
        self.wall += delta
        self.passed += delta

    def set_clock(self, delta: timedelta) -> None:
        self.wall += delta


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def timed(machine: Machine) -> Ledger:
    return ledger_on(MemoryStore(), machine.clock, machine.counter)


def steps(ledger: Ledger) -> list[Event]:
    return ledger.stream(CLOCK_STREAM)


def test_time_that_only_passes_is_no_step(timed: Ledger, machine: Machine, make: Make) -> None:
    for _round in range(5):
        timed.append([make()])
        machine.pass_time(timedelta(days=40))
    assert steps(timed) == []


@pytest.mark.requirement("R009")
@pytest.mark.parametrize(
    "delta", [timedelta(minutes=-5), timedelta(days=-400), timedelta(days=400), timedelta(seconds=3)]
)
def test_a_step_is_recorded_before_what_follows_it(
    timed: Ledger, machine: Machine, make: Make, delta: timedelta
) -> None:
    first = timed.append([make("lot/1")])[0]
    machine.pass_time(timedelta(hours=1))
    machine.set_clock(delta)
    second = timed.append([make("lot/1")])[0]
    (step,) = steps(timed)
    assert [first.pos, step.pos, second.pos] == [0, 1, 2]
    assert [first.version, second.version] == [0, 1]
    assert step.type == "ledger.clock_stepped"
    assert step.actor == "system"
    assert parse_time(step.body["expected"]) == START + timedelta(hours=1)
    assert parse_time(step.body["found"]) == START + timedelta(hours=1) + delta
    assert step.body["step_us"] == delta // timedelta(microseconds=1)
    assert parse_time(second.at) == machine.wall
    assert verify(timed).ok
    machine.pass_time(timedelta(seconds=1))
    timed.append([make()])
    assert len(steps(timed)) == 1


@pytest.mark.requirement("R009")
def test_a_small_step_back_never_turns_the_order(timed: Ledger, machine: Machine, make: Make) -> None:
    first = timed.append([make()])[0]
    machine.set_clock(timedelta(seconds=-1.5))
    second = timed.append([make()])[0]
    assert second.at > first.at
    assert steps(timed) == []
    assert verify(timed).ok


@pytest.mark.requirement("R009")
def test_a_step_between_two_lives_of_the_writer(machine: Machine, make: Make) -> None:
    """The counter of the earlier process is gone; that time ran back still shows against the last event."""
    store = MemoryStore()
    with ledger_on(store, machine.clock, machine.counter) as ledger:
        ledger.append([make()])
    machine.wall -= timedelta(hours=1)
    machine.passed = timedelta(0)
    with ledger_on(store, machine.clock, machine.counter) as ledger:
        ledger.append([make()])
        assert [event.body["step_us"] for event in steps(ledger)] == [-3_600_000_000]
        assert verify(ledger).ok


@pytest.mark.requirement("R009")
def test_a_step_is_not_forgotten_when_its_append_is_refused(timed: Ledger, machine: Machine, make: Make) -> None:
    timed.append([make("lot/1", claims={"bag/1": "coi/A"})])
    machine.set_clock(timedelta(hours=-1))
    refused = timed.submit([make(claims={"bag/1": "coi/B"})])
    assert refused.exception(30) is not None
    assert steps(timed) == []
    timed.append([make()])
    assert len(steps(timed)) == 1


@pytest.mark.requirement("R006")
def test_each_append_has_a_time_of_its_own(timed: Ledger, make: Make) -> None:
    """Four additions in the same microsecond of the machine's clock still get four times."""
    times = [timed.append([make(), make()])[0].at for _addition in range(4)]
    assert len(set(times)) == 4
    assert times == sorted(times)


@pytest.mark.requirement("R006")
def test_appends_committed_together_have_times_of_their_own(timed: Ledger, make: Make) -> None:
    futures = [timed.submit([make()]) for _addition in range(50)]
    assert len({future.result(30)[0].at for future in futures}) == 50


def test_a_simulated_clock_gives_its_own_time(make: Make) -> None:
    clock = SimulatedClock(START)
    with open_ledger("memory:", clock=clock) as ledger:
        assert ledger.append([make()])[0].at == ledger.append([make()])[0].at == "2026-03-02T08:12:00.000000Z"
        clock.advance(timedelta(days=3))
        assert ledger.append([make()])[0].at == "2026-03-05T08:12:00.000000Z"
        assert steps(ledger) == []


def test_a_simulated_clock_never_runs_back() -> None:
    clock = SimulatedClock(START)
    with pytest.raises(ValueError):
        clock.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError):
        clock.set(START - timedelta(seconds=1))
    with pytest.raises(ValueError):
        clock.set(datetime(2027, 1, 1))  # noqa: DTZ001 - that is the mistake
    clock.set(START.astimezone(timezone(timedelta(hours=8))) + timedelta(hours=1))
    assert clock() == START + timedelta(hours=1)


@pytest.mark.requirement("R007")
def test_the_recorded_time_is_the_ledgers_whatever_is_claimed(make: Make) -> None:
    with open_ledger("memory:", clock=SimulatedClock(START)) as ledger:
        event = ledger.append([make(claimed_at="2020-01-01T00:00:00.000000Z", reason="entered late")])[0]
    assert (event.at, event.claimed_at) == ("2026-03-02T08:12:00.000000Z", "2020-01-01T00:00:00.000000Z")


@pytest.mark.requirement("R008")
def test_two_events_around_the_end_of_summer_time(make: Make) -> None:
    """02:30 twice in Berlin: UTC keeps the order, the zone gives each its abbreviation."""
    clock = SimulatedClock(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    with open_ledger("memory:", clock=clock) as ledger:
        first = ledger.append([make(zone="Europe/Berlin")])[0]
        clock.advance(timedelta(hours=1))
        second = ledger.append([make(zone="Europe/Berlin")])[0]
    shown = [parse_time(event.at).astimezone(ZoneInfo(event.zone)) for event in (first, second)]
    assert first.at < second.at
    assert [moment.strftime("%H:%M %Z") for moment in shown] == ["02:30 CEST", "02:30 CET"]


def test_the_machines_own_clocks() -> None:
    assert system_clock().tzinfo is UTC
    assert boot_counter() <= boot_counter()


def test_a_clock_of_another_zone_is_converted_and_one_without_zone_is_refused(make: Make) -> None:
    local = START.astimezone(ZoneInfo("Asia/Shanghai"))
    with open_ledger("memory:", clock=lambda: local) as ledger:
        assert ledger.append([make()])[0].at == "2026-03-02T08:12:00.000000Z"
    with open_ledger("memory:", clock=lambda: local.replace(tzinfo=None)) as ledger, pytest.raises(Unavailable):
        ledger.append([make()])
