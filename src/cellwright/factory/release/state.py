"""The release file of one lot: the fold of `release/<lot>`."""

from typing import ClassVar, Literal

import msgspec
from msgspec.structs import replace

from cellwright.factory.record import Body
from cellwright.factory.release import fact
from cellwright.factory.rule import Seen, State, World

Status = Literal[
    "pending", "released", "released_pending_results", "exceptional_supply", "suspended", "recalled", "rejected"
]
"""D19, word for word."""
OUTGOING: frozenset[str] = frozenset({"released", "released_pending_results", "exceptional_supply"})
"""Statuses in which a lot may leave, be thawed, be infused."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A review and the version it was made of."""

    reviewer: str
    events: int
    digest: str
    at: str


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification and its clock."""

    id: str
    addressee: fact.Addressee
    cause: fact.Cause
    text: str
    opened_at: str
    due: str
    notified_at: str = ""

    @property
    def open(self) -> bool:
        return not self.notified_at


class ReleaseState(State):
    """Reviews, decision and aftermath of one lot."""

    room: ClassVar[str] = "release"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.status: Status = "pending"
        self.before_suspension: Status = "pending"
        self.record_review: Review | None = None
        self.audit_review: Review | None = None
        self.custody: fact.CustodyAssessed | None = None
        self.informed: frozenset[str] = frozenset()
        """Tests the physician knows to be awaited."""
        self.items: dict[str, fact.ExceptionalItemRecorded] = {}
        self.authority: tuple[fact.AuthorityDecided, ...] = ()
        self.market = ""
        self.specification: tuple[str, str] | None = None
        self.decided_by: str | None = None
        self.decided_at: str | None = None
        self.awaited: dict[str, str] = {}
        """Tests still awaited, with their due times."""
        self.accepted_failures: frozenset[str] = frozenset()
        """Tests that were out of specification when exceptional supply was decided."""
        self.cleared: frozenset[str] = frozenset()
        """Recalled materials of the lot that an authorised person assessed in writing when lifting a suspension."""
        self.notifications: dict[str, Notification] = {}
        self.history: tuple[tuple[str, Status], ...] = ()
        """Every status the lot had, with the time it began."""

    @property
    def lot(self) -> str:
        return self.name

    @property
    def outgoing(self) -> bool:
        return self.status in OUTGOING

    @property
    def ever_outgoing(self) -> bool:
        """Whether the lot was ever allowed to leave: then somebody outside may have to be told."""
        return any(status in OUTGOING for _, status in self.history)

    @property
    def open_notifications(self) -> tuple[Notification, ...]:
        return tuple(n for n in self.notifications.values() if n.open)

    def apply(self, body: Body, seen: Seen) -> None:
        self._apply_preparation(body, seen)
        self._apply_decision(body, seen)
        self._apply_aftermath(body, seen)

    def _apply_preparation(self, body: Body, seen: Seen) -> None:
        match body:
            case fact.RecordReviewed():
                self.record_review = _review(body, seen)
            case fact.AuditTrailReviewed():
                self.audit_review = _review(body, seen)
            case fact.CustodyAssessed():
                self.custody = body
            case fact.PhysicianInformed():
                self.informed |= frozenset(body.tests)
            case fact.ExceptionalItemRecorded():
                self.items[body.item] = body
            case fact.AuthorityDecided():
                self.authority = (*self.authority, body)
            case _:
                pass

    def _apply_decision(self, body: Body, seen: Seen) -> None:
        match body:
            case fact.Released():
                self._become("released" if body.path == "full" else "released_pending_results", seen)
                self.market, self.specification = body.market, (body.specification, body.version)
                self.decided_by, self.decided_at = body.releaser, seen.at
                self.awaited = {one.test: one.due for one in body.awaited}
            case fact.Completed():
                self._become("released", seen)
                self.decided_by = body.releaser
            case fact.ExceptionallySupplied():
                self._become("exceptional_supply", seen)
                self.decided_by, self.decided_at = body.authorised_by, seen.at
                self.accepted_failures = frozenset(one.test for one in body.failures)
                self.awaited = {one.test: one.due for one in body.awaited}
            case fact.Rejected():
                self._become("rejected", seen)
                self.decided_by, self.decided_at = body.rejected_by, seen.at
            case _:
                pass

    def _apply_aftermath(self, body: Body, seen: Seen) -> None:
        match body:
            case fact.AwaitedResultArrived():
                self.awaited.pop(body.test, None)
            case fact.Suspended():
                if self.status != "suspended":
                    self.before_suspension = self.status
                self._become("suspended", seen)
            case fact.SuspensionLifted():
                self.cleared |= frozenset(body.materials)
                self._become(self.before_suspension, seen)
            case fact.Recalled():
                self._become("recalled", seen)
            case fact.NotificationDue():
                self.notifications[body.notification] = Notification(
                    id=body.notification,
                    addressee=body.addressee,
                    cause=body.cause,
                    text=body.text,
                    opened_at=seen.at,
                    due=body.due,
                )
            case fact.Notified():
                known = self.notifications[body.notification]
                self.notifications[body.notification] = replace(known, notified_at=seen.at)
            case _:
                pass

    def _become(self, status: Status, seen: Seen) -> None:
        self.status = status
        self.history = (*self.history, (seen.at, status))


def _review(body: fact.RecordReviewed | fact.AuditTrailReviewed, seen: Seen) -> Review:
    return Review(reviewer=body.reviewer, events=body.events, digest=body.digest, at=seen.at)


def load(world: World, lot: str) -> ReleaseState:
    """The release file of a lot; its status is `pending` while nothing was decided."""
    return world.load(ReleaseState, lot)
