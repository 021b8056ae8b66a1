"""Quantitative and digital PCR and vector copies, from readings to answers."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cellwright.cli.assay.answer import (
    Answer,
    check_lines,
    check_rows,
    figure,
    opened,
    refused,
    source,
    source_lines,
    verdict,
)
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.assay.check import Check
    from cellwright.assay.pcr import CopyNumber, Fraction, Molecules, Partitions, Quantity, StandardCurve
    from cellwright.assay.picture import Picture
    from cellwright.instrument import Reading
    from cellwright.instrument.reading import PartitionWell, PcrWell

PRINTED: Final = {
    "slope": ("Slope",), "intercept": ("Y-Intercept",), "r_squared": ("R2", "R(superscript 2)"),
    "efficiency": ("Efficiency",), "slope_standard_error": ("Standard Error",),
    "residual_standard_deviation": ("Standard Deviation",),
}  # fmt: skip
DIGITS: Final = {"slope": 4, "intercept": 4, "r_squared": 6, "efficiency": 2}
"""Decimals at most that an instrument's figure is compared at; errors are compared to a relative 1e-6."""
COMPARED: Final = 6
LEAST_PARTITIONS: Final = 5000
"""[K] partitions that a well needs; a method sets its own."""


# --- quantitative


def qpcr(file: Path, *, target: str | None, efficiency: tuple[float, float], r_squared: float) -> Answer:
    """Standard curves, quantities, controls and agreement with what the instrument printed."""
    from cellwright.instrument.reading import PcrWell

    reading = opened(file)
    if isinstance(reading, Answer):
        return reading
    wells = [one for one in reading.measurements if isinstance(one, PcrWell) and not one.omitted]
    if not wells:
        return refused(file, _("{format} holds no quantitative PCR").format(format=reading.format))
    names = list(dict.fromkeys(well.target for well in wells if target in {None, well.target}))
    found = [_target(name, [well for well in wells if well.target == name], efficiency, r_squared) for name in names]
    valid = bool(found) and all(one["valid"] for one in found)
    lines = [f"{file.name}: {reading.instrument}, {verdict(valid)}", *source_lines(reading)]
    table: list[tuple[str, ...]] = [(_("target"), _("slope"), _("intercept"), "R²", _("efficiency, %"), "")]
    pictures: dict[str, Picture] = {}
    for one in found:
        lines += one.pop("lines")
        table += one.pop("rows")
        pictures |= one.pop("pictures")
    body = {"source": source(reading), "targets": found}
    return Answer(str(file), f"{file.name}", valid, body, tuple(lines), tuple(table), pictures, reading.sha256)


def _target(name: str, wells: "Sequence[PcrWell]", efficiency: tuple[float, float], r_squared: float) -> dict[str, Any]:
    from cellwright.assay.pcr import curve_checks, standard_curve
    from cellwright.assay.pcr.standard_curve import CurveError

    standards = [w for w in wells if w.task.upper() == "STANDARD" and w.quantity and w.cycle is not None]
    silent = [w.well for w in wells if w.task.upper() == "STANDARD" and (w.cycle is None or not w.quantity)]
    body: dict[str, Any] = {"target": name, "standards": len(standards), "standards_left_out": silent}
    recomputed = _recomputed(wells)
    try:
        curve = standard_curve([float(w.quantity or 0) for w in standards], [float(w.cycle or 0) for w in standards])
    except CurveError as error:
        reason = _("no standard curve: {why}").format(why=error)
        pictures = _amplification(name, wells)
        return body | {"valid": False, "reasons": [reason], "cycles": recomputed, "pictures": pictures,
                       "rows": [(name, "–", "–", "–", "–", _("no standard curve"))],
                       "lines": [f"  {name or '–'}: {reason}", *_cycle_line(recomputed)]}  # fmt: skip
    checks = [*curve_checks(curve, efficiency=efficiency, r_squared=r_squared), _blank(wells)]
    agreement = _agreement(curve, standards)
    samples = _quantities(curve, wells)
    valid = all(one.outcome == "pass" for one in checks) and all(one["agrees"] for one in agreement.values())
    words = _("slope {slope:.4f}  intercept {intercept:.4f}  R² {r2:.6f}  efficiency {percent:.4f} %").format(
        slope=curve.slope, intercept=curve.intercept, r2=curve.r_squared, percent=curve.efficiency)  # fmt: skip
    lines = [f"  {name or '–'}: {words}", *_agreement_lines(agreement), *check_lines(checks), *_cycle_line(recomputed)]
    row = (
        name,
        f"{curve.slope:.4f}",
        f"{curve.intercept:.4f}",
        f"{curve.r_squared:.6f}",
        f"{curve.efficiency:.2f}",
        verdict(valid),
    )
    return body | {
        "valid": valid, "reasons": [one.reason for one in checks if one.outcome != "pass"], "curve": curve,
        "checks": checks, "printed": agreement, "samples": samples, "cycles": recomputed, "lines": lines, "rows": [row],
        "pictures": _curve_pictures(name, curve, wells),
    }  # fmt: skip


