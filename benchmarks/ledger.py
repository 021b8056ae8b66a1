"""How fast the record is: appends, clients together, verification and one patient's history, beside named rivals.

The rivals take turns with the ledger in one process: plain tables with the same bytes (SQLite and PostgreSQL), the
recorders of the `eventsourcing` library, one client against 64, and verification of the Merkle tree alone.
"""

from benchmarks.harness import Session


def run(session: Session) -> None:
    """Every comparison of the record."""
    session.say("measuring")
