"""Relative potency and endotoxin, from files to answers."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

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
    from cellwright.assay.endotoxin import KineticCurve, Measured, Weight
    from cellwright.assay.picture import Picture
    from cellwright.assay.potency import AssayReport, AssayTable
    from cellwright.instrument.reading import EndotoxinWell

BIOASSAY_MAX: Final = 5_000_000


# --- relative potency


def potency(file: Path) -> Answer:
    """A bioassay in text form: potencies with limits, the analysis of variance, and whether it may be believed."""
    from cellwright.assay.picture import potency_picture
    from cellwright.assay.potency import LayoutError, read, report

    try:
        data = file.read_bytes()
        table = read(_text(data))
        found = report(table)
    except OSError as error:
        return refused(file, error.strerror or str(error))
    except LayoutError as error:
        return refused(file, str(error))
    agreement = _published(table, found)
    lines = [f"{file.name}: {found.title}, {found.result.model}, {verdict(found.valid)}"]
    for one in found.estimates:
        lines.append("  " + _("{name}: potency {value}, 95 % limits {lower} to {upper}").format(
            name=one.preparation, value=figure(one.potency), lower=figure(one.lower), upper=figure(one.upper)))  # fmt: skip
        if one.potency is None:
            ratio = next(p for p in found.result.potencies if p.preparation == one.preparation)
            lines.append("    " + _("ratio to the assumed potency {value} ({lower} to {upper})").format(
                value=figure(ratio.ratio), lower=figure(ratio.lower), upper=figure(ratio.upper)))  # fmt: skip
    lines += check_lines(found.checks)
    for suspect in found.result.suspects:
        lines.append("  " + _("outlying response kept: {name} at dose {dose:g}, p {p:.2g}").format(
            name=suspect.preparation, dose=suspect.dose, p=suspect.p))  # fmt: skip
    if agreement:
        word = _("agrees") if all(one["agrees"] for one in agreement) else _("DIFFERS")
        lines.append("  " + _("potencies printed in the file: {word}").format(word=word))
    body = {
        "title": found.title, "model": found.result.model, "reasons": [c.reason for c in found.checks if c.outcome != "pass"],
        "estimates": found.estimates, "ratios": found.result.potencies, "analysis": found.result.analysis,
        "checks": found.checks, "suspects": found.result.suspects, "notes": found.result.notes, "printed": agreement,
    }  # fmt: skip
    pictures = {"potency": potency_picture(table.layout, found.result, found.title or file.name, valid=found.valid)}
    return Answer(str(file), found.title or file.name, found.valid, body, tuple(lines), _potency_table(found), pictures,
                  sha256(data).hexdigest())  # fmt: skip


def _text(data: bytes) -> str:
    from cellwright.assay.potency import LayoutError

    if len(data) > BIOASSAY_MAX:
        raise LayoutError(_("no bioassay file is as large as this"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _published(table: "AssayTable", found: "AssayReport") -> list[dict[str, Any]]:
    """Potencies that the file prints beside ours, compared at their own digits."""
    printed = [
        one for one in table.printed if one.name.startswith("Potency") and len([f for f in one.figures if f]) >= 3
    ]
    rows = []
    for one, estimate in zip(printed, found.estimates, strict=False):
        figures = [text for text in one.figures if text][:3]
        ours = (estimate.lower, estimate.potency, estimate.upper)
        agrees = all(value is not None and _same(text, value) for text, value in zip(figures, ours, strict=True))
        rows.append({"preparation": estimate.preparation, "printed": figures, "agrees": agrees})
    return rows


def _same(text: str, value: float) -> bool:
    """Whether a value rounds to a printed one."""
    printed = Decimal(text)
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int)
    return abs(Decimal(repr(value)) - printed) <= Decimal(5).scaleb(exponent - 1) * Decimal("1.0001")


def _potency_table(found: "AssayReport") -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = [(_("preparation"), _("potency"), _("lower limit"), _("upper limit"))]
    rows += [(one.preparation, figure(one.potency), figure(one.lower), figure(one.upper)) for one in found.estimates]
    return (*rows, *check_rows(found.checks))


# --- endotoxin


class Dose(msgspec.Struct, frozen=True):
    """What the endotoxin of a product is judged for.

    Attributes:
        limit: EU/mL of product.
        bags: (name, millilitres) of the dose; empty without a verdict per kilogram.
    """

    limit: Decimal
    bags: tuple[tuple[str, Decimal], ...] = ()
    weight: "Weight | None" = None
    on: date | None = None


def archived(text: str) -> "KineticCurve":
    """A cartridge lot's curve: `slope,intercept,r,lowest,highest,lot,YYYY-MM-DD`. Raises ValueError."""
    from cellwright.assay.endotoxin import archived_curve

    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 7:
        raise ValueError(_("an archived curve is slope,intercept,r,lowest,highest,lot,expiry"))
    slope, intercept, r, low, high = (float(part) for part in parts[:5])
    return archived_curve(slope, intercept, r, (low, high), parts[5], date.fromisoformat(parts[6]))


def endotoxin(file: Path, dose: Dose, curve: "KineticCurve | None") -> list[Answer]:
    """Each sample of a plate or cartridge file, with the rules of the method and the verdict over all bags."""
    from cellwright.assay.endotoxin import kinetic_curve
    from cellwright.assay.endotoxin.kinetic import CurveError
    from cellwright.instrument.reading import EndotoxinWell

    reading = opened(file)
    if isinstance(reading, Answer):
        return [reading]
    wells = [one for one in reading.measurements if isinstance(one, EndotoxinWell)]
    standards = [
        (float(w.nominal), float(w.onset_s)) for w in wells if w.role == "standard" and w.nominal and w.onset_s
    ]
    if not wells:
        return [refused(file, _("{format} holds no endotoxin test").format(format=reading.format))]
    try:
        found = curve or kinetic_curve([q for q, _s in standards], [s for _q, s in standards])
    except CurveError as error:
        return [refused(file, str(error))]
    names = list(dict.fromkeys(w.sample for w in wells if w.role == "sample"))
    return [_endotoxin(file, name, (reading, wells, standards), found, dose) for name in names]


