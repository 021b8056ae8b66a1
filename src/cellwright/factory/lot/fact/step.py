"""Facts of steps: started, materials added, readings taken and verified, completed, and the procedure's states."""

from typing import Annotated, Literal

from cellwright.factory.identity import EXPECTS, NAMES, Equipment, Person, Stock
from cellwright.factory.lot.fact.owned import Owned
from cellwright.factory.record import Body, Part, event

How = Literal["instrument", "scanned", "typed"]


class Reading(Part):
    """A measured value as it was read, judged against the recipe's limits."""

    parameter: str
    value: str
    unit: str
    how: How
    within: bool
    critical: bool = False
    instrument: Equipment | None = None
    """The device it came from (R036)."""


class Consumed(Part):
    """A quantity of one released material lot."""

    stock: Stock
    material: Annotated[str, EXPECTS("material")]
    quantity: str
    unit: str


class Hold(Part):
    """How long the material must and may wait before a step that follows (R050); ISO 8601 durations."""

    step: str
    after: tuple[str, ...]
    least: str | None = None
    most: str | None = None


class NotTaken(Part):
    """A reading the recipe asks for that was not taken, and why."""

    parameter: str
    why: str


@event("lot.step_started")
class StepStarted(Owned):
    """One person starts one step, in a room this lot holds, with fit equipment and scanned containers."""

    step: str
    title: str
    performer: Person
    room: Annotated[str, EXPECTS("room")] | None = None
    """The room this lot holds, where cells are open to it."""
    place: Annotated[str, NAMES("room")] | None = None
    """The room of closed work, shared with others."""
    equipment: tuple[Equipment, ...] = ()
    containers: tuple[Annotated[str, EXPECTS("container")], ...] = ()
    duration_min: str | None = None
    duration_max: str | None = None


@event("lot.material_added")
class MaterialAdded(Owned):
    """One addition of one material: one interaction, one stamp (R006)."""

    step: str
    code: str
    used: Consumed
    performer: Person
    into: Annotated[str, EXPECTS("container")] | None = None
    witness: Person | None = None


@event("lot.reading_taken")
class ReadingTaken(Body):
    """One reading during a step."""

    step: str
    reading: Reading
    performer: Person


@event("lot.reading_verified")
class ReadingVerified(Body):
    """A second person read the same value; a typed critical value may be used from here on (R043)."""

    step: str
    parameter: str
    verifier: Person


@event("lot.step_completed")
class StepCompleted(Body):
    """The step is done; its readings, who did it and who verified it (R041)."""

    step: str
    performer: Person
    verifier: Person | None = None
    readings: tuple[Reading, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    late_entry: bool = False
    """Entered after the fact; the claimed time stands in the envelope (R007)."""
    holds: tuple[Hold, ...] = ()
    """The waits that begin here, or go on, until the steps that follow are started."""


@event("lot.procedure_transitioned")
class ProcedureTransitioned(Body):
    """One transition of one unit procedure, with what triggered it (ISA-88, R093, R094)."""

    unit_procedure: str
    before: str
    after: str
    trigger: str
    """A command (`Start`, `Hold`, …), `completion`, or `recovery` after a crash (R099)."""
