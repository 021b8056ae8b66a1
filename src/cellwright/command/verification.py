"""Verification of a site: its whole record, and all that the record rests on, as somebody reads it who trusts nobody.

The ledger agrees with itself (hashes, columns, versions, times, tags, claims, head). It continues every checkpoint: in
its own store, in the places outside, and in the hands of whoever asks; each is signed by the site's keys, followed from
the first event. Every person's signature is theirs and over what stands beside it, and what must be signed is. Every
event says what its type allows and binds the identities that its type binds. Every file is there and is what it was.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import cellwright.factory.register
from cellwright.command import held as beside
from cellwright.command.dossier.check import digests_named
from cellwright.command.dossier.finding import Problem
from cellwright.command.dossier.signed import Curves, Signatures
from cellwright.command.genesis import contradictions
from cellwright.command.held import Sealed
from cellwright.command.site import Settings
from cellwright.factory.identity import OwnerMissing, binding
from cellwright.factory.record import UnknownEvent, read
from cellwright.language import _
from cellwright.ledger import Event, Finding, Ledger, LedgerError, verify
from cellwright.ledger.canonical import encode, parse_time
from cellwright.ledger.checkpoint import COSIGNATURE, NOTE, TIMESTAMP, key_chain
from cellwright.ledger.event import StoredCheckpoint
from cellwright.ledger.files import FileAltered, FileMissing, FileRef, FolderStore, digest_of
from cellwright.ledger.note import Checkpoint, Note, NoteError
from cellwright.ledger.outside import OutsideFolder, PlaceAway
from cellwright.ledger.signing_key import KeyChain, KeyChainBroken

assert cellwright.factory.register.ROOMS

LEDGERS_OWN: Final = ("ledger.clock_stepped", "ledger.key_rotated")
"""Event types that the ledger itself writes."""
SIGNATURE: Final = "signature.applied"
PLACE: Final = frozenset({"pos", "version", "at"})
TIMED_BYTES: Final = 2420 + 8
"""Length of an ML-DSA-44 signature of a note with its time before it."""
SEALED: Final = b'"enc":'
"""What the bytes of an event with a sealed field hold."""
STRETCH: Final = 1000
"""Events between two words about progress."""


class SiteVerification(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found. `ok` means: no findings.

    Args:
        checkpoint: size of the greatest checkpoint that is signed as it must be, and how many of those were compared.
        held: how many of these the caller gave; one that is none, or of another site, is a finding and not counted.
        places: outside places that could be read; `away` those that could not, which is said but is no finding.
        unchecked: what could not be checked here, in words.
    """

    size: int
    root: str
    simulated: bool
    origin: str
    findings: tuple[Finding, ...]
    checkpoint: int
    checkpoints: int
    held: int
    places: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    signatures: int = 0
    files: int = 0
    claims: int = 0
    unchecked: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings


class Notes(NamedTuple):
    """Checkpoints from all sides, those that are signed as they must be, and what is wrong with the others."""

    good: list[bytes]
    findings: list[Finding]
    places: list[str]
    away: list[str]
    held: int = 0


def verify_site(
    ledger: Ledger,
    *,
    folder: Path | None = None,
    settings: Settings | None = None,
    held: Sequence[tuple[str, bytes]] = (),
    keys: Sequence[str] = (),
    processes: int = 2,
    progress: Callable[[int], None] = lambda events: None,
) -> SiteVerification:
    """Check everything.

    Args:
        ledger: open for reading; it may be in use meanwhile.
        folder, settings: the site's, for its files and the places outside; without them only the ledger is checked.
        held: checkpoints that the caller received earlier, with the name each is called by.
        keys: the site's first verifier keys as known from elsewhere.
        progress: is told of every stretch of events gone through, with their number.
    """
    size = ledger.head().size
    findings: list[Finding] = []
    chain = _chain(ledger, keys, findings)
    notes = _notes(ledger, chain, folder, settings, held)
    findings += notes.findings
    verification = verify(ledger, notes.good, processes)
    findings += verification.findings
    unchecked = []
    opened = ledger.event(0).body if size else {}
    if folder is not None and settings is not None and size:
        findings += [Finding("settings", None, wrong) for wrong in contradictions(folder, settings, opened)]
    counted = _Counted()
    if size:
        findings += _events(ledger, min(size, verification.size), counted, progress)
    if folder is not None:
        findings += _files(folder, counted.files)
        gone = {claim.key.partition("/")[2] for claim in ledger.claims("subject/")}
        findings += beside.subject_keys(folder, counted.sealed, gone)
    else:
        unchecked.append(_("Files and outside places: give the site's folder to have them checked."))
    findings = _once(findings)
    good = [Checkpoint.parse(Note.parse(note).text).size for note in notes.good]
    return SiteVerification(
        size=verification.size,
        root=verification.root.hex(),
        simulated=bool(opened.get("simulated")),
        origin=str(opened.get("origin", "")),
        findings=tuple(findings),
        checkpoint=max((one for one in good if one <= verification.size), default=0),
        checkpoints=len(good),
        held=notes.held,
        places=tuple(notes.places),
        away=tuple(notes.away),
        signatures=counted.signatures,
        files=len(counted.files),
        claims=counted.claims,
        unchecked=tuple(unchecked),
    )


