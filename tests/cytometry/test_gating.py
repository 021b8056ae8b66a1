"""Gates: worked examples by hand, and the quick way against the definition for every event, whatever the file holds."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.cytometry import (
    Boolean,
    Channel,
    Dimension,
    Divider,
    Ellipsoid,
    FcsError,
    FcsFile,
    GateError,
    GatingStrategy,
    Node,
    Operand,
    Polygon,
    Quadrant,
    Range,
    Ratio,
    Rectangle,
    Spillover,
    encode_fcs,
    gate_sample,
    gating_ml,
    read_fcs,
)
from cellwright.cytometry.compensation import to_keyword
from cellwright.cytometry.gate import Gate
from cellwright.cytometry.gating import gate_by_definition
from cellwright.cytometry.transform import (
    Asinh,
    Bounded,
    FlowJoBiex,
    FlowJoLog,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    Transform,
)

A, B = Dimension("A"), Dimension("B")
SCALES: tuple[Transform | None, ...] = (
    None,
    Linear(1000.0, 100.0),
    Log(10_000.0, 4.0),
    Asinh(10_000.0, 4.0, 1.0),
    Logicle(10_000.0, 0.5, 4.5, 0.0),
    Hyperlog(10_000.0, 0.5, 4.5, 0.0),
    FlowJoBiex(0.0, -10.0, 4.4, 10_000.0),
    FlowJoLog(1.0, 4.0),
    Bounded(Logicle(10_000.0, 1.0, 4.0, 0.5), 0.2, 0.8),
)


def file(*columns: list[float], names: str = "ABCDEF", **options: Any) -> FcsFile:
    return read_fcs(encode_fcs([np.array(c, np.float32) for c in columns], list(names[: len(columns)]), **options))


def members(sample: FcsFile, gate: Gate, population: str = "g") -> list[bool]:
    return gate_sample(sample, GatingStrategy({"g": Node(gate)})).member(population).tolist()


def test_a_range_takes_its_lower_bound_and_not_its_upper() -> None:
    sample = file([1, 2, 3, 4])
    assert members(sample, Rectangle((Range(A, 2, 4),))) == [False, True, True, False]
    assert members(sample, Rectangle((Range(A, 2, 4),), complement=True)) == [True, False, False, True]
    assert members(sample, Rectangle((Range(A, None, None),))) == [True] * 4


def test_a_polygon_takes_its_line() -> None:
    sample = file([0, 1, 2, 3, 1, 1.5], [0, 1, 1, 1, 2, 2.5])
    gate = Polygon(A, B, ((0, 0), (2, 0), (2, 2), (0, 2)))
    assert members(sample, gate) == [True, True, True, False, True, False]


def test_a_polygon_that_crosses_itself_is_filled_by_winding() -> None:
    """The middle of a five-pointed star winds twice: inside by the winding number, outside by counting crossings."""
    star = tuple((math.sin(4 * math.pi * k / 5), math.cos(4 * math.pi * k / 5)) for k in range(5))
    assert members(file([0.0, 0.9], [0.0, 0.9]), Polygon(A, B, star)) == [True, False]


def test_an_ellipse_takes_its_line() -> None:
    """Half-axes 2 and 1 along the axes."""
    gate = Ellipsoid((A, B), (0.0, 0.0), ((4.0, 0.0), (0.0, 1.0)), 1.0)
    assert members(file([2, 0, 2.01, 1.5], [0, 1, 0, 0.6]), gate) == [True, True, False, True]


def test_quadrants_share_out_all_events() -> None:
    gate = Quadrant(
        {"x": Divider(A, (1.0, 2.0)), "y": Divider(B, (0.0,))},
        {"low": {"x": 0.0, "y": -1.0}, "mid": {"x": 1.0}, "high": {"x": 5.0, "y": 3.0}},
    )
    strategy = GatingStrategy({"q": Node(gate), "in mid": Node(Rectangle((Range(B, 0, None),)), "mid")})
    found = gate_sample(file([0, 1, 1.5, 2, 9], [-1, 5, -5, 1, -1]), strategy)
    assert found.counts == {"low": 1, "mid": 2, "high": 1, "in mid": 1}
    assert strategy.parent("in mid") == "mid" and gating_ml.read(gating_ml.write(strategy)) == strategy


def test_booleans_and_ratios() -> None:
    ratio = Dimension(Ratio("A", "B", 2.0, 1.0, 0.0))
    strategy = GatingStrategy(
        {
            "none": Node(Boolean("not", (Operand("both"),)), "big"),
            "both": Node(Boolean("and", (Operand("big"), Operand("even", complement=True)))),
            "any": Node(Boolean("or", (Operand("big"), Operand("even")))),
            "big": Node(Rectangle((Range(A, 3, None),))),
            "even": Node(Rectangle((Range(ratio, 1.0, 2.0),))),
        }
    )
    found = gate_sample(file([1, 2, 3, 4], [1, 1, 4, 0]), strategy)
    # 2 (A - 1) / B: 0, 2, 1, infinite
    assert found.member("even").tolist() == [False, False, True, False]
    assert found.counts == {"none": 1, "both": 1, "any": 2, "big": 2, "even": 1}


def test_compensation_is_taken_out_before_the_gate() -> None:
    """A tenth of A's light is seen in B: 100 and 10 are A alone."""
    spill = Spillover(("A", "B"), ((1.0, 0.1), (0.0, 1.0)))
    sample = file([100, 0], [10, 10], text={"$SPILLOVER": to_keyword(spill)})
    for compensation in ("FCS", "own"):
        gate = Rectangle((Range(Dimension("B", None, compensation), 5.0, None),))
        strategy = GatingStrategy({"g": Node(gate)}, {"own": spill})
        assert gate_sample(sample, strategy).member("g").tolist() == [False, True]


