"""Signed notes and checkpoints, in the formats of C2SP: signed-note, tlog-checkpoint and tlog-cosignature.

A checkpoint states the size and the root of a log in three lines of text; a note adds signature lines:

    cellwright.example/site-a
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — cellwright.example/site-a Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGz…

Three kinds of signature are understood: Ed25519 over the text (type 0x01), the timestamped Ed25519 cosignature of a
witness (0x04), and ML-DSA-44 (0x06), which a quantum computer cannot forge. An Ed25519 cosignature does not name its
signer and ML-DSA-44 does not cover extension lines; both gaps are closed here by refusing what would use them.

Parsing is strict: there is exactly one way to write a note, so changing any byte of one signed part is noticed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cellwright.language import _
from cellwright.ledger.errors import LedgerError
from cellwright.ledger.merkle import EMPTY_ROOT, HASH_BYTES
from cellwright.ledger.plaincrypto import ed25519_key_is_sound
from cellwright.ledger.plainlattice import ml_dsa_44_verify

NOTE_LIMIT: Final = 1 << 18
"""Bytes of a note at most."""
SIGNATURES_LIMIT: Final = 64
"""Signature lines of a note at most (C2SP asks for at least 16)."""
SIZE_LIMIT: Final = 1 << 63
"""Events of a log at most."""
_STAMP_BYTES: Final = 8


class NoteError(LedgerError):
    """A signed note that cannot be accepted."""


class NoteMalformed(NoteError):
    """The bytes are not a note, a checkpoint or a key in the one allowed form."""


class NoteUnsigned(NoteError):
    """No signature is by a key that is trusted, or one that must be there is missing."""


class SignatureWrong(NoteError):
    """A signature names a trusted key and does not fit: the text, the signature or the key was altered."""


class AlgorithmUnavailable(NoteError):
    """The installed cryptography library cannot sign with this algorithm. (To verify needs no library.)"""


class SignatureType(IntEnum):
    """Signature type bytes of C2SP signed-note."""

    ED25519 = 0x01
    COSIGNATURE_ED25519 = 0x04
    COSIGNATURE_ML_DSA_44 = 0x06

    @property
    def public_bytes(self) -> int:
        """Length of a public key."""
        return 1312 if self is SignatureType.COSIGNATURE_ML_DSA_44 else 32

    @property
    def signature_bytes(self) -> int:
        """Length of a signature after the key id."""
        return {0x01: 64, 0x04: _STAMP_BYTES + 64, 0x06: _STAMP_BYTES + 2420}[int(self)]

    @property
    def timed(self) -> bool:
        """Whether the signature carries the time it was made."""
        return self is not SignatureType.ED25519


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log's site states about it: so many events, and this root over them.

    Attributes:
        origin: the log's name, for ever, such as ``cellwright.example/site-a``.
        size: number of events.
        root: RFC 9162 root over them, 32 bytes.
        extensions: further lines; none are written by this package.

    Raises:
        NoteMalformed: a part cannot stand in a checkpoint.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(not line or _has_control(line) for line in (self.origin, *self.extensions)):
            raise NoteMalformed(_("A line of a checkpoint is empty or has control characters."))
        if not 0 <= self.size < SIZE_LIMIT or len(self.root) != HASH_BYTES:
            raise NoteMalformed(_("A checkpoint needs a size from 0 to 2^63 - 1 and a root of 32 bytes."))
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise NoteMalformed(_("A checkpoint of an empty log has a root that is not the empty log's."))

    @property
    def text(self) -> str:
        """The note text: the lines, each ended."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint in a note's text.

        Raises:
            NoteMalformed: the text is not written exactly as :attr:`text` writes it.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop():
            raise NoteMalformed(_("A checkpoint has at least three lines, each ended."))
        origin, size, root, *extensions = lines
        if not (size.isascii() and size.isdigit() and len(size) < 20) or str(int(size)) != size:
            raise NoteMalformed(_("The size of a checkpoint is not a plain decimal number."))
        return cls(origin, int(size), _base64(root), tuple(extensions))


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. ``value`` is the signature without the key id, with its timestamp where it has one."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"

    @property
    def timestamp(self) -> int:
        """POSIX seconds at which a timed signature was made; meaningless for type 0x01."""
        return int.from_bytes(self.value[:_STAMP_BYTES], "big")

    @classmethod
    def parse(cls, line: str) -> Signature:
        """The signature in one line, without its newline.

        Raises:
            NoteMalformed: it is not a signature line.
        """
        dash, _space, rest = line.partition(" ")
        name, _space, value = rest.partition(" ")
        if dash != "—" or not name_is_allowed(name):
            raise NoteMalformed(_("A signature line does not have the form: dash, name, signature."))
        blob = _base64(value)
        if len(blob) < 5:
            raise NoteMalformed(_("A signature line holds no signature."))
        return cls(name, blob[:4], blob[4:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ended by a newline, and the signatures on it. Nothing is verified by parsing."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()

    def signed(self, *more: Signature) -> Note:
        """The note with further signatures."""
        return Note(self.text, self.signatures + more)

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """The note in these bytes.

        Raises:
            NoteMalformed: the bytes are not a signed note in its one allowed form.
        """
        if len(data) > NOTE_LIMIT:
            raise NoteMalformed(_("A note of {size} bytes is longer than allowed.").format(size=len(data)))
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NoteMalformed(_("A note is not UTF-8 text.")) from error
        if any(ch < " " and ch != "\n" for ch in whole):
            raise NoteMalformed(_("A note has control characters."))
        body, gap, signed = whole.rpartition("\n\n")
        if not gap or not signed.endswith("\n"):
            raise NoteMalformed(_("A note needs a text, an empty line and signature lines."))
        lines = signed[:-1].split("\n")
        if len(lines) > SIGNATURES_LIMIT:
            raise NoteMalformed(_("A note has {count} signatures, more than allowed.").format(count=len(lines)))
        return cls(body + "\n", tuple(Signature.parse(line) for line in lines))


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name of its holder; written as a vkey: ``name+key id+base64(type, key)``.

    Raises:
        NoteMalformed: the name cannot stand in a note, or the key cannot be one (wrong length; an Ed25519 point that is
            not written canonically or under which anything would verify).
    """

    name: str
    type: SignatureType
    public: bytes

    def __post_init__(self) -> None:
        if not name_is_allowed(self.name):
            raise NoteMalformed(_("A key's name is empty or has spaces, plus signs or control characters."))
        if len(self.public) != self.type.public_bytes:
            raise NoteMalformed(_("The key of {name} has the wrong length.").format(name=self.name))
        if len(self.public) == 32 and not ed25519_key_is_sound(self.public):
            raise NoteMalformed(_("The key of {name} is no sound Ed25519 key.").format(name=self.name))

    @property
    def key_id(self) -> bytes:
        """Four bytes that say which key of this name signed."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.type]) + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """The inverse of ``str``.

        Raises:
            NoteMalformed: not a vkey, of a type not understood here, or with a key id that is not its key's.
        """
        name, _plus, rest = vkey.partition("+")
        _key_id, _plus, blob = rest.partition("+")
        key = _base64(blob)
        if not key or key[0] not in set(SignatureType):
            raise NoteMalformed(_("The verifier key {vkey} is of a type not understood here.").format(vkey=vkey))
        parsed = cls(name, SignatureType(key[0]), key[1:])
        if str(parsed) != vkey:
            raise NoteMalformed(_("The verifier key {vkey} does not have the key id it states.").format(vkey=vkey))
        return parsed

    def verify(self, text: str, signature: Signature) -> bool:
        """Whether a signature of this key's name and id is by this key and over this text."""
        if len(signature.value) != self.type.signature_bytes:
            return False
        if not self.type.timed:
            return _verify_ed25519(self.public, signature.value, text.encode())
        if signature.timestamp >= SIZE_LIMIT:
            return False
        try:
            message = cosigned_message(self.type, self.name, signature.timestamp, text)
        except NoteMalformed:
            return False
        check = _verify_ed25519 if self.type is SignatureType.COSIGNATURE_ED25519 else _verify_ml_dsa_44
        return check(self.public, signature.value[_STAMP_BYTES:], message)


@dataclass(frozen=True, slots=True)
class Opened:
    """A note with the trusted keys whose signatures on it were verified, each with its latest signature."""

    note: Note
    signatures: dict[VerifierKey, Signature]


def open_note(data: bytes, keys: Iterable[VerifierKey]) -> Opened:
    """Read a note and verify every signature on it that names a trusted key; others are ignored, as C2SP demands.

    Raises:
        NoteMalformed: it is not a note, or two trusted keys share a name and an id.
        SignatureWrong: a signature by a trusted key does not verify.
        NoteUnsigned: there is none by a trusted key.
    """
    note = Note.parse(data)
    trusted: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if trusted.setdefault((key.name, key.key_id), key) != key:
            raise NoteMalformed(_("Two trusted keys share the name {name} and an id.").format(name=key.name))
    verified: dict[VerifierKey, Signature] = {}
    for signature in note.signatures:
        signer = trusted.get((signature.name, signature.key_id))
        if signer is None:
            continue
        if not signer.verify(note.text, signature):
            raise SignatureWrong(
                _("The signature of {name} does not fit the note: one of them was altered.").format(name=signer.name)
            )
        verified[signer] = signature
    if not verified:
        raise NoteUnsigned(_("The note has no signature by a trusted key."))
    return Opened(note, verified)


def open_checkpoint(data: bytes, keys: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that must carry a good signature by every one of these keys.

    Raises:
        NoteError: as :func:`open_note`; :class:`NoteUnsigned` also where one of several keys has not signed.
    """
    wanted = tuple(keys)
    opened = open_note(data, wanted)
    missing = [key.name for key in wanted if key not in opened.signatures]
    if missing:
        raise NoteUnsigned(_("The checkpoint lacks a signature by a key of {names}.").format(names=", ".join(missing)))
    return Checkpoint.parse(opened.note.text)


def cosigned_message(kind: SignatureType, name: str, timestamp: int, text: str) -> bytes:
    """The bytes a timed signature signs (C2SP tlog-cosignature).

    Raises:
        NoteMalformed: the text is no checkpoint, or has extension lines that ML-DSA-44 would leave unsigned, or a
            name longer than its field.
    """
    checkpoint = Checkpoint.parse(text)
    if kind is SignatureType.COSIGNATURE_ED25519:
        return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    if checkpoint.extensions:
        raise NoteMalformed(_("An ML-DSA-44 signature would not cover the extension lines of this checkpoint."))
    stamp = timestamp.to_bytes(_STAMP_BYTES, "big")
    ends = (0).to_bytes(8, "big") + checkpoint.size.to_bytes(8, "big")
    label = b"subtree/v1\n\x00"
    return label + _short(name) + stamp + _short(checkpoint.origin) + ends + checkpoint.root


def name_is_allowed(name: str) -> bool:
    """Whether a key may have this name: not empty, no Unicode space, no plus, no control character."""
    return bool(name) and "+" not in name and not any(ch.isspace() for ch in name) and not _has_control(name)


def _has_control(text: str) -> bool:
    return any(ch < " " or "\ud800" <= ch <= "\udfff" for ch in text)


def _short(name: str) -> bytes:
    """An ``opaque<1..2^8-1>`` of RFC 8446."""
    data = name.encode()
    if not 1 <= len(data) <= 255:
        raise NoteMalformed(_("A name of a cosigned checkpoint is longer than 255 bytes."))
    return bytes([len(data)]) + data


def _base64(text: str) -> bytes:
    """Strict base64: one text for one value."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteMalformed(_("A value is not base64.")) from error
    if base64.b64encode(data).decode() != text:
        raise NoteMalformed(_("A value is base64 in an irregular form."))
    return data


def _verify_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _verify_ml_dsa_44(public: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

        key = MLDSA44PublicKey.from_public_bytes(public)
    except (ImportError, UnsupportedAlgorithm):  # an older library: slower, but never unchecked
        return ml_dsa_44_verify(public, message, signature)
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
