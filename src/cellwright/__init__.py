"""Cellwright: runs a cell-therapy factory, with a record that a stranger can verify."""

__version__ = "0.1.0"
