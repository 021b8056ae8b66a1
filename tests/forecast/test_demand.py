"""Demand: the arithmetic by hand, the dependence of aT19, and what doubles when something doubles."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from msgspec.structs import replace

from cellwright.factory.definition import ASSUMED
from cellwright.forecast import Assumptions, shipped_portfolio, shipped_priors, simulate
from cellwright.forecast.demand import Demand, DemandModel, Making, Ramp, Triangle, demand, rows, shipped_demand
from cellwright.forecast.simulate import Runs

MODEL = shipped_demand()
PORTFOLIO = shipped_portfolio()
NAMES = frozenset(name for wanted in MODEL.products for name in wanted.programmes)


def forecast() -> Runs:
    made = Assumptions(outer=100, inner=10, horizon=12)
    return simulate(shipped_priors(), PORTFOLIO.programmes, date(2026, 1, 1), made, NAMES)


RUNS = forecast()


def certain(model: DemandModel) -> DemandModel:
    """The same model without width."""
    return replace(
        model,
        products=tuple(
            replace(
                wanted,
                factors=tuple(replace(f, low=f.mode, high=f.mode) for f in wanted.factors),
                per_patient=replace(wanted.per_patient, low=wanted.per_patient.mode, high=wanted.per_patient.mode),
            )
            for wanted in model.products
        ),
        ramp=Ramp(years=Decimal(0), basis=ASSUMED),
    )


def approved(years: float) -> Runs:
    times = {name: np.full(RUNS.assumptions.runs, years, np.float32) for name in NAMES}
    return Runs(RUNS.assumptions, RUNS.as_of, (), RUNS.yearly, RUNS.prior, times)


def test_a_year_of_car_t_19_by_hand() -> None:
    """9,700 x 0.85 x 0.20 x 0.9 x 0.65 x 0.25 x 0.3 = 72.3 patients; starts 1 + 0.0434 x 0.55."""
    made = demand(certain(MODEL), approved(-1.0), 1)
    car_t, at19, eal, antibody = made.products
    patients = 9700 * 0.85 * 0.20 * 0.9 * 0.65 * 0.25 * 0.3
    assert car_t.patients[0].sum() == pytest.approx(patients)
    assert car_t.units[0].sum() == pytest.approx(patients * (1 + 0.0434 * 0.55))
    treated = patients * (1 - 0.0434 + 0.0434 * 0.55 * 0.52)
    assert at19.patients[0].sum() == pytest.approx(0.5 * treated), "aT19 goes to those whom CAR-T-19 reached"
    assert eal.units[0].sum() == pytest.approx(eal.patients[0].sum() * 14 * 1.03)
    assert (eal.wanted.unit, antibody.wanted.unit) == ("dose", "litre")
    suites = made.load(car_t)["suites"][0, 0]
    assert suites == pytest.approx(car_t.units[0, 0] * (12 + 8 / 24) / 26)


def test_at19_has_no_demand_where_car_t_19_is_not_approved() -> None:
    made = demand(MODEL, RUNS, 10)
    at19 = next(one for one in made.products if one.wanted.product == "aT19")
    never = ~np.isfinite(RUNS.times["CAR-T-19/B-ALL"])
    assert never.any() and not at19.units[never].any()
    car_t = next(one for one in made.products if one.wanted.product == "CAR-T-19")
    assert (at19.patients <= car_t.patients + 1e-9).all()


def test_nothing_is_wanted_before_approval_and_no_less_later() -> None:
    made = demand(MODEL, RUNS, 10)
    for one in made.products:
        first = np.min([RUNS.times[name] for name in one.wanted.programmes], axis=0)
        month = (np.arange(120) + 0.5) / 12
        assert not one.units[month[None, :] < first[:, None]].any()
        assert (np.diff(one.units, axis=1) >= -1e-9).all()


def test_twice_the_share_is_twice_the_lots() -> None:
    factors = MODEL.products[0].factors
    more = tuple(replace(f, low=f.low * 2, mode=f.mode * 2, high=f.high * 2) if f.id == "share" else f for f in factors)
    doubled = replace(MODEL, products=(replace(MODEL.products[0], factors=more), *MODEL.products[1:]))
    a, b = demand(MODEL, RUNS, 5), demand(doubled, RUNS, 5)
    assert np.allclose(b.products[0].units, 2 * a.products[0].units)
    assert np.allclose(b.products[1].units, 2 * a.products[1].units), "and of what follows it"
    assert np.array_equal(b.products[2].units, a.products[2].units)


def test_the_rows_are_what_a_planner_reads() -> None:
    made: Demand = demand(MODEL, RUNS, 3)
    table = rows(made)
    assert len(table) == 4 * 36
    assert table[0]["period"] == "2026-01"
    last = table[35]
    units = last["units"]
    assert isinstance(units, dict)
    assert Decimal(units["5%"]) <= Decimal(units["mean"]) <= Decimal(units["95%"])
    years = rows(made, by="year")
    assert [row["period"] for row in years[:3]] == ["2026", "2027", "2028"]


def test_remaking_never_delivers_more_than_was_asked_for() -> None:
    for failure in ("0", "0.05", "1"):
        making = Making(failure=Decimal(failure), remade=Decimal("0.5"), remade_well=Decimal("0.5"), basis=ASSUMED)
        assert making.delivered <= 1 <= making.starts


def test_assumptions_are_marked_and_flaws_told() -> None:
    graded = {f.id: f.basis.standing for f in MODEL.products[0].factors}
    assert graded["share"] == graded["access"] == "assumption"
    assert graded["b_lineage"] == "fact"
    wrong = Triangle(low=Decimal(3), mode=Decimal(2), high=Decimal(4), basis=ASSUMED)
    first = MODEL.products[0]
    broken = replace(first, per_patient=wrong, after="nobody", making=replace(first.making, failure=Decimal(2)))
    assert len(list(replace(MODEL, products=(first, broken)).check())) == 4
