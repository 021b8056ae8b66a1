"""Exceptional supply of a lot that is out of specification: never certified, every condition with its document.

EU: EudraLex Vol 4 Part IV 11.53-11.54 (R111). US: only under an expanded-access protocol or a single-patient IND, with
consent (R112). Never while a safety test does not pass, unless an authority decided on it (R113), and never with the
identity in doubt (D19).
"""

from datetime import timedelta

from cellwright.factory import people
from cellwright.factory.quality.specification import Safety
from cellwright.factory.release.assessment import Assessment, assess
from cellwright.factory.release.decide import allowed, certain, certified, judged
from cellwright.factory.release.dossier import dossier
from cellwright.factory.release.fact import (
    AuthorityDecided,
    Awaited,
    ExceptionalItemRecorded,
    ExceptionallySupplied,
    Item,
    Law,
)
from cellwright.factory.release.finding import EU_ITEMS, US_PROTOCOLS
from cellwright.factory.release.formula import holds
from cellwright.factory.release.review import independent, undecided
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash

BY_LAW: dict[Law, frozenset[Item]] = {
    "eu": frozenset({*EU_ITEMS, "sponsor_notified", "authorisation_holder_notified"}),
    "us": frozenset({*US_PROTOCOLS, "patient_consent"}),
}
BY_PHYSICIAN: frozenset[Item] = frozenset({"physician_request", "physician_acceptance"})
"""What the physician says: recorded by the physician, or from the document by quality assurance."""
OUTSTANDING_WITHIN = timedelta(days=30)
"""How long an exceptionally supplied lot's missing results may take where no file says. Assumption: nothing found."""
OUT = frozenset({"fail", "not_shown_to_comply", "not_evaluable"})


@command("release.record_exceptional_item", "quality_assurance", "physician")
class RecordExceptionalItem(Command):
    """Record one condition of exceptional supply, with its document."""

    lot: str
    law: Law
    item: Item
    reference: str
    """Who said so and when, or the number of protocol, IND, notification."""
    document_sha256: FileHash

    def decide(self, world: World, by: By) -> Decision:
        case = dossier(world, self.lot)
        undecided(case)
        certain(case)
        if self.item not in BY_LAW[self.law] or not self.reference.strip():
            raise Refusal(
                "item-not-plausible",
                "{item} is no condition of this path, or has no reference.",
                rule="R111",
                item=self.item,
            )
        physician = people.load(world, by.person).holds("physician", world.now)
        if physician and self.item not in BY_PHYSICIAN:
            raise Refusal(
                "not-the-physicians",
                "{item} is recorded by quality assurance.",
                rule="R111",
                item=self.item,
            )
        body = ExceptionalItemRecorded(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            law=self.law,
            item=self.item,
            reference=self.reference,
            document_sha256=self.document_sha256,
            recorded_by=by.person,
        )
        role = "physician" if physician else "quality_assurance"
        requested = "requested" if self.item == "physician_request" else "accepted"
        meaning = requested if physician else "attested"
        return Decision(facts=(case.release.fact(body),), sign=(Need(person=by.person, meaning=meaning, role=role),))


@command("release.record_authority_decision", "quality_assurance")
class RecordAuthorityDecision(Command):
    """Record that an authority decided on safety tests that do not pass (R113)."""

    lot: str
    authority: str
    reference: str
    tests: tuple[Safety, ...]
    document_sha256: FileHash

    def decide(self, world: World, by: By) -> Decision:
        case = dossier(world, self.lot)
        undecided(case)
        if not all(self.tests) or not self.tests or not self.authority.strip() or not self.reference.strip():
            raise Refusal(
                "decision-not-plausible",
                "An authority's decision names the authority, its reference and the safety tests it covers.",
                rule="R113",
            )
        body = AuthorityDecided(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            authority=self.authority,
            reference=self.reference,
            tests=self.tests,
            document_sha256=self.document_sha256,
            recorded_by=by.person,
        )
        need = Need(person=by.person, meaning="attested", role="quality_assurance")
        return Decision(facts=(case.release.fact(body),), sign=(need,))


@command("release.supply_exceptionally", "authorised_person")
class SupplyExceptionally(Command):
    """Let an out-of-specification lot leave for this patient, uncertified."""

    lot: str

    def decide(self, world: World, by: By) -> Decision:
        case, found = dossier(world, self.lot), assess(world, self.lot)
        certain(case)
        allowed(found, "exceptional_supply")
        independent(case.lot, case.quality, by.person, "release")
        if not people.load(world, by.person).qualified("authorised_person", world.now):
            raise Refusal(
                "not-authorised-person",
                "{person} is not a qualified or authorised person at this moment.",
                rule="R035",
                person=by.person,
            )
        failing = {code for code, j in found.judgements.items() if j.verdict in OUT}
        if not failing or holds(found.gates, "released"):
            raise Refusal(
                "not-out-of-specification",
                "Nothing of lot {lot} is out of specification; the exceptional path is not for it.",
                remedy="Release it in full or with results pending.",
                rule="R111",
                lot=self.lot,
            )
        assert found.law is not None, "without a law the items are missing"
        body = ExceptionallySupplied(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            law=found.law,
            failures=tuple(j for j in judged(found) if j.verdict == "fail"),
            awaited=_outstanding(world, found),
            items=tuple(sorted(name for name, item in case.release.items.items() if item.law == found.law)),
            authorised_by=by.person,
        )
        return Decision(facts=(case.release.fact(body),), sign=(certified(case, by, "approved"),))


def _outstanding(world: World, found: Assessment) -> tuple[Awaited, ...]:
    """Everything that is neither shown nor out of specification: a result of it is still owed."""
    codes = [
        j.code for j in found.judgements.values() if j.verdict not in ("pass", "fail") or j.why == "negative-to-date"
    ]
    return tuple(
        Awaited(test=code, due=people.stamp(world.now + found.awaited.get(code, OUTSTANDING_WITHIN))) for code in codes
    )
