"""From the released lot to the closed order: reviews, release, delivery, bedside, and where every container ended."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from cellwright.command.demo.course import COURIER, HOSPITAL, PLANT, Acts, Patient, body, scan
from cellwright.command.demo.making import Making
from cellwright.factory.lot.bag import DisposeContainer, TakeOutBag
from cellwright.factory.lot.state import LotState
from cellwright.factory.order import acceptance, bedside, dispatch, disposition, infusion, lymphodepletion
from cellwright.factory.order.scan import Scan
from cellwright.factory.people import stamp
from cellwright.factory.release.decide import Complete, Release
from cellwright.factory.release.review import AssessCustody, InformPhysician, ReviewAuditTrail, ReviewRecord

BENCH = "Pack-out bench"
BEDSIDE_ROLE = "cell_laboratory"


class Giving:
    """The end of one patient's way, for one lot."""

    def __init__(self, patient: Patient, making: Making) -> None:
        self.patient = patient
        self.making = making
        self.desk = patient.site.desk
        self.bags: tuple[str, ...] = ()

    @property
    def lot(self) -> LotState:
        return self.desk.state(LotState, self.patient.lot, fresh=False)

    # --- release

    def reviewed(self) -> Acts:
        """Custody assessed, audit trail and record reviewed, by people who took no part in making or testing."""
        custody = AssessCustody(
            lot=self.patient.lot, custody="intact", temperature="in_limits",
            basis="Simulated review of shipments, loggers and storage records",
        )  # fmt: skip
        yield from self.patient.do(custody, "QA-1")
        yield from self.patient.do(ReviewAuditTrail(lot=self.patient.lot), "QA-1")
        yield from self.patient.do(ReviewRecord(lot=self.patient.lot), "QA-1")

    def released(self) -> Acts:
        """In full, by the authorised person."""
        yield from self.reviewed()
        yield from self.patient.do(Release(lot=self.patient.lot), self.patient.choose("QP-1", "QP-2"))
        self.patient.came("released")

    def released_pending(self) -> Acts:
        """While named results are awaited; the physician is told first and acknowledges (R107)."""
        inform = InformPhysician(
            lot=self.patient.lot, physician="MD-1", acknowledged_at=stamp(self.patient.now),
            document_sha256=self.patient.paper("results awaited"),
        )  # fmt: skip
        yield from self.patient.do(inform, "QA-1")
        yield from self.reviewed()
        yield from self.patient.do(Release(lot=self.patient.lot, path="pending_results"), "QP-1")
        self.patient.came("released_pending_results")

    def completed(self) -> Acts:
        """The second step, when everything awaited has arrived and passes."""
        yield from self.reviewed()
        yield from self.patient.do(Complete(lot=self.patient.lot), "QP-1")

    # --- delivery

    def delivered(self, bags: Iterable[str] | None = None) -> Acts:
        """Out of the tank, packed, on the way, received with everything compared, accepted at the hospital."""
        self.bags = tuple(bags or (bag.container for bag in self.lot.bags))
        for bag in self.bags:
            if self.lot.containers[bag].position is not None:
                out = TakeOutBag(lot=self.patient.lot, bag=self.making.on(bag), purpose="pack_out", verifier="WH-2")
                yield from self.patient.do(out, "WH-1")
        yield from self.packed()
        yield from self.patient.wait(hours=10)
        yield from self.patient.do(self.receipt(), "CL-1")
        yield from self.patient.logged("delivery")
        accept = acceptance.AcceptBags(order=self.patient.order, shipment=self.patient.shipment)
        yield from self.patient.do(accept, "CL-1")

    def packed(self) -> Acts:
        patient = self.patient
        patient.shipper = self.desk.issuing.next("shipper", patient.now)
        patient.seal = self.desk.issuing.next("label", patient.now)
        patient.logger, patient.waybill = f"LOG-{patient.shipper[-8:]}", f"SIM-{patient.shipper[-8:]}"
        transport = dispatch.Transport(
            shipper=scan(patient.shipper), seal=scan(patient.seal), waybill=patient.waybill, loggers=(patient.logger,),
            logger_started_at=stamp(patient.now - timedelta(minutes=10)), destination_holder=HOSPITAL,
            destination="Cell laboratory", courier_holder=COURIER,
        )  # fmt: skip
        packing = dispatch.Packing(order=patient.order, containers=self.scans(self.bags), coi=patient.chain)
        command = dispatch.PackDelivery(
            items=(packing,), transport=transport, role="warehouse", holder=PLANT, place=BENCH, courier="CR-1"
        )
        outcome = yield from patient.do(command, "WH-1")
        patient.shipment = body(outcome, "shipment.packed")["shipment"]

    def receipt(self, **changed: Any) -> Any:
        usual = {
            "role": "cell_laboratory", "place": "Cell laboratory", "containers": self.scans(self.bags),
            "temperature_c": "-160",
        }  # fmt: skip
        return self.patient.receipt(**{**usual, **changed})

    def scans(self, bags: Iterable[str]) -> tuple[Scan, ...]:
        return tuple(self.making.on(bag) for bag in bags)

    # --- bedside

    def cleared(self) -> Acts:
        """Cleared for lymphodepletion: released, and physically at the hospital (D21)."""
        clear = lymphodepletion.ClearLymphodepletion(order=self.patient.order, lots=(self.patient.lot,))
        yield from self.patient.do(clear, "MD-1")
        yield from self.patient.wait(days=4)

    def infused(self, bags: Iterable[str] | None = None) -> Acts:
        """Each bag: identity before thaw, thaw, identity again, given, with what was left measured."""
        for bag in bags or self.bags:
            yield from self.given(bag)

    def given(self, bag: str) -> Acts:
        patient, code = self.patient, self.making.on(bag)
        frozen = not patient.product().fresh
        if frozen:
            yield from patient.do(self.identity("thaw", code), "CL-1")
            yield from patient.do(infusion.Thaw(order=patient.order, bag=code), "CL-1")
            yield from patient.wait(minutes=8)
        yield from patient.do(self.identity("infusion", code), "RN-1")
        start = infusion.StartInfusion(
            order=patient.order, bag=code, role="nurse", verifier="MD-2", verifier_role="physician"
        )
        yield from patient.do(start, "RN-1")
        yield from patient.wait(minutes=12)
        volume = format(self.lot.containers[bag].volume_ml, "f")
        record = infusion.RecordInfusion(
            order=patient.order, bag=code, volume_given_ml=volume, remainder_ml="0", ended_at=stamp(patient.now),
            role="nurse", verifier="MD-2", verifier_role="physician",
        )  # fmt: skip
        yield from patient.do(record, "RN-1")

    def identity(self, stage: str, bag: Scan, wristband: str | None = None) -> bedside.CheckIdentity:
        """The scans at the bedside as they should be, or with another wristband."""
        nurse = stage == "infusion"
        return bedside.CheckIdentity(
            order=self.patient.order, stage=stage,  # type: ignore[arg-type]
            wristband=scan(wristband or self.patient.wristbands[self.patient.subject]), bag=bag,
            role="nurse" if nurse else "cell_laboratory", verifier="MD-2" if nurse else "CL-2",
            verifier_role="physician" if nurse else "cell_laboratory", coi=self.patient.chain,
        )  # fmt: skip

    # --- the end

    def ended(self) -> Acts:
        """What is left at the plant is disposed of, and the order closed."""
        yield from self.emptied()
        yield from self.patient.do(disposition.Close(order=self.patient.order), "CO-1")

    def emptied(self) -> Acts:
        """A disposition for every container of the lot that is still at the plant."""
        for name, container in self.lot.containers.items():
            if container.disposition is None and name not in self.bags:
                if container.position is not None:
                    out = TakeOutBag(
                        lot=self.patient.lot, bag=self.making.on(name), purpose="destruction", verifier="WH-2"
                    )
                    yield from self.patient.do(out, "WH-1")
                kept = container.kind in ("retained", "backup")
                dispose = DisposeContainer(
                    lot=self.patient.lot, container=name, disposition="retained_sample" if kept else "destroyed",
                    verifier="WH-2", reason="Simulated end of the order", role="warehouse",
                )  # fmt: skip
                yield from self.patient.do(dispose, "WH-1")
