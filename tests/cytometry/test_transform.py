"""Scales against published values and their own definitions, and their inverses."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.cytometry import GateError, Spillover, compensate
from cellwright.cytometry.compensation import from_controls, from_keyword, from_percent_keywords, to_keyword
from cellwright.cytometry.threshold import on_light
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

SCALES: list[Transform] = [
    Linear(1000.0),
    Linear(1000.0, 100.0),
    Log(10_000.0, 5.0),
    Asinh(1000.0, 4.0, 1.0),
    Logicle(262_144.0, 0.5, 4.5),
    Logicle(1000.0, 1.0, 4.0, 1.0),
    Logicle(10_000.0, 0.0, 4.5),
    Hyperlog(262_144.0, 0.5, 4.5),
    Hyperlog(1000.0, 1.0, 4.0, 1.0),
    FlowJoBiex(),
    FlowJoBiex(1.0, -100.0, 4.5, 10_000.0),
    FlowJoLog(1.0, 5.0),
]


def test_logicle_satisfies_its_definition() -> None:
    """Moore and Parks 2012: S(1) = T, S(x1) = 0, S''(x1) = 0, the same slope weight at x0, and mirrored about x1."""
    for top, width, decades, extra in ((262_144.0, 0.5, 4.5, 0.0), (10_000.0, 1.0, 4.0, 0.5), (1000.0, 1.0, 4.0, -0.5)):
        scale = Logicle(top, width, decades, extra)
        x1 = (extra + width) / (decades + extra)
        assert scale.inverse(1.0) == pytest.approx(top, rel=1e-12)
        assert scale.apply(0.0) == x1 and scale.inverse(x1) == 0.0
        step = 1e-3
        curve = scale.inverse(x1 + np.array([-step, 0.0, step]))
        assert curve[0] == pytest.approx(-curve[2], rel=1e-12)
        # The linear region: near x1 the third derivative is the first that bends the curve.
        ratio = scale.inverse(x1 + step) / scale.inverse(x1 + step / 2)
        assert ratio == pytest.approx(2.0, abs=1e-4)
        # W decades of the negative side are as wide as the data's linear part: S(x0) is the reference value.
        b = (decades + extra) * math.log(10)
        x = np.array([0.6, 0.8])
        slope = math.log(scale.inverse(x[1]) / scale.inverse(x[0])) / (x[1] - x[0])
        assert slope == pytest.approx(b, rel=0.2)


@pytest.mark.parametrize(
    ("scale", "light", "gate"),
    [
        # Worked out from the formulas of Gating-ML 2.0, section 6.2, by hand.
        (Linear(1000.0, 100.0), [-100, 0, 450, 1000], [0, 1 / 11, 0.5, 1]),
        (Log(10_000.0, 4.0), [1, 10, 100, 10_000, 100_000], [0, 0.25, 0.5, 1, 1.25]),
        (Asinh(1000.0, 4.0, 1.0), [0, 1000], [0.2, 1]),
        (FlowJoLog(1.0, 4.0), [0.01, 1, 100, 10_000], [0, 0, 0.5, 1]),
        # FlowJo's own look-up tables (width basis -10, no extra; and -7.943282, one extra negative decade).
        (FlowJoBiex(), [-132.287, 0, 132.287, 159.897, 309.4], [0, 463, 926, 1000, 1289]),
        (FlowJoBiex(1.0, -7.943282), [-865.899, -218.365, 0, 36.2805], [0, 500, 1096, 1229]),
    ],
)
def test_scales_have_their_published_values(scale: Transform, light: list[float], gate: list[float]) -> None:
    np.testing.assert_allclose(
        scale.apply(light), gate, rtol=1e-5, atol=2e-3 if isinstance(scale, FlowJoBiex) else 1e-12
    )


def test_biexponential_scales_agree_with_flowutils() -> None:
    """FlowUtils' C code is the reference implementation of the standard's authors."""
    import flowutils.transforms as theirs

    light = np.concatenate([np.linspace(-2000, 300_000, 5001), [-1e6, 1e6]])
    for top, width, decades, extra in ((262_144.0, 0.5, 4.5, 0.0), (10_000.0, 1.0, 4.0, 0.5), (1000.0, 1.0, 4.0, 1.0)):
        ours = Logicle(top, width, decades, extra).apply(light)
        np.testing.assert_allclose(ours, theirs.logicle(light, None, top, decades, width, extra), atol=1e-10)
        ours = Hyperlog(top, width, decades, extra).apply(light)
        np.testing.assert_allclose(ours, theirs.hyperlog(light, None, top, decades, width, extra), atol=1e-9)


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_inverses_undo_scales(scale: Transform) -> None:
    gate = np.linspace(0.01, 0.99, 997) * (4096 if isinstance(scale, FlowJoBiex) else 1)
    np.testing.assert_allclose(scale.apply(scale.inverse(gate)), gate, rtol=1e-11)
    light = np.geomspace(2.0, 900.0, 500)
    np.testing.assert_allclose(scale.inverse(scale.apply(light)), light, rtol=1e-9)


@pytest.mark.parametrize("scale", [*SCALES, Bounded(Logicle(1000.0, 1.0, 4.0), 0.1, 0.9)], ids=str)
def test_scales_rise_from_one_end_to_the_other(scale: Transform) -> None:
    light = np.concatenate([-np.geomspace(1e9, 1e-9, 3000), [0.0], np.geomspace(1e-9, 1e9, 3000)])
    with np.errstate(invalid="ignore"):
        steps = np.diff(scale.apply(light))
    assert np.all((steps >= -1e-15) | np.isnan(steps))
    ends = scale.apply([-np.inf, np.inf])
    assert not np.isnan(ends).any() and ends[0] <= scale.apply([0.0])[0] <= ends[1]


@given(st.sampled_from(SCALES), st.floats(0.02, 0.98))
@settings(max_examples=200, deadline=None)
def test_a_bound_on_the_light_is_the_bound_on_the_scale(scale: Transform, place: float) -> None:
    bound = place * (4096 if isinstance(scale, FlowJoBiex) else 1)
    (light,) = on_light(scale, (bound,))
    assert scale.apply([light])[0] >= bound > scale.apply([np.nextafter(light, -np.inf)])[0]


def test_a_bound_is_found_however_far_the_search_must_go() -> None:
    """Around zero an inverse is off by many floating-point numbers, and the search runs over all of them."""
    scale = Asinh(10_000.0, 4.0, 1.0)
    for bound in (0.2 - 1e-13, 0.2 + 1e-13):
        (light,) = on_light(scale, (bound,))
        assert abs(light) < 1e-11 and scale.apply([light])[0] >= bound


def test_bounds_that_all_or_none_reach() -> None:
    assert on_light(FlowJoLog(1.0, 4.0), (0.0,)) == (-math.inf,)
    (never,) = on_light(FlowJoBiex(), (5000.0,))
    assert math.isnan(never)
    assert on_light(None, (3.0,)) == (3.0,)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Linear(-1.0),
        lambda: Log(0.0, 4.0),
        lambda: Asinh(1.0, 4.0, -1.0),
        lambda: Logicle(1.0, 3.0, 4.0),
        lambda: Logicle(1.0, 1.0, 4.0, 3.0),
        lambda: Logicle(math.nan, 1.0, 4.0),
        lambda: Hyperlog(1.0, 0.0, 4.0),
        lambda: FlowJoBiex(0.0, 10.0),
        lambda: FlowJoLog(0.0, 4.0),
    ],
)
def test_parameters_out_of_range_are_refused(build: object) -> None:
    with pytest.raises(GateError):
        build()  # type: ignore[operator]


def test_compensation_undoes_spillover() -> None:
    rng = np.random.default_rng(2)
    matrix = np.eye(6) + 0.3 * rng.random((6, 6)) * (1 - np.eye(6))
    spillover = Spillover(tuple("ABCDEF"), tuple(map(tuple, matrix.tolist())))
    light = rng.normal(100, 50, (1000, 6))
    np.testing.assert_allclose(compensate(light @ matrix, spillover), light, rtol=1e-9)
    assert from_keyword(to_keyword(spillover)) == spillover


def test_spillover_is_found_from_single_stains() -> None:
    """Simulated controls without noise: the medians give the matrix back."""
    true = {"A": {"A": 1.0, "B": 0.2}, "B": {"A": 0.05, "B": 1.0}}
    levels = np.array([500.0, 1000.0, 4000.0])
    controls = {own: {name: 30.0 + levels * share for name, share in row.items()} for own, row in true.items()}
    found = from_controls(controls, {"A": np.full(9, 30.0), "B": np.full(9, 30.0)})
    np.testing.assert_allclose(found.matrix, [[1.0, 0.2], [0.05, 1.0]], rtol=1e-12)
    with pytest.raises(GateError, match="not brighter"):
        from_controls(controls, {"A": np.full(9, 9000.0), "B": np.full(9, 30.0)})


def test_the_older_spillover_keywords() -> None:
    """FCS 2.0: percent of channel 1 that is seen in channel 2."""
    found = from_percent_keywords({"$DFC1TO2": "12.5", "$DFC2TO1": "0"}, ["FL1", "FL2", "FL3"])
    assert found == Spillover(("FL1", "FL2"), ((1.0, 0.125), (0.0, 1.0)))


@pytest.mark.parametrize("value", ["", "x", "0", "2,A,B", "2,A,B,1,0,0", "2,A,B,1,0,0,y", "2,A,A,1,0,0,1", "99999,A"])
def test_malformed_spillover_is_refused(value: str) -> None:
    with pytest.raises(GateError):
        from_keyword(value)


def test_a_matrix_without_an_inverse_is_refused() -> None:
    with pytest.raises(GateError, match="inverted"):
        Spillover(("A", "B"), ((1.0, 1.0), (1.0, 1.0))).unmixing()