def unreadable(why: str, held: int) -> SiteVerification:
    """The result where the ledger cannot even be read."""
    return SiteVerification(
        size=0, root="", simulated=False, origin="", findings=(Finding("ledger", None, why),), checkpoint=0,
        checkpoints=0, held=held,
    )  # fmt: skip


def _once(findings: list[Finding]) -> list[Finding]:
    """Each finding once, the whole first, then by position."""
    return sorted(dict.fromkeys(findings), key=lambda finding: -1 if finding.pos is None else finding.pos)


# --- keys and checkpoints --------------------------------------------------------------------------------------------


def _chain(ledger: Ledger, keys: Sequence[str], findings: list[Finding]) -> KeyChain | None:
    """The site's keys from its first event on; a finding where that is not possible, or they are not those known."""
    try:
        chain = key_chain(ledger)
    except (KeyChainBroken, NoteError, LedgerError, msgspec.DecodeError, ValueError) as error:
        findings.append(Finding("keys", 0, str(error)))
        return None
    if not set(keys) <= {str(key) for key in chain.sets[0]}:
        findings.append(Finding("keys", 0, _("The site's first keys are not the ones you know.")))
    return chain


def _notes(
    ledger: Ledger,
    chain: KeyChain | None,
    folder: Path | None,
    settings: Settings | None,
    held: Sequence[tuple[str, bytes]],
) -> Notes:
    notes = Notes([], [], [], [])
    rows = _stored(ledger, notes)
    kept = {row.body for row in rows if row.kind == NOTE}
    for row in rows:
        if row.kind in (NOTE, COSIGNATURE):
            where = _("checkpoint {size} in the ledger").format(size=row.size)
            _take(notes, chain, row.body, where, row.size, cosigned=row.kind == COSIGNATURE)
    notes.findings.extend(beside.rows(rows, None if settings is None else settings.witnesses))
    if folder is not None and settings is not None:
        origin = chain.origin if chain is not None else settings.origin
        notes.findings.extend(beside.witnesses_here(folder, origin, settings.witnesses, rows))
        notes.findings.extend(beside.vanished(folder, settings.places, origin, bool(kept)))
        for place in settings.places:
            _outside(notes, chain, OutsideFolder(folder / place, origin), place, kept)
    before = len(notes.good)
    for name, note in held:
        _take(notes, chain, note, name, None)
    return notes._replace(held=len(notes.good) - before)


def _stored(ledger: Ledger, notes: Notes) -> list[StoredCheckpoint]:
    """The notes and cosignatures in the ledger; a row that is of no kind, or of another time than signed, is named."""
    try:
        rows = ledger.checkpoints()
    except (LedgerError, ValueError) as error:
        notes.findings.append(Finding("checkpoint", None, str(error)))
        return []
    for row in rows:
        if row.kind not in (NOTE, COSIGNATURE, TIMESTAMP):
            text = _("checkpoint {size} in the ledger: it is of no known kind").format(size=row.size)
            notes.findings.append(Finding("checkpoint", row.size, text))
        elif row.kind == NOTE and not _timely(row):
            text = _("checkpoint {size} in the ledger: it was not signed at the time it states").format(size=row.size)
            notes.findings.append(Finding("checkpoint", row.size, text))
    return rows


def _timely(row: StoredCheckpoint) -> bool:
    """Whether the time beside a note is the one inside its timed signatures, to the second."""
    try:
        at = int(parse_time(row.at).timestamp())
        note = Note.parse(row.body)
    except (NoteError, ValueError):
        return False
    return all(signature.timestamp == at for signature in note.signatures if len(signature.value) == TIMED_BYTES)


def _outside(notes: Notes, chain: KeyChain | None, outside: OutsideFolder, place: str, kept: set[bytes]) -> None:
    """The notes of one place outside: each good, in its list, and in the ledger too, from where it came."""
    try:
        latest, history = outside.latest(), outside.history()
    except (PlaceAway, UnicodeError) as error:
        notes.away.append(str(error))
        return
    if latest is None and not history:
        notes.away.append(_("{place} holds no checkpoint of this site.").format(place=place))
        return
    notes.places.append(place)
    where = _("a checkpoint in {place}").format(place=place)
    found = list(dict.fromkeys([*history, *([latest] if latest is not None else [])]))
    for note in found:
        _take(notes, chain, note, where, None)
    if latest is not None and latest not in history:
        text = _("The latest checkpoint in {place} is not in its list of checkpoints.").format(place=place)
        notes.findings.append(Finding("checkpoint", None, text))
    if not kept.issuperset(found):
        text = _("A checkpoint in {place} is not in the ledger, where it came from.").format(place=place)
        notes.findings.append(Finding("checkpoint", None, text))


