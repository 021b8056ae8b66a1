"""What the ledger keeps: a draft is proposed, an event is numbered and stamped, a record is its stored bytes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cellwright.language import _
from cellwright.ledger.errors import Tampered

NAME_MAX: Final = 255
"""Characters of a stream, type, id, actor, tag, claim key or claim value at most."""
EVENT_BYTES_MAX: Final = 1 << 20
"""Canonical bytes of one event at most; bigger things are files (their hash is in the event)."""
DRAFTS_MAX: Final = 1000
"""Drafts of one append at most."""
KEYS_MAX: Final = 1000
"""Claims, releases, expects or tags of one draft at most."""
DEPTH_MAX: Final = 32
"""Nesting of a body at most."""
INTEGER_MAX: Final = (1 << 53) - 1
"""Largest integer that every JSON reader keeps exactly (RFC 8785, I-JSON)."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An event as proposed. The ledger adds position, version and time.

    Args:
        stream: what the event belongs to, such as ``lot/CW-000123``; events of one stream are numbered gaplessly.
        type: what happened, such as ``lot.step_performed``.
        body: the facts: JSON with ASCII keys, integers below 2**53, decimals as strings, no floats.
        id: the caller's idempotency key (UUIDv7); one id is written at most once.
        actor: who did it.
        schema: version of the body's form for this type.
        zone: IANA time zone in force where it happened (R008).
        claimed_at: time stated by a person or instrument, UTC; the recorded time is the ledger's own (R007).
        source: device or system it came from.
        reason: why; changes and voidings need one (R004).
        claims: key -> value taken by this event; refused if the key is live.
        releases: key -> value ended by this event; must be live and equal.
        expects: key -> value that must be live and equal just before this event; otherwise a hard stop.
        tags: chain-of-identity, lot, product: an index over streams.

    Within one draft the order is: expects, releases, claims. So one draft may hand a key over by releasing and
    claiming it.
    """

    stream: str
    type: str
    body: dict[str, Any]
    id: str
    actor: str
    schema: int = 1
    zone: str = "UTC"
    claimed_at: str | None = None
    source: str | None = None
    reason: str | None = None
    claims: dict[str, str] = {}
    releases: dict[str, str] = {}
    expects: dict[str, str] = {}
    tags: tuple[str, ...] = ()


class Event(Draft, frozen=True, kw_only=True):
    """An event as recorded: a draft with its place and time.

    Args:
        pos: place in the ledger, 0, 1, 2 … without gaps; the index of its Merkle leaf.
        version: place in its stream, 0, 1, 2 … without gaps.
        at: when the ledger recorded it, UTC, ``2026-03-02T08:12:00.000000Z``.
    """

    pos: int
    version: int
    at: str


class Record(msgspec.Struct, frozen=True):
    """The stored form: position, exact canonical bytes, and ``SHA-256(0x00 || data)`` (32 bytes)."""

    pos: int
    data: bytes
    leaf: bytes

    @property
    def event(self) -> Event:
        """The event these bytes say."""
        return decode(self.data)


class Head(msgspec.Struct, frozen=True):
    """How many events the ledger has, and the Merkle root (32 bytes) over all of them."""

    size: int
    root: bytes


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A live claim: who holds the key, and the event that took it."""

    key: str
    value: str
    pos: int


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """A kept statement about the ledger at some size. Later statements on the same size are further rows (E13).

    Args:
        size: events it covers.
        kind: ``note``, ``cosignature``, ``timestamp`` …
        body: the signed bytes.
        at: when it was stored, UTC.
    """

    size: int
    kind: str
    body: bytes
    at: str


class Snapshot(msgspec.Struct, frozen=True):
    """The folded state of a long-lived stream up to a version. Disposable: `verify` rebuilds and compares it (E8).

    Args:
        stream: the stream folded.
        fold: name of the fold, with its version: another fold's snapshots are not read.
        version: events of the stream that are folded in.
        pos: position of the last one.
        state: the state's bytes.
    """

    stream: str
    fold: str
    version: int
    pos: int
    state: bytes


_decoder: Final = msgspec.json.Decoder(Event)
UNREADABLE: Final = (msgspec.DecodeError, ValueError, TypeError)
"""What a decoder raises on bytes that are no event: no JSON, another form, no UTF-8, no bytes at all."""


def decode(data: bytes) -> Event:
    """The event that canonical bytes say. Raises Tampered when they are none."""
    try:
        return _decoder.decode(data)
    except UNREADABLE as error:
        raise Tampered(_("What is stored is no event ({why}). Verify the ledger.").format(why=error)) from error
