"""What a site holds beside its ledger, as a verification reads it: rows of checkpoints, places, witnesses, persons' keys.

Everything is read and nothing written. Whoever holds the disk can take any of it away; what the rest says of it shows it.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256, sha384, sha512
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from cellwright.command.witnessing import KEYS as WITNESS_KEYS
from cellwright.command.witnessing import named
from cellwright.language import _
from cellwright.ledger import Finding, LedgerError
from cellwright.ledger.canonical import parse_time
from cellwright.ledger.checkpoint import COSIGNATURE, NOTE, TIMESTAMP
from cellwright.ledger.event import StoredCheckpoint
from cellwright.ledger.key_encryption import KeyEncryptionKey
from cellwright.ledger.note import Checkpoint, Note, NoteError, open_note
from cellwright.ledger.outside import folder_name
from cellwright.ledger.subject_keys import SubjectKeys

KEPT_WITHIN_S: Final = 3600
"""Seconds at most between a witness's signature and the moment at which it was kept, by two clocks."""
HASHES: Final = (sha256, sha384, sha512)
"""What a time-stamping authority is given: one of these hashes of the note (RFC 3161)."""


def rows(stored: Sequence[StoredCheckpoint], witnesses: Sequence[str] | None) -> Iterator[Finding]:
    """Each row of the checkpoint store against the others: nothing twice, nothing about a note that is not there.

    Args:
        stored: all rows in their order.
        witnesses: the lines of `site.toml`; None where it is not at hand, and whose a cosignature is stays open.
    """
    notes = [row for row in stored if row.kind == NOTE]
    sizes = [row.size for row in notes]
    for before, after in pairwise(sizes):
        if after <= before:
            yield _about(after, _("it stands after the one at {before} events").format(before=before))
    for (kind, size, _body), count in Counter((row.kind, row.size, row.body) for row in stored).items():
        if count > 1 and kind != NOTE:
            yield _about(size, _("its {kind} is there {count} times").format(kind=kind, count=count))
    texts = {row.size: row.body for row in notes}
    for row in stored:
        if row.kind == COSIGNATURE:
            yield from _cosignature(row, texts, witnesses)
        elif row.kind == TIMESTAMP and not _stamps(row, texts):
            yield _about(row.size, _("its time stamp is not one over its note"))


def _about(size: int, what: str) -> Finding:
    text = _("checkpoint {size} in the ledger: {what}").format(size=size, what=what)
    return Finding("checkpoint", size, text)


def _cosignature(
    row: StoredCheckpoint, texts: Mapping[int, bytes], witnesses: Sequence[str] | None
) -> Iterator[Finding]:
    """One witness's signature over the note of that size, made when it was kept."""
    try:
        note = Note.parse(row.body)
        keys = [key for line in witnesses or () for key in named(line).keys]
        signed = open_note(row.body, keys).signatures if witnesses is not None else {}
        beside = Note.parse(texts[row.size]).text if row.size in texts else None
        at = parse_time(row.at).timestamp()
    except (NoteError, ValueError) as error:
        yield _about(row.size, _("its cosignature: {why}").format(why=error))
        return
    if beside != note.text:
        yield _about(row.size, _("its cosignature is over another note than the one kept"))
    if any(abs(at - (one.timestamp or 0)) > KEPT_WITHIN_S for one in signed.values()):
        yield _about(row.size, _("its cosignature was not made when it is said to have been kept"))


def _stamps(row: StoredCheckpoint, texts: Mapping[int, bytes]) -> bool:
    """Whether a token is DER and holds a hash of the note; its authority's signature is not checked here."""
    note = texts.get(row.size)
    return note is not None and row.body[:1] == b"\x30" and any(hash_(note).digest() in row.body for hash_ in HASHES)


def witnesses_here(
    folder: Path, origin: str, lines: Sequence[str], stored: Sequence[StoredCheckpoint]
) -> Iterator[Finding]:
    """Witnesses in folders: each remembers the last note that it cosigned, and the ledger holds that cosignature."""
    for line in lines:
        try:
            witness = named(line)
        except NoteError as error:
            yield Finding("settings", None, str(error))
            continue
        cosigned = {row.size for row in stored if row.kind == COSIGNATURE and _signed_by(row, line)}
        if "://" in witness.address:
            continue
        place = folder / witness.address
        if not (place / WITNESS_KEYS).is_file():
            if cosigned:
                text = _("The witness {address} cosigned checkpoints of this site and is not there.")
                yield Finding("place", None, text.format(address=witness.address))
            continue
        seen = _seen(place / "logs", origin)
        if seen and seen not in cosigned:
            text = _("The witness {address} cosigned the checkpoint at {size} events; the ledger does not hold that.")
            yield Finding("checkpoint", seen, text.format(address=witness.address, size=seen))


