"""A product that follows another: aT19 waits for CAR-T-19, given here under its own order or elsewhere by attestation."""

from datetime import timedelta

from cellwright.factory.order import permission
from cellwright.factory.order.fact import giving
from cellwright.factory.order.figure import past_day, today
from cellwright.factory.order.state import OrderState
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash

LONGEST_AGO = timedelta(days=366 * 25)
"""No product that another waits for was given earlier than this; older days are typing errors. Assumed here."""


@command("order.attest_prior_infusion", "coordinator", "physician")
class AttestPriorInfusion(Command):
    """Attest an infusion at another hospital: its document by hash, transcribed by one person, verified by another."""

    order: str
    product: str
    hospital: str
    infused_on: str
    document_sha256: FileHash
    role: str
    verifier: str
    verifier_role: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        infused = past_day("infused_on", self.infused_on, world)
        if not self.hospital.strip() or today(world) - infused > LONGEST_AGO:
            raise Refusal(
                "attestation-not-plausible",
                "An infusion at {hospital} on {day} is not what a document of a prior product says.",
                remedy="Name the hospital and the day as the document states them.",
                rule="D13",
                hospital=self.hospital or "-",
                day=self.infused_on,
            )
        product = permission.product_of(world, order)
        wanted = {g.product for g in product.gates if g.needs == "prior_product_infused"} | {product.linked_after}
        if self.product not in wanted:
            raise Refusal(
                "not-the-prior-product",
                "{product} does not wait for {prior}.",
                rule="D13",
                product=order.product,
                prior=self.product,
            )
        if len(self.document_sha256) != 64:
            raise Refusal(
                "document-missing",
                "The attestation names no document by its SHA-256.",
                remedy="Store the scan of the document and name its hash.",
                rule="D13",
            )
        body = giving.PriorInfusionAttested(
            product=self.product,
            hospital=self.hospital,
            infused_on=self.infused_on,
            document_sha256=self.document_sha256,
            transcriber=by.person,
            verifier=self.verifier,
        )
        sign = (
            Need(person=by.person, meaning="transcribed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
        )
        return Decision(facts=(order.fact(body),), sign=sign)


def told(world: World, order: OrderState, infused_at: str) -> list[Fact]:
    """The facts on the orders that follow this one, when it has been infused for the first time."""
    if order.given:
        return []
    body = giving.PriorInfusionRecorded(product=order.product, order=order.name, infused_at=infused_at)
    return [world.load(OrderState, name).fact(body) for name in order.linked_by]
