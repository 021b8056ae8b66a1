"""What a result has to say of its origin: nothing left empty, a time that can be, an analyst who is one (R018)."""

from datetime import datetime

from cellwright.factory import people
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.figure import moment as utc
from cellwright.factory.quality.raw_file import CLOCKS_APART, moment
from cellwright.factory.quality.sample import drawn
from cellwright.factory.record import Immutable
from cellwright.factory.rule import Refusal, World


def stated(said: Immutable, *fields: str) -> None:
    """Raises Refusal `origin-missing` if one of these fields of a command or part of it is empty (R018)."""
    for field in fields:
        if not str(getattr(said, field)).strip():
            raise Refusal(
                "origin-missing",
                "The result does not say its {field}.",
                remedy="Fill it in as the worksheet or the report states it.",
                rule="R018",
                field=field,
            )


def time_of_measurement(world: World, lot: LotState, sample: str, acquired_at: str) -> datetime:
    """When a report says that it was measured.

    Raises:
        Refusal `not-a-time`, or `time-not-plausible`: before the sample was drawn, or in the future.
    """
    said = utc("acquired_at", acquired_at)
    taken = moment(drawn(lot, sample).drawn_at)
    if said > world.now + CLOCKS_APART or (taken is not None and said < taken - CLOCKS_APART):
        raise Refusal(
            "time-not-plausible",
            "Sample {sample} cannot have been measured at {time}: it was drawn later, or that time is still to come.",
            remedy="Enter the time of measurement as the report states it.",
            rule="R018",
            sample=sample,
            time=acquired_at,
        )
    return said


def measured_by(world: World, analyst: str, at: datetime) -> None:
    """Whether the analyst is an account that holds the role, also where the laboratory is another's (D10, R018).

    Raises:
        Refusal `not-an-analyst`: nobody of that name, or without the role both then and now.
    """
    person = people.load(world, analyst)
    if not (person.exists and any(person.holds("analyst", moment) for moment in (at, world.now))):
        raise Refusal(
            "not-an-analyst",
            "{analyst} is nobody who measures: there is no account of that name with the role of an analyst.",
            remedy="Name the account of who measured. An analyst of a contract laboratory is enrolled too, without means of signing.",
            rule="R018",
            analyst=analyst,
        )
