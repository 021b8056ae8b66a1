"""The record of everything done to every patient's cells: an append-only, provable log of events."""
