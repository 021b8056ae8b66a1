"""The end of making: complete and locked, or terminated; after that only addenda (R040, R046, R058)."""

from collections.abc import Iterator
from typing import Literal

from cellwright.factory.lot.access import certain, known, other_person, unlocked
from cellwright.factory.lot.fact.life import AddendumAdded, LotCompleted, LotTerminated
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.label import unreconciled
from cellwright.factory.lot.state import LotState
from cellwright.factory.recipe.recipe import Recipe
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

Cause = Literal["growth_failed", "contamination", "identity", "equipment", "withdrawn", "died", "other"]


def incomplete(lot: LotState, recipe: Recipe) -> Iterator[Refusal]:
    """Everything that is missing before the record can be locked."""
    left = [step.id for step in recipe.steps if step.id not in lot.done]
    if left:
        yield Refusal(
            "steps-left", "Steps are not complete: {steps}.", remedy="Complete them.", rule="R040",
            steps=", ".join(left),
        )  # fmt: skip
    unread = [f"{s.step}/{p}" for s in lot.steps.values() for p, taken in s.readings.items() if not taken.usable]
    if unread:
        yield Refusal(
            "reading-unverified-at-end",
            "Typed critical values that nobody else has read: {readings}.",
            remedy="A second person reads and verifies them.",
            rule="R043",
            readings=", ".join(unread),
        )
    loose = unreconciled(lot)
    if loose:
        yield Refusal(
            "labels-unreconciled",
            "Labels issued are not labels applied and destroyed: {labels}.",
            remedy="Apply them, or destroy them before a witness.",
            rule="R046",
            labels=", ".join(loose),
        )
    if lot.blank_sheets:
        yield Refusal(
            "sheets-missing",
            "Step sheets have not come back: {sheets}.",
            remedy="Enter or void them.",
            rule="D8",
            sheets=", ".join(lot.blank_sheets),
        )
    unplaced = [c.container for c in lot.containers.values() if c.disposition is None and not _kept(c.kind)]
    if unplaced:
        yield Refusal(
            "containers-open",
            "Containers are neither products nor disposed of: {containers}.",
            remedy="Record where each ended.",
            rule="R074",
            containers=", ".join(unplaced),
        )
    unlabelled = [c.container for c in lot.containers.values() if c.disposition is None and not c.label and c.parents]
    if unlabelled:
        yield Refusal(
            "containers-unlabelled",
            "Containers do not bear their own label: {containers}.",
            remedy="Label them, or dispose of them.",
            rule="R068",
            containers=", ".join(unlabelled),
        )
    if lot.rooms:
        yield Refusal(
            "rooms-held",
            "The lot is still in {rooms}.",
            remedy="Take its material out; then the room can be cleared.",
            rule="R047",
            rooms=", ".join(lot.rooms),
        )


def _kept(kind: str) -> bool:
    """Kinds of containers that outlast making."""
    return kind in ("final_bag", "backup", "retained", "bulk")


@command("lot.complete", "operator")
class CompleteLot(Command):
    """Lock the record. Nonconformances may be open still: they stand in the way of the release, not of the lock."""

    lot: str
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        certain(lot)
        other_person(by.person, self.verifier, "complete lot")
        for refusal in incomplete(lot, recipe_of(world, lot)):
            raise refusal
        status = [label.status for label in lot.labels.values()]
        body = LotCompleted(
            labels_issued=len(status),
            labels_applied=status.count("applied"),
            labels_destroyed=status.count("destroyed"),
            bags_filled=len(lot.bags),
            performer=by.person,
            verifier=self.verifier,
        )
        needs = (
            Need(person=by.person, meaning="performed", role="operator"),
            Need(person=self.verifier, meaning="verified", role="operator"),
        )
        return Decision(facts=(lot.fact(body),), sign=needs)


@command("lot.terminate", "quality_assurance")
class TerminateLot(Command):
    """End making without a product, for example because the cells do not grow. The record stays and is locked."""

    lot: str
    cause: Cause
    reason: str
    step: str | None = None
    recollect: bool = False

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        if not self.reason.strip():
            raise Refusal("reason-missing", "Say why making ends.", rule="R004")
        body = LotTerminated(cause=self.cause, step=self.step, recollect=self.recollect, assessor=by.person)
        need = Need(person=by.person, meaning="assessed", role="quality_assurance")
        return Decision(facts=(lot.fact(body, reason=self.reason),), sign=(need,))


@command("lot.add_addendum", "operator", "quality_assurance", "process_engineer")
class AddAddendum(Command):
    """Correct or add to a locked record. What it corrects stays; author and quality assurance both sign (R058)."""

    lot: str
    text: str
    reason: str
    approver: str
    role: str = "operator"
    corrects: str | None = None
    """Id of the event of this lot that is corrected."""
    field: str | None = None
    was: str | None = None
    becomes: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        other_person(by.person, self.approver, "addendum")
        if not lot.locked:
            raise Refusal(
                "record-not-locked",
                "The record of lot {lot} is still written; it needs no addendum.",
                remedy="Change the value with a reason.",
                rule="R058",
                lot=lot.number,
            )
        if not self.reason.strip() or not self.text.strip():
            raise Refusal("reason-missing", "An addendum says what and why.", rule="R004")
        if self.corrects is not None and self.corrects not in lot.events:
            raise Refusal(
                "event-not-of-lot",
                "Lot {lot} has no event {event}.",
                rule="R058",
                lot=lot.number,
                event=self.corrects,
            )
        body = AddendumAdded(
            addendum=f"{lot.number}-A{len(lot.addenda) + 1:02d}",
            text=self.text,
            author=by.person,
            approver=self.approver,
            corrects=self.corrects,
            field=self.field,
            was=self.was,
            becomes=self.becomes,
        )
        needs = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.approver, meaning="approved", role="quality_assurance"),
        )
        return Decision(facts=(lot.fact(body, reason=self.reason),), sign=needs)
