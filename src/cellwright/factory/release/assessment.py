"""What the status of a lot could be now, and everything that is missing for more: a pure question, asked at any time."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

import msgspec

from cellwright.factory.lot.access import known
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.pair import PairState, processable
from cellwright.factory.order.permission import gated
from cellwright.factory.order.state import OrderState
from cellwright.factory.portfolio.product import Market, Pending, Product
from cellwright.factory.quality import situation
from cellwright.factory.quality.evaluation import evaluate
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.file import load as load_quality
from cellwright.factory.quality.judge import Judgement
from cellwright.factory.quality.specification import DOSES, Criterion, Specification
from cellwright.factory.release.fact import Item, Law
from cellwright.factory.release.formula import NEEDS, Gates, Possible, possible
from cellwright.factory.release.state import ReleaseState, Review
from cellwright.factory.release.state import load as load_release
from cellwright.factory.rule import Refusal, World

EU_ITEMS: tuple[Item, ...] = (
    "immediate_significant_hazard", "no_alternative", "physician_request", "risk_evaluation_sent",
    "physician_acceptance", "authority_notified",
)  # fmt: skip
"""EudraLex Vol 4 Part IV 11.53-11.54 (R111); who else is told depends on trial or authorisation."""
US_PROTOCOLS: tuple[Item, ...] = ("expanded_access_protocol", "single_patient_ind")
"""One of these, and the patient's consent (R112)."""
LAWS: dict[str, Law] = {"EU": "eu", "US": "us"}
"""Markets with a known exceptional path. For others none was found, so there is none."""


class Missing(msgspec.Struct, frozen=True):
    """One thing that stands between the lot and a status."""

    gate: str
    code: str
    text: str
    """English sentence with named placeholders, a message identifier."""
    rule: str
    values: dict[str, str] = {}

    @property
    def short(self) -> str:
        """Code and subject, for example `test-not-passed(viability)`."""
        subject = self.values.get("what", "")
        return f"{self.code}({subject})" if subject else self.code


class Assessment(NamedTuple):
    """The best status the lot could get now, and what is missing, gate by gate."""

    lot: str
    possible: Possible
    gates: Gates
    findings: tuple[Missing, ...]
    judgements: dict[str, Judgement]
    awaited: dict[str, timedelta]
    """Tests that may come after release, and how long after."""
    law: Law | None

    def missing(self, outcome: Possible) -> tuple[Missing, ...]:
        """What stands between the lot and this status."""
        return tuple(finding for finding in self.findings if finding.gate in NEEDS[outcome])


class Dossier(NamedTuple):
    """The states an assessment looks at."""

    lot: LotState
    quality: QualityState
    release: ReleaseState
    product: Product
    order: OrderState | None
    pair: PairState | None


def dossier(world: World, number: str) -> Dossier:
    """Load what belongs to a lot. Raises Refusal `unknown-lot`."""
    lot = known(world, number)
    return Dossier(
        lot,
        load_quality(world, number),
        load_release(world, number),
        world.definition(Product, lot.product, lot.product_version),
        world.load(OrderState, lot.order) if lot.order is not None else None,
        world.load(PairState, lot.pair) if lot.pair is not None else None,
    )


def leaves(lot: LotState, quality: QualityState) -> tuple[bytes, ...]:
    """Leaf hashes of everything that a review covers: the lot's record and its quality file, in order (R027)."""
    return (*lot.leaves, *quality.leaves)


def digest(of: Iterable[bytes]) -> str:
    """One hash over leaf hashes; any event more, less or in another place gives another."""
    return sha256(b"".join(of)).hexdigest()


def assess(world: World, number: str) -> Assessment:
    """Everything that is known for and against releasing a lot at this moment."""
    case = dossier(world, number)
    assigned = situation.specification(world, case.quality)
    judgements: dict[str, Judgement] = {}
    if assigned is not None:
        judgements = evaluate(assigned, situation.evidence(world, case.lot, case.quality))
    market = case.product.market(case.quality.specification.market) if case.quality.specification else None
    awaited = dict(_awaited(case.product, assigned, judgements))
    law = LAWS.get(market.code) if market is not None else None
    findings = (
        *_standing(world, case),
        *_record(case),
        *_tests(assigned, judgements),
        *_dose(case, assigned, judgements),
        *_awaiting(case, assigned, judgements, awaited),
        *_items(case, law, market),
        *_safety(case, assigned, judgements, awaited),
    )
    closed = {finding.gate for finding in findings}
    gates = Gates(**{name: name not in closed for name in Gates._fields})
    return Assessment(number, possible(gates), gates, findings, judgements, awaited, law)


# --- may it leave at all -------------------------------------------------------------------------------------------


