"""Facts of quality control: samples in the laboratory, plates, results, cultures, out-of-specification cases.

Facts on the stream `quality/<lot>` belong to the lot's chain of identity, or to its stock; the samples and wells they
speak of must be the same owner's, or the store refuses them.
"""

from typing import Annotated, Literal

from cellwright.factory.identity import EXPECTS, NAMES, TAKES, Coi, Equipment, Lot, Person, Product, Stock
from cellwright.factory.quality.part import Outcome
from cellwright.factory.record import Body, Part, event
from cellwright.factory.stored_file import FileHash

SampleName = Annotated[str, EXPECTS("sample")]
WellName = Annotated[str, EXPECTS("well")]
WellRole = Literal["sample", "standard", "control", "blank"]


class Owned(Body):
    """A fact about material of one lot, personal (`coi`) or stock (`stock`), never both and never neither (D2)."""

    lot: Lot
    coi: Coi | None = None
    stock: Stock | None = None


@event("quality.specification_assigned")
class SpecificationAssigned(Owned):
    """The specification of the destination market that the lot is judged by, in one version (R100)."""

    product: Product
    market: str
    specification: str
    version: str
    sha256: str
    assigned_by: Person


@event("quality.sample_received")
class SampleReceived(Owned):
    """A sample came to the laboratory: who gave, who received, in what condition (handover 9)."""

    sample: SampleName
    kind: str
    point: str
    handed_over_by: Person
    received_by: Person
    condition: str
    temperature_c: str


class PlannedWell(Part):
    """What a well of the plate map is for, before anything is in it."""

    well: Annotated[str, NAMES("well")]
    """Position on the plate, for example `B03`."""
    role: WellRole
    lot: Lot | None = None
    sample: Annotated[str, NAMES("sample")] | None = None
    content: str = ""
    """Standard, control or blank, for example `standard 1e4 copies`."""


@event("plate.mapped")
class PlateMapped(Body):
    """A plate is begun: what is measured on it, how, and what is to go into which well. Many pairs may share it (D2)."""

    plate: str
    tests: tuple[str, ...]
    method: str
    method_version: str
    assay_version: str
    analyst: Person
    map: tuple[PlannedWell, ...]


@event("plate.well_filled")
class WellFilled(Body):
    """One well received what its map says; the scanned sample and the well were compared when it happened."""

    coi: Coi | None = None
    stock: Stock | None = None
    well: Annotated[str, TAKES("well")]
    """`<plate>:<position>`, for example `P-0007:B03`."""
    role: WellRole
    lot: Lot | None = None
    sample: SampleName | None = None
    content: str = ""
    analyst: Person


class Control(Part):
    """A control measured with the result (D18)."""

    name: str
    passed: bool
    value: str = ""


class RawFile(Part):
    """The instrument's file, kept byte for byte, and what it says of itself (R017, D18)."""

    sha256: FileHash
    name: str
    sample: Annotated[str, NAMES("sample")]
    """The sample the file itself names."""
    acquired_at: str
    """The acquisition time the file itself states."""


class Derivation(Part):
    """How the value follows from the raw file: another reading with the same of these gives the same value (R017)."""

    parser: str
    parser_version: str
    parameters: dict[str, str]
    """Gates, thresholds, model and weights, as text; a versioned template by its name and hash."""


@event("quality.result_recomputed")
class ResultRecomputed(Owned):
    """A value recomputed from the instrument's raw file. Nothing here can be left out (R018)."""

    result: str
    test: str
    value: str
    unit: str
    sample: SampleName
    sample_kind: str
    sampling_point: str
    wells: tuple[WellName, ...]
    """Empty for instruments without plates."""
    file: RawFile
    derivation: Derivation
    method: str
    method_version: str
    assay_version: str
    instrument: Equipment
    analyst: Person
    controls: tuple[Control, ...]
    readings: tuple[str, ...]
    """The individual values behind a reported mean, in the order read; empty for a single reading (R110)."""
    flaw: str = ""
    hands: tuple[Person, ...] = ()
    """Others who took part, for example who filled the plate."""
    investigation: str | None = None
    retest: str | None = None
    stands_for: str | None = None
    second: Person | None = None
    """Who agreed to a re-analysis of a file whose result had been seen (D18)."""


