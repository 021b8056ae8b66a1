"""What each step means, at the instants where things coincide: timelines worked by hand and small simulations in Python."""

import heapq
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.simulation import Found, Model, ModelError, attribute, constant


def at(model: Model, name: str, until: float = 1000) -> list[float]:
    """The times at which a measure was recorded; compiled and plain agree."""
    fast, slow = (model.run(until=until, samples=1000, plain=p).samples(name)[:, 0].tolist() for p in (False, True))
    assert fast == slow
    return list(fast)


def arriving(model: Model, process: str, times: list[float], **values: list[float]) -> None:
    model.given(
        Found(process=process, at=t, values={name: column[i] for name, column in values.items()})
        for i, t in enumerate(times)
    )


def test_who_waited_before_interruptible_work_began_interrupts_it_too() -> None:
    """The slow one may not be interrupted while it prepares; once it may, the urgent one who waits takes over at once."""
    m = Model("contested")
    m.resource("machine", 1)
    m.process("slow", priority=3).acquire("machine").delay(5).delay(10, interruptible="machine").release(
        "machine"
    ).measure("slow")
    m.process("urgent").acquire("machine", preempt=True).delay(4, interruptible="machine").release("machine").measure(
        "urgent"
    )
    arriving(m, "slow", [0])
    arriving(m, "urgent", [2])
    assert at(m, "urgent") == [9] and at(m, "slow") == [19]


def test_of_a_patience_and_a_release_at_one_instant_the_earlier_set_comes_first() -> None:
    def model(patience: float) -> Model:
        m = Model("instant")
        m.resource("room", 1)
        m.process("first").acquire("room").delay(10).release("room").measure("first")
        p = m.process("second").acquire("room", patience=patience, otherwise="away").delay(1).release("room")
        p.measure("served").end().label("away").measure("away")
        arriving(m, "first", [0])
        arriving(m, "second", [4])
        return m

    assert at(model(6), "served") == [11]
    assert at(model(5.5), "away") == [9.5]
    assert model(5.5).run(until=20).resource("room").gave_up == 1


def test_whoever_gives_up_lets_those_behind_through() -> None:
    m = Model("behind")
    m.resource("room", 3)
    m.process("holder").acquire("room", 2).delay(20).release("room", 2)
    m.process("large").acquire("room", 3, patience=5, otherwise="away").release("room", 3).end().label("away")
    m.process("small").acquire("room").measure("small").delay(1).release("room")
    arriving(m, "holder", [0])
    arriving(m, "large", [1])
    arriving(m, "small", [2])
    assert at(m, "small") == [6]


def test_a_batch_goes_when_it_is_full_or_when_its_first_has_waited_long_enough() -> None:
    m = Model("batch")
    m.resource("freezer", 1)
    p = m.process("bag").batch("run", 3, within=10).use("freezer", 4).measure("run").unbatch().measure("bag")
    assert p.steps
    arriving(m, "bag", [0, 1, 2, 20, 30, 31])
    # 0, 1, 2 are three at 2; 20 waits until 30 and goes with the one who arrives at that instant or without.
    assert at(m, "run")[0] == 6 and at(m, "bag")[:3] == [6, 6, 6]
    assert at(m, "run") in ([6, 34, 45], [6, 34, 44])
    assert len(at(m, "bag")) == 6


def test_a_split_joins_when_the_last_copy_ends() -> None:
    m = Model("split")
    p = m.process("lot").set("length", 3).split("sample", 2).set("length", 7).split("sample").delay(1).join()
    p.measure("joined").end().label("sample").delay(attribute("length")).measure("sample").end()
    arriving(m, "lot", [5])
    assert at(m, "joined") == [12] and at(m, "sample") == [8, 8, 12]


def test_copies_that_nobody_waits_for_are_refused() -> None:
    m = Model("orphans")
    m.process("lot", arrivals=constant(1)).split("sample").end().label("sample").delay(3)
    with pytest.raises(ModelError, match="ends without waiting for its copies"):
        m.run(until=5)
    m = Model("not orphans")
    m.process("lot", arrivals=constant(1)).split("sample", joined=False).end().label("sample").delay(3)
    m.run(until=5)


