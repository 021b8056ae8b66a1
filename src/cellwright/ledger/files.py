"""Files that belong to the record: instrument files, scans, reports, kept under the hash of what is stored.

An event names a file by a :class:`FileRef`. The file is on the disk, flushed together with its folder, before the event
is appended; so an event never names a file that a power cut can take away. A file without an event is harmless; an
event without its file, or with an altered one, is a finding of :func:`check_files`.

A file about a person is encrypted under that person's key before it is stored, and its address is the hash of the
*encrypted* bytes. The hash of the plain file may not be the address: a hash of personal data is itself personal data
(whoever has a copy of the file can recognise it), it would stand in the ledger for ever, and no destruction of a key
would take it back. The plain hash is kept inside the encrypted part, where it is destroyed together with the file, and
proves on reading that what comes out is what went in.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from cellwright.language import _
from cellwright.ledger.durable import sync_folder, write_whole
from cellwright.ledger.errors import LedgerError, StorageFull, Unavailable

FILE_LIMIT: Final = 1 << 30
"""Bytes of a file at most."""
SEALED: Final = b"cellwright-file/1\n"
"""First bytes of an encrypted file; then the sealed hash and content."""
_CHUNK: Final = 1 << 20
_HASH_BYTES: Final = 32
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

_log = logging.getLogger("cellwright.ledger.files")


class FileRef(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How an event names a file.

    Attributes:
        sha256: hash of the stored bytes, 64 lower-case hexadecimal digits: the file's address.
        size: number of stored bytes.
        subject: whose key encrypts it; None for a file that is about nobody.
    """

    sha256: str
    size: int
    subject: str | None = None

    def __post_init__(self) -> None:
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {self.sha256!r}")
        if not 0 <= self.size <= FILE_LIMIT + 1024:
            raise ValueError(f"no file has {self.size} bytes")


class FileRefused(LedgerError):
    """A file that cannot be stored as asked."""


class FileMissing(LedgerError):
    """A file of the record is not there."""


class FileAltered(LedgerError):
    """What is stored under a file's address is not that file."""


class Sealer(Protocol):
    """Encrypts under a person's key; :class:`~cellwright.ledger.subject_keys.SubjectKeys` does."""

    def seal(self, subject: str, data: bytes, context: bytes) -> bytes: ...
    def unseal(self, subject: str, sealed: bytes, context: bytes) -> bytes: ...


class FileStore(Protocol):
    """Where files are kept: a folder now, an object store by the same four verbs."""

    def put(self, data: bytes, subject: str | None = None) -> FileRef:
        """Keep a file, encrypted when a subject is named; return when it is durable. To repeat it is harmless."""
        ...

    def get(self, ref: FileRef) -> bytes:
        """The plain content, verified. Raises FileMissing, FileAltered, SubjectShredded."""
        ...

    def exists(self, ref: FileRef) -> bool:
        """Whether something is stored under this address (unverified)."""
        ...

    def open(self, ref: FileRef) -> BinaryIO:
        """The bytes as stored, encrypted if they are, unverified: to copy and to check. Raises FileMissing."""
        ...


