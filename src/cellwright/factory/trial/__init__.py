"""Trials: protocols as files, and eligibility judged in three-valued logic with an explanation."""
