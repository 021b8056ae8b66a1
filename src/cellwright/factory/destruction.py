"""Destroying a subject's key: the one way in which something recorded about a person ends (D6, R014).

The key closes the sealed fields and every file about the person, so it is kept as long as the longest of the rules over
all of them, for every order in which the subject is donor or recipient. Nothing is destroyed while an order, an identity
case, a recall or a notification is open. Where nothing was ever collected there is no such duty, and the key may go once
the order is closed. Two people sign, one of them of quality assurance. The event comes first, the key goes after it.
"""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cellwright.factory.lot.quantity import moment
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.figure import past_day, today
from cellwright.factory.order.scan import two_people
from cellwright.factory.order.state import OrderState
from cellwright.factory.order.subject import KeyDestroyed, SubjectState
from cellwright.factory.portfolio.product import Product
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.retention import Anchor, Kept, RecordKind, Retention, Use, keep_until
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash

LAW = "law"
"""Identifier of the definition that holds the rules of retention."""
COVERED: tuple[RecordKind, ...] = ("traceability", "donor_file", "test_record", "trial_file")
"""What a subject's key closes: who the person is, and files about the person, raw data among them."""


def orders_of(world: World, subject: str) -> tuple[OrderState, ...]:
    """Every order in which the subject, or one that it supersedes or is superseded by, is donor or recipient."""
    numbers = {subject, world.load(SubjectState, subject).superseded_by or subject}
    for name in world.streams(f"subject/{subject}", "subject"):
        if world.load(SubjectState, name).superseded_by == subject:
            numbers.add(name)
    pairs = dict.fromkeys(pair for number in sorted(numbers) for pair in world.streams(f"subject/{number}", "pair"))
    names = dict.fromkeys(order for pair in pairs for order in world.streams(f"pair/{pair}", "order"))
    return tuple(world.load(OrderState, name) for name in names)


def anchors(world: World, order: OrderState, trial_ended_on: date | None) -> dict[Anchor, date | None]:
    """When each period of a closed order begins; what is not known is left out."""
    lots = [world.load(LotState, number) for number in order.lots]
    ended = [infusion.ended_at or infusion.started_at for infusion in order.given]
    decided = [at for lot in order.lots if (at := world.load(ReleaseState, lot).decided_at)]
    found: dict[Anchor, date | None] = {
        "expiry": max(_expiries(world, order, lots), default=None),
        "administration": max((_day(world, moment(at)) for at in ended), default=None),
        "certification": max((_day(world, moment(at)) for at in decided), default=None),
        "disposition": _day(world, moment(order.closed_at)) if order.closed_at and order.collections else None,
    }
    if trial_ended_on is not None:
        found["trial_end"] = trial_ended_on
    elif order.basis != "trial" or not (order.enrolled or order.collections):
        found["trial_end"] = None
    return found


def _expiries(world: World, order: OrderState, lots: list[LotState]) -> Iterator[date]:
    """Expiry of every bag packed; of a lot completed and never packed, its shelf life from the end of its making."""
    for bag in order.bags().values():
        if bag.expires_at is not None:
            yield _day(world, moment(bag.expires_at))
    for lot in lots:
        if lot.completed_at is not None:
            product = world.definition(Product, lot.product, lot.product_version)
            yield _day(world, moment(lot.completed_at) + product.shelf_life)


def _day(world: World, at: datetime) -> date:
    """The day it was at the site."""
    return at.astimezone(ZoneInfo(world.zone)).date()


def kept(world: World, subject: str, trial_ended_on: date | None = None) -> Kept:
    """How long the law keeps what a subject's key closes, and why.

    Raises:
        Refusal `definition-not-approved`: no rules of retention are in force.
    """
    law = world.definition(Retention, LAW)
    uses = [
        Use(order.name, order.market, order.basis, anchors(world, order, trial_ended_on))
        for order in orders_of(world, subject)
        if order.collections or order.enrolled
    ]
    return keep_until(law, COVERED, uses)


