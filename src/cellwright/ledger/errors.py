"""Why the ledger refuses. Every error says what was refused, why, and what would make it possible.

A refusal (`Conflict`, `ClaimTaken`, `HardStop`, `IdReused`, `BadEvent`) means: nothing of the append was written.
`Unavailable` means: the outcome is unknown or nothing could be written now; sending the same drafts with the same ids
again is always safe, because an id is written at most once.
"""

from __future__ import annotations

from cellwright.language import _


class LedgerError(Exception):
    """Any refusal or failure of the ledger."""


class BadEvent(LedgerError):
    """A draft that can not become an event: outside the canonical profile, or its parts disagree (R001)."""


class Conflict(LedgerError):
    """A stream does not have the number of events the caller decided on: load it again and decide again."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        self.stream, self.expected, self.actual = stream, expected, actual
        super().__init__(
            _(
                "Nothing was written: {stream} was expected to have {expected} events and has {actual}. "
                "Load it again and decide again."
            ).format(stream=stream, expected=expected, actual=actual)
        )


class ClaimTaken(LedgerError):
    """Something that exists once (a bag, a label, a position) is already held."""

    def __init__(self, key: str, value: str, pos: int) -> None:
        self.key, self.value, self.pos = key, value, pos
        super().__init__(
            _(
                "Nothing was written: {key} is already held by {value} since event {pos}. "
                "Only an event that releases it frees it."
            ).format(key=key, value=value, pos=pos)
        )


class HardStop(LedgerError):
    """An identity that must be live and equal is not: the wrong item may be in hand."""

    def __init__(self, key: str, expected: str, found: str | None) -> None:
        self.key, self.expected, self.found = key, expected, found
        if found is None:
            text = _(
                "Hard stop, nothing was written: {key} must belong to {expected}, and belongs to nobody. "
                "Set the item aside and check its identity."
            )
        else:
            text = _(
                "Hard stop, nothing was written: {key} must belong to {expected}, and belongs to {found}. "
                "Set the item aside and check its identity."
            )
        super().__init__(text.format(key=key, expected=expected, found=found))


class IdReused(LedgerError):
    """An event id that already stands for another content."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(
            _("Nothing was written: event id {id} already stands for another content. Use a new id.").format(id=id)
        )


class Unavailable(LedgerError):
    """The outcome is unknown, or the store could not be reached. Retry with the same ids: nothing is written twice."""


class StorageFull(Unavailable):
    """The disk has no room. Nothing was written; retry with the same ids when there is space."""


class Locked(LedgerError):
    """Another process has this ledger open for writing; open it read-only, or reach it through that process."""


class ReadOnly(LedgerError):
    """The ledger was opened for reading only."""


class Closed(LedgerError):
    """The ledger has been closed."""


class Tampered(LedgerError):
    """What is stored is not what the ledger wrote: tables or triggers altered, or head and events disagree (R002, R003)."""