def test_a_shift_that_ends_lets_work_be_finished_and_begins_no_more() -> None:
    m = Model("shift")
    m.resource("operator", 2, calendar=[(0, 2), (8, 1), (16, 0)], period=24)
    m.process("job").use("operator", 6).measure("job")
    arriving(m, "job", [5, 6, 7, 13])
    # 5 and 6 work beyond 8; at 11 one is still busy and one is on duty: the third begins at 12 when the second ends.
    # The fourth would begin at 18, after the last shift, and waits for the next day.
    assert at(m, "job") == [11, 12, 18, 30]
    figures = m.run(until=30).resource("operator")
    assert figures.used * 30 == 24 and figures.capacity * 30 == pytest.approx(2 * 8 + 2 * 3 + 5 + 2 + 2 * 6)


def test_a_stock_is_given_in_the_order_of_asking() -> None:
    m = Model("stock")
    m.stock("kit", 1)
    m.process("large").take("kit", 3).measure("large")
    m.process("small").take("kit").measure("small")
    m.process("supply", arrivals=10.0, first=2).put("kit", 2)
    arriving(m, "large", [1])
    arriving(m, "small", [2])
    assert at(m, "large") == [10] and at(m, "small") == [20]


@pytest.mark.parametrize(("interrupts", "ends"), [(True, 31), (False, 25)])
def test_a_breakdown_interrupts_what_may_be_interrupted_or_waits_for_its_end(interrupts: bool, ends: float) -> None:
    """Fails 10 after each repair of 3: work of 25 is done 10, 10 and 5 at a time, or whole."""
    m = Model("breakdown")
    m.resource("machine", 1)
    m.breakdown("machine", 10, 3, interrupts=interrupts)
    m.process("job").acquire("machine").delay(25, interruptible="machine").release("machine").measure("job")
    arriving(m, "job", [0])
    assert at(m, "job", 100) == [ends]
    figures = m.run(until=39).resource("machine")
    assert figures.down * 39 == pytest.approx(9 if interrupts else 4)
    assert figures.interrupted == (2 if interrupts else 0)


def test_who_is_interrupted_keeps_what_else_it_holds() -> None:
    m = Model("nested")
    m.resource("suite", 1)
    m.resource("machine", 1)
    p = m.process("lot", priority=2).acquire("suite").acquire("machine").delay(10, interruptible="machine")
    p.release("machine").release("suite").measure("lot")
    m.process("urgent").acquire("machine", preempt=True).delay(5).release("machine")
    m.process("next", priority=1).use("suite", 1).measure("next")
    arriving(m, "lot", [0])
    arriving(m, "urgent", [4])
    arriving(m, "next", [5])
    assert at(m, "lot") == [15] and at(m, "next") == [16]
    assert m.run(until=20).resource("suite").blocked * 20 == 5


def test_several_at_once_wait_holding_nothing() -> None:
    m = Model("set")
    m.resource("hood", 1)
    m.resource("operator", 1)
    m.process("both").acquire({"hood": 1, "operator": 1}).delay(2).release({"hood": 1, "operator": 1}).measure("both")
    m.process("hood_only").use("hood", 10).measure("hood")
    m.process("operator_only").use("operator", 1).measure("operator")
    arriving(m, "hood_only", [0])
    arriving(m, "both", [1])
    arriving(m, "operator_only", [2])
    assert at(m, "operator") == [3] and at(m, "both") == [12]


def test_a_negative_attribute_lasts_no_time_and_a_patience_may_be_an_attribute() -> None:
    m = Model("attributes")
    m.resource("room", 1)
    m.process("holder").use("room", 50)
    p = m.process("guest").add("length", -5.0).delay(attribute("length")).measure("delayed")
    p.acquire("room", patience=attribute("patience"), otherwise="away").release("room").end()
    p.label("away").measure("away")
    arriving(m, "holder", [0])
    arriving(m, "guest", [3, 4], patience=[6, 8])
    assert at(m, "delayed") == [3, 4] and at(m, "away") == [9, 12]


def test_what_is_found_under_way_comes_before_what_arrives_and_can_be_interrupted() -> None:
    m = Model("found")
    m.resource("machine", 1)
    m.process("other", arrivals=constant(0), first=1, priority=3).use("machine", 1).measure("other")
    p = m.process("lot", priority=2).acquire("machine").label("work").delay(50, interruptible="machine")
    p.release("machine").measure("lot")
    m.process("urgent").acquire("machine", preempt=True).delay(5).release("machine")
    m.given([Found(process="lot", label="work", left=10, holds={"machine": 1}), Found(process="urgent", at=4)])
    assert at(m, "lot") == [15] and at(m, "other") == [16]
    m.given([Found(process="lot", label="work", left=10, holds={"machine": 1})])
    with pytest.raises(ModelError, match="2 of machine are held at the beginning"):
        m.run(until=5)


