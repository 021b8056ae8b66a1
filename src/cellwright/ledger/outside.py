"""Places outside the database where checkpoints are kept: another disk, another machine's share, an auditor's folder.

Whoever controls the database can rewrite it together with every hash in it; only a checkpoint he does not control shows
that. A place is a folder. In it, each log has a folder of its own with two files:

``checkpoint``
    the latest signed note, replaced as a whole;
``checkpoints.log``
    every signed note, one JSON object a line (``{"at": …, "note": …}``), only ever appended to.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

from cellwright.language import _
from cellwright.ledger.durable import append_line, write_whole
from cellwright.ledger.errors import LedgerError

NAME_LIMIT: Final = 200
"""Bytes of a folder's name at most; file systems allow 255."""


class PlaceAway(LedgerError):
    """A place outside cannot be reached or written now; what it lacks is kept and written when it is back."""


class OutsideFolder:
    """One place outside, for one log.

    The folder itself must exist: a share that is not mounted must be noticed, not silently replaced by a local folder.
    """

    def __init__(self, path: Path, origin: str) -> None:
        self.path = path
        self._folder = path / folder_name(origin)

    @property
    def name(self) -> str:
        return str(self.path)

    def latest(self) -> bytes | None:
        """The latest note kept here, or None when there is none yet.

        Raises:
            PlaceAway: the folder cannot be read.
        """
        self._present()
        try:
            return (self._folder / "checkpoint").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._away(error) from error

    def keep(self, note: bytes, at: str) -> None:
        """Append a note to the log of notes, then make it the latest. Returns when both are on the disk.

        Raises:
            PlaceAway: the folder cannot be written; the note may then be in the log of notes already.
        """
        self._present()
        line = json.dumps({"at": at, "note": note.decode()}, ensure_ascii=False, sort_keys=True)
        try:
            append_line(self._folder / "checkpoints.log", line.encode())
            write_whole(self._folder / "checkpoint", note)
        except OSError as error:
            raise self._away(error) from error

    def history(self) -> list[bytes]:
        """Every note kept here, oldest first. A line torn by a power loss is left out: its note was never complete.

        Raises:
            PlaceAway: the folder cannot be read.
        """
        self._present()
        try:
            lines = (self._folder / "checkpoints.log").read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._away(error) from error
        return [note for note in map(_note_of, lines) if note is not None]

    def _present(self) -> None:
        if not self.path.is_dir():
            raise PlaceAway(_("The outside place {path} is not there.").format(path=self.path))

    def _away(self, error: OSError) -> PlaceAway:
        return PlaceAway(_("The outside place {path} is away: {why}").format(path=self.path, why=error))


def folder_name(origin: str) -> str:
    """The name of a log's folder or file: its origin, made safe for a file system; a hash of it when that is too long."""
    name = quote(origin, safe="")
    if not name.strip("."):
        name = name.replace(".", "%2E")
    return name if len(name) <= NAME_LIMIT else f"sha256-{sha256(origin.encode()).hexdigest()}"


def _note_of(line: bytes) -> bytes | None:
    try:
        return str(json.loads(line)["note"]).encode()
    except (ValueError, KeyError, TypeError):
        return None
