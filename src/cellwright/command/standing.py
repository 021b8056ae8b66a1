"""How a site stands: what is recorded, what is published, where it lies, who cosigned, which keys are in force."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cellwright.command.recovery import at_work_with
from cellwright.command.rotation import held
from cellwright.command.site import Settings, read_settings, record_of
from cellwright.command.witnessing import cosignatures, named
from cellwright.language import _
from cellwright.ledger import Ledger, LedgerError
from cellwright.ledger.checkpoint import NOTE, key_chain
from cellwright.ledger.note import Checkpoint, Note, NoteError
from cellwright.ledger.outside import OutsideFolder, PlaceAway


class Kept(msgspec.Struct, frozen=True):
    """A place outside or a witness, and the size of the last checkpoint that it has; why not, where it has none."""

    name: str
    size: int
    fault: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a site stands. `ok`: a checkpoint covers every event, and every place and witness has it."""

    origin: str
    simulated: bool
    ledger: str
    events: int
    root: str
    checkpoint: int
    checkpoint_at: str
    places: tuple[Kept, ...]
    witnesses: tuple[Kept, ...]
    keys: tuple[str, ...]
    key_fault: str
    processes: int
    """How many processes work with the site now."""

    @property
    def ok(self) -> bool:
        behind = any(kept.fault or kept.size < self.checkpoint for kept in (*self.places, *self.witnesses))
        return self.checkpoint == self.events and not behind and not self.key_fault

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, **msgspec.to_builtins(self)}

    def lines(self) -> list[str]:
        """For a person."""
        found = [_("SIMULATED, NOT FOR HUMAN USE")] if self.simulated else []
        text = _("{origin}: {events} events in {ledger}; {processes} processes work with it.")
        found.append(text.format(origin=self.origin, events=self.events, ledger=self.ledger, processes=self.processes))
        text = _("The last checkpoint covers {size} events, {at}.")
        found.append(text.format(size=self.checkpoint, at=self.checkpoint_at or "–"))
        for kind, all_kept in ((_("place"), self.places), (_("witness"), self.witnesses)):
            found += [f"{kind} {kept.name}: {kept.fault or kept.size}" for kept in all_kept]
        if not self.witnesses:
            found.append(_("No witness cosigns the checkpoints of this site."))
        found += [_("Key of the site, for whoever verifies it: {key}").format(key=key) for key in self.keys]
        if self.key_fault:
            found.append(f"✕ {self.key_fault}")
        return found


def standing(folder: Path, environment: Mapping[str, str] | None = None) -> Standing:
    """How the site in a folder stands, also while another process works with it.

    Raises:
        NoSite: the folder holds no site. LedgerError: its record cannot be read.
    """
    settings = read_settings(folder)
    with record_of(folder, environment) as ledger:
        head = ledger.head()
        notes = ledger.checkpoints(NOTE)
        chain = key_chain(ledger)
        fault = ""
        try:
            if tuple(key.verifier for key in held(folder, chain)) != chain.current:
                fault = _("The private keys in this folder are not those in force.")
        except LedgerError as error:
            fault = str(error)
        return Standing(
            origin=chain.origin, simulated=settings.simulated, ledger=where(settings), events=head.size,
            root=head.root.hex(), checkpoint=notes[-1].size if notes else 0,
            checkpoint_at=notes[-1].at if notes else "",
            places=tuple(_place(folder, settings, place) for place in settings.places),
            witnesses=tuple(_witness(ledger, line) for line in settings.witnesses),
            keys=tuple(str(key) for key in chain.current), key_fault=fault, processes=at_work_with(folder),
        )  # fmt: skip


def where(settings: Settings) -> str:
    """Where the ledger lies, without a password."""
    if "://" not in settings.ledger:
        return settings.ledger
    parts = urlsplit(settings.ledger)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _place(folder: Path, settings: Settings, place: str) -> Kept:
    try:
        note = OutsideFolder(folder / place, settings.origin).latest()
        return Kept(place, Checkpoint.parse(Note.parse(note).text).size if note else 0)
    except (PlaceAway, NoteError) as error:
        return Kept(place, 0, str(error))


def _witness(ledger: Ledger, line: str) -> Kept:
    try:
        witness = named(line)
        return Kept(witness.address, max((size for size, _note in cosignatures(ledger, witness)), default=0))
    except NoteError as error:
        return Kept(line.partition(" ")[0], 0, str(error))