# --- the same written a second time, in plain Python ----------------------------------------------------------------------

CUSTOMERS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12), st.integers(0, 3), st.integers(1, 30)), min_size=1, max_size=30
)


def served(customers: Any, servers: int) -> dict[int, float]:
    """Start of service of each customer (arrival, service, priority, patience) of a station; nobody is interrupted.

    No two of its events fall on one instant: services end on hundredths, patience on thousandths, arrivals on whole numbers.
    """
    events = [(float(c[0]), 0, i, "arrival", i) for i, c in enumerate(customers)]
    heapq.heapify(events)
    waiting: list[tuple[int, int, int]] = []
    starts: dict[int, float] = {}
    free, order = servers, len(events)
    while events:
        now, _kind, _order, what, i = heapq.heappop(events)
        if what == "arrival":
            waiting.append((customers[i][2], order, i))
            heapq.heappush(events, (now + (customers[i][3] + 0.255), 1, order, "patience", i))
        elif what == "patience":
            waiting = [w for w in waiting if w[2] != i]
        else:
            free += 1
        while free and waiting:
            first = min(waiting)
            waiting.remove(first)
            starts[first[2]] = now
            free -= 1
            order += 1
            heapq.heappush(events, (now + (customers[first[2]][1] + 0.53), 1, order, "end", first[2]))
        order += 1
    return starts


@settings(deadline=None, max_examples=60)
@given(customers=CUSTOMERS, servers=st.integers(1, 3))
def test_a_station_with_priorities_and_patience_is_that_of_the_reference(customers: Any, servers: int) -> None:
    customers = sorted({c[0]: c for c in customers}.values())
    m = Model("station")
    m.resource("server", servers)
    p = m.process("customer").priority("urgency").acquire("server", patience=attribute("patience"), otherwise="away")
    p.measure("start").delay(attribute("service")).release("server").label("away")
    m.given(
        Found(process="customer", at=a, values={"service": s + 0.53, "urgency": u, "patience": w + 0.255})
        for a, s, u, w in customers
    )
    r = m.run(until=10_000, samples=100)
    found = dict(zip(r.sampled("start").tolist(), r.samples("start")[:, 0].tolist(), strict=True))
    assert found == served(customers, servers)


def preempted(customers: Any) -> dict[int, float]:
    """End of service with one server that always serves the most urgent, the earliest of them, resuming."""
    left = {i: float(c[1]) for i, c in enumerate(customers)}
    ends: dict[int, float] = {}
    arrivals = sorted((float(c[0]), i) for i, c in enumerate(customers))
    present: list[tuple[int, float, int]] = []
    now, k = 0.0, 0
    while k < len(arrivals) or present:
        if not present:
            now = arrivals[k][0]
        while k < len(arrivals) and arrivals[k][0] <= now:
            present.append((customers[arrivals[k][1]][2], *arrivals[k]))
            k += 1
        serving = min(present)
        step = left[serving[2]]
        if k < len(arrivals):
            step = min(step, arrivals[k][0] - now)
        now += step
        left[serving[2]] -= step
        if left[serving[2]] == 0:
            ends[serving[2]] = now
            present.remove(serving)
    return ends


@settings(deadline=None, max_examples=60)
@given(customers=CUSTOMERS)
def test_a_server_that_is_taken_over_is_that_of_the_reference(customers: Any) -> None:
    customers = sorted({c[0]: c for c in customers}.values())
    m = Model("taken over")
    m.resource("server", 1)
    p = m.process("customer").priority("urgency").acquire("server", preempt=True)
    p.delay(attribute("service"), interruptible="server").release("server").measure("end")
    m.given(Found(process="customer", at=a, values={"service": s, "urgency": u}) for a, s, u, _patience in customers)
    r = m.run(until=10_000, samples=100)
    found = dict(zip(r.sampled("end").tolist(), r.samples("end")[:, 0].tolist(), strict=True))
    assert found == preempted(customers)
