"""Makes the dossier of a lot: its story with everything that proves it, and nothing of anybody else.

A stranger's dossier is pseudonymised (D6): it holds identifiers of chains of identity and never personal data. Files
about a person are enclosed as they are stored, encrypted under the person's key: their hash ties them to the record,
their content stays closed. The treating hospital's variant holds the same files opened as well; that what was opened is
what was stored is the site's word, under its seal, because the proof would be the person's key.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal

from cellwright.command.dossier.archive import pack
from cellwright.command.dossier.check import SCHEMA, SEALED_FILE, digests_named
from cellwright.command.dossier.selection import LotUnknown, Selection, select
from cellwright.command.dossier.source import Source
from cellwright.command.recovery import destroyed
from cellwright.command.rotation import held as held_keys
from cellwright.command.witnessing import cosignatures, named
from cellwright.factory.rule import Refusal
from cellwright.ledger import Event
from cellwright.ledger.canonical import encode
from cellwright.ledger.checkpoint import COSIGNATURE, NOTE, TIMESTAMP, key_chain
from cellwright.ledger.files import SEALED, FileMissing
from cellwright.ledger.key_encryption import KeyEncryptionKey, SubjectKeyError
from cellwright.ledger.merkle import leaf_hash
from cellwright.ledger.note import Checkpoint, Note
from cellwright.ledger.subject_keys import SubjectKeys

Reader = Literal["stranger", "hospital"]
HASH_BYTES: Final = 32


def dossier(site: Source, lot: str, reader: Reader = "stranger", held: Sequence[bytes] = ()) -> bytes:
    """The dossier of a lot, up to the last published checkpoint; the last cosigned one where witnesses are asked seldom.

    Args:
        site: an open site, which publishes a checkpoint first, or one open for reading only.
        reader: for whom it is; only the treating hospital gets files about the patient opened.
        held: checkpoints that the reader holds; the proofs that the record continues them are enclosed.

    Raises:
        Refusal `no-such-lot`: the record knows no such lot. `not-published`: the last checkpoint is older than the lot's
            last event.
    """
    publish = getattr(site, "publish", None)
    if publish is not None:
        publish()
    try:
        chosen = select(site.ledger, lot)
    except LotUnknown:
        raise Refusal("no-such-lot", "There is no lot {lot}.", remedy="See the list of lots.", lot=lot) from None
    note, checkpoint = _published(site, max(chosen.events), lot)
    files, withheld = _files(site, chosen.events.values())
    sealed = sorted(digest for digest, data in files.items() if data.startswith(SEALED_FILE))
    opened = _opened(site, chosen, {digest: files[digest] for digest in sealed}) if reader == "hospital" else {}
    content = {
        "events.jsonl": b"".join(_bytes(site, chosen.events)),
        "proofs.json": encode(
            {str(pos): [n.hex() for n in site.ledger.inclusion_proof(pos, checkpoint.size)] for pos in chosen.events}
        ),
        "consistency.json": encode(_consistency(site, held, checkpoint)),
        "checkpoint.note": note,
        **_seen_by_others(site, note),
        **{f"files/{digest}": data for digest, data in files.items()},
        **{f"opened/{digest}": data for digest, data in opened.items()},
    }
    genesis = chosen.events[0].body
    manifest = {
        "schema": SCHEMA,
        "for": reader,
        "lot": lot,
        "coi": _coi(chosen, lot),
        "simulated": bool(genesis.get("simulated")),
        "size": checkpoint.size,
        "complete": chosen.complete,
        "trimmed": chosen.trimmed,
        "shared": list(chosen.shared),
        "sealed": sealed,
        "opened": {digest: sha256(data).hexdigest() for digest, data in opened.items()},
        "withheld": withheld,
        "witnesses": [str(key) for line in site.settings.witnesses for key in named(line).keys],
        "destroyed": sorted(_subjects(chosen.events.values()) & set(destroyed(site.ledger))),
        "files": {name: sha256(data).hexdigest() for name, data in content.items()},
    }
    content["manifest.json"] = encode(manifest)
    content["dossier.note"] = _seal(site, str(genesis["origin"]), lot, content["manifest.json"])
    return pack(content)


def _coi(chosen: Selection, lot: str) -> str:
    first = next(event for event in chosen.events.values() if event.stream == f"lot/{lot}")
    return str(first.body.get("coi") or "")


def _published(site: Source, last: int, lot: str) -> tuple[bytes, Checkpoint]:
    notes = [row for row in site.ledger.checkpoints(NOTE) if row.size > last]
    if not notes:
        raise Refusal(
            "not-published",
            "The last checkpoint does not yet cover lot {lot}.",
            remedy="Ask again when the site has published its next checkpoint.",
            rule="R001",
            lot=lot,
        )
    cosigned = {row.size for row in site.ledger.checkpoints(COSIGNATURE)}
    body = max(notes, key=lambda row: (row.size in cosigned, row.size)).body
    return body, Checkpoint.parse(Note.parse(body).text)


def _seen_by_others(site: Source, note: bytes) -> dict[str, bytes]:
    """Cosignatures of the named witnesses, and time stamps, over the dossier's checkpoint."""
    text = Note.parse(note).text
    size = Checkpoint.parse(text).size
    lines = map(named, site.settings.witnesses)
    found = [body for line in lines for at, body in cosignatures(site.ledger, line) if at == size]
    kept = [body for body in dict.fromkeys(found) if Note.parse(body).text == text]
    stamps = [row.body for row in site.ledger.checkpoints(TIMESTAMP) if row.size == size]
    return {
        **{f"cosignatures/{number}.note": body for number, body in enumerate(kept, 1)},
        **{f"timestamps/{number}.tsr": body for number, body in enumerate(stamps, 1)},
    }


