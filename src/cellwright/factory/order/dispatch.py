"""Packing: what goes into which shipper, sealed and with a running logger, before it is handed to a courier (R072)."""

from collections.abc import Iterable
from datetime import timedelta

from cellwright.factory.order import custody, labelled, permission, scan
from cellwright.factory.order.case import NOTHING, Point, mismatch
from cellwright.factory.order.fact import material, shipping
from cellwright.factory.order.figure import moment, past, spelled
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.shipment import ShipmentState
from cellwright.factory.order.state import OrderState
from cellwright.factory.people import stamp
from cellwright.factory.portfolio.product import Storage
from cellwright.factory.record import Fact, Immutable
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

MOVABLE = frozenset({"collected", "available", "back_up"})
"""Starting material that may be packed."""


class Packing(Immutable):
    """One patient's part of the consignment, as scanned at the bench."""

    order: str
    containers: tuple[Scan, ...]
    coi: Scan | None = None
    """The chain-of-identity label, where the containers' own labels do not carry it."""
    compartment: str = ""


class Transport(Immutable):
    """Shipper, seal, waybill and loggers, and where the shipment goes."""

    shipper: Scan
    seal: Scan
    waybill: str
    loggers: tuple[str, ...]
    logger_started_at: str | None
    destination_holder: str
    destination: str
    courier_holder: str
    courier_place: str = "on the way"
    condition: str = "intact"


class _Packed(Immutable):
    """What was found right at the bench."""

    consigned: shipping.Consigned
    fact: Fact
    holder: str
    place: str


@command("shipment.pack_collection", "collection_nurse", "warehouse")
class PackCollection(Command):
    """Pack collected cells; with the courier's signature beside the packer's, custody passes at once (R063)."""

    items: tuple[Packing, ...]
    transport: Transport
    role: str
    courier: str | None = None
    shipment: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        state = _new(world, self.shipment)
        _one_each(self.items)
        packed: list[_Packed] = []
        limits: list[Storage] = []
        for item in self.items:
            order = permission.open_order(world, item.order)
            permission.certain(order)
            try:
                packed.append(_material(world, state, order, item))
            except labelled.Stranger as stranger:
                return _stop(world, by, "pack_out", order, stranger)
            product = permission.product_of(world, order)
            limits.append(product.collection_storage or product.storage)
        return _decided(world, by, state, packed, limits, self.transport, "collection", self.role, self.courier)


@command("shipment.pack_delivery", "warehouse", "operator")
class PackDelivery(Command):
    """Pack final bags for the hospital; release is asked for each lot at this moment (D21)."""

    items: tuple[Packing, ...]
    transport: Transport
    role: str
    holder: str
    place: str
    """Who packs where: the plant, and its pack-out bench."""
    courier: str | None = None
    shipment: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        state = _new(world, self.shipment)
        _one_each(self.items)
        packed: list[_Packed] = []
        limits: list[Storage] = []
        for item in self.items:
            order = permission.going_on(world, item.order)
            _to_its_hospital(order, self.transport)
            try:
                packed += _bags(world, state, order, item, self.holder, self.place)
            except labelled.Stranger as stranger:
                return _stop(world, by, "pack_out", order, stranger)
            limits.append(permission.product_of(world, order).storage)
        return _decided(world, by, state, packed, limits, self.transport, "delivery", self.role, self.courier)


def _to_its_hospital(order: OrderState, transport: Transport) -> None:
    """Raises Refusal `another-hospital`: a dose goes to the hospital that it was ordered for, and nowhere else."""
    if transport.destination_holder != order.hospital:
        raise Refusal(
            "another-hospital",
            "Order {order} is for {hospital}, and the shipment would go to {destination}.",
            remedy="Correct the destination, or pack this order for its own hospital.",
            rule="R072",
            order=order.name,
            hospital=order.hospital,
            destination=transport.destination_holder,
        )


def _new(world: World, name: str | None) -> ShipmentState:
    state = world.load(ShipmentState, name or world.issue("shipment"))
    if state.exists:
        raise Refusal("shipment-exists", "Shipment {shipment} exists already.", rule="R072", shipment=state.name)
    return state


def _one_each(items: tuple[Packing, ...]) -> None:
    orders = [item.order for item in items]
    if not orders or len(set(orders)) != len(orders):
        raise Refusal(
            "consignment-unclear",
            "A consignment names each of its orders once; this one names {orders}.",
            rule="D2",
            orders=", ".join(orders) or "-",
        )


