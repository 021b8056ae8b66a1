"""Where every container ends, the end of a therapy, and the closing of its order (R074, D22)."""

from typing import Literal

from cellwright.factory.order import labelled, nonconformance, permission, scan
from cellwright.factory.order.case import NOTHING, CaseState, mismatch
from cellwright.factory.order.fact import giving, material
from cellwright.factory.order.figure import past_day
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import FINISHED, OrderState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

Ending = Literal["returned", "destroyed", "retained_sample", "research"]
HANDLERS = ("warehouse", "cell_laboratory", "collection_nurse")


@command("order.dispose", *HANDLERS)
class Dispose(Command):
    """Record where a container of the order ended, before a second person; research needs the patient's consent to it."""

    order: str
    container: Scan
    disposition: Ending
    reason: str
    role: str
    verifier: str
    verifier_role: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        try:
            name = labelled.of_order(world, order, self.container, order.containers).container
        except labelled.Stranger as stranger:
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
        container = order.containers[name]
        if container.status in (*FINISHED, "in_use", "allocated", "packed", "in_transit") or container.position:
            raise Refusal(
                "not-disposable",
                "Container {container} is {status}; it cannot be disposed of here.",
                remedy="Receive it, take it out of its position, or end its infusion first.",
                rule="R074",
                container=name,
                status=container.status if container.position is None else f"in {container.position}",
            )
        if self.disposition == "research" and "research" not in order.consents:
            raise Refusal(
                "research-consent-missing",
                "The patient of order {order} has not consented to research.",
                remedy="Destroy it, or record the consent.",
                rule="D22",
                order=order.name,
            )
        body = material.ContainerDisposed(
            coi=permission.chain(order),
            container=name,
            disposition=self.disposition,
            performer=by.person,
            verifier=self.verifier,
            lot=container.lot,
        )
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
            *scan.confirmed(by, self.role, (self.container,)),
        )
        return Decision(facts=(order.fact(body, reason=self.reason),), sign=sign)


@command("order.end", "physician", "coordinator")
class End(Command):
    """Record that the therapy will not go on: death, progression, withdrawal. What was made stays to be disposed of."""

    order: str
    why: giving.EndReason
    on: str
    text: str = ""

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        if order.withdrawn is not None:
            raise Refusal("order-ended-already", "Order {order} has ended.", rule="D22", order=self.order)
        past_day("on", self.on, world)
        body = giving.Ended(why=self.why, on=self.on, recorded_by=by.person)
        return Decision(facts=(order.fact(body, reason=self.text or None),))


def left_open(world: World, order: OrderState) -> tuple[str, ...]:
    """Containers of the order and of its lots that have no final disposition yet (R074)."""
    # Imported here: the lot room reads orders, so that the order room cannot read it while both are loading.
    from cellwright.factory.lot.state import LotState

    ended = {name for name, c in order.containers.items() if c.status in FINISHED}
    known = set(order.containers)
    for number in order.lots:
        lot = world.load(LotState, number)
        if lot.coi != order.coi:
            continue
        for name, vessel in lot.containers.items():
            packed = name in order.containers and order.containers[name].kind == "bag"
            if vessel.disposition is not None and not packed:
                ended.add(name)
            known.add(name)
    return tuple(sorted(known - ended))


@command("order.close", "coordinator", "quality_assurance")
class Close(Command):
    """Close the order: every container has its disposition, nothing is under investigation, no result is awaited."""

    order: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        refusal = self._unfinished(world, order) or nonconformance.unassessed(order) or _waits(world, order)
        if refusal is not None:
            raise refusal
        outcome: Literal["infused", "made_not_given", "not_made"] = "not_made"
        if order.given:
            outcome = "infused"
        elif _made(world, order):
            outcome = "made_not_given"
        return Decision(facts=(order.fact(giving.Closed(outcome=outcome, closer=by.person)),))

    def _unfinished(self, world: World, order: OrderState) -> Refusal | None:
        if not order.given and order.withdrawn is None:
            return Refusal(
                "order-goes-on",
                "Nothing of order {order} was given and its therapy has not ended.",
                remedy="Record why it ends, or go on.",
                rule="D22",
                order=order.name,
            )
        waiting = left_open(world, order)
        if waiting:
            return Refusal(
                "containers-open",
                "Containers of order {order} have no final disposition: {containers}.",
                remedy="Record for each where it ended: infused, returned, destroyed or retained.",
                rule="R074",
                order=order.name,
                containers=", ".join(waiting),
            )
        cases = sorted(case for case in order.doubts if world.load(CaseState, case).open)
        if cases:
            return Refusal(
                "case-open",
                "Identity cases of order {order} are open: {cases}.",
                remedy="Set the wrong item aside, or let quality assurance close the case.",
                rule="D4",
                order=order.name,
                cases=", ".join(cases),
            )
        return None


def _waits(world: World, order: OrderState) -> Refusal | None:
    """What the release room still waits for: awaited results, notifications, investigations (R107)."""
    # Imported here: the release room reads orders, so that the order room cannot read it while both are loading.
    from cellwright.factory.release import may_close

    refusals = (may_close(world, lot) for lot in order.lots)
    return next((refusal for refusal in refusals if refusal is not None), None)


def _made(world: World, order: OrderState) -> bool:
    from cellwright.factory.lot.state import LotState

    return any(world.load(LotState, lot).status == "complete" for lot in order.lots)
