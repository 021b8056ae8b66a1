"""The plant: rooms, equipment, materials and staff, as a file and as states that commands change."""
