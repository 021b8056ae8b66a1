"""The `Specification` definition: tests, analytical procedures and acceptance criteria of one product in one market.

ICH Q6A's sense of the word: "a list of tests, references to analytical procedures, and appropriate acceptance
criteria". A specification is keyed by product, market, indication, version and effective date (R100). Limits are
exact decimals, written as text; nothing is rounded before it is compared (R101).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Literal

from cellwright.factory.definition import Basis, Definition, Entry, Flaw, Name, Text, repeated, unknown

Operator = Literal["<", "<=", ">", ">=", "==", "between", "any_of", "by_weight", "report"]
"""How a result is compared. `==` compares words (`negative`, `absent`, `positive`, `conforms`) or numbers; `between`
includes both ends; `any_of` and `by_weight` take their limits from the lists of that name; `report` has no limit: the
result is required and stated."""
ONE_SIDED: frozenset[str] = frozenset({"<", "<=", ">", ">="})
PLAIN: frozenset[str] = ONE_SIDED | {"==", "between"}
"""Operators that need nothing but their own limits."""
Safety = Literal["sterility", "mycoplasma", "endotoxin", "replication_competent_virus", ""]
"""Tests whose failure closes the exceptional path (R113)."""
CalculationKind = Literal[
    "copies_per_transduced_cell", "count_per_cells", "dose", "dose_percent_of_target", "endotoxin_per_kg_hour"
]
ROLES: dict[CalculationKind, frozenset[str]] = {
    "copies_per_transduced_cell": frozenset({"copies_per_cell", "transduced_percent"}),
    "count_per_cells": frozenset({"counted", "cells_examined"}),
    "dose": frozenset({"viable_cells_per_ml"}),
    "dose_percent_of_target": frozenset({"viable_cells_per_ml"}),
    "endotoxin_per_kg_hour": frozenset({"endotoxin_per_ml"}),
}
"""What each calculation must be given. A dose may also name `positive_percent`, the fraction that counts."""
ROLE_UNITS = {
    "copies_per_cell": "copies/cell",
    "transduced_percent": "%",
    "positive_percent": "%",
    "viable_cells_per_ml": "cells/mL",
    "endotoxin_per_ml": "EU/mL",
    "cells_examined": "cells",
    "counted": "",
}
"""The unit in which each role must be reported; empty: any."""
OUTPUT_UNITS: dict[CalculationKind, frozenset[str]] = {
    "copies_per_transduced_cell": frozenset({"copies/cell"}),
    "count_per_cells": frozenset({""}),
    "dose": frozenset({"cells", "cells/kg"}),
    "dose_percent_of_target": frozenset({"%"}),
    "endotoxin_per_kg_hour": frozenset({"EU/kg", "EU/kg/h"}),
}
"""Units a calculation can give; the unit of the limit chooses among them. `count_per_cells` gives any."""
DOSES: frozenset[str] = frozenset({"dose", "dose_percent_of_target"})


def number(text: str) -> Decimal | None:
    """The finite decimal a text says, or None if it says a word."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


class Acceptance(Entry):
    """An acceptance criterion: an operator and what it compares with, in one unit."""

    operator: Operator
    unit: str = ""
    """Unit of result and limit as reported, for example `EU/mL`, `%`, `cells/kg`; empty for words."""
    limit: str = ""
    """A decimal or a word."""
    low: Decimal | None = None
    high: Decimal | None = None

    def limit_flaws(self) -> Iterator[Flaw]:
        """Contradictions between operator and limits, with paths that begin here."""
        if self.operator in ONE_SIDED and number(self.limit) is None:
            yield Flaw(("limit",), "Operator {operator} has no number to compare with.", expected='a decimal, such as "0.5"', operator=self.operator)  # fmt: skip
        if self.operator == "==" and not self.limit:
            yield Flaw(("limit",), "Operator == has nothing to compare with.", expected="a decimal, or a word such as negative")  # fmt: skip
        if self.operator not in ONE_SIDED | {"=="} and self.limit:
            yield Flaw(("limit",), "Operator {operator} takes no limit.", expected="no limit here", operator=self.operator)  # fmt: skip
        if self.operator != "between":
            if self.low is not None or self.high is not None:
                yield Flaw(("operator",), "low and high belong to operator between only.", expected="between")
        elif self.low is None or self.high is None:
            yield Flaw(("operator",), "Operator between lacks an end.", expected="both low and high")
        elif self.low > self.high:
            yield Flaw(("low",), "low {low} is above high {high}.", expected="low at most high", low=self.low, high=self.high)  # fmt: skip


