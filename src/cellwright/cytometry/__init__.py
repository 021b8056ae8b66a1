"""Flow cytometry: raw FCS files and the counts that follow from them.

from cellwright.cytometry import read_fcs, count, Gate
"""

from cellwright.cytometry.fcs import FcsError, FcsFile, read_fcs, write_fcs
from cellwright.cytometry.gate import Gate, GateError, count

__all__ = ["FcsError", "FcsFile", "Gate", "GateError", "count", "read_fcs", "write_fcs"]
