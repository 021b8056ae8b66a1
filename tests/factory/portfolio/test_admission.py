"""The legal basis of the shipped products stands in the portfolio ledger; what it does not know opens nothing."""

from datetime import date

import msgspec
import pytest

from cellwright import shipped
from cellwright.factory.library import read_library
from cellwright.factory.portfolio.admission import support
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.product import Product
from tests.factory.portfolio.portfolios import happened, one_product, shipped_book

LIBRARY = read_library(shipped.texts())
CAR_T_19 = LIBRARY.get(Product, "CAR-T-19")


@pytest.mark.parametrize("name", ["CAR-T-19", "aT19", "EAL", "MIL62"])
def test_every_product_of_the_cluster_has_its_trial_in_the_ledger(name: str) -> None:
    product = LIBRARY.get(Product, name)
    market = product.market("CN")
    assert market is not None
    found = support(shipped_book(), product, market)
    assert (found.legal_basis, found.verdict, found.holds) == ("trial", "supported", True)
    assert found.evidence


def test_at19_was_not_admitted_before_its_approval_and_undecided_within_the_month() -> None:
    product = LIBRARY.get(Product, "aT19")
    market = product.markets[0]
    verdicts = [support(shipped_book(), product, market, day).verdict
                for day in (date(2024, 1, 31), date(2024, 2, 10), date(2024, 2, 29))]  # fmt: skip
    assert verdicts == ["unsupported", "unknown", "supported"]


def test_a_product_that_the_ledger_has_never_heard_of_is_unknown() -> None:
    product = LIBRARY.get(Product, "ARI-0001")
    assert support(shipped_book(), product, product.markets[0]).holds is None


def test_an_authorisation_needs_an_approval_that_stands() -> None:
    market = msgspec.structs.replace(CAR_T_19.markets[0], legal_basis="authorised")
    product = msgspec.structs.replace(CAR_T_19, id="P")
    events = [happened("ind_approved", "2022"), happened("approved", "2024"), happened("withdrawn", "2025")]
    verdicts = [support(Book.of([*one_product(), *events[:n]]), product, market).verdict for n in (1, 2, 3)]
    assert verdicts == ["unsupported", "supported", "unsupported"]
