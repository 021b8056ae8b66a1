"""What a lot is made of, as folded from its record: steps, containers, labels, samples, nonconformances, clocks."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from cellwright.factory.lot.fact.nonconformance import Severity
from cellwright.factory.lot.fact.step import Consumed, Hold, Reading
from cellwright.factory.order.scan import SEPARATOR


class RecipeLock(NamedTuple):
    """The recipe a lot is made by: identifier, version, hash of its file (R039)."""

    id: str
    version: str
    sha256: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A reading in the record, with who took it, when, and who read it a second time."""

    reading: Reading
    by: str
    at: str
    verified_by: str | None = None

    @property
    def usable(self) -> bool:
        """A critical value typed by hand counts only after a second person has read it (R043)."""
        return not (self.reading.critical and self.reading.how == "typed") or self.verified_by is not None


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """One material added in one step."""

    step: str
    code: str
    used: Consumed
    by: str
    at: str
    into: str | None = None
    witness: str | None = None


class StepState(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it was done."""

    step: str
    title: str
    status: Literal["started", "completed"]
    performer: str
    started: str
    """When it began: the server's time, or the claimed time of a sheet entered later."""
    room: str | None = None
    equipment: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    readings: dict[str, Taken] = {}
    additions: tuple[Addition, ...] = ()
    not_taken: dict[str, str] = {}
    completed: str | None = None
    verifier: str | None = None
    late_entry: bool = False
    duration_min: str | None = None
    duration_max: str | None = None
    holds: tuple[Hold, ...] = ()


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """A vessel with cells of this lot, from the collected bag to the dose."""

    container: str
    kind: str
    volume_ml: Decimal
    """What is in it now."""
    filled_ml: Decimal
    """What was put into it."""
    parents: tuple[str, ...] = ()
    din: str | None = None
    division: str | None = None
    dose: int | None = None
    viable_cells: Decimal | None = None
    step: str | None = None
    label: str | None = None
    """The copy that is applied."""
    cassette: str | None = None
    """The copy on its cassette."""
    detached: bool = False
    position: str | None = None
    disposition: str | None = None
    made_at: str = ""

    @property
    def is_bag(self) -> bool:
        return self.kind == FINAL_BAG


FINAL_BAG = "final_bag"
"""The kind of container that holds a dose or a part of it."""

LabelStatus = Literal["printed", "verified", "rejected", "applied", "superseded", "destroyed"]


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One printed copy of a label."""

    label: str
    container: str
    content: dict[str, str]
    template: str
    status: LabelStatus
    printed_by: str
    place: Literal["container", "cassette"] = "container"
    case: str | None = None
    """The identity case under which it was printed (D4)."""
    superseded: bool = False
    """A newer copy was printed: this one is void, whatever became of the paper."""
    symbols: tuple[str, ...] = ()
    """What a reader must report of the print."""
    legends: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """What the house symbol says: the copy's serial and whose it is, two identifiers (R064)."""
        return f"{self.label}{SEPARATOR}{self.content['owner']}"

    @property
    def live(self) -> bool:
        return not self.superseded and self.status in ("printed", "verified", "applied")


class SampleState(msgspec.Struct, frozen=True, kw_only=True):
    """A sample drawn from the lot."""

    sample: str
    kind: str
    tests: tuple[str, ...]
    container: str
    volume_ml: Decimal
    tubes: int
    retained: bool
    step: str | None
    drawn_by: str
    drawn_at: str


class Nonconformance(NamedTuple):
    """Something that was not as it should be. The first two are what a release reads (D20)."""

    severity: Severity
    status: Literal["open", "assessed", "closed"]
    code: str
    text: str
    step: str | None
    at: str
    proceeds: bool = False
    container: str | None = None
    found: Mapping[str, str] = {}
    """What fills the placeholders of `text`; empty where the text was written by a person."""

    @property
    def sentence(self) -> str:
        """What was found, in English; a screen translates `text` and fills it in the same way."""
        return self.text.format_map(self.found) if self.found else self.text

    @property
    def blocks(self) -> bool:
        """Whether it holds up the steps after it: until assessed, or until closed if the assessor said so."""
        return self.status == "open" or (self.status == "assessed" and not self.proceeds)


class Clock(NamedTuple):
    """A time that runs in the material, whether or not a server does (D8)."""

    kind: Literal["hold", "duration", "age"]
    name: str
    """The step, or the container whose age it is."""
    since: datetime
    earliest: datetime | None
    """Not before this."""
    due: datetime | None
    """Not after this."""

    def early(self, now: datetime) -> bool:
        return self.earliest is not None and now < self.earliest

    def exceeded(self, now: datetime) -> bool:
        return self.due is not None and now > self.due
