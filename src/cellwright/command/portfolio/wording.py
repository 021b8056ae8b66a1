"""The words for stages, events and states of the portfolio, for every screen and every text."""

from collections.abc import Mapping
from typing import Final

from cellwright.language import N_, _

STAGES: Final[Mapping[str, str]] = {
    "unknown": N_("stage unknown"),
    "ind_submitted": N_("IND submitted"),
    "ind_accepted": N_("IND accepted"),
    "ind_approved": N_("IND approved"),
    "phase_1": N_("phase I"),
    "phase_1_2": N_("phase I/II"),
    "phase_2": N_("phase II"),
    "phase_2_3": N_("phase II/III"),
    "phase_3": N_("phase III"),
    "nda_submitted": N_("marketing application submitted"),
    "nda_accepted": N_("marketing application accepted"),
    "conditionally_approved": N_("conditionally approved"),
    "approved": N_("approved"),
    "withdrawn": N_("withdrawn"),
    "terminated": N_("ended"),
}
EVENTS: Final[Mapping[str, str]] = {
    "ind_submitted": N_("IND submitted"),
    "ind_accepted": N_("IND accepted"),
    "ind_approved": N_("IND approved"),
    "phase_applied": N_("next phase applied for"),
    "trial_started": N_("trial started"),
    "first_patient": N_("first patient enrolled"),
    "enrolment_status": N_("enrolment reported"),
    "enrolment_complete": N_("enrolment complete"),
    "read_out": N_("read-out"),
    "endpoint_met": N_("end point met"),
    "breakthrough_therapy": N_("breakthrough therapy"),
    "priority_review": N_("priority review"),
    "nda_submitted": N_("marketing application submitted"),
    "nda_accepted": N_("marketing application accepted"),
    "conditional_approval": N_("conditional approval"),
    "approved": N_("approval"),
    "withdrawn": N_("withdrawal"),
    "terminated": N_("end of the programme"),
}
STANDINGS: Final[Mapping[str, str]] = {
    "announced": N_("announced"),
    "proposed": N_("proposed"),
    "in_public_notice": N_("in public notice"),
    "effective": N_("effective"),
    "withdrawn": N_("withdrawn"),
    "terminated": N_("ended"),
}
GRADES: Final[Mapping[str, str]] = {
    "fact": N_("sourced"),
    "derived": N_("derived"),
    "unverified": N_("from memory, not verified"),
    "assumption": N_("assumption, no source"),
}
MODALITIES: Final[Mapping[str, str]] = {
    "car_t": N_("CAR-T cells"),
    "antigen_expressing_t": N_("T cells that express an antigen"),
    "activated_lymphocytes": N_("activated lymphocytes"),
    "monoclonal_antibody": N_("monoclonal antibody"),
    "bispecific_antibody": N_("bispecific antibody"),
    "trispecific_antibody": N_("trispecific antibody"),
    "unknown": N_("not stated"),
}
RELATIONS: Final[Mapping[str, str]] = {
    "binds": N_("binds"),
    "expresses": N_("expresses"),
    "blocks": N_("blocks"),
    "agonist": N_("activates"),
}
UNITS: Final[Mapping[str, str]] = {
    "product": N_("products"),
    "programme": N_("programmes"),
    "application": N_("applications"),
    "notice": N_("notices"),
    "company": N_("companies"),
    "unknown": N_("not stated"),
    "patient_lot": N_("a lot per patient"),
    "batch_litre": N_("batches in litres"),
    "dose": N_("doses"),
}
FIELDS: Final[Mapping[str, str]] = {
    "unit": N_("unit counted"),
    "event": N_("event counted"),
    "registration_class": N_("registration class"),
    "first_only": N_("each only once"),
    "area_basis": N_("why something belongs to the area"),
    "period_rule": N_("which date decides"),
}
MILESTONES: Final[Mapping[str, str]] = {
    "ahead": N_("ahead"),
    "window open": N_("window open"),
    "past, nothing recorded": N_("past, nothing recorded"),
    "decided": N_("decided"),
}
VERDICTS: Final[Mapping[str, str]] = {
    "contradicted": N_("contradicted by the ledger"),
    "open": N_("open: dates leave it undecided"),
    "not contradicted": N_("not contradicted by what the ledger knows"),
}
FIGURES: Final[Mapping[str, str]] = {
    "reproduced": N_("reproduced from the ledger"),
    "sourced claim, definition unknown": N_("sourced claim, definition unknown"),
    "sourced claim, not reproduced": N_("sourced claim, not reproduced"),
}


def said(table: Mapping[str, str], name: str) -> str:
    """A word of a table in the active language; the name itself where the table does not have it."""
    return _(table[name]) if name in table else name
