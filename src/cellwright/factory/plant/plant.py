"""The file of a plant: rooms, equipment, staff, calendars and materials, and what is known about the site.

The same file is executed, planned and simulated. What is published about a plant carries its source and its conflicts;
what had to be assumed to make it run says so.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from cellwright.factory.definition import ASSUMED, Basis, Count, Definition, Entry, Flaw, Name, Text, Words
from cellwright.factory.definition import repeated as _repeated
from cellwright.factory.definition import unknown as _unknown

ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Statement(Entry):
    """Something published about a site or a product. Statements with the same `about` stand side by side."""

    about: Name
    text: Text
    basis: Basis
    conflict: Text | None = None
    """In what it disagrees with the others about the same thing; a conflict is shown, never resolved silently."""


class RoomClass(Entry):
    """Rooms of one kind. An `exclusive` one holds the open material of one patient at a time (R047)."""

    id: Name
    name: Text
    cleanliness: Text | None = None
    exclusive: bool = False
    basis: Basis = ASSUMED


class Room(Entry):
    id: Name
    name: Text
    room_class: Name
    clearance: timedelta = timedelta()
    """How long clearing takes after a lot; for the plan and the simulation."""
    basis: Basis = ASSUMED


class EquipmentClass(Entry):
    """Equipment of one kind and how often it must be qualified, calibrated and cleaned (R048); None: not applicable."""

    id: Name
    name: Text
    qualification_every: timedelta | None = None
    calibration_every: timedelta | None = None
    cleaning_every: timedelta | None = None
    clean_each_use: bool = False
    """Whether every use by a lot needs a cleaning before the next lot."""
    positions: Count | None = None
    """Numbered places for containers; many patients may share the equipment, never a position (D2)."""
    basis: Basis = ASSUMED


class Equipment(Entry):
    id: Name
    equipment_class: Name
    room: Name
    serial: str = ""
    basis: Basis = ASSUMED


class Shift(Entry):
    """Hours of work in the plant's zone; a shift whose end is not after its start ends on the next day."""

    id: Name
    name: Text
    start: ClockTime
    end: ClockTime
    days: Annotated[tuple[Day, ...], Meta(min_length=1)]
    basis: Basis = ASSUMED


class Staff(Entry):
    """How many people hold a role in a shift."""

    role: Name
    shift: Name
    count: Count
    basis: Basis = ASSUMED


class Material(Entry):
    """An item that lots consume. `stock` is the owner its lots belong to in the table of claims (D2)."""

    code: Name
    name: Text
    kind: Literal["vector", "reagent", "medium", "buffer", "container", "label", "kit", "cells", "resin"]
    unit: Words
    stock: Name
    shelf_life: timedelta | None = None
    storage_max_c: Decimal | None = None
    storage_min_c: Decimal | None = None
    basis: Basis = ASSUMED


class Plant(Definition):
    """A site and what is in it."""

    name: Text
    operator: Text
    place: Text
    zone: Words
    """IANA name of the time zone."""
    facility: Annotated[str, Meta(pattern=r"^[A-NP-Z1-9][A-NP-Z0-9]{2}[0-9]{2}$")]
    """ISBT 128 facility identification number; A9999 is the one set aside for tests."""
    prefix: Name
    """Stands before the site's own identifiers, so that two sites never issue the same."""
    room_classes: tuple[RoomClass, ...]
    rooms: tuple[Room, ...]
    equipment_classes: tuple[EquipmentClass, ...]
    equipment: tuple[Equipment, ...]
    shifts: tuple[Shift, ...]
    staff: tuple[Staff, ...]
    materials: tuple[Material, ...]
    statements: tuple[Statement, ...] = ()
    assumptions: tuple[Text, ...] = ()

    def room(self, name: str) -> Room:
        return next(room for room in self.rooms if room.id == name)

    def room_class(self, name: str) -> RoomClass:
        return next(one for one in self.room_classes if one.id == name)

    def equipment_class(self, name: str) -> EquipmentClass:
        return next(one for one in self.equipment_classes if one.id == name)

    def rooms_of(self, room_class: str) -> tuple[Room, ...]:
        """The rooms of a class, in the order of the file."""
        return tuple(room for room in self.rooms if room.room_class == room_class)

    def equipment_of(self, equipment_class: str) -> tuple[Equipment, ...]:
        """The equipment of a class, in the order of the file."""
        return tuple(one for one in self.equipment if one.equipment_class == equipment_class)

    def material(self, code: str) -> Material:
        return next(material for material in self.materials if material.code == code)

    def check(self) -> Iterator[Flaw]:
        yield from self._unique()
        yield from self._references()
        for index, material in enumerate(self.materials):
            low, high = material.storage_min_c, material.storage_max_c
            if low is not None and high is not None and low > high:
                path = ("materials", index, "storage_min_c")
                yield Flaw(path, "The storage limits contradict each other.", expected="storage_min_c <= storage_max_c")

    def _unique(self) -> Iterator[Flaw]:
        lists: tuple[tuple[str, str, Iterable[str]], ...] = (
            ("room_classes", "id", (x.id for x in self.room_classes)),
            ("rooms", "id", (x.id for x in self.rooms)),
            ("equipment_classes", "id", (x.id for x in self.equipment_classes)),
            ("equipment", "id", (x.id for x in self.equipment)),
            ("shifts", "id", (x.id for x in self.shifts)),
            ("materials", "code", (x.code for x in self.materials)),
        )
        for key, field, names in lists:
            for index, name in _repeated(names):
                yield Flaw((key, index, field), "{name} stands here again.", expected="each id once", name=name)

    def _references(self) -> Iterator[Flaw]:
        room_classes = tuple(x.id for x in self.room_classes)
        rooms = tuple(x.id for x in self.rooms)
        equipment_classes = tuple(x.id for x in self.equipment_classes)
        shifts = tuple(x.id for x in self.shifts)
        uses: list[tuple[str, int, str, str, tuple[str, ...]]] = [
            *(("rooms", i, "room_class", x.room_class, room_classes) for i, x in enumerate(self.rooms)),
            *(("equipment", i, "room", x.room, rooms) for i, x in enumerate(self.equipment)),
            *(
                ("equipment", i, "equipment_class", x.equipment_class, equipment_classes)
                for i, x in enumerate(self.equipment)
            ),
            *(("staff", i, "shift", x.shift, shifts) for i, x in enumerate(self.staff)),
        ]
        for key, index, field, name, known in uses:
            if _unknown(name, known):
                yield Flaw(
                    (key, index, field),
                    "{name} is not in this plant.",
                    expected="one of: {known}",
                    name=name,
                    known=", ".join(known),
                )
