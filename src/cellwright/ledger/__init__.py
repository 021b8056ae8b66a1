"""The record of everything done to every patient's cells: append-only, ordered, provable to a stranger.

    from cellwright.ledger import Draft, open_ledger

    with open_ledger("ledger.db", create=True) as ledger:
        ledger.append([Draft(stream="lot/1", type="lot.opened", id="…", actor="ann", body={})], {"lot/1": 0})

Useful on its own: it knows nothing of cells. Its format is a page of the manual (docs/reference/ledger-format.md).
"""

from cellwright.ledger.clock import Clock, SimulatedClock, system_clock
from cellwright.ledger.errors import (
    BadEvent,
    ClaimTaken,
    Closed,
    Conflict,
    HardStop,
    IdReused,
    LedgerError,
    Locked,
    ReadOnly,
    StorageFull,
    Tampered,
    Unavailable,
)
from cellwright.ledger.event import Claim, Draft, Event, Head, Record, Snapshot, StoredCheckpoint
from cellwright.ledger.ledger import Fold, Ledger, ledger_on, open_ledger
from cellwright.ledger.scan import Finding
from cellwright.ledger.verify import Verification, verify

__all__ = [
    "BadEvent",
    "Claim",
    "ClaimTaken",
    "Clock",
    "Closed",
    "Conflict",
    "Draft",
    "Event",
    "Finding",
    "Fold",
    "HardStop",
    "Head",
    "IdReused",
    "Ledger",
    "LedgerError",
    "Locked",
    "ReadOnly",
    "Record",
    "SimulatedClock",
    "Snapshot",
    "StorageFull",
    "StoredCheckpoint",
    "Tampered",
    "Unavailable",
    "Verification",
    "ledger_on",
    "open_ledger",
    "system_clock",
    "verify",
]
