"""Small problems that tests share."""

from hypothesis import strategies as st

from cellwright.schedule import (
    Campaign,
    Changeover,
    Closing,
    Hold,
    Job,
    Lag,
    Mode,
    Person,
    Problem,
    Resource,
    Route,
    Task,
    Way,
)  # fmt: skip


def everything() -> Problem:
    """A small plant that uses every part of the model at once."""
    tasks = (
        Task(name="receive", duration=1, needs={"crew": 1}),
        Task(name="culture", duration=3, needs={"crew:aseptic": 1, "suite": 1}, cleaning={"suite": 1}),
        Task(name="harvest", duration=2, needs={"crew:aseptic": 1, "crew:count": 1}),
        Task(name="fill", needs={}, ways=(
            Way(duration=2, needs={"line": 1}, cleaning={"line": 1}), Way(duration=5, needs={"hand": 1}),
        )),
        Task(name="test", duration=4, needs={"reader": 1}),
    )  # fmt: skip
    lags = (
        Lag(before="receive", after="culture", most=6),
        Lag(before="culture", after="harvest", least=6, most=12),
        Lag(before="harvest", after="fill", most=3),
        Lag(before="harvest", after="test", most=8),
    )
    frozen = Task(name="thaw", duration=2, needs={"crew": 1})
    hold = Hold(resource="bioreactor", first="culture", last="harvest", cleaning=2)
    again = Lag(before="thaw", after="receive", most=2)
    crew = (
        Person(name="Ada", skills=("aseptic",), calendar=((0, 1), (16, 0)), period=24),
        Person(name="Bo", skills=("aseptic", "count")),
        Person(name="Cy", skills=("count",), calendar=((0, 0), (8, 1)), period=24),
        Person(name="Di", skills=("aseptic",)),
    )
    line = Resource(
        name="line", capacity=2, changeovers=(
            Changeover(before="A", after="B", steps=3), Changeover(before="B", after="A", steps=2),
        ), campaigns=(Campaign(begin=30, end=36, family="A"),),
    )  # fmt: skip
    return Problem(
        name="everything", unit="h", horizon=400, simulated=True,
        resources=(
            Resource(name="crew", capacity=4, people=crew), Resource(name="suite", capacity=2),
            Resource(name="bioreactor", capacity=2, closings=(Closing(begin=20, end=24, units=1),)), line,
            Resource(name="hand"), Resource(name="reader", calendar=((0, 0), (7, 1), (19, 0)), period=24),
        ),
        routes=(
            Route(name="fresh", tasks=tasks, lags=lags, holds=(hold,)),
            Route(name="thawed", tasks=(frozen, *tasks), lags=(again, *lags), holds=(hold,)),
        ),
        jobs=tuple(
            Job(
                name=f"J{n}", modes=(Mode(route="fresh", start_within=12), Mode(route="thawed", price=20)),
                release=3 * n, weight=1 + n % 3, late_weight=2, due=3 * n + 40, family="AB"[n % 2],
            )
            for n in range(8)
        ),
    )  # fmt: skip


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Random problems: pools with calendars, lags, holds, several ways; feasible or not."""
    rooms = [
        Resource(
            name=name,
            capacity=(units := draw(st.integers(1, 3))),
            calendar=draw(st.sampled_from([(), ((0, units), (10, 0)), ((0, 0), (4, units), (20, units))])),
            period=24,
        )
        for name in "abc"
    ]
    routes = []
    for name in ("r", "s"):
        count = draw(st.integers(1, 5))
        tasks = [
            Task(
                name=f"t{k}",
                duration=draw(st.integers(0, 6)),
                needs={room: 1},
                cleaning={room: draw(st.integers(0, 2))},
            )
            for k in range(count)
            for room in [draw(st.sampled_from("abc"))]
        ]
        lags = [
            Lag(before=f"t{a}", after=f"t{b}", least=(least := draw(st.integers(0, 5))),
                most=draw(st.sampled_from([None, least, least + 8])))
            for b in range(1, count)
            for a in [draw(st.integers(0, b - 1))]
        ]  # fmt: skip
        holds = [Hold(resource="c", first="t0", last=f"t{count - 1}")] if draw(st.booleans()) else []
        routes.append(Route(name=name, tasks=tuple(tasks), lags=tuple(lags), holds=tuple(holds)))
    jobs = [
        Job(name=f"j{n}", modes=(Mode(route=draw(st.sampled_from("rs")), start_within=draw(st.sampled_from([None, 30]))),),
            release=draw(st.integers(0, 40)), weight=draw(st.integers(0, 5)))
        for n in range(draw(st.integers(1, 8)))
    ]  # fmt: skip
    return Problem(name="random", horizon=300, resources=tuple(rooms), routes=tuple(routes), jobs=tuple(jobs))
