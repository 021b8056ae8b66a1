"""A wrongly issued chain of identity is corrected by a signed event that supersedes it, never by forgetting (D1)."""

from cellwright.factory.order import permission
from cellwright.factory.order.fact import material, placing
from cellwright.factory.order.pair import ChainAllocated, formed
from cellwright.factory.order.scan import two_people
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


@command("order.supersede_chain", "quality_assurance")
class SupersedeChain(Command):
    """Issue another chain of identity for the order and bind to it what was bound to the old one.

    Possible until a lot is issued: what is made already carries the old identifier in its own record, and is corrected
    through an identity case.
    """

    order: str
    reason: str
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        two_people(by.person, self.verifier)
        order = permission.open_order(world, self.order)
        old = permission.chain(order)
        moving = [n for n, c in order.containers.items() if c.status != "transferred"]
        if order.lots or any(order.containers[n].status in ("packed", "in_transit") for n in moving):
            raise Refusal(
                "chain-in-use",
                "Lots {lots} are made under {coi}, or its material is on the way.",
                remedy="Receive what is on the way; for lots, open an identity case.",
                rule="D1",
                coi=old,
                lots=", ".join(order.lots) or "-",
            )
        stored = [n for n in moving if order.containers[n].position is not None]
        if stored:
            raise Refusal(
                "still-stored",
                "Container {container} lies in position {position}.",
                remedy="Take it out first; its position is held for this chain of identity.",
                rule="D3",
                container=stored[0],
                position=order.containers[stored[0]].position,
            )
        pair = formed(world, order.pair)
        coi = world.issue("coi")
        facts: list[Fact] = [
            order.fact(
                placing.CoiSuperseded(
                    pair=order.pair, superseded=old, coi=coi, assessor=by.person, verifier=self.verifier
                ),
                reason=self.reason,
            ),
            pair.fact(ChainAllocated(pair=order.pair, coi=coi, order=order.name)),
        ]
        if moving:
            names, own = tuple(moving), {d.din for d in order.collections}
            dins = tuple(d for d in dict.fromkeys(order.containers[n].din for n in moving) if d in own)
            body = material.MaterialRebound(
                given=material.Given(coi=old, pair=order.pair, containers=names, dins=dins),
                taken=material.Taken(coi=coi, pair=order.pair, containers=names, dins=dins),
            )
            facts.append(order.fact(body))
        sign = (
            Need(person=by.person, meaning="assessed", role="quality_assurance"),
            Need(person=self.verifier, meaning="verified", role="coordinator"),
        )
        return Decision(facts=tuple(facts), sign=sign)
