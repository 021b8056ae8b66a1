"""What goes wrong on the way, and how each ends: the story at the end of the domain decisions, one scene a patient.

A scene is a generator over a patient's way. It asserts nothing: if a rule did not stop what it must stop, the next act
of the scene is refused and the run ends with it.
"""

from collections.abc import Callable

from cellwright.command.demo.cast import by
from cellwright.command.demo.course import Acts, bodies
from cellwright.command.demo.journey import Way
from cellwright.command.demo.making import Making
from cellwright.command.demo.setting import Setting
from cellwright.command.demo.swap import (
    swap_at_bedside,
    swap_at_label,
    swap_at_receipt,
    swap_in_plate,
    swap_in_process,
    swap_of_file,
    swap_of_tube,
)
from cellwright.factory import people
from cellwright.factory.lot.closing import TerminateLot
from cellwright.factory.lot.downtime import Added, EnterSheet, PrintSheet
from cellwright.factory.lot.nonconformance import AssessNonconformance, CloseNonconformance
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import TakeOverStep
from cellwright.factory.order import allocation, case, collection, disposition, pair
from cellwright.factory.order.disposition import End
from cellwright.factory.order.fact.giving import EndReason
from cellwright.factory.people import stamp
from cellwright.factory.plant.material import RecallMaterial as RecallStock
from cellwright.factory.quality.investigation import ConcludeInvestigation, ConcludeLaboratoryPhase
from cellwright.factory.record import Fact
from cellwright.factory.release.aftermath import Notify, RecallMaterial
from cellwright.factory.release.decide import Reject
from cellwright.factory.release.exceptional import RecordExceptionalItem, SupplyExceptionally
from cellwright.factory.rule import Refusal
from cellwright.factory.site import SiteDown

Scene = Callable[[Way], Acts]

EU_ITEMS = (
    ("physician_request", "MD-1"), ("immediate_significant_hazard", "QA-1"), ("no_alternative", "QA-1"),
    ("risk_evaluation_sent", "QA-1"), ("physician_acceptance", "MD-1"), ("authorisation_holder_notified", "QA-1"),
    ("authority_notified", "QA-1"),
)  # fmt: skip
"""Conditions of exceptional supply in the EU, and who records each."""


# --- quality -------------------------------------------------------------------------------------------------------


def confirmed_out_of_specification(way: Way) -> Acts:
    """Every open investigation: no cause in the laboratory, confirmed by quality assurance."""
    for one in tuple(way.testing.quality.open_investigations):
        phase = ConcludeLaboratoryPhase(
            lot=way.patient.lot, investigation=one.id, finding="No assignable cause (simulated)", supervisor="QA-3"
        )
        yield from way.patient.do(phase, way.testing.analyst)
        concluded = ConcludeInvestigation(
            lot=way.patient.lot, investigation=one.id, outcome="confirmed",
            conclusion="The result stands (simulated)", follow_up="The lot is not certified (simulated)",
        )  # fmt: skip
        yield from way.patient.do(concluded, "QA-2")


def rejected(way: Way, cause: str) -> Acts:
    """The authorised person rejects; the order ends, everything is disposed of."""
    yield from way.giving.reviewed()
    yield from way.patient.do(Reject(lot=way.patient.lot, cause=cause), "QP-2")
    way.patient.came("rejected", cause=cause)
    yield from ended(way, "manufacturing_failure")


def ended(way: Way, why: EndReason) -> Acts:
    """The therapy does not go on: made material is disposed of and the order closed (D22)."""
    end = End(order=way.patient.order, why=why, on=way.patient.today, text=f"Simulated: {why}")
    yield from way.patient.do(end, "MD-1")
    yield from way.giving.ended()


def not_given(why: EndReason) -> Scene:
    """Made, released, and then the patient cannot have it."""

    def scene(way: Way) -> Acts:
        yield from way.until_made()
        yield from way.tested()
        yield from way.released()
        way.patient.came("made_not_given", reason=why)
        yield from ended(way, why)

    return scene


def endotoxin_per_kg(way: Way) -> Acts:
    """Passes per millilitre and fails per kilogram and hour: a light child and a full bag."""
    way.testing.values["endotoxin"] = "3.4"
    yield from way.until_made()
    yield from way.tested()
    way.patient.came("endotoxin_per_kg_failed", endotoxin="3.4 EU/mL", weight=f"{way.patient.weight_kg} kg")
    yield from confirmed_out_of_specification(way)
    yield from rejected(way, "Endotoxin per kilogram and hour above the limit (simulated)")


