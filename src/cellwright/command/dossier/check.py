"""Verifies a dossier: archive, the site's seal, file hashes, checkpoint, inclusion of every event, people's signatures.

Standard library only; a part of the stand-alone verifier.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from cellwright.command.dossier.archive import ArchiveBroken, unpack
from cellwright.command.dossier.finding import Findings, Problem
from cellwright.command.dossier.note import (
    ML_DSA_44,
    Checkpoint,
    KeySets,
    check_note,
    continues,
    cosigned,
    included,
    key_sets,
    lattice,
    leaf_of,
    read_checkpoint,
    read_key,
)
from cellwright.command.dossier.signed import Signatures, canonical, content_of
from cellwright.language import N_

SCHEMA = "cellwright.dossier/1"
SEALED_FILE = b"cellwright-file/1\n"
"""How a file that is stored encrypted begins."""
READERS = ("stranger", "hospital")
MANIFEST = {
    "coi": str, "complete": dict, "destroyed": list, "files": dict, "for": str, "lot": str, "opened": dict, "schema": str,
    "sealed": list, "shared": list, "simulated": bool, "size": int, "trimmed": dict, "withheld": list, "witnesses": list,
}  # fmt: skip
"""Fields of the manifest."""


def verify_dossier(
    archive: bytes, pins: Iterable[str] = (), checkpoints: Iterable[bytes] = (), witnesses: Iterable[str] = ()
) -> Findings:
    """Everything that can be known of a dossier without trusting anybody but the site's keys.

    Args:
        archive: the dossier's bytes.
        pins: the site's first verifier keys as known from elsewhere; without them it is for the reader to compare the
            keys that the dossier states.
        checkpoints: signed notes of the site's record as received from elsewhere; the dossier's must agree with them.
        witnesses: keys of witnesses as known from elsewhere; each must have cosigned the dossier's checkpoint.
    """
    found = Findings()
    try:
        files = unpack(archive)
        found.manifest = _manifest(files)
        _sealed(files, found)
        _listed(files, found)
        if found.ok:
            _record(files, frozenset(pins), tuple(checkpoints), found)
            _witnessed(files, tuple(witnesses), found)
    except (ArchiveBroken, Problem) as problem:
        found.problems.append(problem if isinstance(problem, Problem) else Problem("{what}", what=str(problem)))
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        text = N_("the dossier does not have the form of one: {what}")
        found.problems.append(Problem(text, what=f"{type(error).__name__} {error}"[:200]))
    return found


# --- the archive ---------------------------------------------------------------------------------------------------


def _json(files: dict[str, bytes], name: str) -> Any:
    try:
        value = json.loads(files[name])
    except (KeyError, ValueError, RecursionError):
        raise Problem(N_("{where}: it is missing or cannot be read"), where=name) from None
    if canonical(value) != files[name]:
        raise Problem(N_("{where}: it is not in canonical form"), where=name)
    return value


def _manifest(files: dict[str, bytes]) -> dict[str, Any]:
    manifest = _json(files, "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise Problem(
            N_("{where}: it is not the manifest of a dossier ({schema})"), where="manifest.json", schema=SCHEMA
        )
    right = set(manifest) == set(MANIFEST) and all(type(manifest[name]) is kind for name, kind in MANIFEST.items())
    if not right or manifest["for"] not in READERS:
        raise Problem(N_("{where}: its fields are not those of a manifest"), where="manifest.json")
    return manifest


def _sealed(files: dict[str, bytes], found: Findings) -> None:
    """The seal speaks of this manifest, whoever signed it; said first, so that the right one of two is named."""
    said = read_checkpoint(files.get("dossier.note", b""), "dossier.note")
    if said.size != 1 or said.root != leaf_of(files["manifest.json"]):
        text = N_("manifest.json: the seal in dossier.note is not over it; one of the two was altered")
        found.problems.append(Problem(text))


def _listed(files: dict[str, bytes], found: Findings) -> None:
    """What the archive holds is what the manifest lists, with the same content."""
    listed: dict[str, str] = found.manifest["files"]
    for name in sorted({*listed, *files} - {"manifest.json", "dossier.note"}):
        if name not in files:
            found.problems.append(Problem(N_("{where}: it is listed and missing"), where=name))
        elif name not in listed:
            found.problems.append(Problem(N_("{where}: it is not listed in the manifest"), where=name))
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            found.problems.append(Problem(N_("{where}: its content was altered"), where=name))
    found.files = sum(name.startswith("files/") for name in files)


# --- the record ----------------------------------------------------------------------------------------------------


def _record(files: dict[str, bytes], pins: frozenset[str], notes: tuple[bytes, ...], found: Findings) -> None:
    manifest = found.manifest
    events, leaves = _events(files)
    found.events = events
    opened = events[0]["body"]
    keys = key_sets(events)
    found.keys = list(keys.sets[0])
    if pins and not pins <= set(found.keys):
        raise Problem(N_("the site's first keys are not the ones you know: this is the record of another site"))
    found.pinned = bool(pins)
    if any(read_key(key).kind == ML_DSA_44 for key in found.keys):
        found.post_quantum = lattice()[0]
    seal = Checkpoint(f"{keys.origin}/dossier/{manifest['lot']}", 1, leaf_of(files["manifest.json"]))
    check_note(files["dossier.note"], seal, keys.sets[-1], "dossier.note")
    if bool(opened.get("simulated")) != manifest["simulated"]:
        found.problems.append(Problem(N_("manifest.json: it does not say whether the site is simulated")))
    now = read_checkpoint(files.get("checkpoint.note", b""), "checkpoint.note")
    if now.origin != keys.origin or now.size != manifest["size"]:
        raise Problem(N_("checkpoint.note: it is of another record than the dossier"))
    check_note(files["checkpoint.note"], now, keys.at(now.size), "checkpoint.note")
    _compared(files, notes, keys, now, found)
    _inclusion(files, events, leaves, now, found)
    _streams(events, manifest, found)
    _about(events, manifest, found)
    signatures = Signatures(opened, whole=False)
    for event, leaf in zip(events, leaves, strict=True):
        found.problems += [problem for _, problem in signatures.take(event, content_of(event), leaf)]
    found.problems += [problem for _, problem in signatures.ended()]
    found.signatures, found.elsewhere = signatures.count, signatures.elsewhere
    _reviews(events, set(leaves), found)
    _files(files, manifest, events, found)


def _events(files: dict[str, bytes]) -> tuple[list[dict[str, Any]], list[bytes]]:
    lines = files.get("events.jsonl", b"").split(b"\n")
    if lines.pop() or not lines:
        raise Problem(N_("events.jsonl: it is missing, empty or cut short"))
    events = []
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or canonical(event) != line or not _formed(event):
            raise Problem(N_("events.jsonl, line {line}: it is no event in canonical form"), line=number)
        events.append(event)
    positions = [event["pos"] for event in events]
    if positions != sorted(set(positions)) or positions[0] != 0 or events[0]["type"] != "site.opened":
        raise Problem(N_("events.jsonl: its events do not rise from the site's first event"))
    return events, [leaf_of(line) for line in lines]


def _formed(event: dict[str, Any]) -> bool:
    """Whether the fields that every event has are there, each of its kind."""
    texts = all(isinstance(event.get(name), str) for name in ("actor", "at", "id", "stream", "type"))
    return (
        texts and all(type(event.get(name)) is int for name in ("pos", "version")) and type(event.get("body")) is dict
    )


def _compared(
    files: dict[str, bytes], notes: tuple[bytes, ...], keys: KeySets, now: Checkpoint, found: Findings
) -> None:
    """The dossier's checkpoint agrees with every checkpoint that the reader holds."""
    proofs = _json(files, "consistency.json")
    for note in notes:
        held = read_checkpoint(note, N_("your checkpoint"))
        if held.origin != keys.origin:
            raise Problem(
                N_("your checkpoint is of {origin}, this dossier of {other}"), origin=held.origin, other=keys.origin
            )
        check_note(note, held, keys.at(held.size), N_("your checkpoint"))
        path = [bytes.fromhex(node) for node in proofs.get(str(held.size), ())]
        if held.size == now.size:
            path = []
        elif str(held.size) not in proofs:
            text = N_("your checkpoint of {size} events cannot be compared: have a dossier made with it in hand")
            raise Problem(text, size=held.size)
        if not continues(held, now, path):
            text = N_("the record does not continue your checkpoint of {size} events: one of the two was forged")
            raise Problem(text, size=held.size)
        found.compared += 1


