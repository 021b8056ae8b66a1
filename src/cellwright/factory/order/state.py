"""The fold of an order: what is agreed, what was collected and made, where each container is, what was given."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

from cellwright.factory.order.fact import giving, material, placing
from cellwright.factory.order.figure import moment
from cellwright.factory.order.subject import Sealed
from cellwright.factory.portfolio.product import LegalBasis
from cellwright.factory.record import Body
from cellwright.factory.rule import Seen, State

ContainerStatus = Literal[
    "collected", "packed", "in_transit", "quarantined", "available", "allocated", "back_up", "transferred",
    "received", "accepted", "thawed", "in_use", "infused", "remainder", "disposed",
]  # fmt: skip
"""Starting material goes collected → packed → in_transit → quarantined → available → allocated or back_up → disposed, or
is transferred to another order; a final bag goes packed → in_transit → received → accepted → (thawed) → in_use → infused or
remainder → disposed."""
FINISHED: frozenset[ContainerStatus] = frozenset({"disposed", "transferred", "infused"})
"""Nothing more has to happen to these before the order can close (R074)."""


@dataclass
class ContainerState:
    """One container of the patient's: starting material or a final bag."""

    kind: Literal["starting_material", "bag"]
    status: ContainerStatus
    volume_ml: Decimal
    holder: str
    place: str
    lot: str | None = None
    din: str = ""
    division: str = ""
    collected_at: str = ""
    cells: Decimal | None = None
    cd3_cells: Decimal | None = None
    history: tuple[str, ...] = ()
    kept: bool = False
    """Frozen and kept as back-up cells: the holding time of fresh cells does not run in them, to whatever they go."""
    position: str | None = None
    shipment: str | None = None
    undamaged: bool = True
    dose: int = 1
    expires_at: str | None = None
    disposition: str | None = None
    label: str | None = None
    """The serial of the label under which alone it is known, once it was labelled anew."""
    checked: str | None = None
    """Stage of the last identity check at the bedside, `thaw` or `infusion`; the next act uses it up."""
    checked_at: str = ""
    received_at: str | None = None
    thawed_at: str | None = None
    use_before: str | None = None


@dataclass(frozen=True)
class Donation:
    """One donation of a collection."""

    collection: str
    day: int
    din: str
    containers: tuple[str, ...]
    ended_at: str


@dataclass
class Collection:
    """One agreed collection of one or more days."""

    name: str
    site: str
    days: tuple[str, ...]
    started: dict[int, str] = field(default_factory=dict)
    """Days that were begun at the donor's side, each with its time."""


@dataclass
class Infusion:
    """One bag's administration."""

    bag: str
    lot: str
    dose: int
    started_at: str
    ended_at: str | None = None
    given_ml: Decimal | None = None
    remainder_ml: Decimal | None = None
    voided: bool = False


@dataclass(frozen=True)
class Allocation:
    """Containers assigned to a lot."""

    lot: str
    containers: tuple[str, ...]