def endotoxin_censored(way: Way) -> Acts:
    """`<3.4` proves nothing per kilogram; repeated at a dilution that can, it passes (D17)."""
    way.testing.values["endotoxin"] = "<3.4"
    yield from way.until_made()
    yield from way.tested()
    way.patient.came("endotoxin_not_shown_to_comply", first="<3.4 EU/mL", repeated="<0.05 EU/mL")
    first = next(r.id for r in way.testing.quality.results.values() if r.test == "endotoxin")
    way.testing.values["endotoxin"] = "<0.05"
    code, acceptance, criterion = next(a for a in way.testing.asked() if a[0] == "endotoxin")
    yield from way.testing.result(code, acceptance, criterion, stands_for=first)
    yield from way.testing.verified()
    yield from way.released()
    way.patient.came("made_not_given", reason="withdrawal")
    yield from ended(way, "withdrawal")


def growth_failed(way: Way) -> Acts:
    """The cells do not grow; the lot is ended, cells are collected again, and the second lot is made."""
    yield from way.until_receipt()
    yield from way.making.issued()
    yield from way.making.made(last="transduce")
    yield from way.making.left()
    first, failed_lot = way.making, way.patient.lot
    yield from way.patient.wait(days=5)
    terminate = TerminateLot(
        lot=failed_lot, cause="growth_failed", reason="Simulated: no expansion on day 5", step="expand", recollect=True
    )
    yield from way.patient.do(terminate, "QA-2")
    again = collection.DecideRecollection(
        order=way.patient.order, lot=failed_lot, assessor="QA-1", reason="Simulated: growth failed"
    )
    yield from way.patient.do(again, "MD-1")
    yield from way.giving.emptied()
    way.patient.came("growth_failed_recollected", lot=failed_lot)
    way.making = Making(way.patient, way.setting.plant, first.figures)
    way.giving.making = way.making
    yield from way.collected()
    yield from way.made()
    yield from way.tested()
    yield from way.released()
    yield from way.given()
    yield from way.ended()


def below_viability(way: Way) -> Acts:
    """The lot is out of specification: viability 65 % where 70 % is asked for."""
    way.testing.values["viability"] = "65"
    yield from way.until_made()
    yield from way.tested()
    yield from confirmed_out_of_specification(way)
    yield from way.giving.reviewed()


def exceptional(way: Way) -> Acts:
    """Supplied outside certification: every condition of the EU path recorded with its document (R111)."""
    yield from below_viability(way)
    for name, person in EU_ITEMS:
        record = RecordExceptionalItem(
            lot=way.patient.lot, law="eu", item=name, reference=f"Simulated reference: {name}",  # type: ignore[arg-type]
            document_sha256=way.patient.paper(name),
        )  # fmt: skip
        yield from way.patient.do(record, person)
    yield from way.giving.reviewed()
    yield from way.patient.do(SupplyExceptionally(lot=way.patient.lot), "QP-1")
    way.patient.came("exceptional_supply", viability="65 %")
    yield from way.given()
    yield from way.giving.ended()


def exceptional_refused(way: Way) -> Acts:
    """The same path is refused while identity is in doubt; the doubt is not resolved, and the lot is rejected."""
    yield from below_viability(way)
    way.patient.in_doubt = True
    doubt = case.DeclareDoubt(
        why="Simulated: a seal number does not fit the record", lots=(way.patient.lot,), orders=(way.patient.order,)
    )
    outcome = yield from way.patient.do(doubt, way.making.second)
    opened = next(e.stream.partition("/")[2] for e in outcome.events if e.stream.startswith("case/"))
    try:
        yield from way.patient.do(SupplyExceptionally(lot=way.patient.lot), "QP-1")
    except Refusal as refusal:
        way.patient.came("exceptional_supply_refused_identity", refusal=refusal.code, rule=refusal.rule)
    evidence = (
        case.Evidence(
            kind="physical", method="seal and position reconciliation", finding="not conclusive (simulated)",
            supports=False, sha256=way.patient.paper("reconciliation"),
        ),
        case.Evidence(
            kind="biological", method="short tandem repeats against the collection", finding="not conclusive (simulated)",
            supports=False, sha256=way.patient.paper("short tandem repeats"),
        ),
    )  # fmt: skip
    investigate = case.Investigate(case=opened, evidence=evidence, conclusion="Identity is not shown (simulated)")
    yield from way.patient.do(investigate, "QA-2")
    close = case.Close(
        case=opened, outcome="identity_lost", reason="Simulated: identity could not be shown", verifier="QP-1"
    )
    yield from way.patient.do(close, "QA-3")
    yield from way.patient.do(Reject(lot=way.patient.lot, cause="Identity lost (simulated)"), "QP-2")
    way.patient.came("rejected", cause="identity lost")


