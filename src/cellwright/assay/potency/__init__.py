"""Relative potency: how strong a preparation is beside a standard, with limits, and whether the assay may be believed."""

from cellwright.assay.potency.assay_report import AssayReport, Estimate, report
from cellwright.assay.potency.assay_table import AssayTable, read
from cellwright.assay.potency.combination import Combined, combine
from cellwright.assay.potency.equivalence import Equivalence, equivalent_curves, equivalent_slopes
from cellwright.assay.potency.layout import BLANK, Layout, LayoutError
from cellwright.assay.potency.parallel_line import parallel_lines
from cellwright.assay.potency.parallel_logistic import parallel_logistic
from cellwright.assay.potency.result import Potency, PotencyResult
from cellwright.assay.potency.slope_ratio import slope_ratio

__all__ = [
    "BLANK",
    "AssayReport",
    "AssayTable",
    "Combined",
    "Equivalence",
    "Estimate",
    "Layout",
    "LayoutError",
    "Potency",
    "PotencyResult",
    "combine",
    "equivalent_curves",
    "equivalent_slopes",
    "parallel_lines",
    "parallel_logistic",
    "read",
    "report",
    "slope_ratio",
]
