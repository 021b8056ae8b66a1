"""Before the decision: the record and its audit trail reviewed, custody assessed, the physician informed."""

from typing import Literal

from cellwright.factory.lot.state import LotState
from cellwright.factory.quality.file import QualityState
from cellwright.factory.release.assessment import assess
from cellwright.factory.release.dossier import Dossier, digest, dossier, leaves
from cellwright.factory.release.fact import AuditTrailReviewed, CustodyAssessed, PhysicianInformed, RecordReviewed
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash


def independent(lot: LotState, quality: QualityState, person: str, what: str) -> None:
    """Raises Refusal `took-part` for somebody who made or tested the lot (D10, R010, R023)."""
    if person in lot.participants or person in quality.participants:
        raise Refusal(
            "took-part",
            "{person} took part in making or testing lot {lot}: no {what} by the same person.",
            remedy="Somebody who took no part does it.",
            rule="D10",
            person=person,
            lot=lot.number,
            what=what,
        )


def undecided(case: Dossier) -> None:
    """Raises Refusal `decided-already` once the lot has a status of its own."""
    if case.release.status != "pending":
        raise Refusal(
            "decided-already",
            "Lot {lot} is {status} already.",
            remedy="A decision is not taken twice; what follows it has commands of its own.",
            rule="D19",
            lot=case.lot.number,
            status=case.release.status,
        )


class _Review(Command):
    lot: str
    findings: str = ""
    """What the review found, in words; empty where nothing was."""

    def reviewed(self, world: World, by: By, what: str) -> tuple[Dossier, tuple[bytes, ...]]:
        case = dossier(world, self.lot)
        if case.lot.status not in ("complete", "terminated"):
            raise Refusal(
                "record-not-complete",
                "The batch record of lot {lot} is {status}; it is reviewed when it is complete.",
                rule="R052",
                lot=self.lot,
                status=case.lot.status,
            )
        independent(case.lot, case.quality, by.person, what)
        return case, leaves(case.lot, case.quality)

    def need(self, by: By, covered: tuple[bytes, ...]) -> Need:
        hashes = tuple(leaf.hex() for leaf in covered)
        return Need(person=by.person, meaning="reviewed", role="quality_assurance", leaves=hashes)


@command("release.review_record", "quality_assurance")
class ReviewRecord(_Review):
    """Review the whole record of making and testing; the signature covers every event of it (R027, R052)."""

    def decide(self, world: World, by: By) -> Decision:
        case, covered = self.reviewed(world, by, "review")
        body = RecordReviewed(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            reviewer=by.person,
            events=len(covered),
            digest=digest(covered),
            findings=self.findings,
        )
        return Decision(facts=(case.release.fact(body),), sign=(self.need(by, covered),))


@command("release.review_audit_trail", "quality_assurance")
class ReviewAuditTrail(_Review):
    """Review who changed what, when and why: by somebody who performed nothing of it (R010)."""

    def decide(self, world: World, by: By) -> Decision:
        case, covered = self.reviewed(world, by, "audit-trail review")
        body = AuditTrailReviewed(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            reviewer=by.person,
            events=len(covered),
            digest=digest(covered),
            findings=self.findings,
        )
        return Decision(facts=(case.release.fact(body),), sign=(self.need(by, covered),))


@command("release.assess_custody", "quality_assurance")
class AssessCustody(Command):
    """Assess custody and temperature from the collection to the store (D19)."""

    lot: str
    custody: Literal["intact", "not_intact"]
    temperature: Literal["in_limits", "excursion_accepted", "not_acceptable"]
    basis: str

    def decide(self, world: World, by: By) -> Decision:
        case = dossier(world, self.lot)
        if not self.basis.strip():
            raise Refusal(
                "basis-missing",
                "An assessment says what was looked at.",
                remedy="Name shipments, loggers and storage records.",
                rule="R118",
            )
        independent(case.lot, case.quality, by.person, "assessment")
        body = CustodyAssessed(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            custody=self.custody,
            temperature=self.temperature,
            basis=self.basis,
            assessor=by.person,
        )
        need = Need(person=by.person, meaning="assessed", role="quality_assurance")
        return Decision(facts=(case.release.fact(body),), sign=(need,))


@command("release.inform_physician", "quality_assurance", "coordinator", "authorised_person")
class InformPhysician(Command):
    """Record that the treating physician was told which results are awaited and acknowledged it (R107)."""

    lot: str
    physician: str
    acknowledged_at: str
    document_sha256: FileHash

    def decide(self, world: World, by: By) -> Decision:
        case = dossier(world, self.lot)
        undecided(case)
        tests = tuple(sorted(assess(world, self.lot).awaited))
        if not tests:
            raise Refusal(
                "nothing-awaited",
                "No result of lot {lot} may be awaited after release, or none is outstanding.",
                remedy="Release it in full, or wait for the results.",
                rule="R106",
                lot=self.lot,
            )
        body = PhysicianInformed(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            tests=tests,
            physician=self.physician,
            acknowledged_at=self.acknowledged_at,
            document_sha256=self.document_sha256,
            recorded_by=by.person,
        )
        return Decision(facts=(case.release.fact(body),))