def _standing(world: World, case: Dossier) -> Iterator[Missing]:
    if case.release.status != "pending":
        yield Missing("undecided", "decided-already", "The lot is {status}.", "D19", {"status": case.release.status})
    if case.lot.in_doubt or (case.order is not None and case.order.in_doubt):
        yield Missing("identity", "identity-in-doubt", "The identity of the lot is in doubt.", "R066")
    if case.lot.personal:
        refusal = processable(case.pair) if case.pair is not None else None
        if case.pair is None:
            yield Missing("donor", "donor-unknown", "The pair of donor and recipient is not known.", "R070")
        elif refusal is not None:
            yield Missing("donor", refusal.code, refusal.text, refusal.rule, _strings(refusal))
    yield from _custody(case)
    if case.order is not None:
        refusal = gated(world, case.order, case.product, "release")
        if refusal is not None:
            yield Missing("product_gates", refusal.code, refusal.text, refusal.rule, _strings(refusal))


def _strings(refusal: Refusal) -> dict[str, str]:
    return {name: str(value) for name, value in refusal.values.items()}


def _custody(case: Dossier) -> Iterator[Missing]:
    found = case.release.custody
    if found is None:
        yield Missing("custody", "custody-not-assessed", "Custody and temperature are not assessed.", "D19")
        return
    if found.custody != "intact":
        yield Missing("custody", "custody-broken", "The chain of custody is not intact.", "R065")
    if found.temperature == "not_acceptable":
        yield Missing("custody", "temperature-not-acceptable", "The temperature was outside its limits.", "R118")


# --- the record ----------------------------------------------------------------------------------------------------


def _record(case: Dossier) -> Iterator[Missing]:
    if case.lot.status != "complete":
        yield Missing(
            "record_complete",
            "record-not-complete",
            "The batch record is {status}.",
            "R040",
            {"status": case.lot.status},
        )
    now = digest(leaves(case.lot, case.quality))
    yield from _review("record_review", "record", case.release.record_review, now)
    yield from _review("audit_review", "audit-trail", case.release.audit_review, now)
    for name, found in case.lot.nonconformances.items():
        settled = ("assessed", "closed") if found.severity == "minor" else ("closed",)
        if found.status not in settled:
            yield Missing(
                "nonconformances",
                "nonconformance-open",
                "Nonconformance {what} ({severity}) is {status}.",
                "R051",
                {"what": name, "severity": found.severity, "status": found.status},
            )
    for name, status in case.order.nonconformances.items() if case.order is not None else ():
        if status == "open":
            yield Missing(
                "nonconformances",
                "nonconformance-open",
                "Nonconformance {what} ({severity}) is {status}.",
                "R051",
                {"what": name, "severity": "-", "status": status},
            )
    for investigation in case.quality.open_investigations:
        yield Missing(
            "investigations",
            "investigation-open",
            "The out-of-specification investigation {what} is open.",
            "R109",
            {"what": investigation.id},
        )


def _review(gate: str, what: str, review: Review | None, now: str) -> Iterator[Missing]:
    if review is None:
        yield Missing(gate, f"{what}-not-reviewed", "The {what} is not reviewed.", "R010", {"what": what})
    elif review.digest != now:
        yield Missing(
            gate,
            f"{what}-review-reopened",
            "Something was recorded after the review of the {what}.",
            "R027",
            {"what": what},
        )


# --- tests ---------------------------------------------------------------------------------------------------------


def _of_dose(test: Criterion) -> bool:
    return test.calculation is not None and test.calculation.kind in DOSES and test.operator != "report"


def _tests(assigned: Specification | None, judgements: dict[str, Judgement]) -> Iterator[Missing]:
    if assigned is None:
        yield Missing("specification", "specification-missing", "No specification is assigned.", "R100")
        yield Missing("tests", "specification-missing", "No specification is assigned.", "R100")
        return
    for test in assigned.tests:
        if test.required == "before_release" and not _of_dose(test):
            yield from _unpassed("tests", judgements[test.code])


def _unpassed(gate: str, judgement: Judgement) -> Iterator[Missing]:
    if judgement.verdict != "pass":
        yield Missing(
            gate,
            "test-missing" if judgement.why == "no-result" else "test-not-passed",
            "{what}: {verdict} ({why}).",
            "R102",
            {"what": judgement.code, "verdict": judgement.verdict, "why": judgement.why, "value": judgement.value},
        )


def _dose(case: Dossier, assigned: Specification | None, judgements: dict[str, Judgement]) -> Iterator[Missing]:
    doses = [test for test in assigned.tests if _of_dose(test)] if assigned is not None else []
    if not doses and case.lot.personal:
        yield Missing("dose", "dose-not-specified", "The specification does not judge the dose.", "R105")
    for test in doses:
        yield from _unpassed("dose", judgements[test.code])


