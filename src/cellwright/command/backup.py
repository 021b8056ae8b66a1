"""Backups of a site, in three parts that are kept apart, and bringing a site back from them.

record     ledger, files, settings: kept as long as the record, in several places
keys       `keys.db` and `personal.db`: kept apart and for a short time only, because an old copy holds keys that were
           destroyed since; what the record says is destroyed is destroyed again at every restore (D6)
secrets    `keys/`: what opens the keys and signs the checkpoints: a sealed copy, apart from both

Databases are copied through the same library that writes them (E9), so that a copy of a site at work is whole. A record
brought back from an old copy is shorter than a checkpoint that lies outside, and is recognised by it.
"""

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Final, Literal, NamedTuple

from cellwright.command.personal_key import FILE as PERSONAL
from cellwright.command.recovery import destroyed
from cellwright.command.site import KEK, NoSite, Site, open_site, read_settings
from cellwright.factory.rule import Refusal
from cellwright.language import _
from cellwright.ledger import LedgerError, open_ledger
from cellwright.ledger.durable import PRIVATE, create_whole, make_folder, sync_folder
from cellwright.ledger.key_encryption import KeyEncryptionKey
from cellwright.ledger.note import NoteError
from cellwright.ledger.outside import OutsideFolder, PlaceAway
from cellwright.ledger.subject_keys import SubjectKeys
from cellwright.ledger.subject_keys import restore as restore_keys

Part = Literal["record", "keys", "secrets"]
LEDGER: Final = "ledger.db"
KEYS: Final = "keys.db"
PAGES: Final = 2000
"""Pages of a database copied between two looks at whoever writes to it."""


class Restored(NamedTuple):
    """A site that was brought back."""

    events: int
    compared: tuple[str, ...]
    """Outside places whose checkpoint the record continues, or was found not to."""
    fault: str
    """Why the record is not the newest, or not what was written; empty when nothing says so."""


def back_up(folder: Path, to: Path, part: Part) -> int:
    """Copy one part of a site to a new folder; a site at work need not stop. Gives the number of bytes written.

    Raises:
        Refusal `folder-not-empty`. NoSite. LedgerError: the copy could not be made or read.
    """
    settings = read_settings(folder)
    _empty(to)
    make_folder(to)
    to.chmod(0o700)
    if part == "record":
        if "://" not in settings.ledger:
            _copy_database(folder / settings.ledger, to / LEDGER)
        _copy_tree(folder / "files", to / "files")
        _copy_file(folder / "site.toml", to / "site.toml")
    elif part == "keys":
        with SubjectKeys(folder / KEYS, KeyEncryptionKey.load(folder / KEK)) as keys:
            keys.backup(to / KEYS)
        if (folder / PERSONAL).is_file():
            _copy_database(folder / PERSONAL, to / PERSONAL)
    else:
        _copy_tree(folder / "keys", to)
    sync_folder(to)
    return sum(path.stat().st_size for path in to.rglob("*") if path.is_file())


def restore(folder: Path, record: Path, keys: Path, secrets: Path) -> Restored:
    """Bring a site back to a new folder from its three parts, and compare it with every checkpoint within reach.

    Raises:
        Refusal `folder-not-empty`. NoSite: the parts are not those of a site. LedgerError: they do not fit together.
    """
    settings = read_settings(record)
    _empty(folder)
    make_folder(folder)
    _copy_tree(record / "files", folder / "files")
    _copy_tree(secrets, folder / "keys")
    (folder / "keys").chmod(0o700)
    if "://" not in settings.ledger:
        if not (record / LEDGER).is_file():
            raise NoSite(_("{folder} holds no ledger.").format(folder=record))
        _copy_file(record / LEDGER, folder / settings.ledger)
    _copy_file(record / "site.toml", folder / "site.toml")
    where = settings.ledger if "://" in settings.ledger else folder / settings.ledger
    with open_ledger(where, read_only=True) as ledger:
        gone = destroyed(ledger)
    restore_keys(keys / KEYS, folder / KEYS, KeyEncryptionKey.load(folder / KEK), gone).close()
    if (keys / PERSONAL).is_file():
        _copy_file(keys / PERSONAL, folder / PERSONAL)
        (folder / PERSONAL).chmod(PRIVATE)
    for place in settings.places:
        if not Path(place).is_absolute():
            make_folder(folder / place)
    return _compared(folder)


def _compared(folder: Path) -> Restored:
    """Open what was brought back, and publish: that compares it with its own checkpoints and those outside."""
    site = open_site(folder, environment=os.environ)
    places = tuple(_places(site))
    events, fault = site.ledger.head().size, ""
    try:
        with site:
            site.publish()
    except (LedgerError, NoteError) as error:
        fault = str(error)
    return Restored(events, places, fault)


def _places(site: Site) -> list[str]:
    found = []
    for place in site.settings.places:
        try:
            if OutsideFolder(site.folder / place, site.settings.origin).latest() is not None:
                found.append(place)
        except PlaceAway:
            continue
    return found


def _empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refusal(
            "folder-not-empty",
            "{folder} is not empty.",
            remedy="Name a new folder; nothing is ever written over something else.",
            folder=str(folder),
        )


def _copy_database(source: Path, to: Path) -> None:
    """A whole copy of an SQLite database in use, page by page through its own library, and flushed to the disk."""
    import apsw

    if not source.is_file():
        raise LedgerError(_("There is no database at {path}.").format(path=source))
    create_whole(to, b"", PRIVATE)
    with (
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)) as reading,
        closing(apsw.Connection(str(to))) as copy,
    ):
        reading.set_busy_timeout(10_000)
        with copy.backup("main", reading, "main") as work:
            while not work.done:
                work.step(PAGES)
        copy.pragma("journal_mode", "delete")
    _flush(to)


def _copy_tree(source: Path, to: Path) -> None:
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                _copy_file(path, to / path.relative_to(source))


def _copy_file(source: Path, to: Path) -> None:
    """A copy with the same mode, flushed to the disk."""
    if not source.is_file():
        raise NoSite(_("{path} is not there.").format(path=source))
    make_folder(to.parent)
    shutil.copy(source, to)
    _flush(to)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)
