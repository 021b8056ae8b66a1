"""Readers of what laboratory instruments export: bytes in, typed readings out, nothing guessed.

Every reader names itself and its version, so that a derived value can say which program read which file (R017). A file
that is not whole is refused: a missing row is not a negative result (R019).
"""

from cellwright.instrument.table import Incomplete, Unreadable

__all__ = ["Incomplete", "Unreadable"]
