"""An analysis carried out: a record bound to the raw file by its hash, which anybody repeats bit for bit.

The record holds no clock and no person's name but those of a revision: the same file, definition and controls give
the same bytes. A person signs these bytes elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from cellwright.cytometry.acquisition import METHOD, AcquisitionDecision, check_acquisition
from cellwright.cytometry.acquisition import VERSION as ACQUISITION_VERSION
from cellwright.cytometry.analysis.control import ControlFile, ControlFinding, InstrumentQc, check_controls
from cellwright.cytometry.analysis.gates import ReadFile, strategy
from cellwright.cytometry.analysis.outcome import Outcome, outcome
from cellwright.cytometry.analysis.reading import Sheet
from cellwright.cytometry.fcs import PARSER
from cellwright.cytometry.fcs import VERSION as PARSER_VERSION
from cellwright.cytometry.gating import gate_sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry.fcs import FcsFile
    from cellwright.cytometry.gate import GatingStrategy

RECORD: Final = "cellwright.flow-record/1"
ENGINE: Final = {PARSER: PARSER_VERSION, METHOD: ACQUISITION_VERSION, "cellwright.cytometry.analysis": "2"}
MINUTES_OF_DAY: Final = 24 * 60
CLOCKS_APART: Final = timedelta(minutes=2)
"""How far an instrument's clock may lie from the request's."""


class Disagreement(ValueError):
    """The raw file is not what was asked for: another sample, or another time. Nothing is computed from it."""


class Moved(ValueError):
    """Gates were moved after a result was seen, without a reason and a second person."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        sample: the sample's identifier, as the file must state it.
        acquired_at: when it was measured by the worksheet, ISO 8601 with offset; empty to ask for the sample only.
        instrument_offset_minutes: the instrument's clock ahead of UTC, for files that state no zone.
    """

    sample: str
    acquired_at: str = ""
    instrument_offset_minutes: int = 0


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """Why gates stand elsewhere than when the result was seen first, who moved them, and who agreed (a second person)."""

    stands_for: str
    """SHA-256 of the earlier record's bytes."""
    reason: str
    moved_by: str
    agreed_by: str


class RawFileNote(msgspec.Struct, frozen=True, kw_only=True):
    """The raw file, and what it says of itself."""

    sha256: str
    bytes: int
    version: str
    sample: str
    cytometer: str
    acquired: str
    events: int
    repairs: tuple[str, ...]


class Population(msgspec.Struct, frozen=True):
    """Events of one population after the exclusions of the acquisition check."""

    name: str
    parent: str
    events: int


class AnalysisRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and what came out."""

    schema: str = RECORD
    engine: dict[str, str]
    analysis: str
    version: str
    status: str
    definition_sha256: str
    file: RawFileNote
    acquisition: AcquisitionDecision | None
    populations: tuple[Population, ...]
    outputs: tuple[Outcome, ...]
    controls: tuple[ControlFinding, ...]
    revision: Revision | None = None

    def output(self, name: str) -> Outcome:
        """One figure by its name. Raises KeyError."""
        for one in self.outputs:
            if one.output == name:
                return one
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands beside the sample: the request, the controls, and the record that was made before, if any."""

    request: Request | None = None
    controls: Sequence[ControlFile] = ()
    instrument: Sequence[InstrumentQc] = ()
    earlier: AnalysisRecord | None = None
    revision: Revision | None = None


def analyse(
    sheet: Sheet, sample: "FcsFile", evidence: Evidence | None = None, read: ReadFile | None = None
) -> AnalysisRecord:
    """Carry out an analysis on a raw file.

    Args:
        read: gives the Gating-ML file that the analysis names.

    Raises:
        AnalysisError: the analysis contradicts itself.
        Disagreement: the file is of another sample or time than the request (D18).
        Moved: the gates are not those of the earlier record, and no second person agreed (D18).
        FcsError, GateError: the file lacks a channel, or a matrix cannot be inverted.
    """
    given = evidence or Evidence()
    gates = strategy(sheet, read)
    if given.request is not None:
        _compare(sample, given.request)
    revision = _revised(sheet, sample, given)
    decision, counts, kept = _counted(sheet, sample, gates)
    flaw = (
        "acquisition-incomplete" if decision is not None and decision.verdict in ("rejected", "not_evaluable") else ""
    )

    def measure(one: "FcsFile") -> dict[str, Outcome]:
        _decision, found, left = _counted(sheet, one, gates)
        return {o.output: outcome(o, sheet.analysis, found, left) for o in sheet.analysis.outputs}

    controls = check_controls(sheet.analysis, sample, given.controls, given.instrument, measure)
    outputs = []
    for one in sheet.analysis.outputs:
        missing = [c.flaw for c in controls if c.flaw and (not c.guards or one.output in c.guards)]
        outputs.append(outcome(one, sheet.analysis, counts, kept, flaw or next(iter(sorted(missing)), "")))
    return AnalysisRecord(
        engine=dict(ENGINE),
        analysis=sheet.analysis.analysis,
        version=sheet.analysis.version,
        status=sheet.analysis.status,
        definition_sha256=sheet.sha256,
        file=_note(sample),
        acquisition=decision,
        populations=tuple(Population(name, gates.parent(name), counts[name]) for name in gates.populations),
        outputs=tuple(outputs),
        controls=controls,
        revision=revision,
    )


