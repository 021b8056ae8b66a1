"""The site itself: its first event, which fixes for its life who it is, whose clock it keeps and who verifies it."""

from typing import ClassVar, Literal

from cellwright.factory.record import Body, event
from cellwright.factory.rule import Seen, State


@event("site.opened")
class SiteOpened(Body):
    """The genesis of a site's ledger (E15, E18). None of this ever changes; verifier keys rotate by their own event."""

    site: str
    title: dict[str, str]
    facility: str
    """Facility identification number; A9999 is the test number of ISBT 128."""
    zone: str
    clock: Literal["system", "simulated"]
    simulated: bool
    """Everything in this ledger was made by simulation and is not for human use (D12)."""
    relying_id: str
    origins: tuple[str, ...]
    origin: str
    """Name of the log in its checkpoints."""
    verifier_keys: tuple[str, ...]
    """Keys that sign checkpoints from the start, as C2SP vkey text."""
    format: int = 1


@event("site.down")
class SiteDown(Body):
    """The system was not available from `since`; work went on by numbered step sheets (D8)."""

    since: str
    until: str
    cause: str


class SiteState(State):
    """What the site said of itself when it opened."""

    room: ClassVar[str] = "site"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.opened: SiteOpened | None = None

    def apply(self, body: Body, seen: Seen) -> None:
        if isinstance(body, SiteOpened):
            self.opened = body
