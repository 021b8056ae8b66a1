"""The site's keys, signed notes and proofs, checked with plain Python: C2SP signed notes and checkpoints, RFC 9162 trees.

The same formats as in `cellwright.ledger`, written a second time without anything but the standard library, so that the
stand-alone verifier can hold them.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cellwright.command.dossier.finding import Problem
from cellwright.language import N_
from cellwright.ledger.plaincrypto import ed25519_key_is_sound, ed25519_verify
from cellwright.ledger.plainlattice import ml_dsa_44_verify

ED25519, COSIGNATURE_ED25519, ML_DSA_44 = 1, 4, 6
"""Types of signature, as C2SP numbers them."""
SIZE_LIMIT = 1 << 63
KEYS_CHANGED = "ledger.key_rotated"


class Key(NamedTuple):
    """A verifier key: the name it signs under, its id, its type and the public key."""

    name: str
    key_id: bytes
    kind: int
    public: bytes


class Checkpoint(NamedTuple):
    """What a checkpoint says: this log has so many events, and this root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class KeySets(NamedTuple):
    """The site's sets of keys from its first event on, each with the size from which it signs."""

    origin: str
    sets: tuple[tuple[str, ...], ...]
    since: tuple[int, ...]

    def at(self, size: int) -> tuple[str, ...]:
        """The set that signs a checkpoint of this size."""
        return [keys for keys, since in zip(self.sets, self.since, strict=True) if since <= size][-1]


def lattice() -> tuple[str, Callable[[bytes, bytes, bytes], bool]]:
    """What checks ML-DSA-44 here: the package `cryptography` where it is installed, else the plain Python below."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
    except ImportError:
        return "plain Python", ml_dsa_44_verify

    def verify(public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return "cryptography", verify


def leaf_of(data: bytes) -> bytes:
    """The hash of a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_over(leaves: Sequence[bytes]) -> bytes:
    """The root over some leaf hashes (RFC 9162, 2.1.1)."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return _joined(root_over(leaves[:split]), root_over(leaves[split:]))


def included(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf stands at this place of the tree (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return False
    first, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            node = _joined(sibling, node)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            node = _joined(node, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and node == root


def continues(old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the newer tree begins with exactly the leaves of the older one (RFC 9162, 2.1.4.2)."""
    if old.size == new.size:
        return old.root == new.root and not path
    if not 0 < old.size < new.size:
        return False
    nodes = [old.root, *path] if old.size & (old.size - 1) == 0 else list(path)
    if not nodes:
        return False
    first, last = old.size - 1, new.size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    before = after = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            before, after = _joined(node, before), _joined(node, after)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            after = _joined(after, node)
        first, last = first >> 1, last >> 1
    return last == 0 and before == old.root and after == new.root


def plain64(text: str, where: str) -> bytes:
    """The bytes of base64 in its one form. Raises Problem."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Problem(N_("{where}: a value is not base64 in its one form"), where=where)
    return data


def read_key(vkey: str) -> Key:
    """A verifier key from its text `name+id+base64`. Raises Problem."""
    name, _, rest = vkey.partition("+")
    key_id, _, blob = rest.partition("+")
    raw = plain64(blob, "verifier key")
    if not raw or hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
        raise Problem(N_("the verifier key {key} does not have the id that it states"), key=vkey[:80])
    if raw[0] in (ED25519, COSIGNATURE_ED25519) and not ed25519_key_is_sound(raw[1:]):
        raise Problem(N_("the verifier key of {name} is no sound Ed25519 key"), name=name)
    if raw[0] not in (ED25519, COSIGNATURE_ED25519, ML_DSA_44):
        raise Problem(N_("the verifier key of {name} is of a type not understood here"), name=name)
    return Key(name, bytes.fromhex(key_id), raw[0], raw[1:])


def key_sets(events: Sequence[dict[str, Any]]) -> KeySets:
    """The site's keys from its first event through every recorded change. Raises Problem."""
    opened = events[0]["body"]
    known = KeySets(opened["origin"], (tuple(opened["verifier_keys"]),), (0,))
    for event in events:
        if event["type"] == KEYS_CHANGED:
            new = tuple(event["body"]["keys"])
            sets = (*known.sets, new)
            leaves = [leaf_of("".join(f"{key}\n" for key in keys).encode()) for keys in sets]
            said = Checkpoint(f"{known.origin}/keys", len(leaves), root_over(leaves))
            check_note(event["body"]["note"].encode(), said, sorted({*known.sets[-1], *new}), "key change")
            known = KeySets(known.origin, sets, (*known.since, event["pos"] + 1))
    return known


