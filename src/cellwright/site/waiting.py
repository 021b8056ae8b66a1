"""Decisions that wait for their signatures: what was judged, by whom it is asked, and who has signed so far.

They live in memory and briefly. Nothing of them is in the record; a server that ends in between has recorded nothing.
"""

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from cellwright.command.desk import Pending
from cellwright.command.signing import Proof
from cellwright.factory.rule import By, Command

LIFE_S: Final = 600.0
KEPT: Final = 1_000


@dataclass
class Open:
    """One decision that waits."""

    token: str
    session: str
    command: Command
    by: By
    pending: Pending
    then: str
    """Where to go when it is recorded."""
    began: float
    proofs: dict[int, Proof] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.proofs) == len(self.pending.signatures)

    def in_order(self) -> list[Proof]:
        return [self.proofs[index] for index in range(len(self.pending.signatures))]


class Handed:
    """Secrets that an officer hands over: shown once, in the session that made them, and kept in memory only."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[str, str, float]] = {}
        self._lock = threading.Lock()

    def put(self, session: str, person: str, fingerprint: str, secret: str) -> None:
        """Keep a secret until its offer is recorded and shown, or too old."""
        with self._lock:
            now = time.monotonic()
            self._kept = {key: kept for key, kept in self._kept.items() if now - kept[2] < LIFE_S}
            self._kept[session, person] = fingerprint, secret, now

    def take(self, session: str, person: str, fingerprint: str) -> str:
        """The secret behind a recorded offer, once; empty where this session did not make it."""
        with self._lock:
            kept = self._kept.get((session, person))
            if kept is None or kept[0] != fingerprint or time.monotonic() - kept[2] >= LIFE_S:
                return ""
            del self._kept[session, person]
            return kept[1]


class Waiting:
    """The decisions of all sessions. Safe to share between threads."""

    def __init__(self) -> None:
        self._open: dict[str, Open] = {}
        self._lock = threading.Lock()

    def put(self, session: str, command: Command, by: By, pending: Pending, then: str) -> Open:
        """Keep a decision until it is signed, taken back, or too old."""
        with self._lock:
            now = time.monotonic()
            self._open = {t: o for t, o in self._open.items() if now - o.began < LIFE_S}
            while len(self._open) >= KEPT:
                self._open.pop(next(iter(self._open)))
            one = Open(secrets.token_urlsafe(16), session, command, by, pending, then, now)
            self._open[one.token] = one
            return one

    def get(self, token: str, session: str) -> Open | None:
        """The decision of this session under this token."""
        with self._lock:
            one = self._open.get(token)
            fresh = one is not None and time.monotonic() - one.began < LIFE_S
            return one if one is not None and fresh and one.session == session else None

    def drop(self, token: str) -> None:
        """Forget a decision: it was recorded, or taken back."""
        with self._lock:
            self._open.pop(token, None)