def test_a_matrix_may_unmix_more_detectors_than_dyes() -> None:
    unmix = Spillover(("A", "B", "C"), ((1.0, 0.5, 0.0), (0.0, 0.5, 1.0)), ("FITC", "PE"))
    sample = file([10, 0], [5, 5], [0, 10])
    gate = Rectangle((Range(Dimension("PE", None, "m"), 5.0, None),))
    assert gate_sample(sample, GatingStrategy({"g": Node(gate)}, {"m": unmix})).member("g").tolist() == [False, True]


@pytest.mark.parametrize(
    "gates",
    [
        {"a": Node(Rectangle((Range(A, 0, 1),)), "b")},
        {"a": Node(Rectangle((Range(A, 0, 1),)), "b"), "b": Node(Rectangle((Range(A, 0, 1),)), "a")},
        {"a": Node(Boolean("not", (Operand("a"),)))},
        {"a": Node(Rectangle((Range(Dimension("A", None, "m"), 0, 1),)))},
        {"a": Node(Rectangle((Range(A, 0, 1),))), "q": Node(Quadrant({}, {"a": {}}))},
    ],
)
def test_gates_that_cannot_be_applied_are_refused(gates: dict[str, Node]) -> None:
    with pytest.raises(GateError):
        GatingStrategy(gates)


def test_a_channel_that_is_not_there_is_named() -> None:
    for dimension in (Dimension("CD19"), Dimension(Ratio("A", "CD19"))):
        with pytest.raises(FcsError, match="CD19"):
            members(file([1.0]), Rectangle((Range(dimension, 0, 1),)))


def test_a_sample_without_events_has_empty_populations() -> None:
    found = gate_sample(file([]), GatingStrategy({"g": Node(Rectangle((Range(A, 0, 1),)))}))
    assert found.counts == {"g": 0} and found.member("g").shape == (0,)


