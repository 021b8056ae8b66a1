"""Settings against the site's first event: who a site is, and whether it is simulated, is fixed there for its life.

`site.toml` is a file that anybody with the disk may edit; the first event is under every checkpoint. Where the two
disagree, the settings are wrong: nothing is opened, and a verification names each line.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellwright.language import _
from cellwright.ledger import Ledger

if TYPE_CHECKING:
    from cellwright.command.site import Settings

FILE = "site.toml"


def contradictions(folder: Path, settings: "Settings", opened: Mapping[str, Any]) -> list[str]:
    """What the settings say otherwise than the first event's body, each in a sentence with its line of `site.toml`."""
    said = {"name": settings.name, "facility": settings.facility, "simulated": settings.simulated}
    recorded = {"name": opened.get("site"), "facility": opened.get("facility"), "simulated": opened.get("simulated")}
    wrong = [_contradiction(folder, key, recorded[key]) for key in said if said[key] != recorded[key]]
    clock = "simulated" if settings.simulated else "system"
    if settings.simulated == opened.get("simulated") and clock != opened.get("clock"):
        wrong.append(_contradiction(folder, "simulated", opened.get("clock")))
    if settings.name == opened.get("site") and settings.origin != opened.get("origin"):
        wrong.append(_contradiction(folder, "name", opened.get("origin")))
    return wrong


def first_event(ledger: Ledger) -> Mapping[str, Any]:
    """The body of the first event, if it opens a site; else nothing."""
    if not ledger.head().size:
        return {}
    event = ledger.event(0)
    return event.body if event.type == "site.opened" else {}


def _contradiction(folder: Path, key: str, recorded: object) -> str:
    number, line = _line(folder / FILE, key)
    text = _("{file}, line {number}: “{line}”, but the site's first event says {recorded}.")
    shown = str(recorded).lower() if isinstance(recorded, bool) else str(recorded)
    return text.format(file=FILE, number=number, line=line, recorded=shown)


def _line(file: Path, key: str) -> tuple[int, str]:
    """Where a key is set; line 0 where it is left out, and its default counts."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    for number, line in enumerate(lines, 1):
        if line.partition("=")[0].strip().strip('"') == key:
            return number, line.strip()
    return 0, key
