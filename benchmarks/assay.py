"""How fast assays are computed: many logistic curves at once against scipy in a loop, and the annual review.

All data are simulated. The rival fits the same four-parameter curves one by one with `scipy.optimize.least_squares`
(MINPACK, tolerances 1e-12, started near the truth); both reach the same sums of squares, which is checked before timing.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
from scipy import optimize

from benchmarks.harness import Session, timed
from cellwright.assay.fit import fit_many
from cellwright.assay.review import Dataset, Lots, ReleaseTest, Series, html, pdf, review

DOSE: Final = np.repeat(np.geomspace(0.1, 100, 8), 3)
CURVES: Final = 100
AGREEMENT: Final = 1e-12


def simulated_plates(curves: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Starting values and 24 responses of each curve, 1.5 % noise."""
    random = np.random.default_rng(seed)
    zero, infinite = random.uniform(0, 0.2, curves), random.uniform(1.5, 3, curves)
    slope, centre = random.uniform(0.7, 2.5, curves), np.exp(random.uniform(0, 2.5, curves))
    mean = infinite[:, None] + (zero - infinite)[:, None] / (1 + (DOSE / centre[:, None]) ** slope[:, None])
    return np.stack([zero, infinite, slope, np.log(centre)], axis=1), mean + random.normal(0, 0.03, mean.shape)


def by_scipy(start: np.ndarray, observed: np.ndarray) -> float:
    """The residual sum of squares of one curve."""
    log_dose = np.log(DOSE)

    def residual(b: np.ndarray) -> np.ndarray:
        return b[1] + (b[0] - b[1]) / (1 + np.exp(b[2] * (log_dose - b[3]))) - observed

    return float(2 * optimize.least_squares(residual, start, method="lm", ftol=1e-12, xtol=1e-12, gtol=1e-12).cost)


def simulated_year(lots: int, tests: int = 12, seed: int = 2) -> Dataset:
    """A simulated year: normal results, a method change in June, some bounds, two covariates."""
    random = np.random.default_rng(seed)
    day = np.datetime64("2026-01-01") + np.sort(random.integers(0, 365, lots))
    made = Lots(
        id=np.array([f"CW-{number:06d}" for number in range(lots)]),
        day=day,
        outcome=random.choice(["released", "rejected", "released out of specification"], lots, p=[0.93, 0.03, 0.04]),
        covariates={"age": random.uniform(2, 70, lots), "collected cells": random.lognormal(1, 0.4, lots)},
    )
    version = np.where(day < np.datetime64("2026-06-01"), "1", "2")
    series = []
    for number in range(tests):
        values = 85 + number - 0.05 * made.covariates["age"] + random.normal(0, 3, lots)
        censored = np.where(random.random(lots) < 0.01, "<", "")
        test = ReleaseTest(
            f"T{number}", f"Simulated test {number}", "%", 70.0 + number, None if number % 2 else 100.0 + number
        )
        series.append(Series(test, np.arange(lots), values, censored, version))
    return Dataset("Simulated product", date(2026, 1, 1), date(2026, 12, 31), made, tuple(series), simulated=True)


def run(session: Session) -> None:
    """Curves a second beside scipy, and the review of 2,500 and 10,000 lots."""
    curves = CURVES * (4 if session.full else 1)
    start, observed = simulated_plates(curves)
    ours = fit_many(DOSE, observed).residual_sum_of_squares
    theirs = np.array([by_scipy(start[row], observed[row]) for row in range(curves)])
    session.figure("greatest relative difference of residual sums of squares", float(np.max(np.abs(ours / theirs - 1))),
                   "", limit=AGREEMENT)  # fmt: skip
    many = np.tile(observed, (20, 1))
    found = session.compare(
        "four-parameter logistic fits",
        {
            "fit_many": lambda: timed(lambda: fit_many(DOSE, many)) / 20,
            "scipy in a loop": lambda: timed(lambda: [by_scipy(start[row], observed[row]) for row in range(curves)]),
        },
        ours="fit_many",
        rounds=9 if session.full else 5,
        targets={"scipy in a loop": 10},
        work=f"{curves} curves of 24 points (ours: a twentieth of a batch of {20 * curves})",
    )
    session.figure("logistic fits", curves / found[0].seconds["fit_many"], "1/s", limit=3000, at_least=True)
    _reviews(session)


def _reviews(session: Session) -> None:
    taken = {}
    pdf(review(simulated_year(50)))  # the typesetter reads its fonts once
    for lots in (2500, 10_000):
        dataset = simulated_year(lots)
        session.say(f"annual review of {lots} lots x 12 tests")
        taken[lots] = timed(lambda data=dataset: (html(found := review(data)), pdf(found)))  # type: ignore[misc]
    session.figure("annual review of 10,000 lots x 12 tests, HTML and PDF", taken[10_000], "s", limit=10)
    session.figure("four times the lots take, times", taken[10_000] / taken[2500], "", limit=5)
