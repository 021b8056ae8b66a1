"""Flow cytometry: raw FCS files, their gates, and the counts that follow from them.

from cellwright.cytometry import read_fcs, gate_sample, gating_ml
"""

from cellwright.cytometry.compensation import Spillover, compensate
from cellwright.cytometry.fault import FcsError, GateError, Repair
from cellwright.cytometry.fcs import Channel, FcsFile, read_fcs, read_fcs_all
from cellwright.cytometry.fcs_write import encode_fcs, write_fcs
from cellwright.cytometry.gate import (
    Boolean,
    Dimension,
    Divider,
    Ellipsoid,
    GatingStrategy,
    Node,
    Operand,
    Polygon,
    Quadrant,
    Range,
    Ratio,
    Rectangle,
)
from cellwright.cytometry.gating import Membership, gate_sample

__all__ = [
    "Boolean",
    "Channel",
    "Dimension",
    "Divider",
    "Ellipsoid",
    "FcsError",
    "FcsFile",
    "GateError",
    "GatingStrategy",
    "Membership",
    "Node",
    "Operand",
    "Polygon",
    "Quadrant",
    "Range",
    "Ratio",
    "Rectangle",
    "Repair",
    "Spillover",
    "compensate",
    "encode_fcs",
    "gate_sample",
    "read_fcs",
    "read_fcs_all",
    "write_fcs",
]
