"""Facts of nonconformances: recorded when seen, assessed, closed (D7, D20)."""

from typing import Annotated, Literal

from msgspec import field

from cellwright.factory.identity import NAMES, Equipment, Person
from cellwright.factory.record import Body, event

Severity = Literal["minor", "major", "critical"]


@event("lot.nonconformance_recorded")
class NonconformanceRecorded(Body):
    """Something was not as the recipe or a rule asks. It blocks what follows, and release, until assessed."""

    nonconformance: str
    code: str
    severity: Severity
    text: str
    step: str | None = None
    rule: str = ""
    found: dict[str, str] = field(default_factory=dict)
    equipment: Equipment | None = None
    person: Person | None = None
    container: Annotated[str, NAMES("container")] | None = None
    case: Annotated[str, NAMES("case")] | None = None


@event("lot.nonconformance_assessed")
class NonconformanceAssessed(Body):
    """Quality assurance judged it: how grave, and whether making goes on meanwhile."""

    nonconformance: str
    severity: Severity
    assessor: Person
    text: str
    proceeds: bool = True


@event("lot.nonconformance_closed")
class NonconformanceClosed(Body):
    """The investigation has its written conclusion (R051)."""

    nonconformance: str
    conclusion: str
    closer: Person
