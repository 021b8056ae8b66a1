"""Control charts and the annual review, from tables to answers."""

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cellwright.cli.assay.answer import Answer, figure, refused
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.assay.control_chart import Chart
    from cellwright.assay.review import Dataset, Lots, Review, Series
    from cellwright.instrument.source import Source

CHARTS: Final = ("I", "xbar-R", "xbar-S", "p", "np", "c", "u", "EWMA")
Rows = dict[str, list[str]]


class NoSeries(ValueError):
    """A table that holds no series for what was asked."""


def columns(file: Path) -> "tuple[Rows, Source]":
    """A table with a header, column by column. Raises NoSeries, Unreadable, Incomplete, OSError."""
    from cellwright.instrument.grid import lines, text_rows
    from cellwright.instrument.source import Source

    source = Source(file.read_bytes(), file.name)
    rows = [row for row in text_rows(source, usual=",") if row]
    if len(rows) < 2:
        raise NoSeries(_("a table needs a header and rows"))
    found = list(lines(rows, 0, source))
    return {name: [line.cells[name] for line in found] for name in found[0].cells}, source


def numbers(table: Rows, name: str, source: "Source") -> list[float]:
    """A column of numbers. Raises NoSeries if it is not there or has a blank, Unreadable if a cell is no number."""
    from cellwright.instrument.written import number

    if name not in table:
        raise NoSeries(_("no column {name}; the table has {known}").format(name=name, known=", ".join(table)))
    found = []
    for row, text in enumerate(table[name], 2):
        value = number(text, source, f"{row}, {name}")
        if value is None:
            raise NoSeries(_("row {row}: {name} is blank").format(row=row, name=name))
        found.append(float(value))
    return found


# --- control charts


def spc(file: Path, kind: str, column: str, limits: tuple[float | None, float | None], western: bool) -> Answer:
    """A control chart with what run rules find, and capability against a specification."""
    from cellwright.assay.control_chart import ChartError
    from cellwright.instrument import Incomplete, Unreadable

    try:
        table, source = columns(file)
        charts = _charts(table, kind, column, source)
    except OSError as error:
        return refused(file, error.strerror or str(error))
    except (NoSeries, Unreadable, Incomplete, ChartError) as error:
        return refused(file, str(error))
    return _charted(file, source, charts, kind, limits, western=western)


def _charts(table: Rows, kind: str, column: str, source: "Source") -> "tuple[Chart, ...]":
    from cellwright.assay import control_chart as cc

    values = numbers(table, column, source)
    if kind == "I":
        return cc.individuals(values)
    if kind == "EWMA":
        chart = cc.individuals(values)[0]
        return (cc.ewma(values, cc.Standard(chart.centre, float(chart.sigma[0]))),)
    if kind == "c":
        return (cc.counts(values),)
    if kind in {"xbar-R", "xbar-S"}:
        groups = _groups(values, table)
        return cc.means_and_ranges(groups) if kind == "xbar-R" else cc.means_and_deviations(groups)
    sizes = numbers(table, "size", source)
    if kind == "np":
        return (cc.nonconforming(values, sizes[0]),)
    return (cc.proportions(values, sizes) if kind == "p" else cc.rates(values, sizes),)


def _groups(values: Sequence[float], table: Rows) -> list[list[float]]:
    if "group" not in table:
        raise NoSeries(_("no column {name}; the table has {known}").format(name="group", known=", ".join(table)))
    found: dict[str, list[float]] = {}
    for name, value in zip(table["group"], values, strict=True):
        found.setdefault(name, []).append(value)
    return list(found.values())


def _charted(
    file: Path,
    source: "Source",
    charts: "tuple[Chart, ...]",
    kind: str,
    limits: tuple[float | None, float | None],
    *,
    western: bool,
) -> Answer:
    from cellwright.assay.control_chart import nelson, western_electric
    from cellwright.assay.picture import control_picture

    first = charts[0]
    signals = western_electric(first.z) if western else nelson(first.z)
    capable = _capability(charts, kind, limits)
    quiet = not signals and not any(chart.outside for chart in charts)
    word = _("in control") if quiet else _("SIGNALS")
    lines = [_("{file}: {count} points, {verdict}").format(file=file.name, count=first.points.size, verdict=word)]
    centre = _("centre")
    lines += [f"  {one.kind}: {centre} {figure(one.centre)}, {figure(float(one.lower[-1]))} – {figure(float(one.upper[-1]))}"
              for one in charts]  # fmt: skip
    lines += ["  " + _("{rule} at point {place}").format(rule=one.rule, place=one.place + 1) for one in signals[:40]]
    if capable is not None:
        index = capable["centred"]
        lines.append(f"  {'Ppk' if kind != 'I' else 'Cpk'} {index[0]:.4f} ({index[1]:.4f}, {index[2]:.4f})")
    body = {"chart": kind, "charts": [_chart_body(one) for one in charts], "capability": capable,
            "signals": [{"rule": one.rule, "place": one.place + 1} for one in signals]}  # fmt: skip
    table = ((_("chart"), _("centre"), _("lower limit"), _("upper limit")),
             *((one.kind, figure(one.centre), figure(float(one.lower[-1])), figure(float(one.upper[-1]))) for one in charts))  # fmt: skip
    pictures = {"chart": control_picture(charts, file.stem, signals=signals, specification=limits)}
    return Answer(str(file), file.name, quiet, body, tuple(lines), table, pictures, sha256(source.data).hexdigest())


