"""Which lots may be worked on: known, not locked, identity not in doubt."""

from cellwright.factory.lot.part import Container
from cellwright.factory.lot.state import LotState
from cellwright.factory.rule import Refusal, World


def known(world: World, number: str) -> LotState:
    """A lot that was issued. Raises Refusal `unknown-lot`."""
    lot = world.load(LotState, number)
    if not lot.exists:
        raise Refusal("unknown-lot", "There is no lot {lot}.", lot=number)
    return lot


def unlocked(world: World, number: str) -> LotState:
    """A lot whose record is still written. Raises Refusal `record-locked` once it is complete or terminated (R058)."""
    lot = known(world, number)
    if lot.locked:
        raise Refusal(
            "record-locked",
            "The record of lot {lot} is {status} and locked.",
            remedy="A correction is a signed addendum.",
            rule="R058",
            lot=number,
            status=lot.status,
        )
    return lot


def workable(world: World, number: str) -> LotState:
    """A lot that may be processed: unlocked, and no identity in doubt (D4)."""
    lot = unlocked(world, number)
    certain(lot)
    return lot


def certain(lot: LotState) -> None:
    """Raises Refusal `identity-in-doubt` while an identity case touches the lot (D4)."""
    if lot.in_doubt:
        cases = ", ".join(case for case, doubt in lot.doubts.items() if doubt)
        raise Refusal(
            "identity-in-doubt",
            "The identity of lot {lot} is in doubt: {cases}.",
            remedy="Quality assurance investigates and closes the case; nothing goes on before.",
            rule="R066",
            lot=lot.number,
            cases=cases,
        )


def container(lot: LotState, name: str) -> Container:
    """A container of this lot. Raises Refusal `unknown-container`."""
    try:
        return lot.containers[name]
    except KeyError:
        raise Refusal(
            "unknown-container",
            "Lot {lot} has no container {container}.",
            remedy="Receive it, or make it from its parents, first.",
            rule="R067",
            lot=lot.number,
            container=name,
        ) from None


def other_person(first: str, second: str, what: str) -> None:
    """Raises Refusal `same-person-twice` where a second person must look (D10)."""
    if first == second:
        raise Refusal(
            "same-person-twice",
            "{person} cannot both do and verify: {what}.",
            remedy="A second qualified person verifies.",
            rule="R041",
            person=first,
            what=what,
        )
