"""The quality file of one lot: the fold of `quality/<lot>`."""

from collections.abc import Iterable
from typing import ClassVar

from msgspec.structs import replace

from cellwright.factory.quality import fact
from cellwright.factory.quality.part import Culture, CultureStatus, Investigation, Result, Sample
from cellwright.factory.record import Body
from cellwright.factory.rule import Refusal, Seen, State, World


class QualityState(State):
    """Samples, results, cultures and investigations of one lot, everything that ever was."""

    room: ClassVar[str] = "quality"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.specification: fact.SpecificationAssigned | None = None
        self.samples: dict[str, Sample] = {}
        self.results: dict[str, Result] = {}
        self.cultures: dict[str, Culture] = {}
        self.investigations: dict[str, Investigation] = {}
        self.result_leaves: dict[str, bytes] = {}
        """Leaf hash of the event of each result: what a verifier's signature is bound to."""
        self.recorded_by: dict[str, str] = {}
        """Who brought each result into the record: the analyst, or who transcribed it."""
        self.files: dict[str, tuple[str, ...]] = {}
        """SHA-256 of a raw file to the results read from it."""
        self.leaves: tuple[bytes, ...] = ()
        self._participants: set[str] = set()

    @property
    def lot(self) -> str:
        return self.name

    @property
    def participants(self) -> frozenset[str]:
        """Everybody who took a hand in testing the lot: none of them releases it (D10)."""
        return frozenset(self._participants)

    @property
    def open_investigations(self) -> tuple[Investigation, ...]:
        return tuple(i for i in self.investigations.values() if i.open)

    def apply(self, body: Body, seen: Seen) -> None:
        self.leaves = (*self.leaves, seen.leaf)
        self._apply_sample(body, seen)
        self._apply_result(body, seen)
        self._apply_culture(body, seen)
        self._apply_investigation(body, seen)

    def _apply_sample(self, body: Body, seen: Seen) -> None:
        match body:
            case fact.SpecificationAssigned():
                self.specification = body
            case fact.SampleReceived():
                self.samples[body.sample] = Sample(body.sample, body.kind, body.point, seen.at, body.received_by)
                self._join(body.handed_over_by, body.received_by)
            case _:
                pass

    def _apply_result(self, body: Body, seen: Seen) -> None:
        match body:
            case fact.ResultRecomputed():
                self._take(recomputed(body, seen.at), body.analyst, seen.leaf)
                self.files[body.file.sha256] = (*self.files.get(body.file.sha256, ()), body.result)
                self._join(body.analyst, body.second, *body.hands)
            case fact.ResultAttested():
                self._take(attested(body, seen.at), body.transcriber, seen.leaf)
                self._join(body.transcriber, body.analyst)
            case fact.ResultVerified():
                for result in body.results:
                    self._change(result, status="verified", verifier=body.verifier)
                self._join(body.verifier)
            case fact.ResultInvalidated():
                self._join(body.invalidated_by)
                self._change(body.result, status="invalidated", reason=body.cause)
            case _:
                pass

    def _apply_culture(self, body: Body, seen: Seen) -> None:
        match body:
            case fact.CultureStarted():
                self.cultures[body.culture] = Culture(
                    id=body.culture,
                    test=body.test,
                    sample=body.sample,
                    started_at=seen.at,
                    ends_at=body.ends_at,
                    method=body.method,
                    method_version=body.method_version,
                    assay_version=body.assay_version,
                    instrument=body.instrument,
                )
                self._join(body.analyst)
            case fact.CultureRead():
                self.cultures[body.culture] = replace(
                    self.cultures[body.culture],
                    status=culture_status(growth=body.growth, final=body.final),
                    last_read_at=seen.at,
                    result=body.result or "",
                )
                self._join(body.analyst)
            case fact.CultureAbandoned():
                self._join(body.abandoned_by)
                self.cultures[body.culture] = replace(self.cultures[body.culture], status="abandoned")
            case _:
                pass

    def _apply_investigation(self, body: Body, seen: Seen) -> None:
        match body:
            case fact.InvestigationOpened():
                self.investigations[body.investigation] = Investigation(
                    id=body.investigation,
                    test=body.test,
                    results=body.results,
                    opened_at=seen.at,
                    analysts=tuple(dict.fromkeys(self.results[r].analyst for r in body.results if r in self.results)),
                )
            case fact.LaboratoryPhaseConcluded():
                self._join(body.analyst, body.supervisor)
                self._investigate(body.investigation, phase="production", cause=body.cause)
            case fact.RetestPlanned():
                self._join(body.analyst, body.approver)
                self._investigate(
                    body.investigation, planned=body.number, retest_analyst=body.analyst, basis=body.basis
                )
            case fact.RetestStarted():
                known = self.investigations[body.investigation]
                self._investigate(body.investigation, authorised=(*known.authorised, body.retest))
                self._join(body.analyst)
            case fact.InvestigationConcluded():
                self._join(body.concluded_by)
                self._investigate(
                    body.investigation,
                    phase="concluded",
                    outcome=body.outcome,
                    conclusion=body.conclusion,
                    lots=body.other_lots,
                )
            case _:
                pass

    def _take(self, result: Result, recorder: str, leaf: bytes) -> None:
        self.results[result.id] = result
        self.recorded_by[result.id] = recorder
        self.result_leaves[result.id] = leaf
        if result.stands_for:
            self._change(result.stands_for, status="superseded", reason=result.id)
        known = self.investigations.get(result.retest_of)
        if known is not None:
            self._investigate(known.id, reported=(*known.reported, result.id))

    def _change(self, result: str, **change: str) -> None:
        self.results[result] = replace(self.results[result], **change)

    def _investigate(self, investigation: str, **change: object) -> None:
        self.investigations[investigation] = replace(self.investigations[investigation], **change)

    def _join(self, *people: str | None) -> None:
        self._participants.update(p for p in people if p)


