"""Bacterial endotoxins by kinetic methods, on plates and cartridges, and what they mean for a recipient."""

from cellwright.assay.endotoxin.kinetic import (
    KineticCurve,
    Measured,
    Readings,
    archived_curve,
    kinetic_curve,
    maximum_valid_dilution,
    measure,
)
from cellwright.assay.endotoxin.verdict import Bag, Judged, Limits, Weight, judge

__all__ = [
    "Bag",
    "Judged",
    "KineticCurve",
    "Limits",
    "Measured",
    "Readings",
    "Weight",
    "archived_curve",
    "judge",
    "kinetic_curve",
    "maximum_valid_dilution",
    "measure",
]
