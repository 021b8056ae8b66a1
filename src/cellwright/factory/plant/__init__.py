"""The plant: rooms, equipment, materials and staff, as a file and as states that commands change."""

from cellwright.factory.plant.equipment import EquipmentState
from cellwright.factory.plant.material import MaterialState
from cellwright.factory.plant.plant import Plant
from cellwright.factory.plant.room import RoomState

__all__ = ["EquipmentState", "MaterialState", "Plant", "RoomState"]
