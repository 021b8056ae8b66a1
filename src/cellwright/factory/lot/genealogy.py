"""Genealogy: from the donor's bag to every dose and back, and from a material lot to all that holds it (R053, R061)."""

from collections.abc import Iterable, Mapping

from cellwright.factory.lot.part import Container
from cellwright.factory.lot.state import LotState
from cellwright.factory.rule import World


def containers(lots: Iterable[LotState]) -> dict[str, Container]:
    """All containers of some lots by name. One that several lots know, as a shared collection, keeps its parents."""
    found: dict[str, Container] = {}
    for lot in lots:
        for name, one in lot.containers.items():
            if name not in found or one.parents:
                found[name] = one
    return found


def origins(known: Mapping[str, Container], name: str) -> frozenset[str]:
    """Everything a container's contents came from, itself excluded: upwards to the collection."""
    return _closure({n: c.parents for n, c in known.items()}, name)


def offspring(known: Mapping[str, Container], name: str) -> frozenset[str]:
    """Everything a container's contents went into, itself excluded: downwards to the doses."""
    children: dict[str, tuple[str, ...]] = {}
    for child, one in known.items():
        for parent in one.parents:
            children[parent] = (*children.get(parent, ()), child)
    return _closure(children, name)


def _closure(edges: Mapping[str, tuple[str, ...]], start: str) -> frozenset[str]:
    found: set[str] = set()
    ahead = list(edges.get(start, ()))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead.extend(edges.get(name, ()))
    return frozenset(found)


def of_chain(world: World, coi: str) -> tuple[LotState, ...]:
    """The lots of one chain of identity, oldest first."""
    loaded = (world.load(LotState, name) for name in world.streams(f"coi/{coi}", "lot"))
    return tuple(lot for lot in loaded if lot.coi == coi)


def consuming(world: World, material: str) -> tuple[str, ...]:
    """The lots that consumed a material lot, oldest first: whom a recall of that material reaches."""
    names = world.streams(f"material/{material}", "lot")
    return tuple(name for name in names if material in world.load(LotState, name).materials)


def using(world: World, equipment: str) -> tuple[str, ...]:
    """The lots with a step on a piece of equipment, oldest first (R053)."""
    names = world.streams(f"equipment/{equipment}", "lot")
    return tuple(
        name for name in names if any(equipment in s.equipment for s in world.load(LotState, name).steps.values())
    )
