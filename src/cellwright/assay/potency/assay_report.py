"""From a bioassay file to potencies in their units, with all that makes the assay valid or not."""

import msgspec

from cellwright.assay.check import Check, judged, passed
from cellwright.assay.potency.assay_table import AssayTable
from cellwright.assay.potency.parallel_line import parallel_lines
from cellwright.assay.potency.result import PotencyResult
from cellwright.assay.potency.slope_ratio import slope_ratio
from cellwright.language import _


class Estimate(msgspec.Struct, frozen=True):
    """A potency in the units of the file.

    Attributes:
        potency, lower, upper: None where the file does not state the assumed potency, or no finite limit exists.
        percent_of_assigned, percent_of_estimate: lower, estimate and upper.
    """

    preparation: str
    potency: float | None
    lower: float | None
    upper: float | None
    percent_of_assigned: tuple[float | None, float | None, float | None]
    percent_of_estimate: tuple[float | None, float, float | None]


class AssayReport(msgspec.Struct, frozen=True):
    """A bioassay file's outcome: the analysis, potencies in units, and the checks of analysis and file together."""

    title: str
    result: PotencyResult
    estimates: tuple[Estimate, ...]
    checks: tuple[Check, ...]

    @property
    def valid(self) -> bool:
        """Whether the potency may be reported."""
        return passed(self.checks)


def report(table: AssayTable) -> AssayReport:
    """Analyse a bioassay file by its own model and judge it.

    Raises:
        LayoutError: the layout does not fit the model.
    """
    if table.stated["Model"] == "Slope ratio":
        result = slope_ratio(table.layout)
    else:
        result = parallel_lines(table.layout, direction=table.direction)
    checks = [*result.checks, *_completeness(table, result)]
    return AssayReport(table.stated.get("ResultOfAssay", ""), result, tuple(_estimates(table, result)), tuple(checks))


def _completeness(table: AssayTable, result: PotencyResult) -> list[Check]:
    found = []
    if table.direction is None:
        reason = _(
            "the file does not say whether the response rises or falls with the dose (found: slope {slope:.6g}); doses written in reversed order would turn every potency into its inverse"
        ).format(slope=result.slope)
        found.append(judged("direction", result.slope, "stated", None, reason))
    reason = _("the file states no assumed potency (Factor): a ratio cannot be turned into a potency")
    found.append(judged("assumed potency", None, "stated", True if table.potency_units else None, reason))
    return found


def _estimates(table: AssayTable, result: PotencyResult) -> list[Estimate]:
    found = []
    for place, one in enumerate(result.potencies):
        ratios = (one.lower, one.ratio, one.upper)
        unit = table.potency_units[place] if table.potency_units else None
        values = tuple(None if ratio is None or unit is None else ratio * unit for ratio in ratios)
        assigned = table.assigned[place] if table.assigned else None
        shares = tuple(None if value is None or not assigned else 100 * value / assigned for value in values)
        own = tuple(None if ratio is None else 100 * ratio / one.ratio for ratio in ratios)
        found.append(
            Estimate(one.preparation, values[1], values[0], values[2], (shares[0], shares[1], shares[2]),
                     (own[0], 100.0, own[2]))
        )  # fmt: skip
    return found
