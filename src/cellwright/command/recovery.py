"""What is done when a site comes up again: nothing that was at work goes on by itself, nothing destroyed comes back.

A process that works with a site holds a locked file in `running/` and removes it when it closes in order. A file that
nobody holds was left by a process that died. Then every unit procedure that was at work is Held and needs an authorised
Restart (R099); the clocks in the material went on and are shown (D8); and the outage stands in the record.

At every start, the keys of subjects whose destruction is on record are destroyed again, so that no backup of the keys
brings one back (D6).
"""

import fcntl
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cellwright.command.one_folder import OneFolder
from cellwright.factory.lot.procedure import recover
from cellwright.factory.lot.state import LotState
from cellwright.factory.people import stamp
from cellwright.factory.recipe.procedure import WORKING
from cellwright.factory.record import Fact
from cellwright.factory.rule import By
from cellwright.factory.site import SiteDown, SiteState
from cellwright.ledger import Conflict, Ledger

if TYPE_CHECKING:
    from cellwright.command.desk import Desk
    from cellwright.command.site import Site

FOLDER: Final = Path("running")
TRANSITIONED: Final = "lot.procedure_transitioned"
CAUSE: Final = "the process ended without closing the site"
ATTEMPTS: Final = 8
"""How often a lot is judged again while another process works on it."""
SYSTEM: Final = By(person="installation", source="terminal/server")


class Recovery(NamedTuple):
    """What was done at the start."""

    held: dict[str, tuple[str, ...]]
    """Lots and their unit procedures that are Held now because a process died."""
    keys_destroyed: int
    """Keys that a backup had brought back."""


class Running:
    """The sign that a process works with a site; `died` are the signs that dead processes left."""

    def __init__(self, folder: Path, where: str | Path = "") -> None:
        self._alone = OneFolder(str(where), folder) if "://" in str(where) else None
        place = folder / FOLDER
        place.mkdir(exist_ok=True)
        self.died = [(path, handle) for path in sorted(place.iterdir()) if (handle := _free(path)) is not None]
        self._path = place / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def recovered(self) -> None:
        """What the dead processes left undone is on record: their signs go."""
        while self.died:
            path, handle = self.died.pop()
            path.unlink(missing_ok=True)
            os.close(handle)

    def end(self) -> None:
        """This process works with the site no more. May be called twice."""
        while self.died:
            os.close(self.died.pop()[1])
        if self._alone is not None:
            self._alone.end()
        if self._handle >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1


def _free(path: Path) -> int | None:
    """An open, locked handle of a sign that no living process holds; None if one does, or it has just gone."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def at_work_with(folder: Path) -> int:
    """How many living processes work with a site."""
    count = 0
    for path in sorted((folder / FOLDER).iterdir()) if (folder / FOLDER).is_dir() else ():
        handle = _free(path)
        if handle is not None:
            os.close(handle)
        elif path.exists():
            count += 1
    return count


def start(site: "Site") -> Recovery:
    """Bring a site up that was opened for writing. Doing it again changes nothing."""
    gone = site.keys.destroy_again(destroyed(site.ledger))
    held: dict[str, tuple[str, ...]] = {}
    if site.running.died:
        head = site.ledger.head().size
        since = site.ledger.event(head - 1).at if head else stamp(site.clock())
        for lot in at_work(site.ledger):
            units = hold(site.desk, lot)
            if units:
                held[lot] = units
        down = SiteDown(since=since, until=stamp(site.clock()), cause=CAUSE)
        site.desk.record([Fact(f"{SiteState.room}/{site.settings.name}", down)], SYSTEM)
        site.running.recovered()
    return Recovery(held, gone)


def destroyed(ledger: Ledger) -> list[str]:
    """Subjects whose key's destruction is on record."""
    return [claim.key.partition("/")[2] for claim in ledger.claims("subject/")]


def at_work(ledger: Ledger) -> list[str]:
    """Lots with a unit procedure that is at work, by the whole record; oldest first."""
    last: dict[tuple[str, str], str] = {}
    mark = TRANSITIONED.encode()
    for record in ledger.records():
        if mark in record.data:
            event = record.event
            if event.type == TRANSITIONED:
                last[event.stream, event.body["unit_procedure"]] = event.body["after"]
    lots = (stream.partition("/")[2] for (stream, _), after in last.items() if after in WORKING)
    return list(dict.fromkeys(lots))


def hold(desk: "Desk", lot: str) -> tuple[str, ...]:
    """Record that the unit procedures of a lot that were at work are Held; gives their names."""
    from cellwright.command.desk import Snapshot

    for _attempt in range(ATTEMPTS):
        world = Snapshot(desk, fresh=True)
        state = world.load(LotState, lot)
        facts = recover(world, state)
        if not facts:
            return ()
        try:
            events = desk.record(facts, SYSTEM, expected=dict(world.read))
        except Conflict:
            continue
        return tuple(event.body["unit_procedure"] for event in events)
    raise Conflict(f"lot/{lot}", state.version, desk.ledger.version(f"lot/{lot}"))
