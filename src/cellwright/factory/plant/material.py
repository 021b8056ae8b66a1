"""Material lots: received into quarantine, released or rejected by quality assurance, recalled (R049).

All materials are stock: vectors, reagents, media, empty containers. The claim `material/<lot>` belongs to
`stock/<name>`, so a step that consumes the lot under another name, or a personal item under the name of a stock, is a
hard stop at the ledger.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from cellwright.factory.identity import TAKES, Lot, Stock
from cellwright.factory.order.figure import moment, positive
from cellwright.factory.people import stamp
from cellwright.factory.plant.plant import Plant
from cellwright.factory.record import Body, Fact, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command

MaterialStatus = Literal["unknown", "quarantine", "released", "rejected", "recalled"]


@event("material.received")
class MaterialReceived(Body):
    """A delivery is in the house, in quarantine, under the supplier's lot number."""

    stock: Stock
    material: Annotated[str, TAKES("material")]
    code: str
    supplier_batch: str
    quantity: str
    unit: str
    expiry: str
    """Last instant of use, UTC."""
    made_as: Lot | None = None
    """The stock lot of this site that it is, where the supplier's batch is one: genealogy goes on through it."""


@event("material.used")
class MaterialUsed(Body):
    """A lot takes its first quantity. Whoever calls the material back meanwhile has to look again: none is missed."""

    lot: Lot


@event("material.released")
class MaterialReleased(Body):
    """Quality assurance releases the lot for use, on a document."""

    document: str


@event("material.rejected")
class MaterialRejected(Body):
    """Quality assurance rejects the lot for good."""


@event("material.recalled")
class MaterialRecalled(Body):
    """The lot is called back; lots made with it are found by its tag."""

    notice: str


class MaterialState(State):
    """One lot of a material."""

    room: ClassVar[str] = "material"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.received: MaterialReceived | None = None
        self.status: MaterialStatus = "unknown"
        self.notice: str | None = None
        self.lots: tuple[str, ...] = ()
        """Lots that took some of it, oldest first."""

    @property
    def code(self) -> str:
        """Item code in the plant's list."""
        return "" if self.received is None else self.received.code

    @property
    def stock(self) -> str:
        """Name of the stock the lot belongs to."""
        return "" if self.received is None else self.received.stock

    @property
    def unit(self) -> str:
        return "" if self.received is None else self.received.unit

    @property
    def expiry(self) -> str:
        """Last instant of use, UTC."""
        return "" if self.received is None else self.received.expiry

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case MaterialReceived():
                self.received, self.status = body, "quarantine"
            case MaterialUsed():
                self.lots = (*self.lots, body.lot)
            case MaterialReleased():
                self.status = "released"
            case MaterialRejected():
                self.status = "rejected"
            case MaterialRecalled():
                self.status, self.notice = "recalled", body.notice
            case _:
                pass

    def use(self, lot: str) -> tuple[Fact, ...]:
        """The fact that a lot takes some of it for the first time; nothing where that is known."""
        return () if lot in self.lots else (self.fact(MaterialUsed(lot=lot)),)

    def usable(self, now: datetime, code: str | None = None) -> Refusal | None:
        """Why this lot may not be consumed now as the item `code`, or None. Each reason has its own code (R049)."""
        values = {"material": self.name, "item": code or "", "found": self.code}
        if self.received is None:
            return Refusal(
                "material-unknown", "The material lot {material} was never received here.",
                remedy="Set it aside and scan a lot from the store.", rule="R049", **values,
            )  # fmt: skip
        if code is not None and code != self.code:
            return Refusal(
                "material-wrong-item", "The step needs {item}; the lot {material} is {found}.",
                remedy="Scan a lot of {item}.", rule="R049", **values,
            )  # fmt: skip
        if self.status == "recalled":
            return Refusal(
                "material-recalled", "The material lot {material} is recalled: {notice}.",
                remedy="Set it aside and scan another lot.", rule="R049", notice=self.notice or "", **values,
            )  # fmt: skip
        if self.status == "rejected":
            return Refusal(
                "material-rejected", "The material lot {material} is rejected.",
                remedy="Set it aside and scan another lot.", rule="R049", **values,
            )  # fmt: skip
        if self.status != "released":
            return Refusal(
                "material-in-quarantine", "The material lot {material} is in quarantine.",
                remedy="Scan a released lot, or have quality assurance release this one.", rule="R049", **values,
            )  # fmt: skip
        if stamp(now) > self.expiry:
            return Refusal(
                "material-expired", "The material lot {material} expired at {expiry}.",
                remedy="Set it aside and scan a lot that is in date.", rule="R049", expiry=self.expiry, **values,
            )  # fmt: skip
        return None


def made_with(world: World, material: str) -> tuple[str, ...]:
    """The lots that consumed a material lot or were made with it, oldest first (R053)."""
    return world.streams(f"material/{material}", "lot")


