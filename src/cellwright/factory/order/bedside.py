"""Identity at the bedside: wristband, bag and order are read and agree, before thaw and again before infusion (R073)."""

from datetime import timedelta

from cellwright.factory.order import labelled, permission, scan, weight
from cellwright.factory.order.case import NOTHING, mismatch
from cellwright.factory.order.fact import giving
from cellwright.factory.order.fact.material import Wristband
from cellwright.factory.order.figure import moment
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import ContainerState, OrderState
from cellwright.factory.order.subject import SubjectState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

CHECK_VALID = timedelta(minutes=30)
"""How long an identity check holds before the act it was made for; a site decision, assumed here."""
BEDSIDE = ("nurse", "physician", "cell_laboratory")
_WAITS_FOR: dict[giving.Stage, tuple[str, ...]] = {"thaw": ("accepted",), "infusion": ("thawed", "accepted")}


@command("order.check_identity", *BEDSIDE)
class CheckIdentity(Command):
    """Two people, three scans: the recipient's wristband, the bag, and the order's chain of identity.

    Release, the product's gates and the dose are asked at this moment, so that a late positive stops the scan (D21).
    """

    order: str
    stage: giving.Stage
    wristband: Scan
    bag: Scan
    role: str
    verifier: str
    verifier_role: str
    coi: Scan | None = None
    """The order's label, where the bag's own label does not carry the chain of identity."""

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        coi = permission.chain(order)
        recipient = world.load(SubjectState, world.load(PairState, order.pair).recipient)
        try:
            name = self._agree(world, order, recipient)
        except labelled.Stranger as stranger:
            return mismatch(
                world,
                by,
                point="bedside",
                expected=recipient.wristband or NOTHING if stranger.scan is self.wristband else coi,
                scanned=stranger.read,
                coi=coi,
                found=stranger.found,
                key=f"label/{stranger.read}" if stranger.scan is self.wristband else f"container/{stranger.read}",
                order=order.name,
                how=stranger.scan.how,
                more_lots=order.lots,
            )
        bag = order.containers[name]
        refusal = givable(world, order, name, bag, self.stage)
        if refusal is not None:
            raise refusal
        body = giving.IdentityChecked(
            coi=coi,
            pair=order.pair,
            stage=self.stage,
            bag=name,
            lot=bag.lot or "",
            recipient=Wristband(subject=recipient.name, wristband=recipient.wristband or ""),
            performer=by.person,
            verifier=self.verifier,
        )
        scans = (self.wristband, self.bag, *(() if self.coi is None else (self.coi,)))
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
            *scan.confirmed(by, self.role, scans),
        )
        return Decision(facts=(order.fact(body),), sign=sign)

    def _agree(self, world: World, order: OrderState, recipient: SubjectState) -> str:
        """The bag, when everything read belongs to this recipient and this order. Raises Stranger otherwise."""
        wristband = scan.wristband(self.wristband)
        if wristband != recipient.wristband:
            raise labelled.Stranger(self.wristband, wristband)
        found = labelled.of_order(world, order, self.bag, order.bags())
        read = found.coi
        if self.coi is not None:
            read = scan.chain_of_identity(self.coi)
            if read != order.coi:
                raise labelled.Stranger(self.coi, read, found=read)
        if read is None:
            raise Refusal(
                "second-identifier-missing",
                "The chain of identity {coi} was not read beside its containers.",
                remedy="Scan the order's label, or the bag's label that carries it.",
                rule="R064",
                coi=order.coi,
            )
        return found.container


def givable(world: World, order: OrderState, name: str, bag: ContainerState, stage: giving.Stage) -> Refusal | None:
    """Why a bag may not be thawed or infused now, None if it may. Identity is not asked here."""
    product = permission.product_of(world, order)
    lot = bag.lot or ""
    if stage == "thaw" and product.fresh:
        return Refusal(
            "fresh-product",
            "{product} is given fresh; there is no thaw.",
            remedy="Check the identity before infusion.",
            rule="D15",
            product=product.id,
        )
    allowed = _WAITS_FOR[stage] if stage == "thaw" or product.fresh else ("thawed",)
    if bag.status not in allowed:
        return Refusal(
            "bag-not-ready",
            "Bag {bag} is {status}; {stage} waits for a bag that is {wanted}.",
            remedy="Receive and accept the bag; thaw it before it is infused.",
            rule="R073",
            bag=name,
            status=bag.status,
            stage=stage,
            wanted=", ".join(allowed),
        )
    if not order.consented:
        return permission.no_consent(order)
    return (
        weight.judged(order, lot)
        or permission.released(world, lot, stage)
        or permission.gated(world, order, product, "infusion")
        or _in_time(world, name, bag)
    )


def _in_time(world: World, name: str, bag: ContainerState) -> Refusal | None:
    """The use window after thaw and the shelf life (R119). The last moment itself is still in time."""
    if bag.use_before is not None and world.now > moment("use_before", bag.use_before):
        return Refusal(
            "use-window-over",
            "Bag {bag} was thawed at {thawed} and was to be used before {until}.",
            remedy="It is not given; dispose of it.",
            rule="R119",
            bag=name,
            thawed=bag.thawed_at or "-",
            until=bag.use_before,
        )
    if bag.expires_at is not None and bag.thawed_at is None and world.now > moment("expires_at", bag.expires_at):
        return Refusal(
            "shelf-life-over",
            "Bag {bag} was to be used before {expires}.",
            remedy="It is disposed of; only the physician and quality assurance can decide on another product.",
            rule="R119",
            bag=name,
            expires=bag.expires_at,
        )
    return None


def checked(world: World, name: str, bag: ContainerState, stage: giving.Stage) -> Refusal | None:
    """Whether the identity of this bag has just been verified for this act (R073)."""
    fresh = bag.checked == stage and world.now - moment("checked_at", bag.checked_at) <= CHECK_VALID
    if fresh:
        return None
    return Refusal(
        "identity-not-checked",
        "Nobody has just checked bag {bag} against patient and order for {stage}.",
        remedy="Two people scan wristband, bag and order first.",
        rule="R073",
        bag=name,
        stage=stage,
    )


def own_bag(world: World, order: OrderState, one: Scan) -> str:
    """The bag of this order that was scanned. Raises Stranger."""
    return labelled.of_order(world, order, one, order.bags()).container
