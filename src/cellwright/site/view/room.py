"""A room: whose it is, what stands in it, and line clearance by two people (R047)."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET, require_POST

from cellwright.factory.plant.equipment import CleanEquipment, EquipmentState
from cellwright.factory.plant.plant import Plant
from cellwright.factory.plant.room import ClearRoom, RoomState
from cellwright.site import words
from cellwright.site.access import CONTENT, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.refusals import missing
from cellwright.site.view.floor import PLANTS, room_names
from cellwright.site.view.signing import give

OPERATORS = frozenset({"operator"})


@page(CONTENT)
@require_GET
def room(request: Asked, room: str) -> HttpResponse:
    """The room with its equipment, and the clearance that it waits for."""
    read = Read()
    state = read.load(RoomState, room)
    if not state.exists:
        return missing(request, room)
    plant = read.definition(Plant, PLANTS[0])
    pieces = [(piece, read.load(EquipmentState, piece.id)) for piece in plant.equipment if piece.room == room]
    mark = words.ROOM_TAKEN if state.lot else words.ROOM_FREE if state.cleared else words.ROOM_TO_CLEAR
    context = {
        "room": state, "name": room_names().get(room, ""), "mark": mark, "live": f"room/{room}",
        "equipment": [
            {"id": piece.id, "clean": one.used_by is None}
            for piece, one in pieces
        ],
        "operator": "operator" in request.roles, "version": state.version,
        "seconds": [p for p in house().people("operator") if p.name != request.person.name],
    }  # fmt: skip
    return render(request, "room.jinja", context)


@page(OPERATORS)
@require_POST
def clear(request: Asked, room: str) -> HttpResponse:
    """Empty of material, labels, waste and documents of any lot: two people have seen it and sign."""
    command = ClearRoom(room=room, verifier=request.POST.get("second", ""), second_role="operator")
    return give(request, command, f"/rooms/{room}")


@page(OPERATORS)
@require_POST
def clean(request: Asked, room: str) -> HttpResponse:
    """A piece of equipment is clean again."""
    return give(request, CleanEquipment(equipment=request.POST.get("equipment", "")), f"/rooms/{room}")
