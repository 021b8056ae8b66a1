"""Verifies a dossier: archive, site's signature, file hashes, checkpoint, inclusion of every event, people's signatures.

Standard library only. The post-quantum signatures are checked when the `cryptography` package is installed; otherwise
the report says that they were not.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from cellwright.command.dossier.archive import ArchiveBroken, unpack
from cellwright.ledger.plaincrypto import ed25519_key_is_sound, ed25519_verify, p256_verify

SCHEMA = "cellwright.dossier.v1"
PREFIX = b"cellwright.sign.v1\x00"
STATEMENT = (
    "contents", "leaves", "meaning", "nonce", "on", "person", "printed_name", "role", "signed_at", "version", "zone",
)  # fmt: skip
ED25519, ML_DSA_44 = 1, 6
MUST_BE_SIGNED: dict[str, str] = {}
"""Event types that count only with a signature of this meaning; filled by `standalone` and by the package."""


class Problem(Exception):
    """One thing that is not as it must be; its text names the place."""


class Findings:
    """What a verification found: problems, and the facts of the dossier as far as they could be read."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.manifest: dict[str, Any] = {}
        self.keys: list[str] = []
        self.signatures = 0
        self.files = 0

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def simulated(self) -> bool:
        return bool(self.events) and bool(self.events[0]["body"].get("simulated"))


def verify_dossier(archive: bytes, pins: Iterable[str] = ()) -> Findings:
    """Everything that can be known of a dossier without trusting anybody but the site's key.

    Args:
        archive: the dossier's bytes.
        pins: verifier keys of the site as known from elsewhere; with none, the dossier's own first keys are reported
            and it is for the reader to compare them.
    """
    found = Findings()
    try:
        files = unpack(archive)
        _check(files, tuple(pins), found)
    except (ArchiveBroken, Problem) as problem:
        found.problems.append(str(problem))
    return found


def _check(files: dict[str, bytes], pins: tuple[str, ...], found: Findings) -> None:
    manifest = _json(files, "manifest.json")
    found.manifest = manifest
    if manifest.get("schema") != SCHEMA:
        raise Problem(f"manifest.json: schema is {manifest.get('schema')!r}, expected {SCHEMA!r}")
    listed: dict[str, str] = manifest["files"]
    for name in sorted({*listed, *files} - {"manifest.json", "dossier.note"}):
        if name not in files:
            found.problems.append(f"{name}: it is listed and missing")
        elif name not in listed:
            found.problems.append(f"{name}: it is not listed in the manifest")
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            found.problems.append(f"{name}: its content was altered")
    found.files = len(listed)
    if found.problems:
        return
    events = _events(files)
    found.events = events
    keys = _site_keys(events, pins, found)
    seal = f"{events[0]['body']['origin']}/dossier/{manifest['lot']}"
    _note(files, "dossier.note", keys, (seal, 1, _leaf(files["manifest.json"])), found, kinds=(ED25519,))
    size, root = _checkpoint(files, keys, events[0]["body"]["origin"], found)
    if size != manifest["size"]:
        found.problems.append("checkpoint.note: it is of another size than the manifest says")
    _inclusion(files, events, size, root, found)
    _streams(events, manifest["complete"], found)
    _signatures(events, found)
    _files(files, manifest, events, found)


# --- reading -------------------------------------------------------------------------------------------------------


def _json(files: dict[str, bytes], name: str) -> Any:
    try:
        value = json.loads(files[name])
    except (KeyError, ValueError):
        raise Problem(f"{name}: it is missing or cannot be read") from None
    if _canonical(value) != files[name]:
        raise Problem(f"{name}: it is not in canonical form")
    return value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _events(files: dict[str, bytes]) -> list[dict[str, Any]]:
    lines = files.get("events.jsonl", b"").split(b"\n")
    if lines.pop() or not lines:
        raise Problem("events.jsonl: it is missing, empty or cut short")
    events = []
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or _canonical(event) != line:
            raise Problem(f"events.jsonl line {number}: it is no event in canonical form")
        event["leaf"] = _leaf(line).hex()
        events.append(event)
    positions = [event["pos"] for event in events]
    if positions != sorted(set(positions)) or positions[0] != 0 or events[0]["type"] != "site.opened":
        raise Problem("events.jsonl: positions do not rise from the site's first event")
    return events


