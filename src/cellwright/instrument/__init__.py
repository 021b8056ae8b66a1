"""Readers of what laboratory instruments export: bytes in, typed readings out, nothing guessed.

Every reader names itself and its version, so that a derived value can say which program read which file (R017). A file
that is not whole is refused: a missing row is not a negative result (R019).
"""

from typing import TYPE_CHECKING

from cellwright.instrument.table import Incomplete, Unreadable

if TYPE_CHECKING:
    from cellwright.instrument.formats import FORMATS, Format, UnknownFormat, detect, read
    from cellwright.instrument.reading import Reading

__all__ = ["FORMATS", "Format", "Incomplete", "Reading", "UnknownFormat", "Unreadable", "detect", "read"]

_LATER = {"FORMATS": "formats", "Format": "formats", "UnknownFormat": "formats", "detect": "formats", "read": "formats",
          "Reading": "reading"}  # fmt: skip


def __getattr__(name: str) -> object:
    """The common interface, imported when it is asked for: the record's own readers need none of it."""
    if name not in _LATER:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"cellwright.instrument.{_LATER[name]}"), name)
