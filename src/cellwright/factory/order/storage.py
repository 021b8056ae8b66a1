"""Stores: a container lies in one position, a position holds one container; two people, both scanned."""

from cellwright.factory.order import custody, labelled, permission, scan
from cellwright.factory.order.case import NOTHING, mismatch
from cellwright.factory.order.fact import material
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

STORABLE = frozenset({"quarantined", "available", "back_up", "received", "accepted", "remainder"})


def _stopped(world: World, by: By, order: OrderState, stranger: labelled.Stranger) -> Decision:
    return mismatch(
        world,
        by,
        point="storage",
        expected=order.coi or NOTHING,
        scanned=stranger.read,
        coi=order.coi,
        found=stranger.found,
        key=f"container/{stranger.read}",
        order=order.name,
        how=stranger.scan.how,
    )


@command("order.store", "warehouse", "cell_laboratory")
class Store(Command):
    """Put a container into a position of a store."""

    order: str
    container: Scan
    position: Scan
    holder: str
    from_place: str
    place: str
    role: str
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        try:
            name = labelled.of_order(world, order, self.container, order.containers).container
        except labelled.Stranger as stranger:
            return _stopped(world, by, order, stranger)
        container = order.containers[name]
        if container.status not in STORABLE or container.position is not None:
            raise Refusal(
                "not-storable",
                "Container {container} is {status} and cannot be stored.",
                rule="R074",
                container=name,
                status=container.status if container.position is None else f"in {container.position}",
            )
        custody.follows(name, container, self.holder, self.from_place)
        body = material.Stored(
            coi=permission.chain(order),
            container=name,
            position=scan.item(self.position, "position"),
            holder=self.holder,
            from_place=self.from_place,
            place=self.place,
            performer=by.person,
            verifier=self.verifier,
        )
        return Decision(facts=(order.fact(body),), sign=_two(self, by, (self.container, self.position)))


@command("order.take_out", "warehouse", "cell_laboratory")
class TakeOut(Command):
    """Take a container out of its position: the container read must be the one that lies there."""

    order: str
    container: Scan
    position: Scan
    place: str
    role: str
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        at = scan.item(self.position, "position")
        lying = [name for name, c in order.containers.items() if c.position == at]
        if not lying:
            raise Refusal(
                "position-not-held",
                "Nothing of order {order} lies in position {position}.",
                rule="D3",
                order=order.name,
                position=at,
            )
        try:
            name = labelled.of_order(world, order, self.container, lying).container
        except labelled.Stranger as stranger:
            return _stopped(world, by, order, stranger)
        container = order.containers[name]
        body = material.TakenOut(
            coi=permission.chain(order),
            container=name,
            position=at,
            holder=container.holder,
            from_place=container.place,
            place=self.place,
            performer=by.person,
            verifier=self.verifier,
        )
        return Decision(facts=(order.fact(body),), sign=_two(self, by, (self.container, self.position)))


def _two(what: Store | TakeOut, by: By, scans: tuple[Scan, ...]) -> tuple[Need, ...]:
    return (
        Need(person=by.person, meaning="performed", role=what.role),
        Need(person=what.verifier, meaning="verified", role=what.role),
        *scan.confirmed(by, what.role, scans),
    )
