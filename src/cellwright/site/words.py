"""The words of the screens: every state has a shape, a tone and a word, never a colour alone."""

from typing import Final, NamedTuple

from cellwright.factory.record import REGISTER
from cellwright.language import N_, _


class Mark(NamedTuple):
    """A state as it is shown. `tone` is one of ok, run, warn, stop, idle: the class in the style sheet."""

    shape: str
    tone: str
    word: str
    """English; translate it with `_` where it is shown."""

    @property
    def said(self) -> str:
        """The word in the active language."""
        return _(self.word)


LOTS: Final = {
    "created": Mark("○", "idle", N_("issued")),
    "in_process": Mark("▶", "run", N_("in process")),
    "complete": Mark("✓", "ok", N_("made")),
    "terminated": Mark("✕", "stop", N_("terminated")),
}
RELEASES: Final = {
    "pending": Mark("○", "idle", N_("release pending")),
    "released": Mark("✓", "ok", N_("released")),
    "released_pending_results": Mark("▲", "warn", N_("released with results pending")),
    "exceptional_supply": Mark("▲", "warn", N_("exceptional supply")),
    "suspended": Mark("■", "stop", N_("suspended")),
    "recalled": Mark("✕", "stop", N_("recalled")),
    "rejected": Mark("✕", "stop", N_("rejected")),
}
STAGES: Final = {
    "placed": Mark("○", "idle", N_("ordered")),
    "approved": Mark("○", "idle", N_("approved, waits for collection")),
    "collected": Mark("▶", "run", N_("collected")),
    "making": Mark("▶", "run", N_("in the plant")),
    "on_the_way": Mark("▶", "run", N_("on the way to the hospital")),
    "at_hospital": Mark("▶", "run", N_("at the hospital")),
    "infused": Mark("✓", "ok", N_("infused")),
    "ended": Mark("■", "warn", N_("ended before infusion")),
    "closed": Mark("✓", "ok", N_("closed")),
}
CASES: Final = {
    "stopped": Mark("✕", "stop", N_("stopped")),
    "set_aside": Mark("✓", "ok", N_("set aside")),
    "in_doubt": Mark("■", "stop", N_("in doubt")),
    "investigated": Mark("▲", "warn", N_("investigated")),
    "relabelled": Mark("▲", "warn", N_("re-labelled")),
    "closed": Mark("✓", "ok", N_("closed")),
}
FINDINGS: Final = {
    "open": Mark("▲", "warn", N_("not assessed")),
    "assessed": Mark("▲", "warn", N_("assessed")),
    "closed": Mark("✓", "ok", N_("closed")),
}
SEVERITIES: Final = {"minor": N_("minor"), "major": N_("major"), "critical": N_("critical")}
RESULTS: Final = {
    "recorded": Mark("▶", "run", N_("recorded, not verified")),
    "verified": Mark("✓", "ok", N_("verified")),
    "invalidated": Mark("✕", "idle", N_("invalidated")),
    "superseded": Mark("○", "idle", N_("superseded")),
}
MEANINGS: Final = {
    "performed": N_("performed"), "verified": N_("verified"), "reviewed": N_("reviewed"), "approved": N_("approved"),
    "released": N_("released"), "rejected": N_("rejected"), "accepted": N_("accepted"),
    "handed_over": N_("handed over"), "received": N_("received"), "attested": N_("attested"),
    "transcribed": N_("transcribed"), "assessed": N_("assessed"), "prescribed": N_("prescribed"),
    "requested": N_("requested"),
}  # fmt: skip
ROLE_WORDS: Final = {
    "prescriber": N_("prescriber"), "coordinator": N_("coordinator"), "collection_nurse": N_("collection nurse"),
    "courier": N_("courier"), "warehouse": N_("warehouse"), "operator": N_("operator"), "analyst": N_("analyst"),
    "quality_assurance": N_("quality assurance"), "authorised_person": N_("authorised person"),
    "process_engineer": N_("process engineer"), "planner": N_("planner"),
    "cell_laboratory": N_("hospital cell laboratory"), "nurse": N_("ward nurse"), "physician": N_("physician"),
    "security_officer": N_("security officer"), "administrator": N_("administrator"),
}  # fmt: skip
CONTAINERS: Final = {
    "starting_material": N_("starting material"), "culture": N_("culture"), "intermediate": N_("intermediate"),
    "bulk": N_("bulk"), "final_bag": N_("final bag"), "backup": N_("back-up"), "retained": N_("retained sample"),
    "waste": N_("waste"),
}  # fmt: skip
CULTURES: Final = {
    "incubating": N_("incubating"), "negative_to_date": N_("negative to date"), "negative": N_("negative"),
    "positive": N_("positive"), "abandoned": N_("given up"),
}  # fmt: skip
ANSWERS: Final = {
    "negative": N_("negative"), "positive": N_("positive"), "absent": N_("absent"), "present": N_("present"),
    "detected": N_("detected"), "not_detected": N_("not detected"), "sterile": N_("sterile"),
    "no_growth": N_("no growth"), "growth": N_("growth"), "conforms": N_("conforms"),
    "does_not_conform": N_("does not conform"),
}  # fmt: skip
"""Words that results and limits consist of; another word stands as it was reported."""
DISPOSITIONS: Final = {
    "consumed": N_("consumed"), "destroyed": N_("destroyed"), "returned": N_("returned"),
    "retained_sample": N_("retained sample"), "research": N_("given to research"),
    "released_to_stock": N_("released to stock"), "infused": N_("infused"),
    "used_in_manufacture": N_("used in manufacture"),
}  # fmt: skip
MEANS: Final = {
    "simulated": N_("simulated person"), "password_and_code": N_("password and one-time code"),
    "webauthn": N_("security key"),
}  # fmt: skip
KINDS: Final = {"physical": N_("physical evidence"), "biological": N_("biological evidence")}
REMARKS: Final = frozenset({
    N_("Simulated end of the order"), N_("Simulated recall"), N_("Simulated: manufacturing_failure"),
    N_("Simulated: the vector's maker withdrew the lot"), N_("Simulated: one collection for both products"),
    N_("Simulated: OP-12 is locked out"), N_("Simulated: seen in person"), N_("Simulated assessment"),
    N_("Simulated: no expansion on day 5"), N_("Simulated: growth failed"), N_("Simulated: withdrawal"),
    N_("Simulated: progression"), N_("Simulated: death"), N_("Red tray"), N_("red tray"),
    N_("Simulated: a seal number does not fit the record"), N_("Identity is not shown (simulated)"),
    N_("Simulated: identity could not be shown"), N_("Identity lost (simulated)"),
    N_("Endotoxin per kilogram and hour above the limit (simulated)"), N_("Declared at the screen."),
    N_("Simulated review of shipments, loggers and storage records"),
})  # fmt: skip
"""Reasons that the demonstration gives; everything else that people wrote stands as they wrote it."""
ROOM_FREE: Final = Mark("○", "idle", N_("cleared, free"))
ROOM_TAKEN: Final = Mark("▶", "run", N_("in use"))
ROOM_TO_CLEAR: Final = Mark("▲", "warn", N_("to be cleared"))
ROOM_STOPPED: Final = Mark("■", "stop", N_("identity in doubt"))

