"""Samples come to the laboratory: scanned against the lot they are expected from (hard stop `qc_tube`)."""

from cellwright.factory.lot.access import known
from cellwright.factory.lot.part import SampleState
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import Point, mismatch
from cellwright.factory.order.scan import SEPARATOR, Scan, confirmed, item
from cellwright.factory.quality.fact import SampleReceived
from cellwright.factory.quality.file import QualityState, load
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


def read(lot: LotState, scan: Scan) -> str:
    """The sample a label names; a label that names another owner beside it reads as a whole, so that it matches none."""
    text = item(scan, "sample")
    serial, _, whose = text.partition(SEPARATOR)
    mine = lot.coi or f"stock/{lot.stock}"
    return serial if not whose or whose == mine else text


def stopped(world: World, by: By, lot: LotState, point: Point, expected: str, scan: Scan) -> Decision:
    """The hard stop of a scan that named another sample than the one expected."""
    text = item(scan, "sample")
    serial, _, whose = text.partition(SEPARATOR)
    return mismatch(
        world,
        by,
        point=point,
        expected=expected,
        scanned=text,
        coi=lot.coi,
        key=f"sample/{serial}",
        found=whose or None,
        lot=lot.number,
        order=lot.order,
        how=scan.how,
    )


def drawn(lot: LotState, sample: str) -> SampleState:
    """A sample drawn from this lot. Raises Refusal `unknown-sample`."""
    try:
        return lot.samples[sample]
    except KeyError:
        raise Refusal(
            "unknown-sample",
            "No sample {sample} was drawn from lot {lot}.",
            remedy="Record the draw first.",
            rule="R067",
            sample=sample,
            lot=lot.number,
        ) from None


def received(quality: QualityState, sample: str) -> str:
    """A sample the laboratory holds. Raises Refusal `sample-not-received`."""
    if sample not in quality.samples:
        raise Refusal(
            "sample-not-received",
            "Sample {sample} of lot {lot} was not received in the laboratory.",
            remedy="Receive it with its scan first.",
            rule="R067",
            sample=sample,
            lot=quality.lot,
        )
    return sample


@command("quality.receive_sample", "analyst")
class ReceiveSample(Command):
    """Take a sample over from who brought it; both sign, and the label is scanned against the one expected."""

    lot: str
    sample: str
    """The sample that is expected, as the lot's record names it."""
    scan: Scan
    handed_over_by: str
    handed_over_role: str
    condition: str
    temperature_c: str

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        expected = drawn(lot, self.sample)
        if read(lot, self.scan) != self.sample:
            return stopped(world, by, lot, "qc_tube", self.sample, self.scan)
        if self.sample in quality.samples:
            raise Refusal(
                "sample-received-already",
                "Sample {sample} is in the laboratory already.",
                rule="R006",
                sample=self.sample,
            )
        body = SampleReceived(
            lot=self.lot,
            sample=self.sample,
            kind=expected.kind,
            point=expected.step or "",
            handed_over_by=self.handed_over_by,
            received_by=by.person,
            condition=self.condition,
            temperature_c=self.temperature_c,
            coi=lot.coi,
            stock=lot.stock,
        )
        sign = (
            Need(person=self.handed_over_by, meaning="handed_over", role=self.handed_over_role),
            Need(person=by.person, meaning="received", role="analyst"),
            *confirmed(by, "analyst", (self.scan,)),
        )
        return Decision(facts=(quality.fact(body),), sign=sign)