def _chart_body(chart: "Chart") -> dict[str, Any]:
    return {"kind": chart.kind, "centre": chart.centre, "points": chart.points, "lower": chart.lower, "upper": chart.upper,
            "outside": [place + 1 for place in chart.outside]}  # fmt: skip


def _capability(
    charts: "tuple[Chart, ...]", kind: str, limits: tuple[float | None, float | None]
) -> dict[str, Any] | None:
    """Cpk by the chart's short-term sigma, of individual values only: those are what a specification limits."""
    import msgspec

    from cellwright.assay.control_chart import ChartError, capability

    if kind != "I" or limits == (None, None):
        return None
    try:
        return msgspec.structs.asdict(capability(charts[0].points, *limits, sigma=float(charts[0].sigma[0])))
    except ChartError:
        return None


# --- annual review


def dataset(files: Sequence[Path], product: str, period: tuple[date, date], *, simulated: bool) -> "Dataset":
    """Lots and results as a review takes them.

    The table of lots has `lot, day, outcome` and a column for each covariate; the table of results has `lot, test, value,
    version` (`<` or `>` before a bound); a table of tests, if there is one, has `test, name, unit, lower, upper`.

    Raises:
        NoSeries, ReviewError, Unreadable, Incomplete, OSError: with what is missing.
    """
    from cellwright.assay.review import Dataset

    tables: dict[str, tuple[Rows, Source]] = {}
    for file in files:
        table, source = columns(file)
        kind = "lots" if "outcome" in table else "results" if "value" in table else "tests" if "test" in table else ""
        if not kind or kind in tables:
            raise NoSeries(_("{file} is neither lots, results nor tests, or stands twice").format(file=file.name))
        tables[kind] = table, source
    if not {"lots", "results"} <= set(tables):
        raise NoSeries(_("a review needs a table of lots and a table of results"))
    lots = _lots(*tables["lots"])
    return Dataset(
        product, period[0], period[1], lots, _series(tables["results"], tables.get("tests"), lots), simulated
    )


def _lots(table: Rows, source: "Source") -> "Lots":
    import numpy as np

    from cellwright.assay.review import Lots

    covariates = {}
    for name in table:
        if name not in {"lot", "day", "outcome"} and not name.startswith("column "):
            cells = [cell if cell else "NaN" for cell in table[name]]
            covariates[name] = np.array([float("nan") if cell == "NaN" else float(cell) for cell in cells])
    for name in ("lot", "day"):
        if name not in table:
            raise NoSeries(_("no column {name}; the table has {known}").format(name=name, known=", ".join(table)))
    return Lots(
        np.array(table["lot"]), np.array(table["day"], dtype="datetime64[D]"), np.array(table["outcome"]), covariates
    )


def _series(results: "tuple[Rows, Source]", tests: "tuple[Rows, Source] | None", lots: "Lots") -> "tuple[Series, ...]":
    import numpy as np

    from cellwright.assay.review import Series

    table, source = results
    for name in ("lot", "test", "version"):
        if name not in table:
            raise NoSeries(_("no column {name}; the table has {known}").format(name=name, known=", ".join(table)))
    places = {str(lot): place for place, lot in enumerate(lots.id)}
    unknown = next((lot for lot in table["lot"] if lot not in places), None)
    if unknown is not None:
        raise NoSeries(_("a result of lot {lot}, which is not in the table of lots").format(lot=unknown))
    signs = [text[0] if text[:1] in {"<", ">"} else "" for text in table["value"]]
    bare = numbers({"value": [text.lstrip("<> ") for text in table["value"]]}, "value", source)
    codes = np.array(table["test"])
    where = np.array([places[lot] for lot in table["lot"]], np.intp)
    stated = _tests(tests)
    found = []
    for code in dict.fromkeys(table["test"]):
        own = codes == code
        found.append(Series(stated.get(code) or _unnamed(code), where[own], np.array(bare)[own],
                            np.array(signs, "U1")[own], np.array(table["version"])[own]))  # fmt: skip
    return tuple(found)


def _tests(tests: "tuple[Rows, Source] | None") -> Mapping[str, Any]:
    from cellwright.assay.review import ReleaseTest

    if tests is None:
        return {}
    table = tests[0]

    def limit(name: str, place: int) -> float | None:
        text = table.get(name, [""] * len(table["test"]))[place]
        return float(text) if text else None

    return {code: ReleaseTest(code, table.get("name", table["test"])[n], table.get("unit", [""] * len(table["test"]))[n],
                              limit("lower", n), limit("upper", n)) for n, code in enumerate(table["test"])}  # fmt: skip


def _unnamed(code: str) -> Any:
    from cellwright.assay.review import ReleaseTest

    return ReleaseTest(code, code, "")


def review_body(found: "Review") -> dict[str, Any]:
    """The review's figures as a document."""
    return {
        "product": found.dataset.product, "begin": str(found.dataset.begin), "end": str(found.dataset.end),
        "simulated": found.dataset.simulated, "lots": len(found.dataset.lots.id), "outcomes": found.outcomes,
        "tests": [
            {
                "test": one.test.code, "results": one.results, "censored": one.censored, "failures": one.failures,
                "not_shown_to_comply": one.not_shown, "failing": one.failing, "mean": one.mean,
                "standard_deviation": one.standard_deviation,
                "lines": [{"version": line.line.version, "first": line.first, "last": line.last, "signals": line.signals,
                           "slope_per_year": line.line.slope, "ppk": line.capability.centred if line.capability else None}
                          for line in one.lines],
            }
            for one in found.tests
        ],
    }  # fmt: skip
