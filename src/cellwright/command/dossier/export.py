"""Makes the dossier of a lot: its story with everything that proves it, and nothing of anybody else.

A stranger's dossier is pseudonymised (D6): it holds chain-of-identity identifiers and never personal data, whose
ciphertext stays at the site. What the record keeps of other lots stays there too; their events are only hashes in the
proofs.
"""

from collections.abc import Iterable
from typing import Any, Final

from cellwright.command.dossier.archive import pack
from cellwright.command.dossier.check import ED25519, SCHEMA
from cellwright.command.site import Site
from cellwright.factory.lot.state import LotState
from cellwright.factory.rule import Refusal
from cellwright.ledger import Event, Record
from cellwright.ledger.canonical import encode
from cellwright.ledger.checkpoint import NOTE
from cellwright.ledger.files import FileMissing
from cellwright.ledger.merkle import leaf_hash
from cellwright.ledger.note import Checkpoint, Note
from cellwright.ledger.signing_key import load_keys

WHOLE: Final = ("lot", "order", "quality", "release", "shipment", "case")
"""Rooms whose streams a dossier holds from the first to the last event."""
PERSONAL: Final = ("subject/",)
"""Streams that hold personal data, encrypted; they stay at the site."""


def dossier(site: Site, lot: str) -> bytes:
    """The dossier of a lot up to a checkpoint made now.

    Raises:
        Refusal `no-such-lot`: the record knows no such lot.
    """
    state = site.desk.state(LotState, lot)
    if not state.exists:
        raise Refusal("no-such-lot", "There is no lot {lot}.", remedy="See the list of lots.", lot=lot)
    checkpoint = site.publisher.publish()
    positions = _positions(site, lot, state.coi)
    records = [_record(site, pos) for pos in sorted(positions)]
    events = [record.event for record in records]
    files = _files(site, events)
    content = {
        "events.jsonl": b"".join(record.data + b"\n" for record in records),
        "proofs.json": encode(
            {str(r.pos): [n.hex() for n in site.ledger.inclusion_proof(r.pos, checkpoint.size)] for r in records}
        ),
        "checkpoint.note": _note(site, checkpoint.size),
        **{f"files/{digest}": data for digest, data in files.items() if data is not None},
    }
    manifest = {
        "schema": SCHEMA,
        "lot": lot,
        "coi": state.coi or "",
        "size": checkpoint.size,
        "pseudonymised": True,
        "complete": _complete(events),
        "withheld": sorted(digest for digest, data in files.items() if data is None),
        "files": {name: _sha256(data) for name, data in content.items()},
    }
    content["manifest.json"] = encode(manifest)
    content["dossier.note"] = _seal(site, lot, content["manifest.json"])
    return pack(content)


def _sha256(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


def _record(site: Site, pos: int) -> Record:
    return next(iter(site.ledger.records(pos, pos + 1)))


def _positions(site: Site, lot: str, coi: str | None) -> set[int]:
    """Positions of the events of a lot's story, of the people in it, and of what they rest on."""
    ledger = site.ledger
    story = {event.pos: event for event in ledger.tagged(f"lot/{lot}")}
    if coi:
        story |= {event.pos: event for event in ledger.tagged(f"coi/{coi}")}
    streams = {event.stream for event in story.values()}
    for stream in sorted(streams):
        if stream.partition("/")[0] in WHOLE:
            story |= {event.pos: event for event in ledger.stream(stream)}
    story = {pos: event for pos, event in story.items() if not event.stream.startswith(PERSONAL)}
    resting: set[int] = {0}
    resting |= {event.pos for event in ledger.stream("ledger/keys")}
    for stream in sorted(_people(story.values()) | _stock(story.values())):
        resting |= {event.pos for event in ledger.stream(stream)}
    for kind in ("product", "recipe", "specification", "plant", "trial"):
        resting |= {event.pos for event in ledger.stream(f"definition/{kind}")}
    return set(story) | resting


def _people(events: Iterable[Event]) -> set[str]:
    """Streams of everybody who acted or signed."""
    named = {event.actor for event in events if event.actor.startswith("person/")}
    return named | {f"person/{e.body['person']}" for e in events if e.type == "signature.applied"}


def _stock(events: Iterable[Event]) -> set[str]:
    """Streams of the material lots and equipment used."""
    return {tag for event in events for tag in event.tags if tag.startswith(("material/", "equipment/"))}


def _complete(events: Iterable[Event]) -> dict[str, int]:
    complete: dict[str, int] = {}
    for event in events:
        if event.stream.partition("/")[0] in (*WHOLE, "person"):
            complete[event.stream] = event.version + 1
    return complete


def _files(site: Site, events: Iterable[Event]) -> dict[str, bytes | None]:
    """Stored bytes of every file that the events name; None for one that is personal or no longer readable."""
    found: dict[str, bytes | None] = {}
    for event in events:
        for digest in _digests(event.body):
            if digest not in found:
                try:
                    found[digest] = site.stored(digest)
                except FileMissing:
                    continue
    return found


def _digests(value: Any, key: str = "") -> Iterable[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _digests(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _digests(inner, key)
    elif isinstance(value, str) and "sha256" in key and len(value) == 64:
        yield value


def _note(site: Site, size: int) -> bytes:
    notes = [c.body for c in site.ledger.checkpoints(NOTE) if c.size == size]
    return notes[-1]


def _seal(site: Site, lot: str, manifest: bytes) -> bytes:
    """The site's word on what the dossier holds: a checkpoint of a log whose only entry is the manifest."""
    text = Checkpoint(f"{site.settings.origin}/dossier/{lot}", 1, leaf_hash(manifest)).text
    keys = [key for key in load_keys(site.folder / "keys" / "checkpoint.keys") if key.verifier.type == ED25519]
    return Note(text, tuple(key.sign(text, 0) for key in keys)).to_bytes()
