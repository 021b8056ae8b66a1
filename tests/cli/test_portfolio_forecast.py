"""`cellwright portfolio forecast` and `demand`: published rates, the mixture, what a planner reads, pictures."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from cellwright.cli.portfolio_demand import command as demand
from cellwright.cli.portfolio_forecast import command as forecast
from cellwright.language import activate

app = typer.Typer()
app.command("forecast")(forecast)
app.command("demand")(demand)


def asked(*words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.stdout else {}


def test_the_published_rates_and_the_mixture_for_the_106() -> None:
    code, said = asked("forecast", "--runs", "4000")
    assert (code, said["schema"]) == (0, "cellwright.forecast/1")
    rates = {one["id"]: Decimal(one["overall"]) for one in said["priors"]}
    assert rates["bio-2011-2020"].quantize(Decimal("0.001")) == Decimal("0.079")
    assert rates["biomedtracker-2014-2023"].quantize(Decimal("0.001")) == Decimal("0.067")
    assert rates["wong-2000-2015"].quantize(Decimal("0.001")) == Decimal("0.138")
    assert rates["china-2003-2019"].quantize(Decimal("0.01")) == Decimal("0.21")
    cohort = said["cohort"]
    assert (cohort["count"], cohort["standing"]) == (106, "assumption")
    assert "Class 1" in cohort["assumption"]["en"]
    ever = cohort["ever"]
    assert 12 < Decimal(ever["mean"]) < 16
    parts = Decimal(ever["variance_of_priors"]) + Decimal(ever["variance_of_chance"])
    assert float(parts) == pytest.approx(float(ever["variance"]), rel=0.02)
    assert said["settings"]["mixture_standing"] == "assumption"
    bio = next(one for one in said["priors"] if one["id"] == "bio-2011-2020")
    assert bio["standing"] == {"overall": "fact", "stages": "unverified", "years": "unverified"}
    chances = {one["id"]: Decimal(one["chance_of_approval"]) for one in said["programmes"]}
    assert chances["aT19/B-ALL"] < chances["CAR-T-19/B-ALL"]
    assert 0 <= Decimal(said["back_test"]["brier"]) <= 1


def test_one_prior_alone_and_a_seed_repeat() -> None:
    words = (
        "forecast",
        "--runs",
        "2000",
        "--prior",
        "bio-2011-2020=1",
        "--as-of",
        "2026-06-30",
        "--sponsor-failure",
        "0.05",
    )
    first, second = asked(*words), asked(*words)
    assert first == second
    assert first[1]["settings"]["mixture"] == {"bio-2011-2020": "1"}
    assert first[1]["settings"]["as_of"] == "2026-06-30"


@pytest.mark.parametrize(
    "words",
    [("forecast", "--prior", "guess=1"), ("forecast", "--prior", "bio-2011-2020=much"), ("forecast", "--as-of", "soon"),
     ("demand", "--by", "decade"), ("forecast", "--runs", "3")],
)  # fmt: skip
def test_wrong_calls(words: tuple[str, ...]) -> None:
    assert asked(*words)[0] == 2


def test_demand_is_data_for_the_planner() -> None:
    code, said = asked("demand", "--runs", "1000", "--by", "month", "--years", "2")
    assert (code, said["schema"]) == (0, "cellwright.demand/1")
    assert len(said["rows"]) == 4 * 24
    row = said["rows"][-1]
    assert {"product", "unit", "period", "patients", "units", "suites", "staff_hours", "qc_hours", "qc_tests"} < set(
        row
    )
    assert row["period"] == "2027-12"
    marked = {f["id"]: f["standing"] for f in said["products"][0]["factors"]}
    assert marked["share"] == "assumption"
    assert said["products"][1]["after"] == "CAR-T-19"


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_pictures_and_words_in_both_languages(tmp_path: Path, language: str) -> None:
    activate(language)
    try:
        for verb, names in (
            ("forecast", {"pipeline", "timeline", "cohort"}),
            ("demand", {"demand-CAR-T-19", "demand-aT19", "demand-EAL", "demand-MIL62"}),
        ):
            folder = tmp_path / verb
            result = CliRunner().invoke(app, [verb, "--runs", "400", "--pictures", str(folder)])
            assert result.exit_code == 0 and result.stdout
            assert {file.stem for file in folder.iterdir()} == names
            for file in folder.iterdir():
                root = ElementTree.fromstring(file.read_text("utf-8"))
                words = "".join(root.itertext())
                assert any("\u4e00" <= c <= "\u9fff" for c in words) == (language == "zh-Hans")
    finally:
        activate("en")