def _blank(wells: "Sequence[PcrWell]") -> "Check":
    """No-template controls stay silent, or amplify later than every standard and sample by the method's own rule."""
    from cellwright.assay.check import judged

    blanks = [w for w in wells if w.task.upper() == "NTC"]
    cycles = [float(w.cycle) for w in blanks if w.cycle is not None]
    reason = _("no no-template control on the plate") if not blanks else _("a no-template control amplified")
    return judged("no-template control", min(cycles, default=None), "no amplification",
                  None if not blanks else not cycles, reason)  # fmt: skip


def _agreement(curve: "StandardCurve", standards: "Sequence[PcrWell]") -> dict[str, dict[str, Any]]:
    """Our figures beside the instrument's, to the digits that it prints."""
    found = {}
    for field, columns in PRINTED.items():
        text = next((standards[0].others[c] for c in columns if c in standards[0].others), "")
        if not text:
            continue
        printed, ours = float(text.replace(",", "")), getattr(curve, field)
        decimals = min(len(text.partition(".")[2]), DIGITS.get(field, 12))
        slack = 0.5001 * 10.0**-decimals if field in DIGITS else 1e-6 * abs(printed)
        found[field] = {"printed": text, "ours": ours, "agrees": abs(ours - printed) <= slack}
    return found


def _agreement_lines(agreement: dict[str, dict[str, Any]]) -> list[str]:
    if not agreement:
        return []
    wrong = [f"{name} {one['printed']} ≠ {one['ours']:.6g}" for name, one in agreement.items() if not one["agrees"]]
    if wrong:
        return ["  " + _("DIFFERS from what the instrument printed: {what}").format(what="; ".join(wrong))]
    return ["  " + _("agrees with what the instrument printed: {what}").format(what=", ".join(agreement))]


def _quantities(curve: "StandardCurve", wells: "Sequence[PcrWell]") -> list[dict[str, Any]]:
    from cellwright.assay.pcr import quantify

    groups: dict[str, list[PcrWell]] = defaultdict(list)
    for well in wells:
        if well.task.upper() not in {"STANDARD", "NTC"}:
            groups[well.sample or well.well].append(well)
    found = []
    for sample, members in groups.items():
        cycles = [float(well.cycle) for well in members if well.cycle is not None]
        quantity: Quantity | None = quantify(curve, cycles) if cycles else None
        found.append({"sample": sample, "wells": len(members), "amplified": len(cycles), "quantity": quantity})
    return found


def _recomputed(wells: "Sequence[PcrWell]") -> dict[str, Any]:
    """Cycles from the raw curves beside the instrument's: how many, and how far apart at most."""
    from cellwright.assay.pcr import quantification_cycle

    away = []
    for well in wells:
        signal = well.curves.get("dRn", ())
        if well.cycle is None or well.threshold is None or len(signal) < 10:
            continue
        own = quantification_cycle(list(range(1, len(signal) + 1)), signal, float(well.threshold))
        if own is not None:
            away.append(abs(own - float(well.cycle)))
    return {"compared": len(away), "largest_difference": max(away, default=None)}


