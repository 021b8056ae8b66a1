"""Facts of containers: received, made from others, labelled, detached, sampled, frozen, disposed."""

from typing import Annotated, Literal

from cellwright.factory.identity import EXPECTS, NAMES, RELEASES, TAKES, Person
from cellwright.factory.lot.fact.owned import Owned
from cellwright.factory.record import Part, event

ContainerName = Annotated[str, EXPECTS("container")]
Transfer = Literal["split", "pool", "transfer", "process"]
Disposition = Literal["consumed", "destroyed", "returned", "retained_sample", "research", "released_to_stock"]
"""Where a container of a lot ended. A bag that leaves for the patient ends in the order (R074)."""


class Draw(Part):
    """What was taken out of a container."""

    container: ContainerName
    volume_ml: str
    emptied: bool = False


class Made(Part):
    """A new container: its name is the donation number and the division code, taken once and for ever (R067)."""

    container: Annotated[str, TAKES("container")]
    kind: str
    volume_ml: str
    din: Annotated[str, NAMES("din")] | None = None
    division: str | None = None
    dose: int | None = None
    """Number of the dose this bag belongs to, from 1, in products of several doses (D15)."""
    viable_cells: str | None = None


@event("lot.starting_material_received")
class StartingMaterialReceived(Owned):
    """A container of the patient's starting material enters the lot after its scan (step 7 of the handovers)."""

    container: ContainerName
    din: Annotated[str, NAMES("din")]
    volume_ml: str
    collected_at: str
    donor_status: str
    performer: Person
    verifier: Person
    hold_max: str | None = None
    kind: str = "starting_material"
    legends: tuple[str, ...] = ()
    cells: str | None = None


@event("lot.material_transferred")
class MaterialTransferred(Owned):
    """Volume moves from containers into new ones: a split, a pool, a transfer, or a processing step (R067)."""

    transfer: Transfer
    sources: tuple[Draw, ...]
    made: tuple[Made, ...]
    performer: Person
    verifier: Person
    waste_ml: str = "0"
    step: str | None = None
    pool_din: Annotated[str, TAKES("din")] | None = None
    """The donation number given to a pool of several donations, once per lot."""


@event("lot.volume_measured")
class VolumeMeasured(Owned):
    """A container's volume was measured again; what the record held before stays readable."""

    container: ContainerName
    was_ml: str
    volume_ml: str
    performer: Person


@event("lot.label_printed")
class LabelPrinted(Owned):
    """One copy of one label; a former copy ends with it (R090)."""

    label: Annotated[str, TAKES("label")]
    container: ContainerName
    content: dict[str, str]
    template: str
    performer: Person
    supersedes: Annotated[str, RELEASES("label")] | None = None
    approver: Person | None = None
    """Quality assurance, where a former copy is voided (D3)."""
    case: Annotated[str, NAMES("case")] | None = None
    """The identity case under whose supervision it is labelled anew (D4)."""
    place: Literal["container", "cassette"] = "container"
    """Where it goes: on the container itself, or on the cassette around a bag."""
    symbols: tuple[str, ...] = ()
    """What a reader must report of the print, AIM identifier first; the house symbol alone where there is none (R090)."""
    legends: tuple[str, ...] = ()
    """What a person must see on the print (R069)."""


@event("lot.label_verified")
class LabelVerified(Owned):
    """The printed label was read back: every symbol says what was intended, and every legend is there (R069, R090)."""

    label: Annotated[str, EXPECTS("label")]
    container: ContainerName
    read: str
    verifier: Person
    legends: tuple[str, ...] = ()
    """The legends the person who read it back has seen on it."""
    picture_sha256: str | None = None
    """The print itself, as kept with the files."""


@event("lot.label_rejected")
class LabelRejected(Owned):
    """The printed label does not read back as intended and must not be applied (R090)."""

    label: Annotated[str, EXPECTS("label")]
    read: str
    verifier: Person


@event("lot.label_applied")
class LabelApplied(Owned):
    """The verified label is on the container, scanned together with it."""

    label: Annotated[str, EXPECTS("label")]
    container: ContainerName
    performer: Person
    verifier: Person
    place: Literal["container", "cassette"] = "container"


@event("lot.label_destroyed")
class LabelDestroyed(Owned):
    """A copy that will not be applied is destroyed or returned, counted in the reconciliation (R046)."""

    label: Annotated[str, NAMES("label")]
    performer: Person
    witness: Person


@event("lot.container_detached")
class ContainerDetached(Owned):
    """The container leaves the set it was filled in, its own label verified and applied before (R068)."""

    container: ContainerName
    performer: Person


@event("lot.sample_drawn")
class SampleDrawn(Owned):
    """A sample is taken out of a container; it inherits the chain of identity (R067)."""

    sample: Annotated[str, TAKES("sample")]
    kind: str
    tests: tuple[str, ...]
    container: ContainerName
    volume_ml: str
    performer: Person
    tubes: int = 1
    retained: bool = False
    step: str | None = None


@event("lot.bag_frozen")
class BagFrozen(Owned):
    """A labelled bag goes into its cassette and position; bag and cassette scanned together."""

    bag: ContainerName
    position: Annotated[str, TAKES("position")]
    performer: Person
    verifier: Person
    cassette: Annotated[str, EXPECTS("label")] | None = None
    """The label on the cassette, scanned together with the bag's."""


@event("lot.bag_moved")
class BagMoved(Owned):
    """The bag goes from one position to another; both are scanned."""

    bag: ContainerName
    left: Annotated[str, RELEASES("position")]
    position: Annotated[str, TAKES("position")]
    performer: Person
    verifier: Person


@event("lot.bag_taken_out")
class BagTakenOut(Owned):
    """The bag leaves its position for pack-out or for another named purpose."""

    bag: ContainerName
    position: Annotated[str, RELEASES("position")]
    purpose: Literal["pack_out", "destruction", "investigation", "other_use"]
    performer: Person
    verifier: Person


@event("lot.container_disposed")
class ContainerDisposed(Owned):
    """Where the container ended (R074)."""

    container: ContainerName
    disposition: Disposition
    performer: Person
    verifier: Person | None = None
