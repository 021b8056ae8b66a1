"""From the prescription to the approved order: place, judge eligibility, consent, enrol, approve, allocate the chain."""

from collections.abc import Mapping
from typing import Annotated

from cellwright.factory.identity import NAMES
from cellwright.factory.order import permission
from cellwright.factory.order.fact import placing
from cellwright.factory.order.figure import day, past_day
from cellwright.factory.order.pair import ChainAllocated, formed
from cellwright.factory.order.state import OrderState
from cellwright.factory.order.subject import Sealed
from cellwright.factory.portfolio.product import Product
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash
from cellwright.factory.trial.eligibility import judge
from cellwright.factory.trial.evidence import read_evidence
from cellwright.factory.trial.protocol import Protocol, prior_products


@command("order.place", "prescriber")
class Place(Command):
    """Order a product for the recipient of a pair, in the market where it will be given."""

    product: str
    market: str
    pair: str
    hospital: str
    linked_order: Annotated[str, NAMES("order")] | None = None
    order: Annotated[str, NAMES("order")] | None = None

    def decide(self, world: World, by: By) -> Decision:
        pair = formed(world, self.pair)
        product = world.definition(Product, self.product)
        market = permission.market_of(product, self.market)
        if not product.personal:
            raise Refusal(
                "stock-product",
                "{product} is made as stock and is not ordered for a patient here.",
                rule="D2",
                product=self.product,
            )
        if not pair.autologous and product.autologous and not product.donor_for_recipient:
            raise Refusal(
                "not-for-donor-cells",
                "{product} is made from the patient's own cells only; pair {pair} has a donor.",
                remedy="Form the pair of the patient with themselves.",
                rule="D1",
                product=self.product,
                pair=self.pair,
            )
        order = world.load(OrderState, self.order or world.issue("order"))
        if order.exists:
            raise Refusal("order-exists", "Order {order} exists already.", rule="R059", order=order.name)
        linked = self._linked(world, product)
        body = placing.Placed(
            pair=self.pair,
            product=product.id,
            product_version=product.version,
            market=self.market,
            basis=market.legal_basis,
            prescriber=by.person,
            hospital=self.hospital,
            linked_order=self.linked_order,
        )
        facts: list[Fact] = [order.fact(body)]
        if linked is not None:
            facts.append(linked.fact(placing.LinkedBy(order=order.name)))
        sign = (Need(person=by.person, meaning="prescribed", role="prescriber"),)
        return Decision(facts=tuple(facts), sign=sign)

    def _linked(self, world: World, product: Product) -> OrderState | None:
        if self.linked_order is None:
            return None
        linked = permission.known(world, self.linked_order)
        recipient, other = formed(world, self.pair).recipient, formed(world, linked.pair).recipient
        if recipient != other:
            raise Refusal(
                "linked-order-of-another",
                "Order {order} is another patient's; it cannot be followed by this one.",
                rule="D1",
                order=self.linked_order,
            )
        if product.linked_after is not None and linked.product != product.linked_after:
            raise Refusal(
                "linked-order-of-another-product",
                "{product} follows {wanted}; order {order} is for {found}.",
                rule="D13",
                product=product.id,
                wanted=product.linked_after,
                order=self.linked_order,
                found=linked.product,
            )
        return linked


LINKED_ORDER = "linked_order"
"""The fact of the evidence that says which product the linked order is for."""


def judged(
    world: World, order: OrderState, evidence: Mapping[str, str], protocol: Protocol, person: str
) -> placing.EligibilityJudged:
    """The judgement of an order by a protocol; what was ordered or given before comes from the record alone (D13)."""
    known = {key: value for key, value in evidence.items() if not key.startswith(("prior.", LINKED_ORDER))}
    if order.linked_order is not None:
        known[LINKED_ORDER] = permission.known(world, order.linked_order).product
    for prior in prior_products(protocol):
        infused = permission.prior_infused(world, order, prior)
        if infused is not None:
            known[f"prior.{prior}"] = "infused" if infused else "not_infused"
    found = judge(protocol, read_evidence(known))
    return placing.EligibilityJudged(
        verdict=found.verdict,
        judged_by=person,
        protocol=found.protocol,
        protocol_version=found.protocol_version,
        evidence=known,
        failed=found.failed,
        unknown=found.unknown,
    )


