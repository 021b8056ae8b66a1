"""What stands between a lot and its release, each with the gate it closes and what would settle it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from cellwright.factory.lot.state import LotState
from cellwright.factory.order.pair import processable
from cellwright.factory.order.permission import gated
from cellwright.factory.order.state import OrderState
from cellwright.factory.plant.material import MaterialState
from cellwright.factory.portfolio.product import Market, Pending, Product
from cellwright.factory.quality.judge import Judgement
from cellwright.factory.quality.specification import DOSES, Criterion, Specification
from cellwright.factory.release.dossier import Dossier, digest, leaves
from cellwright.factory.release.fact import Item, Law
from cellwright.factory.release.state import Review
from cellwright.factory.rule import Refusal, World

EU_ITEMS: tuple[Item, ...] = (
    "immediate_significant_hazard", "no_alternative", "physician_request", "risk_evaluation_sent",
    "physician_acceptance", "authority_notified",
)  # fmt: skip
"""EudraLex Vol 4 Part IV 11.53-11.54 (R111); who else is told depends on trial or authorisation."""
US_PROTOCOLS: tuple[Item, ...] = ("expanded_access_protocol", "single_patient_ind")
"""One of these, and the patient's consent (R112)."""


class Missing(NamedTuple):
    """One thing that stands between the lot and a status: the gate it closes, what it is and what would settle it."""

    gate: str
    why: Refusal

    @property
    def short(self) -> str:
        """Code and subject, for example `test-not-passed(viability)`."""
        subject = self.why.values.get("what", "")
        return f"{self.why.code}({subject})" if subject else self.why.code


# --- may it leave at all -------------------------------------------------------------------------------------------


def standing(world: World, case: Dossier) -> Iterator[Missing]:
    if case.release.status != "pending":
        why = Refusal(
            "decided-already",
            "Lot {lot} is {status} already.",
            remedy="A decision is not taken twice; what follows it has commands of its own.",
            rule="D19",
            lot=case.lot.number,
            status=case.release.status,
        )
        yield Missing("undecided", why)
    doubt = in_doubt(case.lot, case.order)
    if doubt is not None:
        yield Missing("identity", doubt)
    if case.lot.personal:
        donor = processable(case.pair) if case.pair is not None else _pair_unknown(case.lot)
        if donor is not None:
            yield Missing("donor", donor)
    yield from (Missing("custody", why) for why in _custody(case))
    material = recalled_material(world, case)
    if material is not None:
        yield Missing("nonconformances", material)
    gate = gated(world, case.order, case.product, "release") if case.order is not None else None
    if gate is not None:
        yield Missing("product_gates", gate)


def in_doubt(lot: LotState, order: OrderState | None) -> Refusal | None:
    """No outgoing path has a way around a doubtful identity, not even the exceptional one (D19)."""
    if not lot.in_doubt and (order is None or not order.in_doubt):
        return None
    return Refusal(
        "identity-in-doubt",
        "The identity of lot {lot} is in doubt. It cannot leave on any path.",
        remedy="Quality assurance investigates and closes the identity case first.",
        rule="D19",
        lot=lot.number,
    )


def called_back(world: World, case: Dossier) -> tuple[str, ...]:
    """The materials of the lot that were called back."""
    return tuple(m for m in sorted(case.lot.materials) if world.load(MaterialState, m).status == "recalled")


def recalled_material(world: World, case: Dossier) -> Refusal | None:
    """A lot made with a material that was called back since stays, until a suspension for it was assessed (R053)."""
    recalled = [m for m in called_back(world, case) if m not in case.release.cleared]
    if not recalled:
        return None
    return Refusal(
        "made-with-recalled-material",
        "Lot {lot} was made with {what}, which is recalled.",
        remedy="Recall or suspend it; an authorised person lifts the suspension with a written assessment.",
        rule="R053",
        lot=case.lot.number,
        what=", ".join(recalled),
    )


def _pair_unknown(lot: LotState) -> Refusal:
    return Refusal(
        "donor-unknown",
        "The pair of donor and recipient of lot {lot} is not known.",
        remedy="A personal lot is issued for an order with its pair.",
        rule="R070",
        lot=lot.number,
    )


def _custody(case: Dossier) -> Iterator[Refusal]:
    found = case.release.custody
    if found is None:
        yield Refusal(
            "custody-not-assessed",
            "Custody and temperature of lot {lot} are not assessed.",
            remedy="Quality assurance assesses them from collection to store.",
            rule="D19",
            lot=case.lot.number,
        )
        return
    if found.custody != "intact":
        yield Refusal(
            "custody-broken",
            "The chain of custody of lot {lot} is not intact.",
            remedy="Show where the material was, and assess it anew; otherwise the lot is rejected.",
            rule="R065",
            lot=case.lot.number,
        )
    if found.temperature == "not_acceptable":
        yield Refusal(
            "temperature-not-acceptable",
            "The material of lot {lot} was outside its temperature limits.",
            remedy="Assess it anew with further evidence; otherwise the lot is rejected.",
            rule="R118",
            lot=case.lot.number,
        )