class Alternative(Acceptance):
    """One of several tests any of which suffices (potency of ARI-0001)."""

    code: Name
    name: Text
    controls: tuple[str, ...] = ()


class WeightBand(Acceptance):
    """A limit for recipients up to a body weight, that weight included (R105); without a weight, for all above."""

    up_to_kg: Decimal | None = None


class Calculation(Entry):
    """How a value follows from other tests of the same lot; the formulas are in `calculation`."""

    kind: CalculationKind
    inputs: dict[str, str]
    """Role to test code, for example `copies_per_cell: vector_copies_per_cell`."""
    per: Decimal | None = None
    """`count_per_cells`: the number of cells the limit speaks of, for example 3000000."""
    target: Decimal | None = None
    """`dose_percent_of_target`: the dose aimed at, in `target_unit`."""
    target_unit: Literal["cells", "cells/kg", ""] = ""

    def flaws(self) -> Iterator[Flaw]:
        needed = ROLES[self.kind]
        allowed = needed | ({"positive_percent"} if self.kind in DOSES else set())
        given = set(self.inputs)
        if not needed <= given or not given <= allowed:
            yield Flaw(("inputs",), "Calculation {kind} was given {given}.", expected="{allowed}", kind=self.kind,
                       given=", ".join(sorted(given)) or "-", allowed=", ".join(sorted(allowed)))  # fmt: skip
        if (self.kind == "count_per_cells") != (self.per is not None):
            yield Flaw(("per",), "per belongs to count_per_cells, and only there.", expected="per with count_per_cells")
        if self.per is not None and self.per <= 0:
            yield Flaw(("per",), "per is {per}.", expected="above zero", per=self.per)
        aims = self.kind == "dose_percent_of_target"
        if aims != (self.target is not None) or aims != bool(self.target_unit):
            yield Flaw(("target",), "target and target_unit belong to dose_percent_of_target, and only there.",
                       expected="both with dose_percent_of_target")  # fmt: skip
        elif self.target is not None and self.target <= 0:
            yield Flaw(("target",), "target is {target}.", expected="above zero", target=self.target)


