"""Bad input is named with its place before anything runs, all of it at once."""

import msgspec
import pytest

from cellwright.schedule import (
    Campaign,
    Changeover,
    Hold,
    Job,
    Lag,
    Mode,
    Person,
    Problem,
    Range,
    Resource,
    Route,
    ScheduleError,
    Task,
    checked,
)  # fmt: skip
from cellwright.schedule.validate import positive_cycle

A, B = Task(name="a", duration=2, needs={"room": 1}), Task(name="b", duration=3)
GOOD = Problem(
    name="good", resources=(Resource(name="room"),), routes=(Route(name="r", tasks=(A, B)),),
    jobs=(Job(name="j", modes=(Mode(route="r"),)),),
)  # fmt: skip


def faults(**changes: object) -> list[str]:
    with pytest.raises(ScheduleError) as caught:
        checked(msgspec.structs.replace(GOOD, **changes))
    return caught.value.faults


def route(**facts: object) -> tuple[Route, ...]:
    return (msgspec.structs.replace(GOOD.routes[0], **facts),)


def test_a_sound_problem_passes() -> None:
    assert checked(GOOD) is GOOD


def test_a_cycle_of_lags_is_named() -> None:
    cycle = (Lag(before="a", after="b", least=1), Lag(before="b", after="a", least=0))
    assert "a → b → a" in faults(routes=route(lags=cycle))[0] or "b → a → b" in faults(routes=route(lags=cycle))[0]
    tight = (Lag(before="a", after="b", least=5), Lag(before="a", after="b", least=0, most=3))
    assert "cycle" in faults(routes=route(lags=tight))[0]


def test_a_demand_above_the_capacity_is_named() -> None:
    greedy = msgspec.structs.replace(A, needs={"room": 2})
    assert "'room', which never has more than 1" in faults(routes=route(tasks=(greedy, B)))[0]
    crew = Resource(name="room", people=(Person(name="Ada", skills=("x",)),))
    skilled = msgspec.structs.replace(A, needs={"room:y": 1})
    assert "never has more than 0" in faults(resources=(crew,), routes=route(tasks=(skilled, B)))[0]


def test_an_empty_calendar_is_named() -> None:
    assert "empty" in faults(resources=(Resource(name="room", calendar=((0, 0), (8, 0)), period=24),))[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"resources": (Resource(name="room"), Resource(name="room"))}, "2 times"),
        ({"resources": (Resource(name="room", capacity=0),)}, "at least 1"),
        ({"resources": (Resource(name="room", units=("x", "y")),)}, "2 units are named"),
        ({"resources": (Resource(name="room", calendar=((3, 1),)),)}, "rise from 0"),
        ({"resources": (Resource(name="room", calendar=((0, 1), (30, 1)), period=24),)}, "outside its period"),
        ({"resources": (Resource(name="room", calendar=((0, 1), (3, -1))),)}, "below 0"),
        ({"resources": (Resource(name="room", changeovers=(Changeover(before="a", after="b", steps=-1),)),)}, "-1 steps"),
        ({"resources": (Resource(name="room", campaigns=(Campaign(begin=4, end=4, family="A"),)),)}, "is none"),
        ({"resources": ()}, "no resource 'room'"),
        ({"routes": (Route(name="r", tasks=()),)}, "no task"),
        ({"routes": route(lags=(Lag(before="a", after="z"),))}, "no task 'z'"),
        ({"routes": route(lags=(Lag(before="a", after="b", least=3, most=2),))}, "at least 3"),
        ({"routes": route(holds=(Hold(resource="room", first="b", last="a"),))}, "stands behind"),
        ({"routes": route(holds=(Hold(resource="room", first="a", last="b"), Hold(resource="room", first="b", last="b")))},
         "overlaps another"),
        ({"routes": route(tasks=(Task(name="a", duration=Range(low=3, typical=2, high=4)),))}, "does not rise"),
        ({"routes": route(tasks=(Task(name="a", duration=-1),))}, "-1"),
        ({"routes": route(tasks=(Task(name="a", cleaning={"room": 1}),))}, "does not need it"),
        ({"jobs": (Job(name="j", modes=()),)}, "no mode"),
        ({"jobs": (Job(name="j", modes=(Mode(route="z"),)),)}, "no route 'z'"),
        ({"jobs": (Job(name="j", modes=(Mode(route="r"),), weight=-1),)}, "not below 0"),
        ({"jobs": (Job(name="j", modes=(Mode(route="r"),), release=9, deadline=3),)}, "before its release"),
        ({"jobs": (Job(name="j", modes=(Mode(route="r"),), begun={"z": 0}),)}, "no task 'z'"),
    ],
)  # fmt: skip
def test_faults_are_named(changes: dict[str, object], said: str) -> None:
    assert any(said in fault for fault in faults(**changes)), faults(**changes)


def test_every_fault_is_told_at_once() -> None:
    assert len(faults(resources=(Resource(name="room", capacity=0),), jobs=(Job(name="j", modes=()),))) >= 2


def test_cycles_are_found_where_they_are() -> None:
    assert positive_cycle(3, [(0, 1, 2), (1, 2, 2), (2, 1, -2)]) == []
    assert set(positive_cycle(4, [(0, 1, 2), (1, 2, 2), (2, 1, -1), (2, 3, 5)])) == {1, 2}
