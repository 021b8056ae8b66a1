"""`cellwright portfolio forecast`: approvals to come, their dates, and what the uncertainty is made of."""

from typing import TYPE_CHECKING, Any

from cellwright.cli.forecasting import (
    DayOf,
    Folder,
    Mixture,
    Pictures,
    Plain,
    RunCount,
    Seed,
    Sponsor,
    Years,
    assumptions,
    bands,
    day,
    draw,
    number,
    settings,
    standings,
)  # fmt: skip
from cellwright.cli.output import print_document, say
from cellwright.language import N_, _, localized

if TYPE_CHECKING:
    from cellwright.forecast import Priors, Runs
    from cellwright.forecast.chart import Row
    from cellwright.forecast.programme import Programme

HELP = N_("Forecast approvals with their uncertainty, of named programmes and of a counted cluster.")
SCHEMA = "cellwright.forecast/1"


def command(
    runs: RunCount = 20_000, seed: Seed = 20260101, years: Years = 15, as_of: DayOf = "", prior: Mixture = None,
    sponsor_failure: Sponsor = 0.0, pictures: Pictures = None, folder: Folder = None, json: Plain = False,
) -> None:  # fmt: skip
    """Forecast approvals of the named programmes and of the cluster's 106, with the uncertainty split in two."""
    from cellwright.forecast import shipped_portfolio, shipped_priors, simulate

    priors, portfolio = shipped_priors(), shipped_portfolio()
    made = assumptions(priors, runs, seed, years, prior, sponsor_failure)
    today = day(as_of) if as_of else portfolio.as_of
    found = standings(portfolio, today, folder)
    named = simulate(priors, found.programmes, today, made)
    cohort = portfolio.cohort.programmes()
    many = simulate(priors, cohort, portfolio.cohort.as_of, made)
    document = {
        "settings": settings(named, made, priors),
        "priors": [_prior(priors, one.id, cohort) for one in priors.priors],
        "status": {"from": "portfolio ledger", "settled": found.settled, "changed": found.changed},
        "programmes": [_programme(track, named) for track in named.tracks],
        "cohort": _cohort(many, portfolio.cohort),
        "back_test": _back_test(priors),
    }
    if pictures is not None:
        document["pictures"] = draw(pictures, _forecast_pictures(named, many))
    if json:
        print_document(SCHEMA, document)
        return
    _tell_forecast(document)


def _prior(priors: "Priors", name: str, cohort: "tuple[Programme, ...]") -> dict[str, Any]:
    from math import prod

    from cellwright.forecast.prior import STAGES
    from cellwright.forecast.summary import exact

    one = priors.get(name)
    chances = priors.chances(one, ("all",))
    return {
        "id": one.id,
        "name": one.name.as_dict(),
        "overall": number(prod(chances), 3),
        "published": priors.overall(one, ("all",)).rate,
        "stages": {stage: number(value) for stage, value in zip(STAGES, chances, strict=True)},
        "standing": {
            "overall": one.basis.standing,
            "stages": one.stages_basis.standing if one.stages_basis else "derived",
            "years": one.years_basis.standing,
        },
        "source": [priors.sources[key] for key in one.basis.sources],
        "cohort_expected_ever": number(exact(priors, cohort, name), 3),
    }


def _programme(track: Any, runs: "Runs") -> dict[str, Any]:
    from cellwright.forecast.summary import when_approved

    one = track.programme
    dates = when_approved(track, runs)
    return {
        "id": one.id, "name": one.name.as_dict() if one.name else {"en": one.id, "zh": one.id},
        "stage": one.stage, "since": one.since.isoformat(), "depends_on": one.depends_on,
        "designations": list(one.designations), "standing": one.basis.standing,
        "chance_of_approval": number(track.chance, 3),
        "approved_if_ever": {level: day.isoformat() for level, day in dates.items()} if dates else None,
    }  # fmt: skip


def _cohort(runs: "Runs", cohort: Any) -> dict[str, Any]:
    from cellwright.forecast.summary import quantiles, split

    ever, soon = runs.yearly[:, -1], runs.yearly[:, min(9, runs.yearly.shape[1] - 2)]
    return {
        "id": cohort.id,
        "count": cohort.count,
        "assumption": cohort.text.as_dict(),
        "standing": cohort.basis.standing,
        "ever": {**_parts(split(ever, runs.assumptions.outer)), **quantiles(ever)},
        "within_10_years": {**_parts(split(soon, runs.assumptions.outer)), **quantiles(soon)},
        "by_year": [
            {"year": runs.as_of.year + index + 1, **quantiles(runs.yearly[:, index])}
            for index in range(runs.assumptions.horizon)
        ],
    }


