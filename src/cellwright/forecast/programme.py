"""What is forecast: programmes with the stage they are in, since when, and what they hang on."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from msgspec import Meta

from cellwright.factory.definition import (
    Basis,
    Count,
    Definition,
    Entry,
    Flaw,
    Name,
    Text,
    Words,
    read,
    repeated,
    unknown,
)
from cellwright.forecast.prior import Stage
from cellwright.language import N_

YEAR_DAYS = 365.25


class Programme(Entry):
    """One product in one condition, under way at one agency."""

    id: Words
    product: Name
    stage: Stage
    since: date
    """The day the stage began; time already spent in it conditions what is left."""
    sponsor: Name
    basis: Basis
    name: Text | None = None
    classes: tuple[Name, ...] = ("all",)
    """Classes of drugs from the narrowest on; each prior uses the first it knows."""
    designations: tuple[Name, ...] = ()
    ledger: str = ""
    """The programme in the portfolio's ledger, whose status is the one that counts; empty if it is not there."""
    depends_on: str = ""
    """Programme that must be approved before this one can be."""
    pivotal_phase_2: bool = False
    """Phase 2 leads to the application: the chance of both phases stays, the time of phase 3 falls away."""

    def elapsed(self, day: date) -> float:
        """Years spent in the stage by a day, none if it has not begun."""
        return max(0.0, (day - self.since).days / YEAR_DAYS)


class Cohort(Entry):
    """Programmes known by their number only."""

    id: Name
    count: Count
    as_of: date
    stage: Stage
    classes: tuple[Name, ...]
    sponsors: Count
    """Over how many sponsors they are spread evenly; matters only where a sponsor's failure is assumed."""
    text: Text
    """What is counted, and what is assumed of it."""
    basis: Basis

    def programmes(self) -> tuple[Programme, ...]:
        """One programme for each that was counted."""
        return tuple(
            Programme(
                id=f"{self.id}/{n + 1}", product=f"unnamed-{n + 1}", stage=self.stage, since=self.as_of,
                sponsor=f"sponsor-{n % self.sponsors + 1}", classes=self.classes, basis=self.basis,
            )
            for n in range(self.count)
        )  # fmt: skip


class Portfolio(Definition):
    """Programmes as they stand on a day, and a cohort beside them."""

    as_of: date
    programmes: Annotated[tuple[Programme, ...], Meta(min_length=1)]
    cohort: Cohort

    def check(self) -> Iterator[Flaw]:
        names = [programme.id for programme in self.programmes]
        for index, name in repeated(names):
            yield Flaw(("programmes", index, "id"), "{name} stands here again.", expected="each once", name=name)
        for index, programme in enumerate(self.programmes):
            if unknown(programme.depends_on, names):
                what = N_("There is no programme {name} here.")
                yield Flaw(("programmes", index, "depends_on"), what, expected="a programme", name=programme.depends_on)
        if None in ordered(self.programmes):
            yield Flaw(("programmes",), "Programmes wait for each other in a ring.", expected="no ring")


def ordered(programmes: tuple[Programme, ...]) -> tuple[Programme | None, ...]:
    """Programmes with those first that others hang on; None at the end if some wait for each other in a ring."""
    done: dict[str, Programme] = {}
    known = {programme.id for programme in programmes}
    waiting = list(programmes)
    while waiting:
        ready = [one for one in waiting if one.depends_on not in known or one.depends_on in done]
        if not ready:
            return (*done.values(), None)
        done |= {one.id: one for one in ready}
        waiting = [one for one in waiting if one.id not in done]
    return tuple(done.values())


def shipped_portfolio() -> Portfolio:
    """The cluster's programmes that come with the program."""
    from cellwright import shipped

    return read(Portfolio, shipped.content("forecast/e-town.yaml").decode(), "forecast/e-town.yaml")
