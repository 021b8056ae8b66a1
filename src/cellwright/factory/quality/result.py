"""Results: recomputed from raw files or attested from originals, verified by a second person, invalidated in the open.

A raw file that names another sample, or another time than the request, stops everything (D18). A value can be replaced
only in the open: repeated where it proved nothing, re-analysed with a reason and a second person, or invalidated; what
is out of specification leaves only through its investigation (R109).
"""

from typing import NamedTuple

from cellwright.factory.lot.access import known
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import mismatch
from cellwright.factory.plant.equipment import EquipmentState
from cellwright.factory.quality import file as quality_file
from cellwright.factory.quality.amount import amount, answers
from cellwright.factory.quality.arrival import arrived
from cellwright.factory.quality.consequence import of_results
from cellwright.factory.quality.evaluation import evaluate
from cellwright.factory.quality.fact import (
    Control,
    Derivation,
    RawFile,
    ResultAttested,
    ResultInvalidated,
    ResultRecomputed,
    ResultVerified,
)
from cellwright.factory.quality.file import QualityState, known_result, load
from cellwright.factory.quality.laboratory import LaboratoryState
from cellwright.factory.quality.part import Investigation, Result
from cellwright.factory.quality.plate import PlateState, well_name
from cellwright.factory.quality.provenance import measured_by, stated, time_of_measurement
from cellwright.factory.quality.raw_file import disagreement, moment
from cellwright.factory.quality.sample import received
from cellwright.factory.quality.situation import evidence, specification
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash

FLAWS = frozenset({
    "", "events-too-few", "below-limit-of-quantification", "replicates-disagree", "acquisition-incomplete",
    "standard-curve-invalid", "instrument-not-fit", "laboratory-not-qualified", "not-parallel",
    "raw-file-missing", "control-missing", "control-failed",
})  # fmt: skip
"""Why a result proves nothing, as words a screen can translate."""
RAW_PARSERS = {"flow_cytometry": "cellwright.cytometry."}
"""Method -> how the name of its parser begins: what was not read from the raw events themselves proves nothing (R017)."""


class Figure(NamedTuple):
    """What is said about a value, the same for both origins."""

    test: str
    value: str
    unit: str
    flaw: str
    stands_for: str | None
    investigation: str | None
    retest: str | None
    analyst: str


# --- checks both origins share -------------------------------------------------------------------------------------


def understood(figure: Figure) -> None:
    """Raises Refusal for what is neither figure nor known word, negative, or more than all (R044)."""
    found = amount(figure.value)
    if found is None and answers(figure.value) is None:
        raise Refusal(
            "value-not-understood",
            "{value} is neither a number nor a word that can be judged.",
            remedy="Write digits with a decimal point, with < or > where it is censored, or a word such as negative.",
            rule="R044",
            value=repr(figure.value[:40]),
        )
    if found is not None and (found.value < 0 or (figure.unit == "%" and found.value > 1000)):
        raise Refusal(
            "value-not-plausible",
            "{value} {unit} is not plausible for {test}.",
            rule="R044",
            value=figure.value,
            unit=figure.unit,
            test=figure.test,
        )
    if figure.flaw not in FLAWS:
        raise Refusal("unknown-flaw", "There is no such reason as {flaw}.", rule="R044", flaw=figure.flaw)


def replaceable(world: World, lot: LotState, quality: QualityState, figure: Figure, *, same_file: bool) -> None:
    """Whether a new result may take the place of an older one.

    Raises:
        Refusal: `investigation-needed` if the older one is out of specification (R109); `nothing-to-repeat` if it
            proved what it had to and this is not a re-analysis of the same file: both stay (R110).
    """
    if figure.stands_for is None:
        return
    old = known_result(quality, figure.stands_for)
    if old.test != figure.test or not old.valid:
        raise Refusal(
            "nothing-to-repeat",
            "Result {result} is of another test, or no longer counts.",
            remedy="Record the new result beside it.",
            rule="R109",
            result=old.id,
        )
    verdicts = _verdicts_with(world, lot, quality, old)
    if specification(world, quality) is None and not old.flaw:
        raise _not_judged_yet(old)
    if "fail" in verdicts:
        raise Refusal(
            "investigation-needed",
            "Result {result} is out of specification; another measurement does not replace it.",
            remedy="Investigate it; retests follow a plan with a number fixed beforehand.",
            rule="R109",
            result=old.id,
        )
    if not same_file and not verdicts & {"not_shown_to_comply", "not_evaluable"}:
        raise Refusal(
            "nothing-to-repeat",
            "Result {result} is sensitive enough and evaluable; a second measurement does not replace it.",
            remedy="Record the new result beside it: the worse of the two decides.",
            rule="R110",
            result=old.id,
        )


