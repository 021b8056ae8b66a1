"""What a dossier is made from, and what a verification reads: a site's record and files, opened for reading only.

A served site stays open for work in its own process; whoever makes a dossier or verifies reads beside it.
"""

from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from cellwright.command.site import Settings, read_settings
from cellwright.ledger import Ledger, LedgerError, open_ledger
from cellwright.ledger.files import FileAltered, FileRef, FolderStore


class Source(Protocol):
    """A site as far as its record is read; an open `Site` is one too."""

    @property
    def folder(self) -> Path: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def ledger(self) -> Ledger: ...
    def stored(self, sha256: str) -> bytes: ...


class Reading:
    """A site opened for reading only. Close it, or use it in a `with`."""

    def __init__(self, folder: Path, settings: Settings, ledger: Ledger) -> None:
        self.folder = folder
        self.settings = settings
        self.ledger = ledger
        self.files = FolderStore(folder / "files")

    def stored(self, sha256_: str) -> bytes:
        """The bytes of a file as stored. Raises FileMissing, FileAltered."""
        with self.files.open(FileRef(sha256_, 0)) as file:
            data = file.read()
        if sha256(data).hexdigest() != sha256_:
            raise FileAltered(f"{sha256_}: the stored bytes are not those of this hash")
        return data

    def close(self) -> None:
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_reading(folder: Path, ledger: str | None = None) -> Reading:
    """Open a site's folder for reading, in any number of processes, beside whoever works with it.

    Args:
        ledger: where the ledger lies, if not where the site's settings say.

    Raises:
        NoSite: the folder holds no site. LedgerError: its ledger is not there or cannot be read.
    """
    settings = read_settings(folder)
    if ledger:
        settings = msgspec.structs.replace(settings, ledger=ledger)
    where = settings.ledger if "://" in settings.ledger else folder / settings.ledger
    if isinstance(where, Path) and not where.is_file():
        raise LedgerError(f"{where} is not there.")
    return Reading(folder, settings, open_ledger(where, read_only=True))
