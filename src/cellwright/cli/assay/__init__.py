"""`cellwright assay`: release tests computed from raw files, with pictures."""

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cellwright.cli.assay.answer import Answer, finish
from cellwright.cli.assay.pcr import LEAST_PARTITIONS
from cellwright.cli.output import Exit, complain, print_document, progress, say, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.assay.endotoxin import KineticCurve, Weight
    from cellwright.assay.pcr import Fraction
    from cellwright.cli.assay.bench import Dose

app = typer.Typer(add_completion=False, no_args_is_help=True)

POTENCY: Final = "cellwright.assay-potency/1"
QPCR: Final = "cellwright.assay-qpcr/1"
DPCR: Final = "cellwright.assay-dpcr/1"
VCN: Final = "cellwright.assay-vcn/1"
ENDOTOXIN: Final = "cellwright.assay-endotoxin/1"
SPC: Final = "cellwright.assay-spc/1"
EXAMPLE: Final = "cellwright.assay-example/1"
REVIEW: Final = "cellwright.assay-review/1"

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help=_("Files of the assay."))]
Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))]
Pictures = Annotated[
    Path | None, typer.Option("--pictures", metavar="DIR", help=_("Write the pictures as SVG into a folder."))
]
Pdf = Annotated[Path | None, typer.Option("--pdf", metavar="PATH", help=_("Write figures and pictures as PDF."))]
Target = Annotated[str | None, typer.Option("--target", metavar="NAME", help=_("One target only."))]


@app.callback()
def _assay() -> None:
    """Compute release tests from raw files, with pictures."""


@app.command(help=_("Write simulated raw files to try the assays on."))
def example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("A new folder, or an empty one."))],
    seed: Annotated[int, typer.Option(metavar="S", help=_("Which example; the same number gives the same files."))] = 1,
    json: Json = False,
) -> None:
    """Write simulated raw files."""
    from cellwright.assay.simulated import example_files

    if folder.exists() and any(folder.iterdir()):
        stop(_("{path} is not empty; nothing was written.").format(path=folder), Exit.USAGE)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in example_files(seed).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        written.append(str(folder / name))
    if json:
        print_document(EXAMPLE, {"simulated": True, "files": written})
        return
    say(_("SIMULATED, NOT FOR HUMAN USE"))
    for path in written:
        say(path)


@app.command(help=_("Relative potency of bioassays in text form: potency, limits, validity."))
def potency(files: Files, pictures: Pictures = None, pdf: Pdf = None, json: Json = False) -> None:
    """Relative potency."""
    from cellwright.cli.assay.bench import potency as one_potency

    finish(POTENCY, [one_potency(file) for file in files], json=json, pictures=pictures, pdf=pdf)


@app.command(help=_("Quantitative PCR: standard curves, quantities, controls, agreement with the instrument."))
def qpcr(
    files: Files,
    target: Target = None,
    efficiency: Annotated[str, typer.Option(metavar="LOW-HIGH", help=_("Efficiency allowed, percent."))] = "90-110",
    r_squared: Annotated[float, typer.Option(metavar="R2", help=_("Least coefficient of determination."))] = 0.98,
    pictures: Pictures = None,
    pdf: Pdf = None,
    json: Json = False,
) -> None:
    """Quantitative PCR."""
    from cellwright.cli.assay.pcr import qpcr as one_qpcr

    low, _dash, high = efficiency.partition("-")
    try:
        window = (float(low), float(high))
    except ValueError:
        stop(_("--efficiency is LOW-HIGH in percent, such as 90-110"), Exit.USAGE)
    answers = []
    with progress(_("Reading"), len(files)) as bar:
        for file in files:
            answers.append(one_qpcr(file, target=target, efficiency=window, r_squared=r_squared))
            bar.advance(note=file.name)
    finish(QPCR, answers, json=json, pictures=pictures, pdf=pdf)


