"""Tests for what must not be there, by PCR: mycoplasma, replication-competent virus, residual DNA, with control rules.

A negative result counts only if the test could have been positive: the positive control amplifies, the internal control
in the sample's own wells amplifies, and the no-template and extraction controls stay negative (Ph. Eur. 2.6.7; R110 of
the house's requirements: repeats never hide a positive).
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from cellwright.assay.check import Check, judged, passed
from cellwright.assay.pcr.standard_curve import Quantity
from cellwright.language import _

Role = Literal["sample", "positive control", "no-template control", "extraction control"]
Finding = Literal["not detected", "detected", "indeterminate", "invalid"]


class Well(msgspec.Struct, frozen=True):
    """One well's cycles.

    Attributes:
        cycle: of the target; None if it did not amplify.
        internal_cycle: of the internal control; None if it did not amplify.
    """

    role: Role
    cycle: float | None
    internal_cycle: float | None = None


class Rules(msgspec.Struct, frozen=True):
    """A method's control rules, in cycles.

    Attributes:
        last_cycle: a target cycle after it is no detection.
        positive_control: window of the positive control.
        internal_control: window of the internal control in sample and negative wells; None if the method has none.
        replicates: wells a sample needs.
    """

    last_cycle: float
    positive_control: tuple[float, float]
    internal_control: tuple[float, float] | None
    replicates: int = 2


class Detection(msgspec.Struct, frozen=True):
    """The outcome of a plate for one sample."""

    finding: Finding
    positive_wells: int
    wells: int
    checks: tuple[Check, ...]


def detect(wells: Sequence[Well], rules: Rules) -> Detection:
    """Judge one sample with the controls of its plate.

    A sample with some wells positive is `indeterminate`: it is repeated by the method, never averaged away. A positive
    sample stays `detected` even if its internal control failed, since a strong target suppresses it.
    """
    samples = [well for well in wells if well.role == "sample"]
    positive = [well for well in samples if _amplified(well, rules)]
    controls = _controls(wells, rules)
    inhibited = _inhibition([well for well in samples if well not in positive], rules)
    enough = judged("replicates", len(samples), f">= {rules.replicates}", len(samples) >= rules.replicates,
                    _("{count} wells of the sample").format(count=len(samples)))  # fmt: skip
    checks = (*controls, inhibited, enough)
    if not passed((*controls, enough)):
        finding: Finding = "invalid"
    elif positive:
        finding = "detected" if len(positive) == len(samples) else "indeterminate"
    else:
        finding = "not detected" if inhibited.outcome == "pass" else "invalid"
    return Detection(finding, len(positive), len(samples), checks)


def _amplified(well: Well, rules: Rules) -> bool:
    return well.cycle is not None and well.cycle <= rules.last_cycle


def _controls(wells: Sequence[Well], rules: Rules) -> list[Check]:
    low, high = rules.positive_control
    positive = [well.cycle for well in wells if well.role == "positive control"]
    inside = all(cycle is not None and low <= cycle <= high for cycle in positive)
    found = [
        judged("positive control", positive[0] if positive else None, f"cycle {low:g} to {high:g}",
               inside if positive else None, _("no positive control inside its window"))
    ]  # fmt: skip
    for role in ("no-template control", "extraction control"):
        negative = [well for well in wells if well.role == role]
        clean = not any(_amplified(well, rules) for well in negative)
        earliest = min((well.cycle for well in negative if well.cycle is not None), default=None)
        found.append(judged(role, earliest, f"no cycle up to {rules.last_cycle:g}", clean if negative else None,
                            _("a blank control amplified or is missing")))  # fmt: skip
    return found


def _inhibition(wells: Sequence[Well], rules: Rules) -> Check:
    if rules.internal_control is None:
        return judged("internal control", None, "none in this method", True, "")
    low, high = rules.internal_control
    latest = max((well.internal_cycle for well in wells if well.internal_cycle is not None), default=None)
    holds = all(well.internal_cycle is not None and low <= well.internal_cycle <= high for well in wells)
    return judged(
        "internal control", latest, f"cycle {low:g} to {high:g}", holds, _("the sample inhibits the reaction")
    )


class PerMass(msgspec.Struct, frozen=True):
    """Copies in a mass of DNA.

    Attributes:
        value: copies per microgram; the bound if `censored`.
        censored: `<` if below what the method can quantify, else empty.
    """

    value: float
    censored: Literal["", "<"]


def copies_per_microgram(copies: Quantity | None, dna_ng: float, limit_of_quantification: float) -> PerMass:
    """Copies per microgram of the DNA put into the reactions, for replication-competent virus such as VSV-G sequences.

    Parameters:
        copies: in one reaction; None if nothing amplified.
        dna_ng: genomic DNA in one reaction; little DNA makes an insensitive test, and the bound says so.
        limit_of_quantification: least copies in one reaction that the method quantifies.

    Raises:
        ValueError: no DNA.
    """
    if dna_ng <= 0:
        raise ValueError("copies per mass need a mass")
    if copies is None or copies.value < limit_of_quantification:
        return PerMass(limit_of_quantification / dna_ng * 1000, "<")
    return PerMass(copies.value / dna_ng * 1000, "")


def residual_dna_ng(
    quantity_pg: float, *, dilution: float, reaction_ul: float, dose_ml: float, recovery: float
) -> float:
    """Nanograms of residual DNA in a dose from picograms found in `reaction_ul` of extract.

    Parameters:
        dilution: volume of extract over volume of product extracted.
        recovery: fraction of a spike found again, 0 to 1; the result is corrected for it.

    Raises:
        ValueError: recovery outside 0 (excluded) to 1.5, or a volume that is not positive.
    """
    if not 0 < recovery <= 1.5 or min(dilution, reaction_ul, dose_ml) <= 0:
        raise ValueError("recovery lies above 0 and volumes are positive")
    return float(np.float64(quantity_pg) / reaction_ul * dilution * 1000 * dose_ml / recovery / 1000)
