"""Swaps during making: a code that belongs to somebody else stops the work, for both (R066)."""

from collections.abc import Iterable

from cellwright.factory.lot import scanning
from cellwright.factory.lot.state import LotState
from cellwright.factory.order import case
from cellwright.factory.order.scan import Scan
from cellwright.factory.rule import By, Decision, World

_KINDS = ("label", "container", "sample", "bag", "lot")
"""What a code on the bench can be: the kinds of claims that are asked whose it is."""


def stopped(
    world: World, lot: LotState, by: By, scans: Iterable[Scan], *, point: case.Point, expected: str = ""
) -> Decision | None:
    """The hard stop that a foreign code among these scans causes; None when there is none.

    A code that nobody in this site's record owns, and one of another lot of the same chain of identity, is not an
    identity case: the command refuses it by itself (`scanning.container`).
    """
    for scan in scans:
        said = scanning.read(world, scan)
        if scanning.own(lot, said):
            continue
        found = _whose(world, said.text)
        key, holder = found if found is not None else (None, None)
        foreign = next((one for one in (holder, said.whose) if one not in (None, lot.owner)), None)
        if foreign is None:
            continue
        return case.mismatch(
            world,
            by,
            point=point,
            expected=expected or f"a container of lot {lot.number}",
            scanned=said.text,
            coi=lot.coi,
            key=key,
            found=foreign,
            lot=lot.number,
            order=lot.order,
            how=scan.how,
        )
    return None


def _whose(world: World, text: str) -> tuple[str, str] | None:
    """The claim on a code and its owner, whatever kind of item it turns out to be."""
    for kind in _KINDS:
        key = f"{kind}/{text}"
        holder = world.claim(key)
        if holder is not None:
            return key, holder
    return None
