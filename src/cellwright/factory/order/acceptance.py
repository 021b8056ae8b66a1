"""Acceptance after receipt: nothing that arrived is used before comparison, temperature, age and donor status are right."""

from cellwright.factory.order import permission
from cellwright.factory.order.fact import material
from cellwright.factory.order.figure import moment, spelled
from cellwright.factory.order.pair import PairState, processable
from cellwright.factory.order.shipment import ShipmentState
from cellwright.factory.order.shipment import known as shipment_known
from cellwright.factory.order.state import ContainerState, OrderState
from cellwright.factory.people import stamp
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


def sound(shipment: ShipmentState) -> Refusal | None:
    """Whether a shipment arrived as it left: received, equal to what was dispatched, undamaged, in temperature.

    A deviation, an excursion or a gap stands in the way until quality assurance found the contents usable (R072, R118).
    """
    if shipment.status != "received":
        return Refusal(
            "not-received",
            "Shipment {shipment} has not arrived.",
            remedy="Receive it first.",
            rule="R072",
            shipment=shipment.name,
        )
    if shipment.deviations and not shipment.deviations_usable:
        return Refusal(
            "receipt-open",
            "The receipt of shipment {shipment} is open: {deviations}.",
            remedy="Quality assurance assesses the deviations; if the contents are not usable, they are disposed of.",
            rule="R072",
            shipment=shipment.name,
            deviations=", ".join(shipment.deviations),
        )
    match shipment.temperature:
        case None:
            return Refusal(
                "temperature-not-read",
                "The loggers of shipment {shipment} have not been read.",
                remedy="Read them; what is not known is not in range.",
                rule="R118",
                shipment=shipment.name,
            )
        case "to_assess":
            return Refusal(
                "temperature-to-assess",
                "The temperature of shipment {shipment} left its limits, or is not known for some of the way.",
                remedy="Quality assurance assesses the excursion or the gap.",
                rule="R118",
                shipment=shipment.name,
            )
        case "not_usable":
            return Refusal(
                "temperature-spoiled",
                "The contents of shipment {shipment} were found not usable after an excursion or a gap.",
                remedy="Dispose of them.",
                rule="R118",
                shipment=shipment.name,
            )
        case "in_limits" | "usable":
            return None


def too_old(world: World, order: OrderState, name: str, container: ContainerState) -> Refusal | None:
    """Whether collected cells have waited longer than the product allows (R119). The limit itself is still in time."""
    hold = permission.product_of(world, order).collection_hold_max
    if hold is None or not container.collected_at:
        return None
    until = moment("collected_at", container.collected_at) + hold
    if world.now <= until:
        return None
    return Refusal(
        "hold-exceeded",
        "Container {container} was collected at {collected} and may wait {hold}, until {until}.",
        remedy="It is disposed of or kept for research with consent; collect again.",
        rule="R119",
        container=name,
        collected=container.collected_at,
        hold=spelled(hold),
        until=stamp(until),
    )


def _from(order: OrderState, shipment: ShipmentState, *statuses: str) -> tuple[str, ...]:
    names = tuple(n for n, c in order.containers.items() if c.shipment == shipment.name and c.status in statuses)
    if not names:
        raise Refusal(
            "nothing-to-accept",
            "Nothing of order {order} that came with shipment {shipment} waits for acceptance.",
            rule="R070",
            order=order.name,
            shipment=shipment.name,
        )
    return names


@command("order.accept_material", "quality_assurance")
class AcceptMaterial(Command):
    """Accept received starting material for processing; until then it is in quarantine (R070)."""

    order: str
    shipment: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        permission.certain(order)
        shipment = shipment_known(world, self.shipment)
        names = _from(order, shipment, "quarantined")
        pair = world.load(PairState, order.pair)
        ages = (too_old(world, order, name, order.containers[name]) for name in names)
        for refusal in (sound(shipment), processable(pair), *ages):
            if refusal is not None:
                raise refusal
        body = material.Accepted(
            coi=permission.chain(order),
            containers=names,
            shipment=shipment.name,
            acceptor=by.person,
            donor_status=pair.donor_status,
            legends=pair.legends,
        )
        sign = (Need(person=by.person, meaning="accepted", role="quality_assurance"),)
        return Decision(facts=(order.fact(body),), sign=sign)


@command("order.accept_bags", "cell_laboratory")
class AcceptBags(Command):
    """Accept received bags at the hospital: undamaged, in temperature, and still released at this moment (D21)."""

    order: str
    shipment: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        shipment = shipment_known(world, self.shipment)
        names = _from(order, shipment, "received", "quarantined")
        refusal = sound(shipment)
        if refusal is not None:
            raise refusal
        for lot in dict.fromkeys(order.containers[name].lot or "" for name in names):
            refusal = permission.released(world, lot, "receipt")
            if refusal is not None:
                raise refusal
        body = material.Accepted(
            coi=permission.chain(order), containers=names, shipment=shipment.name, acceptor=by.person
        )
        sign = (Need(person=by.person, meaning="accepted", role="cell_laboratory"),)
        return Decision(facts=(order.fact(body),), sign=sign)


@command("order.quarantine", "quality_assurance", "warehouse", "cell_laboratory")
class Quarantine(Command):
    """Set containers apart, with the reason. Only acceptance by quality assurance brings starting material back."""

    order: str
    containers: tuple[str, ...]
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        for name in self.containers:
            container = order.containers.get(name)
            if container is None or container.status not in ("received", "accepted", "available", "back_up"):
                raise Refusal(
                    "not-to-quarantine",
                    "Container {container} is {status} and cannot be set apart here.",
                    rule="R070",
                    container=name,
                    status=container.status if container else "unknown",
                )
        body = material.Quarantined(coi=permission.chain(order), containers=self.containers, why=self.reason)
        return Decision(facts=(order.fact(body, reason=self.reason),))
