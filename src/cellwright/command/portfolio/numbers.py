"""The numbers of an area as plain values: what is stated, what it implies, what the ledger counts, what compares."""

from typing import Any

from cellwright.command.portfolio.answers import Answer, told, told_basis, told_when
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.share import Totals
from cellwright.factory.portfolio.statistic import Counted, Figure, comparisons, figures, series


def figure_answer(book: Book, figure: Figure) -> Answer:
    """A stated number with its definition, the totals it implies, and the ledger's own count under each reading."""
    stated, definition = figure.statistic, figure.definition
    return {
        "id": stated.id,
        "text": told(stated.text),
        "count": stated.count,
        "comparator": stated.comparator,
        "share_pct": None if stated.share is None else str(stated.share),
        "share_of": stated.share_of,
        "period": told_when(stated.period),
        "implied_totals": totals_answer(figure.totals),
        "definition": {
            "id": definition.id,
            "name": told(definition.name),
            "unit": definition.unit,
            "event": definition.event,
            "registration_class": definition.registration_class,
            "first_only": definition.first_only,
            "area_basis": definition.area_basis,
            "period_rule": definition.period_rule,
            "unknown": list(definition.unknown),
            "known": not definition.unknown,
            "basis": told_basis(book, definition.basis),
        },
        "standing": _standing(figure),
        "reproduced": figure.reproduced,
        "ledger_counts": [counted_answer(one) for one in figure.counted],
        "conflict": told(stated.conflict),
        "basis": told_basis(book, stated.basis),
    }


def _standing(figure: Figure) -> str:
    """What may be said of the number in one word."""
    if figure.reproduced:
        return "reproduced"
    if figure.definition.unknown:
        return "sourced claim, definition unknown"
    return "sourced claim, not reproduced"


def totals_answer(totals: Totals | None) -> Any:
    """The totals that are feasible, or None where no share is stated."""
    if totals is None:
        return None
    return {"first": totals.first, "last": totals.last, "exact": totals.exact, "totals": list(totals.numbers()[:50])}


def counted_answer(counted: Counted) -> Answer:
    return {
        "unit": counted.unit,
        "event": counted.event,
        "first_only": counted.first_only,
        "certain": len(counted.certain),
        "possible": len(counted.possible),
        "certain_names": list(counted.certain),
        "possible_names": list(counted.possible),
    }


def statistics_answer(book: Book, area: str, period: str | None) -> Answer:
    """The stated numbers of an area, their comparison, and the ledger's own count by year.

    Raises:
        KeyError: the ledger does not know the area.
        ValueError: the period is not one.
    """
    found = figures(book, area, period)
    counted = [one for one in found if one.counted]
    by_year = [
        {
            "definition": one.definition.id,
            "unit": unit,
            "points": [
                {"year": point.year, "certain": len(point.counted.certain), "possible": len(point.counted.possible)}
                for point in series(book, one.definition, area, unit)
            ],
        }
        for one in counted[-1:]
        for unit in ("product", "programme", "notice")
    ]
    return {
        "area": area,
        "period": None if period is None else told_when(period),
        "statistics": [figure_answer(book, one) for one in found],
        "comparisons": [
            {"first": one.first, "second": one.second, "comparable": one.comparable, "differ": list(one.differ),
             "unknown": list(one.unknown)}
            for one in comparisons(figures(book, area))
        ],
        "series": [
            {"definition": one.definition.id, "period": told_when(one.statistic.period), "count": one.statistic.count,
             "comparator": one.statistic.comparator}
            for one in figures(book, area)
        ],
        "ledger_by_year": by_year,
        "assumption": {
            "en": "Where a source leaves the event open, the ledger counts approvals of trials.",
            "zh": "来源未说明事件时，账册按临床试验批准计数。",
        },
    }  # fmt: skip
