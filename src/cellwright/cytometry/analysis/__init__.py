"""An analysis as a file in a version, and its record: bound to the raw file, repeated bit for bit.

from cellwright.cytometry.analysis import analyse, read_analysis
"""

from cellwright.cytometry.analysis.control import ControlFile, ControlFinding, InstrumentQc
from cellwright.cytometry.analysis.definition import Analysis
from cellwright.cytometry.analysis.gates import Panel, strategy
from cellwright.cytometry.analysis.outcome import Outcome
from cellwright.cytometry.analysis.reading import AnalysisError, Problem, Sheet, analysis_schema, read_analysis
from cellwright.cytometry.analysis.record import (
    AnalysisRecord,
    Disagreement,
    Evidence,
    Moved,
    Request,
    Revision,
    analyse,
    differences,
    read_record,
    record_bytes,
    record_sha256,
)

__all__ = [
    "Analysis",
    "AnalysisError",
    "AnalysisRecord",
    "ControlFile",
    "ControlFinding",
    "Disagreement",
    "Evidence",
    "InstrumentQc",
    "Moved",
    "Outcome",
    "Panel",
    "Problem",
    "Request",
    "Revision",
    "Sheet",
    "analyse",
    "analysis_schema",
    "differences",
    "read_analysis",
    "read_record",
    "record_bytes",
    "record_sha256",
    "strategy",
]
