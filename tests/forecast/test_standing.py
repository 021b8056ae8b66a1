"""The forecast starts where the ledger says that programmes stand."""

from datetime import date

from msgspec.structs import replace

from cellwright import shipped
from cellwright.factory.definition import Text, read
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.seed import Seed
from cellwright.factory.portfolio.statement import Dated
from cellwright.forecast import Assumptions, shipped_portfolio, shipped_priors, simulate
from cellwright.forecast.demand import demand, shipped_demand, with_settled
from cellwright.forecast.standing import standing
from tests.factory.portfolio.portfolios import SEEN, shipped_book

DAY = date(2026, 1, 1)
PORTFOLIO = shipped_portfolio()
BOOK = shipped_book()


def test_the_shipped_programmes_stand_where_the_shipped_ledger_says() -> None:
    found = standing(PORTFOLIO.programmes, BOOK, DAY)
    assert found.changed == {}
    assert found.settled == {}
    stages = {one.id: one.stage for one in found.programmes}
    assert stages["EAL/HCC"] == "review", "a priority review is one of an application"
    assert all(one.ledger for one in PORTFOLIO.programmes)
    assert {one.id: one.since for one in found.programmes} == {one.id: one.since for one in PORTFOLIO.programmes}


def test_what_the_ledger_learns_moves_the_forecast() -> None:
    behind = replace(PORTFOLIO.programmes[0], stage="phase_1", designations=(), since=date(2010, 1, 1))
    found = standing([behind], BOOK, DAY)
    assert found.programmes[0].stage == "phase_2"
    assert found.programmes[0].designations == ("breakthrough_therapy",)
    assert "phase_2" in found.changed["CAR-T-19/B-ALL"]
    unlisted = replace(behind, ledger="")
    assert standing([unlisted], BOOK, DAY).programmes == (unlisted,)


def test_a_date_the_ledger_excludes_becomes_the_middle_of_its_interval() -> None:
    early = replace(PORTFOLIO.programmes[1], since=date(2020, 1, 1))
    assert standing([early], BOOK, DAY).programmes[0].since == date(2024, 2, 15)


def test_an_approved_programme_is_no_forecast_any_more() -> None:
    words = Text(en="approved", zh="批准")
    approval = Dated(
        id="mil62-approved",
        programme="MIL62-PMN",
        event="approved",
        agency="NMPA",
        when="2025-12",
        text=words,
        basis=SEEN,
    )
    file = "portfolio/e-town.yaml"
    told = Book.of((*read(Seed, shipped.content(file).decode(), file).statements(), approval))
    found = standing(PORTFOLIO.programmes, told, DAY)
    assert found.settled == {"MIL62/PMN": "approved"}
    assert "MIL62/PMN" not in [one.id for one in found.programmes]


def test_what_depends_on_a_programme_that_ended_has_ended() -> None:
    words = Text(en="terminated", zh="终止")
    end = Dated(
        id="car-t-ended",
        programme="CAR-T-19-B-ALL",
        event="terminated",
        agency="NMPA",
        when="2025-12",
        text=words,
        basis=SEEN,
    )
    file = "portfolio/e-town.yaml"
    told = Book.of((*read(Seed, shipped.content(file).decode(), file).statements(), end))
    found = standing(PORTFOLIO.programmes, told, DAY)
    assert found.settled == {"CAR-T-19/B-ALL": "ended", "aT19/B-ALL": "ended"}
    keep = frozenset(name for wanted in shipped_demand().products for name in wanted.programmes)
    runs = simulate(shipped_priors(), found.programmes, DAY, Assumptions(outer=10, inner=10), keep)
    made = demand(shipped_demand(), with_settled(runs, found.settled), 5)
    assert {one.wanted.product: bool(one.units.any()) for one in made.products} == {
        "CAR-T-19": False, "aT19": False, "EAL": True, "MIL62": True,
    }  # fmt: skip
