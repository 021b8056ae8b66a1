"""Making containers from containers: splits, pools, transfers, processing. Counts and volumes reconcile (R067)."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

from cellwright.factory.lot import division, quantity, scanning, swap
from cellwright.factory.lot.access import other_person, workable
from cellwright.factory.lot.fact.container import Draw, Made, MaterialTransferred, Transfer, VolumeMeasured
from cellwright.factory.lot.part import FINAL_BAG, Container
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import under_way
from cellwright.factory.order.fact.material import ContainerDisposed
from cellwright.factory.order.figure import positive
from cellwright.factory.order.scan import Scan, confirmed, container_name
from cellwright.factory.order.state import OrderState
from cellwright.factory.record import Fact, Immutable
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


class Source(Immutable):
    """A container that is drawn from: its scan, how much, and whether it is empty afterwards."""

    scan: Scan
    volume_ml: str
    emptied: bool = False


class Child(Immutable):
    """A container that is filled. Its division code is the next free one unless one is named.

    A final bag holds a dose: of products of several doses the next one, bag by bag, unless its number is given (D15).
    """

    kind: str
    volume_ml: str
    division: str | None = None
    dose: int | None = None
    viable_cells: str | None = None


@command("lot.transfer", "operator")
class TransferMaterial(Command):
    """Move material of scanned containers into new ones.

    A `split`, `pool` or `transfer` keeps the volume: what is drawn is what is made and what is lost. A `process` step
    (wash, selection, culture, concentration) does not; there only the parents and the new volumes are recorded.
    """

    lot: str
    transfer: Transfer
    sources: tuple[Source, ...]
    children: tuple[Child, ...]
    verifier: str
    waste_ml: str = "0"
    step: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        other_person(by.person, self.verifier, self.transfer)
        scans = tuple(source.scan for source in self.sources)
        stop = swap.stopped(world, lot, by, scans, point="in_process")
        if stop is not None:
            return stop
        if self.step is not None:
            under_way(lot, self.step)
        parents = tuple(scanning.identified(scanning.container(world, lot, scan)) for scan in scans)
        self._shape(lot, parents)
        draws = tuple(_draw(parent, source) for parent, source in zip(parents, self.sources, strict=True))
        self._reconcile(draws)
        pool_din = world.issue("din") if _pools(parents) and lot.personal and lot.pool_din is None else None
        din = pool_din or (lot.pool_din if _pools(parents) else _din(parents))
        body = MaterialTransferred(
            coi=lot.coi,
            stock=lot.stock,
            transfer=self.transfer,
            sources=draws,
            made=self._made(world, lot, din),
            performer=by.person,
            verifier=self.verifier,
            waste_ml=self.waste_ml,
            step=self.step,
            pool_din=pool_din,
        )
        needs = (
            Need(person=by.person, meaning="performed", role="operator"),
            Need(person=self.verifier, meaning="verified", role="operator"),
        )
        used_up = _used_up(world, lot, parents, body)
        return Decision(
            facts=(lot.fact(body), *used_up), sign=tuple(dict.fromkeys((*needs, *confirmed(by, "operator", scans))))
        )

    def _shape(self, lot: LotState, parents: tuple[Container, ...]) -> None:
        names = [parent.container for parent in parents]
        fits = {
            "split": len(names) == 1 and len(self.children) > 1,
            "pool": len(names) > 1 and len(self.children) == 1,
            "transfer": len(names) == 1 and len(self.children) == 1,
            "process": (len(names) > 0 or not lot.personal) and len(self.children) > 0,
        }[self.transfer]
        if not fits or len(set(names)) != len(names):
            raise Refusal(
                "transfer-shape",
                "A {transfer} is not made from {sources} containers into {children}.",
                remedy="One into several is a split, several into one a pool, one into one a transfer; only stock begins from nothing.",
                rule="R067",
                transfer=self.transfer,
                sources=len(names),
                children=len(self.children),
            )

    def _reconcile(self, draws: tuple[Draw, ...]) -> None:
        waste = quantity.amount("waste_ml", self.waste_ml)
        made = sum((positive("volume_ml", child.volume_ml) for child in self.children), Decimal(0))
        drawn = sum((Decimal(draw.volume_ml) for draw in draws), Decimal(0))
        if self.transfer != "process" and made + waste != drawn:
            raise Refusal(
                "volumes-do-not-reconcile",
                "{drawn} mL drawn is not {made} mL filled and {waste} mL lost.",
                remedy="Measure again; what was lost is recorded as lost.",
                rule="R067",
                drawn=drawn,
                made=made,
                waste=waste,
            )

    def _made(self, world: World, lot: LotState, din: str | None) -> tuple[Made, ...]:
        """The new containers; a stock lot, which comes from no donation, counts its own."""
        source = din or lot.number
        codes = division.free(
            division.taken(world, lot, source) | {c.division for c in self.children if c.division}, source
        )
        held = {bag.dose for bag in lot.bags} | {child.dose for child in self.children}
        doses = (n for n in count(1) if n not in held)
        return tuple(
            Made(
                container=container_name(source, code),
                kind=child.kind,
                volume_ml=child.volume_ml,
                din=din,
                division=code,
                dose=_dose(lot, child, doses),
                viable_cells=None if child.viable_cells is None else quantity.plain(_cells(child.viable_cells)),
            )
            for child in self.children
            for code in (child.division or next(codes),)
        )


def _used_up(world: World, lot: LotState, parents: tuple[Container, ...], body: MaterialTransferred) -> Iterator[Fact]:
    """On the order's side: its containers that are empty now were used in manufacture (R074)."""
    if lot.order is None or lot.coi is None:
        return
    order = world.load(OrderState, lot.order)
    emptied = {draw.container for draw in body.sources if draw.emptied}
    for parent in parents:
        if parent.container in emptied and parent.container in order.containers:
            yield order.fact(
                ContainerDisposed(
                    coi=lot.coi,
                    container=parent.container,
                    disposition="used_in_manufacture",
                    performer=body.performer,
                    verifier=body.verifier,
                    lot=lot.number,
                )
            )


