"""Follows the ledger and keeps the tables that the screens read (E10).

One projector, one cursor: rows and cursor are written in one transaction, so a crash loses nothing and repeats nothing
that shows. `rebuild` forgets all of it; the next round makes it again from the first event.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from django.db import close_old_connections, transaction

from cellwright.command.desk import fold
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import CaseState
from cellwright.factory.order.state import OrderState
from cellwright.factory.people import stamp
from cellwright.factory.plant.room import RoomState
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.rule import State
from cellwright.ledger import Event, Ledger
from cellwright.ledger.canonical import encode, parse_time
from cellwright.ledger.merkle import root_of
from cellwright.site import models

CURSOR: Final = "screens"
BATCH: Final = 500
"""Events projected in one transaction."""
PERIOD_S: Final = 0.1
STATES_KEPT: Final = 20_000
RECENT: Final = 4_000
"""Positions whose tags are remembered for the live pages."""
FOLDED: Final[dict[str, type[State]]] = {
    "lot": LotState, "order": OrderState, "room": RoomState, "case": CaseState, "release": ReleaseState,
}  # fmt: skip
ENDING: Final = frozenset({"person.deactivated", "person.locked"})
"""Events after which a person's sessions are over."""


class Covered(NamedTuple):
    """How much of the record the tables hold, out of how much there was when somebody asked."""

    size: int
    root: bytes | None
    """Of the record, where the tables hold all of it."""
    record: int

    @property
    def whole(self) -> bool:
        return self.size >= self.record


