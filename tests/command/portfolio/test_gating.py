"""An order waits for what the portfolio ledger says."""

from datetime import date

import pytest

from cellwright import shipped
from cellwright.command.portfolio.gating import admitted
from cellwright.factory.library import read_library
from cellwright.factory.portfolio.product import Product
from cellwright.factory.rule import Refusal

LIBRARY = read_library(shipped.texts())


def test_an_order_before_the_trial_was_approved_is_refused_and_afterwards_it_is_not() -> None:
    product = LIBRARY.get(Product, "aT19")
    with pytest.raises(Refusal, match="aT19 has no trial in CN by 2023-12-01"):
        admitted(product, "CN", date(2023, 12, 1))
    assert admitted(product, "CN", date(2026, 3, 2)).evidence == ("at19-ind-approved",)


def test_a_product_of_somebody_else_is_unknown_and_left_to_its_own_gates() -> None:
    product = LIBRARY.get(Product, "ARI-0001")
    assert admitted(product, product.markets[0].code, date(2026, 3, 2)).verdict == "unknown"