@command("order.judge_eligibility", "physician", "coordinator", "prescriber")
class JudgeEligibility(Command):
    """Judge by the protocol of the market's trial whether the patient may have the product (Law 6, Law 8).

    The evidence is in the flat form of `trial.evidence`; what is not there is unknown. Whether a prior product was
    infused, and what is ordered for the same patient before, is read from the record alone: the linked order's, or an
    attested infusion elsewhere (D13).
    """

    order: str
    evidence: dict[str, str]
    protocol_version: str | None = None
    """The version the patient was screened under; the one in force if none is named."""

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        product = permission.product_of(world, order)
        name = permission.market_of(product, order.market).protocol
        if name is None:
            raise Refusal(
                "no-protocol",
                "{product} is not on trial in {market}; no protocol decides.",
                remedy="A physician attests that the patient may have it.",
                rule="R071",
                product=product.id,
                market=order.market,
            )
        protocol = world.definition(Protocol, name, self.protocol_version)
        body = judged(world, order, self.evidence, protocol, by.person)
        return Decision(facts=(order.fact(body),))


@command("order.attest_eligibility", "physician", "prescriber")
class AttestEligibility(Command):
    """Outside a trial, a physician attests with a document whether the patient may have the product."""

    order: str
    verdict: placing.Verdict
    role: str
    document_sha256: FileHash

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        protocol = permission.market_of(permission.product_of(world, order), order.market).protocol
        if protocol is not None:
            raise Refusal(
                "protocol-decides",
                "Eligibility of order {order} is decided by protocol {protocol}, not by attestation.",
                remedy="Judge the evidence by the protocol.",
                rule="R071",
                order=self.order,
                protocol=protocol,
            )
        body = placing.EligibilityJudged(
            verdict=self.verdict, judged_by=by.person, document_sha256=self.document_sha256
        )
        return Decision(facts=(order.fact(body),), sign=(Need(person=by.person, meaning="attested", role=self.role),))


@command("order.record_consent", "physician", "coordinator")
class RecordConsent(Command):
    """Record the recipient's consent to one purpose from its signed document."""

    order: str
    document_sha256: FileHash
    version: str
    given_on: str
    purpose: placing.Purpose = "treatment"

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        past_day("given_on", self.given_on, world)
        body = placing.Consented(
            purpose=self.purpose,
            document_sha256=self.document_sha256,
            version=self.version,
            given_on=self.given_on,
            recorded_by=by.person,
        )
        return Decision(facts=(order.fact(body),))


@command("order.withdraw_consent", "physician", "coordinator")
class WithdrawConsent(Command):
    """Record that consent to one purpose was withdrawn. Withdrawal from treatment also ends the order (`order.end`)."""

    order: str
    purpose: placing.Purpose
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.known(world, self.order)
        body = placing.ConsentWithdrawn(purpose=self.purpose, recorded_by=by.person)
        return Decision(facts=(order.fact(body, reason=self.reason),))


@command("order.enrol", "coordinator", "physician")
class Enrol(Command):
    """Record the enrolment in the trial; only an eligible patient who has consented is enrolled."""

    order: str
    protocol: str
    subject_number: str
    enrolled_on: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        past_day("enrolled_on", self.enrolled_on, world)
        refusal = permission.not_eligible(order)
        if refusal is not None:
            raise refusal
        if not order.consented:
            raise permission.no_consent(order)
        body = placing.Enrolled(
            protocol=self.protocol, subject_number=self.subject_number, enrolled_on=self.enrolled_on
        )
        return Decision(facts=(order.fact(body),))