def _signed_by(row: StoredCheckpoint, line: str) -> bool:
    try:
        return bool(open_note(row.body, named(line).keys).signatures)
    except NoteError:
        return False


def _seen(logs: Path, origin: str) -> int:
    """Events of the last note that a witness in a folder remembers of a log; 0 where it remembers none."""
    try:
        note = json.loads((logs / f"{folder_name(origin)}.json").read_bytes())["note"]
        return Checkpoint.parse(Note.parse(str(note).encode()).text).size if note else 0
    except (OSError, ValueError, KeyError, TypeError, NoteError):
        return 0


def vanished(folder: Path, places: Sequence[str], origin: str, published: bool) -> Iterator[Finding]:
    """Places for checkpoints that ought to hold some: every one in the site's own folder, once it has published."""
    if published and not places:
        yield Finding("place", None, _("site.toml names no place for checkpoints, and checkpoints were published."))
    for place in places:
        if published and not Path(place).is_absolute() and not (folder / place / folder_name(origin)).is_dir():
            text = _("The outside place {place} lies in the site's own folder and its checkpoints are gone.")
            yield Finding("place", None, text.format(place=place))


class Sealed(NamedTuple):
    """A personal field as an event holds it: the name of the field, and what is encrypted under the subject's key."""

    pos: int
    field: str
    value: dict[str, Any]


def sealed_in(pos: int, body: Any, field: str = "") -> Iterator[tuple[str, Sealed]]:
    """Every sealed field in the body of an event, with its subject."""
    if isinstance(body, dict):
        if {"enc", "n", "c"} <= body.keys():
            yield str(body["enc"]), Sealed(pos, field, body)
        else:
            for name, inner in body.items():
                yield from sealed_in(pos, inner, name)
    elif isinstance(body, list):
        for inner in body:
            yield from sealed_in(pos, inner, field)


def subject_keys(folder: Path, sealed: Mapping[str, Sequence[Sealed]], destroyed: Collection[str]) -> Iterator[Finding]:
    """Every key that opens what the record holds sealed is there and opens it; none is there that was destroyed.

    Args:
        sealed: by subject, the fields that events hold.
        destroyed: subjects whose key's destruction is on record.
    """
    try:
        kept, called_destroyed = _kept(folder / "keys.db")
        with SubjectKeys(folder / "keys.db", KeyEncryptionKey.load(folder / "keys" / "persons.kek")) as keys:
            for subject, fields in sealed.items():
                if subject not in destroyed:
                    yield from _opened(keys, subject, fields)
    except (LedgerError, OSError, sqlite3.Error, ValueError) as error:
        yield Finding("key", None, _("The persons' keys cannot be read: {why}").format(why=error))
        return
    for subject in sorted(kept.intersection(destroyed)):
        text = _("The key of {subject} is there, and its destruction is on record.")
        yield Finding("key", None, text.format(subject=subject))
    for subject in sorted(called_destroyed.difference(destroyed)):
        text = _("keys.db calls the key of {subject} destroyed, and no event destroyed it.")
        yield Finding("key", None, text.format(subject=subject))


def _kept(path: Path) -> tuple[set[str], set[str]]:
    """Subjects whose keys are there, and those called destroyed; nothing is written, not even into a spoilt file."""
    database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        if not database.execute("SELECT count(*) FROM secret").fetchone()[0]:
            raise ValueError(_("the key of its index is gone"))
        kept = {str(subject) for (subject,) in database.execute("SELECT subject FROM subject_key")}
        return kept, {str(subject) for (subject,) in database.execute("SELECT subject FROM shredded")}
    finally:
        database.close()


def _opened(keys: SubjectKeys, subject: str, fields: Sequence[Sealed]) -> Iterator[Finding]:
    """What a subject's key does not open. One finding a subject: the reason is the same for all its fields."""
    for one in fields:
        try:
            keys.decrypt_field(one.value, one.field)
        except (LedgerError, ValueError) as error:
            text = _("What is sealed about {subject} cannot be opened: {why}")
            yield Finding("key", one.pos, text.format(subject=subject, why=error))
            return