def _cycle_line(recomputed: dict[str, Any]) -> list[str]:
    if not recomputed["compared"]:
        return []
    text = _("cycles from {count} raw curves differ by at most {most:.3f} from the instrument's")
    return ["  " + text.format(count=recomputed["compared"], most=recomputed["largest_difference"])]


def _curve_pictures(name: str, curve: "StandardCurve", wells: "Sequence[PcrWell]") -> "dict[str, Picture]":
    from cellwright.assay.picture import standard_curve_picture

    standards = [(float(w.quantity), float(w.cycle)) for w in wells
                 if w.task.upper() == "STANDARD" and w.quantity and w.cycle is not None]  # fmt: skip
    samples = [(10 ** ((float(w.cycle) - curve.intercept) / curve.slope), float(w.cycle)) for w in wells
               if w.task.upper() not in {"STANDARD", "NTC"} and w.cycle is not None]  # fmt: skip
    blanks = [float(w.cycle) for w in wells if w.task.upper() == "NTC" and w.cycle is not None]
    drawn = {
        f"{name} standard curve": standard_curve_picture(curve, standards, samples, blanks, name or _("standard curve"))
    }
    return drawn | _amplification(name, wells)


def _amplification(name: str, wells: "Sequence[PcrWell]") -> "dict[str, Picture]":
    from cellwright.assay.picture import amplification_picture

    groups: dict[str, list[Sequence[float]]] = defaultdict(list)
    for well in wells:
        if well.curves.get("dRn"):
            groups[well.task.lower() or "–"].append(well.curves["dRn"])
    threshold = next((float(w.threshold) for w in wells if w.threshold), None)
    title = _("{name}: amplification").format(name=name)
    picture = amplification_picture(groups, threshold, title)
    return {} if picture is None else {f"{name} amplification": picture}


# --- digital


def dpcr(file: Path, *, target: str | None, reference: str | None, ploidy: float, least: int) -> Answer:
    """Copies per microlitre of each sample and target, their limits, the wells' agreement, and copy numbers."""
    reading, groups = partitions(file)
    if isinstance(reading, Answer):
        return reading
    rows: list[dict[str, Any]] = []
    lines = [f"{file.name}: {reading.instrument}", *source_lines(reading)]
    for (sample, name), wells in groups.items():
        if target is None or name in {target, reference}:
            one = _molecules(sample, name, wells, least)
            lines += one.pop("lines")
            rows.append(one)
    copies = _copy_numbers(groups, target, reference, ploidy) if reference else []
    for one in copies:
        lines.append("  " + _("{sample}: {value} copies of {target} per genome ({lower} to {upper})").format(
            sample=one["sample"], target=one["target"], value=figure(one["copies"].value),
            lower=figure(one["copies"].lower), upper=figure(one["copies"].upper)))  # fmt: skip
    valid = bool(rows) and all(one["valid"] for one in rows)
    lines[0] += f", {verdict(valid)}"
    table: list[tuple[str, ...]] = [
        (_("sample"), _("target"), _("wells"), _("positive"), _("partitions"), _("copies/µL"), _("95 % limits"), "")
    ]
    table += [_dpcr_row(one) for one in rows]
    body = {"source": source(reading), "results": rows, "copy_numbers": copies}
    return Answer(
        str(file), file.name, valid, body, tuple(lines), tuple(table), _dpcr_pictures(rows, copies), reading.sha256
    )


Groups = dict[tuple[str, str], list["PartitionWell"]]


def partitions(file: Path) -> "tuple[Reading | Answer, Groups]":
    """A digital PCR file's wells by sample and target."""
    from cellwright.instrument.reading import PartitionWell

    reading = opened(file)
    groups: Groups = defaultdict(list)
    if isinstance(reading, Answer):
        return reading, groups
    for one in reading.measurements:
        if isinstance(one, PartitionWell):
            groups[(one.sample, one.target)].append(one)
    if not groups:
        return refused(file, _("{format} holds no digital PCR").format(format=reading.format)), groups
    return reading, groups