def _not_judged_yet(result: Result) -> Refusal:
    """Whether a result fails is known by the specification only: until then nothing takes it out of the count."""
    return Refusal(
        "specification-not-assigned",
        "Result {result} cannot be judged yet, so nothing takes its place: the lot has no specification.",
        remedy="Assign the specification first.",
        rule="R109",
        result=result.id,
    )


def _verdicts_with(world: World, lot: LotState, quality: QualityState, result: Result) -> set[str]:
    """The verdicts of all tests that rest on a result."""
    assigned = specification(world, quality)
    if assigned is None:
        return {"not_evaluable"} if result.flaw else set()
    found = evaluate(assigned, evidence(world, lot, quality))
    return {judgement.verdict for judgement in found.values() if result.id in judgement.results}


def planned(quality: QualityState, figure: Figure) -> Investigation | None:
    """The investigation a retest belongs to, its retest begun and not yet reported.

    Raises:
        Refusal: `retest-not-planned` for anything beyond the plan: that would be testing into compliance (R109).
    """
    if figure.investigation is None and figure.retest is None:
        return None
    found = quality.investigations.get(figure.investigation or "")
    if found is not None and found.open and len(found.reported) < len(found.authorised):
        begun = figure.retest in found.authorised and figure.analyst == found.retest_analyst
        if begun and figure.retest == found.authorised[len(found.reported)]:
            return found
    raise Refusal(
        "retest-not-planned",
        "{retest} is no retest of an investigation of lot {lot} that waits for its result by {analyst}.",
        remedy="Begin a planned retest; the number planned beforehand is final.",
        rule="R109",
        retest=figure.retest or "-",
        lot=quality.lot,
        analyst=figure.analyst,
    )


def _unread(method: str, parser: str) -> str:
    """A flaw if the method keeps raw events and the value was not read from them: a printout does not replace them."""
    return "" if parser.startswith(RAW_PARSERS.get(method, "")) else "raw-file-missing"


def number(quality: QualityState) -> str:
    """The name of the lot's next result."""
    return f"{quality.lot}-R{len(quality.results) + 1:02d}"


# --- recomputed ----------------------------------------------------------------------------------------------------