# --- the record ----------------------------------------------------------------------------------------------------


def record(case: Dossier) -> Iterator[Missing]:
    if case.lot.status != "complete":
        why = Refusal(
            "record-not-complete",
            "The batch record of lot {lot} is {status}.",
            remedy="Complete it.",
            rule="R040",
            lot=case.lot.number,
            status=case.lot.status,
        )
        yield Missing("record_complete", why)
    now = digest(leaves(case.lot, case.quality))
    if case.release.record_review is None or case.release.record_review.digest != now:
        yield Missing("record_review", _record_not_reviewed(case.release.record_review))
    if case.release.audit_review is None or case.release.audit_review.digest != now:
        yield Missing("audit_review", _audit_not_reviewed(case.release.audit_review))
    yield from (Missing("nonconformances", why) for why in _nonconformances(case))
    for investigation in case.quality.open_investigations:
        why = Refusal(
            "investigation-open",
            "The out-of-specification investigation {what} is open.",
            remedy="Conclude it in writing.",
            rule="R109",
            what=investigation.id,
        )
        yield Missing("investigations", why)


def _record_not_reviewed(review: Review | None) -> Refusal:
    if review is None:
        return Refusal(
            "record-not-reviewed",
            "The record is not reviewed.",
            remedy="Quality assurance reviews the record of making and testing.",
            rule="R052",
        )
    return Refusal(
        "record-review-reopened",
        "Something was recorded after {reviewer} reviewed the record.",
        remedy="Review it again.",
        rule="R027",
        reviewer=review.reviewer,
    )


def _audit_not_reviewed(review: Review | None) -> Refusal:
    if review is None:
        return Refusal(
            "audit-trail-not-reviewed",
            "The audit trail is not reviewed.",
            remedy="Somebody of quality assurance who performed nothing of it reviews it.",
            rule="R010",
        )
    return Refusal(
        "audit-trail-review-reopened",
        "Something was recorded after {reviewer} reviewed the audit trail.",
        remedy="Review it again.",
        rule="R010",
        reviewer=review.reviewer,
    )


def _nonconformances(case: Dossier) -> Iterator[Refusal]:
    """D20: minor ones may stay open with an assessment; major and critical ones are closed."""
    found = {name: (n.severity, n.status) for name, n in case.lot.nonconformances.items()}
    if case.order is not None:
        found |= {name: ("minor", "open") for name, s in case.order.nonconformances.items() if s == "open"}
    for name, (severity, status) in found.items():
        if status not in (("assessed", "closed") if severity == "minor" else ("closed",)):
            yield Refusal(
                "nonconformance-open",
                "Nonconformance {what} ({severity}) is {status}.",
                remedy="Assess it; a major or critical one is closed with its conclusion.",
                rule="R051",
                what=name,
                severity=severity,
                status=status,
            )


# --- tests ---------------------------------------------------------------------------------------------------------


def _of_dose(test: Criterion) -> bool:
    return test.calculation is not None and test.calculation.kind in DOSES and test.operator != "report"


def tests(case: Dossier, assigned: Specification | None, judgements: dict[str, Judgement]) -> Iterator[Missing]:
    if assigned is None:
        why = Refusal(
            "specification-missing",
            "No specification is assigned to lot {lot}.",
            remedy="Assign the one of its market.",
            rule="R100",
            lot=case.lot.number,
        )
        yield from (Missing(gate, why) for gate in ("specification", "tests", "safety"))
        return
    for test in assigned.tests:
        if test.required == "before_release" and not _of_dose(test):
            yield from _unpassed("tests", judgements[test.code])


def _unpassed(gate: str, judgement: Judgement) -> Iterator[Missing]:
    if judgement.verdict == "pass":
        return
    if judgement.why == "no-result":
        why = Refusal(
            "test-missing",
            "There is no result of {what}.",
            remedy="Record and verify it.",
            rule="R102",
            what=judgement.code,
        )
    else:
        why = Refusal(
            "test-not-passed",
            "{what}: {verdict}, {value} {unit} ({why}).",
            remedy="A failing result is investigated; one that proves nothing is repeated.",
            rule="R102",
            what=judgement.code,
            verdict=judgement.verdict,
            value=judgement.value or "-",
            unit=judgement.unit,
            why=judgement.why,
        )
    yield Missing(gate, why)


def dose(case: Dossier, assigned: Specification | None, judgements: dict[str, Judgement]) -> Iterator[Missing]:
    doses = [test for test in assigned.tests if _of_dose(test)] if assigned is not None else []
    if not doses and case.lot.personal:
        why = Refusal(
            "dose-not-specified",
            "The dose of lot {lot} is not judged by any specification.",
            remedy="The specification of a personal product states the dose.",
            rule="R105",
            lot=case.lot.number,
        )
        yield Missing("dose", why)
    for test in doses:
        yield from _unpassed("dose", judgements[test.code])


# --- results that come after release -------------------------------------------------------------------------------


