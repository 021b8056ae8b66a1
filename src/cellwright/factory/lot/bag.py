"""Bags after filling: into a position, to another, out of it, and where each container ends (R074, D15)."""

from collections.abc import Iterable
from typing import Literal

from cellwright.factory.lot import scanning, swap
from cellwright.factory.lot.access import certain, container, known, other_person
from cellwright.factory.lot.fact.container import BagFrozen, BagMoved, BagTakenOut, ContainerDisposed, Disposition
from cellwright.factory.lot.part import Container
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import CaseState
from cellwright.factory.order.scan import Scan, confirmed, label
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

Purpose = Literal["pack_out", "destruction", "investigation", "other_use"]
HANDLERS = ("operator", "warehouse")


def _two(by: By, verifier: str, role: str, what: str, scans: Iterable[Scan] = ()) -> tuple[Need, ...]:
    other_person(by.person, verifier, what)
    needs = (
        Need(person=by.person, meaning="performed", role=role),
        Need(person=verifier, meaning="verified", role=role),
        *confirmed(by, role, scans),
    )
    return tuple(dict.fromkeys(needs))


def _scanned(world: World, lot: LotState, by: By, scans: Iterable[Scan]) -> Decision | tuple[Container, ...]:
    """The containers of scans at the freezer, or the hard stop."""
    scans = tuple(scans)
    stop = swap.stopped(world, lot, by, scans, point="storage")
    if stop is not None:
        return stop
    return tuple(scanning.identified(scanning.container(world, lot, scan)) for scan in scans)


def _placed(found: Container) -> str:
    if found.position is None:
        raise Refusal(
            "not-in-position",
            "Container {container} is in no position.",
            rule="R065",
            container=found.container,
        )
    return found.position


def destroyable(world: World, lot: LotState) -> None:
    """Raises Refusal `evidence-needed` while an identity case is open: its containers are evidence (D4)."""
    cases = [name for name, doubt in lot.doubts.items() if doubt and world.load(CaseState, name).open]
    if cases:
        raise Refusal(
            "evidence-needed",
            "Containers of lot {lot} are evidence in {cases}.",
            remedy="Quality assurance closes the case first.",
            rule="D4",
            lot=lot.number,
            cases=", ".join(cases),
        )


@command("lot.freeze_bag", *HANDLERS)
class FreezeBag(Command):
    """Put a bag into a free position. Where its cassette has a label, bag and cassette are scanned together."""

    lot: str
    bag: Scan
    position: str
    verifier: str
    cassette: Scan | None = None
    role: str = "operator"

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        certain(lot)
        scans = (self.bag,) if self.cassette is None else (self.bag, self.cassette)
        found = _scanned(world, lot, by, scans)
        if isinstance(found, Decision):
            return found
        bag = found[0]
        self._own_cassette(bag, found[-1])
        if not bag.detached:
            raise Refusal("bag-attached", "Bag {bag} is still attached to its set.", rule="R068", bag=bag.container)
        if bag.position is not None:
            raise Refusal(
                "in-position-already",
                "Bag {bag} is in position {position}.",
                remedy="Move it instead.",
                rule="R065",
                bag=bag.container,
                position=bag.position,
            )
        body = BagFrozen(
            coi=lot.coi,
            stock=lot.stock,
            bag=bag.container,
            position=self.position,
            performer=by.person,
            verifier=self.verifier,
            cassette=bag.cassette,
        )
        return Decision(facts=(lot.fact(body),), sign=_two(by, self.verifier, self.role, "freeze bag", scans))

    def _own_cassette(self, bag: Container, other: Container) -> None:
        serial = label(self.cassette, "cassette").text if self.cassette is not None else None
        if serial != bag.cassette or other.container != bag.container:
            raise Refusal(
                "bag-not-cassette",
                "Bag {bag} does not belong into the cassette of {other}.",
                remedy="Scan the bag and its own cassette.",
                rule="R066",
                bag=bag.container,
                other=other.container if serial is not None else "-",
            )


@command("lot.move_bag", *HANDLERS)
class MoveBag(Command):
    """Move a bag from its position to a free one."""

    lot: str
    bag: Scan
    position: str
    verifier: str
    role: str = "warehouse"

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        found = _scanned(world, lot, by, (self.bag,))
        if isinstance(found, Decision):
            return found
        (bag,) = found
        body = BagMoved(
            coi=lot.coi,
            stock=lot.stock,
            bag=bag.container,
            left=_placed(bag),
            position=self.position,
            performer=by.person,
            verifier=self.verifier,
        )
        return Decision(facts=(lot.fact(body),), sign=_two(by, self.verifier, self.role, "move bag", (self.bag,)))


@command("lot.take_out_bag", *HANDLERS)
class TakeOutBag(Command):
    """Take a bag out of its position. While identity is in doubt only for the investigation, and when the case has ended
    with the identity lost, for destruction."""

    lot: str
    bag: Scan
    purpose: Purpose
    verifier: str
    role: str = "warehouse"

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        if self.purpose == "destruction":
            destroyable(world, lot)
        elif self.purpose != "investigation":
            certain(lot)
        found = _scanned(world, lot, by, (self.bag,))
        if isinstance(found, Decision):
            return found
        (bag,) = found
        body = BagTakenOut(
            coi=lot.coi,
            stock=lot.stock,
            bag=bag.container,
            position=_placed(bag),
            purpose=self.purpose,
            performer=by.person,
            verifier=self.verifier,
        )
        return Decision(facts=(lot.fact(body),), sign=_two(by, self.verifier, self.role, "take out bag", (self.bag,)))


@command("lot.dispose_container", *HANDLERS)
class DisposeContainer(Command):
    """Record where a container ended. What lies in a position is taken out first."""

    lot: str
    container: str
    disposition: Disposition
    verifier: str
    reason: str
    role: str = "operator"

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        found = container(lot, self.container)
        if found.disposition is not None:
            raise Refusal(
                "container-gone",
                "Container {container} is {disposition}.",
                rule="R074",
                container=found.container,
                disposition=found.disposition,
            )
        if found.position is not None:
            raise Refusal(
                "still-in-position",
                "Container {container} is in position {position}.",
                remedy="Take it out first.",
                rule="R065",
                container=found.container,
                position=found.position,
            )
        if self.disposition == "destroyed":
            destroyable(world, lot)
        else:
            certain(lot)
        body = ContainerDisposed(
            coi=lot.coi,
            stock=lot.stock,
            container=found.container,
            disposition=self.disposition,
            performer=by.person,
            verifier=self.verifier,
        )
        needs = _two(by, self.verifier, self.role, "dispose of container")
        return Decision(facts=(lot.fact(body, reason=self.reason),), sign=needs)
