"""Publishing checkpoints: the site's signed word on what its ledger holds, kept where the database's owner cannot reach.

A :class:`Publisher` signs the head of a ledger, stores the note in the ledger and writes it to every place outside. It
refuses to sign a head that does not continue every checkpoint it can find, in the ledger or outside: a site that signed
both would itself have forged the evidence (C2SP tlog-checkpoint: a log must never do so). A database restored from an
old backup is found in the same way, and said.

One process per ledger publishes, the one that holds the site's keys.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cellwright.language import _
from cellwright.ledger.canonical import format_time
from cellwright.ledger.clock import Clock, system_clock
from cellwright.ledger.errors import LedgerError
from cellwright.ledger.event import Event, Head, StoredCheckpoint
from cellwright.ledger.note import Checkpoint, Note, NoteError, NoteUnsigned, VerifierKey, open_note
from cellwright.ledger.outside import OutsideFolder, PlaceAway
from cellwright.ledger.proof import verify_consistency
from cellwright.ledger.signing_key import KEY_ROTATED, KeyChain, KeyChainBroken, SigningKey, rotation

NOTE: Final = "note"
"""Kind of a stored checkpoint: the site's own signed note."""
COSIGNATURE: Final = "cosignature"
"""Kind of a stored checkpoint: the same text with one witness's signature."""
TIMESTAMP: Final = "timestamp"
"""Kind of a stored checkpoint: a token of a time-stamping authority (RFC 3161)."""
KEYS_STREAM: Final = "ledger/keys"
"""Stream of the events that change the site's keys."""
WAITING_LIMIT: Final = 1000
"""Notes held for a place that is away. Older ones are let go: each later checkpoint covers them."""
PERIOD_S: Final = 1.0
"""Seconds between two checkpoints of a busy ledger."""

_log = logging.getLogger("cellwright.ledger.checkpoint")


class RolledBack(LedgerError):
    """The ledger is shorter than a checkpoint says it was: events were removed, or an old backup was restored."""


class Forked(LedgerError):
    """The ledger does not continue a checkpoint of its own: events were rewritten."""


class Log(Protocol):
    """What a publisher needs of a ledger."""

    def head(self) -> Head: ...
    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]: ...
    def checkpoints(self, kind: str | None = None) -> list[StoredCheckpoint]: ...
    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None: ...


class KeyedLog(Protocol):
    """What is needed of a ledger to know its keys."""

    def event(self, pos: int) -> Event: ...
    def stream(self, name: str, start: int = 0) -> list[Event]: ...


def key_chain(ledger: KeyedLog, genesis: Sequence[str] | None = None) -> KeyChain:
    """The keys of a ledger, from its genesis event (``origin``, ``verifier_keys``) through every recorded change.

    Args:
        ledger: where to read.
        genesis: the first keys as known from elsewhere. An outsider gives them; left out, the ledger's own word counts.

    Raises:
        KeyChainBroken: there is no genesis event with keys, it names other keys than given, or a change of keys is not
            signed by the keys before.
    """
    try:
        body = ledger.event(0).body
        chain = KeyChain.genesis(str(body["origin"]), [str(vkey) for vkey in body["verifier_keys"]])
    except (IndexError, KeyError, TypeError, NoteError) as error:
        raise KeyChainBroken(_("The first event of the ledger names no origin and keys.")) from error
    if genesis is not None and [str(key) for key in chain.current] != list(genesis):
        raise KeyChainBroken(_("The first event of the ledger names other keys than the ones known to be its own."))
    for event in ledger.stream(KEYS_STREAM):
        if event.type == KEY_ROTATED:
            chain = chain.rotated(event.body, event.pos)
    return chain


def must_continue(log: Log, head: Head, known: Checkpoint, where: str) -> None:
    """Check that the ledger's head continues a checkpoint known from ``where``.

    Raises:
        RolledBack: the ledger is shorter.
        Forked: it is not, but does not begin with the same events.
    """
    if head.size < known.size:
        raise RolledBack(
            _(
                "The ledger has {size} events; a checkpoint {where} shows that it had {known}. "
                "Restore the newest copy, or open a deviation for the events that are lost."
            ).format(size=head.size, known=known.size, where=where)
        )
    proof = log.consistency_proof(known.size, head.size)
    if not verify_consistency(known.size, head.size, known.root, head.root, proof):
        raise Forked(
            _(
                "The first {known} events of the ledger are not those of a checkpoint {where}: they were altered."
            ).format(known=known.size, where=where)
        )


