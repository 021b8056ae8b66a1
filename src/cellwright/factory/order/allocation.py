"""Allocation: accepted cells to a lot, to back-up, or by signature to another chain of identity of the same pair (D1)."""

from cellwright.factory.order import permission
from cellwright.factory.order.acceptance import too_old
from cellwright.factory.order.fact import material
from cellwright.factory.order.pair import PairState, processable
from cellwright.factory.order.scan import two_people
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

FREE = frozenset({"available", "back_up"})
"""Material that nothing is made from yet."""


def _free(world: World, order: OrderState, containers: tuple[str, ...]) -> None:
    """Raises Refusal unless every container is this order's, accepted, free and young enough, and may be processed."""
    if not containers or len(set(containers)) != len(containers):
        raise Refusal("nothing-allocated", "Name each container once.", rule="D1")
    refusal = processable(world.load(PairState, order.pair))
    if refusal is not None:
        raise refusal
    for name in containers:
        container = order.containers.get(name)
        if container is None:
            raise Refusal(
                "not-of-this-order",
                "Container {container} is not of order {order}.",
                remedy="Allocate the order's own containers; another order of the same pair gives its own by signature.",
                rule="D1",
                container=name,
                order=order.name,
            )
        if container.kind != "starting_material" or container.status not in FREE:
            raise Refusal(
                "not-available",
                "Container {container} is {status}.",
                remedy="Accepted starting material is allocated; what waits in quarantine is accepted first.",
                rule="R070",
                container=name,
                status=container.status,
            )
        # Back-up cells are frozen and kept; the holding time of fresh cells does not run in them.
        refusal = None if container.status == "back_up" else too_old(world, order, name, container)
        if refusal is not None:
            raise refusal


@command("order.allocate", "planner", "warehouse")
class Allocate(Command):
    """Assign accepted containers to a lot of this order, or keep them as back-up cells (no lot named)."""

    order: str
    containers: tuple[str, ...]
    lot: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        coi = permission.chain(order)
        _free(world, order, self.containers)
        if self.lot is not None:
            self._for_lot(world, order, self.lot)
        body = material.Allocated(
            coi=coi, pair=order.pair, containers=self.containers, lot=self.lot, allocator=by.person
        )
        return Decision(facts=(order.fact(body),))

    def _for_lot(self, world: World, order: OrderState, number: str) -> None:
        # Imported here: the lot room reads orders, so that the order room cannot read it while both are loading.
        from cellwright.factory.lot.access import workable

        lot = workable(world, number)
        if lot.order != order.name or lot.coi != order.coi:
            raise Refusal(
                "not-this-orders-lot",
                "Lot {lot} is made for order {other}, not for {order}.",
                rule="R066",
                lot=number,
                other=lot.order or "-",
                order=order.name,
            )
        refusal = permission.gated(world, order, permission.product_of(world, order), "manufacture")
        if refusal is not None:
            raise refusal


@command("order.move_material", "planner", "coordinator")
class MoveMaterial(Command):
    """Give containers to another order of the same pair, for example from CAR-T-19 to aT19: two signatures (D1)."""

    order: str
    to_order: str
    containers: tuple[str, ...]
    role: str
    assessor: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        two_people(by.person, self.assessor)
        order = permission.open_order(world, self.order)
        permission.certain(order)
        to = permission.going_on(world, self.to_order)
        if to.name == order.name or to.pair != order.pair:
            raise Refusal(
                "another-pair",
                "Order {other} is not another order of pair {pair}: cells never go from one pair to another.",
                rule="D1",
                other=self.to_order,
                pair=order.pair,
            )
        coi, to_coi = permission.chain(order), permission.chain(to)
        _free(world, order, self.containers)
        given = material.MaterialGiven(
            given=material.Given(coi=coi, pair=order.pair, containers=self.containers),
            taken=material.Taken(coi=to_coi, pair=order.pair, containers=self.containers),
            to_order=to.name,
            allocator=by.person,
            assessor=self.assessor,
        )
        taken = material.MaterialTaken(
            coi=to_coi,
            pair=order.pair,
            from_order=order.name,
            containers=tuple(_inherited(order, name) for name in self.containers),
            legends=world.load(PairState, order.pair).legends,
        )
        sign = (
            Need(person=by.person, meaning="requested", role=self.role),
            Need(person=self.assessor, meaning="assessed", role="quality_assurance"),
        )
        return Decision(facts=(order.fact(given, reason=self.reason), to.fact(taken)), sign=sign)


def _inherited(order: OrderState, name: str) -> material.Inherited:
    container = order.containers[name]
    if container.position is not None:
        raise Refusal(
            "still-stored",
            "Container {container} lies in position {position}.",
            remedy="Take it out first; its position is held for this chain of identity.",
            rule="D3",
            container=name,
            position=container.position,
        )
    return material.Inherited(
        container=name,
        din=container.din,
        division=container.division,
        volume_ml=format(container.volume_ml, "f"),
        collected_at=container.collected_at,
        holder=container.holder,
        place=container.place,
        nucleated_cells=None if container.cells is None else format(container.cells, "f"),
        cd3_cells=None if container.cd3_cells is None else format(container.cd3_cells, "f"),
        history=container.history,
        back_up=container.status == "back_up",
    )