def _bytes(site: Source, events: dict[int, Event]) -> Iterable[bytes]:
    """The stored bytes of events, a line each; neighbours are read together."""
    positions = sorted(events)
    start = 0
    while start < len(positions):
        end = start
        while end + 1 < len(positions) and positions[end + 1] == positions[end] + 1:
            end += 1
        for record in site.ledger.records(positions[start], positions[end] + 1):
            yield record.data + b"\n"
        start = end + 1


def _consistency(site: Source, held: Sequence[bytes], now: Checkpoint) -> dict[str, list[str]]:
    """Proofs that the record continues checkpoints held elsewhere, by their size."""
    sizes = {Checkpoint.parse(Note.parse(note).text).size for note in held}
    return {
        str(size): [node.hex() for node in site.ledger.consistency_proof(size, now.size)]
        for size in sorted(sizes)
        if 0 < size < now.size
    }


def _files(site: Source, events: Iterable[Event]) -> tuple[dict[str, bytes], list[str]]:
    """The stored bytes of every file that the events name, and the files that are not in the store."""
    found: dict[str, bytes] = {}
    missing = set()
    for event in events:
        for digest in digests_named(event.body):
            if digest not in found:
                try:
                    found[digest] = site.stored(digest)
                except FileMissing:
                    missing.add(digest)
    return found, sorted(missing)


def _opened(site: Source, chosen: Selection, sealed: dict[str, bytes]) -> dict[str, bytes]:
    """What encrypted files hold, as far as a key of a person of this story opens them."""
    subjects = sorted(_subjects(chosen.events.values()))
    found: dict[str, bytes] = {}
    with SubjectKeys(site.folder / "keys.db", KeyEncryptionKey.load(site.folder / "keys" / "persons.kek")) as keys:
        for digest, data in sealed.items():
            for subject in subjects:
                try:
                    plain = keys.unseal(subject, data[len(SEALED) :], SEALED)
                except SubjectKeyError:
                    continue
                if sha256(plain[HASH_BYTES:]).digest() == plain[:HASH_BYTES]:
                    found[digest] = plain[HASH_BYTES:]
                    break
    return found


def _subjects(events: Iterable[Event]) -> set[str]:
    """Donor and recipient of the pairs in the story."""
    return {str(event.body[key]) for event in events if event.type == "pair.formed" for key in ("donor", "recipient")}


def _seal(site: Source, origin: str, lot: str, manifest: bytes) -> bytes:
    """The site's word on what the dossier holds: a checkpoint of a log whose only entry is the manifest."""
    text = Checkpoint(f"{origin}/dossier/{lot}", 1, leaf_hash(manifest)).text
    now = int(datetime.now(UTC).timestamp())
    keys = held_keys(site.folder, key_chain(site.ledger))
    return Note(text, tuple(key.sign(text, now) for key in keys)).to_bytes()
