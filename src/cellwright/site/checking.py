"""Verification of the record in the background, and what was found last."""

import threading
import time
from datetime import UTC, datetime
from typing import Final

import msgspec

from cellwright.command.site import Site
from cellwright.ledger import verify
from cellwright.ledger.checkpoint import COSIGNATURE, NOTE, Status
from cellwright.ledger.event import StoredCheckpoint

NOTES: Final = 50
"""Latest checkpoints compared with the record in one verification."""


BY_ITSELF: Final = 200_000
"""Events verified without being asked, after the start; about half a minute beside other work."""


class Verdict(msgspec.Struct, frozen=True):
    """What a verification found, when, and how long it took."""

    ok: bool
    size: int
    root: str
    findings: tuple[str, ...]
    at: datetime
    took_s: float


class Checking:
    """Verifies when asked, one at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.last: Verdict | None = None
        self.fault: str | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> None:
        """Verify now, unless that is under way already. Does not wait."""
        with self._lock:
            if not self.running:
                self._thread = threading.Thread(target=self._run, name="verification", daemon=True)
                self._thread.start()

    def begin_by_itself(self) -> None:
        """Verify once after the start, where the record is short enough to be read beside the work of the screens."""
        if self.last is None and self.fault is None and self._site.ledger.head().size <= BY_ITSELF:
            self.begin()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        begin = time.monotonic()
        try:
            notes = [row.body for row in self._site.ledger.checkpoints(NOTE)[-NOTES:]]
            keys = self._site.publisher.chain.current
            found = verify(self._site.ledger, notes, processes=1, keys=keys)
        except Exception as error:  # noqa: BLE001 - shown: a verification that could not run is a finding in itself
            self.fault = repr(error)
            return
        self.fault = None
        texts = tuple(f"{f.pos if f.pos is not None else '–'}: {f.kind}: {f.text}" for f in found.findings[:100])
        took = time.monotonic() - begin
        self.last = Verdict(found.ok, found.size, found.root.hex(), texts, datetime.now(UTC), took)

    def status(self) -> Status:
        """How publishing stands."""
        return self._site.publisher.status()

    def notes(self) -> list[StoredCheckpoint]:
        """The latest checkpoints, newest first."""
        return list(reversed(self._site.ledger.checkpoints(NOTE)[-12:]))

    def witnessed(self) -> dict[int, int]:
        """How many witnesses cosigned which size."""
        count: dict[int, int] = {}
        for row in self._site.ledger.checkpoints(COSIGNATURE):
            count[row.size] = count.get(row.size, 0) + 1
        return count