class Criterion(Acceptance):
    """One test of a specification: what is measured, how, where, and what the result must be."""

    code: Name
    """Name of the test in results, for example `viability`; stable over versions."""
    name: Text
    basis: Basis
    """Where the limit is taken from; grade X is an assumption and is shown as one."""
    any_of: tuple[Alternative, ...] = ()
    by_weight: tuple[WeightBand, ...] = ()
    calculation: Calculation | None = None
    """Set where no result is recorded under this code: it follows from others, exactly."""
    required: Literal["before_release", "pending_allowed"] = "before_release"
    """`pending_allowed`: may arrive after release where the product's policy says so too (R106)."""
    due: timedelta | None = None
    """Latest time of a pending result, counted from the release."""
    interim: str = ""
    """Code of the test that must pass, or be negative to date, while this one is pending."""
    negative_to_date: bool = False
    """A running culture without growth satisfies this test at release; its final result is still awaited."""
    safety: Safety = ""
    method: str = ""
    method_version: str = ""
    """The approved version; a result made with another is not evaluable. Empty: any."""
    sample_kind: str = ""
    """Kind of sample as the recipe names it, for example `end_of_culture_supernatant`. Empty: any."""
    sampling_point: str = ""
    """Step of the recipe at which the sample is drawn; a result from elsewhere is not evaluable. Empty: any."""
    controls: tuple[str, ...] = ()
    """Controls that must be reported and passed with the result (D18)."""
    markers: tuple[str, ...] = ()

    @property
    def measured(self) -> tuple[str, ...]:
        """Codes under which results of this test are recorded."""
        if self.calculation is not None:
            return tuple(self.calculation.inputs.values())
        if self.any_of:
            return tuple(alternative.code for alternative in self.any_of)
        return (self.code,)

    def flaws(self) -> Iterator[Flaw]:
        """Contradictions inside this test, with paths that begin here."""
        yield from self.limit_flaws()
        if (self.operator == "any_of") != bool(self.any_of):
            yield Flaw(("any_of",), "any_of and operator any_of belong together.", expected="both, or neither")
        if (self.operator == "by_weight") != bool(self.by_weight):
            yield Flaw(("by_weight",), "by_weight and operator by_weight belong together.", expected="both, or neither")
        if self.any_of and self.calculation:
            yield Flaw(("calculation",), "A test of alternatives is not calculated.", expected="one of the two")
        yield from self._inner_flaws()
        yield from self._band_flaws()
        if self.required == "pending_allowed" and self.due is None:
            yield Flaw(("due",), "A result that may be pending has no due time.", expected="a duration, such as P14D")

    def _inner_flaws(self) -> Iterator[Flaw]:
        inner: list[tuple[str, int, Acceptance]] = [("any_of", n, a) for n, a in enumerate(self.any_of)]
        inner += [("by_weight", n, band) for n, band in enumerate(self.by_weight)]
        for key, index, one in inner:
            if one.operator not in PLAIN:
                yield Flaw((key, index, "operator"), "Operator {operator} cannot stand inside another.",
                           expected="one of: {plain}", operator=one.operator, plain=", ".join(sorted(PLAIN)))  # fmt: skip
            for flaw in one.limit_flaws():
                yield _deeper(flaw, key, index)
        if self.calculation is not None:
            for flaw in self.calculation.flaws():
                yield _deeper(flaw, "calculation")
            yield from self._unit_flaws(OUTPUT_UNITS[self.calculation.kind])

    def _unit_flaws(self, units: frozenset[str]) -> Iterator[Flaw]:
        stated = [(("by_weight", n, "unit"), band.unit) for n, band in enumerate(self.by_weight)]
        for path, unit in stated or [(("unit",), self.unit)]:  # type: ignore[list-item]
            if "" not in units and unit not in units:
                yield Flaw(path, "The calculation does not give {unit}.", expected="one of: {units}", unit=unit or "-",
                           units=", ".join(sorted(units)))  # fmt: skip

    def _band_flaws(self) -> Iterator[Flaw]:
        edges = [band.up_to_kg for band in self.by_weight]
        rising = [edge for edge in edges if edge is not None]
        if edges and (edges[-1] is not None or len(rising) != len(edges) - 1):
            yield Flaw(
                ("by_weight",), "The bands do not cover all weights once.", expected="up_to_kg in all but the last"
            )
        if any(a >= b for a, b in pairwise(rising)):
            yield Flaw(("by_weight",), "The bands do not rise.", expected="each up_to_kg above the one before")