# --- after release -------------------------------------------------------------------------------------------------


def late_positive_before(way: Way) -> Acts:
    """The final sterility grows after release and before infusion: the bedside scan stops (D21)."""
    yield from way.until_made()
    yield from way.tested()
    yield from way.released()
    yield from way.awaited()
    yield from way.giving.delivered()
    yield from way.testing.culture_read("sterility", grown=True)
    bag = way.making.on(way.giving.bags[0])
    try:
        yield from way.patient.do(way.giving.identity("infusion", bag), "RN-1")
    except Refusal as refusal:
        way.patient.came("late_positive_before_infusion", stopped_by=refusal.code)
    way.patient.came("suspended", cause="positive sterility after release")
    yield from notified(way)


def late_positive_after(way: Way) -> Acts:
    """The same, but the product was given: everybody is told, with clocks."""
    yield from way.until_made()
    yield from way.tested()
    yield from way.released()
    yield from way.awaited()
    yield from way.given()
    yield from way.patient.wait(days=2)
    yield from way.testing.culture_read("sterility", grown=True)
    way.patient.came("late_positive_after_infusion", day="3")
    yield from notified(way)


def notified(way: Way) -> Acts:
    """Each notification that the record asks for is made and its clock stopped."""
    from cellwright.factory.release.state import ReleaseState

    release = way.patient.site.desk.state(ReleaseState, way.patient.lot, fresh=False)
    for name in tuple(release.notifications):
        told = Notify(lot=way.patient.lot, notification=name, reached="Simulated addressee", how="telephone")
        yield from way.patient.do(told, "QA-1")


class Recall:
    """Two lots of one vector lot: one has left the plant and is recalled, the other has not and is suspended."""

    def __init__(self, setting: Setting, *, alone: bool = False) -> None:
        self.setting = setting
        self.kept_is_released = alone
        """Whether nobody has to be waited for: the second lot is released, or, in a short demonstration, never made."""
        self.done = False

    def vector(self, way: Way) -> str:
        code = next(code for code in self.setting.materials if code.startswith("vector") and _uses(way, code))
        return self.setting.materials[code][1]

    def use_second_lot(self, way: Way) -> None:
        for code, lots in self.setting.materials.items():
            if code.startswith("vector"):
                way.patient.materials[code] = lots[1]

    def delivered(self, way: Way) -> Acts:
        """Swapped at receipt and in process, released, delivered, then recalled with its vector lot."""
        self.use_second_lot(way)
        yield from swap_at_receipt(way)
        way.making.before["activate"] = lambda: swap_in_process(way)
        yield from way.made()
        yield from way.tested()
        yield from way.released()
        yield from way.giving.delivered()
        while not self.kept_is_released:
            yield from way.patient.wait(hours=12)
        vector = self.vector(way)
        reason = "Simulated: the vector's maker withdrew the lot"
        yield from way.patient.do(RecallStock(material=vector, notice="SIM-RECALL-1", reason=reason), "QA-2")
        yield from way.patient.do(RecallMaterial(material=vector, text=reason), "QP-1")
        way.patient.came("recalled", material=vector)
        self.done = True
        yield from notified(way)
        for bag in way.giving.bags:
            dispose = disposition.Dispose(
                order=way.patient.order, container=way.making.on(bag), disposition="destroyed",
                reason="Simulated recall", role="cell_laboratory", verifier="CL-2", verifier_role="cell_laboratory",
            )  # fmt: skip
            yield from way.patient.do(dispose, "CL-1")
        yield from ended(way, "manufacturing_failure")

    def kept(self, way: Way) -> Acts:
        """Swapped at the final label and at the laboratory's hatch, released, then suspended before it leaves."""
        self.use_second_lot(way)
        yield from way.until_receipt()
        way.making.at_label = swap_at_label(way)
        yield from way.made()
        yield from swap_of_tube(way)
        yield from way.tested()
        yield from way.released()
        self.kept_is_released = True
        while not self.done:
            yield from way.patient.wait(hours=12)
        way.patient.came("suspended", cause="recall of its vector lot")
        yield from notified(way)
        yield from ended(way, "manufacturing_failure")