def _witnessed(files: dict[str, bytes], known: tuple[str, ...], found: Findings) -> None:
    """Every enclosed cosignature is over the dossier's checkpoint and by a witness that is named; time stamps name it."""
    now = read_checkpoint(files["checkpoint.note"], "checkpoint.note")
    named = tuple(dict.fromkeys((*known, *map(str, found.manifest["witnesses"]))))
    seen = set()
    for name in sorted(files):
        if name.startswith("cosignatures/"):
            vkey, who, at = cosigned(files[name], now, named, name)
            seen.add(vkey)
            found.witnesses.append((who, at, vkey in known))
            if read_key(vkey).kind == ML_DSA_44:
                found.post_quantum = lattice()[0]
        elif name.startswith("timestamps/"):
            if hashlib.sha256(files["checkpoint.note"]).digest() not in files[name]:
                raise Problem(N_("{where}: it speaks of something else"), where=name)
            found.timestamps += 1
    for vkey in known:
        if vkey not in seen:
            text = N_("the witness {name}, whom you know, did not cosign this checkpoint")
            found.problems.append(Problem(text, name=read_key(vkey).name))


def _inclusion(
    files: dict[str, bytes], events: list[dict[str, Any]], leaves: list[bytes], now: Checkpoint, found: Findings
) -> None:
    proofs = _json(files, "proofs.json")
    for event, leaf in zip(events, leaves, strict=True):
        path = [bytes.fromhex(node) for node in proofs.get(str(event["pos"]), [])]
        if not included(event["pos"], now.size, leaf, path, now.root):
            text = N_("event {pos}: it is not in the record that the checkpoint speaks of")
            found.problems.append(Problem(text, pos=event["pos"]))
    if set(proofs) != {str(event["pos"]) for event in events}:
        found.problems.append(Problem(N_("proofs.json: it has proofs of other events")))


