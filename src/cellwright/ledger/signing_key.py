"""Private keys that sign checkpoints: made once, kept in files only their owner may read, and changed by record.

A site signs with a *set* of keys, normally Ed25519 and ML-DSA-44 together: the first can be checked by any Python, the
second still means something when quantum computers exist. A checkpoint counts only with a signature by every key of the
set.

Keys are changed by a statement that the old set and the new set both sign. The sets of a site form a tiny log of their
own, ``<origin>/keys``: leaf 0 is the set in the genesis event, each later leaf a change. The statement is an ordinary
checkpoint of that log, so it needs no format and no signature type of its own, and it commits to the whole history of
keys. It is recorded as the body of an event ``ledger.key_rotated``; checkpoints that cover this event need the new set.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from cellwright.language import _
from cellwright.ledger.durable import PRIVATE, create_whole
from cellwright.ledger.merkle import leaf_hash, root_of
from cellwright.ledger.note import (
    AlgorithmUnavailable,
    Checkpoint,
    Note,
    NoteError,
    NoteMalformed,
    Signature,
    SignatureType,
    VerifierKey,
    cosigned_message,
    open_checkpoint,
)

KEY_ROTATED: Final = "ledger.key_rotated"
"""Type of the event that changes the keys of a site."""
_SEED_BYTES: Final = 32


class KeyRefused(NoteError):
    """A key file that may not be used as it is."""


class KeyChainBroken(NoteError):
    """A change of keys that the keys before it did not sign."""


class _Signs(Protocol):
    def sign(self, data: bytes) -> bytes: ...


class SigningKey:
    """A private key and the name under which it signs. Printing one shows its public half only."""

    __slots__ = ("_private", "_seed", "verifier")

    def __init__(self, name: str, kind: SignatureType, seed: bytes) -> None:
        """A key from its 32 secret bytes.

        Raises:
            NoteMalformed: the name cannot stand in a note, or the seed has another length.
            AlgorithmUnavailable: ML-DSA-44 is not in the installed cryptography library.
        """
        if len(seed) != _SEED_BYTES:
            raise NoteMalformed(_("A private key has {count} secret bytes.").format(count=_SEED_BYTES))
        self._seed = seed
        self._private, public = _load(kind, seed)
        self.verifier = VerifierKey(name, kind, public)

    @classmethod
    def generate(cls, name: str, kind: SignatureType) -> SigningKey:
        """A new key from the system's randomness."""
        return cls(name, kind, os.urandom(_SEED_BYTES))

    def sign(self, text: str, timestamp: int) -> Signature:
        """A signature on a note's text. ``timestamp``: POSIX seconds, used by the timed types.

        Raises:
            NoteMalformed: a timed type is asked to sign what is no checkpoint.
        """
        key = self.verifier
        if not key.type.timed:
            return Signature(key.name, key.key_id, self._private.sign(text.encode()))
        message = cosigned_message(key.type, key.name, timestamp, text)
        return Signature(key.name, key.key_id, timestamp.to_bytes(8, "big") + self._private.sign(message))

    def to_text(self) -> str:
        """The key as written to its file: ``PRIVATE+KEY+name+key id+base64(type, seed)``, as other note tools do."""
        secret = base64.b64encode(bytes([self.verifier.type]) + self._seed).decode()
        return f"PRIVATE+KEY+{self.verifier.name}+{self.verifier.key_id.hex()}+{secret}"

    @classmethod
    def from_text(cls, text: str) -> SigningKey:
        """The inverse of :meth:`to_text`.

        Raises:
            NoteMalformed: it is no private key, or its key id is another key's.
        """
        head, _plus, rest = text.partition("PRIVATE+KEY+")
        name, _plus, rest = rest.partition("+")
        _key_id, _plus, blob = rest.partition("+")
        try:
            secret = base64.b64decode(blob, validate=True)
            key = cls(name, SignatureType(secret[0]), secret[1:])
        except (ValueError, IndexError) as error:
            raise NoteMalformed(_("This is no private key for notes.")) from error
        if head or key.to_text() != text:
            raise NoteMalformed(_("The private key of {name} is damaged: its key id differs.").format(name=name))
        return key

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier})"


def _load(kind: SignatureType, seed: bytes) -> tuple[_Signs, bytes]:
    if kind is SignatureType.COSIGNATURE_ML_DSA_44:
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

            lattice = MLDSA44PrivateKey.from_seed_bytes(seed)
        except (ImportError, UnsupportedAlgorithm) as error:
            raise AlgorithmUnavailable(_("ML-DSA-44 needs a newer cryptography library.")) from error
        return lattice, lattice.public_key().public_bytes_raw()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    curve = Ed25519PrivateKey.from_private_bytes(seed)
    return curve, curve.public_key().public_bytes_raw()


def generate_keys(name: str, *, witness: bool = False) -> tuple[SigningKey, ...]:
    """A new set of keys: Ed25519, and ML-DSA-44 where the installed library has it.

    A witness signs with the timestamped Ed25519 type, a site with the plain one.
    """
    curve = SignatureType.COSIGNATURE_ED25519 if witness else SignatureType.ED25519
    keys = [SigningKey.generate(name, curve)]
    if ml_dsa_available():
        keys.append(SigningKey.generate(name, SignatureType.COSIGNATURE_ML_DSA_44))
    return tuple(keys)


def ml_dsa_available() -> bool:
    """Whether the installed cryptography library can sign with ML-DSA-44."""
    try:
        _load(SignatureType.COSIGNATURE_ML_DSA_44, bytes(_SEED_BYTES))
    except AlgorithmUnavailable:
        return False
    return True


