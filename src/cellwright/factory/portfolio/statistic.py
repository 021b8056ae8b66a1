"""Numbers of a cluster and what they count: what a source states, and what the ledger's own events give.

A count from the ledger is two numbers: what certainly belongs, and what may belong (a date that straddles the period, a
registration class that no source states). A stated number is reproduced only if its definition leaves nothing open and
the ledger's count is certain and the same. Otherwise it stays a sourced claim.
"""

from collections.abc import Iterator
from typing import Final, Literal, get_args

from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.product import When, interval
from cellwright.factory.portfolio.share import Totals, totals
from cellwright.factory.portfolio.statement import (
    Dated,
    EventKind,
    PortfolioProduct,
    Programme,
    Statistic,
    StatisticDefinition,
)
from cellwright.factory.record import Immutable

Counting = Literal["product", "programme", "application", "notice"]
UNITS: Final[tuple[Counting, ...]] = get_args(Counting)
ASSUMED_EVENT: Final[EventKind] = "ind_approved"
""""Approved for clinical use" is read as the approval of a trial; where a source leaves the event open, this is assumed."""


class Counted(Immutable):
    """What the ledger holds for an area and a period, in one unit."""

    unit: Counting
    event: EventKind
    first_only: bool
    certain: tuple[str, ...]
    """Names of what certainly belongs: products, programmes, applications or events, by unit."""
    possible: tuple[str, ...]
    """Names of what may belong; not in `certain`."""


class Figure(Immutable):
    """A stated number with everything that bears on it."""

    statistic: Statistic
    definition: StatisticDefinition
    totals: Totals | None
    """Whole totals of the surrounding area that fit count and share."""
    counted: tuple[Counted, ...]
    """The ledger's own count under each reading that the definition leaves open."""
    reproduced: bool | None
    """True, False, or None: the definition leaves open what is counted."""


def count(
    book: Book,
    definition: StatisticDefinition,
    area: str,
    period: When,
    unit: Counting,
    *,
    first_only: bool = True,
) -> Counted:
    """Count the ledger's events of an area and a period in one unit.

    A product belongs to an area by the memberships of its holder; if the definition says in which sense, only those of
    that sense count. With `first_only` a unit counts at its first such event and never again.

    Raises:
        KeyError: the ledger does not know the area.
    """
    book.within(area)
    event = definition.event if definition.event not in ("", "unknown") else ASSUMED_EVENT
    members = {
        one.party for one in book.members(area) if definition.area_basis in ("unknown", "declared", one.by)
    }  # fmt: skip
    certain: dict[str, None] = {}
    possible: dict[str, None] = {}
    done: set[str] = set()
    for found, product in _events(book, event, members):  # type: ignore[arg-type]
        name = _unit(found, product, unit)
        if name is None or (first_only and name in done):
            continue
        falls = _falls(found, period)
        if falls is not False:
            sure = falls and _classed(definition, product) is True
            if _classed(definition, product) is not False:
                (certain if sure else possible)[name] = None
        if first_only and falls is not None:
            done.add(name)
    return Counted(
        unit=unit,
        event=event,  # type: ignore[arg-type]
        first_only=first_only,
        certain=tuple(certain),
        possible=tuple(name for name in possible if name not in certain),
    )


def _events(book: Book, event: EventKind, members: set[str]) -> Iterator[tuple[Dated, PortfolioProduct]]:
    """Effective events of a kind with their product, in order of date, of products whose holder is a member."""
    found = []
    for programme in book.all(Programme):
        product = book.get(PortfolioProduct, programme.product)
        if product.holder in members:
            found += [(one, product) for one in book.events(programme.id) if one.event == event]
    known = [pair for pair in found if pair[0].standing == "effective" and pair[0].basis.grade not in ("M", "X")]
    yield from sorted(known, key=lambda pair: (pair[0].interval is None, pair[0].interval or ()))


def _unit(event: Dated, product: PortfolioProduct, unit: Counting) -> str | None:
    match unit:
        case "product":
            return product.id
        case "programme":
            return event.programme
        case "application":
            return event.application
        case "notice":
            return event.id


