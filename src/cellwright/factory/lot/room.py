"""Rooms: a lot brings its open material into a cleared room, and takes it out again (R047)."""

from cellwright.factory.lot.access import known, other_person, workable
from cellwright.factory.lot.fact.life import RoomEntered, RoomLeft
from cellwright.factory.plant.room import RoomState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


@command("lot.enter_room", "operator")
class EnterRoom(Command):
    """Take a cleared room for this lot; a second person sees that it is clear before anything is brought in."""

    lot: str
    room: str
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        other_person(by.person, self.verifier, "line clearance")
        taken = world.load(RoomState, self.room).enter(lot.number, coi=lot.coi, stock=lot.stock)
        body = RoomEntered(coi=lot.coi, stock=lot.stock, room=self.room, performer=by.person, verifier=self.verifier)
        needs = (
            Need(person=by.person, meaning="performed", role="operator"),
            Need(person=self.verifier, meaning="verified", role="operator"),
        )
        return Decision(facts=(taken, lot.fact(body)), sign=needs)


@command("lot.leave_room", "operator")
class LeaveRoom(Command):
    """Take the lot's material out of a room; the room stays this lot's until it is cleared."""

    lot: str
    room: str

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        open_here = [] if lot.locked else [s.step for s in lot.running if s.room == self.room]
        if open_here:
            raise Refusal(
                "step-in-room",
                "Step {steps} is under way in room {room}.",
                remedy="Complete it first.",
                rule="R047",
                steps=", ".join(open_here),
                room=self.room,
            )
        left = world.load(RoomState, self.room).leave(lot.number)
        body = RoomLeft(coi=lot.coi, stock=lot.stock, room=self.room, performer=by.person)
        return Decision(facts=(left, lot.fact(body)))
