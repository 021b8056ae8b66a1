"""Pictures of assays as SVG, the same for screen and paper: curves with standards, controls and limits; residuals; charts."""

from cellwright.assay.picture.canvas import Axis, Picture
from cellwright.assay.picture.control import control_picture
from cellwright.assay.picture.curve import (
    amplification_picture,
    endotoxin_picture,
    partition_picture,
    standard_curve_picture,
)
from cellwright.assay.picture.dose import potency_picture
from cellwright.assay.picture.sheet import sheet_pdf
from cellwright.assay.review.report import NoTypesetter

__all__ = [
    "Axis",
    "NoTypesetter",
    "Picture",
    "amplification_picture",
    "control_picture",
    "endotoxin_picture",
    "partition_picture",
    "potency_picture",
    "sheet_pdf",
    "standard_curve_picture",
]
