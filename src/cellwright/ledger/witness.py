"""A witness: somebody else who remembers how far a log had come, and confirms that it has only grown since.

A site could show one history to its inspector and another to the hospital, each signed and consistent in itself. It
cannot if both accept only checkpoints that the same witness has cosigned: a witness signs only what continues the
last checkpoint it saw of that log. Sites witness each other; an auditor may run one on a laptop.

The rules and the request are those of C2SP tlog-witness, so public witnesses can serve a site and the other way round.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cellwright.language import _
from cellwright.ledger.canonical import format_time
from cellwright.ledger.checkpoint import Forked, RolledBack
from cellwright.ledger.clock import Clock, system_clock
from cellwright.ledger.durable import append_line, make_folder, write_whole
from cellwright.ledger.errors import LedgerError
from cellwright.ledger.note import (
    NOTE_LIMIT,
    Checkpoint,
    Note,
    NoteError,
    NoteMalformed,
    VerifierKey,
)
from cellwright.ledger.outside import folder_name
from cellwright.ledger.proof import PROOF_LIMIT, verify_consistency
from cellwright.ledger.signing_key import KeyChain, SigningKey

REQUEST_LIMIT: Final = NOTE_LIMIT + 64 * PROOF_LIMIT
"""Bytes of a request at most."""
EVIDENCE_LIMIT: Final = 1 << 22
"""Bytes of evidence kept of one log; the first case is the one that counts, and nobody shall fill the disk."""


class UnknownLog(LedgerError):
    """A checkpoint of a log this witness was not asked to watch."""


class StateDamaged(LedgerError):
    """What the witness wrote down about a log cannot be read: it can no longer vouch for that log."""


class OldSizeDiffers(LedgerError):
    """The proof does not start where the witness last saw the log. Make one from :attr:`size` and send it again."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(
            _("The witness last saw this log with {size} events; prove growth from there.").format(size=size)
        )


