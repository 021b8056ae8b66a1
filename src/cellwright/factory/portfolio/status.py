"""Where a programme stands with an agency, derived from its events and from nothing else.

Half-known dates make half-known statuses: on a given day an event has happened if its last possible day has passed, and
may have happened if only its first possible day has. Only statements that may be shown as facts (grades A, B, C) and
derivations (D) move a status; what is from memory or assumed stands beside it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.product import Interval
from cellwright.factory.portfolio.statement import Agency, Dated
from cellwright.factory.record import Immutable

Stage = Literal[
    "unknown", "ind_submitted", "ind_accepted", "ind_approved", "phase_1", "phase_1_2", "phase_2", "phase_2_3",
    "phase_3", "nda_submitted", "nda_accepted", "conditionally_approved", "approved", "withdrawn", "terminated",
]  # fmt: skip
LADDER: Final[tuple[Stage, ...]] = (
    "unknown", "ind_submitted", "ind_accepted", "ind_approved", "phase_1", "phase_1_2", "phase_2", "phase_2_3",
    "phase_3", "nda_submitted", "nda_accepted", "conditionally_approved", "approved",
)  # fmt: skip
_PHASES: Final[dict[str, Stage]] = {
    "1": "phase_1", "1/2": "phase_1_2", "2": "phase_2", "2/3": "phase_2_3", "3": "phase_3",
}  # fmt: skip
_DECISIONS: Final[dict[str, Stage]] = {
    "ind_submitted": "ind_submitted", "ind_accepted": "ind_accepted", "ind_approved": "ind_approved",
    "nda_submitted": "nda_submitted", "nda_accepted": "nda_accepted",
    "conditional_approval": "conditionally_approved", "approved": "approved",
}  # fmt: skip
_RUNNING: Final = frozenset({"trial_started", "first_patient", "enrolment_status", "enrolment_complete", "read_out",
                             "endpoint_met"})  # fmt: skip
"""Events that show a trial of their phase to be under way or done."""
DesignationState = Literal["proposed", "in_public_notice", "effective", "withdrawn", "terminated"]
_DESIGNATION_ORDER: Final = ("announced", "proposed", "in_public_notice", "effective", "withdrawn", "terminated")


class Designation(Immutable):
    """A breakthrough therapy designation or a priority review, and how far it has come."""

    name: Literal["breakthrough_therapy", "priority_review"]
    state: str
    when: str | None
    evidence: tuple[str, ...]
    """Events, oldest first."""


class Status(Immutable):
    """Where a programme stands with one agency on one day."""

    programme: str
    agency: Agency
    stage: Stage
    """What has certainly been reached."""
    since: str | None
    """When, as precisely as it is known."""
    possible: Stage
    """What may have been reached, where dates leave it open; the same as `stage` otherwise."""
    undated: tuple[str, ...]
    """Events that no source dates; they count as having happened by now, and on an earlier day only as possible."""
    designations: tuple[Designation, ...]
    evidence: tuple[str, ...]
    """Events that the stage rests on."""


def agencies(book: Book, programme: str) -> tuple[Agency, ...]:
    """The agencies that any event or application of a programme names."""
    found: dict[Agency, None] = {}
    for agency in (
        *(one.agency for one in book.events(programme)),
        *(one.agency for one in book.applications(programme)),
    ):
        if agency:
            found[agency] = None
    return tuple(found)


def status(book: Book, programme: str, agency: Agency, on: date | None = None) -> Status:
    """The status of a programme with an agency, as everything recorded says today, or as it was on a day."""
    events = [one for one in book.events(programme) if one.agency in ("", agency) and _counts(one)]
    certain = [one for one in events if _happened(one.interval, on)]
    possible = [one for one in events if _may_have(one.interval, on)]
    stage, evidence = _stage(certain)
    return Status(
        programme=programme,
        agency=agency,
        stage=stage,
        since=evidence[-1].when if evidence else None,
        possible=_stage(possible)[0],
        undated=tuple(one.id for one in events if one.when is None),
        designations=tuple(_designations(one for one in certain if one.agency == agency)),
        evidence=tuple(one.id for one in evidence),
    )


def _counts(event: Dated) -> bool:
    return event.basis.is_fact or event.basis.grade == "D"


def _happened(known: Interval | None, on: date | None) -> bool:
    return on is None or (known is not None and known.last <= on)


def _may_have(known: Interval | None, on: date | None) -> bool:
    return known is None or on is None or known.first <= on


def reached(event: Dated) -> Stage | None:
    """The stage that an event shows, or None: an announcement shows nothing."""
    if event.standing != "effective":
        return None
    if event.event in _RUNNING:
        return _PHASES.get(event.phase)
    return _DECISIONS.get(event.event)


def _stage(events: list[Dated]) -> tuple[Stage, list[Dated]]:
    """The highest stage shown and its evidence; an approval taken back or a programme ended after it overrules it."""
    best: Stage = "unknown"
    evidence: list[Dated] = []
    for event in events:
        stage = reached(event)
        if stage is not None and LADDER.index(stage) > LADDER.index(best):
            best, evidence = stage, [event]
        elif stage is not None and stage == best:
            evidence.append(event)
    ended = [one for one in events if one.event in ("withdrawn", "terminated") and one.standing == "effective"]
    if ended and not _resumed(ended[-1], events):
        return ("withdrawn" if ended[-1].event == "withdrawn" else "terminated"), [ended[-1]]
    return best, evidence[:1]


def _resumed(end: Dated, events: list[Dated]) -> bool:
    """Whether something of the ladder happened certainly after the end."""
    if end.interval is None:
        return False
    return any(
        reached(one) is not None and one.interval is not None and one.interval.first > end.interval.last
        for one in events
    )


def _designations(events: Iterable[Dated]) -> Iterable[Designation]:
    by_name: dict[str, list[Dated]] = {}
    for one in events:
        if one.event in ("breakthrough_therapy", "priority_review"):
            by_name.setdefault(one.event, []).append(one)
    for name, found in by_name.items():
        # Of two on the same days the later step of the procedure is the later one.
        latest = max(found, key=lambda one: (_last(one), _DESIGNATION_ORDER.index(one.standing)))
        yield Designation(
            name=name,  # type: ignore[arg-type]
            state=latest.standing,
            when=latest.when,
            evidence=tuple(one.id for one in found),
        )


def _last(event: Dated) -> str:
    return event.interval.last.isoformat() if event.interval else ""
