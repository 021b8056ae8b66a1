"""A shipment on its way: handed over between two parties, received, compared with what was recorded at dispatch.

Packing is in `dispatch`, the temperature in `cold_chain`, acceptance in `acceptance`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from cellwright.factory.order import labelled, scan
from cellwright.factory.order.case import mismatch
from cellwright.factory.order.fact import material, shipping
from cellwright.factory.order.figure import decimal
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import OrderState
from cellwright.factory.order.temperature import Limits
from cellwright.factory.record import Body, Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command

Status = Literal["packed", "handing_over", "in_transit", "received"]
Verdict = Literal["in_limits", "to_assess", "usable", "not_usable"]
GIVERS = ("collection_nurse", "courier", "warehouse", "operator", "cell_laboratory")


@dataclass(frozen=True)
class Pending:
    """A handover that only one party has signed."""

    giver: str
    holder: str
    place: str


class ShipmentState(State):
    """One shipment."""

    room: ClassVar[str] = "shipment"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.status: Status = "packed"
        self.purpose: shipping.Purpose = "collection"
        self.items: tuple[shipping.Consigned, ...] = ()
        self.shipper = ""
        self.seal = ""
        self.waybill = ""
        self.loggers: tuple[str, ...] = ()
        self.logger_started_at = ""
        self.holder = ""
        self.place = ""
        self.destination_holder = ""
        self.destination = ""
        self.limits = Limits(Decimal(0))
        self.tolerance = "PT0S"
        self.pending: Pending | None = None
        self.packed_at = ""
        self.received_at: str | None = None
        self.arrived: frozenset[str] = frozenset()
        self.undamaged = True
        self.deviations: tuple[str, ...] = ()
        self.deviations_usable: bool | None = None
        self.findings: tuple[shipping.Finding, ...] = ()
        self.temperature: Verdict | None = None

    @property
    def containers(self) -> frozenset[str]:
        return frozenset(name for item in self.items for name in item.containers)

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case shipping.Packed():
                self.purpose, self.items, self.shipper, self.seal = body.purpose, body.items, body.shipper, body.seal
                self.waybill, self.loggers = body.waybill, body.loggers
                self.logger_started_at, self.packed_at = body.logger_started_at, seen.at
                self.holder, self.place = body.holder, body.place
                self.destination_holder, self.destination = body.destination_holder, body.destination
                self.limits = Limits(Decimal(body.max_c), None if body.min_c is None else Decimal(body.min_c))
                self.tolerance = body.tolerance
            case shipping.HandedOver():
                self.status, self.pending = "handing_over", Pending(body.giver, body.holder, body.place)
            case shipping.TakenOver():
                self.status, self.pending = "in_transit", None
                self.holder, self.place = body.holder, body.place
            case shipping.ShipmentReceived():
                self.status, self.received_at = "received", seen.at
                self.holder, self.place = body.holder, body.place
                self.arrived, self.undamaged = frozenset(body.containers), body.undamaged
                self.deviations = body.deviations
            case shipping.DeviationAssessed():
                self.deviations_usable = body.usable
            case shipping.LoggersRead():
                self.findings, self.temperature = body.findings, body.verdict
            case shipping.TemperatureAssessed():
                self.temperature = "usable" if body.usable else "not_usable"
            case _:
                pass


def known(world: World, name: str) -> ShipmentState:
    """The shipment under this number. Raises Refusal `unknown-shipment`."""
    state = world.load(ShipmentState, name)
    if not state.exists:
        raise Refusal("unknown-shipment", "There is no shipment {shipment}.", rule="R063", shipment=name)
    return state


def two_handed(state: ShipmentState) -> None:
    """Raises Refusal `handover-one-sided` while only one party has signed the last handover (R063)."""
    if state.pending is not None:
        raise Refusal(
            "handover-one-sided",
            "{giver} has given shipment {shipment} and nobody has signed for it at {holder}.",
            remedy="The receiving party takes it over with its signature.",
            rule="R063",
            shipment=state.name,
            giver=state.pending.giver,
            holder=state.pending.holder,
        )


def _on_the_way(state: ShipmentState) -> None:
    if state.status == "received":
        raise Refusal("already-received", "Shipment {shipment} was received.", rule="R063", shipment=state.name)
    two_handed(state)


def seal_checked(state: ShipmentState, seal: Scan) -> str:
    """The seal as read. Raises Refusal `seal-differs` if it is not the one put on: custody cannot pass silently."""
    read = scan.item(seal, "seal")
    if read != state.seal:
        raise Refusal(
            "seal-differs",
            "Shipment {shipment} was sealed with {seal}; the seal reads {read}.",
            remedy="Keep it where it is and call quality assurance; the destination records the deviation at receipt.",
            rule="R072",
            shipment=state.name,
            seal=state.seal,
            read=read,
        )
    return read


def taking_over(world: World, state: ShipmentState, holder: str, place: str, giver: str, receiver: str) -> list[Fact]:
    """The facts of a completed handover: on the shipment, and on every order whose containers are in it."""
    facts = [state.fact(shipping.TakenOver(holder=holder, place=place, receiver=receiver))]
    for item in state.items:
        order = world.load(OrderState, item.order)
        facts.append(order.fact(_custody(state, order, item, holder, place, giver, receiver)))
    return facts


def _custody(
    state: ShipmentState,
    order: OrderState,
    item: shipping.Consigned,
    holder: str,
    place: str,
    giver: str,
    receiver: str,
) -> Body:
    former = order.containers[item.containers[0]]
    if former.status != "packed":
        return material.Moved(
            coi=item.coi,
            containers=item.containers,
            from_holder=former.holder,
            from_place=former.place,
            holder=holder,
            place=place,
            giver=giver,
            receiver=receiver,
            shipment=state.name,
        )
    return material.Dispatched(
        coi=item.coi,
        shipment=state.name,
        containers=item.containers,
        from_holder=former.holder,
        from_place=former.place,
        holder=holder,
        place=place,
    )


@command("shipment.hand_over", *GIVERS)
class HandOver(Command):
    """Give a sealed shipment to the next party. If the receiver signs at once, custody passes; otherwise it waits."""

    shipment: str
    role: str
    holder: str
    """The party that takes it, for example `courier/north`."""
    place: str
    seal: Scan
    condition: str
    receiver: str | None = None
    receiver_role: str = "courier"
    temperature_c: str | None = None
    cois: tuple[Scan, ...] = ()
    """The chain-of-identity labels on the outside of the shipper, where it has them."""

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.shipment)
        _on_the_way(state)
        if self.receiver == by.person:
            raise _same_party(by.person)
        expected = {item.coi for item in state.items}
        cois = [(one, scan.chain_of_identity(one)) for one in self.cois]
        for one, coi in cois:
            if coi not in expected:
                return _stop(world, by, state, labelled.Stranger(one, coi, found=coi))
        if self.temperature_c is not None:
            decimal("temperature_c", self.temperature_c)
        body = shipping.HandedOver(
            from_holder=state.holder,
            from_place=state.place,
            holder=self.holder,
            place=self.place,
            giver=by.person,
            seal=seal_checked(state, self.seal),
            condition=self.condition,
            cois_read=tuple(coi for _, coi in cois),
            temperature_c=self.temperature_c,
        )
        sign = [Need(person=by.person, meaning="handed_over", role=self.role)]
        facts = [state.fact(body)]
        if self.receiver is not None:
            sign.append(Need(person=self.receiver, meaning="received", role=self.receiver_role))
            facts += taking_over(world, state, self.holder, self.place, by.person, self.receiver)
        return Decision(facts=tuple(facts), sign=(*sign, *scan.confirmed(by, self.role, [self.seal])))


@command("shipment.take_over", "courier", "warehouse", "cell_laboratory")
class TakeOver(Command):
    """The second side of a handover that only the giver had signed."""

    shipment: str
    role: str
    seal: Scan

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.shipment)
        if state.pending is None:
            raise Refusal(
                "no-handover-waits",
                "No handover of shipment {shipment} waits for a second signature.",
                rule="R063",
                shipment=self.shipment,
            )
        if state.pending.giver == by.person:
            raise _same_party(by.person)
        seal_checked(state, self.seal)
        facts = taking_over(world, state, state.pending.holder, state.pending.place, state.pending.giver, by.person)
        sign = Need(person=by.person, meaning="received", role=self.role)
        return Decision(facts=tuple(facts), sign=(sign, *scan.confirmed(by, self.role, [self.seal])))


def _stop(world: World, by: By, state: ShipmentState, stranger: labelled.Stranger) -> Decision:
    first = state.items[0]
    return mismatch(
        world,
        by,
        point="collection_receipt" if state.purpose == "collection" else "delivery_receipt",
        expected=", ".join(sorted(state.containers)),
        scanned=stranger.read,
        coi=first.coi,
        found=stranger.found,
        key=f"container/{stranger.read}",
        lot=first.lot,
        order=first.order,
        how=stranger.scan.how,
    )


def _same_party(person: str) -> Refusal:
    return Refusal(
        "same-person-twice",
        "{person} cannot give and receive the same shipment.",
        remedy="Each party signs by its own person.",
        rule="R063",
        person=person,
    )


@command("shipment.receive", "warehouse", "cell_laboratory")
class Receive(Command):
    """Receive a shipment: read shipper, seal, waybill, loggers and every container, before the courier (R072).

    A different seal, shipper, waybill or logger, or a missing container, is recorded as a deviation and keeps the
    receipt open. A container that does not belong to the consignment is a hard stop.
    """

    shipment: str
    role: str
    courier: str
    shipper: Scan
    seal: Scan
    waybill: str
    loggers: tuple[str, ...]
    containers: tuple[Scan, ...]
    cois: tuple[Scan, ...]
    """The chain-of-identity labels read beside the containers, one for each patient in the consignment (R064)."""
    condition: str
    undamaged: bool
    place: str
    temperature_c: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.shipment)
        _on_the_way(state)
        if state.status == "packed":
            raise Refusal(
                "not-dispatched",
                "Shipment {shipment} was packed and never handed to a courier.",
                remedy="The party that packed it hands it over.",
                rule="R065",
                shipment=self.shipment,
            )
        if self.courier == by.person:
            raise _same_party(by.person)
        try:
            read = self._read(world, state)
        except labelled.Stranger as stranger:
            return _stop(world, by, state, stranger)
        body = self._received(by, state, read)
        facts: list[Fact] = [state.fact(body)]
        for item in state.items:
            facts += self._arrived(world, state, item, read)
        scans = (self.shipper, self.seal, *self.containers, *self.cois)
        sign = (
            Need(person=self.courier, meaning="handed_over", role="courier"),
            Need(person=by.person, meaning="received", role=self.role),
            *scan.confirmed(by, self.role, scans),
        )
        return Decision(facts=tuple(facts), sign=sign)

    def _read(self, world: World, state: ShipmentState) -> frozenset[str]:
        """The containers of this consignment that were scanned, each with whose it is (R064).

        Raises:
            Stranger: something was scanned that is not in this consignment.
            Refusal `second-identifier-missing`: a chain of identity was not read beside its containers.
        """
        expected = {item.coi for item in state.items}
        cois: set[str] = set()
        for one in self.cois:
            coi = scan.chain_of_identity(one)
            if coi not in expected:
                raise labelled.Stranger(one, coi, found=coi)
            cois.add(coi)
        read: set[str] = set()
        for one in self.containers:
            found = labelled.of_consignment(world, state.items, one)
            read.add(found.container)
            cois.update(() if found.coi is None else (found.coi,))
        if missing := expected - cois:
            raise Refusal(
                "second-identifier-missing",
                "The chain of identity {coi} was not read beside its containers.",
                remedy="Scan the chain-of-identity label of each patient in the consignment.",
                rule="R064",
                coi=", ".join(sorted(missing)),
            )
        return frozenset(read)

    def _received(self, by: By, state: ShipmentState, read: frozenset[str]) -> shipping.ShipmentReceived:
        shipper, seal = scan.item(self.shipper, "shipper"), scan.item(self.seal, "seal")
        found = {
            f"shipper:{shipper}": shipper != state.shipper,
            f"seal:{seal}": seal != state.seal,
            f"waybill:{self.waybill}": self.waybill != state.waybill,
            f"loggers:{','.join(self.loggers)}": set(self.loggers) != set(state.loggers),
            "damaged": not self.undamaged,
        }
        deviations = [text for text, differs in found.items() if differs]
        deviations += [f"missing:{name}" for name in sorted(state.containers - read)]
        if self.place != state.destination:
            deviations.append(f"destination:{self.place}")
        return shipping.ShipmentReceived(
            shipment=state.name,
            shipper=state.shipper,
            shipper_read=shipper,
            seal_read=seal,
            waybill_read=self.waybill,
            loggers_read=self.loggers,
            containers=tuple(sorted(read)),
            condition=self.condition,
            undamaged=self.undamaged,
            from_holder=state.holder,
            from_place=state.place,
            holder=state.destination_holder,
            place=self.place,
            giver=self.courier,
            receiver=by.person,
            deviations=tuple(deviations),
            temperature_c=self.temperature_c,
        )

    def _arrived(
        self, world: World, state: ShipmentState, item: shipping.Consigned, read: frozenset[str]
    ) -> list[Fact]:
        here = tuple(name for name in item.containers if name in read)
        if not here:
            return []
        order = world.load(OrderState, item.order)
        former = order.containers[here[0]]
        body = material.Received(
            coi=item.coi,
            shipment=state.name,
            containers=here,
            from_holder=former.holder,
            from_place=former.place,
            holder=state.destination_holder,
            place=self.place,
            undamaged=self.undamaged,
        )
        return [order.fact(body)]


@command("shipment.assess_deviation", "quality_assurance")
class AssessDeviation(Command):
    """Judge what differed at receipt: whether the contents may be used in spite of it."""

    shipment: str
    usable: bool
    text: str

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.shipment)
        if not state.deviations:
            raise Refusal(
                "no-deviation", "Nothing differed when {shipment} was received.", rule="R072", shipment=self.shipment
            )
        body = shipping.DeviationAssessed(usable=self.usable, text=self.text, assessor=by.person)
        return Decision(
            facts=(state.fact(body),), sign=(Need(person=by.person, meaning="assessed", role="quality_assurance"),)
        )
