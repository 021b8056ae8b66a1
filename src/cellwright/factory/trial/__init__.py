"""Trials: protocols as files, and eligibility judged in three-valued logic with an explanation."""

from cellwright.factory.trial.protocol import Protocol

__all__ = ["Protocol"]
