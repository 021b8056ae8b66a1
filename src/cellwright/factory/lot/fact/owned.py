"""Whose it is: every fact of a lot stands under its chain of identity, or under its stock."""

from cellwright.factory.identity import Coi, Stock
from cellwright.factory.record import Body


class Owned(Body):
    """A fact about a lot that is personal (`coi`) or stock (`stock`), never both and never neither (D2)."""

    coi: Coi | None = None
    stock: Stock | None = None
