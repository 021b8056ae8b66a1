"""Curves fitted to readings: nonlinear least squares, logistic curves with inverse prediction, thousands at once."""

from cellwright.assay.fit.batch import BatchFit, fit_many
from cellwright.assay.fit.inverse import Inverse, inverse
from cellwright.assay.fit.least_squares import Bounds, Fit, complex_step, least_squares
from cellwright.assay.fit.logistic import Curve, CurveError, fit_curve

__all__ = [
    "BatchFit",
    "Bounds",
    "Curve",
    "CurveError",
    "Fit",
    "Inverse",
    "complex_step",
    "fit_curve",
    "fit_many",
    "inverse",
    "least_squares",
]