TITLES: Final = {
    "order.placed": N_("Prescribed"), "order.linked_by": N_("Linked order placed"),
    "order.eligibility_judged": N_("Eligibility judged"), "order.consented": N_("Consent given"),
    "order.enrolled": N_("Enrolled in the trial"), "order.approved": N_("Order approved"),
    "order.coi_allocated": N_("Chain of identity allocated"), "order.weighed": N_("Weighed"),
    "order.collection_scheduled": N_("Collection scheduled"), "order.collection_started": N_("Collection begun"),
    "order.collected": N_("Cells collected"), "order.packed": N_("Packed"),
    "order.dispatched": N_("Handed to the courier"), "order.received": N_("Received"),
    "order.accepted": N_("Accepted out of quarantine"), "order.allocated": N_("Allocated to the lot"),
    "order.lot_linked": N_("Lot linked to the order"), "order.bags_packed": N_("Bags packed"),
    "order.lymphodepletion_cleared": N_("Lymphodepletion cleared"),
    "order.identity_checked": N_("Identity checked at the bedside"), "order.thawed": N_("Thawed"),
    "order.infusion_started": N_("Infusion begun"), "order.infused": N_("Infused"),
    "order.closed": N_("Order closed"), "order.doubt_raised": N_("Identity in doubt"),
    "order.doubt_lifted": N_("Doubt lifted"), "order.prior_infusion_recorded": N_("Prior infusion recorded"),
    "order.prior_infusion_attested": N_("Prior infusion attested"), "order.dose_judged": N_("Dose judged"),
    "order.followed_up": N_("Follow-up"), "order.ended": N_("Treatment ended"),
    "lot.issued": N_("Batch record issued"), "lot.room_entered": N_("Room entered"),
    "lot.room_left": N_("Room left"), "lot.starting_material_received": N_("Starting material in the lot"),
    "lot.step_started": N_("Step begun"), "lot.step_completed": N_("Step done"),
    "lot.material_added": N_("Material added"), "lot.reading_taken": N_("Measured"),
    "lot.reading_verified": N_("Measured value verified"), "lot.material_transferred": N_("Moved into new containers"),
    "lot.label_printed": N_("Label printed"), "lot.label_verified": N_("Label read back"),
    "lot.label_applied": N_("Label applied"), "lot.container_detached": N_("Container detached"),
    "lot.sample_drawn": N_("Sample drawn"), "lot.bag_frozen": N_("Bag frozen"),
    "lot.completed": N_("Lot made, record locked"), "lot.terminated": N_("Making ended without a product"),
    "lot.doubt_raised": N_("Identity in doubt"), "lot.doubt_lifted": N_("Doubt lifted"),
    "lot.nonconformance_recorded": N_("Nonconformance"), "lot.nonconformance_assessed": N_("Nonconformance assessed"),
    "lot.nonconformance_closed": N_("Nonconformance closed"), "lot.operator_replaced": N_("Operator replaced"),
    "lot.procedure_transitioned": N_("Unit procedure"), "lot.sheet_entered": N_("Step sheet entered after an outage"),
    "case.opened": N_("Stopped: not this patient's"), "case.set_aside": N_("Wrong item set aside"),
    "case.doubted": N_("Declared in doubt"), "case.investigated": N_("Identity investigated"),
    "case.relabelled": N_("Re-labelled under supervision"), "case.closed": N_("Identity case closed"),
    "order.container_relabelled": N_("Known by its new label"),
    "quality.sample_received": N_("Sample in the laboratory"), "quality.result_recomputed": N_("Result from raw file"),
    "quality.result_attested": N_("Result attested"), "quality.result_verified": N_("Results verified"),
    "quality.result_invalidated": N_("Result invalidated"), "quality.culture_started": N_("Culture begun"),
    "quality.culture_read": N_("Culture read"), "quality.investigation_opened": N_("Out of specification"),
    "quality.specification_assigned": N_("Specification assigned"),
    "release.record_reviewed": N_("Record reviewed"), "release.audit_trail_reviewed": N_("Audit trail reviewed"),
    "release.custody_assessed": N_("Custody assessed"), "release.released": N_("Released"),
    "release.completed": N_("Release completed"), "release.exceptionally_supplied": N_("Supplied exceptionally"),
    "release.rejected": N_("Rejected"), "release.suspended": N_("Suspended"), "release.recalled": N_("Recalled"),
    "room.taken": N_("Room taken"), "room.left": N_("Room left"), "room.cleared": N_("Room cleared"),
    "signature.applied": N_("Signed"),
    "person.enrolled": N_("Account opened"), "person.identity_verified": N_("Identity of the person verified"),
    "person.role_granted": N_("Role granted"), "person.role_revoked": N_("Role revoked"),
    "person.qualified": N_("Qualified"), "person.trained": N_("Trained"),
    "person.credential_registered": N_("Means of signing registered"),
    "person.credential_revoked": N_("Means of signing revoked"), "person.signed_in": N_("Signed in"),
    "person.signed_out": N_("Signed out"), "person.sign_in_failed": N_("Sign-in or signing failed"),
    "person.locked": N_("Account locked"), "person.unlocked": N_("Account unlocked"),
    "person.deactivated": N_("Account ended"), "person.refused": N_("Refused"),
    "definition.approved": N_("Definition approved"), "material.received": N_("Material received"),
    "material.released": N_("Material released"), "material.rejected": N_("Material rejected"),
    "material.recalled": N_("Material recalled"), "equipment.registered": N_("Equipment in the plant"),
    "equipment.qualified": N_("Equipment qualified"), "equipment.calibrated": N_("Equipment calibrated"),
    "equipment.cleaned": N_("Equipment cleaned"), "equipment.used": N_("Equipment used"),
    "room.registered": N_("Room in the plant"), "subject.registered": N_("Subject registered"),
    "subject.revealed": N_("Name shown for a moment"), "pair.formed": N_("Pair of donor and recipient formed"), "pair.donor_tested": N_("Donor tested"),
    "pair.donor_status_decided": N_("Donor's status decided"), "issuer.block_reserved": N_("Numbers reserved"),
    "order.container_disposed": N_("Container's end recorded"), "order.material_given": N_("Cells given to another order"),
    "order.material_taken": N_("Cells taken over from another order"), "lot.bag_taken_out": N_("Bag taken out"),
    "lot.container_disposed": N_("Container's end recorded"), "pair.chain_allocated": N_("Chain of identity allocated"),
}  # fmt: skip
"""Short titles of what happens to a patient; other events are told by the sentence that documents them."""
STOPS: Final = frozenset({
    "case.opened", "case.doubted", "lot.doubt_raised", "order.doubt_raised", "lot.terminated", "release.rejected",
    "release.suspended", "release.recalled", "order.ended", "person.locked", "person.refused", "person.sign_in_failed",
})  # fmt: skip
WARNINGS: Final = frozenset({
    "lot.nonconformance_recorded", "quality.investigation_opened", "quality.result_invalidated",
    "release.exceptionally_supplied", "lot.operator_replaced", "lot.sheet_entered",
})  # fmt: skip
REACHED: Final = frozenset({
    "order.coi_allocated", "order.accepted", "lot.completed", "release.released", "release.completed",
    "order.infused", "order.closed", "case.set_aside", "case.closed", "lot.step_completed", "order.approved",
})  # fmt: skip


