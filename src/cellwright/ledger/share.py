"""One process's share of a verification, asked over its standard input and answered over its standard output."""

from __future__ import annotations

import gc
import sys

import msgspec

from cellwright.ledger.ledger import open_ledger
from cellwright.ledger.scan import scan


class Share(msgspec.Struct, frozen=True):
    """What one process is asked to do."""

    where: str
    start: int
    stop: int
    cuts: list[int]


def answer() -> None:
    """Read a share, check it, write the stretch it gave."""
    gc.disable()  # nothing here is cyclic, and the process is short
    share = msgspec.json.decode(sys.stdin.buffer.read(), type=Share)
    with open_ledger(share.where, read_only=True) as ledger:
        stretch = scan(ledger.store, share.start, share.stop, share.cuts)
    sys.stdout.buffer.write(msgspec.msgpack.encode(stretch))
