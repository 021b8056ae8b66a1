"""What the portfolio ledger records: statements, each with its source and grade, none of them ever overwritten.

A statement says one thing about a party, an area, a product, a programme or a trial. It keeps its own name; said again
with another content it is a new event on the same stream, and the former one stays readable. A statement may also
supersede another one by name. Statements that disagree stand side by side.

These types are a register of their own. The record of a site does not know them, so neither ledger can take in what
belongs into the other.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from cellwright.factory.definition import Basis, Count, Name, Text, Words
from cellwright.factory.portfolio.product import Interval, When, interval
from cellwright.factory.record import Immutable

Agency = Literal["", "NMPA", "FDA", "EMA", "PMDA"]
"""Whose decision it is; empty where it is nobody's, such as the start of a trial."""
Standing = Literal["announced", "proposed", "in_public_notice", "effective", "withdrawn", "terminated"]
Phase = Literal["", "1", "1/2", "2", "2/3", "3", "4"]
Relation = Literal["binds", "expresses", "blocks", "agonist"]
Unit = Literal["patient_lot", "batch_litre", "dose"]
AreaBasis = Literal["registered_office", "plant", "applicant", "declared"]
"""Why something counts for an area."""

EventKind = Literal[
    "ind_submitted", "ind_accepted", "ind_approved", "phase_applied", "trial_started", "first_patient",
    "enrolment_status", "enrolment_complete", "read_out", "endpoint_met", "breakthrough_therapy", "priority_review",
    "nda_submitted", "nda_accepted", "conditional_approval", "approved", "withdrawn", "terminated",
]  # fmt: skip


class Stated(Immutable):
    """The head that all statements share."""

    kind: ClassVar[str] = ""
    id: Name
    basis: Basis
    """Its `source` names statements of kind `source`."""
    supersedes: Name | None = None
    """A statement of the same kind that this one replaces."""


class Source(Immutable):
    """Where statements come from: a locator that leads a stranger to the place."""

    kind: ClassVar[str] = "source"
    id: Name
    locator: Words
    retrieved: When | None = None
    sha256: str = ""
    """Of the document as kept, where it is kept."""


class Area(Stated):
    kind: ClassVar[str] = "area"
    name: Text
    within: Name | None = None


class Party(Stated):
    kind: ClassVar[str] = "party"
    name: Text
    role: Literal["company", "hospital", "agency", "institute"] = "company"
    listing: str = ""


class Membership(Stated):
    """A party belongs to an area, from when until when, and in which sense."""

    kind: ClassVar[str] = "membership"
    party: Name
    area: Name
    by: AreaBasis
    since: When | None = None
    until: When | None = None


class PortfolioProduct(Stated):
    kind: ClassVar[str] = "product"
    name: Text
    holder: Name
    modality: Literal[
        "car_t", "antigen_expressing_t", "activated_lymphocytes", "monoclonal_antibody", "bispecific_antibody",
        "trispecific_antibody", "unknown",
    ]  # fmt: skip
    unit: Unit
    """In what it is made: a lot per patient, a batch in litres, or doses."""
    autologous: bool = False
    depends_on: Name | None = None
    """A product without whose approval this one is of no use."""
    registration_class: str = ""


class ProductTarget(Stated):
    kind: ClassVar[str] = "target"
    product: Name
    molecule: Words
    relation: Relation


class Condition(Stated):
    kind: ClassVar[str] = "condition"
    name: Text
    speciality: str = ""


class Programme(Stated):
    """A product in a condition, a line and a population: what agencies decide on."""

    kind: ClassVar[str] = "programme"
    product: Name
    condition: Name
    line: str = ""
    population: Text | None = None


class Application(Stated):
    kind: ClassVar[str] = "application"
    programme: Name
    agency: Agency
    form: Literal["ind", "nda"]
    acceptance_number: str = ""
    registration_class: str = ""
    applicant: Name | None = None


class Dated(Stated):
    """Something that happened to a programme, or was announced to happen: an interval of days, never padded to one."""

    kind: ClassVar[str] = "event"
    programme: Name
    event: EventKind
    when: When | None = None
    """None where no source dates it."""
    agency: Agency = ""
    standing: Standing = "effective"
    phase: Phase = ""
    application: Name | None = None
    trial: Name | None = None
    text: Text
    conflict: Text | None = None

    @property
    def interval(self) -> Interval | None:
        return None if self.when is None else interval(self.when)


class Alias(Stated):
    """Another name of something, in a language, with the evidence for it."""

    kind: ClassVar[str] = "alias"
    of: Name
    name: Words
    language: Literal["en", "zh", ""] = ""
    disputed: bool = False
    conflict: Text | None = None


