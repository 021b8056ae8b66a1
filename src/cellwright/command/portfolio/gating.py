"""Before an order is approved: does the portfolio ledger support the legal basis that the product's file states?

Only the ledger's clear no stops an order here. A product that the ledger has never heard of is left to the gates of the
product's own file, and the answer says that it is unknown.
"""

from datetime import date
from functools import cache

from cellwright.command.portfolio.keeping import seeds
from cellwright.factory.portfolio.admission import Support, support
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.product import Product
from cellwright.factory.rule import Refusal


@cache
def shipped_book() -> Book:
    """What the program ships of the portfolio, without a ledger on disk."""
    return Book.of(statement for seed in seeds() for statement in seed.statements())


def admitted(product: Product, market: str, on: date, book: Book | None = None) -> Support:
    """What the ledger says to an order of a product for a market on a day.

    Raises:
        Refusal `portfolio-does-not-support`: the ledger knows the product, and it has not got so far by that day.
    """
    stated = product.market(market)
    assert stated is not None, "an order names a market of its product"
    found = support(book or shipped_book(), product, stated, on)
    if found.holds is False:
        raise Refusal(
            "portfolio-does-not-support",
            "{product} has no {basis} in {market} by {day}, as the portfolio ledger knows it.",
            remedy="State the agency's decision in the portfolio, with its source.",
            rule="D13",
            product=product.id,
            basis=stated.legal_basis,
            market=market,
            day=on.isoformat(),
        )
    return found
