"""How long a record is kept: by the longest of all rules that apply (R014).

The rules are a definition, `retention/law.yaml`, approved by quality assurance like every other: which kinds of records
a law names, where, and how many years and months after what. A rule whose moment has not come, or is not known, keeps
the record without end: nothing is destroyed because somebody did not know a date.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from cellwright.factory.definition import Basis, Definition, Entry, Flaw, Name, Text, repeated
from cellwright.factory.portfolio.product import LegalBasis

RecordKind = Literal["traceability", "donor_file", "batch_record", "test_record", "distribution", "label", "trial_file"]
"""`traceability`: whose cells went into what and to whom, with the persons' identity. `test_record`: raw data and results."""
Anchor = Literal["expiry", "administration", "certification", "disposition", "trial_end"]
"""What a period begins with. `disposition`: every container of the order has reached its end and the order is closed."""
Anchors = Mapping[Anchor, date | None]
"""Days by anchor. None: it did not happen and will not, say an infusion after a withdrawal. Absent: not known (Law 6)."""
EVERYWHERE = "*"
"""Stands for every market."""
MONTHS = 12


class Rule(Entry):
    """One rule: these records, in these markets, are kept so long after the latest of these moments."""

    id: Name
    records: Annotated[tuple[RecordKind, ...], Meta(min_length=1)]
    markets: Annotated[tuple[Annotated[str, Meta(pattern=r"^([A-Z]{2}|\*)$")], ...], Meta(min_length=1)]
    legal_bases: tuple[LegalBasis, ...] = ()
    """On which legal bases it holds; on all where none is named."""
    years: Annotated[int, Meta(ge=0)] = 0
    months: Annotated[int, Meta(ge=0)] = 0
    after: Annotated[tuple[Anchor, ...], Meta(min_length=1)]
    text: Text
    basis: Basis

    def covers(self, record: RecordKind, market: str, legal_basis: LegalBasis) -> bool:
        """Whether it speaks of such a record of a product for this market on this legal basis."""
        place = market in self.markets or EVERYWHERE in self.markets
        return record in self.records and place and (not self.legal_bases or legal_basis in self.legal_bases)


class Retention(Definition):
    """The rules of retention in force at a site."""

    title: Text
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1)]

    def markets(self) -> frozenset[str]:
        """Markets of which some rule speaks by name."""
        return frozenset(market for rule in self.rules for market in rule.markets) - {EVERYWHERE}

    def check(self) -> Iterator[Flaw]:
        for index, name in repeated([rule.id for rule in self.rules]):
            yield Flaw(("rules", index), "{name} stands here again.", expected="each once", name=name)
        for index, rule in enumerate(self.rules):
            if not rule.years and not rule.months:
                yield Flaw(("rules", index), "The rule keeps nothing.", expected="years, months or both")


class Use(NamedTuple):
    """One use of somebody's cells: an order with its market, its legal basis and what is known of its moments."""

    order: str
    market: str
    legal_basis: LegalBasis
    anchors: Anchors


class Ground(NamedTuple):
    """Why a record is kept: a rule, for an order, until a day; or without end while these moments are not known."""

    rule: str
    order: str
    until: date | None
    unknown: tuple[str, ...] = ()


class Kept(NamedTuple):
    """How long a record is kept, and why. `until` is the last day it must be there; None: without end, for now."""

    until: date | None
    grounds: tuple[Ground, ...]

    def over(self, today: date) -> bool:
        """Whether the record may be destroyed today. Where no rule applies there is no ground to keep it."""
        return not self.grounds or (self.until is not None and today > self.until)

    @property
    def longest(self) -> Ground | None:
        """The ground that keeps it longest: one without an end before all others."""
        endless = [ground for ground in self.grounds if ground.until is None]
        dated = [(ground.until, ground) for ground in self.grounds if ground.until is not None]
        return endless[0] if endless else max(dated)[1] if dated else None


NO_RULE = "no-rule-for-market"
"""Stands as the rule where the law of a market is not known here: what is not known keeps the record."""


def keep_until(law: Retention, records: Iterable[RecordKind], uses: Iterable[Use]) -> Kept:
    """How long records of these kinds are kept, over all uses: the longest of all rules that apply (R014)."""
    wanted, uses = tuple(records), tuple(uses)
    grounds: dict[Ground, None] = {}
    for use in uses:
        if use.market not in law.markets():
            grounds[Ground(NO_RULE, use.order, None, (use.market,))] = None
        for rule in law.rules:
            if any(rule.covers(record, use.market, use.legal_basis) for record in wanted):
                ground = _ground(rule, use)
                if ground is not None:
                    grounds[ground] = None
    ends = [ground.until for ground in grounds]
    known = [end for end in ends if end is not None]
    return Kept(max(known) if known and len(known) == len(ends) else None, tuple(grounds))


def _ground(rule: Rule, use: Use) -> Ground | None:
    """What a rule says of a use; None where none of its moments came or will come."""
    unknown = tuple(anchor for anchor in rule.after if anchor not in use.anchors)
    if unknown:
        return Ground(rule.id, use.order, None, unknown)
    days = [day for anchor in rule.after if (day := use.anchors[anchor]) is not None]
    return Ground(rule.id, use.order, later(max(days), rule.years, rule.months)) if days else None


def later(day: date, years: int, months: int = 0) -> date:
    """The same day of the calendar so much later; where the month has no such day, the first of the next, never less."""
    count = day.year * MONTHS + day.month - 1 + years * MONTHS + months
    first = date(count // MONTHS, count % MONTHS + 1, 1)
    same = first + timedelta(days=day.day - 1)
    return same if same.month == first.month else same.replace(day=1)