def save_keys(path: Path, keys: Sequence[SigningKey]) -> None:
    """Write a set of keys to a new file, one a line, readable by its owner only (mode 0600).

    Raises:
        KeyRefused: the file exists; a private key is never overwritten.
    """
    text = "".join(key.to_text() + "\n" for key in keys)
    try:
        create_whole(path, text.encode(), PRIVATE)
    except FileExistsError as error:
        raise KeyRefused(
            _("There is already a key file at {path}; a private key is never overwritten.").format(path=path)
        ) from error


def load_keys(path: Path) -> tuple[SigningKey, ...]:
    """The set of keys in a file.

    Raises:
        KeyRefused: the file is missing, empty or damaged, or others than its owner may read or write it.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyRefused(_("The key file {path} cannot be read: {why}").format(path=path, why=error)) from error
    if mode & 0o077:
        raise KeyRefused(
            _(
                "Others may read the key file {path} (mode {mode}). Make it private (chmod 600), and change the keys."
            ).format(path=path, mode=f"{mode:o}")
        )
    lines = text.splitlines()
    if not lines:
        raise KeyRefused(_("The key file {path} is empty.").format(path=path))
    try:
        return tuple(SigningKey.from_text(line) for line in lines)
    except NoteMalformed as error:
        raise KeyRefused(_("The key file {path} is damaged: {why}").format(path=path, why=error)) from error


@dataclass(frozen=True, slots=True)
class KeyChain:
    """The sets of keys of a site, from genesis to now.

    Attributes:
        origin: the log's name.
        sets: each set, in order.
        since: for each set the size from which checkpoints need it: 0 for the first, then the position of the event
            that introduced it, plus one.
    """

    origin: str
    sets: tuple[tuple[VerifierKey, ...], ...]
    since: tuple[int, ...] = (0,)

    @classmethod
    def genesis(cls, origin: str, vkeys: Iterable[str]) -> KeyChain:
        """The chain that starts with the keys in a log's genesis event.

        Raises:
            NoteMalformed: there are none, or one is no verifier key.
        """
        return cls(origin, (_key_set(vkeys),))

    @property
    def current(self) -> tuple[VerifierKey, ...]:
        """The set that signs now."""
        return self.sets[-1]

    def keys_for(self, size: int) -> tuple[VerifierKey, ...]:
        """The set that must have signed a checkpoint of this size."""
        return [keys for keys, since in zip(self.sets, self.since, strict=True) if since <= size][-1]

    def open(self, data: bytes) -> Checkpoint:
        """The checkpoint in a note of this log, signed by the set in force at its size.

        Raises:
            NoteError: it is not one, or not so signed.
        """
        stated = Checkpoint.parse(Note.parse(data).text)  # not trusted: it only says which keys to demand
        checkpoint = open_checkpoint(data, self.keys_for(stated.size))
        if checkpoint.origin != self.origin:
            raise NoteMalformed(
                _("The checkpoint is of {found}, not of {origin}.").format(found=checkpoint.origin, origin=self.origin)
            )
        return checkpoint

    def rotated(self, body: Mapping[str, Any], pos: int) -> KeyChain:
        """The chain after the event ``ledger.key_rotated`` with this body at this position.

        Raises:
            KeyChainBroken: the change is not signed by every old and every new key, or is of another log or place.
        """
        vkeys, note = body.get("keys"), body.get("note")
        if not isinstance(vkeys, list) or not isinstance(note, str) or pos < self.since[-1]:
            raise KeyChainBroken(_("The change of keys at event {pos} is not one.").format(pos=pos))
        try:
            longer = replace(self, sets=(*self.sets, _key_set(vkeys)), since=(*self.since, pos + 1))
            stated = open_checkpoint(note.encode(), dict.fromkeys((*self.current, *longer.current)))
        except (NoteError, UnicodeEncodeError) as error:
            raise KeyChainBroken(
                _("The change of keys at event {pos} is not signed by the old and the new keys: {why}").format(
                    pos=pos, why=error
                )
            ) from error
        if stated != longer._statement():
            raise KeyChainBroken(
                _("The change of keys at event {pos} is signed for another log or another place in it.").format(pos=pos)
            )
        return longer

    def _statement(self) -> Checkpoint:
        """The checkpoint of the log of key sets."""
        leaves = [leaf_hash("".join(f"{key}\n" for key in keys).encode()) for keys in self.sets]
        return Checkpoint(f"{self.origin}/keys", len(leaves), root_of(leaves))


def rotation(chain: KeyChain, old: Sequence[SigningKey], new: Sequence[SigningKey], timestamp: int) -> dict[str, Any]:
    """The body of the event that replaces the set ``old``, which must be the chain's current one, by ``new``.

    Raises:
        KeyChainBroken: ``old`` is not the current set.
    """
    if tuple(key.verifier for key in old) != chain.current:
        raise KeyChainBroken(_("Only the keys now in force can hand over to others."))
    sets = (*chain.sets, tuple(key.verifier for key in new))
    text = KeyChain(chain.origin, sets)._statement().text
    signers = {key.verifier: key for key in (*old, *new)}
    note = Note(text, tuple(key.sign(text, timestamp) for key in signers.values()))
    return {"keys": [str(key.verifier) for key in new], "note": note.to_bytes().decode()}


def _key_set(vkeys: Iterable[str]) -> tuple[VerifierKey, ...]:
    keys = tuple(VerifierKey.parse(vkey) for vkey in vkeys)
    if not keys or len(set(keys)) != len(keys):
        raise NoteMalformed(_("A set of keys is empty or names a key twice."))
    return keys
