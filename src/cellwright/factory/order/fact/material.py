"""Facts of collections and of every container's way: collected, moved, accepted, allocated, stored, disposed of."""

from typing import Annotated, Literal

from cellwright.factory.identity import (
    EXPECTS,
    NAMES,
    RELEASES,
    SELF,
    TAKES,
    Coi,
    Lot,
    Order,
    Pair,
    Person,
    Product,
)
from cellwright.factory.record import Body, Part, event

ContainerName = Annotated[str, EXPECTS("container")]
Disposition = Literal["infused", "used_in_manufacture", "returned", "destroyed", "retained_sample", "research"]
"""Where a container ended (R074); research only with consent to it."""


class Wristband(Part):
    """A wristband as scanned: it must be the one this subject wears."""

    subject: Annotated[str, SELF("subject")]
    wristband: Annotated[str, EXPECTS("label")]


class Collected(Part):
    """One container of a donation; the owner is the chain of identity of the fact around it."""

    container: Annotated[str, TAKES("container")]
    division: str
    volume_ml: str
    nucleated_cells: str | None = None
    cd3_cells: str | None = None


class Given(Part):
    """Containers that leave a chain of identity of the pair."""

    coi: Coi
    pair: Pair
    containers: tuple[Annotated[str, RELEASES("container")], ...]
    dins: tuple[Annotated[str, RELEASES("din")], ...] = ()


class Taken(Part):
    """The same containers, now of another chain of identity of the same pair."""

    coi: Coi
    pair: Pair
    containers: tuple[Annotated[str, TAKES("container")], ...]
    dins: tuple[Annotated[str, TAKES("din")], ...] = ()


@event("order.collection_scheduled")
class CollectionScheduled(Body):
    """A collection of one to four days is agreed with the site (R071)."""

    coi: Coi
    pair: Pair
    collection: str
    site: str
    days: tuple[str, ...]
    recollection: bool = False


@event("order.collection_started")
class CollectionStarted(Body):
    """Donor, chain of identity and order agree at the donor's side; the collection of this day begins."""

    coi: Coi
    pair: Pair
    collection: str
    day: int
    donor: Wristband
    performer: Person
    verifier: Person


@event("order.collected")
class DonationCollected(Body):
    """One donation: its number is taken for ever, and its containers belong to the chain of identity (R059, R060)."""

    coi: Coi
    pair: Pair
    collection: str
    day: int
    din: Annotated[str, TAKES("din")]
    containers: tuple[Collected, ...]
    started_at: str
    ended_at: str
    holder: str
    place: str
    performer: Person
    verifier: Person
    history: tuple[str, ...] = ()
    """What the donor had before, for example `car_t_infusion:ORD-1`: cells may then contain CAR-T (D13)."""


@event("order.packed")
class Packed(Body):
    """Containers are in a sealed shipper, still with the party that packed them."""

    coi: Coi
    shipment: Annotated[str, NAMES("shipment")]
    containers: tuple[ContainerName, ...]


class PackedBag(Part):
    """One final bag as it leaves the plant."""

    bag: ContainerName
    volume_ml: str
    dose: int
    expires_at: str


@event("order.bags_packed")
class BagsPacked(Body):
    """Final bags of a lot are in a sealed shipper; release was asked at this moment (D21)."""

    coi: Coi
    lot: Lot
    shipment: Annotated[str, NAMES("shipment")]
    bags: tuple[PackedBag, ...]
    holder: str
    place: str


@event("order.dispatched")
class Dispatched(Body):
    """Containers left with a courier, both parties signing."""

    coi: Coi
    shipment: Annotated[str, NAMES("shipment")]
    containers: tuple[ContainerName, ...]
    from_holder: str
    from_place: str
    holder: str
    place: str