@command("quality.record_result", "analyst")
class RecordResult(Command):
    """Record a value recomputed from an instrument's raw file, with everything it takes to compute it again."""

    lot: str
    test: str
    value: str
    unit: str
    sample: str
    acquired_at: str
    """When the measurement was made according to the request or worksheet, ISO 8601 UTC."""
    file: RawFile
    derivation: Derivation
    method: str
    method_version: str
    assay_version: str
    instrument: str
    controls: tuple[Control, ...] = ()
    readings: tuple[str, ...] = ()
    wells: tuple[str, ...] = ()
    flaw: str = ""
    investigation: str | None = None
    retest: str | None = None
    stands_for: str | None = None
    """The result that this one repeats (at a suitable dilution) or re-analyses."""
    second: str | None = None
    """Who agrees to the re-analysis of a file whose result was seen before."""
    reason: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        received(quality, self.sample)
        stop = self._swap(world, by, lot)
        if stop is not None:
            return stop
        stated(self, "method", "method_version", "assay_version", "instrument")
        stated(self.derivation, "parser", "parser_version")
        figure = Figure(
            self.test, self.value, self.unit, self.flaw, self.stands_for, self.investigation, self.retest, by.person
        )
        understood(figure)
        planned(quality, figure)
        earlier = [r for r in quality.files.get(self.file.sha256, ()) if quality.results[r].test == self.test]
        again = self._seen_before(quality, earlier, by)
        replaceable(world, lot, quality, figure, same_file=again)
        flaw = self.flaw or self._instrument(world) or _unread(self.method, self.derivation.parser)
        body = self._body(lot, quality, by, flaw, self._hands(world, by))
        new = quality_file.recomputed(body, "")
        sign = (Need(person=self.second, meaning="verified", role="analyst"),) if again and self.second else ()
        fact = quality.fact(body, reason=self.reason)
        return Decision(facts=(fact, *of_results(world, lot, quality, (new,))), sign=sign)

    def _swap(self, world: World, by: By, lot: LotState) -> Decision | None:
        """The hard stops: what the file says of itself, and what is in the wells, against the request."""
        for well in self.wells:
            plate, _, position = well.partition(":")
            filled = world.load(PlateState, plate).wells.get(position)
            if filled is None or filled.sample != self.sample:
                found = "nothing" if filled is None else filled.sample or filled.content
                key = f"well/{well_name(plate, position)}"
                return mismatch(world, by, point="plate_well", expected=self.sample, scanned=f"{well}: {found}",
                                coi=lot.coi, key=key, lot=lot.number, order=lot.order)  # fmt: skip
        return disagreement(world, by, lot, self.sample, self.file, self.acquired_at)

    def _seen_before(self, quality: QualityState, earlier: list[str], by: By) -> bool:
        """Whether this reads a file again whose result of this test is known; then it needs reason and second person."""
        if not earlier:
            return False
        if self.stands_for not in earlier or not self.reason or self.second is None or self.second == by.person:
            raise Refusal(
                "reanalysis-needs-two",
                "File {file} gave result {result} already; reading it again takes a reason and a second person.",
                remedy="Name the result it stands for, the reason, and the second person who agrees.",
                rule="D18",
                file=self.file.name,
                result=", ".join(earlier),
            )
        return True

    def _instrument(self, world: World) -> str:
        """A flaw if the instrument was not fit when it measured or is not now; refuses one that nobody registered (R036)."""
        state = world.load(EquipmentState, self.instrument)
        if not state.exists:
            raise Refusal(
                "instrument-not-registered",
                "{instrument} is no registered instrument.",
                remedy="Register and qualify it, or correct its name.",
                rule="R036",
                instrument=self.instrument,
            )
        measured_at = moment(self.file.acquired_at)
        assert measured_at is not None, "a file without a time was stopped before"
        fit = state.measured(measured_at) is None and state.fit(world.now) is None
        return "" if fit else "instrument-not-fit"

    def _hands(self, world: World, by: By) -> tuple[str, ...]:
        plates = dict.fromkeys(well.partition(":")[0] for well in self.wells)
        people = [p for plate in plates for p in world.load(PlateState, plate).participants]
        return tuple(p for p in dict.fromkeys(people) if p != by.person)

    def _body(
        self, lot: LotState, quality: QualityState, by: By, flaw: str, hands: tuple[str, ...]
    ) -> ResultRecomputed:
        held = quality.samples[self.sample]
        return ResultRecomputed(
            lot=self.lot,
            coi=lot.coi,
            stock=lot.stock,
            result=number(quality),
            test=self.test,
            value=self.value,
            unit=self.unit,
            sample=self.sample,
            sample_kind=held.kind,
            sampling_point=held.point,
            wells=self.wells,
            file=self.file,
            derivation=self.derivation,
            method=self.method,
            method_version=self.method_version,
            assay_version=self.assay_version,
            instrument=self.instrument,
            analyst=by.person,
            controls=self.controls,
            readings=self.readings,
            flaw=flaw,
            hands=hands,
            investigation=self.investigation,
            retest=self.retest,
            stands_for=self.stands_for,
            second=self.second if self.stands_for else None,
        )


# --- attested ------------------------------------------------------------------------------------------------------