@app.command(help=_("Digital PCR: copies per microlitre with exact limits, agreement of wells, copy numbers."))
def dpcr(
    files: Files,
    target: Target = None,
    reference: Annotated[
        str | None, typer.Option(metavar="NAME", help=_("Reference target; gives copies per genome."))
    ] = None,
    ploidy: Annotated[float, typer.Option(metavar="N", help=_("Copies of the reference in a cell."))] = 2.0,
    least: Annotated[
        int, typer.Option("--least-partitions", metavar="N", help=_("Partitions that a well needs."))
    ] = LEAST_PARTITIONS,
    pictures: Pictures = None,
    pdf: Pdf = None,
    json: Json = False,
) -> None:
    """Digital PCR."""
    from cellwright.cli.assay.pcr import dpcr as one_dpcr

    answers = [one_dpcr(file, target=target, reference=reference, ploidy=ploidy, least=least) for file in files]
    finish(DPCR, answers, json=json, pictures=pictures, pdf=pdf)


@app.command(
    help=_(
        "Vector copies per cell and per transduced cell by digital or quantitative PCR, with one interval for all sources."
    )
)
def vcn(
    files: Files,
    transgene: Annotated[str, typer.Option(metavar="NAME", help=_("Target of the vector."))],
    reference: Annotated[str, typer.Option(metavar="NAME", help=_("Reference target; gives copies per genome."))],
    transduced: Annotated[
        str | None, typer.Option(metavar="K/N", help=_("Transduced cells of all cells counted in the same sample."))
    ] = None,
    limit: Annotated[str | None, typer.Option(metavar="COPIES", help=_("The result must be below it."))] = None,
    ploidy: Annotated[float, typer.Option(metavar="N", help=_("Copies of the reference in a cell."))] = 2.0,
    pictures: Pictures = None,
    pdf: Pdf = None,
    json: Json = False,
) -> None:
    """Vector copies."""
    from cellwright.cli.assay.pcr import vcn as one_vcn

    fraction = _fraction(transduced)
    below = None if limit is None else _decimal(limit)
    answers = [one for file in files
               for one in one_vcn(file, transgene, reference, fraction=fraction, limit=below, ploidy=ploidy)]  # fmt: skip
    finish(VCN, answers, json=json, pictures=pictures, pdf=pdf)


def _fraction(text: str | None) -> "Fraction | None":
    from cellwright.assay.pcr import Fraction

    if text is None:
        return None
    try:
        transduced, counted = (int(part) for part in text.split("/"))
        return Fraction(transduced, counted)
    except ValueError:
        stop(_("--transduced is K/N, cells of cells counted"), Exit.USAGE)


def _decimal(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        stop(_("{text} is no number").format(text=text), Exit.USAGE)
    return found


@app.command(help=_("Endotoxin by kinetic plate or cartridge: curve, spike, dilution, verdict over all bags."))
def endotoxin(
    files: Files,
    limit: Annotated[str, typer.Option(metavar="EU/ML", help=_("Limit of the product, EU/mL."))],
    bag: Annotated[
        list[str] | None, typer.Option(metavar="NAME=ML", help=_("A bag of the dose with its volume; may be repeated."))
    ] = None,
    weight: Annotated[
        str | None, typer.Option(metavar="KG@DATE", help=_("Weight of the recipient and the day it was taken."))
    ] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help=_("Day of the run, for the verdict."))] = None,
    curve: Annotated[
        str | None,
        typer.Option(
            "--archived-curve", metavar="CURVE", help=_("slope,intercept,r,lowest,highest,lot,expiry of a cartridge.")
        ),
    ] = None,
    pictures: Pictures = None,
    pdf: Pdf = None,
    json: Json = False,
) -> None:
    """Endotoxin."""
    from cellwright.cli.assay.bench import endotoxin as one_endotoxin

    dose, archived = _dose(_decimal(limit), bag or [], weight, on), _archived(curve)
    answers: list[Answer] = [one for file in files for one in one_endotoxin(file, dose, archived)]
    finish(ENDOTOXIN, answers, json=json, pictures=pictures, pdf=pdf)


