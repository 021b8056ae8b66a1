"""Commissioning: the rooms and the equipment of an approved plant file come into the record."""

from datetime import timedelta

import msgspec

from cellwright.factory.plant.equipment import EquipmentRegistered, EquipmentState
from cellwright.factory.plant.plant import EquipmentClass, Plant
from cellwright.factory.plant.room import RoomRegistered, RoomState
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


@command("plant.commission", "quality_assurance")
class Commission(Command):
    """Register every room and piece of equipment of the plant file that the record does not know yet.

    Nothing is fit for use by this alone: equipment must be qualified, calibrated and cleaned, rooms cleared.
    """

    plant: str

    def decide(self, world: World, by: By) -> Decision:
        plant = world.definition(Plant, self.plant)
        facts: list[Fact] = []
        for room in plant.rooms:
            state = world.load(RoomState, room.id)
            if not state.exists:
                exclusive = plant.room_class(room.room_class).exclusive
                facts.append(state.fact(RoomRegistered(room_class=room.room_class, exclusive=exclusive)))
        for piece in plant.equipment:
            known = world.load(EquipmentState, piece.id)
            if not known.exists:
                body = _registered(plant.equipment_class(piece.equipment_class), piece.room, piece.serial)
                facts.append(known.fact(body))
        if not facts:
            raise Refusal(
                "nothing-to-commission",
                "Every room and piece of equipment of {plant} is in the record already.",
                rule="R048",
                plant=self.plant,
            )
        return Decision(
            facts=tuple(facts), sign=(Need(person=by.person, meaning="approved", role="quality_assurance"),)
        )


def _registered(kind: EquipmentClass, room: str, serial: str) -> EquipmentRegistered:
    return EquipmentRegistered(
        equipment_class=kind.id,
        place=room,
        serial=serial,
        qualification_every=_iso(kind.qualification_every),
        calibration_every=_iso(kind.calibration_every),
        cleaning_every=_iso(kind.cleaning_every),
        clean_each_use=kind.clean_each_use,
        capacity=kind.positions,
    )


def _iso(span: timedelta | None) -> str | None:
    return None if span is None else str(msgspec.to_builtins(span))