@event("order.moved")
class Moved(Body):
    """Custody passes inside a shipment, or between a place and another of one holder, both parties signing (R063)."""

    coi: Coi
    containers: tuple[ContainerName, ...]
    from_holder: str
    from_place: str
    holder: str
    place: str
    giver: Person
    receiver: Person
    shipment: Annotated[str, NAMES("shipment")] | None = None


@event("order.container_relabelled")
class ContainerRelabelled(Body):
    """A container outside a lot bears a new label; what it bore before names nothing any more (D4, R090)."""

    coi: Coi
    container: ContainerName
    label: Annotated[str, NAMES("label")]
    case: Annotated[str, NAMES("case")]


@event("order.received")
class Received(Body):
    """Containers arrived and are in quarantine until accepted."""

    coi: Coi
    shipment: Annotated[str, NAMES("shipment")]
    containers: tuple[ContainerName, ...]
    from_holder: str
    from_place: str
    holder: str
    place: str
    undamaged: bool


@event("order.accepted")
class Accepted(Body):
    """Received containers may be used: comparison, temperature, hold time and donor status were found right."""

    coi: Coi
    containers: tuple[ContainerName, ...]
    shipment: Annotated[str, NAMES("shipment")]
    acceptor: Person
    donor_status: str | None = None
    legends: tuple[str, ...] = ()


@event("order.quarantined")
class Quarantined(Body):
    """Containers are set apart, with the reason."""

    coi: Coi
    containers: tuple[ContainerName, ...]
    why: str


@event("order.allocated")
class Allocated(Body):
    """Accepted containers are assigned to a lot, or kept as back-up cells (D1, D16)."""

    coi: Coi
    pair: Pair
    containers: tuple[ContainerName, ...]
    lot: Lot | None = None
    """None: back-up cells."""
    allocator: Person


@event("order.material_given")
class MaterialGiven(Body):
    """Containers pass to another chain of identity of the same pair, by signed allocation (D1)."""

    given: Given
    taken: Taken
    to_order: Order
    allocator: Person
    assessor: Person


@event("order.material_taken")
class MaterialTaken(Body):
    """The other side of the same allocation: where the containers came from, with their history."""

    coi: Coi
    pair: Pair
    from_order: Order
    containers: tuple["Inherited", ...]
    legends: tuple[str, ...] = ()


class Inherited(Part):
    """What is known of a container from the order it came from; the donation number stays with that order."""

    container: ContainerName
    din: Annotated[str, NAMES("din")]
    division: str
    volume_ml: str
    collected_at: str
    holder: str
    place: str
    nucleated_cells: str | None = None
    cd3_cells: str | None = None
    history: tuple[str, ...] = ()
    back_up: bool = False
    """Kept as back-up cells before; their age does not count as holding time."""


@event("order.material_rebound")
class MaterialRebound(Body):
    """What was bound to a wrongly issued chain of identity is bound to the one that supersedes it (D1)."""

    given: Given
    taken: Taken


@event("order.stored")
class Stored(Body):
    """A container lies in a position of a store; nothing else can lie there."""

    coi: Coi
    container: ContainerName
    position: Annotated[str, TAKES("position")]
    holder: str
    from_place: str
    place: str
    performer: Person
    verifier: Person


@event("order.taken_out")
class TakenOut(Body):
    """A container leaves its position."""

    coi: Coi
    container: ContainerName
    position: Annotated[str, RELEASES("position")]
    holder: str
    from_place: str
    place: str
    performer: Person
    verifier: Person


@event("order.container_disposed")
class ContainerDisposed(Body):
    """Where the container ended (R074)."""

    coi: Coi
    container: ContainerName
    disposition: Disposition
    performer: Person
    verifier: Person
    lot: Lot | None = None


@event("order.lot_linked")
class LotLinked(Body):
    """A lot is issued for this order."""

    lot: Lot
    product: Product


@event("order.recollection_decided")
class RecollectionDecided(Body):
    """Making failed; cells are collected again under the same chain of identity (R059)."""

    lot: Lot
    physician: Person
    assessor: Person
