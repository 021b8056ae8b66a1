"""A protocol was amended: every open order that another version judged is judged again, from the same evidence."""

from cellwright.factory.order import permission
from cellwright.factory.order.placing import judged
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import By, Command, Decision, Refusal, World, command
from cellwright.factory.trial.protocol import Protocol


@command("order.apply_amendment", "coordinator", "physician", "quality_assurance")
class ApplyAmendment(Command):
    """Judge every open order again that another version of the protocol judged; new evidence is recorded by its own act.

    A verdict may change in both directions. What the amendment asks and nobody recorded is unknown, so the order waits.
    """

    protocol: str

    def decide(self, world: World, by: By) -> Decision:
        protocol = world.definition(Protocol, self.protocol)
        facts = []
        for name in world.streams(f"product/{protocol.product}", OrderState.room):
            order = world.load(OrderState, name)
            if _open(order) and order.protocol == protocol.id and order.protocol_version != protocol.version:
                permission.certain(order)
                body = judged(world, order, order.evidence, protocol, by.person)
                facts.append(order.fact(body, reason=f"{protocol.id} {protocol.version}"))
        if not facts:
            raise Refusal(
                "nothing-to-judge-again",
                "No open order was judged by another version of {protocol}.",
                remedy="The new version has to be approved and in force first.",
                rule="R071",
                protocol=self.protocol,
            )
        return Decision(facts=tuple(facts))


def _open(order: OrderState) -> bool:
    return order.exists and not order.closed and order.withdrawn is None
