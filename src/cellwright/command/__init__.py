"""Load, decide, append: the one way anything gets into the record.

The command line, the demonstration, the screens and the interface all go through `desk.Desk`. This floor knows a
ledger, a file store, a clock and people's signatures; it knows no web framework.
"""
