"""Rooms: cleared, taken by one lot, left, cleared again (R047).

An exclusive room holds the open material of one chain of identity at a time. The claim `room/<id>` says whose it is:
it is taken when a lot enters a cleared room and ends only with the next clearance, which two people sign. So the lot
after cannot enter in between, whatever the screen shows. A shared room (a freezer farm, an incubator hall) is never
taken; positions in its equipment are.
"""

from typing import Annotated, ClassVar, Literal

from cellwright.factory.identity import RELEASES, TAKES, Coi, Lot, Person, Stock
from cellwright.factory.record import Body, Fact, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command


@event("room.registered")
class RoomRegistered(Body):
    """A room of the plant comes into use; it must be cleared before its first lot."""

    room_class: str
    exclusive: bool


@event("room.taken")
class RoomTaken(Body):
    """A lot brings its open material into a cleared room."""

    coi: Coi | None = None
    stock: Stock | None = None
    room: Annotated[str, TAKES("room")]
    lot: Lot


@event("room.left")
class RoomLeft(Body):
    """The lot's material is out; the room stays this owner's until it is cleared."""

    lot: Lot


@event("room.cleared")
class RoomCleared(Body):
    """Nothing of any lot is in the room any more: seen by one person, seen again by another."""

    coi: Coi | None = None
    stock: Stock | None = None
    freed: Annotated[str, RELEASES("room")] | None = None
    """The room, where a claim on it ends; absent where nobody held it."""
    performer: Person
    verifier: Person


class RoomState(State):
    """A room: who holds it, and whether the next lot may enter."""

    room: ClassVar[str] = "room"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.room_class = ""
        self.exclusive = False
        self.cleared = False
        self.coi: str | None = None
        self.stock: str | None = None
        self.lot: str | None = None
        """The lot that is in the room now."""
        self.last_lot: str | None = None
        """The lot that was in it last."""

    @property
    def holder(self) -> str | None:
        """The value of the claim on the room: a chain of identity, `stock/<name>`, or None."""
        return f"stock/{self.stock}" if self.stock is not None else self.coi

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case RoomRegistered():
                self.room_class, self.exclusive = body.room_class, body.exclusive
            case RoomTaken():
                self.coi, self.stock, self.lot, self.last_lot = body.coi, body.stock, body.lot, body.lot
                self.cleared = False
            case RoomLeft():
                self.lot = None
            case RoomCleared():
                self.coi = self.stock = self.lot = None
                self.cleared = True
            case _:
                pass

    def may_enter(self, lot: str) -> Refusal | None:
        """Why a lot may not bring open material into this room now, or None."""
        values = {"room": self.name, "lot": lot}
        if not self.exists:
            return Refusal("room-unknown", "The room {room} is not registered.", rule="R047", **values)
        if not self.exclusive:
            return Refusal(
                "room-not-exclusive",
                "The room {room} is shared; open material of a patient may not be in it.",
                remedy="Use a room for open processing.",
                rule="R047",
                **values,
            )
        if self.lot is not None:
            return Refusal(
                "room-occupied",
                "The room {room} holds the lot {other}; the lot {lot} may not enter.",
                remedy="Take another room, or wait until {other} has left and the room is cleared.",
                rule="R047",
                other=self.lot,
                **values,
            )
        if not self.cleared:
            return Refusal(
                "room-not-cleared",
                "The room {room} was not cleared after the lot {other}; the lot {lot} may not enter.",
                remedy="Clear the room with a second person first.",
                rule="R047",
                other=self.last_lot or "-",
                **values,
            )
        return None

    def enter(self, lot: str, *, coi: str | None = None, stock: str | None = None) -> Fact:
        """The fact that a lot takes this room, to stand before the lot's own fact in the same decision.

        Raises:
            Refusal: see `may_enter`.
        """
        refusal = self.may_enter(lot)
        if refusal is not None:
            raise refusal
        return self.fact(RoomTaken(room=self.name, lot=lot, coi=coi, stock=stock))

    def leave(self, lot: str) -> Fact:
        """The fact that a lot has left this room.

        Raises:
            Refusal `room-not-held`: another lot is in the room, or none.
        """
        if self.lot != lot:
            raise Refusal(
                "room-not-held",
                "The lot {lot} is not in the room {room}; the lot {other} is.",
                rule="R047",
                room=self.name,
                lot=lot,
                other=self.lot or "-",
            )
        return self.fact(RoomLeft(lot=lot))


@command("plant.clear_room", "operator", "process_engineer")
class ClearRoom(Command):
    """Line clearance: the room is empty of material, labels, waste and documents of any lot (R047)."""

    room: str
    verifier: str
    second_role: Literal["operator", "quality_assurance", "process_engineer"] = "operator"

    def decide(self, world: World, by: By) -> Decision:
        state = world.load(RoomState, self.room)
        if not state.exists:
            raise Refusal("room-unknown", "The room {room} is not registered.", rule="R047", room=self.room)
        if state.lot is not None:
            raise Refusal(
                "room-in-use",
                "The room {room} cannot be cleared while the lot {lot} is in it.",
                remedy="Bring the material of {lot} out first.",
                rule="R047",
                room=self.room,
                lot=state.lot,
            )
        body = RoomCleared(
            coi=state.coi,
            stock=state.stock,
            freed=self.room if state.holder is not None else None,
            performer=by.person,
            verifier=self.verifier,
        )
        sign = (
            Need(person=by.person, meaning="performed", role="operator"),
            Need(person=self.verifier, meaning="verified", role=self.second_role),
        )
        return Decision(facts=(state.fact(body),), sign=sign)
