"""A key for each person, so that what the record holds about a person can be made unreadable for ever.

The ledger never forgets; the law may demand it. Personal data therefore stands in events and files only encrypted under
the person's own key, and the ledger's hashes cover the ciphertext. Destroying the key destroys the data, in every copy
and every backup, and changes no hash: the ledger verifies as before.

The keys live in ``keys.db``, apart from the ledger and with a backup of their own that is kept for a short time only: a
key that comes back from an old backup undoes its destruction. Each key is wrapped (AES-256-GCM) by a key-encryption key
that is in neither: a file readable by its owner alone. To look up a person by name without storing names, there is a
blind index: a keyed hash of the normalised name, useless without the key.

Deleted rows are overwritten with zeros (``secure_delete``), but a disk may keep remnants. :meth:`SubjectKeys.renew`
changes the key-encryption key; when the old one's file is gone, every remnant is worthless.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from cellwright.language import _
from cellwright.ledger.durable import PRIVATE, create_whole, sync_folder
from cellwright.ledger.errors import LedgerError, Locked, StorageFull
from cellwright.ledger.key_encryption import (
    KEY_BYTES,
    NONCE_BYTES,
    KekRefused,
    KeyEncryptionKey,
    SealBroken,
    SubjectKeyError,
    new_cipher,
    open_sealed,
)

if TYPE_CHECKING:
    import apsw
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CACHED_KEYS: Final = 4096
"""Keys held unwrapped in memory at most."""
BUSY_MS: Final = 10_000
"""Milliseconds to wait for another process that is writing."""
FIELD_CONTEXT: Final = b"cellwright-field/1\0"
_INDEX_NAME: Final = "blind index"
_INDEX_BYTES: Final = 16

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS subject_key(subject TEXT PRIMARY KEY, wrapped BLOB NOT NULL, kek TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS shredded(subject TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS secret(name TEXT PRIMARY KEY, wrapped BLOB NOT NULL, kek TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS blind(digest BLOB NOT NULL, subject TEXT NOT NULL, PRIMARY KEY(digest, subject))
  STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blind_subject ON blind(subject);
"""


class SubjectUnknown(SubjectKeyError):
    """There is no key of this person here."""


class SubjectShredded(SubjectKeyError):
    """The key of this person was destroyed; what it encrypted is unreadable for ever."""