@st.composite
def _gates(draw: st.DrawFn, names: list[str], columns: list[np.ndarray[Any, Any]]) -> dict[str, Node]:
    """Some gates whose bounds and vertices often lie exactly on events."""

    def dimension() -> tuple[Dimension, list[float]]:
        n = draw(st.integers(0, len(names) - 1))
        scale = draw(st.sampled_from(SCALES))
        light = columns[n][:6].astype(np.float64)
        there = light if scale is None else scale.apply(light)
        finite = [float(v) for v in there if np.isfinite(v)]
        return Dimension(names[n], scale, draw(st.sampled_from(["uncompensated", "FCS"]))), [*finite, 0.3, 0.7]

    gates: dict[str, Node] = {}
    for k in range(draw(st.integers(1, 5))):
        parent = draw(st.sampled_from(["", *gates]))
        (one, at_one), (two, at_two) = dimension(), dimension()
        pick_one, pick_two = st.sampled_from(at_one), st.sampled_from(at_two)
        complement = draw(st.booleans())
        kind = draw(st.sampled_from(["box", "polygon", "polygon", "ellipse", "not"] if gates else ["box", "polygon"]))
        gate: Gate
        if kind == "box":
            gate = Rectangle((Range(one, draw(pick_one)), Range(two, None, draw(pick_two))), complement)
        elif kind == "polygon":
            vertices = draw(st.lists(st.tuples(pick_one, pick_two), min_size=3, max_size=7))
            gate = Polygon(one, two, tuple(vertices), complement)
        elif kind == "ellipse":
            gate = Ellipsoid((one, two), (draw(pick_one), draw(pick_two)), ((2.0, 0.5), (0.5, 1.0)), 1.0, complement)
        else:
            gate = Boolean("not", (Operand(draw(st.sampled_from(list(gates)))),))
        gates[f"g{k}"] = Node(gate, parent)
    return gates


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_every_event_is_where_the_definition_puts_it(data: st.DataObject) -> None:
    datatype = data.draw(st.sampled_from(["F", "F", "D", "I"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    events = data.draw(st.integers(1, 300))
    bits = data.draw(st.sampled_from([8, 16, 32]))
    channels, columns = [], []
    for name in "ABC":
        values = rng.normal(0, 1, events) * 10 ** rng.uniform(-1, 5, events)
        if datatype == "I":
            values = np.abs(values).astype(np.uint64) % 2**bits
        elif data.draw(st.integers(0, 9)) == 0:
            values[: data.draw(st.integers(0, 3))] = [math.nan, math.inf, -1e30][data.draw(st.integers(0, 2))]
        decades = 4.0 if datatype == "I" and data.draw(st.booleans()) else 0.0
        gain = data.draw(st.sampled_from([1.0, 3.67]))
        channels.append(Channel(name, "", bits, 2.0**bits, gain, decades, 1.0 if decades else 0.0))
        columns.append(values.astype({"F": "f4", "D": "f8", "I": f"u{bits // 8}"}[datatype]))
    spill = Spillover(("A", "B", "C"), ((1, 0.13, 0.02), (0.3, 1, 0.07), (0, 0.01, 1)))
    sample = read_fcs(encode_fcs(columns, channels, datatype=datatype, text={"$SPILLOVER": to_keyword(spill)}))
    strategy = GatingStrategy(data.draw(_gates(list("ABC"), columns)))
    quick, slow = gate_sample(sample, strategy), gate_by_definition(sample, strategy)
    for name in strategy.populations:
        np.testing.assert_array_equal(quick.member(name), slow.member(name), err_msg=name)
    assert quick.counts == slow.counts


def test_threads_and_blocks_leave_no_seam() -> None:
    """More events than a block and more bytes than one thread takes; the number of events is no multiple of eight."""
    rng = np.random.default_rng(5)
    events = 300_001
    columns = rng.normal(500, 400, (8, events)).astype(np.float32)
    names = list("ABCDEFGH")
    matrix = np.eye(8) + 0.05 * rng.random((8, 8))
    spill = Spillover(tuple(names), tuple(map(tuple, matrix.tolist())))
    sample = read_fcs(encode_fcs(list(columns), names, text={"$SPILLOVER": to_keyword(spill)}))
    scale = Logicle(10_000.0, 0.5, 4.5, 0.0)
    one, two = Dimension("A", scale, "FCS"), Dimension("B", scale, "FCS")
    strategy = GatingStrategy(
        {
            "p": Node(Polygon(one, two, ((0.2, 0.2), (0.8, 0.3), (0.7, 0.8), (0.4, 0.7)))),
            "r": Node(Rectangle((Range(Dimension("C", scale, "FCS"), 0.5, 0.8),)), "p"),
            "few": Node(Polygon(two, one, ((0.5, 0.5), (0.7, 0.5), (0.6, 0.7))), "r"),
        }
    )
    assert len(sample.parts()) > 1
    quick, slow = gate_sample(sample, strategy), gate_by_definition(sample, strategy)
    assert quick.counts == slow.counts and quick.counts["few"] > 100
    for name in strategy.populations:
        np.testing.assert_array_equal(quick.member(name), slow.member(name))


@pytest.mark.filterwarnings("error")
def test_doubles_and_integers_beyond_single_precision_are_judged_exactly_and_in_silence() -> None:
    """Differences that single precision cannot hold, and values that it cannot: gates see the stored ones."""
    random = np.random.default_rng(3)
    doubles = [1 + random.integers(0, 100, 3000) * 1e-10, random.normal(0, 1e300, 3000)]
    integers = [random.integers(2**24, 2**24 + 40, 3000), random.integers(0, 2**32, 3000)]
    for columns, kind, bounds in (
        (doubles, "D", (1 + 2e-9, 1 + 5e-9, 1e299)),
        (integers, "I", (2**24 + 11, 2**24 + 17, 2**31 + 1)),
    ):
        channels = [Channel(name, range=2.0**32) for name in "AB"]
        sample = read_fcs(encode_fcs(columns, channels, datatype=kind))  # type: ignore[arg-type]
        low, high, top = bounds
        gates = GatingStrategy({
            "between": Node(Rectangle((Range(Dimension("A"), low, high),))),
            "below": Node(Rectangle((Range(Dimension("B"), None, top),))),
        })  # fmt: skip
        found = gate_sample(sample, gates)
        assert (found.member("between") == ((columns[0] >= low) & (columns[0] < high))).all()
        assert (found.member("below") == (columns[1] < top)).all()
