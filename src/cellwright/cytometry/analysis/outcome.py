"""The figures of an analysis: each with its interval, the events behind it, and what it does not prove."""

from fractions import Fraction

import msgspec

from cellwright.cytometry.analysis.definition import Analysis, Output
from cellwright.cytometry.interval import Figure, Interval, concentration, figure, proportion, ratio

Counts = dict[str, int]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    Attributes:
        value: in print; `<x` for rare cells below the limit of detection or quantification; empty where nothing can be said.
        word: `negative` or `positive` for rare cells, else empty.
        low, high: the interval, rounded outwards; `high` empty where it has no end.
        events, of: the counts behind the figure.
        flaw: why it proves nothing; empty if it does.
        warnings: what a reader should know: `small-count`, `below-detection`, `below-quantification`, `gates-proposed`.
    """

    output: str
    kind: str
    value: str
    unit: str
    low: str
    high: str
    confidence: str
    events: int
    of: int
    word: str = ""
    flaw: str = ""
    warnings: tuple[str, ...] = ()


def outcome(output: Output, analysis: Analysis, counts: Counts, events: int, flaw: str = "") -> Outcome:
    """A figure from the counts.

    Args:
        counts: population -> events; `events` in all stand for an empty name.
        flaw: why nothing of this acquisition proves anything, known already.
    """
    counted, of = ((counts[name] if name else events) for name in (output.count, output.of))
    flaw = flaw or ("events-too-few" if _behind(output, counted, of) < output.events_min else "")
    warnings = _warnings(output, analysis, counted, of)
    shown, unit = _figure(output, analysis, counted, of)
    value, word = shown.value, ""
    if output.kind == "residual":
        value, word = _rare(output, counted, of, shown)
    return Outcome(
        output=output.output, kind=output.kind, value=value, unit=unit, low=shown.low, high=shown.high,
        confidence=str(analysis.confidence), events=counted, of=of, word="" if flaw else word, flaw=flaw, warnings=warnings,
    )  # fmt: skip


def _behind(output: Output, counted: int, of: int) -> int:
    """How many events carry the figure: those looked at, or for a ratio both kinds together."""
    return counted + of if output.kind == "ratio" else of


def _figure(output: Output, analysis: Analysis, counted: int, of: int) -> tuple[Figure, str]:
    confidence = float(analysis.confidence)
    empty = Figure("", "", "")
    match output.kind:
        case "percent" | "residual":
            if of == 0:
                return empty, "%"
            interval = proportion(counted, of, confidence)
            return figure(Fraction(counted, of), interval, scale=100, decimals=output.decimals), "%"
        case "ratio":
            if counted + of == 0:
                return empty, "1"
            interval = ratio(counted, of, confidence)
            if of == 0:
                return Figure(
                    "", figure(Fraction(0), Interval(interval.low, interval.high), decimals=output.decimals).low, ""
                ), "1"
            return figure(Fraction(counted, of), interval, decimals=output.decimals), "1"
        case "concentration":
            assert analysis.beads is not None
            if of == 0:
                return empty, "cells/uL"
            interval = concentration(counted, of, analysis.beads, confidence)
            value = Fraction(counted, of) * analysis.beads.per_event()
            return figure(value, interval, decimals=output.decimals), "cells/uL"


def _rare(output: Output, counted: int, of: int, shown: Figure) -> tuple[str, str]:
    """What may be said about rare cells: none detected, detected but not to be quantified, or how many."""
    if of == 0:
        return "", ""
    if counted < output.detection_events:
        return f"<{_limit(output.detection_events, of, output.decimals)}", "negative"
    if counted < output.quantification_events:
        return f"<{_limit(output.quantification_events, of, output.decimals)}", "positive"
    return shown.value, "positive"


def _limit(events: int, of: int, decimals: int) -> str:
    """A limit in percent of the events looked at, rounded up."""
    share = Fraction(events, of)
    return figure(share, Interval(0.0, float(share)), scale=100, decimals=decimals).high


def _warnings(output: Output, analysis: Analysis, counted: int, of: int) -> tuple[str, ...]:
    found = []
    other = of - counted if output.kind == "percent" else of if output.kind in ("ratio", "concentration") else counted
    if output.kind != "residual" and min(counted, other) < output.small_below:
        found.append("small-count")
    if output.kind == "residual":
        if counted < output.detection_events:
            found.append("below-detection")
        elif counted < output.quantification_events:
            found.append("below-quantification")
    if analysis.status == "proposed":
        found.append("gates-proposed")
    return tuple(found)