def made_from(world: World, material: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Everything a material lot went into, through stock lots of this site that became materials in their turn (R053).

    Returns:
        Material lots, the one asked for first, and the lots that consumed any of them.
    """
    # Imported here: lots read materials.
    from cellwright.factory.lot.state import LotState

    materials, lots = [material], dict[str, None]()
    for one in materials:
        for number in dict.fromkeys((*world.load(MaterialState, one).lots, *made_with(world, one))):
            lot = world.load(LotState, number)
            if one not in lot.materials:
                continue
            lots[number] = None
            for name in world.streams(f"lot/{number}", "material"):
                received = world.load(MaterialState, name).received
                if received is not None and received.made_as == number and name not in materials:
                    materials.append(name)
    return tuple(materials), tuple(lots)


def _received(world: World, name: str) -> MaterialState:
    state = world.load(MaterialState, name)
    if state.received is None:
        raise Refusal(
            "material-unknown",
            "The material lot {material} was never received here.",
            remedy="Set it aside and scan a lot from the store.",
            rule="R049",
            material=name,
        )
    return state


@command("plant.receive_material", "warehouse")
class ReceiveMaterial(Command):
    """Take a delivery into quarantine. The item and its stock come from the plant's list."""

    plant: str
    material: str
    code: str
    supplier_batch: str
    quantity: str
    expiry: str

    def decide(self, world: World, by: By) -> Decision:
        plant = world.definition(Plant, self.plant)
        item = next((one for one in plant.materials if one.code == self.code), None)
        if item is None:
            raise Refusal(
                "item-unknown",
                "The plant has no material item {item}.",
                remedy="Add the item to the plant's file and approve it.",
                rule="R049",
                item=self.code,
            )
        state = world.load(MaterialState, self.material)
        if state.exists:
            raise Refusal(
                "material-exists",
                "The material lot {material} was received already.",
                remedy="Give this delivery a number of its own.",
                rule="R049",
                material=self.material,
            )
        positive("quantity", self.quantity)
        expiry = stamp(moment("expiry", self.expiry))
        if expiry <= stamp(world.now):
            raise Refusal(
                "material-expired",
                "The material lot {material} expired at {expiry}.",
                remedy="Refuse the delivery.",
                rule="R049",
                material=self.material,
                expiry=self.expiry,
            )
        body = MaterialReceived(
            stock=item.stock,
            material=self.material,
            code=self.code,
            supplier_batch=self.supplier_batch,
            quantity=self.quantity,
            unit=item.unit,
            expiry=expiry,
            made_as=_own(world, self.supplier_batch, item.stock),
        )
        return Decision(facts=(state.fact(body),), sign=(Need(person=by.person, meaning="received", role="warehouse"),))


def _own(world: World, batch: str, stock: str) -> str | None:
    """The stock lot of this site that a batch is, None for a supplier's. Raises Refusal `material-of-another-stock`."""
    from cellwright.factory.lot.state import LotState

    lot = world.load(LotState, batch)
    if not lot.exists:
        return None
    if lot.stock != stock:
        raise Refusal(
            "material-of-another-stock",
            "Lot {lot} is not of the stock {stock}.",
            remedy="Receive it as the item it is; what belongs to a patient is never a material.",
            rule="D2",
            lot=batch,
            stock=stock,
        )
    return batch


@command("plant.release_material", "quality_assurance")
class ReleaseMaterial(Command):
    """Release a material lot from quarantine."""

    material: str
    document: str

    def decide(self, world: World, by: By) -> Decision:
        state = _received(world, self.material)
        if state.status != "quarantine":
            raise _not_in_quarantine(state)
        if stamp(world.now) > state.expiry:
            raise Refusal(
                "material-expired",
                "The material lot {material} expired at {expiry}.",
                remedy="Reject it.",
                rule="R049",
                material=self.material,
                expiry=state.expiry,
            )
        _made_here(world, state)
        sign = (Need(person=by.person, meaning="approved", role="quality_assurance"),)
        return Decision(facts=(state.fact(MaterialReleased(document=self.document)),), sign=sign)


def _made_here(world: World, state: MaterialState) -> None:
    """Raises Refusal `lot-not-released`: a stock lot of this site is used only while its own release stands."""
    made_as = state.received.made_as if state.received is not None else None
    if made_as is None:
        return
    from cellwright.factory.release.state import load

    status = load(world, made_as).status
    if status != "released":
        raise Refusal(
            "lot-not-released",
            "Lot {lot} is {status}, so material {material} stays in quarantine.",
            remedy="An authorised person decides on the lot first.",
            rule="R049",
            lot=made_as,
            status=status,
            material=state.name,
        )


@command("plant.reject_material", "quality_assurance")
class RejectMaterial(Command):
    """Reject a material lot that is in quarantine; a released one is recalled instead."""

    material: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = _received(world, self.material)
        _reasoned(self.reason)
        if state.status != "quarantine":
            raise _not_in_quarantine(state)
        sign = (Need(person=by.person, meaning="rejected", role="quality_assurance"),)
        return Decision(facts=(state.fact(MaterialRejected(), reason=self.reason),), sign=sign)


@command("plant.recall_material", "quality_assurance", "authorised_person")
class RecallMaterial(Command):
    """Call a material lot back. Lots made with it are found by `made_with` and recalled by the release room."""

    material: str
    notice: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = _received(world, self.material)
        _reasoned(self.reason)
        return Decision(facts=(recall(state, self.notice, self.reason),))


def recall(state: MaterialState, notice: str, reason: str) -> Fact:
    """The fact of a recall. Raises Refusal `material-recalled` if it was called back before."""
    if state.status == "recalled":
        raise Refusal(
            "material-recalled",
            "The material lot {material} is recalled: {notice}.",
            rule="R049",
            material=state.name,
            notice=state.notice or "",
        )
    return state.fact(MaterialRecalled(notice=notice), reason=reason)


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise Refusal("reason-missing", "A reason is needed.", remedy="Write why.", rule="R004")


def _not_in_quarantine(state: MaterialState) -> Refusal:
    return Refusal(
        "material-not-in-quarantine",
        "The material lot {material} is {status} already.",
        remedy="A released lot can be recalled.",
        rule="R049",
        material=state.name,
        status=state.status,
    )