def counted(wells: "Sequence[PartitionWell]") -> "list[Partitions]":
    """Positives and partitions of each well."""
    from cellwright.assay.pcr import Partitions

    return [Partitions(one.positive, one.positive + one.negative) for one in wells]


def _molecules(sample: str, target: str, wells: "Sequence[PartitionWell]", least: int) -> dict[str, Any]:
    from cellwright.assay.pcr import molecules
    from cellwright.assay.pcr.digital import well_checks

    found = molecules(counted(wells))
    checks = well_checks(counted(wells), least_partitions=least)
    scale = _per_ul(found, wells)
    upper = None if found.upper is None or scale is None else found.upper * scale
    per_ul = None if scale is None else found.mean * scale
    agreement = _printed(wells)
    valid = all(one.outcome == "pass" for one in checks) and agreement["agrees"] is not False
    words = _(
        "{sample}, {target}: {positive} of {counted} partitions in {wells} wells, {value} copies per partition ({low} to {high})"
    )
    lines = ["  " + words.format(sample=sample, target=target, positive=found.positive, counted=found.counted, wells=found.wells,
             value=figure(found.mean), low=figure(found.lower), high=figure(found.upper)), *check_lines(checks)]  # fmt: skip
    if per_ul is not None:
        lines.append("    " + _("{value} copies/µL of reaction").format(value=figure(per_ul)))
    if agreement["wells"]:
        said = _("{count} wells agree with the printed concentration to a relative {most:.1e}")
        lines.append("    " + said.format(count=agreement["wells"], most=agreement["largest_relative_difference"]))
    return {"sample": sample, "target": target, "valid": valid, "molecules_per_partition": found, "copies_per_ul": per_ul,
            "lower_per_ul": None if scale is None else found.lower * scale, "upper_per_ul": upper, "checks": checks,
            "printed": agreement, "lines": lines}  # fmt: skip


def _per_ul(found: "Molecules", wells: "Sequence[PartitionWell]") -> float | None:
    """Copies per microlitre of one molecule per partition; None where the file says no volume."""
    from cellwright.assay.pcr.digital import concentration, qiacuity_concentration

    if all(one.partition_nl for one in wells):
        return concentration(1.0, float(wells[0].partition_nl or 0))
    if all(one.volume_ul for one in wells):
        # Pooled wells: the mean of their calibrated volumes.
        return qiacuity_concentration(1.0, float(sum((one.volume_ul or Decimal(0)) for one in wells)) / len(wells))
    return None


def _printed(wells: "Sequence[PartitionWell]") -> dict[str, Any]:
    """Each well's printed concentration beside ours, where the volume is known."""
    from cellwright.assay.pcr import molecules

    away = []
    for one in wells:
        per_ml = one.others.get("Conc. [cp/mL] (dPCR reaction)", "")
        printed = float(per_ml) / 1000 if per_ml else float(one.per_ul) if one.per_ul and one.partition_nl else None
        scale = _per_ul(molecules(counted([one])), [one])
        if printed and scale is not None and one.negative:
            away.append(abs(molecules(counted([one])).mean * scale / printed - 1))
    most = max(away, default=None)
    exact = any("Conc. [cp/mL] (dPCR reaction)" in one.others for one in wells)
    limit = 1e-9 if exact else 0.01
    return {"wells": len(away), "largest_relative_difference": most, "agrees": None if most is None else most <= limit}


def _copy_numbers(groups: Groups, target: str | None, reference: str, ploidy: float) -> list[dict[str, Any]]:
    from cellwright.assay.pcr import molecules, per_cell_digital
    from cellwright.assay.pcr.copy_number import per_cell_fieller

    found = []
    for (sample, name), wells in groups.items():
        beside = groups.get((sample, reference))
        if name == reference or beside is None or target not in {None, name}:
            continue
        two = molecules(counted(wells)), molecules(counted(beside))
        found.append({"sample": sample, "target": name, "reference": reference,
                      "copies": per_cell_digital(*two, ploidy=ploidy), "fieller": per_cell_fieller(*two, ploidy=ploidy)})  # fmt: skip
    return found


