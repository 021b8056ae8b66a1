"""Sterility and mycoplasma by culture, as a state machine over time: negative to date, final, or positive at once.

States and what leads from one to the next:

    incubating --read, no growth--> negative to date --all bottles read at the end--> negative
    any state --growth in any bottle--> positive, or positive after release
    any state --control failed, bottle lost--> invalid; growth seen stays growth

Times are UTC and handed in. A negative-to-date counts full days that were read, not days that passed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from cellwright.language import _

State = Literal["incubating", "negative to date", "negative", "positive", "positive after release", "invalid"]
STERILITY: Final = timedelta(days=14)
"""Compendial incubation (Ph. Eur. 2.6.1); automated systems run as long as their validation says (2.6.27)."""
MYCOPLASMA: Final = timedelta(days=28)
"""Ph. Eur. 2.6.7, culture method."""


class CultureError(ValueError):
    """Readings that belong to no culture as described: says which."""


class Bottle(msgspec.Struct, frozen=True):
    """One medium, bottle or plate of the culture."""

    id: str
    medium: str
    loaded_at: datetime


class Reading(msgspec.Struct, frozen=True):
    """What was seen at a time.

    Attributes:
        growth: by the instrument's flag or by eye; an instrument's flag is growth until it is shown to be none.
        organism: identified later; empty until then.
    """

    bottle: str
    at: datetime
    growth: bool
    organism: str = ""


class Culture(msgspec.Struct, frozen=True):
    """A test of one sample.

    Attributes:
        incubation: least time from loading to the final reading.
        controls_failed: why the run is invalid (growth promotion, negative control); empty if it is not.
        released_at: when the lot was released with this result pending; None if it was not.
    """

    bottles: tuple[Bottle, ...]
    incubation: timedelta
    readings: tuple[Reading, ...] = ()
    controls_failed: str = ""
    released_at: datetime | None = None

    def __post_init__(self) -> None:
        ids = {bottle.id for bottle in self.bottles}
        if not ids or len(ids) != len(self.bottles):
            raise CultureError("a culture needs bottles with different ids")
        if self.incubation <= timedelta(0):
            raise CultureError("incubation takes time")
        loaded = {bottle.id: bottle.loaded_at for bottle in self.bottles}
        for reading in self.readings:
            if reading.bottle not in ids:
                raise CultureError(f"bottle {reading.bottle} is not of this culture")
            if reading.at < loaded[reading.bottle]:
                raise CultureError(f"bottle {reading.bottle} was read before it was loaded")


class Status(msgspec.Struct, frozen=True):
    """Where a culture stands.

    Attributes:
        negative_days: full days for which every bottle is known to show no growth; None after growth.
        ends_at: when the last bottle's incubation is complete.
        positive_at: when growth was first seen.
        hours_to_detection: from loading of that bottle.
        notify: whether somebody must be told at once: growth, the more so after release.
        reasons: in words.
    """

    state: State
    negative_days: int | None
    ends_at: datetime
    positive_at: datetime | None
    hours_to_detection: float | None
    notify: bool
    reasons: tuple[str, ...]


def status(culture: Culture, at: datetime) -> Status:
    """The state of a culture at a time, from readings up to then."""
    readings = [reading for reading in culture.readings if reading.at <= at]
    ends_at = max(bottle.loaded_at for bottle in culture.bottles) + culture.incubation
    grown = sorted((reading for reading in readings if reading.growth), key=lambda reading: reading.at)
    if grown:
        return _positive(culture, grown[0], at, ends_at)
    days, complete = _negative(culture, readings)
    if culture.controls_failed:
        reasons = (_("invalid: {why}").format(why=culture.controls_failed),)
        return Status("invalid", days, ends_at, None, None, False, reasons)
    if complete:
        return Status("negative", days, ends_at, None, None, False, ())
    state: State = "negative to date" if days else "incubating"
    late = (_("the final reading was due at {time}").format(time=ends_at.isoformat()),) if at >= ends_at else ()
    return Status(state, days, ends_at, None, None, False, late)


def _positive(culture: Culture, first: Reading, at: datetime, ends_at: datetime) -> Status:
    """Growth stays growth, also in an invalid run: an investigation may explain it, nothing here forgets it."""
    loaded = next(bottle.loaded_at for bottle in culture.bottles if bottle.id == first.bottle)
    after = culture.released_at is not None and culture.released_at <= at
    reasons = [_("growth in {bottle} at {time}").format(bottle=first.bottle, time=first.at.isoformat())]
    reasons += [_("organism: {organism}").format(organism=first.organism)] if first.organism else []
    reasons += [_("controls: {why}").format(why=culture.controls_failed)] if culture.controls_failed else []
    hours = (first.at - loaded) / timedelta(hours=1)
    state: State = "positive after release" if after else "positive"
    return Status(state, None, ends_at, first.at, hours, True, tuple(reasons))


def _negative(culture: Culture, readings: Sequence[Reading]) -> tuple[int, bool]:
    """Full days shown negative by the bottle that was read least, and whether all were read at their end."""
    days, complete = [], True
    for bottle in culture.bottles:
        last = max((reading.at for reading in readings if reading.bottle == bottle.id), default=bottle.loaded_at)
        days.append((last - bottle.loaded_at).days)
        complete &= last - bottle.loaded_at >= culture.incubation
    return min(days), complete


def continuous(
    bottles: Iterable[Bottle], flagged: Iterable[tuple[str, datetime]], read_until: datetime
) -> tuple[Reading, ...]:
    """Readings of an automated system that watches all bottles: growth where it flagged, none up to its last report.

    Parameters:
        flagged: (bottle, time) of each positive flag.
        read_until: to which time the system's report reaches.
    """
    flags = dict(flagged)
    found = []
    for bottle in bottles:
        grown = bottle.id in flags
        found.append(Reading(bottle.id, flags[bottle.id] if grown else max(read_until, bottle.loaded_at), grown))
    return tuple(found)