def _endotoxin(file: Path, name: str, read: Any, curve: "KineticCurve", dose: Dose) -> Answer:
    from cellwright.assay.endotoxin import Readings, measure

    reading, wells, standards = read
    own = [w for w in wells if w.sample == name and w.role in {"sample", "spiked sample"}]
    spike = next((float(w.nominal) for w in own if w.role == "spiked sample" and w.nominal), float("nan"))
    dilutions = {w.dilution for w in own if w.dilution is not None}
    if len(dilutions) != 1 or spike != spike:
        return refused(
            file, _("{sample}: one dilution and a spike of known concentration are needed").format(sample=name)
        )
    readings = Readings(
        sample=_onsets(own, "sample"), spiked=_onsets(own, "spiked sample"),
        negative=() if curve.expires else _onsets(wells, "negative control"), spike=spike, dilution=float(dilutions.pop()),
    )  # fmt: skip
    measured = measure(curve, readings, limit_eu_per_ml=float(dose.limit), today=dose.on)
    verdict_body, complies, said = _verdict(name, measured, dose)
    text = _("{file}, {sample}: {value} EU/mL, spike recovery {recovery} %, {verdict}")
    value = f"{measured.censored}{figure(measured.value)}"
    recovery = "–" if measured.recovery is None else f"{measured.recovery:.0f}"
    lines = [text.format(file=file.name, sample=name, value=value, recovery=recovery, verdict=verdict(measured.valid)),
             *source_lines(reading), *check_lines(measured.checks), *said]  # fmt: skip
    body = {"source": source(reading), "sample": name, "curve": curve, "measured": measured, "verdict": verdict_body}
    table = ((_("sample"), "EU/mL", _("spike recovery, %"), ""), (name, value, recovery, verdict(measured.valid)),
             *check_rows(measured.checks))  # fmt: skip
    pictures = {name: _endotoxin_picture(name, own, standards, curve, dose)}
    return Answer(str(file), f"{file.name}, {name}", measured.valid and complies, body, tuple(lines), table, pictures,
                  reading.sha256)  # fmt: skip


def _onsets(wells: "Sequence[EndotoxinWell]", role: str) -> tuple[float | None, ...]:
    return tuple(None if w.onset_s is None else float(w.onset_s) for w in wells if w.role == role)


def _verdict(name: str, measured: "Measured", dose: Dose) -> tuple[dict[str, Any] | None, bool, list[str]]:
    """The verdict over all bags, in decimals; three significant digits are what the method supports."""
    from cellwright.assay.endotoxin import Bag, Limits, judge

    if dose.on is None:
        return None, True, []
    value = Decimal(f"{measured.value:.3g}")
    bags: list[Bag] = [Bag(bag, volume, value, measured.censored) for bag, volume in dose.bags] or [
        Bag(name, Decimal(1), value, measured.censored)
    ]
    found = judge(bags, dose.weight, Limits(per_ml=dose.limit), dose.on)
    outcome = found.outcome if dose.bags else found.per_ml_outcome
    lines = ["  " + _("verdict: {outcome}").format(outcome=_(outcome))]
    if dose.bags:
        lines += [f"    {reason}" for reason in found.reasons]
        lines.append(
            "    "
            + _("{value} EU per kg in the worst hour").format(
                value=f"{found.per_kg_hour:.4g}" if found.per_kg_hour is not None else "–"
            )
        )
    return msgspec.structs.asdict(found), outcome == "complies", lines


def _endotoxin_picture(
    name: str, own: "Sequence[EndotoxinWell]", standards: list[tuple[float, float]], curve: "KineticCurve", dose: Dose
) -> "Picture":
    from cellwright.assay.picture import endotoxin_picture

    groups: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for well in own:
        if well.onset_s is not None:
            kind = _("sample") if well.role == "sample" else _("spiked sample")
            groups[kind].append((curve.concentration(float(well.onset_s)), float(well.onset_s)))
    dilution = next(float(w.dilution) for w in own if w.dilution)
    shown = [point for point in standards if point] if curve.expires is None else []
    return endotoxin_picture(curve, shown, groups, float(dose.limit) / dilution, name)


def bag(text: str) -> tuple[str, Decimal]:
    """A bag of the dose: `NAME=MILLILITRES`. Raises ValueError."""
    match = re.fullmatch(r"(?P<name>[^=]+)=(?P<ml>\d+(?:\.\d+)?)", text)
    if match is None:
        raise ValueError(_("a bag is NAME=MILLILITRES"))
    return match["name"], Decimal(match["ml"])


def weighed(text: str) -> "Weight":
    """A weight with its day: `KILOGRAMS@YYYY-MM-DD`. Raises ValueError."""
    from cellwright.assay.endotoxin import Weight

    match = re.fullmatch(r"(?P<kg>\d+(?:\.\d+)?)@(?P<on>\d{4}-\d{2}-\d{2})", text)
    if match is None:
        raise ValueError(_("a weight is KILOGRAMS@YYYY-MM-DD"))
    return Weight(Decimal(match["kg"]), date.fromisoformat(match["on"]))
