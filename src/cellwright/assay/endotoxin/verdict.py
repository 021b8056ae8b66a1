"""Endotoxin judged against its limits, exactly: per millilitre, and per kilogram and hour over every bag of the dose.

Decimal throughout, since a limit decides. A censored result may prove compliance and never its absence: `<x` whose x
alone breaks the limit is "not shown to comply", and is repeated at a suitable dilution.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from cellwright.language import N_, _

Outcome = Literal["complies", "does not comply", "not shown to comply", "not evaluable"]
_ORDER: tuple[Outcome, ...] = ("complies", "not shown to comply", "not evaluable", "does not comply")

OUTCOMES: dict[Outcome, str] = {
    "complies": N_("complies"),
    "does not comply": N_("does not comply"),
    "not shown to comply": N_("not shown to comply"),
    "not evaluable": N_("not evaluable"),
}


class Bag(msgspec.Struct, frozen=True):
    """One bag of the dose with the endotoxin of its lot.

    Attributes:
        volume_ml: infused.
        endotoxin: EU/mL; the bound if censored.
        censored: `<` or `>`, else empty.
        starts_h, lasts_h: hours from the first bag's start; a bag without duration counts whole in its hour.
    """

    name: str
    volume_ml: Decimal
    endotoxin: Decimal
    censored: Literal["", "<", ">"] = ""
    starts_h: Decimal = Decimal(0)
    lasts_h: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if self.volume_ml <= 0 or self.endotoxin < 0 or self.starts_h < 0 or self.lasts_h < 0:
            raise ValueError(f"bag {self.name}: a volume is positive, endotoxin and hours are not negative")


class Weight(msgspec.Struct, frozen=True):
    """A recipient's weight and the day it was taken."""

    kg: Decimal
    on: date


class Limits(msgspec.Struct, frozen=True):
    """What is allowed.

    Attributes:
        per_ml: EU/mL of product; None if the specification has none.
        per_kg_hour: EU per kg of body weight in any hour; 5 for intravenous products (USP <85>).
        inclusive: whether a value at the limit complies.
        weight_days: how old a weight may be.
    """

    per_ml: Decimal | None
    per_kg_hour: Decimal = Decimal(5)
    inclusive: bool = True
    weight_days: int = 30


class Judged(msgspec.Struct, frozen=True):
    """The verdict.

    Attributes:
        outcome: the worse of both.
        highest_per_ml: of all bags, EU/mL; bounds counted as values.
        per_kg_hour: EU per kg in the worst hour; None without a weight in date.
        reasons: why it is not `complies`.
    """

    outcome: Outcome
    per_ml_outcome: Outcome
    per_kg_hour_outcome: Outcome
    highest_per_ml: Decimal
    per_kg_hour: Decimal | None
    reasons: tuple[str, ...]


def judge(bags: Sequence[Bag], weight: Weight | None, limits: Limits, on: date) -> Judged:
    """Judge all bags of a dose on a day. It is asked again whenever weight, bags or results change.

    Raises:
        ValueError: no bag.
    """
    if not bags:
        raise ValueError("no bag to judge")
    reasons: list[str] = []
    per_ml = _per_ml(bags, limits, reasons)
    dose, per_kg = _per_kg_hour(bags, weight, limits, on, reasons)
    worst = max((per_ml, per_kg), key=_ORDER.index)
    return Judged(worst, per_ml, per_kg, max(bag.endotoxin for bag in bags), dose, tuple(reasons))


def _per_ml(bags: Sequence[Bag], limits: Limits, reasons: list[str]) -> Outcome:
    if limits.per_ml is None:
        return "complies"
    worst: Outcome = "complies"
    for bag in bags:
        found = _compare(bag.endotoxin, (bag.censored,), limits.per_ml, limits)
        if found != "complies":
            reasons.append(
                _("{bag}: {value} EU/mL against {limit}: {outcome}").format(
                    bag=bag.name,
                    value=f"{bag.censored}{bag.endotoxin}",
                    limit=limits.per_ml,
                    outcome=_(OUTCOMES[found]),
                )
            )
        worst = max((worst, found), key=_ORDER.index)
    return worst


def _per_kg_hour(
    bags: Sequence[Bag], weight: Weight | None, limits: Limits, on: date, reasons: list[str]
) -> tuple[Decimal | None, Outcome]:
    if weight is None or weight.kg <= 0:
        reasons.append(_("no body weight"))
        return None, "not evaluable"
    if not 0 <= (on - weight.on).days <= limits.weight_days:
        reasons.append(
            _("the weight of {day} is not from the last {days} days").format(day=weight.on, days=limits.weight_days)
        )
        return None, "not evaluable"
    begin = max((bag.starts_h for bag in bags), key=lambda hour: _within(bags, hour))
    ends = [max(Decimal(0), bag.starts_h + bag.lasts_h - 1) for bag in bags]
    begin = max([begin, *ends], key=lambda hour: _within(bags, hour))
    dose = _within(bags, begin) / weight.kg
    # A bound that is a value elsewhere: what is surely there fails a limit, what may be there only fails to show compliance.
    sure = (
        max(_within([_sure(bag) for bag in bags], hour) for hour in [*(bag.starts_h for bag in bags), *ends])
        / weight.kg
    )
    found = _compare(dose, tuple(bag.censored for bag in bags), limits.per_kg_hour, limits, sure)
    if found != "complies":
        reasons.append(
            _("{dose:.3g} EU/kg in an hour against {limit}: {outcome}").format(
                dose=dose, limit=limits.per_kg_hour, outcome=_(OUTCOMES[found])
            )
        )
    return dose, found


def _sure(bag: Bag) -> Bag:
    return msgspec.structs.replace(bag, endotoxin=Decimal(0)) if bag.censored == "<" else bag


def _within(bags: Sequence[Bag], begin: Decimal) -> Decimal:
    """EU infused in the hour from `begin`; a bag given at once counts if it falls into that hour, ends included."""
    total = Decimal(0)
    for bag in bags:
        whole = bag.volume_ml * bag.endotoxin
        if bag.lasts_h == 0:
            total += whole if begin <= bag.starts_h <= begin + 1 else 0
            continue
        overlap = min(bag.starts_h + bag.lasts_h, begin + 1) - max(bag.starts_h, begin)
        total += whole * max(Decimal(0), overlap) / bag.lasts_h
    return total


def _compare(
    value: Decimal, censored: Sequence[str], limit: Decimal, limits: Limits, sure: Decimal | None = None
) -> Outcome:
    """Compare a value that may hold bounds; `sure` is the part of it that is known to be there."""
    inside = value <= limit if limits.inclusive else value < limit
    if inside:
        return "not shown to comply" if ">" in censored else "complies"
    if "<" in censored:
        known = Decimal(0) if sure is None else sure
        broken = known > limit if limits.inclusive else known >= limit
        return "does not comply" if broken else "not shown to comply"
    return "does not comply"