class SubjectKeys:
    """The persons' keys of a site. Safe to share between threads; several processes may open the same file.

    Args:
        path: ``keys.db``; made when it is not there and ``create`` is given.
        kek: the key-encryption key.
        create: make the file.

    Raises:
        KekRefused: the keys in the file are wrapped under another key-encryption key.
        SubjectKeyError: there is no such file.
    """

    def __init__(self, path: Path, kek: KeyEncryptionKey, *, create: bool = False) -> None:
        if not create and not path.is_file():
            raise SubjectKeyError(_("There are no persons' keys at {path}.").format(path=path))
        self._path, self._kek = path, kek
        self._lock = threading.RLock()
        self._ciphers: OrderedDict[str, AESGCM] = OrderedDict()
        self._db = _connect(path)
        self._version = self._data_version()
        try:
            self._index_key = self._secret(_INDEX_NAME)
        except LedgerError:
            self._db.close()
            raise

    # encrypting

    def encrypt_field(self, subject: str, text: str, field: str = "") -> dict[str, str]:
        """A personal text as it may stand in an event: ``{"enc": subject, "n": nonce, "c": ciphertext}``.

        The person's key is made when it is the first. ``field`` binds the ciphertext to a place of the body (its name),
        so that, say, a phone number cannot be passed off as a name; decrypting then needs the same.

        Raises:
            SubjectShredded: the person's key was destroyed; nothing new is recorded about that person.
        """
        sealed = self.seal(subject, text.encode(), FIELD_CONTEXT + field.encode())
        nonce, cipher_text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return {
            "enc": subject,
            "n": base64.b64encode(nonce).decode(),
            "c": base64.b64encode(cipher_text).decode(),
        }

    def decrypt_field(self, value: dict[str, Any], field: str = "") -> str:
        """The text of an encrypted field.

        Raises:
            SubjectShredded, SubjectUnknown: the key is destroyed, or not here.
            SealBroken: it is not an encrypted field of this person and place, or was altered.
        """
        try:
            subject, nonce, cipher_text = str(value["enc"]), _plain64(value["n"]), _plain64(value["c"])
        except (KeyError, TypeError, ValueError) as error:
            raise SealBroken(_("This is not an encrypted field.")) from error
        return self.unseal(subject, nonce + cipher_text, FIELD_CONTEXT + field.encode()).decode()

    def seal(self, subject: str, data: bytes, context: bytes) -> bytes:
        """Encrypt bytes under a person's key: nonce and ciphertext. ``context`` is needed again to open it.

        Raises:
            SubjectShredded: the key was destroyed.
        """
        with self._lock:
            cipher = self._key(subject, make=True)
        nonce = os.urandom(NONCE_BYTES)
        return nonce + cipher.encrypt(nonce, data, _bound(context, subject))

    def unseal(self, subject: str, sealed: bytes, context: bytes) -> bytes:
        """The inverse of :meth:`seal`.

        Raises:
            SubjectShredded, SubjectUnknown, SealBroken.
        """
        with self._lock:
            cipher = self._key(subject, make=False)
        return open_sealed(cipher, sealed, _bound(context, subject))

    # destroying

    def shred(self, subject: str, *, may_shred: Callable[[str], Exception | None]) -> None:
        """Destroy a person's key, and what the index knows of the person. It cannot be undone.

        The ledger's event that says so is appended first; if the power fails between the two, :meth:`destroy_again`
        at the next start completes it. Shredding twice changes nothing.

        Args:
            subject: whose key.
            may_shred: the law's and the factory's answer, asked now: a refusal to be raised (a retention period that
                still runs, an open case, recall or follow-up: D6), or None.

        Raises:
            Exception: what ``may_shred`` answered; the key is kept.
        """
        refusal = may_shred(subject)
        if refusal is not None:
            raise refusal
        self.destroy_again([subject])

    def destroy_again(self, subjects: Iterable[str]) -> int:
        """Destroy the keys of persons whose destruction is on record already; give how many were still there.

        Called with the ledger's list at every start and after every restore, so that neither a crash nor a backup
        brings a key back.
        """
        gone = 0
        with self._change():
            for subject in subjects:
                self._ciphers.pop(subject, None)
                self._db.execute("INSERT INTO shredded VALUES(?) ON CONFLICT DO NOTHING", (subject,))
                self._db.execute("DELETE FROM subject_key WHERE subject=?", (subject,))
                gone += self._db.changes()
                self._db.execute("DELETE FROM blind WHERE subject=?", (subject,))
        return gone

    def state(self, subject: str) -> str:
        """``"present"``, ``"shredded"`` or ``"unknown"``."""
        with self._lock:
            if self._one("SELECT 1 FROM shredded WHERE subject=?", subject):
                return "shredded"
            return "present" if self._one("SELECT 1 FROM subject_key WHERE subject=?", subject) else "unknown"

    # finding by name

    def remember(self, subject: str, kind: str, text: str) -> None:
        """Let a person be found by a text of some kind (``"name"``, ``"record number"``). The text is not stored.

        Raises:
            SubjectShredded: the person's key was destroyed.
        """
        with self._change():
            if self._one("SELECT 1 FROM shredded WHERE subject=?", subject):
                raise _shredded(subject)
            digest = self._blind(kind, text)
            self._db.execute("INSERT INTO blind VALUES(?,?) ON CONFLICT DO NOTHING", (digest, subject))

    def find(self, kind: str, text: str) -> list[str]:
        """The persons remembered under this text, in order. Case, width of characters and runs of spaces do not count."""
        with self._lock:
            rows = self._db.execute(
                "SELECT subject FROM blind WHERE digest=? ORDER BY subject", (self._blind(kind, text),)
            )
            return [str(row[0]) for row in rows]

    # keeping

    def backup(self, path: Path) -> None:
        """Copy the keys, wrapped as they are, to a new file of mode 0600.

        It opens only with the key-encryption key. Keep it apart from the ledger's backups and for a short time.

        Raises:
            SubjectKeyError: the file exists.
        """
        import apsw

        try:
            create_whole(path, b"", PRIVATE)
        except FileExistsError as error:
            raise SubjectKeyError(_("There is a file at {path} already.").format(path=path)) from error
        with self._lock:
            copy = apsw.Connection(str(path))
            try:
                with copy.backup("main", self._db, "main") as work:
                    work.step()
                copy.pragma("journal_mode", "delete")
            finally:
                copy.close()
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(path.parent)

    def renew(self, kek: KeyEncryptionKey) -> None:
        """Wrap every key under a new key-encryption key. Then destroy the old one's file and its copies.

        This is what makes a destroyed key's remnants on a disk or in an old backup worthless.
        """
        with self._lock:
            with self._change():
                for table, name in (("subject_key", "subject"), ("secret", "name")):
                    for owner, wrapped in list(self._db.execute(f"SELECT {name}, wrapped FROM {table}")):
                        again = kek.wrap(str(owner), self._kek.unwrap(str(owner), bytes(wrapped)))
                        self._db.execute(f"UPDATE {table} SET wrapped=?, kek=? WHERE {name}=?", (again, kek.id, owner))
            self._kek = kek
            self._db.execute("VACUUM")

    def close(self) -> None:
        """Forget the unwrapped keys and give the file back. May be called twice."""
        with self._lock:
            self._ciphers.clear()
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # inside

    def _key(self, subject: str, *, make: bool) -> AESGCM:
        """A person's cipher. What is held in memory counts only while no other process has written to the file."""
        version = self._data_version()
        if version != self._version:
            self._ciphers.clear()
            self._version = version
        cipher = self._ciphers.get(subject)
        if cipher is not None:
            self._ciphers.move_to_end(subject)
            return cipher
        key = self._read("subject_key", "subject", subject)
        if key is None:
            if self.state(subject) == "shredded":
                raise _shredded(subject)
            if not make:
                raise SubjectUnknown(_("There is no key of {subject} here.").format(subject=subject))
            key = self._make("subject_key", "subject", subject)
        cipher = self._ciphers[subject] = new_cipher(key)
        if len(self._ciphers) > CACHED_KEYS:
            self._ciphers.popitem(last=False)
        return cipher

    def _secret(self, name: str) -> bytes:
        return self._read("secret", "name", name) or self._make("secret", "name", name)

    def _read(self, table: str, column: str, name: str) -> bytes | None:
        row = self._one(f"SELECT wrapped, kek FROM {table} WHERE {column}=?", name)
        if row is None:
            return None
        if row[1] != self._kek.id:
            raise KekRefused(
                _("The keys in {path} are wrapped under the key-encryption key {found}, not {given}.").format(
                    path=self._path, found=row[1], given=self._kek.id
                )
            )
        return self._kek.unwrap(name, bytes(row[0]))

    def _make(self, table: str, column: str, name: str) -> bytes:
        """A new key, or the one another process made meanwhile. Never one for a person whose key was destroyed."""
        wrapped = self._kek.wrap(name, secrets.token_bytes(KEY_BYTES))
        with self._change():
            self._db.execute(
                f"INSERT INTO {table} SELECT ?,?,? WHERE NOT EXISTS(SELECT 1 FROM shredded WHERE subject=?) "
                f"ON CONFLICT DO NOTHING",
                (name, wrapped, self._kek.id, name if table == "subject_key" else None),
            )
        key = self._read(table, column, name)
        if key is None:
            raise _shredded(name)
        return key

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One durable change of the file, all of it or nothing."""
        import apsw

        try:
            with self._lock, self._db:
                yield
        except apsw.BusyError as error:
            raise _busy(self._path) from error
        except apsw.FullError as error:
            raise StorageFull(_("The persons' keys were not changed: the disk is full.")) from error

    def _blind(self, kind: str, text: str) -> bytes:
        plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        message = len(kind.encode()).to_bytes(4, "big") + kind.encode() + plain.encode()
        return hmac.new(self._index_key, message, sha256).digest()[:_INDEX_BYTES]

    def _one(self, sql: str, value: str) -> tuple[Any, ...] | None:
        for row in self._db.execute(sql, (value,)):
            return tuple(row)
        return None

    def _data_version(self) -> int:
        return int(self._db.pragma("data_version"))


def restore(backup: Path, path: Path, kek: KeyEncryptionKey, shredded: Iterable[str]) -> SubjectKeys:
    """Bring the keys back from a backup to a new file, without those whose destruction the ledger records.

    Raises:
        SubjectKeyError: there is no backup, or there is a file at ``path``.
        KekRefused: the backup is wrapped under another key-encryption key.
    """
    with SubjectKeys(backup, kek) as source:
        source.backup(path)
    keys = SubjectKeys(path, kek)
    keys.destroy_again(shredded)
    return keys


def _connect(path: Path) -> apsw.Connection:
    """Open ``keys.db``: durable at each commit, deleted content overwritten, and no write-ahead log to keep old keys."""
    import apsw

    if not path.exists():
        create_whole(path, b"", PRIVATE)
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.set_busy_timeout(BUSY_MS)
        db.pragma("journal_mode", "delete")
        db.pragma("synchronous", "extra")
        db.pragma("secure_delete", True)
        db.execute(_SCHEMA)
    except apsw.BusyError as error:
        db.close()
        raise _busy(path) from error
    except apsw.NotADBError as error:
        db.close()
        raise SubjectKeyError(_("The file {path} does not hold persons' keys.").format(path=path)) from error
    return db


def _busy(path: Path) -> Locked:
    return Locked(_("The persons' keys at {path} are in use by another program.").format(path=path))


def _bound(context: bytes, subject: str) -> bytes:
    """Associated data: the context's length keeps one context and person from being read as another pair."""
    return len(context).to_bytes(4, "big") + context + subject.encode()


def _plain64(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("not text")
    return base64.b64decode(value, validate=True)


def _shredded(subject: str) -> SubjectShredded:
    return SubjectShredded(
        _("The key of {subject} was destroyed: what was recorded about this person is unreadable for ever.").format(
            subject=subject
        )
    )
