"""The quality of an acquisition: did the instrument see the same thing from the first event to the last?

Flow rate: events in windows of equal duration. Signal: in windows of equal numbers of events, the distribution of each
channel is compared with the typical one by the greatest difference of their distribution functions (Kolmogorov and
Smirnov). Only ranks enter, so the answer is the same on every monotone scale and needs no transform. The typical
distribution is the median over the windows, which up to half of them cannot move. Margin events pile up at the end of
a detector's range; doublets have more area than their height explains.

The decision carries its parameters: the same file with the same parameters gives the same decision.
"""

from collections.abc import Mapping
from math import inf, log, sqrt
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.float32]
    Mask = NDArray[np.bool_]

METHOD = "cellwright.cytometry.acquisition"
VERSION = "2"
LEAST_EVENTS = 500
"""Fewer events show no course in time."""
BACKWARDS_MAX = 0.01
"""Share of events that may be earlier than the one before; a clock with more of them tells no course."""

Verdict = Literal["accepted", "accepted_with_exclusions", "rejected", "not_evaluable"]
Kind = Literal["time_backwards", "flow_rate", "signal", "margin", "doublet", "no_time", "too_few_events"]


class AcquisitionCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of the check. Defaults are ours [assumption]; a laboratory sets and validates its own.

    Attributes:
        time: channel of time; empty leaves out the flow rate.
        signal: channels whose course is watched.
        area, height: the pair that tells doublets; empty leaves them out.
        margin: channel -> the highest value its detector can give.
        rate_windows: windows of equal duration.
        rate_tolerance: relative deviation from the median rate that is still normal.
        window_events: events in a window of the signal check, at least; there are at most 200 windows.
        signal_tolerance: difference of distribution functions that is still normal, beside what chance explains.
        doublet_spread: robust standard deviations of area over height above the median.
        excluded_percent_max: rejected if more than this percentage is excluded for rate and signal.
    """

    time: str = ""
    signal: tuple[str, ...] = ()
    area: str = ""
    height: str = ""
    margin: dict[str, float] = {}
    rate_windows: int = 100
    rate_tolerance: float = 0.5
    window_events: int = 1000
    signal_tolerance: float = 0.1
    doublet_spread: float = 4.0
    excluded_percent_max: float = 30.0

    def __post_init__(self) -> None:
        numbers = (self.rate_tolerance, self.signal_tolerance, self.doublet_spread, self.excluded_percent_max)
        if self.rate_windows < 4 or self.window_events < 50 or min(numbers) <= 0:
            raise ValueError("acquisition check: at least 4 windows of at least 50 events, and positive tolerances")
        if bool(self.area) != bool(self.height):
            raise ValueError("acquisition check: doublets need both the area and the height")


class Finding(msgspec.Struct, frozen=True):
    """Something that was seen, how far it goes, and how many events it concerns."""

    kind: Kind
    channel: str
    events: int
    worst: float
    """Relative deviation of the rate; difference of distribution functions; 0 where neither is meant."""
    windows: tuple[int, ...] = ()


class AcquisitionDecision(msgspec.Struct, frozen=True):
    """The decision with everything it rests on.

    Attributes:
        drift: channel -> greatest difference of its distribution in any window, 0 to 1; the greatest first.
    """

    verdict: Verdict
    events: int
    kept: int
    findings: tuple[Finding, ...]
    drift: dict[str, float]
    parameters: AcquisitionCheck
    method: str = METHOD
    version: str = VERSION


def check_acquisition(
    columns: Mapping[str, "Column"], parameters: AcquisitionCheck
) -> tuple[AcquisitionDecision, "Mask"]:
    """Judge an acquisition.

    Args:
        columns: channel -> values of all events in the order of acquisition.

    Returns:
        The decision, and a mask of the events that stay.

    Raises:
        ValueError: a channel the parameters name is not there, or columns differ in length.
    """
    import numpy as np

    total = _length(columns, parameters)
    course = np.ones(total, np.bool_)
    findings: list[Finding] = []
    drift: dict[str, float] = {}
    if total >= LEAST_EVENTS:
        if parameters.time:
            findings += _flow_rate(columns[parameters.time], parameters, course)
        else:
            findings.append(Finding("no_time", "", 0, 0.0))
        found, drift = _signal(columns, parameters, course)
        findings += found
    else:
        findings.append(Finding("too_few_events", "", total, 0.0))
    kept = course & _margin(columns, parameters, findings, total) & _single(columns, parameters, findings, total)
    lost = 100 * (total - int(course.sum())) / max(total, 1)
    verdict: Verdict = "accepted" if kept.all() else "accepted_with_exclusions"
    if lost > parameters.excluded_percent_max:
        verdict = "rejected"
    if total < LEAST_EVENTS or (parameters.time and not _has_course(findings, total)):
        verdict = "not_evaluable"
    return AcquisitionDecision(verdict, total, int(kept.sum()), tuple(findings), drift, parameters), kept


def _has_course(findings: list[Finding], total: int) -> bool:
    """Whether the clock that was named tells the course: it moves, and events that go back in it are few."""
    return not any(
        found.kind == "no_time" or (found.kind == "time_backwards" and found.events > BACKWARDS_MAX * total)
        for found in findings
    )


def rises(values: "Column") -> bool:
    """Whether a channel is a clock or a counter: it changes, and nearly every event is no less than the one before."""
    import numpy as np

    steps = np.diff(values)
    return len(steps) > 0 and bool((steps > 0).any()) and float((steps >= 0).mean()) > 0.99


def _length(columns: Mapping[str, "Column"], parameters: AcquisitionCheck) -> int:
    wanted = {*parameters.signal, *parameters.margin, parameters.time, parameters.area, parameters.height} - {""}
    if missing := sorted(wanted - set(columns)):
        raise ValueError(f"no channel {', '.join(missing)}; there are {', '.join(columns)}")
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of different length: {sorted(lengths)}")
    return lengths.pop()


def _flow_rate(time: "Column", parameters: AcquisitionCheck, course: "Mask") -> list[Finding]:
    """Windows of equal duration whose number of events deviates by more than the tolerance and five Poisson errors."""
    import numpy as np

    findings = []
    backwards = int((np.diff(time) < 0).sum())
    if backwards:
        findings.append(Finding("time_backwards", parameters.time, backwards, 0.0))
    begin, end = float(time.min()), float(time.max())
    if not 0 < end - begin < inf:
        return [*findings, Finding("no_time", parameters.time, len(time), 0.0)]
    place = np.minimum(
        ((time - begin) * (parameters.rate_windows / (end - begin))).astype(np.int64), parameters.rate_windows - 1
    )
    counts = np.bincount(place, minlength=parameters.rate_windows)
    typical = float(np.median(counts))
    away = np.abs(counts - typical)
    odd = (away > parameters.rate_tolerance * typical) & (away > 5 * sqrt(max(typical, 1.0)))
    if odd.any():
        outside = odd[place]
        course &= ~outside
        worst = float(away[odd].max() / max(typical, 1.0))
        findings.append(_finding("flow_rate", parameters.time, int(outside.sum()), worst, odd))
    return findings


def _signal(
    columns: Mapping[str, "Column"], parameters: AcquisitionCheck, course: "Mask"
) -> tuple[list[Finding], dict[str, float]]:
    import numpy as np

    total = len(course)
    windows = max(4, min(200, total // parameters.window_events))
    window = np.arange(total) * windows // total
    chance = sqrt(-log(1e-6 / 2) / 2 / (total / windows))
    findings, drift = [], {}
    for channel in parameters.signal:
        distance = _distances(columns[channel], window, windows)
        odd = distance > parameters.signal_tolerance + chance
        drift[channel] = round(float(distance.max()), 4)
        if odd.any():
            outside = odd[window]
            course &= ~outside
            findings.append(_finding("signal", channel, int(outside.sum()), float(distance.max()), odd))
    return findings, dict(sorted(drift.items(), key=lambda item: (-item[1], item[0])))


def _distances(values: "Column", window: "NDArray[np.int64]", windows: int) -> "NDArray[np.float64]":
    """For each window, how far its distribution function lies from the median of all, at 31 quantiles of the whole."""
    import numpy as np

    told = values[~np.isnan(values)]
    if not len(told):
        return np.zeros(windows)
    edges = np.unique(np.quantile(told, np.arange(1, 32) / 32, method="lower"))
    rank = np.searchsorted(edges, values, side="left")
    table = np.bincount(window * (len(edges) + 1) + rank, minlength=windows * (len(edges) + 1))
    below = np.cumsum(table.reshape(windows, -1), axis=1)
    share = below[:, :-1] / below[:, -1:]
    return np.asarray(np.abs(share - np.median(share, axis=0)).max(axis=1))


def _margin(
    columns: Mapping[str, "Column"], parameters: AcquisitionCheck, findings: list[Finding], total: int
) -> "Mask":
    import numpy as np

    kept = np.ones(total, np.bool_)
    for channel, highest in sorted(parameters.margin.items()):
        at_end = columns[channel] >= highest
        if at_end.any():
            findings.append(Finding("margin", channel, int(at_end.sum()), 0.0))
            kept &= ~at_end
    return kept


def _single(
    columns: Mapping[str, "Column"], parameters: AcquisitionCheck, findings: list[Finding], total: int
) -> "Mask":
    """Events whose area is no more than their height explains, by the median and its absolute deviation."""
    import numpy as np

    kept = np.ones(total, np.bool_)
    if not parameters.area or not total:
        return kept
    area, height = (columns[name].astype(np.float64) for name in (parameters.area, parameters.height))
    seen = (height > 0) & np.isfinite(area) & np.isfinite(height)
    share = np.divide(area, height, out=np.full(total, np.nan), where=seen)
    if not seen.any():
        return kept
    middle = float(np.median(share[seen]))
    spread = 1.4826 * float(np.median(np.abs(share[seen] - middle)))
    doublet = seen & (share > middle + parameters.doublet_spread * spread)
    if doublet.any() and spread > 0:
        findings.append(Finding("doublet", parameters.area, int(doublet.sum()), 0.0))
        kept &= ~doublet
    return kept


def _finding(kind: Kind, channel: str, events: int, worst: float, odd: "Mask") -> Finding:
    return Finding(kind, channel, events, round(worst, 4), tuple(int(n) for n in odd.nonzero()[0]))
