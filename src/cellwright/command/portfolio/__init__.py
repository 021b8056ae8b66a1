"""The portfolio ledger as it is kept: opened, begun with the shipped statements, added to, never changed."""

from cellwright.command.portfolio.keeping import ORIGIN, Portfolio, home, open_portfolio, working_calendar

__all__ = ["ORIGIN", "Portfolio", "home", "open_portfolio", "working_calendar"]