def split_note(data: bytes, where: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text of a signed note, and name, key id and value of each signature. Raises Problem."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise Problem(N_("{where}: it is not UTF-8"), where=where) from None
    body, gap, signed = whole.rpartition("\n\n")
    signatures = []
    for line in signed.removesuffix("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        blob = plain64(value, where)
        if dash != "—" or len(blob) < 5 or not name:
            raise Problem(N_("{where}: a signature line is malformed"), where=where)
        signatures.append((name, blob[:4], blob[4:]))
    again = "".join(f"— {name} {base64.b64encode(i + value).decode()}\n" for name, i, value in signatures)
    if not gap or body + "\n\n" + again != whole:
        raise Problem(N_("{where}: it is not a signed note in its one form"), where=where)
    return body + "\n", signatures


def read_checkpoint(data: bytes, where: str) -> Checkpoint:
    """What an unverified note says as a checkpoint. Raises Problem."""
    text, _ = split_note(data, where)
    lines = text.split("\n")
    sound = len(lines) == 4 and lines[1].isdigit() and str(int(lines[1])) == lines[1]
    if not sound or not 0 < int(lines[1]) < SIZE_LIMIT:
        raise Problem(N_("{where}: it is no checkpoint"), where=where)
    return Checkpoint(lines[0], int(lines[1]), plain64(lines[2], where))


def check_note(data: bytes, said: Checkpoint, vkeys: Sequence[str], where: str) -> None:
    """Check that a note says exactly this, and is signed by each of these keys and by nobody else. Raises Problem."""
    text, signatures = split_note(data, where)
    if text != said.text:
        raise Problem(N_("{where}: it speaks of something else"), where=where)
    keys = [read_key(vkey) for vkey in vkeys]
    known = {(key.name, key.key_id) for key in keys}
    if any((name, key_id) not in known for name, key_id, _ in signatures):
        raise Problem(N_("{where}: a signature is by a key that is not the site's"), where=where)
    for key in keys:
        mine = [value for name, key_id, value in signatures if (name, key_id) == (key.name, key.key_id)]
        if len(mine) != 1:
            raise Problem(N_("{where}: the signature of {name} is missing or stands twice"), where=where, name=key.name)
        if not _signed(key, mine[0], said):
            raise Problem(N_("{where}: the signature of {name} does not fit"), where=where, name=key.name)


def cosigned(data: bytes, said: Checkpoint, vkeys: Sequence[str], where: str) -> tuple[str, str, int]:
    """Which of these witnesses' keys cosigned exactly this checkpoint, under which name, and when (Unix seconds).

    Raises Problem where it is of another text, by another key, or does not fit.
    """
    text, signatures = split_note(data, where)
    if text != said.text:
        raise Problem(N_("{where}: it speaks of something else"), where=where)
    for vkey in vkeys:
        key = read_key(vkey)
        for name, key_id, value in signatures:
            if (name, key_id) == (key.name, key.key_id):
                if key.kind == ED25519 or not _signed(key, value, said):
                    raise Problem(N_("{where}: the signature of {name} does not fit"), where=where, name=name)
                return vkey, name, int.from_bytes(value[:8], "big")
    raise Problem(N_("{where}: it is of no witness that is named"), where=where)


def _signed(key: Key, value: bytes, said: Checkpoint) -> bool:
    if key.kind == ED25519:
        return ed25519_verify(key.public, said.text.encode(), value)
    if key.kind == COSIGNATURE_ED25519:
        at = int.from_bytes(value[:8], "big")
        return ed25519_verify(key.public, f"cosignature/v1\ntime {at}\n{said.text}".encode(), value[8:])
    name, origin = key.name.encode(), said.origin.encode()
    message = (
        b"subtree/v1\n\x00" + bytes([len(name)]) + name + value[:8] + bytes([len(origin)]) + origin
        + bytes(8) + said.size.to_bytes(8, "big") + said.root
    )  # fmt: skip
    _, verify = lattice()
    return verify(key.public, message, value[8:])