class Specification(Definition):
    """The release specification of one product in one market."""

    name: Text
    product: Name
    market: str
    """Destination market, ISO 3166 alpha-2 or `EU`; the destination decides which specification applies (R100)."""
    indication: str
    effective_from: date
    tests: tuple[Criterion, ...]
    weight_max_age: timedelta | None = None
    """Oldest weight that dose and endotoxin may be judged with; without it any dated weight serves."""
    note: Text | None = None

    def test(self, code: str) -> Criterion:
        """The test with this code. Raises KeyError."""
        for test in self.tests:
            if test.code == code:
                return test
        raise KeyError(code)

    def measured(self) -> frozenset[str]:
        """All codes under which this specification expects results."""
        return frozenset(code for test in self.tests for code in test.measured)

    def sentences(self, language: Literal["en", "zh"]) -> Iterator[str]:
        """Each limit in print, for the second person who checks that what was entered is what is meant."""
        for test in self.tests:
            yield f"{_say(test.name, language)}: {sentence(test, language)}"

    def check(self) -> Iterator[Flaw]:
        if not self.tests:
            yield Flaw(("tests",), "There are no tests.", expected="at least one test")
        codes = [test.code for test in self.tests]
        for index, code in repeated(codes):
            yield Flaw(
                ("tests", index, "code"), "Test {code} is listed twice.", expected="one test by this code", code=code
            )
        for index, test in enumerate(self.tests):
            for flaw in test.flaws():
                yield _deeper(flaw, "tests", index)
            yield from self._reference_flaws(index, test, codes)

    def _reference_flaws(self, index: int, test: Criterion, codes: list[str]) -> Iterator[Flaw]:
        if test.interim and (unknown(test.interim, codes) or test.interim == test.code):
            yield _no_reference(("tests", index, "interim"), test.interim)
        if test.calculation is None:
            return
        for role, code in test.calculation.inputs.items():
            path = ("tests", index, "calculation", "inputs", role)
            if unknown(code, codes) or (code in codes and self.test(code).calculation is not None):
                yield _no_reference(path, code)
            elif code in codes and ROLE_UNITS.get(role, "") not in ("", self.test(code).unit):
                yield Flaw(path, "{role} cannot be taken from {code}, which is reported in {unit}.", expected="{needs}",
                           role=role, code=code, unit=self.test(code).unit or "-", needs=ROLE_UNITS[role])  # fmt: skip


def _no_reference(path: tuple[str | int, ...], code: str) -> Flaw:
    return Flaw(
        path, "Test {code} cannot be referred to here.", expected="another measured test of this file", code=code
    )


def _deeper(flaw: Flaw, *path: str | int) -> Flaw:
    return Flaw((*path, *flaw.path), flaw.what, expected=flaw.expected, **flaw.values)


SYMBOLS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "="}
WORDS = {"en": {"or": "or", "all": "any weight", "report": "report the result"},
         "zh": {"or": "或", "all": "任何体重", "report": "报告结果"}}  # fmt: skip


def _say(text: Text, language: Literal["en", "zh"]) -> str:
    return text.zh if language == "zh" else text.en


def sentence(acceptance: Acceptance, language: Literal["en", "zh"]) -> str:
    """An acceptance criterion as it is printed, for example `≥ 70 %` or `≤ 50 kg: 200000 – 5000000 cells/kg; …`."""
    words = WORDS[language]
    if isinstance(acceptance, Criterion) and acceptance.any_of:
        return f" {words['or']} ".join(f"{_say(a.name, language)} {sentence(a, language)}" for a in acceptance.any_of)
    if isinstance(acceptance, Criterion) and acceptance.by_weight:
        bands = acceptance.by_weight
        return "; ".join(f"{_band(band, bands, words)}: {sentence(band, language)}" for band in bands)
    if acceptance.operator == "report":
        return words["report"]
    if acceptance.operator == "between":
        return f"{acceptance.low:f} – {acceptance.high:f} {acceptance.unit}".rstrip()
    return f"{SYMBOLS[acceptance.operator]} {acceptance.limit} {acceptance.unit}".rstrip()


def _band(band: WeightBand, bands: tuple[WeightBand, ...], words: dict[str, str]) -> str:
    if band.up_to_kg is not None:
        return f"≤ {band.up_to_kg:f} kg"
    below = [b.up_to_kg for b in bands if b.up_to_kg is not None]
    return f"> {below[-1]:f} kg" if below else words["all"]
