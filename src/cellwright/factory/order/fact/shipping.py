"""What the record of a shipment says: the bodies of all events on `shipment/<number>`."""

from typing import Annotated, Literal

from cellwright.factory.identity import EXPECTS, NAMES, RELEASES, SELF, TAKES, Coi, Equipment, Lot, Order, Person
from cellwright.factory.record import Body, Part, event
from cellwright.factory.stored_file import FileHash

ShipmentName = Annotated[str, SELF("shipment")]
Purpose = Literal["collection", "delivery"]


class Consigned(Part):
    """One patient's part of a consignment; a shipper may carry several, each in its own position (D2)."""

    coi: Coi
    order: Order
    containers: tuple[Annotated[str, EXPECTS("container")], ...]
    lot: Lot | None = None
    compartment: str = ""
    """Where in the shipper."""


class Finding(Part):
    """A stretch of time that was not known to be within the temperature limits; see `order.temperature`."""

    kind: Literal["excursion", "gap", "event", "disagreement"]
    start: str
    end: str
    peak_c: str | None = None
    logger: Annotated[str, NAMES("equipment")] | None = None


class LoggerFile(Part):
    """A file as it came from a logger, kept with the files under its hash."""

    logger: Annotated[str, NAMES("equipment")]
    sha256: FileHash
    readings: int
    first: str
    last: str


@event("shipment.packed")
class Packed(Body):
    """Containers are in the shipper, the seal is on, the logger runs (R072)."""

    shipment: ShipmentName
    purpose: Purpose
    items: tuple[Consigned, ...]
    shipper: Annotated[str, TAKES("shipper")]
    seal: Annotated[str, TAKES("seal")]
    waybill: str
    loggers: tuple[Equipment, ...]
    logger_started_at: str
    holder: str
    place: str
    destination_holder: str
    destination: str
    max_c: str
    tolerance: str
    packer: Person
    min_c: str | None = None


@event("shipment.handed_over")
class HandedOver(Body):
    """The party that held the shipment gave it; until the other party signs, it is in nobody's sure hands (R063)."""

    from_holder: str
    from_place: str
    holder: str
    place: str
    giver: Person
    seal: Annotated[str, NAMES("seal")]
    condition: str
    cois_read: tuple[Annotated[str, NAMES("coi")], ...] = ()
    """The chain-of-identity labels read at this handover; all are of this consignment."""
    temperature_c: str | None = None


@event("shipment.taken_over")
class TakenOver(Body):
    """The other party has it, and signs."""

    holder: str
    place: str
    receiver: Person


@event("shipment.received")
class ShipmentReceived(Body):
    """The shipment arrived; what was recorded at dispatch was compared (R072). With a deviation the receipt stays open."""

    shipment: ShipmentName
    shipper: Annotated[str, RELEASES("shipper")]
    shipper_read: Annotated[str, NAMES("shipper")]
    seal_read: Annotated[str, NAMES("seal")]
    waybill_read: str
    loggers_read: tuple[Equipment, ...]
    containers: tuple[Annotated[str, NAMES("container")], ...]
    condition: str
    undamaged: bool
    from_holder: str
    from_place: str
    holder: str
    place: str
    giver: Person
    receiver: Person
    deviations: tuple[str, ...] = ()
    temperature_c: str | None = None


@event("shipment.deviation_assessed")
class DeviationAssessed(Body):
    """Quality assurance judged what differed at receipt, and whether the contents may be used."""

    usable: bool
    text: str
    assessor: Person


@event("shipment.loggers_read")
class LoggersRead(Body):
    """The loggers' files were judged against the limits of this transport (R118)."""

    files: tuple[LoggerFile, ...]
    interval: str
    findings: tuple[Finding, ...]
    verdict: Literal["in_limits", "to_assess"]
    reader: Person


@event("shipment.temperature_assessed")
class TemperatureAssessed(Body):
    """Quality assurance judged an excursion or a gap: what it means for the cells, and whether they may be used."""

    usable: bool
    text: str
    assessor: Person
