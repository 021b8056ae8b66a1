"""Controls bound to an analysis: the files of untransduced or FMO cells and single stains, and the instrument's own check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from cellwright.cytometry.analysis.definition import Analysis, ControlRule
from cellwright.cytometry.analysis.gates import Panel
from cellwright.cytometry.analysis.outcome import Outcome
from cellwright.cytometry.fault import FcsError, GateError

if TYPE_CHECKING:
    from cellwright.cytometry.fcs import FcsFile

Status = Literal["passed", "failed", "missing", "out_of_date", "not_its_own"]
Kind = Literal["unstained", "untransduced", "fmo", "single_stain"]


@dataclass(frozen=True, slots=True)
class ControlFile:
    """A control's own raw file; the marker that an FMO lacks, or that a single stain has."""

    control: Kind
    sample: "FcsFile"
    marker: str = ""


class InstrumentQc(msgspec.Struct, frozen=True, kw_only=True):
    """The instrument's own check, as its record states it. Times by the instrument's clock, ISO 8601."""

    cytometer: str
    performed: str
    valid_until: str
    passed: bool
    sha256: str
    """Of the record."""

    def __post_init__(self) -> None:
        for text in (self.performed, self.valid_until):
            try:
                datetime.fromisoformat(text)
            except ValueError:
                raise ValueError(f"instrument check: {text!r} is no time in the form of ISO 8601") from None


class ControlFinding(msgspec.Struct, frozen=True, kw_only=True):
    """How a control stands.

    Attributes:
        control: kind, and the marker after a colon.
        status: `passed`, `failed`, `missing`, `out_of_date` for one acquired too far from the sample, or `not_its_own`
            for one of another instrument or of another sample's series.
        value: the figure that was limited, as the control's own file gives it.
        sample: what the control's file states as its sample.
        sha256: of the control's file or record.
    """

    control: str
    status: Status
    value: str = ""
    limit: str = ""
    sample: str = ""
    sha256: str = ""
    guards: tuple[str, ...] = ()

    @property
    def flaw(self) -> str:
        """Why the figures it guards prove nothing; empty where it passed."""
        return {"passed": "", "failed": "control-failed"}.get(self.status, "control-missing")


Measure = Callable[["FcsFile"], dict[str, Outcome]]
"""The figures of a file under the same gates."""


def check_controls(
    analysis: Analysis,
    sample: "FcsFile",
    files: Sequence[ControlFile],
    checks: Sequence[InstrumentQc],
    measure: Measure,
) -> tuple[ControlFinding, ...]:
    """How every control that an analysis asks for stands."""
    return tuple(
        _instrument(rule, sample, checks)
        if rule.control == "instrument_qc"
        else _file(rule, analysis, sample, files, measure)
        for rule in analysis.controls
    )


def _file(
    rule: ControlRule, analysis: Analysis, sample: "FcsFile", files: Sequence[ControlFile], measure: Measure
) -> ControlFinding:
    found = [one.sample for one in files if (one.control, one.marker) == (rule.control, rule.marker)]
    if not found:
        return ControlFinding(control=rule.title, status="missing", guards=rule.guards)
    # Who gives two files for one control gives the worse one too: none is passed over because another is better.
    stands = [_one(rule, analysis, sample, control, measure) for control in found]
    return next((one for one in stands if one.status != "passed"), stands[0])


def _one(
    rule: ControlRule, analysis: Analysis, sample: "FcsFile", control: "FcsFile", measure: Measure
) -> ControlFinding:
    stands = ControlFinding(
        control=rule.title, status="passed", sample=control.sample_id, sha256=control.sha256, guards=rule.guards
    )
    if status := _elsewhere(rule, sample, control):
        return replace(stands, status=status)
    try:
        if rule.control == "single_stain" and not _own_detector_brightest(rule.marker, analysis, control):
            return replace(stands, status="failed")
        if rule.at_most is None:
            return stands
        figure = measure(control)[rule.output]
    except (FcsError, GateError):
        # Of other channels than the panel's: it cannot show what it is there to show.
        return replace(stands, status="failed")
    passed = not figure.flaw and figure.value != "" and Decimal(figure.value.lstrip("<")) <= rule.at_most
    return replace(stands, status="passed" if passed else "failed", value=figure.value, limit=str(rule.at_most))


def _elsewhere(rule: ControlRule, sample: "FcsFile", control: "FcsFile") -> Status | None:
    """Why a file is no control of this sample: not acquired beside it, or not by the same instrument, or not its own."""
    if not _near(sample, control, rule.within_hours) or control.sha256 == sample.sha256:
        return "out_of_date"
    if control.cytometer != sample.cytometer:
        return "not_its_own"
    if rule.sample and control.sample_id != rule.sample.replace("{sample}", sample.sample_id):
        return "not_its_own"
    return None


def _instrument(rule: ControlRule, sample: "FcsFile", checks: Sequence[InstrumentQc]) -> ControlFinding:
    own = [check for check in checks if check.cytometer == sample.cytometer]
    if not own or sample.acquired is None:
        return ControlFinding(control=rule.title, status="missing", guards=rule.guards)
    begin, end = (moment.replace(tzinfo=None) for moment in sample.acquired)
    for check in own:
        since, until = (
            datetime.fromisoformat(text).replace(tzinfo=None) for text in (check.performed, check.valid_until)
        )
        if since <= begin and end <= until:
            status: Literal["passed", "failed"] = "passed" if check.passed else "failed"
            return ControlFinding(control=rule.title, status=status, sha256=check.sha256, guards=rule.guards)
    return ControlFinding(control=rule.title, status="out_of_date", sha256=own[-1].sha256, guards=rule.guards)


def _near(sample: "FcsFile", control: "FcsFile", hours: int) -> bool:
    if sample.acquired is None or control.acquired is None:
        return False
    one, other = sample.acquired[0], control.acquired[0]
    if (one.tzinfo is None) != (other.tzinfo is None):
        one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
    return abs(one - other) <= timedelta(hours=hours)


def _own_detector_brightest(marker: str, analysis: Analysis, control: "FcsFile") -> bool:
    """Whether the brightest events of a single stain stand out most in the stain's own detector."""
    import numpy as np

    panel = Panel(analysis)
    matrix = control.spillover
    names = matrix.detectors if matrix is not None else tuple(panel.channels[d.name] for d in analysis.panel if d.scale)
    own = panel.channels.get(marker, "")
    if own not in names or not control.events:
        return False
    away = {}
    for name in names:
        low, high = np.quantile(control.column(name, scaled=True), [0.05, 0.98])
        away[name] = float(high - low)
    return max(away, key=lambda name: (away[name], name)) == own
