"""May this act go on? What every act of an order asks first: is it open, certain, consented, and what gates it (D13, D21)."""

from cellwright.factory.order.pair import PairState, processable
from cellwright.factory.order.state import OrderState
from cellwright.factory.portfolio.gate import Facts, gate
from cellwright.factory.portfolio.product import Act, Market, Product
from cellwright.factory.rule import Refusal, World


def known(world: World, name: str) -> OrderState:
    """The order under this number. Raises Refusal `unknown-order`."""
    order = world.load(OrderState, name)
    if not order.exists:
        raise Refusal("unknown-order", "There is no order {order}.", rule="R071", order=name)
    return order


def open_order(world: World, name: str) -> OrderState:
    """An order that is not closed. Raises Refusal `unknown-order` or `order-closed`."""
    order = known(world, name)
    if order.closed:
        raise Refusal(
            "order-closed",
            "Order {order} is closed.",
            remedy="Adverse reactions and follow-up are still recorded.",
            rule="R074",
            order=name,
        )
    return order


def going_on(world: World, name: str) -> OrderState:
    """An order whose therapy goes on and whose identity is not in doubt.

    Raises:
        Refusal `unknown-order`, `order-closed`, `order-ended` or `identity-in-doubt`.
    """
    order = open_order(world, name)
    if order.withdrawn is not None:
        raise Refusal(
            "order-ended",
            "The therapy of order {order} has ended: {why}.",
            remedy="What was made is disposed of and the order closed.",
            rule="D22",
            order=name,
            why=order.withdrawn,
        )
    certain(order)
    return order


def certain(order: OrderState) -> None:
    """Raises Refusal `identity-in-doubt` while an identity case touches the order (D4)."""
    if order.in_doubt:
        raise Refusal(
            "identity-in-doubt",
            "The identity of material of order {order} is in doubt: {cases}.",
            remedy="Set a wrong item aside before a second person, or let quality assurance close the case.",
            rule="R066",
            order=order.name,
            cases=", ".join(sorted(order.doubts)),
        )


def chain(order: OrderState) -> str:
    """The order's chain of identity. Raises Refusal `no-chain-of-identity` (R059)."""
    if order.coi is None:
        raise Refusal(
            "no-chain-of-identity",
            "Order {order} has no chain of identity.",
            remedy="Allocate it before the first collection.",
            rule="R059",
            order=order.name,
        )
    return order.coi


def product_of(world: World, order: OrderState) -> Product:
    """The product in the version that was ordered."""
    return world.definition(Product, order.product, order.product_version)


def market_of(product: Product, code: str) -> Market:
    """What holds in the market. Raises Refusal `no-legal-basis`."""
    market = product.market(code)
    if market is None:
        raise Refusal(
            "no-legal-basis",
            "{product} may not be used in {market}.",
            remedy="Order it for a market in which it is authorised or on trial.",
            rule="R071",
            product=product.id,
            market=code,
        )
    return market


def gated(world: World, order: OrderState, product: Product, act: Act) -> Refusal | None:
    """Why the product's gates keep an act shut, None if the way is free (D13)."""
    return gate(product, act, _known_of(world, order, product)).refusal


def _known_of(world: World, order: OrderState, product: Product) -> Facts:
    """What the gates may ask about an order. Nothing judged or decided yet is unknown, not false."""
    pair = world.load(PairState, order.pair)
    verdicts = {"eligible": True, "not_eligible": False, "unknown": None, None: None}
    waited_for = {one.product for one in product.gates if one.product is not None}
    return Facts(
        legal_basis=product.market(order.market) is not None,
        eligibility=verdicts[order.eligibility],
        consent=order.consented,
        enrolment=order.enrolled or order.basis != "trial",
        donor_status=None if pair.donor_status == "pending" else processable(pair) is None,
        infused={name: prior_infused(world, order, name) for name in waited_for},
    )


def prior_infused(world: World, order: OrderState, product: str) -> bool | None:
    """Whether another product was infused in this patient: under the linked order, or by attestation; None if unknown."""
    if order.prior_infusion == "attested":
        return True
    if order.linked_order is None:
        return None
    linked = world.load(OrderState, order.linked_order)
    return bool(linked.given) if linked.product == product else None


def no_consent(order: OrderState) -> Refusal:
    """The recipient has not consented to the treatment, or no longer does."""
    return Refusal(
        "consent-missing",
        "The recipient of order {order} has not consented to the treatment.",
        remedy="Record the consent from its signed document.",
        rule="R071",
        order=order.name,
    )


def not_enrolled(order: OrderState) -> Refusal:
    """The product is given in a trial and the patient is not in it."""
    return Refusal(
        "not-enrolled",
        "The patient of order {order} is not enrolled in the trial.",
        remedy="Record the enrolment.",
        rule="R071",
        order=order.name,
    )


def not_eligible(order: OrderState) -> Refusal | None:
    """Why the patient may not have the product; unknown is not eligible (Law 6)."""
    if order.eligibility == "eligible":
        return None
    return Refusal(
        "not-eligible",
        "The patient of order {order} is {verdict}.",
        remedy="Record the missing evidence and judge again; a protocol's exclusion has no way around it.",
        rule="R071",
        order=order.name,
        verdict=order.eligibility or "not judged",
    )


def released(world: World, lot: str, act: str) -> Refusal | None:
    """What the release room says to an act on this lot, asked again each time (D21)."""
    # Imported here: the release room reads orders, so that the order room cannot read it while both are loading.
    from cellwright.factory.release import permits

    return permits(world, lot, act)