@event("quality.result_attested")
class ResultAttested(Owned):
    """A value transcribed from paper or PDF: attested, not recomputed (D11)."""

    result: str
    test: str
    value: str
    unit: str
    sample: SampleName
    sample_kind: str
    sampling_point: str
    document_sha256: str
    document: str
    """Number and date of the report, as printed on it."""
    laboratory: str
    laboratory_qualified: bool
    method: str
    method_version: str
    assay_version: str
    instrument: str
    """As the report states it; `visual` for readings by eye."""
    acquired_at: str
    analyst: str
    """Who measured, as the report states it: an account of this site, also where the laboratory is another's."""
    transcriber: Person
    controls: tuple[Control, ...]
    flaw: str = ""
    investigation: str | None = None
    retest: str | None = None
    stands_for: str | None = None


@event("quality.result_verified")
class ResultVerified(Body):
    """A second person compared the results of one worksheet with their files or originals."""

    lot: Lot
    results: tuple[str, ...]
    verifier: Person


@event("quality.result_invalidated")
class ResultInvalidated(Body):
    """The result no longer counts and stays in the record, with its reason (R015)."""

    lot: Lot
    result: str
    cause: str
    invalidated_by: Person
    investigation: str | None = None


@event("quality.culture_started")
class CultureStarted(Owned):
    """A sample was inoculated for sterility or mycoplasma."""

    culture: str
    test: str
    sample: SampleName
    ends_at: str
    method: str
    method_version: str
    assay_version: str
    instrument: Equipment
    analyst: Person


@event("quality.culture_read")
class CultureRead(Body):
    """A reading of a culture. Without growth it is negative to date, which is no final result."""

    lot: Lot
    culture: str
    growth: bool
    final: bool
    analyst: Person
    evidence_sha256: str
    result: str | None = None
    """The result that growth, or the final reading, became."""


@event("quality.culture_abandoned")
class CultureAbandoned(Body):
    """A culture is given up before its final reading, in the open: broken, dried out. One that grew is never given up."""

    lot: Lot
    culture: str
    cause: str
    abandoned_by: Person


@event("quality.investigation_opened")
class InvestigationOpened(Body):
    """A result is out of specification; phase I begins in the laboratory, preparations are kept (R109)."""

    lot: Lot
    investigation: str
    test: str
    results: tuple[str, ...]
    value: str
    unit: str
    after_release: bool = False


@event("quality.laboratory_phase_concluded")
class LaboratoryPhaseConcluded(Body):
    """Phase I: an assignable cause in the laboratory, or none (R109)."""

    lot: Lot
    investigation: str
    cause: str
    """Empty: none was found, and phase II begins."""
    finding: str
    analyst: Person
    supervisor: Person


@event("quality.retest_planned")
class RetestPlanned(Body):
    """How often, by whom and on what it is tested again; fixed before the first of them (R109)."""

    lot: Lot
    investigation: str
    number: int
    analyst: Person
    basis: Literal["retest", "resample"]
    approver: Person


@event("quality.retest_started")
class RetestStarted(Body):
    """One of the planned retests begins."""

    lot: Lot
    investigation: str
    retest: str
    analyst: Person


@event("quality.investigation_concluded")
class InvestigationConcluded(Body):
    """The quality unit's written conclusion. A confirmed result stands; nothing averages it away (R110)."""

    lot: Lot
    investigation: str
    outcome: Outcome
    conclusion: str
    follow_up: str
    other_lots: tuple[Lot, ...]
    """Lots the investigation was extended to (R053); empty after looking and finding none."""
    concluded_by: Person


@event("laboratory.qualified")
class LaboratoryQualified(Body):
    """A contract or hospital laboratory may report these tests until the day given (D11)."""

    laboratory: str
    tests: tuple[str, ...]
    until: str
    document_sha256: str
    assessor: Person


@event("laboratory.suspended")
class LaboratorySuspended(Body):
    """Nothing this laboratory reports from here on counts."""

    laboratory: str
    assessor: Person