def _falls(event: Dated, period: When) -> bool | None:
    """Whether an event falls into a period; None where its dates leave it open."""
    known, within = event.interval, interval(period)
    if known is None:
        return None
    if within.first <= known.first and known.last <= within.last:
        return True
    return None if known.first <= within.last and within.first <= known.last else False


def _classed(definition: StatisticDefinition, product: PortfolioProduct) -> bool | None:
    """Whether a product is of the class counted; None where no source states its class."""
    if not definition.registration_class:
        return True
    return product.registration_class == definition.registration_class if product.registration_class else None


def figure(book: Book, statistic: Statistic) -> Figure:
    """A stated number, the totals it implies, and the ledger's own count under every reading left open."""
    definition = book.get(StatisticDefinition, statistic.definition)
    units = UNITS if definition.unit == "unknown" else tuple(one for one in UNITS if one == definition.unit)
    first = (True, False) if definition.first_only is None else (definition.first_only,)
    counted = tuple(
        count(book, definition, statistic.area, statistic.period, unit, first_only=once)
        for unit in units
        for once in first
        # Without the once-only rule an application or a notice is what it was.
        if once or unit in ("product", "programme")
    )
    return Figure(
        statistic=statistic,
        definition=definition,
        totals=totals(statistic.count, statistic.share) if statistic.share is not None else None,
        counted=counted if definition.event != "" else (),
        reproduced=_reproduced(statistic, definition, counted),
    )


def _reproduced(statistic: Statistic, definition: StatisticDefinition, counted: tuple[Counted, ...]) -> bool | None:
    if definition.unknown or definition.event == "" or not counted:
        return None
    one = counted[0]
    return statistic.comparator == "=" and not one.possible and len(one.certain) == statistic.count


def figures(book: Book, area: str, period: When | None = None) -> tuple[Figure, ...]:
    """The stated numbers of an area, oldest first; with a period only those that lie within it.

    Raises:
        KeyError: the ledger does not know the area.
        ValueError: the period is not one.
    """
    book.within(area)
    asked = interval(period) if period else None
    found = []
    for one in book.all(Statistic):
        known = interval(one.period)
        inside = asked is None or (asked.first <= known.first and known.last <= asked.last)
        if one.area == area and inside:
            found.append(one)
    return tuple(figure(book, one) for one in sorted(found, key=lambda one: (interval(one.period).last, one.id)))


class Comparison(Immutable):
    """Whether two stated numbers may be compared: the fields of their definitions that differ or are left open."""

    first: str
    second: str
    differ: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def comparable(self) -> bool | None:
        """True, False, or None where something that matters is not stated."""
        if self.differ:
            return False
        return None if self.unknown else True


_COMPARED: Final = ("unit", "event", "registration_class", "first_only", "area_basis", "period_rule")


def compare(first: Figure, second: Figure) -> Comparison:
    """Hold the definitions of two numbers against each other."""
    one, other = first.definition, second.definition
    left = [name for name in _COMPARED if name in (*one.unknown, *other.unknown)]
    differ = [name for name in _COMPARED if name not in left and getattr(one, name) != getattr(other, name)]
    return Comparison(first=first.statistic.id, second=second.statistic.id, differ=tuple(differ), unknown=tuple(left))


def comparisons(found: tuple[Figure, ...]) -> tuple[Comparison, ...]:
    """Each number against the next one with the same registration class: the pairs that invite a trend."""
    pairs = []
    for index, one in enumerate(found):
        for other in found[index + 1 :]:
            if one.definition.registration_class == other.definition.registration_class:
                pairs.append(compare(one, other))
                break
    return tuple(pairs)


class Point(Immutable):
    """The ledger's own count of one year."""

    year: int
    counted: Counted


def series(book: Book, definition: StatisticDefinition, area: str, unit: Counting) -> tuple[Point, ...]:
    """The ledger's own count year by year, from the first year in which anything counts to the last."""
    years: set[int] = set()
    members = {one.party for one in book.members(area)}
    event = definition.event if definition.event not in ("", "unknown") else ASSUMED_EVENT
    for one, _product in _events(book, event, members):  # type: ignore[arg-type]
        if one.interval is not None:
            years |= {one.interval.first.year, one.interval.last.year}
    if not years:
        return ()
    return tuple(
        Point(year=year, counted=count(book, definition, area, str(year), unit))
        for year in range(min(years), max(years) + 1)
    )
