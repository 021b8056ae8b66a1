"""What one serving process holds open: the site, its projector, its publisher, verification, and waiting signatures."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.db import close_old_connections

from cellwright.command.desk import Desk
from cellwright.command.site import Site
from cellwright.factory import register
from cellwright.factory.people import PersonState
from cellwright.factory.rule import Refusal
from cellwright.ledger import LedgerError, SimulatedClock
from cellwright.site import seats
from cellwright.site.checking import Checking
from cellwright.site.projection import Projector
from cellwright.site.simulated import ServedKeys
from cellwright.site.waiting import Handed, Waiting

assert register.ROOMS, "every event type must be known before the first is read"
IDLE_PERIOD_S: Final = 5.0


class House:
    """Everything behind the screens of one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.desk: Desk = site.desk
        self.keys = ServedKeys(site) if site.settings.simulated else None
        self.projector = Projector(site.ledger, lambda person: seats.end_all(site, person))
        self.checking = Checking(site)
        self.waiting = Waiting()
        self.handed = Handed()
        self.story: threading.Thread | None = None
        """The demonstration, while it runs: it alone moves the clock then."""
        self.story_fault: str | None = None
        self._ending = threading.Event()
        self._ticker: threading.Thread | None = None

    def open(self, story: Callable[["House", threading.Event], None] | None = None) -> None:
        """Begin to follow, publish and watch; `story` is what a demonstration does meanwhile."""
        self.projector.start()
        self.site.publisher.start(5.0)
        if story is not None:
            self.story = threading.Thread(target=self._tell, args=(story,), name="story", daemon=True)
            self.story.start()
        self._ticker = threading.Thread(target=self._tick, name="idle", daemon=True)
        self._ticker.start()

    def close(self) -> None:
        """End everything; the last checkpoint is published."""
        self._ending.set()
        for thread in (self.story, self._ticker):
            if thread is not None:
                thread.join()
        self.checking.close()
        self.projector.close()
        try:
            self.site.close()
        except LedgerError as error:
            self.story_fault = str(error)

    @property
    def telling(self) -> bool:
        """Whether a demonstration is under way."""
        return self.story is not None and self.story.is_alive()

    @property
    def ending(self) -> bool:
        return self._ending.is_set()

    def people(self, role: str | None = None) -> list[PersonState]:
        """Active persons (not services), by name; those who hold a role now, where one is named."""
        names = sorted({claim.value.partition("/")[2] for claim in self.site.ledger.claims("account/")})
        states = [self.desk.state(PersonState, name, fresh=False) for name in names]
        now = self.desk.clock()
        return [one for one in states if one.active and one.kind == "person" and (role is None or one.holds(role, now))]

    def person_of(self, account: str) -> PersonState | None:
        """Whose account this is."""
        claim = self.site.ledger.claim(f"account/{account}")
        return self.desk.state(PersonState, claim.value.partition("/")[2]) if claim else None

    def _tell(self, story: Callable[["House", threading.Event], None]) -> None:
        try:
            story(self, self._ending)
        except Refusal as refusal:
            self.story_fault = str(refusal)
        except Exception as error:  # noqa: BLE001 - the pages say that the story broke off, and why
            self.story_fault = repr(error)
        finally:
            close_old_connections()

    def _tick(self) -> None:
        """Ends idle sessions; on a simulated site, lets its clock go on at the pace of the machine's."""
        last = time.monotonic()
        while not self._ending.wait(1.0):
            now = time.monotonic()
            clock = self.site.clock
            if isinstance(clock, SimulatedClock) and not self.telling:
                clock.advance(timedelta(seconds=now - last))
            last = now
            if int(now) % int(IDLE_PERIOD_S) == 0:
                close_old_connections()
                seats.end_idle(self.site)
                if not self.telling:
                    self.checking.begin_by_itself()


_current: list[House] = []


def occupy(house: House | None) -> None:
    """Say which house this process serves; None when it has closed."""
    _current[:] = [] if house is None else [house]


def house() -> House:
    """The house this process serves."""
    assert _current, "no site is served by this process"
    return _current[0]