def recomputed(body: fact.ResultRecomputed, at: str) -> Result:
    """The result that a recomputed value becomes."""
    return Result(
        id=body.result,
        test=body.test,
        value=body.value,
        unit=body.unit,
        sample=body.sample,
        sample_kind=body.sample_kind,
        sampling_point=body.sampling_point,
        origin="recomputed",
        method=body.method,
        method_version=body.method_version,
        assay_version=body.assay_version,
        instrument=body.instrument,
        analyst=body.analyst,
        acquired_at=body.file.acquired_at,
        recorded_at=at,
        evidence=body.file.sha256,
        controls=_controls(body.controls),
        flaw=body.flaw,
        retest_of=body.investigation or "",
        stands_for=body.stands_for or "",
    )


def attested(body: fact.ResultAttested, at: str) -> Result:
    """The result that an attested value becomes."""
    return Result(
        id=body.result,
        test=body.test,
        value=body.value,
        unit=body.unit,
        sample=body.sample,
        sample_kind=body.sample_kind,
        sampling_point=body.sampling_point,
        origin="attested",
        method=body.method,
        method_version=body.method_version,
        assay_version=body.assay_version,
        instrument=body.instrument,
        analyst=body.analyst,
        acquired_at=body.acquired_at,
        recorded_at=at,
        evidence=body.document_sha256,
        controls=_controls(body.controls),
        flaw=body.flaw,
        retest_of=body.investigation or "",
        stands_for=body.stands_for or "",
    )


def _controls(controls: Iterable[fact.Control]) -> dict[str, str]:
    return {control.name: "passed" if control.passed else "failed" for control in controls}


def culture_status(*, growth: bool, final: bool) -> CultureStatus:
    """What a reading makes of a culture."""
    if growth:
        return "positive"
    return "negative" if final else "negative_to_date"


def load(world: World, lot: str) -> QualityState:
    """The quality file of a lot, empty while nothing was recorded."""
    return world.load(QualityState, lot)


def known_result(state: QualityState, result: str) -> Result:
    """A result of this lot. Raises Refusal `unknown-result`."""
    try:
        return state.results[result]
    except KeyError:
        raise Refusal(
            "unknown-result", "Lot {lot} has no result {result}.", rule="R018", lot=state.lot, result=result
        ) from None
