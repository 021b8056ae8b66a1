"""Does the portfolio ledger support the legal basis that a product's file states for a market?

A file that says `trial` needs an approved trial application in the ledger, one that says `authorised` an approval, by the
agency of that market, and neither ended since. What the ledger does not know opens nothing (D13): a product it has never
heard of is unknown, not unsupported.
"""

from datetime import date
from typing import Final, Literal

from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.product import Market, Product
from cellwright.factory.portfolio.statement import Agency, PortfolioProduct
from cellwright.factory.portfolio.status import LADDER, Stage, status
from cellwright.factory.record import Immutable

AGENCIES: Final[dict[str, Agency]] = {"CN": "NMPA", "US": "FDA", "EU": "EMA", "JP": "PMDA"}
"""Market to the agency that decides there."""
_NEEDED: Final[dict[str, Stage]] = {"trial": "ind_approved", "authorised": "conditionally_approved"}


class Support(Immutable):
    """What the ledger says to the legal basis of a product in a market."""

    product: str
    market: str
    legal_basis: str
    verdict: Literal["supported", "unsupported", "unknown"]
    evidence: tuple[str, ...]
    """Events that the verdict rests on."""

    @property
    def holds(self) -> bool | None:
        """For a gate: True, False, or None where the ledger does not know."""
        return {"supported": True, "unsupported": False, "unknown": None}[self.verdict]


def support(book: Book, product: Product, market: Market, on: date | None = None) -> Support:
    """Hold a market of a product file against the ledger, as of now or of a day."""
    verdict: Literal["supported", "unsupported", "unknown"] = "unknown"
    evidence: tuple[str, ...] = ()
    agency, needed = AGENCIES.get(market.code), _NEEDED.get(market.legal_basis)
    known = {one.id for one in book.all(PortfolioProduct)}
    if agency is not None and needed is not None and product.id in known:
        found = [status(book, one.id, agency, on) for one in book.programmes(product.id)]
        ended = [one for one in found if one.stage in ("withdrawn", "terminated")]
        reached = [one for one in found if one not in ended and LADDER.index(one.stage) >= LADDER.index(needed)]
        open_ = [
            one for one in found if one not in ended and LADDER.index(_ladder(one.possible)) >= LADDER.index(needed)
        ]
        if reached:
            verdict, evidence = "supported", tuple(name for one in reached for name in one.evidence)
        elif not open_ and found:
            verdict, evidence = "unsupported", tuple(name for one in found for name in one.evidence)
    return Support(
        product=product.id, market=market.code, legal_basis=market.legal_basis, verdict=verdict, evidence=evidence
    )


def _ladder(stage: Stage) -> Stage:
    return stage if stage in LADDER else "unknown"
