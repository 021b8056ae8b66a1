"""What happened to whom and why, counted and told: the table at the end of the demonstration and its JSON."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from cellwright.command.demo.journey import Way
from cellwright.command.demo.run import LINKED_BY, Demo
from cellwright.factory.lot.state import LotState
from cellwright.factory.release.state import ReleaseState
from cellwright.language import N_, _

SCHEMA: Final = "cellwright.demo.v2"
CODES: Final[Mapping[str, str]] = {
    "released": N_("released"),
    "released_pending_results": N_("released with results pending"),
    "exceptional_supply": N_("supplied exceptionally, not certified"),
    "exceptional_supply_refused_identity": N_("exceptional supply refused: identity in doubt"),
    "rejected": N_("rejected"),
    "suspended": N_("suspended"),
    "recalled": N_("recalled"),
    "swap_stopped": N_("swap stopped"),
    "endotoxin_per_kg_failed": N_("endotoxin passes per mL and fails per kg"),
    "endotoxin_not_shown_to_comply": N_("endotoxin not shown to comply, repeated"),
    "growth_failed_recollected": N_("growth failed, collected again"),
    "infusion_held_for_prior_product": N_("infusion held until the prior product is given"),
    "prior_product_attested": N_("prior product given elsewhere, attested"),
    "late_positive_before_infusion": N_("late positive, stopped at the bedside"),
    "late_positive_after_infusion": N_("late positive after infusion, clocks started"),
    "made_not_given": N_("made, not given"),
    "multi_dose": N_("several doses from one lot"),
    "multi_day_collection": N_("one collection over several days"),
    "donor_for_recipient": N_("a donor's cells for the patient"),
    "nonconformance_recorded": N_("nonconformance recorded and assessed"),
    "downtime_entered": N_("step sheet entered after an outage"),
    "operator_replaced": N_("operator locked out and replaced"),
}
"""Outcome code -> words. Every run of 24 or more patients shows each of them."""
DETAILS: Final = ("point", "reason", "cause", "doses", "stopped_by")
"""Details of an outcome that the table tells."""
WORDS: Final[Mapping[str, str]] = {
    "collection_receipt": N_("at the receipt of the collection"),
    "in_process": N_("in process"),
    "final_label": N_("at the final label"),
    "qc_tube": N_("a tube of quality control"),
    "plate_well": N_("a well of a plate"),
    "raw_file": N_("a raw file"),
    "bedside": N_("at the bedside"),
    "death": N_("death"),
    "progression": N_("progression"),
    "withdrawal": N_("withdrawal"),
    "identity lost": N_("identity lost"),
    "positive sterility after release": N_("positive sterility after release"),
    "recall of its vector lot": N_("recall of its vector lot"),
    "Endotoxin per kilogram and hour above the limit (simulated)": N_(
        "endotoxin per kilogram and hour above the limit"
    ),
    "lot-suspended": N_("the lot is suspended"),
}
"""What the details of outcomes are called; anything else is told as it is."""


def counts(demo: Demo) -> dict[str, int]:
    """Figures of the whole run: patients, lots, released lots, events, checks."""
    lots = [way.patient.lot for way in (*demo.ways, *demo.linked) if way.patient.lot]
    statuses = Counter(demo.site.desk.state(ReleaseState, lot).status for lot in lots)
    types: Counter[str] = Counter()
    compared = 0
    for event in demo.site.ledger.read():
        types[event.type] += 1
        compared += len(event.expects)
    everybody = [way.patient for way in demo.ways] + ([demo.stock.patient] if demo.stock is not None else [])
    outcomes = Counter(outcome["code"] for one in everybody for outcome in one.outcomes)
    return {
        "patients": len(demo.ways),
        "lots": types["lot.issued"],
        "lots_released": outcomes["released"] + outcomes["released_pending_results"],
        "lots_rejected": statuses["rejected"],
        "events": sum(types.values()),
        "signatures": types["signature.applied"],
        "identity_checks": compared,
        "swaps_stopped": outcomes["swap_stopped"],
        "results": types["quality.result_recomputed"] + types["quality.result_attested"],
    }


def patient(demo: Demo, way: Way) -> dict[str, Any]:
    """One patient of the JSON: who, what came of it, and what was ordered and made; two orders for a linked pair."""
    linked = [other for other in demo.linked if other.patient.number == way.patient.number + LINKED_BY]
    return {
        "number": way.patient.number,
        "published": way.published.name if way.published else "",
        "source": way.published.source if way.published else "",
        "outcomes": way.patient.outcomes,
        "orders": [_order(demo, one) for one in (way, *linked)],
    }


def _order(demo: Demo, way: Way) -> dict[str, Any]:
    """One order, its lot, how far the lot's making came, and what was decided of it at last."""
    one = way.patient
    lot = one.site.desk.state(LotState, one.lot) if one.lot else None
    return {
        "product": one.product_id,
        "market": one.market,
        "order": one.order,
        "coi": one.coi,
        "lot": one.lot,
        "lot_status": lot.status if lot else "",
        "release_status": demo.site.desk.state(ReleaseState, one.lot).status if lot else "",
    }


def document(demo: Demo, seed: str) -> dict[str, Any]:
    """The body of the JSON document; the same for the same seed and number of patients (E16)."""
    ways = [*demo.ways, *demo.linked]
    return {
        "simulated": True,
        "seed": seed,
        "patients": [patient(demo, way) for way in demo.ways],
        "stock": stock(demo),
        "counts": counts(demo),
        "codes": sorted({outcome["code"] for way in ways for outcome in way.patient.outcomes}),
        "left_out": left_out(demo),
    }


def rows(demo: Demo) -> list[tuple[str, str, str, str]]:
    """The table for a person: number, product, lot, what happened and why."""
    told = []
    for way in demo.ways:
        one = way.patient
        published = _("published {name}").format(name=way.published.name) if way.published else ""
        said = [_say(outcome) for outcome in one.outcomes]
        told.append((str(one.number), one.product_id, one.lot, _("; ").join(filter(None, (published, *said)))))
    if demo.stock is not None:
        one = demo.stock.patient
        said = [_("stock, nobody's in particular"), *(_say(outcome) for outcome in one.outcomes)]
        told.append(("–", one.product_id, one.lot, _("; ").join(said)))
    return told


def _say(outcome: Mapping[str, str]) -> str:
    words = _(CODES[outcome["code"]])
    details = _(", ").join(_(WORDS.get(value, value)) for key, value in outcome.items() if key in DETAILS)
    return _("{words} ({details})").format(words=words, details=details) if details else words


def left_out(demo: Demo) -> list[str]:
    """Outcome codes that did not come about: with fewer patients than the story has, only its first scenes happen."""
    shown = {outcome["code"] for way in (*demo.ways, *demo.linked) for outcome in way.patient.outcomes}
    return sorted(set(CODES) - shown)


def stock(demo: Demo) -> list[dict[str, Any]]:
    """The stock lots of the JSON: no order, no chain of identity, every claim `stock/…` (D2)."""
    if demo.stock is None:
        return []
    one = demo.stock.patient
    lot = one.site.desk.state(LotState, one.lot)
    return [
        {
            "product": one.product_id,
            "market": one.market,
            "lot": one.lot,
            "lot_status": lot.status,
            "owner": lot.owner,
            "containers": {c.container: format(c.volume_ml, "f") for c in lot.containers.values() if c.volume_ml},
            "outcomes": one.outcomes,
        }
    ]