def record_bytes(record: AnalysisRecord) -> bytes:
    """The record as one canonical line of JSON: what is hashed, signed and compared."""
    return msgspec.json.encode(record, order="sorted") + b"\n"


def record_sha256(record: AnalysisRecord) -> str:
    """SHA-256 of the record's bytes, in hexadecimal."""
    return sha256(record_bytes(record)).hexdigest()


def read_record(data: bytes) -> AnalysisRecord:
    """A record from its bytes. Raises msgspec.DecodeError (a ValueError) for anything else."""
    return msgspec.json.decode(data, type=AnalysisRecord)


def differences(old: AnalysisRecord, new: AnalysisRecord) -> tuple[str, ...]:
    """Names of the parts in which two records differ; empty when one repeats the other bit for bit."""
    return tuple(
        name
        for name in AnalysisRecord.__struct_fields__
        if msgspec.json.encode(getattr(old, name), order="sorted")
        != msgspec.json.encode(getattr(new, name), order="sorted")
    )


def _counted(
    sheet: Sheet, sample: "FcsFile", gates: "GatingStrategy"
) -> tuple[AcquisitionDecision | None, dict[str, int], int]:
    """The decision on the acquisition, the events of each population that it leaves, and how many it leaves in all."""
    found = gate_sample(sample, gates)
    check = sheet.analysis.acquisition
    if check is None:
        return None, dict(found.counts), sample.events
    names = {*check.signal, *check.margin, check.time, check.area, check.height} - {""}
    columns = {name: sample.column(name) for name in sorted(names)}
    if not columns:
        return None, dict(found.counts), sample.events
    decision, kept = check_acquisition(columns, check)
    if decision.kept == sample.events:
        return decision, dict(found.counts), sample.events
    return decision, {name: _both(found.member(name), kept) for name in found.counts}, decision.kept


def _both(member: "NDArray[np.bool_]", kept: "NDArray[np.bool_]") -> int:
    import numpy as np

    return int(np.count_nonzero(member & kept))


def _note(sample: "FcsFile") -> RawFileNote:
    return RawFileNote(
        sha256=sample.sha256,
        bytes=sample.size,
        version=sample.version,
        sample=sample.sample_id,
        cytometer=sample.cytometer,
        acquired=sample.acquired[0].isoformat() if sample.acquired else "",
        events=sample.events,
        repairs=tuple(str(repair) for repair in sample.repairs),
    )


def _compare(sample: "FcsFile", request: Request) -> None:
    if sample.sample_id.strip() != request.sample:
        raise Disagreement(f"the file is of sample {sample.sample_id!r}, asked for was {request.sample!r}")
    if not request.acquired_at:
        return
    try:
        asked = datetime.fromisoformat(request.acquired_at)
    except ValueError:
        asked = None
    if asked is None or asked.tzinfo is None or abs(request.instrument_offset_minutes) >= MINUTES_OF_DAY:
        raise Disagreement(f"the request's time {request.acquired_at!r} is none that a file can be compared with")
    if sample.acquired is None:
        raise Disagreement(f"the file states no time, asked for was {request.acquired_at}")
    zone = timezone(timedelta(minutes=request.instrument_offset_minutes))
    begin, end = (one if one.tzinfo else one.replace(tzinfo=zone) for one in sample.acquired)
    if not begin - CLOCKS_APART <= asked <= end + CLOCKS_APART:
        said = begin.astimezone(UTC).isoformat()
        raise Disagreement(f"the file was acquired at {said}, asked for was {request.acquired_at}")


def _revised(sheet: Sheet, sample: "FcsFile", given: Evidence) -> Revision | None:
    """The revision that an earlier record of the same file asks for, or None where nothing was moved."""
    earlier = given.earlier
    if earlier is None or earlier.file.sha256 != sample.sha256 or earlier.definition_sha256 == sheet.sha256:
        return None
    revision = given.revision
    if revision is None or not all(map(str.strip, (revision.reason, revision.moved_by, revision.agreed_by))):
        raise Moved("a result of this file was seen; to move its gates takes a reason and a second person")
    one, other = (name.strip().casefold() for name in (revision.moved_by, revision.agreed_by))
    if one == other or revision.stands_for != record_sha256(earlier):
        raise Moved("who moved the gates cannot agree to it alone, and the record it stands for is named by its hash")
    return revision
