"""Starting material enters the lot: allocated to it, donor status known, in time, scanned (R070, handover point 7)."""

from cellwright.factory.lot import scanning, swap
from cellwright.factory.lot.access import other_person, workable
from cellwright.factory.lot.fact.container import StartingMaterialReceived
from cellwright.factory.lot.nonconformance import Finding, recorded
from cellwright.factory.lot.quantity import iso, moment, plain
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.pair import PairState, processable
from cellwright.factory.order.scan import Scan, confirmed
from cellwright.factory.order.state import ContainerState, OrderState
from cellwright.factory.portfolio.product import Product
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

TOO_OLD = "starting-material-too-old"


@command("lot.receive_material", "operator")
class ReceiveMaterial(Command):
    """Take one container of allocated starting material into the lot; a second person sees its label."""

    lot: str
    scan: Scan
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        other_person(by.person, self.verifier, "receive starting material")
        order, pair = _donor(world, lot)
        name = scanning.read(world, self.scan).text
        found = order.containers.get(name)
        if found is None or found.lot != lot.number:
            stop = swap.stopped(world, lot, by, (self.scan,), point="in_process")
            if stop is not None:
                return stop
        found = _allocated(lot, name, found)
        refusal = processable(pair)
        if refusal is not None:
            raise refusal
        product = world.definition(Product, lot.product, lot.product_version)
        late = _too_old(world, lot, name, found, product)
        if late is not None:
            return late
        body = StartingMaterialReceived(
            coi=lot.coi,
            container=name,
            din=found.din,
            volume_ml=plain(found.volume_ml),
            collected_at=found.collected_at,
            donor_status=pair.donor_status,
            performer=by.person,
            verifier=self.verifier,
            hold_max=None if found.kept else iso(product.collection_hold_max),
            legends=tuple(pair.legends),
            cells=None if found.cells is None else plain(found.cells),
        )
        needs = (
            Need(person=by.person, meaning="received", role="operator"),
            Need(person=self.verifier, meaning="verified", role="operator"),
        )
        return Decision(
            facts=(lot.fact(body),), sign=tuple(dict.fromkeys((*needs, *confirmed(by, "operator", (self.scan,)))))
        )


def _donor(world: World, lot: LotState) -> tuple[OrderState, PairState]:
    if lot.order is None or lot.pair is None:
        raise Refusal(
            "stock-takes-no-cells",
            "Lot {lot} is stock; no patient's cells flow into it.",
            remedy="Make stock from released stock materials.",
            rule="D2",
            lot=lot.number,
        )
    return world.load(OrderState, lot.order), world.load(PairState, lot.pair)


def _allocated(lot: LotState, name: str, found: ContainerState | None) -> ContainerState:
    if name in lot.containers:
        raise Refusal(
            "received-already", "Container {container} is in lot {lot} already.", rule="R061", container=name,
            lot=lot.number,
        )  # fmt: skip
    if found is None or found.lot != lot.number or found.status != "allocated":
        raise Refusal(
            "not-allocated",
            "Container {container} is not allocated to lot {lot}.",
            remedy="Accept it, with the donor's status known, and allocate it to this lot first.",
            rule="R070",
            container=name,
            lot=lot.number,
        )
    return found


def _too_old(world: World, lot: LotState, name: str, found: ContainerState, product: Product) -> Decision | None:
    """Collected cells past their holding time: recorded at once, usable only after assessment (R050, R119)."""
    limit = None if found.kept else product.collection_hold_max
    if limit is None or world.now - moment(found.collected_at) <= limit:
        return None
    known = [n for n in lot.nonconformances.values() if n.code == TOO_OLD and n.container == name]
    if any(not n.blocks for n in known):
        return None
    refusal = Refusal(
        TOO_OLD,
        "Container {container} was collected at {collected} and may be held for {limit}.",
        remedy="Quality assurance assesses it; if making may go on, receive it then.",
        rule="R119",
        container=name,
        collected=found.collected_at,
        limit=iso(limit),
    )
    facts = () if known else recorded(lot, (Finding(refusal, "major", container=name),))
    return Decision(facts=facts, stop=refusal)
