"""Numbers with their definitions: sourced claims, counts of the ledger, and whether two may be compared."""

from decimal import Decimal

import pytest

from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.share import Totals
from cellwright.factory.portfolio.statement import Application, Statement, Statistic, StatisticDefinition
from cellwright.factory.portfolio.statistic import comparisons, count, figure, figures, series
from tests.factory.portfolio.portfolios import SEEN, happened, one_product, shipped_book, words


def definition(**more: object) -> StatisticDefinition:
    known = {"unit": "product", "event": "ind_approved", "registration_class": "1", "first_only": True,
             "area_basis": "declared", "period_rule": "approval_date"}  # fmt: skip
    return StatisticDefinition(id="d", name=words("d"), basis=SEEN, **(known | more))  # type: ignore[arg-type]


def statistic(number: int, **more: object) -> Statistic:
    fields = {"definition": "d", "area": "park", "period": "2024-H1", "text": words("n"), "basis": SEEN} | more
    return Statistic(id="n", count=number, **fields)  # type: ignore[arg-type]


def book(*more: Statement, registration_class: str = "1") -> Book:
    return Book.of([*one_product(registration_class=registration_class), *more])


def test_the_figure_of_the_report_is_a_sourced_claim_whose_definition_is_unknown() -> None:
    (found, companies) = figures(shipped_book(), "beijing-e-town", "2024-H1")
    assert (found.statistic.count, found.statistic.share) == (106, Decimal("57"))
    assert found.totals == Totals(185, 187)
    assert found.reproduced is None
    assert set(found.definition.unknown) == {"unit", "event", "area_basis", "period_rule", "first_only"}
    assert companies.statistic.count == 4800 and companies.totals is None
    by_unit = {one.unit: one for one in found.counted if one.first_only}
    # aT19's approval of February 2024 is the only one known, and no source states its class.
    assert by_unit["product"].possible == ("aT19",)
    assert by_unit["product"].certain == ()


def test_the_two_figures_of_the_cluster_are_not_known_to_be_comparable() -> None:
    found = figures(shipped_book(), "beijing-e-town")
    compared = {(one.first, one.second): one for one in comparisons(found)}
    pair = compared["e-town-class-1-2022", "e-town-class-1-2024"]
    assert pair.comparable is None
    assert "unit" in pair.unknown


def test_a_number_is_reproduced_where_its_events_are_known() -> None:
    known = book(happened("ind_approved", "2024-02"), definition(), statistic(1))
    assert figure(known, statistic(1)).reproduced is True
    assert figure(known, statistic(2)).reproduced is False
    assert figure(known, statistic(1, comparator=">")).reproduced is False


@pytest.mark.parametrize(
    ("when", "certain", "possible"),
    [
        ("2024-02", 1, 0),
        ("2024", 0, 1),
        (None, 0, 1),
        ("2024-06-15/2024-07-15", 0, 1),
        ("2023", 0, 0),
        ("2024-07", 0, 0),
    ],
)
def test_a_date_that_straddles_the_period_is_possible_only(when: str | None, certain: int, possible: int) -> None:
    counted = count(book(happened("ind_approved", when)), definition(), "park", "2024-H1", "product")
    assert (len(counted.certain), len(counted.possible)) == (certain, possible)


@pytest.mark.parametrize(("registration_class", "found"), [("1", (1, 0)), ("", (0, 1)), ("2.2", (0, 0))])
def test_a_class_that_no_source_states_is_possible_only(registration_class: str, found: tuple[int, int]) -> None:
    known = book(happened("ind_approved", "2024-02"), registration_class=registration_class)
    counted = count(known, definition(), "park", "2024-H1", "product")
    assert (len(counted.certain), len(counted.possible)) == found


def test_the_unit_decides_the_number() -> None:
    """CDE counts 833 acceptance numbers of 576 products in 2023: the same approvals in two units."""
    applications = [Application(id=f"a{n}", programme="P-1", agency="NMPA", form="ind", basis=SEEN) for n in (1, 2)]
    events = [happened("ind_approved", f"2024-0{n}", f"e{n}", application=f"a{n}") for n in (1, 2)]
    known = book(*applications, *events)
    numbers = {
        unit: len(count(known, definition(), "park", "2024-H1", unit).certain)
        for unit in ("product", "programme", "application", "notice")
    }  # type: ignore[misc]
    assert numbers == {"product": 1, "programme": 1, "application": 2, "notice": 2}


def test_first_only_counts_a_product_in_the_period_of_its_first_event() -> None:
    known = book(happened("ind_approved", "2023-05", "e1"), happened("ind_approved", "2024-02", "e2"))
    assert count(known, definition(), "park", "2024-H1", "product").certain == ()
    assert count(known, definition(), "park", "2024-H1", "product", first_only=False).certain == ("P",)


def test_an_area_holds_what_lies_within_it() -> None:
    known = book(happened("ind_approved", "2024-02"))
    assert count(known, definition(), "city", "2024-H1", "product").certain == ("P",)
    with pytest.raises(KeyError):
        count(known, definition(), "moon", "2024-H1", "product")


def test_a_series_goes_from_the_first_year_to_the_last() -> None:
    known = book(happened("ind_approved", "2021-05", "e1"), happened("ind_approved", "2023", "e2"))
    points = series(known, definition(first_only=False), "park", "notice")
    assert [(one.year, len(one.counted.certain)) for one in points] == [(2021, 1), (2022, 0), (2023, 1)]
