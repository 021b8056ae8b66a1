"""Was the cold chain kept? The excursion rule of transport and storage (R118), exact and pure.

A sample is *in* when it is within the limits and of good quality, *out* when it was measured beyond them, and *unknown*
when its quality is bad, it is no number, or it is the 0 °C that a disconnected sensor reports. A silence longer than
two sampling intervals is unknown too. A maximal run of samples that are not in is

- an `excursion`, if it was measured out for longer than the tolerance, from its first bad to the first good sample;
- a `gap`, if any part of it is unknown: what is not known is never in range, so it blocks however short it is;
- an `event` otherwise.

Start and end are reported at their worst: the last good sample before and the first good sample after. Every logger is
judged by itself and the worst counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

Kind = Literal["excursion", "gap", "event", "disagreement"]
Judged = Literal["in", "out", "unknown"]
DISAGREEMENT_C = Decimal(5)
"""Two loggers of one shipper that differ by more disagree."""
_WORST: dict[Judged, int] = {"in": 0, "out": 1, "unknown": 2}


class Sample(NamedTuple):
    """One reading of one logger: time in UTC, temperature in °C, None or NaN where there is none."""

    at: datetime
    celsius: Decimal | None
    good: bool = True
    logger: str = ""


class Limits(NamedTuple):
    """Temperatures within which the material must stay, both included."""

    max_c: Decimal
    min_c: Decimal | None = None

    def holds(self, celsius: Decimal) -> bool:
        return celsius <= self.max_c and (self.min_c is None or celsius >= self.min_c)


class Run(NamedTuple):
    """A stretch of time that was not known to be within the limits."""

    kind: Kind
    start: datetime
    end: datetime
    peak_c: Decimal | None
    """The measured temperature farthest beyond the limits; None where nothing was measured."""
    logger: str = ""

    @property
    def blocks(self) -> bool:
        """Whether use is blocked until somebody has assessed it."""
        return self.kind in ("excursion", "gap")


class Period(NamedTuple):
    """The time that must be covered by samples: from pack-out to receipt."""

    start: datetime
    end: datetime


def judge(sample: Sample, limits: Limits) -> Judged:
    """Where one sample stands."""
    value = sample.celsius
    if not sample.good or value is None or not value.is_finite():
        return "unknown"
    if value == 0 and not (limits.min_c is not None and limits.min_c <= 0 <= limits.max_c):
        return "unknown"
    return "in" if limits.holds(value) else "out"


def excursions(
    samples: Iterable[Sample],
    limit: Limits | Decimal,
    interval: timedelta,
    tolerance: timedelta,
    period: Period | None = None,
) -> tuple[Run, ...]:
    """Every stretch that was not known to be within the limits, in order of time.

    Args:
        samples: readings of one or several loggers, in any order, duplicates allowed.
        limit: limits in °C; a bare number is the upper limit.
        interval: the logger's sampling interval, above zero.
        tolerance: an excursion is longer than this.
        period: the time that has to be covered; a silence at its ends is a gap like any other.

    Raises:
        ValueError: an interval that is not positive, or a sample without a time zone.
    """
    if interval <= timedelta():
        raise ValueError("the sampling interval must be above zero")
    limits = limit if isinstance(limit, Limits) else Limits(limit)
    loggers: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.at.tzinfo is None:
            raise ValueError("a sample without a time zone is at no certain time")
        # Differences of local times are differences of the clock on the wall, wrong by an hour twice a year.
        loggers.setdefault(sample.logger, []).append(sample._replace(at=sample.at.astimezone(UTC)))
    if not loggers:
        return () if period is None else (Run("gap", period.start, period.end, None),)
    runs = [
        run for one in loggers.values() for run in _runs(_timeline(one, limits), limits, interval, tolerance, period)
    ]
    runs += _disagreements(list(loggers.values()), interval)
    return tuple(sorted(runs, key=lambda r: (r.start, r.end, r.kind, r.logger)))


class _Point(NamedTuple):
    at: datetime
    judged: Judged
    celsius: Decimal | None
    logger: str


def _timeline(samples: Sequence[Sample], limits: Limits) -> list[_Point]:
    """Sorted, one point per time; of several at one time the worst."""
    worst: dict[datetime, _Point] = {}
    for sample in samples:
        point = _Point(sample.at, judge(sample, limits), sample.celsius, sample.logger)
        known = worst.get(sample.at)
        if known is None or _badness(point, limits) > _badness(known, limits):
            worst[sample.at] = point
    return [worst[at] for at in sorted(worst)]


def _badness(point: _Point, limits: Limits) -> tuple[int, Decimal]:
    return _WORST[point.judged], _beyond(point.celsius, limits) if point.judged == "out" else Decimal(0)


def _beyond(celsius: Decimal | None, limits: Limits) -> Decimal:
    """How far a measured temperature lies beyond the nearer limit, in kelvin; negative inside."""
    if celsius is None:
        return Decimal("-Infinity")
    above = celsius - limits.max_c
    return above if limits.min_c is None else max(above, limits.min_c - celsius)


def _runs(
    points: list[_Point], limits: Limits, interval: timedelta, tolerance: timedelta, period: Period | None
) -> Iterator[Run]:
    silence = 2 * interval
    first, last = points[0].at, points[-1].at
    good = period.start if period is not None and period.start < first else first
    """The last moment at which all was well, or the beginning."""
    bad_since: datetime | None = None
    unknown = False
    peak: Decimal | None = None
    before = good
    for point in points:
        if point.at - before > silence:
            bad_since, unknown = bad_since or before, True
        if point.judged == "in":
            if bad_since is not None:
                yield _run(good, bad_since, point.at, unknown, peak, tolerance, point.logger)
            good, bad_since, unknown, peak = point.at, None, False, None
        else:
            bad_since = bad_since or point.at
            unknown = unknown or point.judged == "unknown"
            if point.judged == "out" and (peak is None or _beyond(point.celsius, limits) > _beyond(peak, limits)):
                peak = point.celsius
        before = point.at
    end = period.end if period is not None and period.end > last else last
    if end - last > silence:
        bad_since, unknown = bad_since or last, True
    if bad_since is not None:
        yield _run(good, bad_since, end, unknown, peak, tolerance, points[-1].logger)


def _run(
    good: datetime,
    bad_since: datetime,
    end: datetime,
    unknown: bool,
    peak: Decimal | None,
    tolerance: timedelta,
    logger: str,
) -> Run:
    kind: Kind = "gap" if unknown else "event"
    if peak is not None and end - bad_since > tolerance:
        kind = "excursion"
    return Run(kind, good, end, peak, logger)


def _disagreements(loggers: list[list[Sample]], interval: timedelta) -> Iterator[Run]:
    """Times at which two loggers of one shipper differ by more than 5 K. They block nothing: the worst counts anyway."""
    for index, one in enumerate(loggers):
        for other in loggers[index + 1 :]:
            apart = sorted(at for at, difference in _compared(one, other, interval) if difference > DISAGREEMENT_C)
            if apart:
                yield Run("disagreement", apart[0], apart[-1], None, f"{one[0].logger} / {other[0].logger}")


def _compared(one: list[Sample], other: list[Sample], interval: timedelta) -> Iterator[tuple[datetime, Decimal]]:
    """Differences between readings at the same time, or within half an interval of it."""
    theirs = sorted(other)
    place = 0
    for sample in sorted(one):
        while place + 1 < len(theirs) and abs(theirs[place + 1].at - sample.at) <= abs(theirs[place].at - sample.at):
            place += 1
        near = theirs[place]
        if _measured(sample) and _measured(near) and abs(near.at - sample.at) <= interval / 2:
            yield sample.at, abs((sample.celsius or Decimal(0)) - (near.celsius or Decimal(0)))


def _measured(sample: Sample) -> bool:
    return sample.good and sample.celsius is not None and sample.celsius.is_finite()