def _read(world: World, order: OrderState, item: Packing, among: Iterable[str]) -> list[str]:
    """The containers scanned for one patient, each with whose it is (R064).

    Raises:
        Stranger: something else was scanned.
        Refusal `second-identifier-missing` or `nothing-packed`.
    """
    coi = permission.chain(order)
    if item.coi is not None and (read := scan.chain_of_identity(item.coi)) != coi:
        raise labelled.Stranger(item.coi, read, found=read)
    allowed = frozenset(among)
    found = [labelled.of_order(world, order, one, allowed) for one in item.containers]
    if not found:
        raise Refusal("nothing-packed", "Nothing of order {order} was scanned.", rule="R064", order=order.name)
    if item.coi is None and any(one.coi is None for one in found):
        raise Refusal(
            "second-identifier-missing",
            "The chain of identity {coi} was not read beside its containers.",
            remedy="Scan the chain-of-identity label of each patient in the consignment.",
            rule="R064",
            coi=coi,
        )
    return list(dict.fromkeys(one.container for one in found))


def _material(world: World, state: ShipmentState, order: OrderState, item: Packing) -> _Packed:
    own = [name for name, c in order.containers.items() if c.kind == "starting_material"]
    names = tuple(_read(world, order, item, own))
    first = order.containers[names[0]]
    for name in names:
        container = order.containers[name]
        if container.status not in MOVABLE or container.position is not None:
            raise _not_packable(name, container.status if container.position is None else "stored")
        custody.follows(name, container, first.holder, first.place)
    coi = permission.chain(order)
    consigned = shipping.Consigned(coi=coi, order=order.name, containers=names, compartment=item.compartment)
    fact = order.fact(material.Packed(coi=coi, shipment=state.name, containers=names))
    return _Packed(consigned=consigned, fact=fact, holder=first.holder, place=first.place)


def _not_packable(name: str, status: str) -> Refusal:
    return Refusal(
        "not-packable",
        "Container {container} is {status} and cannot be packed.",
        remedy="Take it out of its position, or choose another container.",
        rule="R065",
        container=name,
        status=status,
    )


def _bags(
    world: World, state: ShipmentState, order: OrderState, item: Packing, holder: str, place: str
) -> list[_Packed]:
    # Imported here: the lot room reads orders, so that the order room cannot read it while both are loading.
    from cellwright.factory.lot.access import certain
    from cellwright.factory.lot.state import LotState

    lots = [world.load(LotState, number) for number in order.lots]
    own = {bag.container: (lot, bag) for lot in lots if lot.coi == order.coi for bag in lot.bags}
    names = _read(world, order, item, own)
    product = permission.product_of(world, order)
    coi = permission.chain(order)
    by_lot: dict[str, list[material.PackedBag]] = {}
    for name in names:
        lot, bag = own[name]
        if name in order.containers:
            raise _not_packable(name, order.containers[name].status)
        if bag.disposition is not None or bag.position is not None or bag.label is None:
            raise _not_packable(name, bag.disposition or ("stored" if bag.position else "not labelled"))
        if lot.name not in by_lot:
            certain(lot)
            refusal = permission.released(world, lot.name, "pack_out")
            if refusal is not None:
                raise refusal
        expires = moment("made_at", bag.made_at) + product.shelf_life
        if expires < world.now:
            raise _expired(name, stamp(expires))
        by_lot.setdefault(lot.name, []).append(
            material.PackedBag(
                bag=name, volume_ml=format(bag.volume_ml, "f"), dose=bag.dose or 1, expires_at=stamp(expires)
            )
        )
    return [
        _Packed(
            consigned=shipping.Consigned(
                coi=coi,
                order=order.name,
                containers=tuple(bag.bag for bag in bags),
                lot=lot_name,
                compartment=item.compartment,
            ),
            fact=order.fact(
                material.BagsPacked(
                    coi=coi, lot=lot_name, shipment=state.name, bags=tuple(bags), holder=holder, place=place
                )
            ),
            holder=holder,
            place=place,
        )
        for lot_name, bags in by_lot.items()
    ]


def _expired(name: str, expires: str) -> Refusal:
    return Refusal(
        "shelf-life-over",
        "Bag {bag} was to be used before {expires}.",
        remedy="It is disposed of; only the physician and quality assurance can decide on another product.",
        rule="R119",
        bag=name,
        expires=expires,
    )