class FolderStore:
    """Files in a folder, spread over two levels of 256 folders by the first digits of their address.

    Args:
        root: the folder; made when it is not there.
        keys: the persons' keys; without them only files about nobody can be stored, and encrypted ones not read.
    """

    def __init__(self, root: Path, keys: Sealer | None = None) -> None:
        self._root, self._keys = root, keys
        self._flushed: set[Path] = set()

    def put(self, data: bytes, subject: str | None = None) -> FileRef:
        """Keep a file; return when it and its name are on the disk.

        Raises:
            FileRefused: it is too large, or is about a person and there are no keys here.
            StorageFull, Unavailable: the disk refused; nothing was kept.
        """
        if len(data) > FILE_LIMIT:
            raise FileRefused(
                _("A file of {size} bytes was refused; the limit is {limit}.").format(size=len(data), limit=FILE_LIMIT)
            )
        if subject is not None:
            data = SEALED + self._sealer().seal(subject, sha256(data).digest() + data, SEALED)
        ref = FileRef(sha256(data).hexdigest(), len(data), subject)
        path = self.path(ref)
        try:
            if self._holds(path, ref):
                sync_folder(path.parent)  # whoever wrote it may have been cut off before this
            else:
                write_whole(path, data, 0o444)
            self._flush_names_of_folders(path)
        except OSError as error:
            kind = StorageFull if error.errno in _FULL else Unavailable
            raise kind(_("The file was not kept: {why}").format(why=error)) from error
        return ref

    def _flush_names_of_folders(self, path: Path) -> None:
        """Each folder's own name is flushed once by this store: one that was found may have been made by somebody who was
        cut off, or is still, before flushing it."""
        for folder in (path.parent.parent, self._root, self._root.parent):
            if folder not in self._flushed:
                sync_folder(folder)
                self._flushed.add(folder)

    def get(self, ref: FileRef) -> bytes:
        """The plain content, verified.

        Raises:
            FileMissing: it is not there.
            FileAltered: it is not what it was.
            FileRefused: it is encrypted and there are no keys here.
            SubjectShredded: its key was destroyed.
        """
        with self.open(ref) as file:
            data = file.read(ref.size + 1)
        if len(data) != ref.size or sha256(data).hexdigest() != ref.sha256:
            raise _altered(ref)
        if ref.subject is None:
            return data
        if not data.startswith(SEALED):
            raise _altered(ref)
        opened = self._sealer().unseal(ref.subject, data[len(SEALED) :], SEALED)
        digest, content = opened[:_HASH_BYTES], opened[_HASH_BYTES:]
        if sha256(content).digest() != digest:
            raise _altered(ref)
        return content

    def exists(self, ref: FileRef) -> bool:
        return self.path(ref).is_file()

    def open(self, ref: FileRef) -> BinaryIO:
        try:
            return self.path(ref).open("rb")
        except FileNotFoundError as error:
            raise FileMissing(
                _("The file {address} is not in the store: restore it from a copy.").format(address=ref.sha256)
            ) from error

    def path(self, ref: FileRef) -> Path:
        """Where a file lies."""
        return self._root / ref.sha256[:2] / ref.sha256[2:4] / ref.sha256

    def _sealer(self) -> Sealer:
        if self._keys is None:
            raise FileRefused(_("A file about a person needs the persons' keys, and none are open here."))
        return self._keys

    def _holds(self, path: Path, ref: FileRef) -> bool:
        if not path.exists():
            return False
        with path.open("rb") as file:
            if digest_of(file) == (ref.sha256, ref.size):
                return True
        _log.error("the stored file %s was damaged and is replaced by a good copy", ref.sha256)
        return False


class FileFinding(msgspec.Struct, frozen=True):
    """A file of the record that is not as it was. ``kind``: ``missing``, ``altered`` or ``unreadable`` (a disk error)."""

    kind: str
    ref: FileRef
    text: str


def check_files(store: FileStore, references: Iterable[FileRef]) -> list[FileFinding]:
    """Compare every file the record names with its hash, as stored; keys are neither needed nor used.

    A file whose key was destroyed still has its hash, so it is no finding (F13).
    """
    findings, seen = [], set[FileRef]()
    for ref in references:
        if ref not in seen:
            seen.add(ref)
            finding = _check(store, ref)
            if finding is not None:
                findings.append(finding)
    return findings


def _check(store: FileStore, ref: FileRef) -> FileFinding | None:
    try:
        with store.open(ref) as file:
            found = digest_of(file)
    except FileMissing as error:
        return FileFinding("missing", ref, str(error))
    except (OSError, Unavailable) as error:
        text = _("The file {address} cannot be read: {why}").format(address=ref.sha256, why=error)
        return FileFinding("unreadable", ref, text)
    return None if found == (ref.sha256, ref.size) else FileFinding("altered", ref, str(_altered(ref)))


def digest_of(file: BinaryIO) -> tuple[str, int]:
    """SHA-256 and length of all that is left to read of a binary file."""
    digest, size = sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _altered(ref: FileRef) -> FileAltered:
    return FileAltered(
        _("The file {address} is not what was recorded: set it aside as evidence and restore it from a copy.").format(
            address=ref.sha256
        )
    )
