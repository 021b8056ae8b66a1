"""What a quality file is made of, as folded from its facts: results, cultures, investigations, samples."""

from typing import Literal, NamedTuple

import msgspec

Origin = Literal["recomputed", "attested"]
ResultStatus = Literal["recorded", "verified", "invalidated", "superseded"]


class Sample(NamedTuple):
    """A sample of the lot in the laboratory."""

    sample: str
    kind: str
    point: str
    """Step of the recipe at which it was drawn; empty where it was drawn outside a step."""
    received_at: str
    received_by: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A result as it stands in the record. No result ever leaves it (R015)."""

    id: str
    test: str
    value: str
    unit: str
    sample: str
    sample_kind: str
    sampling_point: str
    origin: Origin
    method: str
    method_version: str
    assay_version: str
    instrument: str
    analyst: str
    acquired_at: str
    recorded_at: str
    evidence: str
    """SHA-256 (hex) of the raw file or of the attested original."""
    status: ResultStatus = "recorded"
    controls: dict[str, str] = {}
    flaw: str = ""
    """Why the result proves nothing, as a stable word, for example `events-too-few`; empty if it can be judged."""
    verifier: str = ""
    retest_of: str = ""
    """The investigation under which it was made."""
    stands_for: str = ""
    """The result that it repeats or re-analyses."""
    reason: str = ""
    """Why it was invalidated or superseded."""

    @property
    def valid(self) -> bool:
        """Whether it counts: neither invalidated nor superseded."""
        return self.status in ("recorded", "verified")


CultureStatus = Literal["incubating", "negative_to_date", "negative", "positive", "abandoned"]


class Culture(msgspec.Struct, frozen=True, kw_only=True):
    """A culture for sterility or mycoplasma, from inoculation to its final reading."""

    id: str
    test: str
    sample: str
    started_at: str
    ends_at: str
    """Earliest time of the final negative reading."""
    method: str
    method_version: str
    assay_version: str
    instrument: str
    status: CultureStatus = "incubating"
    last_read_at: str = ""
    result: str = ""
    """The result that the final reading, or growth, became."""

    @property
    def running(self) -> bool:
        """Whether its final reading is still awaited: until then no other result of the test is the last word."""
        return self.status in ("incubating", "negative_to_date")


Phase = Literal["laboratory", "production", "concluded"]
"""Phase I looks for an error of the laboratory, phase II at production and by planned additional testing (R109)."""
Outcome = Literal["laboratory_error", "confirmed"]


class Investigation(msgspec.Struct, frozen=True, kw_only=True):
    """The investigation of an out-of-specification result (R109)."""

    id: str
    test: str
    results: tuple[str, ...]
    opened_at: str
    phase: Phase = "laboratory"
    analysts: tuple[str, ...] = ()
    """Who made the results in question: none of them makes the retests."""
    cause: str = ""
    """The assignable cause found in phase I; empty if none was found."""
    planned: int = 0
    """Number of retests fixed in advance; 0 before there is a plan."""
    retest_analyst: str = ""
    basis: Literal["retest", "resample", ""] = ""
    authorised: tuple[str, ...] = ()
    """Retests that were begun."""
    reported: tuple[str, ...] = ()
    """Results of retests."""
    outcome: Outcome | None = None
    conclusion: str = ""
    lots: tuple[str, ...] = ()
    """Other lots the investigation was extended to (R053)."""

    @property
    def open(self) -> bool:
        return self.phase != "concluded"
