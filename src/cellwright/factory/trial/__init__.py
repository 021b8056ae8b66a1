"""Trials: protocols as files, and eligibility judged in three-valued logic with an explanation."""

from cellwright.factory.trial.eligibility import Judgement, judge
from cellwright.factory.trial.evidence import Evidence, ages_on, read_evidence, write_evidence
from cellwright.factory.trial.protocol import Protocol

__all__ = ["Evidence", "Judgement", "Protocol", "ages_on", "judge", "read_evidence", "write_evidence"]