def _open(world: World, subject: str) -> Refusal | None:
    """What about the subject is not finished: an order, an identity case, a recall (D6)."""
    for order in orders_of(world, subject):
        if not order.closed:
            return Refusal(
                "order-open",
                "Order {order} of {subject} is open.",
                remedy="The key is needed until the order is closed.",
                rule="D6",
                order=order.name,
                subject=subject,
            )
        if order.in_doubt:
            return Refusal(
                "case-open",
                "Identity cases of order {order} are open: {cases}.",
                remedy="Set the wrong item aside, or let quality assurance close the case.",
                rule="D4",
                order=order.name,
                cases=", ".join(sorted(order.doubts)),
            )
        for lot in order.lots:
            release = world.load(ReleaseState, lot)
            if release.open_notifications or release.status == "suspended":
                return Refusal(
                    "recall-open",
                    "Lot {lot} of {subject} is suspended or recalled, and not everybody has been told.",
                    remedy="The key is needed until that is ended.",
                    rule="D6",
                    lot=lot,
                    subject=subject,
                )
    return None


def _kept_still(subject: str, found: Kept, today: date) -> Refusal | None:
    ground = found.longest
    if found.over(today) or ground is None:
        return None
    if ground.until is None:
        return Refusal(
            "retention-unknown",
            "How long the records of {subject} are kept is not known: rule {ground} of order {order} waits for {unknown}.",
            remedy="Nothing is destroyed before that is known. The end of a trial is given with its document.",
            rule="R014",
            subject=subject,
            ground=ground.rule,
            order=ground.order,
            unknown=", ".join(ground.unknown),
        )
    return Refusal(
        "retention-runs",
        "The records of {subject} are kept until {until}, by rule {ground} for order {order}.",
        remedy="Destroy the key after that day.",
        rule="R014",
        subject=subject,
        until=ground.until.isoformat(),
        ground=ground.rule,
        order=ground.order,
    )


@command("subject.destroy_key", "quality_assurance", "authorised_person")
class DestroyKey(Command):
    """Destroy the key of a subject whose records need not be kept any longer; it cannot be undone (D6)."""

    subject: str
    reason: str
    verifier: str
    verifier_role: str = "quality_assurance"
    trial_ended_on: str | None = None
    """When the last trial of this subject ended, as its document says."""
    document_sha256: FileHash | None = None

    def decide(self, world: World, by: By) -> Decision:
        two_people(by.person, self.verifier)
        state = world.load(SubjectState, self.subject)
        if not state.exists:
            raise Refusal("unknown-subject", "There is no subject {subject}.", rule="R075", subject=self.subject)
        if state.forgotten:
            raise Refusal(
                "key-destroyed",
                "What was recorded about {subject} was destroyed under the retention rule.",
                rule="D6",
                subject=self.subject,
            )
        ended = self._trial_ended(world)
        found = kept(world, self.subject, ended)
        refusal = _open(world, self.subject) or _kept_still(self.subject, found, today(world))
        if refusal is not None:
            raise refusal
        body = KeyDestroyed(
            subject=self.subject,
            destroyed=self.subject,
            assessor=by.person,
            verifier=self.verifier,
            law=world.definition(Retention, LAW).version,
            kept_until=found.until.isoformat() if found.until else None,
            grounds=tuple(dict.fromkeys(ground.rule for ground in found.grounds)),
            trial_ended_on=self.trial_ended_on,
            document_sha256=self.document_sha256,
        )
        sign = (
            Need(person=by.person, meaning="assessed", role="quality_assurance"),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
        )
        return Decision(facts=(state.fact(body, reason=self.reason),), sign=sign)

    def _trial_ended(self, world: World) -> date | None:
        if self.trial_ended_on is None:
            return None
        if self.document_sha256 is None:
            raise Refusal(
                "document-missing",
                "Nothing shows that the trial ended on {on}.",
                remedy="Store the document that says so and name it by its hash.",
                rule="D11",
                on=self.trial_ended_on,
            )
        return past_day("trial_ended_on", self.trial_ended_on, world)