def _take(
    notes: Notes, chain: KeyChain | None, note: bytes, where: str, size: int | None, *, cosigned: bool = False
) -> None:
    """Add a note to the good ones, or say why not. A witness's cosignature speaks by the text it is under."""
    try:
        if cosigned or chain is None:
            checkpoint = Checkpoint.parse(Note.parse(note).text)
        else:
            checkpoint = chain.open(note)
    except (NoteError, ValueError) as error:
        notes.findings.append(Finding("checkpoint", size, f"{where}: {error}"))
        return
    if size is not None and checkpoint.size != size:
        text = _("{where}: it speaks of {size} events").format(where=where, size=checkpoint.size)
        notes.findings.append(Finding("checkpoint", size, text))
        return
    if chain is not None and checkpoint.origin != chain.origin:
        text = _("{where}: it is of {origin}").format(where=where, origin=checkpoint.origin)
        notes.findings.append(Finding("checkpoint", size, text))
        return
    notes.good.append(note)


# --- events ----------------------------------------------------------------------------------------------------------


class _Counted:
    """What is counted on the way through the events."""

    def __init__(self) -> None:
        self.signatures = 0
        self.claims = 0
        self.files: dict[str, int] = {}
        """Address of each file named -> the first event that names it."""
        self.sealed: dict[str, list[Sealed]] = {}
        """What is encrypted under each subject's key."""


def _events(ledger: Ledger, size: int, counted: _Counted, progress: Callable[[int], None]) -> Iterator[Finding]:
    """Each event against its type, the identities it binds, and the signatures over it."""
    try:
        opened = ledger.event(0).body
        signatures = Signatures(opened, _fast_curves(), whole=True)
        for record in ledger.records(0, size):
            event = record.event
            if record.pos % STRETCH == STRETCH - 1:
                progress(STRETCH)
            counted.claims += len(event.claims)
            yield from _bound(event)
            if event.body.get("simulated") is True and opened.get("simulated") is not True:
                text = _("event {pos}: {type} is simulated, and the site is not")
                yield Finding("simulated", event.pos, text.format(pos=event.pos, type=event.type))
            for subject, field in beside.sealed_in(event.pos, event.body) if SEALED in record.data else ():
                counted.sealed.setdefault(subject, []).append(field)
            for digest in digests_named(event.body):
                counted.files.setdefault(digest, event.pos)
            as_stored: dict[str, Any] = msgspec.json.decode(record.data)
            for pos, problem in signatures.take(as_stored, _content(as_stored), record.leaf):
                yield Finding("signature", pos, said(problem))
        for pos, problem in signatures.ended():
            yield Finding("signature", pos, said(problem))
        counted.signatures = signatures.count
    except (LedgerError, msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
        text = _("The events cannot be read to their end: {why}").format(why=f"{type(error).__name__} {error}")
        yield Finding("bytes", None, text)


def _content(as_stored: dict[str, Any]) -> str:
    return sha256(encode({key: value for key, value in as_stored.items() if key not in PLACE})).hexdigest()


def _bound(event: Event) -> Iterator[Finding]:
    """What an event claims, expects and releases is what its body says: nothing was bound past the law of identity."""
    if event.type in LEDGERS_OWN:
        return
    try:
        body = read(event.type, event.schema, event.body)
        bound = binding(event.stream, body)
    except UnknownEvent as error:
        yield Finding("type", event.pos, str(error))
        return
    except (msgspec.ValidationError, OwnerMissing) as error:
        text = _("event {pos}: its body is not one of {type}: {why}").format(pos=event.pos, type=event.type, why=error)
        yield Finding("type", event.pos, text)
        return
    same = (bound.claims, bound.expects, bound.releases) == (event.claims, event.expects, event.releases)
    if not same or not set(bound.tags) <= set(event.tags):
        text = _("event {pos}: {type} does not bind the identities that its body names")
        yield Finding("identity", event.pos, text.format(pos=event.pos, type=event.type))


def said(problem: Problem) -> str:
    """A problem in the active language, its reason too."""
    values = {key: _(value) if isinstance(value, str) and value else value for key, value in problem.values.items()}
    return _(problem.text).format(**values)


def _fast_curves() -> Curves:
    """Verification of the people's signatures by the compiled library, with every public key loaded once."""
    points: dict[tuple[int, int], ec.EllipticCurvePublicKey] = {}

    def p256(key: tuple[int, int], message: bytes, signature: bytes) -> bool:
        try:
            if key not in points:
                points[key] = ec.EllipticCurvePublicNumbers(*key, ec.SECP256R1()).public_key()
            points[key].verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True

    def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return Curves(ed25519, p256)


# --- files -----------------------------------------------------------------------------------------------------------


def _files(folder: Path, named: dict[str, int]) -> Iterator[Finding]:
    """Every file that an event names is in the store and is what it was."""
    store = FolderStore(folder / "files")
    for digest, pos in named.items():
        try:
            with store.open(FileRef(digest, 0)) as file:
                sound = digest_of(file)[0] == digest
        except (FileMissing, FileAltered, OSError, ValueError) as error:
            yield Finding("file", pos, str(error))
            continue
        if not sound:
            text = _("The file {digest} is not what was recorded.").format(digest=digest)
            yield Finding("file", pos, text)
