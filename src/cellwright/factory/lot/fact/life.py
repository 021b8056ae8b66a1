"""Facts of a lot's life: issued, in a room, operator replaced, complete, terminated, amended."""

from typing import Annotated, Literal

from cellwright.factory.identity import EXPECTS, NAMES, TAKES, Order, Pair, Person, Product
from cellwright.factory.lot.fact.owned import Owned
from cellwright.factory.record import Body, event


@event("lot.issued")
class LotIssued(Owned):
    """The batch record is issued from one approved recipe, locked by its hash, checked and signed (R039)."""

    lot: Annotated[str, TAKES("lot")]
    product: Product
    product_version: str
    recipe: str
    recipe_version: str
    recipe_sha256: str
    issued_by: Person
    checked_by: Person
    pair: Pair | None = None
    order: Order | None = None
    market: str | None = None
    doses: int = 1


@event("lot.room_entered")
class RoomEntered(Owned):
    """The lot's open material is in a cleared room that nobody else holds (R047)."""

    room: Annotated[str, EXPECTS("room")]
    performer: Person
    verifier: Person


@event("lot.room_left")
class RoomLeft(Owned):
    """The lot's material has left the room; the room stays held until it is cleared (R047)."""

    room: Annotated[str, EXPECTS("room")]
    performer: Person


@event("lot.operator_replaced")
class OperatorReplaced(Body):
    """A running step changes hands, for example after a lock-out (D9)."""

    step: str
    left: Person
    took_over: Person


@event("lot.completed")
class LotCompleted(Body):
    """Every step is done and the record is locked; from here on only addenda (R058)."""

    labels_issued: int
    labels_applied: int
    labels_destroyed: int
    bags_filled: int
    performer: Person
    verifier: Person


@event("lot.terminated")
class LotTerminated(Body):
    """Making ends without a product."""

    cause: Literal["growth_failed", "contamination", "identity", "equipment", "withdrawn", "died", "other"]
    step: str | None = None
    recollect: bool = False
    """Whether cells should be collected again; the physician and the order decide."""
    assessor: Person


@event("lot.addendum_added")
class AddendumAdded(Body):
    """A signed correction or addition to a locked record; what it corrects stays readable (R058, R005)."""

    addendum: str
    text: str
    author: Person
    approver: Person
    corrects: str | None = None
    """Id of the event that is corrected."""
    field: str | None = None
    was: str | None = None
    becomes: str | None = None


@event("lot.sheet_printed")
class SheetPrinted(Body):
    """A numbered sheet for one step, printed from the exact recipe version before it was needed (D8)."""

    sheet: str
    step: str
    recipe_sha256: str
    printed_by: Person


@event("lot.sheet_voided")
class SheetVoided(Body):
    """A sheet that was not used, or spoilt, is accounted for."""

    sheet: str
    witness: Person


@event("lot.sheet_entered")
class SheetEntered(Body):
    """A numbered step sheet filled in while the system was down was entered afterwards (D8)."""

    sheet: str
    step: str
    sha256: str
    """Hash of the scan of the sheet, as kept with the files."""
    transcriber: Person
    verifier: Person
    started: str
    completed: str
    outage: str


@event("lot.doubt_raised")
class DoubtRaised(Body):
    """The identity of something in this lot is in doubt; nothing goes on until the case is closed (D4)."""

    case: Annotated[str, NAMES("case")]


@event("lot.doubt_lifted")
class DoubtLifted(Body):
    """The identity case is closed and the lot is free again."""

    case: Annotated[str, NAMES("case")]
