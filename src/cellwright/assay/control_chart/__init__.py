"""Statistical process control: charts, run rules, capability, several tests together, and trends that know their method."""

from cellwright.assay.control_chart.capability import Capability, Index, capability
from cellwright.assay.control_chart.chart import (
    Chart,
    ChartError,
    Cusum,
    Standard,
    counts,
    cusum,
    ewma,
    individuals,
    means_and_deviations,
    means_and_ranges,
    nonconforming,
    proportions,
    rates,
)
from cellwright.assay.control_chart.multivariate import hotelling
from cellwright.assay.control_chart.rules import Signal, nelson, western_electric
from cellwright.assay.control_chart.trend import Line, Slope, trend

__all__ = [
    "Capability",
    "Chart",
    "ChartError",
    "Cusum",
    "Index",
    "Line",
    "Signal",
    "Slope",
    "Standard",
    "capability",
    "counts",
    "cusum",
    "ewma",
    "hotelling",
    "individuals",
    "means_and_deviations",
    "means_and_ranges",
    "nelson",
    "nonconforming",
    "proportions",
    "rates",
    "trend",
    "western_electric",
]