def _parts(parts: Any) -> dict[str, str]:
    return {
        "mean": number(parts.mean, 3), "variance": number(parts.total, 3),
        "variance_of_priors": number(parts.prior, 3), "variance_of_chance": number(parts.chance, 3),
    }  # fmt: skip


def _back_test(priors: "Priors") -> dict[str, Any]:
    from statistics import fmean

    from cellwright.forecast.score import back_test, shipped_back_test

    test = shipped_back_test()
    scored = back_test(priors, test.cases)
    return {
        "caution": test.caution.as_dict(),
        "brier": number(fmean(one.brier for one in scored), 3),
        "brier_of_a_coin": "0.25",
        "crps_years": number(fmean(one.crps for one in scored), 3),
        "cases": [
            {
                "id": one.case.id, "frozen": one.case.frozen.isoformat(), "checked": one.case.checked.isoformat(),
                "moved_on": one.case.moved_on.isoformat() if one.case.moved_on else None,
                "chance": number(one.chance, 3), "brier": number(one.brier, 3), "crps_years": number(one.crps, 3),
                "standing": one.case.basis.standing,
            }
            for one in scored
        ],
    }  # fmt: skip


def _row(track: Any, runs: "Runs") -> "Row":
    from cellwright.forecast.chart import Row
    from cellwright.forecast.prior import STAGES
    from cellwright.forecast.summary import when_approved

    one = track.programme
    name = localized(one.name.as_dict()) if one.name else one.id
    dates = when_approved(track, runs) or {}
    stage = STAGES.index(one.stage)
    return Row(
        name,
        stage,
        track.chance,
        dates.get("5%"),
        dates.get("50%"),
        dates.get("95%"),
        2 if one.pivotal_phase_2 else None,
    )


def _forecast_pictures(named: "Runs", many: "Runs") -> dict[str, str]:
    from cellwright.forecast.chart import fan, pipeline, timeline

    rows = [_row(track, named) for track in named.tracks]
    stages = [_("Phase 1"), _("Phase 2"), _("Phase 3"), _("Review")]
    note = _("Simulated from public rates; many inputs are assumptions. As of {day}.").format(
        day=named.as_of.isoformat()
    )
    horizon = named.assumptions.horizon
    places = bands([str(many.as_of.year + n + 1) for n in range(horizon)], many.yearly[:, :horizon])
    count = _("Approvals of the 106 of 2024 H1, cumulated")
    assumed = _("Assumed: each is one Class 1 drug at the start of phase 1.")
    return {
        "pipeline": pipeline(_("Pipeline"), note, stages, _("Approval"), rows),
        "timeline": timeline(_("When, if approved"), note, rows, named.as_of, horizon, "-"),
        "cohort": fan(_("How many of the 106 are approved"), assumed, count, places),
    }


def _tell_forecast(document: dict[str, Any]) -> None:
    say(
        _("Forecast as of {day}, {runs} runs").format(
            day=document["settings"]["as_of"], runs=document["settings"]["runs"]
        )
    )
    for one in document["programmes"]:
        dates = one["approved_if_ever"]
        interval = f"{dates['5%'][:7]} … {dates['50%'][:7]} … {dates['95%'][:7]}" if dates else "-"
        share = f"{100 * float(one['chance_of_approval']):.0f} %"
        say(f"  {share:>5}  {localized(one['name'])}  {interval}")
    cohort = document["cohort"]
    say(localized(cohort["assumption"]))
    for one in document["priors"]:
        rate = f"{100 * float(one['overall']):.1f} %"
        say(
            f"  {localized(one['name'])}: {rate}, "
            + _("{count} of them expected").format(count=one["cohort_expected_ever"])
        )
    ever = cohort["ever"]
    say(_("Mixture within the horizon: median {median} of {count} (5 to 95 %: {low} to {high})").format(
        median=cohort["by_year"][-1]["50%"], count=cohort["count"], low=cohort["by_year"][-1]["5%"], high=cohort["by_year"][-1]["95%"]
    ))  # fmt: skip
    say(_("Of the variance {total} of all approvals, {prior} is of the priors and {chance} of chance").format(
        total=ever["variance"], prior=ever["variance_of_priors"], chance=ever["variance_of_chance"]
    ))  # fmt: skip
    say(localized(document["back_test"]["caution"]))
