"""Asking witnesses: somebody else cosigns the site's checkpoints, after checking that the record has only grown.

A witness is named in `site.toml` by its address and its public keys: an `https://` address answers C2SP tlog-witness
requests; a folder holds a witness on this machine, which proves something only where another person keeps it (the
demonstration sets up such a one, as simulated as everything in it). Each cosignature is kept as a row of its own (E13).
"""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from cellwright.language import _
from cellwright.ledger import Ledger, LedgerError
from cellwright.ledger.checkpoint import COSIGNATURE, NOTE, keep_cosignatures
from cellwright.ledger.note import Checkpoint, Note, NoteError, VerifierKey, open_note
from cellwright.ledger.signing_key import KeyChain, generate_keys, load_keys, save_keys
from cellwright.ledger.witness import Answer, Request, Witness

TIMEOUT_S: Final = 10.0
KEYS: Final = "witness.keys"
ANSWER_LIMIT: Final = 1 << 16
"""Bytes of an answer at most."""


class WitnessAway(LedgerError):
    """A witness did not cosign: it cannot be reached, or it refuses; says why. Work goes on without it."""


class Named(NamedTuple):
    """A witness as the site knows it."""

    address: str
    keys: tuple[VerifierKey, ...]


def named(text: str) -> Named:
    """A witness from its line in `site.toml`: the address, then its public keys, with spaces between.

    Raises:
        NoteError: a key is none, or there is none.
    """
    address, *keys = text.split()
    if not keys:
        raise NoteError(_("The witness {address} is named without a key.").format(address=address))
    return Named(address, tuple(VerifierKey.parse(key) for key in keys))


def establish(folder: Path, name: str, chain: KeyChain) -> str:
    """A new witness in a folder, watching one log. Gives its public keys, with spaces between."""
    keys = generate_keys(name, witness=True)
    save_keys(folder / KEYS, keys)
    Witness(keys, folder / "logs").trust(chain)
    return " ".join(str(key.verifier) for key in keys)


def cosign(ledger: Ledger, folder: Path, witnesses: Sequence[str]) -> dict[str, str]:
    """Have the last checkpoint cosigned by every witness that has not done so; give, by address, why one did not."""
    notes = ledger.checkpoints(NOTE)
    away: dict[str, str] = {}
    for line in witnesses if notes else ():
        address = line.partition(" ")[0]
        try:
            witness = named(line)
            if _cosigned(ledger, witness) < notes[-1].size:
                _ask(ledger, notes[-1].body, witness, _at(folder, witness))
        except (LedgerError, NoteError, OSError) as error:
            away[address] = str(error)
    return away


def cosignatures(ledger: Ledger, witness: Named) -> Iterator[tuple[int, bytes]]:
    """Size and note of every cosignature of a witness in the ledger; what does not verify is left out."""
    for row in ledger.checkpoints(COSIGNATURE):
        try:
            if any(key.type.timed for key in open_note(row.body, witness.keys).signatures):
                yield row.size, row.body
        except NoteError:
            continue


def _cosigned(ledger: Ledger, witness: Named) -> int:
    return max((size for size, _note in cosignatures(ledger, witness)), default=0)


def _ask(ledger: Ledger, note: bytes, witness: Named, post: Callable[[bytes], Answer]) -> None:
    """Ask once, and once more from where the witness says that it is."""
    size = Checkpoint.parse(Note.parse(note).text).size
    answer = post(_request(ledger, note, _cosigned(ledger, witness), size))
    if answer.status == 409 and answer.body.strip().isdigit() and int(answer.body) <= size:
        answer = post(_request(ledger, note, int(answer.body), size))
    if answer.status != 200:
        why = answer.body.decode(errors="replace").strip()[:300]
        text = _("The witness {address} did not cosign ({status}): {why}")
        raise WitnessAway(text.format(address=witness.address, status=answer.status, why=why))
    keep_cosignatures(ledger, note, answer.body, witness.keys)


def _request(ledger: Ledger, note: bytes, old: int, size: int) -> bytes:
    proof = tuple(ledger.consistency_proof(old, size)) if 0 < old < size else ()
    return Request(old, proof, note).to_bytes()


def _at(folder: Path, witness: Named) -> Callable[[bytes], Answer]:
    """How a witness is reached."""
    if "://" in witness.address:
        return lambda data: _post(witness.address, data)
    place = folder / witness.address
    return Witness(load_keys(place / KEYS), place / "logs").answer


def _post(address: str, data: bytes) -> Answer:
    """One request to a witness over HTTP (C2SP tlog-witness, `add-checkpoint`)."""
    if urlsplit(address).scheme not in ("https", "http"):
        raise WitnessAway(_("{address} is no address of a witness.").format(address=address))
    request = urllib.request.Request(f"{address.rstrip('/')}/add-checkpoint", data, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return Answer(int(answer.status), answer.read(ANSWER_LIMIT))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read(ANSWER_LIMIT))
    except (urllib.error.URLError, TimeoutError) as error:
        text = _("The witness {address} cannot be reached: {why}")
        raise WitnessAway(text.format(address=address, why=error)) from error
