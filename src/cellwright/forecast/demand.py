"""Demand: from people who fall ill to patients, lots, suites, hours and tests per month, in every run of a forecast.

    patients a year = incidence x tested x eligible x access x share        (each factor a triangle, drawn per run)
    made per patient: starts = units (1 + f r), delivered = units (1 - f + f r w)

with f the chance that a unit fails, r the share of failures that is made again, and w the chance that this succeeds. A
product without approval in a run has no demand in it; one that follows another product has at most that one's treated
patients. Demand rises in a straight line from approval to its full height.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cellwright.factory.definition import Basis, Definition, Entry, Flaw, Name, Text, Words, read, repeated, unknown
from cellwright.forecast.simulate import Runs, stream
from cellwright.language import N_

F64 = NDArray[np.float64]


class Triangle(Entry):
    """A number known to lie between two others, most likely near a third."""

    low: Decimal
    mode: Decimal
    high: Decimal
    basis: Basis

    @property
    def sound(self) -> bool:
        return 0 <= self.low <= self.mode <= self.high

    @property
    def mean(self) -> Decimal:
        return (self.low + self.mode + self.high) / 3

    def draw(self, random: np.random.Generator, size: int) -> F64:
        """Values of the triangle; the same number throughout where it has no width."""
        if self.low == self.high:
            return np.full(size, float(self.mode))
        return random.triangular(float(self.low), float(self.mode), float(self.high), size)


class Factor(Triangle):
    """One step of the way from people to patients."""

    id: Name
    text: Text


class Making(Entry):
    """How often a unit fails, how often it is then made again, and how often that succeeds."""

    failure: Decimal
    remade: Decimal
    remade_well: Decimal
    basis: Basis

    @property
    def starts(self) -> float:
        """Units begun for one unit asked for."""
        return 1 + float(self.failure * self.remade)

    @property
    def delivered(self) -> float:
        """Units delivered for one unit asked for."""
        return float(1 - self.failure + self.failure * self.remade * self.remade_well)


class Load(Entry):
    """What one unit takes: days in a suite, hours to clear it, hours of people, hours and number of tests."""

    suite_days: Decimal
    changeover_hours: Decimal
    staff_hours: Decimal
    qc_hours: Decimal
    qc_tests: Decimal
    qc_days: Decimal


class Wanted(Entry):
    """The demand for one product."""

    product: Name
    programmes: tuple[Words, ...]
    """Programmes of the forecast; the first approval opens the demand."""
    name: Text
    unit: Literal["lot", "dose", "litre"]
    factors: Annotated[tuple[Factor, ...], Meta(min_length=1)]
    per_patient: Triangle
    """Units for a patient, or for a patient and year."""
    making: Making
    load: Load
    load_basis: Basis
    after: Name = ""
    """The product whose treated patients the factors start from."""


class Ramp(Entry):
    """Years from approval to full demand."""

    years: Decimal
    basis: Basis


class Suite(Entry):
    """Days a month on which a suite is used."""

    days_per_month: Decimal
    basis: Basis


class DemandModel(Definition):
    """The file of demand."""

    products: Annotated[tuple[Wanted, ...], Meta(min_length=1)]
    ramp: Ramp
    suite: Suite

    def check(self) -> Iterator[Flaw]:
        names = [wanted.product for wanted in self.products]
        for index, name in repeated(names):
            yield Flaw(("products", index, "product"), "{name} stands here again.", expected="each once", name=name)
        for index, wanted in enumerate(self.products):
            for number, triangle in enumerate((*wanted.factors, wanted.per_patient)):
                if not triangle.sound:
                    what = N_("The numbers of the triangle are out of order.")
                    yield Flaw(("products", index, "factors", number), what, expected="0 <= low <= mode <= high")
            shares = (wanted.making.failure, wanted.making.remade, wanted.making.remade_well)
            if not all(0 <= share <= 1 for share in shares):
                yield Flaw(("products", index, "making"), "A share is outside its range.", expected="0 to 1")
            if unknown(wanted.after, names[:index]):
                what = N_("{name} is not one of the products above it.")
                yield Flaw(("products", index, "after"), what, expected="an earlier product", name=wanted.after)


def shipped_demand() -> DemandModel:
    """The demand model that comes with the program."""
    from cellwright import shipped

    return read(DemandModel, shipped.content("forecast/demand.yaml").decode(), "forecast/demand.yaml")


@dataclass(frozen=True)
class ProductDemand:
    """Per run and month (shape runs x months): patients who start, and units begun."""

    wanted: Wanted
    patients: F64
    units: F64


@dataclass(frozen=True)
class Demand:
    """Demand of all products over the months from `start`."""

    model: DemandModel
    start: date
    months: int
    products: tuple[ProductDemand, ...]

    def month(self, index: int) -> str:
        """The name of a month, for example `2027-03`."""
        year, month = divmod(self.start.year * 12 + self.start.month - 1 + index, 12)
        return f"{year:04d}-{month + 1:02d}"

    def load(self, one: ProductDemand) -> Mapping[str, F64]:
        """What the units of a product take, per run and month."""
        load, units = one.wanted.load, one.units
        days = float(load.suite_days) + float(load.changeover_hours) / 24
        return {
            "suites": units * days / float(self.model.suite.days_per_month),
            "staff_hours": units * float(load.staff_hours),
            "qc_hours": units * float(load.qc_hours),
            "qc_tests": units * float(load.qc_tests),
        }


def demand(model: DemandModel, runs: Runs, years: int) -> Demand:
    """Demand in every run of a forecast.

    Args:
        runs: a forecast that kept the times of the programmes named in the model (`keep`).

    Raises:
        KeyError: a programme of the model is not among the kept ones.
    """
    months = years * 12
    found: dict[str, ProductDemand] = {}
    delivered: dict[str, F64] = {}
    for wanted in model.products:
        random = stream(runs.assumptions.seed, f"demand/{wanted.product}")
        drawn = [factor.draw(random, runs.assumptions.runs) for factor in wanted.factors]
        each = wanted.per_patient.draw(random, runs.assumptions.runs)
        first = np.min([runs.times[name] for name in wanted.programmes], axis=0)
        rise = _rise(first, months, float(model.ramp.years))
        level = np.prod(drawn, axis=0)[:, None]
        # Patients of a product that follows another one are those whom that one was delivered to.
        patients = level * rise * (delivered[wanted.after] if wanted.after else 1 / 12)
        found[wanted.product] = ProductDemand(wanted, patients, patients * each[:, None] * wanted.making.starts)
        delivered[wanted.product] = patients * wanted.making.delivered
    return Demand(model, runs.as_of, months, tuple(found.values()))


def with_settled(runs: Runs, settled: Mapping[str, str]) -> Runs:
    """The runs with programmes that have come to an end: approved now in every run, or never."""
    size = runs.assumptions.runs
    times = {name: np.full(size, 0.0 if end == "approved" else np.inf, np.float32) for name, end in settled.items()}
    return replace(runs, times={**runs.times, **times})


def _rise(first: NDArray[np.float32], months: int, years: float) -> F64:
    """The share of full demand in each month, from approval on; shape runs x months."""
    middle = (np.arange(months) + 0.5) / 12
    since: F64 = middle[None, :] - first.astype(float)[:, None]
    return np.clip(since / years, 0.0, 1.0) if years > 0 else (since >= 0).astype(float)


def rows(made: Demand, *, by: Literal["month", "year"] = "month") -> list[dict[str, object]]:
    """What a planner and a twin read: for each product and month, means and the 5 and 95 % of the runs.

    `orders_per_day` is the mean rate of a Poisson stream of patients in that month or year.
    """
    step = 1 if by == "month" else 12
    answer: list[dict[str, object]] = []
    for one in made.products:
        series = {"patients": one.patients, "units": one.units, **made.load(one)}
        for index in range(0, made.months, step):
            row: dict[str, object] = {
                "product": one.wanted.product, "unit": one.wanted.unit,
                "period": made.month(index) if by == "month" else made.month(index)[:4],
            }  # fmt: skip
            for name, values in series.items():
                part = values[:, index : index + step]
                total = part.mean(axis=1) if name == "suites" else part.sum(axis=1)
                low, high = np.quantile(total, (0.05, 0.95))
                row[name] = {"mean": _said(float(total.mean())), "5%": _said(low), "95%": _said(high)}
            days = 365.25 / 12 * step
            row["orders_per_day"] = _said(float(one.patients[:, index : index + step].sum(axis=1).mean()) / days)
            answer.append(row)
    return answer


def _said(value: float) -> str:
    """A number for a document, to four significant digits."""
    return format(Decimal(f"{value:.4g}"), "f")