def approvable(world: World, order: OrderState) -> Refusal | None:
    """What an order lacks before it can be approved, and a collection scheduled (R071)."""
    refusal = permission.not_eligible(order)
    if refusal is not None:
        return refusal
    if not order.consented:
        return permission.no_consent(order)
    if order.basis == "trial" and not order.enrolled:
        return permission.not_enrolled(order)
    return permission.gated(world, order, permission.product_of(world, order), "order")


@command("order.approve", "planner", "quality_assurance")
class Approve(Command):
    """Accept the order at the manufacturer: eligible, consented, enrolled where it is a trial."""

    order: str
    role: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        if by.person == order.prescriber:
            raise Refusal("own-order", "{person} cannot approve their own order.", rule="D10", person=by.person)
        refusal = approvable(world, order)
        if refusal is not None:
            raise refusal
        sign = (Need(person=by.person, meaning="approved", role=self.role),)
        return Decision(facts=(order.fact(placing.Approved(approver=by.person)),), sign=sign)


@command("order.allocate_chain", "coordinator", "planner")
class AllocateChain(Command):
    """Allocate the one chain of identity of this therapy event (R059); the case manager verifies."""

    order: str
    role: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        if order.coi is not None:
            raise Refusal(
                "chain-allocated",
                "Order {order} has the chain of identity {coi}.",
                remedy="Every collection of this therapy event takes the same one.",
                rule="R059",
                order=self.order,
                coi=order.coi,
            )
        if not order.approved:
            raise Refusal(
                "not-approved",
                "Order {order} is not approved.",
                remedy="Approve it first.",
                rule="R071",
                order=self.order,
            )
        pair = formed(world, order.pair)
        coi = world.issue("coi")
        body = placing.CoiAllocated(pair=order.pair, coi=coi, verifier=by.person)
        facts = (
            order.fact(body),
            pair.fact(ChainAllocated(pair=order.pair, coi=coi, order=order.name)),
        )
        return Decision(facts=facts, sign=(Need(person=by.person, meaning="verified", role=self.role),))


@command("order.record_alias", "coordinator")
class RecordAlias(Command):
    """Record how somebody else calls this order: a sponsor's, a hospital's or a partner's number (D1)."""

    order: str
    kind: str
    value: Sealed
    issuer: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.known(world, self.order)
        recipient = formed(world, order.pair).recipient
        if self.value.enc != recipient:
            raise Refusal(
                "sealed-for-another",
                "The fields {fields} are sealed under the key of another subject than {subject}.",
                remedy="Seal them under the key of this subject.",
                rule="R075",
                fields="value",
                subject=recipient,
            )
        return Decision(
            facts=(order.fact(placing.AliasRecorded(kind=self.kind, value=self.value, issuer=self.issuer)),)
        )


@command("order.promise_slot", "planner")
class PromiseSlot(Command):
    """Promise a slot of the plant; a new promise supersedes the former one."""

    order: str
    slot: str
    collect_on: str
    make_on: str
    deliver_on: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        days = [day(n, v) for n, v in (("collect_on", self.collect_on), ("make_on", self.make_on))]
        if not days[0] <= days[1] <= day("deliver_on", self.deliver_on):
            raise Refusal(
                "slot-out-of-order",
                "Slot {slot} does not collect before it makes and make before it delivers.",
                rule="R071",
                slot=self.slot,
            )
        body = placing.SlotPromised(
            slot=self.slot,
            collect_on=self.collect_on,
            make_on=self.make_on,
            deliver_on=self.deliver_on,
            planner=by.person,
        )
        return Decision(facts=(order.fact(body),))


@command("order.give_up_slot", "planner", "coordinator")
class GiveUpSlot(Command):
    """Give the slot back."""

    order: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        if order.slot is None:
            raise Refusal("no-slot", "Order {order} has no slot.", rule="R071", order=self.order)
        return Decision(facts=(order.fact(placing.SlotGivenUp(slot=order.slot.slot), reason=self.reason),))