def _dpcr_row(one: dict[str, Any]) -> tuple[str, ...]:
    found = one["molecules_per_partition"]
    limits = f"{figure(one['lower_per_ul'])} – {figure(one['upper_per_ul'])}"
    return (one["sample"], one["target"], str(found.wells), str(found.positive), str(found.counted),
            figure(one["copies_per_ul"]), limits, verdict(one["valid"]))  # fmt: skip


def _dpcr_pictures(rows: list[dict[str, Any]], copies: list[dict[str, Any]]) -> "dict[str, Picture]":
    from cellwright.assay.picture import partition_picture

    drawn: dict[str, Picture] = {}
    known = [one for one in rows if one["copies_per_ul"] is not None]
    several = len({one["target"] for one in known}) > 1
    if known:
        points = [(f"{one['sample']} {one['target']}" if several else one["sample"], one["copies_per_ul"], one["lower_per_ul"],
                   one["upper_per_ul"]) for one in known]  # fmt: skip
        drawn["concentrations"] = partition_picture(points, _("copies/µL"), _("Copies per microlitre of reaction"))
    numbers = [(one["sample"], one["copies"].value, one["copies"].lower or 0.0, one["copies"].upper) for one in copies
               if one["copies"].value is not None]  # fmt: skip
    if numbers:
        drawn["copy numbers"] = partition_picture(numbers, _("copies per genome"), _("Copies per genome"))
    return drawn


# --- vector copies


def vcn(
    file: Path, transgene: str, reference: str, *, fraction: "Fraction | None", limit: Decimal | None, ploidy: float
) -> list[Answer]:
    """Copies per cell, and per transduced cell where the transduced fraction is given, for each sample of a file."""
    reading = opened(file)
    if isinstance(reading, Answer):
        return [reading]
    found = [*_by_partitions(reading, transgene, reference, ploidy), *_by_curves(reading, transgene, reference, ploidy)]
    if not found:
        names = {one.target for one in reading.measurements if hasattr(one, "target")}
        return [refused(file, _("no sample has both {transgene} and {reference}; the file has {known}").format(
            transgene=transgene, reference=reference, known=", ".join(sorted(names)) or "–"))]  # fmt: skip
    return [_vcn(file, reading, one, fraction, limit) for one in found]


Sampled = tuple[str, "CopyNumber", "tuple[Check, ...]"]
"""A sample, its copies per cell, and the checks of the wells or curves behind them."""


def _by_partitions(reading: "Reading", transgene: str, reference: str, ploidy: float) -> list[Sampled]:
    from cellwright.assay.pcr import molecules, per_cell_digital
    from cellwright.assay.pcr.digital import well_checks
    from cellwright.instrument.reading import PartitionWell

    groups: Groups = defaultdict(list)
    for one in reading.measurements:
        if isinstance(one, PartitionWell):
            groups[(one.sample, one.target)].append(one)
    found: list[Sampled] = []
    for sample, name in list(groups):
        if name == transgene and (sample, reference) in groups:
            two = [counted(groups[(sample, target)]) for target in (transgene, reference)]
            checks = tuple(check for wells in two for check in well_checks(wells, least_partitions=LEAST_PARTITIONS))
            found.append((sample, per_cell_digital(molecules(two[0]), molecules(two[1]), ploidy=ploidy), checks))
    return found


