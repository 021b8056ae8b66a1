"""Writing a file so that it is either whole and on the disk, or not there.

The order is: write a temporary file beside the target, flush it to the disk, rename it over the target, flush the
folder. A power cut leaves the old file or the new one, never a mixture; when the call has returned, the new one stays.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PRIVATE: int = 0o600
"""Mode of a file that only its owner may read."""


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace ``path`` by ``data``, atomically and durably. Folders are made as needed.

    Raises:
        OSError: the disk refused (full, read-only, away). The old file is then still there.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        _write_new(temporary, data, mode)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def create_whole(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Like :func:`write_whole`, but never over a file that exists.

    Raises:
        FileExistsError: somebody was there first; nothing is changed.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        _write_new(temporary, data, mode)
        os.link(temporary, path)  # unlike a rename, a link fails where the name is taken
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def append_line(path: Path, line: bytes) -> None:
    """Add one line (without its newline) at the end of a file and flush it to the disk.

    If an earlier append was cut off by a power loss, the torn line is ended first, so that only it is lost.
    """
    new = not path.exists()
    make_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        _write_all(handle, (b"\n" if torn else b"") + line + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    if new:
        sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each flushed into its parent, so that what is put in them survives."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        _write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