@dataclass(slots=True)
class _Outside:
    """A place with the notes it still lacks, and why."""

    place: OutsideFolder
    waiting: deque[StoredCheckpoint] = field(default_factory=lambda: deque(maxlen=WAITING_LIMIT))
    why: str | None = None
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """How publishing stands.

    Attributes:
        last: the last checkpoint published.
        away: for each place that lacks notes, why.
        fault: why the last attempt of the periodic publisher failed; None when it did not.
    """

    last: Checkpoint | None
    away: Mapping[str, str]
    fault: str | None


class Publisher:
    """Signs and publishes the checkpoints of one ledger. Safe to share between threads.

    Args:
        ledger: the ledger.
        keys: the site's private keys, the set now in force.
        chain: the site's keys from genesis to now (:func:`key_chain`).
        places: where notes are kept outside.
        clock: the machine's time, also on a simulated site: a checkpoint is made in the real world (E15).

    Raises:
        KeyChainBroken: the keys are not those in force.
    """

    def __init__(
        self,
        ledger: Log,
        keys: Sequence[SigningKey],
        chain: KeyChain,
        places: Sequence[OutsideFolder] = (),
        clock: Clock = system_clock,
    ) -> None:
        if tuple(key.verifier for key in keys) != chain.current:
            raise KeyChainBroken(_("The keys in hand are not the keys of the ledger now in force."))
        self._ledger, self._keys, self._chain, self._clock = ledger, tuple(keys), chain, clock
        self._outside = [_Outside(place) for place in places]
        self._last: Checkpoint | None = None
        self._known = False
        self._fault: str | None = None
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None

    @property
    def chain(self) -> KeyChain:
        """The site's keys from genesis to now."""
        return self._chain

    def publish(self) -> Checkpoint:
        """Publish a checkpoint of the ledger as it is now, unless it is published already, and serve what waits.

        A place that is away does not stop it; see :meth:`status`.

        Raises:
            RolledBack, Forked: the ledger does not continue a checkpoint; nothing is signed.
            NoteError: a checkpoint stored in the ledger is not signed by its keys: it was altered.
            Unavailable, ReadOnly, Closed: from the ledger.
        """
        with self._lock:
            head = self._ledger.head()
            self._recall(head)
            if self._last is not None:
                must_continue(self._ledger, head, self._last, _("of its own"))
            if self._last is None or self._last.size != head.size:
                self._sign(head)
            self._deliver()
            assert self._last is not None
            return self._last

    def rotate(self, keys: Sequence[SigningKey], record: Callable[[dict[str, Any]], int]) -> None:
        """Hand over to new keys: publish under the old ones, record the change, publish under the new ones.

        The new keys must be in their file before (:func:`~cellwright.ledger.signing_key.save_keys`).

        Args:
            keys: the new set.
            record: appends the event ``ledger.key_rotated`` with this body to the stream ``ledger/keys`` and gives its
                position.

        Raises:
            LedgerError: as :meth:`publish`, or from ``record``.
        """
        with self._lock:
            self.publish()
            body = rotation(self._chain, self._keys, keys, self._now())
            self._chain = self._chain.rotated(body, record(body))
            self._keys = tuple(keys)
            self.publish()

    def status(self) -> Status:
        """The last checkpoint, the places that are away, and the last failure."""
        with self._lock:
            away = {outside.place.name: outside.why for outside in self._outside if outside.why is not None}
            return Status(self._last, away, self._fault)

    def start(self, period_s: float = PERIOD_S) -> None:
        """Publish every ``period_s`` seconds in a thread of its own, when the ledger has grown, and serve what waits."""
        with self._lock:
            assert self._thread is None, "started twice"
            self._thread = threading.Thread(target=self._run, args=(period_s,), name="checkpoints", daemon=True)
            self._thread.start()

    def request(self) -> None:
        """Have the periodic publisher work now rather than at the end of its period. Does not wait."""
        self._wake.set()

    def close(self) -> None:
        """End the periodic publisher and publish the ledger's last state.

        Raises:
            LedgerError: as :meth:`publish`.
        """
        self._ending = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.publish()

    def _run(self, period_s: float) -> None:
        try:
            self._follow(period_s)
        except BaseException as error:  # a mistake in this program: the thread ends, and its status says so
            self._set_fault(repr(error))
            raise

    def _follow(self, period_s: float) -> None:
        while True:
            self._wake.clear()
            if self._ending:
                return
            try:
                self.publish()
                self._set_fault(None)
            except LedgerError as error:
                self._set_fault(str(error))
            self._wake.wait(period_s)

    def _set_fault(self, fault: str | None) -> None:
        with self._lock:
            if fault is not None and fault != self._fault:
                _log.error("no checkpoint: %s", fault)
            self._fault = fault

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _recall(self, head: Head) -> None:
        """Once: read what the ledger itself and, as soon as each can be reached, the places hold; all must fit."""
        if not self._known:
            stored = self._ledger.checkpoints(NOTE)
            if stored:
                self._last = self._chain.open(stored[-1].body)
            self._known = True
        for outside in self._outside:
            if not outside.checked:
                self._recall_place(outside, head)

    def _recall_place(self, outside: _Outside, head: Head) -> None:
        try:
            note = outside.place.latest()
            known = self._chain.open(note) if note is not None else None
        except PlaceAway as error:
            self._set_away(outside, str(error))
            return
        except NoteError as error:  # not ours: evidence of something, so it is neither trusted nor written over
            text = _("The outside place {path} holds a checkpoint that this site did not sign: {why}")
            self._set_away(outside, text.format(path=outside.place.name, why=error))
            return
        if known is not None:
            must_continue(self._ledger, head, known, _("in {path}").format(path=outside.place.name))
        size = known.size if known is not None else -1
        outside.waiting.clear()
        outside.waiting.extend(row for row in self._ledger.checkpoints(NOTE) if row.size > size)
        outside.checked = True

    def _sign(self, head: Head) -> None:
        checkpoint = Checkpoint(self._chain.origin, head.size, head.root)
        now = self._clock()
        signatures = tuple(key.sign(checkpoint.text, int(now.timestamp())) for key in self._keys)
        note = Note(checkpoint.text, signatures).to_bytes()
        row = StoredCheckpoint(size=head.size, kind=NOTE, body=note, at=format_time(now))
        self._ledger.add_checkpoint(row)
        self._last = checkpoint
        for outside in self._outside:
            if outside.checked:
                outside.waiting.append(row)

    def _deliver(self) -> None:
        for outside in self._outside:
            if not outside.checked:
                continue
            try:
                while outside.waiting:
                    outside.place.keep(outside.waiting[0].body, outside.waiting[0].at)
                    outside.waiting.popleft()
                self._set_away(outside, None)
            except PlaceAway as error:
                self._set_away(outside, str(error))

    def _set_away(self, outside: _Outside, why: str | None) -> None:
        if why != outside.why:
            if why is None:
                _log.info("outside place %s has every checkpoint again", outside.place.name)
            else:
                _log.warning("%s", why)
        outside.why = why


def keep_cosignatures(
    ledger: Log, note: bytes, lines: bytes, witnesses: Sequence[VerifierKey], clock: Clock = system_clock
) -> int:
    """Keep what witnesses answered to a checkpoint, each cosignature as a row of its own (E13); give their number.

    Args:
        ledger: where the checkpoint is of.
        note: the checkpoint as sent to the witness.
        lines: the signature lines it answered with.
        witnesses: the keys that are trusted to witness; lines of others are ignored.

    Raises:
        NoteError: a line of a trusted witness does not verify, or there is none.
    """
    text = Note.parse(note).text
    opened = open_note(f"{text}\n".encode() + lines, witnesses)
    timed = {key: signature for key, signature in opened.signatures.items() if key.type.timed}
    if not timed:
        raise NoteUnsigned(_("The answer holds no cosignature with a time."))
    size, at = Checkpoint.parse(text).size, format_time(clock())
    for signature in timed.values():
        body = Note(text, (signature,)).to_bytes()
        ledger.add_checkpoint(StoredCheckpoint(size=size, kind=COSIGNATURE, body=body, at=at))
    return len(timed)