def _by_curves(reading: "Reading", transgene: str, reference: str, ploidy: float) -> list[Sampled]:
    """By two standard curves on one plate, both in copies per reaction; a sample that is not seen has no value here."""
    from cellwright.assay.pcr import curve_checks, per_cell_quantitative, standard_curve
    from cellwright.assay.pcr.standard_curve import CurveError
    from cellwright.instrument.reading import PcrWell

    quantities: list[dict[str, Quantity]] = []
    checks: list[Check] = []
    for target in (transgene, reference):
        wells = [w for w in reading.measurements if isinstance(w, PcrWell) and w.target == target and not w.omitted]
        standards = [w for w in wells if w.task.upper() == "STANDARD" and w.quantity and w.cycle is not None]
        try:
            curve = standard_curve(
                [float(w.quantity or 0) for w in standards], [float(w.cycle or 0) for w in standards]
            )
        except CurveError:
            return []
        checks += [*curve_checks(curve), _blank(wells)]
        quantities.append({one["sample"]: one["quantity"] for one in _quantities(curve, wells) if one["quantity"]})
    both = [sample for sample in quantities[0] if sample in quantities[1]]
    return [(sample, per_cell_quantitative(quantities[0][sample], quantities[1][sample], ploidy=ploidy), tuple(checks))
            for sample in both]  # fmt: skip


def _vcn(
    file: Path, reading: "Reading", sampled: Sampled, fraction: "Fraction | None", limit: Decimal | None
) -> Answer:
    from cellwright.assay.check import passed
    from cellwright.assay.pcr import per_transduced_cell
    from cellwright.assay.pcr.copy_number import plausibility

    sample, copies, measured = sampled
    each = None if fraction is None else per_transduced_cell(copies, fraction)
    checks = [*measured]
    if fraction is not None and copies.value is not None:
        checks.append(plausibility(copies.value, fraction))
    judged = exact(each or copies)
    passes = None if limit is None or judged is None else judged < limit
    lines = [f"{file.name}, {sample}: " + _("{value} copies per cell ({lower} to {upper})").format(
        value=figure(copies.value), lower=figure(copies.lower), upper=figure(copies.upper)), *source_lines(reading)]  # fmt: skip
    if each is not None:
        lines.append("  " + _("{value} copies per transduced cell ({lower} to {upper})").format(
            value=figure(each.value), lower=figure(each.lower), upper=figure(each.upper)))  # fmt: skip
    lines += ["  " + _("{percent:.0f} % of the uncertainty comes from {source}").format(
        source=name, percent=100 * share / sum((each or copies).shares.values()))
        for name, share in (each or copies).shares.items() if 0 < (each or copies).log_variance < inf]  # fmt: skip
    lines += check_lines(checks)
    if passes is not None:
        word = _("complies") if passes else _("does not comply")
        lines.append("  " + _("{value} against < {limit}: {outcome}").format(value=judged, limit=limit, outcome=word))
    body = {"source": source(reading), "sample": sample, "per_cell": copies, "per_transduced_cell": each, "checks": checks,
            "judged": judged, "limit": limit, "complies": passes}  # fmt: skip
    table = ((_("sample"), _("copies per cell"), _("copies per transduced cell"), ""),
             (sample, figure(copies.value), figure(each.value if each else None), ""), *check_rows(checks))  # fmt: skip
    valid = copies.value is not None and passes is not False and passed(checks)
    return Answer(str(file), f"{file.name}, {sample}", valid, body, tuple(lines),
                  table, _vcn_pictures(sample, copies, each), reading.sha256)  # fmt: skip


def exact(copies: "CopyNumber") -> Decimal | None:
    """The number that a limit judges: six significant digits, so that 5 computed as 4.9999999999999996 is 5 (R101)."""
    return None if copies.value is None else Decimal(f"{copies.value:.{COMPARED}g}")


def _vcn_pictures(sample: str, copies: "CopyNumber", each: "CopyNumber | None") -> "dict[str, Picture]":
    from cellwright.assay.picture import partition_picture

    rows = [(name, one.value, one.lower or 0.0, one.upper)
            for name, one in ((_("per cell"), copies), (_("per transduced cell"), each)) if one and one.value is not None]  # fmt: skip
    return {f"{sample} copies": partition_picture(rows, _("copies"), sample)} if rows else {}