def _uses(way: Way, code: str) -> bool:
    return any(use.code == code for step in way.making.recipe().steps for use in step.materials)


# --- linked products, doses, donors --------------------------------------------------------------------------------


class Linked:
    """CAR-T-19 and aT19 from one collection: aT19 is made meanwhile and waits at the bedside for CAR-T-19 (D13)."""

    def __init__(self, first: Way, second: Way) -> None:
        self.first, self.second = first, second
        second.patient.outcomes = first.patient.outcomes
        self.held = False
        self.given = False

    def car_t_19(self, way: Way) -> Acts:
        other = self.second.patient
        yield from way.until_order()
        other.subject, other.donor, other.pair = way.patient.subject, way.patient.donor, way.patient.pair
        other.wristbands, other.named = way.patient.wristbands, way.patient.named
        yield from way.collected(bags=2)
        yield from other.ordered(linked=way.patient.order)
        half = sorted(way.patient.fresh)[1:]
        move = allocation.MoveMaterial(
            order=way.patient.order, to_order=other.order, containers=tuple(half), role="coordinator",
            assessor="QA-1", reason="Simulated: one collection for both products",
        )  # fmt: skip
        yield from way.patient.do(move, "CO-1")
        for container in half:
            other.labelled(*container.rsplit("-", 1))
        yield from way.made()
        yield from way.tested()
        yield from way.released()
        while not self.held:
            yield from way.patient.wait(hours=12)
        yield from way.given()
        self.given = True
        yield from way.ended()

    def at19(self, way: Way) -> Acts:
        while not way.patient.coi or not self._has_material(way):
            yield from way.patient.wait(hours=1)
        yield from way.made()
        yield from way.tested()
        yield from way.released()
        yield from way.giving.delivered()
        yield from way.giving.cleared()
        bag = way.making.on(way.giving.bags[0])
        try:
            yield from way.patient.do(way.giving.identity("thaw", bag), "CL-1")
        except Refusal as refusal:
            way.patient.came("infusion_held_for_prior_product", refusal=refusal.code, waits_for="CAR-T-19")
        self.held = True
        while not self.given:
            yield from way.patient.wait(hours=12)
        yield from way.patient.wait(days=7)
        yield from way.giving.infused()
        yield from way.ended()

    @staticmethod
    def _has_material(way: Way) -> bool:
        from cellwright.factory.order.state import OrderState

        return bool(way.patient.site.desk.state(OrderState, way.patient.order, fresh=False).containers)


def prior_attested(way: Way) -> Acts:
    """CAR-T-19 was given at another hospital: attested with its document and a second person."""
    way.patient.given_before = "CAR-T-19"
    yield from way.until_made()
    yield from way.tested()
    yield from way.released()
    yield from way.given()
    yield from way.ended()


def twenty_doses(way: Way) -> Acts:
    """EAL: twenty bags from one lot, one a week, with a weight that is kept in date."""
    yield from way.until_made()
    yield from way.tested()
    yield from way.released()
    yield from way.giving.delivered()
    yield from way.giving.cleared()
    for number, bag in enumerate(way.giving.bags, 1):
        if number % 4 == 0:
            yield from way.patient.weighed(way.patient.weight_kg)
        yield from way.giving.given(bag)
        yield from way.patient.wait(days=7)
    way.patient.came("multi_dose", doses=str(len(way.giving.bags)))
    yield from way.ended()


def two_days(way: Way) -> Acts:
    """One collection over two days, two donations in one lot; then the disease progresses."""
    yield from way.until_order()
    yield from way.collected(days=2)
    yield from way.made()
    yield from way.tested()
    yield from way.released()
    way.patient.came("made_not_given", reason="progression")
    yield from ended(way, "progression")


def donor_cells(way: Way) -> Acts:
    """After a transplant: the donor's cells for the patient, with the donor's own consent and tests (D1, D5)."""
    patient = way.patient
    yield from patient.registered(donor=True)
    chimerism = pair.RecordChimerism(
        pair=patient.pair, donor_percent="98", method="short tandem repeats", measured_on=patient.today,
        document_sha256=patient.paper("chimerism report"),
    )  # fmt: skip
    yield from patient.do(chimerism, "CO-1")
    yield from patient.donor_tested()
    yield from patient.ordered()
    yield from way.collected()
    patient.came("donor_for_recipient", pair=patient.pair)
    yield from way.made()
    yield from way.tested()
    yield from way.released()
    yield from way.given()
    yield from way.ended()


