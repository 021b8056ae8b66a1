"""PCR: standard curves and cycles, digital PCR, vector copy number, and tests for what must not be there."""

from cellwright.assay.pcr.copy_number import (
    CopyNumber,
    Fraction,
    per_cell_digital,
    per_cell_fieller,
    per_cell_quantitative,
    per_transduced_cell,
    plausibility,
)
from cellwright.assay.pcr.cycle import quantification_cycle, without_baseline
from cellwright.assay.pcr.digital import Molecules, Partitions, concentration, molecules
from cellwright.assay.pcr.nucleic_acid_test import Detection, Rules, Well, detect
from cellwright.assay.pcr.standard_curve import Quantity, StandardCurve, curve_checks, quantify, standard_curve

__all__ = [
    "CopyNumber",
    "Detection",
    "Fraction",
    "Molecules",
    "Partitions",
    "Quantity",
    "Rules",
    "StandardCurve",
    "Well",
    "concentration",
    "curve_checks",
    "detect",
    "molecules",
    "per_cell_digital",
    "per_cell_fieller",
    "per_cell_quantitative",
    "per_transduced_cell",
    "plausibility",
    "quantification_cycle",
    "quantify",
    "standard_curve",
    "without_baseline",
]
