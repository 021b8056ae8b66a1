"""What a lot is judged on at this moment, gathered from its record, its quality file and its order."""

from cellwright.factory.lot.access import known
from cellwright.factory.lot.part import Container
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.state import OrderState
from cellwright.factory.quality.calculation import Dose, Recipient
from cellwright.factory.quality.evaluation import Evidence, evaluate
from cellwright.factory.quality.file import QualityState, load
from cellwright.factory.quality.judge import Judgement
from cellwright.factory.quality.part import Result
from cellwright.factory.quality.specification import Specification
from cellwright.factory.rule import Refusal, World

GONE = frozenset({"consumed", "destroyed", "returned", "retained_sample", "surplus"})
"""Dispositions of a final bag that take it out of the dose."""


def specification(world: World, quality: QualityState) -> Specification | None:
    """The specification assigned to the lot, the very bytes it was assigned by; None before it is.

    Raises:
        Refusal: `specification-changed` if the version now has another hash.
    """
    assigned = quality.specification
    if assigned is None:
        return None
    found = world.definition(Specification, assigned.specification, assigned.version)
    if found.sha256 != assigned.sha256:
        raise Refusal(
            "specification-changed",
            "Specification {specification} {version} is not the one lot {lot} was assigned.",
            remedy="Bring back the approved file; a change is a new version.",
            rule="R100",
            specification=assigned.specification,
            version=assigned.version,
            lot=quality.lot,
        )
    return found


def evidence(world: World, lot: LotState, quality: QualityState) -> Evidence:
    """Results, cultures, bags by dose, and the recipient's dated weight."""
    recipient = Recipient()
    if lot.order is not None:
        order = world.load(OrderState, lot.order)
        recipient = Recipient(weight_kg=order.weight_kg, weight_on=order.weight_on)
    return Evidence(
        tuple(quality.results.values()),
        tuple(quality.cultures.values()),
        doses(lot.bags),
        recipient,
        world.now.date(),
    )


def doses(bags: tuple[Container, ...]) -> tuple[Dose, ...]:
    """The bags by the number of their dose; bags without a number are given together as the first."""
    grouped: dict[int, list[Container]] = {}
    for bag in bags:
        if bag.disposition not in GONE:
            grouped.setdefault(bag.dose or 1, []).append(bag)
    return tuple(
        Dose(number=number, volumes_ml=tuple(bag.filled_ml for bag in grouped[number])) for number in sorted(grouped)
    )


def judgements(world: World, number: str) -> dict[str, Judgement]:
    """The judgement of each test of a lot at this moment; empty while no specification is assigned."""
    lot, quality = known(world, number), load(world, number)
    found = specification(world, quality)
    return evaluate(found, evidence(world, lot, quality)) if found is not None else {}


def with_results(given: Evidence, new: tuple[Result, ...]) -> Evidence:
    """The evidence as it will be once new results stand in the record."""
    replaced = {result.stands_for for result in new}
    kept = tuple(r for r in given.results if r.id not in replaced)
    return given._replace(results=(*kept, *new))
