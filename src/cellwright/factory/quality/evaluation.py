"""A lot's results against its specification: one judgement for each test, and why each is not a pass.

Every valid result counts, and the worst decides: a second result beside a failing one never hides it (R110, no testing
into compliance). Only an investigation, a repeat at a suitable dilution or a re-analysis with its reason takes a
result out of the count, and it stays in the record (R015).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import product
from typing import NamedTuple

from msgspec.structs import replace

from cellwright.factory.quality.calculation import Dose, Recipient, calculate
from cellwright.factory.quality.judge import Judgement, Verdict, best, compare, judge, worst
from cellwright.factory.quality.part import Culture, Result
from cellwright.factory.quality.specification import Acceptance, Alternative, Criterion, Specification, WeightBand


class Evidence(NamedTuple):
    """All that a specification is judged on."""

    results: tuple[Result, ...]
    cultures: tuple[Culture, ...]
    doses: tuple[Dose, ...]
    """Every dose is judged; the worst decides."""
    recipient: Recipient
    today: date


def evaluate(specification: Specification, evidence: Evidence) -> dict[str, Judgement]:
    """The judgement of each test by its code, in the order of the specification."""
    weight, why = evidence.recipient.weight(evidence.today, specification.weight_max_age)
    case = _Case(specification, evidence, Recipient(weight_kg=weight), why)
    return {test.code: case.criterion(test) for test in specification.tests}


class _Case:
    def __init__(self, specification: Specification, evidence: Evidence, recipient: Recipient, why: str) -> None:
        self.specification = specification
        self.evidence = evidence
        self.recipient = recipient
        self.weight_why = why

    def criterion(self, test: Criterion) -> Judgement:
        if test.any_of:
            found = best(self._measured(test, one, one.code, (*test.controls, *one.controls)) for one in test.any_of)
            return replace(found, code=test.code)
        if test.calculation is not None:
            return self._calculated(test)
        return self._measured(test, self._limit(test), test.code, test.controls)

    def _valid(self, code: str) -> tuple[Result, ...]:
        return tuple(r for r in self.evidence.results if r.test == code and r.valid)

    def _limit(self, test: Criterion) -> Acceptance | None:
        """The limit for this recipient; None if it depends on an unknown weight."""
        if not test.by_weight:
            return test
        return _band(test.by_weight, self.recipient)

    def _measured(self, test: Criterion, limit: Acceptance | None, code: str, controls: Sequence[str]) -> Judgement:
        if limit is None:
            return Judgement(code=code, verdict="unknown", why=self.weight_why)
        found = [self._one(test, limit, result, controls) for result in (*self._valid(code), *self._grown(code))]
        running = [c for c in self.evidence.cultures if c.test == code and c.running]
        if running or not found:
            found.append(_culture(test, code, running))
        return worst(found)

    def _grown(self, code: str) -> tuple[Result, ...]:
        """Results of growth that something took the place of: growth leaves the count by an investigation only."""
        positive = {c.result for c in self.evidence.cultures if c.test == code and c.status == "positive"}
        return tuple(r for r in self.evidence.results if r.id in positive and r.status == "superseded")

    def _one(self, test: Criterion, limit: Acceptance, result: Result, controls: Sequence[str]) -> Judgement:
        flaw = shortcoming(test, result, controls)
        if flaw:
            return Judgement(code=result.test, verdict="not_evaluable", value=result.value, unit=result.unit, why=flaw,
                             results=(result.id,))  # fmt: skip
        found = judge(result.test, result.value, result.unit, limit, (result.id,))
        return _awaiting(found, (result,))

    def _calculated(self, test: Criterion) -> Judgement:
        assert test.calculation is not None
        limit = self._limit(test)
        if limit is None:
            return Judgement(code=test.code, verdict="unknown", why=self.weight_why)
        by_role = {role: self._valid(code) for role, code in test.calculation.inputs.items()}
        missing = [test.calculation.inputs[role] for role, results in by_role.items() if not results]
        if missing:
            return Judgement(code=test.code, verdict="pending", why="no-result")
        doses: tuple[Dose | None, ...] = self.evidence.doses or (None,)
        found = [
            self._combination(test, limit, dict(zip(by_role, chosen, strict=True)), dose)
            for chosen in product(*by_role.values())
            for dose in doses
        ]
        return worst(found)

    def _combination(
        self, test: Criterion, limit: Acceptance, given: dict[str, Result], dose: Dose | None
    ) -> Judgement:
        assert test.calculation is not None
        names = tuple(result.id for result in given.values())
        for result in given.values():
            source = self.specification.test(result.test)
            flaw = shortcoming(source, result, source.controls)
            if flaw:
                return Judgement(code=test.code, verdict="not_evaluable", why=flaw, results=names)
        value = calculate(test.calculation, limit.unit, given, dose, self.recipient.weight_kg)
        if value.amount is None:
            why = self.weight_why if value.why == "weight-unknown" else value.why
            return Judgement(code=test.code, verdict=value.verdict, why=why, results=names)
        stated: tuple[Verdict, str] = ("pass", "")
        verdict, why = stated if limit.operator == "report" else compare(value.amount, limit)
        found = Judgement(
            code=test.code, verdict=verdict, value=str(value.amount), unit=limit.unit, why=why, results=names
        )
        return _awaiting(found, given.values())


def _culture(test: Criterion, code: str, running: Sequence[Culture]) -> Judgement:
    """What cultures that still run say of a test: awaited, or negative to date where the specification takes that."""
    if not running or any(c.status != "negative_to_date" for c in running):
        return Judgement(code=code, verdict="pending", why="culture-running" if running else "no-result")
    verdict: Verdict = "pass" if test.negative_to_date else "pending"
    return Judgement(code=code, verdict=verdict, value="negative_to_date", why="negative-to-date")


def _awaiting(found: Judgement, results: Iterable[Result]) -> Judgement:
    """A pass counts when a second person has verified what it rests on; what fails counts at once."""
    if found.verdict == "pass" and any(result.status != "verified" for result in results):
        return replace(found, verdict="pending", why="not-verified")
    return found


def shortcoming(test: Criterion | Alternative, result: Result, controls: Sequence[str]) -> str:
    """Why a result proves nothing for a test: its own flaw, controls, method, sample (D18, R102); empty if it does."""
    if result.flaw:
        return result.flaw
    for control in controls:
        if result.controls.get(control) != "passed":
            return "control-failed" if control in result.controls else "control-missing"
    if any(state != "passed" for state in result.controls.values()):
        return "control-failed"
    if isinstance(test, Criterion):
        return next(_differences(test, result), "")
    return ""


def _differences(test: Criterion, result: Result) -> Iterator[str]:
    if test.method and test.method != result.method:
        yield "method-differs"
    if test.method_version and test.method_version != result.method_version:
        yield "method-version-not-approved"
    if test.sample_kind and test.sample_kind != result.sample_kind:
        yield "sample-kind-differs"
    if test.sampling_point and test.sampling_point != result.sampling_point:
        yield "sampling-point-differs"


def _band(bands: Sequence[WeightBand], recipient: Recipient) -> WeightBand | None:
    """The first band whose upper weight is not exceeded; None while the weight is unknown and it matters."""
    if recipient.weight_kg is None:
        return bands[0] if len(bands) == 1 else None
    for band in bands:
        if band.up_to_kg is None or recipient.weight_kg <= band.up_to_kg:
            return band
    raise AssertionError("the last band of a checked specification covers every weight")
