"""The portfolio: the cluster with its numbers, a company, a product with its programmes, the pipeline.

The pages show a ledger of its own, the one in the site's folder `portfolio` or else what the program ships; the record of
the site is not touched.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from markupsafe import Markup

from cellwright.command.portfolio import wording
from cellwright.command.portfolio.answers import area_answer, party_answer, pipeline_answer, product_answer
from cellwright.command.portfolio.keeping import open_portfolio, working_calendar
from cellwright.command.portfolio.numbers import statistics_answer
from cellwright.command.portfolio.picture import pipeline_svg, timeline_svg
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.statement import Area, Party, PortfolioProduct, Programme, Statistic
from cellwright.site.access import EVERYBODY, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.refusals import missing

FOLDER: Final = "portfolio"


def _book() -> Book:
    folder = house().site.folder / FOLDER
    file = folder / "portfolio.db"
    return _read(folder, file.stat().st_mtime_ns if file.is_file() else 0)


@lru_cache(maxsize=2)
def _read(folder: Path, changed: int) -> Book:
    """The book as it was when the file last changed; a folder without one reads what is shipped."""
    with open_portfolio(folder if changed else None) as portfolio:
        return portfolio.book


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {"wording": wording, "said": wording.said, **context})


@page(EVERYBODY)
@require_GET
def portfolio(request: HttpRequest) -> HttpResponse:
    """The area of which the ledger has numbers."""
    book = _book()
    stated = book.all(Statistic)
    return _area(request, book, stated[0].area if stated else "")


@page(EVERYBODY)
@require_GET
def area(request: HttpRequest, name: str) -> HttpResponse:
    """An area: its numbers with their definitions, who belongs to it, its pipeline."""
    return _area(request, _book(), name)


def _area(request: HttpRequest, book: Book, name: str) -> HttpResponse:
    try:
        found = book.get(Area, name)
    except KeyError:
        return missing(request)
    told = area_answer(book, found)
    return _page(request, "portfolio_area.jinja", {
        "area": told,
        "numbers": statistics_answer(book, name, None),
        "said_all": lambda one: ", ".join(wording.said(wording.FIELDS, field) for field in (*one["differ"], *one["unknown"])),
        "chart": Markup(pipeline_svg(told["pipeline"])),
    })  # fmt: skip


@page(EVERYBODY)
@require_GET
def company(request: HttpRequest, name: str) -> HttpResponse:
    """A company or another party: where it belongs, what it makes, what is said of it."""
    book = _book()
    try:
        told = party_answer(book, book.get(Party, name))
    except KeyError:
        return missing(request)
    chart = Markup(pipeline_svg(told["products"])) if told["products"] else ""
    return _page(request, "portfolio_company.jinja", {"party": told, "chart": chart})


@page(EVERYBODY)
@require_GET
def product(request: HttpRequest, name: str) -> HttpResponse:
    """A product with its programmes: status per agency, time line, conflicts, sources."""
    book = _book()
    today = house().desk.clock().date()
    try:
        found = book.get(PortfolioProduct, name)
    except KeyError:
        return missing(request)
    told = product_answer(book, working_calendar(), found, on=None, today=today)
    charts = {one["id"]: Markup(timeline_svg(one["events"], one["calendar"], today)) for one in told["programmes"]}
    return _page(request, "portfolio_product.jinja", {"product": told, "charts": charts})


@page(EVERYBODY)
@require_GET
def programme(request: HttpRequest, name: str) -> HttpResponse:
    """The product's page, which holds its programmes."""
    try:
        found = _book().get(Programme, name)
    except KeyError:
        return missing(request)
    return product(request, found.product)


@page(EVERYBODY)
@require_GET
def pipeline(request: HttpRequest) -> HttpResponse:
    """Every product of the ledger, of this area and of others."""
    lines = pipeline_answer(_book())
    return _page(request, "portfolio_pipeline.jinja", {"lines": lines, "chart": Markup(pipeline_svg(lines))})