def _dose(limit: Decimal, bags: list[str], weight: str | None, on: str | None) -> "Dose":
    from cellwright.cli.assay.bench import Dose, weighed
    from cellwright.cli.assay.bench import bag as one_bag

    try:
        found: Weight | None = None if weight is None else weighed(weight)
        day = None if on is None else date.fromisoformat(on)
        volumes = tuple(one_bag(text) for text in bags)
    except ValueError as error:
        stop(str(error), Exit.USAGE)
    if volumes and day is None:
        stop(_("a verdict over bags needs the day: --on"), Exit.USAGE)
    return Dose(limit, volumes, found, day)


def _archived(text: str | None) -> "KineticCurve | None":
    from cellwright.cli.assay.bench import archived

    if text is None:
        return None
    try:
        return archived(text)
    except ValueError as error:
        stop(str(error), Exit.USAGE)


@app.command(help=_("Control charts of a column of a table: limits, run rules, capability."))
def spc(
    files: Files,
    chart: Annotated[
        str,
        typer.Option(metavar="KIND", help=_("I, xbar-R, xbar-S (column group), p, np, u (column size), c or EWMA.")),
    ] = "I",
    column: Annotated[str, typer.Option(metavar="NAME", help=_("Column of the values."))] = "value",
    lower: Annotated[float | None, typer.Option(metavar="LIMIT", help=_("Lower specification limit."))] = None,
    upper: Annotated[float | None, typer.Option(metavar="LIMIT", help=_("Upper specification limit."))] = None,
    western: Annotated[
        bool, typer.Option("--western-electric", help=_("Western Electric rules instead of Nelson's."))
    ] = False,
    pictures: Pictures = None,
    pdf: Pdf = None,
    json: Json = False,
) -> None:
    """Control charts."""
    from cellwright.cli.assay.series import CHARTS
    from cellwright.cli.assay.series import spc as one_spc

    if chart not in CHARTS:
        stop(_("--chart is one of {names}").format(names=", ".join(CHARTS)), Exit.USAGE)
    answers = [one_spc(file, chart, column, (lower, upper), western) for file in files]
    finish(SPC, answers, json=json, pictures=pictures, pdf=pdf)


@app.command(help=_("The annual product review from tables of lots, results and tests, as page or PDF."))
def review(
    files: Files,
    product: Annotated[str, typer.Option(metavar="NAME", help=_("Product under review."))],
    begin: Annotated[str, typer.Option("--from", metavar="DATE", help=_("First day of the period."))],
    end: Annotated[str, typer.Option("--to", metavar="DATE", help=_("Last day of the period."))],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help=_("Where to write: .html or .pdf."))
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help=_("The lots are simulated, and every page says so."))
    ] = False,
    json: Json = False,
) -> None:
    """The annual product review."""
    from cellwright.assay.review import ReviewError
    from cellwright.assay.review import review as reviewed
    from cellwright.cli.assay.series import NoSeries, dataset, review_body
    from cellwright.instrument import Incomplete, Unreadable

    try:
        period = date.fromisoformat(begin), date.fromisoformat(end)
        found = reviewed(dataset(files, product, period, simulated=simulated))
    except OSError as error:
        stop(_("{path} cannot be read: {why}").format(path=error.filename, why=error.strerror), Exit.USAGE)
    except (NoSeries, ReviewError, Unreadable, Incomplete, ValueError) as error:
        stop(str(error))
    if output is not None:
        _write_review(found, output)
    if json:
        print_document(REVIEW, review_body(found))
        return
    if simulated:
        say(_("SIMULATED, NOT FOR HUMAN USE"))
    for one in found.tests:
        text = _("{test}: {results} results, {failures} outside the limits, {signals} signals")
        signals = sum(sum(line.signals.values()) for line in one.lines)
        say(text.format(test=one.test.name, results=one.results, failures=one.failures, signals=signals))


def _write_review(found: object, output: Path) -> None:
    from cellwright.assay.review import Review, html, pdf
    from cellwright.assay.review.report import NoTypesetter

    assert isinstance(found, Review)
    try:
        if output.suffix.lower() == ".pdf":
            output.write_bytes(pdf(found))
        else:
            output.write_text(html(found), encoding="utf-8")
    except NoTypesetter as error:
        stop(str(error))
    except OSError as error:
        stop(_("{path} cannot be written: {why}").format(path=output, why=error.strerror), Exit.USAGE)
    complain(str(output))
