"""What an analysis file says: panel, compensation, scales, gates, outputs, controls. One type for each part of the file.

Numbers stand in the file's own units (the scale of the light), so that a person can compare them with an axis. A range is
judged there, exactly; the edges of a polygon are straight on the scale on which its markers are shown.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from cellwright.cytometry.acquisition import AcquisitionCheck
from cellwright.cytometry.interval import Beads

SCHEMA = "cellwright.flow-analysis/1"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an analysis file. Nothing unknown may stand in it."""


class Words(Entry, frozen=True, kw_only=True):
    """A text in both languages."""

    en: str
    zh: str


class Scale(Entry, frozen=True, kw_only=True):
    """A scale, with the parameters of Gating-ML 2.0; `flowjo_biex` with FlowJo's."""

    kind: Literal["linear", "log", "asinh", "logicle", "hyperlog", "flowjo_biex"]
    top: Decimal = Decimal(262144)
    width: Decimal = Decimal("0.5")
    decades: Decimal = Decimal("4.5")
    extra: Decimal = Decimal(0)


class Detector(Entry, frozen=True, kw_only=True):
    """What a channel of the instrument sees in this panel, and the scale on which it is shown."""

    channel: str
    marker: str = ""
    scale: str = ""

    @property
    def name(self) -> str:
        """What gates and outputs call it."""
        return self.marker or self.channel


class Compensation(Entry, frozen=True, kw_only=True):
    """Where the spillover comes from: the file's own keyword, a matrix in this analysis, or nothing."""

    source: Literal["none", "file", "matrix"] = "file"
    detectors: tuple[str, ...] = ()
    matrix: tuple[tuple[Decimal, ...], ...] = ()


class Bounds(Entry, frozen=True, kw_only=True):
    """Values from `low` to below `high`; open where one is left out."""

    low: Decimal | None = None
    high: Decimal | None = None


class Corners(Entry, frozen=True, kw_only=True):
    """A polygon over two markers."""

    x: str
    y: str
    corners: tuple[tuple[Decimal, Decimal], ...]


class Find(Entry, frozen=True, kw_only=True):
    """How a gate of a template is found in the events; what is found is a proposal.

    Attributes:
        method: `minimum_density`, `tail` and `mixture` cut one marker; `hill` outlines the main peak over two, `ellipse` the
            component of a mixture over two that holds most events.
        on: one marker, or two.
        keep: the side of a cut that is inside.
        low, high: where a cut may lie, in the file's own units.
        spreads: for a tail, how many spreads above the mode; for an ellipse, its radius in standard deviations.
        level: for a hill, the share of the peak's height at which it ends.
        components: for an ellipse, of how many the mixture is.
    """

    method: Literal["minimum_density", "tail", "mixture", "hill", "ellipse"]
    on: tuple[str, ...]
    keep: Literal["above", "below"] = "above"
    low: Decimal | None = None
    high: Decimal | None = None
    spreads: Decimal = Decimal(3)
    level: Decimal = Decimal("0.1")
    components: int = 2


class GateEntry(Entry, frozen=True, kw_only=True):
    """One gate: ranges, a polygon, populations put together, or (in a template) how to find it. Exactly one of them."""

    gate: str
    name: Words | None = None
    parent: str = ""
    ranges: dict[str, Bounds] = {}
    polygon: Corners | None = None
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: str = ""
    find: Find | None = None


class GatingFile(Entry, frozen=True, kw_only=True):
    """Gates in a Gating-ML 2.0 file beside this one, bound by its hash."""

    file: str
    sha256: str


class Output(Entry, frozen=True, kw_only=True):
    """A figure that the analysis gives.

    Attributes:
        kind: `percent` of `count` among `of`; `ratio` of `count` to `of`; `concentration` of `count` by the beads in `of`,
            cells per microlitre; `residual` percent of rare cells among `of`, with limits of detection and quantification.
        events_min: events in `of` below which the figure proves nothing.
        small_below: a figure resting on fewer events of `count` (or of those outside) says so.
        detection_events: events of `count` from which rare cells are detected. The consensus for minimal residual disease
            takes 30 for detection and 50 for quantification (Arroz et al., Cytometry B 90B:31, 2016); a laboratory
            validates its own.
    """

    output: str
    name: Words
    kind: Literal["percent", "ratio", "concentration", "residual"]
    count: str
    of: str
    decimals: int = 2
    events_min: int = 100
    small_below: int = 20
    detection_events: int = 30
    quantification_events: int = 50


class ControlRule(Entry, frozen=True, kw_only=True):
    """A control that must stand beside the sample.

    Attributes:
        sample: what the control's file must state as its sample, such as `{sample}-FMO`, where `{sample}` stands for what
            the sample's own file states; empty to take a control of any name.
        output, at_most: the figure that the control's own file must not exceed under the same gates.
        within_hours: how far its acquisition may lie from the sample's.
        guards: outputs that prove nothing without it; all of them if none is named.
    """

    control: Literal["unstained", "untransduced", "fmo", "single_stain", "instrument_qc"]
    marker: str = ""
    sample: str = ""
    output: str = ""
    at_most: Decimal | None = None
    within_hours: int = 24
    guards: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.control}:{self.marker}" if self.marker else self.control


class Analysis(Entry, frozen=True, kw_only=True):
    """An analysis in one version. A change is a new version."""

    schema: Literal["cellwright.flow-analysis/1"]
    analysis: str
    version: str
    name: Words
    status: Literal["proposed", "approved"] = "proposed"
    """`approved` by a person, outside of this library; what a machine proposed stays a proposal until then."""
    panel: tuple[Detector, ...]
    scales: dict[str, Scale] = {}
    compensation: Compensation = Compensation()
    acquisition: AcquisitionCheck | None = None
    gates: tuple[GateEntry, ...] = ()
    gating_ml: GatingFile | None = None
    outputs: tuple[Output, ...]
    beads: Beads | None = None
    controls: tuple[ControlRule, ...] = ()
    confidence: Decimal = Decimal("0.95")