def _stop(world: World, by: By, point: Point, order: OrderState, stranger: labelled.Stranger) -> Decision:
    return mismatch(
        world,
        by,
        point=point,
        expected=order.coi or NOTHING,
        scanned=stranger.read,
        coi=order.coi,
        found=stranger.found,
        key=f"container/{stranger.read}",
        order=order.name,
        how=stranger.scan.how,
    )


def _decided(
    world: World,
    by: By,
    state: ShipmentState,
    packed: list[_Packed],
    limits: list[Storage],
    transport: Transport,
    purpose: shipping.Purpose,
    role: str,
    courier: str | None,
) -> Decision:
    places = {(p.holder, p.place) for p in packed}
    if len(places) != 1:
        raise Refusal(
            "custody-gap",
            "The containers are not in one place: {places}.",
            remedy="Bring them together by recorded handovers first.",
            rule="R065",
            places="; ".join(f"{h}, {p}" for h, p in sorted(places)),
        )
    body = _shipment_packed(world, by, state, packed, limits, transport, purpose)
    facts = [state.fact(body), *(p.fact for p in packed)]
    scans = (transport.shipper, transport.seal)
    if courier is None:
        sign = (Need(person=by.person, meaning="performed", role=role), *scan.confirmed(by, role, scans))
        return Decision(facts=tuple(facts), sign=sign)
    if courier == by.person:
        raise Refusal(
            "same-person-twice",
            "{person} cannot give and receive the same shipment.",
            remedy="Each party signs by its own person.",
            rule="R063",
            person=courier,
        )
    facts += _handed(by, state, body, packed, transport, courier)
    sign = (
        Need(person=by.person, meaning="handed_over", role=role),
        Need(person=courier, meaning="received", role="courier"),
        *scan.confirmed(by, role, scans),
    )
    return Decision(facts=tuple(facts), sign=sign)


def _handed(
    by: By, state: ShipmentState, body: shipping.Packed, packed: list[_Packed], transport: Transport, courier: str
) -> list[Fact]:
    handed = shipping.HandedOver(
        from_holder=body.holder,
        from_place=body.place,
        holder=transport.courier_holder,
        place=transport.courier_place,
        giver=by.person,
        seal=body.seal,
        condition=transport.condition,
        cois_read=tuple(dict.fromkeys(p.consigned.coi for p in packed)),
    )
    taken = shipping.TakenOver(holder=transport.courier_holder, place=transport.courier_place, receiver=courier)
    left = [
        Fact(
            f"order/{p.consigned.order}",
            material.Dispatched(
                coi=p.consigned.coi,
                shipment=state.name,
                containers=p.consigned.containers,
                from_holder=p.holder,
                from_place=p.place,
                holder=transport.courier_holder,
                place=transport.courier_place,
            ),
        )
        for p in packed
    ]
    return [state.fact(handed), state.fact(taken), *left]


def _shipment_packed(
    world: World,
    by: By,
    state: ShipmentState,
    packed: list[_Packed],
    limits: list[Storage],
    transport: Transport,
    purpose: shipping.Purpose,
) -> shipping.Packed:
    if not transport.loggers or transport.logger_started_at is None:
        raise Refusal(
            "logger-not-started",
            "No temperature logger runs in this shipper.",
            remedy="Start a logger and put it in before sealing.",
            rule="R118",
        )
    past("logger_started_at", transport.logger_started_at, world.now)
    strictest_low = [limit.min_c for limit in limits if limit.min_c is not None]
    return shipping.Packed(
        shipment=state.name,
        purpose=purpose,
        items=tuple(p.consigned for p in packed),
        shipper=scan.item(transport.shipper, "shipper"),
        seal=scan.item(transport.seal, "seal"),
        waybill=transport.waybill,
        loggers=transport.loggers,
        logger_started_at=transport.logger_started_at,
        holder=packed[0].holder,
        place=packed[0].place,
        destination_holder=transport.destination_holder,
        destination=transport.destination,
        max_c=format(min(limit.max_c for limit in limits), "f"),
        min_c=format(max(strictest_low), "f") if strictest_low else None,
        tolerance=spelled(min((limit.tolerance for limit in limits), default=timedelta())),
        packer=by.person,
    )