class Checkable(Immutable):
    """How a claim of being the first can be checked against the events of the ledger."""

    event: EventKind
    agency: Agency
    speciality: str
    of: Name
    """The programme that is said to be the first."""


class Claim(Stated):
    """Something published about anything in the ledger. Claims with the same `about` and `subject` stand side by side."""

    kind: ClassVar[str] = "claim"
    about: Name
    subject: Name
    text: Text
    value: str = ""
    when: When | None = None
    conflict: Text | None = None
    check: Checkable | None = None


class RegisterNumber(Immutable):
    register: Words
    value: Words


class Trial(Stated):
    kind: ClassVar[str] = "trial"
    programme: Name
    title: Text
    phase: Phase = ""
    numbers: tuple[RegisterNumber, ...] = ()
    planned: Count | None = None
    started: When | None = None
    sponsor: Name | None = None
    collaborators: tuple[Name, ...] = ()
    conflict: Text | None = None


class StatisticDefinition(Stated):
    """What a number counts. A field that the source leaves open is `unknown`, and then the number is not comparable."""

    kind: ClassVar[str] = "definition"
    name: Text
    unit: Literal["product", "programme", "application", "notice", "company", "unknown"]
    event: EventKind | Literal["", "unknown"] = "unknown"
    registration_class: str = ""
    first_only: bool | None = None
    """Each unit once, at its first such event; None where the source does not say."""
    area_basis: AreaBasis | Literal["unknown"] = "unknown"
    period_rule: Literal["approval_date", "notice_date", "acceptance_date", "at_date", "unknown"] = "unknown"

    @property
    def unknown(self) -> tuple[str, ...]:
        """The fields that the source leaves open."""
        left = [name for name in ("unit", "event", "area_basis", "period_rule") if getattr(self, name) == "unknown"]
        return tuple(left + (["first_only"] if self.first_only is None else []))


class Statistic(Stated):
    """A number that a source states for an area and a period."""

    kind: ClassVar[str] = "statistic"
    definition: Name
    area: Name
    period: When
    count: Annotated[int, Meta(ge=0)]
    comparator: Literal["=", ">", ">=", "about"] = "="
    share: Decimal | None = None
    """Per cent, with the decimals as printed."""
    share_of: Name | None = None
    text: Text
    conflict: Text | None = None


class RegisterRecord(Immutable):
    """A record of a trial register as it was read: what every register has, and where the whole document lies."""

    kind: ClassVar[str] = "record"
    id: Name
    """Register and number, for example `ctgov-NCT05914155`."""
    register: Words
    form: Words
    """Form of the document, for example `ctgov-v2`."""
    number: Words
    file_sha256: str
    """The file it came in, as kept."""
    record_sha256: str
    """The record alone, in canonical form: the same record out of another file has the same hash."""
    content: Mapping[str, Any]
    """The fields in common: title, status, dates, sponsors, phases, ages, criteria …, as `connect.register` gives them."""
    unmapped: tuple[str, ...] = ()
    """Paths of the document that no field in common holds; they are in the kept file."""


Statement = Stated | Source | RegisterRecord

KINDS: Final[Mapping[str, type[Any]]] = MappingProxyType({
    one.kind: one
    for one in (
        Source, Area, Party, Membership, PortfolioProduct, ProductTarget, Condition, Programme, Application, Dated,
        Alias, Claim, Trial, StatisticDefinition, Statistic, RegisterRecord,
    )
})  # fmt: skip
"""Kind to type. The event type of a kind is `portfolio.<kind>_stated`, its stream `<kind>/<id>`."""


class UnknownStatement(LookupError):
    """A kind of statement that this version of the program does not know."""


def event_type(statement: Statement) -> str:
    """The type of the event that records a statement."""
    return f"portfolio.{statement.kind}_stated"


def read_statement(type_: str, body: Mapping[str, Any]) -> Statement:
    """The statement that an event records.

    Raises:
        UnknownStatement: another program wrote it.
        msgspec.ValidationError: the body does not fit its type.
    """
    kind = type_.removeprefix("portfolio.").removesuffix("_stated")
    if type_ != f"portfolio.{kind}_stated" or kind not in KINDS:
        raise UnknownStatement(f"event type {type_} is no statement of a portfolio")
    statement: Statement = msgspec.convert(body, KINDS[kind])
    return statement


def write_statement(statement: Statement) -> dict[str, Any]:
    """The stored form: plain dictionaries, lists, texts, integers, truth; decimals as text."""
    stored: dict[str, Any] = msgspec.to_builtins(statement)
    return stored