@command("quality.attest_result", "analyst", "quality_assurance")
class AttestResult(Command):
    """Transcribe a value from its paper or PDF original, whose hash is kept; a second person verifies it (D11)."""

    lot: str
    test: str
    value: str
    unit: str
    sample: str
    document_sha256: FileHash
    document: str
    laboratory: str
    method: str
    method_version: str
    assay_version: str
    instrument: str
    acquired_at: str
    analyst: str
    controls: tuple[Control, ...] = ()
    investigation: str | None = None
    retest: str | None = None
    stands_for: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        received(quality, self.sample)
        stated(self, "document", "laboratory", "method", "method_version", "assay_version", "instrument", "analyst")
        measured_at = time_of_measurement(world, lot, self.sample, self.acquired_at)
        measured_by(world, self.analyst, measured_at)
        figure = Figure(
            self.test, self.value, self.unit, "", self.stands_for, self.investigation, self.retest, self.analyst
        )
        understood(figure)
        planned(quality, figure)
        replaceable(world, lot, quality, figure, same_file=False)
        body = self._body(world, lot, quality, by)
        new = quality_file.attested(body, "")
        return Decision(facts=(quality.fact(body), *of_results(world, lot, quality, (new,))))

    def _body(self, world: World, lot: LotState, quality: QualityState, by: By) -> ResultAttested:
        laboratory = world.load(LaboratoryState, self.laboratory)
        qualified = laboratory.qualified(self.test, world.now.date().isoformat())
        held = quality.samples[self.sample]
        return ResultAttested(
            lot=self.lot,
            coi=lot.coi,
            stock=lot.stock,
            result=number(quality),
            test=self.test,
            value=self.value,
            unit=self.unit,
            sample=self.sample,
            sample_kind=held.kind,
            sampling_point=held.point,
            document_sha256=self.document_sha256,
            document=self.document,
            laboratory=self.laboratory,
            laboratory_qualified=qualified,
            method=self.method,
            method_version=self.method_version,
            assay_version=self.assay_version,
            instrument=self.instrument,
            acquired_at=self.acquired_at,
            analyst=self.analyst,
            transcriber=by.person,
            controls=self.controls,
            flaw=_unread(self.method, "") if qualified else "laboratory-not-qualified",
            investigation=self.investigation,
            retest=self.retest,
            stands_for=self.stands_for,
        )


# --- verified, invalidated -----------------------------------------------------------------------------------------


@command("quality.verify_results", "analyst", "quality_assurance")
class VerifyResults(Command):
    """Verify the results of one worksheet against their files or originals; the signature is bound to each of them."""

    lot: str
    results: tuple[str, ...]
    role: str = "analyst"

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        if not self.results or len(set(self.results)) != len(self.results):
            raise Refusal("nothing-to-verify", "No result is named, or one twice.", rule="R043")
        for name in self.results:
            self._check(quality, known_result(quality, name), by)
        body = ResultVerified(lot=self.lot, results=self.results, verifier=by.person)
        leaves = tuple(quality.result_leaves[name].hex() for name in self.results)
        need = Need(person=by.person, meaning="verified", role=self.role, leaves=leaves)
        facts = (quality.fact(body), *arrived(world, lot, quality, self.results))
        return Decision(facts=facts, sign=(need,))

    def _check(self, quality: QualityState, result: Result, by: By) -> None:
        if result.status != "recorded":
            raise Refusal(
                "result-not-open",
                "Result {result} is {status}.",
                rule="R043",
                result=result.id,
                status=result.status,
            )
        if by.person in (result.analyst, quality.recorded_by[result.id]):
            raise Refusal(
                "same-person-twice",
                "{person} made or recorded result {result} and cannot verify it.",
                remedy="A second qualified person verifies.",
                rule="R041",
                person=by.person,
                result=result.id,
            )


@command("quality.invalidate_result", "quality_assurance")
class InvalidateResult(Command):
    """Take a result out of the count for a cause that has nothing to do with its value; it stays in the record (R015)."""

    lot: str
    result: str
    cause: str

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        result = known_result(quality, self.result)
        if not result.valid:
            raise Refusal(
                "result-not-open",
                "Result {result} is {status}.",
                rule="R015",
                result=result.id,
                status=result.status,
            )
        if not self.cause.strip():
            raise Refusal(
                "reason-missing",
                "A result is invalidated only with its reason.",
                remedy="State the cause.",
                rule="R004",
            )
        if specification(world, quality) is None and not result.flaw:
            raise _not_judged_yet(result)
        if "fail" in _verdicts_with(world, lot, quality, result):
            raise Refusal(
                "investigation-needed",
                "Result {result} is out of specification; it can be invalidated only by its investigation.",
                remedy="Conclude the investigation with an assignable cause.",
                rule="R109",
                result=result.id,
            )
        if by.person in (result.analyst, quality.recorded_by[result.id]):
            raise Refusal(
                "same-person-twice",
                "{person} made or recorded result {result} and cannot invalidate it.",
                rule="D10",
                person=by.person,
                result=result.id,
            )
        body = ResultInvalidated(lot=self.lot, result=self.result, cause=self.cause, invalidated_by=by.person)
        need = Need(person=by.person, meaning="assessed", role="quality_assurance")
        return Decision(facts=(quality.fact(body, reason=self.cause),), sign=(need,))