# --- results that come after release -------------------------------------------------------------------------------


def _awaited(
    product: Product, assigned: Specification | None, judgements: dict[str, Judgement]
) -> Iterator[tuple[str, timedelta]]:
    """Tests that may be awaited by specification and by product, with the shorter of both times."""
    policy = {one.test: one for one in product.release_policy.pending_allowed}
    for test in assigned.tests if assigned is not None else ():
        allowed = _policy(test, policy, assigned)
        judgement = judgements[test.code]
        if allowed is None or not _may_wait(test, judgement, allowed, judgements):
            continue
        yield test.code, min(allowed.due, test.due) if test.due is not None else allowed.due


def _policy(test: Criterion, policy: dict[str, Pending], assigned: Specification | None) -> Pending | None:
    """What the product allows for a test; an interim test is allowed with the one it stands in for."""
    if test.code in policy:
        return policy[test.code]
    finals = [t.code for t in assigned.tests if t.interim == test.code] if assigned is not None else []
    return next((policy[code] for code in finals if code in policy), None)


def _may_wait(test: Criterion, judgement: Judgement, allowed: Pending, judgements: dict[str, Judgement]) -> bool:
    if judgement.why == "negative-to-date" and judgement.verdict == "pass":
        return True
    if test.required != "pending_allowed" or judgement.verdict != "pending" or judgement.why == "not-verified":
        return False
    if test.interim:
        return judgements[test.interim].verdict == "pass"
    return not allowed.interim_required or judgement.why == "negative-to-date"


def _awaiting(
    case: Dossier, assigned: Specification | None, judgements: dict[str, Judgement], awaited: dict[str, timedelta]
) -> Iterator[Missing]:
    for test in assigned.tests if assigned is not None else ():
        judgement = judgements[test.code]
        interim = judgement.verdict == "pass" and judgement.why == "negative-to-date"
        if not interim and (test.required == "before_release" or judgement.verdict == "pass"):
            continue
        values = {"what": test.code, "verdict": judgement.verdict, "why": judgement.why}
        yield Missing("all_arrived", "result-awaited", "The final result of {what} is awaited ({why}).", "R107", values)
        if test.code not in awaited:
            text = "{what} may not come after release as it stands: {verdict} ({why})."
            yield Missing("awaited_acceptable", "may-not-be-pending", text, "R106", values)
    unaware = sorted(set(awaited) - case.release.informed)
    if unaware:
        text = "The physician is not informed that results are awaited: {what}."
        yield Missing("physician_informed", "physician-not-informed", text, "R107", {"what": ", ".join(unaware)})


# --- exceptional supply --------------------------------------------------------------------------------------------


def _items(case: Dossier, law: Law | None, market: Market | None) -> Iterator[Missing]:
    text = "For exceptional supply {what} is missing."
    if law is None:
        no_path = "No exceptional path is known for the market {what}."
        where = market.code if market is not None else "-"
        yield Missing("exceptional_items", "no-exceptional-path", no_path, "R111", {"what": where})
        return
    rule = "R111" if law == "eu" else "R112"
    have = {name for name, item in case.release.items.items() if item.law == law}
    for item in needed_items(law, market):
        if item not in have:
            yield Missing("exceptional_items", "item-missing", text, rule, {"what": item})
    if law == "us" and not have & set(US_PROTOCOLS):
        yield Missing("exceptional_items", "item-missing", text, rule, {"what": " / ".join(US_PROTOCOLS)})


def needed_items(law: Law, market: Market | None) -> tuple[Item, ...]:
    """The items every exceptional supply under a law needs; in a trial the sponsor is told, else the holder."""
    if law == "us":
        return ("patient_consent",)
    told: Item = "sponsor_notified" if market is not None and market.legal_basis == "trial" else "authorisation_holder_notified"  # fmt: skip
    return (*EU_ITEMS, told)


def _safety(
    case: Dossier, assigned: Specification | None, judgements: dict[str, Judgement], awaited: dict[str, timedelta]
) -> Iterator[Missing]:
    """R113: sterility, mycoplasma, endotoxin and replication-competent virus pass, or an authority decided on them."""
    if assigned is None:
        yield Missing("safety", "specification-missing", "No specification is assigned.", "R100")
        return
    decided = {test for decision in case.release.authority for test in decision.tests}
    for test in assigned.tests:
        if not test.safety or test.safety in decided or test.code in awaited:
            continue
        judgement = judgements[test.code]
        if judgement.verdict != "pass":
            values = {"what": test.code, "verdict": judgement.verdict, "why": judgement.why}
            text = "{what} does not pass ({verdict}), and no authority has decided on it."
            yield Missing("safety", "safety-test-not-passed", text, "R113", values)