# --- people and machines -------------------------------------------------------------------------------------------


def downtime(way: Way) -> Acts:
    """The server is down for an hour; the step is done on its numbered sheet by somebody whose qualification has expired.

    Both are recorded as they were (D7, D8); quality assurance assesses before anything goes on.
    """
    yield from way.until_receipt()
    way.making.instead["transduce"] = lambda: _on_paper(way)
    yield from way.made()
    yield from way.testing.begun()
    way.counted()
    yield from swap_in_plate(way)
    yield from swap_of_file(way)
    yield from way.testing.measured()
    yield from way.testing.verified()
    yield from way.testing.cultured()
    yield from way.released()
    yield from way.given()
    yield from way.ended()


def _on_paper(way: Way) -> Acts:
    making, patient = way.making, way.patient
    outcome = yield from patient.do(PrintSheet(lot=patient.lot, step="transduce"), making.operator)
    sheet = bodies(outcome, "lot.sheet_printed")[0]["sheet"]
    began = patient.now
    yield from patient.wait(minutes=60)
    over = patient.now
    site = patient.site
    down = SiteDown(since=stamp(began), until=stamp(over), cause="Simulated: server down")
    site.desk.record([Fact(f"site/{site.settings.name}", down)], by("SEC-1"))
    step = making.recipe().step("transduce")
    entered = EnterSheet(
        lot=patient.lot, sheet=sheet, scan_sha256=patient.paper("scan of the step sheet"),
        outage=f"{stamp(began)} to {stamp(over)}", verifier=making.second, performer="OP-13",
        started=stamp(began), completed=stamp(over), performer_verifier=making.second, room=making.room,
        containers=making.current,
        materials=tuple(
            Added(
                code=use.code, material=patient.materials[use.code], quantity=format(use.quantity, "f"), unit=use.unit,
                into=making.current[0],
            )
            for use in step.materials
        ),
        readings=tuple(making.reading(p) for p in step.parameters),
    )  # fmt: skip
    yield from patient.do(entered, making.operator)
    patient.came("downtime_entered", sheet=sheet, minutes="60")
    yield from assessed(way)


def assessed(way: Way) -> Acts:
    """Quality assurance assesses and closes what was recorded as a nonconformance."""
    lot = way.patient.site.desk.state(LotState, way.patient.lot, fresh=False)
    for name, found in tuple(lot.nonconformances.items()):
        if found.status != "open":
            continue
        way.patient.came("nonconformance_recorded", nonconformance=found.code)
        assess = AssessNonconformance(
            lot=way.patient.lot, nonconformance=name, severity="minor", text="Simulated assessment", proceeds=True
        )
        yield from way.patient.do(assess, "QA-3")
        close = CloseNonconformance(lot=way.patient.lot, nonconformance=name, conclusion="Simulated conclusion")
        yield from way.patient.do(close, "QA-3")


def locked_out(way: Way) -> Acts:
    """The operator is locked out in the middle of a step; a second qualified person takes over at once (D9)."""
    yield from way.until_receipt()
    way.making.operator = "OP-12"
    way.making.during["activate"] = lambda: _replaced(way)
    yield from way.made()
    yield from way.tested()
    yield from way.released()
    yield from way.giving.delivered()
    yield from way.giving.cleared()
    yield from swap_at_bedside(way)
    yield from way.giving.infused()
    yield from way.ended()


def _replaced(way: Way) -> Acts:
    making, patient = way.making, way.patient
    for _ in range(people.FAILURES_BEFORE_LOCK):
        patient.site.desk.failed_authentication("OP-12", by("OP-12"), "signature")
    try:
        yield from patient.do(PrintSheet(lot=patient.lot, step="transduce"), "OP-12")
    except Refusal as refusal:
        if refusal.code != "account-locked":
            raise
    other = next(name for name in ("OP-01", "OP-02", "OP-03") if name != making.second)
    take = TakeOverStep(lot=patient.lot, step="activate", reason="Simulated: OP-12 is locked out")
    yield from patient.do(take, other)
    making.operator = other
    patient.came("operator_replaced", locked="OP-12", by=other)
    yield from patient.do(people.Unlock(person="OP-12", reason="Simulated: seen in person"), "SEC-1")