def _cells(text: str) -> Decimal:
    return quantity.amount("viable_cells", text)


def _draw(parent: Container, source: Source) -> Draw:
    volume = positive("volume_ml", source.volume_ml)
    if volume > parent.volume_ml or (source.emptied and volume != parent.volume_ml):
        raise Refusal(
            "volume-not-there",
            "{container} holds {held} mL; {volume} mL cannot be drawn from it like this.",
            remedy="Measure the container again and record the volume, then draw.",
            rule="R067",
            container=parent.container,
            held=parent.volume_ml,
            volume=volume,
        )
    return Draw(container=parent.container, volume_ml=source.volume_ml, emptied=source.emptied)


def _pools(parents: tuple[Container, ...]) -> bool:
    """Whether several donations come together, which then need a number of their own."""
    return len({parent.din for parent in parents}) > 1


def _din(parents: tuple[Container, ...]) -> str | None:
    return parents[0].din if parents else None


def _dose(lot: LotState, child: Child, following: Iterator[int]) -> int | None:
    if child.kind != FINAL_BAG:
        return child.dose
    dose = child.dose or (1 if lot.doses == 1 else next(following))
    if not 1 <= dose <= lot.doses:
        raise Refusal(
            "no-such-dose",
            "Lot {lot} has {doses} doses; there is no dose {dose}.",
            rule="D15",
            lot=lot.number,
            doses=lot.doses,
            dose=dose,
        )
    return dose


@command("lot.measure_volume", "operator")
class MeasureVolume(Command):
    """Record what a container holds, measured again."""

    lot: str
    scan: Scan
    volume_ml: str

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        stop = swap.stopped(world, lot, by, (self.scan,), point="in_process")
        if stop is not None:
            return stop
        found = scanning.identified(scanning.container(world, lot, self.scan))
        volume = quantity.amount("volume_ml", self.volume_ml)
        body = VolumeMeasured(
            coi=lot.coi,
            stock=lot.stock,
            container=found.container,
            was_ml=quantity.plain(found.volume_ml),
            volume_ml=quantity.plain(volume),
            performer=by.person,
        )
        return Decision(facts=(lot.fact(body),), sign=confirmed(by, "operator", (self.scan,)))