# --- keys and notes ------------------------------------------------------------------------------------------------


def _b64(text: str, where: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Problem(f"{where}: a value is not base64 in its one form")
    return data


def _vkey(vkey: str) -> tuple[str, bytes, int, bytes]:
    """Name, key id, type and public key of a verifier key."""
    name, _, rest = vkey.partition("+")
    key_id, _, blob = rest.partition("+")
    raw = _b64(blob, "verifier key")
    if not raw or hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
        raise Problem(f"the verifier key {vkey} does not have the key id it states")
    if raw[0] == ED25519 and not ed25519_key_is_sound(raw[1:]):
        raise Problem(f"the verifier key of {name} is no sound Ed25519 key")
    return name, bytes.fromhex(key_id), raw[0], raw[1:]


def _site_keys(events: list[dict[str, Any]], pins: tuple[str, ...], found: Findings) -> list[tuple[int, list[str]]]:
    """The site's key sets with the size from which each signs, following every change from the first event on."""
    first = list(events[0]["body"]["verifier_keys"])
    found.keys = first
    if pins and not set(pins) <= set(first):
        raise Problem("the site's first keys are not the ones you know; this is another site's record")
    if not pins:
        found.notes.append("no-pins")
    sets = [(0, first)]
    for event in events:
        if event["type"] != "ledger.key_rotated":
            continue
        new = list(event["body"]["keys"])
        leaves = [_leaf("".join(f"{key}\n" for key in keys).encode()) for _, keys in [*sets, (0, new)]]
        said = (f"{events[0]['body']['origin']}/keys", len(leaves), _root(leaves))
        note = {"key change": event["body"]["note"].encode()}
        _note(note, "key change", [(0, sorted({*sets[-1][1], *new}))], said, found, kinds=(ED25519, ML_DSA_44))
        sets.append((event["pos"] + 1, new))
    return sets


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _split_note(data: bytes, where: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise Problem(f"{where}: it is not UTF-8") from None
    body, gap, signed = whole.rpartition("\n\n")
    signatures = []
    for line in signed.removesuffix("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        blob = _b64(value, where)
        if dash != "—" or len(blob) < 5 or not name:
            raise Problem(f"{where}: a signature line is malformed")
        signatures.append((name, blob[:4], blob[4:]))
    again = "".join(f"— {n} {base64.b64encode(i + v).decode()}\n" for n, i, v in signatures)
    if not gap or body + "\n\n" + again != whole:
        raise Problem(f"{where}: it is not a signed note in its one form")
    return body + "\n", signatures


def _note(
    files: dict[str, bytes],
    where: str,
    sets: list[tuple[int, list[str]]],
    said: tuple[str, int, bytes],
    found: Findings,
    kinds: tuple[int, ...],
) -> None:
    """Check that a note says this (origin, size, root) and carries a good signature of every key of these kinds."""
    origin, size, root = said
    if where not in files:
        raise Problem(f"{where}: it is missing")
    text, signatures = _split_note(files[where], where)
    if text != f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n":
        raise Problem(f"{where}: it speaks of something else")
    keys = [_vkey(key) for key in [keys for since, keys in sets if since <= size or len(sets) == 1][-1]]
    if where == "dossier.note":
        keys = [_vkey(key) for key in sets[-1][1]]
    known = {(name, key_id) for name, key_id, _, _ in keys}
    for name, key_id, _ in signatures:
        if (name, key_id) not in known and where != "checkpoint.note":
            raise Problem(f"{where}: a signature is by a key that is not the site's")
    for name, key_id, kind, public in keys:
        if kind not in kinds:
            continue
        mine = [value for n, i, value in signatures if (n, i) == (name, key_id)]
        if len(mine) != 1:
            raise Problem(f"{where}: the signature of {name} is missing or stands twice")
        if kind == ED25519 and not ed25519_verify(public, text.encode(), mine[0]):
            raise Problem(f"{where}: the signature of {name} does not fit")
        if kind == ML_DSA_44:
            _post_quantum(where, name, public, mine[0], said, found)


def _post_quantum(
    where: str, name: str, public: bytes, value: bytes, said: tuple[str, int, bytes], found: Findings
) -> None:
    origin, size, root = said
    stamp, signature = value[:8], value[8:]
    message = (
        b"subtree/v1\n\x00" + bytes([len(name)]) + name.encode() + stamp + bytes([len(origin)]) + origin.encode()
        + bytes(8) + size.to_bytes(8, "big") + root
    )  # fmt: skip
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
    except ImportError:  # the verifier stays useful without it, and says what it did not check
        if "no-ml-dsa" not in found.notes:
            found.notes.append("no-ml-dsa")
        return
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Problem(f"{where}: the post-quantum signature of {name} does not fit") from None


def _checkpoint(
    files: dict[str, bytes], keys: list[tuple[int, list[str]]], origin: str, found: Findings
) -> tuple[int, bytes]:
    text, _ = _split_note(files.get("checkpoint.note", b""), "checkpoint.note")
    lines = text.split("\n")
    if len(lines) != 4 or not lines[1].isdigit() or str(int(lines[1])) != lines[1]:
        raise Problem("checkpoint.note: it is no checkpoint")
    said = (origin, int(lines[1]), _b64(lines[2], "checkpoint.note"))
    _note(files, "checkpoint.note", keys, said, found, kinds=(ED25519, ML_DSA_44))
    return said[1], said[2]


# --- events --------------------------------------------------------------------------------------------------------


def _inclusion(files: dict[str, bytes], events: list[dict[str, Any]], size: int, root: bytes, found: Findings) -> None:
    proofs = _json(files, "proofs.json")
    for event in events:
        path = [bytes.fromhex(node) for node in proofs.get(str(event["pos"]), [])]
        if not _included(event["pos"], size, bytes.fromhex(event["leaf"]), path, root):
            found.problems.append(f"event {event['pos']}: it is not in the record that the checkpoint speaks of")
    if set(proofs) != {str(event["pos"]) for event in events}:
        found.problems.append("proofs.json: it has proofs of other events")


def _included(index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    first, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            if not first & 1:
                while first and not first & 1:
                    first, last = first >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        first, last = first >> 1, last >> 1
    return last == 0 and node == root


def _streams(events: list[dict[str, Any]], complete: dict[str, int], found: Findings) -> None:
    """The streams that the site says are here whole: every version from the first to the last."""
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(event["stream"], []).append(event["version"])
    for stream, count in complete.items():
        if versions.get(stream, []) != list(range(count)):
            found.problems.append(f"{stream}: events are missing; it has {count}")


def _content(event: dict[str, Any]) -> str:
    said = {k: v for k, v in event.items() if k not in ("pos", "version", "at", "leaf")}
    return hashlib.sha256(_canonical(said)).hexdigest()


def _signatures(events: list[dict[str, Any]], found: Findings) -> None:
    site = events[0]["body"]
    contents = {_content(event): event for event in events}
    leaves = {event["leaf"] for event in events}
    credentials: dict[tuple[str, str], dict[str, Any]] = {}
    signed: dict[int, set[str]] = {}
    for event in events:
        body = event["body"]
        if event["type"] == "person.credential_registered":
            credentials[body["person"], body["credential"]] = body
        elif event["type"] == "person.credential_revoked":
            credentials.pop((body["person"], body["credential"]), None)
        elif event["type"] == "signature.applied":
            found.signatures += 1
            why = _signature(event, credentials.get((body["person"], body["credential"])), contents, leaves, site)
            if why:
                found.problems.append(f"event {event['pos']}: the signature of {body['printed_name']}: {why}")
            for digest in body.get("contents", ()):
                if digest in contents:
                    signed.setdefault(contents[digest]["pos"], set()).add(body["meaning"])
    for event in events:
        meaning = MUST_BE_SIGNED.get(event["type"])
        if meaning and meaning not in signed.get(event["pos"], set()):
            found.problems.append(f"event {event['pos']}: {event['type']} is not signed as {meaning}")


def _signature(
    event: dict[str, Any],
    credential: dict[str, Any] | None,
    contents: dict[str, dict[str, Any]],
    leaves: set[str],
    site: dict[str, Any],
) -> str:
    body = event["body"]
    if credential is None:
        return "the credential is not registered to this person"
    if (credential.get("simulated") or body.get("simulated")) and not site.get("simulated"):
        return "it is simulated, the site is not"
    if not body.get("contents") and not body.get("leaves"):
        return "it covers nothing"
    for digest in body.get("contents", ()):
        covered = contents.get(digest)
        if covered is None or not event["pos"] - 1001 < covered["pos"] < event["pos"]:
            return "it covers something that is not beside it in the record"
    if not set(body.get("leaves", ())) <= leaves:
        return "it covers events that are not in this dossier"
    statement: dict[str, Any] = {name: body.get(name, []) for name in STATEMENT}
    statement["kind"] = "cellwright.signature.v1"
    challenge = hashlib.sha256(PREFIX + _canonical(statement)).digest()
    try:
        if body["means"] != credential["means"]:
            return "it was made by other means than registered"
        if body["means"] == "webauthn":
            return _assertion(body["proof"], credential["public_key"], challenge, site)
        good = ed25519_verify(_url64(credential["public_key"]), challenge, _url64(body["proof"]["signature"]))
        return "" if good else "the cryptographic check fails"
    except (KeyError, ValueError, TypeError, IndexError):
        return "its proof cannot be read"


def _assertion(proof: dict[str, str], public_key: str, challenge: bytes, site: dict[str, Any]) -> str:
    """Why a WebAuthn assertion does not hold, or nothing (Web Authentication Level 2, 7.2)."""
    client, authenticator = _url64(proof["client"]), _url64(proof["authenticator"])
    said = json.loads(client)
    if said["type"] != "webauthn.get" or _url64(said["challenge"]) != challenge:
        return "it was given for something else"
    if said["origin"] not in site["origins"] or said.get("crossOrigin"):
        return "it comes from another site"
    if authenticator[:32] != hashlib.sha256(site["relying_id"].encode()).digest():
        return "it was given for another site"
    if authenticator[32] & 5 != 5:
        return "the person was not verified by the device"
    point = _url64(public_key)
    key = (int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big"))
    message = authenticator + hashlib.sha256(client).digest()
    good = point[0] == 4 and len(point) == 65 and p256_verify(key, message, _url64(proof["signature"]))
    return "" if good else "the cryptographic check fails"


def _url64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- files ---------------------------------------------------------------------------------------------------------


def _files(files: dict[str, bytes], manifest: dict[str, Any], events: list[dict[str, Any]], found: Findings) -> None:
    """Raw files: what is enclosed is what the record names; what was encrypted is opened against its commitment."""
    named = " ".join(json.dumps(event["body"]) for event in events)
    for name in files:
        if not name.startswith("files/"):
            continue
        digest = name.removeprefix("files/")
        if digest not in named:
            found.problems.append(f"{name}: no event of this dossier names it")
        if hashlib.sha256(files[name]).hexdigest() != digest:
            found.problems.append(f"{name}: its content is not what its name says")
    for digest in manifest.get("withheld", ()):
        if digest not in named:
            found.problems.append(f"{digest}: it is withheld, but no event names it")
