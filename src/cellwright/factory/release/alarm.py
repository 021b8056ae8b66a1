"""What follows when a lot that was allowed to leave turns out not to be in order: stop it, and tell those concerned."""

from datetime import timedelta

from cellwright.factory import people
from cellwright.factory.lot.state import LotState
from cellwright.factory.record import Fact
from cellwright.factory.release.fact import Addressee, Cause, NotificationDue, Suspended
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.rule import World

NOTIFY_WITHIN: dict[Addressee, timedelta] = {
    "physician": timedelta(hours=24),
    "quality_assurance": timedelta(hours=4),
    "sponsor": timedelta(hours=24),
}
"""How long each may wait. Assumption: the rules say "immediately" and name no hours (Part IV section 14)."""


def stop_and_notify(
    world: World,
    release: ReleaseState,
    lot: LotState,
    cause: Cause,
    text: str,
    results: tuple[str, ...] = (),
) -> tuple[Fact, ...]:
    """The suspension and the notifications with their clocks, all of one decision (R108).

    Args:
        cause: what turned.
        text: what happened, in words, for those who are told.
        results: results it rests on.
    """
    facts: list[Fact] = []
    if release.outgoing:
        facts.append(
            release.fact(
                Suspended(lot=lot.number, coi=lot.coi, stock=lot.stock, cause=cause, text=text, results=results)
            )
        )
    return (*facts, *notifications(world, release, lot, cause, text))


def notifications(world: World, release: ReleaseState, lot: LotState, cause: Cause, text: str) -> tuple[Fact, ...]:
    """One notification for each who must be told, numbered on from those the lot has."""
    start = len(release.notifications) + 1
    return tuple(
        release.fact(
            NotificationDue(
                lot=lot.number,
                coi=lot.coi,
                stock=lot.stock,
                notification=f"{lot.number}-NT{number:02d}",
                addressee=addressee,
                cause=cause,
                text=text,
                due=people.stamp(world.now + within),
            )
        )
        for number, (addressee, within) in enumerate(NOTIFY_WITHIN.items(), start)
    )
