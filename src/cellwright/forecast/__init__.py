"""The forecast: from programmes under way to approvals, patients, lots and clean-room hours, with its uncertainty."""

from cellwright.forecast.prior import Priors, shipped_priors
from cellwright.forecast.programme import Portfolio, Programme, shipped_portfolio
from cellwright.forecast.simulate import Assumptions, Runs, simulate

__all__ = [
    "Assumptions",
    "Portfolio",
    "Priors",
    "Programme",
    "Runs",
    "shipped_portfolio",
    "shipped_priors",
    "simulate",
]
