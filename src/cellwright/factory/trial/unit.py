"""Units of measurements in eligibility rules: a closed table of UCUM codes with exact conversions.

Units are those of UCUM (The Unified Code for Units of Measure, ucum.org), case-sensitive, and a few spellings that
laboratories print. What is not in the table is not converted and proves nothing. A conversion between mass and amount
of substance needs the analyte's molar mass; it is made only for the analytes listed here, never guessed. Numbers are
kept as fractions, so a limit is compared exactly, without rounding.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """A unit as a multiple of its dimension's base unit."""

    dimension: str
    factor: Fraction


def _unit(dimension: str, factor: str) -> Unit:
    return Unit(dimension, Fraction(factor))


UNITS: Final[dict[str, Unit]] = {
    "1": _unit("ratio", "1"), "%": _unit("ratio", "1/100"), "[ppm]": _unit("ratio", "1/1000000"),
    "g/g": _unit("mass/mass", "1"), "mg/g": _unit("mass/mass", "1/1000"), "mg/mg": _unit("mass/mass", "1"),
    "ug/mg": _unit("mass/mass", "1/1000"),
    "g/mol": _unit("mass/amount", "1"), "g/mmol": _unit("mass/amount", "1000"), "mg/mmol": _unit("mass/amount", "1"),
    "g/L": _unit("mass/volume", "1"), "g/dL": _unit("mass/volume", "10"), "mg/dL": _unit("mass/volume", "1/100"),
    "mg/L": _unit("mass/volume", "1/1000"), "ug/mL": _unit("mass/volume", "1/1000"),
    "ug/L": _unit("mass/volume", "1/1000000"), "ng/mL": _unit("mass/volume", "1/1000000"),
    "mol/L": _unit("amount/volume", "1"), "mmol/L": _unit("amount/volume", "1/1000"),
    "umol/L": _unit("amount/volume", "1/1000000"),
    "mmol/mol": _unit("amount/amount", "1/1000"),
    "/L": _unit("number/volume", "1"), "10*9/L": _unit("number/volume", "1000000000"),
    "10*12/L": _unit("number/volume", "1000000000000"), "10*6/L": _unit("number/volume", "1000000"),
    "/uL": _unit("number/volume", "1000000"), "10*3/uL": _unit("number/volume", "1000000000"),
    "10*6/uL": _unit("number/volume", "1000000000000"), "/mm3": _unit("number/volume", "1000000"),
    "U/L": _unit("activity/volume", "1"), "[IU]/mL": _unit("international/volume", "1000"),
    "[IU]/L": _unit("international/volume", "1"), "{copies}/mL": _unit("copies/volume", "1"),
    "mL/min/{1.73_m2}": _unit("clearance", "1"), "mL/min": _unit("flow", "1"), "L/min": _unit("flow", "1000"),
    "kg": _unit("mass", "1000"), "g": _unit("mass", "1"), "mg": _unit("mass", "1/1000"),
    "g/d": _unit("mass/time", "1"), "g/(24.h)": _unit("mass/time", "1"), "mg/d": _unit("mass/time", "1/1000"),
    "cm": _unit("length", "1"), "m": _unit("length", "100"), "mm": _unit("length", "1/10"),
    "mm[Hg]": _unit("pressure", "1"), "Cel": _unit("temperature", "1"),
    "h": _unit("time", "1/24"), "d": _unit("time", "1"), "wk": _unit("time", "7"),
    "mo": _unit("time", "487/16"), "a": _unit("time", "1461/4"),
}  # fmt: skip
"""A year is 365.25 days and a month a twelfth of it, as UCUM defines `a_j` and `mo_j`; calendar windows are not made of
these but counted by the calendar (`window`)."""

SPELLINGS: Final[dict[str, str]] = {
    "x10^9/L": "10*9/L", "10^9/L": "10*9/L", "×10⁹/L": "10*9/L", "x10^12/L": "10*12/L", "K/uL": "10*3/uL",
    "mL/min/1.73m2": "mL/min/{1.73_m2}", "mL/min/1.73 m2": "mL/min/{1.73_m2}", "mL/min/{1.73_m2}": "mL/min/{1.73_m2}",
    "µmol/L": "umol/L", "μmol/L": "umol/L", "IU/L": "[IU]/L", "IU/mL": "[IU]/mL", "copies/mL": "{copies}/mL",
    "/µL": "/uL", "/μL": "/uL", "g/gCr": "g/g", "mg/gCr": "mg/g", "days": "d", "weeks": "wk", "months": "mo",
    "years": "a", "mmHg": "mm[Hg]",
}  # fmt: skip

MOLAR_MASS: Final[dict[str, Fraction]] = {
    "creatinine": Fraction("113.12"), "glucose": Fraction("180.156"), "urea": Fraction("60.056"),
    "bilirubin": Fraction("584.66"), "cholesterol": Fraction("386.65"), "calcium": Fraction("40.078"),
    "phosphate": Fraction("30.974"), "uric_acid": Fraction("168.11"),
}  # fmt: skip
"""Grams per mole, from the molecular formulas and the standard atomic weights of IUPAC (phosphate: as phosphorus)."""

PER_CREATININE: Final = frozenset({"upcr", "uacr"})
"""Urine ratios whose denominator is creatinine: mg/mmol is then a mass per 113.12 mg."""


def canonical(unit: str) -> str:
    """The UCUM code of a spelling; the text itself if it is none."""
    return SPELLINGS.get(unit, unit)


def known(unit: str) -> bool:
    """Whether a rule may use this unit: in the table, or without unit at all."""
    return unit == "" or canonical(unit) in UNITS


def convert(value: Decimal, unit: str, to: str, analyte: str = "") -> Fraction | None:
    """A measured value in another unit, exactly; None if the two cannot be compared.

    Args:
        analyte: what was measured, for example `creatinine` or `upcr`; only needed between mass and amount.
    """
    unit, to = canonical(unit), canonical(to)
    if unit == to:
        return Fraction(value)
    source, target = UNITS.get(unit), UNITS.get(to)
    if source is None or target is None:
        return None
    base = Fraction(value) * source.factor
    if source.dimension != target.dimension:
        crossed = _cross(base, source.dimension, target.dimension, analyte)
        if crossed is None:
            return None
        base = crossed
    return base / target.factor


def _cross(base: Fraction, source: str, target: str, analyte: str) -> Fraction | None:
    """From one dimension to another where the analyte gives the way."""
    molar = MOLAR_MASS.get(analyte)
    match source, target:
        case "mass/volume", "amount/volume":
            return base / molar if molar is not None else None
        case "amount/volume", "mass/volume":
            return base * molar if molar is not None else None
        case "mass/mass", "mass/amount":
            return base * MOLAR_MASS["creatinine"] if analyte in PER_CREATININE else None
        case "mass/amount", "mass/mass":
            return base / MOLAR_MASS["creatinine"] if analyte in PER_CREATININE else None
        case "amount/amount", "ratio":
            return _ngsp(base) if analyte == "hba1c" else None
        case "ratio", "amount/amount":
            return _ifcc(base) if analyte == "hba1c" else None
    return None


def _ngsp(ratio: Fraction) -> Fraction:
    """HbA1c of the IFCC as NGSP: NGSP % = 0.09148 IFCC mmol/mol + 2.152 (master equation of the two networks)."""
    return (Fraction("0.09148") * ratio * 1000 + Fraction("2.152")) / 100


def _ifcc(share: Fraction) -> Fraction:
    return (share * 100 - Fraction("2.152")) / Fraction("0.09148") / 1000
