"""Values that follow from results: copies per transduced cell, dose, endotoxin per kilogram, counts per cells.

Formulas, exact in rationals:

- copies per transduced cell = copies per cell / (transduced % / 100), both from the same sample (R103);
- dose = positive % / 100 * viable cells per mL * volume of the dose's bags, per kg where the limit says so (R105);
- endotoxin per kg and hour = EU/mL * volume of all bags / weight / hours of infusion, and never fewer than one hour
  (USP <85>, K = 5 EU per kg and hour: what runs in faster still counts as one hour) (R104, D17);
- count per cells = counted * reference number / cells examined.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec

from cellwright.factory.quality.amount import Amount, amount, over, times
from cellwright.factory.quality.judge import Verdict
from cellwright.factory.quality.part import Result
from cellwright.factory.quality.specification import ROLE_UNITS, Calculation


class Dose(msgspec.Struct, frozen=True, kw_only=True):
    """Bags that are given together as one dose."""

    number: int
    volumes_ml: tuple[Decimal, ...]
    hours: Decimal | None = None
    """Planned hours of infusion; unknown counts as one."""

    @property
    def volume(self) -> Amount:
        return Amount(sum((Fraction(v) for v in self.volumes_ml), Fraction(0)))


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Whose body the dose is measured against. A weight carries its date (D17)."""

    weight_kg: Decimal | None = None
    weight_on: date | None = None

    def weight(self, today: date, max_age: timedelta | None) -> tuple[Decimal | None, str]:
        """The weight that may be used today, or None and why not."""
        if self.weight_kg is None or not self.weight_kg > 0:
            return None, "weight-unknown"
        if self.weight_on is None or self.weight_on > today:
            return None, "weight-not-dated"
        if max_age is not None and today - self.weight_on > max_age:
            return None, "weight-too-old"
        return self.weight_kg, ""


class Calculated(NamedTuple):
    """An amount, or the verdict and the word for why there is none."""

    amount: Amount | None
    verdict: Verdict = "unknown"
    why: str = ""


class _Missing(Exception):
    def __init__(self, verdict: Verdict, why: str) -> None:
        super().__init__(why)
        self.verdict: Verdict = verdict
        self.why = why


def calculate(
    rule: Calculation, unit: str, given: Mapping[str, Result], dose: Dose | None, weight_kg: Decimal | None
) -> Calculated:
    """The value of a calculated test in the unit of its limit, from one result per role."""
    try:
        return Calculated(_calculate(rule, unit, given, dose, weight_kg))
    except _Missing as missing:
        return Calculated(None, missing.verdict, missing.why)


def _calculate(
    rule: Calculation, unit: str, given: Mapping[str, Result], dose: Dose | None, weight_kg: Decimal | None
) -> Amount:
    value = {role: _figure(role, result) for role, result in given.items()}
    match rule.kind:
        case "copies_per_transduced_cell":
            if not _same_sample(given["copies_per_cell"], given["transduced_percent"]):
                raise _Missing("not_evaluable", "samples-differ")
            return _there(over(value["copies_per_cell"], _fraction(value["transduced_percent"])))
        case "count_per_cells":
            assert rule.per is not None
            scaled = _there(times(value["counted"], Amount(Fraction(rule.per))))
            return _there(over(scaled, value["cells_examined"]))
        case "endotoxin_per_kg_hour":
            total = _there(times(value["endotoxin_per_ml"], _given(dose).volume))
            per_kg = _there(over(total, _weight(weight_kg)))
            if unit == "EU/kg":
                return per_kg
            hours = max(Fraction(_given(dose).hours or 1), Fraction(1))
            return _there(over(per_kg, Amount(hours)))
        case "dose":
            return _cells(value, dose, weight_kg, per_kg=unit == "cells/kg")
        case "dose_percent_of_target":
            assert rule.target is not None
            cells = _cells(value, dose, weight_kg, per_kg=rule.target_unit == "cells/kg")
            return Amount(cells.value * 100 / Fraction(rule.target), cells.bound)


def _cells(value: Mapping[str, Amount], dose: Dose | None, weight_kg: Decimal | None, *, per_kg: bool) -> Amount:
    cells = _there(times(value["viable_cells_per_ml"], _given(dose).volume))
    if "positive_percent" in value:
        cells = _there(times(cells, _fraction(value["positive_percent"])))
    return _there(over(cells, _weight(weight_kg))) if per_kg else cells


def _figure(role: str, result: Result) -> Amount:
    found = amount(result.value)
    if found is None or found.value < 0:
        raise _Missing("not_evaluable", "value-not-understood")
    if ROLE_UNITS[role] not in ("", result.unit):
        raise _Missing("not_evaluable", "unit-differs")
    return found


def _fraction(percent: Amount) -> Amount:
    if percent.value > 100:
        raise _Missing("not_evaluable", "percent-above-100")
    return Amount(percent.value / 100, percent.bound)


def _same_sample(a: Result, b: Result) -> bool:
    return a.sample == b.sample or (a.sample_kind, a.sampling_point) == (b.sample_kind, b.sampling_point) != ("", "")


def _given(dose: Dose | None) -> Dose:
    if dose is None or not dose.volumes_ml or any(v <= 0 for v in dose.volumes_ml):
        raise _Missing("pending", "bags-not-filled")
    return dose


def _weight(weight_kg: Decimal | None) -> Amount:
    if weight_kg is None:
        raise _Missing("unknown", "weight-unknown")
    return Amount(Fraction(weight_kg))


def _there(found: Amount | None) -> Amount:
    if found is None:
        raise _Missing("not_evaluable", "not-computable")
    return found