def sentence(type_: str) -> str:
    """What an event of this type means, in the active language."""
    body = next((REGISTER[key] for key in REGISTER if key[0] == type_), None)
    said = (body.__doc__ or "").strip().partition("\n")[0].strip() if body is not None else ""
    return _(said) if said else type_


def title(type_: str) -> str:
    """An event in two or three words, in the active language."""
    return _(TITLES[type_]) if type_ in TITLES else sentence(type_)


def mark(type_: str) -> Mark:
    """How an event stands in a story."""
    if type_ in STOPS:
        return Mark("✕", "stop", N_("stopped"))
    if type_ in WARNINGS:
        return Mark("▲", "warn", N_("to be decided"))
    if type_ in REACHED:
        return Mark("✓", "ok", N_("reached"))
    return Mark("●", "run", N_("recorded"))


def role(name: str) -> str:
    """A role in the active language."""
    return _(ROLE_WORDS.get(name, name))


def meaning(name: str) -> str:
    """The meaning of a signature in the active language."""
    return _(MEANINGS.get(name, name))


def container(kind: str) -> str:
    """A kind of container in the active language."""
    return _(CONTAINERS.get(kind, kind))


def severity(name: str) -> str:
    """How grave a nonconformance is, in the active language."""
    return _(SEVERITIES.get(name, name))


def status(name: str) -> str:
    """The state of a lot, a release, a case, a finding or a result in the active language."""
    tables = (LOTS, RELEASES, CASES, FINDINGS, RESULTS)
    return next((table[name].said for table in tables if name in table), name)


def answer(word: str) -> str | None:
    """A word that answers a test, in the active language; None for anything else, such as a number."""
    return _(ANSWERS[word]) if word in ANSWERS else None


def culture(status: str) -> str:
    """How a culture stands, in the active language."""
    return _(CULTURES.get(status, status))


def disposition(name: str) -> str:
    """Where a container ended, in the active language."""
    return _(DISPOSITIONS.get(name, name))


def means(name: str) -> str:
    """How somebody signed in or signs, in the active language."""
    return _(MEANS.get(name, name))


def kind(name: str) -> str:
    """A kind of evidence, in the active language."""
    return _(KINDS.get(name, name))


def remark(text: str) -> str:
    """A reason as it was written; those of the demonstration in the active language."""
    return _(text) if text in REMARKS else text
