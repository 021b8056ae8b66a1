"""Facts at the hospital: weight, clearance, identity at the bedside, thaw, infusion, and what came after."""

from typing import Annotated, Literal

from msgspec import field

from cellwright.factory.identity import EXPECTS, NAMES, RELEASES, TAKES, Coi, Lot, Order, Pair, Person, Product
from cellwright.factory.order.fact.material import Wristband
from cellwright.factory.record import Body, event

BagName = Annotated[str, EXPECTS("container")]
Stage = Literal["thaw", "infusion"]
EndReason = Literal["death", "progression", "withdrawal", "physician_decision", "manufacturing_failure", "other"]
FollowUpKind = Literal["adverse_reaction", "response", "follow_up"]
Severity = Literal["minor", "major", "critical"]


@event("order.weighed")
class Weighed(Body):
    """The recipient's weight with its day: dose and endotoxin are judged on it (D17)."""

    weight_kg: str
    weighed_on: str
    recorded_by: Person
    rejudge: tuple[Lot, ...] = ()
    """Lots whose dose and endotoxin must be judged again because of it."""


@event("order.dose_judged")
class DoseJudged(Body):
    """Dose and endotoxin of a lot were judged on this weight."""

    lot: Lot
    weight_kg: str
    within: bool
    assessor: Person
    text: str = ""


@event("order.prior_infusion_recorded")
class PriorInfusionRecorded(Body):
    """The product this order waits for was infused under the linked order (D13)."""

    product: Product
    order: Order
    infused_at: str


@event("order.prior_infusion_attested")
class PriorInfusionAttested(Body):
    """The product this order waits for was infused elsewhere: attested with the document, by two people (D13)."""

    product: Product
    hospital: str
    infused_on: str
    document_sha256: str
    transcriber: Person
    verifier: Person


@event("order.lymphodepletion_cleared")
class LymphodepletionCleared(Body):
    """The patient may be prepared: the product is here, released and sound, or a physician answers for it (D21)."""

    lots: tuple[Lot, ...]
    physician: Person
    exception: str | None = None
    """Why the physician goes ahead without it, where they do."""


@event("order.identity_checked")
class IdentityChecked(Body):
    """Wristband, bag and order agree, read by machine, before two people (R064, R073)."""

    coi: Coi
    pair: Pair
    stage: Stage
    bag: BagName
    lot: Lot
    recipient: Wristband
    performer: Person
    verifier: Person


@event("order.thawed")
class Thawed(Body):
    """The bag is thawed; its use window runs from here (R119)."""

    coi: Coi
    bag: BagName
    lot: Lot
    thawed_at: str
    use_before: str
    performer: Person


@event("order.infusion_started")
class InfusionStarted(Body):
    """The bag's one administration begins (D15): the claim `bag/…` is taken and never given twice."""

    coi: Coi
    pair: Pair
    bag: Annotated[str, TAKES("bag")]
    container: BagName
    lot: Lot
    dose: int
    started_at: str
    performer: Person
    verifier: Person


@event("order.infused")
class Infused(Body):
    """What was given of a bag, and what was left."""

    coi: Coi
    bag: Annotated[str, EXPECTS("bag")]
    lot: Lot
    dose: int
    volume_given_ml: str
    remainder_ml: str
    ended_at: str
    stopped_early: bool
    performer: Person
    verifier: Person
    why: str = ""


@event("order.administration_recorded_late")
class AdministrationRecorded(Body):
    """A bag of this patient was given without its start being recorded: a fact, beside its nonconformance (D7)."""

    coi: Coi
    pair: Pair
    bag: Annotated[str, TAKES("bag")]
    container: BagName
    lot: Lot
    dose: int
    started_at: str
    performer: Person


@event("order.administration_voided")
class AdministrationVoided(Body):
    """An administration that was begun and of which nothing was given ends: reason, two signatures, one of them QA (D3)."""

    coi: Coi
    bag: Annotated[str, RELEASES("bag")]
    performer: Person
    assessor: Person


@event("order.nonconformance_raised")
class NonconformanceRaised(Body):
    """Something was done otherwise than the rules say: it is recorded and waits for its assessment (D7)."""

    nonconformance: str
    code: str
    rule: str
    found: dict[str, str] = field(default_factory=dict)
    containers: tuple[Annotated[str, NAMES("container")], ...] = ()


@event("order.nonconformance_assessed")
class NonconformanceAssessed(Body):
    """Quality assurance judged how grave it is and what follows."""

    nonconformance: str
    severity: Severity
    text: str
    assessor: Person


@event("order.ended")
class Ended(Body):
    """The therapy will not go on, or not further; what was made is disposed of (D22)."""

    why: EndReason
    on: str
    recorded_by: Person


@event("order.followed_up")
class FollowedUp(Body):
    """An adverse reaction, a response or a follow-up visit after infusion; the lot's release stays as it was (D23)."""

    kind: FollowUpKind
    finding: str
    on: str
    lots: tuple[Lot, ...]
    recorded_by: Person
    grade: int | None = None
    document_sha256: str | None = None


@event("order.closed")
class Closed(Body):
    """Every container has its disposition and nothing is open (R074)."""

    outcome: Literal["infused", "made_not_given", "not_made"]
    closer: Person
