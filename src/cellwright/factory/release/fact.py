"""Facts of release: reviews, assessments, the decision, and everything that can happen to it afterwards."""

from typing import Annotated, Literal

from cellwright.factory.identity import NAMES, Coi, Lot, Person, Stock
from cellwright.factory.record import Body, Part, event

Path = Literal["full", "pending_results"]
Law = Literal["eu", "us"]
"""Under which law an out-of-specification lot may be supplied: EudraLex Vol 4 Part IV 11.53-11.54 (R111), or a US
expanded-access protocol or single-patient IND (R112)."""
Item = Literal[
    "immediate_significant_hazard", "no_alternative", "physician_request", "risk_evaluation_sent",
    "physician_acceptance", "sponsor_notified", "authority_notified", "authorisation_holder_notified",
    "expanded_access_protocol", "single_patient_ind", "patient_consent",
]  # fmt: skip
"""What exceptional supply needs, each with its document."""
Addressee = Literal["physician", "quality_assurance", "sponsor"]
Cause = Literal["result", "identity", "recall", "quality_assurance"]


class Owned(Body):
    """A fact about the release of one lot, personal (`coi`) or stock (`stock`)."""

    lot: Lot
    coi: Coi | None = None
    stock: Stock | None = None


class Judged(Part):
    """A judgement as it stood when the decision was made."""

    test: str
    verdict: str
    value: str = ""
    unit: str = ""
    why: str = ""


class Awaited(Part):
    """A result that comes after release, and by when (R107)."""

    test: str
    due: str


@event("release.record_reviewed")
class RecordReviewed(Owned):
    """Quality assurance reviewed the whole record of making and testing in this version (R052)."""

    reviewer: Person
    events: int
    digest: str
    """SHA-256 (hex) over the leaf hashes of all events reviewed, in order; any later event gives another (R027)."""
    findings: str = ""


@event("release.audit_trail_reviewed")
class AuditTrailReviewed(Owned):
    """The audit trail was reviewed by somebody who performed nothing of it (R010)."""

    reviewer: Person
    events: int
    digest: str
    findings: str = ""


@event("release.custody_assessed")
class CustodyAssessed(Owned):
    """Custody and temperature of the material, from collection to the store, were assessed (D19)."""

    custody: Literal["intact", "not_intact"]
    temperature: Literal["in_limits", "excursion_accepted", "not_acceptable"]
    basis: str
    """What was looked at: shipments, loggers, storage."""
    assessor: Person


@event("release.physician_informed")
class PhysicianInformed(Owned):
    """The treating physician was told which results are awaited, and acknowledged it (R107)."""

    tests: tuple[str, ...]
    physician: str
    acknowledged_at: str
    document_sha256: str
    recorded_by: Person


@event("release.exceptional_item_recorded")
class ExceptionalItemRecorded(Owned):
    """One of the conditions of exceptional supply is met, with its document."""

    law: Law
    item: Item
    reference: str
    document_sha256: str
    recorded_by: Person


@event("release.authority_decided")
class AuthorityDecided(Owned):
    """An authority decided that the lot may be supplied although these safety tests do not pass (R113)."""

    authority: str
    reference: str
    tests: tuple[str, ...]
    document_sha256: str
    recorded_by: Person


@event("release.released")
class Released(Owned):
    """The authorised person certified the lot, for one market and by one version of its specification (R035)."""

    path: Path
    market: str
    specification: str
    version: str
    judgements: tuple[Judged, ...]
    awaited: tuple[Awaited, ...] = ()
    releaser: Person


@event("release.exceptionally_supplied")
class ExceptionallySupplied(Owned):
    """The lot leaves uncertified, for this patient, under the exceptional path; it never becomes released (R111)."""

    law: Law
    failures: tuple[Judged, ...]
    """What is out of specification and accepted so, for this patient."""
    awaited: tuple[Awaited, ...] = ()
    """What is not known yet, or not shown, and still has to be."""
    items: tuple[str, ...]
    authorised_by: Person


@event("release.rejected")
class Rejected(Owned):
    """A person rejected the lot (D19: never a fall-through)."""

    cause: str
    rejected_by: Person


@event("release.awaited_result_arrived")
class AwaitedResultArrived(Owned):
    """A result that was pending at release has arrived, verified by a second person."""

    test: str
    result: str
    verdict: str


@event("release.completed")
class Completed(Owned):
    """All awaited results have arrived: the second step of a two-step release (R107)."""

    releaser: Person


@event("release.suspended")
class Suspended(Owned):
    """Nothing of the lot may go on, until the suspension is lifted or the lot rejected or recalled."""

    cause: Cause
    text: str
    results: tuple[str, ...] = ()


@event("release.suspension_lifted")
class SuspensionLifted(Owned):
    """The cause was assessed and the former decision holds again."""

    assessor: Person
    text: str
    materials: Annotated[tuple[str, ...], NAMES("material")] = ()
    """Recalled materials in the lot that the assessment covers; one called back later is assessed anew."""


@event("release.recalled")
class Recalled(Owned):
    """The lot is called back, wherever it is."""

    material: Annotated[str, NAMES("material")] | None = None
    text: str
    recalled_by: Person


@event("release.notification_due")
class NotificationDue(Owned):
    """Somebody must be told, and the clock runs (R108)."""

    notification: str
    addressee: Addressee
    cause: Cause
    text: str
    due: str


@event("release.notified")
class Notified(Body):
    """Somebody was told."""

    lot: Lot
    notification: str
    reached: str
    how: str
    document_sha256: str | None = None
    notified_by: Person