class SeenLonger(RolledBack):
    """The witness has seen the log with more events than the checkpoint has: :attr:`size`."""

    def __init__(self, size: int, found: int) -> None:
        self.size = size
        super().__init__(
            _("The checkpoint has {size} events; the witness has seen {known} of this log.").format(
                size=found, known=size
            )
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What a log asks of a witness: cosign ``note``; ``proof`` shows its growth from ``old`` events."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """The request in the form of C2SP tlog-witness ``add-checkpoint``."""
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.note

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """The inverse of :meth:`to_bytes`.

        Raises:
            NoteMalformed: it has another form.
        """
        head, gap, note = data.partition(b"\n\n")
        first, *lines = head.split(b"\n")
        word, _space, size = first.partition(b" ")
        if len(data) > REQUEST_LIMIT or not gap or word != b"old" or not size.isdigit() or len(size) > 19:
            raise NoteMalformed(_("A request to a witness starts with the old size, proof lines and an empty line."))
        try:
            parsed = cls(int(size), tuple(base64.b64decode(line, validate=True) for line in lines), note)
        except binascii.Error as error:
            raise NoteMalformed(_("A line of the proof is not base64.")) from error
        if parsed.to_bytes() != data or len(lines) > PROOF_LIMIT:
            raise NoteMalformed(_("The request to the witness is irregular or its proof too long."))
        return parsed


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answers over HTTP (C2SP tlog-witness)."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Watched:
    """What is remembered of one log: its keys, the last note seen, and the time stated in the last cosignature."""

    chain: KeyChain
    note: bytes | None = None
    stamp: int = 0

    @property
    def seen(self) -> Checkpoint | None:
        return None if self.note is None else Checkpoint.parse(Note.parse(self.note).text)

    def to_bytes(self) -> bytes:
        chain = self.chain
        state = {
            "keys": [[str(key) for key in keys] for keys in chain.sets],
            "note": None if self.note is None else self.note.decode(),
            "origin": chain.origin,
            "since": list(chain.since),
            "stamp": self.stamp,
        }
        return json.dumps(state, ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> _Watched:
        state = json.loads(data)
        sets = tuple(tuple(VerifierKey.parse(vkey) for vkey in keys) for keys in state["keys"])
        chain = KeyChain(str(state["origin"]), sets, tuple(int(since) for since in state["since"]))
        watched = cls(chain, None if state["note"] is None else str(state["note"]).encode(), int(state["stamp"]))
        if watched.note is not None:
            chain.open(watched.note)
        return watched


class Witness:
    """Cosigns checkpoints of the logs it watches. Safe to share between threads and processes.

    Args:
        keys: its private keys, of timed types (:func:`~cellwright.ledger.signing_key.generate_keys` with ``witness``).
        folder: where it remembers, one file a log. To lose it is to lose the memory: a log whose file is gone is
            unknown, never new.
        clock: the machine's time.
    """

    def __init__(self, keys: Sequence[SigningKey], folder: Path, clock: Clock = system_clock) -> None:
        assert keys, "a witness has a key"
        assert all(key.verifier.type.timed for key in keys), "a witness signs with a time"
        self._keys, self._folder, self._clock = tuple(keys), folder, clock
        self._lock = threading.Lock()
        make_folder(folder)

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The public keys by which others trust this witness."""
        return tuple(key.verifier for key in self._keys)

    def trust(self, chain: KeyChain) -> None:
        """Watch a log from now on. To do so again changes nothing.

        Raises:
            Forked: the log is watched with other keys; use :meth:`follow` for a recorded change.
        """
        with self._alone():
            try:
                watched = self._read(chain.origin)
            except UnknownLog:
                self._write(_Watched(chain))
                return
            if watched.chain.sets[: len(chain.sets)] != chain.sets:
                raise Forked(_("The log {origin} is watched already, with other keys.").format(origin=chain.origin))

    def follow(self, origin: str, body: Mapping[str, Any], pos: int) -> None:
        """Take over a change of a log's keys: the body of its event ``ledger.key_rotated`` and the event's position.

        Raises:
            UnknownLog: the log is not watched.
            KeyChainBroken: the keys known so far did not sign the change.
        """
        with self._alone():
            watched = self._read(origin)
            self._write(replace(watched, chain=watched.chain.rotated(body, pos)))

    def seen(self, origin: str) -> Checkpoint | None:
        """The last checkpoint seen of a log; None before the first.

        Raises:
            UnknownLog, StateDamaged.
        """
        return self._read(origin).seen

    def add_checkpoint(self, request: Request) -> bytes:
        """Check that a checkpoint continues the last one seen, remember it, and cosign it.

        Returns:
            Signature lines, one for each key of the witness.

        Raises:
            NoteError: it is no checkpoint, or not signed by the log's keys.
            UnknownLog: of a log that is not watched.
            SeenLonger: it is shorter than the last one seen.
            OldSizeDiffers: the proof starts elsewhere than at the last one seen.
            Forked: it does not continue the last one seen. Both notes are kept as evidence.
            StateDamaged: the witness cannot read what it remembered.
        """
        origin = Checkpoint.parse(Note.parse(request.note).text).origin
        with self._alone():
            watched = self._read(origin)
            checkpoint = watched.chain.open(request.note)
            if request.old > checkpoint.size:
                raise NoteMalformed(_("The old size is greater than the size of the checkpoint."))
            self._must_continue(watched, checkpoint, request)
            stamp = max(int(self._clock().timestamp()), watched.stamp)
            self._write(replace(watched, note=request.note, stamp=stamp))
        return "".join(key.sign(checkpoint.text, stamp).line for key in self._keys).encode()

    def answer(self, data: bytes) -> Answer:
        """The answer to the body of an HTTP request ``add-checkpoint``, refusals included (C2SP tlog-witness)."""
        try:
            request = Request.parse(data)
        except NoteMalformed as error:
            return Answer(400, f"{error}\n".encode())
        try:
            return Answer(200, self.add_checkpoint(request))
        except (OldSizeDiffers, SeenLonger) as error:
            return Answer(409, f"{error.size}\n".encode(), "text/x.tlog.size")
        except Forked as error:
            same_size = Checkpoint.parse(Note.parse(request.note).text).size == request.old
            return Answer(409 if same_size else 422, f"{error}\n".encode())
        except UnknownLog as error:
            return Answer(404, f"{error}\n".encode())
        except NoteMalformed as error:
            return Answer(400, f"{error}\n".encode())
        except NoteError as error:
            return Answer(403, f"{error}\n".encode())

    def _must_continue(self, watched: _Watched, checkpoint: Checkpoint, request: Request) -> None:
        seen = watched.seen
        size = seen.size if seen is not None else 0
        if checkpoint.size < size:
            raise SeenLonger(size, checkpoint.size)
        if request.old != size:
            raise OldSizeDiffers(size)
        if seen is None:
            follows = not request.proof
        else:
            follows = verify_consistency(size, checkpoint.size, seen.root, checkpoint.root, request.proof)
        if not follows:
            self._accuse(watched, request)
            raise Forked(
                _(
                    "The checkpoint of {size} events does not continue the one of {known} that the witness has seen."
                ).format(size=checkpoint.size, known=size)
            )

    def _accuse(self, watched: _Watched, request: Request) -> None:
        """Keep what does not fit: two notes signed by one log and no proof between them."""
        path = self._path(watched.chain.origin, "evidence")
        if path.exists() and path.stat().st_size > EVIDENCE_LIMIT:
            return
        seen = None if watched.note is None else watched.note.decode()
        proof = [base64.b64encode(node).decode() for node in request.proof]
        case = {"at": format_time(self._clock()), "note": request.note.decode(), "proof": proof, "seen": seen}
        append_line(path, json.dumps(case, ensure_ascii=False).encode())

    def _path(self, origin: str, kind: str) -> Path:
        return self._folder / f"{folder_name(origin)}.{kind}"

    def _read(self, origin: str) -> _Watched:
        path = self._path(origin, "json")
        try:
            watched = _Watched.from_bytes(path.read_bytes())
        except FileNotFoundError as error:
            raise UnknownLog(_("This witness does not watch the log {origin}.").format(origin=origin)) from error
        except (ValueError, KeyError, TypeError, NoteError) as error:
            raise StateDamaged(
                _("The memory of the witness in {path} is damaged; restore it, or start a new witness.").format(
                    path=path
                )
            ) from error
        if watched.chain.origin != origin:
            raise StateDamaged(_("The memory of the witness in {path} is of another log.").format(path=path))
        return watched

    def _write(self, watched: _Watched) -> None:
        write_whole(self._path(watched.chain.origin, "json"), watched.to_bytes())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One request at a time, over threads and processes: to check and to remember must be one step."""
        with self._lock:
            handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
