"""F9: the clock goes back 400 days, ahead 400 days, back an hour between appends, on every durable backend.

The order is that of the positions whatever the clock says; the time a person stated stands beside the recorded one; and
a jump of more than two seconds is an event of its own, also when another process or another life of the writer sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from cellwright.ledger import Draft, Event, Ledger, open_ledger, verify
from cellwright.ledger.canonical import CLOCK_STREAM, format_time, parse_time
from cellwright.ledger.sequencer import CLOCK_STEPPED
from tests.faults.conftest import Count
from tests.faults.story import START
from tests.postgres_server import PostgresServer, running_server

DAY = timedelta(days=1)
JUMPS = {
    "back 400 days": -400 * DAY,
    "ahead 400 days": 400 * DAY,
    "back an hour": -timedelta(hours=1),
    "back 5 minutes": -timedelta(minutes=5),
    "ahead 3 seconds": timedelta(seconds=3),
}


class Machine:
    """A clock that is set, and a counter that goes on."""

    def __init__(self) -> None:
        self.wall, self.count = START, 0

    def clock(self) -> datetime:
        return self.wall

    def counter(self) -> int:
        return self.count

    def go_on(self, seconds: int) -> None:
        self.wall += timedelta(seconds=seconds)
        self.count += seconds * 10**9


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_server() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    server: PostgresServer = request.getfixturevalue("server")
    return server.new_database()


def append(ledger: Ledger, number: int, machine: Machine) -> Event:
    claimed = format_time(machine.wall - timedelta(minutes=2))
    draft = Draft(
        stream="lot/1", type="test.happened", body={"n": number}, id=f"id-{number}", actor="ann", claimed_at=claimed
    )
    return ledger.append([draft], {"lot/1": number})[0]


@pytest.mark.requirement("R007")
@pytest.mark.requirement("R009")
@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_a_jump_between_appends(where: str, counted: Count, jump: timedelta) -> None:
    machine = Machine()
    with open_ledger(where, clock=machine.clock, counter=machine.counter, create=True) as ledger:
        for number in range(4):
            append(ledger, number, machine)
            machine.go_on(30)
        before = machine.wall
        machine.wall += jump
        for number in range(4, 8):
            append(ledger, number, machine)
            machine.go_on(30)
        events = list(ledger.read())
        assert verify(ledger).ok
    lots = [event for event in events if event.stream == "lot/1"]
    assert [event.body["n"] for event in lots] == list(range(8)), "the order is the order of appends"
    assert [event.version for event in lots] == list(range(8))
    for event in lots:
        assert event.claimed_at is not None
        assert parse_time(event.at) - parse_time(event.claimed_at) == timedelta(minutes=2), "both times are kept"
    steps = [event for event in events if event.stream == CLOCK_STREAM]
    assert [(step.type, step.pos, step.actor) for step in steps] == [(CLOCK_STEPPED, 4, "system")]
    assert steps[0].body == {
        "expected": format_time(before), "found": format_time(before + jump), "step_us": jump // timedelta(microseconds=1),
    }  # fmt: skip
    counted(f"F9 jumps recorded, {jump}", len(steps))


@pytest.mark.requirement("R009")
def test_a_clock_that_never_jumps_records_nothing(where: str) -> None:
    machine, random = Machine(), Random("F9")
    with open_ledger(where, clock=machine.clock, counter=machine.counter, create=True) as ledger:
        for number in range(20):
            append(ledger, number, machine)
            machine.go_on(random.choice((0, 1, 3_600, 400 * 86_400)))
            machine.wall += timedelta(milliseconds=random.randint(-900, 900))  # drift, and small corrections
        events = list(ledger.read())
        assert verify(ledger).ok
    assert [event.stream for event in events] == ["lot/1"] * 20
    times = [event.at for event in events]
    assert times == sorted(times)
    assert len(set(times)) == 20, "each append has a time of its own"


@pytest.mark.requirement("R009")
@pytest.mark.parametrize("jump", [-400 * DAY, -timedelta(hours=1)])
def test_a_jump_back_while_the_program_was_down(where: str, jump: timedelta) -> None:
    machine = Machine()
    with open_ledger(where, clock=machine.clock, counter=machine.counter, create=True) as ledger:
        append(ledger, 0, machine)
    machine.wall += jump
    machine.count = 0
    with open_ledger(where, clock=machine.clock, counter=machine.counter) as ledger:
        assert append(ledger, 1, machine).pos == 2
        assert ledger.event(1).type == CLOCK_STEPPED
        assert ledger.event(1).body["step_us"] == jump // timedelta(microseconds=1)
        assert verify(ledger).ok


@pytest.mark.postgres
@pytest.mark.requirement("R009")
def test_two_machines_whose_clocks_differ(server: PostgresServer) -> None:
    """The one that is an hour behind finds a later time in the record: that is a step, recorded each time it writes."""
    url, ahead, behind = server.new_database(), Machine(), Machine()
    behind.wall -= timedelta(hours=1)
    with (
        open_ledger(url, clock=ahead.clock, counter=ahead.counter, create=True) as one,
        open_ledger(url, clock=behind.clock, counter=behind.counter) as other,
    ):
        for number in range(6):
            append((one, other)[number % 2], number, (ahead, behind)[number % 2])
            ahead.go_on(10)
            behind.go_on(10)
        events = list(one.read())
        assert verify(one).ok
    assert [event.body["n"] for event in events if event.stream == "lot/1"] == list(range(6))
    steps = [event.body["step_us"] for event in events if event.stream == CLOCK_STREAM]
    assert len(steps) == 3
    assert all(step < -3_500 * 10**6 for step in steps)


@pytest.mark.parametrize("spoil", [lambda machine: machine.counter, lambda _machine: lambda: 0], ids=["good", "stuck"])
def test_the_harness_finds_a_counter_that_is_stuck(
    tmp_path: Path, spoil: Callable[[Machine], Callable[[], int]]
) -> None:
    """With a counter that does not count, passing time looks like a step: the check above would fail."""
    machine = Machine()
    with open_ledger(tmp_path / "ledger.db", clock=machine.clock, counter=spoil(machine), create=True) as ledger:
        append(ledger, 0, machine)
        machine.go_on(30)
        append(ledger, 1, machine)
        assert (ledger.version(CLOCK_STREAM) > 0) == (spoil(machine)() == 0)
