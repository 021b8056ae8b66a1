"""The state of a lot: the fold of its record. Rules read it and never write it."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec.structs import replace

from cellwright.factory.lot.fact import container as vessel
from cellwright.factory.lot.fact import life
from cellwright.factory.lot.fact import nonconformance as deviation
from cellwright.factory.lot.fact import step as work
from cellwright.factory.lot.part import (
    Addition,
    Clock,
    Container,
    Label,
    Nonconformance,
    RecipeLock,
    SampleState,
    StepState,
    Taken,
)
from cellwright.factory.lot.quantity import duration, moment
from cellwright.factory.record import Body
from cellwright.factory.rule import Seen, State

Status = Literal["unknown", "created", "in_process", "complete", "terminated"]


_PLACES = {"container": "label", "cassette": "cassette"}
"""Where a label goes, and the attribute of a container that remembers it."""


class Sheet(NamedTuple):
    """A step sheet entered after an outage: whose times count for the step (D8)."""

    sheet: str
    started: str
    completed: str


class LotState(State):
    """One batch of one product, made for one chain of identity or as stock."""

    room = "lot"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.status: Status = "unknown"
        self.order: str | None = None
        self.coi: str | None = None
        self.stock: str | None = None
        self.pair: str | None = None
        self.product = ""
        self.product_version = ""
        self.market: str | None = None
        self.doses = 1
        self.recipe = RecipeLock("", "", "")
        self.issued_by: str | None = None
        self.issued_at: str | None = None
        self.rooms: dict[str, str] = {}
        """Rooms the lot is in now, and since when."""
        self.steps: dict[str, StepState] = {}
        self.procedures: dict[str, str] = {}
        """ISA-88 state of each unit procedure that has left Idle at least once."""
        self.containers: dict[str, Container] = {}
        self.ages: dict[str, tuple[str, str | None]] = {}
        """Starting material: when it was collected and how long it may be held."""
        self.labels: dict[str, Label] = {}
        self.samples: dict[str, SampleState] = {}
        self.nonconformances: dict[str, Nonconformance] = {}
        self.doubts: dict[str, bool] = {}
        """Identity cases that touch this lot: whether still in doubt."""
        self.materials: set[str] = set()
        self.blank_sheets: dict[str, str] = {}
        """Printed step sheets that have neither come back nor been voided, and their steps."""
        self.voided_sheets: tuple[str, ...] = ()
        self.sheets: dict[str, Sheet] = {}
        self.addenda: dict[str, life.AddendumAdded] = {}
        self.transfers: tuple[vessel.MaterialTransferred, ...] = ()
        self.pool_din: str | None = None
        self.termination: life.LotTerminated | None = None
        self.completed_at: str | None = None
        self.leaves: tuple[bytes, ...] = ()
        self.events: dict[str, str] = {}
        """Types of the lot's events by their id: what an addendum can correct."""
        self._participants: set[str] = set()

    # --- what others read -------------------------------------------------------------------------------------------

    @property
    def number(self) -> str:
        return self.name

    @property
    def personal(self) -> bool:
        return self.coi is not None

    @property
    def owner(self) -> str:
        """Whose the lot is, as claims say it: the chain of identity, or `stock/<name>`."""
        return self.coi or f"stock/{self.stock}"

    @property
    def participants(self) -> frozenset[str]:
        """Everybody who took a hand in making the lot: none of them releases it (D10).

        Who issued and checked the batch record, and who assessed a nonconformance, oversaw the lot and made nothing.
        """
        return frozenset(self._participants)

    @property
    def in_doubt(self) -> bool:
        """Whether an identity case that touches this lot is open."""
        return any(self.doubts.values())

    @property
    def locked(self) -> bool:
        """Whether the record is closed for everything but addenda (R058)."""
        return self.status in ("complete", "terminated")

    @property
    def bags(self) -> tuple[Container, ...]:
        """The final bags in the order they were filled, with dose number, volume and viable cells."""
        return tuple(c for c in self.containers.values() if c.is_bag)

    @property
    def viable_cells(self) -> Decimal | None:
        """Viable cells in all final bags; None while a bag has no count."""
        return _total(bag.viable_cells for bag in self.bags)

    @property
    def volume_ml(self) -> Decimal | None:
        """Volume filled into all final bags; None while there are none."""
        return _total(bag.filled_ml for bag in self.bags)

    @property
    def done(self) -> frozenset[str]:
        """Steps that are completed."""
        return frozenset(s.step for s in self.steps.values() if s.status == "completed")

    @property
    def running(self) -> tuple[StepState, ...]:
        return tuple(s for s in self.steps.values() if s.status == "started")

    @property
    def blocking(self) -> dict[str, Nonconformance]:
        """Nonconformances that hold up what follows and the release (D7)."""
        return {name: n for name, n in self.nonconformances.items() if n.blocks}

    def clocks(self, now: datetime) -> tuple[Clock, ...]:
        """The times that run at this moment, most urgent first: holds before steps, steps under way, age of cells."""
        if self.locked:
            return ()
        begun = (clock for clock in (*self._holds(), *self._durations(), *self._ages()) if clock.since <= now)
        return tuple(sorted(begun, key=_urgency))

    def hold_before(self, step: str) -> Clock | None:
        """The wait before a step, from the end of the last step before it; None if there is none or it has not begun."""
        for state in self.steps.values():
            for hold in state.holds:
                ends = [self.steps[name].completed for name in hold.after if name in self.steps]
                if hold.step == step and len(ends) == len(hold.after) and None not in ends:
                    return _clock("hold", step, max(str(end) for end in ends), hold.least, hold.most)
        return None

    def _holds(self) -> Iterator[Clock]:
        for step in dict.fromkeys(hold.step for state in self.steps.values() for hold in state.holds):
            clock = self.hold_before(step) if step not in self.steps else None
            if clock is not None:
                yield clock

    def _durations(self) -> Iterator[Clock]:
        for s in self.running:
            if s.duration_min is not None or s.duration_max is not None:
                yield _clock("duration", s.step, s.started, s.duration_min, s.duration_max)

    def _ages(self) -> Iterator[Clock]:
        for name, (collected, hold_max) in self.ages.items():
            one = self.containers[name]
            if hold_max is not None and one.volume_ml > 0 and one.disposition is None:
                yield _clock("age", name, collected, None, hold_max)

    # --- the fold ---------------------------------------------------------------------------------------------------

    def apply(self, body: Body, seen: Seen) -> None:
        self.leaves = (*self.leaves, seen.leaf)
        self.events[seen.id] = body.type
        match type(body).__module__:
            case life.__name__:
                self._apply_life(body, seen)
            case work.__name__:
                self._apply_work(body, seen)
            case vessel.__name__:
                self._apply_container(body, seen)
                self._apply_handling(body)
            case deviation.__name__:
                self._apply_nonconformance(body, seen)
            case _:
                pass

    def _apply_life(self, body: Body, seen: Seen) -> None:
        match body:
            case life.LotIssued():
                self.status = "created"
                self.order, self.coi, self.stock, self.pair = body.order, body.coi, body.stock, body.pair
                self.product, self.product_version = body.product, body.product_version
                self.market, self.doses = body.market, body.doses
                self.recipe = RecipeLock(body.recipe, body.recipe_version, body.recipe_sha256)
                self.issued_by, self.issued_at = body.issued_by, seen.at
            case life.RoomEntered():
                self.status = "in_process"
                self.rooms[body.room] = seen.at
                self._join(body.performer, body.verifier)
            case life.RoomLeft():
                self.rooms.pop(body.room, None)
                self._join(body.performer)
            case life.OperatorReplaced():
                self.steps[body.step] = replace(self.steps[body.step], performer=body.took_over)
                self._join(body.left, body.took_over)
            case life.LotCompleted():
                self.status, self.completed_at = "complete", seen.at
                self._join(body.performer, body.verifier)
            case life.LotTerminated():
                self.status, self.termination = "terminated", body
            case life.AddendumAdded():
                self.addenda[body.addendum] = body
            case life.SheetPrinted():
                self.blank_sheets[body.sheet] = body.step
            case life.SheetVoided():
                self.blank_sheets.pop(body.sheet, None)
                self.voided_sheets += (body.sheet,)
            case life.SheetEntered():
                self.blank_sheets.pop(body.sheet, None)
                self.sheets[body.step] = Sheet(body.sheet, body.started, body.completed)
                self._join(body.transcriber, body.verifier)
            case life.DoubtRaised():
                self.doubts[body.case] = True
            case life.DoubtLifted():
                self.doubts[body.case] = False
            case _:
                pass

    def _apply_work(self, body: Body, seen: Seen) -> None:
        match body:
            case work.StepStarted():
                self.status = "in_process"
                sheet = self.sheets.get(body.step)
                self.steps[body.step] = StepState(
                    step=body.step,
                    title=body.title,
                    status="started",
                    performer=body.performer,
                    started=sheet.started if sheet else seen.at,
                    room=body.room or body.place,
                    equipment=body.equipment,
                    containers=body.containers,
                    duration_min=body.duration_min,
                    duration_max=body.duration_max,
                )
                self._join(body.performer)
            case work.MaterialAdded():
                step = self.steps[body.step]
                addition = Addition(
                    step=body.step,
                    code=body.code,
                    used=body.used,
                    by=body.performer,
                    at=seen.at,
                    into=body.into,
                    witness=body.witness,
                )
                self.steps[body.step] = replace(step, additions=(*step.additions, addition))
                self.materials.add(body.used.material)
                if body.into is not None and body.used.unit == "mL":
                    self._draw(body.into, -Decimal(body.used.quantity))
                self._join(body.performer, body.witness)
            case work.ReadingTaken():
                self._take(body.step, (body.reading,), body.performer, seen.at)
            case work.ReadingVerified():
                step = self.steps[body.step]
                taken = replace(step.readings[body.parameter], verified_by=body.verifier)
                self.steps[body.step] = replace(step, readings={**step.readings, body.parameter: taken})
                self._join(body.verifier)
            case work.StepCompleted():
                self._complete(body, seen)
            case work.ProcedureTransitioned():
                self.procedures[body.unit_procedure] = body.after
            case _:
                pass

    def _take(self, step: str, readings: tuple[work.Reading, ...], by: str, at: str, second: str | None = None) -> None:
        state = self.steps[step]
        taken = {r.parameter: Taken(reading=r, by=by, at=at, verified_by=second) for r in readings}
        self.steps[step] = replace(state, readings={**state.readings, **taken})
        self._join(by)

    def _complete(self, body: work.StepCompleted, seen: Seen) -> None:
        self._take(body.step, body.readings, body.performer, seen.at, body.verifier)
        sheet = self.sheets.get(body.step)
        self.steps[body.step] = replace(
            self.steps[body.step],
            status="completed",
            performer=body.performer,
            verifier=body.verifier,
            completed=sheet.completed if sheet and body.late_entry else seen.at,
            late_entry=body.late_entry,
            not_taken={n.parameter: n.why for n in body.not_taken},
            holds=body.holds,
        )
        self._join(body.performer, body.verifier)

    def _apply_container(self, body: Body, seen: Seen) -> None:
        match body:
            case vessel.StartingMaterialReceived():
                volume = Decimal(body.volume_ml)
                self.containers[body.container] = Container(
                    container=body.container,
                    kind=body.kind,
                    volume_ml=volume,
                    filled_ml=volume,
                    din=body.din,
                    detached=True,
                    made_at=seen.at,
                )
                self.ages[body.container] = (body.collected_at, body.hold_max)
                self._join(body.performer, body.verifier)
            case vessel.MaterialTransferred():
                self._transfer(body, seen)
            case vessel.VolumeMeasured():
                self._put(body.container, volume_ml=Decimal(body.volume_ml))
                self._join(body.performer)
            case vessel.SampleDrawn():
                self._draw(body.container, Decimal(body.volume_ml))
                self.samples[body.sample] = SampleState(
                    sample=body.sample,
                    kind=body.kind,
                    tests=body.tests,
                    container=body.container,
                    volume_ml=Decimal(body.volume_ml),
                    tubes=body.tubes,
                    retained=body.retained,
                    step=body.step,
                    drawn_by=body.performer,
                    drawn_at=seen.at,
                )
                self._join(body.performer)
            case vessel.BagFrozen():
                self._put(body.bag, position=body.position)
                self._join(body.performer, body.verifier)
            case vessel.BagMoved():
                self._put(body.bag, position=body.position)
                self._join(body.performer, body.verifier)
            case vessel.BagTakenOut():
                self._put(body.bag, position=None)
                self._join(body.performer, body.verifier)
            case _:
                pass

    def _transfer(self, body: vessel.MaterialTransferred, seen: Seen) -> None:
        self.transfers = (*self.transfers, body)
        self.pool_din = body.pool_din or self.pool_din
        parents = tuple(draw.container for draw in body.sources)
        for draw in body.sources:
            self._draw(draw.container, Decimal(draw.volume_ml))
            if draw.emptied:
                self._put(draw.container, volume_ml=Decimal(0), disposition="consumed")
        for made in body.made:
            self.containers[made.container] = Container(
                container=made.container,
                kind=made.kind,
                volume_ml=Decimal(made.volume_ml),
                filled_ml=Decimal(made.volume_ml),
                parents=parents,
                din=made.din,
                division=made.division,
                dose=made.dose,
                viable_cells=None if made.viable_cells is None else Decimal(made.viable_cells),
                step=body.step,
                made_at=seen.at,
            )
        self._join(body.performer, body.verifier)

    def _apply_handling(self, body: Body) -> None:
        match body:
            case vessel.LabelPrinted():
                if body.supersedes is not None:
                    self._void(body.supersedes)
                self.labels[body.label] = Label(
                    label=body.label,
                    container=body.container,
                    content=body.content,
                    template=body.template,
                    status="printed",
                    printed_by=body.performer,
                    place=body.place,
                    case=body.case,
                    symbols=body.symbols,
                    legends=body.legends,
                )
                self._join(body.performer)
            case vessel.LabelVerified():
                self._mark(body.label, "verified", body.verifier)
            case vessel.LabelRejected():
                self._mark(body.label, "rejected", body.verifier)
            case vessel.LabelApplied():
                self._mark(body.label, "applied", body.performer, body.verifier)
                self._put(body.container, **{_PLACES[body.place]: body.label})
            case vessel.LabelDestroyed():
                self._mark(body.label, "destroyed", body.performer, body.witness)
            case vessel.ContainerDetached():
                self._put(body.container, detached=True)
                self._join(body.performer)
            case vessel.ContainerDisposed():
                self._put(body.container, disposition=body.disposition)
                self._join(body.performer, body.verifier)
            case _:
                pass

    def _apply_nonconformance(self, body: Body, seen: Seen) -> None:
        known = self.nonconformances
        match body:
            case deviation.NonconformanceRecorded():
                known[body.nonconformance] = Nonconformance(
                    body.severity,
                    "open",
                    body.code,
                    body.text,
                    body.step,
                    seen.at,
                    container=body.container,
                    found=body.found,
                )
            case deviation.NonconformanceAssessed():
                known[body.nonconformance] = known[body.nonconformance]._replace(
                    severity=body.severity, status="assessed", proceeds=body.proceeds
                )
            case deviation.NonconformanceClosed():
                known[body.nonconformance] = known[body.nonconformance]._replace(status="closed")
            case _:
                pass

    # --- small changes ----------------------------------------------------------------------------------------------

    def _join(self, *people: str | None) -> None:
        self._participants.update(p for p in people if p is not None)

    def _put(self, name: str, **change: object) -> None:
        self.containers[name] = replace(self.containers[name], **change)

    def _draw(self, name: str, volume: Decimal) -> None:
        self._put(name, volume_ml=self.containers[name].volume_ml - volume)

    def _mark(self, name: str, status: str, *people: str) -> None:
        self.labels[name] = replace(self.labels[name], status=status)
        self._join(*people)

    def _void(self, name: str) -> None:
        old = self.labels[name]
        self.labels[name] = replace(old, superseded=True)
        if getattr(self.containers[old.container], _PLACES[old.place]) == name:
            self._put(old.container, **{_PLACES[old.place]: None})


def _total(values: Iterator[Decimal | None]) -> Decimal | None:
    known = list(values)
    counted = [v for v in known if v is not None]
    return sum(counted, Decimal(0)) if known and len(counted) == len(known) else None


def _clock(
    kind: Literal["hold", "duration", "age"], name: str, since: str, least: str | None, most: str | None
) -> Clock:
    start = moment(since)
    return Clock(
        kind, name, start, start + duration(least) if least else None, start + duration(most) if most else None
    )


def _urgency(clock: Clock) -> tuple[bool, datetime]:
    return clock.due is None, clock.due or clock.since