def may_be_awaited(
    product: Product, assigned: Specification | None, judgements: dict[str, Judgement]
) -> Iterator[tuple[str, timedelta]]:
    """Tests that may be awaited by specification and by product, with the shorter of both times."""
    if assigned is None:
        return
    policy = {one.test: one for one in product.release_policy.pending_allowed}
    for test in assigned.tests:
        allowed = _policy(test, policy, assigned)
        if allowed is not None and _may_wait(test, judgements[test.code], allowed, judgements):
            yield test.code, min(allowed.due, test.due) if test.due is not None else allowed.due


def _policy(test: Criterion, policy: dict[str, Pending], assigned: Specification) -> Pending | None:
    """What the product allows for a test; an interim test is allowed with the one it stands in for."""
    finals = (t.code for t in assigned.tests if t.interim == test.code)
    return next((policy[code] for code in (test.code, *finals) if code in policy), None)


def _may_wait(test: Criterion, judgement: Judgement, allowed: Pending, judgements: dict[str, Judgement]) -> bool:
    if judgement.why == "negative-to-date" and judgement.verdict == "pass":
        return True
    if test.required != "pending_allowed" or judgement.verdict != "pending" or judgement.why == "not-verified":
        return False
    if test.interim:
        return judgements[test.interim].verdict == "pass"
    return not allowed.interim_required or judgement.why == "negative-to-date"


def awaiting(
    case: Dossier, assigned: Specification | None, judgements: dict[str, Judgement], awaited: dict[str, timedelta]
) -> Iterator[Missing]:
    for test in assigned.tests if assigned is not None else ():
        judgement = judgements[test.code]
        interim = judgement.verdict == "pass" and judgement.why == "negative-to-date"
        if interim or (test.required == "pending_allowed" and judgement.verdict != "pass"):
            yield Missing("all_arrived", _result_awaited(judgement))
            if test.code not in awaited:
                yield Missing("awaited_acceptable", _not_pending(judgement))
    unaware = sorted(set(awaited) - case.release.informed)
    if unaware:
        why = Refusal(
            "physician-not-informed",
            "The physician does not know yet that results are awaited: {what}.",
            remedy="Inform the physician and record the acknowledgement.",
            rule="R107",
            what=", ".join(unaware),
        )
        yield Missing("physician_informed", why)


def _result_awaited(judgement: Judgement) -> Refusal:
    return Refusal(
        "result-awaited",
        "The final result of {what} is awaited ({why}).",
        remedy="Wait for it, or release with results pending where product and specification allow it.",
        rule="R107",
        what=judgement.code,
        why=judgement.why,
    )


def _not_pending(judgement: Judgement) -> Refusal:
    return Refusal(
        "may-not-be-pending",
        "{what} may not come after release as it stands: {verdict} ({why}).",
        remedy="It takes an interim result without growth, and a product that allows it; a result that is there is verified.",
        rule="R106",
        what=judgement.code,
        verdict=judgement.verdict,
        why=judgement.why,
    )


# --- exceptional supply --------------------------------------------------------------------------------------------


def items(case: Dossier, law: Law | None, market: Market | None) -> Iterator[Missing]:
    if law is None:
        why = Refusal(
            "no-exceptional-path",
            "No exceptional path is known for the market {what}.",
            remedy="The lot is rejected, or made again.",
            rule="R111",
            what=market.code if market is not None else "-",
        )
        yield Missing("exceptional_items", why)
        return
    have = {name for name, item in case.release.items.items() if item.law == law}
    absent = [item for item in needed_items(law, market) if item not in have]
    if law == "us" and not have & set(US_PROTOCOLS):
        absent.append(" / ".join(US_PROTOCOLS))
    for item in absent:
        why = Refusal(
            "item-missing",
            "For exceptional supply {what} is missing.",
            remedy="Record it with its document.",
            rule="R111" if law == "eu" else "R112",
            what=item,
        )
        yield Missing("exceptional_items", why)


def needed_items(law: Law, market: Market | None) -> tuple[str, ...]:
    """The items every exceptional supply under a law needs; in a trial the sponsor is told, else the holder."""
    if law == "us":
        return ("patient_consent",)
    trial = market is not None and market.legal_basis == "trial"
    return (*EU_ITEMS, "sponsor_notified" if trial else "authorisation_holder_notified")


def safety(
    case: Dossier, assigned: Specification | None, judgements: dict[str, Judgement], awaited: dict[str, timedelta]
) -> Iterator[Missing]:
    """R113: sterility, mycoplasma, endotoxin and replication-competent virus pass, or an authority decided on them."""
    decided = {test for decision in case.release.authority for test in decision.tests}
    for test in assigned.tests if assigned is not None else ():
        judgement = judgements[test.code]
        settled = not test.safety or test.safety in decided or test.code in awaited
        if settled or judgement.verdict == "pass":
            continue
        why = Refusal(
            "safety-test-not-passed",
            "{what} does not pass ({verdict}, {why}), and no authority has decided on it.",
            remedy="The exceptional path stays closed unless an authority decides on this test.",
            rule="R113",
            what=test.code,
            verdict=judgement.verdict,
            why=judgement.why,
        )
        yield Missing("safety", why)
