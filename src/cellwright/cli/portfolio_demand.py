"""`cellwright portfolio demand`: patients, lots, suites, hours and tests that a forecast asks for."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellwright.cli.forecasting import (
    DayOf,
    Folder,
    Mixture,
    Pictures,
    Plain,
    RunCount,
    Seed,
    Years,
    assumptions,
    bands,
    day,
    draw,
    number,
    settings,
    standings,
)  # fmt: skip
from cellwright.cli.output import Exit, print_document, say, stop
from cellwright.language import N_, _, localized

if TYPE_CHECKING:
    from cellwright.forecast.demand import Demand, ProductDemand

HELP = N_("Say which patients, lots, suites, hours and tests a forecast asks for.")
SCHEMA = "cellwright.demand/1"


def command(
    runs: RunCount = 4_000, seed: Seed = 20260101, years: Years = 10, as_of: DayOf = "", prior: Mixture = None,
    by: Annotated[str, typer.Option("--by", metavar="month|year", help="Length of a period. / 时段。")] = "year",
    pictures: Pictures = None, folder: Folder = None, json: Plain = False,
) -> None:  # fmt: skip
    """From the forecast to patients, lots, suites, hours and tests, for the planner and the twin."""
    from cellwright.forecast import shipped_portfolio, shipped_priors, simulate
    from cellwright.forecast.demand import demand as wanted
    from cellwright.forecast.demand import rows, shipped_demand, with_settled

    if by not in ("month", "year"):
        stop(_("Choose month or year."), Exit.USAGE)
    priors, portfolio, model = shipped_priors(), shipped_portfolio(), shipped_demand()
    made = assumptions(priors, runs, seed, years, prior, 0.0)
    today = day(as_of) if as_of else portfolio.as_of
    keep = frozenset(name for one in model.products for name in one.programmes)
    stand = standings(portfolio, today, folder)
    named = with_settled(simulate(priors, stand.programmes, today, made, keep), stand.settled)
    found = wanted(model, named, years)
    table = rows(found, by="month" if by == "month" else "year")
    document: dict[str, Any] = {
        "settings": {**settings(named, made, priors), "start": found.month(0), "period": by},
        "products": [_wanted(one) for one in found.products],
        "ramp_years": model.ramp.years,
        "suite_days_per_month": model.suite.days_per_month,
        "rows": table,
    }
    if pictures is not None:
        document["pictures"] = draw(pictures, _demand_pictures(found))
    if json:
        print_document(SCHEMA, document)
        return
    _tell_demand(found, table)


def _wanted(one: "ProductDemand") -> dict[str, Any]:
    wanted = one.wanted
    return {
        "product": wanted.product, "name": wanted.name.as_dict(), "unit": wanted.unit, "after": wanted.after,
        "factors": [
            {
                "id": factor.id, "text": factor.text.as_dict(), "low": factor.low, "mode": factor.mode,
                "high": factor.high, "standing": factor.basis.standing,
            }
            for factor in wanted.factors
        ],
        "per_patient": {
            "low": wanted.per_patient.low, "mode": wanted.per_patient.mode, "high": wanted.per_patient.high,
            "standing": wanted.per_patient.basis.standing,
        },
        "starts_per_unit": number(wanted.making.starts), "delivered_per_unit": number(wanted.making.delivered),
        "making_standing": wanted.making.basis.standing, "load_standing": wanted.load_basis.standing,
    }  # fmt: skip


def _demand_pictures(found: "Demand") -> dict[str, str]:
    from cellwright.forecast.chart import fan

    years = [found.month(index)[:4] for index in range(0, found.months, 12)]
    units = {"lot": _("Lots begun a year"), "dose": _("Doses begun a year"), "litre": _("Litres a year")}
    note = _("Simulated; most factors are assumptions.")
    drawn = {}
    for one in found.products:
        yearly = one.units.reshape(len(one.units), -1, 12).sum(axis=2)
        title = localized(one.wanted.name.as_dict())
        drawn[f"demand-{one.wanted.product}"] = fan(title, note, units[one.wanted.unit], bands(years, yearly))
    return drawn


def _tell_demand(found: "Demand", table: list[dict[str, Any]]) -> None:
    units = {"lot": _("lots"), "dose": _("doses"), "litre": _("litres")}
    for row in table:
        mean = row["units"]
        said = _(
            "{units} {unit} (5 to 95 %: {low} to {high}), {suites} suites, {staff} staff hours, {qc} hours of testing"
        )
        line = said.format(
            units=mean["mean"], unit=units[row["unit"]], low=mean["5%"], high=mean["95%"],
            suites=row["suites"]["mean"], staff=row["staff_hours"]["mean"], qc=row["qc_hours"]["mean"],
        )  # fmt: skip
        say(f"{row['period']}  {row['product']}: {line}")
    say(_("Means over the runs in which a product may never be approved; most factors are assumptions."))