class OrderState(State):
    """One order."""

    room: ClassVar[str] = "order"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.product = ""
        self.product_version = ""
        self.market = ""
        self.basis: LegalBasis = "trial"
        self.pair = ""
        self.prescriber = ""
        self.hospital = ""
        self.linked_order: str | None = None
        self.linked_by: list[str] = []
        self.eligibility: placing.Verdict | None = None
        self.protocol_version: str | None = None
        self.evidence: dict[str, str] = {}
        """What the last judgement of eligibility rested on; an amended protocol is judged from it."""
        self.consents: dict[str, str] = {}
        self.enrolled = False
        self.protocol: str | None = None
        self.subject_number: str | None = None
        self.approved = False
        self.coi: str | None = None
        self.former_coi: tuple[str, ...] = ()
        """Chains of identity that were issued wrongly and superseded."""
        self.aliases: dict[str, Sealed] = {}
        self.slot: placing.SlotPromised | None = None
        self.collections: tuple[Donation, ...] = ()
        self.agreed: dict[str, Collection] = {}
        self.containers: dict[str, ContainerState] = {}
        self.lots: tuple[str, ...] = ()
        self.recollect_for: str | None = None
        """The failed lot for which cells may be collected again."""
        self.weight_kg: Decimal | None = None
        self.weight_on: date | None = None
        self.rejudge: set[str] = set()
        """Lots whose dose must be judged again before anything of them is given (D17)."""
        self.dose_refused: set[str] = set()
        """Lots whose dose or endotoxin is outside its limits at the present weight."""
        self.prior_infusion: Literal["recorded", "attested"] | None = None
        self.lymphodepletion_cleared = False
        self.infusions: tuple[Infusion, ...] = ()
        self.nonconformances: dict[str, str] = {}
        """`open`, or the severity it was assessed with."""
        self.doubts: set[str] = set()
        """Identity cases that stand in the way."""
        self.withdrawn: giving.EndReason | None = None
        self.followed_up = 0
        self.closed = False
        self.closed_at: str | None = None
        self.outcome: str | None = None

    @property
    def consented(self) -> bool:
        """Whether consent to the treatment is in force."""
        return "treatment" in self.consents

    @property
    def in_doubt(self) -> bool:
        return bool(self.doubts)

    @property
    def given(self) -> tuple[Infusion, ...]:
        """Administrations of which something was given: a bag that was hung and not run is none."""
        return tuple(i for i in self.infusions if not i.voided and i.given_ml)

    def bags(self, lot: str | None = None) -> dict[str, ContainerState]:
        """Final bags packed for this patient, of one lot or of all."""
        return {n: c for n, c in self.containers.items() if c.kind == "bag" and lot in (None, c.lot)}

    def apply(self, body: Body, seen: Seen) -> None:
        module = type(body).__module__.rpartition(".")[2]
        if module == "placing":
            self._apply_placing(body)
        elif module == "material":
            self._apply_material(body, seen)
        elif module == "giving":
            self._apply_giving(body, seen)

    def _apply_placing(self, body: Body) -> None:
        match body:
            case placing.Placed():
                self.pair, self.product, self.product_version = body.pair, body.product, body.product_version
                self.market, self.basis, self.prescriber = body.market, body.basis, body.prescriber
                self.hospital, self.linked_order = body.hospital, body.linked_order
            case placing.LinkedBy():
                self.linked_by.append(body.order)
            case placing.EligibilityJudged():
                self.eligibility, self.protocol = body.verdict, body.protocol
                self.protocol_version, self.evidence = body.protocol_version, body.evidence
            case placing.Consented():
                self.consents[body.purpose] = body.version
            case placing.ConsentWithdrawn():
                self.consents.pop(body.purpose, None)
            case placing.Enrolled():
                self.enrolled, self.subject_number = True, body.subject_number
            case placing.Approved():
                self.approved = True
            case placing.CoiAllocated():
                self.coi = body.coi
            case placing.CoiSuperseded():
                self.coi, self.former_coi = body.coi, (*self.former_coi, body.superseded)
            case placing.AliasRecorded():
                self.aliases[body.kind] = body.value
            case placing.SlotPromised():
                self.slot = body
            case placing.SlotGivenUp():
                self.slot = None
            case placing.DoubtRaised():
                self.doubts.add(body.case)
            case placing.DoubtLifted():
                self.doubts.discard(body.case)
            case _:
                pass

    def _apply_material(self, body: Body, seen: Seen) -> None:
        match body:
            case material.CollectionScheduled():
                self.agreed[body.collection] = Collection(body.collection, body.site, body.days)
                self.recollect_for = None
            case material.CollectionStarted():
                self.agreed[body.collection].started[body.day] = seen.at
            case material.DonationCollected():
                self._collect(body)
            case material.Dispatched():
                self._move(body.containers, "in_transit", body.holder, body.place, body.shipment)
            case material.Packed():
                for name in body.containers:
                    self.containers[name].status, self.containers[name].shipment = "packed", body.shipment
            case material.BagsPacked():
                self._pack_bags(body)
            case material.Moved():
                self._move(body.containers, None, body.holder, body.place, body.shipment)
            case material.Received():
                self._receive(body, seen.at)
            case material.Accepted():
                for name in body.containers:
                    container = self.containers[name]
                    container.status = "accepted" if container.kind == "bag" else "available"
            case material.Quarantined():
                for name in body.containers:
                    self.containers[name].status = "quarantined"
            case material.Allocated():
                self._allocate(body)
            case material.MaterialGiven():
                for name in body.given.containers:
                    self.containers[name].status = "transferred"
            case material.MaterialTaken():
                self._inherit(body)
            case material.Stored():
                self.containers[body.container].position = body.position
                self.containers[body.container].place = body.place
            case material.TakenOut():
                self.containers[body.container].position = None
                self.containers[body.container].place = body.place
            case material.ContainerDisposed():
                if body.container in self.containers:
                    self.containers[body.container].status = "disposed"
                    self.containers[body.container].disposition = body.disposition
            case material.ContainerRelabelled():
                self.containers[body.container].label = body.label
            case material.LotLinked():
                self._link(body.lot)
            case material.RecollectionDecided():
                self.recollect_for = body.lot
            case _:
                pass

    def _apply_giving(self, body: Body, seen: Seen) -> None:
        match body:
            case giving.Weighed():
                self.weight_kg, self.weight_on = Decimal(body.weight_kg), date.fromisoformat(body.weighed_on)
                self.rejudge |= set(body.rejudge)
            case giving.DoseJudged():
                self.rejudge.discard(body.lot)
                self.dose_refused.discard(body.lot)
                if not body.within:
                    self.dose_refused.add(body.lot)
            case giving.PriorInfusionRecorded():
                self.prior_infusion = "recorded"
            case giving.PriorInfusionAttested():
                self.prior_infusion = self.prior_infusion or "attested"
            case giving.LymphodepletionCleared():
                self.lymphodepletion_cleared = True
            case giving.IdentityChecked():
                self.containers[body.bag].checked, self.containers[body.bag].checked_at = body.stage, seen.at
            case giving.Thawed():
                bag = self.containers[body.bag]
                bag.status, bag.checked = "thawed", None
                bag.thawed_at, bag.use_before = body.thawed_at, body.use_before
            case giving.InfusionStarted() | giving.AdministrationRecorded():
                self._start(body)
            case giving.Infused():
                self._end_infusion(body)
            case giving.AdministrationVoided():
                self._void(body.bag)
            case giving.NonconformanceRaised():
                self.nonconformances[body.nonconformance] = "open"
            case giving.NonconformanceAssessed():
                self.nonconformances[body.nonconformance] = body.severity
            case giving.Ended():
                self.withdrawn = body.why
            case giving.FollowedUp():
                self.followed_up += 1
            case giving.Closed():
                self.closed, self.closed_at, self.outcome = True, seen.at, body.outcome
            case _:
                pass

    def _collect(self, body: material.DonationCollected) -> None:
        for one in body.containers:
            self.containers[one.container] = ContainerState(
                kind="starting_material",
                status="collected",
                volume_ml=Decimal(one.volume_ml),
                holder=body.holder,
                place=body.place,
                din=body.din,
                division=one.division,
                collected_at=body.ended_at,
                cells=_figure(one.nucleated_cells),
                cd3_cells=_figure(one.cd3_cells),
                history=body.history,
            )
        names = tuple(one.container for one in body.containers)
        self.collections += (Donation(body.collection, body.day, body.din, names, body.ended_at),)

    def _pack_bags(self, body: material.BagsPacked) -> None:
        for one in body.bags:
            self.containers[one.bag] = ContainerState(
                kind="bag",
                status="packed",
                volume_ml=Decimal(one.volume_ml),
                holder=body.holder,
                place=body.place,
                lot=body.lot,
                shipment=body.shipment,
                dose=one.dose,
                expires_at=one.expires_at,
            )
        self._link(body.lot)

    def _move(
        self, names: tuple[str, ...], status: ContainerStatus | None, holder: str, place: str, shipment: str | None
    ) -> None:
        for name in names:
            container = self.containers[name]
            container.status = status or container.status
            container.holder, container.place = holder, place
            container.shipment = shipment or container.shipment

    def _receive(self, body: material.Received, at: str) -> None:
        for name in body.containers:
            container = self.containers[name]
            container.status = "received" if container.kind == "bag" else "quarantined"
            container.holder, container.place, container.undamaged = body.holder, body.place, body.undamaged
            container.received_at = at

    def _allocate(self, body: material.Allocated) -> None:
        for name in body.containers:
            self.containers[name].status = "back_up" if body.lot is None else "allocated"
            self.containers[name].lot = body.lot
            self.containers[name].kept = self.containers[name].kept or body.lot is None
        if body.lot is not None:
            self._link(body.lot)

    def _inherit(self, body: material.MaterialTaken) -> None:
        for one in body.containers:
            self.containers[one.container] = ContainerState(
                kind="starting_material",
                status="back_up" if one.back_up else "available",
                volume_ml=Decimal(one.volume_ml),
                holder=one.holder,
                place=one.place,
                din=one.din,
                division=one.division,
                collected_at=one.collected_at,
                cells=_figure(one.nucleated_cells),
                cd3_cells=_figure(one.cd3_cells),
                history=one.history,
                kept=one.back_up,
            )

    def _link(self, lot: str) -> None:
        if lot not in self.lots:
            self.lots += (lot,)

    def _start(self, body: giving.InfusionStarted | giving.AdministrationRecorded) -> None:
        if body.bag in self.containers:
            self.containers[body.bag].status, self.containers[body.bag].checked = "in_use", None
        self.infusions += (Infusion(body.bag, body.lot, body.dose, body.started_at),)

    def _end_infusion(self, body: giving.Infused) -> None:
        infusion = next(i for i in reversed(self.infusions) if i.bag == body.bag)
        infusion.ended_at = body.ended_at
        infusion.given_ml, infusion.remainder_ml = Decimal(body.volume_given_ml), Decimal(body.remainder_ml)
        if body.bag in self.containers:
            container = self.containers[body.bag]
            container.status = "remainder" if infusion.remainder_ml > 0 else "infused"
            container.disposition = "infused" if container.status == "infused" else None

    def _void(self, bag: str) -> None:
        next(i for i in reversed(self.infusions) if i.bag == bag).voided = True
        if bag in self.containers:
            self.containers[bag].status = "thawed" if self.containers[bag].thawed_at else "accepted"


def _figure(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def when(stamp: str) -> datetime:
    """The moment of a recorded time."""
    return moment("time", stamp)