def _streams(events: list[dict[str, Any]], manifest: dict[str, Any], found: Findings) -> None:
    """The streams that the site says are here whole, every version from the first to the last; and the people's.

    Whoever signs is here with all that the record says of the account, or all but what was done at the door.
    """
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(event["stream"], []).append(event["version"])
    signers = {f"person/{event['body']['person']}" for event in events if event["type"] == "signature.applied"}
    for stream in sorted(signers - {*manifest["complete"], *manifest["trimmed"]}):
        found.problems.append(Problem(N_("{stream}: it is not said how many events it has"), stream=stream))
    for stream, count in manifest["trimmed"].items():
        here = versions.get(stream, [])
        if not stream.startswith("person/") or here[:1] != [0] or here != sorted(set(here)) or here[-1] >= count:
            text = N_("{stream}: events are missing or out of order; it has {count}")
            found.problems.append(Problem(text, stream=stream, count=count))
    for stream, count in manifest["complete"].items():
        if versions.get(stream, []) != list(range(count)):
            text = N_("{stream}: events are missing or out of order; it has {count}")
            found.problems.append(Problem(text, stream=stream, count=count))


def _about(events: list[dict[str, Any]], manifest: dict[str, Any], found: Findings) -> None:
    """The dossier is of the lot that it names, and of that lot's chain of identity."""
    lot, coi = f"lot/{manifest['lot']}", manifest["coi"]
    first = next((event for event in events if event["stream"] == lot and event["version"] == 0), None)
    if lot not in manifest["complete"] or first is None or first["body"].get("coi", "") != coi:
        found.problems.append(Problem(N_("manifest.json: the lot it names is not the one the events are about")))
    if any(event["stream"].startswith("subject/") for event in events) and manifest["for"] == "stranger":
        found.problems.append(Problem(N_("a stranger's dossier holds the stream of a person")))