class Projector:
    """Keeps the projections of one ledger up to date, in a thread of its own or step by step."""

    def __init__(self, ledger: Ledger, on_end: Callable[[str], None] = lambda person: None) -> None:
        """`on_end` is told the person whose account was locked or has ended."""
        self._ledger = ledger
        self._on_end = on_end
        self._states: dict[str, State] = {}
        self._moved = threading.Condition()
        self._wanted = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None
        self.fault: str | None = None
        """Why the last round failed; None when it did not."""
        self.recent: deque[tuple[int, frozenset[str]]] = deque(maxlen=RECENT)
        self.position = self._kept()

    @staticmethod
    def _kept() -> int:
        found = models.Cursor.objects.filter(name=CURSOR).first()
        return found.position if found else 0

    def start(self) -> None:
        """Follow from now on."""
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following; what was read stays."""
        self._ending = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ending:
            try:
                close_old_connections()
                self._wanted.clear()
                if not self.follow():
                    self._wanted.wait(PERIOD_S)
                self.fault = None
            except Exception as error:  # noqa: BLE001 - told on every page, and tried again
                self.fault = repr(error)
                self._states.clear()
                time.sleep(1)

    def follow(self) -> int:
        """Take in what is new, one batch at most. Returns how many events that were."""
        head = self._ledger.head().size
        if head < self.position:
            self.rebuild()
        events = list(self._ledger.read(self.position, min(self.position + BATCH, head)))
        if not events:
            return 0
        with transaction.atomic():
            self._write(events)
            models.Cursor.objects.update_or_create(name=CURSOR, defaults={"position": events[-1].pos + 1})
        for event in events:
            self.recent.append((event.pos, frozenset({*event.tags, event.stream})))
            if event.type in ENDING:
                self._on_end(event.stream.partition("/")[2])
        with self._moved:
            self.position = events[-1].pos + 1
            self._moved.notify_all()
        return len(events)

    def wait(self, position: int, limit_s: float = 3.0) -> bool:
        """Wait until the events below `position` are on the screens; False when the limit passed first."""
        if self._thread is None:
            while self.position < position and self.follow():
                pass
        self._wanted.set()
        with self._moved:
            return self._moved.wait_for(lambda: self.position >= position, limit_s)

    def abreast(self, limit_s: float = 3.0) -> Covered:
        """Wait until the screens hold what the record holds now, and say what they do hold (E10).

        While the last round failed there is nothing to wait for: the tables are as far as they are.
        """
        head = self._ledger.head()
        if self.wait(head.size, 0.0 if self.fault is not None else limit_s):
            return Covered(head.size, head.root, head.size)
        return Covered(self.position, None, head.size)

    def root(self, covered: Covered) -> bytes:
        """The root over the events that a page covers; hashed from the first one where the page is behind."""
        if covered.root is not None:
            return covered.root
        return root_of(record.leaf for record in self._ledger.records(0, covered.size))

    def touched(self, since: int, tags: frozenset[str]) -> bool:
        """Whether anything behind position `since` bears one of the tags; any event does when no tag is given."""
        if self.position <= since:
            return False
        if not tags or (self.recent and self.recent[0][0] > since):
            return True
        return any(pos >= since and found & tags for pos, found in tuple(self.recent))

    def rebuild(self) -> None:
        """Forget every projection."""
        with transaction.atomic():
            for table in (models.Entry, models.Lot, models.Order, models.Room, models.Case, models.Cursor):
                table.objects.all().delete()
        self._states.clear()
        self.position = 0

    # --- rows

    def _write(self, events: Sequence[Event]) -> None:
        models.Entry.objects.bulk_create([_entry(event) for event in events], ignore_conflicts=True)
        moved: dict[str, str] = {}
        for event in events:
            room = event.stream.partition("/")[0]
            if room in FOLDED:
                self._take_in(event)
                moved[event.stream] = event.at
        lots = {name: at for name, at in moved.items() if name.startswith("lot/")}
        lots |= {f"lot/{s.partition('/')[2]}": at for s, at in moved.items() if s.startswith("release/")}
        _replace(models.Lot, (self._lot(name.partition("/")[2], at) for name, at in lots.items()))
        _replace(models.Order, (self._order(self._state(OrderState, s), at) for s, at in _of("order", moved)))
        _replace(models.Room, (self._room(self._state(RoomState, s), at) for s, at in _of("room", moved)))
        _replace(models.Case, (self._case(self._state(CaseState, s), at) for s, at in _of("case", moved)))

    def _take_in(self, event: Event) -> None:
        room, _, name = event.stream.partition("/")
        state = self._states.get(event.stream)
        if state is None:
            if len(self._states) >= STATES_KEPT:
                self._states.clear()
            state = self._states[event.stream] = FOLDED[room](name)
            for earlier in self._ledger.stream(event.stream):
                if earlier.version <= event.version:
                    fold(state, earlier)
        elif state.version == event.version:
            fold(state, event)

    def _state(self, kind: type[Any], name: str) -> Any:
        stream = f"{kind.room}/{name}"
        state = self._states.get(stream)
        if state is None:
            state = kind(name)
            for event in self._ledger.stream(stream):
                fold(state, event)
            self._states[stream] = state
        return state

    def _lot(self, name: str, at: str) -> models.Lot | None:
        lot: LotState = self._state(LotState, name)
        if not lot.exists:
            return None
        release: ReleaseState = self._state(ReleaseState, name)
        running = lot.running
        steps = list(lot.steps)
        clocks = [clock.due for clock in lot.clocks(parse_time(at)) if clock.due is not None]
        return models.Lot(
            lot=name, coi=lot.coi or "", order=lot.order or "", product=lot.product, recipe=lot.recipe.id,
            recipe_version=lot.recipe.version, status=lot.status,
            step=running[-1].step if running else steps[-1] if steps else "", running=bool(running),
            done=len(lot.done), rooms=", ".join(lot.rooms), due=stamp(min(clocks)) if clocks else "",
            doubt=lot.in_doubt,
            open_findings=sum(n.status == "open" for n in lot.nonconformances.values()), release=release.status,
            moved=at,
        )  # fmt: skip

    def _order(self, order: OrderState, at: str) -> models.Order:
        known = models.Order.objects.filter(order=order.name).only("placed").first()
        return models.Order(
            order=order.name, coi=order.coi or "", pair=order.pair, product=order.product, hospital=order.hospital,
            linked=order.linked_order or "", stage=stage(order), doubt=order.in_doubt,
            placed=known.placed if known else at, moved=at,
        )  # fmt: skip

    @staticmethod
    def _room(room: RoomState, at: str) -> models.Room:
        return models.Room(
            room=room.name, room_class=room.room_class, exclusive=room.exclusive, cleared=room.cleared,
            coi=room.coi or "", lot=room.lot or "", since=at,
        )  # fmt: skip

    @staticmethod
    def _case(case: CaseState, at: str) -> models.Case:
        known = models.Case.objects.filter(case=case.name).only("opened").first()
        return models.Case(
            case=case.name, status=case.status, point=case.point, lots=",".join(case.lots),
            coi=case.expected_coi or "", opened=known.opened if known else at,
        )  # fmt: skip


def stage(order: OrderState) -> str:
    """How far an order has come, in one word that `words.STAGES` knows."""
    bags = order.bags().values()
    reached = (
        ("closed", order.closed),
        ("ended", order.withdrawn is not None),
        ("infused", bool(order.given)),
        ("at_hospital", any(c.status in ("received", "accepted", "thawed", "in_use") for c in bags)),
        ("on_the_way", bool(bags)),
        ("making", bool(order.lots)),
        ("collected", bool(order.collections)),
        ("approved", order.approved),
    )
    return next((word for word, so in reached if so), "placed")


def _of(room: str, moved: dict[str, str]) -> list[tuple[str, str]]:
    return [(stream.partition("/")[2], at) for stream, at in moved.items() if stream.startswith(f"{room}/")]


def _replace(table: type[Any], rows: Iterable[Any]) -> None:
    """Write rows, each in the place of the one with its key."""
    found = [row for row in rows if row is not None]
    if not found:
        return
    key = table._meta.pk.name
    others = [field.name for field in table._meta.fields if field.name != key]
    table.objects.bulk_create(found, update_conflicts=True, unique_fields=[key], update_fields=others)


def _entry(event: Event) -> models.Entry:
    coi = next((tag.partition("/")[2] for tag in event.tags if tag.startswith("coi/")), "")
    said = {"body": event.body, "reason": event.reason, "tags": list(event.tags), "source": event.source}
    return models.Entry(
        position=event.pos, at=event.at, actor=event.actor, type=event.type, stream=event.stream, coi=coi,
        text=encode(said).decode(),
    )  # fmt: skip
