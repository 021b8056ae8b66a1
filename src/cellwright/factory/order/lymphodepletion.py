"""Lymphodepletion: the patient is prepared only for a product that is released, here and sound (D21)."""

from cellwright.factory.order import permission
from cellwright.factory.order.fact import giving
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


@command("order.clear_lymphodepletion", "physician")
class ClearLymphodepletion(Command):
    """Clear the patient for lymphodepletion, or answer for it by name as an exception with its reason."""

    order: str
    lots: tuple[str, ...]
    exception: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        if not order.consented:
            raise permission.no_consent(order)
        refusal = not_ready(world, order, self.lots)
        if refusal is not None and not self.exception:
            raise refusal
        body = giving.LymphodepletionCleared(
            lots=self.lots, physician=by.person, exception=self.exception if refusal is not None else None
        )
        meaning = "approved" if refusal is None else "attested"
        return Decision(
            facts=(order.fact(body, reason=self.exception),),
            sign=(Need(person=by.person, meaning=meaning, role="physician"),),
        )


def not_ready(world: World, order: OrderState, lots: tuple[str, ...]) -> Refusal | None:
    """Why the patient should not be prepared yet, None if everything is here."""
    if not lots or not set(lots) <= set(order.lots):
        return Refusal(
            "not-this-orders-lot",
            "Lots {lots} are not of order {order}.",
            rule="D21",
            lots=", ".join(lots) or "-",
            order=order.name,
        )
    for lot in lots:
        refusal = permission.released(world, lot, "lymphodepletion")
        if refusal is not None:
            return refusal
        bags = order.bags(lot)
        waiting = sorted(name for name, bag in bags.items() if bag.status != "accepted")
        if not bags or waiting:
            return Refusal(
                "not-received-at-hospital",
                "Lot {lot} is not at the hospital, undamaged and in temperature: {bags}.",
                remedy="Wait for the cell laboratory's acceptance, or sign a named exception.",
                rule="D21",
                lot=lot,
                bags=", ".join(waiting) or "-",
            )
    return None