def _reviews(events: list[dict[str, Any]], here: set[bytes], found: Findings) -> None:
    """What a reviewer signed is the record that the review says it covers (R052), and how much of it is here.

    A reviewer signs the hashes of every event of making and testing: nothing of these can be left out unnoticed.
    """
    for event in events:
        if event["type"] not in ("release.record_reviewed", "release.audit_trail_reviewed"):
            continue
        content, body = content_of(event), event["body"]
        signed = [
            e["body"]["leaves"] for e in events if content in e["body"].get("contents", ()) and "leaves" in e["body"]
        ]
        if not any(
            len(leaves) == body["events"]
            and hashlib.sha256(bytes.fromhex("".join(leaves))).hexdigest() == body["digest"]
            for leaves in signed
        ):
            text = N_("event {pos}: what was reviewed is not what the reviewer signed")
            found.problems.append(Problem(text, pos=event["pos"]))
            continue
        if event["stream"] == f"release/{found.manifest['lot']}":
            covered = {bytes.fromhex(leaf) for leaves in signed if len(leaves) == body["events"] for leaf in leaves}
            found.reviewed = (event["at"], len(covered), len(covered - here))
            lot = found.manifest["lot"]
            if covered - here and {f"lot/{lot}", f"quality/{lot}"} <= set(found.manifest["complete"]):
                text = N_(
                    "event {pos}: the reviewer signed {missing} events that are not here, of a record said to be whole"
                )
                found.problems.append(Problem(text, pos=event["pos"], missing=len(covered - here)))


# --- files ---------------------------------------------------------------------------------------------------------


def digests_named(value: Any, key: str = "") -> Iterable[str]:
    """Every file address in the body of an event: hexadecimal SHA-256 under a name that ends in `sha256`.

    The parameters of a derivation hold hashes of what was computed with, before it was encrypted for the store; there an
    address is under a name that ends in ` file`.
    """
    if isinstance(value, dict) and key == "parameters":
        for name, inner in value.items():
            if name.endswith(" file") and isinstance(inner, str) and len(inner) == 64:
                yield inner
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from digests_named(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from digests_named(inner, key)
    elif isinstance(value, str) and key.endswith("sha256") and len(value) == 64:
        yield value


def _files(files: dict[str, bytes], manifest: dict[str, Any], events: list[dict[str, Any]], found: Findings) -> None:
    """Every file that the events name is enclosed as stored, or said to be withheld; nothing else is enclosed."""
    named = {digest for event in events for digest in digests_named(event["body"])}
    enclosed = {name.removeprefix("files/") for name in files if name.startswith("files/")}
    for digest in sorted(enclosed):
        if digest not in named:
            found.problems.append(Problem(N_("{where}: no event of this dossier names it"), where=f"files/{digest}"))
        if hashlib.sha256(files[f"files/{digest}"]).hexdigest() != digest:
            found.problems.append(Problem(N_("{where}: its content was altered"), where=f"files/{digest}"))
    if named - enclosed != set(manifest["withheld"]):
        found.problems.append(
            Problem(N_("manifest.json: files are missing, and it does not say that they are withheld"))
        )
    sealed = {digest for digest in enclosed if files[f"files/{digest}"].startswith(SEALED_FILE)}
    opened = {name.removeprefix("opened/") for name in files if name.startswith("opened/")}
    if sealed != set(manifest["sealed"]) or opened != set(manifest["opened"]) or not opened <= sealed:
        found.problems.append(Problem(N_("manifest.json: it does not say rightly which files are encrypted")))
    if opened and manifest["for"] != "hospital":
        found.problems.append(Problem(N_("a stranger's dossier holds an opened file")))
