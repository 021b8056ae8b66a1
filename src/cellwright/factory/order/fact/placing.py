"""Facts from the prescription to the approved order with its chain of identity and its slot."""

from typing import Annotated, Literal

from msgspec import field

from cellwright.factory.identity import NAMES, SELF, TAKES, Order, Pair, Person, Product
from cellwright.factory.order.subject import Sealed
from cellwright.factory.portfolio.product import LegalBasis
from cellwright.factory.record import Body, event

Verdict = Literal["eligible", "not_eligible", "unknown"]
Purpose = Literal["treatment", "research", "retention"]


@event("order.placed")
class Placed(Body):
    """A prescriber orders a product for the recipient of a pair."""

    pair: Pair
    product: Product
    product_version: str
    market: str
    basis: LegalBasis
    prescriber: Person
    hospital: str
    linked_order: Order | None = None
    """The order of the product this one follows, for example CAR-T-19 before aT19 (D13)."""


@event("order.linked_by")
class LinkedBy(Body):
    """A later order of the same recipient follows this one and waits for its infusion."""

    order: Order


@event("order.eligibility_judged")
class EligibilityJudged(Body):
    """Whether the patient may have the product: by the trial's protocol, or by a physician's attestation."""

    verdict: Verdict
    judged_by: Person
    protocol: str | None = None
    protocol_version: str | None = None
    evidence: dict[str, str] = field(default_factory=dict)
    """What was known, by criterion or question; absent means unknown, never false (Law 6)."""
    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    document_sha256: str | None = None


@event("order.consented")
class Consented(Body):
    """The recipient consented to one purpose, on a signed document."""

    purpose: Purpose
    document_sha256: str
    version: str
    given_on: str
    recorded_by: Person


@event("order.consent_withdrawn")
class ConsentWithdrawn(Body):
    """Consent to one purpose ended."""

    purpose: Purpose
    recorded_by: Person


@event("order.enrolled")
class Enrolled(Body):
    """The patient is enrolled in the trial under the sponsor's subject number, which is an alias."""

    protocol: str
    subject_number: str
    enrolled_on: str


@event("order.approved")
class Approved(Body):
    """The manufacturer accepted the order."""

    approver: Person


@event("order.coi_allocated")
class CoiAllocated(Body):
    """The one chain of identity of this therapy event, for all its collections (R059)."""

    pair: Annotated[str, SELF("pair")]
    coi: Annotated[str, TAKES("coi")]
    verifier: Person


@event("order.coi_superseded")
class CoiSuperseded(Body):
    """A wrongly issued chain of identity is superseded; the old one stays taken and is never given again (D1)."""

    pair: Annotated[str, SELF("pair")]
    superseded: Annotated[str, NAMES("coi")]
    coi: Annotated[str, TAKES("coi")]
    assessor: Person
    verifier: Person


@event("order.alias_recorded")
class AliasRecorded(Body):
    """How somebody else calls this order or its chain of identity: a foreign number, never a key here (D1).

    Elsewhere it leads to the person, so it stands here as a personal field, under the recipient's key (D6).
    """

    kind: str
    value: Sealed
    issuer: str


@event("order.slot_promised")
class SlotPromised(Body):
    """The plant's promise: when it collects, makes and delivers."""

    slot: str
    collect_on: str
    make_on: str
    deliver_on: str
    planner: Person


@event("order.slot_given_up")
class SlotGivenUp(Body):
    """The promise no longer stands."""

    slot: str


@event("order.doubt_raised")
class DoubtRaised(Body):
    """An identity case touches this order; nothing goes on until it is set aside or closed (D4)."""

    case: Annotated[str, NAMES("case")]


@event("order.doubt_lifted")
class DoubtLifted(Body):
    """The identity case no longer stands in the way."""

    case: Annotated[str, NAMES("case")]
