"""The key that encrypts the persons' keys, and the encryption both use: AES-256-GCM, a fresh nonce for each use."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cellwright.language import _
from cellwright.ledger.durable import PRIVATE, create_whole
from cellwright.ledger.errors import LedgerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_WRAP_CONTEXT: Final = b"cellwright-subject-key/1\0"


class SubjectKeyError(LedgerError):
    """Something about persons' keys that cannot be done."""


class SealBroken(SubjectKeyError):
    """A ciphertext that this key did not make, or that was made for another person or place, or altered."""


class KekRefused(SubjectKeyError):
    """A key-encryption key that is missing, damaged, readable by others, or not the one the keys are wrapped under."""


class KeyEncryptionKey:
    """The key that wraps the persons' keys. Its ``id`` says which one it is and nothing else about it."""

    __slots__ = ("_cipher", "_secret", "id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise KekRefused(_("A key-encryption key has {count} bytes.").format(count=KEY_BYTES))
        self._secret = secret
        self._cipher = new_cipher(secret)
        self.id = hmac.digest(secret, b"cellwright-kek-id", "sha256")[:8].hex()

    @classmethod
    def create(cls, path: Path) -> KeyEncryptionKey:
        """A new key in a new file of mode 0600. Keep a sealed copy apart from every backup of the keys.

        Raises:
            KekRefused: the file exists.
        """
        secret = secrets.token_bytes(KEY_BYTES)
        try:
            create_whole(path, base64.b64encode(secret) + b"\n", PRIVATE)
        except FileExistsError as error:
            raise KekRefused(
                _("There is a key-encryption key at {path} already; it is never overwritten.").format(path=path)
            ) from error
        return cls(secret)

    @classmethod
    def load(cls, path: Path) -> KeyEncryptionKey:
        """The key in a file.

        Raises:
            KekRefused: it is missing or damaged, or others than its owner may read it.
        """
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            secret = base64.b64decode(path.read_bytes().strip(), validate=True)
        except (OSError, binascii.Error) as error:
            raise KekRefused(
                _("The key-encryption key {path} cannot be read: {why}").format(path=path, why=error)
            ) from error
        if mode & 0o077:
            raise KekRefused(
                _("Others may read the key-encryption key {path}. Make it private (chmod 600), and renew it.").format(
                    path=path
                )
            )
        return cls(secret)

    def wrap(self, name: str, key: bytes) -> bytes:
        """A key, encrypted, bound to its owner's name so that wrapped keys cannot be exchanged."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, _WRAP_CONTEXT + name.encode())

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """The inverse of :meth:`wrap`. Raises SealBroken."""
        return open_sealed(self._cipher, wrapped, _WRAP_CONTEXT + name.encode())

    def __repr__(self) -> str:
        return f"KeyEncryptionKey({self.id})"


def new_cipher(key: bytes) -> AESGCM:
    """A cipher with a key of 32 bytes."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def open_sealed(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """What was sealed as nonce and ciphertext with this context. Raises SealBroken."""
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(_("What is encrypted here was altered, or belongs to another person or place.")) from error
