"""Custody without a gap: who holds a container where, one link following the other (R065)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cellwright.factory.order.fact import material
from cellwright.factory.order.state import ContainerState
from cellwright.factory.record import Body
from cellwright.factory.rule import Refusal


class Link(NamedTuple):
    """One change of holder or place. The first link of a container has no former holder."""

    from_holder: str | None
    from_place: str | None
    holder: str
    place: str
    at: datetime


class Gap(NamedTuple):
    """Where a chain is broken."""

    link: int
    """Index of the link that does not follow the one before it."""
    expected: str
    found: str


def links(facts: Iterable[tuple[Body, datetime]], container: str) -> list[Link]:
    """The custody of one container out of an order's facts, in the order they were recorded."""
    chain: list[Link] = []
    for body, at in facts:
        match body:
            case material.DonationCollected() if any(c.container == container for c in body.containers):
                chain.append(Link(None, None, body.holder, body.place, at))
            case material.MaterialTaken():
                chain += [Link(None, None, c.holder, c.place, at) for c in body.containers if c.container == container]
            case material.BagsPacked() if any(b.bag == container for b in body.bags):
                chain.append(Link(None, None, body.holder, body.place, at))
            case material.Dispatched() | material.Moved() | material.Received() if container in body.containers:
                chain.append(Link(body.from_holder, body.from_place, body.holder, body.place, at))
            case material.Stored() | material.TakenOut() if body.container == container:
                chain.append(Link(body.holder, body.from_place, body.holder, body.place, at))
            case _:
                pass
    return chain


def gaps(chain: Sequence[Link], transfer_max: timedelta | None = None) -> list[Gap]:
    """Every place where the holder or the place of a link is not that of the link before it, or where a transfer took
    longer than allowed. An empty chain has no gap; a chain that begins in the middle has one."""
    found: list[Gap] = []
    for index, link in enumerate(chain):
        if index == 0:
            if link.from_holder is not None:
                found.append(Gap(0, "the collection", f"{link.from_holder}, {link.from_place}"))
            continue
        before = chain[index - 1]
        if (link.from_holder, link.from_place) != (before.holder, before.place):
            found.append(Gap(index, f"{before.holder}, {before.place}", f"{link.from_holder}, {link.from_place}"))
        if link.at < before.at:
            found.append(Gap(index, f"not before {before.at.isoformat()}", link.at.isoformat()))
        elif transfer_max is not None and link.holder != before.holder and link.at - before.at > transfer_max:
            found.append(Gap(index, f"within {transfer_max}", f"{link.at - before.at}"))
    return found


def follows(name: str, container: ContainerState, holder: str, place: str) -> None:
    """Raises Refusal `custody-gap` unless the container is held there by them: nothing is teleported (R065)."""
    if (container.holder, container.place) != (holder, place):
        raise Refusal(
            "custody-gap",
            "Container {container} is with {holder} at {place}, not with {other} at {elsewhere}.",
            remedy="Record the handovers between the two, each signed by both parties.",
            rule="R065",
            container=name,
            holder=container.holder,
            place=container.place,
            other=holder,
            elsewhere=place,
        )
